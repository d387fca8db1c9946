#!/usr/bin/env python3
"""The Debian package: installed by dpkg over a copy-on-write view of this machine's own system, in
namespaces of its own; started as its unit starts it, asked, removed, purged.  Argument: the yagura
binary, in its build folder."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from harness import done, ok, skip_all

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1]).resolve().parent
UNIT = (ROOT / "packaging/yagura.service").read_text()
START = next(line for line in UNIT.splitlines() if line.startswith("ExecStart=")).split("=", 1)[1]
INSIDE = r"""
set -eu
cd "$1"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/tmp
mount --bind packages root/mnt
ip link set lo up
exec sleep 600
"""


class View:
    """The machine's system with changes of its own, which end with the folder."""

    def __init__(self, folder):
        self.p = subprocess.Popen(["unshare", "-m", "-n", "sh", "-c", INSIDE, "sh", folder], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        self.root = f"{folder}/root"
        end = time.monotonic() + 20
        while self.p.poll() is None and time.monotonic() < end:
            with open(f"/proc/{self.p.pid}/cmdline", "rb") as f:
                if f.read().startswith(b"sleep"):
                    break
            time.sleep(0.05)

    def words(self, command):
        return ["nsenter", "-m", "-n", "-t", str(self.p.pid), "chroot", self.root, *command]

    def run(self, *command):
        p = subprocess.run(self.words(command), capture_output=True, text=True, timeout=120)
        return p.returncode, p.stdout + p.stderr


def started(view):
    """The unit's command as the unit's user; its output until it has said what a first start says."""
    p = subprocess.Popen(view.words(["setpriv", "--reuid", "yagura", "--regid", "yagura", "--clear-groups", *START.split()]),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.set_blocking(p.stdout.fileno(), False)
    said, end = b"", time.monotonic() + 120
    while time.monotonic() < end and p.poll() is None and b"/setup?code=" not in said:
        said += p.stdout.read() or b""
        time.sleep(0.1)
    return p, said.decode(errors="replace")


def main():
    if os.getuid() != 0:
        skip_all("only root can look at the system through an overlay")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="yagura-package-") as folder:
        os.mkdir(f"{folder}/packages")
        made = subprocess.run([ROOT / "tools/deb", BUILD, f"{folder}/packages"], env={**os.environ, "COMPRESS": "none"},
                              capture_output=True, text=True, timeout=300)
        ok(made.returncode == 0, "the package is made", made.stdout + made.stderr)
        name = os.path.basename(made.stdout.strip())
        view = View(folder)
        try:
            if view.p.poll() is not None:
                skip_all("no overlay here: " + view.p.stdout.read().strip().replace("\n", " "))
            look(view, name)
        finally:
            view.p.kill()
            view.p.wait()


def look(view, name):
    rc, out = view.run("dpkg", "-i", f"/mnt/{name}")
    ok(rc == 0 and "start it with: yagura serve" in out, "it is installed with what Debian has, and says how it is started", out)
    ok(not os.path.exists("/etc/yagura") and not os.path.exists("/usr/share/doc/yagura"), "none of it in the machine's own system")
    rc, out = view.run("stat", "-c", "%n %U %G %a", "/var/lib/yagura", "/etc/yagura", "/etc/yagura/yagura.yaml", "/usr/lib/yagura/libchdb.so")
    ok(out.split("\n")[:4] == ["/var/lib/yagura yagura yagura 700", "/etc/yagura root yagura 750", "/etc/yagura/yagura.yaml root yagura 640",
                               "/usr/lib/yagura/libchdb.so root root 755"], "user, folders and rights", out)
    rc, out = view.run("dpkg", "--verify", "yagura")
    ok(rc == 0 and out == "", "every file is as it was packed", out)
    p, said = started(view)
    try:
        ok("/setup?code=" in said, "started as its unit does: the address with the set-up code", said[-1500:])
        end = time.monotonic() + 90
        while time.monotonic() < end:
            rc, out = view.run("yagura", "status", "--socket", "/var/lib/yagura/run/api.sock", "--json")
            if rc == 0 and '"name":"store","state":"ok"' in out:
                break
            time.sleep(0.5)
        ok(rc == 0 and '"name":"store","state":"ok"' in out, "its roles run, the event engine of the package among them", out)
    finally:
        p.terminate()  # all of its words became one process
        p.wait(timeout=60)
    rc, out = view.run("dpkg", "-r", "yagura")
    ok(rc == 0 and view.run("test", "-e", "/usr/bin/yagura")[0] != 0, "removed", out)
    gathered = view.run("find", "/var/lib/yagura", "-name", "*.db")[1]
    rc, out = view.run("dpkg", "-P", "yagura")
    ok(rc == 0 and "kept: /var/lib/yagura" in out and gathered != "" and
       view.run("find", "/var/lib/yagura", "-name", "*.db")[1] == gathered and view.run("test", "-e", "/etc/yagura/yagura.yaml")[0] != 0, "purged: settings are gone, what was gathered is kept, and it says so", out + gathered)


main()
done()
