#!/usr/bin/env python3
"""Every record of the shared recordings parses; speaks TAP, skips without them.

Looks for $YAGURA_SHARED, or a folder `shared` beside the source tree.
"""
import collections
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def shared():
    for path in (os.environ.get("YAGURA_SHARED", ""), os.path.join(ROOT, "..", "shared")):
        if path and os.path.isdir(os.path.join(path, "data", "events")):
            return os.path.join(path, "data", "events")
    return None


def windows(folder):
    for name in sorted(os.listdir(folder)):
        with zipfile.ZipFile(os.path.join(folder, name)) as z:
            for member in z.namelist():
                if member.endswith(".json") and not member.startswith("__MACOSX"):
                    yield member, z.read(member)


def cloudtrail(folder):
    out = io.BytesIO()
    with tarfile.open(os.path.join(folder, "cloudtrail.tar.gz")) as t:
        for m in t:
            if m.isfile() and m.name.endswith(".json"):
                out.write(t.extractfile(m).read())
    yield "cloudtrail.tar.gz", out.getvalue()


def expected_records(source, data):
    if source == "cloudtrail":
        reader, text, n = json.JSONDecoder(), data.decode(), 0
        while text.strip():
            doc, end = reader.raw_decode(text.lstrip())
            n += len(doc["Records"])
            text = text.lstrip()[end:]
        return n
    return sum(bool(line.strip()) for line in data.splitlines())


def main():
    yagura, found, n, bad = sys.argv[1], shared(), 0, 0
    if found is None:
        print("1..0 # SKIP no shared recordings (set YAGURA_SHARED)")
        return 0
    for source, recordings in (("windows", windows), ("cloudtrail", cloudtrail)):
        for name, data in recordings(os.path.join(found, source)):
            out = subprocess.run([yagura, "event", "normalize", "--source", source], input=data, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, check=False)
            classes, unparsed = collections.Counter(), 0
            for line in out.stdout.splitlines():
                event = json.loads(line)
                classes[event["class_uid"]] += 1
                unparsed += "parse_error" in event.get("unmapped", {})
            want = expected_records(source, data)
            n += 1
            ok = out.returncode == 0 and unparsed == 0 and sum(classes.values()) == want
            bad += not ok
            print("%sok %d - %s: %d records" % ("" if ok else "not ", n, name, want))
            print("# by class: " + ", ".join("%d %d" % c for c in sorted(classes.items())))
            if not ok:
                print("# exit status %d, %d events, %d not parsed" % (out.returncode, sum(classes.values()), unparsed))
    print("1..%d" % n)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
