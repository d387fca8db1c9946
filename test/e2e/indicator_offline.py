#!/usr/bin/env python3
"""`yagura indicator compile` and `match` as a user meets them, without a server:
lists in, a snapshot, log files against it.  With the real data beside the
project also every real list (the numbers of issue 2) and the 20,000 benign
names.  Argument: the yagura binary."""
import gzip
import json
import os
import subprocess
import sys
import tempfile

from harness import bail, done, note, ok, shared, skip

YAGURA = os.path.abspath(sys.argv[1])


def run(*words, data=b"", want=0):
    p = subprocess.run([YAGURA, "indicator", *words], input=data, capture_output=True, timeout=300)
    if p.returncode != want:
        note(f"{words}: status {p.returncode}: {p.stderr.decode(errors='replace')}")
    return p


def lines(p):
    return [json.loads(x) for x in p.stdout.splitlines()]


def dns(*names):
    return b"".join(json.dumps({"_path": "dns", "ts": 1700000000.5, "id.orig_h": "10.0.0.1", "id.orig_p": 5353,
                                "id.resp_h": "198.51.100.9", "id.resp_p": 53, "query": n}).encode() + b"\n"
                    for n in names)


CSV = b"""indicator,type,category,family
evil.example,domain,malware,fam
.ac.cn,domain,suspicious,domain
198.51.100.9:53,ip-port,malware,dnsbot
nonsense here,domain,malware,x
"""


def made_up(d):
    snap = f"{d}/snap"
    open(f"{d}/bad.csv", "wb").write(CSV)
    open(f"{d}/more.txt", "wb").write(b"# one per line\nhxxp://evil[.]example/x\n203.0.113.0/24\n")
    with gzip.open(f"{d}/hosts.gz", "wb") as f:
        f.write(b"0.0.0.0 exact.example\n")
    p = run("compile", "--json", "--out", snap, f"{d}/bad.csv", f"{d}/more.txt", f"{d}/hosts.gz")
    ok(p.returncode == 0 and lines(p)[0]["indicators"] == 5 and lines(p)[0]["refused"] == 2, "lists of three formats", p.stdout)
    err = p.stderr.decode()
    ok(f"{d}/bad.csv:3: refused: covers the whole public suffix 'ac.cn'" in err, "a public suffix is refused by line", err)
    ok(f"{d}/bad.csv:5: refused: a character" in err, "a bad line is refused by line", err)

    open(f"{d}/dns.json", "wb").write(dns("fine.example", "www.EVIL.example", "exact.example", "x.exact.example"))
    p = run("match", "--snapshot", snap, "--source", "zeek", "--json", f"{d}/dns.json")
    got = [(m["indicator"], m["type"], m["list"], m["family"], m["record"], m["field"]) for m in lines(p)]
    port = ("198.51.100.9:53", "ip-port", "bad", "dnsbot")
    ok(got == [(*port, 1, "dst_ip"), ("evil.example", "domain", "bad", "fam", 2, "query"), (*port, 2, "dst_ip"),
               ("exact.example", "fqdn", "hosts", "", 3, "query"), (*port, 3, "dst_ip"), (*port, 4, "dst_ip")],
       "one line per match", got)
    ok(all(m["file"] == f"{d}/dns.json" and m["value"] for m in lines(p)), "with its file and value")
    q = run("match", "--snapshot", snap, "--source", "zeek", "--json", "-", data=gzip.compress(dns("fine.example", "a.evil.example")))
    ok([m["record"] for m in lines(q) if m["type"] == "domain"] == [2] and lines(q)[0]["file"] == "-", "packed, from standard input")
    q = run("match", "--snapshot", snap, "--source", "zeek", f"{d}/dns.json")
    ok(f"{d}/dns.json:2: query www.evil.example is domain evil.example (bad: malware fam)".encode() in q.stdout.lower(), "and for people", q.stdout)

    p = run("compile", "--quiet", "--out", snap, "--list-name", "one", "--force-suffix", f"{d}/bad.csv")
    q = run("match", "--snapshot", snap, "--source", "zeek", "--json", "-", data=dns("tsinghua.ac.cn"))
    ok([m["list"] for m in lines(q) if m["type"] == "domain"] == ["one"], "a public suffix by force", q.stdout)
    ok(b"\0" not in q.stdout and q.returncode == 0, "clean output")
    open(f"{d}/own.txt", "w").write("evil.example\n")
    run("compile", "--quiet", "--allow", "--out", f"{d}/allow", f"{d}/own.txt")
    q = run("match", "--snapshot", f"{d}/allow", "--source", "zeek", "--json", "-", data=dns("evil.example"))
    ok(q.stdout == b"", "an allow entry alone matches nothing")


