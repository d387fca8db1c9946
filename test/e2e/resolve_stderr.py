#!/usr/bin/env python3
"""Nobody reads what the processes write to standard error, a pipe that is full before the first
of them is ready: they start, answer, take new policies and come back after kill -9 as always;
and when somebody reads, the records are there, whole."""

import fcntl
import json
import os
import sys
import tempfile
import time

from harness import done, ok, until
from resolve_lib import Asking, Upstream, ask, resolver

binary = sys.argv[1]
ROUNDS = 3


class Somebody(Asking):
    """Asks for a name that is in the cache, and for one that is blocked."""

    def __init__(self, s):
        super().__init__()
        self.s, self.asked, self.bad, self.slowest = s, 0, 0, 0.0

    def one(self):
        begin = time.monotonic()
        a, b = ask(self.s.dns, "www.example."), ask(self.s.dns, "listed.example.")
        self.asked += 2
        self.bad += (a is None or a.values != ["192.0.2.1"]) + (b is None or b.rcode != "NXDOMAIN")
        self.slowest = max(self.slowest, time.monotonic() - begin)


def read_all(fd):
    out = b""
    while True:
        try:
            more = os.read(fd, 65536)
        except BlockingIOError:
            return out
        if not more:
            return out
        out += more


def main():
    with tempfile.TemporaryDirectory() as top, Upstream({("www.example.", "A"): [("www.example.", "A", 600, "192.0.2.1")]}) as up:
        fifo = f"{top}/log"
        os.mkfifo(fifo)
        pipe = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        with resolver(binary, up, {"workers": 1, "policy": [{"name": "names", "list": "names.txt"}]},
                      {"names.txt": "listed.example\n"}, wait=0, prefix=["sh", "-c", f'exec "$@" 2>{fifo}', "sh"]) as s:
            def blocked(name):
                a = ask(s.dns, name, timeout=1)
                return a is not None and a.rcode == "NXDOMAIN" and a.ede is not None

            ok(until(lambda: blocked("listed.example."), 30), "it serves, and nobody reads its log")
            ok(until(lambda: s.pid("resolve") and s.pid("zones"), 10), "all processes are there")
            killed = s.kill("resolve")
            ok(until(lambda: s.pid("resolve") not in (None, killed) and blocked("listed.example."), 20), "a worker that is killed comes back")
            worker = s.pid("resolve")
            with Somebody(s) as somebody:
                came = 0
                for i in range(ROUNDS):
                    with open(f"{os.path.dirname(s.conf_path)}/names.txt", "a", encoding="utf-8") as f:
                        f.write(f"new{i}.example\n")
                    came += until(lambda i=i: blocked(f"new{i}.example."), 20) is not None
            ok(came == ROUNDS, "each new policy is in force, and told to nobody", came)
            ok(somebody.asked >= 20 and somebody.bad == 0, "everybody is answered all the while", (somebody.asked, somebody.bad))
            ok(somebody.slowest < 2, "and soon", somebody.slowest)
            raw = b""

            def read():
                nonlocal raw
                raw += read_all(pipe)
                return b'"role.crashed"' in raw and raw.count(b'"resolve.policy"') > ROUNDS

            ok(until(read, 10), "somebody reads: what waited comes", raw[-2000:])
            records = [json.loads(x) for x in raw.decode().splitlines() if x.startswith("{")]
            ok(len(raw) > 4096 and len(records) == raw.count(b"\n"), "each record is whole", (len(raw), len(records), raw.count(b"\n")))
            ok(len([r for r in records if r["event"] == "resolve.policy" and r["pid"] == worker]) == ROUNDS + 1, "none is missing",
               [(r["event"], r["pid"]) for r in records])
            ok(s.stop() == 0, "it drains")
        os.close(pipe)
    done()


main()
