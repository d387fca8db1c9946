#!/usr/bin/env python3
"""A bulk change of 11,000 alerts by filter, undone: all of it, all but what was changed since,
and what a kill in the middle of the change or of its undo left.
bulk_undo.py YAGURA"""

import os
import re
import sqlite3
import sys
import time

from harness import Server, done, note, ok, until
from people_lib import without_store
from rights_lib import finding, findings

yagura = os.path.abspath(sys.argv[1])
ORG, MANY = "heron", 11000
ENDED = ("done", "failed", "cancelled", "interrupted")


def job(s, id_):
    return s.http("GET", f"/api/v1/jobs/{id_}").json()


def follow(s, reply):
    ok(reply.status == 202, "the job is taken", reply)
    id_ = reply.json()["id"]
    steps = set()

    def ended():
        got = job(s, id_)
        if got["state"] == "running":
            steps.add(got["done"])
        return got if got["state"] in ENDED else None
    return until(ended, 120), steps


def bulk(s, to, since=None):
    return s.http("POST", "/api/v1/alerts/bulk", {"filter": {"org": ORG, **({"state": since} if since else {})}, "set": to})


def undo(s, id_):
    return s.http("POST", f"/api/v1/jobs/{id_}/undo")


def states(s):
    """As the database has them: state, assignee and verdict with how many."""
    db = sqlite3.connect(f"file:{s.data}/state/yagura.db?mode=ro", uri=True, timeout=30)
    try:
        return {(a, b, c): n for a, b, c, n in db.execute("SELECT state, assignee, verdict, count(*) FROM alert GROUP BY 1, 2, 3")}
    finally:
        db.close()


def fill(s):
    ok(s.http("POST", "/api/v1/organisations", {"name": ORG}).status == 201, "an organisation")
    for at in range(0, MANY, 1000):
        if not findings(s, 9, at // 1000 + 1, [finding(ORG, n + 1, 1) for n in range(at, at + 1000)]):
            raise AssertionError("findings are not taken")
    ok(states(s) == {("new", "", ""): MANY}, "11,000 new alerts", states(s))


CLOSE = {"state": "closed", "verdict": "benign", "reason": "exercise", "assignee": "hanako"}


def whole(s):
    held = [a["id"] for a in s.http("GET", f"/api/v1/alerts?org={ORG}&limit=100").json()["items"]]
    end, _ = follow(s, s.http("POST", "/api/v1/alerts/bulk", {"ids": held, "set": {"state": "on_hold", "assignee": "jiro"}}))
    before = states(s)
    ok(before == {("new", "", ""): MANY - 100, ("on_hold", "jiro", ""): 100}, "a hundred are on hold", before)
    start = time.monotonic()
    end, steps = follow(s, bulk(s, CLOSE))
    note(f"change: {time.monotonic() - start:.1f} s")
    ok(end["state"] == "done" and end["undo_left"] == MANY and len(steps) > 2, "closed with progress, and it can be undone", [end, steps])
    days = (time.mktime(time.strptime(end["undo_until"][:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())) / 86400
    ok(6.9 < days <= 7, "for seven days", end)
    start = time.monotonic()
    back, steps = follow(s, undo(s, end["id"]))
    note(f"undo: {time.monotonic() - start:.1f} s")
    ok(back["state"] == "done" and back["kind"] == "alert.undo" and len(steps) > 2 and back["result"]["restored"] == MANY and
       back["errors"] == 0, "undone with progress", [back, steps])
    ok(states(s) == before, "every alert is what it was", states(s))
    again = undo(s, end["id"])
    ok(again.status == 409 and job(s, end["id"])["undo_until"] is None, "once", again)
    ok(undo(s, back["id"]).status == 409 and undo(s, "j-none").status == 404, "what cannot be undone")
    log = s.http("GET", "/api/v1/audit-log?action=alert.undo&limit=1").json()["items"]
    ok(log and log[0]["detail"]["job"] == end["id"] and log[0]["detail"]["state"]["from"] == "closed", "in the audit log, by alert", log)


def since(s):
    ids = [a["id"] for a in s.http("GET", f"/api/v1/alerts?org={ORG}&limit=150").json()["items"]]
    end, _ = follow(s, s.http("POST", "/api/v1/alerts/bulk", {"ids": ids, "set": {"assignee": "hanako"}}))
    one = s.http("GET", f"/api/v1/alerts/{ids[7]}").json()
    r = s.http("PATCH", f"/api/v1/alerts/{one['id']}", {"assignee": "saburo"}, If_Match=one["etag"])
    ok(r.status == 200, "another takes one", r)
    code, out, err = s.cli("job", "undo", end["id"])
    ok(code == 0, "undone by the command line", [out, err])
    back = s.http("GET", "/api/v1/jobs?kind=alert.undo&limit=1").json()["items"][0]
    ok(back["result"]["restored"] == 149 and back["result"]["changed_since"] == 1 and back["errors"] == 1 and
       [f["alert"] for f in back["result"]["faults"]] == [one["id"]], "all but that one, counted and named", back)
    ok(s.http("GET", f"/api/v1/alerts/{one['id']}").json()["assignee"] == "saburo", "which stays as it is")


def killed(s):
    before = states(s)
    start = bulk(s, {"assignee": "shiro"}).json()
    until(lambda: job(s, start["id"])["done"] > 2000, 60)
    s.kill_and_wait("center")
    got = until(lambda: (lambda j: j if j["state"] in ENDED else None)(job(s, start["id"])), 30)
    n = sum(n for (_, who, _), n in states(s).items() if who == "shiro")
    ok(got["state"] == "interrupted" and 2000 <= n < MANY and got["undo_left"] == n, "killed in the middle: what it did is kept", [got, n])
    first = undo(s, start["id"]).json()
    until(lambda: job(s, first["id"])["done"] >= 500, 60)
    s.kill_and_wait("center")
    left = job(s, start["id"])["undo_left"]
    ok(job(s, first["id"])["state"] == "interrupted" and 0 < left < n, "the undo is killed, too", [left, n])
    back, _ = follow(s, undo(s, start["id"]))
    ok(back["state"] == "done" and back["result"]["restored"] == left and back["errors"] == 0, "ordered again, it does the rest", back)
    ok(states(s) == before, "every alert is what it was", [states(s), before])


def too_old(s):
    end, _ = follow(s, bulk(s, {"assignee": "goro"}, "on_hold"))
    s.stop()
    db = sqlite3.connect(f"{s.data}/state/yagura.db", timeout=30)
    db.execute("UPDATE job SET finished = finished - 8 * 86400000000 WHERE id = ?", (end["id"],))
    db.commit()
    db.close()
    s.launch()
    s.wait_event("serve.ready", 60)
    r = undo(s, end["id"])
    ok(r.status == 409 and re.search(rb"seven days|nothing of the job", r.body), "after seven days no more", r)


with Server(yagura, without_store()) as s:
    fill(s)
    whole(s)
    since(s)
    killed(s)
    too_old(s)
    ok(s.http("GET", "/api/v1/audit-log/verify").json()["ok"], "the audit log holds")
done()
