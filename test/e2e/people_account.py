"""Passkeys, one's own account, other people's, and what takes two: over HTTPS."""
import re
import sqlite3
import subprocess
import sys
import time

from harness import Server, done, ok, skip_all, until
from people_lib import PASSWORD, Authenticator, Browser, enrol, setup_code, without_store

try:
    import cryptography  # noqa: F401  the software passkey signs with it
except ImportError:
    skip_all("python3-cryptography is not installed")


def check_passkeys(s, root):
    key = Authenticator(f"https://{root.host}")
    options = root.call("POST", "/api/v1/me/passkey-options").json()
    ok(options["publicKey"]["rp"]["id"] == "localhost" and
       options["publicKey"]["authenticatorSelection"]["userVerification"] == "required", "options for a new passkey", options)

    def options_now():
        return root.call("POST", "/api/v1/me/passkey-options").json()

    def add(answer):
        return root.call("POST", "/api/v1/me/passkeys", {**answer, "label": "laptop"}).status
    ok(add(key.create(options_now(), origin="https://evil.example")) == 400, "one made on another site is refused")
    ok(add(key.create(options_now(), crossOrigin=True)) == 400, "one made in another site's frame is refused")
    ok(add(key.create(options_now(), challenge="A" * 54)) == 400, "one with another challenge is refused")
    key.flags = 0x01
    ok(add(key.create(options_now())) == 400, "one that did not check its user is refused")
    key.flags, key.rp_id = 0x05, "evil.example"
    ok(add(key.create(options_now())) == 400, "one of another name is refused")
    key.rp_id = "localhost"
    wrong = key.create(options_now(), "packed")
    wrong["credential"]["response"]["clientDataJSON"] = key.create(options_now())["credential"]["response"]["clientDataJSON"]
    ok(add(wrong) == 400, "an attestation that does not fit is refused")
    ok(add(key.create(options_now(), "fido-u2f")) == 400, "a kind of attestation we do not take is refused")
    answer = key.create(options_now(), "packed")
    ok(add(answer) == 201, "a passkey with self attestation is registered")
    ok(add(answer) == 400, "its challenge works once")
    key2 = Authenticator(f"https://{root.host}")
    ok(root.call("POST", "/api/v1/me/passkeys", key2.create(options_now())).status == 201, "and one without attestation")
    listed = root.call("GET", "/api/v1/me/passkeys").json()["items"]
    ok([k["label"] for k in listed] == ["laptop", ""], "both are listed", listed)

    b = Browser(s)

    def get_options():
        return b.call("POST", "/api/v1/session/passkey-options").json()
    ok(get_options()["publicKey"]["allowCredentials"] == [], "signing in names no credential of anybody")
    for what, got in (("another site", key.get(get_options(), origin="https://evil.example")),
                      ("a wrong signature", key.get(get_options(), signature=b"0" * 70)),
                      ("another challenge", key.get(get_options(), challenge="B" * 54)),
                      ("the kind of a registration", key.get(get_options(), type="webauthn.create"))):
        ok(b.call("POST", "/api/v1/session/passkey", got).status == 401 and not b.cookies, f"{what} does not sign in")
    good = key.get(get_options())
    got = b.call("POST", "/api/v1/session/passkey", good)
    ok(got.status == 201 and got.json()["session"]["method"] == "passkey", "a passkey signs in", got)
    ok(b.call("POST", "/api/v1/session/passkey", good).status == 401, "the same answer again does not")
    stranger = Authenticator(f"https://{root.host}")
    stranger.id = b"x" * 32
    ok(Browser(s).call("POST", "/api/v1/session/passkey", stranger.get(get_options())).status == 401, "a strange one does not")
    key.counter = 1
    ok(b.call("POST", "/api/v1/session/passkey", key.get(get_options())).status == 201, "a counter that fell back signs in")
    noted = s.http("GET", "/api/v1/audit-log?limit=50").json()["items"]
    ok(any(e["action"] == "credential.counter" for e in noted), "and is noted in the audit log")
    got = b.call("POST", "/api/v1/session/step-up", key.get(get_options()))
    ok(got.status == 200 and got.json()["session"]["step_up_until"], "a passkey steps up", got)
    address = Browser(s)
    address.host = f"127.0.0.1:{s.port}"
    ok(address.call("POST", "/api/v1/session/passkey-options").status == 409, "an address is no name for passkeys")
    return b, key


