"""What test/e2e/rights_matrix.py sees its server filled with: a tree of two sectors
with two organisations each, a unit, a system per organisation, and of every kind of
object some whose texts hold the name of their organisation and of nobody else."""
import hashlib
import http.client
import json
import os
import socket
import sqlite3
import ssl
import struct
import time

import yaml
from feed_lib import OK, SRC_INSIDE, connection, message, send
from harness import ROOT, Reply, library, until

# name: (parent, kind, alerts, events); no name is a part of another, or of any other word here
TREE = {
    "kestrel": (None, "sector", 0, 0),
    "plover": (None, "sector", 0, 0),
    "heron": ("kestrel", "organisation", 2, 3),
    "egret": ("kestrel", "organisation", 3, 5),
    "bittern": ("plover", "organisation", 5, 7),
    "curlew": ("plover", "organisation", 7, 2),
    "dunlin": ("heron", "unit", 4, 4),
}
NODE_ROLES = ["administrator", "centre_analyst", "organisation_csirt", "ciso_office", "auditor", "auditor_past", "collector"]
DOC = yaml.safe_load(open(os.path.join(ROOT, "doc/openapi.yaml"), encoding="utf-8"))
SCOPES = DOC["components"]["schemas"]["Scope"]["enum"]
METHODS = ("get", "post", "patch", "delete", "put")
# Operations that test/e2e/rights_matrix.py does not try: an operation that is in none
# of these and was not tried fails it.
ELSEWHERE = {  # rights_own.py
    "updateSavedSearch", "deleteSavedSearch", "putImportPart", "finishImport", "getExport", "getApproval", "decideApproval", "withdrawApproval",
    "updateMyPasskey", "deleteMyPasskey", "endMySession", "revokeMyToken", "openStream"}
ALONE = {  # about the asker, or what they send, and nobody else
    "getSession", "deleteSession", "stepUpSession", "getMe", "updateMe", "listMySessions", "listMyPasskeys", "createMyPasskey",
    "getMyPasskeyOptions", "setMyPassword", "offerMyTotp", "confirmMyTotp", "deleteMyTotp", "createMyRecoveryCodes",
    "listMyTokens", "createMyToken", "setVisit", "guessImport", "checkDetectionRule"}
PUBLIC = {  # before anybody has signed in; and what every scope may measure
    "getConsole", "getAsset", "getStatusPage", "getLive", "getReady", "getStartup", "getMetrics", "getStyle", "getProblems", "getOpenapiYaml",
    "getOpenapiJson", "getSignIn", "postSignIn", "getSetup", "postSetup", "getEnrol", "postEnrol", "startOidc", "finishOidc",
    "createSession", "getPasskeyOptions", "createPasskeySession", "getEnrolmentOptions", "createEnrolment"}
IN_SYSTEM = 1  # of an organisation's alerts and events, how many are of its system


