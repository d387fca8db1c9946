#!/usr/bin/env python3
"""The resolver's doors: DoT and DoH beside kdig, curl and nghttp; clients by name, token and
certificate; slow senders, ten thousand connections, rapid reset, wrong requests, rate limits
with slip, cookies over a restart, designated resolvers."""

import base64
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

from harness import done, free_port, ok, skip, until
from resolve_lib import Answer, Upstream, ask, exchange, query, read_tcp, resolver

binary = sys.argv[1]
TOKEN = "a-token-of-some-length-0123456789"
WWW = {("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")]}


def openssl(where, *words):
    subprocess.run(["openssl", *words], cwd=where, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Keys:
    """A server's certificate for dns.example and city.dns.example, an authority and a client of it."""

    def __enter__(self):
        self.dir = d = tempfile.mkdtemp(prefix="yagura-keys-")
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        openssl(d, "req", "-x509", *ec, "-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=dns.example",
                "-addext", "subjectAltName=DNS:dns.example,DNS:city.dns.example,IP:127.0.0.1")
        openssl(d, "req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=an authority")
        for name in ("client", "other"):
            openssl(d, "req", "-new", *ec[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(d, "x509", "-req", "-in", "client.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", "client.crt", "-days", "2")
        openssl(d, "x509", "-req", "-in", "other.csr", "-signkey", "other.key", "-out", "other.crt", "-days", "2")
        with open(f"{d}/client.crt", encoding="ascii") as f:
            import hashlib
            self.print = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
        with open(f"{d}/token", "w", encoding="ascii") as f:
            f.write(TOKEN + "\n")
        os.chmod(f"{d}/token", 0o600)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def __getattr__(self, name):
        return os.path.join(self.dir, name.replace("_", "."))


def doors(keys, dot, doh, clients=None, **more):
    tls = {"cert-file": keys.server_crt, "key-file": keys.server_key, "client-ca-file": keys.ca_crt}
    return {"dot": [{"address": f"127.0.0.1@{dot}", **tls}], "doh": [{"address": f"127.0.0.1@{doh}", **tls}],
            "clients": clients or ["127.0.0.0/8"], **more}


def tls(port, keys, name="dns.example", alpn=None, certificate=None, source="127.0.0.1", timeout=10):
    c = ssl.create_default_context(cafile=keys.server_crt)
    if name is None:
        c.check_hostname = False
    if alpn:
        c.set_alpn_protocols([alpn])
    if certificate:
        c.load_cert_chain(f"{keys.dir}/{certificate}.crt", f"{keys.dir}/{certificate}.key")
    s = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))
    return c.wrap_socket(s, server_hostname=name)


def dot_ask(s, name, ident=None):
    q = query(name, ident=ident)
    s.sendall(struct.pack(">H", len(q)) + q)
    got = read_tcp(s)
    return got and Answer(got)


def curl(keys, *words, name="dns.example", port=0, body=None):
    """Status, headers (lower case), body."""
    out = subprocess.run(["curl", "-s", "-i", "--http2", "--cacert", keys.server_crt, "--max-time", "20", "--resolve",
                          f"{name}:{port}:127.0.0.1", *words], input=body, capture_output=True, check=False).stdout
    head, _, rest = out.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0
    return status, dict((x.split(": ", 1) + [""])[:2] for x in map(str.lower, lines[1:])), rest


def wire(name, kind="A"):
    return query(name, kind, ident=0)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# --- DoT and DoH with others' clients ------------------------------------

def beside_peers(s, up, keys, dot, doh):
    up.answers.update({(f"n{i}.example.", "A"): [(f"n{i}.example.", "A", 60, f"198.51.100.{i}")] for i in range(100)})
    kdig = ["kdig", "@127.0.0.1", "+tls-ca=" + keys.server_crt, "+tls-hostname=dns.example", "+padding", "www.example."]
    out = subprocess.run([*kdig, "-p", str(dot), "+tls"], capture_output=True, text=True, check=False).stdout
    ok("192.0.2.1" in out and "NOERROR" in out, "kdig by DoT", out)
    out = subprocess.run([*kdig, "-p", str(doh), "+https=dns.example/dns-query"], capture_output=True, text=True,
                         check=False)
    ok("192.0.2.1" in out.stdout and "HTTP" in out.stdout, "kdig by DoH, POST", out.stdout + out.stderr)
    out = subprocess.run([*kdig, "-p", str(doh), "+https=dns.example/dns-query", "+https-get"], capture_output=True,
                         text=True, check=False)
    ok("192.0.2.1" in out.stdout, "kdig by DoH, GET", out.stdout + out.stderr)
    with tls(dot, keys, alpn="dot") as c:
        ok(c.selected_alpn_protocol() == "dot" and c.version() == "TLSv1.3", "DoT by its own protocol name, TLS 1.3")
        out = b""
        for i in range(100):
            q = query(f"n{i}.example.", ident=i)
            out += struct.pack(">H", len(q)) + q
        c.sendall(out)
        got = {}
        while len(got) < 100 and (msg := read_tcp(c)) is not None:
            got[Answer(msg).ident] = Answer(msg).values
        ok(got == {i: [f"198.51.100.{i}"] for i in range(100)}, "a hundred queries on one TLS connection", got)
        q = query("www.example.")
        for part in struct.pack(">H", len(q)) + q:
            c.sendall(bytes([part]))
        ok(Answer(read_tcp(c)).values == ["192.0.2.1"], "a query in single octets is put together")
    out = subprocess.run(["h2load", "-n", "300", "-c", "3", "-m", "20",
                          f"https://127.0.0.1:{doh}/dns-query?dns={b64(wire('www.example.'))}"],
                         capture_output=True, text=True, check=False).stdout
    ok("300 succeeded, 0 failed" in out, "h2load: three hundred requests, twenty at a time", out)


def https(s, keys, doh):
    url = f"https://dns.example:{doh}/dns-query"
    get, message = f"{url}?dns={b64(wire('www.example.'))}", "content-type: application/dns-message"
    status, head, body = curl(keys, get, port=doh)
    ok(status == 200 and head.get("content-type") == "application/dns-message" and Answer(body).values == ["192.0.2.1"],
       "GET: a DNS message", (status, head))
    age = int(head["cache-control"].partition("max-age=")[2])
    ok(0 < age <= 60 and "private" in head["cache-control"], "it is fresh as long as its smallest TTL, for this client",
       head.get("cache-control"))
    status, head, body = curl(keys, f"{url}?dns={b64(wire('nothing.example.'))}", port=doh)
    age = int(head.get("cache-control", "").partition("max-age=")[2] or -1)
    ok(status == 200 and Answer(body).rcode == "NXDOMAIN" and 0 <= age <= 30, "no such name is 200 too, fresh as its SOA says",
       (status, head))
    post = ["--data-binary", "@-", url]
    status, _, body = curl(keys, "-H", message, *post, port=doh, body=wire("www.example."))
    ok(status == 200 and Answer(body).values == ["192.0.2.1"], "POST", status)
    for words, body, want, what in (
            (["-H", "content-type: text/plain", *post], wire("www.example."), 415, "another content type"),
            (["-H", message, *post], b"\0" * 70000, 413, "a body longer than any message"),
            (["-H", message, *post], b"\0" * 5, 400, "a body that is no query"),
            ([url], None, 400, "GET without a query"),
            ([f"{url}?dns=AAA="], None, 400, "base64 with padding"),
            ([f"{url}?dns=%41%41"], None, 400, "escapes"),
            ([f"https://dns.example:{doh}/other"], None, 404, "another path"),
            ([f"https://dns.example:{doh}/dns-query2"], None, 404, "a longer path"),
            ([f"{url}?dns=" + "A" * 9000], None, 414, "a path that is too long"),
            (["-X", "PUT", get], None, 405, "another method"),
            (["-H", "host: other.example", get], None, 421, "another host than TLS was made for"),
            (["-H", "x: " + "y" * 20000, get], None, 431, "too many headers")):
        status, head, _ = curl(keys, *words, port=doh, body=body)
        ok(status == want, f"{what}: {want}", (status, head))
    status, _, body = curl(keys, get, port=doh)
    ok(status == 200 and Answer(body).values, "and it goes on")
    out = subprocess.run(["curl", "-s", "--http1.1", "-k", "--max-time", "5", get.replace("dns.example", "127.0.0.1")],
                         capture_output=True, check=False)
    ok(out.returncode != 0, "HTTP/1.1 is not spoken")


def padding(s, up, keys, dot, doh):
    """RFC 8467 4.1: answers in blocks of 468 octets to who pads, none to others, and none without encryption."""
    up.answers[("long.example.", "TXT")] = [("long.example.", "TXT", 60, c * 250) for c in "xy"]
    pad = struct.pack(">HH", 12, 7) + b"\0" * 7
    asked = [("www.example.", "A", 468), ("nothing.example.", "A", 468), ("long.example.", "TXT", 936)]

    def by_dot(q):
        with tls(dot, keys) as c:
            c.sendall(struct.pack(">H", len(q)) + q)
            return read_tcp(c)

    def by_doh(q):
        return curl(keys, "-H", "content-type: application/dns-message", "--data-binary", "@-", f"https://dns.example:{doh}/dns-query",
                    port=doh, body=q)[2]
    for what, send in (("DoT", by_dot), ("DoH", by_doh)):
        for name, kind, size in asked:
            got = send(query(name, kind, ident=0, options=pad))
            a = Answer(got)
            ok(len(got) == size and 12 in a.options and not a.options[12].strip(b"\0"),
               f"{what}: a padded query for {name} gets an answer of {size} octets", (len(got), a.options))
            got = send(query(name, kind, ident=0))
            ok(12 not in Answer(got).options and len(got) % 468, f"{what}: one without gets none", len(got))
    for tcp in (False, True):
        got = exchange(s.dns, query("www.example.", options=pad), tcp=tcp)
        ok(12 not in Answer(got).options and len(got) < 200, f"none without encryption, by {'TCP' if tcp else 'UDP'}", len(got))


def serving(keys):
    dot, doh = free_port(), free_port()
    with Upstream(WWW) as up, resolver(binary, up, doors(keys, dot, doh)) as s:
        beside_peers(s, up, keys, dot, doh)
        https(s, keys, doh)
        padding(s, up, keys, dot, doh)
        a = ask(s.dns, "_dns.resolver.arpa.", 64)
        text = b"".join(r[3] if isinstance(r[3], bytes) else str(r[3]).encode() for r in a.answers)
        ok(a.rcode == "NOERROR" and len(a.answers) == 2, "plain DNS tells of DoH and DoT", a.answers)
        ok(b"/dns-query{?dns}" in a.msg and b"\3dot" in a.msg and b"\2h2" in a.msg and
           struct.pack(">HHH", 3, 2, dot) in a.msg, "with protocol, port and path", text)
        ok(ask(s.dns, "_dns.dns.example.", 64).answers, "under the resolver's own name too")
        a = ask(s.dns, "resolver.arpa.", "A")
        ok(not a.answers and a.authority, "the zone itself is answered here", a.rcode)
        ok(s.stop() == 0, "it drains")


# --- who asks --------------------------------------------------------------

def who(keys):
    dot, doh = free_port(), free_port()
    clients = [{"dot-name": "City.dns.example", "org": "a-city"}, {"certificate": keys.print, "org": "a-bank"},
               {"doh-token-file": keys.token, "org": "a-school"}, {"prefix": "127.0.0.9/32"}]
    with Upstream(WWW) as up, resolver(binary, up, doors(keys, dot, doh, clients)) as s:
        def ended(c):
            """Within the time of an idle one, and long before it."""
            c.settimeout(2)
            try:
                return c.recv(100) == b""
            except ConnectionResetError:
                return True
            except OSError:
                return False

        def refused(a):
            return a and a.rcode == "REFUSED" and a.ede and a.ede[0] == 18
        with tls(dot, keys) as c:
            a = dot_ask(c, "www.example.")
            ok(refused(a), "a stranger by DoT is refused, and told so", a and (a.rcode, a.ede))
            ok(ended(c), "and the connection is ended")
        with socket.create_connection(s.dns, 5) as c:
            q = query("www.example.")
            c.sendall((struct.pack(">H", len(q)) + q) * 2)
            first = read_tcp(c)
            ok(first and refused(Answer(first)) and ended(c), "a stranger by TCP: one answer, and the connection is ended")
        with tls(doh, keys, alpn="h2") as c:
            path = f"/dns-query?dns={b64(wire('www.example.'))}".encode()
            c.sendall(PREFACE + frame(1, 5, 1, get_headers(path)))
            frames, closed = read_frames(c, 3)
            body = b"".join(x[3] for x in frames if x[0] == 0)
            ok(closed and refused(Answer(body)), "by DoH: the answer, and the connection is ended", [x[:3] for x in frames])
        with tls(dot, keys, source="127.0.0.9") as c:
            ok(all(dot_ask(c, "www.example.").values == ["192.0.2.1"] for _ in range(3)), "who is known may go on asking")
        with tls(dot, keys, "city.dns.example") as c:
            ok(dot_ask(c, "www.example.").values == ["192.0.2.1"], "known by the name that it asks for")
        with tls(dot, keys, certificate="client") as c:
            ok(dot_ask(c, "www.example.").values == ["192.0.2.1"], "known by its certificate")
        with tls(dot, keys, source="127.0.0.9") as c:
            ok(dot_ask(c, "www.example.").values == ["192.0.2.1"], "known by its address")
        try:
            with tls(dot, keys, certificate="other") as c:
                got = dot_ask(c, "www.example.")
        except (OSError, ValueError):
            got = None
        ok(got is None, "a certificate of somebody else's making is turned away", got)
        url = f"https://dns.example:{doh}/dns-query"
        for path, good, what in ((f"/{TOKEN}", True, "known by the token in the path"),
                                 ("", False, "without it a stranger"),
                                 (f"/{TOKEN[:-1]}x", False, "with another one too"),
                                 (f"/{TOKEN}x", False, "with a longer one too")):
            status, _, body = curl(keys, f"{url}{path}?dns={b64(wire('www.example.'))}", port=doh)
            a = Answer(body)
            ok(status == 200 and (a.values == ["192.0.2.1"] if good else refused(a)), what, (status, a.rcode, a.ede))
        status, _, _ = curl(keys, f"{url}/{TOKEN}/more?dns={b64(wire('www.example.'))}", port=doh)
        ok(status == 404, "a path below the token is none", status)
        a = ask(s.dns, "www.example.")
        ok(refused(a), "a stranger by UDP is refused")


# --- HTTP/2 by hand ---------------------------------------------------------

def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([127, len(value) - 127] if len(value) >= 127 else [len(value)]) + value


def get_headers(path):
    return b"\x82\x87" + literal(b":path", path) + literal(b":authority", b"dns.example")


def read_frames(c, seconds, enough=lambda frames: False):
    """(type, flags, stream, payload) until the connection ends, `enough`, or time is up."""
    frames, rest, end = [], b"", time.monotonic() + seconds
    closed = False
    while time.monotonic() < end and not enough(frames):
        c.settimeout(max(0.05, end - time.monotonic()))
        try:
            more = c.recv(65536)
        except (TimeoutError, socket.timeout):
            break
        except OSError:
            more = b""
        if not more:
            closed = True
            break
        rest += more
        while len(rest) >= 9 and len(rest) >= 9 + (n := int.from_bytes(rest[:3], "big")):
            frames.append((rest[3], rest[4], int.from_bytes(rest[5:9], "big") & 0x7fffffff, rest[9:9 + n]))
            rest = rest[9 + n:]
    return frames, closed


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)


