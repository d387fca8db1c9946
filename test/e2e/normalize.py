"""`yagura event normalize` from outside: forms of input, exit status, and faults that must not
take more memory than a batch.  Usage: normalize.py YAGURA"""
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import zlib

yagura = sys.argv[1]
count = failed = 0
MEMORY = 160 << 20  # of the whole process; a batch is 4 MiB and a line of output 16 MiB


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)


def run(source, data=None, *files, feed=None):
    """Exit status, events, stderr and the most memory (KiB) it held."""
    out = tempfile.TemporaryFile()
    err = tempfile.TemporaryFile()
    p = subprocess.Popen([yagura, "event", "normalize", "--source", source, "--received", "2026-01-02T03:04:05Z", *files],
                         stdin=subprocess.PIPE, stdout=out, stderr=err)
    try:
        if feed is not None:
            for piece in feed:
                p.stdin.write(piece)
        elif data is not None:
            p.stdin.write(data)
        p.stdin.close()
    except BrokenPipeError:
        pass
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    out.seek(0)
    err.seek(0)
    return p.returncode, [json.loads(line) for line in out], err.read().decode(), usage.ru_maxrss


DNS = b'{"_path":"dns","ts":1,"query":"a%d.example"}\n'
LINES = b"".join(DNS % i for i in range(1000))


def names(events):
    return [e.get("query", {}).get("hostname") for e in events]


WANT = [f"a{i}.example" for i in range(1000)]

rc, events, err, _ = run("zeek", LINES)
ok(rc == 0 and names(events) == WANT and "1000 records, 0 not parsed" in err, "plain, standard input")
rc, events, err, _ = run("zeek", gzip.compress(LINES[: len(LINES) // 2]) + gzip.compress(LINES[len(LINES) // 2:]))
ok(rc == 0 and names(events) == WANT, "gzip of two members")
with tempfile.TemporaryDirectory() as d:
    one, two = os.path.join(d, "one"), os.path.join(d, "two")
    open(one, "wb").write(LINES)
    open(two, "wb").write(gzip.compress(LINES)[:-9])
    rc, events, err, _ = run("zeek", None, one, "-", one)
    ok(rc == 0 and len(events) == 2000, "files and -")
    rc, events, err, _ = run("zeek", None, two, one)
    ok(rc == 1 and len(events) > 1000 and names(events)[-1000:] == WANT and "cut short" in err, "a cut-off file: what was there, then the next one")
    rc, events, err, _ = run("zeek", None, os.path.join(d, "none"), one)
    ok(rc == 1 and len(events) == 1000, "a missing file: the others still go")

rc, events, err, _ = run("zeek", b"x\n" + LINES + b'{"_path":"dns","query":"\xff"}\n{"_path":"dns","query":"a","query":"b"}\n')
ok(rc == 3 and len(events) == 1003 and "1003 records, 2 not parsed" in err, "records that cannot be parsed are printed and counted")
ok(events[0]["class_uid"] == 0 and events[0]["raw_data"] == "x" and "#fields" in events[0]["unmapped"]["parse_error"], "raw is kept with the reason")
ok("invalid UTF-8" in events[-2]["unmapped"]["parse_error"] and events[-1]["query"]["hostname"] == "b", "invalid UTF-8; duplicate keys")
ok(events[0]["time_dt"] == "2026-01-02T03:04:05.000000Z", "no time: the received time")

rc, events, err, _ = run("zeek", b'{"_path":"dns","a":' + b"[" * 10000 + b"]" * 10000 + b"}\n" + LINES)
ok(rc == 3 and "deeper than 64" in events[0]["unmapped"]["parse_error"] and names(events)[1:] == WANT, "ten thousand levels")

rc, events, err, memory = run("zeek", feed=[b'{"_path":"dns","query":"'] + [b"x" * (1 << 20)] * 1024 + [b"\n" + LINES])
ok(rc == 3 and len(events) == 1001 and len(events[0]["raw_data"]) == 1 << 20 and names(events)[1:] == WANT, "a line of 1 GiB: its head, and what follows")
ok(memory < MEMORY >> 10, f"in {memory >> 10} MiB")

bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(1024)) + bomb.flush()
rc, events, err, memory = run("zeek", packed)
ok(rc == 3 and len(events) == 1, f"a gzip bomb of {len(packed) >> 10} KiB: one record of 1 GiB")
ok(memory < MEMORY >> 10, f"in {memory >> 10} MiB")

rc, events, err, _ = run("nothing", b"")
ok(rc == 2 and "no source is called" in err, "a source that is not there is wrong usage")

# our own output is OCSF, so it comes through the OCSF door unchanged but for the raw record
rc, events, err, _ = run("zeek", LINES)
rc2, again, err, _ = run("ocsf", b"".join(json.dumps(e).encode() + b"\n" for e in events))
same = [{k: v for k, v in e.items() if k not in ("raw_data", "metadata")} for e in events]
ok(rc2 == 0 and same == [{k: v for k, v in e.items() if k not in ("raw_data", "metadata")} for e in again], "OCSF out, OCSF in")

print(f"1..{count}")
sys.exit(failed > 0)