def refusals(d):
    whole = open(f"{d}/snap", "rb").read()
    for name, data in (("cut short", whole[:-100]), ("flipped", whole[:500] + bytes([whole[500] ^ 4]) + whole[501:]),
                       ("empty", b""), ("no snapshot", b"x" * 5000), ("longer", whole + b"\0")):
        open(f"{d}/broken", "wb").write(data)
        p = run("match", "--snapshot", f"{d}/broken", "--source", "zeek", "-", want=1)
        ok(p.returncode == 1 and b"snapshot" in p.stderr and p.stdout == b"", f"a snapshot {name} is refused", p.stderr)
        note(p.stderr.decode().strip())
    ok(run("match", "--snapshot", f"{d}/none", "--source", "zeek", "-", want=1).returncode == 1, "a missing snapshot")
    ok(run("match", "--source", "zeek", "-", want=2).returncode == 2, "no snapshot named: wrong usage")
    ok(run("compile", "--out", f"{d}/x", f"{d}/missing.csv", want=1).returncode == 1 and not os.path.exists(f"{d}/x"),
       "a missing list leaves no snapshot")
    ok(run("compile", "--out", f"{d}/no/such/x", f"{d}/more.txt", want=1).returncode == 1, "a place that cannot be written")
    ok(run("match", "--snapshot", f"{d}/snap", "--source", "fax", "-", want=1).returncode in (1, 2), "an unknown source")
    open(f"{d}/cut.gz", "wb").write(gzip.compress(dns(*["evil.example"] * 1000))[:-20])
    p = run("match", "--snapshot", f"{d}/snap", "--source", "zeek", "--json", f"{d}/cut.gz", f"{d}/dns.json", want=1)
    files = {m["file"] for m in lines(p)}
    ok(p.returncode == 1 and b"cut short" in p.stderr and files == {f"{d}/cut.gz", f"{d}/dns.json"},
       "of a cut file what was there is matched, and the files behind it", p.stderr)


def real(d):
    intel = shared() and f"{shared()}/data/intel"
    if not intel or not os.path.isdir(intel):
        skip("all the real lists", "no shared data beside the project")
        return
    lists = sorted(f"{intel}/{f}" for f in os.listdir(intel) if f.endswith(".csv.gz"))
    p = run("compile", "--json", "--out", f"{d}/real", *lists)
    s = lines(p)[0] if p.stdout else bail("compile of the real lists")
    note(p.stdout.decode())
    ok(s["indicators"] > 1600000 and s["bytes_per_indicator"] <= 40, "1.6 million in at most 40 bytes each")
    reasons = {x.split(": ")[2].split(" '")[0] for x in p.stderr.decode().splitlines() if ": refused: " in x}
    note(f"{s['refused']} refused: {sorted(reasons)}")
    ok(s["refused"] < 1000 and any("public suffix" in r for r in reasons), "few lines refused, each with its reason")
    benign = json.load(open(f"{intel}/top20k-benign.json"))["list"]
    q = run("match", "--snapshot", f"{d}/real", "--source", "zeek", "--json", "-", data=dns(*benign))
    hits = lines(q)
    ok(hits and all(m["type"] in ("domain", "fqdn") for m in hits) and len(hits) < 500, "few of the benign names match")
    note(f"{len(hits)} of {len(benign)} benign names match (bench/benign-names lists them)")


with tempfile.TemporaryDirectory() as folder:
    made_up(folder)
    refusals(folder)
    real(folder)
done()
