"""The checks of SPEC.md ("What a reader checks") that need no decoded record, once more and by another hand.

run(DIR) holds them against the texts and archives of DIR/refuse and DIR/accept. Numbers in comments are those of the list.
"""

import base64
import datetime
import json
import pathlib
import re

import pyarrow.ipc
import pyarrow.parquet
import xxhash

NEEDS_RECORDS = {20, 21, 22, 23, 24}  # the checks that are not here


class Refused(Exception):
    pass


def refuse_unless(right, what):
    if not right:
        raise Refused(what)


# A shape of JSON: names with ? are optional.
RANGE = {"from": "i64", "until": "i64", "reason": "text"}
SOURCE = {"cluster_id": "text", "topic_id": "text", "isolation": "text", "rules?": "text"}
HEADER_KEY = {"row": "i64", "header": "i64", "base64": "base64"}
ROW_GROUP = {"records": "i64", "bytes": "i64", "first_offset": "i64", "last_offset": "i64", "min_timestamp_ms": "i64", "max_timestamp_ms": "i64",
             "control": "i64", "filtered": "i64", "digest": "text", "header_keys?": [HEADER_KEY]}
DOCUMENT = {"version": "text", "topic": "text", "partition": "i32", "base_offset": "i64", "next_offset": "i64", "last_leader_epoch": "i32", "source": SOURCE,
            "records": "i64", "bytes": "i64", "control": "i64", "filtered": "i64", "gaps?": [RANGE], "row_groups": [ROW_GROUP]}
PLAN = {"mode": "text", "isolation": "text", "from": "text", "until?": "text", "rules?": "text", "options?": "texts",
        "partitions": [{"topic": "text", "partition": "i32", "start": "i64", "end": "i64"}]}
GROUPS = {"taken_at": "text", "ends": [{"topic": "text", "partitions": ["i32"], "ends": ["i64"]}],
          "groups": [{"id": "text", "state": "text", "protocol_type": "text",
                      "topics": [{"topic": "text", "partitions": ["i32"], "offsets": ["i64"], "leader_epochs": ["i32"], "metadata?": ["text"]}]}],
          "unread?": [{"id": "text", "reason": "text"}]}
SCHEMA = {"id": "i32", "guid?": "text", "type": "text", "text": "text", "references?": [{"name": "text", "subject": "text", "version": "i32"}],
          "versions?": [{"subject": "text", "version": "i32", "compatibility?": "text"}]}
PRUNED = {"topic": "text", "partition": "i32", "from": "i64", "until": "i64", "at": "text", "by": "text"}
ARCHIVE = {"version": "text", "archive_id": "text", "created_by": "text", "created_at": "text", "encoding": "text", "cluster_id": "text",
           "topics": [{"name": "text", "id": "text", "partitions": "i32", "configs?": "texts", "codecs?": "counts"}], "capture?": PLAN, "groups?": GROUPS, "schemas?": [SCHEMA],
           "pruned?": [PRUNED]}
ENVELOPE = {"checksum": "text", "archive": ARCHIVE}
ISOLATIONS = ("read_committed", "read_uncommitted", "")


def read_json(data):
    """Checks 1 and 2, and that no number has a fraction or an exponent."""
    def unique(pairs):
        refuse_unless(len({name for name, _ in pairs}) == len(pairs), "a name twice")
        return dict(pairs)

    def no_integer(text):
        raise Refused(f"{text} is no integer")

    try:
        value = json.loads(data.decode(), object_pairs_hook=unique, parse_float=no_integer, parse_constant=no_integer)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError as e:
        raise Refused(str(e)) from e
    return value


def check_shape(value, shape, where):
    """Checks 3 and 4."""
    if isinstance(shape, dict):
        refuse_unless(isinstance(value, dict), f"{where} is no object")
        for name, inner in shape.items():
            optional, name = name.endswith("?"), name.removesuffix("?")
            refuse_unless(optional or name in value, f"{where}.{name} is missing")
            if name in value:
                check_shape(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        refuse_unless(isinstance(value, list), f"{where} is no array")
        for inner in value:
            check_shape(inner, shape[0], where)
    elif shape == "texts":
        refuse_unless(isinstance(value, dict) and all(isinstance(v, str) for v in value.values()), f"{where} is not of texts")
    elif shape == "counts":
        refuse_unless(isinstance(value, dict), f"{where} is no object")
        for inner in value.values():
            check_shape(inner, "i64", where)
    elif shape in ("i32", "i64"):
        limit = 1 << (int(shape[1:]) - 1)
        refuse_unless(type(value) is int and -limit <= value < limit, f"{where} is no {shape}")
    else:
        refuse_unless(isinstance(value, str), f"{where} is no text")
        if shape == "base64":
            try:
                base64.b64decode(value, validate=True)
            except ValueError as e:
                raise Refused(f"{where}: {e}") from e


def check_version(text):
    refuse_unless(re.fullmatch(r"[1-9][0-9]*\.(0|[1-9][0-9]*)", text), f"version {text}")  # 5
    refuse_unless(text.startswith("1."), f"version {text} is newer")


def check_topic(name):
    refuse_unless(re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name) and name not in (".", ".."), f"topic {name}")


