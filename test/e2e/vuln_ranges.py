#!/usr/bin/env python3
"""`yagura vuln vers -` beside the rules of the specification written as a set of intervals, and
`yagura vuln purl -` beside RFC 3986's encoding by Python's library.  With the real data beside
the project also every package URL in the CVE records and bills of materials.  Argument: the
yagura binary."""
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import urllib.parse

from harness import done, note, ok, shared, skip

YAGURA = os.path.abspath(sys.argv[1])
rnd = random.Random(13)


def ask(verb, lines):
    p = subprocess.run([YAGURA, "vuln", verb, "-"], input="".join(x + "\n" for x in lines).encode(), capture_output=True, timeout=300)
    return [json.loads(x) for x in p.stdout.splitlines()]


# ---- ranges over the versions 0.0.N, so that their order is that of N ----
UPPER, LOWER = ("<", "<="), (">", ">=")


def valid(cs):
    if any(a >= b for (_, a), (_, b) in zip(cs, cs[1:])):
        return False
    rest = [c for c, _ in cs if c != "!="]
    if any(a == "" and b in UPPER for a, b in zip(rest, rest[1:])):
        return False
    ranged = [c for c in rest if c]
    return all((a in UPPER) != (b in UPPER) for a, b in zip(ranged, ranged[1:]))


def members(cs):
    """every n from 0 to 20 that is in the range"""
    inside = set(range(21)) if cs and all(c == "!=" for c, _ in cs) else set()
    bounds = [(c, n) for c, n in cs if c in UPPER + LOWER]
    if bounds and bounds[0][0] in UPPER:
        bounds.insert(0, (">", -1))
    for i in range(0, len(bounds), 2):
        low, a = bounds[i]
        high, b = bounds[i + 1] if i + 1 < len(bounds) else ("<", 99)
        inside |= {n for n in range(21) if (n > a or low == ">=" and n == a) and (n < b or high == "<=" and n == b)}
    inside |= {n for c, n in cs if c in ("", ">=", "<=")}
    return inside - {n for c, n in cs if c == "!="}


def ranges():
    asked, want = [], []
    kinds = {True: 0, False: 0}
    while len(asked) < 12000:
        at = sorted(rnd.sample(range(1, 20), rnd.randint(1, 5)))
        if rnd.random() < 0.1:
            rnd.shuffle(at)
        cs = [(rnd.choice(["", "", "!=", "<", "<=", ">", ">="]), n) for n in at]
        good = valid(cs)
        if not good and kinds[False] > kinds[True]:
            continue
        kinds[good] += 1
        text = "vers:semver/" + "|".join(f"{c}0.0.{n}" for c, n in cs)
        for n in rnd.sample(range(21), 3) + [at[0]]:
            asked.append(f"{text} 0.0.{n}")
            want.append(n in members(cs) if good else None)
    got = ask("vers", asked)
    wrong = [(a, g, w) for a, g, w in zip(asked, got, want) if g.get("contained") != w or (w is None) != ("error" in g)]
    for x in wrong[:5]:
        note(x)
    ok(len(got) == len(asked) and not wrong, f"{len(asked)} versions in random ranges, {want.count(None)} of the ranges not valid", len(wrong))


# ---- package URLs ----
quote = lambda s, safe: urllib.parse.quote(s, safe="-._~:" + safe)


def purls():
    pieces = ["a", "B", "curl", "@scope", "x y", "1.0", "櫓", "%", "&", "=", "?", "#", "+", "~", "-", "_", ".x", ":", "@"]
    word = lambda: "".join(rnd.choice(pieces) for _ in range(rnd.randint(1, 3)))
    asked, want = [], []
    for _ in range(4000):
        name, version = word(), rnd.choice([None, word()])
        space = [word() for _ in range(rnd.choice([0, 0, 1, 2]))]
        quals = {rnd.choice(["arch", "os", "k.1", "z-z"]): word() for _ in range(rnd.choice([0, 0, 1, 2, 3]))}
        sub = [x for x in (word() for _ in range(rnd.choice([0, 0, 1, 2]))) if x not in (".", "..")]
        loose = lambda s: "".join(c if c.isalnum() and c.isascii() or rnd.random() < 0.3 and c in "-._~:+" else "".join(f"%{b:02x}" for b in c.encode()) for c in s)
        text = "PKG:/" + "/".join(["Generic", *map(loose, space), loose(name)])
        canonical = "pkg:" + "/".join(["generic", *(quote(x, "") for x in space), quote(name, "")])
        if version:
            text += "@" + loose(version)
            canonical += "@" + quote(version, "")
        if quals:
            text += "?" + "&".join(f"{k.upper()}={loose(v)}" for k, v in quals.items())
            canonical += "?" + "&".join(f"{k}={quote(v, '/')}" for k, v in sorted(quals.items()))
        if sub:
            text += "#" + "//".join(map(loose, sub)) + "/"
            canonical += "#" + "/".join(quote(x, "") for x in sub)
        asked.append(text)
        want.append((canonical, "generic", "/".join(space) or None, name, version, quals or None, "/".join(sub) or None))
    members = ("canonical", "type", "namespace", "name", "version", "qualifiers", "subpath")
    got = ask("purl", asked)
    wrong = [(a, g, w) for a, g, w in zip(asked, got, want) if tuple(g.get(k) for k in members) != w]
    for x in wrong[:5]:
        note(x)
    ok(len(got) == len(asked) and not wrong, f"{len(asked)} package URLs", len(wrong))
    again = ask("purl", [w[0] for w in want])
    ok([g.get("canonical") for g in again] == [w[0] for w in want], "canonical forms are their own")


def published():
    found, files = set(), ["vuln/cve-records.tar.gz", "sbom/cyclonedx-examples.tar.gz", "sbom/spdx-examples.tar.gz"]
    paths = [f"{shared()}/data/{x}" for x in files]
    if not all(map(os.path.isfile, paths)):
        return skip("published package URLs", "no records or bills of materials beside the project")
    for path in paths:
        with tarfile.open(path) as t:
            for f in t:
                if f.isfile() and not f.name.endswith((".gz", ".zip")):
                    found |= set(re.findall(r'["\s>](pkg:[^"\s<>]+)["\s<]', t.extractfile(f).read().decode(errors="replace")))
    asked = sorted(x.replace("&amp;", "&").replace("\\u0026", "&").replace("\\/", "/") for x in found)
    got = ask("purl", asked)
    bad = [(g["purl"], g["error"]) for g in got if "error" in g]
    note(f"{len(asked)} package URLs, {len(bad)} not valid: {bad[:12]}")
    ok(len(got) == len(asked) > 100 and len(bad) < len(asked) / 20, "every published package URL has an answer")


ranges()
purls()
published()
done()
