"""Reads karchive archives with programs that do not know karchive, and says where they disagree.

    python check.py DIR...

Every directory below a DIR that holds karchive.json is an archive. For each one:

- pyarrow reads every segment file alone, and its schema must be that of SPEC.md. From its columns and its document the canonical bytes and
  digest of every row group are computed again, as SPEC.md defines them, and compared with the document: a second implementation of both.
- pandas, pyarrow, Polars and DuckDB read the whole of data/ the way README shows. Each must give the same records, with topic and partition
  as columns and nulls apart from empty values. DuckDB has no Arrow file reader of its own: it gets the dataset that pyarrow opens.
- SHA256SUMS must list every file of data/ with its hash, and nothing else, and nothing that is pruned.
- Of a partition that was pruned, the first segment begins where what was pruned ends.
- When NAME.expected.jsonl lies beside archive NAME, the records must be those.

A NAME.karchive is unzipped with Python's zipfile, and is an archive then, of which the manifest must name every file with its size and SHA-256.

The canonical bytes and digests of the test vectors in vectors.json, where a DIR has one, are computed again as well, and what lies in
refuse and accept of a DIR is judged (refuse.py).

Ends with 1 when anything differs, and when it found no archive at all.
"""

import base64
import collections
import hashlib
import json
import pathlib
import struct
import sys
import tempfile
import zipfile

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet
import xxhash

import refuse

Record = collections.namedtuple("Record", "topic partition offset timestamp timestamp_type leader_epoch key value headers")


# --- SPEC.md: canonical bytes and digests -----------------------------------------------------------------------------------------

def payload(data):
    return struct.pack("<i", -1) if data is None else struct.pack("<i", len(data)) + data


def canonical(record):
    parts = [struct.pack("<qqbi", record.offset, record.timestamp, record.timestamp_type, record.leader_epoch),
             payload(record.key), payload(record.value), struct.pack("<I", len(record.headers))]
    for key, value in record.headers:
        parts += [payload(key), payload(value)]
    return b"".join(parts)


def digest(data):
    return xxhash.xxh3_128_hexdigest(data, seed=0)


def restore_header_keys(records, group):
    """Puts the exact bytes of header keys that are not UTF-8 back; the column holds U+FFFD in their place."""
    for fix in group.get("header_keys", []):
        record = records[fix["row"]]
        key, value = record.headers[fix["header"]]
        assert "\N{REPLACEMENT CHARACTER}" in key.decode(), f"header key {key!r} of row {fix['row']} has no replacement character"
        headers = list(record.headers)
        headers[fix["header"]] = (base64.b64decode(fix["base64"]), value)
        records[fix["row"]] = record._replace(headers=tuple(headers))
    return records


def check_segment(path, topic, partition, encoding):
    """Checks one file against its own document and returns its records, exact and as its columns have them."""
    schema, metadata, row_groups = encoding.segment(path)
    same(f"{path}: schema", schema.equals(SCHEMA), True)
    text = metadata[b"karchive"]
    same(f"{path}: digest of the document", digest(text), metadata[b"karchive.xxh3"].decode())
    document = json.loads(text)
    groups = document.get("row_groups") or []
    same(f"{path}: place", (document["topic"], document["partition"], document["base_offset"]), (topic, partition, int(path.stem)))
    same(f"{path}: row groups", len(row_groups), len(groups))
    exact, columns = [], []
    for i, group in enumerate(groups):
        rows = arrow_records(row_groups[i], topic, partition)
        columns += rows
        rows = restore_header_keys(list(rows), group)
        exact += rows
        check_group(f"{path}: row group {i}", rows, group)
    same(f"{path}: records", len(exact), document["records"])
    return exact, columns


SCHEMA = pyarrow.schema([
    pyarrow.field("offset", pyarrow.int64(), nullable=False),
    pyarrow.field("timestamp", pyarrow.timestamp("ms", "UTC"), nullable=False),
    pyarrow.field("timestamp_type", pyarrow.int8(), nullable=False),
    pyarrow.field("leader_epoch", pyarrow.int32(), nullable=False),
    pyarrow.field("key", pyarrow.binary()),
    pyarrow.field("value", pyarrow.binary()),
    pyarrow.field("headers", pyarrow.list_(pyarrow.field("element", pyarrow.struct([
        pyarrow.field("key", pyarrow.string(), nullable=False),
        pyarrow.field("value", pyarrow.binary()),
    ]), nullable=False)), nullable=False),
])


def parquet_segment(path):
    """Returns the schema, the key-value metadata and the row groups of a file."""
    file = pyarrow.parquet.ParquetFile(path)
    return file.schema_arrow, file.metadata.metadata, [file.read_row_group(i) for i in range(file.num_row_groups)]


