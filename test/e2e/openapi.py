"""doc/openapi.yaml against the server, both ways.

The table: every route of the server is in the document with its operationId,
scope, parameters and body types, and every operation of the document is in the
table.  The walk: every operation is called on a running server over both doors,
and each answer must be one that the document names, in the shape it names.
Then rights: no token, a token without the scope, a token of another
organisation, on every route."""
import concurrent.futures
import contextlib
import gzip
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlencode

import yaml
from harness import ROOT, Server, UnixConnection, bail, done, free_port, library, note, ok, until
from jsonschema import check, resolve
from people_lib import PASSWORD, Authenticator, Browser, enrol, totp

PUBLIC, CENTRAL, MATCH, STEP_UP = 1, 2, 16, 64
DOC = yaml.safe_load(open(os.path.join(ROOT, "doc/openapi.yaml"), encoding="utf-8"))
# seen by people_signin.py (a set-up happens once) and people_oidc.py (it takes a provider)
ELSEWHERE = {"postSetup 201", "postEnrol 201", "finishOidc 200"}
METHODS = ("get", "post", "patch", "delete", "put")


def deref(node):
    while "$ref" in node and len(node) == 1:
        node = resolve(DOC, node["$ref"])
    return node


class Operation:
    def __init__(self, method, path, item, op):
        self.method, self.path, self.op = method.upper(), path, op
        self.id = op["operationId"]
        self.scope = op.get("x-yagura-scope", "")
        self.central = bool(op.get("x-yagura-central"))
        self.step_up = bool(op.get("x-yagura-step-up"))
        self.public = op.get("security", DOC["security"])[0] == {}
        params = [deref(p) for p in item.get("parameters", []) + op.get("parameters", [])]
        self.query = {p["name"]: p for p in params if p["in"] == "query"}
        self.in_path = [p["name"] for p in params if p["in"] == "path"]
        self.headers = {p["name"] for p in params if p["in"] == "header" and p.get("required")}
        self.types = list(op.get("requestBody", {}).get("content", {}))
        self.responses = {int(code): deref(r) for code, r in op["responses"].items()}


OPS = {}
for path_, item_ in DOC["paths"].items():
    for method_ in METHODS:
        if method_ in item_:
            o = Operation(method_, path_, item_, item_[method_])
            OPS[o.id] = o


def check_table(program):
    rows = {}
    for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines():
        method, path, operation, scope, flags, body, types, query = line.split("\t")
        rows[operation] = (method, path, scope, int(flags), int(body), types.split(), query.split())
    ok(set(rows) == set(OPS), "the same operations are in the document and in the server", sorted(set(rows) ^ set(OPS)))
    for name in sorted(set(rows) & set(OPS)):
        method, path, scope, flags, body, types, query = rows[name]
        o = OPS[name]
        faults = []
        if (method, path) != (o.method, o.path):
            faults.append(f"{method} {path}, documented {o.method} {o.path}")
        if scope != o.scope:
            faults.append(f"scope {scope!r}, documented {o.scope!r}")
        if bool(flags & CENTRAL) != o.central or bool(flags & PUBLIC) != o.public:
            faults.append(f"flags {flags}, documented central {o.central} public {o.public}")
        if bool(flags & STEP_UP) != o.step_up:
            faults.append("a step-up is needed and not documented, or the other way round")
        if bool(flags & MATCH) != ("If-Match" in o.headers):
            faults.append("If-Match is needed and not documented, or the other way round")
        if set(query) != set(o.query):
            faults.append(f"parameters {query}, documented {sorted(o.query)}")
        if o.types and set(types) != set(o.types):
            faults.append(f"body types {types}, documented {o.types}")
        if re.findall(r"{(\w+)}", path) != o.in_path:
            faults.append(f"path parameters {o.in_path}")
        ok(not faults, f"table: {name}", "\n".join(faults))


def as_read(w, get, put, first, second, last):
    """A setting that another has changed since it was read is not overwritten."""
    was = w.call(get, 200, query=f"org={first['org']}").headers["ETag"]
    done_ = 204 if 204 in OPS[put].responses else 200
    w.call(put, done_, body=first, If_Match=was)
    w.call(put, 412, body=second, If_Match=was)
    now = w.call(get, 200, query=f"org={first['org']}").headers["ETag"]
    ok(now != was, f"{put}: another version")
    w.call(put, done_, body=last, If_Match=now)
    ok(w.call(get, 200, query=f"org={first['org']}").headers["ETag"] == was, f"{put}: as before, the same version")


class Walk:
    def __init__(self, server):
        self.s = server
        self.seen = {}

    def call(self, name, want, *, params=(), query="", body=None, token=None, local=True, **headers):
        """One request; the answer must be documented and be the one wanted."""
        o = OPS[name]
        path = o.path
        for value in params:
            path = re.sub(r"{\w+}", value, path, count=1)
        if query:
            path += "?" + query
        if isinstance(body, (dict, list)):
            headers.setdefault("Content_Type", "application/json")
            body = json.dumps(body)
        send = self.s.http if local and not token else None
        if send:
            reply = send(o.method, path, body, **headers)
        else:
            reply = self.s.https(o.method, path, body, token=token, **headers)
        faults = self.faults(o, reply)
        if reply.status != want:
            faults.append(f"status {reply.status}, wanted {want}")
        self.seen.setdefault(name, set()).add(reply.status)
        who = "token" if token else "local" if local else "nobody"
        ok(not faults, f"{name} {want} ({who}{', ' + query if query else ''})",
           "\n".join(faults + [reply.body[:600].decode("utf-8", "replace")]))
        return reply

    def faults(self, o, reply):
        common = {404, 405} if o.public else set()
        if reply.status not in o.responses:
            return [] if reply.status in common else [f"status {reply.status} is not documented"]
        answer, out = o.responses[reply.status], []
        for header in ("X-Content-Type-Options", "Content-Security-Policy", "Cache-Control", "traceparent"):
            if header not in reply.headers:
                out.append(f"no {header}")
        for header in answer.get("headers", {}):
            if header not in reply.headers:
                out.append(f"no {header}")
        content = answer.get("content", {})
        got = (reply.headers.get("Content-Type") or "").split(";")[0]
        if not content:
            return out + ([f"a body of {len(reply.body)} bytes"] if reply.body else [])
        if got not in content:
            return out + [f"Content-Type {got!r}, documented {sorted(content)}"]
        if "json" in got and "ndjson" not in got:
            try:
                value = json.loads(reply.body)
            except ValueError as e:
                return out + [f"not JSON: {e}"]
            out += check(DOC, content[got].get("schema", {}), value)
        return out

    def missing(self):
        """Successes that the document promises and no call had."""
        out = []
        for name, o in OPS.items():
            for status in o.responses:
                if f"{name} {status}" in ELSEWHERE:
                    continue
                if status < 300 and status not in self.seen.get(name, set()):
                    out.append(f"{name} {status}")
        return out


def findings(server, spool, batch, items):
    """What a worker sends to center."""
    import socket
    body = struct.pack("<IIQ", spool, len(items), batch)
    for item in items:
        text = json.dumps(item).encode()
        body += struct.pack("<I", len(text)) + text
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fd = os.open(os.path.join(server.data, "run"), os.O_PATH | os.O_DIRECTORY)
    sock.connect(f"/proc/self/fd/{fd}/center.sock")
    os.close(fd)
    sock.settimeout(20)
    sock.sendall(struct.pack("<II", 30, len(body)) + body)
    head = b""
    while len(head) < 16:
        more = sock.recv(16 - len(head))
        if not more:
            return None
        head += more
    sock.close()
    kind, size, status, _ = struct.unpack("<IIII", head)
    return status if kind == 31 and size == 8 else None


def finding(org, n, indicator="evil.example", asset="192.0.2.7"):
    return {"finding_uid": f"f-{org}-{n}", "org": org, "indicator": indicator, "indicator_type": "domain",
            "list": "feed-a", "category": "malware", "family": "demo", "severity_id": 4, "confidence": 80, "tlp": "green",
            "asset": asset, "field": "query", "value": indicator, "event_id": f"e-9-{n}-0",
            "time": "2026-11-22T01:02:03.000004Z", "title": f"{indicator} looked up"}


ALL_SCOPES = DOC["components"]["schemas"]["Scope"]["enum"]


def wait_job(server, job):
    def ended():
        got = server.http("GET", f"/api/v1/jobs/{job}").json()
        return got if got["state"] not in ("queued", "running") else None
    return until(ended, 30)


def walk_console(w):
    for local in (True, False):
        page = w.call("getConsole", 200, local=local)
    for path in ("/alerts?state=new", "/o/shiokaze/s/y-1/alerts/a-1"):
        ok(w.s.https("GET", path).body == page.body, f"{path} is the console")
    ok(page.headers["Cache-Control"] == "no-store" and "require-trusted-types-for 'script'" in page.headers["Content-Security-Policy"],
       "its page is not kept and has the policy", page.headers)
    names = re.findall(r"/assets/([\w.-]+)", page.body.decode())
    ok(len(names) >= 2, "it names its script and style", page.body)
    for name in names:
        plain = w.call("getAsset", 200, params=(name,), local=False)
        ok("immutable" in plain.headers["Cache-Control"], f"{name} may be kept")
        packed = w.call("getAsset", 200, params=(name,), Accept_Encoding="gzip")
        ok(packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body, f"{name} comes as gzip too")
    w.call("getAsset", 404, params=("main.js",))


def walk_public(w):
    for name in ("getStatusPage", "getLive", "getStyle", "getProblems", "getOpenapiYaml", "getOpenapiJson"):
        w.call(name, 200)
        w.call(name, 200, local=False)
    ok("櫓" in w.call("getStatusPage", 200, local=False, Accept_Language="ja").body.decode(), "the page speaks Japanese")
    page = w.s.https("GET", "/status").body.decode()
    ok("<script" not in page and "shiokaze" not in page and "http://" not in page, "the page has no script and no tenant")
    if library():  # every part has to be asked once first
        until(lambda: w.s.http("GET", "/readyz").status == 200, 20)
        until(lambda: w.s.http("GET", "/startupz").status == 200, 20)
    up = w.s.http("GET", "/startupz")
    w.seen.setdefault("getStartup", set()).add(up.status)
    ok((up.status == 200 and up.body == b"ok\n") or (up.status == 503 and up.body.endswith(b"starting\n")), "startupz says whether all was there once", up)
    ready = w.s.http("GET", "/readyz?verbose")
    w.seen.setdefault("getReady", set()).add(ready.status)
    ok(ready.status in (200, 503) and b"center: ok" in ready.body, "readyz tells of center", ready)
    w.call("getMetrics", 200)
    text = w.s.http("GET", "/metrics").body.decode()
    ok(text.endswith("# EOF\n") and "shiokaze" not in text, "metrics end with # EOF and name no organisation")
    served = w.s.http("GET", "/api/openapi.json").json()
    ok(served == json.loads(json.dumps(DOC, default=str)), "the document is served as it is")


def walk_organisations(w):
    one = w.call("createOrganisation", 201, body={"name": "shiokaze", "title_ja": "潮風市", "title_en": "Shiokaze"})
    w.call("createOrganisation", 201, body={"name": "yamabuki", "title": "山吹町"}, Idempotency_Key="k1")
    again = w.call("createOrganisation", 201, body={"name": "yamabuki", "title": "山吹町"}, Idempotency_Key="k1")
    ok(again.json()["name"] == "yamabuki", "the same Idempotency-Key gives the first answer")
    w.call("createOrganisation", 409, body={"name": "yamabuki2", "title": "x"}, Idempotency_Key="k1")
    w.call("createOrganisation", 201, body={"name": "kiri", "demo": True})
    w.call("createOrganisation", 409, body={"name": "kiri"})
    bad = w.call("createOrganisation", 400, body={"name": "Kiri!", "colour": 1}).json()
    ok({e["code"] for e in bad["errors"]} >= {"unknown_member"}, "every fault is named", bad)
    w.call("createOrganisation", 400, body="{", Content_Type="application/json")
    w.call("createOrganisation", 415, body="x", Content_Type="text/plain")
    w.call("createOrganisation", 413, body="x" * 100000, Content_Type="application/json")
    w.call("listOrganisations", 200)
    page = w.call("listOrganisations", 200, query="limit=1").json()
    rest = w.call("listOrganisations", 200, query=f"limit=1&cursor={page['next_cursor']}").json()
    ok(page["items"][0]["name"] < rest["items"][0]["name"], "the second page goes on")
    w.call("listOrganisations", 400, query="limit=1&cursor=AAAA")
    w.call("listSources", 400, query=f"cursor={page['next_cursor']}")
    w.call("listOrganisations", 400, query="limit=201")
    w.call("listOrganisations", 400, query="colour=red")
    w.call("getOrganisation", 200, params=["shiokaze"])
    w.call("getOrganisation", 404, params=["nobody"])
    w.call("updateOrganisation", 428, params=["shiokaze"], body={"title": "x"})
    w.call("updateOrganisation", 412, params=["shiokaze"], body={"title": "x"}, If_Match='"99"')
    new = w.call("updateOrganisation", 200, params=["shiokaze"], body={"title_ja": "潮風市役所"},
                 If_Match=one.headers["ETag"], Content_Type="application/merge-patch+json")
    ok(new.headers["ETag"] != one.headers["ETag"], "a change gives a new ETag")
    w.call("updateOrganisation", 412, params=["shiokaze"], body={"title": "y"}, If_Match=one.headers["ETag"])
    w.call("getDemo", 200)


