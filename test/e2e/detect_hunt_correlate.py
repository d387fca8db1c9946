"""Correlations over the past: in the order of time, with the state that live has, told once, also
when center is killed in the middle; by themselves when they are new.  Arguments: yagura."""
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
BASE = "41111111-1111-4111-8111-111111111111"
RULE = f"""\
title: a bad name
id: {BASE}
logsource: {{category: dns}}
detection: {{a: {{query|endswith: .bad.example}}, condition: a}}
"""


def correlation(number, body, title="many of them"):
    return f"title: {title}\nid: {number}1111111-1111-4111-8111-111111111111\nlevel: high\ncorrelation: {{{body}}}\n"


MANY = f"type: event_count, rules: [{BASE}], group-by: [src_ip], timespan: 1h, condition: {{gte: 3}}"


def zeek(at, source, name):
    return json.dumps({"_path": "dns", "ts": at, "uid": "C1", "id.orig_h": source, "id.orig_p": 5353, "id.resp_h": "192.0.2.53", "id.resp_p": 53,
                       "proto": "udp", "query": name, "qtype_name": "A"})


def stored(s):
    try:
        return int(s.store("SELECT count() FROM yagura.event WHERE class_uid != 2004"))
    except RuntimeError:  # not yet made
        return 0


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def bursts(events):
    """What MANY says of (time, source), of one organisation: the time of the last event of each."""
    waits, out = {}, []
    for at, source in sorted(events):
        mine = waits.setdefault(source, [])
        mine[:] = [t for t in mine if t >= at - 3600] + [at]
        if len(mine) == 3:
            out.append((at, source))
            mine.clear()
    return out