def check_access(s, root):
    s.http("POST", "/api/v1/organisations", {"name": "minato", "title_en": "Minato"})
    seen = root.call("GET", "/api/v1/organisations/minato/access").json()["items"]
    ok(any(g["role"] == "administrator" and g["inherited"] and g["person"] for g in seen),
       "who set the installation up stands among those who can see an organisation", seen)


def check_me(s, root):
    me = root.call("GET", "/api/v1/me").json()
    ok(me["credentials"] == {"password": True, "totp": True, "passkeys": 2, "recovery_codes": 10, "identities": 0}, "ways to sign in", me)
    got = root.call("PATCH", "/api/v1/me", {"theme": "dark", "language": "en", "name": "Hanako"})
    ok(got.status == 200 and got.json()["person"]["theme"] == "dark", "name, theme and language change", got)
    ok(root.call("PATCH", "/api/v1/me", {"administrator": True}).status == 400, "rights do not")
    weak = root.call("PUT", "/api/v1/me/password", {"password": "password123456"})
    ok(weak.status == 400 and weak.json()["errors"][0]["code"] == "weak_password", "a weak password is refused", weak)
    other = Browser(s)
    other.secret, other.used = root.secret, root.used
    ok(other.call("POST", "/api/v1/session", {"login": "root", "password": PASSWORD, "totp": other.code()}).status == 201, "sign in elsewhere")
    sessions = root.call("GET", "/api/v1/me/sessions").json()["items"]
    ok(sum(x["current"] for x in sessions) == 1 and len(sessions) >= 2, "sessions are listed", sessions)
    new = "a new and longer password"
    ok(root.call("PUT", "/api/v1/me/password", {"password": new}).status == 204, "a new password")
    ok(other.call("GET", "/api/v1/me").status == 401, "ends the other sessions")
    ok(root.call("GET", "/api/v1/me").status == 200, "but not this one")
    offer = root.call("POST", "/api/v1/me/totp").json()
    ok(root.call("PUT", "/api/v1/me/totp", {"code": "000000"}).status == 400, "a wrong first code")
    root.secret, root.used = offer["secret"], set()
    ok(root.call("PUT", "/api/v1/me/totp", {"code": root.code()}).status == 204, "one-time codes of a new app")
    codes = root.call("POST", "/api/v1/me/recovery-codes").json()["recovery_codes"]
    ok(len(set(codes)) == 10, "new recovery codes")
    ok(other.call("POST", "/api/v1/session", {"login": "root", "password": new, "recovery_code": codes[0]}).status == 201, "they work")
    sid = other.call("GET", "/api/v1/session").json()["session"]["id"]
    ok(root.call("DELETE", f"/api/v1/me/sessions/{sid}").status == 204 and other.call("GET", "/api/v1/me").status == 401,
       "a session is ended from another")
    ok(root.call("DELETE", "/api/v1/me/sessions/s-00000000000000000000000000").status == 404, "none that is not there")
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    made = root.call("POST", "/api/v1/me/tokens", {"name": "script", "scopes": ["org:read", "stream:read"], "expires_at": expires})
    secret = made.json().get("secret", "")
    ok(made.status == 201 and secret, "a token of one's own", made)
    ok(root.call("POST", "/api/v1/me/tokens", {"name": "x", "scopes": ["all"], "expires_at": expires}).status == 400, "with what exists")
    kept = [root.call("GET", f"/api/v1/me{of}").json() for of in ("", "/tokens", "/passkeys")]
    key = kept[2]["items"][0]["id"]
    dry = [root.call("POST", "/api/v1/me/tokens?dry_run=1", {"name": "y", "scopes": ["org:read"], "expires_at": expires}),
           root.call("DELETE", f"/api/v1/me/tokens/{kept[1]['items'][0]['id']}?dry_run=1"), root.call("PATCH", "/api/v1/me?dry_run=1", {"name": "x"}),
           root.call("PATCH", f"/api/v1/me/passkeys/{key}?dry_run=1", {"label": "x"}), root.call("DELETE", f"/api/v1/me/passkeys/{key}?dry_run=1")]
    ok([r.status for r in dry] == [201, 204, 200, 204, 204] and dry[0].json()["secret"] is None, "what would be is shown", dry)
    now = [root.call("GET", f"/api/v1/me{of}").json() for of in ("", "/tokens", "/passkeys")]
    ok([x.get("items", x.get("person")) for x in now] == [x.get("items", x.get("person")) for x in kept], "and nothing of it is done", now)
    ok(s.https("GET", "/api/v1/organisations", token=secret).status == 200, "does what it names")
    ok(s.https("GET", "/api/v1/people", token=secret).status == 403, "nothing else")
    ok(s.https("GET", "/api/v1/me", token=secret).status == 403, "and nothing about the person")
    who = s.https("GET", "/api/v1/session", token=secret).json()
    ok(who["person"]["login"] == "root" and who["session"] is None and set(who["permissions"]) == {"org:read", "stream:read"},
       "it says whose it is", who)
    tid = made.json()["id"]
    ok(root.call("DELETE", f"/api/v1/me/tokens/{tid}").status == 204 and
       s.https("GET", "/api/v1/organisations", token=secret).status == 401, "and ends when it is revoked")