def walk_tokens(w):
    tokens = {}
    for org in ("shiokaze", "yamabuki"):
        made = w.call("createToken", 201, body={"org": org, "name": f"all-{org}", "scopes": ALL_SCOPES}).json()
        tokens[org] = made["secret"]
        tokens[org + "-id"] = made["id"]
    tokens["none"] = w.call("createToken", 201, body={"org": "shiokaze", "name": "only", "scopes": ["events:write"]}).json()["secret"]
    tokens["central"] = w.call("createToken", 201, body={
        "org": None, "name": "central", "scopes": [s for s in ALL_SCOPES if s != "events:write"]}).json()["secret"]
    w.call("createToken", 404, body={"org": "nobody", "name": "x", "scopes": ["events:read"]})
    w.call("createToken", 400, body={"org": "shiokaze", "name": "x", "scopes": ["all"]})
    w.call("createToken", 403, body={"org": "shiokaze", "name": "x", "scopes": ["events:read"]}, token=tokens["none"])
    key = {"Idempotency_Key": "secret-once"}
    first = w.call("createToken", 201, body={"org": "shiokaze", "name": "once", "scopes": ["events:read"]}, **key).json()
    second = w.call("createToken", 201, body={"org": "shiokaze", "name": "once", "scopes": ["events:read"]}, **key).json()
    ok(first["secret"] and second["secret"] is None and first["id"] == second["id"], "a secret is shown once")
    w.call("listTokens", 200)
    w.call("listTokens", 200, query="org=shiokaze")
    w.call("listTokens", 404, query="org=nobody")
    mine = w.call("listTokens", 200, token=tokens["yamabuki"]).json()
    ok({t["org"] for t in mine["items"]} == {"yamabuki"}, "a token sees the tokens of its organisation", mine)
    w.call("getToken", 200, params=[first["id"]])
    w.call("revokeToken", 204, params=[first["id"]])
    w.call("revokeToken", 204, params=[first["id"]])
    w.call("listTokens", 401, token=first["secret"])
    w.call("listTokens", 401, token="yg_collector_nonsense")
    some = w.call("listAuditLog", 200, query="action=token.&from=now-1h").json()["items"]
    ok(some and all(e["action"].startswith("token.") for e in some), "the audit log by kind of action and time")
    ok(w.call("listAuditLog", 200, query="to=now-1h").json()["items"] == [], "and before a time: nothing was done an hour ago")
    ok(tokens["shiokaze"] not in w.s.http("GET", "/api/v1/audit-log?limit=200").body.decode() + w.s.log(),
       "no secret in the audit log nor in the log")
    return tokens


def walk_indicators(w, tokens):
    made = w.call("createIndicatorList", 201, body={"name": "feed-a", "title": "Feed A", "tlp": "amber", "confidence": 70})
    lid = made.json()["id"]
    own = w.call("createIndicatorList", 201, body={"name": "own-y"}, token=tokens["yamabuki"]).json()
    ok(own["org"] == "yamabuki", "a list of a token is its organisation's")
    w.call("createIndicatorList", 409, body={"name": "feed-a"})
    w.call("createIndicatorList", 403, body={"name": "x", "org": None}, token=tokens["yamabuki"])
    w.call("createIndicatorList", 404, body={"name": "x", "org": "shiokaze"}, token=tokens["yamabuki"])
    w.call("listIndicatorLists", 200)
    got = w.call("getIndicatorList", 200, params=[lid])
    w.call("updateIndicatorList", 428, params=[lid], body={"title": "B"})
    w.call("updateIndicatorList", 412, params=[lid], body={"title": "B"}, If_Match='"77"')
    w.call("updateIndicatorList", 403, params=[lid], body={"title": "B"}, If_Match=got.headers["ETag"], token=tokens["yamabuki"])
    w.call("updateIndicatorList", 200, params=[lid], body={"title": "B", "enabled": True}, If_Match=got.headers["ETag"])
    job = w.call("importIndicators", 202, params=[lid], query="format=plain",
                 body="evil.example\nbad.example\n192.0.2.66\n", Content_Type="text/plain").json()
    ended = wait_job(w.s, job["id"])
    ok(ended and ended["state"] == "done" and ended["result"]["added"] == 3, "the import is done", ended)
    job = w.call("importIndicators", 202, params=[lid], query="format=plain&replace=true",
                 body="evil.example\n192.0.2.66\n", Content_Type="text/plain").json()
    ended = wait_job(w.s, job["id"])
    ok(ended and ended["result"]["expired"] == 1, "what a replacing import does not have expires", ended)
    job = w.call("importIndicators", 202, params=[lid], query="format=plain", body="good.example\nco.jp\nnot a value at all!\n", Content_Type="text/plain").json()
    ended = wait_job(w.s, job["id"])
    faults = ended["result"]["faults"]
    ok(ended["errors"] == 2 == len(faults) and [f["line"] for f in faults] == [2, 3] and all(f["text"] and f["reason"] for f in faults) and
       ended["result"]["list"] == lid, "what was not taken is told, with its line and reason", ended)
    w.call("importIndicators", 415, params=[lid], body="x", Content_Type="image/png")
    w.call("importIndicators", 400, params=[lid], query="format=xml", body="x", Content_Type="text/plain")
    one = w.call("createIndicator", 201, body={"list": lid, "type": "domain", "value": "EVIL2.example", "family": "demo"})
    iid = one.json()["id"]
    ok(one.json()["value"] == "evil2.example", "a value is normalised")
    w.call("createIndicator", 409, body={"list": lid, "type": "domain", "value": "evil2.example"})
    w.call("createIndicator", 400, body={"list": lid, "type": "domain", "value": "co.jp"})
    w.call("createIndicator", 201, body={"list": lid, "type": "domain", "value": "co.jp", "force": True})
    w.call("createIndicator", 400, body={"list": lid, "type": "ip", "value": "999.1.1.1"})
    w.call("createIndicator", 404, body={"list": own["id"], "type": "ip", "value": "192.0.2.1"}, token=tokens["shiokaze"])
    mine = w.call("createIndicator", 201, body={"list": own["id"], "type": "ip", "value": "192.0.2.1"}).json()["id"]
    w.call("listIndicators", 200, query="value=evil2.example")
    w.call("listIndicators", 200, query=f"list={lid}&type=domain&limit=2")
    w.call("listIndicators", 400, query="type=colour")
    got = w.call("getIndicator", 200, params=[iid])
    w.call("updateIndicator", 428, params=[iid], body={"confidence": 10})
    w.call("updateIndicator", 412, params=[iid], body={"confidence": 10}, If_Match='"1"')
    w.call("updateIndicator", 200, params=[iid], body={"valid_until": "2026-12-01T00:00:00Z"}, If_Match=got.headers["ETag"])
    allow = w.call("createAllowEntry", 201, body={"org": "shiokaze", "type": "domain", "value": "partner.example", "reason": "ours"})
    wid = allow.json()["id"]
    w.call("createAllowEntry", 400, body={"org": "shiokaze", "type": "domain", "value": "", "reason": "ours"})
    w.call("listAllowEntries", 200)
    w.call("getAllowEntry", 200, params=[wid])
    w.call("updateAllowEntry", 428, params=[wid], body={"reason": "x"})
    w.call("updateAllowEntry", 412, params=[wid], body={"reason": "x"}, If_Match='"9"')
    w.call("updateAllowEntry", 200, params=[wid], body={"expires_at": "2027-01-01T00:00:00Z"}, If_Match=allow.headers["ETag"])
    walk_check(w, tokens)
    block = walk_dns(w, tokens)
    job = w.call("compileIndicators", 202).json()
    ended = wait_job(w.s, job["id"])
    ok(ended and ended["state"] == "done", "the snapshot is compiled", ended)
    w.call("listSnapshots", 200)
    return {"IndicatorList": own["id"], "Indicator": mine, "AllowEntry": wid, "BlockEntry": block, "Token": tokens["yamabuki-id"],
            **walk_detection(w, tokens)}


def walk_dns(w, tokens):
    """What protective DNS goes by: block entries, modes, answers."""
    new = {"org": "shiokaze", "type": "domain", "value": "Lure.Example.", "category": "phishing", "reason": "told by staff"}
    made = w.call("createBlockEntry", 201, body=new)
    k = made.json()
    ok(k["value"] == "lure.example" and k["ede"] is None, "its one spelling", k)
    w.call("createBlockEntry", 400, body={**new, "value": "co.jp"})
    w.call("createBlockEntry", 400, body={**new, "value": "not a name"})
    w.call("createBlockEntry", 400, body={**new, "type": "url"})
    w.call("createBlockEntry", 400, body={**new, "category": "No Such"})
    w.call("createBlockEntry", 404, body=new, token=tokens["yamabuki"])
    w.call("createBlockEntry", 403, body={**new, "org": None}, token=tokens["yamabuki"])
    w.call("createBlockEntry", 201, body={**new, "org": None, "type": "ip", "value": "198.51.100.0/24", "ede": "censored"})
    w.call("listBlockEntries", 200)
    ok([x["org"] for x in w.call("listBlockEntries", 200, token=tokens["yamabuki"]).json()["items"]] == [None],
       "another sees what is for all, and no more")
    w.call("getBlockEntry", 200, params=[k["id"]])
    w.call("updateBlockEntry", 428, params=[k["id"]], body={"reason": "x"})
    w.call("updateBlockEntry", 412, params=[k["id"]], body={"reason": "x"}, If_Match='"9"')
    w.call("updateBlockEntry", 200, params=[k["id"]], body={"category": "scam"}, If_Match=made.headers["ETag"])
    w.call("setDnsMode", 204, body={"org": None, "layer": "indicators", "mode": "audit-only"})
    w.call("setDnsMode", 204, body={"org": "shiokaze", "layer": "centre-zone", "mode": "off"})
    w.call("setDnsMode", 400, body={"org": "shiokaze", "layer": "centre-zone", "mode": "on"})
    w.call("setDnsMode", 404, body={"org": "shiokaze", "layer": "centre-zone", "mode": "off"}, token=tokens["yamabuki"])
    as_read(w, "getDnsSettings", "setDnsMode", *({"org": "shiokaze", "layer": "org-block", "mode": x} for x in ("off", "audit-only", None)))
    as_read(w, "getDnsSettings", "setDnsAnswer", *({"org": "shiokaze", "category": "phishing", "answer": x} for x in ("nodata", "nxdomain", None)))
    w.call("setDnsMode", 403, body={"org": None, "layer": "centre-zone", "mode": "off"}, token=tokens["yamabuki"])
    w.call("setDnsAnswer", 204, body={"org": "shiokaze", "category": "scam", "answer": "sinkhole", "addresses": ["192.0.2.80", "2001:DB8::80"]})
    w.call("setDnsAnswer", 204, body={"org": None, "answer": "cname", "target": "walled.example", "ttl": 10})
    w.call("setDnsAnswer", 400, body={"org": "shiokaze", "answer": "sinkhole"})
    w.call("setDnsAnswer", 400, body={"org": "shiokaze", "answer": "sinkhole", "addresses": ["somewhere"]})
    w.call("setDnsAnswer", 400, body={"org": "shiokaze", "answer": "cname"})
    w.call("setDnsAnswer", 404, body={"org": "shiokaze", "answer": "nodata"}, token=tokens["yamabuki"])
    got = w.call("getDnsSettings", 200, query="org=shiokaze").json()
    modes = {x["layer"]: (x["mode"], x["own"]) for x in got["layers"]}
    ok(modes["centre-zone"] == ("off", True) and modes["indicators"] == ("audit-only", False) and modes["org-block"] == ("enforce", False),
       "its own mode, what is said for all, and what nobody said", modes)
    ok([(a["category"], a["answer"], a["addresses"], a["target"], a["own"]) for a in got["answers"]] ==
       [("scam", "sinkhole", ["192.0.2.80", "2001:db8::80"], None, True), ("", "cname", [], "walled.example", False)],
       "its own answer before what is said for all", got["answers"])
    w.call("getDnsSettings", 404, query="org=shiokaze", token=tokens["yamabuki"])
    w.call("setDnsMode", 204, body={"org": "shiokaze", "layer": "centre-zone", "mode": None})
    w.call("setDnsAnswer", 204, body={"org": None, "answer": None})
    w.call("getDnsSettings", 200)
    return k["id"]


RULE = """title: {title}
id: {id}
level: {level}
status: test
tags: [attack.t1059.001, attack.execution]
logsource: {{category: process_creation, product: windows}}
detection:
  s: {{Image|endswith: '{image}'}}
  condition: s
"""


