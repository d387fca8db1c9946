"""The published rules over public recordings of Windows, Zeek and CloudTrail: the engine, asked as ingest asks it,
and an evaluator written straight from the specification, with all of a record before it and
expressions by another library, say the same of every rule and record.  Usage:
detect_agree.py AGREE [EVERY]; a record of EVERY is asked (default 500; of
CloudTrail, which are few, fifty times as many), 1 asks all of them."""
import glob
import gzip
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile

from harness import done, ok

agree = os.path.abspath(sys.argv[1])
every = int(sys.argv[2]) if len(sys.argv) > 2 else 500
shared = os.environ.get("YAGURA_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared"))
events = os.path.join(shared, "data/events")


def windows(to):
    for name in sorted(glob.glob(os.path.join(events, "windows/*.zip"))):
        with zipfile.ZipFile(name) as archive:
            for member in archive.namelist():
                if member.endswith(".json") and not member.startswith("__MACOSX"):
                    yield archive.extract(member, to)


def zeek(to):
    for name in sorted(glob.glob(os.path.join(events, "zeek-*/*.gz"))):
        path = os.path.join(to, os.path.basename(os.path.dirname(name)) + "-" + os.path.basename(name)[:-3])
        with gzip.open(name) as packed, open(path, "wb") as f:
            f.write(packed.read())
        yield path


def cloudtrail(to):
    for name in sorted(glob.glob(os.path.join(events, "cloudtrail/*.tar.gz"))):
        with tarfile.open(name) as archive:
            archive.extractall(to)
    yield from sorted(glob.glob(os.path.join(to, "**/*.json"), recursive=True))


if not os.path.exists(os.path.join(shared, "data/detect/sigma-rules.tar.gz")):
    ok(True, "the engine agrees over real records # SKIP the recordings or the rules are not at hand")
    done()
    sys.exit()
for source, unpack, more in (("windows", windows, 1), ("zeek", zeek, 1), ("cloudtrail", cloudtrail, 50)):
    with tempfile.TemporaryDirectory() as d:
        files = list(unpack(d))
        r = subprocess.run([agree, source, str(max(1, every // more)), *files], capture_output=True, text=True)
        print(r.stdout, end="")
        ok(r.returncode == 0 and files, f"{source}: the engine and the naive evaluator agree on every rule and record asked", r.stdout[-1000:] + r.stderr[-2000:])
done()
