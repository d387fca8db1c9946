#!/usr/bin/env python3
"""`yagura vuln cvss -` beside the equations of the specifications in fractions: every base
vector of every version, many of all metrics, and how near the scores come to a border.  With
the real data beside the project also every vector that the CVE records publish.  Argument:
the yagura binary."""
import functools
import itertools
import json
import math
import os
import random
import re
import subprocess
import sys
import tarfile
from fractions import Fraction as F

from harness import done, note, ok, shared, skip

YAGURA = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
rnd = random.Random(6)


def ask(vectors):
    p = subprocess.run([YAGURA, "vuln", "cvss", "-"], input="\n".join(vectors).encode() + b"\n", capture_output=True, timeout=300)
    return [json.loads(x) for x in p.stdout.splitlines()]


def D(text):
    return [F(x) for x in text.split()]


def table(names, numbers):
    return dict(zip(names.split(), D(numbers)))


# ---- 2.0: the guide's equations ----
M2 = {"AV": "L A N", "AC": "H M L", "Au": "M S N", "C": "N P C", "I": "N P C", "A": "N P C", "E": "U POC F H ND", "RL": "OF TF W U ND",
      "RC": "UC UR C ND", "CDP": "N L LM MH H ND", "TD": "N L M H ND", "CR": "L M H ND", "IR": "L M H ND", "AR": "L M H ND"}
N2 = {k: dict(zip(M2[k].split(), D(v))) for k, v in {
    "AV": "0.395 0.646 1", "AC": "0.35 0.61 0.71", "Au": "0.45 0.56 0.704", "C": "0 0.275 0.660", "I": "0 0.275 0.660", "A": "0 0.275 0.660",
    "E": "0.85 0.9 0.95 1 1", "RL": "0.87 0.9 0.95 1 1", "RC": "0.9 0.95 1 1", "CDP": "0 0.1 0.3 0.4 0.5 0", "TD": "0 0.25 0.75 1 1",
    "CR": "0.5 1 1.51 1", "IR": "0.5 1 1.51 1", "AR": "0.5 1 1.51 1"}.items()}


def half_up(x):
    tenths = math.floor(abs(x) * 10 + F(1, 2))
    return F(tenths if x >= 0 else -tenths, 10)


def base2(m, adjusted):
    n = lambda k: N2[k][m.get(k, "ND")]
    r = (lambda k: n(k)) if adjusted else (lambda k: 1)
    impact = F("10.41") * (1 - (1 - n("C") * r("CR")) * (1 - n("I") * r("IR")) * (1 - n("A") * r("AR")))
    if adjusted:
        impact = min(F(10), impact)
    exploitability = 20 * n("AV") * n("AC") * n("Au")
    return half_up((F("0.6") * impact + F("0.4") * exploitability - F("1.5")) * (F(0) if impact == 0 else F("1.176")))


def score2(m):
    n = lambda k: N2[k][m.get(k, "ND")]
    temporal = lambda b: half_up(b * n("E") * n("RL") * n("RC"))
    base, t = base2(m, False), temporal(base2(m, True))
    env = half_up((t + (10 - t) * n("CDP")) * n("TD"))
    has = lambda keys: any(m.get(k, "ND") != "ND" for k in keys.split())
    ht, he = has("E RL RC"), has("CDP TD CR IR AR")
    env, tmp = max(F(0), env), temporal(base)
    return base, tmp if ht else None, env if he else None, env if he else tmp if ht else base


# ---- 3.0 and 3.1 ----
M3 = {"AV": "N A L P", "AC": "L H", "PR": "N L H", "UI": "N R", "S": "U C", "C": "H L N", "I": "H L N", "A": "H L N", "E": "X H F P U",
      "RL": "X U W T O", "RC": "X C R U", "CR": "X H M L", "IR": "X H M L", "AR": "X H M L", "MAV": "X N A L P", "MAC": "X L H",
      "MPR": "X N L H", "MUI": "X N R", "MS": "X U C", "MC": "X H L N", "MI": "X H L N", "MA": "X H L N"}
N3 = {"AV": table("N A L P", "0.85 0.62 0.55 0.2"), "AC": table("L H", "0.77 0.44"), "UI": table("N R", "0.85 0.62"),
      "C": table("H L N", "0.56 0.22 0"), "E": table("X H F P U", "1 1 0.97 0.94 0.91"), "RL": table("X U W T O", "1 1 0.97 0.96 0.95"),
      "RC": table("X C R U", "1 1 0.96 0.92"), "R": table("X H M L", "1 1.5 1 0.5"),
      "U": table("N L H", "0.85 0.62 0.27"), "CH": table("N L H", "0.85 0.68 0.5")}


def unrounded_ceil(x):
    return F(math.ceil(x * 10), 10)


