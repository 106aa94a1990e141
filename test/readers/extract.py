"""Compares what `karchive extract` finds in the JSON of an archive with what DuckDB finds in its value column.

    python extract.py KARCHIVE DIR

KARCHIVE is the command. An archive of JSON records is imported into DIR, tables are extracted from it, and DuckDB reads the same segments and runs
json_extract over their values. Ends with 1 when a row differs.
"""

import json
import pathlib
import random
import subprocess
import sys

import duckdb

# Paths as extract and as DuckDB write them.
PATHS = {
    "value.order.id": "$.order.id",
    "value.order.total": "$.order.total",
    "value.order": "$.order",
    "value.note": "$.note",
    "value.items.0.sku": "$.items[0].sku",
    "value.items.2": "$.items[2]",
    r"value.a\.b": '$."a.b"',
    "value.paid": "$.paid",
    "value.none": "$.none",
}
EACH = "value.items.#.sku", "$.items[*].sku"
TEXTS = ["", "plain", "with \"quotes\" and \\", "line\nbreak", "Köln ☃ 𝄞", "null", "a,b\t", "\x01", "\u2028"]


def record(pick):
    """Returns a value: mostly objects, with members missing, null and of other types now and then; a tombstone; text."""
    kind = pick.random()
    if kind < 0.02:
        return None
    if kind < 0.04:
        return pick.choice(["no JSON", ""])
    if kind < 0.06:
        return json.dumps(pick.choice([[1, 2], "text", 7, True, None]))
    value = {}
    members = {
        "order": lambda: pick.choice([None, 5, {}, {"id": pick.choice(TEXTS), "total": pick.choice([1.5, -3, 0, 1e-7, 12345678901234567, None])}]),
        "note": lambda: pick.choice(TEXTS),
        "items": lambda: [{"sku": f"s{pick.randrange(100)}", "count": i} for i in range(pick.randrange(4))],
        "a.b": lambda: pick.choice(["dotted", {"c": 1}]),
        "paid": lambda: pick.choice([True, False, None]),
    }
    for name in pick.sample(list(members), len(members)):
        if pick.random() < 0.85:
            value[name] = members[name]()
    return json.dumps(value, ensure_ascii=pick.random() < 0.5, separators=pick.choice([(",", ":"), (", ", " : ")]))


def lines():
    """Returns records as karchive cat prints them, in three partitions."""
    pick = random.Random(1)
    return "".join(json.dumps({"topic": "t", "partition": i % 3, "offset": i // 3, "timestamp_ms": i, "timestamp_type": "create", "leader_epoch": 0,
                               "key": None, "value": record(pick), "headers": []}) + "\n" for i in range(6000))


def karchive(command, *args, stdin=None):
    return subprocess.run([command, *args], input=stdin, capture_output=True, text=True, check=True).stdout


def flags(paths):
    return [word for path in paths for word in ("--path", path)]


def objects(text):
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]  # splitlines would also split at U+2028


def by_duckdb(root, expressions):
    """Runs expressions over j, the value as JSON, which is NULL where it is none, and returns a row a record."""
    text = "CASE WHEN json_valid(decode(value)) THEN decode(value)::JSON END"
    return duckdb.connect().execute(f"SELECT {', '.join(expressions)} FROM (SELECT partition, \"offset\", {text} AS j "
                                    f"FROM '{root}/data/**/*.parquet') ORDER BY partition, \"offset\"").fetchall()


def check(command, root):
    wrong = []
    extracted = objects(karchive(command, "extract", root, *flags(PATHS), "--format", "jsonl", "-q"))
    found = by_duckdb(root, [f"json_extract(j, '{path}')" for path in PATHS.values()])
    for i, (got, row) in enumerate(zip(extracted, found, strict=True)):
        want = {name: json.loads(text) for name, text in zip(PATHS, row) if text is not None}
        if got != want:
            wrong.append(f"record {i}: extract has {got}, DuckDB {want}")

    name, path = EACH
    exploded = [row.get(name) for row in objects(karchive(command, "extract", root, "--path", name, "--explode", "--format", "jsonl", "-q"))]
    want = [json.loads(sku) for (skus,) in by_duckdb(root, [f"json_extract(j, '{path}')"]) for sku in (skus or ["null"])]
    if exploded != want:
        wrong.append(f"exploded: extract has {len(exploded)} rows, DuckDB {len(want)}, or they differ")

    table = f"{root}.parquet"
    texts = ["value.order.id", "value.note", "value.items.0.sku"]
    karchive(command, "extract", root, *flags(texts), "--path", "partition", "--path", "offset", "-o", table, "-q")
    got = duckdb.connect().execute(f"SELECT * FROM '{table}' ORDER BY partition, \"offset\"").fetchall()
    want = by_duckdb(root, [f"json_extract_string(j, '{PATHS[t]}')" for t in texts] + ["partition", '"offset"'])
    wrong += [f"Parquet: extract has {g}, DuckDB {w}" for g, w in zip(got, want, strict=True) if g != w]
    return wrong, len(extracted), len(exploded)


def main(command, directory):
    root = pathlib.Path(directory) / "json"
    karchive(command, "import", "jsonl", "-", "-o", root, stdin=lines())
    wrong, records, elements = check(command, root)
    for difference in wrong[:20]:
        print(difference)
    print(f"{root}: {len(PATHS)} paths in {records} records, {elements} rows exploded, {len(wrong)} differences between karchive extract and DuckDB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
