"""Every operation of doc/openapi.yaml as every role on every node: nothing of
another organisation comes back but the rules of nodes above, which hold there.  No
row, id, title or count of it in a body or a header; totals are the sums of what is one's own; an object of another's is
answered like one that is not there; without the scope it is 403 for both."""
import json
import os
import random
import re
import statistics
import sys
import time

from harness import Server, bail, done, library, note, ok, until
from rights_lib import ALONE, DOC, ELSEWHERE, PUBLIC, SCOPES, TREE, Asker, World, below, operations

NONE = {"alerts": "a-00000000000000000000000000", "tokens": "t-00000000000000000000000000", "events": "e-7-7-7",
        "lists": "l-00000000000000000000000000", "indicators": "i-999999", "allow": "w-00000000000000000000000000",
        "block": "k-00000000000000000000000000", "rules": "r-00000000000000000000000000", "excepts": "x-00000000000000000000000000",
        "jobs": "j-00000000000000000000000000", "hunts": "j-00000000000000000000000000", "grants": "g-00000000000000000000000000",
        "systems": "y-00000000000000000000000000", "people": "p-00000000000000000000000000", "requests": "u-00000000000000000000000000", "org": "nosuchorg"}
KINDS = {"alerts": "alerts", "tokens": "tokens", "events": "events", "indicator-lists": "lists", "indicators": "indicators",
         "allow-entries": "allow", "block-entries": "block", "detection-rules": "rules", "detection-exceptions": "excepts", "jobs": "jobs", "grants": "grants", "systems": "systems", "people": "people",
         "retro-hunts": "hunts", "dns": "requests"}
RULE = "title: x\nlogsource: [product: x]\ndetection: [s: [a: 1], condition: s]\n".replace("[", "{").replace("]", "}")
# Bodies that name an organisation or an object of one; {org} and {kind} are filled in.
BODIES = {
    "createOrganisation": {"name": "newborn", "parent": "{org}"},
    "createToken": {"org": "{org}", "name": "x", "scopes": ["alerts:read"]},
    "createIndicatorList": {"org": "{org}", "name": "x"},
    "createIndicator": {"list": "{lists}", "type": "domain", "value": "x.example"},
    "createAllowEntry": {"org": "{org}", "type": "domain", "value": "x.example", "reason": "x"},
    "createBlockEntry": {"org": "{org}", "type": "domain", "value": "x.example", "reason": "x"}, "updateBlockEntry": {"reason": "x"},
    "setDetectionNotice": {"org": "{org}", "kind": "beacon", "stage": "live"},
    "setDnsMode": {"org": "{org}", "layer": "org-block", "mode": "off"}, "setDnsAnswer": {"org": "{org}", "answer": "nodata"},
    "createDetectionRule": {"org": "{org}", "text": RULE}, "updateDetectionRule": {"stage": "live"},
    "importDetectionRules": {"org": "{org}", "files": [{"name": "x.yml", "text": RULE}]},
    "bulkDetectionRules": {"ids": ["{rules}"], "stage": "live"}, "setDetectionOverride": {"stage": "off", "reason": "x"},
    "createDetectionException": {"org": "{org}", "rule": "{rules}", "text": "s: [x]\ncondition: s", "reason": "x"},
    "updateDetectionException": {"reason": "x"},
    "createSystem": {"org": "{org}", "name": "x"},
    "createGrant": {"person": "{people}", "role": "ciso_office", "node": "{org}"},
    "updateOrganisation": {"title": "x"}, "updateAlert": {"severity_id": 5}, "updateIndicatorList": {"title": "x"},
    "updateIndicator": {"confidence": 3}, "updateAllowEntry": {"reason": "x"}, "updateSystem": {"importance": 2},
    "createAlertComment": {"text": "x"}, "mergeAlerts": {"others": ["{alerts}"]}, "splitAlert": {"events": ["e-9-0-0"]},
    "allowFromAlert": {"reason": "x"}, "bulkAlerts": {"ids": ["{alerts}"], "set": {"severity_id": 2}},
    "importIndicators": "x.example\n",
    "createPerson": {"login": "newborn", "name": "x", "org": "{org}"},
    "createApproval": {"kind": "organisation.remove", "org": "{org}", "reason": "x"},
    "setDuePolicy": {"org": "{org}", "severity_id": 5, "span_s": 3600},
    "setExpectation": {"org": "{org}", "source": "zeek", "sensor": "x", "every_s": 600},
    "createSavedSearch": {"name": "x", "page": "alerts", "query": "", "shared": True, "org": "{org}"},
    "createImport": {"org": "{org}", "source": "suricata", "name": "x", "bytes": 1},
    "createExport": {"kind": "alerts", "format": "csv", "query": {"org": "{org}"}},
    "submitEvents": "{}\n", "removeExpectation": None, "deleteDetectionRules": None,
    "createRetroHunt": {"indicators": ["x.example"], "org": "{org}"},
    "tryDetectionRule": {"text": "title: x\nlogsource: {category: dns}\ndetection: {a: {query: x.example}, condition: a}\n", "org": "{org}", "day": "2026-01-01"},
    "createDnsAllowRequest": {"org": "{org}", "name": "x.example", "reason": "x"}, "decideDnsAllowRequest": {"grant": False},
}
# A correlation of a rule that is named as that of another organisation is.
OVER = ("title: x\ncorrelation: {type: event_count, rules: [named-%s], group-by: [a], timespan: 5m, condition: {gte: 2}}\n")
# Where the organisation stands in the query of what is no GET.
IN_QUERY = {"submitEvents": "source=suricata&org={org}", "removeExpectation": "source=zeek&sensor=x&org={org}",
            "deleteDetectionRules": "collection=x&org={org}"}