def operations():
    for path, item in DOC["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            op = item[method]
            params = [DOC["components"]["parameters"][p["$ref"].split("/")[-1]] if "$ref" in p else p
                      for p in item.get("parameters", []) + op.get("parameters", [])]
            yield {"id": op["operationId"], "method": method.upper(), "path": path, "scope": op.get("x-yagura-scope", ""),
                   "central": bool(op.get("x-yagura-central")), "public": op.get("security", DOC["security"])[0] == {}, "types": list(op.get("requestBody", {}).get("content", {})),
                   "query": {p["name"] for p in params if p["in"] == "query"},
                   "needed": [p for p in params if p["in"] == "query" and p.get("required")]}


def below(node):
    out = {node}
    for name, (parent, *_) in TREE.items():
        if parent in out:
            out.add(name)
    return out


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Asker:
    """Requests of several people over one connection that is kept."""

    def __init__(self, server):
        context = ssl.create_default_context(cafile=server.certificate())
        context.check_hostname = False
        self.c = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=60)

    def ask(self, token, method, path, body=None, kind=None, **headers):
        sent = {"Authorization": f"Bearer {token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body is not None:
            sent["Content-Type"] = kind or "application/json"
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        for again in (True, False):
            try:
                self.c.request(method, path, body=body, headers=sent)
                answer = self.c.getresponse()
                return Reply((answer.status, answer.headers, answer.read()))
            except (http.client.HTTPException, ConnectionError):
                self.c.close()
                if not again:
                    raise


def findings(server, spool, batch, items):
    """What a worker sends to center."""
    body = struct.pack("<IIQ", spool, len(items), batch)
    for item in items:
        text = json.dumps(item).encode()
        body += struct.pack("<I", len(text)) + text
    fd = os.open(os.path.join(server.data, "run"), os.O_PATH | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect(f"/proc/self/fd/{fd}/center.sock")
        os.close(fd)
        sock.settimeout(20)
        sock.sendall(struct.pack("<II", 30, len(body)) + body)
        return len(sock.recv(16)) == 16


def finding(org, n, k):
    own = f"{org}-{n}.example"
    return {"finding_uid": f"f-{own}", "org": org, "indicator": own, "indicator_type": "domain", "list": f"feed-{org}",
            "category": "malware", "family": f"family-{org}", "severity_id": 1 + n % 5, "confidence": 80, "tlp": "green",
            "asset": f"10.{k}.0.9" if n < IN_SYSTEM else f"host-{org}-{n}", "field": "query", "value": own,
            "event_id": f"e-9-{n}-0", "time": stamp(0).replace("Z", ".000001Z"), "title": f"{own} looked up"}


def beacon(server, org, k):
    """A finding beside rules, and no alert."""
    now = int(time.time()) * 1_000_000
    calls = [connection(now - (50 - i) * 60_000_000, f"10.{k}.0.9", "198.51.100.7", 443, OK | SRC_INSIDE) for i in range(24)]
    return send(server, message(77, k + 1, org, now, calls)) == 0


def eve(org, n, k):
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return "".join(json.dumps({"timestamp": f"{now}.{i:06d}+0000", "event_type": "dns", "proto": "UDP",
                               "src_ip": f"10.{k}.0.9" if i < IN_SYSTEM else f"172.16.{k}.{i}", "src_port": 5000 + i,
                               "dest_ip": "203.0.113.1", "dest_port": 53,
                               "dns": {"type": "query", "rrname": f"{org}-{i}.example", "rrtype": "A"}}) + "\n"
                   for i in range(n))


def token_of_person(db, person, scopes, n):
    """A token as the program keeps it; people make their own only when signed in."""
    ulid = "01JD0000000000000000%06d" % n
    secret = f"yg_api_{ulid}_" + ("%052d" % n)
    digest = hashlib.blake2b(secret.encode(), digest_size=32, key=b"yagura token secret, version 1").digest()
    db.execute("INSERT INTO token (id, kind, name, org, scopes, hash, created, created_by, person)"
               " VALUES (?, 'api', ?, NULL, ?, ?, 1, 'test', ?)", (f"t-{ulid}", f"of-{n}", " ".join(scopes), digest, person))
    return secret


class World:
    """Everything there is, and whose it is."""

    def __init__(self, server, scopes):
        self.s, self.scopes = server, scopes
        self.ids = {name: {} for name in TREE}  # organisation -> kind -> ids
        self.people = []  # (label, role, node, system organisation or None, token)
        # a finding and no more: not among the events, too, which are counted
        assert self.s.http("PUT", "/api/v1/detection-notices", {"org": None, "kind": "beacon", "stage": "test"}).status == 200
        self.make_objects()
        self.make_people()
        self.wait_events()

    def post(self, path, body, want=201, **headers):
        reply = self.s.http("POST", path, body, **headers)
        assert reply.status == want, (path, reply)
        return reply.json()

    def make_objects(self):
        for name, (parent, kind, *_) in TREE.items():
            self.post("/api/v1/organisations", {"name": name, "title": f"title of {name}", "kind": kind, "parent": parent})
        for k, (name, (_, _, alerts, events)) in enumerate(TREE.items()):
            own = self.ids[name]
            system = self.post("/api/v1/systems", {"org": name, "name": f"sys-{name}", "networks": [f"10.{k}.0.0/24"]})
            token = self.post("/api/v1/tokens", {"org": name, "name": f"fw-{name}", "scopes": ["events:write"]})
            made = self.post("/api/v1/indicator-lists", {"org": name, "name": f"list-{name}"})
            indicator = self.post("/api/v1/indicators", {"list": made["id"], "type": "domain", "value": f"bad.{name}.example"})
            allow = self.post("/api/v1/allow-entries", {"org": name, "type": "domain", "value": f"good.{name}.example",
                                                        "reason": f"reason of {name}"})
            block = self.post("/api/v1/block-entries", {"org": name, "type": "domain", "value": f"blocked.{name}.example",
                                                        "reason": f"why {name} blocks"})
            asked = self.post("/api/v1/dns/allow-requests", {"org": name, "name": f"ask.{name}.example", "reason": f"reason of {name}"})
            rule = self.post("/api/v1/detection-rules", {"org": name, "collection": f"rules-{name}", "text": (
                f"title: rule of {name}\nname: named-{name}\nlogsource: {{product: windows}}\ndetection: {{s: {{a: {name}}}, condition: s}}\n")})
            excepted = self.post("/api/v1/detection-exceptions", {"org": name, "rule": rule["id"], "reason": f"why {name} excepts",
                                                                  "text": "s: {a: b}\ncondition: s"})
            own.update(requests=asked["id"], block=block["id"], rules=rule["id"], excepts=excepted["id"], systems=system["id"], tokens=token["id"], lists=made["id"], indicators=indicator["id"], allow=allow["id"])
            if alerts and not findings(self.s, 9, k + 1, [finding(name, n, k) for n in range(alerts)]):
                raise AssertionError("findings are not taken")
            assert beacon(self.s, name, k)
            got = [a for a in self.s.http("GET", f"/api/v1/alerts?org={name}&limit=200").json()["items"] if a["org"] == name]
            assert len(got) == alerts, (name, got)
            own["all_alerts"] = [a["id"] for a in got]
            own["alerts"] = got[0]["id"] if got else None
            own["system_alerts"] = [a["id"] for a in got if a["system"] == system["id"]]
            if got:
                self.post(f"/api/v1/alerts/{got[0]['id']}/comments", {"text": f"comment of {name}"})
            if events and library():
                self.post("/api/v1/events?source=suricata&org=%s&sensor=ids-%s" % (name, name), eve(name, events, k), want=202,
                          Content_Type="application/x-ndjson")
            own["hunts"] = self.post("/api/v1/retro-hunts", {"indicators": ["hunted.example"], "org": name}, want=202)["id"]
            own["jobs"] = self.post("/api/v1/alerts/bulk", {"filter": {"org": name, "q": "nothing"},
                                                            "set": {"severity_id": 3}}, want=202)["id"]

    def make_people(self):
        db = sqlite3.connect(os.path.join(self.s.data, "state/yagura.db"), timeout=20)
        n = 0
        for k, node in enumerate(TREE):
            for role in NODE_ROLES + ["system_owner"]:
                n += 1
                person, login = "p-01JD0000000000000000%06d" % n, f"{role}.{node}"
                db.execute("INSERT INTO person (id, login, name, home, state, created, updated)"
                           " VALUES (?, ?, ?, ?, 'active', 1, 1)", (person, login, f"name {node} {role}", node))
                token = token_of_person(db, person, self.scopes, n)
                self.people.append((login, role, node, person, token))
                self.ids[node].setdefault("person_ids", []).append(person)
        db.commit()
        db.close()
        for login, role, node, person, _ in self.people:
            body = {"person": person, "role": role.replace("_past", ""), "reason": f"reason of {node}"}
            if role == "system_owner":
                body["system"] = self.ids[node]["systems"]
            else:
                body["node"] = node
            if role == "auditor":
                body.update(period_from=stamp(-86400), period_to=stamp(86400))
            if role == "auditor_past":
                body.update(period_from="2020-01-01T00:00:00Z", period_to="2020-04-01T00:00:00Z")
            self.ids[node].setdefault("grants", self.post("/api/v1/grants", body)["id"])
        for node in TREE:
            self.ids[node]["people"] = self.ids[node]["person_ids"][0]

    def wait_events(self):
        def found():
            return {f["org"] for f in self.s.http("GET", "/api/v1/detection-findings?limit=200").json()["items"]}
        assert until(lambda: found() == set(TREE), 60, 0.3), found()
        if not library():
            return
        want = sum(t[3] for t in TREE.values())
        assert until(lambda: len(self.s.http("GET", "/api/v1/events?limit=200").json().get("items", [])) == want, 60, 0.3)
        for e in self.s.http("GET", "/api/v1/events?limit=200").json()["items"]:
            self.ids[e["org"]]["events"] = e["id"]

    def reach(self, role, node):
        return {node} if role == "system_owner" else below(node)

    def alerts_of(self, role, node):
        """The alerts that somebody may see."""
        if role == "system_owner":
            return self.ids[node]["system_alerts"]
        if role in ("auditor_past", "collector"):
            return []
        return [a for o in below(node) for a in self.ids[o]["all_alerts"]]

    def events_of(self, role, node):
        if role == "system_owner":
            return min(IN_SYSTEM, TREE[node][3])
        return 0 if role in ("auditor_past", "collector") else sum(TREE[o][3] for o in below(node))
