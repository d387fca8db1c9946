"""A rule tried over a day is asked as it would be live: a filter narrows it, and overrides and
exceptions of the rule of its id hold.  Usage: detect_try.py YAGURA"""
import json
import sys

from harness import Server, bail, done, library, ok, skip, until
from ingest_lib import delivered, submit

ID = "11111111-1111-4111-8111-111111111111"
RULE = (f"title: evil\nid: {ID}\nlevel: high\nlogsource: {{product: windows, category: process_creation}}\n"
        "detection:\n  s: {Image|endswith: '\\evil.exe'}\n  condition: s\n")
FILTER = (f"title: not of backups\nlogsource: {{product: windows, category: process_creation}}\nfilter:\n  rules: [{ID}]\n"
          "  s: {User: backup}\n  condition: not s\n")


def start(host, user):
    return json.dumps({"Channel": "Security", "EventID": 4688, "Computer": host, "TimeCreated": "2026-01-01T10:00:00Z",
                       "SubjectUserName": user, "NewProcessName": "C:\\evil.exe", "CommandLine": "x"}).encode() + b"\n"


def tried(s, text=RULE):
    made = s.http("POST", "/api/v1/detection-rules/try", {"text": text, "day": "2026-01-01"})
    if made.status != 202:
        ok(False, "it is tried", made)
        return {}
    job = until(lambda: (j := s.http("GET", f"/api/v1/jobs/{made.json()['id']}").json())["state"] not in ("queued", "running") and j, 60, 0.1)
    return {(a["org"], a["asset"]) for a in job["result"]["assets"]} if job and job["state"] == "done" else job


def call(s, method, path, body):
    r = s.http(method, path, body)
    if r.status not in (200, 201, 204):
        bail(f"{method} {path}: {r.status} {r.body[:300]}")
    return r.json() if r.body else {}


if library() is None:
    skip("tries", "there is no event store")
    done()
    sys.exit(0)
with Server(sys.argv[1], {"ingest": {"workers": 1, "deliver": "100ms"}}) as s:
    for name in ("north", "south"):
        call(s, "POST", "/api/v1/organisations", {"name": name, "title": name})
    for org in ("north", "south"):
        submit(s, start("pc1", "eve") + start("pc2", "backup") + start("pc3", "carol"), org=org, source="windows", batch_id=org)
    ok(delivered(s, 6, 30, "event_code = '4688'") == 6, "events are there")
    every = {(o, f"pc{n}") for o in ("north", "south") for n in (1, 2, 3)}
    ok(tried(s) == every, "a rule that is not kept yet", tried(s))
    rule = call(s, "POST", "/api/v1/detection-rules", {"org": None, "text": RULE, "stage": "test"})["id"]
    ok(tried(s) == every, "one that is")
    call(s, "POST", "/api/v1/detection-exceptions",
         {"rule": rule, "org": "north", "text": "s: {Computer: pc3}\ncondition: s\n", "reason": "known"})
    ok(tried(s) == every - {("north", "pc3")}, "an exception keeps out what it covers, where it holds", tried(s))
    ok(tried(s, RULE.replace(ID, "2" + ID[1:])) == every, "of another rule it does not")
    call(s, "POST", "/api/v1/detection-rules", {"org": None, "text": FILTER, "stage": "live"})
    ok(tried(s) == every - {("north", "pc3"), ("north", "pc2"), ("south", "pc2")}, "a filter narrows it", tried(s))
    call(s, "PUT", f"/api/v1/detection-rules/{rule}/overrides/south", {"stage": "off", "reason": "too loud"})
    ok(tried(s) == {("north", "pc1")}, "where it is off it finds nothing", tried(s))
    ok(s.stop() == 0, "it drains")
done()
