"""A person's browser for end-to-end tests: cookies kept, the page's origin sent,
one-time codes computed."""
import base64
import hashlib
import hmac
import http.client
import json
import re
import ssl
import struct
import time
import urllib.parse

from harness import library

PASSWORD = "correct horse battery staple"


def without_store():
    """The configuration: where the engine cannot be loaded (sanitizers), events are
    said to go elsewhere; nothing here needs them."""
    return {} if library() else {"store": {"url": "http://127.0.0.1:9"}}


def totp(secret, at=None):
    """RFC 6238 by the standard library, so that it is not our own code that checks itself."""
    key = base64.b32decode(secret)
    step = int(time.time() if at is None else at) // 30
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[19] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Browser:
    def __init__(self, server, address="127.0.0.1"):
        self.server, self.address = server, address
        self.host = f"localhost:{server.port}"
        self.cookies = {}
        self.secret = None     # of the authenticator app
        self.used = set()      # codes it has shown already

    def connection(self, timeout=30):
        context = ssl.create_default_context(cafile=self.server.certificate())
        context.check_hostname = False
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, context=context, timeout=timeout,
                                           source_address=(self.address, 0))

    def headers(self, own):
        sent = {"Host": self.host, "Origin": f"https://{self.host}", "Sec-Fetch-Site": "same-origin",
                "User-Agent": "yagura-test/1"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        sent.update(own)
        return {k: v for k, v in sent.items() if v is not None}

    def call(self, method, path, body=None, **headers):
        own = {k.replace("_", "-"): v for k, v in headers.items()}
        if isinstance(body, (dict, list)):
            own.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        c = self.connection()
        try:
            c.request(method, path, body=body, headers=self.headers(own))
            r = c.getresponse()
            answer = Answer(r.status, r.headers, r.read())
        finally:
            c.close()
        for line in r.headers.get_all("Set-Cookie") or []:
            self.take_cookie(line)
        return answer

    def take_cookie(self, line):
        parts = [p.strip() for p in line.split(";")]
        name, value = parts[0].split("=", 1)
        flags = {p.lower() for p in parts[1:]}
        assert not name.startswith("__Host-") or {"secure", "path=/"} <= flags and not any(
            f.startswith("domain") for f in flags), line
        if "max-age=0" in flags:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def form(self, path, fields, **headers):
        return self.call("POST", path, urllib.parse.urlencode(fields),
                         Content_Type="application/x-www-form-urlencoded", **headers)

    def code(self):
        """A code of the app later than those used; the one of the next step is good too."""
        for shift in (0, 30):
            c = totp(self.secret, time.time() + shift)
            if c not in self.used:
                self.used.add(c)
                return c
        time.sleep(30 - time.time() % 30 + 0.1)
        return self.code()


def setup_code(server):
    """The code in the line that the first start prints."""
    found = re.findall(r"Set up Yagura within 30 minutes: https://localhost:\d+/setup\?code=([0-9A-Z]{32})", server.log())
    return found[-1] if found else None


def enrol(browser, code, login, name="山田 花子", password=PASSWORD):
    """By the JSON routes: a person with a password and one-time codes, signed in."""
    offered = browser.call("POST", "/api/v1/enrolment/options", {"code": code})
    if offered.status != 200:
        return offered
    browser.secret = offered.json()["totp"]["secret"]
    return browser.call("POST", "/api/v1/enrolment", {"code": code, "login": login, "name": name, "language": "ja",
                                                       "password": password, "totp": browser.code()})


# --- a passkey in software: an authenticator that checks its user and makes ES256 keys ---

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cbor(value):
    """As much of CBOR as an attestation needs."""
    def head(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        size, code = (1, 24) if n < 256 else (2, 25) if n < 65536 else (4, 26)
        return bytes([major << 5 | code]) + n.to_bytes(size, "big")
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


class Authenticator:
    def __init__(self, origin, rp_id="localhost"):
        from cryptography.hazmat.primitives.asymmetric import ec
        self.origin, self.rp_id, self.counter, self.flags = origin, rp_id, 0, 0x05
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), b""

    def client(self, kind_, challenge_, **over):
        return json.dumps({"type": kind_, "challenge": challenge_, "origin": self.origin, "crossOrigin": False, **over}).encode()

    def data(self, more=b"", flags=0):
        self.counter += 1
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([self.flags | flags]) + self.counter.to_bytes(4, "big") + more

    def sign(self, data):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def create(self, options, fmt="none", **client):
        import os
        n = self.key.public_key().public_numbers()
        self.id = os.urandom(32)
        cose = {1: 2, 3: -7, -1: 1, -2: n.x.to_bytes(32, "big"), -3: n.y.to_bytes(32, "big")}
        data = self.data(bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor(cose), 0x40)
        client_json = self.client("webauthn.create", options["publicKey"]["challenge"], **client)
        statement = {} if fmt == "none" else {"alg": -7, "sig": self.sign(data + hashlib.sha256(client_json).digest())}
        return {"challenge_id": options["challenge_id"],
                "credential": {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {},
                               "response": {"clientDataJSON": b64(client_json), "transports": ["internal"],
                                            "attestationObject": b64(cbor({"fmt": fmt, "attStmt": statement, "authData": data}))}}}

    def get(self, options, signature=None, **client):
        data = self.data()
        client_json = self.client("webauthn.get", options["publicKey"]["challenge"], **client)
        good = self.sign(data + hashlib.sha256(client_json).digest())
        return {"challenge_id": options["challenge_id"],
                "credential": {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {},
                               "authenticatorAttachment": "platform",
                               "response": {"clientDataJSON": b64(client_json), "authenticatorData": b64(data),
                                            "signature": b64(signature or good), "userHandle": None}}}