def hostile_http(keys):
    dot, doh = free_port(), free_port()
    with Upstream(WWW) as up, resolver(binary, up, doors(keys, dot, doh, **{"tcp-idle": "1500ms"})) as s:
        path = f"/dns-query?dns={b64(wire('www.example.'))}".encode()
        with tls(doh, keys, alpn="h2") as c:
            c.sendall(PREFACE + frame(1, 5, 1, get_headers(path)))
            frames, _ = read_frames(c, 5, lambda f: any(x[0] == 0 and x[1] & 1 for x in f))
            body = b"".join(x[3] for x in frames if x[0] == 0)
            ok(body and Answer(body).values == ["192.0.2.1"], "HTTP/2 by hand is answered", frames)
            settings = [x[3] for x in frames if x[0] == 4 and not x[1]]
            ok(settings and struct.pack(">HI", 3, 100) in settings[0], "a hundred requests at a time are allowed")
        up.silent = True
        with tls(doh, keys, alpn="h2") as c:
            out = PREFACE
            for i in range(2000):
                lost = f"/dns-query?dns={b64(wire(f'r{i}.example.'))}".encode()
                out += frame(1, 5, 2 * i + 1, get_headers(lost)) + frame(3, 0, 2 * i + 1, struct.pack(">I", 8))
            try:
                c.sendall(out)
            except OSError:
                pass
            frames, closed = read_frames(c, 8, lambda f: any(x[0] == 7 for x in f))
            away = [x for x in frames if x[0] == 7]
            ok(away or closed, "rapid reset ends the connection", [x[:3] for x in frames][-3:])
        asked = len({n for n, _ in up.asked if n.startswith("r")})
        ok(asked <= 130, "and few of its queries went on", asked)
        up.silent = False
        with tls(doh, keys, alpn="h2") as c:
            begin = time.monotonic()
            c.sendall(PREFACE + frame(1, 4, 1, b"\x83\x87" + literal(b":path", b"/dns-query") +
                                      literal(b":authority", b"dns.example") +
                                      literal(b"content-type", b"application/dns-message")))
            closed = False
            while not closed and time.monotonic() - begin < 8:
                try:
                    c.sendall(frame(0, 0, 1, b"\0"))
                except OSError:
                    closed = True
                _, gone = read_frames(c, 0.3)
                closed = closed or gone
            ok(closed and time.monotonic() - begin < 6, "a body octet by octet: closed when it takes too long",
               time.monotonic() - begin)
        with tls(doh, keys, alpn="h2") as c:
            c.sendall(b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100)
            _, closed = read_frames(c, 5)
            ok(closed, "what is no HTTP/2 is closed")
        for port, what in ((dot, "DoT"), (doh, "DoH")):
            with socket.create_connection(("127.0.0.1", port), 5) as c:
                begin = time.monotonic()
                c.settimeout(8)
                c.sendall(b"\x16\x03\x01")
                try:
                    gone = c.recv(100) == b""
                except OSError:
                    gone = time.monotonic() - begin < 8
                ok(gone, f"{what}: a handshake that never comes is closed")
        with socket.create_connection(("127.0.0.1", dot), 5) as c:
            c.sendall(os.urandom(500))
            c.settimeout(5)
            try:
                while c.recv(1000):
                    pass
                gone = True
            except ConnectionResetError:
                gone = True
            except OSError:
                gone = False
            ok(gone, "noise in place of TLS is closed")
        with tls(doh, keys, alpn="h2") as c:
            c.sendall(PREFACE + frame(1, 5, 1, get_headers(path)))
            frames, _ = read_frames(c, 5, lambda f: any(x[0] == 0 and x[1] & 1 for x in f))
            ok(any(x[0] == 0 for x in frames), "others are served all the while")