def check_document(data):
    d = read_json(data)
    check_shape(d, DOCUMENT, "document")
    check_version(d["version"])
    check_topic(d["topic"])  # 14
    base, end = d["base_offset"], d["next_offset"]
    refuse_unless(d["partition"] >= 0 and 0 <= base < end and d["last_leader_epoch"] >= -1, "place")
    refuse_unless(d["source"]["isolation"] in ISOLATIONS, "isolation")
    gaps, at = d.get("gaps", []), base
    for g in gaps:  # 15
        refuse_unless(at <= g["from"] < g["until"] <= end and g["reason"] in ("retention", "corrupt"), f"gap {g}")
        at = g["until"]
    at = base
    for g in d["row_groups"]:
        check_row_group(g, at, end, gaps)
        at = g["last_offset"] + 1
    sums = {name: sum(g[name] for g in d["row_groups"]) for name in ("records", "bytes", "control", "filtered")}
    refuse_unless((sums["records"], sums["bytes"]) == (d["records"], d["bytes"]), "sums")  # 19
    counts = [d[name] - sums[name] for name in ("control", "filtered")]
    refuse_unless(min(counts) >= 0 and sum(counts) <= end - at - taken(gaps, at, end), "counts behind the last row group")  # 18, 19
    return d


def taken(gaps, at, end):
    return sum(g["until"] - g["from"] for g in gaps if at <= g["from"] < end)


def check_row_group(g, at, end, gaps):
    first, last, records = g["first_offset"], g["last_offset"], g["records"]
    refuse_unless(at <= first <= last < end and 1 <= records <= last - first + 1 and g["bytes"] >= 33 * records, "row group")  # 16
    refuse_unless(g["min_timestamp_ms"] <= g["max_timestamp_ms"], "timestamps")
    places = [(k["row"], k["header"]) for k in g.get("header_keys", [])]
    refuse_unless(places == sorted(set(places)) and all(0 <= row < records and header >= 0 for row, header in places), "header keys")  # 17
    for k in g.get("header_keys", []):
        try:
            base64.b64decode(k["base64"]).decode()
        except UnicodeDecodeError:
            continue
        raise Refused("a header key that is UTF-8")
    refuse_unless(not any(gap["from"] <= o < gap["until"] for gap in gaps for o in (first, last)), "a record in a gap")  # 18
    room = last + 1 - at - taken(gaps, at, last) - records
    inside = last - first + 1 - taken(gaps, first, last)
    refuse_unless(min(g["control"], g["filtered"]) >= 0 and g["control"] + g["filtered"] <= room and records <= inside, "room")


def check_identity(data):
    e = read_json(data)
    check_shape(e, ENVELOPE, "karchive.json")
    a = e["archive"]
    check_version(a["version"])
    refuse_unless(a["encoding"] in ("parquet", "arrow"), "encoding")  # 7
    names = [t["name"] for t in a["topics"]]
    refuse_unless(names == sorted(set(names)) and all(t["partitions"] >= 0 for t in a["topics"]), "topics")
    for name in names:
        check_topic(name)
    for codec, size in (c for t in a["topics"] for c in t.get("codecs", {}).items()):
        refuse_unless(codec and size >= 0, "bytes of a codec")
    plan = a.get("capture")
    if plan:  # 8
        refuse_unless(plan["mode"] in ("snapshot", "follow") and plan["isolation"] in ISOLATIONS, "words of the plan")
        places = [(p["topic"], p["partition"]) for p in plan["partitions"]]
        refuse_unless(places == sorted(set(places)), "partitions of the plan")
        for p in plan["partitions"]:
            check_topic(p["topic"])
            refuse_unless(p["partition"] >= 0 and p["start"] >= 0 and (p["end"] == -1 or p["end"] >= p["start"]), "range of the plan")
    if "groups" in a:
        check_groups(a["groups"])
    check_schemas(a.get("schemas", []))
    check_pruned(a.get("pruned", []))
    return a


def check_pruned(pruned):
    """Also check 8."""
    ordered([(p["topic"], p["partition"]) for p in pruned], "pruned partitions")
    for p in pruned:
        check_topic(p["topic"])
        refuse_unless(p["partition"] >= 0 and 0 <= p["from"] < p["until"], "a pruned range")


def belongs(a, name):
    """Whether a file of data/ is of the archive a, or what a prune left that did not come to its end."""
    topic, partition, file = pathlib.PurePath(name).parts[-3:]
    place = topic.removeprefix("topic="), int(partition.removeprefix("partition="))
    return all(place != (p["topic"], p["partition"]) or int(file.split(".")[0]) >= p["until"] for p in a.get("pruned", []))


