"""Correlations over log files: `detect check` names those that cannot be, `detect run` prints
what holds, whatever the order of files and records.  Usage: detect_correlate.py YAGURA"""
import json
import os
import subprocess
import sys
import tempfile

from harness import done, ok

yagura = os.path.abspath(sys.argv[1])
RULES = """title: Failed logon
name: failed
level: low
logsource: {product: windows, service: security}
detection: {s: {EventID: 4625}, condition: s}
---
title: Successful logon
id: 22222222-2222-4222-8222-222222222222
level: informational
logsource: {product: windows, service: security}
detection: {s: {EventID: 4624}, condition: s}
---
title: Many failed logons
name: many_failed
level: medium
correlation: {type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 10m, condition: {gte: 5}}
---
title: Guessed
id: 33333333-3333-4333-8333-333333333333
level: high
correlation:
  type: temporal_ordered
  rules: [many_failed, 22222222-2222-4222-8222-222222222222]
  group-by: [TargetUserName]
  timespan: 10m
"""
BAD = """title: To nothing
correlation: {type: event_count, rules: [nobody], group-by: [U], timespan: 1m, condition: {gte: 5}}
---
title: In circles
name: circle
correlation: {type: event_count, rules: [circle], group-by: [U], timespan: 1m, condition: {gte: 5}}
"""
SPREAD = """title: Spread
level: high
correlation:
  type: value_count
  rules: [failed]
  group-by: [IpAddress]
  timespan: 1h
  condition: {field: TargetUserName, gte: 3}
  generate: true
"""


def logon(code, user, second, ip="192.0.2.7"):
    at = f"2026-11-22T10:{second // 60:02d}:{second % 60:02d}Z"
    return json.dumps({"winlog": {"channel": "Security", "event_id": code, "computer_name": "w1", "event_data": {"TargetUserName": user, "IpAddress": ip}}, "@timestamp": at}) + "\n"


def run(*args):
    return subprocess.run([yagura, "detect", *args], capture_output=True, text=True)


def write(name, text):
    with open(name, "w") as f:
        f.write(text)


with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    os.makedirs("rules")
    write("rules/a.yml", RULES)
    # newest first, over two files; the success stands in the file that is read first
    write("late.json", logon(4624, "Hanako", 300) + logon(4625, "HANAKO", 240) + logon(4625, "taro", 200))
    write("early.json", "".join(logon(4625, "hanako", s) for s in (180, 60, 120, 30)) + logon(4624, "taro", 250))

    r = run("check", "--rules", "rules", "--json")
    ok(r.returncode == 0 and json.loads(r.stdout)["correlations"] == 2, "correlations are checked", r.stdout + r.stderr)
    r = run("run", "--rules", "rules", "--source", "windows", "--json", "late.json", "early.json")
    lines = [json.loads(line) for line in r.stdout.splitlines()]
    ok(r.returncode == 0 and len(lines) == 1, "the outermost alone is printed", r.stdout + r.stderr)
    hit = lines[0] if lines else {}
    ok(hit.get("rule") == "33333333-3333-4333-8333-333333333333" and hit.get("correlation") is True and hit.get("level") == "high"
       and hit.get("group") == {"TargetUserName": "hanako"} and hit.get("value") == 2, "with rule and group", r.stdout)
    ok(hit.get("time", "").startswith("2026-11-22T10:05:00") and hit.get("first", "").startswith("2026-11-22T10:04:00")
       and {"file": "late.json", "record": 1} in hit.get("records", []), "by the time of the records, with the records", r.stdout)
    again = run("run", "--rules", "rules", "--source", "windows", "--json", "early.json", "late.json")
    same = [json.loads(line) for line in again.stdout.splitlines()]
    ok(same == lines, "the order of the files changes nothing", again.stdout)
    r = run("run", "--rules", "rules", "--source", "windows", "late.json", "early.json")
    ok(r.stdout == "late.json:1: high: Guessed  TargetUserName=hanako  value=2\n" and "hits of correlations" in r.stderr, "for people too", r.stdout + r.stderr)

    write("rules/spread.yml", SPREAD)
    write("spray.json", "".join(logon(4625, f"u{i}", i) for i in range(3)))
    r = run("run", "--rules", "rules", "--source", "windows", "--json", "spray.json")
    lines = [json.loads(line) for line in r.stdout.splitlines()]
    ok([x["title"] for x in lines] == ["Failed logon"] * 3 + ["Spread"] and lines[3]["group"] == {"IpAddress": "192.0.2.7"} and lines[3]["value"] == 3,
       "with generate the rules are printed too", r.stdout + r.stderr)

    write("rules/bad.yml", BAD)
    r = run("check", "--rules", "rules", "--json")
    n = json.loads(r.stdout)
    ok(r.returncode == 3 and n["correlations"] == 3 and n["refused"] == 2, "those that cannot be are counted as refused", r.stdout)
    ok("rules/bad.yml:1: refused: there is no rule 'nobody'" in r.stderr and "rules/bad.yml:4: refused: its rules lead back to itself: circle" in r.stderr,
       "and named with file, line and reason", r.stderr)
    r = run("run", "--rules", "rules", "--source", "windows", "--json", "late.json", "early.json")
    ok("Guessed" in r.stdout, "and stop no other", r.stdout + r.stderr)
done()
