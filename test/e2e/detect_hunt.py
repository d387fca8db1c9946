"""Looking back: a rule tried against a day; rules and indicators over the past, told once,
also when center is killed in the middle.  Arguments: yagura."""
import json
import os
import random
import sys
import tempfile
import time

from harness import Server, done, need_store, ok, until

need_store()
NOW = int(time.time())
DAY = NOW - NOW % 86400  # today, UTC
RULE = """\
title: a name that is asked for
id: 11111111-1111-4111-8111-111111111111
logsource: {category: dns}
detection: {a: {query|endswith: .evil.example}, condition: a}
level: high
"""


def zeek(at, source, name):
    return json.dumps({"_path": "dns", "ts": at, "uid": "C1", "id.orig_h": source, "id.orig_p": 5353, "id.resp_h": "192.0.2.53", "id.resp_p": 53,
                       "proto": "udp", "query": name, "qtype_name": "A"})


def stored(s):
    try:
        return int(s.store("SELECT count() FROM yagura.event"))
    except RuntimeError:  # not yet made
        return 0


with Server(os.path.abspath(sys.argv[1])) as s:
    for org, parent in (("alpha", None), ("alpha-unit", "alpha"), ("beta", None)):
        s.http("POST", "/api/v1/organisations", {"name": org, **({"parent": parent, "kind": "unit"} if parent else {})})
    sent = 0
    for number, org in enumerate(("alpha", "alpha-unit", "beta")):
        lines = [zeek(at, f"10.{number}.0.{1 + i % 3}", name) for at in (DAY - 7200, DAY - 90000)
                 for i, name in enumerate(["www.evil.example", "x.evil.example", "mail.evil.example", "evil.example", "good.example"] * 6)]
        sent += len(lines)
        got = s.http("POST", f"/api/v1/events?source=zeek&org={org}&sensor=x", "\n".join(lines).encode(), Content_Type="text/plain")
        ok(got.status == 202, f"{org} sends events", got)
    ok(until(lambda: stored(s) == sent, 60), "they are in the store")
    tokens = {org: s.http("POST", "/api/v1/tokens", {"org": org, "name": "t", "scopes": ["events:read", "jobs:read"]}).json()["secret"]
              for org in ("alpha", "beta")}

    def ended(job, call=s.http):
        return until(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(call("GET", f"/api/v1/jobs/{job}").json()), 60)

    def tried(body, token=None):
        call = (lambda *a: s.https(*a, token=token)) if token else s.http
        made = call("POST", "/api/v1/detection-rules/try", body)
        return (made, ended(made.json()["id"], call)) if made.status == 202 else (made, None)

    yesterday = time.strftime("%Y-%m-%d", time.gmtime(DAY - 1))
    made, job = tried({"text": RULE, "org": "alpha", "day": yesterday})
    r = job["result"]
    ok(job["state"] == "done" and r["matches"] == 36 and not r["cut"], "a rule over a day: of the organisation and those below it", job)
    ok(sum(a["matches"] for a in r["assets"]) == 36 and {a["org"] for a in r["assets"]} == {"alpha", "alpha-unit"} and len(r["assets"]) == 6, "by asset", r["assets"])
    ok(len(r["samples"]) == 20 and r["samples"][0]["fields"] == [{"name": "query", "value": r["samples"][0]["fields"][0]["value"]}]
       and r["samples"][0]["fields"][0]["value"].endswith(".evil.example"), "with the fields that matched", r["samples"][:1])
    seen = s.http("GET", f"/api/v1/events/{r['samples'][0]['event']}").json()
    ok(seen["query"].endswith(".evil.example") and seen["org"] == r["samples"][0]["org"], "samples lead to their events", seen)
    _, job = tried({"text": RULE, "org": "alpha", "day": time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(DAY - 90000))})
    ok(job["result"]["matches"] == 72, "24 hours from a time on", job)
    _, job = tried({"text": RULE, "org": "alpha", "day": "2020-01-01"})
    ok(job["result"]["matches"] == 0 and job["result"]["samples"] == [], "a day without events", job)
    _, job = tried({"text": RULE, "day": yesterday}, tokens["beta"])
    ok(job["result"]["matches"] == 18 and {a["org"] for a in job["result"]["assets"]} == {"beta"}, "a token's organisation without being named", job)
    made, _ = tried({"text": RULE, "org": "alpha", "day": yesterday}, tokens["beta"])
    ok(made.status == 404, "another's events are not looked at", made)
    made, _ = tried({"text": RULE.replace("category: dns", "category: [dns"), "org": "alpha", "day": yesterday})
    ok(made.status == 400 and "rule:" in made.body.decode(), "a rule that is none is refused at once, with its line", made)
    made, _ = tried({"text": RULE + "---\n" + RULE, "org": "alpha", "day": yesterday})
    ok(made.status == 400 and "one document" in made.body.decode(), "two rules are not one", made)
    made, _ = tried({"text": RULE, "org": "alpha", "day": "yesterday.."})
    ok(made.status == 400, "a day that is none", made)
    _, job = tried({"text": RULE.replace("category: dns", "category: nothing_of_ours"), "org": "alpha", "day": yesterday})
    ok(job["result"]["matches"] == 0 and job["result"]["events"] == 0, "a log source that no event is of", job)
    ok(s.http("GET", "/api/v1/alerts").json()["items"] == [], "no alert is made")

    with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
        f.write(RULE)
        f.flush()
        out = s.cli("detect", "try", f.name, "--org", "alpha", "--day", yesterday, "--json")
        ok(out[0] == 0 and json.loads(out[1])["matches"] == 36, "detect try says the same", out)
        out = s.cli("detect", "try", f.name, "--org", "alpha", "--day", yesterday)
        ok(out[0] == 0 and "36 matches" in out[2] and "10.0.0.1" in out[1], "and for people", out)

    # ---- indicators over the past
    def hunted(body, token=None):
        call = (lambda *a: s.https(*a, token=token)) if token else s.http
        made = call("POST", "/api/v1/retro-hunts", body)
        return (made, ended(made.json()["id"])) if made.status == 202 else (made, None)

    def alerts(query=""):
        return s.http("GET", f"/api/v1/alerts?limit=200{query}").json()["items"]

    def findings(indicator):
        return int(s.store(f"SELECT count() FROM yagura.event WHERE class_uid = 2004 AND indicator = '{indicator}'"))

    made, job = hunted({"indicators": ["x.evil.example", "10.2.0.1"], "org": None})
    ok(made.status == 202 and job["state"] == "done" and job["kind"] == "retro-hunt", "a hunt for indicators is a job", (made, job))
    # every x.evil.example of three organisations; 10.2.0.1 is a third of beta's events
    names, addresses = 3 * 2 * 6, 2 * 10
    ok(job["result"]["matches"] == job["result"]["findings"] == names + addresses and job["result"]["known"] == job["result"]["cut"] == 0,
       "it finds what is there", job)
    found = alerts()
    ok(sum(a["count"] for a in found if a["indicator"] == "x.evil.example") == names and {a["org"] for a in found} == {"alpha", "alpha-unit", "beta"},
       "in alerts", [(a["org"], a["indicator"], a["asset"], a["count"]) for a in found])
    seen = s.http("GET", f"/api/v1/alerts/{found[0]['id']}/events").json()["items"]
    ok(all(e["historical"] for e in seen), "which say that it is of the past", seen[:1])
    ok(findings("x.evil.example") == names, "each is a finding among the events, too")
    _, again = hunted({"indicators": ["x.evil.example"], "org": None})
    ok(again["result"]["matches"] == again["result"]["known"] == names and again["result"]["findings"] == 0 and findings("x.evil.example") == names,
       "what was told is not told again", again)
    shown = s.http("GET", f"/api/v1/retro-hunts/{job['id']}").json()
    ok(shown["kind"] == "indicators" and shown["indicators"] == ["x.evil.example", "10.2.0.1"] and shown["matches"] == names + addresses and
       shown["alerts"] == len(found) and shown["state"] == "done" and not shown["automatic"], "a hunt is shown", shown)
    ok([h["id"] for h in s.http("GET", "/api/v1/retro-hunts").json()["items"]] == [again["id"], job["id"]], "and listed, newest first")
    made, _ = hunted({"indicators": ["nothing of that kind!"], "org": None})
    ok(made.status == 400 and "/indicators/0" in made.body.decode(), "what is no indicator is refused", made)
    made, _ = hunted({"indicators": ["x.example"], "list": "l-1"})
    ok(made.status == 400, "one of rule, indicators and list", made)

    # ---- a rule over the past, center killed again and again
    EACH = 700
    for org in ("alpha", "beta"):
        lines = [zeek(DAY - i * 5400, f"10.9.0.{1 + i % 5}", f"h{i}.bad.example") for i in range(EACH)]
        sent += EACH
        s.http("POST", f"/api/v1/events?source=zeek&org={org}&sensor=x", "\n".join(lines).encode(), Content_Type="text/plain")
    now = sent + names + addresses
    ok(until(lambda: stored(s) == now, 60), "events of weeks are in the store", (stored(s), now))
    made = s.http("POST", "/api/v1/detection-rules", {"org": None, "collection": "own", "stage": "off", "text": RULE.replace("evil", "bad")})
    ok(made.status == 201, "a rule is in the registry", made)
    uid = made.json()["id"]
    job = s.http("POST", "/api/v1/retro-hunts", {"rule": uid, "org": None, "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(DAY - 60 * 86400))}).json()["id"]
    for _ in range(3):
        time.sleep(random.uniform(0.02, 0.4))
        s.kill_and_wait("center")
    end = until(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(s.http("GET", f"/api/v1/jobs/{job}").json()), 90)
    ok(end["state"] == "done" and end["result"]["matches"] == end["result"]["findings"] == 2 * EACH, "a hunt goes on after kills", end)
    ok(sum(a["count"] for a in alerts(f"&indicator={uid}")) == 2 * EACH, "every match is in an alert, once", [a["count"] for a in alerts(f"&indicator={uid}")])
    ok(findings(uid) == 2 * EACH and int(s.store(f"SELECT uniqExact(related) FROM yagura.event WHERE class_uid = 2004 AND indicator = '{uid}'")) == 2 * EACH,
       "and a finding, once", findings(uid))
    one = alerts(f"&indicator={uid}")[0]
    seen = s.http("GET", f"/api/v1/alerts/{one['id']}/events").json()["items"][0]
    ok(seen["historical"] and seen["fields"][0]["name"] == "query" and seen["fields"][0]["value"].endswith(".bad.example"), "with the fields that matched", seen)
    got = s.http("GET", f"/api/v1/retro-hunts/{job}").json()
    ok(got["rule"] == uid and got["title"] == "a name that is asked for", "the hunt names its rule", got)

    ok({a["id"] for a in alerts(f"&hunt={job}")} == {a["id"] for a in alerts(f"&indicator={uid}")} != set() and alerts("&hunt=j-none") == [],
       "the alerts of a hunt", len(alerts(f"&hunt={job}")))

    # what is silent live, because a correlation tells of it, is silent here
    base = s.http("POST", "/api/v1/detection-rules", {"org": None, "collection": "base", "stage": "off", "text": RULE.replace("evil", "bad").replace("11111111-", "41111111-")}).json()["id"]
    many = s.http("POST", "/api/v1/detection-rules", {"org": None, "collection": "base", "stage": "live", "text": """\
title: many of them
id: 51111111-1111-4111-8111-111111111111
correlation: {type: event_count, rules: [41111111-1111-4111-8111-111111111111], group-by: [src_ip], timespan: 1h, condition: {gte: 3}}
"""})
    s.http("PUT", f"/api/v1/detection-rules/{many.json()['id']}/overrides/alpha", {"stage": "off", "reason": "ours"})
    _, end = hunted({"rule": base, "org": None, "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(DAY - 60 * 86400))})
    ok(many.status == 201 and end["result"]["findings"] == EACH and {a["org"] for a in alerts(f"&indicator={base}")} == {"alpha"},
       "a rule that a correlation tells of is silent but where the correlation is off", (many, end))

    # an exception holds over the past as well
    text = {"rule": uid, "org": "beta", "text": "selection: {query|startswith: h1}\ncondition: selection\n", "reason": "ours"}
    made = s.http("POST", "/api/v1/detection-exceptions", text)
    second = s.http("POST", "/api/v1/detection-rules", {"org": None, "collection": "other", "stage": "off", "text": RULE.replace("evil", "bad")}).json()["id"]
    s.http("POST", "/api/v1/detection-exceptions", {**text, "rule": second})
    _, end = hunted({"rule": second, "org": "beta"})
    excepted = sum(str(i).startswith("1") for i in range(EACH))
    ok(made.status == 201 and end["result"]["matches"] == EACH - excepted, "what is excepted is not found", (made, end))
    _, end = hunted({"rule": second, "org": "alpha", "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(DAY - 86400)), "until": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(DAY))})
    ok(end["result"]["matches"] == 16, "within the times that were asked for", end)
    _, job = tried({"rule": uid, "org": "alpha", "day": yesterday})
    ok(job["result"]["matches"] == 16, "a rule of the registry is tried", job)
    list_id = s.http("POST", "/api/v1/indicator-lists", {"org": None, "name": "old", "title": "old"}).json()["id"]
    s.http("POST", "/api/v1/indicators", {"list": list_id, "type": "fqdn", "value": "good.example"})
    s.http("POST", "/api/v1/allow-entries", {"org": "beta", "type": "fqdn", "value": "good.example", "reason": "ours"})
    out = s.cli("retro-hunt", "start", "--list", "old", "--everywhere", "--json")
    ok(out[0] == 0 and json.loads(out[1])["result"]["findings"] == 24, "a list over the past, but what is allowed", out)
    out = s.cli("retro-hunt", "list", "--json")
    ok(out[0] == 0 and json.loads(out[1].splitlines()[0])["list"] == list_id and json.loads(out[1].splitlines()[0])["title"] == "old", "hunts are listed", out)
    out = s.cli("retro-hunt", "show", json.loads(out[1].splitlines()[0])["id"])
    ok(out[0] == 0 and "findings" in out[1], "and shown", out)

    # ---- by themselves
    s.write_conf({"detect": {"retro-hunt-days": 90}})
    s.reload()
    own = s.http("POST", "/api/v1/indicator-lists", {"org": None, "name": "new", "title": "new"}).json()["id"]
    for value in ("h7.bad.example", "h8.bad.example", "10.0.0.2"):
        s.http("POST", "/api/v1/indicators", {"list": own, "type": "ip" if value[0] == "1" else "domain", "value": value})
    ended = s.http("POST", "/api/v1/indicators", {"list": own, "type": "fqdn", "value": "h9.bad.example", "valid_until": "2026-01-01T00:00:00Z"})
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20))
    begins = s.http("POST", "/api/v1/indicators", {"list": own, "type": "fqdn", "value": "h10.bad.example", "valid_from": later})
    ok(ended.status == begins.status == 201, "an indicator that has ended, one that begins later", (ended, begins))
    live = s.http("POST", "/api/v1/detection-rules", {"org": "alpha", "collection": "live", "stage": "live", "text": RULE.replace("evil", "bad").replace("11111111-", "21111111-")}).json()["id"]
    auto = until(lambda: (lambda x: x if len(x) >= 2 and all(h["state"] == "done" for h in x) else None)
                 ([h for h in s.http("GET", "/api/v1/retro-hunts?limit=200").json()["items"] if h["automatic"]]), 60, 0.5) or []
    kinds = {h["kind"]: h for h in auto}
    ok(set(kinds) == {"rule", "indicators"}, "what is new is looked for by itself", s.http("GET", "/api/v1/retro-hunts").json())
    # the list of before (good.example of alpha and its unit, told already) came when hunts were off, and is caught up
    got = kinds.get("indicators", {})
    ok(got.get("items") == 4 and got.get("findings") == 2 * 2 + 20 and got.get("known") == 24 and got.get("created_by") == "system", "new indicators", got)
    got = kinds.get("rule", {})
    ok(got.get("rule") == live and got.get("findings") == EACH, "a rule that is live for the first time, in its organisation", got)

    # ---- in force anew
    def by_itself(what, n=1):
        """Hunts by themselves that were not there before and have ended."""
        new = until(lambda: (lambda x: x if len(x) >= n and all(h["state"] == "done" for h in x) else None)
                    ([h for h in s.http("GET", "/api/v1/retro-hunts?limit=200").json()["items"] if h["automatic"] and h["id"] not in seen_hunts]), 90, 0.5) or []
        seen_hunts.update(h["id"] for h in new)
        ok(len(new) == n, what, s.http("GET", "/api/v1/retro-hunts").json())
        return new[0] if new else {}

    seen_hunts = {h["id"] for h in auto}
    got = by_itself("an indicator is looked for when it begins")
    ok(got.get("items") == 1 and got.get("findings") == 2 and findings("h10.bad.example") == 2, "for itself", got)
    at = s.http("GET", f"/api/v1/indicators/{ended.json()['id']}")
    s.http("PATCH", f"/api/v1/indicators/{ended.json()['id']}", {"valid_until": None}, If_Match=at.headers["ETag"])
    got = by_itself("an indicator that had ended is looked for when it is in force again")
    ok(got.get("items") == 1 and got.get("findings") == 2 and findings("h9.bad.example") == 2, "for itself", got)
    for on in (False, True):
        at = s.http("GET", f"/api/v1/indicator-lists/{list_id}")
        s.http("PATCH", f"/api/v1/indicator-lists/{list_id}", {"enabled": on}, If_Match=at.headers["ETag"])
    got = by_itself("a list that is used again is looked for")
    ok(got.get("list") == list_id and got.get("known") == got.get("matches") == 24, "and what was told is not told again", got)
    third = s.http("POST", "/api/v1/detection-rules", {"org": None, "collection": "third", "stage": "test", "text": RULE.replace("evil", "bad").replace("11111111-", "31111111-")}).json()["id"]
    s.http("PUT", f"/api/v1/detection-rules/{third}/overrides/beta", {"stage": "live", "reason": "ours"})
    got = by_itself("a rule that an override makes live is looked for there")
    ok(got.get("rule") == third and got.get("org") == "beta" and got.get("findings") == EACH and
       {a["org"] for a in alerts(f"&indicator={third}")} == {"beta"}, "and nowhere else", got)
done()