def walk_detection(w, tokens):
    """Sigma rules: one, many, what organisations say of them."""
    one = RULE.format(title="Who", id="11111111-1111-4111-8111-111111111111", level="high", image="whoami.exe")
    two = RULE.format(title="Net", id="22222222-2222-4222-8222-222222222222", level="low", image="net.exe")
    w.call("checkDetectionRule", 200, body={"text": one})
    seen = w.call("checkDetectionRule", 200, body={"text": one.replace("endswith", "endswitch")}).json()
    ok(not seen["ok"] and seen["problems"][0]["line"] == 8 and seen["rule"] is None, "what is wrong is told with its line", seen)
    made = w.call("createDetectionRule", 201, body={"org": "shiokaze", "text": one})
    r = made.json()
    ok((r["title"], r["level"], r["stage"], r["techniques"], r["collection"]) == ("Who", "high", "test", ["T1059.001"], "own"), "a rule", r)
    w.call("createDetectionRule", 409, body={"org": "shiokaze", "text": one})
    w.call("createDetectionRule", 400, body={"org": "shiokaze", "text": one + "---\n" + two})
    w.call("createDetectionRule", 400, body={"org": "shiokaze", "text": "a: ["})
    w.call("createDetectionRule", 404, body={"org": "shiokaze", "text": two}, token=tokens["yamabuki"])
    w.call("createDetectionRule", 403, body={"org": None, "text": two}, token=tokens["yamabuki"])
    files = [{"name": "a/two.yml", "text": two + "---\n" + one}, {"name": "bad.yml", "text": "title: x\n\ndetection: 1\n"}]
    done_ = w.call("importDetectionRules", 200, body={"org": None, "collection": "sigma", "files": files}).json()
    ok((done_["added"], done_["refused_count"], done_["refused"][0]["file"]) == (2, 1, "bad.yml"), "many at once", done_)
    w.call("importDetectionRules", 400, body={"collection": "sigma", "files": [{"name": "a"}]})
    w.call("importDetectionRules", 400, body={"collection": "a b", "files": files})
    w.call("importDetectionRules", 404, body={"org": "nosuchorg", "files": files})
    w.call("listDetectionRules", 200)
    ok([x["title"] for x in w.call("listDetectionRules", 200, query="technique=T1059&level=low,high&collection=sigma").json()["items"]] == ["Who", "Net"],
       "by technique, level and collection")
    ok(len(w.call("listDetectionRules", 200, query="logsource=process_creation/windows&q=WHO").json()["items"]) == 2, "by log source and words")
    for sort in ("newest", "hits", "false", "cost", "last_hit"):
        everything = [x["id"] for x in w.call("listDetectionRules", 200, query=f"sort={sort}").json()["items"]]
        at, walked = w.call("listDetectionRules", 200, query=f"sort={sort}&limit=1").json(), []
        while True:
            walked += [x["id"] for x in at["items"]]
            if at["next_cursor"] is None or len(walked) > len(everything):
                break
            at = w.call("listDetectionRules", 200, query=f"sort={sort}&limit=1&cursor={at['next_cursor']}").json()
        ok(walked == everything and len(set(walked)) == len(walked) > 1, f"rules by {sort}, a page at a time", (walked, everything))
    w.call("listDetectionRules", 400, query="sort=title")
    w.call("listDetectionRules", 400, query="stage=on")
    ok([x["org"] for x in w.call("listDetectionRules", 200, token=tokens["yamabuki"]).json()["items"]] == [None, None],
       "another sees what is for all, and no more")
    got = w.call("getDetectionRule", 200, params=[r["id"]])
    w.call("getDetectionRule", 404, params=[r["id"]], token=tokens["yamabuki"])
    w.call("updateDetectionRule", 428, params=[r["id"]], body={"stage": "live"})
    w.call("updateDetectionRule", 412, params=[r["id"]], body={"stage": "live"}, If_Match='"9"')
    w.call("updateDetectionRule", 400, params=[r["id"]], body={"text": "x"}, If_Match=got.headers["ETag"])
    got = w.call("updateDetectionRule", 200, params=[r["id"]], body={"stage": "live", "text": one.replace("Who", "Who?")}, If_Match=got.headers["ETag"])
    ok((got.json()["stage"], got.json()["title"], got.json()["version"]) == ("live", "Who?", 2), "changed", got.json())
    past = w.call("listDetectionRuleHistory", 200, params=[r["id"]]).json()["items"]
    ok([(p["version"], p["title"], p["stage"]) for p in past] == [(2, "Who?", "live"), (1, "Who", "test")], "its past", past)
    w.call("getDetectionRuleStats", 200, params=[r["id"]], query="from=now-1d")
    w.call("listDetectionRuleHits", 200, params=[r["id"]])
    shared = w.call("listDetectionRules", 200, query="collection=sigma").json()["items"]
    w.call("bulkDetectionRules", 400, body={"stage": "off"})
    w.call("bulkDetectionRules", 404, body={"ids": [r["id"]], "stage": "off"}, token=tokens["yamabuki"])
    w.call("bulkDetectionRules", 403, body={"ids": [shared[0]["id"]], "stage": "off"}, token=tokens["yamabuki"])
    done_ = w.call("bulkDetectionRules", 200, body={"org": None, "collection": "sigma", "level": "high", "stage": "audit-only"}).json()
    ok(done_ == {"changed": 1, "unchanged": 0}, "a stage for many", done_)
    over = {"stage": "off", "reason": "noise", "expires_at": "2099-01-01T00:00:00Z"}
    w.call("setDetectionOverride", 200, params=[shared[0]["id"], "shiokaze"], body=over)
    w.call("setDetectionOverride", 400, params=[shared[0]["id"], "shiokaze"], body={"stage": "on", "reason": "x"})
    w.call("setDetectionOverride", 404, params=[shared[0]["id"], "shiokaze"], body=over, token=tokens["yamabuki"])
    ok([o["stage"] for o in w.call("getDetectionRule", 200, params=[shared[0]["id"]]).json()["overrides"]] == ["off"], "it stands at the rule")
    ok(w.call("getDetectionRule", 200, params=[shared[0]["id"]], token=tokens["yamabuki"]).json()["overrides"] == [], "for its own to see")
    own = [shared[0]["id"], "shiokaze"]
    one_ = w.call("getDetectionOverride", 200, params=own)
    ok(one_.headers["ETag"] == one_.json()["etag"], "its version", one_)
    w.call("getDetectionOverride", 404, params=own, token=tokens["yamabuki"])
    w.call("setDetectionOverride", 428, params=own, body=over)
    w.call("setDetectionOverride", 412, params=own, body=over, If_None_Match="*")
    newer = w.call("setDetectionOverride", 200, params=own, body={**over, "reason": "loud"}, If_Match=one_.headers["ETag"])
    w.call("setDetectionOverride", 412, params=own, body=over, If_Match=one_.headers["ETag"])
    w.call("deleteDetectionOverride", 412, params=own, If_Match=one_.headers["ETag"])
    ok(w.call("getDetectionOverride", 200, params=own).json() == newer.json() and newer.json()["reason"] == "loud", "nobody's change is lost", newer)
    w.call("setDetectionOverride", 200, params=[shared[0]["id"], "yamabuki"], body={**over, "stage": "test"}, If_None_Match="*")
    page = w.call("listDetectionOverrides", 200, params=[shared[0]["id"]], query="limit=1").json()
    behind = w.call("listDetectionOverrides", 200, params=[shared[0]["id"]], query=f"limit=1&cursor={page['next_cursor']}").json()
    ok([o["org"] for p in (page, behind) for o in p["items"]] == ["shiokaze", "yamabuki"], "stages of organisations, page by page", (page, behind))
    ok([o["org"] for o in w.call("listDetectionOverrides", 200, params=[shared[0]["id"]], token=tokens["yamabuki"]).json()["items"]] == ["yamabuki"], "their own alone")
    w.call("deleteDetectionOverride", 204, params=[shared[0]["id"], "yamabuki"])
    w.call("deleteDetectionOverride", 204, params=own, If_Match=newer.headers["ETag"])
    w.call("getDetectionOverride", 404, params=own)
    gone = w.s.http("PUT", OPS["setDetectionOverride"].path.format(id=own[0], org=own[1]), over, If_Match=newer.headers["ETag"])
    ok(gone.status == 412, "what was removed meanwhile is not made again", gone)
    w.call("deleteDetectionOverride", 404, params=[shared[0]["id"], "shiokaze"])
    new = {"rule": r["id"], "org": "shiokaze", "text": "s: {User: backup}\ncondition: s\n", "reason": "the backup"}
    x = w.call("createDetectionException", 201, body=new)
    w.call("createDetectionException", 400, body={**new, "text": "s: {User: backup}"})
    w.call("createDetectionException", 404, body={**new, "org": "yamabuki"}, token=tokens["yamabuki"])
    w.call("listDetectionExceptions", 200, query=f"rule={r['id']}")
    made = w.call("listDetectionExceptions", 200, query="limit=1").json()["items"][0]
    excepted = lambda query: [x["id"] for x in w.call("listDetectionExceptions", 200, query=query).json()["items"]]
    ok(made["id"] in excepted(urlencode({"q": made["reason"].upper(), "validity": "in_force", "sort": "expires"})), "exceptions are found by their words", made)
    ok(excepted("q=nothing-is-called-so") == [] and made["id"] not in excepted("validity=expired"), "and others are not")
    w.call("listDetectionExceptions", 400, query="validity=maybe")
    w.call("listDetectionExceptions", 400, query="sort=oldest")
    w.call("getDetectionException", 200, params=[x.json()["id"]])
    w.call("updateDetectionException", 428, params=[x.json()["id"]], body={"reason": "x"})
    w.call("updateDetectionException", 412, params=[x.json()["id"]], body={"reason": "x"}, If_Match='"9"')
    w.call("updateDetectionException", 200, params=[x.json()["id"]], body={"reason": "backups"}, If_Match=x.headers["ETag"])
    m = w.call("getAttackMatrix", 200).json()
    cells = {t["word"]: {c["id"]: c["rules"] for c in t["techniques"]} for t in m["tactics"]}
    ok(len(cells) == 14 and cells["execution"] == {"T1059.001": {"live": 1, "audit_only": 1, "test": 1, "off": 0}}, "the matrix", cells)
    ok([t["name"] for t in w.call("getAttackMatrix", 200, query="org=shiokaze", Accept_Language="ja").json()["tactics"]][3] == "実行", "in Japanese")
    w.call("getAttackMatrix", 404, query="org=shiokaze", token=tokens["yamabuki"])
    w.call("deleteDetectionRules", 400)
    ok(w.call("deleteDetectionRules", 200, query="collection=sigma").json() == {"removed": 2}, "a collection goes as a whole")
    return {"DetectionRule": r["id"], "DetectionException": x.json()["id"]}


def walk_check(w, tokens):
    """evil.example, 192.0.2.66 (shared), co.jp, 192.0.2.1 (yamabuki's); partner.example is allowed for shiokaze."""
    seen = w.call("checkIndicator", 200, query="value=WWW.Evil.Example.").json()
    ok(seen["normalised"] == "www.evil.example" and [m["value"] for m in seen["matches"]] == ["evil.example"] and seen["in_force"],
       "a name is recognised by the name above it", seen)
    ok(not w.call("checkIndicator", 200, query="value=bad.example").json()["in_force"], "what has expired is not in force")
    ok(w.call("checkIndicator", 200, query="value=192.0.2.66").json()["in_force"], "an address")
    ok(w.call("checkIndicator", 200, query="value=192.0.2.1", token=tokens["shiokaze"]).json()["matches"] == [], "not another's entry")
    ok(len(w.call("checkIndicator", 200, query="value=192.0.2.1", token=tokens["yamabuki"]).json()["matches"]) == 1, "but one's own")
    allowed = w.call("checkIndicator", 200, query="value=www.partner.example&org=shiokaze").json()
    ok(len(allowed["allow"]) == 1 and not allowed["in_force"], "an allow entry above it shows", allowed)
    w.call("checkIndicator", 400, query="value=")
    w.call("checkIndicator", 400, query="value=x&type=colour")
    w.call("checkIndicator", 404, query="value=evil.example&org=shiokaze", token=tokens["yamabuki"])


def walk_resolver(w, tokens):
    """A resolver with one list; dns_explain.py has the rest."""
    until(lambda: w.s.find_event("resolve.policy"), 30)
    got = w.call("listDnsZones", 200).json()["items"]
    ok([(z["name"], z["refused"]) for z in got if z["kind"] == "list"] == [("names", 1)], "the zones of the policy", got)
    w.call("listDnsZones", 404, query="org=shiokaze", token=tokens["yamabuki"])
    w.call("listDnsZones", 400, query="from=yesterday")
    if library():
        w.call("getDnsOverview", 200, query="from=now-7d&buckets=10")
    w.call("getDnsOverview", 400, query="buckets=0")
    w.call("getDnsOverview", 404, query="org=shiokaze", token=tokens["yamabuki-events"] if "yamabuki-events" in tokens else tokens["yamabuki"])
    asked = w.call("createDnsAllowRequest", 201, body={"org": "shiokaze", "name": "WWW.Partner2.example.", "reason": "ours"}).json()
    ok(asked["name"] == "www.partner2.example" and asked["state"] == "open", "a request in its one spelling", asked)
    w.call("createDnsAllowRequest", 200, body={"org": "shiokaze", "name": "www.partner2.example", "reason": "again"})
    w.call("createDnsAllowRequest", 400, body={"org": "shiokaze", "name": "..", "reason": "x"})
    w.call("createDnsAllowRequest", 404, body={"org": "shiokaze", "name": "a.example", "reason": "x"}, token=tokens["yamabuki"])
    w.call("listDnsAllowRequests", 400, query="state=colour")
    ok(w.call("listDnsAllowRequests", 200, token=tokens["yamabuki"]).json()["items"] == [], "another's request is not shown")
    w.call("decideDnsAllowRequest", 404, params=[asked["id"]], body={"grant": True}, token=tokens["yamabuki"])
    w.call("decideDnsAllowRequest", 403, params=[asked["id"]], body={"grant": True, "for_all": True}, token=tokens["shiokaze"])
    given = w.call("decideDnsAllowRequest", 200, params=[asked["id"]], body={"grant": True, "reason": "known"}, token=tokens["shiokaze"]).json()
    entry = w.call("getAllowEntry", 200, params=[given["allow_entry"]]).json()
    ok(given["state"] == "granted" and entry["org"] == "shiokaze" and entry["value"] == "www.partner2.example", "granted: its own allow list", (given, entry))
    w.call("decideDnsAllowRequest", 409, params=[asked["id"]], body={"grant": False})
    other = w.call("createDnsAllowRequest", 201, body={"org": "yamabuki", "name": "all.example", "reason": "x"}).json()
    given = w.call("decideDnsAllowRequest", 200, params=[other["id"]], body={"grant": True, "for_all": True}).json()
    ok(given["for_all"] and w.call("getAllowEntry", 200, params=[given["allow_entry"]]).json()["org"] is None, "for all, by the centre", given)
    for entry in w.call("listAllowEntries", 200).json()["items"]:  # the walk counts its own
        if entry["value"] in ("all.example", "www.partner2.example"):
            w.call("deleteAllowEntry", 204, params=[entry["id"]])
    got = w.call("explainDns", 200, query="name=bad.example").json()
    ok(got["verdict"] == "blocked" and got["org"] == "", "why a name is blocked", got)
    w.call("explainDns", 200, query="name=bad.example&type=AAAA", token=tokens["yamabuki"])
    w.call("explainDns", 400, query="name=")
    w.call("explainDns", 404, query="name=bad.example&org=shiokaze", token=tokens["yamabuki"])


