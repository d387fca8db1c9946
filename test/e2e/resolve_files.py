#!/usr/bin/env python3
"""Policy files that take long: packed ones that unpack to much.  They are read and compiled beside,
in their order, whatever replaces them meanwhile; one that cannot be compiled leaves the others and
what there was."""

import gzip
import os
import shutil
import socket
import sys
import time

from harness import Server, done, free_port, ok, sanitized, skip, until
from people_lib import without_store
from resolve_lib import Upstream, ask

binary = sys.argv[1]
NAMES = ["one", "two", "three", "slow", "older", "newer", "removed", "first", "second", "last", "again", "small"]
ANSWERS = {(f"{n}.example.", "A"): [(f"{n}.example.", "A", 60, "192.0.2.1")] for n in NAMES}
MUCH = gzip.compress((b"#" + b"x" * 8190 + b"\n") * (1 << 11), 9)  # 16 MiB
NOISE = gzip.compress(b"# " + os.urandom(700000).hex().encode() + b"\n" * 2, 1)
ZONE, TICK = "rpz.yagura.example", os.sysconf("SC_CLK_TCK")


def slow(name, large=True):
    """A list of one name that unpacks to 400 MiB and more; packed it is more, or less, than 1 MiB."""
    packed = gzip.compress(f"{name}.example\n".encode()) + (MUCH * 25 + NOISE if large else MUCH * 50)
    assert (len(packed) > 1 << 20) == large, len(packed)
    return packed


def blocked(s, name):
    a = ask(s.dns, f"{name}.example.", timeout=2)
    return a is not None and a.rcode == "NXDOMAIN" and a.ede is not None


def beside(s, **texts):
    for name, text in texts.items():
        path = os.path.join(s.folder, name + ".txt")
        with open(path + ".new", "wb") as f:
            f.write(text if isinstance(text, bytes) else f"{text}\n".encode())
        os.rename(path + ".new", path)


