#!/usr/bin/env python3
"""Role resolve from outside: UDP and TCP, pipelining, refusals, upstreams that are late,
wrong or gone, a worker that is killed."""

import os
import signal
import socket
import struct
import sys
import threading
import time

from harness import done, free_port, ok, skip, until
from resolve_lib import Answer, Unbound, Upstream, ask, exchange, query, read_tcp, resolver

binary = sys.argv[1]


def real_upstream():
    data = ["example. 300 SOA ns.example. root.example. 1 60 60 60 30", "www.example. 300 A 192.0.2.1", "www.example. 300 AAAA 2001:db8::1",
            "alias.example. 300 CNAME www.example.", "mail.example. 300 MX 10 www.example."]
    with Unbound(data) as up, resolver(binary, up) as s:
        a = ask(s.dns, "www.example.")
        ok(a and a.rcode == "NOERROR" and a.values == ["192.0.2.1"] and a.ra, "an address by UDP", a and a.answers)
        ok(a.edns and a.size == 1232, "it speaks EDNS with 1232 octets")
        a = ask(s.dns, "WwW.ExAmPlE.", tcp=True)
        ok(a and a.values == ["192.0.2.1"] and a.question[0] == "WwW.ExAmPlE.", "by TCP, letters as asked")
        a = ask(s.dns, "www.example.", "AAAA")
        ok(a and a.values == ["2001:db8::1"], "another type")
        a = ask(s.dns, "www.example.", "MX")
        ok(a and a.rcode == "NOERROR" and not a.answers and a.authority, "no data")
        a = ask(s.dns, "nothing.example.")
        ok(a and a.rcode == "NXDOMAIN" and a.authority, "no such name")
        a = ask(s.dns, "www.example.", edns=False)
        ok(a and a.values and not a.edns, "without EDNS none comes back")
        a = ask(s.dns, "www.example.", klass=3)
        ok(a and a.rcode in ("REFUSED", "NOTIMP"), "CHAOS is refused", a and a.rcode)
        a = Answer(exchange(s.dns, query("www.example.", opcode=5)))
        ok(a.rcode == "NOTIMP", "an update is not implemented")
        ok(exchange(s.dns, b"\x00" * 11, 0.5) is None, "eleven bytes get no answer")
        ok(exchange(s.dns, Answer(exchange(s.dns, query("www.example."))).msg, 0.5) is None,
           "an answer gets no answer")
        ok(ask(s.dns, "localhost.").values == ["127.0.0.1"], "localhost is answered here")


