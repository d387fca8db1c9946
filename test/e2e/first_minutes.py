"""The first five minutes of a new user, as the README tells them, and the way
of one alert from a log line to an allow entry.  Arguments: yagura."""
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Server, done, need_store, ok, until  # noqa: E402

need_store()
binary = os.path.abspath(sys.argv[1])


class Said:
    """A command's answer by name."""

    def __init__(self, answer):
        self.returncode, self.stdout, self.stderr = answer


def lines(reply):
    return [json.loads(x) for x in reply.stdout.splitlines() if x.startswith("{")]


with Server(binary) as s:
    def cli(*words):
        return Said(s.cli(*words))

    made = cli("demo", "load", "--records", "6000")
    ok(made.returncode == 0, "demo load", made.stderr)
    orgs = lines(cli("org", "list", "--json", "--limit", "0"))
    ok(len(orgs) == 12 and all(o["demo"] for o in orgs), "twelve organisations, marked as made up")
    ok(until(lambda: len(lines(cli("alert", "list", "--json"))) > 5, 60), "known-bad things in the logs became alerts")
    again = cli("demo", "load", "--records", "6000")
    ok(again.returncode == 0 and len(lines(cli("org", "list", "--json", "--limit", "0"))) == 12, "a second load adds nothing", again.stderr)

    alerts = lines(cli("alert", "list", "--json", "--state", "new", "--limit", "0"))
    told = [x["title"] for x in alerts if x["indicator_type"] == "rule"]
    ok(any("sign-ins" in x for x in told) and any("files of many" in x for x in told), "rules tell of what single events do not show", told)
    alerts = [x for x in alerts if x["indicator_type"] not in ("rule", "notice")]
    a = alerts[0]["id"]
    evidence = lines(cli("alert", "events", a, "--json"))
    ok(len(evidence) >= 1 and evidence[0]["value"], "an alert has evidence, with what was found", evidence)
    ok(until(lambda: cli("event", "show", evidence[0]["event"], "--json").returncode == 0, 30), "the event can be read")
    event = lines(cli("event", "show", evidence[0]["event"], "--json"))[0]
    ok(event["org"] == alerts[0]["org"] and event["raw"], "it belongs to the alert's organisation and has its record")
    found = lines(cli("event", "search", "--from", "now-2d", "--json", "--limit", "0", alerts[0]["indicator"]))
    ok(any(e["id"] == evidence[0]["event"] for e in found), "a search for the indicator finds it", [e["id"] for e in found][:5])

    ok(cli("alert", "close", a, "--verdict", "maybe", "--reason", "x").returncode != 0, "an unknown verdict is refused")
    ok(cli("alert", "close", a, "--verdict", "true", "--reason", "host reinstalled").returncode == 0, "closed with verdict and reason")
    history = lines(cli("alert", "history", a, "--json"))
    ok(any("closed" in json.dumps(h["detail"]) for h in history), "the change is in its history", history)

    b = alerts[1]
    reply = cli("alert", "allow", b["id"], "--reason", "our own scanner", "--expires", "30d")
    allowed = lines(cli("indicator", "allowed", "--json"))
    ok(reply.returncode == 0 and [w["value"] for w in allowed] == [b["indicator"]] and allowed[0]["expires_at"],
       "a false positive became an allow entry with an expiry", reply.stderr)
    ok(lines(cli("alert", "show", b["id"], "--json"))[0]["state"] == "closed", "and its alert is closed")

    verify = cli("audit-log", "verify")
    head = re.search(r"head (\S+)", verify.stdout)
    ok(verify.returncode == 0 and head, "the audit log holds", verify.stdout)
    ok(cli("audit-log", "verify", "--head", head.group(1)).returncode == 0, "and fits the head noted before")
    doctor = cli("doctor")
    ok(doctor.returncode == 0 and not re.search(r"^fail", doctor.stdout, re.M), "the doctor finds nothing broken", doctor.stdout)

    # the state database with one entry changed by somebody with the file
    copy = tempfile.mkdtemp()
    try:
        file = os.path.join(copy, "yagura.db")
        with sqlite3.connect(os.path.join(s.data, "state/yagura.db")) as live, sqlite3.connect(file) as to:
            live.backup(to)
        ok(cli("audit-log", "verify", "--state", file).returncode == 0, "the copy verifies without a server")
        with sqlite3.connect(file) as db:
            for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {trigger}")
            db.execute("UPDATE audit_log SET actor = 'somebody' WHERE seq = 5")
        bad = cli("audit-log", "verify", "--state", file)
        ok(bad.returncode == 3 and "5" in bad.stdout, "after tampering it says which entry does not fit", bad.stdout + bad.stderr)
    finally:
        shutil.rmtree(copy)

    log = os.path.join(copy + ".log")
    with open(log, "w") as f:
        for i in range(3000):
            f.write(json.dumps({"_path": "dns", "ts": 1760000000 + i, "uid": f"C{i}", "id.orig_h": "192.0.2.1", "id.orig_p": 5353,
                                "id.resp_h": "192.0.2.53", "id.resp_p": 53, "proto": "udp", "query": f"h{i}.example.org"}) + "\n")
    try:
        count = "SELECT count() FROM yagura.event WHERE org = 'my-city'"
        ok(cli("org", "add", "my-city", "--title", "私の市").returncode == 0, "an organisation of one's own")
        first = lines(cli("event", "import", "--org", "my-city", "--source", "zeek", "--json", log))[0]
        ok(first["records"] == 3000 and first["duplicates"] == 0, "a log file goes in", first)
        ok(until(lambda: int(s.store(count)) == 3000, 30), "and is searchable")
        second = lines(cli("event", "import", "--org", "my-city", "--source", "zeek", "--json", log))[0]
        ok(second["duplicates"] == second["batches"] > 0, "a second import is known", second)
        until(lambda: False, 2)
        ok(int(s.store(count)) == 3000, "and adds nothing")
        ok(cli("event", "import", "--org", "nobody", "--source", "zeek", log).returncode == 6, "an unknown organisation is refused")
    finally:
        os.unlink(log)

    gone = cli("demo", "remove")
    left = lines(cli("org", "list", "--json", "--limit", "0"))
    ok(gone.returncode == 0 and [o["name"] for o in left] == ["my-city"], "demo remove leaves what is one's own", gone.stderr + str(left))
    ok(until(lambda: s.store("SELECT count() FROM yagura.event WHERE org LIKE 'demo-%'") in ("0", "0\n"), 30), "and no event of the demonstration")
    ok(cli("audit-log", "verify").returncode == 0, "the audit log still holds")
done()