def arrow_segment(path):
    file = pyarrow.ipc.open_file(pyarrow.memory_map(str(path)))
    batches = [file.get_batch_with_custom_metadata(i) for i in range(file.num_record_batches)]
    for batch in batches:
        batch.batch.validate(full=True)
    *groups, last = batches
    same(f"{path}: rows of the last record batch", last.batch.num_rows, 0)
    return file.schema, last.custom_metadata, [group.batch for group in groups]


def check_group(name, rows, group):
    data = b"".join(canonical(r) for r in rows)
    times = [r.timestamp for r in rows]
    same(f"{name}: digest", digest(data), group["digest"])
    same(f"{name}: bytes", len(data), group["bytes"])
    same(f"{name}: records", len(rows), group["records"])
    same(f"{name}: offsets", (rows[0].offset, rows[-1].offset), (group["first_offset"], group["last_offset"]))
    same(f"{name}: times", (min(times), max(times)), (group["min_timestamp_ms"], group["max_timestamp_ms"]))


# --- the readers: each gives the records of a whole data/ directory, in any order ----------------------------------------------------

def header_list(headers):
    return tuple((h["key"].encode(), h["value"]) for h in headers)


def arrow_records(table, topic=None, partition=None):
    count = table.num_rows
    topics = [topic] * count if topic is not None else table["topic"].to_pylist()
    partitions = [partition] * count if partition is not None else table["partition"].to_pylist()
    times = table["timestamp"].cast(pyarrow.int64()).to_pylist()
    columns = [table[name].to_pylist() for name in ("offset", "timestamp_type", "leader_epoch", "key", "value", "headers")]
    return [Record(str(t), int(p), o, ms, kind, epoch, k, v, header_list(h))
            for t, p, ms, o, kind, epoch, k, v, h in zip(topics, partitions, times, *columns)]


def read_pyarrow(data):
    return arrow_records(pyarrow.parquet.read_table(data))


def read_pandas(data):
    return pandas_records(pandas.read_parquet(data))


def pandas_records(frame):
    times = frame["timestamp"].astype("datetime64[ms, UTC]").astype("int64")
    columns = ["topic", "partition", "offset", "timestamp_type", "leader_epoch", "key", "value", "headers"]
    return [Record(str(t), int(p), o, int(ms), kind, epoch, k, v, header_list(h))
            for ms, (t, p, o, kind, epoch, k, v, h) in zip(times, frame[columns].itertuples(index=False, name=None))]


def read_polars(data):
    return polars_records(polars.read_parquet(data))


def polars_records(frame):
    frame = frame.with_columns(polars.col("timestamp").dt.epoch("ms"))
    return [Record(str(r["topic"]), int(r["partition"]), r["offset"], r["timestamp"], r["timestamp_type"], r["leader_epoch"],
                   r["key"], r["value"], header_list(r["headers"])) for r in frame.iter_rows(named=True)]


def read_duckdb(data):
    return duckdb_records(duckdb.connect(), f"'{data}/**/*.parquet'")


def duckdb_records(connection, source):
    rows = connection.execute(
        'SELECT topic, partition, "offset", epoch_ms("timestamp"), timestamp_type, leader_epoch, key, value, headers '
        f"FROM {source}").fetchall()
    return [Record(str(t), int(p), *rest, header_list(h)) for t, p, *rest, h in rows]


def open_arrow(data):
    return pyarrow.dataset.dataset(data, format="ipc", partitioning="hive")


def read_arrow_pyarrow(data):
    return arrow_records(open_arrow(data).to_table())


def read_arrow_pandas(data):
    return pandas_records(open_arrow(data).to_table().to_pandas())


def read_arrow_polars(data):
    return polars_records(polars.read_ipc(data))


def read_arrow_duckdb(data):
    connection = duckdb.connect()
    connection.register("archive", open_arrow(data))
    return duckdb_records(connection, "archive")


Encoding = collections.namedtuple("Encoding", "segment readers")

ENCODINGS = {
    "parquet": Encoding(parquet_segment, {"pyarrow": read_pyarrow, "pandas": read_pandas, "polars": read_polars, "duckdb": read_duckdb}),
    "arrow": Encoding(arrow_segment, {"pyarrow": read_arrow_pyarrow, "pandas": read_arrow_pandas, "polars": read_arrow_polars,
                                      "duckdb": read_arrow_duckdb}),
}


# --- an archive ---------------------------------------------------------------------------------------------------------------------

class Difference(Exception):
    pass


def same(what, got, want):
    if got != want:
        raise Difference(f"{what}: got {short(got)}, want {short(want)}")


def short(value):
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."


