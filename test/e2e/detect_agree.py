"""The published rules over the public recordings of Windows: the engine and an evaluator
written straight from the specification say the same of every rule and record.  Usage:
detect_agree.py AGREE [EVERY]; a record of EVERY is asked (default 500),
1 asks all of them."""
import glob
import os
import subprocess
import sys
import tempfile
import zipfile

from harness import done, ok

agree = os.path.abspath(sys.argv[1])
every = sys.argv[2] if len(sys.argv) > 2 else "500"
shared = os.environ.get("YAGURA_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared"))
zips = sorted(glob.glob(os.path.join(shared, "data/events/windows/*.zip")))
if not zips or not os.path.exists(os.path.join(shared, "data/detect/sigma-rules.tar.gz")):
    ok(True, "the engine agrees over real records # SKIP the recordings or the rules are not at hand")
    done()
    sys.exit()
with tempfile.TemporaryDirectory() as d:
    files = []
    for z in zips:
        with zipfile.ZipFile(z) as archive:
            for name in archive.namelist():
                if name.endswith(".json") and not name.startswith("__MACOSX"):
                    files.append(archive.extract(name, d))
    r = subprocess.run([agree, "windows", every, *files], capture_output=True, text=True)
    print(r.stdout, end="")
    ok(r.returncode == 0, "the engine and the naive evaluator agree on every rule and record asked", r.stderr[-2000:])
done()
