#!/usr/bin/env python3
"""The command line beside its nouns: any call of the API, lists in another order and as
files, servers that are kept, completion.  Argument: the yagura binary."""
import csv
import io
import json
import os
import stat
import subprocess
import sys
import tempfile

import yaml
from harness import ROOT, Server, done, ok
from people_lib import without_store

YAGURA = os.path.abspath(sys.argv[1])
RULE = "title: {}\nlogsource: {{product: windows}}\ndetection: {{s: {{a: 1}}, condition: s}}\n"


def rows(out):
    return [json.loads(x) for x in out.splitlines()]


def calls(s, folder):
    made = s.cli("api", "/organisations", "--field", "name=heron", "--field", "title=鷺", "--field", "prefecture:=26")
    one = json.loads(made[1])
    ok(made[0] == 0 and (one["name"], one["title_ja"], one["prefecture"]) == ("heron", "鷺", 26), "a body from fields is a POST", made)
    for name, place in (("egret", 3), ("bittern", 13), ("plover", 1)):
        s.http("POST", "/api/v1/organisations", {"name": name, "title": name, "prefecture": place})
    got = s.cli("api", "/api/v1/organisations", "--query", "limit=1")
    ok(got[0] == 0 and len(json.loads(got[1])["items"]) == 1, "a query parameter, and the answer as it came", got)
    got = s.cli("api", "GET", "/organisations", "--all")
    ok(got[0] == 0 and [o["name"] for o in rows(got[1])] == ["bittern", "egret", "heron", "plover"], "all pages of a list", got)
    got = s.cli("api", "/organisations", "--fields", "name,prefecture", "-o", "csv", "--sort", "-prefecture")
    ok(got[1].splitlines()[:3] == ["name,prefecture", "heron,26", "bittern,13"], "the options of lists", got)
    ok(s.cli("api", "/organisations", "-o", "table")[0] == 2, "a table without its columns is wrong usage")
    got = s.cli("api", "PATCH", "/organisations/heron", "--field", "title=blue")
    ok(got[0] == 0 and json.loads(got[1])["title_en"] == "blue", "a change takes the version that is there", got)
    got = s.cli("api", "PATCH", "/organisations/heron", "--field", "title=red", "--if-match", '"1"')
    ok(got[0] == 7 and json.loads(got[1])["status"] == 412 and "ETag" in got[2], "or the one that is said: a conflict, its problem printed", got)
    path = os.path.join(folder, "body.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"title": "from a file"}, f)
    got = s.cli("api", "PATCH", "/organisations/heron", "--data", path)
    ok(got[0] == 0 and json.loads(got[1])["title_ja"] == "from a file", "a body from a file", got)
    got = s.cli("api", "PATCH", "/organisations/heron", "--data", "-", input=json.dumps({"title": "x" * 200}).encode())
    ok(got[0] == 0 and json.loads(got[1])["title_ja"] == "x" * 200, "from standard input", got)
    ok(s.cli("api", "/nothing")[0] == 6 and s.cli("api", "nothing")[0] == 2 and s.cli("api", "BREW", "/alerts")[0] == 2 and
       s.cli("api", "/organisations", "--field", "x")[0] == 2, "no such path; wrong usage")
    got = s.cli("api", "/organisations", "--accept", "text/csv")
    ok(got[0] == 0 and got[1].startswith("\ufeff"), "another form of the answer", got)


def lists(s):
    names = [o["name"] for o in rows(s.cli("org", "list", "--json", "--sort", "prefecture,name")[1])]
    ok(names == ["plover", "egret", "bittern", "heron"], "a list by a number", names)
    names = [o["name"] for o in rows(s.cli("org", "list", "--json", "--sort", "-name", "--limit", "2")[1])]
    ok(names == ["plover", "heron"], "backwards, the first two", names)
    names = [o["name"] for o in rows(s.cli("org", "list", "--json", "--sort", "parent,-prefecture")[1])]
    ok(names == ["heron", "bittern", "egret", "plover"], "what has no value is alike, and last", names)
    ok(s.cli("org", "list", "--sort", ",")[0] != 0, "no names are none")
    got = s.cli("alert", "list", "--sort", "severity")
    ok(got[0] == 0 and s.cli("alert", "list", "--sort", "nothing")[0] != 0, "alerts have an order of their own", got)


def files(s):
    """Accept: text/csv: every row of a list."""
    for i in range(230):
        s.http("POST", "/api/v1/saved-searches", {"name": f"=s{i}", "page": "alerts", "query": "state=open"})
    got = s.http("GET", "/api/v1/saved-searches", Accept="text/csv")
    table = list(csv.DictReader(io.StringIO(got.body.decode("utf-8-sig"))))
    ok(got.status == 200 and got.headers["Content-Type"].startswith("text/csv") and got.headers["Vary"] == "Accept", "a list as a file", got)
    ok(len(table) == 230 and all(r["name"].startswith("'=s") for r in table), "with every row, formulas neutralised", table[:2])
    got = s.http("GET", "/api/v1/organisations?org=heron", Accept="text/csv, application/json;q=0.5")
    ok([r["name"] for r in csv.DictReader(io.StringIO(got.body.decode("utf-8-sig")))] == ["heron"], "with its filter", got)
    ok(s.http("GET", "/api/v1/organisations", Accept="application/json, text/csv").json()["items"], "who takes JSON as gladly gets a page")
    got = s.http("GET", "/api/v1/organisations?limit=5", Accept="text/csv")
    ok(got.status == 400 and got.json()["errors"][0]["pointer"] == "limit", "not a part of it", got)
    ok(s.http("GET", "/api/v1/session", Accept="text/csv").status == 406, "what is no list is none")
    with open(os.path.join(ROOT, "doc/openapi.yaml"), encoding="utf-8") as f:
        paths = yaml.safe_load(f)["paths"]
    wrong = []
    for path, ops in paths.items():
        if path.startswith("/api/v1/") and "{" not in path and "get" in ops and path != "/api/v1/stream":
            got = s.http("GET", path, Accept="text/csv")
            told = "text/csv" in ops["get"]["responses"].get("200", {}).get("content", {})
            # what lacks a parameter, or the event store, says that first
            if got.status in (200, 406) and told != (got.headers["Content-Type"].startswith("text/csv") and got.status == 200):
                wrong.append(path)
    ok(not wrong, "the lists that are files are those of which the document says so", wrong)
    got = s.http("GET", "/api/v1/compare?period=7d", Accept="text/csv")
    ok({r["org"] for r in csv.DictReader(io.StringIO(got.body.decode("utf-8-sig")))} >= {"heron", "egret"}, "the comparison as a file", got)
    for path in ("dns/zones", "attack-matrix"):
        got = s.http("GET", f"/api/v1/{path}", Accept="text/csv")
        ok(got.status == 200 and got.body.decode("utf-8-sig").splitlines(), f"{path} as a file", got)
    left = [f for f in os.listdir(os.path.join(s.data, "state/export"))]
    ok(left == [], "nothing of it stays", left)
    token = s.http("POST", "/api/v1/tokens", {"org": "egret", "name": "t", "scopes": ["org:read"]}).json()["secret"]
    got = s.https("GET", "/api/v1/organisations", token=token, Accept="text/csv")
    ok([r["name"] for r in csv.DictReader(io.StringIO(got.body.decode("utf-8-sig")))] == ["egret"], "of one's own alone", got)
    ok(s.https("GET", "/api/v1/saved-searches", token=token, Accept="text/csv").status == 403, "with the scope alone")
    return token


def contexts(s, token, folder):
    secret = os.path.join(folder, "token")
    with open(secret, "w", encoding="utf-8") as f:
        f.write(token + "\n")
    env = {k: v for k, v in os.environ.items() if not k.startswith("YAGURA_")}
    env["XDG_CONFIG_HOME"] = os.path.join(folder, "config")

    def run(*words, **more):
        p = subprocess.run([YAGURA, *words], capture_output=True, text=True, timeout=60, cwd=folder, env={**env, **more.pop("env", {})}, **more)
        return p.returncode, p.stdout, p.stderr

    where = ["--server", f"https://127.0.0.1:{s.port}", "--ca-file", s.certificate()]
    ok(run("login", "here", *where, input="yg_api_wrong\n")[0] == 4 and run("context", "list", "--json")[1] == "", "a token that is not taken is not kept")
    got = run("login", "here", *where, "--token-file", secret)
    kept = os.path.join(folder, "config/yagura/contexts.json")
    ok(got[0] == 0 and stat.S_IMODE(os.stat(kept).st_mode) == 0o600, "one that is, for its owner alone", got)
    ok([o["name"] for o in rows(run("org", "list", "--json")[1])] == ["egret"], "commands go there")
    ok(run("login", "twice", *where, input=token + "\n")[0] == 0 and
       [(x["name"], x["used"]) for x in rows(run("context", "list", "--json")[1])] == [("here", False), ("twice", True)], "the newest is in use")
    ok(token not in run("context", "list", "--json")[1], "its token is not shown")
    by_env = {"YAGURA_SERVER": where[1], "YAGURA_CA_FILE": where[3], "YAGURA_TOKEN_FILE": secret}
    got = run("login", "env", "--no-input", env=by_env)
    ok(got[0] == 0 and run("logout", "env")[0] == 0 and run("context", "use", "twice")[0] == 0, "the environment names a server to sign in at", got)
    ok(run("login", "env", "--no-input", *where)[0] == 2, "and nothing is asked for where that is not wanted")
    ok(run("context", "use", "here")[0] == 0 and run("context", "use", "nowhere")[0] == 6, "another one is chosen")
    ok(run("org", "list", env={"YAGURA_CONTEXT": "nowhere"})[0] == 6 and run("org", "list", env={"YAGURA_CONTEXT": "twice"})[0] == 0, "or named for one command")
    local = run("org", "list", "--json", env={"YAGURA_DATA": s.data})
    ok(len(rows(local[1])) == 5 and len(rows(run("org", "list", "--json", "--socket", os.path.join(s.data, "run/api.sock"))[1])) == 5, "what names the machine comes first", local)
    named = {"YAGURA_SERVER": where[1], "YAGURA_CA_FILE": where[3], "YAGURA_TOKEN_FILE": secret, "YAGURA_CONTEXT": "nowhere"}
    ok([o["name"] for o in rows(run("org", "list", "--json", env=named)[1])] == ["egret"], "and what names a server")
    ok(run("context", "use", "local")[0] == 0 and run("org", "list")[0] == 8, "none is in use: the socket of this machine, where nobody is")
    os.chmod(kept, 0o644)
    ok(run("context", "list")[0] == 5 and run("org", "list")[0] == 5, "a file that others may read is not used")
    os.chmod(kept, 0o600)
    ok(run("logout", "here")[0] == 0 and run("logout", "here")[0] == 6 and run("logout")[0] == 6, "and forgotten")
    ok("here" not in open(kept, encoding="utf-8").read(), "with its token")


def exceptions(s, folder):
    rule = s.http("POST", "/api/v1/detection-rules", {"org": None, "text": RULE.format("one")}).json()["id"]
    path = os.path.join(folder, "x.yml")

    def write(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    write("s: {User: backup}\ncondition: s\n")
    one = json.loads(s.cli("detect", "except", path, "--rule", rule, "--org", "heron", "--reason", "the backup", "--json")[1])
    write("s: {User: restore}\ncondition: s\n")
    got = s.cli("detect", "except-change", one["id"], "--file", path, "--reason", "another", "--expires", "30d", "--json")
    now = json.loads(got[1]) if got[0] == 0 else {}
    ok(got[0] == 0 and now["reason"] == "another" and "restore" in now["text"] and now["expires_at"] and now["version"] == 2, "an exception is changed", got)
    got = s.cli("detect", "except-change", one["id"], "--expires", "never", "--json")
    ok(got[0] == 0 and json.loads(got[1])["expires_at"] is None and json.loads(got[1])["reason"] == "another", "its end alone", got)
    ok(s.cli("detect", "except-change", one["id"])[0] == 2 and s.cli("detect", "except-change", "x-0", "--reason", "x")[0] == 6, "nothing to change; no such exception")


def dry(s, folder):
    """What would be, and nothing is."""
    person = s.http("POST", "/api/v1/people", {"login": "somebody", "name": "x"}).json()["id"]
    token = s.http("POST", "/api/v1/tokens", {"org": None, "name": "x", "scopes": ["org:read"]}).json()["id"]
    mine = s.http("POST", "/api/v1/indicator-lists", {"name": "dry"}).json()["id"]
    before, jobs = (s.http("GET", f"/api/v1/{of}?limit=200").json()["items"] for of in ("audit-log", "jobs"))
    rule = s.http("GET", "/api/v1/detection-rules").json()["items"][0]["id"]
    rules = os.path.join(folder, "rules")
    os.mkdir(rules)
    path = os.path.join(rules, "rule.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(RULE.format("two"))
    got = s.cli("status")
    ok(got[0] == 0 and "\nroles:\n  - name: " in got[1] and "\n    state: " in got[1] and "\ncounters:\n  records: " in got[1], "what an answer holds stands below its name", got)
    got = s.cli("org", "add", "newborn", "--dry-run", "--json")
    ok(got[0] == 0 and json.loads(got[1])["name"] == "newborn" and "nothing was changed" in got[2], "what would be made is shown", got)
    for words in (("org", "set", "heron", "--title", "x"), ("detect", "rule-add", path, "--all-orgs"), ("detect", "stage", "live", rule),
                  ("detect", "rule-change", rule, "--stage", "live"), ("detect", "override", rule, "heron", "off", "--reason", "x"), ("detect", "rule-remove", rule),
                  ("detect", "import", rules, "--all-orgs"), ("indicator", "allow", "domain", "good.example", "--org", "heron", "--reason", "x"),
                  ("dns", "block", "domain", "bad.example", "--org", "heron", "--reason", "x"), ("source", "expect", "heron", "zeek", "s", "--every", "10m"),
                  ("system", "add", "heron", "mail"), ("indicator", "list-add", "mine"), ("alert", "due-policy", "--org", "heron", "--severity", "5", "--span", "8h"),
                  ("person", "add", "newborn", "--name", "x"), ("person", "disable", person), ("token", "revoke", token), ("token", "add", "x", "--scope", "org:read", "--out", os.path.join(folder, "no-token")),
                  ("org", "remove", "egret"), ("org", "remove", "egret", "--force"), ("indicator", "list-remove", "dry"), ("indicator", "publish"), ("backup", "create"),
                  ("demo", "load"), ("demo", "remove"), ("retro-hunt", "start", "--indicator", "x.example", "--org", "heron"),
                  ("alert", "bulk", "--indicator", "x.example", "--state", "closed", "--verdict", "false", "--reason", "x"), ("search", "save", "mine", "--page", "alerts", "--query", "state=open")):
        got = s.cli(*words, "--dry-run")
        ok(got[0] == 0, " ".join(words[:2]) + " --dry-run", got)
    ok(s.cli("org", "add", "heron", "--dry-run")[0] == 7 and s.cli("org", "set", "nowhere", "--title", "x", "--dry-run")[0] == 6, "what would fail fails")
    made = s.http("POST", "/api/v1/tokens?dry_run=1", {"org": None, "name": "x", "scopes": ["org:read"]})
    ok(made.status == 201 and made.json()["secret"] is None, "a token that is not made has no secret", made)
    got = s.http("POST", "/api/v1/retro-hunts?dry_run=1", {"indicators": ["x.example"], "org": "heron"})
    ok(got.status == 202 and s.http("GET", f"/api/v1/jobs/{got.json()['id']}").status == 404, "a job that would be is not there", got)
    got = s.http("POST", f"/api/v1/indicator-lists/{mine}/indicators?dry_run=1", b"type,value\ndomain,x.example\n", Content_Type="text/csv")
    ok(got.status == 202 and os.listdir(os.path.join(s.data, "state/import")) == [], "nor the file it would read", got)
    asked = s.http("POST", "/api/v1/dns/allow-requests?dry_run=1", {"org": "heron", "name": "x.example", "reason": "x"})
    ok(asked.status == 201 and s.http("GET", "/api/v1/dns/allow-requests").json()["items"] == [], "nor a request", asked)
    ok(s.http("POST", "/api/v1/setup-code?dry_run=1", {}).status == 400, "what takes none refuses it")
    for of, was in (("audit-log", before), ("jobs", jobs)):
        ok(s.http("GET", f"/api/v1/{of}?limit=200").json()["items"] == was, f"nothing of it was done: {of}")
    ok(not os.path.exists(os.path.join(folder, "no-token")), "no file is made for no secret")
    ok(s.cli("org", "add", "newborn", "--title", "x")[0] == 0, "until it is")


def completion():
    def words(line):
        script = f"source <({YAGURA} completion bash); COMP_WORDS=({line} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        cur = line.split()[-1] if line[-1] != " " else ""
        if cur:
            script = script.replace(f"{line} ''", line)
        p = subprocess.run(["bash", "-c", script + '_yagura; printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, timeout=60)
        return set(p.stdout.split())
    ok({"alert", "api", "login", "serve"} <= words("yagura "), "nouns are completed")
    ok({"list", "show", "close"} <= words("yagura alert "), "verbs")
    ok({"--sort", "--state", "--watch", "--server"} <= words("yagura alert list --"), "options: its own, those of lists, the common ones")
    ok("--sort" not in words("yagura alert show --") and "--json" in words("yagura alert show --"), "and no others")
    fish = subprocess.run([YAGURA, "completion", "fish"], capture_output=True, text=True, timeout=60).stdout
    lines = [x for x in fish.splitlines() if x.startswith("complete")]
    ok(len(lines) > 200 and len(set(lines)) == len(lines), "no line of fish's stands twice", [x for x in lines if lines.count(x) > 1][:5])


def main():
    completion()
    with Server(YAGURA, without_store()) as s, tempfile.TemporaryDirectory() as folder:
        calls(s, folder)
        lists(s)
        exceptions(s, folder)
        dry(s, folder)
        contexts(s, files(s), folder)
    done()


main()
