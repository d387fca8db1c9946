#!/usr/bin/env python3
"""A resolver that runs alone: modes of layers and answers to refusals by organisation and
category out of the configuration, sinkholes and texts of zones, and what is wrong with a
configuration said before anything starts."""

import os
import subprocess
import sys
import tempfile

from harness import done, ok, until
from resolve_lib import Upstream, ask, resolver

binary = sys.argv[1]
TRUTH = "192.0.2.1"
NAMES = ("mal", "ads", "phish", "sink", "quiet", "ours", "www.tld", "good", "garden")
ANSWERS = {(f"{n}.example.", "A"): [(f"{n}.example.", "A", 60, TRUTH)] for n in NAMES}
ANSWERS[("www.suffix.co.jp.", "A")] = [("www.suffix.co.jp.", "A", 60, TRUTH)]
POLICY = [
    {"name": "mal", "list": "mal.txt", "category": "malware"},
    {"name": "ads", "list": "ads.txt", "category": "ads"},
    {"name": "phish", "list": "phish.txt", "category": "phishing", "ede": "censored", "text": "see https://help.example"},
    {"name": "sink", "list": "sink.txt", "sinkhole": ["192.0.2.81", "2001:db8::81"], "ttl": 7},
    {"name": "quiet", "list": "quiet.txt", "ede": "none"},
    {"name": "suffix", "list": "suffix.txt", "force-suffix": True},
    {"name": "ours", "list": "ours.txt", "layer": "org-block", "org": "heron"},
]
FILES = {f"{n}.txt": f"{n}.example\n" for n in ("mal", "ads", "phish", "sink", "quiet", "ours")} | {"suffix.txt": "co.jp\n"}
CLIENTS = [{"prefix": "127.0.0.1", "org": "egret"}, {"prefix": "127.0.0.2", "org": "heron"}, {"prefix": "127.0.0.3", "org": "crane"}]
MODES = [{"layer": "centre-zone", "mode": "audit-only", "org": "crane"}, {"layer": "org-block", "mode": "off"},
         {"layer": "org-block", "mode": "enforce", "org": "heron"}]
WAYS = [{"answer": "cname garden.example", "category": "malware", "org": "heron", "ttl": 9},
        {"answer": "sinkhole", "sinkhole": ["192.0.2.80"], "category": "malware"},
        {"answer": "nodata", "category": "ads"}]


def seen(s, name, who=1, kind="A"):
    a = ask(s.dns, name + ("" if name.endswith(".") else ".example."), kind, source=f"127.0.0.{who}", timeout=2)
    if a is None or a.rcode != "NOERROR":
        return a and a.rcode
    return [r[3] for r in a.answers] or "nodata"


def in_force():
    with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": POLICY, "clients": CLIENTS, "modes": MODES, "answers": WAYS}, FILES) as s:
        ok(until(lambda: seen(s, "mal") == ["192.0.2.80"], 15), "all are given the sinkhole of the category", seen(s, "mal"))
        a = ask(s.dns, "mal.example.", source="127.0.0.2")
        ok([r[3] for r in a.answers] == ["garden.example.", TRUTH] and a.answers[0][2] == 9 and a.ede == (15, "malware: mal"),
           "an organisation its walled garden, with its TTL and why", (a.answers, a.ede))
        ok(seen(s, "ads") == "nodata" and seen(s, "ads", 2) == "nodata", "NODATA by category")
        a = ask(s.dns, "phish.example.")
        ok(a.rcode == "NXDOMAIN" and a.ede == (16, "see https://help.example"), "NXDOMAIN without a row; EDE and text of the zone", a.ede)
        a = ask(s.dns, "sink.example.")
        ok([(r[3], r[2]) for r in a.answers] == [("192.0.2.81", 7)], "a zone's own sinkhole and TTL", a.answers)
        ok(len(seen(s, "sink", 1, "AAAA")) == 1 and seen(s, "sink", 1, "TXT") == "nodata", "of both families, and no data else")
        a = ask(s.dns, "quiet.example.")
        ok(a.rcode == "NXDOMAIN" and a.ede is None, "a zone that says nothing of why", a.ede)
        ok(seen(s, "www.suffix.co.jp.") == "NXDOMAIN", "a public suffix, when it is meant")
        ok(all(seen(s, n, 3) == [TRUTH] for n in ("mal", "ads", "sink")), "audit-only for an organisation: the truth")
        ok(seen(s, "ours", 2) == "NXDOMAIN", "an organisation's own word on a layer comes before that for all")

        s.write_conf({"resolve": {"modes": [{"layer": "centre-zone", "mode": "off"}, {"layer": "org-block", "mode": "off"}], "answers": []}})
        s.reload()
        ok(until(lambda: seen(s, "mal") == [TRUTH], 15) and seen(s, "ours", 2) == [TRUTH], "off for all after a reload")


def refused():
    with tempfile.TemporaryDirectory() as d:
        def check(text, want, code=3):
            with open(f"{d}/c.yaml", "w", encoding="utf-8") as f:
                f.write("resolve:\n" + text)
            r = subprocess.run([binary, "config", "check", f"{d}/c.yaml"], capture_output=True, text=True, timeout=30)
            ok(r.returncode == code and want in r.stderr, f"config check: {want[:60]}", r.stderr)

        with open(f"{d}/not.pem", "w", encoding="utf-8") as f:
            f.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        os.chmod(f"{d}/not.pem", 0o600)
        check('  modes: [{layer: centre, mode: "off"}]\n', "c.yaml:2: resolve.modes.layer: expected one of org-allow")
        check('  answers:\n    - {answer: sinkhole}\n', "c.yaml:3: resolve.answers: answer sinkhole needs sinkhole")
        check('  answers:\n    - {answer: sinkhole, sinkhole: ["192.0.2.1@53"]}\n', "c.yaml:3: resolve.answers.sinkhole: a sinkhole is IPv4")
        check('  upstream:\n    - {zone: ".", forward: "192.0.2.1", pins: "12:34"}\n',
              "c.yaml:3: resolve.upstream.pins: expected SHA-256 of a public key: 64 hexadecimal digits, found '12:34'")
        check('  upstream:\n    - {zone: ".", forward: "192.0.2.1#a..b"}\n', "c.yaml:3: resolve.upstream.forward: what stands behind #")
        check('  upstream:\n    - {zone: ".", forward: "192.0.2.1#a.example", ca-file: not.pem}\n',
              f"c.yaml:3: resolve.upstream.ca-file: '{d}/not.pem': TLS authorities:")
        check('  dot:\n    - {address: "127.0.0.1@8853", cert-file: not.pem, key-file: not.pem}\n', f"c.yaml:3: resolve.dot: '{d}/not.pem':")


refused()
in_force()
done()
