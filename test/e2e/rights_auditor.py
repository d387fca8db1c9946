"""An auditor's period is frozen: what happened after its end is not there, in no
list, count, group, overview, histogram or search; every view is noted."""
import json
import os
import re
import sqlite3
import sys
import time

from harness import Server, bail, done, library, ok, until
from people_lib import without_store
from rights_lib import SCOPES, Asker, beacon, finding, findings, operations, token_of_person

HOUR = 3600
BACK = 3 * HOUR  # how long ago the alert was made


def text_time(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def seen(org, n, at):
    return {**finding(org, n, 1), "time": text_time(at).replace("Z", ".000001Z"), "severity_id": 4}


def move_back(s):
    """As if all of it had happened three hours ago; the audit log stays as it is."""
    db = sqlite3.connect(os.path.join(s.data, "state/yagura.db"), timeout=20)
    us = BACK * 1_000_000
    db.execute("UPDATE alert SET created = created - ?, updated = updated - ?", (us, us))
    db.execute("UPDATE alert_comment SET time = time - ?", (us,))
    db.execute("UPDATE alert_hour SET hour = hour - 3")
    for table in ("organisation", "information_system", "detect_rule", "detect_rule_past", "detect_exception", "indicator_list",
                  "indicator", "allow_entry", "block_entry", "dns_allow_request"):
        db.execute(f"UPDATE {table} SET created = created - ?", (us,))
    for table in ("information_system", "detect_rule", "detect_override", "detect_exception"):
        db.execute(f"UPDATE {table} SET updated = updated - ?", (us,))
    db.execute("UPDATE detect_stat SET hour = hour - ?, last = last - ?", (us, us))
    db.execute("UPDATE detect_sample SET time = time - ?", (us,))
    db.execute("UPDATE notice_finding SET first_seen = first_seen - ?, last_seen = last_seen - ?", (us, us))
    db.execute("UPDATE job SET created = created - ?, started = started - ?, finished = finished - ?", (us, us, us))
    db.commit()
    db.close()


def fill(s):
    made = s.http("POST", "/api/v1/organisations", {"name": "heron", "title": "heron"})
    assert made.status == 201, made
    assert findings(s, 9, 1, [seen("heron", 0, time.time() - BACK)] * 1)
    alert = s.http("GET", "/api/v1/alerts").json()["items"][0]["id"]
    assert s.http("POST", f"/api/v1/alerts/{alert}/comments", {"text": "said within the period"}).status == 201
    assert s.http("PUT", "/api/v1/detection-notices", {"org": None, "kind": "beacon", "stage": "test"}).status == 200
    assert beacon(s, "heron", 0)
    assert until(lambda: s.http("GET", "/api/v1/detection-findings").json()["items"], 60, 0.3)
    if library():
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000+0000", time.gmtime(time.time() - BACK)), "event_type": "dns",
                "proto": "UDP", "src_ip": "192.0.2.1", "src_port": 5000, "dest_ip": "203.0.113.1", "dest_port": 53,
                "dns": {"type": "query", "rrname": "then.example", "rrtype": "A"}}
        now = {**line, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000+0000", time.gmtime())}
        body = json.dumps(line) + "\n" + json.dumps(now) + "\n"
        assert s.http("POST", "/api/v1/events?source=suricata&org=heron", body, Content_Type="application/x-ndjson").status == 202
        assert until(lambda: len(s.http("GET", "/api/v1/events?from=now-24h").json().get("items", [])) == 2, 60, 0.3)
    return alert


def rule_text(word):
    return f"title: rule of {word}\nlevel: high\nlogsource: {{product: windows}}\ndetection: {{s: {{a: {word}}}, condition: s}}\n"


def counted(s, rule, word, hits):
    """What a rule did in this hour."""
    db = sqlite3.connect(os.path.join(s.data, "state/yagura.db"), timeout=20)
    now = int(time.time() * 1_000_000)
    hour = now - now % (HOUR * 1_000_000)
    for uid in (rule, ""):
        db.execute("INSERT INTO detect_stat VALUES (?, ?, 'heron', ?, ?, 0, ?, ?) ON CONFLICT DO UPDATE SET hits = hits + excluded.hits",
                   (uid, hour, hits, hits, hits, now))
    db.execute("INSERT INTO detect_sample SELECT ?, 'heron', coalesce(max(seq), 0) + 1, ?, ? FROM detect_sample", (rule, f"e-{word}", now))
    db.commit()
    db.close()


def objects(s, word):
    """One of every kind that an auditor may read, with that word in it."""
    def post(path, body, want=201):
        made = s.http("POST", f"/api/v1/{path}", body)
        assert made.status == want, (path, made)
        return made.json()
    rule = post("detection-rules", {"org": "heron", "collection": "own", "stage": "test", "text": rule_text(word)})["id"]
    assert s.http("PUT", f"/api/v1/detection-rules/{rule}/overrides/heron", {"stage": "audit-only", "reason": word}).status == 200
    post("detection-exceptions", {"org": "heron", "rule": rule, "reason": word, "text": "s: {a: b}\ncondition: s"})
    made = post("indicator-lists", {"org": "heron", "name": f"list-{word}"})
    post("indicators", {"list": made["id"], "type": "domain", "value": f"{word}.example"})
    post("allow-entries", {"org": "heron", "type": "domain", "value": f"a.{word}.example", "reason": word})
    post("block-entries", {"org": "heron", "type": "domain", "value": f"b.{word}.example", "reason": word})
    asked = post("dns/allow-requests", {"org": "heron", "name": f"c.{word}.example", "reason": word})["id"]
    post("systems", {"org": "heron", "name": f"sys-{word}"})
    hunt = post("retro-hunts", {"indicators": [f"{word}.example"], "org": "heron"}, 202)["id"]
    if library():  # without the store it waits
        assert until(lambda: s.http("GET", f"/api/v1/retro-hunts/{hunt}").json()["finished_at"], 30, 0.1)
    counted(s, rule, word, 2)
    return {"rule": rule, "request": asked, "hunt": hunt}


def changed_later(s, then):
    """What there was, is something else now."""
    rule = f"/api/v1/detection-rules/{then['rule']}"
    body = {"text": rule_text("later"), "stage": "live"}
    got = s.http("PATCH", rule, body, If_Match="*", Content_Type="application/merge-patch+json")
    assert got.status == 200, got
    counted(s, then["rule"], "later", 900)
    got = s.http("POST", f"/api/v1/dns/allow-requests/{then['request']}/decision", {"grant": True, "reason": "later"})
    assert got.status == 200, got
    assert s.http("POST", "/api/v1/organisations", {"name": "later", "kind": "unit", "parent": "heron"}).status == 201
    db = sqlite3.connect(os.path.join(s.data, "state/yagura.db"), timeout=20)
    us = BACK * 1_000_000
    db.execute("INSERT INTO notice_finding SELECT org, kind, 'later', place + 1, stage, 'later', score, severity_id, count, first_seen + ?,"
               " last_seen + ?, event, fields FROM notice_finding", (us, us))
    db.execute("INSERT INTO notice_finding SELECT org, kind, 'both', place + 2, stage, 'from then to later', score, severity_id, count,"
               " first_seen - ?, last_seen, event, fields FROM notice_finding WHERE who = 'later'", (us,))
    db.commit()
    db.close()


def what_came_later(s, alert):
    again = [{**seen("heron", 0, time.time()), "finding_uid": f"f-{n}", "event_id": f"e-9-0-{n}"} for n in range(5)]
    assert findings(s, 9, 2, again)
    assert s.http("POST", f"/api/v1/alerts/{alert}/comments", {"text": "said later"}).status == 201
    etag = s.http("GET", f"/api/v1/alerts/{alert}").headers["ETag"]
    done_ = s.http("PATCH", f"/api/v1/alerts/{alert}", {"state": "closed", "verdict": "true", "reason": "closed later",
                                                      "assignee": "somebody later", "severity_id": 6}, If_Match=etag,
                   Content_Type="application/merge-patch+json")
    assert done_.status == 200, done_
    assert findings(s, 9, 3, [{**seen("heron", 1, time.time()), "asset": "later-host"}])
    now = s.http("GET", f"/api/v1/alerts/{alert}").json()
    assert now["state"] == "closed" and now["count"] == 6, now


def somebody(s, n):
    """A person and a token of theirs."""
    db = sqlite3.connect(os.path.join(s.data, "state/yagura.db"), timeout=20)
    person = "p-01JD00000000000000000000%02d" % n
    db.execute("INSERT INTO person (id, login, name, state, created, updated) VALUES (?, ?, 'audit', 'active', 1, 1)", (person, f"audit{n}"))
    token = token_of_person(db, person, SCOPES, n)
    db.commit()
    db.close()
    return person, token


def within_an_hour(s, asker):
    """A period that was to end at a moment, and has."""
    assert s.http("POST", "/api/v1/organisations", {"name": "egret", "title": "egret"}).status == 201
    assert findings(s, 9, 4, [seen("egret", 2, time.time())])
    person, token = somebody(s, 2)
    end = int(time.time()) + 2
    got = s.http("POST", "/api/v1/grants", {"person": person, "role": "auditor", "node": "egret",
                                            "period_from": text_time(end - 30 * 86400 + 61), "period_to": text_time(end)})
    assert got.status == 201, got
    time.sleep(max(0, end + 1 - time.time()))
    view = asker.ask(token, "GET", "/api/v1/overview").json()
    ok(sum(x["count"] for x in view["open_by_severity"]) == 1 and sum(x["new"] for x in view["trend"]) == 1,
       "the trend of a period that ended within an hour has that hour's alerts", view)
    ok(view["to"][:19] == text_time(end)[:19] and sum(x["trend"][-1] for x in view["open_by_severity"]) == 1, "and ends with what was open", view)
    view = asker.ask(token, "GET", "/api/v1/overview?from=2020-01-01T00:00:00Z").json()
    ok(view["from"][:19] == text_time(end - 30 * 86400 + 61)[:19] and sum(x["new"] for x in view["trend"]) == 1, "by days as well", view)


def auditor(s, end):
    person, token = somebody(s, 1)
    grant = {"person": person, "role": "auditor", "node": "heron", "period_from": text_time(end - 30 * 86400)}
    got = s.http("POST", "/api/v1/grants", {**grant, "period_to": text_time(end + 61)})
    ok(got.status == 400, "a past period ends on a whole hour, as what was there is kept", got)
    got = s.http("POST", "/api/v1/grants", {**grant, "period_to": text_time(end)})
    assert got.status == 201, got
    return token


def check_detection(get, then, end):
    """Rules as they stood, their numbers up to the end."""
    rules = get("/api/v1/detection-rules").json()["items"]
    ok([r["id"] for r in rules] == [then["rule"]], "a rule made later is not there", rules)
    one = rules[0]
    ok((one["title"], one["stage"], one["stage_in_force"], one["version"]) == ("rule of past", "test", "audit-only", 1),
       "one changed later is as it stood", one)
    ok((one["hits_24h"], one["hits_30d"]) == (2, 2) and one["last_hit_at"] < text_time(end), "its hits are counted to the end", one)
    whole = get(f"/api/v1/detection-rules/{then['rule']}")
    ok("a: past" in whole.json()["text"] and b"later" not in whole.body and len(whole.json()["exceptions"]) == 1, "alone as well", whole)
    ok(get("/api/v1/detection-rules?stage=live").json()["items"] == [] and
       len(get("/api/v1/detection-rules?stage=audit-only").json()["items"]) == 1, "it is found by the stage of then")
    ok(len(get(f"/api/v1/detection-rules/{then['rule']}/history").json()["items"]) == 1, "nor is its later version")
    ok([h["hits"] for h in get(f"/api/v1/detection-rules/{then['rule']}/stats").json()["items"]] == [2], "its hours end there")
    ok([h["event"] for h in get(f"/api/v1/detection-rules/{then['rule']}/hits").json()["items"]] == ["e-past"], "its samples, too")
    matrix = get("/api/v1/attack-matrix").json()
    ok(matrix["no_technique"]["hits_30d"] == 2 and matrix["no_technique"]["rules"] == {"live": 0, "audit_only": 1, "test": 0, "off": 0},
       "the matrix counts the same", matrix["no_technique"])
    ok([f["asset"] for f in get("/api/v1/detection-findings").json()["items"]] == ["10.0.0.9"], "findings that went on are not there")
    asked = get("/api/v1/dns/allow-requests").json()["items"]
    ok([(r["id"], r["state"], r["decided_by"]) for r in asked] == [(then["request"], "open", None)], "what was decided later is open", asked)
    hunts = [then["hunt"]] if library() else []  # without the store none has come to its end
    ok([h["id"] for h in get("/api/v1/retro-hunts").json()["items"]] == hunts, "a hunt of later is not there")


def check_everything(ask):
    """Whatever is asked without a range: nothing of later; what is only of now says so."""
    told, leaks = [], []
    for op in operations():
        if op["method"] != "GET" or "{" in op["path"] or not op["path"].startswith("/api/v1/") or op["id"] == "openStream":
            continue
        got = ask("GET", op["path"] + "".join(f"{'&' if i else '?'}{p['name']}=x.example" for i, p in enumerate(op["needed"])))
        if got.status == 200:
            told.append(op["id"])
        if re.search(rb"\blater\b", got.body) or (got.status >= 500 and (library() or got.status != 503)):
            leaks.append((op["id"], got.status, got.body[:300]))
    ok(not leaks, "nothing of later on any route", leaks)
    missing = {"listDetectionRules", "listDetectionExceptions", "listIndicators", "listIndicatorLists", "listAllowEntries", "listBlockEntries",
               "listSystems", "listOrganisations", "listDnsAllowRequests", "listRetroHunts", "checkIndicator"} - set(told)
    ok(not missing, "and what there was is told", missing)
    for path in ("dns-settings", "dns/explain?name=x.example&org=heron", "dns/zones", "detection-notices", "due-policy"):
        got = ask("GET", f"/api/v1/{path}")
        ok(got.status == 403 and b"of now" in got.body, f"{path} is of now", got)
    for path in ("systems", "indicator-lists", "indicators", "allow-entries", "block-entries", "detection-exceptions"):
        page = ask("GET", f"/api/v1/{path}").json()["items"]
        ok(len(page) == 1 and "past" in json.dumps(page), f"{path}: what was made by the end", page)


def check(s, alert, ask, end, then):
    def get(path, want=200):
        got = ask("GET", path)
        assert got.status == want, (path, got)
        return got

    check_detection(get, then, end)
    check_everything(ask)
    page = get("/api/v1/alerts").json()
    one = page["items"][0]
    ok(page["total"] == 1 and [a["id"] for a in page["items"]] == [alert], "an alert first seen later is not there", page)
    ok(one["state"] == "new" and one["verdict"] is None and one["closed_at"] is None and one["assignee"] is None,
       "one closed later is open", one)
    ok(one["count"] == 1 and one["severity_id"] == 4 and one["updated_at"] < text_time(end), "with the numbers of then", one)
    got = get(f"/api/v1/alerts/{alert}")
    ok({k: got.json()[k] for k in one} == one and b"later" not in got.body and b"1 times" in got.body, "alone as in the list", got)
    ok(get("/api/v1/alerts?state=closed").json()["total"] == 0 and get("/api/v1/alerts?state=open").json()["total"] == 1,
       "it is found by its state of then")
    ok(get("/api/v1/alerts?assignee=somebody%20later").json()["total"] == 0, "and not by what it became")
    texts = [c["text"] for c in get(f"/api/v1/alerts/{alert}/comments").json()["items"]]
    ok(texts == ["said within the period"], "a comment made later is not there", texts)
    events = get(f"/api/v1/alerts/{alert}/events").json()["items"]
    ok(len(events) == 1, "nor evidence", events)
    ok(get(f"/api/v1/alerts/{alert}/history").json()["items"] == [], "nor what people did")
    for by in ("indicator", "org", "asset", "category", "list"):
        groups = get(f"/api/v1/alert-groups?by={by}").json()["items"]
        ok([(g["count"], g["findings"], g["severity_id"]) for g in groups] == [(1, 1, 4)], f"groups by {by}", groups)
    view = get("/api/v1/overview").json()
    ok({x["severity_id"]: x["count"] for x in view["open_by_severity"] if x["count"]} == {4: 1}, "the overview counts as of the end", view)
    ok([(o["org"], o["open"], o["high"], o["worst_id"]) for o in view["organisations"]] == [("heron", 1, 1, alert)],
       "so do its organisations", view["organisations"])
    ok(sum(x["new"] for x in view["trend"]) == 1 and sum(x["closed"] for x in view["trend"]) == 0, "its trend is of the period", view["trend"])
    ok(view["as_of"] == text_time(end) or view["as_of"].startswith(text_time(end)[:19]), "and says as of when", view["as_of"])
    ok(view["to"] <= text_time(end) and view["since"] is None and view["silent"] == [], "nothing of today", view)
    later = get("/api/v1/overview?from=now-1h").json()
    ok(later["trend"] == [] and later["from"] <= later["to"], "what is asked of later is not there", later)
    if library():
        names = [e.get("query") or e for e in get("/api/v1/events").json()["items"]]
        ok(len(names) == 1, "without a range a search finds the period's last day", names)
        ok(len(get("/api/v1/events?from=now-24h&to=now").json()["items"]) == 1, "an event of later is not found")
        ok(get("/api/v1/event-histogram").json()["total"] == 1 and get("/api/v1/event-histogram?from=now-24h&to=now").json()["total"] == 1,
           "nor counted")
    ok(get("/api/v1/people").json()["items"] and ask("GET", "/api/v1/people/p-01JD0000000000000000000001/sessions").status == 403,
       "sessions are of now")
    for method, path, body in (("POST", f"/api/v1/alerts/{alert}/comments", {"text": "x"}), ("POST", "/api/v1/alerts/bulk",
                                                                                             {"ids": [alert], "set": {"severity_id": 2}})):
        ok(ask(method, path, body).status == 403, f"an auditor changes nothing: {method} {path}")
    made = ask("POST", "/api/v1/exports", {"kind": "alerts", "format": "jsonl"}).json()
    path = f"/api/v1/exports/{made['id']}"
    until(lambda: ask("GET", path).status == 200, 20, 0.1)
    got = get(path)
    ok(len(got.body.splitlines()) == 1 and b"later" not in got.body and json.loads(got.body)["state"] == "new", "an export is of the period", got)
    views = [e for e in s.http("GET", "/api/v1/audit-log?action=view&limit=200").json()["items"]]
    ok(len(views) >= 12 and any(e["object"] == alert for e in views), "every view is noted", len(views))


def main():
    with Server(sys.argv[1], without_store(), wait=60 if library() else 0) as s:
        if not until(lambda: s.find_event("role.ready", ready="center"), 60):
            bail("center is not ready")
        alert = fill(s)
        then = objects(s, "past")
        move_back(s)
        what_came_later(s, alert)
        objects(s, "later")
        changed_later(s, then)
        end = int(time.time()) // HOUR * HOUR - HOUR
        token = auditor(s, end)
        asker = Asker(s)
        check(s, alert, lambda method, path, body=None: asker.ask(token, method, path, body), end, then)
        within_an_hour(s, asker)
    done()


main()
