"""A DNS policy without a server: `dns compile` and `dns check` as people use them, with
files packed and plain, several organisations, and everything that can be wrong with them.
Usage: dns_offline.py YAGURA"""
import gzip
import json
import os
import subprocess
import sys
import tempfile

from harness import done, ok

yagura = os.path.abspath(sys.argv[1])
ZONE = """$TTL 1h
$ORIGIN feed.rpz.
@ IN SOA localhost. root.localhost. ( 7 3600 ; refresh
    600 86400 60 )
  NS localhost.
bad.example CNAME .
*.bad.example CNAME .
ok.bad.example CNAME rpz-passthru.
garden.example CNAME *.walled.example.
data.example A 192.0.2.1
data.example AAAA 2001:db8::1
32.7.2.0.192.rpz-client-ip CNAME rpz-drop.
24.5.2.0.192.rpz-ip CNAME .
out.of.zone. CNAME .
"""


def run(*args):
    return subprocess.run([yagura, *args], capture_output=True, text=True)


def write(name, text):
    with open(name, "w") as f:
        f.write(text)


def check(*args):
    r = run("dns", "check", "--snapshot", "policy.ygs", *args)
    return [json.loads(line) for line in r.stdout.splitlines()]


with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    os.mkdir("zones")
    with gzip.open("zones/feed.zone.gz", "wt") as f:
        f.write(ZONE)
    write("zones/names.txt", "listed.example\n||ads.example^\n@@||good.ads.example^\n0.0.0.0 host.example\ncom\nhttp://x/\n")
    write("zones/ours.txt", "bad.example\n")
    write("zones/policy.yaml", """policy:
  - {name: feed, rpz: feed.zone.gz, category: malware}
  - {name: names, list: names.txt, sinkhole: [192.0.2.99]}
  - {name: ours, list: ours.txt, layer: org-allow, organisation: one}
modes:
  - {organisation: two, layer: centre-zone, mode: audit-only}
answers:
  - {organisation: three, category: malware, answer: cname help.three.example}
""")
    r = run("dns", "compile", "--json", "--out", "policy.ygs", "zones/policy.yaml")
    ok(r.returncode == 0, "a policy is compiled", r.stderr)
    got = json.loads(r.stdout)
    feed, names = got["zones"][0], got["zones"][1]
    ok(feed["taken"] == 7 and feed["refused"] == 1 and feed["out_of_zone"] == 1 and feed["serial"] == 7, "records are counted", feed)
    ok(feed["refused_records"] == [{"line": 13, "reason": "the address has bits behind its prefix length",
                                    "record": "24.5.2.0.192.rpz-ip.feed.rpz"}], "what is refused is named with its reason", feed)
    ok([x["line"] for x in names["refused_records"]] == [5, 6], "so it is in lists", names)

    by_name = {v["name"]: v for v in check("bad.example", "x.bad.example", "x.ok.bad.example", "ok.bad.example", "garden.example",
                                           "data.example", "listed.example", "x.ads.example", "x.good.ads.example", "host.example",
                                           "x.host.example", "x.com", "UPPER.BAD.Example")}
    want = {"bad.example": "nxdomain", "x.bad.example": "nxdomain", "x.ok.bad.example": "none", "ok.bad.example": "passthru",
            "garden.example": "cname", "data.example": "data", "listed.example": "data", "x.ads.example": "data",
            "x.good.ads.example": "passthru", "host.example": "data", "x.host.example": "none", "x.com": "none",
            "UPPER.BAD.Example": "nxdomain"}
    ok({k: v["action"] for k, v in by_name.items()} == want, "names are judged", by_name)
    v = by_name["x.bad.example"]
    ok((v["zone"], v["trigger"], v["record"], v["layer"], v["ede"], v["text"]) ==
       ("feed", "qname", "*.bad.example", "centre-zone", 15, "malware: feed"), "and say by what", v)
    ok(by_name["garden.example"]["target"] == "*.walled.example", "a wildcard target is shown", by_name["garden.example"])
    one, two, three = (check("--org", o, "bad.example")[0] for o in ("one", "two", "three"))
    ok(one["action"] == "passthru" and one["zone"] == "ours", "an organisation's allow list comes first", one)
    ok(two["action"] == "none" and two["noted"][0]["action"] == "nxdomain", "audit-only notes and goes on", two)
    ok(three["action"] == "cname" and three["target"] == "help.three.example", "a refusal becomes the organisation's answer", three)
    v = check("--client", "192.0.2.7", "nothing.example")[0]
    ok(v["action"] == "drop" and v["trigger"] == "client-ip" and v["record"] == "32.7.2.0.192.rpz-client-ip", "a client's address decides", v)

    # what is wrong leaves the snapshot that is there
    before = open("policy.ygs", "rb").read()

    def fails(what, text, *want):
        r = run("dns", "compile", "--out", "policy.ygs", "zones/wrong.yaml")
        ok(r.returncode != 0 and all(w in r.stderr for w in want) and open("policy.ygs", "rb").read() == before and
           not [f for f in os.listdir(".") if "tmp" in f], what, r.stderr)

    write("zones/broken.zone", ZONE + "x.example A 1.2.3\n")
    for what, policy, want in (
            ("an error of syntax", "policy: [{name: a, rpz: broken.zone}]", "zones/broken.zone: line 15, column 13: not an IPv4 address"),
            ("a file that is not there", "policy: [{name: a, rpz: none.zone}]", "zones/none.zone"),
            ("a key that is not known", "policy:\n- {name: a, rpz: x, foo: 1}\n", "zones/wrong.yaml:2: foo: there is no such key"),
            ("a zone by transfer", "policy: [{name: a, axfr: 127.0.0.1@53, zone: a.example}]", "known to a running resolver only"),
            ("one name twice", "policy: [{name: a, list: ours.txt}, {name: a, list: ours.txt}]", "the name stands twice"),
            ("no YAML", "policy: [", "zones/wrong.yaml:2: not YAML")):
        write("zones/wrong.yaml", policy)
        fails(what, policy, want)
    with open("zones/cut.zone.gz", "wb") as f:
        f.write(open("zones/feed.zone.gz", "rb").read()[:-20])
    write("zones/wrong.yaml", "policy: [{name: a, rpz: cut.zone.gz}]")
    fails("a compressed file that is cut short", "", "cut.zone.gz: ")

    write("damaged", "")
    with open("damaged", "wb") as f:
        f.write(before[:-1] + bytes([before[-1] ^ 1]))
    r = run("dns", "check", "--snapshot", "damaged", "bad.example")
    ok(r.returncode != 0 and "checksum" in r.stderr, "a damaged snapshot is refused", r.stderr)
    r = run("dns", "check", "--snapshot", "policy.ygs", "a..b")
    ok(r.returncode != 0 and r.stderr.startswith("yagura: "), "what is no name is refused", r.stderr)
done()