def invite(s, root, login):
    made = root.call("POST", "/api/v1/people", {"login": login, "name": login.title(), "email": f"{login}@example.jp"})
    ok(made.status == 201 and made.json()["state"] == "invited", f"{login} is invited", made)
    url = root.call("POST", f"/api/v1/people/{made.json()['id']}/enrolment").json()["url"]
    b = Browser(s)
    got = enrol(b, url.split("code=")[1], None, name=None)
    ok(got.status == 201 and "/enrol?code=" in url, f"{login} chooses a password", got)
    return b, made.json()["id"]


def check_people(s, root):
    b, pid = invite(s, root, "taro")
    ok(b.call("GET", "/api/v1/people").status == 403 and b.call("GET", "/api/v1/organisations").status in (200, 403),
       "who has no role may not look after people")
    ok(root.call("POST", "/api/v1/people", {"login": "taro", "name": "x"}).status == 409, "a login is one person's")
    got = root.call("GET", f"/api/v1/people/{pid}")
    ok(got.json()["state"] == "active", "who came is active", got)
    ok(len(root.call("GET", f"/api/v1/people/{pid}/sessions").json()["items"]) == 1, "their sessions are listed")
    ok(root.call("DELETE", f"/api/v1/people/{pid}/sessions").status == 204 and b.call("GET", "/api/v1/me").status == 401,
       "and ended")
    again = root.call("POST", f"/api/v1/people/{pid}/enrolment").json()["url"]
    lost = Browser(s)
    ok(enrol(lost, again.split("code=")[1], None, name=None, password="yet another long one").status == 201, "who lost everything comes back")
    off = root.call("PATCH", f"/api/v1/people/{pid}", {"state": "disabled"},
                    If_Match=root.call("GET", f"/api/v1/people/{pid}").headers["ETag"])
    ok(off.status == 200 and lost.call("GET", "/api/v1/me").status == 401, "who is disabled is out", off)
    ok(root.call("POST", f"/api/v1/people/{pid}/enrolment").status == 409, "and gets no new code")
    rid = root.call("GET", "/api/v1/me").json()["person"]["id"]
    etag = root.call("GET", f"/api/v1/people/{rid}").headers["ETag"]
    ok(root.call("PATCH", f"/api/v1/people/{rid}", {"administrator": False}, If_Match=etag).status == 409, "the last administrator stays")


def check_grants(s, root, second, tid):
    """An administrator by a grant for the whole is one like any other."""
    yes = {"approve": True, "reason": "fine"}
    made = s.http("POST", "/api/v1/grants", {"person": tid, "role": "administrator", "node": None, "reason": "by the machine"}).json()
    got = root.call("DELETE", f"/api/v1/grants/{made['id']}")
    ok(got.status == 403 and got.json()["type"].endswith("approval-needed"), "one alone does not take the grant away", got)
    etag = root.call("GET", f"/api/v1/people/{tid}").headers["ETag"]
    got = root.call("PATCH", f"/api/v1/people/{tid}", {"state": "disabled"}, If_Match=etag)
    ok(got.status == 403 and got.json()["type"].endswith("approval-needed"), "nor disables who has it", got)
    ok(root.call("POST", f"/api/v1/people/{tid}/enrolment", {}).status == 403, "nor makes a code for them")
    again = s.http("POST", "/api/v1/grants", {"person": tid, "role": "auditor", "node": None, "reason": "x"})
    ok(again.status in (400, 409), "(an auditor is nothing else)", again)
    aid = root.call("POST", "/api/v1/approvals", {"kind": "administrator.revoke", "person": tid, "reason": "moved on"}).json()["id"]
    ok(second.call("POST", f"/api/v1/approvals/{aid}/decision", yes).status == 200, "two can")
    ok(s.http("GET", f"/api/v1/grants/{made['id']}").status == 404 and
       "people:write" not in root.call("GET", f"/api/v1/people/{tid}/access").json()["permissions"], "and the grant is gone with it")
    node = s.http("POST", "/api/v1/grants", {"person": tid, "role": "centre_analyst", "node": None, "reason": "x"}).json()
    ok(root.call("DELETE", f"/api/v1/grants/{node['id']}").status == 204, "other grants one takes away")


