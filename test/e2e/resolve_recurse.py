#!/usr/bin/env python3
"""Recursion and validation over a signed hierarchy of our own: what is secure is told so,
what fails is SERVFAIL with the reason, whoever asks and whatever the policy says."""

import concurrent.futures
import hashlib
import os
import subprocess
import sys
import tempfile
import time

from harness import Server, done, free_port, ok, until
from people_lib import without_store
from resolve_lib import ask, resolver
from resolve_tree import Tree, need

binary = sys.argv[1]
need()

HOST = "www 300 A {}\n"
chain = "".join(f"c{i} 300 CNAME c{i + 1}\n" for i in range(30)) + "c30 300 A 192.0.2.30\n"
leaves = {
    "good.example": {"records": HOST.format("192.0.2.1") + "alias 300 CNAME www\nbad 300 CNAME www.expired.example.\n"
                     "out 300 CNAME www.unsigned.example.\n*.wild 300 A 192.0.2.77\nloop 300 CNAME pool\n"
                     "pool 300 CNAME loop\ninner 300 A 10.0.0.1\n" + chain +
                     "".join(f'big 300 TXT "{i:03d}" {" ".join([chr(34) + "x" * 250 + chr(34)] * 3)}\n' for i in range(76))},
    "unsigned.example": {"records": HOST.format("192.0.2.2"), "sign": None, "ds": False},
    "expired.example": {"records": HOST.format("192.0.2.3"), "sign": ["-s", "20200101000000", "-e", "20200201000000"]},
    "early.example": {"records": HOST.format("192.0.2.4"), "sign": ["-s", "20360101000000", "-e", "20370101000000"]},
    "nosig.example": {"records": HOST.format("192.0.2.5"), "sign": None,
                      "ds-text": "nosig.example. 300 DS 4711 13 2 " + "ab" * 32 + "\n"},
    "nokey.example": {"records": HOST.format("192.0.2.6"),
                      "ds-text": "nokey.example. 300 DS 4711 13 2 " + "cd" * 32 + "\n"},
    "changed.example": {"records": HOST.format("192.0.2.7"), "edit": lambda t: t.replace("192.0.2.7", "192.0.2.66")},
    "ours.example": {"records": HOST.format("192.0.2.8"), "sign": ["-s", "20200101000000", "-e", "20200201000000"]},
}
# by an address of an answer that must never be seen, and by a name behind one that fails
RPZ = ("$TTL 60\n@ SOA . . 1 60 60 60 60\n@ NS .\n32.3.2.0.192.rpz-ip CNAME .\n32.1.2.0.192.rpz-ip CNAME *.\n")


def validated(s, how):
    a = ask(s.dns, "www.good.example.", do=True, timeout=12)
    ok(a and a.rcode == "NOERROR" and a.ad and any(r[1] == "RRSIG" for r in a.answers), f"{how}: signed and secure",
       a and (a.rcode, a.ede, a.answers))
    a = ask(s.dns, "nothing.good.example.", do=True)
    ok(a and a.rcode == "NXDOMAIN" and a.ad, f"{how}: that there is no such name is secure too", a and (a.rcode, a.ad, a.ede))
    a = ask(s.dns, "x.wild.good.example.", do=True)
    ok(a and a.ad and "192.0.2.77" in a.values and any(r[1] in (47, 50) for r in a.authority),
       f"{how}: a wildcard, with its proof", a and (a.rcode, a.authority))
    a = ask(s.dns, "www.unsigned.example.", do=True)
    ok(a and a.values == ["192.0.2.2"] and not a.ad, f"{how}: unsigned: an answer that is not called secure", a and (a.rcode, a.ede))
    for zone, want in (("expired", (7,)), ("early", (8,)), ("nokey", (9,)), ("nosig", (9, 10)), ("changed", (6,))):
        a = ask(s.dns, f"www.{zone}.example.", timeout=12)
        ok(a and a.rcode == "SERVFAIL" and a.ede and a.ede[0] in want and not a.answers, f"{how}: {zone}: SERVFAIL and why",
           a and (a.rcode, a.ede, a.answers))
    a = ask(s.dns, "www.expired.example.", cd=True)
    ok(a and a.rcode == "NOERROR" and a.values == ["192.0.2.3"] and not a.ad, f"{how}: who checks for itself (CD) gets it",
       a and (a.rcode, a.ede))


