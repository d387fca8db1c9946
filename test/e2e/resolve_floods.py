#!/usr/bin/env python3
"""More than the resolver can do, and somebody else who asks as always: one client far above
what can be answered, by UDP and by connections, random names below one zone and below many, TCP
connections that dawdle or are too many.  Others are answered, memory and questions in flight are bounded."""

import contextlib
import ctypes
import multiprocessing
import os
import random
import select
import socket
import struct
import sys
import threading
import time

from harness import done, note, ok, skip, until
from resolve_lib import Upstream, ask, memory, query, resolver

binary = sys.argv[1]
OTHER = "127.0.1.9"
REAL = "192.0.2.1"


def worker(s):
    return s.events("role.started", started="resolve")[-1]["process"]


def descriptors(s):
    return len(os.listdir(f"/proc/{worker(s)}/fd"))


class Fine(Upstream):
    """Knows every name, at once, but those of "attacked": it is silent about them.  A process
    of its own with room for what comes: what is lost there is not lost by whom we test."""
    def __init__(self):
        super().__init__()
        self.silently = multiprocessing.Value("q", 0, lock=False)
        with contextlib.suppress(OSError):
            self.udp.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE

    def __enter__(self):
        threading.Thread(target=self.run_tcp, daemon=True).start()
        self.process = multiprocessing.Process(target=self.run_udp, daemon=True)
        self.process.start()
        return self

    def __exit__(self, *args):
        self.process.terminate()
        self.process.join()
        super().__exit__(*args)

    def run_udp(self):
        with contextlib.suppress(OSError):
            while True:
                msg, who = self.udp.recvfrom(65535)
                if b"attacked" in msg.lower():
                    self.silently.value += 1
                    continue
                end = msg.index(b"\0", 12) + 5
                self.udp.sendto(msg[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + msg[12:end] +
                                b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 600, 4) + socket.inet_aton(REAL), who)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]


def send_flood(dns, sources, messages, stop, out):
    """A process of its own: as fast as the kernel takes them, 256 in a call; nothing is read."""
    libc = ctypes.CDLL(None, use_errno=True)
    parts, held = [], []
    for i in range(0, len(messages), 256):
        rows = (Iovec * len(messages[i:i + 256]))(*(Iovec(m, len(m)) for m in messages[i:i + 256]))
        held.append(rows)
        parts.append((Mmsghdr * len(rows))(*(Mmsghdr(iov=ctypes.addressof(r), iovlen=1) for r in rows)))
    socks = []
    for source in sources:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((source, 0))
        s.connect(dns)
        s.setblocking(False)
        socks.append(s)
    n = 0
    while not stop.is_set():
        for s in socks:
            if stop.is_set():
                break
            for part in parts:
                n += max(0, libc.sendmmsg(s.fileno(), part, len(part), socket.MSG_DONTWAIT))
    out.put(n)


