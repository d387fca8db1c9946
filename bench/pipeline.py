#!/usr/bin/env python3
"""From a Zeek NDJSON file on disk to searchable in the event store, with all
indicators matched: the whole system as an operator runs it, on loopback.

  pipeline.py [--records N] [--runs N] [--data SHARED] [--binary build/yagura]

Prints events/s by the clock, CPU microseconds per event and peak memory per
role, and the same file through jq and through chDB alone."""
import argparse
import glob
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

root = pathlib.Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("local", timeout=120)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(self.path)


def ask(store, sql):
    c = Unix(store)
    c.request("POST", "/", body=sql)
    r = c.getresponse()
    body = r.read().decode().strip()
    if r.status != 200:
        sys.exit(f"the store refused: {body}")
    return body


def roles(pid):
    """role name -> pid of every child of the supervisor."""
    found = {"main": pid}
    for p in glob.glob("/proc/[0-9]*/stat"):
        try:
            stat = pathlib.Path(p).read_text()
            if int(stat.rsplit(")", 1)[1].split()[1]) != pid:
                continue
            args = pathlib.Path(p).with_name("cmdline").read_bytes().split(b"\0")
            child = int(p.split("/")[2])
            found[args[args.index(b"--role") + 1].decode() + args[args.index(b"--index") + 1].decode()] = child
        except (OSError, ValueError):
            continue
    return found


def cpu(pid):
    f = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / TICK


def memory(pid, what):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) // 1024
    return 0


def timed(cmd, **kw):
    before, t = os.times(), time.monotonic()
    subprocess.run(cmd, check=True, stdout=subprocess.DEVNULL, **kw)
    after = os.times()
    return time.monotonic() - t, after.children_user + after.children_system - before.children_user - before.children_system


class System:
    def __init__(self, binary, folder):
        self.binary, self.data = binary, folder / "data"
        port = free_port()
        conf = folder / "yagura.yaml"
        conf.write_text(f"api:\n  address: 127.0.0.1:{port}\n")
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([binary, "serve", "--config", conf, "--data", self.data], stderr=self.log)
        self.env = {**os.environ, "YAGURA_DATA": str(self.data)}
        for _ in range(300):
            if subprocess.run([binary, "status"], env=self.env, capture_output=True).returncode == 0:
                return
            time.sleep(0.2)
        sys.exit(f"the server did not start; see {folder}/log")

    def run(self, *args):
        return subprocess.run([self.binary, *args], env=self.env, check=True, capture_output=True, text=True).stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def one_run(system, file, expected, org):
    store = system.data / "run/store.sock"
    system.run("org", "add", org)
    pids = roles(system.process.pid)
    before = {r: cpu(p) for r, p in pids.items()}
    have = int(ask(store, "SELECT count() FROM yagura.event WHERE class_uid != 2004"))
    t, children = time.monotonic(), os.times()
    system.run("event", "import", "--org", org, "--source", "zeek", "--quiet", str(file))
    acknowledged = time.monotonic() - t
    while int(ask(store, "SELECT count() FROM yagura.event WHERE class_uid != 2004")) < have + expected:
        if time.monotonic() - t > 600:
            sys.exit("not delivered after ten minutes")
        time.sleep(0.05)
    clock = time.monotonic() - t
    client = os.times()
    used = {r: cpu(p) - before[r] for r, p in roles(system.process.pid).items()}
    used["client"] = client.children_user + client.children_system - children.children_user - children.children_system
    found = int(ask(store, f"SELECT count() FROM yagura.event WHERE class_uid = 2004 AND org = '{org}'"))
    return clock, acknowledged, used, found


def lists(shared, folder):
    if shared and (shared / "intel/domains.csv.gz").exists():
        extra = folder / "bench.csv"  # the ones that occur in the generated records
        with open(extra, "wb") as f:
            subprocess.run([sys.executable, root / "bench/generate.py", "indicators", "1000"], stdout=f, check=True)
        return [extra, *sorted((shared / "intel").glob("*.csv.gz"))], "real lists"
    made = folder / "indicators.csv"
    with open(made, "wb") as f:
        subprocess.run([sys.executable, root / "bench/generate.py", "indicators", "1600000"], stdout=f, check=True)
    return [made], "generated"