def check_schemas(schemas):
    """Also check 8."""
    ordered([s["id"] for s in schemas], "schemas")
    for s in schemas:
        refuse_unless(s["id"] > 0 and s["type"], "a schema without an id or a type")
        refuse_unless("guid" not in s or re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", s["guid"]), "a GUID")
        places = [(v["subject"], v["version"]) for v in s.get("versions", [])]
        ordered(places, "versions of a schema")
        for subject, version in places + [(r["subject"], r["version"]) for r in s.get("references", [])]:
            refuse_unless(subject and version > 0, "a version of no schema")


def check_groups(g):
    """Also check 8."""
    try:
        datetime.datetime.fromisoformat(g["taken_at"])
    except ValueError as e:
        raise Refused(str(e)) from e
    ordered([t["topic"] for t in g["ends"]], "topics of the ends")
    ends = {(t["topic"], p) for t in g["ends"] for p in check_columns(t, t["ends"])}
    ordered([group["id"] for group in g["groups"]], "groups")
    ordered([u["id"] for u in g.get("unread", [])], "unread groups")
    for group in g["groups"]:
        refuse_unless(group["topics"], "a group without an offset")
        ordered([t["topic"] for t in group["topics"]], "topics of a group")
        for t in group["topics"]:
            places = {(t["topic"], p) for p in check_columns(t, t["offsets"], t["leader_epochs"], t.get("metadata", t["offsets"]))}
            refuse_unless(places <= ends and min(t["leader_epochs"]) >= -1, "offsets of a group")


def check_columns(t, offsets, *others):
    check_topic(t["topic"])
    partitions = t["partitions"]
    ordered(partitions, "partitions")
    refuse_unless(partitions and min(partitions) >= 0 and min(offsets, default=-1) >= 0, "partitions and offsets")
    refuse_unless({len(column) for column in (offsets, *others)} == {len(partitions)}, "columns")
    return partitions


def ordered(values, what):
    refuse_unless(values == sorted(set(values)), what)


def check_archive(root):
    a = check_identity((root / "karchive.json").read_bytes())
    ids = {t["name"]: t["id"] for t in a["topics"]}
    for path in sorted((root / "data").glob(f"topic=*/partition=*/*.{a['encoding']}")):
        if not belongs(a, path):
            continue
        metadata = parquet_metadata(path) if a["encoding"] == "parquet" else arrow_metadata(path)
        refuse_unless(xxhash.xxh3_128_hexdigest(metadata[b"karchive"]) == metadata[b"karchive.xxh3"].decode(), "digest")  # 12
        d = check_document(metadata[b"karchive"])
        source, known = d["source"], ids.get(d["topic"])
        refuse_unless(not (a["cluster_id"] and source["cluster_id"]) or a["cluster_id"] == source["cluster_id"], "cluster")  # 13
        refuse_unless(not (known and source["topic_id"]) or known == source["topic_id"], "topic id")


def parquet_metadata(path):
    data = path.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    for key in (b"karchive", b"karchive.xxh3"):  # pyarrow keeps one of two; thrift has a key with its length before it
        refuse_unless(data[-8 - length:].count(bytes([0x18, len(key)]) + key + b"\x18") == 1, f"{key} is not there once")
    return pyarrow.parquet.ParquetFile(path).metadata.metadata


def arrow_metadata(path):
    file = pyarrow.ipc.open_file(path)
    return file.get_batch_with_custom_metadata(file.num_record_batches - 1).custom_metadata


def expect(name, refused, check):
    try:
        check()
    except Refused as e:
        return [] if refused else [f"{name}: refused: {e}"]
    return [f"{name}: not refused"] if refused else []


def envelope(archive):
    return b'{"checksum":"' + xxhash.xxh3_128_hexdigest(archive).encode() + b'","archive":' + archive + b"}"


def run(place):
    """Returns what is judged otherwise than it should be, and how many cases were judged."""
    place = pathlib.Path(place)
    texts = json.loads((place / "refuse/texts.json").read_text())
    checks = {"document": check_document, "archive": lambda text: check_identity(envelope(text))}
    wrong, count = [], 0
    for of, check in checks.items():
        wrong += expect(f"the right {of}", False, lambda: check(texts[of].encode()))
    for c in texts["cases"]:
        new = bytes.fromhex(c["new_hex"]) if "new_hex" in c else c["new"].encode()
        text = texts[c["of"]].encode().replace(c["old"].encode(), new, 1)
        wrong += expect(f"{c['check']}, {c['name']}", True, lambda: checks[c["of"]](text))
        count += 1
    for c in json.loads((place / "refuse/archives.json").read_text()):
        if c["check"] not in NEEDS_RECORDS:
            wrong += expect(c["archive"], True, lambda: check_archive(place / "refuse" / c["archive"]))
            count += 1
    for path in sorted((place / "accept").glob("*/karchive.json")):
        wrong += expect(path.parent.name, False, lambda: check_archive(path.parent))
        count += 1
    for path in sorted(place.glob("golden-*/karchive.json")):
        wrong += expect(path.parent.name, False, lambda: check_identity(path.read_bytes()))
        count += 1
    return wrong, count