def check_last(s):
    """The last administrator, by a grant, stays."""
    one = Browser(s)
    made = s.http("POST", "/api/v1/people", {"login": "only", "name": "一人"}).json()
    s.http("POST", "/api/v1/grants", {"person": made["id"], "role": "administrator", "node": None, "reason": "x"})
    url = s.http("POST", f"/api/v1/people/{made['id']}/enrolment", {}).json()["url"]
    ok(enrol(one, url.split("code=")[1], "only").status == 201, "somebody with the grant comes in")
    for p in one.call("GET", "/api/v1/people").json()["items"]:
        if p["id"] != made["id"] and p["administrator"] and p["state"] == "active":
            got = s.http("PATCH", f"/api/v1/people/{p['id']}", {"state": "disabled"}, If_Match=s.http("GET", f"/api/v1/people/{p['id']}").headers["ETag"])
            ok(got.status == 200, "the machine disables the others", got)
    grant = next(g for g in s.http("GET", f"/api/v1/grants?person={made['id']}").json()["items"])
    for who, send in (("they themselves", one.call), ("the machine", s.http)):
        got = send("DELETE", f"/api/v1/grants/{grant['id']}")
        ok(got.status == 409, f"{who} cannot take the last administrator's grant away", got)


def check_allow_for_all(s, root, second):
    """What weakens everyone: one asks, another decides, and only then it is allowed."""
    s.http("POST", "/api/v1/organisations", {"name": "asker", "title": "asker"})
    rid = s.http("POST", "/api/v1/dns/allow-requests", {"org": "asker", "name": "partner.example", "reason": "ours"}).json()["id"]
    path = f"/api/v1/dns/allow-requests/{rid}/decision"
    got = root.call("POST", path, {"grant": True, "for_all": True, "reason": "harmless"})
    one = got.json()
    ok(got.status == 200 and one["state"] == "open" and one["approval"] and one["allow_entry"] is None, "a name allowed for all takes two", one)
    ok(root.call("POST", path, {"grant": True, "for_all": True}).status == 409, "asked for once")
    second.call("POST", f"/api/v1/approvals/{one['approval']}/decision", {"approve": False, "reason": "why all?"})
    got = root.call("POST", path, {"grant": True, "for_all": True, "reason": "a partner of all"})
    again = got.json()
    ok(got.status == 200 and again["state"] == "open" and again["approval"] not in ("", None, one["approval"]), "after a refusal it can be asked for again", again)
    one = again
    yes = {"approve": True, "reason": "seen"}
    ok(root.call("POST", f"/api/v1/approvals/{one['approval']}/decision", yes).status == 403, "not by who granted it")
    ok(second.call("POST", f"/api/v1/approvals/{one['approval']}/decision", yes).status == 200, "but by another")
    one = s.http("GET", "/api/v1/dns/allow-requests?org=asker").json()["items"][0]
    entry = s.http("GET", f"/api/v1/allow-entries/{one['allow_entry']}").json()
    ok(one["state"] == "granted" and one["for_all"] and entry["org"] is None and entry["value"] == "partner.example", "then it is allowed for all", (one, entry))
    log = {e["action"] for e in s.http("GET", f"/api/v1/audit-log?object={rid}").json()["items"]}
    ok(log == {"dns.allow-request", "dns.allow-grant"}, "the audit log has it", log)


