#!/usr/bin/env python3
"""Role zones from outside: policy from files and lists, a broken file, a change, a zone
from a real BIND by AXFR, IXFR, NOTIFY and TSIG, and processes that are killed."""

import base64
import contextlib
import gzip
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from harness import done, free_port, ok, skip, until
from resolve_lib import Answer, Upstream, ask, exchange, name_bytes, query, resolver

binary = sys.argv[1]
ADDRESS = "192.0.2.1"
NAMES = ["nx", "nodata", "pass", "drop", "tcp", "local", "cname", "plain", "www.plain", "good", "late", "bind",
         "added", "gone", "target", "other.large", "more.large"]
ANSWERS = {(f"{n}.example.", "A"): [(f"{n}.example.", "A", 60, ADDRESS)] for n in NAMES}
HEAD = "$TTL 60\n@ SOA ns.feed1.example. root.feed1.example. {} 3600 60 86400 60\n@ NS ns.feed1.example.\n"
FEED1 = HEAD + """nx.example CNAME .
nodata.example CNAME *.
pass.example CNAME rpz-passthru.
drop.example CNAME rpz-drop.
tcp.example CNAME rpz-tcp-only.
local.example A 198.51.100.7
cname.example CNAME target.example.
"""


def seen(s, name):
    """What a client sees: an address, an rcode, nodata, nothing, tc."""
    a = ask(s.dns, f"{name}.example.", timeout=1)
    if a is None:
        return None
    if a.tc:
        return "tc"
    if a.rcode != "NOERROR":
        return a.rcode
    addresses = [r[3] for r in a.answers if r[1] == "A"]
    return addresses[-1] if addresses else "nodata"


def comes(s, name, want, seconds=10):
    """Seconds until the client sees it; None when it does not come."""
    begin = time.monotonic()
    return (time.monotonic() - begin) if until(lambda: seen(s, name) == want, seconds) else None


