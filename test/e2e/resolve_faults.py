#!/usr/bin/env python3
"""Upstreams that lie, break off, drip, loop and vanish, each with a zone and a port of its
own, all at once.  For every one: the right answer or SERVFAIL with its reason in bounded
time; nothing wrong in the cache when all of them are gone; the worker lives and stays
small; somebody else is served all the while."""

import contextlib
import os
import random
import socket
import struct
import sys
import threading
import time

from harness import done, free_port, note, ok, sanitized, until
from resolve_lib import Answer, Asking, Upstream, ask, memory, name_bytes, query, rdata_bytes, read_tcp, resolver, TYPES

binary = sys.argv[1]
GOOD, EVIL, OTHERS = "192.0.2.1", "6.6.6.6", "198.51.100.9"


def rr(owner, kind, text, ttl=300, klass=1, length=None):
    """A record; owner may be bytes (a pointer), length a lie."""
    data = rdata_bytes(kind, text)
    return ((owner if isinstance(owner, bytes) else name_bytes(owner)) +
            struct.pack(">HHIH", TYPES[kind], klass, ttl, len(data) if length is None else length) + data)


class Asked:
    """One question that came to a hostile server."""

    def __init__(self, case, msg, who=None, conn=None):
        self.case, self.msg, self.who, self.conn = case, msg, who, conn
        self.q = Answer(msg)
        self.end = 12 + len(name_bytes(self.q.question[0])) + 4
        self.name = self.q.question[0]

    def build(self, answer=(), authority=(), additional=(), *, flags=0x8180, ident=None, question=None,
              counts=None, opt=b"\0\0\x29\x04\xd0\0\0\0\0\0\0", tail=b""):
        n = [len(answer), len(authority), len(additional) + bool(opt)]
        head = struct.pack(">6H", self.q.ident if ident is None else ident, flags, 1, *(counts or n))
        return (head + (self.msg[12:self.end] if question is None else question) +
                b"".join([*answer, *authority, *additional]) + opt + tail)

    def right(self, **how):
        return self.build([rr(b"\xc0\x0c", "A", GOOD)], **how)

    def wrong(self, **how):
        return self.build([rr(b"\xc0\x0c", "A", EVIL)], **how)

    def send(self, *messages):
        for m in messages:
            with contextlib.suppress(OSError):
                self.case.udp_socket.sendto(m, self.who)

    def send_tcp(self, msg, length=None):
        with contextlib.suppress(OSError):
            self.conn.sendall(struct.pack(">H", len(msg) if length is None else length) + msg)


class Case:
    """udp(asked), tcp(asked); want: the address, or "SERVFAIL", or a function(answer)."""
    all = []

    def __init__(self, name, want, udp=None, tcp=None, kind="A", client_tcp=False, least=0.0, most=11.0, then=None,
                 edns=True):
        self.name, self.want, self.udp, self.tcp, self.kind = name, want, udp, tcp, kind
        self.edns = edns
        self.client_tcp, self.most, self.least, self.then = client_tcp, most, least, then
        self.zone, self.host = f"{name}.example.", f"www.{name}.example."
        self.by_udp = self.by_tcp = 0
        self.got, self.took = None, 0.0
        Case.all.append(self)

    def open(self):
        while True:
            self.port = free_port()
            self.udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.tcp_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.tcp_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                self.udp_socket.bind(("127.0.0.1", self.port))
                self.tcp_socket.bind(("127.0.0.1", self.port))
                break
            self.close()
        if self.tcp:
            self.tcp_socket.listen(16)
            threading.Thread(target=self.run_tcp, daemon=True).start()
        if self.udp:
            threading.Thread(target=self.run_udp, daemon=True).start()
        else:
            self.udp_socket.close()  # nobody is there: ICMP says so

    def close(self):
        for s in (self.udp_socket, self.tcp_socket):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def run_udp(self):
        with contextlib.suppress(OSError):
            while True:
                msg, who = self.udp_socket.recvfrom(65535)
                if not msg:
                    return
                self.by_udp += 1
                threading.Thread(target=self.udp, args=(Asked(self, msg, who),), daemon=True).start()

    def run_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.tcp_socket.accept()
                threading.Thread(target=self.one_tcp, args=(conn,), daemon=True).start()

    def one_tcp(self, conn):
        with conn, contextlib.suppress(OSError):
            conn.settimeout(12)
            msg = read_tcp(conn)
            if msg is not None:
                self.by_tcp += 1
                self.tcp(Asked(self, msg, conn=conn))

    def run(self, dns):
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            self.got = ask(dns, self.host, self.kind, tcp=self.client_tcp, timeout=20, edns=self.edns)
        self.took = time.monotonic() - begin