def check_allow_entries(s, root, second):
    """The same by the allow list itself: the entry for all comes with the second person's word."""
    def entries():
        return {a["value"] for a in s.http("GET", "/api/v1/allow-entries").json()["items"] if a["org"] is None}

    body = {"org": None, "type": "domain", "value": "Cdn.Example", "reason": "all of us use it"}
    got = root.call("POST", "/api/v1/allow-entries", body)
    one = got.json()
    ok(got.status == 202 and one["kind"] == "allow-entry.add" and one["params"]["value"] == "cdn.example" and not one["may_approve"] and
       "cdn.example" not in entries(), "an entry for all takes two", one)
    ok(root.call("POST", "/api/v1/allow-entries", body | {"value": "not a name"}).status == 400, "what is wrong is said at once")
    ok(root.call("POST", "/api/v1/allow-entries", body | {"org": "asker", "value": "own.example"}).status == 201, "an organisation's own takes one")
    yes = {"approve": True, "reason": "seen"}
    ok(root.call("POST", f"/api/v1/approvals/{one['id']}/decision", yes).status == 403, "not by who asked")
    got = second.call("POST", f"/api/v1/approvals/{one['id']}/decision", yes)
    ok(got.status == 200 and "cdn.example" in entries(), "the second makes it so", got)
    s.http("POST", "/api/v1/organisations", {"name": "top", "title": "top", "kind": "centre"})

    def of_top():
        return [a["value"] for a in s.http("GET", "/api/v1/allow-entries?org=top").json()["items"] if a["org"] == "top"]
    got = root.call("POST", "/api/v1/allow-entries", body | {"org": "top", "value": "below.example"})
    one = got.json()
    ok(got.status == 202 and one["org"] == "top" and of_top() == [],
       "at a centre's node it is for all that is below: it takes two", one)
    ok(second.call("POST", f"/api/v1/approvals/{one['id']}/decision", yes).status == 200 and
       of_top() == ["below.example"], "then it is there, of that node alone")
    rid = s.http("POST", "/api/v1/dns/allow-requests", {"org": "top", "name": "wide.example", "reason": "ours"}).json()["id"]
    got = root.call("POST", f"/api/v1/dns/allow-requests/{rid}/decision", {"grant": True, "for_all": False, "reason": "harmless"}).json()
    ok(got["state"] == "open" and second.call("POST", f"/api/v1/approvals/{got['approval']}/decision", yes).status == 200, "so does a name that is asked for there", got)
    got = s.http("GET", "/api/v1/dns/allow-requests?org=top").json()["items"][0]
    ok(got["state"] == "granted" and not got["for_all"], "and it is of that node, not of all", got)
    later = {"expires_at": "2099-01-01T00:00:00Z"}
    made = s.http("POST", "/api/v1/allow-entries", body | {"value": "soon.example", "expires_at": "2098-01-01T00:00:00Z"})
    path, etag = f"/api/v1/allow-entries/{made.json()['id']}", made.headers["ETag"]
    ok(made.status == 201, "the machine alone can", made)
    got = root.call("PATCH", path, later, If_Match=etag)
    ok(got.status == 403 and got.json()["type"].endswith("approval-needed"), "one person does not make it last longer", got)
    ok(root.call("PATCH", path, {"expires_at": "2097-01-01T00:00:00Z"}, If_Match=etag).status == 200, "but shorter")


def check_nobodys_token(s, root, second, tid):
    """A token of an organisation, or of none, is no person: it does nothing that takes two, nor asks for it."""
    scopes = ["people:read", "people:write", "org:read", "org:write", "approvals:read", "approvals:write", "grants:write",
              "indicators:read", "indicators:write", "alerts:write", "events:read", "tokens:write"]
    made = root.call("POST", "/api/v1/tokens", {"org": None, "name": "all", "scopes": scopes, "expires_at": None})
    token = made.json()["secret"]
    ok(made.status == 201, "who is signed in makes a token of nobody's", made)

    def ask(method, path, body=None, **headers):
        return s.https(method, path, body, token=token, **headers)
    got = [ask("PATCH", f"/api/v1/people/{tid}", {"administrator": True}, If_Match="*"),
           ask("POST", f"/api/v1/people/{tid}/enrolment", {}),
           ask("POST", "/api/v1/grants", {"person": tid, "role": "administrator", "node": None}),
           ask("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": tid, "reason": "x"}),
           ask("POST", "/api/v1/tokens", {"org": None, "name": "more", "scopes": ["people:write"], "expires_at": None})]
    ok(all(g.status == 403 and g.json()["type"] == "/doc/problems#step-up-needed" for g in got), "it does nothing dangerous", got)
    aid = root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": tid, "reason": "x"}).json()["id"]
    got = ask("POST", f"/api/v1/approvals/{aid}/decision", {"approve": True, "reason": "x"})
    ok(got.status == 403 and not root.call("GET", f"/api/v1/people/{tid}").json()["administrator"], "nor approves what its maker asked for", got)
    second.call("POST", f"/api/v1/approvals/{aid}/decision", {"approve": False, "reason": "no"})
    before = len(s.http("GET", "/api/v1/approvals").json()["items"])
    rid = s.http("POST", "/api/v1/dns/allow-requests", {"org": "asker", "name": "other.example", "reason": "ours"}).json()["id"]
    got = [ask("POST", "/api/v1/allow-entries", {"org": None, "type": "domain", "value": "evil.example", "reason": "x"}),
           ask("POST", f"/api/v1/dns/allow-requests/{rid}/decision", {"grant": True, "for_all": True})]
    ok([g.status for g in got] == [403, 403], "allows nothing for all", got)
    ok(len(s.http("GET", "/api/v1/approvals").json()["items"]) == before, "and asks nobody, its maker least of all")
    got = ask("POST", "/api/v1/allow-entries", {"org": "asker", "type": "domain", "value": "by-token.example", "reason": "x"})
    ok(got.status == 201, "what takes one it does", got)
    return token


