"""What the event store's end-to-end tests share: TAP, the two servers, raw HTTP
over a Unix socket.  Standard library only."""

import atexit
import http.client
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_count = 0
_failed = 0


def ok(good, what, more=""):
    global _count, _failed
    _count += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {what}", flush=True)
    if not good:
        _failed += 1
        for line in str(more).splitlines()[:20]:
            print(f"# {line[:400]}", flush=True)
    return good


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def done():
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed else 0)


def library():
    """libchdb.so, or the test is skipped."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "none")
    places = [os.environ.get("YAGURA_CHDB", ""), f"{ROOT}/node_modules/@chdb/lib-linux-{machine}-gnu/libchdb.so"]
    for place in places:
        if place and os.path.exists(place):
            return place
    skip_all("no libchdb.so: run 'npm ci' or set YAGURA_CHDB")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Unix(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Process:
    """A server in a process group of its own, killed when the test ends."""

    def __init__(self, argv, log, **kw):
        self.log = open(log, "ab")
        self.p = subprocess.Popen(argv, stdout=self.log, stderr=self.log, start_new_session=True, **kw)
        atexit.register(self.kill)

    def kill(self, sig=signal.SIGKILL):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        return self.p.wait(timeout=60)


class Store:
    """store_serve: the embedded store without supervisor."""

    def __init__(self, serve, folder, port="", seconds=30, env=None):
        self.serve, self.folder, self.port, self.seconds = serve, folder, str(port), seconds
        self.sock = f"{folder}.sock"
        self.logname = f"{folder}.log"
        self.env = {**os.environ, **(env or {})}
        self.start()

    def start(self):
        self.process = Process([self.serve, library(), self.folder, self.sock, self.port, str(self.seconds)],
                               self.logname, env=self.env)
        for _ in range(600):
            if self.process.p.poll() is not None:
                raise RuntimeError("store_serve ended: " + open(self.logname).read()[-2000:])
            try:
                if self.query("SELECT 1")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("store_serve does not answer")

    def kill(self, sig=signal.SIGKILL):
        return self.process.kill(sig)

    def alive(self):
        return self.process.p.poll() is None

    @property
    def pid(self):
        return self.process.p.pid

    def request(self, method, path, body=None, headers=None, timeout=60):
        c = Unix(self.sock, timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            try:
                return r.status, r.read(), r.headers
            except http.client.IncompleteRead as e:  # an error in the middle breaks the connection
                return r.status, e.partial, r.headers
        finally:
            c.close()

    def query(self, sql, args="", body=None, timeout=60):
        from urllib.parse import quote
        if body is None:
            return self.request("POST", f"/?{args}", sql.encode(), timeout=timeout)[:2]
        return self.request("POST", f"/?query={quote(sql)}&{args}", body, timeout=timeout)[:2]

    def rss(self):
        with open(f"/proc/{self.pid}/status") as f:
            return {l.split(":")[0]: int(l.split()[1]) for l in f if l.startswith(("VmRSS", "RssAnon", "VmHWM"))}


class ClickHouse:
    """Debian's clickhouse-server on loopback in a folder of its own."""

    def __init__(self, folder):
        server = shutil.which("clickhouse-server")
        if server is None:
            skip_all("no clickhouse-server")
        os.makedirs(f"{folder}/data", exist_ok=True)
        os.makedirs(f"{folder}/tmp", exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        with open(f"{folder}/config.xml", "w") as f:
            f.write(f"""<yandex><logger><level>error</level><console>1</console></logger>
<http_port>{self.port}</http_port><tcp_port>{free_port()}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path><users_config>users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>5368709</mark_cache_size></yandex>""")
        with open(f"{folder}/users.xml", "w") as f:
            f.write("""<yandex><profiles><default></default></profiles><users><default><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas></yandex>""")
        self.process = Process([server, f"--config-file={folder}/config.xml"], f"{folder}/log", cwd=folder)
        for _ in range(300):
            try:
                c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                c.request("GET", "/ping")
                if c.getresponse().read() == b"Ok.\n":
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("clickhouse-server does not answer: " + open(f"{folder}/log").read()[-1000:])

    def kill(self):
        self.process.kill()


def folder():
    return tempfile.mkdtemp(prefix="yagura-store-")