def cut(a):
    a.send(a.build(flags=0x8380))


def right_tcp(a):
    a.send_tcp(a.right())


# --- answers that are not the answer ----------------------------------------------

def wrong_ids(a):
    for i in range(1, 13):
        a.send(a.wrong(ident=a.q.ident ^ i))
    a.send(a.right())


def other_socket(address, port=0):
    def udp(a):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port or (a.case.port if address != "127.0.0.1" else 0)))
            for _ in range(5):
                s.sendto(a.wrong(), a.who)
        time.sleep(0.1)
        a.send(a.right())
    return udp


def wrong_questions(a):
    kind = a.msg[a.end - 4:a.end]
    a.send(a.wrong(question=name_bytes("www.else.example.") + kind), a.wrong(question=a.msg[12:a.end - 4] + b"\0\x1c\0\1"),
           a.wrong(question=a.msg[12:a.end - 4] + b"\0\1\0\3"), a.wrong(question=b""), b"", b"\0",
           a.wrong(flags=0x0180), a.wrong(flags=0xa980), a.wrong()[:4] + b"\0\2" + a.wrong()[6:],
           a.wrong()[:4] + b"\0\0" + a.wrong()[6:], a.msg, a.wrong()[:11])
    a.send(a.right())


def letters(a):
    a.send(a.wrong(question=a.msg[12:a.end].lower() if a.msg[12:a.end] != a.msg[12:a.end].lower()
                   else a.msg[12:a.end].upper()[:-4] + a.msg[a.end - 4:a.end]))


def guessing(a):
    """Whoever knows the port guesses ids as fast as it can; the true answer comes late."""
    ids = list(range(65536))
    random.shuffle(ids)
    for ident in ids[:3000]:
        if ident != a.q.ident:
            a.send(a.wrong(ident=ident))


def twice(a):
    a.send(a.right(), a.wrong(), a.wrong(flags=0x8183))


# --- messages that lie about themselves ----------------------------------------------

def raw(make):
    def udp(a):
        a.send(make(a))
    return udp


def loop_at_itself(a):
    return a.build([struct.pack(">H", 0xc000 | a.end) + rr(b"", "A", EVIL)])


def loop_of_two(a):
    one, two = a.end, a.end + 16
    return a.build([struct.pack(">H", 0xc000 | two) + rr(b"", "A", EVIL), struct.pack(">H", 0xc000 | one) + rr(b"", "A", EVIL)])


def forward_pointer(a):
    ahead = a.end + 16
    return a.build([struct.pack(">H", 0xc000 | ahead) + rr(b"", "A", EVIL), rr(a.name, "A", EVIL)])


def name_too_long(a):
    label = b"\x3f" + b"a" * 63
    return a.build([label * 4 + b"\xc0\x0c" + rr(b"", "A", EVIL)])


def pointer_beyond(a):
    return a.build([b"\xff\xff" + rr(b"", "A", EVIL)])


def odd_label(a):
    return a.build([b"\x41aaa\0" + rr(b"", "A", EVIL)])


def name_in_rdata_loops(a):
    at = a.end + 2 + 10
    return a.build([rr(b"\xc0\x0c", "CNAME", struct.pack(">H", 0xc000 | at))])


def far_ttl(a):
    return a.build([rr(b"\xc0\x0c", "A", GOOD, ttl=0xffffffff)])


# --- by TCP ------------------------------------------------------------------------

def drip(seconds):
    def tcp(a):
        out = a.right()
        for b in struct.pack(">H", len(out)) + out:
            a.conn.sendall(bytes([b]))
            time.sleep(seconds)
    return tcp


def reset(a):
    a.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    a.conn.close()


def hold(a):
    a.send_tcp(a.right(), length=60000)
    time.sleep(8)


def largest(a):
    """65,535 octets to the last one."""
    out, records = a.build(opt=b""), []
    left = 65535 - len(out)
    while left > 0:
        size = min(left - 12, 16000)
        if 0 < left - 12 - size < 14:
            size -= 20
        texts, n = b"", size
        while n > 0:
            k = min(n - 1, 255)
            if n - 1 - k == 0:
                k = n - 1
            elif n - 1 - k == 1:
                k -= 1
            texts += bytes([k]) + b"t" * k
            n -= 1 + k
        records.append(b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 300, len(texts)) + texts)
        left -= 12 + len(texts)
    out = a.build(records, opt=b"")
    a.case.size = len(out)
    a.send_tcp(out)