def check_puppets(s, root):
    """One administrator is not two by people whom they let in themselves."""
    s.http("POST", "/api/v1/organisations", {"name": "empty", "title": "empty"})
    puppet, pid = invite(s, root, "puppet")
    for role, node in (("ciso_office", None), ("centre_analyst", None), ("administrator", "empty")):
        got = root.call("POST", "/api/v1/grants", {"person": pid, "role": role, "node": node})
        ok(got.status == 201, f"{role} is given by one", got)
    asks = [root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": pid, "reason": "x"}),
            root.call("POST", "/api/v1/approvals", {"kind": "organisation.remove", "org": "empty", "reason": "x"}),
            root.call("POST", "/api/v1/allow-entries", {"org": None, "type": "domain", "value": "evil.example", "reason": "x"})]
    ids = [a.json()["id"] for a in asks]
    yes = {"approve": True, "reason": "yes"}
    got = [puppet.call("POST", f"/api/v1/approvals/{aid}/decision", yes) for aid in ids]
    ok([g.status for g in got] == [403] * 3, "whom the asker let in approves nothing, with all roles on the whole together", got)
    mine = puppet.call("POST", "/api/v1/allow-entries", {"org": None, "type": "domain", "value": "worse.example", "reason": "x"})
    aid = mine.json()["id"]
    got = root.call("POST", f"/api/v1/approvals/{aid}/decision", yes)
    ok(mine.status == 202 and got.status == 403, "nor does the asker of what they ask for", (mine, got))
    ok(not {"evil.example", "worse.example"} & {a["value"] for a in s.http("GET", "/api/v1/allow-entries").json()["items"]}, "nothing is allowed")
    return [*ids, aid]


def check_back(s, root, second):
    """Nobody becomes administrator by a person who was let in before, or comes back, or is yet to come."""
    yes = {"approve": True, "reason": "yes"}
    made = root.call("POST", "/api/v1/people", {"login": "absent", "name": "x"}).json()["id"]
    got = root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": made, "reason": "x"})
    ok(got.status == 409, "it is not asked for who has not come yet", got)
    assert s.http("PATCH", f"/api/v1/people/{made}", {"administrator": True}, If_Match="*").status == 200
    got = [root.call("POST", f"/api/v1/people/{made}/enrolment"), root.call("PATCH", f"/api/v1/people/{made}", {"email": "me@example.jp"}, If_Match="*")]
    ok([g.status for g in got] == [403, 403], "one person does not come in as an administrator who was invited by the machine", got)
    _, pid = invite(s, root, "fourth")
    url = root.call("POST", f"/api/v1/people/{pid}/enrolment").json()["url"]
    aid = root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": pid, "reason": "x"}).json()["id"]
    got = root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": pid, "reason": "again"})
    ok(got.status == 409 and aid.encode() in got.body, "the same is not asked for twice", got)
    ok(second.call("POST", f"/api/v1/approvals/{aid}/decision", yes).status == 200, "two make an administrator")
    got = enrol(Browser(s), url.split("code=")[1], None, name=None)
    ok(got.status not in (200, 201), "whose old one-time address works no more", got)
    late = root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": pid, "reason": "again"}).json()["id"]
    assert s.http("PATCH", f"/api/v1/people/{pid}", {"state": "disabled"}, If_Match="*").status == 200
    got = [root.call("PATCH", f"/api/v1/people/{pid}", body, If_Match="*") for body in ({"email": "me@example.jp"}, {"state": "active"})]
    ok([g.status for g in got] == [403, 403], "one person does not bring a disabled administrator back, nor give them a mail address", got)
    got = second.call("POST", f"/api/v1/approvals/{late}/decision", yes)
    ok(got.status == 409, "nor do two, while they are disabled", got)
    got = [root.call("PATCH", f"/api/v1/people/{pid}", body, If_Match="*") for body in ({"administrator": False}, {"state": "active"})]
    ok([g.status for g in got] == [200, 200] and not got[1].json()["administrator"], "without that right one does", got)
    second.call("POST", f"/api/v1/approvals/{late}/decision", {"approve": False, "reason": "no"})


