#!/usr/bin/env python3
"""A backup of a running server, restored into a second data folder: organisations,
alerts, audit log and events are there; a damaged backup is refused.
backup.py YAGURA"""

import glob
import json
import os
import shutil
import subprocess
import sys

from harness import Server, done, need_store, ok, until
from ingest_lib import delivered

yagura = os.path.abspath(sys.argv[1])
need_store()
EACH = 150 + 3  # records, and a detection finding for each match
BIG = 400  # records of one batch that is more than the store gives in one answer
CONF = {"store": {"result_bytes": "1MiB"}}


def run(server, *words):
    argv = [yagura, *words]
    if server is not None:
        argv += ["--socket", os.path.join(server.data, "run/api.sock")]
    p = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return p.returncode, p.stdout, p.stderr


def get(server, path):
    return server.http("GET", path).json()


def count_events(server, org):
    reply = server.http("GET", f"/api/v1/events?org={org}&from=2020-01-01T00:00:00Z&limit=200")
    return len(reply.json().get("items", [])) if reply.status == 200 else -1


def fill(s):
    for name in ("alpha", "beta"):
        ok(run(s, "org", "add", name)[0] == 0, f"organisation {name}")
    body = {"name": "test", "tlp": "green"}
    ok(s.http("POST", "/api/v1/indicator-lists", body=body).status == 201, "a list")
    body = {"list": "test", "type": "domain", "value": "evil.example"}
    ok(s.http("POST", "/api/v1/indicators", body=body).status == 201, "an indicator")
    ok(until(lambda: any(x["current"] and x["indicators"] > 0 for x in get(s, "/api/v1/snapshots")["items"]), 30), "it is compiled")
    log = os.path.join(os.path.dirname(s.log_path), "dns.log")
    with open(log, "w", encoding="ascii") as f:
        for i in range(150):
            f.write(json.dumps({"ts": 1767225600.0 + i, "uid": f"C{i}", "id.orig_h": "10.0.0.5", "id.orig_p": 5353, "id.resp_h": "10.0.0.1",
                                "id.resp_p": 53, "proto": "udp", "query": "www.evil.example" if i % 50 == 0 else f"n{i}.good.example",
                                "qtype_name": "A", "_path": "dns"}) + "\n")
    for org in ("alpha", "beta"):
        code, out, err = run(s, "event", "import", "--org", org, "--source", "zeek", log)
        ok(code == 0, f"events of {org}", out + err)
    ok(until(lambda: count_events(s, "alpha") == EACH and count_events(s, "beta") == EACH, 40), "events are searchable",
       [count_events(s, "alpha"), count_events(s, "beta")])
    ok(until(lambda: len(get(s, "/api/v1/alerts")["items"]) == 2, 30), "alerts are there", get(s, "/api/v1/alerts"))


def fill_big(s):
    ok(run(s, "org", "add", "gamma")[0] == 0, "organisation gamma")
    log = os.path.join(os.path.dirname(s.log_path), "big.log")
    with open(log, "w", encoding="ascii") as f:
        for i in range(BIG):
            f.write(json.dumps({"ts": 1767225600.0 + i, "uid": f"B{i}", "id.orig_h": "10.0.0.6", "id.orig_p": 5353, "id.resp_h": "10.0.0.1",
                                "id.resp_p": 53, "proto": "udp", "query": "big.good.example", "_path": "dns", "pad": "x" * 6000}) + "\n")
    code, out, err = run(s, "event", "import", "--org", "gamma", "--source", "zeek", log)
    ok(code == 0 and delivered(s, BIG, 40, "org = 'gamma'") == BIG, "a batch larger than an answer of the store", out + err)


def remove(t):
    """An organisation goes with all that is its own; the others and the audit log stay."""
    ok(t.http("DELETE", "/api/v1/organisations/beta").status == 409, "one that owns data is not removed")
    reply = t.http("DELETE", "/api/v1/organisations/beta?force=true")
    if not ok(reply.status == 202, "but by a job", reply.body):
        return
    job = reply.json()["id"]
    state = until(lambda: get(t, f"/api/v1/jobs/{job}")["state"] in ("done", "failed") and get(t, f"/api/v1/jobs/{job}"), 60)
    ok(state and state["state"] == "done", "which ends well", state)
    alpha = count_events(t, "alpha")
    ok(alpha > 150 and t.http("GET", "/api/v1/organisations/beta").status == 404, "it is gone", alpha)
    ok(all(a["org"] == "alpha" for a in get(t, "/api/v1/alerts")["items"]), "with its alerts")
    found = t.http("GET", "/api/v1/events?from=2020-01-01T00:00:00Z&limit=200&q=10.0.0.5").json()["items"]
    ok(found and all(e["org"] == "alpha" for e in found), "and its events")
    entries = get(t, "/api/v1/audit-log?limit=200")["items"]
    ok(any(e["org"] == "beta" and e["action"] == "org.add" for e in entries), "entries of the audit log stay")
    ok(run(t, "audit-log", "verify")[0] == 0, "and the log is whole")


