#!/usr/bin/env python3
"""kill -9 of everything, one after the other, while somebody asks fifty times a second:
a worker (the other one serves, it is back in under a second), zones, the centre; the
centre stopped for long.  Service goes on, and where the centre is away it is said."""

import json
import os
import signal
import subprocess
import sys
import time

from harness import Server, done, free_port, note, ok, sanitized, until
from people_lib import without_store
from resolve_lib import Asking, Upstream, ask

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
        # its socket stays open in the supervisor: what was sent to it waits for the next one
        ok(len(somebody.bad) <= 0.5 * somebody.asked, "the other one serves meanwhile", (somebody.asked, somebody.bad[:5]))


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
            rest(s)
            away(s)
        alone(up)
    done()


main()