def recursion(s, tree):
    a = ask(s.dns, "www.good.example.", "A")
    ok(a and not any(r[1] == "RRSIG" for r in a.answers), "no signatures for who does not ask for them")
    a = ask(s.dns, "alias.good.example.", do=True)
    ok(a and a.ad and "192.0.2.1" in a.values, "a chain within secure zones is secure")
    a = ask(s.dns, "out.good.example.", do=True)
    ok(a and not a.ad and "192.0.2.2" in a.values, "a chain into an unsigned zone is not", a and (a.ad, a.answers))
    a = ask(s.dns, "bad.good.example.")
    ok(a and a.rcode == "SERVFAIL" and "192.0.2.3" not in a.values, "a chain that leads to what fails, fails", a and (a.rcode, a.answers))
    a = ask(s.dns, "loop.good.example.", timeout=12)
    ok(a and a.rcode == "SERVFAIL" and a.ede, "a loop of CNAMEs", a and (a.rcode, a.ede))
    a = ask(s.dns, "c0.good.example.", timeout=12)
    ok(a and a.rcode == "SERVFAIL", "a chain of thirty", a and (a.rcode, a.ede, len(a.answers)))
    a = ask(s.dns, "inner.good.example.")
    ok(a and "10.0.0.1" not in a.values, "rebinding protection, for secure answers too")
    a = ask(s.dns, "big.good.example.", "TXT", tcp=True, timeout=12)
    ok(a and len([r for r in a.answers if r[1] == "TXT"]) == 76 and len(a.msg) > 58000, "an answer of 58,000 octets, by TCP all the way",
       a and (a.rcode, a.ede, len(a.answers)))
    a = ask(s.dns, "www.ours.example.", do=True)
    ok(a and a.values[:1] == ["192.0.2.8"] and not a.ad, "a zone that is excepted (negative trust anchor)", a and (a.rcode, a.ede))
    tree.stop()
    begin = time.monotonic()
    a = ask(s.dns, "www.nobody.example.", timeout=15)
    ok(a and a.rcode == "SERVFAIL" and a.ede and a.ede[0] in (22, 23), "nobody is there any more: SERVFAIL",
       a and (a.rcode, a.ede, time.monotonic() - begin))
    ok(not s.events("resolve.upstream_down"), "one name says nothing", s.events("resolve.upstream_down"))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda i: ask(s.dns, f"www{i}.nobody.example.", timeout=15), range(20)))
    e = until(lambda: s.find_event("resolve.upstream_down"), 100)  # libunbound takes its time
    ok(e and e["recursion"] == "." and e["why"], "twenty do: an event tells of it", e)
    a = ask(s.dns, "www.good.example.", do=True)
    ok(a and a.ad and "192.0.2.1" in a.values, "what is known is still answered, and still secure")


def refused(tree):
    files = {"root.hints": tree.hints, "anchor": ". 300 A 192.0.2.1\n"}
    conf = {"upstream": [{"zone": ".", "recursion": True}], "root-hints": "root.hints", "trust-anchor": "anchor"}
    with resolver(binary, None, conf, files, wait=0) as s:
        ok(until(lambda: [e for e in s.events("serve.failed") if "trust-anchor" in str(e)], 10),
           "a trust anchor that is none: nothing starts", s.log())


def anchor_of_before(tree):
    """The root has published its next key; who has not added it is told in time."""
    files = {"root.hints": tree.hints, "anchor": tree.anchor}
    port = free_port()
    conf = {**without_store(), "resolve": {"listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"], "root-hints": "root.hints",
                                           "trust-anchor": "anchor", "upstream": [{"zone": ".", "recursion": True}]}}

    def before(s):
        for name, text in files.items():
            with open(os.path.join(os.path.dirname(s.conf_path), name), "w", encoding="utf-8") as f:
                f.write(text)

    def part():
        checks = s.http("GET", "/api/v1/doctor?quick=true").json().get("checks", [])
        return next((c for c in checks if c["name"] == "role.resolve-0"), {})
    with Server(binary, conf, before=before) as s:
        e = s.wait_event("resolve.trust_anchor", 20)
        ok(e and e["zone"] == "." and e["key_tag"] == tree.standby and len(s.events("resolve.trust_anchor")) == 1,
           "a key that the anchor lacks is told of, with its tag", (e, tree.standby))
        c = until(lambda: (p := part()).get("state") == "warn" and p, 20) or part()
        ok(c.get("state") == "warn" and "trust-anchor" in c.get("text", ""), "and the doctor warns", c)
        with open(os.path.join(os.path.dirname(s.conf_path), "anchor"), "w", encoding="utf-8") as f:
            f.write(tree.ds("."))
        s.reload()
        ok(until(lambda: part().get("state") == "ok", 30) and not until(lambda: len(s.events("resolve.trust_anchor")) > 1, 4.5),
           "until the anchor has it", (part(), s.events("resolve.trust_anchor")))


