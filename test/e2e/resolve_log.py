#!/usr/bin/env python3
"""The query log at its edges: an answer leaves only after its event is in the file; at the
bound `drop-old` removes the oldest files, beside a running ingest, which leaves them alone;
who takes dnstap and reads slowly misses what its queue had no room for.  What is missing is
counted, event by event."""

import glob
import os
import socket
import struct
import sys
import threading

from dnstap_lib import ACCEPT, control, frames, hear
from harness import Server, done, free_port, note, ok, sanitized, until
from people_lib import without_store
from resolve_lib import Upstream, ask, memory, name_bytes, query

binary = sys.argv[1]
SIZE = 8 << 20
LONG = [f"t{i}.example." for i in range(40)]
ANSWERS = {**{(n, "TXT"): [(n, "TXT", 600, c * 240) for c in "abcd"] for n in LONG},
           **{(f"n{i}.example.", "A"): [(f"n{i}.example.", "A", 600, "192.0.2.9")] for i in range(200)}}


class Slow:
    """Takes dnstap, and reads when it is told to."""

    def __init__(self):
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.begun, self.reads, self.raw = threading.Event(), threading.Event(), b""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        c, _ = self.listener.accept()
        hear(c)
        c.sendall(control(ACCEPT))
        self.begun.set()
        self.reads.wait()
        c.settimeout(60)
        parts = bytearray()
        while part := c.recv(1 << 20):
            parts += part
            self.raw = bytes(parts)


def newest(s):
    files = sorted(glob.glob(f"{s.data}/dnslog/0-*.tap"))
    return files[-1] if files else None


def kept(s):
    """(frames, bytes) of the folder."""
    count = size = 0
    for path in glob.glob(f"{s.data}/dnslog/*.tap"):
        with open(path, "rb") as f:
            raw = f.read()
        count += len(frames(raw)[0])
        size += len(raw)
    return count, size


def order(s):
    """From outside: whenever there is an answer, its event is in the file."""
    late, asked = [], 0
    for i in range(200):
        for kind, how in (("A", {}), ("A", {}), ("A", {"tcp": True}), ("MX", {"tcp": True})):
            if how and i % 4:
                continue
            # mixed case: this very question, not one before
            name = "".join(c.upper() if (asked >> k) & 1 else c for k, c in enumerate(f"n{i}.example."))
            a = ask(s.dns, name, kind, **how)
            with open(newest(s) or os.devnull, "rb") as f:
                raw = f.read()
            asked += 1
            if a is None or name_bytes(name) not in raw or len(frames(raw)[0]) != asked:
                late.append((asked, name, kind, how))
    ok(not late and asked == 500, f"{asked} answers: each came after its event was in the file", late[:3])
    return asked


def pump(s, n):
    """So many queries, some at a time; how many were answered."""
    good = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        c.connect(s.dns)
        c.settimeout(5)
        for at in range(0, n, 40):
            for i, name in enumerate(LONG):
                c.send(query(name, "TXT", ident=at + i & 0xffff))
            for _ in LONG:
                try:
                    good += struct.unpack_from(">H", c.recv(2048), 6)[0] == 4
                except TimeoutError:
                    return good
    return good


def numbers(s):
    text = bytes(s.http("GET", "/metrics")[2]).decode()
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    one = {k.split("{")[0].removeprefix("yagura_resolve_").removesuffix("_total"): int(float(v)) for k, v in rows.items() if 'process="resolve-0"' in k}
    return one, rows


def counted(s, written):
    """The worker's numbers once it has told of so many events written."""
    return until(lambda: (n := numbers(s)[0]).get("log_written") == written and n, 20) or numbers(s)[0]


def bounded(s, slow, asked):
    before, most = memory(s), 0
    for name in LONG:
        ask(s.dns, name, "TXT")
    asked += len(LONG)
    for _ in range(6):
        good = pump(s, 2400)
        ok(good == 2400, "all are answered while the log is at its bound and one reader stands still", good)
        asked += good
        most = max(most, kept(s)[1])
    n = counted(s, asked)
    have, size = kept(s)
    note(f"{asked} asked, {have} kept in {size} bytes, {n.get('log_dropped_old')} removed in {n.get('log_files_dropped')} files")
    ok(most <= SIZE and size > SIZE // 2, "the folder is as large as it may be, and no larger", (most, size))
    ok(n["log_written"] == asked and n["log_dropped"] == 0 and n["log_files_dropped"] > 0 and
       n["log_dropped_old"] == asked - have, "drop-old: what is gone is counted, event by event", (asked, have, n))
    ok(s.find_event("resolve.log_full"), "and told")
    rows = numbers(s)[1]
    ok(rows.get('yagura_role_up{role="ingest-0"}') == "1" and not any("ingest_dnslog" in k for k in rows),
       "ingest runs, and leaves the files alone", [k for k in rows if "dnslog" in k])
    grown = memory(s) - before
    ok(sanitized(binary) or grown < 16 << 10, "memory is bounded", f"{grown} KiB")
    tapped(s, slow, asked, n)
    return asked + 20, have


def tapped(s, slow, asked, n):
    ok(n["dnstap_dropped"] > 0 and n["dnstap_lost"] == 0 and n["dnstap_sent"] + n["dnstap_waiting"] + n["dnstap_dropped"] == asked,
       "dnstap: what was sent, waits and had no room is all there was", n)
    ok("full" in (s.find_event("resolve.dnstap_down") or {}).get("error", ""), "a full queue is told")
    slow.reads.set()
    up = until(lambda: s.find_event("resolve.dnstap_up", dropped=n["dnstap_dropped"]), 20)
    ok(up, "and that there is room again, with what was dropped", s.events("resolve.dnstap_up"))
    for i in range(20):
        ask(s.dns, f"n{i}.example.")
    want = asked + 20 - n["dnstap_dropped"]
    got = until(lambda: len(frames(slow.raw)[0]) >= want, 20) and len(frames(slow.raw)[0])
    n = counted(s, asked + 20)
    ok(got == want == n["dnstap_sent"] and n["dnstap_waiting"] == 0 and n["dnstap_lost"] == 0,
       "the slow reader has every frame that was not dropped", (got, want, n))


def killed(s):
    """The next process counts what it removes of the one before."""
    s.kill_and_wait("resolve")
    have, _ = kept(s)
    good = sum(ask(s.dns, name, "TXT") is not None for name in LONG) + pump(s, 8000)
    ok(good == len(LONG) + 8000, "after kill -9 all are answered", good)
    n = counted(s, len(LONG) + 8000)
    now, size = kept(s)
    ok(size <= SIZE and n["log_dropped_old"] == have + n["log_written"] - now and n["log_dropped_old"] > 0,
       "events in files of a process that died are counted too", (have, now, n))


def main():
    slow, port = Slow(), free_port()
    with Upstream(ANSWERS) as up:
        conf = {**without_store(),
                "resolve": {"listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"], "workers": 1, "fair-share": False,
                            "upstream": [{"zone": ".", "forward": [up.address]}],
                            "query-log-size": "8MiB", "query-log-full": "drop-old",
                            "dnstap": [{"to": f"127.0.0.1:{slow.port}", "protocol": "tcp", "queue": "512KiB"}]}}
        with Server(binary, conf) as s:
            s.dns = ("127.0.0.1", port)
            ok(slow.begun.wait(20), "the receiver of dnstap is found")
            asked = order(s)
            bounded(s, slow, asked)
            killed(s)
            ok(not s.events("role.crashed", crashed="ingest"), "no other process has died")


main()
done()