def walk_event_log(w):
    """A Windows event log: guessed, and sent in parts as the browser cuts it."""
    binary = {"Content_Type": "application/octet-stream"}
    with open(os.path.join(os.path.dirname(__file__), "..", "fuzz", "evtx.corpus", "file"), "rb") as f:
        header, chunk = (whole := f.read())[:4096], whole[4096:].ljust(65536, b"\0")
    parts = [header + chunk, header[:128] + b"YGPART\0\0" + (1).to_bytes(8, "little") + header[144:] + chunk]
    seen = w.call("guessImport", 200, body=header + chunk, **binary).json()
    ok((seen["source"], seen["records"], seen["unparsed"]) == ("evtx", 5, 0) and [p["line"] for p in seen["preview"]] == [1, 2, 3, 4, 5] and
       seen["preview"][0]["event"]["event_code"] == "4624", "an event log is known by its first bytes", seen)
    with tempfile.NamedTemporaryFile(suffix=".evtx") as log:
        log.write(parts[0])
        log.flush()
        code, out, err = w.s.cli("event", "import", "--org", "shiokaze", "--source", "evtx", "--sensor", "cli", log.name)
        ok(code == 0 and "5 records in 1 batches" in out, "event import takes it too", f"{code} {out} {err}")
    for source in ("evtx", "windows"):
        new = {"org": "shiokaze", "source": source, "name": f"{source}.log", "bytes": sum(map(len, parts))}
        job = w.call("createImport", 202, body=new).json()["id"]
        for n, part in enumerate(parts):
            w.call("putImportPart", 200, params=[job, str(n)], body=part, **binary)
        w.call("finishImport", 200, params=[job])
        path = f"/api/v1/events?q=sensor:{source}.log&from=2024-01-01T00:00:00Z&limit=200"
        rows = until(lambda: len(r := w.s.http("GET", path).json().get("items", [])) >= 10 and r, 20, 0.3) or []
        odd = [e.get("parse_error", "") for e in rows if e.get("parse_error")]
        ok(len(rows) == 10 and sorted({e["event_code"] for e in rows}) == ["1", "2", "4624", "7036"] and
           odd == ["recovered: from a chunk that the file does not count"] * 5,
           f"as source {source} every record is there, and what the file does not count is marked", rows[:2])


