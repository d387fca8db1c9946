#!/usr/bin/env python3
"""Why a name is answered as it is: `dns explain` at a resolver alone and through the
API, the zones of the policy, and whose they are."""

import json
import os
import subprocess
import sys
import time

from harness import Server, done, free_port, library, ok, until
from people_lib import without_store
from resolve_lib import Upstream, ask, resolver

binary = sys.argv[1]

FEED = """$TTL 60
@ SOA ns.feed. root.feed. 42 60 60 86400 30
@ NS ns.feed.
evil.example CNAME .
*.evil.example CNAME .
fine.evil.example CNAME rpz-passthru.
32.7.100.51.198.rpz-ip CNAME *.
odd.rpz-foo CNAME .
"""
NOTES = "$TTL 60\n@ SOA ns.notes. root.notes. 7 60 60 86400 30\n@ NS ns.notes.\nwatched.example CNAME .\n"
ANSWERS = {("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")],
           ("fine.evil.example.", "A"): [("fine.evil.example.", "A", 60, "192.0.2.2")],
           ("watched.example.", "A"): [("watched.example.", "A", 60, "192.0.2.3")],
           ("byip.example.", "A"): [("byip.example.", "A", 60, "198.51.100.7")],
           ("alias.example.", "A"): [("alias.example.", "CNAME", 60, "www.evil.example."), ("www.evil.example.", "A", 60, "192.0.2.4")]}
POLICY = [{"name": "feed1", "rpz": "feed1.zone", "zone": "feed1", "category": "malware"},
          {"name": "notes", "rpz": "notes.zone", "zone": "notes", "mode": "audit-only"},
          {"name": "town-own", "list": "own.txt", "org": "town-a", "layer": "org-block"}]
FILES = {"feed1.zone": FEED, "notes.zone": NOTES, "own.txt": "games.example\n"}
CLIENTS = [{"prefix": "127.0.0.1/32", "org": "town-a"}, {"prefix": "127.0.0.2/32", "org": "town-b"}, "127.0.0.3/32"]


def explain(s, *words, want=0, lang="C", text=False, **env):
    out = subprocess.run([binary, "dns", "explain", *([] if text else ["--json"]), *words], capture_output=True, text=True, timeout=30,
                         env={**os.environ, "YAGURA_DATA": s.data, "LC_ALL": lang, **env})
    if out.returncode != want:
        ok(False, f"explain {words} ends with {want}", f"{out.returncode} {out.stdout} {out.stderr}")
        return {"words_en": []} if not text else ""
    return out.stdout if text else json.loads(out.stdout) if want == 0 else out.stderr


def alone():
    with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": POLICY, "clients": CLIENTS, "workers": 2}, FILES) as s:
        ok(until(lambda: s.find_event("resolve.policy"), 20), "the policy is there")
        before = len(up.asked)
        e = explain(s, "www.example")
        ok(e["verdict"] == "answered" and e["source"] == "upstream" and not e["final"] and e["cache"]["state"] == "absent" and
           e["upstream"].startswith("127.0.0.1:"), "what nobody asked for is not known, and said so", e)
        ok(len(up.asked) == before, "explaining asks nobody")
        ok([w["worker"] for w in e["workers"]] == [0, 1], "both workers are asked", e["workers"])
        e = explain(s, "x.evil.example")
        d = e["decision"]
        ok(e["verdict"] == "blocked" and e["final"] and d["action"] == "nxdomain" and d["zone"] == "feed1" and d["serial"] == 42 and
           d["layer"] == "centre-zone" and d["trigger"] == "qname" and d["record"].rstrip(".") == "*.evil.example" and d["ede"] == 15 and
           d["category"] == "malware", "a listed name, with zone, layer, trigger and record", d)
        ok(ask(s.dns, "x.evil.example.").ede[0] == 15, "and so it is answered")
        for _ in range(24):  # both workers come to have it, by chance; eight were too few one time in thirty
            for name in ("fine.evil.example.", "watched.example.", "byip.example.", "alias.example.", "www.example."):
                ask(s.dns, name)
        e = explain(s, "www.example")
        ok(e["source"] == "cache" and e["final"] and e["cache"]["state"] == "fresh" and 0 < e["cache"]["ttl"] <= 60 and
           e["cache"]["answers"] == ["A 192.0.2.1"], "from the cache, with its time", e)
        e = explain(s, "www.example", "--do")
        ok(e["source"] == "upstream" and e["cache"]["state"] == "absent", "with signatures it is another entry", e)
        for _ in range(8):
            ask(s.dns, "www.example.", do=True)
            ask(s.dns, "www.example.", cd=True)
        ok(explain(s, "www.example", "--do")["cache"]["state"] == "fresh" and explain(s, "www.example", "--cd")["cache"]["state"] == "fresh" and
           explain(s, "www.example", "--do", "--cd")["cache"]["state"] == "absent", "as DO and CD have them")
        e = explain(s, "x.evil.example", "--do")
        ok(e["verdict"] == "blocked" and not e["final"], "what is listed may still be signed: not final for DO before it is known", e)
        ok(explain(s, "fine.evil.example")["verdict"] == "allowed", "passthru is an allowance")
        e = explain(s, "watched.example")
        ok(e["verdict"] == "noted" and e["noted"][0]["zone"] == "notes" and e["decision"] is None, "a zone that only notes", e)
        e = explain(s, "byip.example")
        ok(e["verdict"] == "blocked" and e["decision"]["trigger"] == "response-ip" and e["decision"]["action"] == "nodata", "by an address in the answer", e)
        e = explain(s, "alias.example")
        ok(e["verdict"] == "blocked" and e["at"] == "www.evil.example" and e["chain"] == ["alias.example", "www.evil.example"],
           "by the name behind a CNAME", e)
        ok(explain(s, "games.example", "--org", "town-a")["verdict"] == "blocked" and explain(s, "games.example", "--org", "town-b")["verdict"] == "answered" and
           explain(s, "games.example")["verdict"] == "answered", "an organisation's own block is its own")
        e = explain(s, "games.example", "--client", "127.0.0.1")
        ok(e["verdict"] == "blocked" and e["org"] == "town-a" and e["network"] == "127.0.0.1/32", "by the client's address", e)
        ok(explain(s, "www.example", "--client", "203.0.113.9")["verdict"] == "refused", "an unknown client is refused")
        ok("no client of this organisation" in explain(s, "www.example", "--client", "127.0.0.2", "--org", "town-a", want=6), "another's client")
        explain(s, "www.example", "--type", "NOSUCH", want=1)
        words = explain(s, "x.evil.example", text=True)
        ok("is blocked" in words and "feed1" in words and "*.evil.example" in words, "in words", words)
        words = explain(s, "x.evil.example", text=True, lang="ja_JP.UTF-8")
        ok("遮断されます" in words and "センターのゾーン" in words, "in Japanese words", words)


