#!/usr/bin/env python3
"""`yagura vuln` as a user meets it, without a server: questions as arguments and on standard
input, answers for people and as JSON, what is wrong by place and reason.  Argument: the
yagura binary."""
import json
import os
import subprocess
import sys

from harness import done, note, ok

YAGURA = os.path.abspath(sys.argv[1])


def run(*words, data=b"", want=0):
    p = subprocess.run([YAGURA, "vuln", *words], input=data, capture_output=True, timeout=120)
    if p.returncode != want:
        note(f"{words}: status {p.returncode}: {p.stderr.decode(errors='replace')}")
    return p.stdout.decode(), p.returncode


def lines(out):
    return [json.loads(x) for x in out.splitlines()]


def cvss():
    out, rc = run("cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P", "AV:N/AC:L/Au:N/C:N/I:N/A:C")
    ok(rc == 0 and out.splitlines() == [
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P: 9.3 CRITICAL (CVSS 3.1, base 9.8, temporal 9.3, environmental 9.3)",
        "AV:N/AC:L/Au:N/C:N/I:N/A:C: 7.8 HIGH (CVSS 2.0, base 7.8)"], "vectors for people", out)
    out, rc = run("cvss", "--json", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:L/VA:N/SC:H/SI:H/SA:H/E:U", "x\x1b[31m", want=3)
    good, bad = lines(out)
    ok(rc == 3 and (good["version"], good["base"], good["overall"], good["severity"]) == ("4.0", 8.6, good["threat"], "MEDIUM"),
       "a threat score", out)
    ok("error" in bad and bad["offset"] == 0 and "\x1b" not in out, "and an error, status 3", out)
    out, rc = run("cvss", "x\x1b[31m", want=3)
    ok(rc == 3 and "\x1b" not in out and "at byte 0" in out, "text from outside is escaped", out)
    out, rc = run("cvss", "-", data=b"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\r\n\n" + b"A" * 100000 + b"\nAV:N/AC:L/Au:N/C:N/I:N/A:N", want=3)
    got = lines(out)
    ok(rc == 3 and len(got) == 4 and got[0]["base"] == 9.8 and got[1]["error"] == "the vector is empty"
       and got[2]["error"] == "the line is too long" and got[3]["severity"] == "LOW", "one line out per line in", out[:400])
    out, rc = run("cvss", "-")
    ok(rc == 0 and out == "", "nothing in, nothing out")
    out, rc = run("cvss", want=2)
    ok(rc == 2, "without a vector: wrong usage")


def cpe():
    any_ie, ie = "cpe:2.3:a:microsoft:internet_explorer:*:*:*:*:*:*:*:*", "cpe:/a:microsoft:internet_explorer:8.0"
    out, rc = run("cpe", "compare", any_ie, ie)
    ok(rc == 0 and out == f"{any_ie} {ie}: superset\n", "names for people", out)
    out, rc = run("cpe", "compare", "--json", any_ie, "cpe:2.3:a:x\x1b:y", want=3)
    bad, = lines(out)
    ok(rc == 3 and bad["in"] == "target" and bad["offset"] == 11 and "quoted" in bad["error"] and "relation" not in bad, "an error has its place", out)
    out, rc = run("cpe", "compare", "x\x1b[31m", "y", want=3)
    ok(rc == 3 and "\x1b" not in out and "source: neither" in out, "text from outside is escaped", out)
    out, rc = run("cpe", "compare", "-", data=f"{any_ie} {ie}\r\n{ie}\t{any_ie}\n\n{ie}\n{ie} {ie} {ie}\n  {ie}  {ie}  \n\t{ie}\n".encode(), want=3)
    got = lines(out)
    ok([g.get("relation") for g in got] == ["superset", "subset", None, None, None, "equal", None], "one line out per line in", out)
    ok([g.get("error", "") for g in got][2:5] == [f"{n} words of 2: SOURCE TARGET" for n in (0, 1, 3)] and got[6]["in"] == "source",
       "a line of other words", out)
    out, rc = run("cpe", "compare", any_ie, "-", data=f"{ie}\n".encode())
    ok(rc == 0 and lines(out)[0]["relation"] == "superset", "a source with targets as lines", out)
    for words in (["cpe", "match", ie, ie], ["cpe", "compare", ie], ["cpe", "compare", ie, ie, "-"], ["cpe"]):
        ok(run(*words, want=2)[1] == 2, f"wrong usage: {words[:2]}")


def version():
    out, rc = run("version", "compare", "deb", "1.0~rc1", "1.0")
    ok(rc == 0 and out == "deb 1.0~rc1 1.0: less\n", "versions for people", out)
    out, rc = run("version", "compare", "--json", "golang", "v1.2", "1.1.9")
    ok(rc == 0 and lines(out) == [{"scheme": "golang", "a": "v1.2", "b": "1.1.9", "order": "greater"}], "as JSON, with a type's name of the scheme", out)
    out, rc = run("version", "compare", "semver", "1.0.0", "1.0.x", want=3)
    ok(rc == 3 and out == "semver 1.0.0 1.0.x: b: a number is wanted here, at byte 4\n", "an error has its place", out)
    out, rc = run("version", "compare", "-", data=b"rpm 1-1 1\npypi\t1.0\t1.0.0\ncobol 1 2\nnpm 1.0.0\n", want=3)
    got = lines(out)
    ok([g.get("order") for g in got] == ["greater", "equal", None, None] and got[2]["error"] == "no such scheme" and "2 words of 3" in got[3]["error"],
       "lines with their scheme", out)
    out, rc = run("version", "compare", "maven", "-", data=b"1 1.0\n1-sp 1\n")
    ok(rc == 0 and [g["order"] for g in lines(out)] == ["equal", "greater"], "lines of one scheme", out)
    out, rc = run("version", "compare", "generic", "-", data=b"1 \t 1.0 \n", want=0)
    ok(rc == 0 and lines(out)[0]["order"] == "equal", "with a tab, blanks around a version do not count", out)
    ok(run("version", "compare", "deb", "1", want=2)[1] == 2 and run("version", "sort", "deb", "1", "2", want=2)[1] == 2, "wrong usage")


def vers():
    out, rc = run("vers", "vers:npm/1.2.3|>=2.0.0|<5.0.0", "2.1.0")
    ok(rc == 0 and out == "vers:npm/1.2.3|>=2.0.0|<5.0.0 2.1.0: contained\n", "a range for people", out)
    out, rc = run("vers", "--json", "vers:golang/<v1.2", "v1.2.0")
    ok(rc == 0 and lines(out) == [{"range": "vers:golang/<v1.2", "version": "v1.2.0", "contained": False}], "and as JSON", out)
    out, rc = run("vers", "vers:npm/>=2.0.0|<1.0.0", "2.1.0", want=3)
    ok(rc == 3 and "range: not in the order of versions, at byte 17" in out, "an error has its place", out)
    out, rc = run("vers", "-", data=b"vers:deb/* 1\nvers:npm/* 1\nvers:deb/*\n", want=3)
    got = lines(out)
    ok(got[0]["contained"] is True and got[1]["in"] == "version" and "1 words of 2" in got[2]["error"], "lines of both", out)
    out, rc = run("vers", "vers:pypi/>=1.0|<2", "-", data=b"1.5\n2.0\n")
    ok(rc == 0 and [g["contained"] for g in lines(out)] == [True, False], "lines of versions", out)


def purl():
    out, rc = run("purl", "pkg:PyPI/Django_x@1.0", "pkg:deb/debian/curl@7-1?distro=sid&arch=amd64")
    ok(rc == 0 and out.splitlines() == ["pkg:PyPI/Django_x@1.0: pkg:pypi/django-x@1.0",
                                        "pkg:deb/debian/curl@7-1?distro=sid&arch=amd64: pkg:deb/debian/curl@7-1?arch=amd64&distro=sid"], "package URLs for people", out)
    long = "pkg:npm/" + 1500 * "a"
    out, rc = run("purl", long)
    ok(rc == 0 and out == f"{long}: {long}\n", "one of 1,500 bytes is told whole", out)
    out, rc = run("purl", "-", data="pkg:npm/%40a/b@1#/c/\npkg:npm\n".encode(), want=3)
    good, bad = lines(out)
    ok(good == {"purl": "pkg:npm/%40a/b@1#/c/", "canonical": "pkg:npm/%40a/b@1#c", "type": "npm", "namespace": "@a", "name": "b", "version": "1",
                "qualifiers": None, "subpath": "c"} and bad["offset"] == 7, "and as JSON", out)


cvss()
cpe()
version()
vers()
purl()
done()
