#!/usr/bin/env python3
"""`yagura vuln version compare -` beside the programs whose orders these are, on made versions:
dpkg, librpm, Python's packaging, RubyGems, npm's semver, Maven's ComparableVersion.  Those
that are not installed are skipped.  Alpine's, Go's and the generic order beside models here,
written from their descriptions.  Argument: the yagura binary."""
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from harness import done, note, ok, skip

YAGURA = os.path.abspath(sys.argv[1])
rnd = random.Random(11)
SIGNS = {"less": -1, "equal": 0, "greater": 1}


def ask(scheme, pairs):
    """-1, 0, 1; None: one of them is not valid"""
    lines = "".join(f"{a}\t{b}\n" for a, b in pairs).encode()
    p = subprocess.run([YAGURA, "vuln", "version", "compare", scheme, "-"], input=lines, capture_output=True, timeout=300)
    got = [json.loads(x) for x in p.stdout.splitlines()]
    if len(got) != len(pairs) or any((g.get("a"), g.get("b")) != p for g, p in zip(got, pairs)):
        ok(False, f"{scheme}: one answer per line", p.stderr)
    return [SIGNS.get(g.get("order")) for g in got]


def helper(argv, pairs, cwd=None):
    """A program that answers lines "a<TAB>b" by -1, 0, 1 or x; None: it cannot run here."""
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    try:
        p = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=300, cwd=cwd)
    except OSError:
        return None
    out = p.stdout.split()
    if p.returncode != 0 or len(out) != len(pairs):
        note(f"{argv[0]}: status {p.returncode}, {len(out)} answers: {p.stderr[-300:]}")
        return None
    return [None if x == "x" else int(x) for x in out]


# ---- made versions ----
def some(*parts):
    return lambda: rnd.choice(parts)


def number():
    return rnd.choice(["0", "1", "1", "2", "10", "9", "00", "01", "010", str(rnd.randrange(200)), "20240101", "18446744073709551616", "9007199254740993"])


def pieces(pool, least=1, most=6):
    out = ""
    for _ in range(rnd.randint(least, most)):
        p = rnd.choice(pool)
        out += p() if callable(p) else p
    return out


def near(v, pool):
    """one place of it changed, or nothing"""
    kind = rnd.randrange(6)
    if kind == 0:
        return v
    at = rnd.randrange(len(v) + 1)
    p = rnd.choice(pool)
    p = p() if callable(p) else p
    if kind == 1:
        return v[:at] + v[at + 1:] or "0"
    if kind == 2:
        return v + p
    if kind == 3:
        return v[:at] + p + v[at + 1:]
    return v[:at] + p + v[at:]


def pairs_of(make, pool, n):
    out = []
    for _ in range(n):
        a = make()
        b = near(a, pool) if rnd.random() < 0.7 else make()
        out.append((a, b))
    return [(a, b) for a, b in out if a.strip() and b.strip() and len(a) < 200 and len(b) < 200]


def compare(scheme, name, pairs, want, why):
    if want is None:
        return skip(f"{scheme}: beside {name}", why)
    got = ask(scheme, pairs)
    wrong = [(p, g, w) for p, g, w in zip(pairs, got, want) if g != w]
    for x in wrong[:8]:
        note(f"{x[0]}: {x[1]}, {name} has {x[2]}")
    counts = {k: sum(w == k for w in want) for k in (-1, 0, 1, None)}
    ok(not wrong and min(counts[-1], counts[0], counts[1]) > len(pairs) / 200,
       f"{scheme}: beside {name}, {len(pairs)} pairs, {counts[None]} of them not valid", (len(wrong), counts))


# ---- deb ----
def deb():
    pool = [number, ".", ".", "-", "+", "~", "~~", "a", "rc", "Z", "ubuntu", "dfsg", "1:", ":"]
    make = lambda: rnd.choice(["", "", "", "1:", "0:"]) + number() + pieces(pool, 0, 5) + rnd.choice(["", "", "-1", "-0", "-1ubuntu2", "-1~bpo1"])
    pairs = pairs_of(make, pool, 1500)
    if not shutil.which("dpkg"):
        return skip("deb: beside dpkg", "no dpkg")
    script = ('while IFS="$(printf "\\t")" read -r a b; do if dpkg --compare-versions "$a" lt "$b" 2>/dev/null; then echo -1; '
              'elif dpkg --compare-versions "$a" gt "$b" 2>/dev/null; then echo 1; '
              'elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo 0; else echo x; fi; done')
    want = helper(["sh", "-c", script], pairs)
    # what dpkg warns of and compares nevertheless is not valid by the policy
    strict = re.compile(r"(?:[0-9]+:)?[A-Za-z0-9.+~:-]+$")
    want = want and [w if all(strict.match(v) and ok_parts(v) for v in p) else None for p, w in zip(pairs, want)]
    compare("deb", "dpkg", pairs, want, "it does not run")