def check_approval(s, root):
    second, sid = invite(s, root, "second")
    third, tid = invite(s, root, "third")
    etag = root.call("GET", f"/api/v1/people/{sid}").headers["ETag"]
    got = root.call("PATCH", f"/api/v1/people/{sid}", {"administrator": True}, If_Match=etag)
    ok(got.status == 200 and got.json()["administrator"], "a sole administrator makes the second one", got)
    etag = root.call("GET", f"/api/v1/people/{tid}").headers["ETag"]
    got = root.call("PATCH", f"/api/v1/people/{tid}", {"administrator": True}, If_Match=etag)
    ok(got.status == 403 and got.json()["type"] == "/doc/problems#approval-needed", "from then on it takes two", got)
    made = root.call("POST", "/api/v1/approvals", {"kind": "administrator.grant", "person": tid, "reason": "on duty"})
    aid = made.json()["id"]
    ok(made.status == 201 and made.json()["state"] == "open" and not made.json()["may_approve"], "asked for", made)
    yes = {"approve": True, "reason": "agreed"}
    got = root.call("POST", f"/api/v1/approvals/{aid}/decision", yes)
    ok(got.status == 403, "who asks cannot approve", got)
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    token = root.call("POST", "/api/v1/me/tokens", {"name": "t", "scopes": ["approvals:write", "people:write"], "expires_at": expires}).json()["secret"]
    ok(s.https("POST", f"/api/v1/approvals/{aid}/decision", yes, token=token).status == 403, "not by a token of theirs either")
    ok(third.call("POST", f"/api/v1/approvals/{aid}/decision", yes).status == 403, "nor who has no right to it")
    ok(not root.call("GET", f"/api/v1/people/{tid}").json()["administrator"], "nothing has happened")
    seen = second.call("GET", "/api/v1/approvals?state=open").json()["items"]
    ok(seen and seen[0]["id"] == aid and seen[0]["may_approve"], "the other administrator sees it", seen)
    got = second.call("POST", f"/api/v1/approvals/{aid}/decision?dry_run=1", yes)
    ok(got.status == 200 and got.json()["state"] == "approved", "sees what approving would be", got)
    ok(root.call("POST", f"/api/v1/approvals/{aid}/decision?dry_run=1", yes).status == 403, "who may not is told so before, too")
    ok(not root.call("GET", f"/api/v1/people/{tid}").json()["administrator"] and
       second.call("GET", f"/api/v1/approvals/{aid}").json()["state"] == "open", "which does nothing")
    got = second.call("POST", f"/api/v1/approvals/{aid}/decision", yes)
    ok(got.status == 200 and got.json()["state"] == "approved", "and approves", got)
    ok(root.call("GET", f"/api/v1/people/{tid}").json()["administrator"], "it is done")
    ok(second.call("POST", f"/api/v1/approvals/{aid}/decision", yes).status == 409, "once")
    etag = root.call("GET", f"/api/v1/people/{sid}").headers["ETag"]
    for change in ({"state": "disabled"}, {"administrator": False}):
        got = root.call("PATCH", f"/api/v1/people/{sid}", change, If_Match=etag)
        ok(got.status == 403 and got.json()["type"].endswith("approval-needed"), f"nobody is put out by one: {change}", got)
    ok(root.call("POST", f"/api/v1/people/{sid}/enrolment").status == 403, "nor can one become the other by a new code")
    grant = {"person": tid, "role": "administrator", "node": None}
    got = root.call("POST", "/api/v1/grants", grant)
    ok(got.status == 403, "nor is the role granted by one", got)
    aid = root.call("POST", "/api/v1/approvals", {"kind": "administrator.revoke", "person": tid, "reason": "moved"}).json()["id"]
    ok(second.call("POST", f"/api/v1/approvals/{aid}/decision", yes).status == 200 and
       not root.call("GET", f"/api/v1/people/{tid}").json()["administrator"], "two can")
    check_grants(s, root, second, tid)
    s.http("POST", "/api/v1/organisations", {"name": "old-town", "title": "旧町"})
    got = root.call("DELETE", "/api/v1/organisations/old-town?force=true")
    ok(got.status == 403 and got.json()["type"].endswith("approval-needed"), "removing an organisation with its data takes two", got)
    ask = {"kind": "organisation.remove", "org": "old-town", "reason": "merged"}
    check_allow_for_all(s, root, second)
    check_allow_entries(s, root, second)
    nobodys = check_nobodys_token(s, root, second, tid)
    asked = check_puppets(s, root)
    got = [second.call("POST", f"/api/v1/approvals/{a}/decision", {"approve": False, "reason": "no"}) for a in asked]
    ok([g.status for g in got] == [200] * len(asked), "another administrator decides on all of it", got)
    check_back(s, root, second)
    aid = root.call("POST", "/api/v1/approvals", ask).json()["id"]
    got = second.call("POST", f"/api/v1/approvals/{aid}/decision", {"approve": False, "reason": "not yet"})
    ok(got.status == 200 and got.json()["state"] == "refused" and
       s.http("GET", "/api/v1/organisations/old-town").status == 200, "refused: nothing happens", got)
    aid = root.call("POST", "/api/v1/approvals", ask).json()["id"]
    ok(second.call("POST", f"/api/v1/approvals/{aid}/decision", yes).status == 200, "approved")
    jobs = s.http("GET", "/api/v1/jobs").json()["items"]
    ok(any(j["kind"] == "org.purge" for j in jobs), "a job removes it", jobs)
    actions = [e["action"] for e in s.http("GET", "/api/v1/audit-log?limit=200").json()["items"]]
    ok({"approval.add", "approval.decide", "person.update", "credential.add"} <= set(actions), "all of it is in the audit log")
    return nobodys