def same_records(what, got, want):
    got = sorted(got, key=lambda r: (r.topic, r.partition, r.offset))
    same(f"{what}: number of records", len(got), len(want))
    for g, w in zip(got, want):
        same(f"{what}: {w.topic}/{w.partition} offset {w.offset}", g, w)


def read_expected(path):
    records = []
    for line in path.read_text().splitlines():
        r = json.loads(line)
        r["key"], r["value"] = unpack(r["key"]), unpack(r["value"])
        r["headers"] = tuple((unpack(k), unpack(v)) for k, v in r["headers"])
        records.append(Record(**r))
    return records


def unpack(text):
    return None if text is None else base64.b64decode(text)


def check_vectors(path):
    vectors = json.loads(path.read_text())
    for v in vectors:
        headers = [(unpack(key), unpack(value)) for key, value in v["headers"]]
        data = canonical(Record(None, None, v["offset"], v["timestamp_ms"], v["timestamp_type"], v["leader_epoch"],
                                unpack(v["key"]), unpack(v["value"]), headers))
        same(f"{v['name']}: canonical bytes", data.hex(), v["canonical"])
        same(f"{v['name']}: digest", digest(data), v["digest"])
    print(f"{path}: {len(vectors)} vectors, canonical bytes and digests right")


def check_sums(root):
    lines = (root / "SHA256SUMS").read_text().splitlines()
    listed = {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}
    files = {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in (root / "data").rglob("*") if p.is_file()}
    same("SHA256SUMS", listed, files)


def check_pruned(archive, files):
    for p in archive.get("pruned", []):
        bases = [int(path.stem) for path in files if path.parts[-3:-1] == (f"topic={p['topic']}", f"partition={p['partition']}")]
        same(f"{p['topic']}/{p['partition']}: first offset", bases[:1], [p["until"]])


def check_archive(root):
    data = root / "data"
    check_sums(root)
    exact, columns = [], []
    archive = json.loads((root / "karchive.json").read_text())["archive"]
    suffix = archive["encoding"]
    encoding = ENCODINGS[suffix]
    files = sorted(data.glob(f"topic=*/partition=*/*.{suffix}"), key=lambda p: (p.parts[-3], int(p.parts[-2].split("=")[1]), p.name))
    check_pruned(archive, files)
    for path in files:
        topic, partition = path.parts[-3].removeprefix("topic="), int(path.parts[-2].removeprefix("partition="))
        segment, raw = check_segment(path, topic, partition, encoding)
        exact += segment
        columns += raw
    for name, read in encoding.readers.items():
        same_records(name, read(data), columns)
    expected = root.with_name(root.name + ".expected.jsonl")
    if expected.exists():
        same_records(expected.name, exact, read_expected(expected))
    beside = ", as expected" if expected.exists() else ""
    print(f"{root}: {len(exact)} records in {len(files)} segments, hashes and digests right, the same in {', '.join(encoding.readers)}{beside}")


def check_packed(path):
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(path) as packed:
        same("bad entry", packed.testzip(), None)
        same("compressed or linked", [i.filename for i in packed.infolist() if i.compress_type != zipfile.ZIP_STORED or i.external_attr >> 28 != 0o10], [])
        packed.extractall(place)
        root = pathlib.Path(place)
        manifest = json.loads((root / "karchive-pack.json").read_text())
        files = manifest["root"] + [f for part in manifest["parts"] for f in part["files"]]
        for f in files:
            content = (root / f["path"]).read_bytes()
            same(f["path"], (len(content), hashlib.sha256(content).hexdigest()), (f["size"], f["sha256"]))
        same("entries", sorted(packed.namelist()), sorted(["karchive-pack.json"] + [f["path"] for f in files]))
        check_archive(root)


def main(directories):
    places = [pathlib.Path(d) for d in directories]
    archives = sorted(path.parent for place in places for path in place.rglob("karchive.json") if not {"refuse", "accept"} & set(path.parts))
    vectors = [place / "vectors.json" for place in places if (place / "vectors.json").exists()]
    packed = sorted(path for place in places for path in place.rglob("*.karchive"))
    failed = 0
    for check, path in [(check_archive, root) for root in archives] + [(check_packed, path) for path in packed] + [(check_vectors, path) for path in vectors]:
        try:
            check(path)
        except Difference as e:
            failed += 1
            print(f"{path}: {e}")
    for place in places:
        if (place / "refuse").exists():
            wrong, count = refuse.run(place)
            failed += len(wrong)
            print("\n".join(wrong + [f"{place}: {count} texts and archives judged, {len(wrong)} of them wrong"]))
    print(f"{len(archives)} archives, {len(packed)} packed and {len(vectors)} files of vectors, {failed} failed")
    return 1 if failed or not archives else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
