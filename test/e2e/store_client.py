#!/usr/bin/env python3
"""@clickhouse/client from npm against the embedded store, on loopback TCP.
store_client.py STORE_SERVE"""

import os
import shutil
import subprocess
import sys

import store_lib
from store_lib import ROOT, Store, folder, free_port, library, skip_all


def main():
    library()
    node = shutil.which("node")
    if node is None or not os.path.isdir(f"{ROOT}/node_modules/@clickhouse/client"):
        skip_all("no node or no @clickhouse/client: run 'npm ci'")
    base = folder()
    port = free_port()
    store = Store(sys.argv[1], f"{base}/store", port)
    try:
        script = f"{ROOT}/test/e2e/store_client.mjs"
        p = subprocess.run([node, script, f"http://127.0.0.1:{port}"], capture_output=True, text=True, timeout=120)
        print(p.stdout, end="")
        points = sum(line.startswith(("ok ", "not ok ")) for line in p.stdout.splitlines())
        print(f"{'ok' if p.returncode == 0 else 'not ok'} {points + 1} - client: runs to its end")
        if p.returncode != 0:
            print("\n".join(f"# {line}" for line in p.stderr.splitlines()[-60:]))
        print(f"1..{points + 1}")
    finally:
        store.kill()
        shutil.rmtree(base, ignore_errors=True)


main()