def roundup31(x):
    i = math.floor(x * 100000 + F(1, 2))
    return F(i, 100000) if i % 10000 == 0 else F(i // 10000 + 1, 10)


@functools.lru_cache(None)
def raw3(v31, modified, av, ac, pr, ui, s, cia):
    """Before rounding; None: the impact is not above zero.  cia: C, I, A each with its requirement."""
    iss = 1 - math.prod(1 - N3["C"][x] * N3["R"][r] for x, r in cia)
    if modified:
        iss = min(iss, F("0.915"))
    if s == "U":
        impact = F("6.42") * iss
    elif modified and v31:
        impact = F("7.52") * (iss - F("0.029")) - F("3.25") * (iss * F("0.9731") - F("0.02")) ** 13
    else:
        impact = F("7.52") * (iss - F("0.029")) - F("3.25") * (iss - F("0.02")) ** 15
    if impact <= 0:
        return None
    total = impact + F("8.22") * N3["AV"][av] * N3["AC"][ac] * N3["CH" if s == "C" else "U"][pr] * N3["UI"][ui]
    return min(F(10), total if s == "U" else F("1.08") * total)


def score3(v31, m):
    up = roundup31 if v31 else unrounded_ceil
    g = lambda k: m.get(k, "X")
    mod = lambda k: m[k] if g("M" + k) == "X" else m["M" + k]
    part = lambda x: F(0) if x is None else up(x)
    t = lambda x: up(x * N3["E"][g("E")] * N3["RL"][g("RL")] * N3["RC"][g("RC")])
    cia = lambda f, r: tuple(sorted((f(k), g(k + "R") if r else "X") for k in "CIA"))
    base = part(raw3(v31, False, m["AV"], m["AC"], m["PR"], m["UI"], m["S"], cia(lambda k: m[k], False)))
    env = t(part(raw3(v31, True, mod("AV"), mod("AC"), mod("PR"), mod("UI"), mod("S"), cia(mod, True))))
    he = any(g(k) != "X" for k in list(M3)[11:])
    ht = any(g(k) != "X" for k in ("E", "RL", "RC"))
    return base, t(base), env, env if he else t(base) if ht else base


def nearest_border():
    """The power is cut to eighteen digits: no score may be so near to where it would be another."""
    near = {True: F(1), False: F(1)}
    reqs = [(x, r) for x in "HLN" for r in "HML"]
    for v31, modified in itertools.product((True, False), (True, False)):
        for cia in itertools.combinations_with_replacement(reqs if modified else [(x, "X") for x in "HLN"], 3):
            for av, ac, pr, ui in itertools.product("NALP", "LH", "NLH", "NR"):
                x = raw3(v31, modified, av, ac, pr, ui, "C", tuple(sorted(cia)))
                if x is None or x == 10:
                    continue
                # 3.1 changes where the fifth decimal is rounded at a tenth's border, 3.0 at the tenth itself
                at = x * 10 - F(5, 100000) if v31 else x * 10
                near[v31] = min(near[v31], abs(at - round(at)))
    return near


# ---- 4.0: the algorithm of 8.2 with its lists of highest vectors ----
M4 = {"AV": "N A L P", "AC": "L H", "AT": "N P", "PR": "N L H", "UI": "N P A", "VC": "H L N", "VI": "H L N", "VA": "H L N", "SC": "H L N",
      "SI": "H L N", "SA": "H L N", "E": "X A P U", "CR": "X H M L", "IR": "X H M L", "AR": "X H M L", "MAV": "X N A L P", "MAC": "X L H",
      "MAT": "X N P", "MPR": "X N L H", "MUI": "X N P A", "MVC": "X H L N", "MVI": "X H L N", "MVA": "X H L N", "MSC": "X H L N",
      "MSI": "X S H L N", "MSA": "X S H L N", "S": "X N P", "AU": "X N Y", "R": "X A U I", "V": "X D C", "RE": "X L M H",
      "U": "X Clear Green Amber Red"}
LEVEL = {k: v.split() for k, v in {"AV": "N A L P", "PR": "N L H", "UI": "N P A", "AC": "L H", "AT": "N P", "VC": "H L N", "VI": "H L N",
                                   "VA": "H L N", "SC": "S H L N", "SI": "S H L N", "SA": "S H L N", "CR": "H M L", "IR": "H M L", "AR": "H M L"}.items()}
HIGHEST = {
    "1": {0: ["AV:N PR:N UI:N"], 1: ["AV:A PR:N UI:N", "AV:N PR:L UI:N", "AV:N PR:N UI:P"], 2: ["AV:P PR:N UI:N", "AV:A PR:L UI:P"]},
    "2": {0: ["AC:L AT:N"], 1: ["AC:H AT:N", "AC:L AT:P"]},
    "36": {(0, 0): ["VC:H VI:H VA:H CR:H IR:H AR:H"], (0, 1): ["VC:H VI:H VA:L CR:M IR:M AR:H", "VC:H VI:H VA:H CR:M IR:M AR:M"],
           (1, 0): ["VC:L VI:H VA:H CR:H IR:H AR:H", "VC:H VI:L VA:H CR:H IR:H AR:H"],
           (1, 1): ["VC:L VI:H VA:L CR:H IR:M AR:H", "VC:L VI:H VA:H CR:H IR:M AR:M", "VC:H VI:L VA:H CR:M IR:H AR:M",
                    "VC:H VI:L VA:L CR:M IR:H AR:H", "VC:L VI:L VA:H CR:H IR:H AR:M"],
           (2, 1): ["VC:L VI:L VA:L CR:H IR:H AR:H"]},
    "4": {0: ["SC:H SI:S SA:S"], 1: ["SC:H SI:H SA:H"], 2: ["SC:L SI:L SA:L"]}}
DEPTH = {"1": {0: 1, 1: 4, 2: 5}, "2": {0: 1, 1: 2}, "36": {(0, 0): 7, (0, 1): 6, (1, 0): 8, (1, 1): 8, (2, 1): 10}, "4": {0: 6, 1: 5, 2: 4}}


def macro_scores():
    """The published numbers have one copy, the program's."""
    text = open(f"{ROOT}/src/risk/cvss4.c").read()
    text = text[text.index("macro_score["):]
    text = text[:text.index("};")]
    cells = re.findall(r"\b(\d+|NONE)\b", text[text.index("="):])
    keys = itertools.product(range(3), range(2), range(3), range(3), range(3), range(2))
    return {k: F(int(c), 10) for k, c in zip(keys, cells) if c != "NONE"}


MACRO = macro_scores()


@functools.lru_cache(None)
def distance(eq, which, values):
    m = dict(values)
    for highest in HIGHEST[eq][which]:
        top = dict(x.split(":") for x in highest.split())
        d = [LEVEL[k].index(m[k]) - LEVEL[k].index(top[k]) for k in top]
        if min(d) >= 0:
            return sum(d)
    raise ValueError(values)


def score4(m, groups):
    def g(k):
        if k == "E":
            v = m.get("E", "X") if "t" in groups else "X"
            return "A" if v == "X" else v
        if k in ("CR", "IR", "AR"):
            v = m.get(k, "X") if "e" in groups else "X"
            return "H" if v == "X" else v
        v = m.get("M" + k, "X") if "e" in groups else "X"
        return m[k] if v == "X" else v
    is_ = lambda k, v: g(k) == v
    if all(is_(k, "N") for k in ("VC", "VI", "VA", "SC", "SI", "SA")):
        return F(0)
    three = [is_("AV", "N"), is_("PR", "N"), is_("UI", "N")]
    eq1 = 0 if all(three) else 1 if any(three) and not is_("AV", "P") else 2
    eq2 = 0 if is_("AC", "L") and is_("AT", "N") else 1
    eq3 = 0 if is_("VC", "H") and is_("VI", "H") else 1 if any(is_(k, "H") for k in ("VC", "VI", "VA")) else 2
    eq4 = 0 if is_("SI", "S") or is_("SA", "S") else 1 if any(is_(k, "H") for k in ("SC", "SI", "SA")) else 2
    eq5 = "APU".index(g("E"))
    eq6 = 0 if any(is_(r, "H") and is_(v, "H") for r, v in (("CR", "VC"), ("IR", "VI"), ("AR", "VA"))) else 1
    key = (eq1, eq2, eq3, eq4, eq5, eq6)
    value = MACRO[key]

    def lower(*steps):
        there = [MACRO[k] for k in (tuple(a + b for a, b in zip(key, s)) for s in steps) if k in MACRO]
        return max(there) if there else None
    if (eq3, eq6) == (0, 0):
        low36 = lower((0, 0, 0, 0, 0, 1), (0, 0, 1, 0, 0, 0))
    elif (eq3, eq6) == (1, 0):
        low36 = lower((0, 0, 0, 0, 0, 1))
    else:
        low36 = lower((0, 0, 1, 0, 0, 0))
    values = lambda *ks: tuple((k, g(k)) for k in ks)
    parts = [(lower((1, 0, 0, 0, 0, 0)), "1", eq1, values("AV", "PR", "UI")), (lower((0, 1, 0, 0, 0, 0)), "2", eq2, values("AC", "AT")),
             (low36, "36", (eq3, eq6), values("VC", "VI", "VA", "CR", "IR", "AR")),
             (lower((0, 0, 0, 1, 0, 0)), "4", eq4, values("SC", "SI", "SA"))]
    found = [(value - low) * F(distance(eq, which, vs), DEPTH[eq][which]) for low, eq, which, vs in parts if low is not None]
    if lower((0, 0, 0, 0, 1, 0)) is not None:
        found.append(F(0))
    if found:
        value -= sum(found) / len(found)
    return half_up(value)


# ---- the comparison ----
def text_of(prefix, metrics, m, order=None):
    return prefix + "/".join(f"{k}:{m[k]}" for k in (order or metrics) if k in m)


def every(metrics, count, prefix):
    names = list(metrics)[:count]
    for values in itertools.product(*(metrics[k].split() for k in names)):
        m = dict(zip(names, values))
        yield text_of(prefix, metrics, m), m


def some(metrics, count, prefix, n, ordered):
    names = list(metrics)
    for _ in range(n):
        m = {k: rnd.choice(metrics[k].split()) for i, k in enumerate(names) if i < count or rnd.random() < 0.6}
        order = list(m)
        if not ordered:
            rnd.shuffle(order)
        yield text_of(prefix, metrics, m, order), m


def severity(version, tenths):
    if version == "2.0":
        return "HIGH" if tenths >= 7 else "MEDIUM" if tenths >= 4 else "LOW"
    return "CRITICAL" if tenths >= 9 else "HIGH" if tenths >= 7 else "MEDIUM" if tenths >= 4 else "LOW" if tenths > 0 else "NONE"


def compare(name, version, pairs, want):
    pairs = list(pairs)
    got = ask([t for t, _ in pairs])
    wrong = 0
    for (text, m), g in zip(pairs, got):
        w = [None if x is None else float(x) for x in want(m)]
        have = [g.get("base"), g.get("threat" if version == "4.0" else "temporal"), g.get("environmental"), g.get("overall")]
        if g.get("vector") != text or g.get("version") != version or have != w or g.get("severity") != severity(version, w[3]):
            wrong += 1
            if wrong <= 5:
                note(f"{text}: {g}, by the equations {w}")
    ok(len(got) == len(pairs) > 0 and wrong == 0, f"{name}: {len(pairs)} vectors", wrong)


def all4(m):
    return score4(m, ""), score4(m, "t"), score4(m, "e"), score4(m, "te")


def published():
    path = f"{shared()}/data/vuln/cve-records.tar.gz"
    if not os.path.isfile(path):
        return skip("the published vectors", "no CVE records beside the project")
    seen, keys = [], ("cvssV2_0", "cvssV3_0", "cvssV3_1", "cvssV4_0")
    with tarfile.open(path) as t:
        for f in t:
            if not f.isfile():
                continue
            record = json.load(t.extractfile(f))
            c = record["containers"]
            for who in [c["cna"], *c.get("adp", [])]:
                for metric in who.get("metrics", []):
                    seen += [(record["cveMetadata"]["cveId"], metric[k]) for k in keys if k in metric]
    got = ask([m["vectorString"] for _, m in seen])
    invalid = [(i, m["vectorString"], g["error"]) for (i, m), g in zip(seen, got) if "error" in g]
    base = lambda g: g["base"]
    differ = [(i, m["vectorString"], m["baseScore"], base(g)) for (i, m), g in zip(seen, got) if "error" not in g and base(g) != m["baseScore"]]
    note(f"{len(seen)} vectors published in records: {len(invalid)} are not valid, {len(differ)} have another base score")
    for x in invalid[:5] + differ[:5]:
        note(x)
    ok(len(got) == len(seen) and len(differ) < len(seen) / 10, "every published vector has an answer")


compare("every base vector of 2.0", "2.0", every(M2, 6, ""), score2)
compare("metrics of 2.0 in any order", "2.0", some(M2, 6, "", 8000, False), score2)
for v, v31 in (("3.0", False), ("3.1", True)):
    compare(f"every base vector of {v}", v, every(M3, 8, f"CVSS:{v}/"), functools.partial(score3, v31))
    compare(f"metrics of {v} in any order", v, some(M3, 8, f"CVSS:{v}/", 8000, False), functools.partial(score3, v31))
near = nearest_border()
note(f"nearest to a border, in tenths: 3.1 {float(near[True]):.2e}, 3.0 {float(near[False]):.2e}")
ok(min(near.values()) > F(1, 10 ** 12), "no score of a changed scope is near enough to a border for the cut power to matter")
ok(len(MACRO) == 270, "270 macrovectors", len(MACRO))
compare("every base vector of 4.0", "4.0", every(M4, 11, "CVSS:4.0/"), lambda m: [score4(m, "")] * 4)
compare("metrics of 4.0", "4.0", some(M4, 11, "CVSS:4.0/", 8000, True), all4)
published()
done()