def many_records(a):
    a.send_tcp(a.build([rr(b"\xc0\x0c", "A", f"10.{i >> 8}.{i & 255}.1") for i in range(4090)], opt=b""))


# --- chains --------------------------------------------------------------------------

def chain(n, end=True, loop=False):
    def udp(a):
        zone = a.case.zone
        records = [rr(a.name if i == 0 else f"c{i}.{zone}", "CNAME", f"c{i + 1}.{zone}") for i in range(n)]
        if loop:
            records.append(rr(f"c{n}.{zone}", "CNAME", a.name))
        if end:
            records.append(rr(f"c{n}.{zone}", "A", GOOD))
        a.send(a.build(records))
    return udp


def link_by_link(n, loop=0):
    """One CNAME an answer, and it is asked for the next."""
    def udp(a):
        first = a.name.split(".")[0].lower()
        i = 0 if first == "www" else int(first[1:])
        target = i + 1 if not loop or i + 1 < loop else 0
        if i == n and not loop:
            a.send(a.right())
        else:
            a.send(a.build([rr(b"\xc0\x0c", "CNAME", f"c{target}.{a.case.zone}" if target else f"www.{a.case.zone}")]))
    return udp


# --- what is not theirs to say ---------------------------------------------------------

def strangers_records(a):
    """The right answer, and beside it what poisons: all three sections."""
    v = [rr("www.victim.example.", "A", EVIL), rr("victim.example.", "NS", "ns.evil.example.")]
    a.send(a.build([rr(b"\xc0\x0c", "A", GOOD), v[0], rr(f"side.{a.case.zone}", "A", EVIL)],
                   [v[1], rr("example.", "NS", "ns.evil.example."), rr(".", "NS", "ns.evil.example.")],
                   [v[0], rr("ns.evil.example.", "A", EVIL), rr(f"side.{a.case.zone}", "A", EVIL)]))


def strangers_cname(a):
    a.send(a.build([rr(b"\xc0\x0c", "CNAME", "www.victim.example."), rr("www.victim.example.", "A", EVIL)]))


def strangers_soa(a):
    a.send(a.build((), [rr("example.", "SOA", "ns.evil.example. root.example. 1 86400 86400 86400 86400", 86400)], flags=0x8183))


def strangers_dname(a):
    owner = name_bytes("example.")
    to = name_bytes("evil.test.")
    a.send(a.build([owner + struct.pack(">HHIH", 39, 1, 300, len(to)) + to, rr(a.name, "A", GOOD)]))


def late(a):
    time.sleep(1.0)
    a.send(a.right())


def too_late(a):
    time.sleep(13)
    a.send(a.wrong())


OPTS = {"version": b"\0\0\x29\x04\xd0\1\5\0\0\0\0", "length": b"\0\0\x29\x04\xd0\0\0\0\0\xff\xff",
        "option": b"\0\0\x29\x04\xd0\0\0\0\0\0\4\0\x0f\xff\xff", "owner": b"\1x\0\0\x29\x04\xd0\0\0\0\0\0\0",
        "size": b"\0\0\x29\0\0\0\0\xff\xff\0\0"}


