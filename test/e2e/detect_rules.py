"""Detection rules on the server, by API and command line: what is kept, who changed it, what
is refused and why, and that nothing is ever half applied.  Usage: detect_rules.py YAGURA"""
import json
import os
import random
import sqlite3
import sys
import tarfile
import tempfile
import time

from harness import Server, bail, done, note, ok, skip, until
from people_lib import without_store

API = "/api/v1/detection-rules"
SHARED = os.environ.get("YAGURA_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared"))
PUBLISHED = os.path.join(SHARED, "data/detect/sigma-rules.tar.gz")


def rule(title, uid, value="whoami.exe", level="high", more=""):
    return (f"title: {title}\nid: {uid}\nlevel: {level}\ntags: [attack.t1033, attack.discovery]\n"
            f"logsource: {{category: process_creation, product: windows}}\n"
            f"detection:\n  s: {{Image|endswith: '\\{value}'}}\n  condition: s\n{more}")


def uid(n):
    return f"{n:08x}-0000-4000-8000-000000000000"


def chain(n, to):
    return (f"title: chain {n}\nid: {uid(n)}\ncorrelation: {{type: event_count, rules: [{uid(to)}], group-by: [User],"
            " timespan: 5m, condition: {gte: 2}}\n")


class Rules:
    def __init__(self, s):
        self.s, self.dir = s, tempfile.mkdtemp(prefix="rules-", dir=s.temp)

    def get(self, path, status=200):
        r = self.s.http("GET", path)
        ok(r.status == status, f"GET {path}: {status}", r)
        return r.json()

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def cli(self, *words, status=0):
        got, out, err = self.s.cli("detect", *words)
        ok(got == status, f"detect {words[0]}: {status}", f"{got} {out} {err}")
        return out, err

    def find(self, title):
        return next(x for x in self.get(API + "?limit=200")["items"] if x["title"] == title)

    def audit(self):
        return [(e["action"], e["object"], e["detail"]) for e in self.get("/api/v1/audit-log?action=rule&limit=200")["items"]]

    # --- by the command line

    def command_line(self):
        self.s.http("POST", "/api/v1/organisations", {"name": "alpha", "title": "Alpha"})
        self.s.http("POST", "/api/v1/organisations", {"name": "below", "title": "Below", "parent": "alpha", "kind": "unit"})
        one = self.file("one.yml", rule("Who", uid(1)))
        self.cli("rule-add", one, "--all-orgs", "--stage", "audit-only")
        r = self.find("Who")
        ok((r["stage"], r["org"], r["collection"], r["level"]) == ("audit-only", None, "own", "high"), "a rule from a file", r)
        self.cli("rule-add", one, "--all-orgs", status=7)
        self.cli("rule-change", r["id"], "--stage", "live", "--file", self.file("one.yml", rule("Who am I", uid(1))))
        out, _ = self.cli("rule-show", r["id"], "--text")
        ok(out == rule("Who am I", uid(1)), "its text", out)
        out, _ = self.cli("rule-show", r["id"])
        ok("\ntext:\n  title: Who am I\n  id: " in out and "u000a" not in out, "as people read it, in its lines", out)
        self.file("in/a.yml", rule("A", uid(2)) + "---\n" + rule("B", uid(3), level="low"))
        self.file("in/b/bad.yaml", "title: bad\n\nlogsource: {product: x}\ndetection:\n  s: {a|nosuch: 1}\n  condition: s\n")
        self.file("in/b/c.yml", chain(4, 2))
        out, err = self.cli("import", os.path.join(self.dir, "in"), "--all-orgs", "--collection", "mine", status=3)
        ok("b/bad.yaml:5: refused: " in err, "what is refused is named with its line", err)
        ok(len(self.get(API + "?collection=mine")["items"]) == 3, "and stops no other", out)
        out, _ = self.cli("import", os.path.join(self.dir, "in"), "--all-orgs", "--collection", "mine", "--json", status=3)
        ok(json.loads(out)["unchanged"] == 3, "the same again changes nothing", out)
        self.cli("stage", "live", "--collection", "mine", "--level", "low", "--all-orgs")
        ok([self.find(x)["stage"] for x in "AB"] == ["test", "live"], "a stage for a level")
        self.cli("override", r["id"], "alpha", "off", "--reason", "noise", "--expires", "30d")
        o = self.get(f"{API}/{r['id']}")["overrides"][0]
        ok((o["org"], o["stage"], o["reason"]) == ("alpha", "off", "noise") and o["expires_at"], "a stage of an organisation", o)
        self.cli("override", r["id"], "alpha", "test", "--reason", "quiet")
        ok([x["stage"] for x in self.get(f"{API}/{r['id']}")["overrides"]] == ["test"], "set anew, as it stands")
        raw = self.s.cli("api", "PUT", f"/detection-rules/{r['id']}/overrides/alpha", "--field", "stage=off", "--field", "reason=raw")
        ok(raw[0] == 0 and json.loads(raw[1])["stage"] == "off", "by any call of the API, too", raw)
        self.cli("inherit", r["id"], "alpha")
        text = self.file("x.yml", "s: {User: backup}\ncondition: s\n")
        self.cli("except", text, "--rule", r["id"], "--org", "alpha", "--reason", "the backup", "--expires", "90d")
        x = self.get(f"{API}/{r['id']}")["exceptions"][0]
        ok((x["org"], x["reason"]) == ("alpha", "the backup"), "an exception", x)
        self.cli("except", self.file("x.yml", "s: {User: backup}\n"), "--org", "alpha", "--reason", "x", status=1)
        out, _ = self.cli("exceptions", "--org", "alpha")
        ok(x["id"] in out, "is listed", out)
        self.cli("unexcept", x["id"])
        out, _ = self.cli("matrix")
        ok("TA0007 Discovery" in out and "T1033" in out, "the matrix", out)
        oldest = self.get(API + "?collection=mine")["items"][-1]["id"]
        now = int(time.time() * 1e6)
        db = sqlite3.connect(os.path.join(self.s.data, "state/yagura.db"), timeout=20)
        db.execute("INSERT INTO detect_stat VALUES (?, ?, 'alpha', 7, 7, 0, 1, ?)", (oldest, now // 3_600_000_000 * 3_600_000_000, now))
        db.commit()
        db.close()
        out, _ = self.cli("rules", "--collection", "mine", "--sort", "hits", "--json")
        order = [json.loads(line)["id"] for line in out.splitlines()]
        ok(len(order) == 3 and order[0] == oldest, "the list in the order of what they did", out)
        out, _ = self.cli("rules", "--technique", "discovery", "--stage", "live")
        ok("Who am I" in out and out.count("\n") == 3, "rules by tactic and stage", out)
        past = self.get(f"{API}/{r['id']}/history")["items"]
        ok([(p["stage"], p["title"], p["created_by"][:6]) for p in past] == [("live", "Who am I", "local:"), ("audit-only", "Who", "local:")], "its past", past)
        said = [a for a, _, _ in self.audit()]
        for action in ("rule.add", "rule.update", "rule.import", "rule.stage", "rule.override", "rule.override_remove",
                       "rule_exception.add", "rule_exception.remove", "rule.compile"):
            ok(action in said, f"the audit log has {action}", said)
        self.cli("rule-remove", "--collection", "mine")
        ok(self.get(API + "?collection=mine")["items"] == [], "a collection goes as a whole")

    def files(self):
        """Reasons in a file are in the language of who asks for it, or orders it."""
        def japanese(r):
            return any("\u3040" <= c <= "\u30ff" for c in r.body.decode())
        for lang in ("ja", "en"):
            r = self.s.http("GET", API + "?refused=true", Accept="text/csv", Accept_Language=lang)
            ok(r.status == 200 and japanese(r) == (lang == "ja"), f"reasons as CSV, {lang}", r)
            r = self.s.http("POST", "/api/v1/exports", {"kind": "detection-rules", "format": "csv", "query": {"refused": "true"}},
                            Accept_Language=lang)
            ok(r.status == 202, "an order", r)
            path = f"/api/v1/exports/{r.json()['id']}"
            ok(until(lambda: self.s.http("GET", path).status == 200, 30, 0.1) and japanese(self.s.http("GET", path)) == (lang == "ja"),
               f"reasons in an export, {lang}", self.s.http("GET", path))

    # --- what is no rule

    def refused(self, text, *lines, what):
        r = self.s.http("POST", API + "/check", {"text": text}, timeout=60)
        seen = r.json()
        ok(r.status == 200 and not seen["ok"] and [p["line"] for p in seen["problems"]] == list(lines), what, r)
        r = self.s.http("POST", API, {"org": None, "text": text}, timeout=60)
        said = r.json()["errors"][0]["message"] if r.status == 400 else ""
        ok(f"line {lines[0]}: " in said or "expected one rule" in said, f"{what}: is not kept", r)
        return seen["problems"][0]["reason"]

    def faults(self):
        before = len(self.get(API + "?limit=200")["items"])
        self.refused("a: [1\n", 2, what="broken YAML")
        self.refused("title: x\n\naction: global\n", 3, what="an action")
        self.refused(rule("x", uid(9)) + "---\n" + rule("y", uid(10)), 10, what="two rules for one")
        self.refused("# nothing\n", 1, what="no rule")
        why = self.refused(rule("x", uid(9)).replace("endswith: '\\whoami.exe'", "re: '(?=a)b'"), 7, what="an expression without bound")
        ok(why, "and the reason", why)
        self.refused(rule("x", uid(9)).replace("condition: s", "condition: " + "(" * 200 + "s" + ")" * 200), 8, what="a condition too deep")
        many = "".join(f"      - value-{n}.example\n" for n in range(100001))
        self.refused(f"title: x\nlogsource: {{product: x}}\ndetection:\n  s:\n    a:\n{many}  condition: s\n", 6, what="100,001 values")
        big = f"title: x\nlogsource: {{product: x}}\ndetection:\n  s:\n    a: '{'x' * 70000}'\n  condition: s\n"
        self.refused(big, 5, what="a value of 70 KB")
        began = time.time()
        values = "".join(f"      - value-{n}.example\n" for n in range(99000))
        large = f"title: large\nid: {uid(20)}\nlogsource: {{product: x}}\ndetection:\n  s:\n    a|contains:\n{values}  condition: s\n"
        r = self.s.http("POST", API, {"org": None, "text": large}, timeout=120)
        ok(r.status == 201 and time.time() - began < 20, f"a rule of {len(large) >> 10} KiB and 99,000 values is taken in {time.time() - began:.1f} s", r.status)
        self.s.http("DELETE", f"{API}/{r.json()['id']}")
        r = self.s.http("POST", API, {"org": None, "text": "x" * 5000000}, timeout=60)
        ok(r.status == 400, "a rule of 5 MB", r)
        ok(len(self.get(API + "?limit=200")["items"]) == before, "nothing of it was kept")

    def cycle(self):
        files = [{"name": f"{n}.yml", "text": chain(n, to)} for n, to in ((30, 31), (31, 32), (32, 30), (33, 1))]
        r = self.s.http("POST", API + "/import", {"org": None, "collection": "circle", "files": files})
        ok(r.status == 200 and r.json()["added"] == 4, "correlations in a circle are kept", r)
        got = {x["title"]: x["refused"] for x in self.get(API + "?collection=circle")["items"]}
        ok(all(got[f"chain {n}"] for n in (30, 31, 32)) and not got["chain 33"], "and refused; one beside them stands", got)
        ok(len(self.get(API + "?refused=true")["items"]) == 3, "they can be listed")
        self.files()
        self.s.http("DELETE", API + "?collection=circle")

    def whole(self):
        """Half of many is never applied."""
        titles = {x["title"] for x in self.get(API + "?limit=200")["items"]}
        files = [{"name": f"{n}.yml", "text": rule(f"many {n}", uid(100 + n))} for n in range(50)]
        r = self.s.http("POST", API + "/import", {"org": None, "files": files + [{"name": "x"}]})
        ok(r.status == 400 and r.json()["errors"][0]["pointer"] == "/files/50", "one file that is none", r)
        r = self.s.http("POST", API + "/import", {"org": "nobody", "files": files})
        ok(r.status == 404, "an organisation that is not there", r)
        ok({x["title"] for x in self.get(API + "?limit=200")["items"]} == titles, "nothing came in")
        r = self.s.http("POST", API + "/import", {"org": "alpha", "stage": "off", "files": files})
        ids = [x["id"] for x in self.get(API + "?org=alpha&q=many&limit=200")["items"]]
        ok(r.json()["added"] == len(ids) == 50, "all of them", r)
        r = self.s.http("POST", API + "/bulk", {"ids": [*ids, "r-none"], "stage": "live"})
        ok(r.status == 404 and self.get(API + "?stage=live&q=many")["items"] == [], "one id that is none changes no stage", r)
        r = self.s.http("DELETE", "/api/v1/organisations/alpha")
        ok(r.status == 409, "an organisation with rules stays", r)

    def published(self, path):
        """All published rules at once."""
        files = []
        with tarfile.open(path) as tar:
            for m in tar:  # as they stand: it is one stream
                if m.name.endswith((".yml", ".yaml")):
                    files.append({"name": m.name, "text": tar.extractfile(m).read().decode()})
        began = time.time()
        r = self.s.http("POST", API + "/import", {"org": None, "collection": "sigma", "files": files}, timeout=240)
        took = time.time() - began
        got = r.json()
        ok(r.status == 200 and got["added"] + got["refused_count"] >= len(files) > 3000 and took < 60, "every published rule is taken or named",
           f"{r.status} {took} {str(got)[:300]}")
        ok(all("placeholder" in x["reason"] for x in got["refused"]), "those alone are not that need values of their own", got["refused"][:5])
        began = time.time()
        good = until(lambda: any(e["rules"] >= got["added"] for e in self.s.events("center.rules")), 60, 0.1)
        ok(good, "and they are compiled", self.s.events("center.rules")[-1:])
        ok(self.get(API + "?refused=true")["items"] == [], "every one of them")
        note(f"{len(files)} rules imported in {took:.1f} s, compiled {time.time() - began:.1f} s later, {got['refused_count']} refused")
        began = time.time()
        matrix = self.get("/api/v1/attack-matrix?org=alpha")
        note(f"the matrix: {time.time() - began:.2f} s")
        self.rows_of(matrix)
        began = time.time()
        self.get(API + "?q=nowhere+in+any+text")
        note(f"a word that is in no rule: {time.time() - began:.2f} s")

    def rows_of(self, matrix):
        """What a number of the matrix counts, its rows are: of a sample of cells, with a rule's stage set for the organisation."""
        chance = random.Random(5)
        cells = [(t["word"] or "none", x["id"], x["rules"]) for t in matrix["tactics"] for x in t["techniques"]]
        most = sum(x["test"] for _, _, x in cells)
        wrong = []
        for tactic, technique, counts in chance.sample(cells, 25) + [("", "none", matrix["no_technique"]["rules"])]:
            stage = chance.choice(["test", "test,live,audit-only,off"])
            want = counts["test"] if stage == "test" else sum(counts.values())
            path, found, cursor = f"{API}?org=alpha&technique={technique}&tactic={tactic}&exact=true&stage={stage}&limit=200", 0, ""
            while cursor is not None:
                page = self.s.http("GET", path + (f"&cursor={cursor}" if cursor else "")).json()
                found, cursor = found + len(page["items"]), page["next_cursor"]
            wrong += [(tactic, technique, stage, found, want)] if found != want else []
        ok(most > 3000 and not wrong, "the rows of a number of the matrix are as many", (most, wrong))
        one = self.get(f"{API}?org=alpha&technique={cells[0][1]}&tactic={cells[0][0]}&exact=true")["items"][0]
        self.s.http("PUT", f"{API}/{one['id']}/overrides/alpha", {"stage": "off", "reason": "noise"})
        there, below = self.get(f"{API}/{one['id']}"), self.get(f"{API}/{one['id']}?org=below")
        ok((there["stage"], there["stage_in_force"], below["stage"], below["stage_in_force"]) == ("test", "test", "test", "off") and
           below["overrides"][0]["org"] == "alpha", "a stage that the node above set is in force below it", (there["overrides"], below["overrides"]))
        off, test = ({r["id"] for r in self.get(f"{API}?org=below&technique={cells[0][1]}&stage={stage}&limit=200")["items"]} for stage in ("off", "test"))
        ok(one["id"] in off and one["id"] not in test, "and found by it", (off, test))


def main():
    with Server(sys.argv[1], without_store(), wait=0) as s:
        if not until(lambda: s.find_event("role.ready", ready="center"), 60):
            bail("center is not ready:\n" + s.log()[-3000:])
        r = Rules(s)
        r.command_line()
        r.faults()
        r.cycle()
        r.whole()
        if os.path.isfile(PUBLISHED):
            r.published(PUBLISHED)
        else:
            skip("every published rule", "they are not here")
    done()


main()