def with_centre():
    port = free_port()

    def before(s):
        for name, text in FILES.items():
            with open(os.path.join(os.path.dirname(s.conf_path), name), "w", encoding="utf-8") as f:
                f.write(text)
    with Upstream(ANSWERS) as up, Server(binary, {**without_store(), "resolve": {
            "listen": [f"127.0.0.1@{port}"], "clients": CLIENTS, "policy": POLICY,
            "upstream": [{"zone": ".", "forward": [up.address]}]}}, before=before) as s:
        for name in ("town-a", "town-b"):
            s.http("POST", "/api/v1/organisations", {"name": name, "title": name})
        tokens = {o: s.http("POST", "/api/v1/tokens", {"org": o, "name": "x", "scopes": ["indicators:read", "events:read"]}).json()["secret"]
                  for o in ("town-a", "town-b")}

        def get(path, who=None):
            head = {"Authorization": f"Bearer {tokens[who]}"} if who else {}
            return s.http("GET", path, **head)
        ok(until(lambda: get("/api/v1/dns/zones").json().get("generation"), 20), "the zones are compiled")
        zones = {z["name"]: z for z in get("/api/v1/dns/zones").json()["items"]}
        z = zones["feed1"]
        ok(list(zones) == ["town-own", "feed1", "notes"] and z["serial"] == 42 and z["kind"] == "rpz" and z["state"] == "ok" and z["refused"] == 1 and
           z["taken"] == 4 and z["triggers"]["response-ip"] == 1 and z["changed_at"] and z["error"] is None, "every zone, in order", z)
        ok(z["refused_records"][0]["line"] and "odd.rpz-foo" in z["refused_records"][0]["record"], "a refused record by line and reason", z["refused_records"])
        ok([x["name"] for x in get("/api/v1/dns/zones", "town-b").json()["items"]] == ["feed1", "notes"], "another's own list is not shown")
        ok(len(get("/api/v1/dns/zones", "town-a").json()["items"]) == 3, "one's own is")
        for body in ({"org": None, "type": "domain", "value": "all.example", "reason": "x"}, {"org": "town-a", "type": "domain", "value": "lure.example",
                     "category": "phishing", "reason": "x"}, {"org": "town-a", "type": "ip", "value": "192.0.2.9", "reason": "x"}):
            s.http("POST", "/api/v1/block-entries", body)
        s.http("POST", "/api/v1/allow-entries", {"org": "town-b", "type": "domain", "value": "fine.example", "reason": "x"})
        lid = s.http("POST", "/api/v1/indicator-lists", {"name": "scam"}).json()["id"]
        s.http("POST", "/api/v1/indicators", {"list": lid, "type": "domain", "value": "known.example", "confidence": 90, "category": "malware"})
        want = ["allow@town-b", "blocks@town-a/phishing", "blocks@town-a:addresses", "town-own", "blocks@all", "feed1", "notes", "indicators@all/scam/malware"]

        def all_zones(who=None):
            return {z["name"]: z for z in get("/api/v1/dns/zones", who).json()["items"]}
        until(lambda: len(all_zones()) == len(want), 20)
        zones = all_zones()
        ok(list(zones) == want and [z["position"] for z in zones.values()] == list(range(1, 9)), "with what people enter and indicators, by precedence", list(zones))
        z, k = zones["blocks@town-a/phishing"], zones["indicators@all/scam/malware"]
        ok(z["kind"] == "entries" and z["org"] == "town-a" and z["layer"] == "org-block" and z["category"] == "phishing" and z["taken"] == 1 and
           z["triggers"]["qname"] >= 1 and z["changed_at"] and z["state"] == "ok", "an organisation's blocks", z)
        ok(k["kind"] == "indicators" and k["source"] == "scam" and k["layer"] == "indicators" and k["org"] is None and k["taken"] == 1, "a list of indicators", k)
        ok(zones["blocks@town-a:addresses"]["triggers"]["response-ip"] == 1, "addresses apart", zones["blocks@town-a:addresses"])
        ok(set(all_zones("town-a")) == set(want) - {"allow@town-b"}, "another's entries are not shown", list(all_zones("town-a")))
        with open(os.path.join(os.path.dirname(s.conf_path), "notes.zone"), "w", encoding="utf-8") as f:
            f.write(NOTES + "broken.example CNAME\n")
        bad = until(lambda: [x for x in get("/api/v1/dns/zones").json()["items"] if x["state"] == "behind"], 20)
        ok(bad and bad[0]["name"] == "notes" and bad[0]["error"] and bad[0]["failed_at"] and bad[0]["serial"] == 7,
           "a file that cannot be read: the old one is in force, and it says so", bad)
        e = get("/api/v1/dns/explain?name=x.evil.example").json()
        ok(e["verdict"] == "blocked" and e["decision"]["zone"] == "feed1" and e["workers"], "the API explains", e)
        ok(explain(s, "x.evil.example")["decision"] == e["decision"], "and the command asks it")
        one = get("/api/v1/dns/explain?name=games.example", "town-a").json()
        other = get("/api/v1/dns/explain?name=games.example", "town-b").json()
        ok(one["verdict"] == "blocked" and one["org"] == "town-a" and other["verdict"] == "answered" and other["org"] == "town-b",
           "who asks by a token asks as its organisation", (one, other))
        ok(get("/api/v1/dns/explain?name=games.example&org=town-a", "town-b").status == 404, "never as another")
        ok(get("/api/v1/dns/explain?name=games.example&client=127.0.0.1", "town-b").status == 400, "nor as another's client")
        ok(get("/api/v1/dns/explain?name=%E6%97%A5%E6%9C%AC.example&client=127.0.0.3").json()["name"] == "xn--wgv71a.example", "an international name")
        for wrong in ("", "name=a..b", "name=a.example&type=AXFR", "name=a.example&client=x"):
            ok(get(f"/api/v1/dns/explain?{wrong}").status == 400, f"refused: {wrong}")
        allowed(s, port, get)
        if library():
            overview(s, get)
            logged(s, port, get)


