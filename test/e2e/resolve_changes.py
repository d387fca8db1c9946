#!/usr/bin/env python3
"""Changes beside a large policy: a zone by IXFR and a list stand over what was compiled
whole, and so does a worker that is killed, the service after a kill, a zone that grew."""

import os
import sys
import time

from harness import done, free_port, ok, sanitized, until
from primary import Primary
from resolve_lib import Upstream, ask, resolver

binary = sys.argv[1]
NAMES = [f"n{i}.bad{i % 97}.net" for i in range(30000)]
ASKED = [*NAMES[20000:20013], "new.example", "www.new.example", "listed.example", "x.deep.example", "deep.example", *NAMES[:8]]
ANSWERS = {(f"{n}.", "A"): [(f"{n}.", "A", 60, "192.0.2.1")] for n in ASKED}


def blocked(s, name):
    a = ask(s.dns, name + ".", timeout=2)
    return a is not None and a.rcode == "NXDOMAIN" and a.ede is not None


def comes(s, name, want, seconds=20):
    begin = time.monotonic()
    return time.monotonic() - begin if until(lambda: blocked(s, name) == want, seconds) else None


def beside(s, name, text):
    files[name] = text  # what a start finds
    path = os.path.join(os.path.dirname(s.conf_path), name)
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(path + ".new", path)


def used(s):
    """Seconds of a core that role zones has used."""
    with open(f"/proc/{s.pid('zones')}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def last(s):
    return s.events("zones.compiled")[-1]


notify = free_port()
with Primary("feed.rpz", NAMES) as feed, Upstream(ANSWERS) as up:
    policy = [{"name": "allowed", "list": "allow.txt", "layer": "centre-allow"},
              {"name": "feed", "axfr": feed.address, "zone": "feed.rpz"},
              {"name": "few", "list": "few.txt"}]
    files = {"few.txt": "listed.example\n", "allow.txt": "# none yet\n"}
    with resolver(binary, up, {"policy": policy, "notify": [f"127.0.0.1@{notify}"]}, files) as s:
        ok(comes(s, NAMES[0], True) is not None, "the zone is in force", s.log()[-2000:])
        ok(until(lambda: last(s)["names"] >= len(NAMES), 10) and last(s)["over"] == 0, "compiled whole", last(s))
        whole = last(s)["generation"]

        def change(gone, new):
            feed.change(gone, new)
            feed.notify(notify)
        change(NAMES[:2], ["new.example"])
        took = comes(s, "new.example", True)
        ok(took is not None and took < 5 and feed.transfers == ["AXFR", "IXFR"], "a name by IXFR is blocked", took)
        ok(blocked(s, "www.new.example") and not blocked(s, NAMES[0]) and blocked(s, NAMES[2]),
           "what is below it too, one that went is answered, the others stay")
        e = last(s)
        ok(e["over"] == whole and e["names"] < 100 and e["bytes"] < 1 << 20, "little was compiled, over the rest", e)
        ok(until(lambda: s.events("resolve.policy")[-1]["generation"] == e["generation"], 5), "the worker has it")

        # a wildcard over what exists stops there, and no more when it is gone
        change([], ["example", "a.b.deep.example"])
        ok(comes(s, "deep.example", False) is not None and not blocked(s, "x.deep.example"),
           "a name between the two exists and stops the wildcard")
        ok(blocked(s, "listed.example"), "another zone's is as it was")
        change(["a.b.deep.example"], [])
        ok(comes(s, "x.deep.example", True) is not None, "without the lower one it is below the wildcard")
        change(["example"], [])
        ok(comes(s, "x.deep.example", False) is not None and blocked(s, "new.example"), "and free without that")

        beside(s, "allow.txt", NAMES[3] + "\n")
        ok(comes(s, NAMES[3], False) is not None, "an allow list that grew")
        beside(s, "few.txt", "nothing.example\n")
        ok(comes(s, "listed.example", False) is not None and last(s)["over"] == whole, "a list that changed", last(s))

        folder = os.path.join(s.data, "zones")

        def current():
            with open(os.path.join(folder, "current"), encoding="ascii") as f:
                return f.read().split()
        kept = [n for n in os.listdir(folder) if n.startswith("policy-")]
        ok(len(current()) == 2 and set(current()) <= set(kept) and len(kept) <= 3, "current names both", (current(), kept))

        def as_changed(when):
            ok(comes(s, "new.example", True) is not None and not blocked(s, NAMES[0]) and not blocked(s, NAMES[3])
               and blocked(s, NAMES[2]) and not blocked(s, "listed.example"), f"the same policy {when}",
               [blocked(s, n) for n in ("new.example", NAMES[0], NAMES[3], NAMES[2], "listed.example")])
        ok(s.kill_and_wait("resolve"), "a worker is killed")
        as_changed("in the next worker")
        generation = last(s)["generation"]
        ok(s.kill_and_wait("zones"), "zones is killed")
        ok(until(lambda: last(s)["generation"] > generation, 20) and last(s)["over"] == 0, "it compiles all", last(s))
        as_changed("compiled whole")
        change([], ["late.example"])
        ok(until(lambda: last(s)["over"] > 0, 10), "and the next change stands over that", last(s))
        ok(until(lambda: len(current()) == 2, 5), "current names both again", current())
        s.process.kill()
        s.process.wait()
        s.start()
        as_changed("after the service was killed")
        begun = used(s)
        change(NAMES[10:9000], [f"m{i}.other.net" for i in range(9000)])
        ok(comes(s, "m0.other.net", True) is not None, "many changes at once")
        # by what it needs of a core, not by the clock: on a busy machine that goes faster
        most = begun + (12 if sanitized(binary) else 4)
        ok(until(lambda: last(s)["over"] == 0 or used(s) > most, 90) and last(s)["over"] == 0,
           "are compiled whole when there is time", f"{last(s)} {used(s) - begun:.1f} s")
        ok(blocked(s, NAMES[4]) and blocked(s, "m0.other.net") and not blocked(s, NAMES[0]), "and hold")

        # all is compiled beside, as a large list is new; what comes meanwhile is not lost by that
        generation = last(s)["generation"]
        beside(s, "few.txt", "".join(f"l{i}.large.net\n" for i in range(60000)))
        for i in range(12):
            change([NAMES[20000 + i]], [f"while{i}.example"])
            time.sleep(0.3)
        ok(comes(s, "l59999.large.net", True) is not None, "a large list that is new", last(s))
        ok(comes(s, "while11.example", True) is not None and all(blocked(s, f"while{i}.example") for i in range(12)),
           "each name that came while all was compiled")
        ok(not any(blocked(s, NAMES[20000 + i]) for i in range(12)) and blocked(s, NAMES[20012]), "and each that went")
        wholes = [e for e in s.events("zones.compiled") if e["over"] == 0 and e["generation"] > generation]
        ok(len(wholes) >= 1 and sorted(e["generation"] for e in s.events("resolve.policy")) ==
           [e["generation"] for e in s.events("resolve.policy")], "no worker went back", wholes)
done()
