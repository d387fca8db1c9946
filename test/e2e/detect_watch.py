#!/usr/bin/env python3
"""What events say together, live in role center: correlations of rules, password spraying, a scan, a
beacon, each once, whatever is sent twice and however often center is killed between.  Time is that of the
events.
detect_watch.py YAGURA"""

import json
import os
import sqlite3
import sys
import tempfile
import time

from feed_lib import DST_INSIDE, OK, SRC_INSIDE, connection, login, match, message, records, send, stat
from harness import Server, done, library, note, ok, until
from ingest_lib import delivered, doubles, number
from people_lib import without_store

yagura = os.path.abspath(sys.argv[1])
STORE = library() is not None
S = 1_000_000
NOW = int(time.time()) * S
SPOOL = 7


class Feed:
    """Batches of one spool, numbered."""

    def __init__(self, s):
        self.s, self.batch = s, 0

    def send(self, org, entries, received=None, **source):
        self.batch += 1
        body = message(SPOOL, self.batch, org, received or NOW, entries, **source)
        return until(lambda: send(self.s, body) == 0, 30, 0.2)

    def again(self, org, entries):
        """The batch before, once more."""
        return send(self.s, message(SPOOL, self.batch, org, NOW, entries)) == 0


def alerts(s, org, kind="notice"):
    got = s.http("GET", f"/api/v1/alerts?org={org}&limit=200").json()["items"]
    return [a for a in got if a["indicator_type"] == kind]


def findings(s, org, kind, **headers):
    return s.http("GET", f"/api/v1/detection-findings?org={org}&kind={kind}", **headers).json()["items"]


def whole(s, alert, **headers):
    return s.http("GET", f"/api/v1/alerts/{alert['id']}", **headers).json()


def one(s, org, indicator):
    return until(lambda: next((a for a in alerts(s, org) if a["indicator"].startswith(indicator)), None), 20, 0.2)


def metric(s, name):
    for line in s.http("GET", "/metrics").body.decode().splitlines():
        if line.startswith(f'yagura_center_detect_{name}{{'):
            return int(line.split()[-1])
    return None


def state(s, sql):
    db = sqlite3.connect(f"file:{s.data}/state/yagura.db?mode=ro", uri=True, timeout=30)
    try:
        return db.execute(sql).fetchone()
    finally:
        db.close()


BASE = """title: A failed login
id: 11111111-1111-4111-8111-111111111111
name: failed_login
level: low
logsource: {product: linux}
detection: {s: {message|contains: Failed}, condition: s}
"""
CORRELATION = """title: {title}
id: {id}
level: high
tags: [attack.credential-access, attack.t1110.001]
correlation:
  type: event_count
  rules: [failed_login]
  group-by: [host]
  timespan: 10m
  condition: {{gte: {least}}}
"""


def correlation(n, title, least):
    return CORRELATION.format(title=title, id=f"{n}{n}{n}{n}{n}{n}{n}{n}-2222-4222-8222-222222222222", least=least)


def add_rule(s, text, org=None, stage="live"):
    r = s.http("POST", "/api/v1/detection-rules", {"org": org, "collection": "own", "stage": stage, "text": text})
    ok(r.status == 201, f"a rule is added: {text.splitlines()[0]}", r)
    return r.json()["id"]


def rule(s, uid):
    return s.http("GET", f"/api/v1/detection-rules/{uid}").json()


def failed(uid, host, *seconds):
    """Matches of the base rule; seconds before now."""
    return [match(uid, NOW - t * S, {"host": host}, event=(SPOOL, 50, t)) for t in seconds]