def certificate(folder):
    """For dns.example: what must lie beside a configuration, and the SHA-256 of the key."""
    crt, key = os.path.join(folder, "d.crt"), os.path.join(folder, "d.secret")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", crt,
                    "-days", "2", "-subj", "/CN=dns.example", "-addext", "subjectAltName=DNS:dns.example"], check=True, capture_output=True)
    der = subprocess.run(f"openssl x509 -in {crt} -pubkey -noout | openssl pkey -pubin -outform der", shell=True, check=True,
                         capture_output=True).stdout
    texts = {}
    for name in ("d.crt", "d.secret"):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            texts[name] = f.read()
    return texts, hashlib.sha256(der).hexdigest()


def by_tls(common, files):
    """Validation through a resolver that is asked by TLS alone."""
    with tempfile.TemporaryDirectory() as folder:
        texts, pin = certificate(folder)
    port = free_port()
    files = {**files, **texts}
    dot = {"address": f"127.0.0.1@{port}", "cert-file": "d.crt", "key-file": "d.secret"}
    with resolver(binary, None, {**common, "dot": [dot], "upstream": [{"zone": ".", "recursion": True, "dnssec": "off"}]}, files):
        where = f"127.0.0.1@{port}"
        up = [{"zone": ".", "forward": [f"{where}#dns.example"], "ca-file": "d.crt", "dnssec": "validate"},
              {"zone": "expired.example", "forward": [f"{where}#else.example"], "ca-file": "d.crt", "dnssec": "validate"},
              {"zone": "unsigned.example", "forward": [where], "pins": [pin], "dnssec": "validate"},
              {"zone": "early.example", "forward": [where], "pins": ["00" * 32], "dnssec": "validate"}]
        with resolver(binary, None, {**common, "upstream": up[:1], "workers": 2}, files) as s:
            validated(s, "through a forwarder by TLS")
            a = ask(s.dns, "big.good.example.", "TXT", tcp=True, timeout=12)
            ok(a and len([r for r in a.answers if r[1] == "TXT"]) == 76, "by TLS: 58,000 octets", a and (a.rcode, a.ede, len(a.answers)))
            s.kill_and_wait("resolve")
            a = ask(s.dns, "www.good.example.", do=True, timeout=12)
            ok(a and a.ad, "by TLS: after kill -9 of a worker as before", a and (a.rcode, a.ede))
            ok(not s.events("resolve.upstream_tls"), "nobody was doubted", s.events("resolve.upstream_tls"))
        with resolver(binary, None, {**common, "upstream": up}, files) as s:
            for zone, why in (("expired", "name"), ("early", "key")):
                a = ask(s.dns, f"www.{zone}.example.", cd=True, timeout=12)
                ok(a and a.rcode == "SERVFAIL" and a.ede and not a.answers, f"a server with another {why} is asked nothing", a and (a.rcode, a.ede))
            a = ask(s.dns, "www.unsigned.example.", timeout=12)
            ok(a and a.values == ["192.0.2.2"], "one that is known by its key is", a and (a.rcode, a.ede))
            ok(len(s.events("resolve.upstream_tls")) >= 2, "and it is told", s.events("resolve.upstream_tls"))


with Tree(leaves, standby=True) as tree:
    files = {"root.hints": tree.hints, "anchor": tree.anchor, "rpz.zone": RPZ}
    common = {"root-hints": "root.hints", "trust-anchor": "anchor", "insecure-zones": ["ours.example"],
              "policy": [{"name": "rpz", "rpz": "rpz.zone", "zone": "rpz.example"}]}
    with resolver(binary, None, {**common, "upstream": [{"zone": ".", "recursion": True}]}, files) as s:
        s.wait_event("resolve.policy")
        a = ask(s.dns, "www.good.example.", timeout=12)
        ok(a and a.rcode == "NOERROR" and not a.answers, "the policy works on secure answers (RESPONSE-IP)", a and (a.rcode, a.answers))
    del common["policy"]
    with resolver(binary, None, {**common, "upstream": [{"zone": ".", "recursion": True, "dnssec": "off"}]}, files) as plain, \
            resolver(binary, None, {**common, "upstream": [{"zone": ".", "forward": [f"127.0.0.1@{plain.dns[1]}"],
                                                            "dnssec": "validate"}]}, files) as s:
        a = ask(plain.dns, "www.expired.example.", do=True, timeout=12)
        ok(a and a.values[:1] == ["192.0.2.3"] and not a.ad, "validation off: nothing is refused, nothing called secure", a and (a.rcode, a.ede))
        validated(s, "through a forwarder")
    by_tls(common, files)
    anchor_of_before(tree)
    with resolver(binary, None, {**common, "upstream": [{"zone": ".", "recursion": True}]}, files) as s:
        validated(s, "from the root")
        recursion(s, tree)
    refused(tree)
done()
