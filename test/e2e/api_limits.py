"""The HTTP doors under abuse: malformed requests, bodies too large, ten thousand
slow connections; and the live stream: resume, heartbeat, rights, a reader that
does not read.  Usage: api_limits.py YAGURA [CONNECTIONS]"""
import gzip
import json
import os
import resource
import socket
import ssl
import sys
import time

from harness import Server, bail, done, library, note, ok, until

SLOW = int(sys.argv[2]) if len(sys.argv) > 2 else 10000


def unix(server):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fd = os.open(os.path.join(server.data, "run"), os.O_PATH | os.O_DIRECTORY)
    s.connect(f"/proc/self/fd/{fd}/api.sock")
    os.close(fd)
    s.settimeout(20)
    return s


def tls(server):
    context = ssl.create_default_context(cafile=server.certificate())
    context.check_hostname = False
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), 20))


def raw(server, data, wait=5, to_end=False):
    """Sends bytes; what comes back until one whole answer, the end or a pause.
    to_end: until the server closes."""
    with unix(server) as s:
        s.settimeout(wait)
        out = b""
        try:
            s.sendall(data)
            while len(out) < 1 << 20:
                more = s.recv(65536)
                if not more:
                    break
                out += more
                if not to_end and b"\r\n\r\n" in out and b"chunked" not in out and data.endswith(b"\r\n\r\n"):
                    head, _, body = out.partition(b"\r\n\r\n")
                    want = [h for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")]
                    if want and len(body) >= int(want[0].split(b":")[1]):
                        break
        except OSError:
            pass
        return out


def status(answer):
    try:
        return int(answer.split(b" ", 2)[1])
    except (IndexError, ValueError):
        return 0


def malformed(s):
    long = b"a" * 9000
    cases = [
        ("no version", b"GET /livez\r\n\r\n", (0, 200, 400)),
        ("an unknown method", b"BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n", (405,)),
        ("no Host", b"GET /livez HTTP/1.1\r\n\r\n", (400,)),
        ("a target that is no path", b"GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404)),
        ("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", (204, 400, 404)),
        ("a target of 9000 bytes", b"GET /livez?" + long + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414,)),
        ("a head of 40000 bytes", b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + long * 5 + b"\r\n\r\n", (0, 400, 413, 431)),
        ("a bad escape", b"GET /livez?a=%4 HTTP/1.1\r\nHost: x\r\n\r\n", (400,)),
        ("a NUL in the path", b"GET /api/v1/alerts/a%00b HTTP/1.1\r\nHost: x\r\n\r\n", (400,)),
        ("invalid UTF-8", b"GET /api/v1/alerts?q=%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", (400,)),
        ("forty parameters", b"GET /livez?" + b"&".join(b"p%d=1" % i for i in range(40)) + b" HTTP/1.1\r\nHost: x\r\n\r\n", (400, 429)),
        ("a bad length", b"POST /api/v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", (0, 400)),
        ("a negative length", b"POST /api/v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", (0, 400)),
        ("a huge length", b"POST /api/v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
         b"Content-Length: 99999999999999\r\n\r\n", (413,)),
        ("a bad chunk", b"POST /api/v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
         b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", (0, 400)),
        ("two authorizations", b"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
         b"Authorization: Bearer b\r\n\r\n", (400,)),
        ("another scheme", b"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n", (401,)),
        ("a traversal", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", (404,)),
        ("a traversal, escaped", b"GET /api/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", (404,)),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, (0, 400)),
        ("10,000 levels of JSON", b"POST /api/v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
         b"Content-Length: 20000\r\n\r\n" + b"[" * 10000 + b"]" * 10000, (400,)),
    ]
    for what, data, wanted in cases:
        got = raw(s, data)
        ok(status(got) in wanted, f"{what}: {status(got)}", got[:400])
    half = unix(s)
    half.sendall(b"POST /api/v1/organisations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    half.close()
    ok(s.http("GET", "/livez").status == 200, "the server lives")
    two = raw(s, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 20, to_end=True)
    ok(two.count(b"HTTP/1.1 ") == 2, "two requests on one connection, the second sent early", two[:300])


def bodies(s):
    """Together no more than api.body_total_bytes, whatever the number of clients."""
    head = (b"POST /api/v1/events?source=zeek&org=one HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 15000000\r\n\r\n")
    more = head.replace(b"15000000", b"10000000")
    held = []
    for _ in range(2):
        c = unix(s)
        c.sendall(head + b"x" * 14900000)
        held.append(c)
    refused = until(lambda: status(raw(s, more, 3)) == 503, 10)
    ok(refused, "too many bytes of bodies in flight: 503")
    answer = raw(s, more, 3)
    ok(b"Retry-After:" in answer, "with Retry-After", answer[:300])
    for c in held:
        c.close()
    free = until(lambda: status(raw(s, more, 1)) in (0, 100), 10)
    ok(free is not None, "and they are given back")


def read_some(sock, wanted, seconds=10):
    out, end = b"", time.monotonic() + seconds
    sock.settimeout(1)
    while wanted not in out and time.monotonic() < end:
        try:
            more = sock.recv(65536)
        except (TimeoutError, socket.timeout):
            continue
        if not more:
            break
        out += more
    return out


def open_stream(s, token=None, last=None, topics=None, over=unix):
    c = over(s)
    path = "/api/v1/stream" + (f"?topics={topics}" if topics else "")
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if last:
        head += f"Last-Event-ID: {last}\r\n"
    c.sendall(head.encode() + b"\r\n")
    return c


def ids(text):
    return [line[4:].strip().decode() for line in text.split(b"\n") if line.startswith(b"id: ")]


def stream(s):
    s.http("POST", "/api/v1/organisations", {"name": "two"})
    tokens = {o: s.http("POST", "/api/v1/tokens", {"org": o, "name": "s", "scopes": ["stream:read", "jobs:read"]}).json()["secret"]
              for o in ("one", "two")}
    c = open_stream(s, topics="jobs")
    ok(b"retry: 3000" in read_some(c, b"retry: 3000"), "a stream opens")
    s.http("POST", "/api/v1/indicators/compile")
    first = read_some(c, b"done", 20)
    ok(b"event: jobs" in first and b'"change":"done"' in first, "a job is told of", first)
    last = ids(first)[0]
    c.close()
    again = open_stream(s, last=last, topics="jobs")
    rest = read_some(again, b"done", 10)
    ok(ids(rest) and last not in ids(rest) and b"event: gap" not in rest, "resumed behind the last id", rest)
    again.close()
    gap = open_stream(s, last="123-456")
    ok(b"event: gap" in read_some(gap, b"event: gap"), "an id that is not kept is told as a gap")
    gap.close()
    beat = open_stream(s)
    began = time.monotonic()
    ok(b": beat" in read_some(beat, b": beat", 20) and time.monotonic() - began > 10, "a heartbeat comes")
    beat.close()
    mine, theirs = open_stream(s, tokens["one"], over=tls), open_stream(s, tokens["two"], over=tls)
    read_some(mine, b"retry")
    read_some(theirs, b"retry")
    lid = s.http("POST", "/api/v1/indicator-lists", {"name": "own", "org": "one"}).json()["id"]
    s.http("POST", f"/api/v1/indicator-lists/{lid}/indicators?format=plain", "evil.example\n", Content_Type="text/plain")
    ok(b'"org":"one"' in read_some(mine, b"done", 15), "over TLS with a token")
    ok(b"event:" not in read_some(theirs, b"event:", 2), "another organisation hears nothing of it")
    mine.close()
    theirs.close()


def encodings(s):
    """gzip for who takes it, with its own ETag, never for a stream."""
    plain = s.http("GET", "/api/openapi.json")
    packed = s.http("GET", "/api/openapi.json", Accept_Encoding="br, gzip")
    ok(packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body,
       f"gzip: {len(plain.body)} -> {len(packed.body)} bytes", packed.headers)
    ok("Accept-Encoding" in plain.headers["Vary"] and "Accept-Encoding" in packed.headers["Vary"], "both say Vary")
    ok(plain.headers["Content-Encoding"] is None, "nobody asked, nothing packed")
    ok(s.http("GET", "/api/openapi.json", Accept_Encoding="gzip;q=0").headers["Content-Encoding"] is None, "q=0 is no")
    ok(s.http("GET", "/livez", Accept_Encoding="gzip").headers["Content-Encoding"] is None, "small answers go as they are")
    made = s.http("POST", "/api/v1/organisations", {"name": "long", "title": "櫓" * 200}).headers["ETag"]
    got = s.http("GET", "/api/v1/organisations/long", Accept_Encoding="gzip")
    ok(got.headers["ETag"] == made[:-1] + '-gzip"', "another representation has another ETag", (made, got.headers["ETag"]))
    done_ = s.http("PATCH", "/api/v1/organisations/long", {"title": "short"}, If_Match=got.headers["ETag"])
    ok(done_.status == 200, "which If-Match takes", done_)
    again = s.http("PATCH", "/api/v1/organisations/long", {"title": "other"}, If_Match=got.headers["ETag"])
    ok(again.status == 412, "once", again)
    c = unix(s)
    c.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
    head = read_some(c, b"retry: 3000")
    ok(b"retry: 3000" in head and b"Content-Encoding" not in head, "a stream is never packed", head)
    c.close()


def shown(s):
    """The certificate that a new connection sees."""
    return ssl.get_server_certificate(("127.0.0.1", s.port), timeout=20)


def certificates(s):
    """A renewed certificate by SIGHUP; a bad pair changes nothing."""
    folder, first, main_pid = os.path.join(s.data, "keys"), shown(s), s.main_pid()

    def read(name):
        with open(os.path.join(folder, name), "rb") as f:
            return f.read()

    def put(name, data):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)

    def shows(certificate):
        try:
            return shown(s).split() == certificate.decode().split()
        except OSError:  # center is being started again
            return False
    old = {name: read(name) for name in ("tls.crt", "tls.key")}
    for name in old:
        os.remove(os.path.join(folder, name))
    told = s.reload()  # makes a pair of its own, as at the first start
    new = read("tls.crt")
    ok(told and told["event"] == "conf.reloaded" and new != old["tls.crt"], "a new pair is taken", told)
    ok(until(lambda: shows(new), 60, 0.2), "new connections get the new certificate")
    ok(s.main_pid() == main_pid and not s.ended(), "the service was not started again")
    put("tls.crt", old["tls.crt"])  # without its key
    told = s.reload()
    ok(told and told["event"] == "conf.refused" and "tls.crt" in told["error"], "a certificate without its key is refused", told)
    ok(shows(new), "and the one in force stays")
    put("tls.key", old["tls.key"])
    told = s.reload()
    ok(told and told["event"] == "conf.reloaded", "the whole pair is taken", told)
    ok(until(lambda: shown(s) == first if shows(old["tls.crt"]) else False, 60, 0.2), "and shown")


def counts(s):
    text = s.http("GET", "/metrics").body.decode()
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in text.splitlines() if not line.startswith("#")}


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) // 1024


