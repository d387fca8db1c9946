#!/usr/bin/env python3
"""Cedar's own engine from npm beside `yagura access authorize`.  Usage:
cedar_agree.py YAGURA [SETS [SEED]]"""
import os
import shutil
import subprocess
import sys

from harness import done, ok

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
node = shutil.which("node")
if node is None or not os.path.isdir(f"{root}/node_modules/@cedar-policy/cedar-wasm"):
    ok(True, "Cedar's own engine says the same # SKIP no node or no @cedar-policy/cedar-wasm: run 'npm ci'")
    done()
    sys.exit()
sys.exit(subprocess.run([node, f"{root}/test/e2e/cedar_agree.mjs", *sys.argv[1:]], check=False).returncode)