def correlations(s, f):
    base = add_rule(s, BASE)
    many, quiet = add_rule(s, correlation(2, "Many failed logins", 3)), add_rule(s, correlation(3, "Some failed logins", 2), stage="audit-only")
    own = add_rule(s, correlation(4, "Of egret alone", 1), org="egret")
    ok(until(lambda: metric(s, "correlations") == 3, 20, 0.3), "the correlations are in force", metric(s, "correlations"))
    ok(f.send("heron", failed(base, "gate", 500, 490)), "two matches of the rule they refer to")
    s.kill_and_wait("center")
    ok(f.send("heron", failed(base, "gate", 480)), "the third after a kill of center")
    ok(f.send("heron", failed(base, "other", 300)), "and one of later, behind which none of them may come any more")
    a = until(lambda: next((x for x in alerts(s, "heron", "rule") if x["indicator"] == many), None), 20, 0.3)
    ok(a and a["count"] == 1 and a["asset"] == "gate" and a["severity_id"] == 4 and a["title"] == "Many failed logins"
       and a["list"] == "own" and a["family"] == "T1110.001", "a correlation over two batches and a kill -9 is one alert", a)
    ok({x["indicator"] for x in alerts(s, "heron", "rule")} == {many}, "audit-only is none, another organisation's neither",
       alerts(s, "heron", "rule"))
    ok(until(lambda: (rule(s, many)["hits_24h"], rule(s, quiet)["hits_24h"], rule(s, own)["hits_24h"]) == (1, 1, 0), 10, 0.3),
       "hits are counted, in every stage, once", (rule(s, many), rule(s, quiet), rule(s, own)))
    evidence = s.http("GET", f"/api/v1/alerts/{a['id']}/events").json() if a else {}
    ok('"gate"' in str(evidence).replace("'", '"') and f"e-{SPOOL}-50-480" in str(evidence), "fields and event are told", evidence)
    return base, many, quiet


def late(s, f, base, many):
    before = rule(s, many)["state"]
    ok(f.send("heron", failed(base, "gate", 470, 460, 450)), "matches that come later than allowed")
    now = until(lambda: (lambda n: n["late"] == before["late"] + 3 and n)(rule(s, many)["state"]), 20, 0.3)
    ok(now and now["hits"] == before["hits"], "are counted as such and left out", (before, rule(s, many)["state"]))


def told_once(s, want):
    """Findings of correlations among the events, so many; without a store they wait."""
    if STORE:
        return delivered(s, want, 30, "class_uid = 2004 AND log_name = 'correlation'") == want
    waiting = "SELECT coalesce(group_concat(hex(data), ''), '') FROM detect_finding"  # of a row of the feed all in one
    named = bytes([len("correlation")]) + b"correlation"  # each has its log_name once
    return until(lambda: bytes.fromhex(state(s, waiting)[0]).count(named) == want, 20, 0.3)


def among_events(s, many, quiet):
    ok(told_once(s, 2), "what is live and what is audit-only is a finding among the events, each once")
    s.kill_and_wait("center")
    ok(until(lambda: metric(s, "waiting_rows") == 0 and metric(s, "rows") is not None, 30, 0.3) and told_once(s, 2), "also after a kill of center")
    if STORE:
        ok(number(s, f"SELECT count() FROM yagura.event WHERE indicator = '{quiet}' AND org = 'heron' AND host = 'gate' AND"
                  f" has(related, 'e-{SPOOL}-50-490')") == 1 and doubles(s) == 0, "with the events it rests on")


def excepted(s, f, base, many, quiet):
    def make(text, want=201):
        r = s.http("POST", "/api/v1/detection-exceptions", {"rule": many, "org": "heron", "text": text, "reason": "a laboratory"})
        ok(r.status == want, f"an exception from a correlation: {want}", r)
        return r
    bad = make("s:\n  Image: x\ncondition: s\n", 400).json()
    ok("line 2: the correlation does not group by Image" in str(bad) and "/text" in str(bad), "it can name what the correlation groups by", bad)
    make("s: {host: 'lab*'}\ncondition: s\n")
    time.sleep(1.5)  # seen at the next look
    ok(f.send("heron", failed(base, "LAB7", 290, 289, 288)) and f.send("heron", failed(base, "behind", 225)), "three matches that it covers")
    ok(until(lambda: rule(s, many)["excepted_30d"] == 1, 20, 0.3), "are counted as excepted", rule(s, many))
    ok(rule(s, many)["hits_24h"] == 1 and not [a for a in alerts(s, "heron", "rule") if a["asset"] == "lab7"], "and told by no alert", alerts(s, "heron", "rule"))
    ok(rule(s, quiet)["hits_24h"] == 2, "another correlation has no part in it", rule(s, quiet))