def walk_imports(w, tokens):
    """A Zeek file in parts; its header is sent once."""
    head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n" \
           "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\n" \
           "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\n"
    rows = [f"{time.time():.6f}\tC{i}\t10.0.0.1\t{4000 + i}\t10.0.0.2\t53\tudp\timported{i}.example\n" for i in range(9)]
    plain = {"Content_Type": "text/plain"}
    seen = w.call("guessImport", 200, body=head + "".join(rows), **plain).json()
    ok(seen["source"] == "zeek" and seen["confidence"] == 100 and len(seen["preview"]) == 9 and
       seen["preview"][8]["event"]["query"] == "imported8.example" and seen["preview"][0]["ok"], "a Zeek file is known", seen)
    ok(w.call("guessImport", 200, body=eve(3, "x.example"), **plain).json()["source"] == "suricata", "and Suricata's")
    ok(w.call("guessImport", 200, body="<34>1 2026-11-22T01:02:03Z host sshd 1 - - Accepted password for root from 192.0.2.1 port 22 ssh2\n",
              **plain).json()["source"] == "syslog", "and syslog")
    other = w.call("guessImport", 200, query="source=suricata", body="nonsense\n", **plain).json()
    ok([p["ok"] for p in other["preview"]] == [False] and other["preview"][0]["error"], "what is wrong is marked", other)
    other = w.call("guessImport", 200, query="source=suricata", body="nonsense\n", Accept_Language="ja", **plain).json()
    ok(other["preview"][0]["error"].startswith("JSON: ") and "バイト目" in other["preview"][0]["error"], "in the reader's language", other)
    w.call("guessImport", 400, query="source=colour", body="x\n", **plain)
    first, second = (head + "".join(rows[:4])).encode(), "".join(rows[4:]).encode()
    new = {"org": "shiokaze", "source": "zeek", "name": "dns.log", "bytes": len(first) + len(second)}
    job = w.call("createImport", 202, body=new).json()["id"]
    w.call("createImport", 404, body=new, token=tokens["yamabuki"])
    w.call("createImport", 400, body={**new, "source": "colour"})
    for again in range(2):
        part = w.call("putImportPart", 200, params=[job, "0"], body=first, **plain).json()
        ok((part["parts"], part["done"]) == (1, len(first)), "a part is there once", part)
    w.call("finishImport", 409, params=[job])
    w.call("putImportPart", 404, params=[job, "1"], body=second, token=tokens["yamabuki"], **plain)
    w.call("putImportPart", 200, params=[job, "1"], body=second, **plain)
    ended = w.call("finishImport", 200, params=[job]).json()
    ok(ended["state"] == "done" and ended["result"] == {"source": new["source"], "sensor": new["name"], "parts": 2, "bytes": new["bytes"]},
       "the import is done, and says what finds its events", ended)
    w.call("putImportPart", 409, params=[job, "2"], body=second, **plain)
    found = until(lambda: len(w.s.http("GET", "/api/v1/events?q=sensor:dns.log&limit=200").json().get("items", [])) >= 9, 20, 0.3)
    names = [e.get("query") for e in w.s.http("GET", "/api/v1/events?q=sensor:dns.log&limit=200").json()["items"]]
    ok(found and sorted(names) == [f"imported{i}.example" for i in range(9)], "every record is there once", names)
    own = json.dumps({"set": {"class_uid": "dns_activity"}, "fields": {"time": "at", "query": "name"}}, indent=1)
    lines = "".join(json.dumps({"at": int(time.time()) - i, "name": f"own{i}.example"}) + "\n" for i in range(30)) + "broken\n"
    seen = w.call("guessImport", 200, query="source=ndjson:fw", body=own.replace("\n", " ") + "\n" + lines, **plain).json()
    ok((seen["records"], seen["unparsed"]) == (31, 1) and seen["preview"][0]["event"]["query"] == "own0.example" and
       [p["line"] for p in seen["preview"] if not p["ok"]] == [31], "a mapping of one's own is tried, and the line that is wrong named", seen)
    wrong = w.call("guessImport", 400, query="source=ndjson:fw", body='{"fields":{"colour":"x"}}\n' + lines, **plain).json()
    ok(wrong["errors"][0]["pointer"] == "mapping" and "colour" in wrong["errors"][0]["message"], "a wrong mapping is told", wrong)
    mine = {"org": "shiokaze", "source": "ndjson:fw", "name": "own.log", "bytes": len(lines), "mapping": own}
    w.call("createImport", 400, body={**new, "source": "ndjson:fw"})
    w.call("createImport", 400, body={**new, "mapping": own})
    w.call("createImport", 400, body={**mine, "mapping": "{"})
    w.call("createImport", 400, body={**mine, "source": "ndjson:@fw"})
    job = w.call("createImport", 202, body=mine).json()["id"]
    cut = lines.index("\n", len(lines) // 2) + 1
    w.call("putImportPart", 200, params=[job, "0"], body=lines[:cut], **plain)
    w.call("putImportPart", 200, params=[job, "1"], body=lines[cut:], **plain)
    w.call("finishImport", 200, params=[job])
    rows = until(lambda: len(r := w.s.http("GET", "/api/v1/events?q=sensor:own.log&limit=200").json().get("items", [])) >= 31 and r, 20, 0.3) or []
    ok(sorted(e.get("query", "") for e in rows if e.get("query")) == sorted(f"own{i}.example" for i in range(30)) and
       {e["source"] for e in rows} == {"ndjson:fw"}, "and read by it in every part", rows[:2])
    walk_event_log(w)
    gone = w.call("createImport", 202, body=new).json()["id"]
    ok(w.call("cancelJob", 202, params=[gone]).json()["state"] == "cancelled", "an import is cancelled")
    w.call("putImportPart", 409, params=[gone, "0"], body=first, **plain)


def walk_exports(w, tokens):
    """Every row of a list, exactly, with the rights of who ordered it."""
    import csv
    import io
    import zipfile

    def order(kind, fmt, query=None, token=None, **more):
        made = w.call("createExport", 202, body={"kind": kind, "format": fmt, "query": query or {}, **more}, token=token).json()
        ended = wait_job(w.s, made["id"])
        ok(ended and ended["state"] == "done", f"the export of {kind} as {fmt} is done", ended)
        return made["id"], w.call("getExport", 200, params=[made["id"]], token=token)

    everything = w.call("listAlerts", 200, query="limit=200").json()
    job, got = order("alerts", "csv")
    text = got.body.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    ok(text.startswith("\ufeff") and "\r\n" in text and [r["id"] for r in rows] == [a["id"] for a in everything["items"]] and
       len(rows) == everything["total"], "CSV has every alert in order", text[:300])
    ok("yagura-alerts-all-" in got.headers["Content-Disposition"] and got.headers["Content-Disposition"].endswith('.csv"'),
       "its name tells what it is", got.headers["Content-Disposition"])
    w.call("getExport", 404, params=[job], token=tokens["shiokaze"])
    some = w.call("listAlerts", 200, query="state=closed&limit=200").json()["items"]
    _, got = order("alerts", "jsonl", {"state": "closed"})
    lines = [json.loads(x) for x in got.body.decode().splitlines()]
    ok([x["id"] for x in lines] == [x["id"] for x in some] and lines, "JSON lines have the filter", lines[:1])
    _, got = order("alerts", "xlsx", token=tokens["yamabuki"])
    with zipfile.ZipFile(io.BytesIO(got.body)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    mine = w.call("listAlerts", 200, token=tokens["yamabuki"]).json()["items"]
    ok(sheet.count("<row ") == len(mine) + 1 and "shiokaze" not in sheet and all(a["id"] in sheet for a in mine),
       "a workbook with a token's own alerts only", sheet[:300])
    w.call("createSavedSearch", 201, body={"name": "=1+1", "page": "alerts", "query": "state=open"})
    paths = {"alert-groups": ("listAlertGroups", "key"), "indicator-lists": ("listIndicatorLists", "id"), "allow-entries": ("listAllowEntries", "id"),
             "grants": ("listGrants", "id"), "tokens": ("listTokens", "id"), "approvals": ("listApprovals", "id"),
             "saved-searches": ("listSavedSearches", "id"), "detection-rules": ("listDetectionRules", "id"), "detection-exceptions": ("listDetectionExceptions", "id"), "retro-hunts": ("listRetroHunts", "id"), "system-events": ("listSystemEvents", "id")}
    for kind, (operation, key) in paths.items():
        every = w.call(operation, 200, query="limit=200").json()["items"]
        _, got = order(kind, "csv")
        rows = list(csv.DictReader(io.StringIO(got.body.decode()[1:], newline="")))
        ok([r[key] for r in rows][-len(every):] == [str(x[key]) for x in every] or kind == "system-events" and rows, f"the rows of {kind} in order", (rows[:1], every[:1]))
        ok("secret" not in (rows or [{}])[0], f"the rows of {kind} hold no secret")
        ok(kind != "saved-searches" or rows[0]["name"] == "'=1+1", "what a spreadsheet takes for a formula is neutralised", rows[:1])
    sources = w.call("listSources", 200, query="limit=200").json()["items"]
    _, got = order("sources", "csv", rows=[f"{x['org']}~{x['source']}~{x['sensor']}" for x in sources[:1]] + ["no~such~one"])
    rows = list(csv.DictReader(io.StringIO(got.body.decode()[1:], newline="")))
    ok([(r["org"], r["source"], r["sensor"]) for r in rows] == [(x["org"], x["source"], x["sensor"]) for x in sources[:1]], "only the rows that were named", rows)
    _, got = order("organisations", "jsonl", token=tokens["yamabuki"], rows=["shiokaze", "yamabuki"])
    ok([json.loads(x)["name"] for x in got.body.decode().splitlines()] == ["yamabuki"], "of those within reach", got.body)
    ok(order("organisations", "jsonl", rows=[])[1].body == b"", "no row when none is named")
    _, got = order("alert-groups", "jsonl", {"by": "org", "state": "open"})
    ok({json.loads(x)["key"] for x in got.body.decode().splitlines()} == {g["key"] for g in w.call("listAlertGroups", 200, query="by=org&state=open").json()["items"]},
       "groups are exported by the key and filter asked for", got.body[:300])
    _, got = order("audit-log", "csv", token=tokens["yamabuki"])
    ok({r["org"] for r in csv.DictReader(io.StringIO(got.body.decode()[1:], newline=""))} == {"yamabuki"}, "a token's audit log is its own")
    _, got = order("organisations", "csv")
    ok(len(got.body.decode().splitlines()) == len(w.call("listOrganisations", 200).json()["items"]) + 1, "organisations")
    every = [(x["tactic"], x["id"]) for t in w.call("getAttackMatrix", 200).json()["tactics"] for x in t["techniques"]]
    _, got = order("attack-matrix", "csv")
    rows = list(csv.DictReader(io.StringIO(got.body.decode()[1:], newline="")))
    ok([(r["tactic"], r["id"]) for r in rows] == every, "the techniques of the matrix", (rows[:1], every[:1]))
    for kind in ("sources", "indicators", "systems", "people", "jobs"):
        if f"list{kind.capitalize()}" in OPS:
            order(kind, "csv")
    if library():
        _, got = order("events", "jsonl", {"q": "www.example"})
        ok(len(got.body.decode().splitlines()) == 7, "events that a search finds", got.body[:300])
    w.call("createExport", 400, body={"kind": "alerts", "format": "pdf"})
    w.call("createExport", 400, body={"kind": "alerts", "format": "csv", "query": {"limit": "3"}})
    w.call("createExport", 400, body={"kind": "alerts", "format": "csv", "query": {"state": "lost"}})
    w.call("createExport", 404, body={"kind": "alerts", "format": "csv", "query": {"org": "shiokaze"}}, token=tokens["yamabuki"])
    w.call("getExport", 404, params=["j-00000000000000000000000000"])


TRIED = "title: x\nlogsource: {category: dns}\ndetection: {a: {query: www.example}, condition: a}\n"


def walk_hunts(w, tokens):
    """Looking back with rules (detect.hunt has the numbers)."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    job = w.call("tryDetectionRule", 202, body={"text": TRIED, "org": "yamabuki", "day": day}).json()
    if library():
        job = wait_job(w.s, job["id"])
        ok(job["state"] == "done" and job["result"]["cut"] is False, "a rule is tried", job)
    w.call("tryDetectionRule", 202, body={"text": TRIED, "day": day}, token=tokens["yamabuki"])
    w.call("tryDetectionRule", 400, body={"text": "title: x\n", "org": "yamabuki", "day": day})
    w.call("tryDetectionRule", 400, body={"text": TRIED, "org": "yamabuki", "day": "2026-13-01"})
    w.call("tryDetectionRule", 404, body={"text": TRIED, "org": "shiokaze", "day": day}, token=tokens["yamabuki"])
    w.call("tryDetectionRule", 400, body={"org": "yamabuki", "day": day})
    w.call("tryDetectionRule", 404, body={"rule": "r-none", "org": "yamabuki", "day": day})
    hunt = w.call("createRetroHunt", 202, body={"indicators": ["hunted.example"], "org": "yamabuki"}).json()
    if library():
        ok(wait_job(w.s, hunt["id"])["state"] == "done", "a hunt ends")
    else:
        w.s.http("DELETE", f"/api/v1/jobs/{hunt['id']}")
    got = w.call("getRetroHunt", 200, params=[hunt["id"]]).json()
    ok(got["kind"] == "indicators" and got["org"] == "yamabuki" and got["indicators"] == ["hunted.example"], "a hunt is shown", got)
    ok([h["id"] for h in w.call("listRetroHunts", 200, query="org=yamabuki&limit=1").json()["items"]] == [hunt["id"]], "and listed")
    ok(w.call("listRetroHunts", 200, token=tokens["shiokaze"]).json()["items"] == [], "not another's")
    w.call("getRetroHunt", 404, params=[hunt["id"]], token=tokens["shiokaze"])
    w.call("getRetroHunt", 404, params=["j-00000000000000000000000000"])
    w.call("listRetroHunts", 400, query="state=lost")
    hunts = lambda query: [h["id"] for h in w.call("listRetroHunts", 200, query=query).json()["items"]]
    word = got["indicators"][0]
    ok(hunts(f"q={word[1:-1].upper()}&kind=indicators&from=now-1h&sort=matches") == [hunt["id"]], "hunts are found by what they look for")
    ok([hunts(q) for q in ("q=nothing-is-called-so", f"q={word}&kind=rule", f"q={word}&to=now-1h", f"q={word}&hits=1")] == [[], [], [], []], "and others are not")
    for query in ("kind=song", "sort=oldest", "from=now&to=now-1h", "hits=maybe"):
        w.call("listRetroHunts", 400, query=query)
    w.call("createRetroHunt", 400, body={"org": "yamabuki"})
    w.call("createRetroHunt", 400, body={"indicators": ["hunted.example"], "org": "yamabuki", "from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"})
    w.call("createRetroHunt", 404, body={"rule": "r-none", "org": "yamabuki"})
    w.call("createRetroHunt", 404, body={"list": "l-none", "org": "yamabuki"})


def walk_saved(w, tokens):
    made = w.call("createSavedSearch", 201, body={"name": "私の", "page": "alerts", "query": "state=open"}, token=tokens["shiokaze"])
    one = made.json()
    ok(one["mine"] and not one["shared"] and one["org"] is None, "a search is kept", one)
    w.call("createSavedSearch", 400, body={"name": "x"})
    w.call("createSavedSearch", 403, body={"name": "x", "page": "alerts", "shared": True, "org": None}, token=tokens["shiokaze"])
    w.call("createSavedSearch", 404, body={"name": "x", "page": "alerts", "shared": True, "org": "shiokaze"}, token=tokens["yamabuki"])
    ours = w.call("createSavedSearch", 201, body={"name": "for all", "page": "search", "query": "q=x", "shared": True, "org": None}).json()
    ok([s["id"] for s in w.call("listSavedSearches", 200, token=tokens["shiokaze"]).json()["items"]] == [ours["id"], one["id"]],
       "one's own and the shared ones")
    ok([s["id"] for s in w.call("listSavedSearches", 200, token=tokens["yamabuki"]).json()["items"]] == [ours["id"]], "not another's own")
    ok(w.call("listSavedSearches", 200, query="page=alerts").json()["items"] == [], "of one page")
    w.call("updateSavedSearch", 404, params=[one["id"]], body={"name": "x"}, If_Match=made.headers["ETag"], token=tokens["yamabuki"])
    w.call("updateSavedSearch", 403, params=[ours["id"]], body={"name": "x"}, If_Match='"1"', token=tokens["yamabuki"])
    w.call("updateSavedSearch", 412, params=[one["id"]], body={"name": "x"}, If_Match='"9"', token=tokens["shiokaze"])
    new = w.call("updateSavedSearch", 200, params=[one["id"]], body={"shared": True}, If_Match=made.headers["ETag"],
                 token=tokens["shiokaze"]).json()
    ok(new["shared"] and new["org"] == "shiokaze" and new["name"] == "私の", "shared with one's organisation", new)
    ok(len(w.call("listSavedSearches", 200, token=tokens["yamabuki"]).json()["items"]) == 1, "not with another")
    w.call("deleteSavedSearch", 403, params=[ours["id"]], token=tokens["yamabuki"])
    w.call("deleteSavedSearch", 204, params=[one["id"]], token=tokens["shiokaze"])
    w.call("deleteSavedSearch", 404, params=[one["id"]], token=tokens["shiokaze"])


def walk_sources(w, tokens):
    """ids-1 of shiokaze was heard just now; edge-9 never."""
    body = {"org": "shiokaze", "source": "zeek", "sensor": "edge-9", "every_s": 300}
    w.call("setExpectation", 204, body=body)
    w.call("setExpectation", 204, body={**body, "source": "suricata", "sensor": "ids-1", "every_s": 3600}, token=tokens["shiokaze"])
    w.call("setExpectation", 404, body=body, token=tokens["yamabuki"])
    w.call("setExpectation", 400, body={**body, "every_s": 5})
    same = lambda: next(x for x in w.call("listSources", 200).json()["items"] if (x["source"], x["sensor"]) == (body["source"], body["sensor"]))  # noqa: E731
    etag = same()["etag"]
    w.call("setExpectation", 204, body={**body, "every_s": 7200}, If_Match=etag)
    w.call("setExpectation", 412, body={**body, "every_s": 60}, If_Match=etag)
    ok(same()["expected_every_s"] == 7200, "an expectation that another has changed is not lost", same())
    w.call("setExpectation", 204, body=body, If_Match="*")
    rows = {r["sensor"]: r for r in w.call("listSources", 200, query="org=shiokaze").json()["items"]}
    ok(rows["edge-9"]["state"] == "never" and rows["edge-9"]["lag_s"] is None and rows["edge-9"]["expected"] and
       {"kind": "class", "value": "dns_activity"} in rows["edge-9"]["depends"], "an expected source that was never heard", rows)
    if library():
        ok(rows["ids-1"]["state"] == "ok" and rows["ids-1"]["expected_every_s"] == 3600 and rows["ids-1"]["lag_s"] < 300, "one that is", rows)
    first = w.call("listSources", 200, query="limit=1").json()
    ok(len(first["items"]) == 1 and first["next_cursor"], "sources come in pages", first)
    silent = w.call("getOverview", 200).json()
    # without the engine ids-1's events never arrive
    never = {"edge-9"} if library() else {"edge-9", "ids-1"}
    ok({(s["sensor"], s["state"]) for s in silent["silent"]} == {(n, "never") for n in never} and silent["silent_total"] == len(never),
       "the overview shows what is silent", silent["silent"])
    where = "org=shiokaze&source=zeek&sensor=edge-9"
    w.call("removeExpectation", 404, query=where, token=tokens["yamabuki"])
    w.call("removeExpectation", 400, query="org=shiokaze")
    w.call("removeExpectation", 204, query=where)
    w.call("removeExpectation", 404, query=where)


def eve(n, name):
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return "".join(json.dumps({"timestamp": f"{now}.{i:06d}+0000", "event_type": "dns", "src_ip": "10.1.2.3", "src_port": 5000 + i,
                               "dest_ip": "10.1.0.1", "dest_port": 53, "proto": "UDP",
                               "dns": {"type": "query", "rrname": name, "rrtype": "A"}}) + "\n" for i in range(n))


def walk_event_views(w, tokens):
    """Ten events stand there: seven of shiokaze, three of yamabuki."""
    bars = w.call("getEventHistogram", 200).json()
    ok(bars["total"] == 10 and sum(b["count"] for b in bars["items"]) == 10 and bars["bucket_s"] == 1800, "a histogram counts all", bars)
    ok(w.call("getEventHistogram", 200, query="q=query:www.example&buckets=7").json()["total"] == 7, "and what is searched for")
    ok(w.call("getEventHistogram", 200, token=tokens["yamabuki"]).json()["total"] == 3, "a token's counts its own")
    ok(w.call("getEventHistogram", 200, query="to=now-1h").json()["total"] == 0, "nothing an hour ago")
    w.call("getEventHistogram", 400, query="q=nofield:1")
    w.call("getEventHistogram", 400, query="buckets=0")
    w.call("getEventHistogram", 400, query="max_ms=1")
    part = w.call("getEventHistogram", 200, query="q=query:www.example&max_ms=15000").json()
    ok(part["total"] == 7 and not part["incomplete"] and part["counted_from"] == part["from"], "in parts, too", part)
    old = w.call("getEventHistogram", 200, query=f"q=query:www.example&from={part['from']}&to={part['to']}&before={part['from']}").json()
    ok(old["total"] == 0 and len(old["items"]) == len(part["items"]), "and nothing before the first", old)
    w.call("getEventHistogram", 404, query="org=shiokaze", token=tokens["yamabuki"])
    fields = {f["name"]: f for f in w.call("listEventFields", 200).json()["items"]}
    ok(len(fields) > 50 and fields["src_ip"]["type"] == "address" and fields["time"]["type"] == "time" and
       {"value": "4003", "name": "dns_activity"} in fields["class_uid"]["values"], "fields are told", list(fields))
    here, theirs = (w.call("searchEvents", 200, query="after=now", **kind).json() for kind in ({}, {"token": tokens["yamabuki"]}))
    ok(here["items"] == [] and here["next_after"], "a live tail begins with nothing", here)
    w.call("submitEvents", 202, query="source=suricata&sensor=ids-1&org=shiokaze", body=eve(5, "tail.example"), Content_Type="application/x-ndjson")
    got, after = [], here["next_after"]

    def look():
        nonlocal after
        page = w.s.http("GET", f"/api/v1/events?q=tail.example&limit=2&after={after}").json()
        got.extend(e["id"] for e in page["items"])
        after = page["next_after"]
        return len(got) >= 5
    ok(until(look, 20, 0.2) and len(got) == len(set(got)) == 5, "the tail shows what comes, once", got)
    page = w.call("searchEvents", 200, query=f"after={after}").json()
    ok(page["items"] == [] and not page["incomplete"], "and then nothing more", page)
    ok(w.call("searchEvents", 200, query=f"after={theirs['next_after']}", token=tokens["yamabuki"]).json()["items"] == [],
       "another's tail shows none of it")
    w.call("searchEvents", 400, query="after=x")
    w.call("searchEvents", 400, query="after=now&from=now-1h")


def walk_events(w, tokens):
    import gzip
    text = {"Content_Type": "application/x-ndjson"}
    first = w.call("submitEvents", 202, query="source=suricata&sensor=ids-1", body=eve(7, "www.example"),
                   token=tokens["shiokaze"], Yagura_Batch_Id="b-1", **text).json()
    ok(first["batch"] == "b-1" and first["duplicate"] is False, "a batch is taken", first)
    again = w.call("submitEvents", 200, query="source=suricata&sensor=ids-1", body=eve(7, "www.example"),
                   token=tokens["shiokaze"], Yagura_Batch_Id="b-1", **text).json()
    ok(again["duplicate"] is True, "the same batch id adds nothing", again)
    w.call("submitEvents", 202, query="source=suricata&org=yamabuki", body=gzip.compress(eve(3, "www.other.example").encode()),
           Content_Encoding="gzip", **text)
    w.call("submitEvents", 400, query="source=suricata", body="{}\n", **text)  # the administrator must say whose
    w.call("submitEvents", 400, query="source=colour&org=shiokaze", body="{}\n", **text)
    w.call("submitEvents", 400, query="source=ndjson:none&org=shiokaze", body="{}\n", **text)
    w.call("submitEvents", 400, query="source=zeek&org=shiokaze", body="{}\n", Yagura_Batch_Id="a b", **text)
    w.call("submitEvents", 415, query="source=zeek&org=shiokaze", body="{}\n", Content_Encoding="br", **text)
    found = until(lambda: len(w.s.http("GET", "/api/v1/events?limit=200").json().get("items", [])) >= 10, 30, 0.3)
    ok(found, "events can be searched", w.s.http("GET", "/api/v1/events").body[:500])
    page = w.call("searchEvents", 200, query="q=query:www.example&limit=3").json()
    ok(len(page["items"]) == 3 and page["next_cursor"], "a page of events", page)
    seen = [e["id"] for e in page["items"]]
    while page["next_cursor"]:
        page = w.call("searchEvents", 200, query=f"q=query:www.example&limit=3&cursor={page['next_cursor']}").json()
        seen += [e["id"] for e in page["items"]]
    ok(len(seen) == 7 and len(set(seen)) == 7, "pages give every event once", seen)
    mine = w.call("searchEvents", 200, token=tokens["yamabuki"]).json()["items"]
    ok(len(mine) == 3 and {e["org"] for e in mine} == {"yamabuki"}, "a token finds its own events only", mine)
    w.call("searchEvents", 404, query="org=shiokaze", token=tokens["yamabuki"])
    w.call("searchEvents", 400, query="q=nofield:1")
    w.call("searchEvents", 400, query="from=yesterday")
    w.call("searchEvents", 400, query="from=now-1h&to=now-2h")
    walk_event_views(w, tokens)
    one = w.call("getEvent", 200, params=[seen[0]]).json()
    ok(json.loads(one["raw"])["dns"]["rrname"] == "www.example", "an event has its record", one)
    theirs = w.call("getEvent", 404, params=[seen[0]], token=tokens["yamabuki"]).json()
    nobodys = w.call("getEvent", 404, params=["e-0-1-1"], token=tokens["yamabuki"]).json()
    ok(theirs["detail"] == nobodys["detail"], "another's event looks like none", (theirs, nobodys))
    w.call("getEvent", 404, params=["nonsense"])
    ok(until(lambda: len(w.s.http("GET", "/api/v1/sources").json()["items"]) >= 2, 15, 0.3), "sources are listed")
    rows = w.call("listSources", 200).json()["items"]
    ok(any(r["org"] == "shiokaze" and r["sensor"] == "ids-1" and r["records"] == 12 for r in rows), "with their counts", rows)
    mine = w.call("listSources", 200, token=tokens["yamabuki"]).json()["items"]
    ok({r["org"] for r in mine} == {"yamabuki"}, "a token sees its own sources", mine)


def walk_alert_pages(w, tokens):
    """Totals, orders, groups and the overview; six alerts of two organisations stand open."""
    for sort in ("newest", "severity", "last_seen"):
        page = w.call("listAlerts", 200, query=f"sort={sort}&limit=4").json()
        rest = w.call("listAlerts", 200, query=f"sort={sort}&limit=4&cursor={page['next_cursor']}").json()
        ids = [x["id"] for x in page["items"] + rest["items"]]
        ok(len(set(ids)) == 6 and page["total"] == 6 and page["total_exact"], f"pages by {sort} give every alert once", ids)
    w.call("listAlerts", 400, query="sort=colour")
    w.call("listAlerts", 400, query="from=now-1h&to=now-2h")
    count = w.call("listAlerts", 200, query="indicator=evil1.example&asset=192.0.2.7").json()
    ok(count["total"] == 2 and len(count["items"]) == 2, "a total with other conditions is counted", count["total"])
    ok(w.call("listAlerts", 200, query="from=2027-01-01T00:00:00Z").json()["total"] == 0, "nothing was seen later")
    ok(w.call("listAlerts", 200, query="q=evil2").json()["total"] is None, "words are not counted")
    ok(w.call("listAlerts", 200, token=tokens["yamabuki"]).json()["total"] == 3, "a token's total is its own")
    groups = w.call("listAlertGroups", 200).json()
    ok(groups["total"] == 3 and [g["count"] for g in groups["items"]] == [2, 2, 2] and
       all(g["orgs"] == 2 and g["findings"] == 4 and g["type"] == "domain" for g in groups["items"]), "groups by indicator", groups)
    by_org = w.call("listAlertGroups", 200, query="by=org", Accept_Language="ja").json()["items"]
    ok({(g["key"], g["title"], g["count"]) for g in by_org} == {("shiokaze", "潮風市役所", 3), ("yamabuki", "山吹町", 3)}, "groups by organisation", by_org)
    first = w.call("listAlertGroups", 200, query="by=indicator&limit=2").json()
    rest = w.call("listAlertGroups", 200, query=f"by=indicator&limit=2&cursor={first['next_cursor']}").json()
    ok(len(first["items"]) == 2 and len(rest["items"]) == 1, "groups come in pages", rest)
    mine = w.call("listAlertGroups", 200, query="by=asset&state=open", token=tokens["yamabuki"]).json()["items"]
    ok(len(mine) == 1 and mine[0]["count"] == 3 and mine[0]["orgs"] == 1, "a token's groups count its own", mine)
    w.call("listAlertGroups", 400, query="by=colour")
    w.call("listAlertGroups", 404, query="org=shiokaze", token=tokens["yamabuki"])
    seen = w.call("getOverview", 200).json()
    ok(sum(s["count"] for s in seen["open_by_severity"]) == 6 and sum(s["previous"] for s in seen["open_by_severity"]) == 0 and
       sum(t["new"] for t in seen["trend"]) == 6 and seen["bucket_s"] == 3600 and seen["since"] is None, "the overview counts", seen)
    ok(all(len(s["trend"]) == len(seen["trend"]) and s["trend"][-1] == s["count"] for s in seen["open_by_severity"]),
       "and how the open ones came to be what they are", seen["open_by_severity"])
    ok([(o["open"], o["high"]) for o in seen["organisations"] if o["org"] in ("shiokaze", "yamabuki")] == [(3, 3), (3, 3)] and
       seen["organisations"][0]["worst_id"], "its organisations, worst first", seen["organisations"])
    if library():
        ok(sum(e["count"] for e in seen["events_per_hour"]) == 15 and seen["coverage"]["expected"] == 2 and
           seen["coverage"]["reporting"] == 2 and seen["silent"] == [], "events per hour and coverage", seen["events_per_hour"])
    part = w.call("getOverview", 200, query="org=shiokaze&asset=192.0.2.7").json()
    there = w.call("listAlerts", 200, query="org=shiokaze&asset=192.0.2.7").json()["total"]
    ok(sum(s["count"] for s in part["open_by_severity"]) == there > 0 and part["events_per_hour"] is None and
       [o["open"] for o in part["organisations"]] == [there] and sum(t["new"] for t in part["trend"]) == there, "the overview of one asset", part)
    ok(seen["before"]["new"] == 0 and all(o["previous"] == 0 for o in seen["organisations"]), "and what was before", seen["before"])
    days = w.call("getOverview", 200, query="from=now-60d").json()
    ok(days["bucket_s"] == 86400 and len(days["trend"]) in (60, 61) and sum(t["new"] for t in days["trend"]) == 6, "by day over months")
    w.call("getOverview", 400, query="from=now-2000d")
    mine = w.call("getOverview", 200, token=tokens["yamabuki"]).json()
    ok([o["org"] for o in mine["organisations"]] == ["yamabuki"] and sum(s["count"] for s in mine["open_by_severity"]) == 3,
       "a token's overview is its own", mine["organisations"])
    w.call("getOverview", 404, query="org=shiokaze", token=tokens["yamabuki"])
    beside = w.call("compareOrganisations", 200, query="period=7d").json()
    ok([(o["org"], o["grave"], o["grave_before"], o["opened"], o["dns_blocked"]) for o in beside["items"] if o["opened"]] ==
       [("shiokaze", 3, 0, 3, None), ("yamabuki", 3, 0, 3, None)] and beside["items"][0]["opened"] == 3,
       "organisations beside each other, worst first", beside["items"])
    ok(beside["total"] == len(beside["items"]) and (beside["peers"] is None) == (beside["total"] < 5), "a median of five at least", beside)
    mine = w.call("compareOrganisations", 200, token=tokens["yamabuki"]).json()
    ok([o["org"] for o in mine["items"]] == ["yamabuki"] and mine["items"][0]["grave"] == 3 and (mine["peers"] is None) == (beside["total"] < 6),
       "who has one organisation sees that one", mine)
    w.call("compareOrganisations", 404, query="org=shiokaze", token=tokens["yamabuki"])
    w.call("compareOrganisations", 400, query="period=1h")
    if library():
        ok(w.call("compareOrganisations", 200, query="dns=1").json()["items"][0]["dns_blocked"] == 0, "nothing was blocked by name")
    w.call("setVisit", 204)
    ok(w.call("getOverview", 200).json()["since"] is None, "a first visit has none before it, and stays so while it goes on")
    with contextlib.closing(sqlite3.connect(f"{w.s.data}/state/yagura.db", timeout=30)) as db, db:
        db.execute("UPDATE visit SET time = time - 31 * 60 * 1000000") # one was away
    before = w.call("getOverview", 200).json()["since"]["time"]
    w.call("setVisit", 204)
    since = w.call("getOverview", 200).json()["since"]
    ok(since["time"] == before, "the visit that begins keeps the end of the one before", (before, since))
    ok(since["new_alerts"] == sum(t["new"] for t in seen["trend"]) and since["new_organisations"] == len(seen["organisations"]),
       "what came since is counted", (since, seen["trend"]))
    ok(w.call("getOverview", 200, token=tokens["yamabuki"]).json()["since"] is None, "a visit is one's own")


def walk_due(w, tokens, a):
    """Due times by policy and by hand, what is put off, both as filters."""
    w.call("getDetectionNotices", 200, query="org=shiokaze")
    w.call("listDetectionFindings", 200, query="org=shiokaze&kind=beacon&stage=live")
    w.call("listDetectionFindings", 200, query="org=shiokaze&q=10.0&severity=3&from=now-7d&to=now&sort=score")
    w.call("listDetectionFindings", 400, query="kind=bacon")
    for query in ("severity=9", "from=now&to=now-1h", "sort=oldest"):
        w.call("listDetectionFindings", 400, query=query)
    w.call("listDetectionFindings", 404, query="org=yamabuki", token=tokens["shiokaze"])
    w.call("setDetectionNotice", 200, body={"org": "shiokaze", "kind": "beacon", "stage": "live"})
    w.call("setDetectionNotice", 400, body={"org": "shiokaze", "kind": "beacon", "stage": "loud"})
    w.call("setDetectionNotice", 403, body={"org": None, "kind": "beacon", "stage": "off"}, token=tokens["shiokaze"])
    w.call("setDetectionNotice", 404, body={"org": "yamabuki", "kind": "beacon", "stage": "off"}, token=tokens["shiokaze"])
    w.call("setDetectionNotice", 200, body={"org": "shiokaze", "kind": "beacon", "stage": None})
    as_read(w, "getDetectionNotices", "setDetectionNotice", *({"org": "shiokaze", "kind": "beacon", "stage": x} for x in ("live", "off", None)))
    got = w.call("getDuePolicy", 200).json()
    ok(got["org"] is None and [x["span_s"] for x in got["items"]] == [86400, 86400, 259200, 604800, 2592000, 0], "the spans where nothing is said", got)
    w.call("setDuePolicy", 200, body={"org": "shiokaze", "severity_id": 4, "span_s": 3600})
    w.call("setDuePolicy", 400, body={"org": "shiokaze", "severity_id": 7, "span_s": 3600})
    as_read(w, "getDuePolicy", "setDuePolicy", *({"org": "shiokaze", "severity_id": 5, "span_s": x} for x in (3600, 7200, None)))
    w.call("setDuePolicy", 403, body={"org": None, "severity_id": 4, "span_s": 3600}, token=tokens["shiokaze"])
    w.call("setDuePolicy", 404, body={"org": "yamabuki", "severity_id": 4, "span_s": 3600}, token=tokens["shiokaze"])
    own = {x["severity_id"]: x for x in w.call("getDuePolicy", 200, query="org=shiokaze").json()["items"]}
    ok(own[4] == {"severity_id": 4, "span_s": 3600, "own": True} and own[3]["own"] is False, "a node's own span", own)
    was = w.call("getAlert", 200, params=[a])
    ok(was.json()["due_at"] and not was.json()["overdue"] and was.json()["snoozed_until"] is None, "an alert is due", was.json())
    etag = was.headers["ETag"]
    w.call("updateAlert", 400, params=[a], body={"due_at": "2031-01-01T00:00:00Z"}, If_Match=etag)
    w.call("updateAlert", 400, params=[a], body={"snoozed_until": "2020-01-01T00:00:00Z", "snooze_reason": "x"}, If_Match=etag)
    later = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + s))
    soon = later(2)
    got = w.call("updateAlert", 200, params=[a], body={"due_at": soon, "due_reason": "the ministry asked", "snoozed_until": soon, "snooze_reason": "waits for the vendor"}, If_Match=etag)
    ok(got.json()["snoozed_until"] and got.json()["snoozed_by"] and got.json()["due_reason"], "due by hand, and put off", got.json())
    listed = lambda query: [x["id"] for x in w.call("listAlerts", 200, query=query).json()["items"]]
    total = lambda query: w.call("listAlerts", 200, query=query).json()["total"]
    ok(listed("state=snoozed") == [a] and a not in listed("state=active") and a in listed("state=open"), "it is away from what is to be done")
    ok(total("state=active") == total("state=open") - 1 == len(listed("state=active")), "and not counted there")
    w.call("listAlertGroups", 200, query="state=active&overdue=true")
    ok(w.call("getOverview", 200).json()["snoozed"] == 1, "the overview says how many")
    time.sleep(2.5)
    ok(a in listed("state=active") and listed("state=snoozed") == [] and listed("overdue=true&sort=due") == [a], "it is back by itself, and late")
    ok(w.call("getOverview", 200).json()["overdue"] == 1, "the overview says so")
    got = w.call("updateAlert", 200, params=[a], body={"due_at": None, "snoozed_until": None}, If_Match=got.headers["ETag"])
    ok(got.json()["due_at"] < was.json()["due_at"] and got.json()["due_reason"] == "", "by the policy again, as it is now", got.json())
    said = w.call("listAlertHistory", 200, params=[a]).json()["items"]
    ok(any("snoozed_until" in e["detail"] and "due_at" in e["detail"] for e in said), "it is in the history")
    w.call("watchAlert", 200, params=[a])
    job = w.call("bulkAlerts", 202, body={"filter": {"watched": True}, "set": {"snoozed_until": later(3600), "snooze_reason": "together"}}).json()
    ended = wait_job(w.s, job["id"])
    ok(ended["state"] == "done" and ended["done"] == 1 and listed("state=snoozed") == [a], "a bulk change of what one watches", ended)
    back = wait_job(w.s, w.call("undoJob", 202, params=[job["id"]]).json()["id"])
    ok(back["result"]["restored"] == 1 and listed("state=snoozed") == [], "is undone", back)
    w.call("unwatchAlert", 200, params=[a])
    w.call("setDuePolicy", 200, body={"org": "shiokaze", "severity_id": 4, "span_s": None})


def walk_alerts(w, tokens):
    for n, org in enumerate(("shiokaze", "yamabuki"), 1):
        items = [finding(org, n * 10 + i, f"evil{i % 3}.example") for i in range(6)]
        ok(findings(w.s, 9, n, items) == 0, f"findings of {org} are taken")
        ok(findings(w.s, 9, n, items) == 0, "the same batch again is taken and ignored")
    page = w.call("listAlerts", 200, query="state=open&severity=1&limit=2").json()
    ok(len(page["items"]) == 2 and page["next_cursor"], "a page of alerts", page)
    w.call("listAlerts", 200, query=f"state=open&severity=1&limit=2&cursor={page['next_cursor']}")
    w.call("listAlerts", 400, query=f"state=new&cursor={page['next_cursor']}")
    w.call("listAlerts", 400, query="state=lost")
    everything = w.call("listAlerts", 200).json()["items"]
    ok(len(everything) == 6 and all(a["count"] == 2 for a in everything), "six alerts of two findings each", everything)
    mine = w.call("listAlerts", 200, token=tokens["yamabuki"]).json()["items"]
    ok(len(mine) == 3 and {a["org"] for a in mine} == {"yamabuki"}, "a token sees its own alerts")
    w.call("listAlerts", 404, query="org=shiokaze", token=tokens["yamabuki"])
    a, b, c = [x["id"] for x in everything if x["org"] == "shiokaze"]
    walk_alert_pages(w, tokens)
    got = w.call("getAlert", 200, params=[a])
    ok(got.json()["reasons"], "an alert says why", got.json())
    w.call("updateAlert", 428, params=[a], body={"state": "in_progress"})
    w.call("updateAlert", 412, params=[a], body={"state": "in_progress"}, If_Match='"99"')
    got = w.call("updateAlert", 200, params=[a], body={"state": "in_progress", "assignee": "hanako"}, If_Match=got.headers["ETag"])
    w.call("updateAlert", 400, params=[a], body={"state": "closed"}, If_Match=got.headers["ETag"])
    w.call("createAlertComment", 201, params=[a], body={"text": "<b>見た</b>"})
    w.call("createAlertComment", 400, params=[a], body={"text": ""})
    w.call("listAlertComments", 200, params=[a])
    events = w.call("listAlertEvents", 200, params=[a]).json()["items"]
    ok(len(events) == 2, "its evidence", events)
    made = w.call("splitAlert", 201, params=[a], body={"events": [events[0]["event"]], "reason": "another machine"}).json()
    w.call("mergeAlerts", 412, params=[a], body={"others": [made["id"]]}, If_Match='"99"')
    w.call("mergeAlerts", 200, params=[a], body={"others": [made["id"]], "reason": "the same after all"})
    back = w.call("unmergeAlert", 200, params=[made["id"]]).json()
    ok(back["state"] == "in_progress" and back["merged_into"] is None and back["verdict"] is None and
       w.call("getAlert", 200, params=[a]).json()["count"] + back["count"] == 2, "merging is taken back", back)
    w.call("unmergeAlert", 409, params=[made["id"]])
    w.call("mergeAlerts", 200, params=[a], body={"others": [made["id"]]})
    w.call("mergeAlerts", 412, params=[b], body={"into": a}, If_Match='"99"')
    w.call("mergeAlerts", 200, params=[b], body={"into": a}, If_Match=w.call("getAlert", 200, params=[b]).headers["ETag"])
    w.call("mergeAlerts", 400, params=[a], body={})
    w.call("mergeAlerts", 404, params=[a], body={"others": [mine[0]["id"]]}, token=tokens["shiokaze"])
    ok(w.call("getAlertWatch", 200, params=[a]).json() == {"id": a, "watched": False}, "an alert is not watched at first")
    w.call("watchAlert", 200, params=[a])
    ok([x["id"] for x in w.call("listAlerts", 200, query="watched=true").json()["items"]] == [a] and
       w.call("listAlerts", 200, query="watched=1", token=tokens["shiokaze"]).json()["items"] == [], "what one watches is one's own list")
    w.call("listAlertGroups", 200, query="watched=true")
    ok(w.call("unwatchAlert", 200, params=[a]).json()["watched"] is False and
       w.call("listAlerts", 200, query="watched=true").json()["items"] == [], "and ends")
    walk_due(w, tokens, a)
    w.call("listAlertHistory", 200, params=[a])
    w.call("allowFromAlert", 403, params=[mine[0]["id"]], body={"reason": "x", "scope": "all"}, token=tokens["yamabuki"])
    w.call("allowFromAlert", 201, params=[c], body={"reason": "our scanner", "expires_at": "2027-01-01T00:00:00Z"})
    closed = w.call("getAlert", 200, params=[c]).json()
    ok(closed["state"] == "closed" and closed["verdict"] == "false", "allowing closes as a false positive", closed)
    job = w.call("bulkAlerts", 202, body={"filter": {"org": "yamabuki", "state": "open"},
                                          "set": {"state": "closed", "verdict": "benign", "reason": "exercise"}}).json()
    ended = wait_job(w.s, job["id"])
    ok(ended and ended["state"] == "done" and ended["done"] == 3, "a bulk change of three", ended)
    back = wait_job(w.s, w.call("undoJob", 202, params=[job["id"]]).json()["id"])
    ok(back and back["state"] == "done" and back["result"]["restored"] == 3, "is undone", back)
    w.call("undoJob", 409, params=[job["id"]])
    w.call("undoJob", 404, params=["j-0"])
    job = w.call("bulkAlerts", 202, body={"filter": {"org": "yamabuki", "state": "open"}, "set": {"state": "closed", "verdict": "benign", "reason": "exercise"}}).json()
    ok(wait_job(w.s, job["id"])["done"] == 3, "and done again")
    job = w.call("bulkAlerts", 202, body={"filter": {"state": "closed", "severity": 1, "severity_max": 6, "asset": "no-such-asset", "list": "x", "category": "y",
                                                     "from": "2026-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "q": "z"}, "set": {"assignee": "x"}}).json()
    ended = wait_job(w.s, job["id"])
    ok(ended and ended["state"] == "done" and ended["done"] == 0, "a bulk change of what nothing matches changes nothing", ended)
    job = w.call("bulkAlerts", 202, body={"ids": [a], "set": {"state": "new"}}).json()
    ended = wait_job(w.s, job["id"])
    ok(ended["errors"] == 1 and [f["alert"] for f in ended["result"]["faults"]] == [a] and ended["result"]["faults"][0]["reason"], "a refused alert is named", ended)
    w.call("bulkAlerts", 404, body={"filter": {"system": "y-none"}, "set": {"assignee": "x"}})
    w.call("bulkAlerts", 400, body={"set": {"state": "new"}})
    w.call("bulkAlerts", 404, body={"ids": [a], "set": {"assignee": "x"}}, token=tokens["yamabuki"])
    return {"Alert": a}


def walk_system(w, tokens):
    walk_saved(w, tokens)
    walk_sources(w, tokens)
    walk_exports(w, tokens)
    walk_hunts(w, tokens)
    if library():
        walk_imports(w, tokens)
    w.call("getStatus", 200)
    w.call("getStatus", 200, token=tokens["yamabuki"])
    every = [c["name"] for c in w.call("getDoctor", 200).json()["checks"]]
    quick = [c["name"] for c in w.call("getDoctor", 200, query="quick=true").json()["checks"]]
    ok(set(every) - set(quick) == {"state.integrity", "audit_log.chain"}, "a quick look leaves out what reads everything", quick)
    w.call("listAuditLog", 200)
    w.call("listAuditLog", 200, token=tokens["shiokaze"])
    report = w.call("verifyAuditLog", 200).json()
    ok(report["ok"], "the audit log fits", report)
    w.call("verifyAuditLogHead", 200, body={"seq": report["head_seq"], "hash": report["head"]})
    bad = w.call("verifyAuditLogHead", 200, body={"seq": report["head_seq"], "hash": "0" * 64}).json()
    ok(not bad["ok"], "a head that is another one is found", bad)
    w.call("verifyAuditLogHead", 400, body={"seq": "x"})
    jobs = w.call("listJobs", 200).json()["items"]
    w.call("getJob", 200, params=[jobs[0]["id"]])
    w.call("getJob", 404, params=["j-00000000000000000000000000"])
    w.call("cancelJob", 409, params=[next(j for j in jobs if j["finished_at"] is not None)["id"]])
    some = w.call("listSystemEvents", 200).json()["items"]
    named = w.call("listSystemEvents", 200, query=f"name={some[0]['name']}&level={some[0]['level']}&role={some[0]['role']}").json()["items"]
    ok(named and all(e["name"] == some[0]["name"] and e["level"] == some[0]["level"] for e in named), "news of the system by name, level and process", named[:1])
    ok(w.call("listSystemEvents", 200, query="name=no.such").json()["items"] == [], "and none of another name")
    w.call("listBackups", 200)
    job = w.call("createBackup", 202).json()
    ended = wait_job(w.s, job["id"])
    ok(ended and ended["state"] == "done", "the backup is made", ended)
    ok(len(w.call("listBackups", 200).json()["items"]) == 1, "and listed")
    lid = w.s.http("POST", "/api/v1/indicator-lists", {"name": "long"}).json()["id"]
    text = "".join(f"h{i}.evil.example\n" for i in range(100000))
    w.s.http("POST", f"/api/v1/indicator-lists/{lid}/indicators?format=plain", text, Content_Type="text/plain")
    waiting = w.s.http("POST", "/api/v1/backups").json()["id"]
    gone = w.call("cancelJob", 202, params=[waiting]).json()
    ok(gone["state"] == "cancelled", "a job that waits is cancelled at once", gone)
    sock = UnixConnection(os.path.join(w.s.data, "run/api.sock"), 10)
    sock.request("GET", "/api/v1/stream")
    answer = sock.getresponse()
    ok(answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream", "a stream opens", answer.status)
    w.seen.setdefault("openStream", set()).add(answer.status)
    sock.close()
    w.s.write_conf({"store": {"retention_days": 400}})
    starts = len(w.s.events("role.ready", ready="center"))
    w.s.reload()  # this key starts center again
    ok(w.s.wait_event("role.ready", 60, count=starts + 1, ready="center"), "a reload of such a key starts center again")
    told = until(lambda: any(e["action"] == "config.reload"
                             for e in w.s.http("GET", "/api/v1/audit-log?object=config").json()["items"]), 30)
    ok(told, "a reload of the configuration is in the audit log")
    w.call("openStream", 400, query="topics=weather")
    w.call("openStream", 403, query="topics=system", token=tokens["yamabuki"])


def walk_session(w):
    """Signing in: test/e2e/people_signin.py has what it must and must not do."""
    form = "application/x-www-form-urlencoded"
    b = Browser(w.s)
    url = w.call("createSetupCode", 201).json()["url"]
    code = url.split("code=")[1]
    w.call("getSetup", 200, query=f"code={code}", local=False)
    w.call("getEnrol", 200, query=f"code={code}", local=False)
    w.call("getSetup", 404, query="code=x", local=False)
    w.call("postSetup", 404, body="code=x", Content_Type=form, local=False)
    w.call("postSetup", 400, body=f"code={code}", Content_Type=form, local=False)
    offered = w.call("getEnrolmentOptions", 200, body={"code": code}, local=False).json()
    w.call("getEnrolmentOptions", 404, body={"code": "x"}, local=False)
    w.call("createEnrolment", 400, body={"code": code, "login": "A B"}, local=False)
    w.call("createEnrolment", 404, body={"code": "x"}, local=False)
    b.secret = offered["totp"]["secret"]
    made = w.call("createEnrolment", 201, body={"code": code, "login": "root", "name": "Root", "language": "en",
                                                 "password": PASSWORD, "totp": b.code()}, local=False)
    w.call("createSetupCode", 409)
    session = {"Cookie": made.headers["Set-Cookie"].split(";")[0], "Sec_Fetch_Site": "same-origin", "local": False}
    w.call("getSession", 200)
    w.call("getSession", 200, **session)
    w.call("getSession", 401, local=False)
    w.call("getSignIn", 200, query="next=/alerts", local=False)
    w.call("startOidc", 404, local=False)
    w.call("finishOidc", 401, local=False)
    w.call("postSignIn", 401, body="login=root", Content_Type=form, local=False)
    w.call("postSignIn", 403, body="login=root", Content_Type=form, local=False, Sec_Fetch_Site="cross-site")
    w.call("createSession", 401, body={"login": "root", "password": PASSWORD}, local=False)
    w.call("createSession", 400, body={}, local=False)
    codes = iter(made.json()["recovery_codes"])
    w.call("postSignIn", 303, body=urlencode({"login": "root", "password": PASSWORD, "code": next(codes)}),
           Content_Type=form, local=False)
    got = w.call("createSession", 201, body={"login": "root", "password": PASSWORD, "recovery_code": next(codes)}, local=False)
    w.call("stepUpSession", 200, body={"password": PASSWORD, "recovery_code": next(codes)}, **session)
    w.call("stepUpSession", 403, body={"password": "wrong"}, **session)
    w.call("deleteSession", 403)
    w.call("deleteSession", 204, Cookie=got.headers["Set-Cookie"].split(";")[0], Sec_Fetch_Site="same-origin", local=False)
    return session


def walk_rights(w):
    """Roles, systems, grants; test/e2e/rights_matrix.py has what they hide."""
    w.call("listRoles", 200)
    made = w.call("createSystem", 201, body={"org": "shiokaze", "name": "juki", "title_ja": "住民記録", "importance": 3,
                                              "scheme": "local5", "confidentiality": "3B",
                                              "networks": ["192.0.2.7/24"], "hosts": ["DB1.example."]})
    system = made.json()["id"]
    ok(made.json()["networks"] == ["192.0.2.0/24"] and made.json()["hosts"] == ["db1.example"],
       "members are kept in one spelling", made.json())
    w.call("createSystem", 409, body={"org": "shiokaze", "name": "juki"})
    w.call("createSystem", 400, body={"org": "shiokaze", "name": "x", "confidentiality": "3A"})
    w.call("createSystem", 400, body={"org": "shiokaze", "name": "x", "networks": ["nonsense"]})
    w.call("createSystem", 404, body={"org": "nobody", "name": "x"})
    w.call("listSystems", 200, query="org=shiokaze&limit=1")
    w.call("getSystem", 200, params=[system])
    w.call("getSystem", 404, params=["y-x"])
    w.call("updateSystem", 428, params=[system], body={})
    changed = w.call("updateSystem", 200, params=[system], body={"hosts": [], "availability": 2},
                     If_Match=made.headers["ETag"]).json()
    ok(changed["hosts"] == [] and changed["networks"] == ["192.0.2.0/24"], "one kind of members is set, the other stays")
    w.call("updateSystem", 412, params=[system], body={}, If_Match=made.headers["ETag"])
    w.call("listAlerts", 200, query=f"system={system}")
    w.call("listAlerts", 404, query="system=y-x")
    person = next(e["object"] for e in w.s.http("GET", "/api/v1/audit-log").json()["items"] if e["action"] == "person.add")
    period = {"period_from": "2026-01-01T00:00:00Z", "period_to": "2026-02-01T00:00:00Z"}
    w.call("createGrant", 404, body={"person": "p-x", "role": "ciso_office", "node": "shiokaze"})
    w.call("createGrant", 404, body={"person": person, "role": "ciso_office", "node": "nobody"})
    w.call("createGrant", 400, body={"person": person, "role": "auditor", "node": "shiokaze"})
    w.call("createGrant", 400, body={"person": person, "role": "system_owner", "node": "shiokaze"})
    w.call("createGrant", 400, body={"person": person, "role": "king"})
    grant = w.call("createGrant", 201, body={"person": person, "role": "system_owner", "system": system}).json()
    ok(grant["node"] == "shiokaze", "a grant on a system is of its organisation", grant)
    w.call("createGrant", 409, body={"person": person, "role": "system_owner", "system": system})
    w.call("createGrant", 409, body={"person": person, "role": "auditor", "node": "shiokaze", **period})
    w.call("listGrants", 200, query=f"person={person}&org=shiokaze")
    w.call("getGrant", 200, params=[grant["id"]])
    w.call("getGrant", 404, params=["g-x"])
    w.call("getOrganisationAccess", 200, params=["shiokaze"])
    w.call("getOrganisationAccess", 404, params=["nobody"])
    w.call("getPersonAccess", 200, params=[person])
    w.call("getPersonAccess", 404, params=["p-x"])
    w.call("removeSystem", 204, params=[system])
    w.call("getGrant", 404, params=[grant["id"]])
    grant = w.call("createGrant", 201, body={"person": person, "role": "ciso_office", "node": "shiokaze"}).json()
    w.call("removeGrant", 204, params=[grant["id"]])
    w.call("removeGrant", 404, params=[grant["id"]])


def walk_people(w, session):
    """Shapes; test/e2e/people_account.py has what they mean."""
    key = Authenticator(f"https://localhost:{w.s.port}")
    at = {**session, "Host": f"localhost:{w.s.port}"}
    w.call("getMe", 200, **session)
    w.call("updateMe", 200, body={"theme": "dark"}, **session)
    options = w.call("getMyPasskeyOptions", 200, **at).json()
    pid = w.call("createMyPasskey", 201, body={**key.create(options), "label": "x"}, **at).json()["id"]
    w.call("createMyPasskey", 400, body=key.create(options), **at)
    w.call("listMyPasskeys", 200, **session)
    w.call("updateMyPasskey", 204, params=[pid], body={"label": "y"}, **session)
    host = {"Host": f"localhost:{w.s.port}", "local": False}
    key = Authenticator(f"https://localhost:{w.s.port}")
    w.call("createMyPasskey", 201, body=key.create(w.call("getMyPasskeyOptions", 200, **at).json()), **at)
    options = w.call("getPasskeyOptions", 200, **host).json()
    w.call("getPasskeyOptions", 409, local=False)
    w.call("createPasskeySession", 201, body=key.get(options), **host)
    w.call("createPasskeySession", 401, body=key.get(options), **host)
    w.call("deleteMyPasskey", 204, params=[pid], **session)
    w.call("deleteMyPasskey", 404, params=[pid], **session)
    w.call("setMyPassword", 400, body={"password": "short"}, **session)
    w.call("setMyPassword", 204, body={"password": PASSWORD + "!"}, **session)
    offered = w.call("offerMyTotp", 201, **session).json()
    w.call("confirmMyTotp", 400, body={"code": "1"}, **session)
    w.call("confirmMyTotp", 204, body={"code": totp(offered["secret"])}, **session)
    w.call("deleteMyTotp", 204, **session)
    w.call("deleteMyTotp", 404, **session)
    w.call("createMyRecoveryCodes", 201, **session)
    tid = w.call("createMyToken", 201, body={"name": "mine", "scopes": ["org:read"], "expires_at": soon()}, **session).json()["id"]
    w.call("createMyToken", 400, body={"name": "mine", "scopes": ["no"], "expires_at": soon()}, **session)
    w.call("listMyTokens", 200, **session)
    w.call("revokeMyToken", 204, params=[tid], **session)
    rows = w.call("listMySessions", 200, **session).json()["items"]
    made = w.call("createPerson", 201, body={"login": "second", "name": "Second"}, **session)
    w.call("createPerson", 409, body={"login": "second", "name": "Second"}, **session)
    second = made.json()["id"]
    w.call("listPeople", 200, **session)
    w.call("listPeople", 200, query="id=" + second, **session)
    w.call("listPeople", 400, query="id=" + second + ("," + second) * 100, **session)
    w.call("getPerson", 200, params=[second], **session)
    w.call("getPerson", 404, params=["p-0"], **session)
    w.call("updatePerson", 428, params=[second], body={}, **session)
    w.call("updatePerson", 412, params=[second], body={"name": "x"}, If_Match='"9"', **session)
    w.call("updatePerson", 200, params=[second], body={"name": "x"}, If_Match=made.headers["ETag"], **session)
    url = w.call("createPersonEnrolment", 201, params=[second], **session).json()["url"]
    b = Browser(w.s)
    ok(enrol(b, url.split("code=")[1], None, name=None).status == 201, "the second person comes")
    theirs = w.call("listPersonSessions", 200, params=[second], **session).json()["items"]
    w.call("endPersonSession", 204, params=[second, theirs[0]["id"]], **session)
    w.call("endPersonSession", 404, params=[second, rows[0]["id"]], **session)
    w.call("endPersonSessions", 204, params=[second], **session)
    ask = {"kind": "administrator.grant", "person": second, "reason": "duty"}
    aid = w.call("createApproval", 201, body=ask, **session).json()["id"]
    w.call("createApproval", 404, body={**ask, "person": "p-0"}, **session)
    w.call("createApproval", 400, body={"kind": "x"}, **session)
    w.call("listApprovals", 200, query="state=open", **session)
    ok(w.call("getApproval", 200, params=[aid], **session).json()["reason"] == "duty", "one request")
    w.call("getApproval", 404, params=["v-0"], **session)
    w.call("decideApproval", 403, params=[aid], body={"approve": True, "reason": "x"}, **session)
    w.call("decideApproval", 200, params=[aid], body={"approve": False, "reason": "x"}, **session)
    w.call("decideApproval", 409, params=[aid], body={"approve": False, "reason": "x"}, **session)
    w.call("withdrawApproval", 409, params=[aid], **session)
    aid = w.call("createApproval", 201, body=ask, **session).json()["id"]
    w.call("createApproval", 409, body=ask, **session)
    w.call("withdrawApproval", 403, params=[aid])
    w.call("withdrawApproval", 404, params=["v-0"], **session)
    w.call("withdrawApproval", 204, params=[aid], **session)
    # two administrators: what one allows for all waits for the other
    def administrator(yes):
        etag = w.call("getPerson", 200, params=[second]).headers["ETag"]
        w.call("updatePerson", 200, params=[second], body={"administrator": yes}, If_Match=etag)

    administrator(True)
    w.call("createAllowEntry", 202, body={"org": None, "type": "domain", "value": "cdn.example", "reason": "all use it"}, **session)
    alert = w.s.http("GET", "/api/v1/alerts?limit=1").json()["items"][0]["id"]
    w.call("allowFromAlert", 202, params=[alert], body={"reason": "a scanner", "scope": "all"}, **session)
    administrator(False)
    w.call("endMySession", 404, params=["s-0"], **session)
    w.call("endMySession", 204, params=[next(r["id"] for r in rows if r["current"])], **session)


def soon():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def walk_removals(w, ids):
    w.call("deleteIndicator", 204, params=[ids["Indicator"]])
    w.call("deleteIndicator", 404, params=[ids["Indicator"]])
    w.call("deleteIndicatorList", 204, params=[ids["IndicatorList"]])
    w.call("deleteAllowEntry", 204, params=[ids["AllowEntry"]])
    w.call("deleteBlockEntry", 204, params=[ids["BlockEntry"]])
    w.call("deleteDetectionException", 204, params=[ids["DetectionException"]])
    w.call("deleteDetectionRule", 204, params=[ids["DetectionRule"]])
    w.call("deleteDetectionRule", 404, params=[ids["DetectionRule"]])
    w.call("deleteOrganisation", 409, params=["shiokaze"])
    w.call("createOrganisation", 201, body={"name": "empty"})
    w.call("deleteOrganisation", 204, params=["empty"])
    w.call("loadDemo", 400, body={"records": 0})
    if library():
        job = w.call("removeDemo", 202).json()
        ended = wait_job(w.s, job["id"])
        ok(ended and ended["state"] == "done" and ended["result"]["organisations"] == 1, "the demonstration is gone", ended)
        for _ in range(2):  # the second time everything is there, and known
            ended = wait_job(w.s, w.call("loadDemo", 202, body={"records": 600}).json()["id"])
            ok(ended and ended["state"] == "done" and ended["result"]["organisations"] == 12 and ended["done"] == ended["total"] > 0,
               "another is loaded as a job", ended)
        ok(len(w.call("getDemo", 200).json()["organisations"]) == 12, "its organisations are there")
        ended = wait_job(w.s, w.call("removeDemo", 202).json()["id"])
        ok(ended and ended["state"] == "done" and ended["result"]["organisations"] == 12 and ended["result"]["lists"] == 1,
           "and goes whole", ended)
        job = w.call("deleteOrganisation", 202, params=["yamabuki"], query="force=true").json()
        ended = wait_job(w.s, job["id"])
        ok(ended and ended["state"] == "done" and ended["result"]["alerts"] == 3, "an organisation is gone with its data", ended)
        w.call("getOrganisation", 404, params=["yamabuki"])


def rights(w, tokens, ids):
    """No token; no scope; another organisation's object."""
    dummy = {"n": "0", "org": "shiokaze", "session": "s-00000000000000000000000000", "name": "shiokaze", "id": "a-00000000000000000000000000"}
    for name, o in OPS.items():
        if o.public:
            continue
        params = [dummy[p] for p in o.in_path]
        # a small body, so that what is refused is refused for who asks
        body, kind = (None, {}) if not o.types else ("{}" if o.types[0].endswith("json") else "x\n", {"Content_Type": o.types[0]})
        query = "source=zeek" if name == "submitEvents" else ""
        kind["If_Match"] = '"1"'
        w.call(name, 401, params=params, body=body, local=False, query=query, **kind)
        if name == "getSession":  # who am I: for everybody
            w.call(name, 200, token=tokens["none"])
        elif o.scope != "events:write":
            w.call(name, 403, params=params, body=body, token=tokens["none"], query=query, **kind)
        if o.central:
            w.call(name, 403, params=params, body=body, token=tokens["yamabuki"], query=query, **kind)
    strangers = {"Alert": ["getAlert", "updateAlert", "listAlertComments", "createAlertComment", "listAlertEvents",
                           "listAlertHistory", "getAlertWatch", "watchAlert", "unwatchAlert", "mergeAlerts", "unmergeAlert", "splitAlert", "allowFromAlert"],
                 "AllowEntry": ["getAllowEntry", "updateAllowEntry", "deleteAllowEntry"],
                 "BlockEntry": ["getBlockEntry", "updateBlockEntry", "deleteBlockEntry"]}
    bodies = {"updateAlert": {"assignee": "x"}, "createAlertComment": {"text": "x"}, "mergeAlerts": {"others": ["a-1"]},
              "splitAlert": {"events": ["e-1-1-1"]}, "allowFromAlert": {"reason": "x"}, "updateAllowEntry": {"reason": "x"},
              "updateBlockEntry": {"reason": "x"}}
    for kind, names in strangers.items():
        for name in names:
            body = bodies.get(name)
            theirs = w.call(name, 404, params=[ids[kind]], body=body, token=tokens["yamabuki"], If_Match='"1"').json()
            nobodys = w.call(name, 404, params=[ids[kind][:-4] + "0000"], body=body, token=tokens["yamabuki"], If_Match='"1"').json()
            for p in (theirs, nobodys):
                p.pop("trace_id")
                p.pop("instance")
            ok(theirs == nobodys, f"{name}: what is another's looks like what is not there", (theirs, nobodys))
    for name in ("getOrganisation", "updateOrganisation"):
        w.call(name, 404, params=["shiokaze"], body={"title": "x"} if "update" in name else None, token=tokens["yamabuki"],
               If_Match='"1"')
    w.call("submitEvents", 404, query="source=zeek&org=shiokaze", body="{}\n", Content_Type="text/plain", token=tokens["yamabuki"])


def keys(s):
    """Idempotency-Key: side by side, and over the death of center, one change and one answer."""
    def create(key, name):
        return s.http("POST", "/api/v1/indicator-lists", body={"name": name}, Idempotency_Key=key)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: create("side-by-side", "sidelist"), range(8)))
    ok({(a.status, a.json().get("id")) for a in answers} == {(201, answers[0].json().get("id"))},
       "eight at a time with one key: one list, eight times its answer", [(a.status, a.body) for a in answers])
    first = create("over-death", "deathlist")
    folder = os.path.join(s.data, "state/import")
    ok(not os.listdir(folder), "no import that has ended leaves its file", os.listdir(folder))
    with open(os.path.join(folder, "b-left.list"), "w") as f:
        f.write("left.example\n")
    s.kill_and_wait("center")
    if not until(lambda: s.http("GET", "/api/v1/indicator-lists").status == 200, 30):
        bail("center does not come back")
    ok(not os.listdir(folder), "what waited for an import when center was killed is gone", os.listdir(folder))
    again = create("over-death", "deathlist")
    ok((again.status, again.json()) == (201, first.json()), "the same key after center was killed gives the first answer",
       (again.status, again.body))
    ok(create("over-death", "otherlist").status == 409, "and another body is still another body")


