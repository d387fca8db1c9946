#!/usr/bin/env python3
"""Replays recorded cases through `yagura event normalize`; speaks TAP.

A case is a folder with case.json:
  about     one sentence
  source    of --source;  mapping: file in the folder;  received: of --received
  input     a file in the folder, or a list of pieces {"text", "times", "hex"}
  gzip      true: the input is packed first
  records, unparsed   how many there must be
  checks    [{"match": {"path.in.ocsf": value or null}, "count": n}, ...];
            count 0 says that nothing may match
and, when every byte matters, expected.jsonl.  Each case runs twice and must give
the same bytes.  `run.py --bless YAGURA CASE...` writes expected.jsonl anew.
"""
import gzip
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def case_input(folder, case):
    given = case["input"]
    if isinstance(given, str):
        with open(os.path.join(folder, given), "rb") as f:
            data = f.read()
    else:
        data = b"".join((bytes.fromhex(p["hex"]) if "hex" in p else p["text"].encode()) * p.get("times", 1) for p in given)
    return gzip.compress(data, mtime=0) if case.get("gzip") else data


def run(yagura, folder, case, data):
    args = [yagura, "event", "normalize", "--source", case["source"]]
    args += ["--received", case.get("received", "2026-06-15T12:00:00Z")]
    if "mapping" in case:
        args += ["--mapping", os.path.join(folder, case["mapping"])]
    done = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    counts = re.search(rb"(\d+) records, (\d+) not parsed", done.stderr)
    if counts is None:
        raise AssertionError("no counts on stderr: " + done.stderr.decode(errors="replace")[-300:])
    return done.returncode, done.stdout, int(counts.group(1)), int(counts.group(2))


def look_up(event, path):
    """Values at a dotted path; lists are walked, so one path may have several."""
    found = [event]
    for part in path.split("."):
        below = []
        for v in found:
            for item in v if isinstance(v, list) else [v]:
                if isinstance(item, dict) and part in item:
                    below.append(item[part])
        found = below
    return [x for v in found for x in (v if isinstance(v, list) else [v])]


def matches(event, wanted):
    for path, value in wanted.items():
        found = look_up(event, path)
        if (value is None and found) or (value is not None and value not in found):
            return False
    return True


def problems(yagura, folder, case, bless):
    data = case_input(folder, case)
    code, out, records, unparsed = run(yagura, folder, case, data)
    if run(yagura, folder, case, data)[:2] != (code, out):
        yield "a second run gave other bytes"
    expected = os.path.join(folder, "expected.jsonl")
    if bless:
        with open(expected, "wb") as f:
            f.write(out)
    elif os.path.exists(expected):
        with open(expected, "rb") as f:
            for n, (want, got) in enumerate(zip(f.read().splitlines(), out.splitlines()), 1):
                if want != got:
                    yield "line %d\n  want %s\n  got  %s" % (n, want.decode()[:1500], got.decode()[:1500])
                    break
            f.seek(0)
            if f.read().count(b"\n") != out.count(b"\n"):
                yield "another number of lines than expected.jsonl has"
    if code != (3 if unparsed else 0):
        yield "exit status %d with %d not parsed" % (code, unparsed)
    for name, value in (("records", records), ("unparsed", unparsed)):
        if name in case and case[name] != value:
            yield "%s: want %d, got %d" % (name, case[name], value)
    events = [json.loads(line) for line in out.splitlines()]
    if len(events) != records:
        yield "%d lines for %d records" % (len(events), records)
    for check in case.get("checks", []):
        n = sum(matches(e, check["match"]) for e in events)
        if n != check["count"]:
            yield "%s: want %d, got %d" % (json.dumps(check["match"]), check["count"], n)


def main():
    args = sys.argv[1:]
    bless = args[0] == "--bless"
    args = args[1:] if bless else args
    yagura, names = args[0], args[1:] or sorted(os.listdir(os.path.join(HERE, "cases")))
    bad = 0
    for n, name in enumerate(names, 1):
        folder = os.path.join(HERE, "cases", name)
        with open(os.path.join(folder, "case.json"), encoding="utf-8") as f:
            case = json.load(f)
        try:
            wrong = list(problems(yagura, folder, case, bless))
        except (AssertionError, subprocess.TimeoutExpired, ValueError) as e:
            wrong = [str(e)]
        print("%sok %d - %s: %s" % ("not " if wrong else "", n, name, case["about"]))
        for text in wrong:
            print("# " + text.replace("\n", "\n# "))
        bad += bool(wrong)
    print("1..%d" % len(names))
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