random.seed(7)
with Server(os.path.abspath(sys.argv[1]), {"detect": {"retro-hunt-days": 0}}) as s:
    for org, parent in (("alpha", None), ("alpha-unit", "alpha"), ("beta", None)):
        s.http("POST", "/api/v1/organisations", {"name": org, **({"parent": parent, "kind": "unit"} if parent else {})})
    told, sent = {}, 0
    for number, org in enumerate(("alpha", "alpha-unit", "beta")):
        events = sorted({(DAY - 2 * 86400 - random.randrange(20 * 86400) // 60 * 60, f"10.{number}.0.{1 + i % 2}") for i in range(1500)})
        told[org] = bursts(events)
        for part in (events[::2], events[1::2]):  # they came in no order
            random.shuffle(part)
            lines = [zeek(at, source, f"x{i}.bad.example") for i, (at, source) in enumerate(part)]
            lines += [zeek(part[0][0], "10.9.9.9", "good.example")] * 50
            sent += len(lines)
            got = s.http("POST", f"/api/v1/events?source=zeek&org={org}&sensor=x", "\n".join(lines).encode(), Content_Type="text/plain")
            ok(got.status == 202, f"{org} sends events", got)
    ok(until(lambda: stored(s) == sent, 60), "they are in the store", (stored(s), sent))
    every = sum(len(t) for t in told.values())
    ok(all(len(t) > 20 for t in told.values()), "they hold often", {o: len(t) for o, t in told.items()})

    def rule(text, stage="off", org=None):
        made = s.http("POST", "/api/v1/detection-rules", {"org": org, "collection": "own", "stage": stage, "text": text})
        ok(made.status == 201, "a rule is kept", made)
        return made.json()["id"]

    def ended(job, seconds=90):
        return until(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(s.http("GET", f"/api/v1/jobs/{job}").json()), seconds)

    def hunt(uid, **more):
        made = s.http("POST", "/api/v1/retro-hunts", {"rule": uid, "org": None, "from": stamp(DAY - 40 * 86400), **more})
        return made.json()["id"] if made.status == 202 else made

    def found(uid):
        """(organisation, time, source) of its findings among the events, in order."""
        rows = s.store("SELECT org, intDiv(time, 1000000), arrayElement(names, 1) FROM yagura.event WHERE class_uid = 2004 "
                       f"AND log_name = 'correlation' AND indicator = '{uid}' ORDER BY org, time, names FORMAT TabSeparated")
        return [(o, int(t), n) for o, t, n in (line.split("\t") for line in rows.splitlines())]

    def expected(orgs=("alpha", "alpha-unit", "beta")):
        return sorted((o, at, source) for o in orgs for at, source in told[o])

    def alerts(uid):
        return s.http("GET", f"/api/v1/alerts?limit=200&indicator={uid}").json()["items"]

    base = rule(RULE, "test")
    many = rule(correlation(5, MANY))

    # ---- tried
    def tried(body):
        made = s.http("POST", "/api/v1/detection-rules/try", body)
        return made, ended(made.json()["id"]) if made.status == 202 else None

    day = max(told["alpha"])[0] // 86400 * 86400
    events_of_day = [(o, at, src) for o, at, src in expected(("alpha", "alpha-unit")) if day <= at < day + 86400]
    # a day begins without what was before it
    made, job = tried({"text": correlation(5, MANY), "org": "alpha", "day": stamp(day)[:10]})
    r = job["result"] if job else {}
    ok(job and job["state"] == "done" and 0 < r["matches"] and abs(r["matches"] - len(events_of_day)) <= 4 and not r["cut"], "a correlation over a day", (made, job, events_of_day))
    fields = {f["name"]: f["value"] for f in r["samples"][0]["fields"]}
    ok(fields["src_ip"].startswith("10.") and fields["value"] == "3" and {"first", "last"} <= set(fields), "with its group and what was counted", fields)
    seen = s.http("GET", f"/api/v1/events/{r['samples'][0]['event']}").json()
    ok(seen["query"].endswith(".bad.example") and seen["src_ip"] == fields["src_ip"], "and its newest event", seen)
    ok({a["asset"] for a in r["assets"]} <= {"10.0.0.1", "10.0.0.2", "10.1.0.1", "10.1.0.2"}, "by asset", r["assets"])
    made, _ = tried({"text": correlation(6, MANY.replace(BASE, "nowhere")), "org": "alpha", "day": stamp(day)[:10]})
    ok(made.status == 400 and "there is no rule 'nowhere'" in made.body.decode(), "one that cannot be is refused at once, with the reason", made)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as f:
        f.write(correlation(5, MANY))
        f.flush()
        out = s.cli("detect", "try", f.name, "--org", "alpha", "--day", stamp(day)[:10], "--json")
        ok(out[0] == 0 and json.loads(out[1])["matches"] == r["matches"], "detect try says the same", out)
    ok(found(many) == [] and alerts(many) == [], "no finding is made")

    # ---- a hunt, center killed again and again
    job = hunt(many)
    for _ in range(3):
        time.sleep(random.uniform(0.02, 0.4))
        s.kill_and_wait("center")
    end = ended(job)
    ok(end["state"] == "done" and end["result"]["matches"] == end["result"]["findings"] == every and end["result"]["known"] == 0,
       "a hunt goes on after kills", (end, every))
    ok(end["result"]["events"] == sent - 300, "each event is looked at once, what cannot match is not", (end, sent))
    ok(found(many) == expected(), "each is a finding, once, where and when it held", (len(found(many)), every))
    ok(sum(a["count"] for a in alerts(many)) == every, "and in an alert", [a["count"] for a in alerts(many)])
    one = alerts(many)[0]
    seen = s.http("GET", f"/api/v1/alerts/{one['id']}/events").json()["items"][0]
    ok(seen["historical"] and {"src_ip", "value", "first", "last"} <= {f["name"] for f in seen["fields"]}, "which says that it is of the past", seen)
    shown = s.http("GET", f"/api/v1/retro-hunts/{job}").json()
    ok(shown["kind"] == "correlation" and shown["rule"] == many and shown["title"] == "many of them", "a hunt names its correlation", shown)
    end = ended(hunt(many))
    ok(end["result"]["matches"] == end["result"]["known"] == every and end["result"]["findings"] == 0, "what was told is not told again", end)

    # ---- of one node, and what holds there
    other = rule(correlation(7, MANY, "another"))
    s.http("PUT", f"/api/v1/detection-rules/{other}/overrides/alpha-unit", {"stage": "off", "reason": "ours"})
    s.http("POST", "/api/v1/detection-exceptions", {"rule": other, "org": "alpha", "text": "s: {src_ip: 10.0.0.2}\ncondition: s\n", "reason": "known"})
    end = ended(hunt(other, org="alpha"))
    mine = [t for t in expected(("alpha",)) if t[2] != "10.0.0.2"]
    ok(end["state"] == "done" and found(other) == mine != [], "overrides and exceptions hold over the past", (end, len(found(other)), len(mine)))
    filter_of = rule("title: f\nlogsource: {category: dns}\nfilter:\n  rules: any\n  s: {a: b}\n  condition: not s\n")
    made = s.http("POST", "/api/v1/retro-hunts", {"rule": filter_of, "org": None})
    ok(made.status == 400 and "a filter" in made.body.decode(), "a filter is not looked for", made)

    # ---- by themselves: one that another tells of is silent
    s.write_conf({"detect": {"retro-hunt-days": 90}})
    s.reload()
    lower = rule(correlation(8, MANY, "lower"), "live", "beta")
    upper = rule(correlation(9, "type: event_count, rules: [81111111-1111-4111-8111-111111111111], group-by: [src_ip], timespan: 1d, condition: {gte: 2}", "upper"), "live", "beta")

    def by_itself():
        return {i for h in s.http("GET", "/api/v1/retro-hunts?limit=200&kind=correlation").json()["items"] if h["automatic"] and h["state"] == "done"
                for i in ([h["rule"]] if h["rule"] else [lower, upper])}

    ok(until(lambda: by_itself() == {lower, upper}, 90, 0.5), "new ones are looked for by themselves", s.http("GET", "/api/v1/retro-hunts?limit=200").json())
    kinds = [{h["kind"] for h in s.http("GET", f"/api/v1/retro-hunts?limit=200&kind={kind}").json()["items"]} for kind in ("correlation", "rule")]
    ok(kinds[0] == {"correlation"} and kinds[1] <= {"rule"}, "they are listed by kind", kinds)
    ok(len(found(upper)) > 2 and {o for o, _, _ in found(upper)} == {"beta"}, "one over another one, in its organisation", found(upper))
    ok({t[1:] for t in found(upper)} <= set(told["beta"]), "when the other one held for the second time")
    ok(found(lower) == [] or by_itself() != {lower, upper}, "which is silent, as it is live", found(lower))
done()