def many_on_one_connection(s, ups):
    for up in ups:
        up.answers.update({(f"n{i}.example.", "A"): [(f"n{i}.example.", "A", 60, f"10.9.8.{i}")] for i in range(100)})
    with socket.create_connection(s.dns, 10) as c:
        wanted = {}
        out = b""
        for i in range(100):
            q = query(f"n{i}.example.", ident=i)
            wanted[i] = f"10.9.8.{i}"
            out += struct.pack(">H", len(q)) + q
        c.sendall(out[:len(out) // 2])
        time.sleep(0.05)
        c.sendall(out[len(out) // 2:])
        got = {}
        while len(got) < 100 and (msg := read_tcp(c)) is not None:
            a = Answer(msg)
            got[a.ident] = a.values[0] if a.values else a.rcode
        ok(got == wanted, "a hundred queries on one connection, each answered", got)
        for up in ups:
            up.answers[("tardy.example.", "A")] = tardy
        out = b""
        for ident, name in enumerate(("tardy.example.", "n1.example.", "unseen.example.", "n2.example.")):
            q = query(name, ident=ident)
            out += struct.pack(">H", len(q)) + q
        c.sendall(out)
        got = [Answer(msg) for msg in (read_tcp(c) for _ in range(4)) if msg is not None]
        ok([a.ident for a in got][-1:] == [0] and {a.ident for a in got} == {0, 1, 2, 3} and got[-1].values == ["198.51.100.8"],
           "what is known does not wait behind what is not", [(a.ident, a.rcode) for a in got])


def tardy(msg):
    """Half a second late, for names as long as this one."""
    time.sleep(0.5)
    end = 12 + len(b"\5tardy\7example\0") + 4
    return struct.pack(">6H", Answer(msg).ident, 0x8180, 1, 1, 0, 0) + msg[12:end] + \
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("198.51.100.8")


def upstreams():
    late = {"t": 0.3}

    def slow(msg):
        time.sleep(late["t"])
        q = Answer(msg)
        return struct.pack(">6H", q.ident, 0x8180, 1, 1, 0, 0) + msg[12:12 + len(b"\4slow\7example\0") + 4] + \
            b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("198.51.100.7")

    def forged(msg):
        q = Answer(msg)
        end = 12 + len(b"\6forged\7example\0") + 4
        body = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4)
        bad_id = struct.pack(">6H", q.ident ^ 1, 0x8180, 1, 1, 0, 0) + msg[12:end] + body + b"\6\6\6\6"
        bad_name = struct.pack(">6H", q.ident, 0x8180, 1, 1, 0, 0) + \
            msg[12:end].replace(msg[13:14], b"x", 1) + body + b"\6\6\6\6"
        good = struct.pack(">6H", q.ident, 0x8180, 1, 1, 0, 0) + msg[12:end] + body + b"\xcb\0\x71\1"
        return [bad_id, bad_name, b"\0" * 5, good]

    big = [("big.example.", "TXT", 60, "x" * 200 + str(i)) for i in range(30)]
    answers = {("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")],
               ("slow.example.", "A"): slow, ("forged.example.", "A"): forged,
               ("big.example.", "TXT"): big,
               ("inner.example.", "A"): [("inner.example.", "A", 60, "10.0.0.1")],
               ("loop.example.", "A"): [("loop.example.", "CNAME", 60, "loop.example.")]}
    with Upstream(answers) as up, Upstream(answers) as second, \
            resolver(binary, None, {"upstream": [{"zone": ".", "forward": [up.address, second.address]}],
                                    "rebinding-allow": [f"n{i}.example" for i in range(100)]}) as s:
        up.silent = True
        a = ask(s.dns, "www.example.", timeout=10)
        ok(a and a.values == ["192.0.2.1"], "a silent server: the other one is asked", a and a.rcode)
        up.silent = False
        a = ask(s.dns, "slow.example.", timeout=10)
        ok(a and a.values == ["198.51.100.7"], "a late answer is waited for")
        a = ask(s.dns, "forged.example.", timeout=10)
        ok(a and a.values == ["203.0.113.1"], "forged answers (id, name, too short) are passed over", a and a.answers)
        a = ask(s.dns, "big.example.", "TXT")
        ok(a and a.tc and not a.answers, "too large for UDP: truncated")
        a = ask(s.dns, "big.example.", "TXT", tcp=True)
        ok(a and len(a.answers) == 30 and not a.tc, "by TCP it is whole, from upstream by TCP too")
        a = ask(s.dns, "inner.example.")
        ok(a and "10.0.0.1" not in a.values and a.ede, "a private address under a public name is held back", a and a.ede)
        a = ask(s.dns, "loop.example.", timeout=12)
        ok(a and (a.rcode == "SERVFAIL" or not a.values or a.answers), "a CNAME to itself ends", a and a.rcode)
        up.asked.clear()
        second.asked.clear()
        late["t"] = 0.5
        got = []
        up.answers[("slow2.example.", "A")] = second.answers[("slow2.example.", "A")] = tardy
        threads = [threading.Thread(target=lambda: got.append(ask(s.dns, "slow2.example."))) for _ in range(30)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        asked = up.asked.count(("slow2.example.", "A")) + second.asked.count(("slow2.example.", "A"))
        ok(len([g for g in got if g and g.values == ["198.51.100.8"]]) == 30 and asked <= 2,
           "thirty ask the same at once: upstream hears it once", f"{asked} asked, {len(got)} answers")
        many_on_one_connection(s, (up, second))
        up.silent = second.silent = True
        begin = time.monotonic()
        a = ask(s.dns, "gone.example.", timeout=20)
        ok(a and a.rcode == "SERVFAIL" and a.ede and a.ede[0] in (22, 23), "nobody answers: SERVFAIL and why",
           a and (a.rcode, a.ede, time.monotonic() - begin))
        a = ask(s.dns, "www.example.")
        ok(a and a.values == ["192.0.2.1"], "what is known is still answered")


def six():
    """By IPv6, UDP and TCP; who asks is known by the prefix there, too."""
    port = free_port()
    try:
        socket.create_server(("::1", port), family=socket.AF_INET6).close()
    except OSError:
        skip("IPv6", "this machine has none")
        return
    with Upstream({("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")]}) as up, \
            resolver(binary, up, {"listen": [f"127.0.0.1@{port}", f"::1@{port}"], "clients": ["::1/128"]}) as s:
        for tcp in (False, True):
            a = ask(("::1", port), "www.example.", tcp=tcp)
            ok(a and a.values == ["192.0.2.1"], f"IPv6 by {'TCP' if tcp else 'UDP'}", a and a.rcode)
        a = ask(("127.0.0.1", port), "www.example.")
        ok(a and a.rcode == "REFUSED", "by IPv4 the same client is a stranger", a and a.rcode)


def strangers_and_deaths():
    with Upstream({("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")]}) as up, \
            resolver(binary, up, {"clients": ["127.0.0.2/32"], "workers": 2, "tcp-idle": "500ms"}) as s:
        a = ask(s.dns, "www.example.")
        ok(a and a.rcode == "REFUSED" and a.ede and a.ede[0] == 18, "who is not known is refused, and told so",
           a and (a.rcode, a.ede))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.bind(("127.0.0.2", 0))
            c.settimeout(5)
            c.sendto(query("www.example."), s.dns)
            ok(Answer(c.recv(4096)).values == ["192.0.2.1"], "who is known is served")
        with socket.create_connection(s.dns, 5) as c:
            begin = time.monotonic()
            c.sendall(b"\0")
            c.settimeout(10)
            gone = c.recv(1) == b""
            ok(gone and time.monotonic() - begin < 5, "a connection that asks nothing is closed")
        pids = [e["process"] for e in s.events("role.started", started="resolve")]
        os.kill(pids[0], signal.SIGKILL)
        begin = time.monotonic()
        back = until(lambda: len(s.events("role.started", started="resolve")) > len(pids), 10)
        ok(back and time.monotonic() - begin < 1, "a killed worker is back in under a second")
        answered = 0
        for _ in range(20):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
                c.bind(("127.0.0.2", 0))
                c.settimeout(2)
                c.sendto(query("www.example."), s.dns)
                answered += Answer(c.recv(4096)).values == ["192.0.2.1"]
        ok(answered == 20, "both serve again", answered)
        ok(s.stop() == 0, "it drains")


real_upstream()
upstreams()
six()
strangers_and_deaths()
done()
