"""What the console asks, from the command line: groups, files, what is expected of
sources, whether a value is recognised, kept searches.  Arguments: yagura."""
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Server, done, need_store, ok, until  # noqa: E402

need_store()
binary = os.path.abspath(sys.argv[1])

with Server(binary) as s, tempfile.TemporaryDirectory() as folder:
    def rows(*words):
        rc, out, err = s.cli(*words, "--json")
        return [json.loads(x) for x in out.splitlines() if x.startswith("{")] if rc == 0 else [{"failed": err}]

    ok(s.cli("demo", "load", "--records", "6000")[0] == 0, "demo load")
    counts = []

    def settled():
        """As many as three seconds before: all logs of the demonstration are matched."""
        time.sleep(1)
        counts.append(len(rows("alert", "list", "--limit", "0")))
        return counts[-1] > 5 and len(counts) > 3 and len(set(counts[-4:])) == 1

    ok(until(settled, 90), "there are alerts", counts)
    groups = rows("alert", "group", "--state", "open", "--limit", "0")
    alerts = rows("alert", "list", "--state", "open", "--limit", "0")
    order = [(g["severity_id"], g["count"]) for g in groups]
    ok(sum(g["count"] for g in groups) == len(alerts) and len(set(order)) > 2 and order == sorted(order, reverse=True),
       "groups by indicator are all alerts, the worst first, then the largest", groups[:3])
    by_org = rows("alert", "group", "--by", "org", "--limit", "0")
    ok({g["key"] for g in by_org} == {a["org"] for a in rows("alert", "list", "--limit", "0")}, "groups by organisation", by_org[:3])
    ok(s.cli("alert", "group", "--by", "colour")[0] != 0, "an unknown key is refused")

    # due times, what is put off, and lists in every form
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * 86400))
    ok(min(a["created_at"] for a in alerts) < yesterday, "the demonstration's alerts are as old as their findings", len(alerts))
    late = rows("alert", "list", "--overdue", "--sort", "due", "--all")
    ok(late and all(a["overdue"] for a in late) and [a["due_at"] for a in late] == sorted(a["due_at"] for a in late), "what is overdue, the soonest due first", late[:2])
    one = alerts[0]["id"]
    ok(s.cli("alert", "snooze", one, "--until", "2d", "--reason", "waits for the vendor")[0] == 0 and [a["id"] for a in rows("alert", "list", "--state", "snoozed")] == [one] and
       len(rows("alert", "list", "--state", "active", "--all")) == len(alerts) - 1, "an alert is put off")
    ok(s.cli("alert", "snooze", one, "--until", "2d")[0] != 0 and s.cli("alert", "snooze", one)[0] == 2, "not without a reason, nor without a time")
    ok(s.cli("alert", "snooze", one, "--end")[0] == 0 and rows("alert", "list", "--state", "snoozed") == [], "and woken")
    ok(s.cli("alert", "set", one, "--due", "3d", "--reason", "the ministry asked")[0] == 0 and rows("alert", "show", one)[0]["due_reason"] == "the ministry asked", "due by hand")
    ok(s.cli("alert", "set", one, "--due", "none")[0] == 0 and rows("alert", "show", one)[0]["due_reason"] == "", "and by the policy again")
    org = alerts[0]["org"]
    ok(s.cli("alert", "due-policy", "--org", org, "--severity", "5", "--span", "8h")[0] == 0 and
       {x["severity_id"]: x for x in rows("alert", "due-policy", "--org", org)}[5] == {"severity_id": 5, "span_s": 28800, "own": True}, "an organisation's own span")
    ok(s.cli("alert", "due-policy", "--org", org, "--severity", "5", "--span", "inherited")[0] == 0, "and not its own again")
    fields = ("alert", "list", "--all", "--fields", "id,severity_id", "-o")
    as_csv = s.cli(*fields, "csv")[1].split("\r\n")
    ok(as_csv[0] == "id,severity_id" and len(as_csv) == len(rows("alert", "list", "--all")) + 2, "a list as CSV", as_csv[:2])
    as_json = json.loads(s.cli(*fields, "json")[1])
    ok(set(as_json[0]) == {"id", "severity_id"} and f"{as_json[0]['id']},{as_json[0]['severity_id']}" == as_csv[1], "as one JSON array", as_json[:1])
    as_yaml = s.cli(*fields, "yaml")[1].splitlines()
    ok(as_yaml[:2] == [f'- id: "{as_json[0]["id"]}"', f"  severity_id: {as_json[0]['severity_id']}"], "as YAML", as_yaml[:2])
    ok(s.cli("alert", "list", "-o", "xml")[0] == 2 and s.cli("alert", "list", "--fields", ",")[0] == 2, "an unknown form, or no field, is wrong usage")

    known = rows("indicator", "check", groups[0]["key"])[0]
    ok(known["in_force"] and known["matches"], "an indicator of an alert is recognised", known)
    ok(rows("indicator", "check", "harmless.example")[0]["in_force"] is False, "another value is not")

    file = os.path.join(folder, "alerts.csv")
    made = s.cli("export", "create", "alerts", "--filter", "state=open", "--out", file)
    lines = open(file, "rb").read().split(b"\r\n") if os.path.exists(file) else []
    ok(made[0] == 0 and lines[0].startswith(b"\xef\xbb\xbf") and len([x for x in lines if x]) == len(alerts) + 1, "open alerts as CSV", made[2])
    ok(s.cli("export", "create", "alerts", "--out", file)[0] != 0 and os.path.getsize(file) > 0, "a file that is there is not written over")
    ordered = rows("export", "create", "organisations", "--format", "jsonl", "--no-wait")[0]
    ok(until(lambda: s.cli("export", "fetch", ordered["id"])[0] == 0, 30), "a file ordered before is fetched")
    fetched = s.cli("export", "fetch", ordered["id"])[1]
    ok({json.loads(x)["name"] for x in fetched.splitlines()} == {o["name"] for o in rows("org", "list", "--limit", "0")}, "with every row", fetched[:200])
    gone = os.path.join(folder, "gone")
    ok(s.cli("export", "fetch", "j-01ARZ3NDEKTSV4RRFFQ69G5FAV", "--out", gone)[0] != 0 and not os.path.exists(gone), "an unknown export leaves no file")
    ok(s.cli("export", "create", "alerts", "--filter", "state")[0] != 0, "a filter without a value is refused")
    ok(s.cli("export", "create", "secrets")[0] != 0, "an unknown list is refused")

    org = by_org[0]["key"]
    asked = [rows("approval", "request", "organisation.remove", "--org", g["key"], "--reason", reason)[0] for g, reason in zip(by_org, ("closed down", "by mistake"))]
    ok(len(asked) == 2 and all(a.get("state") == "open" for a in asked), "two requests for two people", asked)
    ok({a["id"] for a in rows("approval", "list", "--state", "open")} == {a["id"] for a in asked} and rows("approval", "show", asked[0]["id"])[0]["reason"] == "closed down",
       "are listed and shown")
    ok(s.cli("approval", "approve", asked[0]["id"], "--reason", "agreed")[0] != 0, "who asked does not approve")
    ok(s.cli("approval", "request", "organisation.remove", "--org", org, "--reason", "once more")[0] != 0, "what is asked for is not asked for twice")
    ok(rows("approval", "refuse", asked[1]["id"], "--reason", "taken back")[0]["state"] == "withdrawn" and
       [a["id"] for a in rows("approval", "list", "--state", "withdrawn")] == [asked[1]["id"]] and rows("approval", "list", "--state", "refused") == [],
       "but takes it back")
    ok(s.cli("approval", "withdraw", asked[0]["id"])[0] == 0 and rows("approval", "show", asked[0]["id"])[0]["state"] == "withdrawn" and
       s.cli("approval", "withdraw", asked[0]["id"])[0] != 0, "once, and without a reason")
    ok(s.cli("approval", "show", "v-0")[0] != 0 and s.cli("approval", "request", "organisation.remove", "--org", org)[0] != 0, "no such request; one without a reason")
    told = rows("licences")[0]
    ok(told["licence"] == "Apache-2.0" and {"name", "version", "licence", "text"} <= set(told["contains"][0]) and
       all(f'{p["name"]} {p["version"]} ({p["licence"]})\n\n{p["text"]}' in s.cli("licences")[1] and "-----" not in p["text"] for p in told["contains"]) and len(told["contains"]) > 3, "licences as JSON", [p["name"] for p in told["contains"]])
    ok(s.cli("source", "expect", org, "zeek", "sensor-9", "--every", "10m")[0] == 0, "a source is expected")
    expected = [x for x in rows("source", "list", "--org", org, "--limit", "0") if x["sensor"] == "sensor-9"]
    ok(len(expected) == 1 and expected[0]["state"] == "never" and expected[0]["expected_every_s"] == 600, "and listed as never heard", expected)
    ok(s.cli("source", "expect", org, "zeek", "sensor-9")[0] == 2, "without an interval it is wrong usage")
    ok(s.cli("source", "expect", org, "zeek", "sensor-9", "--every", "1s")[0] != 0, "an interval that is too short is refused")
    ok(s.cli("source", "expect", org, "zeek", "sensor-9", "--remove")[0] == 0, "it is expected no more")
    ok(all(x["sensor"] != "sensor-9" for x in rows("source", "list", "--org", org, "--limit", "0")), "and no longer listed")

    saved = rows("search", "save", "worst", "--page", "alerts", "--query", "state=open&sort=severity")[0]
    ok(saved.get("name") == "worst" and saved["page"] == "alerts" and not saved["shared"], "a search is kept", saved)
    ok([x["id"] for x in rows("search", "list", "--page", "alerts")] == [saved["id"]] and rows("search", "list", "--page", "events") == [], "and listed by page")
    ok(s.cli("search", "remove", saved["id"])[0] == 0 and rows("search", "list") == [], "and forgotten")
done()
