"""A second implementation of masks and maps, and a comparison with karchive's.

    python model.py KARCHIVE DIR [SEED]

KARCHIVE is the command. Odd documents are imported into an archive in DIR, and read back through rule sets that are made by chance; what comes out is
compared, by value and spelling of numbers, with what the model makes of the same documents, and what no rule is about byte for byte. Ends with 1 when
something differs, and prints the seed with which it happens again. It needs nothing but Python.

The model knows no more of karchive than what docs/reshape.md and docs/privacy.md promise.
"""

import hashlib
import hmac
import json
import pathlib
import random
import subprocess
import sys

KEY = b"0123456789abcdef0123456789abcdef"
DOCUMENTS, SETS = 1000, 40
NAMES = ["a", "b", "email", "é", "x.y", "list", "A", "0", "1", "*"]
TEXTS = ["", "plain", "jane@example.com", "é😀", 'a"b\\c\n', "***", "1", "true", "\u2028"]
NUMBERS = ["0", "-0", "1", "1.0", "1e0", "1.50", "-12.0E-3", "12345678901234567890", "1e400", "0.1e1"]


class Withheld(Exception):
    """The record must not go on."""


class Number(str):
    """A number as it is spelled."""


class Object(list):
    """Members as pairs, in their order."""


def pairs(members):
    if len({name for name, _ in members}) < len(members):
        raise ValueError("a name that is there twice")
    return Object(members)


def parse(text):
    def never(word):
        raise ValueError(word)
    return json.loads(text, object_pairs_hook=pairs, parse_int=Number, parse_float=Number, parse_constant=never)


def compact(value, canonical=False):
    """Spells a value without spaces; canonically, in order of names and with one spelling a number."""
    if isinstance(value, Number):
        return plain(value) if canonical else str(value)
    if isinstance(value, Object):
        members = [(json.dumps(n, ensure_ascii=False), compact(v, canonical)) for n, v in value]
        if canonical:
            members.sort(key=lambda m: exact(m[0]))
        return "{" + ",".join(n + ":" + v for n, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(v, canonical) for v in value) + "]"
    if isinstance(value, str) and canonical:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value, ensure_ascii=False)


def exact(text):
    return text.encode("utf-8", "surrogatepass")


def plain(number):
    """The one spelling of a number that tokens are made of."""
    sign, digits = ("-", number[1:]) if number[0] == "-" else ("", str(number))
    mantissa, _, exponent = digits.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    exponent = int(exponent or 0) - len(fraction)
    digits = (whole + fraction).lstrip("0")
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    if not stripped:
        return "0"
    point = len(stripped) + exponent
    if exponent >= 0 and point <= 40:
        return sign + stripped + "0" * exponent
    if exponent < 0 < point:
        return sign + stripped[:point] + "." + stripped[point:]
    if exponent < 0 and point > -40:
        return sign + "0." + "0" * -point + stripped
    return sign + stripped + "e" + str(exponent)


def token(value):
    if isinstance(value, str):
        text = plain(value) if isinstance(value, Number) else value
    else:
        text = compact(value, canonical=True)
    return hmac.new(KEY, exact(text), hashlib.sha256).hexdigest()[:32]


