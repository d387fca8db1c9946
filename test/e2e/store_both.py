#!/usr/bin/env python3
"""Every query of ours on ClickHouse 18.16 and on the embedded store: the same
answers, line by line.  store_both.py STORE_SERVE STORE_QUERIES"""

import difflib
import shutil
import subprocess
import sys

from store_lib import ClickHouse, Store, done, folder, library, ok


def main():
    serve, queries = sys.argv[1:3]
    library()
    base = folder()
    old = ClickHouse(f"{base}/old")
    new = Store(serve, f"{base}/new")
    try:
        a = subprocess.run([queries, old.url], capture_output=True, text=True, timeout=240)
        b = subprocess.run([queries, f"unix:{new.sock}"], capture_output=True, text=True, timeout=240)
        ok(a.returncode == 0, "18.16 runs every query", a.stderr)
        ok(b.returncode == 0, "the embedded store runs every query", b.stderr)
        ok("version 1816" in a.stderr and "version 26" in b.stderr, "the two versions are the ones meant",
           a.stderr + b.stderr)
        ok(a.stdout.count("events,") > 35, "searches ran", a.stdout)
        found = [int(l.split()[0]) for l in a.stdout.splitlines() if " events," in l]
        ok(sum(n == 0 for n in found) <= 10 and max(found) == 2710, "most searches find something", found)
        ok(b.stdout.count("scanned, 0 wrong, the same, in chunks") >= 5 and "2710 of 2710 scanned, 0 wrong, the same, at once" in b.stdout,
           "a scan finds what pages find", "\n".join(l for l in b.stdout.splitlines() if "scanned" in l))
        ok(a.stdout == b.stdout, "both give the same",
           "\n".join(difflib.unified_diff(a.stdout.splitlines(), b.stdout.splitlines(), "18.16", "embedded", n=0)))
        for line in ("time: LIMIT", "rows: LIMIT", "large: LIMIT", "no such table: NOTFOUND", "syntax: INVAL",
                     " dropped 1", " 0 0 900 900 0 10 0 0", "get as beta-city: NOTFOUND", "get as beta-city: OK"):
            ok(line in b.stdout, f"says '{line.strip()}'", b.stdout[-600:])
    finally:
        old.kill()
        new.kill()
        shutil.rmtree(base, ignore_errors=True)
    done()


main()
