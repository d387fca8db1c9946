"""Sigma rules without a server: `detect check`, `compile`, `run` and `test` as people use
them, and what is wrong with rules and snapshots.  Usage: detect_offline.py YAGURA"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile

from harness import done, ok, sanitized

yagura = os.path.abspath(sys.argv[1])
RULE = """title: Encoded PowerShell
id: 11111111-1111-4111-8111-111111111111
level: high
tags: [attack.execution, attack.t1059.001]
logsource: {category: process_creation, product: windows}
detection:
  image: {Image|endswith: '\\powershell.exe'}
  option: {CommandLine|contains|windash: ' -enc'}
  admin: {User: CORP\\admin}
  condition: image and option and not admin
"""
OTHERS = """title: Logon by network
id: 22222222-2222-4222-8222-222222222222
name: network_logon
level: low
logsource: {product: windows, service: security}
detection:
  s: {EventID: 4624, LogonType: 3, IpAddress|cidr: 192.0.2.0/24}
  condition: s
---
title: Bad condition
logsource: {product: windows}
detection: {s: {A: 1}, condition: s and t}
---
title: Look-around
logsource: {product: windows}
detection: {s: {A|re: 'a(?=b)'}, condition: s}
---
title: No value
logsource: {product: windows}
detection: {s: {A|expand: '%who%'}, condition: s}
---
title: Many logons
name: many
correlation: {type: event_count, rules: [network_logon], group-by: [IpAddress], timespan: 1m, condition: {gte: 3}, generate: true}
---
title: Not from the scanner
logsource: {product: windows, service: security}
filter:
  rules: [network_logon]
  scanner: {IpAddress: 192.0.2.9}
  condition: not scanner
