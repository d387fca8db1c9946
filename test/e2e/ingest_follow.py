"""Files followed through rotation by renaming and by copying and cutting, through
deaths of the worker in the middle: every line is an event once."""

import os
import shutil
import sys
import tempfile
import time

from harness import Server, done, need_store, ok, until
from ingest_lib import delivered, dns, doubles, number, stats

need_store()
logs = tempfile.mkdtemp(prefix="yagura-follow-")
os.chmod(logs, 0o755)
CONF = {"ingest": {"deliver": "100ms", "follow": [
    {"name": "f1", "org": "acme", "source": "zeek", "path": f"{logs}/dns*.log"},
    {"name": "f2", "org": "acme", "source": "zeek", "path": f"{logs}/cut.log"},
    {"name": "f3", "org": "beta", "source": "zeek", "path": f"{logs}/conn.tsv"}]},
    "process": {"restart_max": "1s"}}


def append(name, data):
    with open(os.path.join(logs, name), "ab") as f:
        f.write(data)
    os.chmod(os.path.join(logs, name), 0o644)


def count(s, sensor, want, seconds=30):
    return delivered(s, want, seconds, f"sensor = '{sensor}'")


TSV_HEAD = (b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
            b"#open\t2026-11-22-02-00-00\n"
            b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n"
            b"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\n")


def tsv(n, first):
    return b"".join(b"1700000000.%06d\tT%d\t10.0.0.5\t1234\t192.0.2.1\t443\ttcp\n" % (i, i) for i in range(first, first + n))


try:
    append("dns.log", dns(1000))
    with Server(sys.argv[1], CONF) as s:
        ok(count(s, "f1", 1000) == 1000, "what was there at the start")
        append("dns.log", dns(500, 1000)[:-40])
        time.sleep(0.3)
        append("dns.log", dns(500, 1000)[-40:])
        ok(count(s, "f1", 1500) == 1500, "a line written in two pieces is one")

        os.rename(f"{logs}/dns.log", f"{logs}/old-dns.log.1")
        append("old-dns.log.1", dns(200, 1500))  # the writer still has it open
        append("dns.log", dns(300, 1700))
        ok(count(s, "f1", 2000) == 2000, "rotation by renaming: the old one to its end, then the new one")

        append("cut.log", dns(400, 10000))
        ok(count(s, "f2", 400) == 400, "a second file")
        shutil.copy(f"{logs}/cut.log", f"{logs}/cut.copy")
        os.truncate(f"{logs}/cut.log", 0)
        append("cut.log", dns(700, 20000))  # longer than before
        ok(count(s, "f2", 1100) == 1100, "rotation by copying and cutting, also when it grew past the old place")

        append("conn.tsv", TSV_HEAD + tsv(300, 0))
        ok(count(s, "f3", 300) == 300, "Zeek's TSV")
        append("conn.tsv", tsv(300, 300))
        ok(count(s, "f3", 600) == 600 and
           number(s, "SELECT count() FROM yagura.event WHERE sensor = 'f3' AND dst_port = 443") == 600,
           "its header is remembered for later lines")

        for i in range(6):  # deaths in the middle of writing and rotating
            if i % 2:  # what gets another name before anything of it was taken cannot be known again
                count(s, "f1", 2000 + i * 5000, 60)
            append("dns.log", dns(3000, 100000 + i * 5000))
            time.sleep(0.05 * i)
            s.kill("ingest")
            if i % 2:
                os.rename(f"{logs}/dns.log", f"{logs}/away{i}.log")
                append(f"away{i}.log", dns(1000, 103000 + i * 5000))
            else:
                append("dns.log", dns(1000, 103000 + i * 5000))
            append("dns.log", dns(1000, 104000 + i * 5000))
            until(lambda: s.pid("ingest"), 20)
        append("conn.tsv", tsv(100, 600))
        want = 2000 + 6 * 5000
        got = count(s, "f1", want, 60)
        ok(got == want, "nothing lost and nothing twice through six deaths", f"{got} of {want}")
        uids = number(s, "SELECT uniqExact(uid) FROM yagura.event WHERE sensor = 'f1'")
        ok(uids == want, "every line once", str(uids))
        ok(count(s, "f3", 700) == 700 and
           number(s, "SELECT count() FROM yagura.event WHERE sensor = 'f3' AND dst_port = 443") == 700,
           "the header is found again after a restart")
        ok(doubles(s) == 0, "no row is there twice")
        ok(number(s, "SELECT count() FROM yagura.event WHERE parse_error != ''") == 0, "no line was torn")
        append("cut.log", b"x" * (3 << 20) + b"\n" + dns(5, 30000))
        ok(count(s, "f2", 1106) == 1106, "a line longer than a record keeps its head")
        ok(until(lambda: all(f["behind_bytes"] == 0 for f in stats(s)["follow"]), 10), "nothing is behind")
        ok(s.stop() == 0, "it drains")
        os.rename(f"{logs}/dns.log", f"{logs}/while-down.log")
        append("while-down.log", dns(10, 900000))
        append("dns.log", dns(10, 900010))
        s.restart()
        got = count(s, "f1", want + 20)
        ok(got == want + 20, "rotated while the server was down", f"{got}")
finally:
    shutil.rmtree(logs, ignore_errors=True)
done()
