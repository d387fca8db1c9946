#!/usr/bin/env python3
"""kill -9 of everything, one after the other, while somebody asks fifty times a second:
a worker (it is back in under a second; while nobody may come back the other one serves its part),
zones, the centre; the centre stopped for long.  Service goes on, and where the centre is away it is said."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

from harness import Server, done, free_port, note, ok, sanitized, until
from people_lib import without_store
from resolve_lib import Answer, Asking, Upstream, ask, query

binary = sys.argv[1]
ANSWERS = {("www.example.", "A"): [("www.example.", "A", 600, "192.0.2.1")]}
FEED = "$TTL 60\n@ SOA ns.feed. root.feed. 42 60 60 86400 30\n@ NS ns.feed.\nevil.example CNAME .\n"
LONGEST = 5.0 if sanitized(binary) else 1.0


class Somebody(Asking):
    """Two questions every 20 ms, each from a port of its own: a name that is known, one that is blocked.
    Lost is what had no answer within 300 ms, as a client that asks again would see it."""

    def __init__(self, dns):
        super().__init__()
        self.dns, self.asked, self.bad = dns, 0, []

    def one(self):
        begin = time.monotonic()
        for name, want in (("www.example.", (["192.0.2.1"], "NOERROR")), ("evil.example.", ([], "NXDOMAIN"))):
            a = ask(self.dns, name, timeout=0.3)
            self.asked += 1
            if a is None or (a.values, a.rcode) != want:
                self.bad.append((round(begin, 2), name, a and (a.rcode, a.values)))


def killed(s, role, index=0):
    """Seconds until the next one is ready."""
    before = len(s.events("role.ready", ready=role, worker=index))
    begin = time.monotonic()
    s.kill(role, index)
    back = until(lambda: len(s.events("role.ready", ready=role, worker=index)) > before, 20, 0.01)
    return time.monotonic() - begin if back else None


def workers(s):
    for index in (0, 1, 0):
        with Somebody(s.dns) as somebody:
            time.sleep(0.3)
            took = killed(s, "resolve", index)
            time.sleep(0.4)
        note(f"worker {index} killed: back after {(took or 99) * 1000:.0f} ms; of {somebody.asked} queries {len(somebody.bad)} "
             f"without the answer")
        ok(took is not None and took < LONGEST, f"worker {index} is back in under a second", took)
        wrong = [b for b in somebody.bad if b[2] is not None]
        ok(not wrong, "no answer is a wrong one, from the first moment on", wrong[:5])


def many(dns, count):
    """One question from each of `count` ports at once, by UDP: the sockets, and those that were answered within 100 ms
    of the last question."""
    socks, good = [], set()
    for _ in range(count):
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        c.connect(dns)
        c.setblocking(False)
        socks.append(c)
    for c in socks:
        c.send(query("www.example."))
    end = time.monotonic() + 0.1
    while len(good) < count and (left := end - time.monotonic()) > 0:
        for c in select.select([c for c in socks if c not in good], [], [], left)[0]:
            if Answer(c.recv(65535)).values == ["192.0.2.1"]:
                good.add(c)
    return socks, good


def streams(dns, count):
    """The same by TCP, one after the other; how many were answered within 100 ms."""
    good = 0
    for _ in range(count):
        with contextlib.suppress(OSError):
            a = ask(dns, "www.example.", tcp=True, timeout=0.1)
            good += a is not None and a.values == ["192.0.2.1"]
    return good


ROUNDS, PORTS = 6, 40


def other_serves(s):
    """The supervisor stands still, so that nobody comes for the dead one: what is answered now the other one answers.
    The system spreads queries over both sockets by address and port; the dead one's wait for who comes after it."""
    all_socks, answered = many(s.dns, PORTS)
    ok(len(answered) == PORTS, "both there: everybody is answered at once", len(answered))
    for c in all_socks:
        c.close()
    for index in (0, 1):
        before = len(s.events("role.ready", ready="resolve", worker=index))
        pid, waiting, good, by_tcp = s.pid("resolve", index), [], 0, 0
        s.process.send_signal(signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            until(lambda: gone(pid), 5, 0.005)
            for _ in range(ROUNDS):
                socks, answered = many(s.dns, PORTS)
                good += len(answered)
                waiting += [c for c in socks if c not in answered]
                for c in answered:
                    c.close()
            by_tcp = streams(s.dns, PORTS)
        finally:
            s.process.send_signal(signal.SIGCONT)
        note(f"worker {index} dead and not replaced: of {ROUNDS * PORTS} queries by UDP {good} answered within 100 ms, "
             f"of {PORTS} by TCP {by_tcp}")
        ok(good >= 0.3 * ROUNDS * PORTS, f"worker {index} is dead and stays so: the other one serves its part", good)
        ok(by_tcp >= 0.2 * PORTS, "by TCP, too", by_tcp)
        ok(until(lambda: len(s.events("role.ready", ready="resolve", worker=index)) > before, 20), "then it comes back")
        late = 0
        for c in waiting:
            c.settimeout(2)
            with contextlib.suppress(OSError):
                late += Answer(c.recv(65535)).values == ["192.0.2.1"]
            c.close()
        ok(late == len(waiting), "and what was sent to the dead one is answered by who comes after it", (late, len(waiting)))


def gone(pid):
    """Dead, though nobody has looked after it yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in ("Z", "X")
    except OSError:
        return True


def explain(s, name, lang="C"):
    out = subprocess.run([binary, "dns", "explain", "--json", name], capture_output=True, text=True, timeout=60,
                         env={**os.environ, "YAGURA_DATA": s.data, "LC_ALL": lang})
    return json.loads(out.stdout) if out.returncode == 0 else {"error": out.stderr}


def rest(s):
    for role in ("zones", "center"):
        with Somebody(s.dns) as somebody:
            time.sleep(0.2)
            took = killed(s, role)
            time.sleep(0.3)
        note(f"{role} killed: back after {(took or 99) * 1000:.0f} ms; of {somebody.asked} queries {len(somebody.bad)} without the answer")
        ok(took is not None, f"{role} comes back")
        ok(len(somebody.bad) <= somebody.asked // 50, f"{role} killed: everybody is answered all the while",
           (somebody.asked, somebody.bad[:5]))
        ok(s.find_event("role.crashed", crashed=role), f"the log says that {role} died")
    until(lambda: s.http("GET", "/livez").status == 200, 30)
    e = explain(s, "evil.example")
    ok(e.get("verdict") == "blocked" and "centre" not in e, "the centre explains", e)


def away(s):
    """It stands still: its socket takes connections, and nobody answers."""
    with Somebody(s.dns) as somebody:
        pid = s.pid("center")
        os.kill(pid, signal.SIGSTOP)
        begin = time.monotonic()
        e = explain(s, "evil.example")
        took = time.monotonic() - begin
        os.kill(pid, signal.SIGCONT)
    ok(len(somebody.bad) <= somebody.asked // 50, "the centre stands still: everybody is answered", (somebody.asked, somebody.bad[:5]))
    ok(e.get("verdict") == "blocked" and e.get("centre") == "away" and "centre does not answer" in e["words_en"][-1] and
       "センター" in e["words_ja"][-1] and took < 15, "dns explain asks the workers, and says that it is away", (took, e))


def alone(up):
    """serve --only resolve: there is no centre to be away."""
    port = free_port()
    s = Server(binary, {"api": None, "store": None, "resolve": {
        "listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"], "upstream": [{"zone": ".", "forward": [up.address]}]}}, only="resolve")
    with s:
        e = explain(s, "www.example")
        ok(e.get("centre") == "none", "a resolver alone says that there is no centre", e)


def main():
    port = free_port()
    with Upstream(ANSWERS) as up:
        def before(s):
            with open(os.path.join(os.path.dirname(s.conf_path), "feed.zone"), "w", encoding="utf-8") as f:
                f.write(FEED)
        s = Server(binary, {**without_store(), "resolve": {
            "listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"], "workers": 2, "policy": [{"name": "feed", "rpz": "feed.zone"}],
            "upstream": [{"zone": ".", "forward": [up.address]}]}}, before=before)
        s.dns = ("127.0.0.1", port)
        with s:
            ok(until(lambda: len(s.events("resolve.policy")) >= 2, 20), "both workers have the policy")
            for _ in range(20):
                ask(s.dns, "www.example.")
            workers(s)
            other_serves(s)
            rest(s)
            away(s)
        alone(up)
    done()


main()