def changed(s, f, base, many, quiet):
    ok(f.send("heron", failed(base, "door", 250, 245)), "two matches")
    ok(until(lambda: metric(s, "waiting_rows") == 0, 10, 0.2), "are taken")
    r = rule(s, quiet)
    got = s.http("PATCH", f"/api/v1/detection-rules/{quiet}", {"text": correlation(3, "Now other", 5)}, If_Match=r["etag"])
    ok(got.status == 200, "another correlation becomes another one", got)
    time.sleep(1.5)  # seen at the next look
    ok(f.send("heron", failed(base, "door", 240)) and f.send("heron", failed(base, "other", 100)), "the third match, and a later one")
    a = until(lambda: next((x for x in alerts(s, "heron", "rule") if x["indicator"] == many and x["asset"] == "door"), None), 20, 0.3)
    ok(a and a["count"] == 1, "the one that stayed as it was went on counting", alerts(s, "heron", "rule"))
    ok(s.http("PUT", f"/api/v1/detection-rules/{many}/overrides/heron", {"stage": "audit-only", "reason": "too loud"}).status in (200, 201),
       "an override")
    time.sleep(1.5)
    ok(f.send("heron", failed(base, "yard", 90, 89, 88)) and f.send("heron", failed(base, "other", 5)), "three matches elsewhere")
    ok(until(lambda: rule(s, many)["hits_24h"] == 3, 20, 0.3), "are counted", rule(s, many))
    ok(not [x for x in alerts(s, "heron", "rule") if x["asset"] == "yard"], "and are no alert there")


def counted(s, f, base):
    ok(f.send("heron", [stat(base, 640, 5, 1, 1000, [(SPOOL, 50, 480)])]), "what ingest counted of a rule")
    ok(rule(s, base)["hits_24h"] == 5 and rule(s, base)["excepted_30d"] == 1, "is in its numbers", rule(s, base))
    ok(f.again("heron", [stat(base, 640, 5, 1, 1000)]) and rule(s, base)["hits_24h"] == 5, "once")


def sprayed(first, count, src):
    return [login(NOW - 600 * S + i * S, f"user{i}", src, event=(SPOOL, 1, i)) for i in range(first, first + count)]


def spraying(s, f):
    first, rest = sprayed(0, 6, "203.0.113.9"), sprayed(6, 6, "203.0.113.9")
    ok(f.send("heron", first), "half of the accounts in one batch")
    ok(f.again("heron", first) and f.again("heron", first), "a batch sent again is answered as before")
    s.kill_and_wait("center")
    ok(f.again("heron", first), "and after a kill of center too")
    ok(f.send("heron", rest), "the other half in the next")
    a = one(s, "heron", "spray:203.0.113.9")
    ok(a, "password spraying over two batches and a kill -9 is found")
    if not a:
        return
    ok(a["count"] == 1 and a["title"] == "Password spraying: 203.0.113.9" and
       [r.startswith("203.0.113.9: 10 accounts with 10 failed logins") for r in whole(s, a)["reasons"]] == [True],
       "once, and no login counts twice", whole(s, a))
    ja = whole(s, a, Accept_Language="ja")
    ok(ja["title"] == "パスワードスプレー: 203.0.113.9" and "10個のアカウントへ計10回の認証失敗" in ja["reasons"][0], "title and reason are Japanese for who reads it", ja)
    e = s.http("GET", f"/api/v1/alerts/{a['id']}/events", Accept_Language="ja").json()["items"][0]
    ok("10個のアカウント" in e["words"], "what it rests on, too", e)
    f = findings(s, "heron", "spray", Accept_Language="ja")
    ok(len(f) == 1 and f[0]["stage"] == "live" and f[0]["count"] == 1 and f[0]["indicator"] == a["indicator"] and f[0]["score"] == a["confidence"] and
       f[0]["title"] == ja["title"] and "10個のアカウント" in f[0]["reason"], "it is among the findings", f)
    ok(a["asset"] == "203.0.113.9" and a["severity_id"] == 3, "of whom, and how severe", a)
    ok(not alerts(s, "egret"), "another organisation has no part in it")