def slow(s):
    """Connections that send a byte now and then; others must be served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = min(SLOW, (hard if hard != resource.RLIM_INFINITY else 1 << 20) - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (want + 200, hard))
    if want < SLOW:
        note(f"only {want} descriptors here")
    pid, held, worst = s.pid("center"), [], 0.0
    before = resident(pid)
    address = ("127.0.0.1", s.port)
    for i in range(want):
        c = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        c.setblocking(False)
        c.connect_ex(address)
        held.append(c)
        if i % 250 == 249:
            began = time.monotonic()
            good = s.https("GET", "/livez").status == 200 and s.http("GET", "/livez").status == 200
            worst = max(worst, time.monotonic() - began)
            if not good:
                ok(False, f"answers with {i} slow connections")
                return
        if i % 10 == 0:
            try:
                c.send(b"\x16")  # the first byte of a TLS hello
            except OSError:
                pass
    ok(True, f"answers all the while {want} connections dawdle; slowest pair of requests {worst:.2f} s")
    ok(worst < 5, "without long waits")
    now = counts(s)
    note(f"open {now['yagura_http_connections_open']:.0f}, evicted {now['yagura_http_connections_evicted_total']:.0f}, "
         f"center {before} -> {resident(pid)} MiB")
    ok(resident(pid) < 1200, "within its memory")
    gone = until(lambda: counts(s)["yagura_http_connections_open"] < 50, 60, 1)
    ok(gone, "slow connections are closed by the server", counts(s))
    for c in held:
        c.close()
    ok(s.pid("center") == pid, "center is the same process")
    ok(s.https("GET", "/livez").status == 200, "and answers")


def main():
    conf = {"api": {"body_total_bytes": "32MiB"}}
    with Server(sys.argv[1], conf, wait=60 if library() else 0) as s:
        if not until(lambda: s.find_event("role.ready", ready="center"), 60):
            bail("center is not ready:\n" + s.log()[-3000:])
        s.http("POST", "/api/v1/organisations", {"name": "one"})
        malformed(s)
        bodies(s)
        stream(s)
        encodings(s)
        slow(s)
        certificates(s)
        crashed = s.events("role.crashed", crashed="center")
        ok(not crashed, "center never crashed", crashed)
    done()


main()