def ok_parts(v):
    v = v.split(":", 1)[1] if ":" in v else v
    return bool(re.fullmatch(r"[A-Za-z0-9.+~:-]+", v.rsplit("-", 1)[0])) and ("-" not in v or bool(re.fullmatch(r"[A-Za-z0-9.+~]+", v.rsplit("-", 1)[1])))


# ---- rpm ----
RPM = """
import rpm, sys
for line in sys.stdin:
    a, b = line.rstrip("\\n").split("\\t")
    def evr(s):
        i = 0
        while i < len(s) and s[i].isdigit(): i += 1
        e, rest = (s[:i] or "0", s[i + 1:]) if s[i:i + 1] == ":" else ("0", s)
        v, dash, r = rest.rpartition("-")
        return (e, v, r) if dash else (e, rest, None)
    x, y = evr(a), evr(b)
    bad = any(not v or r == "" for _, v, r in (x, y))
    print("x" if bad else rpm.labelCompare(x, y))
"""


def rpm():
    pool = [number, ".", ".", "-", "~", "^", "_", "+", "a", "b", "rc", "el8", "Z", "..", "1:"]
    make = lambda: rnd.choice(["", "", "", "1:", "0:"]) + number() + pieces(pool, 0, 6) + rnd.choice(["", "-1", "-2.el8", "-1.fc40"])
    pairs = [p for p in pairs_of(make, pool, 4000) if all(":" not in v.split(":", 1)[-1] and v.isascii() for v in p) and all(":" not in v or v.split(":")[0].isdigit() or v[0] == ":" for v in p)]
    compare("rpm", "librpm", pairs, helper(["/usr/bin/python3", "-c", RPM], pairs), "no python3-rpm")


# ---- pypi ----
PYPI = """
import sys
from packaging.version import Version, InvalidVersion
for line in sys.stdin:
    a, b = line.rstrip("\\n").split("\\t")
    try:
        a, b = Version(a), Version(b)
        print((a > b) - (a < b))
    except InvalidVersion:
        print("x")
"""


