"""dnstap in: unbound tells role ingest of its answers by Unix socket, TCP and TLS;
fstrm_replay plays a file; then senders that lie, stall and flood."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from dnstap_lib import ACCEPT, CONTENT, FINISH, READY, START, STOP, Unbound, client_response, control, data, frames, hear
from harness import ROOT, Server, done, free_port, need_store, note, ok, until
from ingest_lib import delivered, number, query, stats
from resolve_lib import ask

need_store()

TCP, TLS = free_port(), free_port()
SAMPLE = os.path.join(ROOT, "test/fuzz/dnstap.corpus/file")


def conf(folder):
    return {"ingest": {"deliver": "100ms", "listeners": [
        {"name": "u1", "org": "acme", "protocol": "unix", "path": os.path.join(folder, "dnstap.sock"), "source": "dnstap"},
        {"name": "t1", "org": "beta", "protocol": "tcp", "address": f"127.0.0.1:{TCP}", "source": "dnstap"},
        {"name": "s1", "org": "gamma", "protocol": "tls", "address": f"127.0.0.1:{TLS}", "source": "dnstap"}]}}


def listener(server, name):
    for entry in (stats(server) or {}).get("listeners", []):
        if entry["name"] == name:
            return entry
    return {}


def member(s, lines, sensor, org):
    with Unbound(lines) as u:
        until(lambda: listener(s, sensor).get("connections", 0) > 0, 20)
        for i in range(20):
            ask(("127.0.0.1", u.port), "www.example." if i % 2 else f"n{i}.example.")
        seen = until(lambda: number(s, f"SELECT count() FROM yagura.event WHERE sensor = '{sensor}'") >= 20, 20, 0.2)
        if not seen:
            note(u.log().decode(errors="replace")[-1500:])
    rows = query(s, "SELECT org, source, query, rcode, count() FROM yagura.event WHERE "
                    f"sensor = '{sensor}' AND class_uid = 4003 AND host = 'member-ns' "
                    "GROUP BY org, source, query, rcode ORDER BY query") or []
    ok(len(rows) == 11 and rows[-1] == [org, "dnstap", "www.example", "NOERROR", "10"] and rows[0][3] == "NXDOMAIN",
       f"unbound by {sensor}: each answer is an event of the listener's organisation", str(rows))


def unbounds(s, folder):
    member(s, ["dnstap-bidirectional: yes", f'dnstap-socket-path: "{folder}/dnstap.sock"'], "u1", "acme")
    member(s, ["dnstap-bidirectional: yes", f'dnstap-ip: "127.0.0.1@{TCP}"', "dnstap-tls: no"], "t1", "beta")
    member(s, ["dnstap-bidirectional: yes", f'dnstap-ip: "127.0.0.1@{TLS}"', "dnstap-tls: yes",
               'dnstap-tls-server-name: "localhost"', f'dnstap-tls-cert-bundle: "{s.certificate()}"'], "s1", "gamma")
    ok(listener(s, "s1").get("tls_failed") == 0, "TLS with a certificate that unbound checks")


def replay(s):
    before = number(s, "SELECT count() FROM yagura.event WHERE sensor = 't1'")
    run = subprocess.run(["fstrm_replay", "-t", CONTENT.decode(), "-r", SAMPLE, "-a", "127.0.0.1", "-p", str(TCP)],
                         capture_output=True, timeout=30, check=False)
    with open(SAMPLE, "rb") as f:
        sent = len(frames(f.read())[0])
    ok(run.returncode == 0 and delivered(s, before + sent, 20, "sensor = 't1'") == before + sent,
       "fstrm_replay: every frame of a file", run.stderr.decode())
    code, out, err = s.cli("event", "normalize", "--source", "dnstap", SAMPLE)
    ok(code == 0 and out.count('"class_uid":4003') == sent, "the same file offline", err)
    return before + sent


def connect(port=TCP):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def frame_of_sample():
    with open(SAMPLE, "rb") as f:
        return frames(f.read())[0][0]


def finished(s, have):
    frame = data(frame_of_sample())
    with connect() as c:
        c.sendall(control(READY))
        ok(hear(c) == ACCEPT, "READY is answered with ACCEPT")
        c.sendall(control(START) + frame * 5000 + control(STOP))
        ok(hear(c) == FINISH, "STOP with FINISH")
    kept = sum(os.path.getsize(os.path.join(top, f)) for top, _, names in os.walk(os.path.join(s.data, "spool")) for f in names)
    ok(kept > 0, "then the frames are on disk")
    ok(delivered(s, have + 5000, 30, "sensor = 't1'") == have + 5000, "5,000 frames at once, none lost, none twice")
    with connect() as c:
        c.sendall(control(START) + frame * 10)
    ok(delivered(s, have + 5010, 20, "sensor = 't1'") == have + 5010, "one way only, and gone without a word: kept")
    return have + 5010


def hostile(s, have):
    broken = listener(s, "t1").get("broken", 0)
    with connect() as c:
        c.sendall(control(READY, b"protobuf:other"))
        ok(hear(c) is None, "another content type is closed")
    with connect() as c:
        c.sendall(control(READY) + control(START))
        hear(c)
        c.sendall(b"\xff\xff\xff\xff" + b"x" * 1000)
        ok(hear(c) is None, "a frame of 4 GB is closed")
    with connect() as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        ok(hear(c) is None, "another protocol is closed")
    ok(until(lambda: listener(s, "t1").get("broken", 0) == broken + 3, 5), "all three are counted")
    with connect() as c:
        c.sendall(control(START) + data(b"x" * 300000) + data(b"nonsense") + data(frame_of_sample()))
        ok(delivered(s, have + 2, 20, "sensor = 't1'") == have + 2, "what cannot be read is kept, the next one read")
    ok(number(s, "SELECT count() FROM yagura.event WHERE sensor = 't1' AND parse_error != '' AND raw = 'nonsense'") == 1,
       "raw, with the reason")
    ok(listener(s, "t1").get("dropped", 0) == 1, "a frame over the limit is dropped and counted")
    slow = [connect() for _ in range(300)]
    for c in slow:
        c.sendall(control(START) + b"\0\3\0\0half")
    ok(until(lambda: listener(s, "t1").get("connections", 0) >= 300, 10), "300 senders of half a frame are held")
    with open(f"/proc/{s.pid('ingest')}/status", encoding="ascii") as f:
        rss = [int(row.split()[1]) >> 10 for row in f if row.startswith("VmRSS")][0]
    ok(rss < 400, f"in bounded memory ({rss} MiB)")
    for c in slow:
        c.close()
    ok(until(lambda: listener(s, "t1").get("connections", 1) == 0, 10), "and gone when they go")
    context = ssl.create_default_context(cafile=s.certificate())
    context.check_hostname = False
    with context.wrap_socket(connect(TLS)) as c:
        c.sendall(control(READY) + control(START) + data(frame_of_sample()) + control(STOP))
        ok(hear(c) == ACCEPT and hear(c) == FINISH, "the same words over TLS")


def alerts(s):
    """What a member's resolver tells is in the overview, the live log and alerts as what ours does."""
    for org in ("acme", "beta", "gamma"):
        s.http("POST", "/api/v1/organisations", {"name": org, "title": org})
    s.cli("indicator", "list-add", "test")
    s.cli("indicator", "add", "--list", "test", "domain", "listed.example")
    s.cli("indicator", "publish")
    ok(until(lambda: (stats(s) or {}).get("indicators"), 20), "an indicator is in force")
    before = s.http("GET", "/api/v1/dns/overview?org=gamma").json()
    found = [client_response("fine.example.", "10.9.0.1", 0, [("fine.example.", "A", 60, "192.0.2.1")]),
             client_response("nowhere.example.", "10.9.0.1", 3),
             client_response("broken.example.", "10.9.0.1", 2),
             client_response("a.listed.example.", "10.9.0.2", 0, [("a.listed.example.", "A", 60, "192.0.2.1")]),
             client_response("a.bad.example.", "10.9.0.3", 3, policy=(1, 1, "*.bad.example.feed.rpz.")),
             client_response("b.bad.example.", "10.9.0.3", 3, policy=(1, 1, "*.bad.example.feed.rpz.")),
             client_response("c.example.", "10.9.0.4", 3, policy=(3, 1, "24.0.2.0.192.rpz-ip.other.rpz.")),
             client_response("fine.example.", "10.9.0.1", kind=4)]
    context = ssl.create_default_context(cafile=s.certificate())
    context.check_hostname = False
    with context.wrap_socket(connect(TLS)) as c:
        c.sendall(control(READY) + control(START) + b"".join(data(f) for f in found) + control(STOP))
        hear(c), hear(c)
    have = until(lambda: (o := s.http("GET", "/api/v1/dns/overview?org=gamma").json())["queries"] >= before["queries"] + 7 and o, 20) or {}
    ok(have and have["queries"] == before["queries"] + 7 and have["blocked"] == before["blocked"] + 3 and have["failed"] == before["failed"] + 1,
       "the overview counts each query once: by its client's answer", {k: have.get(k) for k in ("queries", "blocked", "failed")})
    zones = {(z["zone"], z["layer"], z["trigger"]): z["blocked"] for z in have.get("zones", [])}
    ok(zones == {("feed.rpz", "member", "qname"): 2, ("other.rpz", "member", "response-ip"): 1}, "blocks by the zones that the frames name", zones)
    log = s.http("GET", "/api/v1/events?org=gamma&limit=100&q=class:dns_activity%20verdict:blocked").json()["items"]
    ok(sorted(e["query"] for e in log if e.get("policy")) == ["a.bad.example", "b.bad.example", "c.example"] and
       any(e.get("rule") == "*.bad.example" for e in log), "the live log has them, with the record", [(e["query"], e.get("rule")) for e in log])
    told = until(lambda: (a := s.http("GET", "/api/v1/alerts?org=gamma").json().get("items", [])) and len(a) >= 3 and a, 20) or []
    by = {(a["indicator_type"], a["indicator"]): a for a in told}
    ok({("dns-block", "feed.rpz"), ("dns-block", "other.rpz"), ("domain", "listed.example")} <= set(by),
       "alerts: of each zone, and of a listed name that was answered", list(by))
    ok(by.get(("dns-block", "feed.rpz"), {}).get("asset") == "10.9.0.3" and
       by.get(("dns-block", "feed.rpz"), {}).get("list") == "", "of the member's client; the zone is none of the centre's", by.get(("dns-block", "feed.rpz")))
    ok(by.get(("domain", "listed.example"), {}).get("asset") == "10.9.0.2", "as what its client asked", by.get(("domain", "listed.example")))


def main():
    begun = time.monotonic()
    folder = tempfile.mkdtemp(prefix="yagura-sock-")  # not in the data folder: main may make it there all the same
    with Server(sys.argv[1], conf(folder)) as s:
        mode = os.stat(os.path.join(folder, "dnstap.sock")).st_mode & 0o777
        ok(mode == 0o660, "the socket is for the group too", oct(mode))
        unbounds(s, folder)
        alerts(s)
        have = replay(s)
        have = finished(s, have)
        hostile(s, have)
        ok(s.stop() == 0, "it drains")
        ok(not os.path.exists(os.path.join(folder, "dnstap.sock")), "and takes its socket away")
    os.rmdir(folder)
    note(f"{time.monotonic() - begun:.1f} s")


main()
done()