def redacted(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return False
    if isinstance(value, Number):
        return Number("0")
    if isinstance(value, str):
        return "***"
    return Object() if isinstance(value, Object) else []


GONE = object()


def act(rule, value):
    action = rule["action"]
    if action == "drop":
        return GONE
    if action == "redact":
        return redacted(value)
    if action == "hash":
        return None if value is None else token(value)
    return parse(rule["fixed"])


def takes(step, name, index):
    """Whether a step leads to a member of that name, or to an element of that index."""
    if step == "#":
        return index is not None
    if step == "*":
        return True
    if step.endswith("*") and not step.endswith("\\*"):
        return name is not None and name.startswith(step[:-1])
    text = step.replace("\\", "")
    return name == text if name is not None else text == str(index)


def masked(value, rules):
    """What masks leave of a value. Rules are (rule, steps that are left), in their order; the first that ends here holds."""
    ended = next((rule for rule, steps in rules if not steps), None)
    if ended is not None and ended["action"] != "keep":
        return act(ended, value)
    rules = [(rule, steps) for rule, steps in rules if steps]
    inside = [(rule, steps[1:]) for rule, steps in rules if steps[0] == "|json"]
    if inside and isinstance(value, str) and not isinstance(value, Number) and value:
        try:
            document = parse(value)
        except ValueError:
            raise Withheld from None
        return compact(masked(document, inside))
    rules = [(rule, steps[1:] if steps[0] == "|json" else steps) for rule, steps in rules]
    if isinstance(value, Object):
        out = Object()
        for name, member in value:
            one = masked(member, [(rule, steps[1:]) for rule, steps in rules if takes(steps[0], name, None)])
            if one is not GONE:
                out.append((name, one))
        return out
    if isinstance(value, list):
        out = [masked(e, [(rule, steps[1:]) for rule, steps in rules if takes(steps[0], None, i)]) for i, e in enumerate(value)]
        return [e for e in out if e is not GONE]
    return value


def renamed(value, rules):
    inner = lambda name, index: [(to, steps[1:]) for to, steps in rules if len(steps) > 1 and takes(steps[0], name, index)]
    if isinstance(value, Object):
        out = Object()
        for name, member in value:
            new = next((to for to, steps in rules if len(steps) == 1 and takes(steps[0], name, None)), name)
            out.append((new, renamed(member, inner(name, None))))
        if len({name for name, _ in out}) < len(out):
            raise Withheld
        return out
    if isinstance(value, list):
        return [renamed(e, inner(None, i)) for i, e in enumerate(value)]
    return value


def missing(value, steps):
    """Whether a required path leads nowhere somewhere."""
    if not steps:
        return False
    if steps[0] == "|json":
        if isinstance(value, str) and not isinstance(value, Number):
            if not value:
                return True
            try:
                return missing(parse(value), steps[1:])
            except ValueError:
                raise Withheld from None
        return missing(value, steps[1:])
    if isinstance(value, Object):
        taken = [v for n, v in value if takes(steps[0], n, None)]
    elif isinstance(value, list):
        taken = [e for i, e in enumerate(value) if takes(steps[0], None, i)]
        if steps[0] in ("#", "*") and not value:
            return False
    else:
        return True
    return not taken or any(missing(v, steps[1:]) for v in taken)


def expected(text, rules):
    """What comes out for a value: text, or None where the record is withheld."""
    if text is None:
        return None
    try:
        value = parse(text)
    except (ValueError, RecursionError):
        raise Withheld from None
    for rule in rules["mask"]:
        if rule.get("required") and missing(value, rule["steps"]):
            raise Withheld
    value = masked(value, [(rule, rule["steps"]) for rule in rules["mask"]])
    value = renamed(value, [(to, steps) for steps, to in rules["rename"]])
    return masked(value, [({"action": "drop"}, steps) for steps in rules["remove"]])


class Maker:
    def __init__(self, seed):
        self.pick = random.Random(seed)

    def space(self):
        return "".join(self.pick.choice(" \t\r\n") for _ in range(self.pick.choice([0, 0, 0, 1, 2])))

    def string(self, text):
        out = ""
        for c in text:
            if c in '"\\' or c < " " or self.pick.random() < 0.1 and ord(c) < 0x10000:
                out += "\\u%04x" % ord(c)
            else:
                out += c
        return '"' + out + '"'

    def value(self, depth):
        n = self.pick.randrange(10)
        if n < 3 and depth > 0:
            return self.object(depth)
        if n == 3 and depth > 0:
            return "[" + ",".join(self.space() + self.value(depth - 1) + self.space() for _ in range(self.pick.randrange(4))) + "]"
        if n == 4 and depth > 0:
            return self.string(self.object(depth - 1))
        if n < 7:
            return self.pick.choice(NUMBERS)
        if n == 7:
            return self.pick.choice(["true", "false", "null", r'"\ud800"', r'"\udfff"'])
        return self.string(self.pick.choice(TEXTS))

    def object(self, depth):
        names = self.pick.sample(NAMES, self.pick.randrange(6))
        members = [self.space() + self.string(n) + self.space() + ":" + self.space() + self.value(depth - 1) + self.space() for n in names]
        return "{" + ",".join(members) + ("" if members else self.space()) + "}"

    def document(self):
        text = self.space() + self.value(4) + self.space()
        if self.pick.random() < 0.05:
            cut = self.pick.randrange(len(text) + 1)
            text = text[:cut] + self.pick.choice(["", "}", '"', ",", "x", '{"a":1,"a":2}']) + text[cut:]
        return None if self.pick.random() < 0.02 else text

    def path(self, last_is_a_name=False):
        steps = []
        for _ in range(self.pick.randrange(1, 4)):
            steps.append(self.pick.choice(["a", "b", "email", "é", r"x\.y", "list", "A", "0", "1", r"\*", "#", "*", "e*"]))
            if self.pick.random() < 0.1:
                steps.append("|json")
        if steps[-1] == "|json":
            steps.pop()
        if last_is_a_name and steps[-1] in ("#", "*", "e*"):
            steps[-1] = "a"
        return steps

    def rules(self):
        masks = []
        for _ in range(self.pick.randrange(0, 5)):
            rule = {"action": self.pick.choice(["redact", "drop", "hash", "fixed", "keep"]), "steps": self.path()}
            if rule["action"] == "fixed":
                rule["fixed"] = self.pick.choice(['"x"', "7", "null", '{"k":[1]}', '"\\n"'])
            masks.append(rule)
        if len(masks) == 1 and "fixed" not in masks[0] and self.pick.random() < 0.5:
            masks[0]["required"] = True
        renames = [(p, "n%d" % i) for i, p in enumerate(self.path(True) for _ in range(self.pick.randrange(0, 2))) if "|json" not in p]
        removes = [self.path() for _ in range(self.pick.randrange(0, 2))]
        if not masks and not renames and not removes:
            return self.rules()
        return {"mask": masks, "rename": renames, "remove": removes}


def spelled(steps):
    path = "value"
    for step in steps:
        path += step if step == "|json" else "." + step
    return path


def yaml_of(rules):
    """Rules as a file has them. JSON is YAML."""
    out = {"mask": [], "rename": [], "remove": [spelled(s) for s in rules["remove"]], "mask-key": "@key"}
    for rule in rules["mask"]:
        text = spelled(rule["steps"]) + "=" + rule["action"] + ("=" + rule["fixed"] if "fixed" in rule else "")
        out["mask"].append(text if not rule.get("required") else
                           {"path": spelled(rule["steps"]), "action": rule["action"], "required": True})
    out["rename"] = [spelled(s) + "=" + to for s, to in rules["rename"]]
    return json.dumps({k: v for k, v in out.items() if v})


def run(karchive, *args):
    done = subprocess.run([karchive, *args], capture_output=True)
    if done.returncode not in (0, 3):
        sys.exit(f"{args}: {done.returncode}\n{done.stderr.decode()}")
    return done.stdout.decode()


def main():
    karchive, place = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    make = Maker(seed)
    place.mkdir(parents=True, exist_ok=True)
    (place / "key").write_bytes(KEY)
    (place / "key").chmod(0o600)
    documents = [make.document() for _ in range(DOCUMENTS)]
    with open(place / "in.jsonl", "w", encoding="utf-8") as out:
        for i, text in enumerate(documents):
            out.write(json.dumps({"topic": "t", "partition": 0, "offset": i, "timestamp_ms": i, "timestamp_type": "create", "leader_epoch": 0,
                                  "key": None, "value": text, "headers": []}) + "\n")
    run(karchive, "import", "jsonl", str(place / "in.jsonl"), "-o", str(place / "archive"))
    compared = withheld = changed = 0
    for n in range(SETS):
        rules = make.rules()
        (place / "rules.yaml").write_text(yaml_of(rules), encoding="utf-8")
        got = {}
        for line in run(karchive, "cat", str(place / "archive"), "--rules", str(place / "rules.yaml")).splitlines():
            record = json.loads(line)
            got[record["offset"]] = record["value"]
        for i, text in enumerate(documents):
            compared += 1
            try:
                want = expected(text, rules)
            except Withheld:
                withheld += 1
                if i in got:
                    sys.exit(f"seed {seed}, rules {yaml_of(rules)}\n{text!r}\nhad to be withheld, and gave {got[i]!r}")
                continue
            if i not in got:
                sys.exit(f"seed {seed}, rules {yaml_of(rules)}\n{text!r}\nis withheld, and should have been {want!r}")
            if text is None or want is GONE:
                if got[i] is not None:
                    sys.exit(f"seed {seed}, rules {yaml_of(rules)}\n{text!r}\ngave {got[i]!r}, and should have been null")
                continue
            same = norm(want) == norm(parse(text))
            changed += not same
            if same and not may_respell(rules, text) and got[i] != text or norm(parse(got[i])) != norm(want):
                sys.exit(f"seed {seed}, rules {yaml_of(rules)}\n{text!r}\ngave {got[i]!r}, and should have been {norm(want)}")
    print(f"{compared} records compared: {changed} changed, {withheld} withheld")
    if changed < compared // 20 or withheld < compared // 100:
        sys.exit("the rules did too little to tell anything")


def norm(value):
    """A value by which two are compared: spaces do not count, in strings that hold documents neither."""
    if isinstance(value, Object):
        return ("object", tuple((n, norm(v)) for n, v in value))
    if isinstance(value, list):
        return ("list", tuple(norm(v) for v in value))
    if isinstance(value, str) and not isinstance(value, Number) and value[:1].strip() and value[:1] in "{[":
        try:
            return ("string", norm(parse(value)))
        except ValueError:
            pass
    return (type(value).__name__, value)


def may_respell(rules, text):
    """Whether a rule may put in what is the same as before in another spelling."""
    return bool(rules["mask"])


if __name__ == "__main__":
    main()
