"""Detection rules live: a rule is added through the API, an event comes, an alert goes out
with what the match read; stages, overrides, exceptions, organisations; rules that are
swapped under load and processes killed in the middle lose and double nothing; a damaged
snapshot is refused."""

import datetime
import json
import os
import sqlite3
import sys
import threading
import time

from harness import Server, done, library, note, ok, until
from ingest_lib import delivered, doubles, number, stats, submit
from people_lib import without_store

STORE = library() is not None
API = "/api/v1/detection-rules"


def rule(name, where, more=""):
    return (f"title: {name}\nname: {name}\nlevel: high\ntags: [attack.t1059.001]\n"
            f"logsource: {{product: windows, category: process_creation}}\n"
            f"detection:\n  s: {{{where}}}\n  condition: s\n{more}")


def starts(n, host, image="evil.exe", user="bob"):
    return b"".join(json.dumps({
        "Channel": "Security", "EventID": 4688, "Computer": f"{host}-{i}" if n > 1 else host,
        "TimeCreated": "2026-01-01T00:00:00Z", "SubjectUserName": user,
        "NewProcessName": f"C:\\tools\\{image}", "CommandLine": f"{image} -x {host} {i}"}).encode() + b"\n"
        for i in range(n))


def soon(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


RULES = {"live": "Image|endswith: \\evil.exe, CommandLine|contains: -x", "audit": "Image|endswith: \\evil.exe",
         "test": "Image|endswith: \\evil.exe"}


class Live:
    def __init__(self, s):
        self.s = s
        self.sent = 0

    def generation(self):
        return (stats(self.s) or {}).get("rules_generation", 0)

    def settled(self):
        """Everything that was changed is compiled, and in force."""
        db = sqlite3.connect(f"file:{self.s.data}/state/yagura.db?mode=ro", uri=True, timeout=30)
        try:
            (open_,) = db.execute("SELECT changes - compiled FROM detect_change WHERE id = 1").fetchone()
            newest = db.execute("SELECT generation, state FROM detect_snapshot ORDER BY generation DESC").fetchone()
        finally:
            db.close()
        return open_ == 0 and newest == (self.generation(), "ready")

    def call(self, method, path, body=None, want=(200, 201, 204), **headers):
        r = self.s.http(method, path, body, **headers)
        if r.status not in want:
            ok(False, f"{method} {path}", f"{r.status} {r.body[:600]}")
        if not until(self.settled, 20, 0.05):
            ok(False, f"{method} {path} is in force", str(stats(self.s)))
        return json.loads(r.body) if r.body else {}

    def add(self, text, org=None, stage="live"):
        return self.call("POST", API, {"org": org, "collection": "test", "stage": stage, "text": text})["id"]

    def stage(self, uid, stage):
        tag = json.loads(self.s.http("GET", f"{API}/{uid}").body)["etag"]
        self.call("PATCH", f"{API}/{uid}", {"stage": stage}, If_Match=tag)

    def send(self, body, org):
        self.sent += body.count(b"\n")
        submit(self.s, body, org=org, source="windows", batch_id=f"b{self.sent}")

    def counted(self, **want):
        """Waits until the workers' counters stand so."""
        def look():
            p = (stats(self.s) or {"spools": [{}]})["spools"][0]
            return all(p.get(k) == v for k, v in want.items()) and p
        return until(look, 20, 0.05)

    def alerts(self, org="", n=None):
        def look():
            r = self.s.http("GET", f"/api/v1/alerts?limit=200{'&org=' + org if org else ''}")
            items = [a for a in json.loads(r.body)["items"] if a["indicator_type"] == "rule"]
            return items if n is None or len(items) >= n else None
        return until(look, 20, 0.1) if n else look()


def conf():
    return {"ingest": {"workers": 1, "deliver": "100ms"}, "process": {"restart_max": "300ms"}, **without_store()}


def orgs(s):
    for name, parent in (("isp", None), ("north", "isp"), ("other", None)):
        r = s.http("POST", "/api/v1/organisations", {"name": name, "title": name, "parent": parent})
        ok(r.status == 201, f"organisation {name}", r.body)


def basics(s, v):
    live = v.add(rule("live", RULES["live"]), org="isp")
    audit = v.add(rule("audit", RULES["audit"]), stage="audit-only")
    test = v.add(rule("test", RULES["test"]), stage="test")
    ok((stats(s) or {}).get("rules") == 3, "three rules are in force", str(stats(s)))
    v.send(starts(1, "pc1"), "north")
    got = v.counted(rule_hits=3, rule_findings=2)
    ok(got, "one event, three hits, two findings: test is counted alone", str(stats(s)))
    v.send(starts(1, "pc1"), "other")
    ok(v.counted(rule_hits=5, rule_findings=3), "a rule of one organisation is none of another's", str(stats(s)))
    if STORE:
        a = v.alerts(n=1)
        ok(a and len(a) == 1 and a[0]["org"] == "north" and a[0]["indicator"] == live and a[0]["asset"] == "pc1" and
           a[0]["title"] == "live" and a[0]["severity_id"] == 4 and a[0]["family"] == "T1059.001", "an alert", str(a))
        e = json.loads(s.http("GET", f"/api/v1/alerts/{a[0]['id']}/events").body)["items"][0]
        fields = {f["name"]: f["value"] for f in e["fields"]}
        ok(fields.get("Image") == "C:\\tools\\evil.exe" and fields.get("CommandLine", "").startswith("evil.exe -x") and
           e["historical"] is False, "with the fields that matched", str(e))
        status, out, err = s.cli("alert", "show", a[0]["id"], "--json")
        ok(status == 0 and {"name": "Image", "value": "C:\\tools\\evil.exe"} in json.loads(out).get("matched", []),
           "`alert show` has them", out + err)
        ok(delivered(s, 3, 20, "class_uid = 2004 AND log_name = 'rule'") == 3, "audit-only is a row among the events")
    return live, audit


def agree(s, v):
    """The same records, offline and live: as many matches."""
    rules, records = os.path.join(s.data, "rules"), os.path.join(s.data, "records.json")
    os.mkdir(rules)
    for name, where in RULES.items():
        with open(os.path.join(rules, f"{name}.yml"), "w", encoding="utf-8") as f:
            f.write(rule(name, where))
    body = starts(3, "same") + starts(2, "same", image="good.exe") + starts(2, "EVIL.EXE", image="Evil.Exe") + b"{broken\n"
    with open(records, "wb") as f:
        f.write(body)
    status, out, err = s.cli("detect", "run", "--rules", rules, "--source", "windows", records, "--json")
    want = sum("record" in json.loads(line) for line in out.splitlines())
    have = stats(s)["spools"][0]["rule_hits"]
    v.send(body, "isp")
    ok(status == 0 and want == 15 and v.counted(rule_hits=have + want), "live finds what `detect run` finds",
       f"{want} {err} {stats(s)}")


def overrides_and_exceptions(s, v, live, audit):
    have = stats(s)["spools"][0]
    hits, excepted, findings = have["rule_hits"], have["rule_hits_excepted"], have["rule_findings"]
    v.call("PUT", f"{API}/{audit}/overrides/isp", {"stage": "off", "reason": "too loud"})
    v.send(starts(1, "pc2"), "north")
    ok(v.counted(rule_hits=hits + 2, rule_findings=findings + 1), "an override turns a rule off below its node",
       str(stats(s)))
    v.call("POST", "/api/v1/detection-exceptions",
           {"rule": live, "org": "north", "text": "s: {SubjectUserName: backup}\ncondition: s\n", "reason": "known"})
    v.send(starts(1, "pc3", user="backup"), "north")
    ok(v.counted(rule_hits=hits + 3, rule_hits_excepted=excepted + 1, rule_findings=findings + 1),
       "an exception: counted, and nothing else", str(stats(s)))
    v.send(starts(1, "pc3", user="backup"), "isp")
    ok(v.counted(rule_hits=hits + 5, rule_findings=findings + 2), "it holds for its organisation", str(stats(s)))
    ends = time.monotonic() + 3.5
    v.call("POST", "/api/v1/detection-exceptions",
           {"rule": None, "org": "isp", "text": "s: {SubjectUserName: guest}\ncondition: s\n", "reason": "today",
            "expires_at": soon(3)})
    v.send(starts(1, "pc4", user="guest"), "isp")
    ok(v.counted(rule_hits=hits + 5, rule_hits_excepted=excepted + 3), "one that ends holds until then", str(stats(s)))
    time.sleep(max(0, ends - time.monotonic()))
    v.send(starts(1, "pc4", user="guest"), "isp")
    ok(v.counted(rule_hits=hits + 7, rule_hits_excepted=excepted + 3), "and no longer", str(stats(s)))


def under_load(s, v, live):
    """Rules change and processes die while events come: each event is one finding of the rule."""
    was = stats(s)["spools"][0]
    stop = threading.Event()
    sent = [0]

    def load():
        while not stop.is_set():
            k = sent[0]
            submit(s, starts(50, f"load{k}"), org="north", source="windows", batch_id=f"load{k}")
            sent[0] += 1
            time.sleep(0.02)

    before = v.generation()
    worker = threading.Thread(target=load)
    worker.start()
    for k in range(4):
        v.add(rule(f"more{k}", "Image|endswith: \\nothing.exe"), org="isp", stage="test")
        if STORE and k == 1:
            s.kill_and_wait("ingest")
        if STORE and k == 2:
            s.kill_and_wait("center")
    stop.set()
    worker.join()
    note(f"{sent[0]} batches of 50 events while the rules changed, generation {before} to {v.generation()}")
    ok(v.generation() >= before + 4, "rules were swapped under load")
    if not STORE:  # nothing is delivered, and nobody died: it waits, and the counters say what was asked
        want = {"rule_hits": was["rule_hits"] + 2 * 50 * sent[0], "rule_findings": was["rule_findings"] + 50 * sent[0]}
        ok(v.counted(**want), "every event was asked of the rules, once", f"{want}: {stats(s)}")
        spool = stats(s)["spools"][0]
        ok(spool["refused_full"] == 0 and spool["bytes"] < spool["bytes_max"] // 10, "the spool has room", spool)
        return
    want = sent[0] * 50
    where = f"class_uid = 2004 AND log_name = 'rule' AND indicator = '{live}' AND host LIKE 'load%'"
    got = delivered(s, want, 40, where)
    ok(got == want, "every event is one finding", f"{got} of {want}")
    ok(number(s, f"SELECT uniqExact(host) FROM yagura.event WHERE {where}") == want and doubles(s) == 0,
       "each of its own, none twice")

    def total():
        c = s.http("GET", f"/api/v1/alert-groups?by=indicator&indicator={live}")
        items = [g for g in json.loads(c.body)["items"] if g["key"] == live] if c.status == 200 else []
        return items[0]["findings"] if items else 0
    loud = number(s, f"SELECT count() FROM yagura.event WHERE class_uid = 2004 AND log_name = 'rule' AND indicator = '{live}'")
    until(lambda: total() == loud, 30, 0.2)
    ok(total() == loud, "alerts count as many, nothing lost or doubled", f"{total()} of {loud}")


def damaged(s, v):
    folder = os.path.join(s.data, "snapshot")
    ok(s.stop() == 0, "it drains")
    with open(os.path.join(folder, "detect-current"), encoding="ascii") as f:
        name = f.read().strip()
    with open(os.path.join(folder, name), "r+b") as f:
        f.seek(1000)
        byte = f.read(1)
        f.seek(1000)
        f.write(bytes([byte[0] ^ 1]))
    s.launch()
    s.wait_event("serve.ready", 60)
    bad = s.wait_event("ingest.snapshot_bad", 20)
    ok(bad and bad.get("of") == "rules", "a damaged snapshot is refused, and told", str(bad))
    ok(until(lambda: (stats(s) or {}).get("rules_refused") == 1, 10), "and counted", str(stats(s)))
    ok(until(lambda: (stats(s) or {}).get("rules", 0) > 0, 20), "it is compiled again, and in force", str(stats(s)))
    names = ("yagura_ingest_rules_generation{", "yagura_ingest_rules_refused{", "yagura_ingest_spools_rule_hits{")
    ok(until(lambda: all(n in s.http("GET", "/metrics").body.decode() for n in names), 20, 0.5), "/metrics has them")


with Server(sys.argv[1], conf()) as s:
    v = Live(s)
    orgs(s)
    live, audit = basics(s, v)
    agree(s, v)
    overrides_and_exceptions(s, v, live, audit)
    under_load(s, v, live)
    damaged(s, v)
    ok(s.stop() == 0, "it drains")
done()