def main():
    with Server(yagura, CONF) as s:
        fill(s)
        fill_big(s)
        first = {a["id"]: a["count"] for a in get(s, "/api/v1/alerts")["items"]}
        code, out, err = run(s, "backup", "create")
        ok(code == 0, "backup create while it runs", out + err)
        backups = glob.glob(os.path.join(s.data, "state/backups/2*"))
        if not ok(len(backups) == 1, "one backup is there", os.listdir(os.path.join(s.data, "state"))):
            done()
        base = os.path.dirname(s.log_path)
        backup = os.path.join(base, "backup")
        shutil.copytree(backups[0], backup)
        code, out, err = run(None, "backup", "verify", backup, "--json")
        ok(code == 0 and json.loads(out)["event_rows"] == 2 * EACH + BIG, "backup verify", out + err)
        code, out, err = run(s, "backup", "list", "--json")
        ok(code == 0 and os.path.basename(backups[0]) in out, "backup list", out + err)
        head = json.loads(run(None, "backup", "verify", backup, "--json")[1])["audit_head"]
        code, out, err = run(s, "audit-log", "verify", "--head", head)
        ok(code == 0, "the backup's head is an anchor for the log", out + err)

        second = os.path.join(base, "second")
        code, out, err = run(None, "backup", "restore", backup, "--data", second)
        ok(code == 0, "backup restore", out + err)
        ok(run(None, "backup", "restore", backup, "--data", second)[0] == 7, "not into a folder that is used")
        with Server(yagura, data=second) as t:
            ok(until(lambda: count_events(t, "alpha") == EACH and count_events(t, "beta") == EACH, 60), "the events are loaded",
               [count_events(t, "alpha"), count_events(t, "beta"), t.log()[-1500:]])
            ok(delivered(t, BIG, 60, "org = 'gamma'") == BIG, "the large batch too")
            ok(until(lambda: not os.path.exists(os.path.join(second, "state/restore/columns")), 30), "nothing waits any more")
            ok({a["id"]: a["count"] for a in get(t, "/api/v1/alerts")["items"]} == first, "the alerts are the same")
            some = next(iter(first))
            links = get(t, f"/api/v1/alerts/{some}/events")["items"]
            ok(len(links) == 3 and all(t.http("GET", f"/api/v1/events/{e['event']}").status == 200 for e in links),
               "links of an alert lead to its events", links)
            ok(run(t, "audit-log", "verify", "--head", head)[0] == 0, "the log goes on from the backup")
            # life goes on: new events and findings are taken
            log = os.path.join(base, "dns.log")
            with open(log, "a", encoding="ascii") as f:
                f.write(json.dumps({"ts": 1767226600.0, "uid": "Cx", "id.orig_h": "10.0.0.5", "id.orig_p": 1, "id.resp_h": "10.0.0.1",
                                    "id.resp_p": 53, "proto": "udp", "query": "evil.example", "qtype_name": "A", "_path": "dns"}) + "\n")
            new = os.path.join(base, "new.log")
            shutil.copy(log, new)
            code, out, err = run(t, "event", "import", "--org", "alpha", "--source", "zeek", new)
            ok(code == 0 and until(lambda: sum(a["count"] for a in get(t, "/api/v1/alerts")["items"]) > sum(first.values()), 40),
               "new findings join after a restore", out + err)

            checks = {c["name"]: c["state"] for c in get(t, "/api/v1/doctor")["checks"]}
            ok(checks.get("state.integrity") == "ok" and checks.get("audit_log.chain") == "ok", "doctor finds the state whole", checks)
            remove(t)

        # a damaged backup
        with open(os.path.join(backup, "state.db"), "r+b") as f:
            f.seek(5000)
            f.write(b"\xff")
        code, out, err = run(None, "backup", "verify", backup)
        ok(code == 3 and "state.db" in err, "damage is found and named", out + err)
        third = os.path.join(base, "third")
        ok(run(None, "backup", "restore", backup, "--data", third)[0] != 0 and not os.path.exists(third)
           and not glob.glob(third + "*"), "and nothing is restored from it")
    done()


main()
