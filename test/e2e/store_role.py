#!/usr/bin/env python3
"""Role store as it really runs: under the supervisor, locked in, on inherited
listeners.  store_role.py YAGURA STORE_QUERIES STORE_DELIVER"""

import os
import random
import shutil
import subprocess
import sys
import time

from harness import ROOT, Server, done, free_port, need_store, ok, skip


def rss(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))


def asker(server):
    def ask(query):
        try:
            return server.store(query)
        except RuntimeError as e:
            return str(e)

    return ask


def main():
    binary, queries, deliver = sys.argv[1:4]
    need_store()
    port = free_port()
    conf = {"store": {"listen": f"127.0.0.1:{port}"}, "ingest": {"workers": 1}}
    with Server(binary, conf) as s:
        sock = f"unix:{s.data}/run/store.sock"
        ask = asker(s)
        p = subprocess.run([queries, sock], capture_output=True, text=True, timeout=240)
        ok(p.returncode == 0 and p.stdout.count("events,") > 35, "every query of ours, locked in", p.stderr[-500:])
        for what, q in (("a file of the system", "SELECT file('/etc/passwd')"), ("the state database", f"SELECT file('{s.data}/state/yagura.db')"),
                        ("the keys", f"SELECT file('{s.data}/keys/tls.key')")):
            got = ask(q)
            ok(got.startswith("Code: ") and "rmission denied" in got, f"the engine does not read {what}", got[:200])
        node = shutil.which("node")
        if node and os.path.isdir(f"{ROOT}/node_modules/@clickhouse/client"):
            p = subprocess.run([node, f"{ROOT}/test/e2e/store_client.mjs", f"http://127.0.0.1:{port}"], capture_output=True,
                               text=True, timeout=120)
            good = sum(l.startswith("ok ") for l in p.stdout.splitlines())
            ok(p.returncode == 0 and good > 15 and "not ok" not in p.stdout, f"@clickhouse/client: {good} points", p.stdout)
        else:
            skip("@clickhouse/client", "no node or not installed")
        crashed = len(s.events("role.crashed"))
        ok(crashed == 0, "nothing of this killed a role", s.events("role.crashed"))

        ask("TRUNCATE TABLE yagura.event")
        batches, rows, kills = 120, 3000, 5
        p = subprocess.Popen([deliver, sock, str(batches), str(rows)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        done_kills = 0
        while done_kills < kills and p.poll() is None:
            time.sleep(random.uniform(0.2, 0.8))
            s.kill_and_wait("store")
            done_kills += 1
        _, err = p.communicate(timeout=240)
        got = ask("SELECT count(), uniqExact(batch, row), uniqExact(batch) FROM yagura.event WHERE spool = 1 AND source = 'test'").strip()
        ok(p.returncode == 0 and got == f"{batches * rows}\t{batches * rows}\t{batches}",
           f"{done_kills} kills of the role under delivery: every row once ({err.strip()})", got)
        time.sleep(2)
        total = {str(r): rss(r.pid) // 1024 for r in s.roles()}
        ok(sum(total.values()) + rss(s.main_pid()) // 1024 < 600, f"resident at rest, MB: {total}", total)
        ok(s.stop() == 0, "it drains")
    done()


main()
