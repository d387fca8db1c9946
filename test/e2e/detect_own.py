"""Rules, logs and event log files of our own: what every clone can test.  `detect run` finds what stands
here, the engine and the naive evaluator agree on every record, event log files have the
records that they were made of.  Usage: detect_own.py YAGURA DETECT_AGREE EVTX_FILES"""
import collections
import glob
import json
import os
import subprocess
import sys
import tempfile

from harness import done, ok

yagura, agree, evtx_files = map(os.path.abspath, sys.argv[1:4])
own = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../detect")
rules = sorted(glob.glob(os.path.join(own, "rules/*.yml")))
LOGS = {"windows": "logs-windows.json", "zeek": "logs-zeek.json", "syslog": "logs-syslog.log"}
FOUND = {
    "windows": {"A command is encoded": [1], "By night": [1], "All of several, and another user": [1], "Numbers": [1, 3], "Absent, null, empty and there": [1],
                "Case": [2], "Words in base64 of UTF-16": [2], "Wildcards and what is none": [3, 4, 5], "An expression that looks for a short option": [5],
                "And before or, not before and": [7, 8, 10, 11, 12, 13, 14], "A logon over the network from near": [7, 8, 10, 11], "One field is another": [8],
                "Keywords": [13, 15]},
    "zeek": {"A name below a bad one": [1, 4], "To a port that nobody uses, not inside": [5, 7]},
    "syslog": {"A password that failed": [1]},
}
# of kinds.evtx: one record of each kind
KINDS = {"A logon over the network from near": [1], "One field is another": [1], "A command is encoded": [2], "All of several, and another user": [2], "Case": [2],
         "An expression that looks for a short option": [2], "By night": [2], "Numbers": [2], "Wildcards and what is none": [2], "Words in base64 of UTF-16": [2],
         "And before or, not before and": [1, 3], "Keywords": [3], "One of several maps": [4, 5]}
# file: records that it lists, that are recovered, reasons told of damage
EVTX = {"chunk-sum": (20, 0, 1), "cut": (20, 0, 1), "dirty": (20, 0, 0), "empty": (0, 0, 0), "junk": (20, 0, 1), "kinds": (5, 0, 0), "records-sum": (20, 0, 1),
        "size": (14, 5, 1), "slack": (7, 3, 0), "three-chunks": (213, 0, 0), "unlinked": (20, 10, 0)}


def run(source, *files):
    r = subprocess.run([yagura, "detect", "run", "--rules", os.path.join(own, "rules"), "--source", source, "--json", *files], capture_output=True, text=True)
    found, held = collections.defaultdict(list), []
    for hit in map(json.loads, r.stdout.splitlines()):
        if "group" in hit:
            held.append((hit["title"], hit["group"], hit["value"]))
        else:
            found[hit["title"]].append(hit["record"])
    return r.returncode, dict(found), held, r.stderr


def agreed(source, *files):
    single = [x for x in rules if "correlation:" not in open(x, encoding="utf-8").read()]
    r = subprocess.run([agree, source, "1", *single, *files], capture_output=True, text=True)
    print(r.stdout, end="")
    ok(r.returncode == 0 and f"# {len(single)} rules" in r.stdout and " 0 match," not in r.stdout, f"{source}: the engine and the naive evaluator agree on every rule and record",
       r.stdout + r.stderr)


def records(path, source):
    r = subprocess.run([yagura, "event", "normalize", "--source", source, path], capture_output=True, text=True)
    return [json.loads(line) for line in r.stdout.splitlines()]


for source, name in LOGS.items():
    path = os.path.join(own, name)
    rc, found, held, err = run(source, path)
    ok(rc == 0 and found == FOUND[source] and " 0 of them not parsed" in err, f"{source}: detect run finds what it must, and nothing else", (rc, found, err))
    ok(held == ([("Many logons from near", {"IpAddress": "192.0.2.7"}, 3)] if source == "windows" else []), f"{source}: and the correlation holds where it must", held)
    agreed(source, path)
every = set().union(*FOUND.values(), KINDS)
ok(len(every) == len(rules) - 1, "every rule matches something", sorted(every))
with tempfile.TemporaryDirectory() as d:
    subprocess.run([evtx_files, d], check=True)
    got = {}
    for path in sorted(glob.glob(os.path.join(d, "*.evtx"))):
        events = records(path, "evtx")
        raw = [json.loads(e["raw_data"]) for e in events if e["raw_data"].startswith("{")]
        got[os.path.basename(path)[:-5]] = (sum("Evtx" not in r for r in raw), sum("Evtx" in r for r in raw), len(events) - len(raw))
    ok(got == EVTX, "event log files have the records that they were made of, recovered ones apart, damage told once", got)
    kinds = os.path.join(d, "kinds.evtx")
    rc, found, held, err = run("evtx", kinds)
    ok(rc == 0 and found == KINDS, "evtx: detect run finds what it must, and nothing else", (rc, found, err))
    agreed("evtx", kinds, os.path.join(d, "slack.evtx"))
    told = os.path.join(d, "kinds.json")
    with open(told, "w", encoding="utf-8") as f:
        f.writelines(e["raw_data"] + "\n" for e in records(kinds, "evtx"))
    ok(run("windows", told)[1] == KINDS, "and in the JSON that was made of them the same", run("windows", told)[1])
    path = os.path.join(d, "three-chunks.evtx")
    logons = [n for n, e in enumerate(records(path, "evtx"), 1) if e["metadata"].get("event_code") == "4624"]
    rc, found, held, err = run("evtx", path)
    ok(found["A logon over the network from near"] == logons and len(logons) == 71 and held == [("Many logons from near", {"IpAddress": "192.0.2.17"}, 3)] * 23,
       "a correlation holds over an event log file, anew after each three", (found, held))
    r = subprocess.run([yagura, "detect", "run", "--rules", os.path.join(own, "rules"), "--source", "evtx", os.path.join(own, LOGS["windows"])], capture_output=True, text=True)
    ok("record 1: no Windows event log file: it does not begin with ElfFile" in r.stderr and "\n1 records, 1 of them not parsed" in r.stderr,
       "what is no event log file is one fault, not one of each line", r.stderr)
done()
