"""Has karchive make Iceberg tables of archives, reads them with programs that do not know karchive, and says where they disagree.

    python read.py KARCHIVE DIR ARCHIVE...

KARCHIVE is a program with Iceberg, DIR is empty. PyIceberg finds the tables in the catalog, DuckDB by their metadata. Each must give the records
that karchive cat prints, all of them and those of a partition and a range of offsets, and files for which that is not asked must not be read.
Every archive is exported a second time, which must change nothing. Ends with 1 when anything differs.
"""

import base64
import json
import pathlib
import subprocess
import sys

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pyarrow
from pyiceberg.catalog import load_catalog

UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def run(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def payload(value):
    """Text is UTF-8, {"base64": ...} what is not, null null."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else None if value is None else value.encode()


def header(h):
    """The column of keys is text: what is not UTF-8 has U+FFFD there."""
    return (UNREADABLE if isinstance(h["key"], dict) else h["key"], payload(h["value"]))


KINDS = {"create": 0, "log_append": 1, "none": -1}


def records_of(karchive, archive):
    by_topic = {}
    for line in run(karchive, "cat", archive).splitlines():
        r = json.loads(line)
        by_topic.setdefault(r["topic"], []).append((r["partition"], r["offset"], r["timestamp_ms"], KINDS[r["timestamp_type"]], r["leader_epoch"],
                                                    payload(r["key"]), payload(r["value"]), tuple(header(h) for h in r["headers"])))
    return by_topic


COLUMNS = ["partition", "offset", "timestamp", "timestamp_type", "leader_epoch", "key", "value", "headers"]


def rows(table):
    """Of an Arrow table, whose timestamps are taken as numbers: some are of no date that Python knows."""
    place = table.column_names.index("timestamp")
    assert str(table.schema.field(place).type) == "timestamp[us, tz=UTC]", table.schema
    table = table.set_column(place, "timestamp", table.column(place).cast(pyarrow.int64()))
    return [row([r[c] for c in COLUMNS]) for r in table.to_pylist()]


def row(values):
    partition, offset, microseconds, kind, epoch, key, value, headers = values
    assert microseconds % 1000 == 0
    headers = tuple((UNREADABLE if UNREADABLE in h["key"] else h["key"], h["value"]) for h in headers)
    return (partition, offset, microseconds // 1000, kind, epoch, key, value, headers)


def pyiceberg_rows(table, where):
    return rows((table.scan(row_filter=where) if where else table.scan()).to_arrow())


def duckdb_rows(con, metadata, where):
    columns = ", ".join(f'"{c}"' for c in COLUMNS)
    return rows(con.sql(f"SELECT {columns} FROM iceberg_scan('{metadata}') " + (f"WHERE {where}" if where else "")).to_arrow_table())


def open_duckdb():
    con = duckdb.connect()
    con.execute("SET TimeZone='UTC'")
    for package in (duckdb_extension_avro, duckdb_extension_iceberg):
        [file] = (pathlib.Path(package.__file__).parent / "extensions").rglob("*.duckdb_extension")
        con.execute(f"LOAD '{file}'")
    return con


def main(karchive, directory, archives):
    directory = pathlib.Path(directory).resolve()
    uri = f"sqlite:///{directory}/tables.db"
    con, bad, read = open_duckdb(), 0, 0

    def same(what, got, want):
        nonlocal bad
        if sorted(got, key=repr) != sorted(want, key=repr):
            bad += 1
            print(f"{what}: {len(got)} records, want {len(want)}; first that differ:", next(iter(set(got) ^ set(want)), "none"))

    for i, archive in enumerate(archives):
        command = [karchive, "export", "iceberg", archive, "--catalog", uri, "--warehouse", str(directory / "warehouse"), "--namespace", f"n{i}",
                   "--format", "json", "--quiet"]
        made = json.loads(run(*command))
        if json.loads(run(*command))["changed"]:
            bad += 1
            print(f"{archive}: the second export changed something")
        catalog = load_catalog("default", type="sql", uri=uri)
        expected = records_of(karchive, archive)
        for t in made["tables"]:
            table, want = catalog.load_table(t["table"]), expected.get(t["topic"], [])
            if not want:  # a topic of segments without records
                same(f"{archive}: {t['table']} by PyIceberg", pyiceberg_rows(table, ""), want)
                continue
            partition, middle = want[0][0], want[len(want) // 2][1]
            for where, wanted in [("", want), (f"partition = {partition}", [r for r in want if r[0] == partition]),
                                  (f"partition = {partition} AND \"offset\" >= {middle}", [r for r in want if r[0] == partition and r[1] >= middle])]:
                same(f"{archive}: {t['table']} by PyIceberg, {where or 'all'}", pyiceberg_rows(table, where), wanted)
                same(f"{archive}: {t['table']} by DuckDB, {where or 'all'}", duckdb_rows(con, t["metadata_location"], where), wanted)
                read += len(wanted)
            files = list(table.scan(row_filter=f"partition = {partition}").plan_files())
            if any(f"/partition={partition}/" not in f.file.file_path for f in files):
                bad += 1
                print(f"{archive}: {t['table']}: files of other partitions are read")
    print(f"{read} records of {len(archives)} archives read by PyIceberg and DuckDB, {bad} differences")
    return 1 if bad or not read else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