def flood(dns, sources, messages, processes=2):
    """Begins one; what it gives ends it: (sent, seconds)."""
    out, stop = multiprocessing.Queue(), multiprocessing.Event()
    part = max(1, len(messages) // processes)
    ps = [multiprocessing.Process(target=send_flood, daemon=True, args=(dns, sources, messages[i * part:][:part], stop, out))
          for i in range(processes)]
    for p in ps:
        p.start()
    begin = time.monotonic()

    def end():
        stop.set()
        took = time.monotonic() - begin
        sent = sum(out.get(timeout=60) for _ in ps)
        for p in ps:
            p.join()
        return sent, took
    return end


LEAST = 100  # asked, so that what is lost is a part of something also when asking is slow


def served(dns, seconds, name, each=None, tcp=False):
    """Asks fifty times a second from another network: (asked, answered, within 100 ms, the slowest in ms)."""
    asked = good = quick = 0
    worst, begun = 0.0, time.monotonic()
    while time.monotonic() < begun + seconds or (asked < LEAST and time.monotonic() < begun + 8 * seconds):
        begin = time.monotonic()
        try:
            a = ask(dns, name() if callable(name) else name, source=OTHER, timeout=1, tcp=tcp)
        except (ValueError, OSError):
            a = None
        took = time.monotonic() - begin
        asked += 1
        if a is not None and a.values == [REAL]:
            good += 1
            quick += took < 0.1
        worst = max(worst, took)
        if each:
            each()
        time.sleep(max(0.0, 0.02 - took))
    return asked, good, quick, worst * 1000


def noticed(s, least):
    """At least so many seconds, and until the worker has seen that more is asked than it can answer, if it
    has: how soon depends on how much of a processor it gets."""
    before = len(s.events("resolve.overload"))
    time.sleep(least)
    until(lambda: len(s.events("resolve.overload")) > before, 2)


def judge(measure, times=3):
    """measure() gives rows for ok().  What is not good is measured anew, all of it: other work
    on the machine may have had its turn."""
    rows = measure()
    for _ in range(times - 1):
        if all(row[0] for row in rows):
            break
        note(f"measured anew: {[row[1:] for row in rows if not row[0]]}")
        rows = measure()
    for row in rows:
        ok(*row)


def told(what, got, sent=(0, 1.0)):
    asked, good, quick, worst = got
    note(f"{what}: {sent[0] / sent[1] / 1000:.0f} thousand a second beside; of {asked} asked {good} answered, "
         f"{quick} within 100 ms, the slowest {worst:.0f} ms")


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        row = f.read().rsplit(")", 1)[1].split()
    return (int(row[11]) + int(row[12])) / os.sysconf("SC_CLK_TCK")


def one_client():
    seconds = 3.2
    messages = [query("www.example.") for _ in range(400)]
    heavy = ["127.0.66.1", "127.0.66.2"]
    with Fine() as up, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink, \
            resolver(binary, up, {"query-log": False}) as s:
        ask(s.dns, "www.example.")
        sink.bind(("127.0.0.1", 0))
        # with less of a processor than who floods it: far more is asked than it can answer, where there are few of them
        os.setpriority(os.PRIO_PROCESS, worker(s), 10)
        before, rate = memory(s), [0.0]

        def measure():
            end = flood(sink.getsockname(), heavy, messages)
            time.sleep(0.5)
            beside = served(s.dns, seconds, "www.example.")
            told("the same noise, but at nobody", beside, end())
            used = cpu(worker(s))
            end = flood(s.dns, heavy, messages)
            noticed(s, 0.5)
            got = served(s.dns, seconds, "www.example.")
            sent = end()
            used = cpu(worker(s)) - used
            rate[0] = sent[0] / sent[1]
            told(f"one client at full rate ({used / sent[1]:.2f} of a processor for the worker)", got, sent)
            return [(got[1] >= 0.9 * got[0] and got[2] >= 0.7 * got[0] * beside[2] / beside[0],
                     "one client asks far more than can be answered: the other is answered, and at once", (got, beside))]
        judge(measure)
        e = s.find_event("resolve.overload")
        if e:
            ok(e["network"] == "127.0.66.0/24" and e["networks"] == 1, "who is held back is told", e)
            note(f"it asked {e['rate'] / e['answered']:.1f} times what is answered, {rate[0] / e['answered']:.1f} times all through")
            if max(rate[0], e["rate"]) < 2 * e["answered"]:
                skip("far more than can be answered", "NOT ON THIS MACHINE: two senders can ask little more than it answers")
            ok(e["rate"] > e["answered"], "it asked for more than can be answered", e)
        else:
            skip("who is held back is told", "NOBODY WAS: this machine answers all that two senders can ask; the fair share was not tested")
        ok(memory(s) - before < 24 << 10, "memory is bounded", memory(s) - before)
        if e:
            ok(until(lambda: len(s.events("resolve.overload_over")) == len(s.events("resolve.overload")), 10),
               "when it is over nobody is held back")
        good = sum(ask(s.dns, "www.example.", source="127.0.66.1", timeout=1) is not None for _ in range(20))
        ok(good == 20, "and it is answered as before", good)


def press(dns, sources, blob, stop, out):
    """A process of its own: a connection from each source, on which queries follow one another as fast as it goes;
    all answers are read.  Gives how many octets they were."""
    socks = []
    for source in sources:
        s = socket.create_connection(dns, 5, (source, 0))
        s.setblocking(False)
        socks.append([s, 0])
    got = 0
    while not stop.is_set():
        readable, writable, _ = select.select([s for s, _ in socks], [s for s, _ in socks], [], 0.1)
        for row in socks:
            with contextlib.suppress(BlockingIOError):
                if row[0] in readable:
                    got += len(row[0].recv(1 << 20))
            with contextlib.suppress(BlockingIOError):
                if row[0] in writable:
                    row[1] = (row[1] + row[0].send(blob[row[1]:])) % len(blob)
    out.put(got)


def connections_that_press():
    """One network whose connections are never empty: what is answered of it in one turn of the loop is bounded,
    so that others, by UDP and by TCP, do not wait for it."""
    one = query("www.example.", edns=False)
    blob = (struct.pack(">H", len(one)) + one) * 4000
    sources = [f"127.0.66.{i}" for i in range(1, 33)]
    with Fine() as up, resolver(binary, up, {"query-log": False}) as s:
        ask(s.dns, "www.example.")
        before, rate = memory(s), [0.0]

        def measure():
            out, stop = multiprocessing.Queue(), multiprocessing.Event()
            ps = [multiprocessing.Process(target=press, daemon=True, args=(s.dns, sources[i::2], blob, stop, out)) for i in (0, 1)]
            for p in ps:
                p.start()
            begin = time.monotonic()
            time.sleep(0.5)
            by_udp = served(s.dns, 2, "www.example.")
            by_tcp = served(s.dns, 2, "www.example.", tcp=True)
            stop.set()
            took = time.monotonic() - begin
            rate[0] = sum(out.get(timeout=60) for _ in ps) / (len(one) + 18) / took
            for p in ps:
                p.join()
            for what, got in (("UDP", by_udp), ("TCP", by_tcp)):
                told(f"32 connections that are never empty, another by {what}", got, (rate[0] * took, took))
            return [(got[1] >= 0.95 * got[0] and got[2] >= 0.9 * got[0], f"connections that press: another is answered by {what}, "
                     "and at once", got) for what, got in (("UDP", by_udp), ("TCP", by_tcp))]
        judge(measure)
        ok(rate[0] > 10000, "and they are answered, too", rate[0])
        ok(memory(s) - before < 24 << 10, "memory is bounded", memory(s) - before)
        ok(not s.events("role.crashed"), "no process has died")


def random_names():
    """Names that nobody knows, at an upstream that says nothing: below one name, below many,
    from one address and from a whole network."""
    def below_one():
        return f"r{random.getrandbits(40):x}.attacked.example."

    def below_many():
        return f"r{random.getrandbits(40):x}.p{random.getrandbits(40):x}.attacked.example."
    count = [0]

    def fresh():
        count[0] += 1
        return f"n{count[0]}.example." if count[0] % 2 else "www.example."
    with Fine() as up, resolver(binary, up, {"query-log": False}) as s:
        ask(s.dns, "www.example.")
        before, open_before, most = memory(s), descriptors(s), [0]

        def look():
            most[0] = max(most[0], descriptors(s) - open_before)
        for what, make, sources in (("below one name", below_one, ["127.0.66.1"]),
                                    ("below many, from a whole network", below_many, [f"127.0.66.{i}" for i in range(1, 41)])):
            def measure(what=what, make=make, sources=sources):
                most[0] = 0
                end = flood(s.dns, sources, [query(make()) for _ in range(6000)])
                noticed(s, 0.7)
                got = served(s.dns, 2.5, fresh, look)
                told(f"random names {what} ({most[0]} sockets of upstream questions at most)", got, end())
                return [(got[1] >= 0.95 * got[0], f"random names {what}: others are answered, cached or not", got),
                        (most[0] <= 2200, "questions in flight are bounded", most[0])]
            judge(measure)
        grown = memory(s) - before
        ok(grown < 48 << 10, "memory is bounded", f"{grown} KiB")
        note(f"{grown} KiB more memory; the silent upstream heard {up.silently.value} questions")
        ok(not s.events("role.crashed"), "no process has died")


def connections():
    with Fine() as up, resolver(binary, up, {"query-log": False, "tcp-clients": 1000, "tcp-idle": "3s"}) as s:
        ask(s.dns, "www.example.")
        before, slow = memory(s), []
        q = query("www.example.")
        for i in range(400):
            c = socket.socket()
            c.bind((f"127.0.2.{1 + i % 200}", 0))
            c.connect(s.dns)
            slow.append([c, time.monotonic(), 0.0])
        stop = []

        def dawdle():
            while not stop:
                for c in slow:
                    with contextlib.suppress(OSError):
                        if not c[2]:
                            c[0].send(b"\0" if time.monotonic() - c[1] < 1 else q[:1])
                            c[0].setblocking(False)
                            if c[0].recv(10) == b"":
                                c[2] = time.monotonic()
                    if not c[2] and c[0].fileno() >= 0:
                        try:
                            c[0].send(b"")
                        except OSError:
                            c[2] = time.monotonic()
                time.sleep(1)
        t = threading.Thread(target=dawdle, daemon=True)
        t.start()

        def measure():
            got = served(s.dns, 2, "www.example.")
            told("four hundred send an octet a second", got)
            return [(got[1] >= 0.98 * got[0], "four hundred dawdlers: others are answered by UDP", got)]
        judge(measure)
        begin = time.monotonic()
        a = ask(s.dns, "www.example.", tcp=True, source=OTHER)
        ok(a and a.values == [REAL] and time.monotonic() - begin < 2, "and by TCP")
        ok(until(lambda: all(c[2] for c in slow), 10), "who sends no whole query in time is closed",
           sum(1 for c in slow if not c[2]))
        stop.append(1)
        t.join(5)
        many = []
        for i in range(3000):
            c = socket.socket()
            c.bind((f"127.0.3.{1 + i % 200}", 0))
            c.settimeout(5)
            with contextlib.suppress(OSError):
                c.connect(s.dns)
                c.sendall(struct.pack(">H", len(q)) + q + b"\xff\xff" + b"x" * 100)
            many.append(c)
        good = 0
        for i in range(20):
            with contextlib.suppress(OSError):
                a = ask(s.dns, "www.example.", tcp=True, source=f"127.0.1.{i + 1}")
                good += a is not None and a.values == [REAL]
        ok(good == 20, "three times as many connections as may be: who comes is served by TCP", good)
        ok(descriptors(s) < 1200, "no more are open than may be", descriptors(s))
        grown = memory(s) - before
        ok(grown < 32 << 10, "memory is bounded", f"{grown} KiB")
        for c in [*many, *(x[0] for x in slow)]:
            c.close()
        ok(not s.events("role.crashed"), "no process has died")
        ok(s.stop() == 0, "it drains")


one_client()
connections_that_press()
random_names()
connections()
done()