"""


def sysmon(image, line, user="CORP\\taro"):
    return json.dumps({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Hostname": "w1",
                       "UtcTime": "2026-11-22 10:00:00.123", "Image": image, "CommandLine": line, "User": user})


def logon(ip, kind=3):
    return json.dumps({"winlog": {"channel": "Security", "event_id": 4624, "computer_name": "w1", "event_data": {"LogonType": str(kind), "IpAddress": ip}},
                       "@timestamp": "2026-11-22T10:00:01Z"})


def run(*args, **more):
    return subprocess.run([yagura, "detect", *args], capture_output=True, text=True, **more)


def write(name, text):
    with open(name, "w") as f:
        f.write(text)


with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    os.makedirs("rules/deep/er")
    write("rules/deep/er/ps.yml", RULE)
    write("rules/other.yaml", OTHERS)
    write("rules/not-yaml.yml", "title: [\n")
    write("rules/readme.txt", "no rule")
    r = run("check", "--rules", "rules", "--json")
    n = json.loads(r.stdout)
    ok(r.returncode == 3 and n == {"files": 3, "rules": 2, "correlations": 1, "filters": 1, "refused": 4}, "check counts all and exits with 3", r.stdout + r.stderr)
    ok("rules/other.yaml:12: refused:" in r.stderr and "rules/other.yaml:16: refused: the expression is refused" in r.stderr and
       "rules/other.yaml:20: refused: the placeholder 'who' has no values" in r.stderr and "rules/not-yaml.yml:" in r.stderr,
       "each refused document is named with file, line and reason", r.stderr)
    ok(run("check", "--rules", "rules/deep").returncode == 0, "rules without fault: 0")
    r = run("check", "--rules", "nowhere")
    ok(r.returncode not in (0, 3) and "nowhere" in r.stderr, "a folder that is not there is an error", r.stderr)

    write("values.yaml", "who: [taro, 'a*b']\nother: x\n")
    r = run("check", "--rules", "rules", "--values", "values.yaml", "--json")
    ok(json.loads(r.stdout)["rules"] == 3 and "placeholder" not in r.stderr, "with values a placeholder is had", r.stderr)
    write("p.yml", "title: p\nlogsource: {product: windows}\ndetection: {s: {User|expand: 'CORP\\\\%who%'}, condition: s}\n")
    write("p.json", sysmon("x", "x", "corp\\taro") + "\n" + sysmon("x", "x", "corp\\axb") + "\n" + sysmon("x", "x", "corp\\a*b") + "\n")
    r = run("run", "--rules", "p.yml", "--values", "values.yaml", "--source", "windows", "--json", "p.json")
    ok([json.loads(x)["record"] for x in r.stdout.splitlines()] == [1, 3], "each value matches as it stands", r.stdout + r.stderr)
    write("values.yaml", "who: {a: b}\n")
    r = run("check", "--rules", "rules", "--values", "values.yaml")
    ok(r.returncode == 1 and "values.yaml:1: expected a text or a list of texts" in r.stderr, "values of another form are an error", r.stderr)
    os.remove("p.yml")

    write("events.json", "\n".join([
        sysmon("C:\\x\\POWERSHELL.EXE", "powershell /Enc AAAA"), sysmon("C:\\x\\powershell.exe", "powershell -c x"),
        sysmon("C:\\x\\powershell.exe", "powershell -enc BB", "corp\\Admin"), logon("192.0.2.7"), logon("192.0.2.9"), logon("198.51.100.1"), "no json"]) + "\n")
    with gzip.open("events.json.gz", "wt") as f:
        f.write(open("events.json").read())
    r = run("run", "--rules", "rules", "--source", "windows", "--json", "events.json", "events.json.gz")
    hits = [json.loads(line) for line in r.stdout.splitlines()]
    ok([(h["title"], h["file"], h["record"]) for h in hits] == [(t, f, n) for f in ("events.json", "events.json.gz") for t, n in (("Encoded PowerShell", 1), ("Logon by network", 4))],
       "run finds both rules in both files; not, and the filter, are kept", r.stdout + r.stderr)
    ok(hits and hits[0]["fields"] == {"Image": "C:\\x\\POWERSHELL.EXE", "CommandLine": "powershell /Enc AAAA"} and hits[0]["rule"].startswith("11111111") and
       hits[0]["level"] == "high" and hits[0]["time"].startswith("2026-11-22T10:00:00.123"), "a match says rule, level, time and the fields", str(hits[:1]))
    ok("0 hits of correlations" in r.stderr and "14 records, 2 of them not parsed, 4 matches" in r.stderr, "and the end says how much was read", r.stderr)
    ok("events.json: record 7: JSON" in r.stderr and "events.json.gz: record 7: JSON" in r.stderr, "and why a record could not be read", r.stderr)
    r = run("run", "--rules", "rules/deep", "--source", "windows", "rules", "nowhere.json", "events.json")
    ok(r.returncode == 2 and "rules: a folder" in r.stderr and r.stderr.count("nowhere.json") == 1 and "events.json:1: high" in r.stdout, "a folder and a file that is not there are told, the others are read", r.stderr)
    os.mkdir("none")
    with zipfile.ZipFile("events.zip", "w") as z:
        z.write("events.json")
    ok("events.zip: a zip archive" in run("run", "--rules", "rules/deep", "--source", "windows", "events.zip").stderr, "a zip archive is no log")
    ok("none: no rule that can be used" in run("run", "--rules", "none", "--source", "windows", "events.json").stderr, "nor is a folder without rules one of rules")
    r = run("run", "--rules", "rules/deep", "--source", "windows", "events.json")
    ok("events.json:1: high: Encoded PowerShell" in r.stdout, "as text for people", r.stdout)

    ok(run("compile", "--rules", "rules", "--out", "rules.ygs").returncode == 3, "compile leaves out what is refused")
    again = run("run", "--snapshot", "rules.ygs", "--source", "windows", "--json", "events.json")
    ok([json.loads(x)["record"] for x in again.stdout.splitlines()] == [1, 4], "the snapshot finds the same", again.stderr)
    data = bytearray(open("rules.ygs", "rb").read())
    data[len(data) // 2] ^= 1
    open("bad.ygs", "wb").write(data)
    r = run("run", "--snapshot", "bad.ygs", "--source", "windows", "events.json")
    ok(r.returncode != 0 and "bad.ygs: snapshot is damaged" in r.stderr, "a damaged snapshot is refused", r.stderr)
    r = run("run", "--source", "windows", "events.json")
    ok(r.returncode == 2, "neither rules nor snapshot: usage", r.stderr)

    write("okta.yml", """title: T