def event(n, who, verdict, **more):
    made = {"class_uid": 4003, "activity_id": 6, "severity_id": 1, "time": int(time.time() * 1000) - n * 1000, "metadata": {"version": "1.8.0"},
            "src_endpoint": {"ip": f"10.0.{n % 3}.1", "zone": f"{who}-net{n % 2}"}, "query": {"hostname": f"n{n % 4}.example", "type": "A"},
            "unmapped": {"verdict": verdict, "origin": "policy" if verdict == "blocked" else "cache"}}
    if verdict in ("blocked", "noted"):
        made.update(policy={"name": "feed1" if verdict == "blocked" else "notes", "group": {"name": "centre-zone"}},
                    firewall_rule={"type": "qname", "name": "*.evil.example", "category": "malware"})
    return {**made, **more}


def overview(s, get):
    """Counts out of the store; what is another's is not in any of them."""
    for who, verdicts in (("town-a", ["blocked"] * 4 + ["allowed"] * 5 + ["noted"]), ("town-b", ["allowed"] * 3 + ["failed"])):
        lines = [json.dumps(event(i, who, v)) for i, v in enumerate(verdicts)]
        lines.append(json.dumps({k: v for k, v in event(1, who, "").items() if k != "unmapped"}))  # another sensor's: no verdict
        s.http("POST", f"/api/v1/events?source=ocsf&org={who}&sensor=r", "\n".join(lines), Content_Type="application/x-ndjson")
    o = until(lambda: (lambda o: o["queries"] == 14 and o)(get("/api/v1/dns/overview").json()), 20)
    if not ok(o, "queries are counted", get("/api/v1/dns/overview").body):
        return
    ok((o["blocked"], o["noted"], o["failed"], o["refused"]) == (4, 1, 1, 0) and {v["verdict"]: v["queries"] for v in o["verdicts"]} ==
       {"blocked": 4, "allowed": 8, "noted": 1, "failed": 1}, "by verdict", o["verdicts"])
    ok({(z["zone"], z["layer"], z["category"], z["trigger"], z["queries"]) for z in o["zones"]} ==
       {("feed1", "centre-zone", "malware", "qname", 4), ("notes", "centre-zone", "malware", "qname", 1)}, "by zone and reason", o["zones"])
    ok({(x["org"], x["queries"], x["blocked"]) for x in o["organisations"]} == {("town-a", 10, 4), ("town-b", 4, 0)}, "by organisation", o["organisations"])
    ok({(x["org"], x["network"]): x["queries"] for x in o["networks"]} ==
       {("town-a", "town-a-net0"): 5, ("town-a", "town-a-net1"): 5, ("town-b", "town-b-net0"): 2, ("town-b", "town-b-net1"): 2}, "by network", o["networks"])
    ok({n["name"]: n["queries"] for n in o["names"]} == {"n0.example": 1, "n1.example": 1, "n2.example": 1, "n3.example": 1}, "names that were blocked", o["names"])
    ok(sum(t["queries"] for t in o["trend"]) == 14 and sum(t["blocked"] for t in o["trend"]) == 4 and o["last_event"], "over time", o["trend"])
    mine = get("/api/v1/dns/overview", "town-b").json()
    ok(mine["queries"] == 4 and mine["blocked"] == 0 and not mine["zones"] and "town-a" not in json.dumps(mine), "one's own alone", mine)
    ok(get("/api/v1/dns/overview?org=town-a", "town-b").status == 404, "never another's")
    ok(get("/api/v1/dns/overview?from=now-2h&to=now-1h").json()["queries"] == 0, "another time")
    z = {z["name"]: z for z in get("/api/v1/dns/zones").json()["items"]}
    ok((z["feed1"]["hits"], z["notes"]["hits"], z["notes"]["noted"], z["town-own"]["hits"]) == (4, 1, 1, 0), "hits of the zones", z)
    z = {z["name"]: z["hits"] for z in get("/api/v1/dns/zones", "town-b").json()["items"]}
    ok(z["feed1"] == 0 and z["notes"] == 0 and not any(z.values()), "of one's own queries", z)


