#!/usr/bin/env python3
"""Every query of ours on ClickHouse 18.16 and on the embedded store: the same
answers, line by line.  store_both.py STORE_SERVE STORE_QUERIES"""

import difflib
import shutil
import subprocess
import sys
import time

from store_lib import ClickHouse, Store, done, folder, library, ok


def counted(store, queries):
    """Hours are counted in the parts; a table from before gets them, and is right meanwhile."""
    def ask(sql):
        return store.query(sql)[1].decode()

    def parts():
        return ask("SELECT countIf(hasAll(projections, ['by_hour', 'by_verdict'])), count() FROM system.parts"
                   " WHERE active AND table = 'event'").split()

    def run():
        r = subprocess.run([queries, f"unix:{store.sock}", "histograms"], capture_output=True, text=True, timeout=120)
        ok(r.returncode == 0 and r.stdout.count(" as read:") > 15 and "OTHER" not in r.stdout, "histograms are exact", r.stdout + r.stderr)
        return r.stdout

    a, b = parts()
    ok(a == b != "0", "every part counts its hours", (a, b))
    before = run()
    for name in ("by_hour", "by_verdict"):
        ask(f"ALTER TABLE yagura.event DROP PROJECTION {name}")
    ok(parts()[0] == "0", "a table of an older program")
    ok(run() == before, "the same while its parts are counted")
    for _ in range(100):
        a, b = parts()
        if a == b:
            break
        time.sleep(0.1)
    ok(a == b != "0", "all are counted", (a, b))
    ok(run() == before, "and the same from the counters")
    plan = ask("EXPLAIN SELECT intDiv(time, 3600000000) AS h, count() FROM yagura.event WHERE intDiv(time, 3600000000) > 1 AND org = 'alpha' GROUP BY h")
    ok("by_hour" in plan, "which are read for them", plan)
    plan = ask("EXPLAIN SELECT org, intDiv(time, 3600000000) >= 5 AS late, count() FROM yagura.event WHERE class_uid = 4003"
               " AND verdict IN ('blocked', 'dropped') AND intDiv(time, 3600000000) > 1 GROUP BY org, late")
    ok("by_verdict" in plan, "and those of verdicts for blocked names", plan)
    ok(" beta-city " in before and before.count("blocks: OK") == 12, "which are counted by organisation", before[-600:])


def extended_errors(store, queries, url, fresh):
    """ede_code out of the number of an older program's tables and backups: the code plus 1, 0 for none."""
    def ask(sql):
        return store.query(sql)[1].decode().split("\n")[:-1]

    wanted = ["", "0", "15"]
    if fresh:
        ask("INSERT INTO yagura.event (org, day, ede) VALUES ('backup', 20260101, 16), ('backup', 20260101, 0), ('backup', 20260101, 1)")
        got = ask("SELECT ede_code FROM yagura.event WHERE org = 'backup' ORDER BY ede_code")
        ok(got == wanted, "rows of an older backup are taken in", got)
    ask("ALTER TABLE yagura.event DROP COLUMN ede_code")
    if fresh:
        ask("ALTER TABLE yagura.event DROP COLUMN ede")
    ask("ALTER TABLE yagura.event ADD COLUMN ede UInt16 AFTER flags")
    ask("INSERT INTO yagura.event (org, day, ede) VALUES ('older', 20260101, 16), ('older', 20260101, 0), ('older', 20260101, 1)")
    r = subprocess.run([queries, url, "histograms"], capture_output=True, text=True, timeout=120)
    got = ask("SELECT ede_code FROM yagura.event WHERE org = 'older' ORDER BY ede_code")
    ok(r.returncode == 0 and got == wanted, "a table of an older program gets it, and nothing is lost", (got, r.stdout[:300] + r.stderr))
    ask("INSERT INTO yagura.event (org, day, ede_code) VALUES ('newer', 20260101, '22')")
    got = ask("SELECT ede_code FROM yagura.event WHERE org = 'newer'")
    ok(got == ["22"], "and takes new ones", got)


def braces(store):
    """{name:Type} is a parameter; other braces are text, and what is neither is said to be wrong."""
    got = store.query("SELECT match('aaa', 'a{3,}'), {p:String} = '{3,}'", "param_p=%7B3,%7D")
    ok(got == (200, b"1\t1\n"), "a query with braces in its text", got)
    got = store.query("SELECT {3,}")
    ok(got[0] == 400 and b"Syntax error" in got[1], "braces that are no parameter are a clear error", got)
    ok(store.query("SELECT 1") == (200, b"1\n"), "and the store goes on")


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
        found = [int(l.split()[0]) for l in a.stdout.splitlines() if " events, " in l and l.startswith(" ")]
        ok(sum(n == 0 for n in found) <= 10 and max(found) == 2710, "most searches find something", found)
        ok(b.stdout.count("scanned, 0 wrong, the same, in chunks") >= 5 and "2710 of 2710 scanned, 0 wrong, the same, at once" in b.stdout,
           "a scan finds what pages find", "\n".join(l for l in b.stdout.splitlines() if "scanned" in l))
        ok(a.stdout == b.stdout, "both give the same",
           "\n".join(difflib.unified_diff(a.stdout.splitlines(), b.stdout.splitlines(), "18.16", "embedded", n=0)))
        counted(new, queries)
        extended_errors(new, queries, f"unix:{new.sock}", True)
        braces(new)
        for line in ("time: LIMIT", "rows: LIMIT", "large: LIMIT", "no such table: NOTFOUND", "syntax: INVAL",
                     " dropped 1", " 0 0 600 600 0 7 0 0", " of gamma are left: 0", "get as beta-city: NOTFOUND", "get as beta-city: OK"):
            ok(line in b.stdout, f"says '{line.strip()}'", b.stdout[-600:])
    finally:
        old.kill()
        new.kill()
        shutil.rmtree(base, ignore_errors=True)
    done()


main()