def used(s):
    """Seconds of a core that role zones has used."""
    with open(f"/proc/{s.pid('zones')}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def works(s, begun, seconds=0.15):
    """It reads: nothing else takes so long."""
    return until(lambda: used(s) >= begun + seconds, 60, 0.02)


def rests(s):
    """Until it has nothing to do for two looks at its files."""
    last, since = used(s), time.monotonic()
    end = since + 120
    while time.monotonic() < min(since + 3, end):
        time.sleep(0.1)
        if used(s) > last + 0.05:
            last, since = used(s), time.monotonic()


def kept(s, name):
    with open(os.path.join(s.data, "zones", f"{name}.kept"), "rb") as f:
        return f.read()


def zones(s):
    return {z["name"]: z for z in s.http("GET", "/api/v1/dns/zones").json()["items"]}


def packed_beside(s, at):
    """Its size tells nothing: while it is read and compiled others are answered."""
    begun = at_answer = used(s)
    longest = 0
    beside(s, one=slow("slow", large=False))
    while not blocked(s, "slow") and used(s) < begun + 60:
        a = ask(at, f"{ZONE}.", "SOA", edns=False, timeout=1)
        if a is not None and len(a.answers) == 1:
            longest, at_answer = max(longest, used(s) - at_answer), used(s)
    took = used(s) - begun
    ok(blocked(s, "slow") and not blocked(s, "one"), "a small file that unpacks to much is in force", s.log()[-1500:])
    ok(longest < took / 5, "while it is read and compiled the role answers", f"{longest:.2f} of {took:.2f} s")


def replaced(s):
    rests(s)
    begun, policies = used(s), len(s.events("zones.compiled"))
    beside(s, one=slow("older"))
    s.reload()  # looks at once
    works(s, begun)
    beside(s, one="newer.example")
    s.reload()
    ok(len(s.events("zones.compiled")) == policies, "a file is replaced while it is read")
    ok(until(lambda: blocked(s, "newer"), 90), "the newer one is in force", s.log()[-1500:])
    rests(s)
    ok(blocked(s, "newer") and not blocked(s, "older") and not blocked(s, "slow"), "and stays so")
    ok(kept(s, "one") == b"newer.example\n", "and is what is kept", kept(s, "one")[:40])


def removed(s):
    begun, refused = used(s), len(s.events("zones.refused"))
    beside(s, one=slow("removed"))
    s.reload()
    works(s, begun)
    os.remove(os.path.join(s.folder, "one.txt"))
    s.reload()
    ok(until(lambda: len(s.events("zones.refused")) > refused, 90), "a file goes while it is read", s.log()[-1500:])
    rests(s)
    z = zones(s)["one"]
    ok(z["state"] == "behind" and z["error"], "which the zone goes on to say", z)


def two_at_once(s):
    """What has been read is in force before the next is read."""
    beside(s, one=slow("first"), two=slow("second"))
    ok(until(lambda: blocked(s, "first"), 120, 0.02) and not blocked(s, "second"),
       "the first of two files is in force before the second is read", s.log()[-1500:])
    ok(until(lambda: blocked(s, "second"), 120), "and then the second", s.log()[-1500:])
    rests(s)


def too_much(s):
    """A list for which the memory does not suffice."""
    refused = len(s.events("zones.refused"))
    beside(s, one="".join(f"m{i}.much\n" for i in range(3000000)) + "last.example\n")
    ok(until(lambda: len(s.events("zones.refused")) > refused, 120), "a list that cannot be compiled is an event", s.log()[-1500:])
    e = s.events("zones.refused")[-1]
    ok(e["zone"] == "one" and "memory" in e["error"], "of its zone", e)
    rests(s)
    ok(blocked(s, "one") and not blocked(s, "last"), "the zone is as it was")
    ok(kept(s, "one") == b"one.example\n", "and so is what is kept", kept(s, "one")[:40])
    ok(zones(s)["one"]["state"] == "behind", "and it says so", zones(s)["one"])
    beside(s, three="again.example")
    ok(until(lambda: blocked(s, "again"), 60) and not blocked(s, "three") and blocked(s, "one"),
       "other zones are compiled as ever", s.log()[-1500:])
    beside(s, one="small.example")
    ok(until(lambda: blocked(s, "small"), 60) and not blocked(s, "one"), "and so is the next one", s.log()[-1500:])
    ok(kept(s, "one") == b"small.example\n" and not [n for n in os.listdir(os.path.join(s.data, "zones"))
                                                      if n.endswith((".new", ".read"))], "nothing is left behind")


def server(up, prefix=()):
    s = Server(binary, {**without_store(),
                        "resolve": {"listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"],
                                    "upstream": [{"zone": ".", "forward": [up.address]}],
                                    "policy": [{"name": n, "list": f"{n}.txt"} for n in ("one", "two", "three")],
                                    "publish": [{"zone": ZONE, "listen": f"127.0.0.1@{ours}", "allow": ["127.0.0.0/8"]}]}},
               before=before, prefix=prefix)
    s.dns = ("127.0.0.1", port)
    return s


def before(s):
    s.folder = os.path.dirname(s.conf_path)
    beside(s, **{n: f"{n}.example" for n in ("one", "two", "three")})


port, ours = free_port(socket.SOCK_DGRAM), free_port()
with Upstream(ANSWERS) as up:
    with server(up) as s:
        ok(until(lambda: all(blocked(s, n) for n in ("one", "two", "three")), 30), "three lists are in force", s.log()[-1500:])
        packed_beside(s, ("127.0.0.1", ours))
        replaced(s)
        removed(s)
        two_at_once(s)
    if sanitized(binary) or not shutil.which("prlimit"):
        skip("a list that cannot be compiled", "the sanitizer ends a process that has no memory, or there is no prlimit")
    else:
        with server(up, ("prlimit", f"--data={256 << 20}")) as s:
            ok(until(lambda: all(blocked(s, n) for n in ("one", "two", "three")), 30), "in little memory", s.log()[-1500:])
            too_much(s)
done()
