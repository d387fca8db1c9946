#!/usr/bin/env python3
"""`yagura vuln cpe compare -` beside table 6-2 and 6-4 of NISTIR 7696 written out by hand and
wild cards as regular expressions: all pairs of values of an attribute, random names, both
bindings.  With the real data beside the project also every name of the CVE records.
Argument: the yagura binary."""
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tarfile

from harness import done, note, ok, shared, skip

YAGURA = os.path.abspath(sys.argv[1])
rnd = random.Random(7)
ATTRIBUTES = 11
ANY, NA = "*", "-"


def ask(pairs):
    lines = "".join(f"{a} {b}\n" for a, b in pairs).encode()
    p = subprocess.run([YAGURA, "vuln", "cpe", "compare", "-"], input=lines, capture_output=True, timeout=300)
    return [json.loads(x) for x in p.stdout.splitlines()]


# ---- the model: a value is a list of (character, is it a wild card), ANY or NA ----
def value(text):
    if text in (ANY, NA):
        return text
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\":
            i += 1
            out.append((text[i].lower(), False))
        else:
            out.append((text[i].lower(), text[i] in "*?"))
        i += 1
    return tuple(out)


def kind(v):
    return "any" if v == ANY else "na" if v == NA else "wild" if any(w for _, w in v) else "i"


def expression(v):
    return "".join({"*": ".*", "?": ".?"}[c] if w else re.escape(c) for c, w in v)


# rows: the source; "match" is decided by the text
TABLE = {("any", "any"): "=", ("any", "na"): ">", ("any", "i"): ">", ("any", "wild"): "u",
         ("na", "any"): "<", ("na", "na"): "=", ("na", "i"): "d", ("na", "wild"): "u",
         ("i", "any"): "<", ("i", "na"): "d", ("i", "i"): "match", ("i", "wild"): "u",
         ("wild", "any"): "<", ("wild", "na"): "d", ("wild", "i"): "match", ("wild", "wild"): "u"}
NAMES = {"=": "equal", ">": "superset", "<": "subset", "d": "disjoint", "u": "undefined"}


def relation(s, t):
    r = TABLE[kind(s), kind(t)]
    if r != "match":
        return r
    if kind(s) == "i":
        return "=" if s == t else "d"
    return ">" if re.fullmatch(expression(s), "".join(c for c, _ in t), re.S) else "d"


def whole(a, b):
    found = {relation(value(x), value(y)) for x, y in zip(a, b)}
    if "d" in found:
        return "disjoint"
    for best in ("=", "<", ">"):
        if found <= {"=", best}:
            return NAMES[best]
    return "undefined"


def formatted(parts):
    return "cpe:2.3:" + ":".join(parts)


def uri_value(v):
    v = value(v)
    if v == ANY:
        return ""
    if v == NA:
        return "-"
    return "".join({"*": "%02", "?": "%01"}[c] if w else c if c.isalnum() or c in "-._" else "%" + format(ord(c), "02x") for c, w in v)


def uri(parts):
    """part to language in their places, the others packed with the edition"""
    p = [uri_value(x) for x in parts]
    packed = "~" + "~".join([p[5], p[7], p[8], p[9], p[10]])
    return "cpe:/" + ":".join(p[:5] + [packed, p[6]])


def compare(name, names):
    pairs = [(formatted(a), formatted(b)) for a, b in names] + [(uri(a), formatted(b)) for a, b in names]
    got = ask(pairs)
    want = [whole(a, b) for a, b in names] * 2
    wrong = [(p, g, w) for p, g, w in zip(pairs, got, want) if (g.get("source"), g.get("target"), g.get("relation")) != (*p, w)]
    for x in wrong[:5]:
        note(x)
    ok(len(got) == len(pairs) > 0 and not wrong, f"{name}: {len(pairs)} pairs", len(wrong))


VALUES = [ANY, NA, "1", "1.0", "1.0.1", "10", "A", "a", "x1.0", "1.0x", "1.0xy", "1*", "*1", "*1*", "1?", "?1", "??1.0", "1.0??", "?1.0?", "*.0*",
          "*.0?", "?.0*", "1\\*", "\\?1", "1\\?", "\\*1?", "12.0\\(24\\)s", "12.0\\(*", "*\\)s", "a\\:b", "a\\~b", "a\\\\b", "*\\\\b", "\\!\\$?", "\\!\\$", "0-1_2"]
base = ["a", "vendor", "product", "1.0", "-", "*", "*", "*", "*", "*", "*"]


def at(places, v):
    return [v if i in places else x for i, x in enumerate(base)]


def attribute_pairs():
    for i in (1, 2, 3, 4, 5, 7, 8, 9, 10):
        for a, b in itertools.product(VALUES, VALUES):
            yield at({i}, a), at({i}, b)
    for a, b in itertools.product(["a", "o", "h", ANY, NA], repeat=2):
        yield at({0}, a), at({0}, b)
    for a, b in itertools.product(["en", "ja", "ja-JP", "es-419", "eng", ANY, NA], repeat=2):
        yield at({6}, a), at({6}, b)


def random_names(n):
    few = [ANY, ANY, NA, "1.0", "1.0", "1.?", "*0", "2"]
    for _ in range(n):
        a = ["a" if rnd.random() < 0.8 else ANY, *(rnd.choice(few) for _ in range(5)), "*", *(rnd.choice(few) for _ in range(4))]
        b = [rnd.choice([x, x, x, x, x, x, x, x, ANY, rnd.choice(few)]) if i not in (0, 6) else x for i, x in enumerate(a)]
        yield (a, b) if rnd.random() < 0.5 else (b, a)


def published():
    path = f"{shared()}/data/vuln/cve-records.tar.gz"
    if not os.path.isfile(path):
        return skip("the names of CVE records", "no CVE records beside the project")
    names = set()
    with tarfile.open(path) as t:
        for f in t:
            if f.isfile():
                names |= set(re.findall(r'"(cpe:[^"\s]*)"', t.extractfile(f).read().decode()))
    names = sorted(x.replace("\\\\", "\\") for x in names)
    got = ask([(x, x) for x in names])
    bad = [(g["source"], g["error"]) for g in got if "error" in g]
    note(f"{len(names)} names, {len(bad)} not valid: {bad[:8]}")
    split = lambda x: re.split(r"(?<!\\):", x[8:])
    good = [g for g in got if "error" not in g]
    wrong = [g for g in good if g["relation"] != (whole(split(g["source"]), split(g["source"])) if g["source"].startswith("cpe:2.3") else "equal")]
    ok(len(got) == len(names) and len(bad) < len(names) / 100 and not wrong, "every published name beside itself", wrong[:3])


compare("values of every attribute", list(attribute_pairs()))
compare("random names", list(random_names(8000)))
published()
done()