def main():
    check_table(sys.argv[2])
    dns = {"listen": [f"127.0.0.1@{free_port()}"], "clients": ["127.0.0.0/8"],
           "upstream": [{"zone": ".", "forward": ["127.0.0.1@9"]}], "policy": [{"name": "names", "list": "names.txt"}]}

    def before(s):
        with open(os.path.join(os.path.dirname(s.conf_path), "names.txt"), "w", encoding="utf-8") as f:
            f.write("bad.example\nnot a name\n")
    with Server(sys.argv[1], {"resolve": dns}, before=before, wait=60 if library() else 0) as s:
        if not until(lambda: s.find_event("role.ready", ready="center"), 60):
            bail("center is not ready:\n" + s.log()[-3000:])
        w = Walk(s)
        walk_console(w)
        walk_public(w)
        walk_organisations(w)
        tokens = walk_tokens(w)
        ids = walk_indicators(w, tokens)
        walk_resolver(w, tokens)
        if library():
            walk_events(w, tokens)
        ids.update(walk_alerts(w, tokens))
        walk_system(w, tokens)
        session = walk_session(w)
        walk_rights(w)
        walk_people(w, session)
        rights(w, tokens, ids)
        walk_removals(w, ids)
        keys(s)
        if library():
            ok(not w.missing(), "every success the document promises was seen", w.missing())
        else:
            note("not reached: " + ", ".join(w.missing()))
    done()


main()
