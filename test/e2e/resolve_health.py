#!/usr/bin/env python3
"""What health and log say of those whom the resolver needs: a forwarder that is gone and comes back,
one that refuses everything, one that cannot resolve one name; and of policy zones: one whose
server is not there, one whose server's serial goes back."""

import contextlib
import socket
import struct
import subprocess
import sys
import threading
import time

from harness import Server, done, free_port, ok, until
from people_lib import without_store
from resolve_lib import Answer, Upstream, ask, name_bytes, read_tcp, record_bytes

binary = sys.argv[1]
ADDRESS = "192.0.2.1"
ALONE = """import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    m, who = s.recvfrom(65535)
    end = m.index(b"\\0", 12) + 5
    s.sendto(m[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + m[12:end] + b"\\xc0\\x0c" +
             struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.1"), who)
"""


class Moody(Upstream):
    """Knows every name after `delay`; `says`: an rcode for all, or for names that begin with "sick"."""

    def __init__(self, delay=0.0):
        super().__init__(delay=delay)
        self.says = self.sick = 0

    def reply(self, msg, tcp):
        q = Answer(msg)
        self.asked.append((q.question[0].lower(), q.question[1]))
        rcode = self.sick if self.sick and q.question[0].lower().startswith("sick") else self.says
        end = 12 + len(name_bytes(q.question[0])) + 4
        answer = b"" if rcode else b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(ADDRESS)
        return struct.pack(">6H", q.ident, 0x8180 | rcode, 1, 0 if rcode else 1, 0, 0) + msg[12:end] + answer


def process(port):
    """An upstream of its own process: when it is killed nobody is there."""
    return subprocess.Popen([sys.executable, "-c", ALONE, str(port)], stdin=subprocess.DEVNULL)


def server(conf, before=None):
    port = free_port()
    s = Server(binary, {**without_store(), "resolve": {"listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"], **conf}}, before=before)
    s.dns = ("127.0.0.1", port)
    return s


def part(s, name):
    """What health says of it: ("ok", "text")."""
    for line in s.http("GET", "/readyz?verbose").body.decode().splitlines():
        who, _, rest = line.partition(": ")
        if who == name:
            word, _, text = rest.partition(" (")
            return word, text.rstrip(")")
    return "none", ""


_names = [0]


def fresh(s, timeout=8):
    """A name that nobody has asked for."""
    _names[0] += 1
    return ask(s.dns, f"n{_names[0]}.example.", timeout=timeout)


def answered(s):
    a = fresh(s)
    return a is not None and a.values == [ADDRESS]


def forwarder_gone():
    port = free_port(socket.SOCK_DGRAM)
    up = process(port)
    with server({"upstream": [{"zone": ".", "forward": [f"127.0.0.1@{port}"]}]}) as s:
        try:
            ok(until(lambda: answered(s), 10), "a forwarder answers")
            ok(until(lambda: part(s, "resolve-0")[0] == "ok", 10), "health is well", part(s, "resolve-0"))
            up.kill()
            up.wait()
            got = [fresh(s) for _ in range(4)]
            ok(all(a is not None and a.rcode == "SERVFAIL" for a in got), "nobody is there: SERVFAIL", [a and a.rcode for a in got])
            e = until(lambda: s.find_event("resolve.upstream_down"), 5)
            ok(e and str(port) in e["server"] and e["why"], "an event says who is gone, and why", e)
            ok(len(s.events("resolve.upstream_down")) == 1, "once")
            ok(until(lambda: part(s, "resolve-0")[0] == "degraded", 10) and "an upstream does not answer" in part(s, "resolve-0")[1],
               "health says so", part(s, "resolve-0"))
            time.sleep(6)
            ok(part(s, "resolve-0")[0] == "degraded", "also when nobody has asked for a while", part(s, "resolve-0"))
            up = process(port)
            ok(until(lambda: answered(s), 20), "it is back: it is asked again")
            ok(s.find_event("resolve.upstream_up"), "an event says so")
            ok(until(lambda: part(s, "resolve-0")[0] == "ok", 10), "health is well again", part(s, "resolve-0"))
        finally:
            up.kill()
            up.wait()


def forwarder_refuses():
    with Moody() as quick, Moody(0.04) as slow, \
            server({"upstream": [{"zone": ".", "forward": [quick.address, slow.address]}]}) as s:
        ok(all(answered(s) for _ in range(60)), "two forwarders answer")
        begin = len(quick.asked)
        ok(all(answered(s) for _ in range(20)) and len(quick.asked) - begin >= 15, "the quicker one is asked", len(quick.asked) - begin)
        quick.says = 5
        ok(all(answered(s) for _ in range(10)), "it refuses everything: everybody is answered")
        begin = len(quick.asked)
        ok(all(answered(s) for _ in range(40)), "and goes on to be")
        ok(len(quick.asked) - begin <= 8, "it is hardly asked any more", len(quick.asked) - begin)
        ok(s.find_event("resolve.upstream_down"), "an event tells of it")
        ok(part(s, "resolve-0")[0] == "ok", "health is well: the other one is there", part(s, "resolve-0"))
        quick.says = 0
        ok(until(lambda: answered(s) and s.find_event("resolve.upstream_up"), 30, 0), "it answers again: it is found out")


