"""A DNS of our own: a root, a top-level zone "example" and zones below it, signed by
dnssec-signzone and served by NSD, each level on an address of its own.  Port 53 of an
address in 127/8 is needed, since delegations have no ports: root's right.

    with Tree() as t:
        t.hints, t.anchor     # text of files for resolve.root-hints and resolve.trust-anchor
"""

import os
import random
import shutil
import socket
import subprocess
import tempfile

from harness import skip_all, until
from resolve_lib import exchange, query

SOA = "@ 300 SOA ns root 1 3600 900 604800 60\n"


def which(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin")


def need():
    for tool in ("nsd", "dnssec-signzone", "dnssec-keygen"):
        if which(tool) is None:
            skip_all(f"there is no {tool}")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.99.0.1", 53))
    except OSError as e:
        skip_all(f"port 53 of a loopback address: {e}")


class Tree:
    """leaves: {zone: {"records": text, "sign": arguments of dnssec-signzone or None,
    "ds": whether the parent has its DS records, "edit": function of the signed text}}.
    standby: the root has published a key that it does not sign with yet: t.standby is its tag."""

    def __init__(self, leaves, standby=False):
        self.dir = tempfile.mkdtemp(prefix="yagura-tree-")
        self.net = f"127.{random.randrange(100, 200)}.{random.randrange(256)}"
        self.addresses = {level: f"{self.net}.{i + 1}" for i, level in enumerate(("root", "top", "leaf"))}
        self.zones = {level: [] for level in self.addresses}
        above = ""
        for zone, how in leaves.items():
            self.leaf(zone, how)
            above += f"{zone}. 300 NS ns.{zone}.\nns.{zone}. 300 A {self.addresses['leaf']}\n"
            if how.get("ds", True):
                above += how.get("ds-text") or self.ds(zone)
        self.write("example", above + f"@ 300 NS ns.example.\nns 300 A {self.addresses['top']}\n")
        self.sign("example", [])
        self.zones["top"].append("example")
        self.write(".", f"@ 300 NS ns.\nns. 300 A {self.addresses['root']}\nexample. 300 NS ns.example.\n"
                        f"ns.example. 300 A {self.addresses['top']}\n" + self.ds("example"))
        self.standby = self.publish(".") if standby else None
        self.sign(".", [])
        self.zones["root"].append(".")
        self.hints = f". 300 NS ns.\nns. 300 A {self.addresses['root']}\n"
        self.anchor = "".join(line + "\n" for line in self.ds(".").splitlines() if f" DS {self.standby} " not in " ".join(line.split()))

    def path(self, zone):
        return os.path.join(self.dir, ("root" if zone == "." else zone) + ".zone")

    def write(self, zone, text):
        with open(self.path(zone), "w", encoding="utf-8") as f:
            f.write(f"$ORIGIN {zone.rstrip('.')}.\n$TTL 300\n" + SOA + text)

    def tool(self, *args):
        done = subprocess.run([which(args[0]), *args[1:]], cwd=self.dir, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{args}: {done.stderr}")
        return done.stdout

    def publish(self, zone):
        key = self.tool("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
        with open(self.path(zone), "a", encoding="utf-8") as f, open(f"{self.dir}/{key}.key", encoding="utf-8") as k:
            f.write(k.read())
        os.remove(f"{self.dir}/{key}.private")
        return int(key.rsplit("+", 1)[1])

    def sign(self, zone, args):
        key = self.tool("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
        with open(self.path(zone), "a", encoding="utf-8") as f, \
                open(f"{self.dir}/{key}.key", encoding="utf-8") as k:
            f.write(k.read())
        self.tool("dnssec-signzone", "-q", "-P", "-z", *args, "-o", zone, "-f", self.path(zone) + ".signed", self.path(zone), key)
        os.replace(self.path(zone) + ".signed", self.path(zone))

    def ds(self, zone):
        with open(f"{self.dir}/dsset-{zone.rstrip('.')}.", encoding="utf-8") as f:
            return f.read()

    def leaf(self, zone, how):
        self.write(zone, f"@ 300 NS ns\nns 300 A {self.addresses['leaf']}\n" + how["records"])
        if how.get("sign", []) is not None:
            self.sign(zone, how.get("sign", []))
        if "edit" in how:
            with open(self.path(zone), encoding="utf-8") as f:
                text = how["edit"](f.read())
            with open(self.path(zone), "w", encoding="utf-8") as f:
                f.write(text)
        self.zones["leaf"].append(zone)

    def serve(self, level):
        zones = "".join(f'zone:\n  name: "{z}"\n  zonefile: "{self.path(z)}"\n' for z in self.zones[level])
        conf = f"{self.dir}/{level}.conf"
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f'server:\n  ip-address: {self.addresses[level]}@53\n  username: ""\n  chroot: ""\n  pidfile: ""\n'
                    f'  database: ""\n  zonesdir: "{self.dir}"\n  xfrdfile: "{self.dir}/{level}.xfrd"\n  xfrdir: "{self.dir}"\n'
                    f'  zonelistfile: "{self.dir}/{level}.list"\n  server-count: 1\n  tcp-count: 100\n  rrl-ratelimit: 0\n'
                    f'remote-control:\n  control-enable: no\n{zones}')
        log = open(f"{self.dir}/{level}.log", "w", encoding="utf-8")
        return subprocess.Popen([which("nsd"), "-d", "-c", conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        self.processes = [self.serve(level) for level in self.addresses]
        for level, address in self.addresses.items():
            if not until(lambda at=address: exchange((at, 53), query("example.", "SOA"), 0.3), 20):
                with open(f"{self.dir}/{level}.log", encoding="utf-8") as f:
                    raise RuntimeError(f.read()[-2000:])
        return self

    def stop(self):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            p.wait()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