def killed_behind(s):
    """What was applied and not yet saved comes again, and changes nothing."""
    ok(state(s, "SELECT count(*) > 0 FROM detect_feed")[0] == 1, "rows wait for the next save")
    before = [(a["id"], a["count"]) for a in alerts(s, "heron")]
    found = findings(s, "heron", "spray")
    s.kill_and_wait("center")
    ok(until(lambda: metric(s, "waiting_rows") == 0 and metric(s, "rows") > 0, 30, 0.3), "after a kill they are taken again")
    ok([(a["id"], a["count"]) for a in alerts(s, "heron")] == before, "and no alert counts them twice", alerts(s, "heron"))
    ok(findings(s, "heron", "spray") == found, "nor does the list of findings", (found, findings(s, "heron", "spray")))


def scanning(s, f):
    inside = [connection(NOW - 500 * S + i * S, "10.0.0.66", f"10.0.1.{i + 1}", 445, SRC_INSIDE | DST_INSIDE) for i in range(20)]
    outside = [connection(NOW - 500 * S + i * S, "198.51.100.66", f"10.0.1.{i + 1}", 23, DST_INSIDE) for i in range(20)]
    ok(f.send("heron", inside[:8] + outside) and f.send("heron", inside[8:]), "connections that nobody answers")
    a = one(s, "heron", "scan:10.0.0.66")
    ok(until(lambda: one(s, "heron", "scan:10.0.0.66")["count"] == 2, 20, 0.3) and a["asset"] == "10.0.0.66", "a scan from inside is an alert", a)
    ok(not [x for x in alerts(s, "heron") if "198.51.100.66" in x["indicator"]], "one from outside is none by itself")
    out = [x for x in findings(s, "heron", "scan") if x["asset"] == "198.51.100.66"]
    ok(len(out) == 1 and out[0]["stage"] == "audit-only" and out[0]["count"] == 2 and "from outside" in out[0]["reason"], "but a finding", out)


def volume(s, f):
    def sent(day, size):
        return [connection(NOW - day * 86400 * S - 5400 * S, "10.0.0.7", "198.51.100.77", 443, OK | SRC_INSIDE, out=size)]
    for day in range(9, 0, -1):
        ok(f.send("heron", sent(day, 1_000_000)), f"what is usual, {day} days ago")
    ok(f.send("heron", sent(0, 500_000_000)), "and five hundred times as much")
    got = until(lambda: findings(s, "heron", "volume"), 20, 0.3)
    ok(got and got[0]["asset"] == "10.0.0.7" and got[0]["stage"] == "audit-only" and "500 MB" in got[0]["reason"] and not
       [x for x in alerts(s, "heron") if x["indicator"].startswith("volume:")], "unusual volume is a finding and no alert", got)