def one_name():
    with Moody() as up, server({"upstream": [{"zone": ".", "forward": [up.address]}]}) as s:
        ok(answered(s), "a forwarder answers")
        up.sick = 2
        for kind in ("A", "AAAA", "MX", "TXT", "NS", "SRV", "PTR", "SOA", "HTTPS", "CNAME"):
            ask(s.dns, "sick.example.", kind, timeout=8)
        ok(up.asked.count(("sick.example.", "MX")) > 0 and not s.events("resolve.upstream_down"),
           "one name that it cannot resolve says nothing about it", s.events("resolve.upstream_down"))
        for i in range(6):
            ask(s.dns, f"sick{i}.example.", timeout=8)
        ok(s.find_event("resolve.upstream_down"), "many do")
        ok(answered(s) and s.find_event("resolve.upstream_up"), "one that it does resolve: it is well")


class Primary:
    """The server of a zone, by TCP: all of it to whom has less, its SOA alone to whom has as much."""

    def __init__(self, zone, serial):
        self.zone, self.serial = zone, serial
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1@{self.tcp.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            c, _ = self.tcp.accept()
            with c, contextlib.suppress(OSError):
                c.settimeout(5)
                msg = read_tcp(c)
                if msg is None:
                    continue
                q = Answer(msg)
                soa = record_bytes((self.zone, "SOA", 60, f"ns.{self.zone} root.{self.zone} {self.serial} 1 1 86400 60"))
                bad = record_bytes((f"bad{self.serial}.example.{self.zone}", "CNAME", 60, "."))
                has = struct.unpack(">I", q.authority[0][3][-20:-16])[0] if q.authority else None
                rows = [soa] if has is not None and self.serial <= has else [soa, bad, soa]
                out = struct.pack(">6H", q.ident, 0x8400, 1, len(rows), 0, 0) + msg[12:12 + len(name_bytes(self.zone)) + 4]
                out += b"".join(rows)
                c.sendall(struct.pack(">H", len(out)) + out)


def zones_that_fail():
    primary, away = Primary("feed.example.", 5), free_port()
    with Upstream({}) as up, server({"upstream": [{"zone": ".", "forward": [up.address]}],
                                     "policy": [{"name": "feed", "axfr": primary.address, "zone": "feed.example"}]}) as s:
        ok(until(lambda: (a := ask(s.dns, "bad5.example.")) and a.ede, 10), "a feed is in force")
        ok(until(lambda: part(s, "zones")[0] == "ok", 10), "health is well", part(s, "zones"))
        primary.serial = 3
        e = s.wait_event("zones.older", 15)
        ok(e and (e["zone"], e["serial"], e["ours"]) == ("feed", 3, 5), "its server's serial goes back: an event says so", e)
        ok(until(lambda: part(s, "zones") == ("degraded", "feed: behind"), 20), "health says so", part(s, "zones"))
        z = s.http("GET", "/api/v1/dns/zones").json()["items"][0]
        ok(z["state"] == "behind" and "older than ours" in z["error"] and z["serial"] == 5, "and the zone", z)
        ok(ask(s.dns, "bad5.example.").ede, "which stays in force")
        ok(len(s.events("zones.older")) == 1, "it is told once", len(s.events("zones.older")))
        primary.serial = 6
        ok(until(lambda: ask(s.dns, "bad6.example.").ede, 15), "a newer one is taken")
        ok(until(lambda: part(s, "zones") == ("ok", ""), 10), "health is well again", part(s, "zones"))
    with Upstream({}) as up, server({"upstream": [{"zone": ".", "forward": [up.address]}],
                                     "policy": [{"name": "nobody", "axfr": f"127.0.0.1@{away}", "zone": "feed.example"}]}) as s:
        ok(until(lambda: part(s, "zones") == ("degraded", "nobody: failed"), 15), "a feed whose server is not there: health says so",
           part(s, "zones"))
        metrics = s.http("GET", "/metrics").body.decode()
        ok('yagura_zones_zone_late{zone="nobody"} 1' in metrics, "and its metric",
           [x for x in metrics.splitlines() if "zones_zone" in x and x[0] != "#"])
        doctor = {c["name"]: c["state"] for c in s.http("GET", "/api/v1/doctor?quick=1").json()["checks"]}
        ok(doctor.get("role.zones") == "warn", "and the doctor", doctor)


forwarder_gone()
forwarder_refuses()
one_name()
zones_that_fail()
done()