def check_stale(s, root, program, nobodys):
    """Five minutes after the last proof: every dangerous thing asks for one first, whatever is asked."""
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    scopes = ["org:read", "org:write", "people:write", "grants:write", "approvals:write", "tokens:write"]
    token = root.call("POST", "/api/v1/me/tokens", {"name": "t", "scopes": scopes, "expires_at": expires}).json()["secret"]
    rows = [line.split("\t") for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()]
    dangerous = [(r[0], re.sub("{[^}]*}", "old-town", r[1]), r[2]) for r in rows if int(r[4]) & 64]
    db = sqlite3.connect(f"{s.data}/state/yagura.db", timeout=20)
    db.execute("UPDATE session SET step_up_until = 1")
    db.commit()
    db.close()

    def refused(got):
        return got.status == 403 and got.json()["type"] == "/doc/problems#step-up-needed"
    wrong = []
    for method, path, name in dangerous:
        body = None if method == "DELETE" else {}
        kind = {"If_Match": "*", **({"Content_Type": "application/merge-patch+json"} if method == "PATCH" else {})}
        if not refused(root.call(method, path, body, **kind)):
            wrong.append(name)
        if not refused(Browser(s).call(method, path, body, **kind, Authorization=f"Bearer {token}")):
            wrong.append(f"{name} by a token")
        if not refused(Browser(s).call(method, path, body, **kind, Authorization=f"Bearer {nobodys}")):
            wrong.append(f"{name} by a token of nobody's")
    ok(not wrong and len(dangerous) > 10, f"a stale session, and a token of one's own or nobody's, are asked to prove who it is: {len(dangerous)} operations", wrong)
    ok({"deleteOrganisation", "createGrant", "createToken", "decideApproval"} <= {name for _, _, name in dangerous}, "those that cannot be taken back among them")
    ok(root.call("GET", "/api/v1/organisations").status == 200, "reading does not")
    got = [root.call("PATCH", "/api/v1/organisations/asker", body, If_Match="*") for body in ({"parent": "empty"}, {"kind": "unit"}, {"title": "new"})]
    ok([refused(g) for g in got] == [True, True, False] and got[2].status == 200, "moving an organisation does, as rights move with it; naming it does not", got)
    scopes = ["org:read", "org:write"]
    free = s.http("POST", "/api/v1/tokens", {"org": None, "name": "mover", "scopes": scopes}).json()["secret"]
    ok(refused(s.https("PATCH", "/api/v1/organisations/asker", {"parent": "empty"}, token=free, If_Match="*")), "no token moves one")


with Server(sys.argv[1], without_store()) as server:
    root_ = Browser(server)
    ok(enrol(root_, setup_code(server), "root").status == 201, "the first administrator")
    check_passkeys(server, root_)
    check_access(server, root_)
    check_me(server, root_)
    check_people(server, root_)
    nobodys_ = check_approval(server, root_)
    check_stale(server, root_, sys.argv[2], nobodys_)
    check_last(server)
done()
