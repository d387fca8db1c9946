#!/usr/bin/env python3
"""@clickhouse/client from npm against the embedded store, on loopback TCP.
store_client.py STORE_SERVE"""

import os
import shutil
import subprocess
import sys

import store_lib
from store_lib import ROOT, Store, folder, free_port, library, skip_all


def note(text):
    for line in text.splitlines():
        print(f"# {line[:400]}")


def main():
    library()
    node = shutil.which("node")
    if node is None or not os.path.isdir(f"{ROOT}/node_modules/@clickhouse/client"):
        skip_all("no node or no @clickhouse/client: run 'npm ci'")
    base = folder()
    port = free_port()
    # what was freed is not what it was
    store = Store(sys.argv[1], f"{base}/store", port, env={"MALLOC_PERTURB_": os.environ.get("MALLOC_PERTURB_") or "165"})
    try:
        script = f"{ROOT}/test/e2e/store_client.mjs"
        with open(f"{base}/out", "w+") as out, open(f"{base}/err", "w+") as err:
            try:
                status = subprocess.run([node, script, f"http://127.0.0.1:{port}"], stdout=out, stderr=err,
                                        timeout=200, check=False).returncode
            except subprocess.TimeoutExpired:
                status = "none: it did not end in 200 s"
            out.seek(0)
            err.seek(0)
            said, failed = out.read(), err.read()
        print(said, end="" if said.endswith("\n") else "\n")
        bad = any(line.startswith("not ok ") for line in said.splitlines())
        points = sum(line.startswith(("ok ", "not ok ")) for line in said.splitlines())
        print(f"{'ok' if status == 0 else 'not ok'} {points + 1} - client: runs to its end")
        if status != 0 or bad:
            version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
            note(f"exit status {status}; node {version}; the store is {'up' if store.alive() else 'gone'}")
            with open(store.logname, encoding="utf-8", errors="replace") as log:
                for title, text in (("node said:", failed), ("the store said:", log.read())):
                    note(title + "\n" + "\n".join(text.splitlines()[-60:]))
        print(f"1..{points + 1}", flush=True)
    finally:
        store.kill()
        shutil.rmtree(base, ignore_errors=True)


main()