def beside(s, name, text):
    """A file put in place whole."""
    path = os.path.join(os.path.dirname(s.conf_path), name)
    with open(path + ".new", "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.rename(path + ".new", path)


def by_files():
    policy = [{"name": "feed1", "rpz": "feed1.zone", "zone": "feed1.example"},
              {"name": "plain", "list": "plain.txt", "category": "ads"}]
    files = {"feed1.zone": FEED1.format(1), "plain.txt": "plain.example\nnot a name at all\n"}
    with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": policy}, files) as s:
        ok(comes(s, "nx", "NXDOMAIN") is not None, "a file's policy is in force", s.log()[-2000:])
        a = ask(s.dns, "nx.example.")
        ok(a.ede and a.ede[0] == 15 and "feed1" in a.ede[1], "and says why", a.ede)
        ok(seen(s, "nodata") == "nodata", "NODATA")
        ok(seen(s, "pass") == ADDRESS, "PASSTHRU")
        ok(seen(s, "drop") is None, "DROP")
        ok(seen(s, "tcp") == "tc" and ask(s.dns, "tcp.example.", tcp=True).values == [ADDRESS], "TCP-ONLY")
        ok(seen(s, "local") == "198.51.100.7", "local data")
        a = ask(s.dns, "cname.example.")
        ok(a and [r[1] for r in a.answers] == ["CNAME", "A"] and a.values[1] == ADDRESS, "a CNAME", a and a.answers)
        ok(seen(s, "plain") == "NXDOMAIN" and seen(s, "www.plain") == "NXDOMAIN", "a list")
        ok(seen(s, "good") == ADDRESS, "what is not listed is answered")
        ok(s.find_event("zones.record", zone="plain"), "a line that means nothing is told")

        beside(s, "feed1.zone", FEED1.format(2) + "late.example CNAME .\n")
        took = comes(s, "late", "NXDOMAIN")
        ok(took is not None and took < 5, "a changed file is in force in seconds", took)

        beside(s, "feed1.zone", FEED1.format(3) + "broken.example CNAME (\n")
        ok(s.wait_event("zones.refused", zone="feed1"), "a broken file is an event")
        e = s.find_event("zones.refused") or {}
        ok("line" in e.get("error", "") and "feed1.zone" in e.get("file", ""), "with file, line and reason", e)
        ok(seen(s, "late") == "NXDOMAIN" and seen(s, "nx") == "NXDOMAIN", "the old zone stays in force")
        ok(len(s.events("zones.refused")) == 1, "and is told once")

        generation = s.find_event("zones.compiled")["generation"]
        pids = {r: s.pid(r) for r in ("zones", "resolve")}
        ok(s.kill_and_wait("zones"), "zones is killed and comes back")
        s.wait_event("zones.compiled", generation=generation + 1)
        ok(s.pid("resolve") == pids["resolve"] and s.find_event("zones.compiled")["generation"] > generation,
           "the generation rises, the resolver runs on")
        ok(seen(s, "late") == "NXDOMAIN", "with the file still broken the last good one is in force")
        begin = time.monotonic()
        ok(s.kill_and_wait("resolve"), "a worker is killed")
        ok(seen(s, "nx") == "NXDOMAIN", "the new one has the policy at once", time.monotonic() - begin)
        folder = os.path.join(s.data, "zones")
        kept = [n for n in os.listdir(folder) if n.startswith("policy-")]
        ok(1 <= len(kept) <= 2, "old policies are removed", kept)
        with open(os.path.join(folder, "current"), encoding="ascii") as f:
            ok(f.read().strip() in kept, "zones/current names the last one")

        os.remove(os.path.join(os.path.dirname(s.conf_path), "plain.txt"))
        ok(s.wait_event("zones.refused", zone="plain"), "a file that is gone is an event")
        ok(seen(s, "plain") == "NXDOMAIN", "and stays in force")
        beside(s, "feed1.zone", FEED1.format(4))
        ok(comes(s, "late", ADDRESS) is not None, "a file that is whole again is taken")


SECRET = base64.b64encode(b"a secret of thirty-two octets ..").decode()


class Bind:
    """A real BIND with one zone; named runs in the foreground."""

    def __init__(self, zone, notify, key=SECRET, rr=()):
        self.dir = tempfile.mkdtemp(prefix="yagura-bind-")
        self.zone, self.port, self.serial, self.process = zone, free_port(), 1, None
        self.address = f"127.0.0.1@{self.port}"
        self.write(rr)
        with open(f"{self.dir}/named.conf", "w", encoding="utf-8") as f:
            f.write(f"""
options {{ directory "{self.dir}"; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; recursion no; allow-query {{ any; }}; dnssec-validation no; notify-delay 0;
  notify-rate 1000; serial-query-rate 1000; querylog no; transfer-format many-answers; }};
controls {{ }};
key "key1" {{ algorithm hmac-sha256; secret "{key}"; }};
zone "{zone}" {{ type primary; file "zone"; ixfr-from-differences yes; allow-transfer {{ key "key1"; }};
  notify explicit; also-notify {{ 127.0.0.1 port {notify}; }}; max-ixfr-ratio unlimited; }};
""")

    def write(self, records):
        with open(f"{self.dir}/zone.new", "w", encoding="utf-8") as f:
            f.write(f"$TTL 60\n@ SOA ns.{self.zone}. root.{self.zone}. {self.serial} 3600 60 86400 60\n"
                    f"@ NS ns.{self.zone}.\nns A 127.0.0.1\n" + "".join(f"{r}\n" for r in records))
        os.rename(f"{self.dir}/zone.new", f"{self.dir}/zone")

    def change(self, records):
        self.serial += 1
        self.write(records)
        self.process.send_signal(signal.SIGHUP)

    def __enter__(self):
        self.start()
        return self

    def start(self):
        self.process = subprocess.Popen(["named", "-g", "-4", "-n", "1", "-c", f"{self.dir}/named.conf"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.dir}/log", "a"))
        if not until(lambda: exchange(("127.0.0.1", self.port), query(self.zone + ".", "SOA"), 0.5), 20):
            raise RuntimeError(self.log())

    def log(self):
        with open(f"{self.dir}/log", encoding="utf-8") as f:
            return f.read()[-2000:]

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def by_transfer():
    """From BIND, behind zones of files: four kinds of rows in their order."""
    notify = free_port(socket.SOCK_DGRAM)
    feed3 = {"name": "feed3", "zone": "feed3.example",
             "tsig": {"name": "key1", "algorithm": "hmac-sha256", "secret-file": "key1.secret"}}
    policy = [{"name": "feed1", "rpz": "feed1.zone"}, {"name": "feed2", "rpz": "feed2.zone", "override": "nxdomain"},
              {"name": "plain", "list": "names.txt"}, feed3]
    soa = "$ORIGIN {0}.example.\n$TTL 60\n@ SOA ns root 1 3600 60 86400 60\n@ NS ns\n"
    files = {"feed1.zone": soa.format("feed1") + "good.example CNAME rpz-passthru.\nlocal.example A 198.51.100.7\n",
             "feed2.zone": soa.format("feed2") + "good.example CNAME .\nlocal.example CNAME .\ncname.example CNAME target.example.\n",
             "names.txt": "plain.example\n", "key1.secret": SECRET + "\n"}
    rules = [f"n{i}.example CNAME ." for i in range(3000)] + ["bind.example CNAME .", "gone.example CNAME .", "good.example CNAME ."]
    with Bind("feed3.example", notify, rr=rules) as b, Upstream(ANSWERS) as up:
        feed3["axfr"] = b.address
        with resolver(binary, up, {"policy": policy, "notify": [f"127.0.0.1@{notify}"], "rebinding-protection": True}, files) as s:
            ok(comes(s, "bind", "NXDOMAIN") is not None, "a zone from BIND by AXFR, signed", s.log()[-1500:])
            e = s.find_event("zones.transferred") or {}
            ok(e.get("kind") == "AXFR" and e.get("serial") == 1 and e.get("added") == len(rules) + 3,
               "all of its records", e)
            ok(seen(s, "added") == ADDRESS and seen(s, "gone") == "NXDOMAIN", "and no more")
            ok(seen(s, "good") == ADDRESS and seen(s, "local") == "198.51.100.7", "the first zone that knows a name decides")
            ok(seen(s, "cname") == "NXDOMAIN" and seen(s, "plain") == "NXDOMAIN", "the second by its override, and a list")
            b.change([r for r in rules if not r.startswith("gone")] + ["added.example CNAME ."])
            took = comes(s, "added", "NXDOMAIN")
            ok(took is not None and took < 5, "a change comes by NOTIFY", f"{took} {b.log()}")
            e = s.wait_event("zones.transferred", kind="IXFR") or {}
            ok(e.get("serial") == 2 and e.get("added") == 2 and e.get("removed") == 2, "by IXFR", e)
            ok(seen(s, "gone") == ADDRESS and seen(s, "bind") == "NXDOMAIN", "what was taken out is gone")

            notify_at = ("127.0.0.1", notify)
            msg = bytearray(query("other.example.", "SOA", edns=False, rd=False, opcode=4))
            got = exchange(notify_at, bytes(msg), 2)
            ok(got and got[3] & 15 == 5, "a NOTIFY for a zone that is not ours is refused")
            ok(exchange(notify_at, b"\x01" * 40, 0.3) is None, "nonsense gets no answer")

            b.stop()
            s.wait_event("zones.refused", 0.1)
            ok(s.kill_and_wait("zones"), "zones is killed while the server is away")
            ok(s.wait_event("zones.transfer_failed", 15), "that the server is away is an event")
            s.wait_event("resolve.policy", 5, count=2)
            ok(seen(s, "bind") == "NXDOMAIN" and seen(s, "added") == "NXDOMAIN", "the zone stays in force")
            b.start()
            b.change(rules)
            ok(comes(s, "gone", "NXDOMAIN", 20) is not None, "the server is back, and so are changes")


def wrong_key():
    other = base64.b64encode(b"another secret").decode()
    policy = [{"name": "feed3", "zone": "feed3.example", "tsig": {"name": "key1", "secret-file": "key1.secret"}}]
    with Bind("feed3.example", 9, rr=["bind.example CNAME ."]) as b, Upstream(ANSWERS) as up:
        policy[0]["axfr"] = b.address
        with resolver(binary, up, {"policy": policy}, {"key1.secret": other}) as s:
            e = s.wait_event("zones.transfer_failed") or {}
            ok("error" in e and "NOTAUTH" in e["error"] or "signature" in e.get("error", ""),
               "a wrong key gets nothing, and is an event", e)
            ok(seen(s, "bind") == ADDRESS, "nothing of it is in force")
        with resolver(binary, up, {"policy": [{k: v for k, v in policy[0].items() if k != "tsig"}]}) as s:
            e = s.wait_event("zones.transfer_failed") or {}
            ok("REFUSED" in e.get("error", ""), "no key gets nothing", e)


def forged_server():
    """A server that does not sign, lies, ends early: nothing of it comes into force."""
    import threading
    soa = name_bytes("ns.example.") * 2 + struct.pack(">5I", 5, 3600, 1, 86400, 60)

    def rr(name, kind, data):
        return name_bytes(name) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data

    whole = [rr("feed3.example.", 6, soa), rr("bind.example.feed3.example.", 5, b"\0"), rr("feed3.example.", 6, soa)]
    outside = whole[:1] + [rr("good.example.", 5, b"\0")] + whole[1:]
    kinds = {"short": whole[:2], "outside": outside, "begin": whole[1:], "garbage": [b"\xc0\xff\xff"]}
    for what, records in kinds.items():
        listen = socket.create_server(("127.0.0.1", 0))

        def serve(records=records, listen=listen):
            while True:
                try:
                    c, _ = listen.accept()
                except OSError:
                    return
                with c:
                    c.settimeout(5)
                    q = c.recv(4096)[2:]
                    end = 12 + len(name_bytes("feed3.example.")) + 4
                    m = q[:2] + struct.pack(">5H", 0x8400, 1, len(records), 0, 0) + q[12:end] + b"".join(records)
                    c.sendall(struct.pack(">H", len(m)) + m)

        threading.Thread(target=serve, daemon=True).start()
        policy = [{"name": "feed3", "zone": "feed3.example", "axfr": f"127.0.0.1@{listen.getsockname()[1]}"}]
        with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": policy}) as s:
            if what == "outside":
                ok(comes(s, "bind", "NXDOMAIN") is not None and seen(s, "good") == ADDRESS,
                   "a record outside the zone is dropped")
                ok((s.find_event("zones.transferred") or {}).get("out_of_zone") == 1, "and counted")
            else:
                ok(s.wait_event("zones.transfer_failed"), f"a transfer that is wrong is an event: {what}")
                ok(seen(s, "bind") == ADDRESS, "and nothing of it is in force")
        listen.close()


def broken_later():
    """A server that was right goes wrong: the answers stay as they were."""
    import threading

    def rr(name, kind, data):
        return name_bytes(name) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data

    def soa(serial):
        return rr("feed3.example.", 6, name_bytes("ns.example.") * 2 + struct.pack(">5I", serial, 3600, 3600, 86400, 60))

    def blocks(name):
        return rr(f"{name}.example.feed3.example.", 5, b"\0")

    good = [soa(6), blocks("good"), soa(6)]
    kinds = {"ends early": good[:2], "has no beginning": good[1:], "is garbage": [b"\xc0\xff\xff"],
             "is a difference to what is not there": [soa(6), soa(5), blocks("gone"), soa(6), blocks("good"), soa(6)],
             "is a difference that ends early": [soa(6), soa(5), blocks("bind"), soa(6), blocks("good")]}
    says = {"now": [soa(5), blocks("bind"), soa(5)], "cut": 0}
    listen = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                c, _ = listen.accept()
            except OSError:
                return
            with c, contextlib.suppress(OSError):
                c.settimeout(5)
                q = c.recv(4096)[2:]
                end = 12 + len(name_bytes("feed3.example.")) + 4
                m = q[:2] + struct.pack(">5H", 0x8400, 1, len(says["now"]), 0, 0) + q[12:end] + b"".join(says["now"])
                c.sendall((struct.pack(">H", len(m)) + m)[:-says["cut"] or None])

    threading.Thread(target=serve, daemon=True).start()
    notify = free_port(socket.SOCK_DGRAM)
    policy = [{"name": "feed3", "zone": "feed3.example", "axfr": f"127.0.0.1@{listen.getsockname()[1]}"}]

    def tell():
        return exchange(("127.0.0.1", notify), bytes(query("feed3.example.", "SOA", edns=False, rd=False, opcode=4)), 2)

    with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": policy, "notify": [f"127.0.0.1@{notify}"]}) as s:
        ok(comes(s, "bind", "NXDOMAIN") is not None and seen(s, "good") == ADDRESS, "a zone that is right is in force")
        for what, records in [*kinds.items(), ("is cut within a record", good)]:
            before, says["now"], says["cut"] = len(s.events("zones.transfer_failed")), records, 3 if records is good else 0
            ok(tell() and until(lambda: len(s.events("zones.transfer_failed")) > before, 10), f"a transfer that {what} is an event",
               s.log()[-800:])
            ok(seen(s, "bind") == "NXDOMAIN" and seen(s, "good") == ADDRESS, "the policy from before answers")
        says["now"], says["cut"] = good, 0
        ok(tell() and comes(s, "good", "NXDOMAIN", 20) is not None and seen(s, "bind") == ADDRESS, "and the next good one is taken",
           s.log()[-800:])
    listen.close()


class Secondary(Bind):
    """A BIND that has our zone from us."""

    def __init__(self, zone, port, ours, key):
        super().__init__(zone, 9)
        self.port = port
        with open(f"{self.dir}/named.conf", "w", encoding="utf-8") as f:
            f.write(f"""
options {{ directory "{self.dir}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; recursion no; allow-query {{ any; }}; dnssec-validation no; notify no;
  serial-query-rate 1000; }};
controls {{ }};
key "key1" {{ algorithm hmac-sha256; secret "{key}"; }};
zone "{zone}" {{ type secondary; primaries {{ 127.0.0.1 port {ours} key "key1"; }}; file "copy";
  masterfile-format text; }};
""")


def our_own_zone():
    zone = "rpz.yagura.example"
    theirs, ours, open_port = free_port(), free_port(), free_port()
    policy = [{"name": "allow", "list": "allow.txt", "layer": "centre-allow"},
              {"name": "feed1", "rpz": "feed1.zone", "zone": "feed1.example"},
              {"name": "second", "list": "second.txt", "override": "nodata"},
              {"name": "noted", "list": "noted.txt", "mode": "audit-only"}]
    files = {"feed1.zone": FEED1.format(1) + "good.example CNAME .\n32.1.113.0.203.rpz-ip CNAME rpz-drop.\n",
             "second.txt": "plain.example\nnx.example\n", "allow.txt": "good.example\n",
             "noted.txt": "late.example\n", "key1.secret": SECRET}
    publish = [{"zone": zone, "listen": f"127.0.0.1@{ours}", "allow": ["127.0.0.0/8"],
                "notify": [f"127.0.0.1@{theirs}"],
                "tsig": {"name": "key1", "algorithm": "hmac-sha256", "secret-file": "key1.secret"}},
               {"zone": zone, "listen": f"127.0.0.1@{open_port}", "allow": ["127.0.0.0/8"]}]
    with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": policy, "publish": publish}, files) as s:
        s.wait_event("zones.published", count=2)
        at = ("127.0.0.1", ours)
        a = ask(at, f"{zone}.", "AXFR", tcp=True, edns=False)
        ok(a and a.rcode == "REFUSED", "without the key there is no transfer", a and a.rcode)
        a = ask(at, f"{zone}.", "SOA", edns=False)
        ok(a and a.rcode == "REFUSED", "and no SOA")
        a = ask(("127.0.0.1", open_port), f"{zone}.", "AXFR", tcp=True, edns=False)
        got = {(r[0].removesuffix(f".{zone}."), r[1], r[3] if isinstance(r[3], str) else "")
               for r in (a.answers if a else [])}
        ok(a and a.answers[0][1] == "SOA" and a.answers[-1][1] == "SOA" and a.aa, "an AXFR from an allowed network")
        want = {("nx.example", "CNAME", "."), ("nodata.example", "CNAME", "*."), ("pass.example", "CNAME", "rpz-passthru."),
                ("drop.example", "CNAME", "rpz-drop."), ("tcp.example", "CNAME", "rpz-tcp-only."),
                ("local.example", "A", "198.51.100.7"), ("cname.example", "CNAME", "target.example."),
                ("32.1.113.0.203.rpz-ip", "CNAME", "rpz-drop."), ("plain.example", "CNAME", "*."),
                ("*.plain.example", "CNAME", "*."), ("good.example", "CNAME", "rpz-passthru."),
                ("*.good.example", "CNAME", "rpz-passthru."), ("*.nx.example", "CNAME", "*.")}
        got = {g for g in got if g[1] not in ("SOA", "NS")}
        ok(got == want, "each trigger with what decides it, overrides and layers included", f"{got ^ want}")

        if not shutil.which("named"):
            skip("a BIND that has our zone", "no named: install bind9")
            return
        with Secondary(zone, theirs, ours, SECRET) as b:
            def has(name, want):
                a = ask(("127.0.0.1", theirs), f"{name}.{zone}.", "CNAME", edns=False, timeout=1)
                return a is not None and a.values == want

            ok(until(lambda: has("nx.example", ["."]), 20), "a BIND has our zone by a signed AXFR", b.log())
            beside(s, "feed1.zone", FEED1.format(2) + "late.example CNAME .\n")
            ok(until(lambda: has("late.example", ["."]), 20), "a change comes to it by NOTIFY", b.log())
            e = s.wait_event("zones.served", 5, kind="IXFR")
            ok(e, "by IXFR", s.log()[-1500:])
            ok(has("good.example", ["rpz-passthru."]) and has("drop.example", ["rpz-drop."]), "the rest is there")
            with contextlib.ExitStack() as many:
                for _ in range(80):  # more than there are places, and none says anything
                    many.enter_context(socket.create_connection(at, 5, ("127.0.0.2", 0)))
                ok(s.wait_event("zones.serve_full", 5), "more connections than there are places are told of", s.log()[-800:])
                beside(s, "feed1.zone", FEED1.format(3))
                ok(until(lambda: has("late.example", []), 20), "and the secondary is served all the same", b.log())


@contextlib.contextmanager
def slave(zone, port, ours, up):
    """An unbound that has our zone; gives its address."""
    home = tempfile.mkdtemp(prefix="yagura-unbound-")
    with open(f"{home}/unbound.conf", "w", encoding="utf-8") as f:
        f.write(f"""server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: {home}
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "respip iterator"
forward-zone:
  name: .
  forward-addr: {up.address}
rpz:
  name: {zone}.
  primary: 127.0.0.1@{ours}
  allow-notify: 127.0.0.1
  zonefile: {home}/copy
remote-control:
  control-enable: no
""")
    with open(f"{home}/log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(["unbound", "-d", "-c", f"{home}/unbound.conf"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=log)
    try:
        yield ("127.0.0.1", port)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def ixfr(at, zone, serial):
    """(records that went, records that came) since then; None: all of the zone, or nothing."""
    soa = name_bytes(zone) + struct.pack(">HHIH", 6, 1, 0, 22) + b"\0\0" + struct.pack(">5I", serial, 0, 0, 0, 0)
    msg = struct.pack(">6H", 9, 0, 1, 0, 1, 0) + name_bytes(zone) + struct.pack(">HH", 251, 1) + soa
    a = Answer(exchange(at, msg, tcp=True))
    turns = [i for i, r in enumerate(a.answers) if r[1] == "SOA"]
    if len(turns) != 4:
        return None
    return tuple({(r[0].removesuffix(f".{zone}."), r[3]) for r in a.answers[turns[i] + 1:turns[i + 1]]} for i in (1, 2))


def beside_a_large_one():
    """What we publish follows a small change beside a large policy at once, by difference."""
    zone, ours, theirs = "rpz.yagura.example", free_port(), free_port()
    policy = [{"name": "feed1", "rpz": "feed1.zone", "zone": "feed1.example"}, {"name": "large", "list": "large.txt"}]
    publish = [{"zone": zone, "listen": f"127.0.0.1@{ours}", "allow": ["127.0.0.0/8"]}]
    files = {"feed1.zone": FEED1.format(1), "large.txt": "".join(f"n{i}.large.example\n" for i in range(25000)) + "nx.example\n"}
    at = ("127.0.0.1", ours)

    def serial():
        a = ask(at, f"{zone}.", "SOA", edns=False)
        return a and a.answers and s.events("zones.published")[-1]["serial"]

    with Upstream(ANSWERS) as up, resolver(binary, up, {"policy": policy, "publish": publish}, files) as s:
        first = s.wait_event("zones.published", 30)
        ok(first and first["records"] == 50009, "two records for each name of the list, and those of the zone", first)
        before = serial()
        begin = time.monotonic()
        beside(s, "feed1.zone", FEED1.format(2).replace("nx.example CNAME .\n", "") + "late.example CNAME .\n")
        ok(until(lambda: seen(s, "late") == "NXDOMAIN", 15), "a small change is in force")
        ok(until(lambda: len(s.events("zones.published")) > 1, 5), "and published", s.log()[-1500:])
        e = s.events("zones.compiled")[-1]
        ok(e["over"] > 0, "by a policy over the large one, which was not compiled again", f"{e} {time.monotonic() - begin:.1f} s")
        # nx.example is in the list too, which blocks it alike: nothing to tell
        ok(ixfr(at, zone, before) == (set(), {("late.example", ".")}), "IXFR brings what has changed, and nothing else",
           ixfr(at, zone, before))
        middle = serial()
        beside(s, "feed1.zone", FEED1.format(3))
        ok(until(lambda: len(s.events("zones.published")) > 2, 15) and ixfr(at, zone, middle) == ({("late.example", ".")}, set()),
           "and what has gone again", ixfr(at, zone, middle))
        e = s.events("zones.published")[-1]
        ok(e["records"] == first["records"], "as many as at first", e)

        # a large file is read, all of it compiled, and what is published compared, beside
        was, had = serial(), len(s.events("zones.published"))
        large = files["large.txt"].replace("n7.large.example", "other.large.example") + ("# " + "x" * 1000 + "\n") * 1100
        beside(s, "large.txt", large)
        ok(until(lambda: seen(s, "other.large") == "NXDOMAIN", 30), "a large file is in force", s.log()[-1500:])
        ok(s.events("zones.compiled")[-1]["over"] == 0 or s.wait_event("zones.compiled", over=0), "compiled whole")
        ok(until(lambda: len(s.events("zones.published")) > had, 20), "and published", s.log()[-1500:])
        ok(ixfr(at, zone, was) == tuple({(f"{w}{n}.large.example", ".") for w in ("", "*.")} for n in ("n7", "other")),
           "by difference", ixfr(at, zone, was))
        beside(s, "large.txt", gzip.compress(os.urandom(2 << 20))[:3 << 19])
        e = s.wait_event("zones.refused", 20, zone="large")
        ok(e and "cut short" in e["error"] and seen(s, "other.large") == "NXDOMAIN", "a broken one leaves what there is", e)
        had = len(s.events("zones.published"))
        beside(s, "large.txt", large + "more.large.example\n")
        ok(until(lambda: seen(s, "more.large") == "NXDOMAIN", 30), "and the next good one is taken", s.log()[-1500:])
        ok(until(lambda: len(s.events("zones.published")) > had, 20), "and published, too", s.log()[-1500:])
        had = len(s.events("zones.published"))
        if not shutil.which("unbound"):
            skip("unbound has it by IXFR", "no unbound")
            return
        with slave(zone, theirs, ours, up) as peer:
            ok(s.wait_event("zones.served", 20, kind="AXFR"), "unbound takes it whole")
            beside(s, "feed1.zone", FEED1.format(4) + "late.example CNAME .\n")
            ok(until(lambda: len(s.events("zones.published")) > had, 15), "another change")
            exchange(peer, struct.pack(">6H", 8, 4 << 11, 1, 0, 0, 0) + name_bytes(zone) + struct.pack(">HH", 6, 1), timeout=2)
            ok(until(lambda: (a := ask(peer, "late.example.", timeout=1)) is not None and a.rcode == "NXDOMAIN", 20),
               "unbound refuses the new name, too")
            ok(s.wait_event("zones.served", 5, kind="IXFR"), "it had it by IXFR", s.log()[-800:])


def unbound_has_it():
    """unbound keeps our zone by itself and answers by it."""
    zone = "rpz.yagura.example"
    theirs, ours = free_port(), free_port()
    policy = [{"name": "feed1", "rpz": "feed1.zone", "zone": "feed1.example"}]
    publish = [{"zone": zone, "listen": f"127.0.0.1@{ours}", "allow": ["127.0.0.0/8"]}]
    with Upstream(ANSWERS) as up, \
         resolver(binary, up, {"policy": policy, "publish": publish}, {"feed1.zone": FEED1.format(1)}) as s:
        s.wait_event("zones.published")
        with slave(zone, theirs, ours, up) as peer:
            ok(s.wait_event("zones.served", 20, kind="AXFR"), "unbound takes our zone by AXFR")

            def local():
                a = ask(peer, "local.example.", timeout=1)
                return a is not None and a.values == ["198.51.100.7"]

            ok(until(local, 20), "and answers by it")
            a = ask(peer, "nx.example.")
            ok(a.rcode == "NXDOMAIN", "as we do")


by_files()
forged_server()
broken_later()
our_own_zone()
beside_a_large_one()
if shutil.which("unbound"):
    unbound_has_it()
else:
    skip("unbound has our zone", "no unbound: install unbound")
if shutil.which("named"):
    by_transfer()
    wrong_key()
else:
    skip("transfers from BIND", "no named: install bind9")
done()