def published(shared, folder):
    archive = shared / "detect/sigma-rules.tar.gz"
    if not archive.exists():
        return None
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "rules")
    return folder / "rules"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--records", type=int, default=1_000_000)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--data", type=pathlib.Path, default=root.parent / "shared/data")
    p.add_argument("--binary", default=str(root / "build/yagura"))
    a = p.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yagura-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    system = None
    try:
        file = folder / "zeek.json"
        with open(file, "wb") as f:
            subprocess.run([sys.executable, root / "bench/generate.py", "zeek", str(a.records)], stdout=f, check=True)
        size = file.stat().st_size
        system = System(a.binary, folder)
        time.sleep(5)
        idle = {r: memory(pid, "VmRSS") for r, pid in roles(system.process.pid).items()}
        print(f"idle, MB resident: {sum(idle.values())} in all; " + ", ".join(f"{r} {m}" for r, m in idle.items()))
        files, what = lists(a.data, folder)
        for i, name in enumerate(files):
            system.run("indicator", "import", "--list", f"bench-{i}", str(name))
        system.run("indicator", "publish")
        time.sleep(2)
        count = json.loads(system.run("status", "--json"))["snapshot"]["indicators"]
        print(f"input: {a.records} Zeek records, {size / 1e6:.0f} MB, generated; {count} indicators, {what}")
        clocks, cpus = [], []
        for i in range(a.runs):
            clock, ack, used, found = one_run(system, file, a.records, f"bench-{i}")
            clocks.append(clock)
            cpus.append(sum(used.values()))
            print(f"run {i + 1}: {a.records / clock:,.0f} events/s to searchable ({clock:.1f} s; acknowledged after {ack:.1f} s), "
                  f"{found} findings; CPU us/event: " + ", ".join(f"{r} {u / a.records * 1e6:.2f}" for r, u in used.items()))
        rules = published(a.data, folder)
        if rules:  # the same records, with every published rule in force
            subprocess.run([a.binary, "detect", "import", "--all-orgs", "--stage", "live", "--quiet", str(rules)], env=system.env,
                           stderr=subprocess.DEVNULL, check=False)  # 3: some need placeholders
            time.sleep(8)
            clock, _, used, found = one_run(system, file, a.records, "bench-rules")
            print(f"with all published rules: {a.records / clock:,.0f} events/s, {found} findings; CPU us/event: " +
                  ", ".join(f"{r} {u / a.records * 1e6:.2f}" for r, u in used.items()))
        peak = {r: memory(pid, "VmHWM") for r, pid in roles(system.process.pid).items()}
        print("peak, MB resident: " + ", ".join(f"{r} {m}" for r, m in peak.items()))
        system.stop()
        system = None
        ours = statistics.median(clocks)
        jq_clock, jq_cpu = zip(*[timed(["jq", "-c", ".", str(file)]) for _ in range(min(a.runs, 2))])
        print(f"jq -c: {a.records / statistics.median(jq_clock):,.0f} records/s, {statistics.median(jq_cpu) / a.records * 1e6:.2f} us CPU each")
        library = next(iter(glob.glob(str(root / "node_modules/@chdb/*/libchdb.so"))), None)
        peer = pathlib.Path(a.binary).parent / "bench/chdb_json"
        chdb = None
        if library and peer.exists():
            out = subprocess.run([peer, library, file, folder / "peer"], check=True, capture_output=True, text=True).stdout.split()
            chdb = float(out[0])
            print(f"chDB alone, same file, 6 fields + record, nothing matched: {a.records / chdb:,.0f} records/s, {float(out[1]) / a.records * 1e6:.2f} us CPU each")
        print(f"RESULT pipeline: {a.records / ours:,.0f} events/s (goal 100,000), {statistics.median(cpus) / a.records * 1e6:.2f} us CPU/event; "
              f"{statistics.median(jq_clock) / ours:.2f} x jq" + (f", {chdb / ours:.2f} x chDB alone" if chdb else "") +
              f"; idle {sum(idle.values())} MB (goal 600)")
    finally:
        if system:
            system.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
