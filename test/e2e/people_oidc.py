"""Signing in by an OpenID Connect provider: a faithful one on loopback, then one
that errs in every way that matters."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

from harness import Server, done, ok, skip_all, until
from people_lib import Browser, b64, enrol, setup_code, without_store

try:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
except ImportError:
    skip_all("python3-cryptography is not installed")


def number(n):
    return b64(n.to_bytes((n.bit_length() + 7) // 8, "big"))


class Provider(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.codes, self.err, self.asked, self.hang, self.place = {}, "", [], None, ""
        self.user = {"sub": "u-1", "email": "taro@example.jp", "email_verified": True}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keys(self):
        if self.err == "key-letters":  # libcjose asserts on such
            return {"keys": [{"kty": "RSA", "kid": "r1", "n": "AAAAA", "e": "*"}]}
        n, e = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        return {"keys": [{"kty": "RSA", "kid": "r1", "use": "sig", "n": number(n.n), "e": number(n.e)},
                         {"kty": "EC", "kid": "e1", "crv": "P-256", "x": b64(e.x.to_bytes(32, "big")), "y": b64(e.y.to_bytes(32, "big"))}]}

    def authorize(self, url):
        """What the provider does once the user has agreed: a code for this request."""
        q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert q["response_type"] == "code" and q["code_challenge_method"] == "S256" and "openid" in q["scope"], q
        code = b64(os.urandom(16))
        self.codes[code] = q
        return code, q

    def token(self, q):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": q["client_id"], "nonce": q["nonce"], "iat": now, "exp": now + 300, **self.user}
        alg, kid, key = "RS256", "r1", self.rsa
        if self.err == "issuer":
            claims["iss"] = "http://evil.example"
        elif self.err == "audience":
            claims["aud"] = "somebody-else"
        elif self.err == "audiences":
            claims["aud"] = [q["client_id"], "somebody-else"]
        elif self.err == "nonce":
            claims["nonce"] = "another"
        elif self.err == "expired":
            claims.update(iat=now - 400, exp=now - 120)
        elif self.err == "old":
            claims.update(iat=now - 4000)
        elif self.err == "critical":
            pass
        elif self.err == "nobody":
            claims["sub"] = ""
        elif self.err == "key":
            key = self.other
        elif self.err == "kid":
            kid = "r9"
        elif self.err in ("none", "HS256"):
            alg = self.err
        elif self.err in ("ES256", "PS256"):
            alg, kid, key = (self.err, "e1", self.ec) if self.err == "ES256" else (self.err, "r1", self.rsa)
        extra = {"crit": ["exp"], "exp": 1} if self.err == "critical" else {}
        text = b64(json.dumps({"alg": alg, "kid": kid, "typ": "JWT", **extra}).encode()) + "." + b64(json.dumps(claims).encode())
        if alg == "none":
            return text + "."
        if alg == "HS256":  # the public key as a shared secret
            return text + "." + b64(hmac.new(json.dumps(self.keys()).encode(), text.encode(), hashlib.sha256).digest())
        if alg == "ES256":
            r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            return text + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        pad = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if alg == "PS256" else padding.PKCS1v15()
        sig = key.sign(text.encode(), pad, hashes.SHA256())
        if self.err == "signature":
            sig = bytes([sig[0] ^ 1]) + sig[1:]
        return text + "." + b64(sig) + ("A" * (5 - len(b64(sig)) % 4) if self.err == "letters" else "")


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        p = self.server
        p.asked.append(self.path)
        if self.path == "/.well-known/openid-configuration":
            if p.hang is not None:
                p.hang.wait(20)
            elsewhere = "http://localhost:1" if p.err == "elsewhere" else p.issuer
            self.answer(200, {"issuer": "http://evil.example" if p.err == "discovery" else p.issuer,
                              "authorization_endpoint": p.place or p.issuer + "/authorize", "token_endpoint": elsewhere + "/token",
                              "jwks_uri": p.issuer + "/jwks"})
        elif self.path == "/jwks":
            self.answer(200, p.keys())
        else:
            self.answer(404, {})

    def do_POST(self):
        p = self.server
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        q = p.codes.pop(form.get("code"), None)
        made = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (q is None or form.get("client_secret") != "s3cret" or made != q["code_challenge"] or
                form.get("redirect_uri") != q["redirect_uri"] or form.get("grant_type") != "authorization_code"):
            self.answer(400, {"error": "invalid_grant"})
        else:
            self.answer(200, {"access_token": "x", "token_type": "Bearer", "id_token": p.token(q)})

    def log_message(self, *_):
        pass


def begin(s, b, next_="/alerts"):
    got = b.call("GET", "/oidc/start?provider=test&next=" + urllib.parse.quote(next_), Sec_Fetch_Site="same-origin")
    return got, got.headers.get("Location", "")


def finish(b, code, state, **more):
    # the browser comes from the provider's site: strict cookies are not sent, the lax one is
    return b.call("GET", "/oidc/callback?" + urllib.parse.urlencode({"code": code, "state": state, **more}),
                  Sec_Fetch_Site="cross-site", Origin=None)


def round_trip(s, p, b=None):
    b = b or Browser(s)
    got, url = begin(s, b)
    if got.status != 303:
        return b, got
    code, q = p.authorize(url)
    return b, finish(b, code, q["state"])


def check_attacks(s, p, root):
    """What somebody tries who has one provider, one administrator, or only the network."""
    b = Browser(s)
    _, url = begin(s, b)
    code, q = p.authorize(url)
    kept = dict(b.cookies)
    ok(finish(b, code, q["state"], iss="https://other.example").status == 401, "an answer of another provider (RFC 9207) is refused")
    b.cookies = kept
    _, url = begin(s, b)
    code, q = p.authorize(url)
    ok(finish(b, code, q["state"], iss=p.issuer).status == 200, "one that says it is of this one is taken")
    for place in ("http://evil.example/authorize", "javascript:alert(1)", p.issuer + "/a\r\nSet-Cookie: x=y", p.issuer + "/a b", "/authorize"):
        p.place = place
        got, _ = begin(s, Browser(s))
        ok(got.status == 401 and "Location" not in got.headers and "x=y" not in str(got.headers), f"it sends nobody to {place!r}", got)
    p.place = ""
    page = Browser(s).call("GET", "/oidc/callback?code=x&state=y", Accept="text/html", Accept_Language="ja", Sec_Fetch_Site="cross-site")
    ok(page.status == 401 and "サインインできませんでした" in page.text() and 'href="/signin"' in page.text(), "a browser gets a page that says so", page)
    # by a mail address one would become the other administrator, and one's own second person
    made = root.call("POST", "/api/v1/people", {"login": "second", "name": "二人目", "email": "second@example.jp"}).json()
    ok(root.call("POST", "/api/v1/grants", {"person": made["id"], "role": "administrator", "node": None, "reason": "x"}).status == 201, "a second administrator, by a grant")
    p.user = {"sub": "u-2", "email": "second@example.jp", "email_verified": True}
    ok(round_trip(s, p)[1].status == 200, "comes in by the provider")
    def change(body):
        now = root.call("GET", f"/api/v1/people/{made['id']}")
        return root.call("PATCH", f"/api/v1/people/{made['id']}", body, If_Match=now.headers["ETag"])
    got = change({"email": "root@example.jp"})
    ok(got.status == 403, "an administrator's mail address is not another's to change", got)
    ok(change({"name": "二人目の管理者"}).status == 200, "a name is")
    got = root.call("POST", f"/api/v1/people/{made['id']}/enrolment", {})
    ok(got.status == 403, "nor is there a code for who is administrator by a grant", got)
    p.user = {"sub": "u-3", "email": "gone@example.jp", "email_verified": True}
    gone = root.call("POST", "/api/v1/people", {"login": "gone", "name": "去", "email": "gone@example.jp"}).json()
    now = root.call("GET", f"/api/v1/people/{gone['id']}")
    root.call("PATCH", f"/api/v1/people/{gone['id']}", {"state": "disabled"}, If_Match=now.headers["ETag"])
    b, got = round_trip(s, p)
    ok(got.status == 401 and "__Host-yagura" not in b.cookies, "who is disabled is not linked and does not come in", got)
    p.user = {"sub": "u-1", "email": "taro@example.jp", "email_verified": True}
    # a provider that hangs holds up its own, and nothing else
    p.hang = threading.Event()
    got = []
    threads = [threading.Thread(target=lambda i=i: got.append(begin(s, Browser(s, f"127.0.2.{i // 4 + 1}"))[0].status)) for i in range(12)]
    for t in threads:
        t.start()
    until(lambda: got.count(429) >= 9, 8)
    began = time.monotonic()
    ok(got.count(429) == 9 and root.call("GET", "/api/v1/organisations").status == 200 and time.monotonic() - began < 2,
       "a provider that hangs takes three places, and the rest goes on", got)
    p.hang.set()
    for t in threads:
        t.join(30)
    p.hang = None
    ok(sorted(got) == [303] * 3 + [429] * 9, "who waited comes through", got)


def check(s, p):
    root = Browser(s)
    ok(enrol(root, setup_code(s), "root").status == 201, "the first administrator")
    ok("/oidc/start?provider=test" in Browser(s).call("GET", "/signin").text(), "the sign-in page offers the provider")
    b, got = round_trip(s, p)
    ok(got.status == 401 and "__Host-yagura" not in b.cookies, "somebody nobody knows does not come in", got)
    root.call("POST", "/api/v1/people", {"login": "taro", "name": "太郎", "email": "Taro@example.jp"})
    p.user["email_verified"] = False
    ok(round_trip(s, p)[1].status == 401, "nor by a mail address that was not verified")
    p.user["email_verified"] = True
    b, got = round_trip(s, p)
    ok(got.status == 200 and 'content="0;url=/alerts"' in got.text(), "a person with that verified address does", got)
    me = b.call("GET", "/api/v1/session")
    ok(me.json()["person"]["login"] == "taro" and me.json()["session"]["method"] == "oidc", "as that person", me)
    ok("__Host-yagura-oidc" not in b.cookies, "the cookie of the flow is gone", b.cookies)
    p.user["email"] = "changed@example.jp"
    ok(round_trip(s, p)[1].status == 200, "from then on by the subject, whatever the address")
    for err in ("ES256", "PS256"):
        p.err = err
        ok(round_trip(s, p)[1].status == 200, f"{err} is taken")
    for err in ("issuer", "audience", "audiences", "nonce", "expired", "old", "nobody", "key", "kid", "signature", "critical", "letters", "key-letters", "none", "HS256",
                "discovery", "elsewhere"):
        p.err = err
        b, got = round_trip(s, p)
        ok(got.status in (401, 403) and "__Host-yagura" not in b.cookies, f"refused: {err}", got)
    p.err = ""
    b = Browser(s)
    _, url = begin(s, b)
    code, q = p.authorize(url)
    thief = Browser(s)
    ok(finish(thief, code, q["state"]).status == 401, "another browser cannot finish it")
    begin(s, thief)
    ok(finish(thief, code, q["state"]).status == 401, "not with a flow of its own either")
    ok(finish(b, code, q["state"] + "x").status == 401, "nor with another state")
    begin(s, b)
    b2 = Browser(s)
    _, url = begin(s, b2)
    code, q = p.authorize(url)
    kept = dict(b2.cookies)
    ok(finish(b2, code, q["state"]).status == 200, "the browser that began can")
    again = Browser(s)
    again.cookies = kept
    code, _ = p.authorize(url)
    ok(finish(again, code, q["state"]).status == 401, "once")
    ok(begin(s, Browser(s), "//evil.example")[0].status == 303, "a foreign place to go to is left out")
    b3 = Browser(s)
    _, url = begin(s, b3, "//evil.example")
    code, q = p.authorize(url)
    ok("evil" not in finish(b3, code, q["state"]).text(), "it is not gone to")
    ok(Browser(s).call("GET", "/oidc/start?provider=none").status == 404, "no such provider")
    check_attacks(s, p, root)
    actions = [e["action"] for e in s.http("GET", "/api/v1/audit-log?limit=200").json()["items"]]
    ok("credential.add" in actions and actions.count("session.refuse") > 10, "it is in the audit log")
    p.shutdown()
    p.server_close()
    ok(begin(s, Browser(s))[0].status == 503, "a provider that is away is said to be")
    ok(s.roles("center") and s.http("GET", "/livez").status == 200, "center goes on")


provider = Provider()


def secret(server):
    path = os.path.join(server.temp, "secret")
    with open(path, "w", encoding="ascii") as f:
        f.write("s3cret\n")
    os.chmod(path, 0o600)
    server.over = {**without_store(), "session": {"providers": [
        {"name": "test", "issuer": provider.issuer, "client_id": "yagura", "client_secret_file": path}]}}
    server.write_conf()


with Server(sys.argv[1], before=secret) as server_:
    check(server_, provider)
done()
