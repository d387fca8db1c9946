"""The doors of role ingest: syslog over UDP, TCP (octet counting and newline) and
TLS, a line of 1 GB, bad bytes; a store that is away, a spool that is full."""

import os
import select
import socket
import ssl
import sys
import time

from harness import Server, bail, done, free_port, need_store, note, ok, until
from ingest_lib import Submit, delivered, dns, number, query, stats, submit

HUGE = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 30
need_store()

UDP, TCP, TLS = free_port(socket.SOCK_DGRAM), free_port(), free_port()
CONF = {"ingest": {"deliver": "100ms", "listeners": [
    {"name": "u1", "org": "acme", "protocol": "udp", "address": f"127.0.0.1:{UDP}", "source": "syslog"},
    {"name": "t1", "org": "beta", "protocol": "tcp", "address": f"127.0.0.1:{TCP}", "source": "syslog"},
    {"name": "s1", "org": "gamma", "protocol": "tls", "address": f"127.0.0.1:{TLS}", "source": "syslog"}]},
    "process": {"restart_max": "1s"}}


def line(i, tag):
    return b"<34>1 2026-11-22T02:00:00Z host1 %s - ID%d - message %d" % (tag.encode(), i, i)


def listener(server, name):
    for entry in (stats(server) or {}).get("listeners", []):
        if entry["name"] == name:
            return entry
    return {}


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    return s


def working_doors(s):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        for i in range(500):
            u.sendto(line(i, "udp"), ("127.0.0.1", UDP))
            if i % 50 == 49:
                time.sleep(0.02)
    ok(delivered(s, 500, 30, "sensor = 'u1'") == 500, "UDP: every datagram is an event")
    ok(query(s, "SELECT DISTINCT org FROM yagura.event WHERE sensor = 'u1'") == [["acme"]], "of the listener's organisation")

    with connect(TCP) as t:
        t.sendall(b"".join(line(i, "lf") + b"\n" for i in range(300)))
        counted = [line(i, "octet") + (b" with\nnewline" if i % 2 else b"") for i in range(300)]
        data = b"".join(b"%d " % len(m) + m for m in counted)
        for at in range(0, len(data), 777):  # frames cut anywhere
            t.sendall(data[at:at + 777])
        t.sendall(line(999, "unfinished"))
    ok(delivered(s, 601, 30, "sensor = 't1'") == 601, "TCP: octet counting, newlines and an unfinished last message")
    ok(number(s, "SELECT count() FROM yagura.event WHERE sensor = 't1' AND position(raw, 'with\\nnewline') > 0") == 150,
       "a counted message may hold a newline")

    context = ssl.create_default_context(cafile=s.certificate())
    context.check_hostname = False
    with context.wrap_socket(connect(TLS)) as t:
        note(t.version())
        for i in range(200):
            m = line(i, "tls")
            t.sendall(b"%d " % len(m) + m)
        t.unwrap()
    ok(delivered(s, 200, 30, "sensor = 's1'") == 200, "TLS: every message")
    with connect(TLS) as t:
        t.sendall(b"this is not TLS at all, but a long line of text\n" * 20)
        t.settimeout(10)
        try:
            while t.recv(4096):
                pass
            closed = True
        except ConnectionError:
            closed = True
        except TimeoutError:
            closed = False
    ok(closed and listener(s, "s1").get("tls_failed") == 1, "what is not TLS is closed and counted")
    with connect(TCP) as t:
        t.sendall(b"<13>\xff\xfe\xc0 bad utf-8\n")
    ok(delivered(s, 602, 20, "sensor = 't1'") == 602, "invalid bytes are an event too")


def huge_line(s):
    before = s.pid("ingest")
    block = b"<13>" + b"x" * (1 << 20)
    with connect(TCP) as t:
        sent = 0
        t.settimeout(60)
        while sent < HUGE:
            t.sendall(block[4:] if sent else block)
            sent += len(block)
        t.sendall(b"\n" + line(7, "after") + b"\n")
    ok(delivered(s, 604, 60, "sensor = 't1'") == 604, f"a line of {HUGE >> 20} MB: its head is kept, the next one follows")
    ok(listener(s, "t1").get("cut", 0) >= 1, "and it is counted as cut")
    rss = 0
    with open(f"/proc/{before}/status", encoding="ascii") as f:
        for row in f:
            rss = int(row.split()[1]) >> 10 if row.startswith("VmHWM") else rss
    ok(s.pid("ingest") == before and rss < 400, f"in bounded memory ({rss} MiB at most)")


