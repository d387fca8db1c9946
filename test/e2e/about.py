#!/usr/bin/env python3
"""What the program says of itself: its licences, its commands.  Argument: the yagura binary."""
import json
import os
import re
import subprocess
import sys

from harness import done, ok

YAGURA = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*words):
    p = subprocess.run([YAGURA, *words], capture_output=True, timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


rc, out, err = run("licences")
ok(rc == 0 and err == "" and re.match(r"yagura \d+\.\d+\.\d+ \(Apache-2\.0\)\n", out), "licences", (rc, out[:100], err))
ITEM = r"^(@?[a-z0-9/_-]+) (\d+\.\d+\.\d+) \([A-Za-z0-9.-]+\)$"
named = dict(re.findall(ITEM, out, re.M))
named.pop("yagura", "")
contained = json.load(open(os.path.join(ROOT, "package.json")))["dependencies"]
contained.pop("esbuild")  # builds the console, is not in it
ok(contained.items() <= named.items(), "every library of the console with its version and licence", named)
parts = re.split(ITEM, out, flags=re.M)[6::3]  # behind the program's own
ok(len(parts) == len(named) and all("Copyright" in p and "Permission is hereby granted" in p for p in parts), "each with its terms in full", [p[:80] for p in parts])
ok(not any(x in named for x in ("esbuild", "typescript", "playwright-core", "axe-core")), "no tool that only builds or tests")
rc, out, err = run("licences", "extra")
ok(rc == 2 and out == "", "an argument is wrong usage", (rc, err))
for word in ("--help", "-h", "help"):
    rc, out, err = run("dns", word)
    ok(rc == 0 and err == "" and "  yagura dns explain " in out and "yagura alert" not in out, f"dns {word}: the commands of dns alone", (rc, out, err))
rc, out, err = run("dnss", "--help")
ok(rc == 2 and out == "" and "no command 'dnss --help'" in err, "of nothing that there is: wrong usage", (rc, out, err))
rc, out, err = run("dns")
ok(rc == 2 and out == "" and err.startswith("  yagura dns ") and "no command" not in err, "a noun by itself: its commands", (rc, out, err))
done()
