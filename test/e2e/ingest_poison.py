"""A batch that ends the worker twice by a crash is set aside and told of; what
came before and after it arrives.  (The crash is a SIGSEGV sent while the marker
in the spool names the batch: a real one looks the same from outside.)"""

import gzip
import os
import signal
import sys

from harness import Server, done, need_store, ok, until
from ingest_lib import Submit, busy, delivered, dns, doubles, stats

need_store()


def crash_on(server, wanted, sig, deaths=0):
    """Signals the worker while its marker names that batch (0: any); the batch, 0: never."""
    def named():
        seq, died = busy(server)  # what the one before left has another count
        return seq if seq and wanted in (0, seq) and died == deaths and server.pid("ingest") else 0
    seq = until(named, 60, 0.001)
    if not seq:
        return 0
    pid = server.kill("ingest", sig=sig)
    until(lambda: server.pid("ingest") not in (pid, None), 20)
    return seq


with Server(sys.argv[1], {"process": {"restart_max": "500ms"}, "ingest": {"deliver": "100ms"}}) as s:
    poison = gzip.compress(dns(400000), 1)
    with Submit(s.data) as c:
        ok(c.send(dns(100), batch_id="before")[0] == "OK", "a good batch")
        ok(delivered(s, 100) == 100, "it arrives")
        ok(c.send(poison, encoding=1, batch_id="poison")[0] == "OK", "a batch that takes long")
    first = crash_on(s, 0, signal.SIGSEGV)
    ok(first != 0, "a crash while it is worked on")
    second = crash_on(s, first, signal.SIGSEGV, 1)
    ok(second == first, "and another one on the same batch")
    aside = s.wait_event("ingest.aside", 30)
    ok(aside and aside["batch"] == first, "it is set aside, with a system event", str(aside))
    kept = os.path.join(s.data, "quarantine", f"spool-0-{first}.batch")
    ok(until(lambda: os.path.exists(kept), 5) and poison in open(kept, "rb").read(), "its bytes are in quarantine/")
    with Submit(s.data) as c:
        ok(c.send(dns(100, 500000), batch_id="after")[0] == "OK", "the worker goes on")
    ok(delivered(s, 100, 30, "uid LIKE 'C5000%'") == 100, "what came after it arrives")
    ok(stats(s)["spools"][0]["set_aside"] == 1 and doubles(s) == 0, "it is counted, and nothing is there twice")

    with Submit(s.data) as c:
        c.send(gzip.compress(dns(300000, 1000000), 1), encoding=1, batch_id="innocent")
    first = crash_on(s, 0, signal.SIGKILL)
    for deaths in (1, 2):
        crash_on(s, first, signal.SIGKILL, deaths)
    got = delivered(s, 300000, 60, "toUInt64OrZero(substring(uid, 2)) >= 1000000")
    ok(got == 300000, "a batch whose worker was killed from outside three times arrives whole", str(got))
    ok(doubles(s) == 0, "once")
    ok(s.stop() == 0, "it drains")
done()