def flood(s, f):
    def asked(second, src):
        return connection(NOW - second * S, src, "10.0.2.1", 443, OK | DST_INSIDE)
    usual = [asked(t, f"203.0.113.{1 + t % 40}") for t in range(1200, 700, -1)]
    burst = [asked(t, f"192.0.2.{60 + i % 3}") for t in range(690, 660, -1) for i in range(60)]
    ok(f.send("heron", usual) and f.send("heron", burst), "a service that is asked sixty times as often")
    a = one(s, "heron", "flood:10.0.2.1:443")
    ok(a and a["asset"] == "10.0.2.1" and a["severity_id"] == 4 and a["count"] == 1, "the onset of a flood is an alert, once", a)
    r = whole(s, a)["reasons"][0] if a else ""
    ok("requests a second" in r and "192.0.2.60" in r and "192.0.2.61" in r, "with its top sources", r)


def silence(s, f):
    source = {"source": "zeek", "sensor": "sluice"}
    came = [NOW - (6 * 3600 + i * 900) * S for i in range(110, 0, -1)]
    ok(all([f.send("egret", [records(5, at, at)], at, **source) for at in came]), "a source comes every quarter of an hour, and no more")
    s.kill_and_wait("center")
    a = until(lambda: next((x for x in alerts(s, "egret") if x["indicator"] == "silence:zeek of sluice"), None), 120, 1)
    ok(a and a["count"] == 1 and a["title"] == "Source gone silent: zeek of sluice", "a source gone silent is an alert, after a kill of center too", a)
    got = findings(s, "egret", "silence", Accept_Language="ja")
    ok(got and got[0]["title"] == "ログの途絶: zeek（sluice）" and got[0]["event"] is None and "ログが届いていない" in got[0]["reason"], "with its reason", got)
    ok(f.send("egret", [records(5, NOW, NOW)], **source), "it comes again")
    time.sleep(12)  # more than one tick of the clock
    ok([x["count"] for x in alerts(s, "egret") if x["indicator"].startswith("silence:")] == [1], "and is told once", alerts(s, "egret"))


def beacon(s, f):
    before = metric(s, "notices")
    calls = [connection(NOW - 3000 * S + i * 60 * S, "10.0.0.5", "198.51.100.7", 443, OK | SRC_INSIDE) for i in range(24)]
    ok(f.send("heron", calls[12:]) and f.send("heron", calls[:12]), "a beacon whose earlier half comes later")
    ok(until(lambda: metric(s, "notices") > before, 20, 0.3), "is counted", metric(s, "notices"))
    got = findings(s, "heron", "beacon")
    ok(len(got) == 1 and got[0]["stage"] == "audit-only" and got[0]["asset"] == "10.0.0.5" and "came every 1 min" in got[0]["reason"], "and a finding", got)
    ok(not [x for x in alerts(s, "heron") if x["indicator"].startswith("beacon:")], "and no alert by itself")


def told_how_far(s, f):
    def said(org, kind="beacon"):
        return next(x for x in s.http("GET", f"/api/v1/detection-notices{'?org=' + org if org else ''}").json()["items"] if x["kind"] == kind)
    ok(said("heron")["stage"] == "audit-only" and not said("heron")["own"], "a beacon is audit-only where nobody said otherwise", said("heron"))
    ok(s.http("PUT", "/api/v1/detection-notices", {"org": None, "kind": "beacon", "stage": "live"}).status == 200, "live for all")
    ok(s.http("PUT", "/api/v1/detection-notices", {"org": "egret", "kind": "beacon", "stage": "off"}).status == 200, "off for one")
    ok(said("heron")["stage"] == "live" and said("egret") == {"kind": "beacon", "stage": "off", "own": True}, "the nearest node wins")
    time.sleep(1.5)  # seen at the next look
    calls = [connection(NOW - 3000 * S + i * 45 * S, "10.0.0.8", "198.51.100.8", 443, OK | SRC_INSIDE) for i in range(24)]
    ok(f.send("egret", calls) and f.send("heron", calls), "a beacon at both")
    a = one(s, "heron", "beacon:10.0.0.8 > 198.51.100.8:443")
    ok(a and a["asset"] == "10.0.0.8", "is an alert at one", a)
    ok(not alerts(s, "egret"), "and none at the other")
    ok(s.http("PUT", "/api/v1/detection-notices", {"org": "egret", "kind": "beacon", "stage": None}).status == 200 and
       not said("egret")["own"], "inherited again")
    ok(s.http("PUT", "/api/v1/detection-notices", {"org": "none", "kind": "beacon", "stage": "off"}).status == 404, "no such organisation")