def slow_connections(s):
    many = [connect(TCP) for _ in range(200)]
    for c in many:
        c.sendall(b"<13>half a mess")
    submit(s, dns(10), org="acme")
    ok(until(lambda: listener(s, "t1").get("connections", 0) >= 200, 10), "200 slow connections are held")
    for c in many:
        c.close()
    ok(delivered(s, 604 + 200, 30, "sensor = 't1'") == 804, "what they said is kept when they go")


def full(s):
    """The store is away; the spool fills to its bound."""
    body = dns(20000)
    taken, answer = 0, "OK"
    with Submit(s.data) as c:
        while answer == "OK" and taken < 100:
            answer, _ = c.send(body)
            taken += answer == "OK"
        small = "OK"  # what room is left for smaller ones is filled too
        for _ in range(200):
            small = c.send(dns(200))[0] if small == "OK" else small
    ok(answer == "LIMIT" and taken > 4, "a full spool tells center to come back", f"{answer} after {taken}")
    status, headers, text = s.http("POST", "/api/v1/events?org=acme&source=zeek&sensor=x", dns(200),
                                   Content_Type="application/x-ndjson")
    ok(status == 429 and int(headers.get("Retry-After", 0)) >= 1, "HTTP 429 with Retry-After", f"{status} {text[:300]}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        big = b"<13>" + b"d" * 60000
        for _ in range(400):
            u.sendto(big, ("127.0.0.1", UDP))
            time.sleep(0.001)
    entry = until(lambda: (lambda e: e if e.get("dropped", 0) + e.get("kernel_dropped", 0) > 0 else None)(listener(s, "u1")), 10) or {}
    ok(until(lambda: (lambda e: e["records"] + e["kernel_dropped"] >= 400)(listener(s, "u1")), 10) and entry,
       "UDP drops are counted", str(listener(s, "u1")))
    def metric():
        for row in s.http("GET", "/metrics").body.decode().splitlines():
            if "records_dropped" in row and not row.startswith("#"):
                return float(row.split()[-1])
        return 0
    ok(until(lambda: metric() > 0, 20, 0.5), "and shown at /metrics")
    code, out, _ = s.cli("doctor")
    ok(code == 3 and "dropped" in out, "and by doctor", f"{code} {out[:1500]}")
    with connect(TCP) as t:
        t.setblocking(False)
        sent, end = 0, time.monotonic() + 20
        row = (b"<13>" + b"t" * 60000 + b"\n") * 16
        while sent < 64 << 20 and time.monotonic() < end:
            if not select.select([], [t], [], 1)[1]:
                break
            sent += t.send(row)
        ok(sent < 40 << 20 and listener(s, "t1").get("waiting"), "TCP: nothing is read any more", f"{sent} bytes went in")
        dropped = listener(s, "t1").get("dropped")
        ok(dropped == 0, "and nothing is dropped", str(dropped))
    ok(s.find_event("ingest.spool_full"), "the log tells")
    s.kill("ingest")
    s.wait_event("role.ready", 20, count=2, ready="ingest")
    with Submit(s.data) as c:
        ok(c.send(b"x")[0] in ("LIMIT", "OK"), "after a restart it is as full")
    return taken


with Server(sys.argv[1], CONF) as s:
    working_doors(s)
    huge_line(s)
    slow_connections(s)
    ok(s.stop() == 0, "it drains")

away = dict(CONF)
away["store"] = {"url": "http://127.0.0.1:1"}
away["ingest"] = {**CONF["ingest"], "spool_bytes": "64MiB"}
data = None
with Server(sys.argv[1], away) as s:
    for org in ("acme", "beta", "gamma"):
        s.cli("org", "add", org)
    if s.pid("ingest") is None:
        bail("no worker")
    full(s)
    s.stop()
    os.unlink(s.log_path)
    s.over = {**CONF, "ingest": {**CONF["ingest"], "spool_bytes": "64MiB"}}
    s.start()
    ok(delivered(s, 20000 * 5, 60, "source = 'zeek'") >= 20000 * 5, "the store is back: what was taken arrives")
    ok(until(lambda: submit(s, dns(10), batch_id="again") is False, 20), "and there is room again")
    spool = stats(s)["spools"][0]
    ok(until(lambda: stats(s)["spools"][0]["bytes"] < spool["bytes_max"] // 2, 30), "the spool is emptied")
done()