def declare():
    fail = "SERVFAIL"
    Case("ids", GOOD, wrong_ids)
    Case("port", GOOD, other_socket("127.0.0.1"))
    Case("address", GOOD, other_socket("127.0.0.77"))
    Case("question", GOOD, wrong_questions)
    Case("letters", GOOD, letters, right_tcp)
    Case("guessing", GOOD, guessing, right_tcp)
    Case("twice", GOOD, twice)
    for make in (loop_at_itself, loop_of_two, forward_pointer, name_too_long, pointer_beyond, odd_label, name_in_rdata_loops):
        Case(make.__name__.replace("_", "-"), fail, raw(make))
    Case("rdlength-beyond", fail, raw(lambda a: a.build([rr(b"\xc0\x0c", "A", EVIL, length=60000)])))
    Case("rdlength-3", fail, raw(lambda a: a.build([rr(b"\xc0\x0c", "A", EVIL, length=3)])))
    Case("rdlength-5", fail, raw(lambda a: a.build([rr(b"\xc0\x0c", "A", EVIL, length=5)])))
    Case("counts-high", fail, raw(lambda a: a.wrong(counts=[65535, 65535, 65535])))
    Case("counts-low", lambda x: EVIL not in x.values, raw(lambda a: a.wrong(counts=[0, 0, 0])))
    Case("half", fail, raw(lambda a: a.wrong()[:-13]))
    Case("noise", fail, raw(lambda a: a.msg[:2] + b"\x81\x80" + a.msg[4:a.end] + random.randbytes(200)))
    Case("huge-udp", fail, raw(lambda a: a.build([rr(b"\xc0\x0c", "A", EVIL)] * 4000)))
    Case("ttl", lambda x: x.values == [GOOD] and x.answers[0][2] <= 86400, raw(far_ttl))
    Case("class", lambda x: EVIL not in x.values, raw(lambda a: a.build([rr(b"\xc0\x0c", "A", EVIL, klass=3)])))
    Case("refused", fail, raw(lambda a: a.wrong(flags=0x8185)), most=3)
    Case("rcode", fail, raw(lambda a: a.wrong(flags=0x818f)), most=3)
    Case("referral", fail, raw(lambda a: a.build((), [rr(a.case.zone, "NS", "ns.evil.example.")])), most=3)
    Case("cut-lie", GOOD, lambda a: a.send(a.wrong(flags=0x8380)), right_tcp)
    Case("cut-always", fail, cut, lambda a: a.send_tcp(a.wrong(flags=0x8380)))
    Case("tcp-short", fail, cut, lambda a: a.send_tcp(a.wrong(), length=20))
    Case("tcp-long", fail, cut, lambda a: a.send_tcp(a.wrong(), length=60000))
    Case("tcp-none", fail, cut, lambda a: a.send_tcp(b""))
    Case("tcp-hold", fail, cut, hold)
    Case("tcp-drip", GOOD, cut, drip(0.02))
    Case("tcp-slow", fail, cut, drip(0.4))
    Case("tcp-reset", fail, cut, reset, most=3)
    Case("tcp-gone", fail, cut, most=3)
    Case("tcp-id", fail, cut, lambda a: a.send_tcp(a.wrong(ident=a.q.ident ^ 1)), most=3)
    Case("tcp-two", GOOD, cut, lambda a: a.conn.sendall(b"".join(struct.pack(">H", len(m)) + m for m in (a.right(), a.wrong()))))
    Case("largest", lambda x: len(x.msg) >= 65000 and len(x.answers) >= 4, cut, largest, kind="TXT", client_tcp=True, edns=False)
    Case("largest-opt", lambda x: x.tc and not x.answers, cut, largest, kind="TXT", client_tcp=True)
    Case("records", lambda x: len(x.answers) == 4090 or (x.rcode == fail and x.ede), cut, many_records, client_tcp=True)
    Case("cname-self", fail, raw(lambda a: a.build([rr(b"\xc0\x0c", "CNAME", a.name)])))
    Case("cname-loop", fail, chain(5, end=False, loop=True))
    Case("cname-links-loop", fail, link_by_link(5, loop=5))
    Case("chain-15", lambda x: x.values[-1:] == [GOOD] and len(x.answers) == 16, chain(15))
    Case("chain-25", fail, chain(25))
    Case("links-10", lambda x: x.values[-1:] == [GOOD] and len(x.answers) == 11, link_by_link(10))
    Case("links-40", fail, link_by_link(40))
    Case("beside", GOOD, strangers_records)
    Case("cname-out", lambda x: x.values == ["www.victim.example.", OTHERS], strangers_cname)
    Case("soa-out", lambda x: x.rcode == "NXDOMAIN", strangers_soa, then=lambda x: x.rcode == fail)
    Case("dname-out", lambda x: x.values == [GOOD], strangers_dname)
    Case("late", GOOD, late, least=0.9)
    Case("too-late", fail, too_late)
    Case("gone", fail, most=3)
    for what, opt in OPTS.items():
        Case(f"edns-{what}", lambda x: x.rcode == fail or x.values == [GOOD], raw(lambda a, opt=opt: a.right(opt=opt)))
    Case("edns-two", lambda x: x.rcode == fail or x.values == [GOOD],
         raw(lambda a: a.build([rr(b"\xc0\x0c", "A", GOOD)], (), [b"\0\0\x29\x04\xd0\0\0\0\0\0\0"])))


