"""What the commands in this folder share: names, mixes of queries, the servers and how each
is told the same policy, dnsperf, and the CPU time of a server with all of its processes.

The server is tied to core 0, dnsperf to core 1; CPU time is user and system of all of the
server's processes and threads, divided by the answers that dnsperf counted."""
import contextlib
import gzip
import json
import os
import random
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(ROOT)
BUILD = sys.argv[1] if len(sys.argv) > 1 else "build-bench"
RUNS = int(os.environ.get("RUNS", "3"))
SECONDS = os.environ.get("SECONDS", "5")
UP = 5391  # the upstream's port
MIXES = ("cached", "5%", "blocked")
REAL = os.path.join(os.environ.get("YAGURA_SHARED", "../shared"), "data", "intel", "domains.csv.gz")
tick = os.sysconf("SC_CLK_TCK")


def listed(i):
    """The i-th listed name; the same for every server and run.  The upstream would answer it
    with an address, and no server has a zone of its own for it, as many have for "test"."""
    x = (i * 2654435761 + 12345) & 0xffffffff
    return f"{x:08x}.{'abcdefghij'[x % 10]}{i % 977}.listed{x % 13}.bench"


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def policy_zone(path, names, more=""):
    """An RPZ zone of so many names, each with what is below it."""
    with open(path, "w") as f:
        f.write("$TTL 60\n@ SOA localhost. root.policy.test. 1 3600 600 86400 60\n@ NS localhost.\n" + more)
        for at in range(0, names, 10000):
            f.write("".join(f"{n} CNAME .\n*.{n} CNAME .\n" for n in map(listed, range(at, min(at + 10000, names)))))


def real_names(path):
    """The real list, one name a line; gives them."""
    names = []
    with gzip.open(REAL, "rt", encoding="utf-8") as f:
        next(f)
        for line in f:
            name = line.split(",", 1)[0].strip('"').lstrip(".")
            if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", name):
                names.append(name)
    write(path, "\n".join(names) + "\n")
    return names