def pypi():
    pool = [number, number, ".", ".", "-", "_", "a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "Post", "rev", "r", "dev", "+", "!", "+ubuntu.1", "v", "ALPHA", "1!"]
    part = lambda *names: rnd.choice(["", "", rnd.choice(["", ".", "-", "_"]) + rnd.choice(names) + rnd.choice(["", "", ".", "-"]) + rnd.choice(["", "0", "1", "2"])])
    make = lambda: (rnd.choice(["", "", "v", "1!"]) + ".".join(number() for _ in range(rnd.randint(1, 4))) + part("a", "b", "rc", "c", "alpha", "preview", "pre", "BETA")
                    + rnd.choice(["", "-1"]) * (rnd.random() < 0.2) + part("post", "r", "rev") + part("dev") + rnd.choice(["", "", "", "+1", "+a.1", "+1.a", "+A_2-z", "+1.10"]))
    pairs = pairs_of(make, pool, 6000)
    compare("pypi", "packaging", pairs, helper(["/usr/bin/python3", "-c", PYPI], pairs), "no python3-packaging")


# ---- gem ----
GEM = """
require "rubygems"
STDIN.each_line(chomp: true) do |line|
  a, b = line.split("\\t", -1)
  if Gem::Version.correct?(a) && Gem::Version.correct?(b)
    puts((Gem::Version.new(a) <=> Gem::Version.new(b)))
  else
    puts "x"
  end
end
"""


def gem():
    pool = [number, number, ".", ".", ".", "-", "a", "b", "rc", "pre", "Z", "beta2", "--", ".0", ".0.a"]
    make = lambda: ".".join(rnd.choice([number(), number(), number(), "a", "rc1", "pre", "0"]) if i else number() for i in range(rnd.randint(1, 5))) + rnd.choice(["", "", "-1", "-x86", "-rc.1", ".0", ".0.0"])
    pairs = pairs_of(make, pool, 6000)
    compare("gem", "RubyGems", pairs, helper(["ruby", "-e", GEM], pairs), "no ruby")


# ---- semver, npm ----
NPM = """
const semver = require(process.argv[1]);
const lines = require("fs").readFileSync(0, "utf8").split("\\n").slice(0, -1);
for (const line of lines) {
  const [a, b] = line.split("\\t");
  console.log(semver.valid(a) === null || semver.valid(b) === null ? "x" : semver.compare(a, b));
}
"""
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
                    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?")


def semver_key(v):
    m = SEMVER.fullmatch(v)
    if not m:
        return None
    pre = [] if m[4] is None else [(0, int(x), "") if x.isdigit() else (1, 0, x) for x in m[4].split(".")]
    return [int(x) for x in m.groups()[:3]], m[4] is None, pre


def by_key(key, pairs):
    out = []
    for a, b in pairs:
        x, y = key(a), key(b)
        out.append(None if x is None or y is None else (x > y) - (x < y))
    return out


def go_key(v):
    v = v[1:] if v.startswith("v") else v
    if re.fullmatch(r"\d+(\.\d+)?", v):
        v += ".0" * (2 - v.count("."))
    return semver_key(v)


def semver():
    small = ["0", "1", "2", "10", "01", "9", "18446744073709551616"]
    pool = [some(*small), ".", "-", "+", "a", "rc.1", "alpha", "-1", "v", "--", "Z"]
    make = lambda: (rnd.choice(["", "", "", "v"]) + ".".join(rnd.choice(small[:4]) for _ in range(rnd.choice([1, 2, 3, 3, 3, 3, 3, 3, 4])))
                    + rnd.choice(["", "", "-" + ".".join(rnd.choice(["alpha", "beta", "rc", "1", "2", "10", "0a", "x-y", "Z", "-"]) for _ in range(rnd.randint(1, 4)))]) + rnd.choice(["", "", "+1", "+b.01"]))
    pairs = pairs_of(make, pool, 6000)
    compare("semver", "a model", pairs, by_key(semver_key, pairs), "")
    compare("go", "a model", pairs, by_key(go_key, pairs), "")
    found = [d for d in ("/usr/share/nodejs/semver", "/usr/lib/node_modules/npm/node_modules/semver", "/usr/share/nodejs/npm/node_modules/semver") if os.path.isdir(d)]
    if not found or not shutil.which("node"):
        return skip("npm: beside npm's semver", "no node, or no semver in npm")
    # beyond 2^53 it compares numbers of pre-releases as floating point
    few = [p for p in pairs if "18446744073709551616" not in p[0] + p[1]]
    compare("npm", "npm's semver", few, helper(["node", "-e", NPM, found[0]], few), "it does not run")
    ok(ask("npm", [("1.2.9007199254740991", "1.2.9007199254740990"), ("1.2.9007199254740992", "1.2.3"), ("v1.0.0", "1.0.0")]) == [1, None, 0], "npm: numbers up to 2^53 - 1")


# ---- maven ----
MAVEN = """
import java.io.*;
import org.apache.maven.artifact.versioning.ComparableVersion;
public class Cmp {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] w = line.split("\\t", -1);
            System.out.println(Integer.signum(new ComparableVersion(w[0]).compareTo(new ComparableVersion(w[1]))));
        }
    }
}
"""


def maven():
    words = ["alpha", "beta", "milestone", "rc", "cr", "snapshot", "SNAPSHOT", "ga", "final", "sp", "a", "b", "m", "x", "foo", "RELEASE", "Final", "abc", "jre"]
    pool = [number, number, ".", ".", "-", "-", "_", *words, "0", ".0", "-0"]
    make = lambda: number() + pieces(pool, 0, 7)
    pairs = pairs_of(make, pool, 8000)
    jar = "/usr/share/java/maven3-artifact.jar"
    if not os.path.exists(jar) or not shutil.which("java"):
        return skip("maven: beside ComparableVersion", "no java, or no libmaven3-core-java")
    with tempfile.TemporaryDirectory() as d:
        open(f"{d}/Cmp.java", "w").write(MAVEN)
        cp = ":".join([jar, *glob.glob("/usr/share/java/commons-lang3.jar")])
        want = helper(["java", "-cp", cp, f"{d}/Cmp.java"], pairs)
    compare("maven", "ComparableVersion", pairs, want, "no compiler of Java")


# ---- alpine: the description in apk-package(5) and the order of its tokens ----
APK = re.compile(r"(\d+)((?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(~[0-9a-fA-F]+)?(-r\d+)?")
SUFFIXES = ["alpha", "beta", "pre", "rc", None, "cvs", "svn", "git", "hg", "p"]


def apk_tokens(v):
    m = APK.fullmatch(v)
    if not m:
        return None
    out = [(0, m[1])] + [(1, x) for x in m[2].split(".")[1:]] + [(2, m[3])] * bool(m[3])
    for word, digits in re.findall(r"_([a-z]+)(\d*)", m[4]):
        out += [(3, word)] + [(4, digits)] * bool(digits)
    return out + [(5, m[5] and m[5][1:])] * bool(m[5]) + [(6, m[6] and m[6][2:])] * bool(m[6]) + [(7, "")]


def apk_cmp(a, b):
    sign = lambda x, y: (x > y) - (x < y)
    for (ka, x), (kb, y) in zip(a, b):
        if ka != kb:
            for k, t, s in ((ka, x, -1), (kb, y, 1)):
                if k == 3 and SUFFIXES.index(t) < 4:
                    return s
            return sign(kb, ka)
        if ka == 3:
            r = sign(SUFFIXES.index(x), SUFFIXES.index(y))
        elif ka in (0, 4, 6) or (ka == 1 and x[0] != "0" and y[0] != "0"):
            r = sign(int(x), int(y))
        else:
            r = sign(x, y)
        if r:
            return r
    return 0


def alpine():
    pool = [number, ".", "_", "_alpha", "_rc1", "_p", "_git2024", "-r1", "-r0", "a", "b", "~ab12", "~", "_pre", "_foo", "-", "r"]
    make = lambda: (".".join(number() for _ in range(rnd.randint(1, 4))) + rnd.choice(["", "", "a", "c"]) + "".join(rnd.choice(["_alpha", "_beta2", "_rc1", "_p", "_p1", "_git20", "_cvs", "_pre3"]) for _ in range(rnd.choice([0, 0, 1, 2])))
                    + rnd.choice(["", "", "~0f", "~AB"]) * (rnd.random() < 0.3) + rnd.choice(["", "-r0", "-r1", "-r10"]))
    pairs = pairs_of(make, pool, 6000)
    tokens = [(apk_tokens(a), apk_tokens(b)) for a, b in pairs]
    compare("alpine", "a model", pairs, [None if a is None or b is None else apk_cmp(a, b) for a, b in tokens], "")


# ---- generic ----
BEFORE = {"alpha": "a", "beta": "b", "milestone": "m", "pre": "pre", "preview": "pre", "rc": "rc", "cr": "rc", "snapshot": "snapshot", "dev": "dev"}
AFTER = {"p": "p", "pl": "p", "patch": "p", "post": "post", "sp": "sp", "sr": "sr", "u": "u", "update": "u", "hf": "hf", "hotfix": "hf", "cu": "cu"}


def generic_components(v):
    out = []
    for m in re.finditer(r"[0-9]+|[A-Za-z]+", v):
        t = m[0].lower()
        if t.isdigit():
            out.append((3 if int(t) else 1, int(t), ""))
            continue
        suffix = m.start() > 0 and v[m.start() - 1].isdigit() and not v[m.end():m.end() + 1].isdigit()
        if suffix and (len(t) == 1 or t not in BEFORE and t not in AFTER):
            out.append((4, 0, t))
        elif t in AFTER:
            out.append((2, 0, AFTER[t]))
        else:
            out.append((0, 0, BEFORE.get(t, t)))
    return out or None


def generic_cmp(a, b):
    for i in range(max(len(a), len(b))):
        x, y = (s[i] if i < len(s) else (1, 0, "") for s in (a, b))
        if x != y:
            return 1 if x > y else -1
    return 0


def generic():
    pool = [number, number, ".", ".", "-", "(", ")", "_", " ", *BEFORE, *AFTER, "a", "b", "z", "za", "SXI", "git", "P", "U"]
    make = lambda: number() + pieces(pool, 0, 6)
    pairs = [(a, b) for a, b in pairs_of(make, pool, 6000) if a == a.strip() and b == b.strip()]
    comps = [(generic_components(a), generic_components(b)) for a, b in pairs]
    compare("generic", "a model", pairs, [None if a is None or b is None else generic_cmp(a, b) for a, b in comps], "")
    order = "1.0-alpha1 1.0-beta 1.0.rc2 1.0 1.0p1 1.0-P2 1.0.sp1 1.0.1 1.0.2 1.0.2a 1.0.2z 1.0.2za 1.1".split()
    ok(ask("generic", list(zip(order, order[1:]))) == [-1] * (len(order) - 1), "generic: as people number")


deb()
rpm()
pypi()
gem()
semver()
maven()
alpine()
generic()
done()
