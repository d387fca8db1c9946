"""Event log files beside other readers of them: libevtx (evtxexport) and python-evtx. What is
counted, listed or recovered, must be the same, and every field of every record.
Usage: evtx.py YAGURA EVTX_FILES"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

yagura, evtx_files = sys.argv[1:3]
count = failed = 0
NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)


def ours(path, source="evtx"):
    """Exit status, parsed records' JSON, reasons of the others, stderr."""
    p = subprocess.run([yagura, "event", "normalize", "--source", source, path], capture_output=True, text=True)
    events = [json.loads(line) for line in p.stdout.splitlines()]
    bad = [e["unmapped"]["parse_error"] for e in events if e["class_uid"] == 0 and not e["raw_data"].startswith("{")]
    return p.returncode, [json.loads(e["raw_data"]) for e in events if e["raw_data"].startswith("{")], bad, p.stderr


def flat(record):
    """Our JSON as field names and texts."""
    out = {}

    def put(name, value):
        if isinstance(value, dict):
            for k, v in value.items():
                if k == "#attributes":
                    for a, t in v.items():
                        put(f"{name}.{a}", t)
                else:
                    put(name if k == "#text" else k, v)
        elif isinstance(value, list):
            put(name, " ".join(map(str, value)))
        else:
            out[name] = str(value)

    for part in record["Event"].values():
        put("", part)
    return out


def of_xml(event):
    """The same of XML."""
    out = {}
    for part in event:
        for e in part:
            name = e.tag.removeprefix(NS)
            if name == "Data" and "Name" in e.attrib:
                name = e.attrib["Name"]
            else:
                for a, v in e.attrib.items():
                    out[f"{name}.{a}"] = v
                if e.attrib and not e.text:
                    continue
            out[name] = e.text or ""
    return out


def alike(ours_, theirs):
    """Other readers pad hexadecimal numbers, write GUIDs in capitals and times longer or with a blank."""
    if ours_ == theirs:
        return True
    if re.fullmatch(r"0x[0-9a-f]+", ours_):
        return re.fullmatch(r"0x[0-9a-f]+", theirs) is not None and int(ours_, 16) == int(theirs, 16)
    if re.fullmatch(r"\{[0-9a-f-]{36}\}", ours_):
        return ours_ == theirs.lower() or ours_ == "{" + theirs.lower() + "}"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{7}Z", ours_):
        return ours_[:26].replace("T", " ") == theirs[:26].replace("T", " ").ljust(20, ".").ljust(26, "0")
    return False


def differ(mine, theirs, known=()):
    """The first field that is not the same, or None."""
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in known and not alike(mine.get(name, "(none)"), theirs.get(name, "(none)")):
            return f"{name}: {mine.get(name)} and {theirs.get(name)}"
    return None


def libevtx(path, mode):
    p = subprocess.run(["evtxexport", "-m", mode, "-f", "xml", path], capture_output=True, text=True)
    return [of_xml(e) for e in ET.fromstring("<all>" + p.stdout[p.stdout.find("<Event"):].replace("No events found", "") + "</all>")] if "<Event" in p.stdout else []


def python_evtx(path):
    p = subprocess.run(["evtx_dump.py", path], capture_output=True, text=True)
    return [of_xml(e) for e in ET.fromstring(p.stdout.replace("<?xml version=\"1.1\"", "<?xml version=\"1.0\""))]


# This evtxexport shows a negative number with its sign bit alone.  python-evtx writes attributes that are not
# there as empty ones, binary values as base64 and times through a float.
OTHERWISE = ("Correlation", "Correlation.ActivityID", "EventID.Qualifiers", "Binary", "TimeCreated.SystemTime")
SIGNED = ("int8", "int16", "int32", "int64")
MORE = {"cut": 10}  # libevtx leaves a chunk that is cut off; ours reads on in it

for tool, package in (("evtxexport", "libevtx-utils"), ("evtx_dump.py", "python3-evtx")):
    if shutil.which(tool) is None:
        ok(True, f"beside other readers # SKIP {tool} of {package} is not installed (tools/setup --test)")
        print(f"1..{count}")
        sys.exit()

with tempfile.TemporaryDirectory() as d:
    subprocess.run([evtx_files, d], check=True)
    for file in sorted(os.listdir(d)):
        path, name = os.path.join(d, file), file.removesuffix(".evtx")
        rc, records, bad, err = ours(path)
        listed = [flat(r) for r in records if "Evtx" not in r]
        recovered = [flat(r) for r in records if "Evtx" in r]
        want, again = libevtx(path, "items"), libevtx(path, "recovered")
        good = len(recovered) == len(again) and (len(listed) == len(want) if name not in MORE else len(listed) > len(want))
        ok(good, f"{name}: {len(listed)} listed, {len(recovered)} recovered; libevtx {len(want)}, {len(again)}")
        found = [differ(a, b, SIGNED) for a, b in zip(listed + recovered, want + again)] if name not in MORE else [differ(a, b, SIGNED) for a, b in zip(listed, want)]
        first = next((f for f in found if f is not None), None)
        ok(first is None, f"{name}: every field as libevtx has it{'' if first is None else ': ' + first}")
        ok((f", {len(recovered)} recovered" in err) == (len(recovered) > 0), f"{name}: recovered ones counted apart")
        damaged = name in ("chunk-sum", "cut", "junk", "records-sum", "size")
        ok((rc == 3) == damaged and (len(bad) > 0) == damaged, f"{name}: {len(bad)} reasons: {bad[:1]}")
        if damaged:
            ok(f"{path}: record " in err and "chunk " in err, f"{name}: told with file, record and chunk")
    path = os.path.join(d, "three-chunks.evtx")
    rule = os.path.join(d, "logon.yml")
    with open(rule, "w") as f:
        f.write("title: logon\nlogsource: {product: windows, service: security}\ndetection: {s: {EventID: 4624, TargetUserName: '*'}, condition: s}\n")
    logons = sum(r["EventID"] == "4624" for r in map(flat, ours(path)[1]))
    for source in ("evtx", "windows"):
        p = subprocess.run([yagura, "detect", "run", "--rules", rule, "--source", source, "--json", path], capture_output=True, text=True)
        ok(p.returncode == 0 and len(p.stdout.splitlines()) == logons > 0, f"detect run --source {source} finds the {logons} logons: {p.stderr.strip()}")
    mine, theirs = [flat(r) for r in ours(path, "windows")[1]], python_evtx(path)
    found = [differ(a, b, OTHERWISE) for a, b in zip(mine, theirs)]
    first = next((f for f in found if f is not None), None)
    ok(len(mine) == len(theirs) and first is None, f"{len(theirs)} records as python-evtx has them{'' if first is None else ': ' + first}")

print(f"1..{count}")
sys.exit(failed > 0)
