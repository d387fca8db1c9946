#!/usr/bin/env python3
"""What the embedded store survives: kill -9 under inserts, a full disk, clients
that go away, limits, hostile HTTP.  store_faults.py STORE_SERVE STORE_DELIVER
[KILLS]; KILLS (default 8) is how often it is killed."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from store_lib import Process, Store, done, folder, free_port, library, ok

BASE = folder()
SLOW = "SELECT count() FROM system.numbers WHERE sipHash64(number) = 1"


def one(store, sql, args=""):
    status, body = store.query(sql, args)
    return body.decode().strip() if status == 200 else f"HTTP {status} {body[:200]!r}"


def code(answer):
    text = answer[1].decode("utf-8", "replace")
    return int(text[6:].split(".")[0]) if text.startswith("Code: ") else 0


def later(fn, *args):
    box = {}

    def run():
        try:
            box["result"] = fn(*args)
        except Exception as e:  # the test looks at it
            box["error"] = e

    t = threading.Thread(target=run)
    t.start()
    return t, box


def kills(serve, deliver, count):
    store = Store(serve, f"{BASE}/kill")
    seed = int(os.environ.get("YAGURA_SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    batches, rows = 60 + count * 12, 4000
    p = subprocess.Popen([deliver, f"unix:{store.sock}", str(batches), str(rows)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    killed = 0
    while killed < count and p.poll() is None:
        time.sleep(chance.uniform(0.05, 0.6))
        store.kill()
        store.start()
        killed += 1
    _, err = p.communicate(timeout=300)
    ok(p.returncode == 0 and killed == count, f"{killed} kills (seed {seed}): {err.strip()}", err)
    got = one(store, "SELECT count(), uniqExact(batch, row), uniqExact(batch), max(row) FROM yagura.event")
    want = f"{batches * rows}\t{batches * rows}\t{batches}\t{rows - 1}"
    ok(got == want, "no acknowledged row lost, none twice", f"{got} instead of {want}")
    store.kill()


def cancellation(store):
    began = time.time()
    s = socket.socket(socket.AF_UNIX)
    s.connect(store.sock)
    s.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(SLOW)}\r\n\r\n{SLOW}".encode())
    time.sleep(0.4)
    busy = one(store, "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'")
    s.close()
    left = "1"
    while left != "0" and time.time() - began < 10:
        time.sleep(0.1)
        left = one(store, "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'")
    ok(busy == "1" and left == "0", "a query ends when its client goes away", (busy, left))
    t, box = later(store.query, SLOW, "query_id=mine")
    time.sleep(0.4)
    again = store.query("SELECT 1", "query_id=mine")
    ok(code(again) == 216, "a query_id that runs is not given twice", again)
    killed = store.query("KILL QUERY WHERE query_id = 'mine' SYNC")
    t.join(10)
    ok(killed[0] == 200 and code(box["result"]) == 394, "KILL QUERY ... SYNC", (killed, box))
    ok(code(store.query("KILL QUERY WHERE 1")) == 497, "no other KILL")


def inserts_finish(store):
    one(store, "CREATE TABLE yagura.slow (a UInt32, b UInt8 MATERIALIZED sleepEachRow(0.01)) ENGINE = MergeTree ORDER BY a")
    body = "".join(f"{i}\n" for i in range(200)).encode()
    t, box = later(store.query, "INSERT INTO yagura.slow (a) FORMAT TSV", "query_id=slow-1", body)
    time.sleep(0.5)
    began = time.time()
    killed = store.query("KILL QUERY WHERE query_id = 'slow-1' SYNC")
    waited = time.time() - began
    rows = one(store, "SELECT count() FROM yagura.slow")
    t.join(10)
    ok(killed[0] == 200 and waited > 0.5 and rows == "200" and box["result"][0] == 200,
       "an insert that has begun is finished, and waited for", (waited, rows, box))
    # Both places for inserts taken; a third waits, and its client goes away.
    slow = [later(store.query, "INSERT INTO yagura.slow (a) FORMAT TSV", f"query_id=slow-{i}", body) for i in (2, 3)]
    time.sleep(0.3)
    s = socket.socket(socket.AF_UNIX)
    s.connect(store.sock)
    s.sendall(b"POST /?query_id=gone&query=INSERT+INTO+yagura.slow+(a)+FORMAT+TSV HTTP/1.1\r\nHost: x\r\n"
              b"Content-Length: 5\r\n\r\n9999\n")
    time.sleep(0.2)
    s.close()
    settled = store.query("KILL QUERY WHERE query_id = 'gone' SYNC")
    for t, _ in slow:
        t.join(20)
    rows = one(store, "SELECT count(), countIf(a = 9999) FROM yagura.slow")
    ok(settled[0] == 200 and rows == "600\t0", "an insert whose client went away before it began is not done", rows)
    bad = store.query("INSERT INTO yagura.slow (a) FORMAT TSV", "", b"1\n2\nx\n")
    ok(code(bad) == 27 and one(store, "SELECT count() FROM yagura.slow") == "600", "an insert with one bad row adds none", bad)
    one(store, "DROP TABLE yagura.slow")


def limits(store):
    ok(code(store.query(SLOW, "max_execution_time=1")) == 159, "limit of time")
    began = time.time()
    ok(code(store.query(SLOW, "max_execution_time=100000")) == 159 and time.time() - began < 10, "which cannot be raised")
    ok(code(store.query("SELECT groupArray(number) FROM numbers(200000000)")) == 241, "limit of memory")
    ok(code(store.query("SELECT 1 SETTINGS max_memory_usage = 100000000000")) == 452, "nor that")
    ok(code(store.query("SELECT 1", "max_memory_usage_for_user=1&max_bytes_before_external_sort=x")) != 0, "a bad setting is refused")
    ok(code(store.query("SELECT count() FROM numbers(100000) WHERE number % 2", "max_rows_to_read=1000")) == 158, "limit of rows read")
    for fmt in ("JSON", "TSV"):
        got = store.query(f"SELECT repeat('x', 1000) FROM numbers(100000) FORMAT {fmt}")
        ok(got[1].endswith(b"(TOO_MANY_ROWS_OR_BYTES)"), f"limit of the result's size, {fmt}", got[1][-100:])
    status, body = store.query("SELECT number FROM numbers(3000000) FORMAT TSV")
    ok(status == 200 and body.count(b"\n") == 3000000 and body.endswith(b"2999999\n"), "a large result comes whole")


def refused(store):
    for sql in ("SELECT * FROM file('/etc/passwd', LineAsString)", "SELECT * FROM `/etc/passwd`",
                "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)", "SELECT * FROM remote('127.0.0.1', system.one)",
                "CREATE TABLE yagura.f (a String) ENGINE = File(TSV)", "SELECT 1 INTO OUTFILE '/tmp/yagura-x'",
                "INSERT INTO FUNCTION file('x', CSV, 'a Int8') SELECT 1", "INSERT INTO yagura.x FROM INFILE '/etc/passwd' FORMAT TSV",
                "SYSTEM SHUTDOWN", "SET max_threads = 1", "USE system", "CREATE FUNCTION f AS x -> x",
                "CREATE USER x", "BACKUP DATABASE yagura TO File('/tmp/yagura-x')", "SELECT * FROM mysql('a', 'b', 'c', 'd', 'e')",
                "CREATE DICTIONARY yagura.d (a UInt64) PRIMARY KEY a SOURCE(FILE(PATH '/x' FORMAT TSV)) LIFETIME(0) LAYOUT(FLAT())"):
        got = store.query(sql)
        ok(code(got) in (497, 164), f"refused: {sql[:60]}", got)
    ok(code(store.query("SELECT 1; SELECT 2")) == 62, "one statement per request")
    got = store.request("GET", "/?query=CREATE+DATABASE+g")
    ok(got[0] == 403, "GET changes nothing", got[:2])


def tcp(serve):
    port = free_port()
    store = Store(serve, f"{BASE}/tcp", port, env={"STORE_PASSWORD": "secret"})

    def ask(headers):
        import http.client
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        c.request("POST", "/", b"SELECT 1", headers)
        return c.getresponse().status

    ok(ask({}) == 401 and ask({"X-ClickHouse-Key": "secreT"}) == 401 and ask({"X-ClickHouse-Key": "secret"}) == 200,
       "loopback TCP asks for the password")
    ok(ask({"Authorization": "Basic ZGVmYXVsdDpzZWNyZXQ="}) == 200, "by Basic, too")
    ok(ask({"X-ClickHouse-Key": "secret", "Origin": "http://evil.example"}) == 403, "not from a browser's page")
    ok(ask({"X-ClickHouse-Key": "secret", "Host": "evil.example"}) == 403, "nor by another host name")
    store.kill()


def raw(store, data, wait=3):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(wait)
    try:
        s.connect(store.sock)
        s.sendall(data)
        return s.recv(65536)
    except OSError as e:
        return repr(e).encode()
    finally:
        s.close()


def hostile(store):
    before = store.rss()["RssAnon"]
    slow = []
    for _ in range(200):
        s = socket.socket(socket.AF_UNIX)
        s.connect(store.sock)
        s.sendall(b"POST /?query=SELECT+1 HTTP/1.1\r\nHost: x\r\nContent-Le")
        slow.append(s)
    began = time.time()
    ok(one(store, "SELECT 1") == "1" and time.time() - began < 2, "200 slow clients keep nobody waiting")
    head = b"POST / HTTP/1.1\r\nHost: x\r\n"
    ok(b" 413 " in raw(store, head + b"Content-Length: 1099511627776\r\n\r\nSELECT"), "a body of 1 TB is refused by its length")
    chunk = b"%x\r\n" % (1 << 20) + b"x" * (1 << 20) + b"\r\n"
    s = socket.socket(socket.AF_UNIX)
    s.connect(store.sock)
    s.settimeout(20)
    s.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(300):
            s.sendall(chunk)
        s.sendall(b"0\r\n\r\n")
        answer = s.recv(4096)
    except OSError as e:
        answer = repr(e).encode()
    s.close()
    ok(b" 413 " in answer, "300 MB in chunks are refused", answer[:200])
    for what, data in (("long URL", b"GET /?query=" + b"a" * 400000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
                       ("long header", head + b"X: " + b"a" * 400000 + b"\r\n\r\n"),
                       ("broken chunk", head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"),
                       ("negative length", head + b"Content-Length: -5\r\n\r\n"),
                       ("two lengths", head + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nSELEC"),
                       ("no HTTP", bytes(range(256)) * 40),
                       ("NUL in the URL", b"GET /?query=SELECT%00%001 HTTP/1.1\r\nHost: x\r\n\r\n"),
                       ("method", b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n")):
        answer = raw(store, data)
        ok(b" 200 " not in answer[:20] and one(store, "SELECT 1") == "1", f"hostile: {what}", answer[:100])
    chance = random.Random(7)
    for _ in range(200):
        raw(store, head + b"Content-Length: 40\r\n\r\n" + bytes(chance.randrange(256) for _ in range(40)), 5)
    ok(one(store, "SELECT 1") == "1", "200 queries of noise")
    pipeline = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    ok(raw(store, pipeline).count(b"Ok.\n") >= 1, "requests back to back")
    for s in slow:
        s.close()
    time.sleep(1.5)
    after = store.rss()["RssAnon"]
    ok(after < before + 300000, "memory is given back", (before, after))


def full_disk(serve):
    place = f"{BASE}/small"
    os.mkdir(place)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m", "none", place]).returncode != 0:
        print("# full disk: needs root for a small tmpfs; not run")
        return
    try:
        store = Store(serve, f"{place}/store")
        one(store, "CREATE DATABASE yagura")
        one(store, "CREATE TABLE yagura.t (day UInt32, a UInt64, s String) ENGINE = MergeTree PARTITION BY day ORDER BY a "
                   "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 1")
        rows, at, answer = 0, 0, (200, b"")
        while answer[0] == 200 and at < 400:
            body = b"".join(b"%d\t%d\t%s\n" % (at % 4, at * 1000 + i, os.urandom(300).hex().encode()) for i in range(8000))
            answer = store.query("INSERT INTO yagura.t FORMAT TSV", "", body)
            rows += 8000 if answer[0] == 200 else 0
            at += 1
        ok(answer[0] == 500 and rows > 0 and code(answer) in (243, 75, 76, 1001), f"disk full: an error after {rows} rows", answer)
        ok(one(store, "SELECT count() FROM yagura.t") == str(rows), "nothing acknowledged is lost")
        store.kill()
        store.start()
        ok(one(store, "SELECT count() FROM yagura.t") == str(rows), "nor after a restart on the full disk")
        got = store.query("ALTER TABLE yagura.t DROP PARTITION 0")
        ok(got[0] == 200, "a partition can be dropped", got)
        for _ in range(150):
            answer = store.query("INSERT INTO yagura.t FORMAT TSV", "", b"9\t1\tx\n")
            if answer[0] == 200:
                break
            time.sleep(0.2)
        ok(answer[0] == 200, "and then inserts work again", answer)
        store.kill()
    finally:
        subprocess.run(["umount", "-l", place])


def drain(serve):
    store = Store(serve, f"{BASE}/drain")
    one(store, "CREATE DATABASE yagura")
    one(store, "CREATE TABLE yagura.slow (a UInt32, b UInt8 MATERIALIZED sleepEachRow(0.01)) ENGINE = MergeTree ORDER BY a")
    body = "".join(f"{i}\n" for i in range(150)).encode()
    t, insert = later(store.query, "INSERT INTO yagura.slow (a) FORMAT TSV", "", body)
    u, read = later(store.query, SLOW)
    time.sleep(0.5)
    status = store.kill(signal.SIGTERM)
    t.join(10)
    u.join(10)
    ok(status == 0 and insert.get("result", (0,))[0] == 200, "SIGTERM: the insert is finished, exit status 0", (status, insert))
    ok("error" in read or code(read["result"]) == 394, "and the query is ended", read)
    store.start()
    ok(one(store, "SELECT count() FROM yagura.slow") == "150", "its rows are there")
    store.kill()


def ticks(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def idle(serve):
    store = Store(serve, f"{BASE}/idle")
    one(store, "CREATE DATABASE yagura")
    time.sleep(2)
    before = ticks(store.pid)
    time.sleep(4)
    spent = ticks(store.pid) - before
    ok(spent <= 8, f"at rest: {spent} ticks of 10 ms in 4 s", spent)
    rss = store.rss()
    ok(rss["VmRSS"] < 350000, f"at rest: {rss['VmRSS'] // 1024} MB resident, {rss['RssAnon'] // 1024} MB of its own", rss)
    store.kill()


def main():
    serve, deliver = sys.argv[1:3]
    library()
    try:
        kills(serve, deliver, int(sys.argv[3]) if len(sys.argv) > 3 else 8)
        store = Store(serve, f"{BASE}/store", seconds=5)
        one(store, "CREATE DATABASE yagura")
        cancellation(store)
        inserts_finish(store)
        limits(store)
        refused(store)
        hostile(store)
        store.kill()
        tcp(serve)
        full_disk(serve)
        drain(serve)
        idle(serve)
    finally:
        shutil.rmtree(BASE, ignore_errors=True)
    done()


main()
