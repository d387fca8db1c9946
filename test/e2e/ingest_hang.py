"""A parser that never ends: the worker is killed by the supervisor, started again
after a pause, and the batch that held it twice is set aside; what came before and
after it arrives.  (The endless loop is put into the thread that processes, by
ptrace; a real one looks the same from outside.)"""

import contextlib
import gzip
import os
import signal
import sys
import time

import inject
from harness import Server, done, need_store, ok, skip_all, until
from ingest_lib import Submit, busy, delivered, dns, doubles, stats

need_store()
if inject.possible() is not True:
    skip_all(inject.possible())

# one large block: while the batch is worked on nothing else computes in the pool
CONF = {"process": {"restart_max": "2s", "watchdog": "4s"}, "ingest": {"deliver": "2s", "deliver_rows": 1000000}}


def threads(pid):
    with contextlib.suppress(OSError):
        return [int(t) for t in os.listdir(f"/proc/{pid}/task") if int(t) != pid]
    return []


def computes(pid, thread):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "R"
    return False


def hang(server, wanted, deaths):
    """Puts the loop in while the marker names that batch (0: any); the batch, 0: never."""
    def attempt():
        pid = server.pid("ingest")
        seq, died = busy(server)
        if not pid or not seq or wanted not in (0, seq) or died != deaths:
            return 0
        for thread in threads(pid):
            with contextlib.suppress(OSError):
                if computes(pid, thread) and inject.spin(pid, thread, lambda: busy(server) == (seq, died)):
                    time.sleep(0.2)
                    return seq if busy(server) == (seq, died) else 0
        return 0
    return until(attempt, 60, 0.001) or 0


with Server(sys.argv[1], CONF) as s:
    slow = gzip.compress(dns(150000), 1)
    with Submit(s.data) as c:
        ok(c.send(dns(100, 900000), batch_id="before")[0] == "OK", "a good batch")
        ok(delivered(s, 100) == 100, "it arrives")
        ok(c.send(slow, encoding=1, batch_id="slow")[0] == "OK", "a batch that takes long")
    first = hang(s, 0, 0)
    pid = s.pid("ingest")
    ok(first != 0, "its parser runs in a circle")
    begun = time.monotonic()
    ok(stats(s) is not None, "while the loop of the worker still answers")
    ok(s.wait_event("role.hung", 30, hung="ingest") is not None, "the supervisor finds it hung",
       f"{time.monotonic() - begun:.1f} s")
    crashed = s.wait_event("role.crashed", 10, crashed="ingest")
    ok(crashed and crashed["signal"] == "KILL" and crashed["watchdog"] is True and crashed["pause_ms"] >= 100,
       "kills it and pauses before it starts another", str(crashed))
    ok(until(lambda: s.pid("ingest") not in (pid, None), 20), "which runs")
    ok(hang(s, first, 1) == first, "the same batch holds that one, too")
    ok(s.wait_event("role.hung", 30, 2, hung="ingest") is not None, "it is found hung again")
    aside = s.wait_event("ingest.aside", 30)
    ok(aside and aside["batch"] == first, "the batch is set aside, with a system event", str(aside))
    kept = os.path.join(s.data, "quarantine", f"spool-0-{first}.batch")
    ok(until(lambda: os.path.exists(kept), 5) and slow in open(kept, "rb").read(), "its bytes are in quarantine/")
    with Submit(s.data) as c:
        ok(c.send(dns(100, 800000), batch_id="after")[0] == "OK", "the worker goes on")
    ok(delivered(s, 100, 30, "uid LIKE 'C8000%'") == 100, "what came after it arrives")
    ok(delivered(s, 100, 1, "uid LIKE 'C9000%'") == 100 and doubles(s) == 0, "and nothing is there twice")
    pid = s.pid("ingest")
    os.kill(pid, signal.SIGSTOP)  # hangs without a batch at hand
    ok(s.wait_event("role.hung", 40, 3, hung="ingest") is not None, "a worker that stands still is found, too")
    ok(until(lambda: s.pid("ingest") not in (pid, None), 20) and len(s.events("ingest.aside")) == 1,
       "and nothing more is set aside for it")
    ok(s.stop() == 0, "it drains")
done()