def travel(s, f):
    ok(metric(s, "places") == 2, "the file of places was read", metric(s, "places"))
    ok(f.send("heron", [login(NOW - 400 * S, "eve", "192.0.2.10", True), login(NOW - 100 * S, "eve", "203.0.113.200", True)]),
       "one account, two continents, five minutes")
    a = one(s, "heron", "travel:eve")
    ok(a and a["asset"] == "eve" and a["severity_id"] == 4 and " km/h" in whole(s, a)["reasons"][0], "impossible travel is an alert", a)


def by_hand(s):
    """The command line: those there are, how far a kind goes, what correlations hold."""
    def cli(*args):
        status, out, err = s.cli("detect", *args)
        ok(status == 0, f"detect {' '.join(args)}", err)
        return [json.loads(x) for x in out.splitlines()] if "--json" in args else out
    ok("10.0.0.5 > 198.51.100.7:443" in cli("findings", "--org", "heron", "--kind", "beacon"), "`detect findings` has the reason")
    cli("notice", "volume", "live", "--org", "heron")
    mine = {x["kind"]: (x["stage"], x["own"]) for x in cli("notices", "--org", "heron", "--json")}
    ok(mine["volume"] == ("live", True) and mine["flood"] == ("live", False), "`detect notice` sets, `detect notices` shows", mine)
    cli("notice", "volume", "inherited", "--org", "heron")
    mine = {x["kind"]: (x["stage"], x["own"]) for x in cli("notices", "--org", "heron", "--json")}
    ok(mine["volume"] == ("audit-only", False), "and takes back", mine)
    held = {x["title"]: x["state"] for x in cli("correlations", "--json")}
    ok(held["Many failed logins"]["events"] > 0 and held["Many failed logins"]["late"] >= 3 and held["Many failed logins"]["groups"] >= 1,
       "`detect correlations` has what they hold", held)


def refused(s):
    ok(send(s, b"\0" * 40) not in (0, None), "what is no message is refused")
    ok(send(s, message(SPOOL, 999, "heron", NOW, [b"\x09"])) not in (0, None), "so is one with an entry that is none")
    ok(send(s, message(SPOOL, 1, "nobody", NOW, [records(1, NOW, NOW)])) == 0, "one that was had is answered")


def main():
    temp = tempfile.mkdtemp(prefix="yagura-places-")
    os.chmod(temp, 0o755)
    path = os.path.join(temp, "places.csv")
    with open(path, "w", encoding="ascii") as out:
        out.write("# ours\n192.0.2.0/24,35.68,139.76,50\n203.0.113.128/25,40.7,-74,50\n")
    with Server(yagura, {**without_store(), "detect": {"places_file": path}}) as s:
        for org in ("heron", "egret"):
            ok(s.http("POST", "/api/v1/organisations", {"name": org}).status == 201, f"organisation {org}")
        f = Feed(s)
        begun = time.time()
        base, many, quiet = correlations(s, f)
        among_events(s, many, quiet)
        late(s, f, base, many)
        excepted(s, f, base, many, quiet)
        changed(s, f, base, many, quiet)
        counted(s, f, base)
        spraying(s, f)
        killed_behind(s)
        scanning(s, f)
        beacon(s, f)
        told_how_far(s, f)
        travel(s, f)
        volume(s, f)
        flood(s, f)
        by_hand(s)
        silence(s, f)
        refused(s)
        ok(metric(s, "refused") == 0 and metric(s, "dropped") == 0 and metric(s, "nomem") == 0, "nothing was lost on the way")
        note(f"{time.time() - begun:.1f} s")
    done()


main()