logsource: {product: okta, service: okta}
detection: {s: {actor.alternateId|endswith: '@example.com', outcome.result: SUCCESS}, condition: s}
""")
    write("okta.ndjson.match", '{"actor": {"alternateId": "a@example.com"}, "outcome": {"result": "success"}}\n')
    write("okta.ndjson.nomatch", '{"actor": {"alternateId": "a@example.org"}, "outcome": {"result": "success"}}\n')
    r = run("run", "--rules", "okta.yml", "--source", "ndjson", "--product", "okta", "--service", "okta", "--json", "okta.ndjson.match", "okta.ndjson.nomatch")
    ok([json.loads(x)["file"] for x in r.stdout.splitlines()] == ["okta.ndjson.match"], "the caller says the log source; paths are fields", r.stdout + r.stderr)
    r = run("test", "okta.yml", "--json")
    ok(r.returncode == 0 and json.loads(r.stdout)["records"] == 2, "test: records beside a rule are as they must be", r.stdout + r.stderr)
    write("okta.ndjson.nomatch", '{"actor": {"alternateId": "b@example.com"}, "outcome": {"result": "success"}}\n')
    r = run("test", ".")
    ok(r.returncode == 1 and "okta.ndjson.nomatch:1: matches, and must not" in r.stdout, "and are named when they are not", r.stdout + r.stderr)

    # what would explode in other engines takes bounded time and memory, or is refused
    exploding = ["(a+)+$", "((a{1,100}){1,100}){1,100}", "(a{0,2000}b{0,2000}){0,2000}c", "(.*a){50}", "(x+x+)+y", "a{1,32767}{1,32767}", ".{0,20000}(a|b|c){1,20000}z",
                 "(" * 2000 + "a" + ")" * 2000, "|".join(f"w{n}.*v{n}" for n in range(300))]
    os.mkdir("hard")
    for n, expression in enumerate(exploding):
        write(f"hard/{n}.yml", f"title: hard {n}\nlogsource: {{product: windows}}\ndetection: {{s: {{CommandLine|re: '{expression}'}}, condition: s}}\n")
    write("hard/large.yml", "title: large\nlogsource: {product: windows}\ndetection:\n  s:\n    CommandLine|contains:\n" +
          "".join(f"      - value number {n}\n" for n in range(50000)) + "  condition: s\n")
    began = time.time()
    bound = [] if sanitized(yagura) else ["bash", "-c", 'ulimit -v 4000000; exec "$@"', "-"]
    r = subprocess.run([*bound, yagura, "detect", "run", "--rules", "hard", "--source", "windows", "--json", "events.json"], capture_output=True, text=True)
    ok(r.returncode in (0, 3) and "hard/5.yml:3: refused: " in r.stderr and "7 records" in r.stderr and time.time() - began < 60,
       f"expressions that explode, and a rule of {os.path.getsize('hard/large.yml') >> 10} KiB: {r.stderr.count(': refused: ')} refused in {time.time() - began:.1f} s", r.stderr)
    write("long.json", json.dumps({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "CommandLine": "a" * 900000 + "b"}) + "\n")
    began = time.time()
    r = run("run", "--rules", "hard", "--source", "windows", "long.json")
    ok("1 records, 0 of them not parsed" in r.stderr and time.time() - began < 60, f"asked of 900,000 characters: {time.time() - began:.1f} s", r.stderr)

    # correlations: in a snapshot as in the files it is of, and tested by records together
    os.mkdir("many")
    write("many/base.yml", OTHERS.split("---")[0])
    write("many/logons.yml", """title: Many logons
correlation:
  type: event_count
  rules: [network_logon]
  group-by: [IpAddress]
  timespan: 5m
  condition: {gte: 2}
""")
    three = "\n".join([logon("192.0.2.7"), logon("192.0.2.7"), logon("192.0.2.9")]) + "\n"
    write("three.json", three)
    want = run("run", "--rules", "many", "--source", "windows", "--json", "three.json")
    held = [json.loads(x) for x in want.stdout.splitlines()]
    ok([(h["title"], h["value"], h["group"]) for h in held] == [("Many logons", 2, {"IpAddress": "192.0.2.7"})],
       "a correlation holds, and its rule is not told of by itself", want.stdout + want.stderr)
    ok(run("compile", "--rules", "many", "--out", "many.ygs").returncode == 0, "compiled")
    r = run("run", "--snapshot", "many.ygs", "--source", "windows", "--json", "three.json")
    ok(r.stdout == want.stdout and "1 hits of correlations" in r.stderr, "the snapshot has the correlation, too", r.stdout + r.stderr)
    write("many/logons.windows.correlate", three)
    write("many/logons.windows.nocorrelate", "\n".join([logon("192.0.2.7"), logon("192.0.2.9")]) + "\n")
    r = run("test", "many", "--json")
    got = json.loads(r.stdout) if r.returncode == 0 else {}
    ok(got.get("correlations") == 1 and got["records"] == 5 and got["failed"] == 0, "test: records that together are as they must be", r.stdout + r.stderr)
    os.rename("many/logons.windows.correlate", "x")
    os.rename("many/logons.windows.nocorrelate", "many/logons.windows.correlate")
    os.rename("x", "many/logons.windows.nocorrelate")
    r = run("test", "many")
    ok(r.returncode == 1 and "logons.windows.correlate: no correlation holds, and one must" in r.stdout and
       "logons.windows.nocorrelate: 'Many logons' holds, and must not" in r.stdout, "and are named when they are not", r.stdout + r.stderr)
    os.remove("many/base.yml")
    r = run("test", "many")
    ok(r.returncode == 1 and r.stderr.count("logons.yml:1: refused") == 1, "a rule that is not there is told of, once", r.stdout + r.stderr)
done()