def judge(c, x, want):
    if x is None or (EVIL in x.values):
        return False
    if callable(want):
        return want(x)
    return x.rcode == "SERVFAIL" and x.ede is not None if want == "SERVFAIL" else x.values == [want]


def shown(c):
    x = c.got
    return f"{c.took:.2f}s {x and (x.rcode, x.answers[:3], x.ede)} udp={c.by_udp} tcp={c.by_tcp}"


class Somebody(Asking):
    """Asks what is known and what is not, fifty times a second, from another address."""

    def __init__(self, dns):
        super().__init__()
        self.dns, self.asked, self.slow, self.bad, self.worst = dns, 0, 0, 0, 0.0

    def one(self):
        begin = time.monotonic()
        name = "www.victim.example." if self.asked % 2 else f"n{self.asked}.victim.example."
        try:
            a = ask(self.dns, name, timeout=3, source="127.0.1.9")
        except ValueError:
            a = None
        took = time.monotonic() - begin
        self.asked += 1
        self.bad += a is None or a.values != [OTHERS]
        self.slow += took > 0.5
        self.worst = max(self.worst, took)


class Honest(Upstream):
    def reply(self, msg, tcp):
        a = Asked(None, msg)
        self.asked.append((a.name.lower(), a.q.question[1]))
        return a.build([rr(b"\xc0\x0c", "A", OTHERS)])


def all_at_once(s):
    with Somebody(s.dns) as somebody:
        time.sleep(0.3)
        before = memory(s)
        threads = [threading.Thread(target=c.run, args=(s.dns,), daemon=True) for c in Case.all]
        for t in threads:
            t.start()
        for t in threads:
            t.join(25)
        grown = memory(s) - before
    for c in Case.all:
        what = c.want if isinstance(c.want, str) else "its own"
        ok(judge(c, c.got, c.want) and c.least <= c.took <= c.most, f"{c.name}: {what}, in time", shown(c))
    by = {c.name: c for c in Case.all}
    ok(by["letters"].by_tcp == 1, "letters that are not ours: asked by TCP", shown(by["letters"]))
    ok(by["guessing"].by_tcp >= 1 and by["guessing"].took < 3, "somebody guesses: asked by TCP", shown(by["guessing"]))
    ok(by["largest"].size == 65535, "the largest answer is 65,535 octets", by["largest"].size)
    note(f"somebody else: {somebody.asked} queries, {somebody.bad} without the answer, "
         f"the slowest after {somebody.worst * 1000:.0f} ms; {grown} KiB more memory")
    ok(somebody.asked >= 100 and somebody.bad == 0, "somebody else is answered all the while", (somebody.asked, somebody.bad))
    ok(somebody.slow <= somebody.asked // 50, "and at once", (somebody.asked, somebody.slow, somebody.worst))
    if not sanitized(binary):
        ok(grown < 16 << 10, "the worker has not grown", f"{grown} KiB")


def all_gone(s):
    """What is in the cache now?"""
    for c in Case.all:
        c.close()
    until(lambda: False, 5.5)  # failures are forgotten
    first = {c.name: (c.got, c.took) for c in Case.all}
    threads = [threading.Thread(target=c.run, args=(s.dns,), daemon=True) for c in Case.all]
    for t in threads:
        t.start()
    for t in threads:
        t.join(25)
    for c in Case.all:
        was, _ = first[c.name]
        want = c.then or (c.want if judge(c, was, c.want) else "SERVFAIL")
        ok(judge(c, c.got, want) or (was is not None and was.rcode == "SERVFAIL" and judge(c, c.got, "SERVFAIL")),
           f"{c.name}: nothing wrong is kept", shown(c))
    for name in ("www.victim.example.", "ns.evil.example.", "side.beside.example.", "victim.example.", "example."):
        a = ask(s.dns, name, timeout=12)
        ok(a and EVIL not in a.values, f"{name} is not poisoned", a and (a.rcode, a.answers))
    ok(not s.events("role.crashed"), "no process has died", s.events("role.crashed"))


def main():
    declare()
    for c in Case.all:
        c.open()
    with Honest() as honest, resolver(binary, None, {
            "upstream": [{"zone": ".", "forward": [honest.address]},
                         *({"zone": c.zone.rstrip("."), "forward": [f"127.0.0.1@{c.port}"]} for c in Case.all)],
            "rebinding-protection": False}) as s:
        all_at_once(s)
        all_gone(s)
        ok(s.stop() == 0, "it drains")


main()
done()