def really_blocked(top, policy, names):
    """Those of the names that the policy's row blocks: of a real list some are refused (public suffixes)."""
    text = write(f"{top}/check.yaml", f"policy:\n  - {policy}\n")
    subprocess.run([f"{BUILD}/yagura", "dns", "compile", "--out", f"{top}/check.ygs", text],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out = []
    for at in range(0, len(names), 5000):
        got = subprocess.run([f"{BUILD}/yagura", "dns", "check", "--snapshot", f"{top}/check.ygs", *names[at:at + 5000]],
                             check=True, capture_output=True, text=True).stdout
        out += [v["name"] for v in map(json.loads, got.splitlines()) if v["action"] == "nxdomain"]
    return out


def mixes(top, bad):
    """Files of queries: all cached, 5 % of `bad`, all `bad`; and one that fills the cache."""
    rng = random.Random(7)
    good = [f"n{i}.bench A" for i in range(10000)]
    bad = [f"{n} A" for n in bad]
    files = {"cached": [rng.choice(good) for _ in range(100000)],
             "5%": [rng.choice(bad if rng.random() < 0.05 else good) for _ in range(100000)],
             "blocked": bad, "warm": good}
    for mix, lines in files.items():
        write(f"{top}/{mix}.txt", "\n".join(lines) + "\n")
    write(f"{top}/up.zone", "$ORIGIN bench.\n$TTL 86400\n@ SOA ns root 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
                            "* A 192.0.2.1\n")


def some_listed(names, n=100000):
    rng = random.Random(11)
    return [listed(rng.randrange(names)) for _ in range(n)]


# ---- a server ----

def processes(pid):
    out = [pid]
    for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split():
        out += processes(int(p))
    return out


def usage(pid):
    """CPU seconds, and those of them in the program itself, of a process and all below it."""
    cpu = user = 0
    for p in processes(pid):
        try:
            with open(f"/proc/{p}/stat") as f:
                part = f.read().rsplit(")", 1)[1].split()
            cpu += (int(part[11]) + int(part[12])) / tick
            user += int(part[11]) / tick
        except OSError:
            pass
    return cpu, user


def memory(pids, what="Pss"):
    """MB of these processes; what several share counts once (`Private_`: not at all)."""
    kb = 0
    for p in pids:
        with contextlib.suppress(OSError), open(f"/proc/{p}/smaps_rollup") as f:
            kb += sum(int(line.split()[1]) for line in f if line.split(":")[0] == what or (what.endswith("_") and line.startswith(what)))
    return kb * 1024 / 1e6


def dig(port, name):
    return subprocess.run(["dig", "+time=1", "+tries=1", "@127.0.0.1", "-p", str(port), name, "A"],
                          capture_output=True, text=True).stdout


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every `with` ends what it began


class Server:
    """One that is running; `with` ends it."""

    def __init__(self, top, name, command, port, first, plain=False, core="0"):
        self.top, self.name, self.port = top, name, port
        self.log = open(f"{top}/{name}.out", "w")
        begin = time.monotonic()
        self.p = subprocess.Popen(["taskset", "-c", core, *command], stdin=subprocess.DEVNULL, stdout=self.log,
                                  stderr=self.log, start_new_session=True)
        self.pid = self.p.pid
        self.ok = False
        while time.monotonic() - begin < 300 and self.p.poll() is None:
            if plain and time.monotonic() - begin > 1 or not plain and "192.0.2.1" in dig(port, "n1.bench") and \
                    (first is None or "NXDOMAIN" in dig(port, first)):
                self.ok = True
                break
            time.sleep(0.05)
        self.load = time.monotonic() - begin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.p.wait()
        self.log.close()
        time.sleep(0.3)

    def events(self, name):
        """Its log records of that name."""
        return [json.loads(line) for line in self.output().splitlines() if f'"event":"{name}"' in line]

    def workers(self):
        """Process ids of the workers of role resolve."""
        out = []
        for p in processes(self.pid):
            with contextlib.suppress(OSError), open(f"/proc/{p}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
                if b"--role" in words and words[words.index(b"--role") + 1] == b"resolve":
                    out.append(p)
        return out

    def output(self):
        with open(f"{self.top}/{self.name}.out", errors="replace") as f:
            return f.read()

    def ask(self, mix, *limit):
        """One run of dnsperf: {us, rate, lost, ...}; also the longest wait in ms."""
        before, user = usage(self.pid)
        got = dnsperf(f"{self.top}/{mix}.txt", self.port, *limit)
        after, user_after = usage(self.pid)
        self.mb = memory(processes(self.pid))
        got["us"] = (after - before) / max(got["done"], 1) * 1e6
        got["user_us"] = (user_after - user) / max(got["done"], 1) * 1e6
        return got


def dnsperf(file, port, *words):
    base = ["-e", "-c", "20", "-q", "500"] if "-q" not in words else ["-e"]
    out = subprocess.run(["taskset", "-c", "1", "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", file, *base, *words],
                         capture_output=True, text=True).stdout
    got = {}
    for line in out.splitlines():
        if ":" in line:
            key, value = line.strip().split(":", 1)
            got[key] = value.split()[0] if value.split() else ""
            if key.startswith("Average Latency"):
                got["max"] = re.search(r"max ([0-9.]+)", value)[1]
            if key == "Response codes":
                got["codes"] = value.strip()
    return {"done": float(got.get("Queries completed", 0)), "lost": float(got.get("Queries lost", 0)),
            "rate": float(got.get("Queries per second", 0)), "max_ms": float(got.get("max", 0)) * 1e3,
            "codes": got.get("codes", "")}


def check(s, mix, codes):
    """Stops the bench when answers are not what they must be: then it measures something else."""
    wrong = {"cached": "NXDOMAIN|SERVFAIL|REFUSED", "blocked": "NOERROR|SERVFAIL|REFUSED"}.get(mix, "SERVFAIL|REFUSED")
    if s.name not in ("echo", "nsd") and re.search(wrong, codes):
        sys.exit(f"{s.name}, {mix}: {codes}")


def side_by_side(servers, mix, *limit):
    """RUNS runs of each server, in turns, so that all see the same machine; medians."""
    rows = {s.name: [] for s in servers}
    for s in servers:  # not faster than what all of them let wait
        s.ask("warm", "-n", "1", "-c", "20", "-q", "100")
    for _ in range(RUNS):
        for s in servers:
            rows[s.name].append(s.ask(mix, "-l", SECONDS, *limit))
            check(s, mix, rows[s.name][-1]["codes"])
    out = {}
    for name, got in rows.items():
        out[name] = {k: statistics.median(g[k] for g in got) for k in ("us", "rate")}
        out[name]["lost"] = sum(g["lost"] for g in got)
        out[name]["max_ms"] = max(g["max_ms"] for g in got)
    return out


def load():
    """The machine's load, for those who read the figures."""
    with open("/proc/loadavg") as f:
        return f"load {f.read().split()[0]} on {os.cpu_count()} cores"


@contextlib.contextmanager
def folder():
    top = tempfile.mkdtemp(prefix="yagura-bench-dns-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    os.chmod(top, 0o777)
    try:
        yield top
    finally:
        if os.environ.get("KEEP"):
            print(f"kept: {top}")
        else:
            shutil.rmtree(top, ignore_errors=True)


def ninja(*more):
    subprocess.run(["ninja", "-C", BUILD, "--quiet", "yagura", "bench/dns/bench_dns_echo", *more], check=True)


def has(command):
    return "/" in command[0] or shutil.which(command[0]) is not None


# ---- how each is told ----

def echo(top, port):
    return Server(top, f"echo{port}" if port != 5392 else "echo", [f"{BUILD}/bench/dns/bench_dns_echo", str(port)], port, None, plain=True)


def nsd_conf(top, port, name):
    return write(f"{top}/{name}.conf", f"""server:\n  ip-address: 127.0.0.1@{port}\n  username: ""\n  chroot: ""\n  zonesdir: {top}
  database: ""\n  pidfile: "{top}/{name}.pid"\n  xfrdfile: "{top}/{name}.xfrd"\n  zonelistfile: "{top}/{name}.list"
  server-count: 1\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\n  logfile: "{top}/{name}.log"\n  hide-version: yes
remote-control:\n  control-enable: no\nzone:\n  name: bench.\n  zonefile: up.zone\n""")


@contextlib.contextmanager
def upstream(top):
    """NSD with a wildcard, whom all of them ask."""
    p = subprocess.Popen(["nsd", "-d", "-c", nsd_conf(top, UP, "up")], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(p.pid, signal.SIGKILL)
        p.wait()


def yagura(top, name, port, first, policy=None, log=False, more="", keep=None):
    """Role resolve and what it needs, nothing else; its policy is compiled from text by
    itself at the start, in `keep` (a folder) it would be there already.  Who asks is of an
    organisation that has an allow list and an answer of its own; another has more."""
    data = keep or f"{top}/data-{name}"
    os.makedirs(data, exist_ok=True)
    policy = policy or f"{{name: policy, rpz: {top}/policy.zone, zone: policy.test}}"
    for org in ("a-city", "b-city"):
        write(f"{top}/{org}.txt", "".join(f"own{i}.{org}.bench\n" for i in range(100)))
    conf = write(f"{top}/{name}.yaml", f"""resolve:
  listen: ["127.0.0.1@{port}"]\n  upstream: [{{zone: ".", forward: ["127.0.0.1@{UP}"]}}]
  clients: [{{prefix: 127.0.0.0/8, org: a-city, network: hall}}, {{prefix: 10.0.0.0/8, org: b-city}}]
  modes: [{{layer: centre-zone, mode: audit-only, org: b-city}}]
  answers: [{{answer: nodata, category: ads, org: a-city}}]
  policy:
    - {{name: a-allow, list: {top}/a-city.txt, layer: org-allow, org: a-city}}
    - {{name: b-block, list: {top}/b-city.txt, layer: org-block, org: b-city}}
    - {policy}
  query-log: {"true" if log else "false"}\n  query-log-full: drop-old\n{more}""")
    return Server(top, name, [f"{BUILD}/yagura", "serve", "--only", "resolve", "--config", conf, "--data", data], port, first)


def peers(top, port, names):
    """{name: command}; each serves `port` with the policy of policy.zone and asks UP."""
    unbound = write(f"{top}/unbound.conf", f"""server:
  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  username: ""\n  chroot: ""\n  directory: {top}\n  pidfile: ""
  use-syslog: no\n  num-threads: 1\n  do-not-query-localhost: no\n  module-config: "respip iterator"
  msg-cache-size: 64m\n  rrset-cache-size: 128m\n  so-reuseport: no\n  minimal-responses: yes
rpz:\n  name: policy.test\n  zonefile: {top}/policy.zone
forward-zone:\n  name: "."\n  forward-addr: 127.0.0.1@{UP}
remote-control:\n  control-enable: yes\n  control-use-cert: no\n  control-interface: {top}/unbound.ctl\n""")
    named = write(f"{top}/named.conf", f"""options {{ directory "{top}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
 pid-file none; recursion yes; dnssec-validation no; forward only; forwarders {{ 127.0.0.1 port {UP}; }};
 response-policy {{ zone "policy.test"; }} qname-wait-recurse no; minimal-responses yes; session-keyfile none; }};
controls {{ }}; zone "policy.test" {{ type primary; file "{top}/policy.zone"; }};\n""")
    recursor = write(f"{top}/rec.lua", f'rpzFile("{top}/policy.zone", {{policyName="policy.test"}})\n')
    pdns = ["pdns_recursor", f"--config-dir={top}", f"--socket-dir={top}", "--local-address=127.0.0.1",
            f"--local-port={port}", f"--forward-zones-recurse=.=127.0.0.1:{UP}", "--threads=1",
            f"--lua-config-file={recursor}", "--dnssec=off", "--dont-query=", "--write-pid=no"]
    return {
        "unbound": ["unbound", "-d", "-c", unbound],
        "named": ["named", "-g", "-n", "1", "-c", named],
        "pdns_recursor": pdns,
        "pdns-no-cache": [*pdns, "--disable-packetcache=yes"],
        "kresd": kresd(top, f"net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})"),
        "dnsdist": dnsdist(top, f'setLocal("127.0.0.1:{port}")', names),
        "dnsdist-cdb": dnsdist(top, f'setLocal("127.0.0.1:{port}")', names, compiled=True),
        "nsd": ["nsd", "-d", "-c", nsd_conf(top, port, "direct")],
    }


def kresd(top, listen):
    conf = write(f"{top}/kresd.conf", f"""{listen}
modules = {{ 'policy' }}\ncache.size = 100 * MB\ntrust_anchors.remove('.')
local rpz, rest
local function load()
  local fresh = policy.rpz(policy.DENY, '{top}/policy.zone', false)
  if rpz then policy.del(rpz.id) policy.del(rest.id) end
  rpz = policy.add(fresh)\n  rest = policy.add(policy.all(policy.FORWARD({{'127.0.0.1@{UP}'}})))\nend
load()
event.recurrent(1 * sec, function()
  local f = io.open('{top}/reload')\n  if f then f:close() os.remove('{top}/reload') load() end\nend)\n""")
    return ["kresd", "-n", "-c", conf, top]


def cdb(path, keys):
    """A constant database (cr.yp.to/cdb) of these keys, each with the value "1"."""
    tables = [[] for _ in range(256)]
    with open(path, "wb") as f:
        f.write(bytes(2048))
        at = 2048
        for key in keys:
            h = 5381
            for c in key:
                h = ((h << 5) + h & 0xffffffff) ^ c
            f.write(struct.pack("<II", len(key), 1) + key + b"1")
            tables[h & 255].append((h, at))
            at += 8 + len(key) + 1
        head = b""
        for table in tables:
            slots = [(0, 0)] * (2 * len(table))
            for h, where in table:
                i = (h >> 8) % len(slots)
                while slots[i][1]:
                    i = (i + 1) % len(slots)
                slots[i] = (h, where)
            head += struct.pack("<II", at, len(slots))
            f.write(b"".join(struct.pack("<II", *s) for s in slots))
            at += 8 * len(slots)
        f.seek(0)
        f.write(head)


def wire(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"


def dnsdist(top, listen, names, compiled=False):
    """By a tree of suffixes that it reads from text, or by a file of names made before."""
    if compiled and not os.path.exists(f"{top}/names.cdb"):
        cdb(f"{top}/names.cdb", (wire(listed(i)) for i in range(names)))
    if not compiled and not os.path.exists(f"{top}/names.txt"):
        with open(f"{top}/names.txt", "w") as f:
            f.writelines(f"{listed(i)}.\n" for i in range(names))
    tree = f"""function load()
  local n = newSuffixMatchNode()\n  for l in io.lines("{top}/names.txt") do n:add(newDNSName(l)) end
  clearRules()\n  addAction(SuffixMatchNodeRule(n), RCodeAction(DNSRCode.NXDOMAIN))\nend
function maintenance()
  local f = io.open("{top}/reload")\n  if f then f:close() os.remove("{top}/reload") load() end\nend
load()"""
    look_up = f"""addAction(KeyValueStoreLookupRule(newCDBKVStore("{top}/names.cdb", 1), KeyValueLookupKeySuffix()),
RCodeAction(DNSRCode.NXDOMAIN))"""
    conf = write(f"{top}/dnsdist{'-cdb' if compiled else ''}.conf", f"""{listen}\nnewServer("127.0.0.1:{UP}")
pc = newPacketCache(100000)\ngetPool(""):setCache(pc)\n{look_up if compiled else tree}\n""")
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", conf]


def tell(top, name, pid):
    """Tells a peer that its files have changed; dnsdist with a compiled file looks by itself.  Knot Resolver's own
    watching needs a library that Debian does not bring along (lua-cqueues): a timer of its configuration does it."""
    words = {"unbound": ["unbound-control", "-c", f"{top}/unbound.conf", "auth_zone_reload", "policy.test"],
             "pdns_recursor": ["sh", "-c", f"rec_control --socket-dir={top} reload-lua-config && "
                                           f"rec_control --socket-dir={top} wipe-cache bench$"]}.get(name)
    if words:
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    elif name == "named":
        os.kill(pid, signal.SIGHUP)
    elif name in ("dnsdist", "kresd"):
        write(f"{top}/reload", "")