# --- many connections ---------------------------------------------------------

def memory(s):
    """KiB of the resolver's processes."""
    total = 0
    for e in s.events("role.started", started="resolve"):
        try:
            with open(f"/proc/{e['process']}/status", encoding="ascii") as f:
                total += next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
        except OSError:
            pass
    return total


def ten_thousand():
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 11000:
        skip("ten thousand connections", f"only {hard} descriptors are allowed here")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    with Upstream(WWW) as up, resolver(binary, up, {"tcp-per-client": 20000, "tcp-clients": 12000,
                                                    "tcp-idle": "60s"}) as s:
        ask(s.dns, "www.example.")
        before, cs = memory(s), []
        for i in range(10000):
            c = socket.socket()
            c.bind((f"127.0.0.{2 + i % 200}", 0))
            c.connect(s.dns)
            cs.append(c)
        q = query("www.example.")
        begin = time.monotonic()
        for c in cs:
            c.sendall(struct.pack(">H", len(q)) + q + struct.pack(">H", 60000) + b"\0" * 20)
        good = 0
        for c in cs:
            c.settimeout(20)
            got = read_tcp(c)
            good += got is not None and Answer(got).values == ["192.0.2.1"]
        ok(good == 10000, f"ten thousand connections, each answered ({time.monotonic() - begin:.1f}s)", good)
        grown = memory(s) - before
        ok(grown < 60000, f"and each costs little: {grown / 10000:.1f} KiB", grown)
        a = ask(s.dns, "www.example.")
        ok(a and a.values, "by UDP it answers meanwhile")
        for c in cs:
            c.close()
    with Upstream(WWW) as up, resolver(binary, up, {"tcp-per-client": 5}) as s:
        cs = [socket.create_connection(s.dns, 5) for _ in range(8)]
        served = 0
        for c in cs:
            c.settimeout(3)
            try:
                c.sendall(struct.pack(">H", len(q)) + q)
                served += read_tcp(c) is not None
            except OSError:
                pass
            c.close()
        ok(served == 5, "five connections of one address, no more", served)