TIMING_S = 40  # seconds in which times are compared; on a loaded machine fewer paths are


def kind_of(path):
    return "org" if "{name}" in path and "/organisations/" in path else KINDS.get(path.split("/")[3], None)


class Matrix:
    def __init__(self, server):
        self.s, self.w = server, World(server, SCOPES)
        self.a = Asker(server)
        self.asked, self.faults, self.tried = 0, [], set()

    def ask(self, who, op, path, body):
        self.asked += 1
        self.tried.add(op["id"])
        kind = op["types"][0] if op["types"] else None
        extra = {"If_Match": "*"} if op["method"] in ("PATCH", "PUT") else {}
        return self.a.ask(who[4], op["method"], path, body if op["types"] else None, kind, **extra)

    def foreign(self, who):
        """Names and ids of all that is not within somebody's reach."""
        mine = self.w.reach(who[1], who[2])
        words = [o for o in TREE if o not in mine]
        for o in words[:]:
            for kind, ids in self.w.ids[o].items():
                if kind != "indicators":  # a number; its value is looked for by name
                    words += ids if isinstance(ids, list) else [ids] if ids else []
        return words

    def leaks(self, who, reply, said=()):
        text = reply.body.decode("utf-8", "replace") + "\n" + str(reply.headers)
        if '"action":"view"' in text:  # an auditor's own words: what was asked for, not what was there
            lines = text.splitlines()[:reply.body.count(b"\n") or 1]
            items = json.loads(lines[0]).get("items") or [json.loads(line) for line in lines if line]
            text = json.dumps([e for e in items if e["action"] != "view"], ensure_ascii=False)
        for node in self.above(who):  # its rule holds here; whose it is, and who made it, is not told
            rule = self.w.ids[node]["rules"]
            excepted = self.w.ids[node]["excepts"]
            for word in (rule, f"rule of {node}", f"named-{node}", f"rules-{node}", f"a: {node}", excepted, f"why {node} excepts"):
                text = text.replace(word, "#")
        return [w for w in self.foreign(who) if w in text and w not in said]

    def above(self, who):
        return [node for node in TREE if node != who[2] and who[2] in below(node)]

    def inherited(self, who, op, node, path, body):
        """A rule of a node above: read as one's own would be, and not changed."""
        one = self.ask(who, op, path, body)
        may = not self.lacks(who, op)
        gone = "/overrides/" in path or who[1] == "auditor_past"  # it was made after that period
        want = 403 if not may or op["method"] != "GET" and "/overrides/" not in path else 404 if gone else 200
        if one.status != want:
            self.fault(who, op, f"a rule of {node} above is {one.status}, not {want}", one.body[:200])
        found = self.leaks(who, one, {node} if "/overrides/" in path else ())
        if found:
            self.fault(who, op, "leaks", f"{found} {one.body[:300]}")
        if want == one.status == 200 and op["path"].endswith("{id}") and (one.json()["org"], one.json()["inherited"]) != (None, True):
            self.fault(who, op, "does not say that it is from above", one.body[:200])

    def fault(self, who, op, what, more=""):
        self.faults.append(f"{who[0]}: {op['id']}: {what} {more}")

    def fill(self, body, target):
        text = body if isinstance(body, str) else json.dumps(body)
        for kind, value in target.items():
            text = text.replace("{" + kind + "}", value or "none")
        return text

    def same(self, who, op, one, other, said):
        """Two answers are the same but for the names that were asked for."""
        def plain(reply):
            text = reply.body.decode("utf-8", "replace")
            for word in sorted(said, key=len, reverse=True):
                text = text.replace(word, "#")
            return re.sub(r'"(trace_id|as_of|from|to|time)":"[^"]*"', "", text)
        if one.status != other.status or plain(one) != plain(other):
            self.fault(who, op, "another's is not answered like none:",
                       f"{one.status} {one.body[:200]} / {other.status} {other.body[:200]}")

    def pair(self, who, op, theirs, make, reads):
        """make(target) gives path and body; asked for another's and for what is not there."""
        (path, body), (path2, body2) = make(theirs), make(NONE)
        said = {v for v in list(theirs.values()) + list(NONE.values()) if isinstance(v, str)}
        one, other = self.ask(who, op, path, body), self.ask(who, op, path2, body2)
        self.same(who, op, one, other, said)
        if one.status < 300 and reads:
            self.fault(who, op, "another's is answered", f"{path} {one.body[:200]}")
        found = self.leaks(who, one, said)
        if found:
            self.fault(who, op, "leaks", f"{found} {one.body[:300]}")
        if self.lacks(who, op) and one.status != 403:
            self.fault(who, op, f"without the scope {op['scope']} it is {one.status}")

    def lacks(self, who, op):
        return op["scope"] and op["scope"] not in self.rights[who[1].replace("_past", "")]

    def their(self, target):
        out = {k: v for k, v in self.w.ids[target].items() if isinstance(v, str) or v is None}
        return {**out, "org": target}

    def one(self, who, op, target):
        theirs = self.their(target)
        body = BODIES.get(op["id"], {} if "json" in "".join(op["types"]) else "x\n")
        extra = "&".join(f"{p['name']}=x" for p in op["needed"])
        if "{" in op["path"]:
            kind = kind_of(op["path"]) if op["path"].startswith("/api/v1/") else None
            if kind is None or (kind != "org" and theirs.get(kind) is None):
                return
            if kind in ("rules", "excepts") and target in self.above(who):
                return self.inherited(who, op, target, re.sub(r"{\w+}", theirs[kind], op["path"], count=1).replace("{org}", target), self.fill(body, theirs))
            self.pair(who, op, theirs, lambda t: (re.sub(r"{\w+}", t.get(kind) or "x", op["path"], count=1).replace("{session}", "s-x").replace("{org}", "x") +
                                                  ("?" + extra if extra else ""), self.fill(body, t)), True)
            return
        if op["method"] == "GET":
            for name, kind in (("org", "org"), ("system", "systems"), ("person", "people"), ("list", "lists"), ("object", "alerts")):
                if name in op["query"]:
                    self.pair(who, op, theirs, lambda t: (f"{op['path']}?{name}={t.get(kind)}" + ("&" + extra if extra else ""), None),
                              name in ("org", "system"))
            return
        if op["id"] in IN_QUERY:
            self.pair(who, op, theirs, lambda t: (op["path"] + "?" + self.fill(IN_QUERY[op["id"]], t), body), True)
            return
        if op["id"] == "tryDetectionRule" and target not in self.above(who):
            self.pair(who, op, theirs, lambda t: (op["path"], json.dumps({"text": OVER % t["org"], "org": who[2], "day": "2026-01-01"})), False)
        if op["id"] == "bulkDetectionRules" and target in self.above(who):
            return self.inherited(who, op, target, op["path"], self.fill(body, theirs))
        if op["id"] in BODIES and "{" in self.fill(BODIES[op["id"]], {}).replace("{\"", "").replace("{}", ""):
            self.pair(who, op, theirs, lambda t: (op["path"], self.fill(body, t)), True)

    def central(self, who, op):
        """What is for the whole is for nobody here."""
        reply = self.ask(who, op, re.sub(r"{\w+}", "x", op["path"]), "{}")
        if reply.status != 403:
            self.fault(who, op, f"it is for the whole, and answered {reply.status}")

    def lists(self, who, op):
        """A GET without anything asked for: only what is one's own."""
        extra = "&".join(f"{p['name']}=x" for p in op["needed"])
        reply = self.ask(who, op, op["path"] + ("?" + extra if extra else ""), None)
        found = self.leaks(who, reply)
        if found:
            self.fault(who, op, "leaks", f"{found} {reply.body[:400]}")
        if self.lacks(who, op) and reply.status != 403:
            self.fault(who, op, f"without the scope {op['scope']} it is {reply.status}")
        return reply

    def totals(self, who):
        """Numbers are the sums of what is one's own."""
        login, role, node, _, token = who
        may = self.rights[role.replace("_past", "")]
        alerts, wrong = self.w.alerts_of(role, node), []

        def get(path):
            self.asked += 1
            return self.a.ask(token, "GET", path).json()
        if "alerts:read" in may:
            for sort in ("newest", "severity", "last_seen"):
                page = get(f"/api/v1/alerts?limit=200&sort={sort}")
                if {a["id"] for a in page["items"]} != set(alerts) or page["total"] != len(alerts):
                    wrong.append((sort, page["total"], len(page["items"]), len(alerts)))
            for by in ("indicator", "org", "asset", "category", "list"):
                groups = get(f"/api/v1/alert-groups?by={by}&limit=200")["items"]
                if sum(g["count"] for g in groups) != len(alerts):
                    wrong.append((by, groups))
            view = get("/api/v1/overview")
            if sum(s["count"] for s in view["open_by_severity"]) != len(alerts):
                wrong.append(("overview", view["open_by_severity"], len(alerts)))
            if sum(o["open"] for o in view["organisations"]) != len(alerts) or sum(t["new"] for t in view["trend"]) > len(alerts):
                wrong.append(("overview organisations", view["organisations"]))
        if "system:read" in may:
            state = get("/api/v1/status")
            if state["alerts"]["open"] != len(alerts):
                wrong.append(("status", state["alerts"]))
        if "events:read" in may and library():
            events = self.w.events_of(role, node)
            found = get("/api/v1/events?limit=200")["items"]
            total = get("/api/v1/event-histogram?from=now-24h")["total"]
            if len(found) != events or total != events:
                wrong.append(("events", len(found), total, events))
        if wrong:
            self.faults.append(f"{login}: totals {wrong}")

    def run(self):
        roles = self.s.http("GET", "/api/v1/roles").json()["items"]
        self.rights = {r["role"]: set(r["scopes"]) for r in roles}
        table = [op for op in operations() if not op["public"] and op["path"].startswith("/api/v1/") and
                 op["id"] not in ELSEWHERE and op["id"] not in ALONE]
        for who in self.w.people:
            theirs = [o for o in TREE if o not in self.w.reach(who[1], who[2])]
            # what is above somebody first: of that something own could be found
            theirs.sort(key=lambda o: who[2] not in below(o))
            theirs = theirs[:3] + theirs[-1:]
            for op in table:
                before = len(self.faults)
                if op["central"]:
                    self.central(who, op)
                    continue
                if "{" not in op["path"] and op["method"] == "GET":
                    self.lists(who, op)
                for target in theirs if op["method"] == "GET" else theirs[1:3]:
                    self.one(who, op, target)
                del self.faults[before + 2:]
            self.totals(who)
        return table

    def unchanged(self):
        """Nobody has changed anything of another's."""
        for name, own in self.w.ids.items():
            for path, kind in (("alerts", "alerts"), ("systems", "systems"), ("indicator-lists", "lists"), ("grants", "grants"),
                               ("allow-entries", "allow"), ("block-entries", "block"), ("detection-rules", "rules"), ("detection-exceptions", "excepts"), ("tokens", "tokens"), ("organisations", None)):
                which = own[kind] if kind else name
                reply = self.s.http("GET", f"/api/v1/{path}/{which}") if which else None
                if which and (reply.status != 200 or '"x"' in reply.body.decode() or reply.json().get("revoked_at") or reply.json().get("stage", "test") != "test"):
                    self.faults.append(f"{path} of {name} was changed: {reply.body[:300]}")

    def timed(self):
        """Every reading operation whose path has an id, and every list that is asked by one."""
        for op in operations():
            kind = kind_of(op["path"]) if op["path"].startswith("/api/v1/") else None
            if op["method"] == "GET" and op["path"].count("{") == 1 and kind and op["id"] not in ELSEWHERE | ALONE | PUBLIC:
                yield kind, re.sub(r"{\w+}", "{}", op["path"]) + "".join(f"?{p['name']}=x" for p in op["needed"][:1])
        for op in operations():
            names = op["query"] if op["method"] == "GET" and "{" not in op["path"] and op["id"] not in ELSEWHERE | ALONE | PUBLIC else set()
            for name, kind in (("org", "org"), ("system", "systems"), ("person", "people"), ("list", "lists")):
                if name in names and not op["needed"] and (library() or "event" not in op["path"]):
                    yield kind, f"{op['path']}?{name}={{}}"

    def time_of(self, who, kind, path, pairs):
        """The lower quartiles of both, asked in turns: what else the machine does makes some slow, none fast."""
        taken = {True: [], False: []}
        for i in range(pairs):
            for real in (True, False) if i % 2 else (False, True):
                where = path.format((self.their("bittern") if real else NONE)[kind])
                began = time.perf_counter()
                self.a.ask(who[4], "GET", where)
                taken[real].append(time.perf_counter() - began)
        return [statistics.quantiles(taken[real], n=4)[0] for real in (True, False)]

    def timing(self):
        """Another's takes as long as none; what seems not to is measured again, longer, before it is said.
        One path of every kind in any case, the others in an order by chance while there is time."""
        who = next(p for p in self.w.people if p[0] == "organisation_csirt.heron")
        seed = int(os.environ.get("RIGHTS_SEED", time.time_ns() % 1_000_000))
        paths = [p for p in dict.fromkeys(self.timed()) if (p[0] != "events" or library()) and self.their("bittern").get(p[0])]
        random.Random(seed).shuffle(paths)
        kinds = {}
        for p in paths:
            kinds.setdefault(p[0], p)
        paths.sort(key=lambda p: kinds[p[0]] is not p)  # stable: the first of each kind, then as they fell
        began, slow, left = time.time(), [], []
        for i, (kind, path) in enumerate(paths):
            if i >= len(kinds) and time.time() - began > TIMING_S:
                left.append(path)
                continue
            for pairs in (30, 90, 250):
                theirs, none = self.time_of(who, kind, path, pairs)
                ratio = max(theirs, none) / min(theirs, none)
                if ratio < 2:
                    break
            note(f"{path}: another's {theirs * 1e6:.0f} us, none {none * 1e6:.0f} us, ratio {ratio:.2f}")
            if ratio >= 2:
                slow.append((path, ratio))
        note(f"{len(paths) - len(left)} of {len(paths)} paths of {len(kinds)} kinds, RIGHTS_SEED={seed}; not measured: {' '.join(left) or 'none'}")
        ok(not slow and len(kinds) > 12, "another's and none take the same time", (slow, sorted(kinds)))

    def exports(self):
        """An export holds what its list would have shown, and is its maker's alone."""
        who = next(p for p in self.w.people if p[0] == "organisation_csirt.egret")
        other = next(p for p in self.w.people if p[0] == "organisation_csirt.heron")
        refused = set()
        for kind in DOC["components"]["schemas"]["ExportOrder"]["properties"]["kind"]["enum"]:
            if kind == "events" and not library():
                continue
            query = {"id": self.w.ids["egret"]["alerts"]} if kind.startswith("alert-") and kind != "alert-groups" else {}
            made = self.a.ask(who[4], "POST", "/api/v1/exports", {"kind": kind, "format": "jsonl", "query": query})
            if made.status == 403:
                refused.add(kind)
                continue
            path = f"/api/v1/exports/{made.json().get('id')}"
            until(lambda: self.a.ask(who[4], "GET", path).status == 200, 20, 0.1)
            got = self.a.ask(who[4], "GET", path)
            found = self.leaks(who, got)
            ok(got.status == 200 and not found, f"an export of {kind} holds nothing of another's", (made, got.status, found))
            if kind == "alerts":
                ok(len(got.body.splitlines()) == len(self.w.alerts_of(who[1], who[2])), "and all of one's own", got.body[:300])
            theirs = self.a.ask(other[4], "GET", path)
            ok(theirs.status == 404, f"an export of {kind} is its maker's alone", theirs)
        # what is about oneself is for who has signed in: rights_own.py
        ok(refused == {"system-events", "my-sessions", "my-tokens", "my-passkeys"}, "what is for the whole is not exported", refused)

    def audited(self):
        log = self.s.http("GET", "/api/v1/audit-log?action=view&limit=200").json()["items"]
        ok({e["action"] for e in log} == {"view"}, "an auditor's views are in the audit log", log[:3])
        past = next(p for p in self.w.people if p[0] == "auditor_past.kestrel")
        seen = self.a.ask(past[4], "GET", "/api/v1/audit-log?limit=200").json()["items"]
        ok(seen == [], "an auditor of another time sees nothing of today's log", seen[:3])
        now = next(p for p in self.w.people if p[0] == "auditor.heron")
        seen = self.a.ask(now[4], "GET", "/api/v1/audit-log?limit=200").json()["items"]
        ok(seen and {e["org"] for e in seen} <= below("heron"), "an auditor sees the log of the node alone", seen[:3])
        csirt = next(p for p in self.w.people if p[0] == "organisation_csirt.heron")
        before = self.a.ask(csirt[4], "GET", "/api/v1/alerts").status
        made = self.s.http("GET", f"/api/v1/grants?person={csirt[3]}").json()["items"]
        gone = self.s.http("DELETE", f"/api/v1/grants/{made[0]['id']}").status
        after = self.a.ask(csirt[4], "GET", "/api/v1/alerts").status
        ok((before, gone, after) == (200, 204, 403), "a grant that is taken away ends at once", (before, gone, after))


def main():
    with Server(sys.argv[1], {}, wait=60 if library() else 0) as s:
        if not until(lambda: s.find_event("role.ready", ready="center"), 60):
            bail("center is not ready:\n" + s.log()[-3000:])
        began = time.time()
        m = Matrix(s)
        filled = time.time()
        table = m.run()
        m.unchanged()
        note(f"{len(table)} operations, {len(m.w.people)} people, {m.asked} requests in {time.time() - filled:.1f} s"
             f" (filled in {filled - began:.1f} s)")
        unknown = {op["id"] for op in operations()} - m.tried - ELSEWHERE - ALONE - PUBLIC
        ok(not unknown, "there is no operation that nothing is known of here", sorted(unknown))
        ok(not m.tried & (ELSEWHERE | ALONE | PUBLIC), "and what was tried is not said to be elsewhere", m.tried & (ELSEWHERE | ALONE | PUBLIC))
        ok(len(table) > 60 and m.asked > 10000, "the whole document was tried", (len(table), m.asked))
        ok(not m.faults, "nothing of another organisation comes back",
           f"{len(m.faults)} faults:\n" + "\n".join(m.faults[:40]))
        m.exports()
        m.timing()
        m.audited()
    done()


main()