def allowed(s, port, get):
    """A request that is granted is in force within seconds, for who asked and nobody else."""
    asked = s.http("POST", "/api/v1/dns/allow-requests", {"org": "town-a", "name": "needed.evil.example", "reason": "a supplier's"}).json()
    ok(get("/api/v1/dns/explain?name=needed.evil.example&org=town-a").json()["verdict"] == "blocked", "asked for, and blocked until somebody decides")
    began = time.monotonic()
    got = s.http("POST", f"/api/v1/dns/allow-requests/{asked['id']}/decision", {"grant": True, "reason": "known"}).json()
    e = until(lambda: (lambda e: e["verdict"] == "allowed" and e)(get("/api/v1/dns/explain?name=needed.evil.example&org=town-a").json()), 20)
    ok(got["state"] == "granted" and e and e["decision"]["layer"] == "org-allow", f"granted: allowed after {time.monotonic() - began:.1f} s", (got, e))
    ok(get("/api/v1/dns/explain?name=needed.evil.example&org=town-b").json()["verdict"] == "blocked", "and still blocked for the others")


def logged(s, port, get):
    """A query by DNS: its row in the log, with why, and in the counts."""
    ok(ask(("127.0.0.1", port), "log.evil.example.").rcode == "NXDOMAIN", "a blocked name is asked for")
    path = "/api/v1/events?q=class:dns_activity%20verdict:blocked%20query:log.evil.example"
    e = until(lambda: (lambda r: r and r[0])(get(path).json().get("items")), 20)
    ok(e and (e["org"], e["policy"], e["layer"], e["trigger"], e["category"], e["origin"]) == ("town-a", "feed1", "centre-zone", "qname", "malware", "policy"),
       "the live log says by what", e)
    o = get("/api/v1/dns/overview?org=town-a").json()
    ok(o["blocked"] == 5 and "log.evil.example" in [n["name"] for n in o["names"]] and o["coverage"]["expected"] >= 1, "and it is counted", o)


alone()
with_centre()
done()