# --- rate limits and cookies -----------------------------------------------------

def cookie_of(s):
    a = ask(s.dns, "www.example.", options=struct.pack(">HH", 10, 8) + b"clientck")
    got = a.options.get(10)
    return got[0] if isinstance(got, list) else got


def rates():
    with Upstream(WWW) as up, resolver(binary, up, {"rate-limit": 20, "rate-limit-slip": 4}) as s:
        ask(s.dns, "www.example.")
        cookie = cookie_of(s)
        ok(cookie and len(cookie) == 24, "a server cookie is given", cookie)
        time.sleep(1.1)
        full = cut = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.settimeout(0.7)
            for i in range(200):
                c.sendto(query("www.example.", ident=i), s.dns)
            try:
                while True:
                    a = Answer(c.recv(4096))
                    cut += a.tc
                    full += not a.tc and a.values == ["192.0.2.1"]
            except (TimeoutError, socket.timeout):
                pass
        ok(19 <= full <= 30, "twenty a second are answered", full)
        ok(35 <= cut <= 50, "one in four of the others slips, truncated", cut)
        got = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.settimeout(2)
            for i in range(60):
                c.sendto(query("www.example.", options=struct.pack(">HH", 10, 24) + cookie), s.dns)
                try:
                    got += Answer(c.recv(4096)).values == ["192.0.2.1"]
                except (TimeoutError, socket.timeout):
                    pass
        ok(got == 60, "who shows a cookie of ours is not limited", got)
        a = ask(s.dns, "www.example.", tcp=True)
        ok(a and a.values, "nor is TCP")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.settimeout(3)
            c.bind(("127.1.2.3", 0))
            c.sendto(query("www.example."), s.dns)
            ok(Answer(c.recv(4096)).values == ["192.0.2.1"], "another network has its own allowance")
        pids = [e["process"] for e in s.events("role.started", started="resolve")]
        os.kill(pids[0], 9)
        until(lambda: len(s.events("role.started", started="resolve")) > len(pids), 10)
        until(lambda: exchange(s.dns, query("www.example."), 0.3, True), 10)
        got = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.settimeout(3)
            for i in range(40):
                c.sendto(query("www.example.", options=struct.pack(">HH", 10, 24) + cookie), s.dns)
                try:
                    got += bool(Answer(c.recv(4096)).values)
                except (TimeoutError, socket.timeout):
                    pass
        ok(got == 40, "the cookie is good after a restart", got)


def wrong_configuration(keys):
    from harness import Server
    bad = os.path.join(keys.dir, "bad-token")
    with open(bad, "w", encoding="ascii") as f:
        f.write("short\n")
    os.chmod(bad, 0o600)
    for client, want in (({"certificate": "zz"}, "SHA-256"), ({"doh-token-file": bad}, "doh-token-file")):
        port = free_port()
        s = Server(binary, {"api": None, "store": None,
                            "resolve": {"listen": [f"127.0.0.1@{port}"], "clients": [client]}}, only="resolve", wait=0)
        with s:
            until(lambda s=s, want=want: want in s.log() or s.find_event("serve.ready"), 60)
            ok(want in s.log() and not s.find_event("serve.ready"), f"refused with its reason: {want}", s.log()[-600:])


with Keys() as k:
    serving(k)
    who(k)
    hostile_http(k)
    ten_thousand()
    rates()
    wrong_configuration(k)
done()
