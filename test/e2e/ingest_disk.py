"""The spool's disk is full: nothing that was acknowledged is lost, what could not
be kept is refused, and when space is back it goes on by itself."""

import os
import subprocess
import sys

from harness import Server, done, need_store, ok, skip_all, until
from ingest_lib import Submit, delivered, dns, doubles, number, stats

need_store()
if os.geteuid() != 0:
    skip_all("a small file system can only be mounted as root")

PER_BATCH = 5000


def mount(server):
    spool = os.path.join(server.data, "spool")
    done_ = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0777", "tmpfs", spool], capture_output=True, check=False)
    if done_.returncode != 0:
        skip_all(f"no small file system: {done_.stderr.decode().strip()}")


def fill(s, first):
    """Batches until one is refused; how many were acknowledged."""
    n, answer = 0, "OK"
    with Submit(s.data) as c:
        while answer == "OK" and n < 200:
            answer, _ = c.send(dns(PER_BATCH, first + n * PER_BATCH), batch_id=f"b{first + n * PER_BATCH}")
            n += answer == "OK"
    return n, answer


server = Server(sys.argv[1], {"store": {"url": "http://127.0.0.1:1"}, "process": {"restart_max": "1s"}})
try:
    with server as s:
        s.stop()
        mount(s)
        ok(s.restart(), "a worker on a small disk")
        taken, answer = fill(s, 0)
        ok(answer == "LIMIT" and taken > 5, "a full disk refuses", f"{answer} after {taken}")
        spool = stats(s)["spools"][0]
        ok(spool["groups_failed"] >= 1 and spool["bytes"] < spool["bytes_max"] // 2, "by the disk, not by the bound")
        more, answer = fill(s, 10000000)
        ok(answer == "LIMIT", "and goes on refusing", answer)
        s.kill_and_wait("ingest")
        with Submit(s.data) as c:
            status, dup = c.send(b"x", batch_id="b0")
        ok(status == "OK" and dup, "what was taken is known after a death on the full disk")
        s.stop()
        os.unlink(s.log_path)
        s.over = {"process": {"restart_max": "1s"}}
        s.start()
        want = (taken + more) * PER_BATCH
        got = delivered(s, want, 60)
        ok(got == want and doubles(s) == 0, "with the store back everything acknowledged arrives, once", f"{got} of {want}")
        ok(until(lambda: fill(s, 20000000)[0] > 0, 30, 0.5), "and there is room again")
        refused = number(s, f"SELECT count() FROM yagura.event WHERE toUInt64OrZero(substring(uid, 2)) >= "
                            f"{taken * PER_BATCH} AND toUInt64OrZero(substring(uid, 2)) < 10000000")
        ok(refused == 0, "nothing that was refused was kept", str(refused))
finally:
    server.stop()
    subprocess.run(["umount", "-l", os.path.join(server.data, "spool")], capture_output=True, check=False)
done()
