#!/usr/bin/env python3
"""What organisations and the centre enter, in force in a running server: layers in their
order, modes, answers by organisation and category, indicators, expiry; without the centre,
over restarts, and with inputs that cannot be read."""

import datetime
import os
import signal
import socket
import subprocess
import sys
import time

from harness import Server, done, free_port, ok, until
from people_lib import without_store
from resolve_lib import Answer, Upstream, query

binary = sys.argv[1]
WITHIN = 12 if "asan" in binary else 6  # s: from the answer of the API to the answer by DNS
NAMES = ("feed", "shared", "block", "lure", "mal", "susp", "ends", "kept", "late", "allowed-feed", "unit", "all", "own")


def ask(s, source, name, kind="A"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.bind((source, 0))
        c.settimeout(5)
        c.sendto(query(name, kind), s.dns)
        try:
            return Answer(c.recv(65535))
        except TimeoutError:
            return None


HERON, EGRET, UNIT, CENTRE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


def is_open(a):
    return a is not None and a.rcode == "NOERROR" and bool(a.values) and a.ede is None


def post(s, path, body, want=201):
    r = s.http("POST", f"/api/v1/{path}", body)
    if r.status != want:
        print(f"# {path} {body}: {r.status} {r.body[:300]}")
    return r.json() if r.status == want else {}


def put(s, path, body):
    r = s.http("PUT", f"/api/v1/{path}", body)
    if r.status != 204:
        print(f"# {path} {body}: {r.status} {r.body[:300]}")
    return r.status == 204


def soon(what):
    """How long it took; None: it did not happen."""
    begin = time.monotonic()
    return time.monotonic() - begin if until(what, WITHIN) else None


def in_seconds(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def blocks(s):
    a = ask(s, HERON, "www.feed.example.")
    ok(a.rcode == "NXDOMAIN" and a.ede == (15, "ads: feed"), "the centre's zone blocks, with EDE 15 and why", (a.rcode, a.ede))
    ok(is_open(ask(s, HERON, "block.example.")), "a name that nobody lists is answered")
    post(s, "block-entries", {"org": "heron", "type": "domain", "value": "block.example", "category": "phishing", "reason": "seen in mail"})
    took = soon(lambda: ask(s, HERON, "x.block.example.").rcode == "NXDOMAIN")
    ok(took is not None, "an organisation's block is in force within seconds", took)
    a = ask(s, HERON, "block.example.")
    ok(a.ede == (17, "phishing: block list of heron"), "with EDE 17, category and whose list", a.ede)
    ok(ask(s, UNIT, "block.example.").rcode == "NXDOMAIN", "it holds for the unit below")
    ok(is_open(ask(s, EGRET, "block.example.")), "and for no other organisation")
    post(s, "block-entries", {"org": None, "type": "fqdn", "value": "all.example", "ede": "censored", "category": "legal", "reason": "an order"})
    took = soon(lambda: ask(s, EGRET, "all.example.").rcode == "NXDOMAIN")
    a = ask(s, EGRET, "all.example.")
    ok(took is not None and a.ede == (16, "legal: block list of the centre"), "the centre's block for all, EDE 16", a.ede)
    ok(is_open(ask(s, EGRET, "www.all.example.")), "an fqdn is that name alone")


def allows(s):
    post(s, "allow-entries", {"org": "heron", "type": "domain", "value": "allowed-feed.feed.example", "reason": "our partner"})
    took = soon(lambda: is_open(ask(s, HERON, "allowed-feed.feed.example.")))
    ok(took is not None, "an allow entry is in force within seconds", took)
    ok(is_open(ask(s, UNIT, "allowed-feed.feed.example.")), "below it too")
    ok(ask(s, EGRET, "allowed-feed.feed.example.").rcode == "NXDOMAIN", "for another organisation it is still blocked")
    ok(ask(s, HERON, "www.feed.example.").rcode == "NXDOMAIN", "and what is beside it is still blocked")
    post(s, "allow-entries", {"org": "unit", "type": "domain", "value": "unit.block.example", "reason": "only here"})
    ok(soon(lambda: is_open(ask(s, UNIT, "unit.block.example."))) is not None and ask(s, HERON, "unit.block.example.").rcode == "NXDOMAIN",
       "a unit's allow list beats the block of the organisation above it, for the unit alone")
    post(s, "allow-entries", {"org": None, "type": "domain", "value": "all.example", "reason": "the order was lifted"})
    ok(soon(lambda: is_open(ask(s, EGRET, "all.example."))) is not None, "the centre's allow list beats the centre's block")
    post(s, "block-entries", {"org": "egret", "type": "domain", "value": "all.example", "reason": "not here"})
    time.sleep(2)
    ok(is_open(ask(s, EGRET, "all.example.")), "and an organisation's block")


def indicators(s):
    made = post(s, "indicator-lists", {"name": "intel", "category": "malware"})
    for value, kind, more in (("mal.example", "domain", {}), ("susp.example", "domain", {"confidence": 20}),
                              ("198.51.100.66", "ip", {}), ("ends.example", "domain", {"valid_until": in_seconds(100000)})):
        post(s, "indicators", {"list": made["id"], "type": kind, "value": value, **more})
    own = post(s, "indicator-lists", {"name": "own", "org": "heron", "category": "scam"})
    post(s, "indicators", {"list": own["id"], "type": "domain", "value": "own.example"})
    took = soon(lambda: ask(s, EGRET, "x.mal.example.").rcode == "NXDOMAIN" and ask(s, HERON, "own.example.").rcode == "NXDOMAIN")
    a = ask(s, EGRET, "mal.example.")
    ok(took is not None and a.ede == (15, "malware: intel"), "an indicator blocks, EDE 15: category and list", (took, a.ede))
    ok(is_open(ask(s, EGRET, "susp.example.")), "one that is less sure than the setting does not")
    a = ask(s, EGRET, "late.example.")
    ok(a.rcode == "NXDOMAIN" and a.ede[0] == 15, "an address that is an indicator blocks the answer that has it", (a.rcode, a.ede))
    ok(is_open(ask(s, EGRET, "own.example.")), "an organisation's indicators are its own", ask(s, EGRET, "own.example.").ede)
    ok(ask(s, HERON, "own.example.").ede == (15, "scam: own"), "they block its own clients")
    post(s, "allow-entries", {"org": "egret", "type": "ip", "value": "198.51.100.0/24", "reason": "our host"})
    ok(soon(lambda: is_open(ask(s, EGRET, "late.example."))) is not None, "an allowed address is not held against an answer")
    ok(ask(s, HERON, "late.example.").rcode == "NXDOMAIN", "by that organisation alone")
    post(s, "block-entries", {"org": "egret", "type": "domain", "value": "late.example", "reason": "x"})
    ok(soon(lambda: ask(s, EGRET, "late.example.").rcode == "NXDOMAIN") is not None, "and it does not make a blocked name good")


def modes(s):
    put(s, "dns-modes", {"org": "egret", "layer": "centre-zone", "mode": "audit-only"})
    ok(soon(lambda: is_open(ask(s, EGRET, "www.feed.example."))) is not None, "audit-only answers")
    ok(ask(s, HERON, "www.feed.example.").rcode == "NXDOMAIN", "the other organisation is still protected")
    put(s, "dns-modes", {"org": "egret", "layer": "indicators", "mode": "off"})
    ok(soon(lambda: is_open(ask(s, EGRET, "mal.example."))) is not None, "off: as if the layer were not there")
    put(s, "dns-modes", {"org": None, "layer": "indicators", "mode": "off"})
    ok(soon(lambda: is_open(ask(s, HERON, "mal.example."))) is not None, "off for all")
    put(s, "dns-modes", {"org": "heron", "layer": "indicators", "mode": "enforce"})
    ok(soon(lambda: ask(s, UNIT, "mal.example.").rcode == "NXDOMAIN") is not None and is_open(ask(s, CENTRE, "mal.example.")),
       "the nearest word decides: heron and below enforce, the others have what is said for all")
    put(s, "dns-modes", {"org": None, "layer": "indicators", "mode": None})
    put(s, "dns-modes", {"org": "egret", "layer": "centre-zone", "mode": None})
    ok(soon(lambda: ask(s, EGRET, "www.feed.example.").rcode == "NXDOMAIN") is not None, "taken back: what is above says")


def answers(s):
    put(s, "dns-answers", {"org": "heron", "category": "phishing", "answer": "sinkhole", "addresses": ["192.0.2.80", "2001:db8::80"]})
    put(s, "dns-answers", {"org": "heron", "answer": "nodata"})
    put(s, "dns-answers", {"org": "egret", "answer": "cname", "target": "walled.example", "ttl": 7})
    ok(soon(lambda: ask(s, HERON, "block.example.").values == ["192.0.2.80"]) is not None, "a category goes to the sinkhole")
    ok(ask(s, HERON, "block.example.", "AAAA").values == ["2001:db8::80"], "by IPv6, too")
    a = ask(s, HERON, "block.example.", "MX")
    ok(a.rcode == "NOERROR" and not a.values and a.ede[0] == 17, "other types are empty, EDE stays", (a.rcode, a.ede))
    soon(lambda: ask(s, EGRET, "www.feed.example.").answers)  # the last of the three
    a = ask(s, UNIT, "www.feed.example.")
    ok(a.rcode == "NOERROR" and not a.values and a.ede[0] == 15, "other categories: NODATA, below it too", (a.rcode, a.ede))
    a = ask(s, EGRET, "www.feed.example.")
    ok(a.answers and a.answers[0][1:] == ("CNAME", 7, "walled.example.") and "192.0.2.99" in a.values and a.ede[0] == 15,
       "the other organisation: a walled garden, resolved", (a.answers, a.ede))
    ok(ask(s, CENTRE, "www.feed.example.").rcode == "NXDOMAIN", "who said nothing: NXDOMAIN")


def ends(s):
    post(s, "block-entries", {"org": "heron", "type": "domain", "value": "ends.example", "reason": "short", "expires_at": in_seconds(4)})
    first = soon(lambda: ask(s, HERON, "ends.example.").ede is not None and ask(s, HERON, "ends.example.").ede[0] == 17)
    ok(first is not None, "an entry that ends is in force")
    ok(until(lambda: ask(s, HERON, "ends.example.").ede[0] == 15, WITHIN + 4), "and leaves by itself: the indicator below it decides again",
       ask(s, HERON, "ends.example.").ede)
    entry = post(s, "block-entries", {"org": "heron", "type": "domain", "value": "kept.example", "reason": "x"})
    ok(soon(lambda: ask(s, HERON, "kept.example.").ede is not None) is not None, "one more")
    ok(s.http("DELETE", f"/api/v1/block-entries/{entry['id']}").status == 204 and
       soon(lambda: is_open(ask(s, HERON, "kept.example."))) is not None, "removed: it is gone within seconds")
    ok(s.http("PATCH", "/api/v1/organisations/unit", {"parent": "egret"}, If_Match="*").status in (200, 428) and
       soon(lambda: ask(s, UNIT, "www.feed.example.").answers[:1] and ask(s, UNIT, "www.feed.example.").answers[0][1] == "CNAME") is not None,
       "a unit that moves has the policy of its new place", ask(s, UNIT, "www.feed.example.").answers)


def deaths(s):
    generation = s.events("zones.compiled")[-1]["generation"]
    os.kill(s.pid("center"), signal.SIGSTOP)
    ok(all(ask(s, HERON, "block.example.").values == ["192.0.2.80"] for _ in range(20)), "the centre does not answer: the policy stays")
    s.kill("zones")
    until(lambda: s.events("zones.compiled")[-1]["generation"] > generation, 20)
    ok(ask(s, HERON, "block.example.").values == ["192.0.2.80"] and is_open(ask(s, HERON, "allowed-feed.feed.example.")),
       "zones killed meanwhile: it compiles what it had, entries and all")
    os.kill(s.pid("center"), signal.SIGKILL)
    until(lambda: s.http("GET", "/livez").status == 200, 30)
    post(s, "block-entries", {"org": "heron", "type": "domain", "value": "kept.example", "reason": "after the death"})
    ok(soon(lambda: ask(s, HERON, "kept.example.").ede is not None) is not None, "the centre killed and back: an entry is in force")
    for role in ("zones", "center", "resolve"):
        s.kill(role)
    ok(until(lambda: (ask(s, HERON, "kept.example.") or Answer(query("x."))).ede is not None, 30), "all three killed: the policy is back")


def restart_with_damage(s):
    s.stop()
    folder = os.path.join(s.data, "snapshot")
    name = open(os.path.join(folder, "dns-current"), encoding="utf-8").read().strip()
    with open(os.path.join(folder, name), "r+b") as f:
        f.seek(120)
        f.write(b"\xff\xff\xff\xff")
    s.start()
    ok(s.wait_event("zones.input_refused", 20), "inputs that were damaged are refused whole, and told of")
    ok(ask(s, HERON, "kept.example.").ede is not None, "the policy before stays in force")
    ok(soon(lambda: s.events("zones.compiled")) is not None and ask(s, HERON, "kept.example.").ede is not None and
       ask(s, HERON, "block.example.").values == ["192.0.2.80"], "and the centre writes them anew")


def published(s, port):
    def records():
        out = subprocess.run(["dig", "+noall", "+answer", "-p", str(port), "@127.0.0.1", "rpz.heron.example", "AXFR"],
                             capture_output=True, text=True, timeout=20).stdout
        return {line.split()[0].removesuffix(".rpz.heron.example."): line.split()[4:] for line in out.splitlines()
                if line and not line.startswith(";") and len(line.split()) > 4}

    got = records()
    ok(got.get("allowed-feed.feed.example") == ["rpz-passthru."] and got.get("block.example") == ["."] and got.get("mal.example") == ["."] and
       got.get("own.example") == ["."] and "egret" not in str(got), "our own zone for heron: its allow list, blocks, feed and indicators",
       {k: got.get(k) for k in ("allowed-feed.feed.example", "block.example", "mal.example", "own.example")})


def main():
    answers_of = {(f"{n}.example.", "*"): [(f"{n}.example.", "A", 60, "192.0.2.1")] for n in NAMES}
    for name in ("www.feed", "allowed-feed.feed", "x.block", "unit.block", "www.all", "x.mal"):
        answers_of[(f"{name}.example.", "*")] = [(f"{name}.example.", "A", 60, "192.0.2.1")]
    answers_of[("late.example.", "*")] = [("late.example.", "A", 60, "198.51.100.66")]
    answers_of[("walled.example.", "*")] = [("walled.example.", "A", 60, "192.0.2.99")]
    port, out = free_port(), free_port()

    def before(s):
        with open(os.path.join(os.path.dirname(s.conf_path), "feed.txt"), "w", encoding="utf-8") as f:
            f.write("feed.example\n")

    with Upstream(answers_of) as up:
        rows = [{"prefix": f"{ip}/32", "org": org} for ip, org in ((HERON, "heron"), (EGRET, "egret"), (UNIT, "unit"), (CENTRE, "centre"))]
        conf = {**without_store(), "resolve": {
            "listen": [f"127.0.0.1@{port}"], "clients": rows, "upstream": [{"zone": ".", "forward": [up.address]}],
            "publish": [{"zone": "rpz.heron.example", "listen": f"127.0.0.1@{out}", "org": "heron", "allow": ["127.0.0.0/8"]}],
            "policy": [{"name": "feed", "list": "feed.txt", "category": "ads"}]}}
        with Server(binary, conf, before=before) as s:
            s.dns = ("127.0.0.1", port)
            for name, kind, parent in (("centre", "centre", None), ("heron", "organisation", "centre"),
                                       ("egret", "organisation", "centre"), ("unit", "unit", "heron")):
                post(s, "organisations", {"name": name, "kind": kind, **({"parent": parent} if parent else {})})
            blocks(s)
            allows(s)
            indicators(s)
            if subprocess.run(["which", "dig"], capture_output=True).returncode == 0:
                published(s, out)
            modes(s)
            answers(s)
            ends(s)
            deaths(s)
            restart_with_damage(s)


main()
done()
