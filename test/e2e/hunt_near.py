"""Indicators over stored events: the condition that the store is asked leaves out nothing that
the matcher finds, of every kind of indicator, over events made by chance from hosts in many
spellings.  Usage: hunt_near.py STORE_SERVE HUNT_NEAR"""
import os
import subprocess
import sys

from store_lib import Store, done, folder, ok

serve, tool = map(os.path.abspath, sys.argv[1:3])
for seed in (os.environ.get("SEED", "1"), "20261123"):
    store = Store(serve, folder())
    r = subprocess.run([tool, "unix:" + store.sock, "20000", seed], capture_output=True, text=True, timeout=230)
    store.kill()
    print(r.stdout, end="")
    ok(r.returncode == 0, f"what the matcher finds, the condition lets through (seed {seed})", (r.returncode, r.stderr[-1500:]))
done()
