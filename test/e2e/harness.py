"""A running Yagura for end-to-end tests: the built binary in a temporary data
folder on free loopback ports.  Standard library only; output is TAP.

    from harness import Server, ok, skip, skip_all, done

    with Server(sys.argv[1], {"ingest": {"workers": 2}}) as s:
        status, headers, body = s.http("GET", "/livez")       # run/api.sock
        ok(status == 200, "it lives")
        s.kill("store")                                        # SIGKILL
        s.wait_event("role.crashed", crashed="store")
        ok(s.stop() == 0, "it drains")
    done()

Server(binary, conf, ...): conf is a dict laid over the defaults of this file
(free API port, the libchdb.so that was found); None leaves a key out.  Entering
starts it and waits until every role is ready; leaving stops it, kills what is
left and removes the folder.  The log is JSON lines: s.events(), s.wait_event().
"""

import contextlib
import http.client
import json
import os
import platform
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_count = 0
_failed = 0


# --- TAP -----------------------------------------------------------------

def ok(good, what, more=""):
    """One test point; `more` is shown as comment lines when it fails."""
    global _count, _failed
    _count += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {what}", flush=True)
    if not good:
        _failed += 1
        for line in str(more).splitlines()[:30]:
            print(f"# {line[:400]}", flush=True)
    return bool(good)


def skip(what, why):
    global _count
    _count += 1
    print(f"ok {_count} - {what} # SKIP {why}", flush=True)


def note(text):
    for line in str(text).splitlines():
        print(f"# {line[:400]}", flush=True)


def skip_all(why):
    print(f"1..0 # SKIP {why}", flush=True)
    sys.exit(0)


def done():
    print(f"1..{_count}", flush=True)
    sys.exit(1 if _failed or _count == 0 else 0)


def bail(why):
    """The test cannot go on: counted as a failure, never as a pass."""
    ok(False, why)
    done()


# --- the surroundings ------------------------------------------------------

def sanitized(binary):
    """Built with AddressSanitizer: the embedded engine does not start beside it."""
    with open(binary, "rb") as f:
        return b"__asan_init" in f.read()


def library():
    """Path of libchdb.so; None when there is none or the program under test cannot load it."""
    if len(sys.argv) > 1 and os.path.isfile(sys.argv[1]) and sanitized(sys.argv[1]):
        return None
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "none")
    for place in (os.environ.get("YAGURA_CHDB", ""),
                  f"{ROOT}/node_modules/@chdb/lib-linux-{machine}-gnu/libchdb.so"):
        if place and os.path.exists(place):
            return place
    return None


def need_store():
    """Skips the whole test when the embedded engine is not installed."""
    if library() is None:
        skip_all("no libchdb.so: run 'npm ci' or set YAGURA_CHDB")


def shared():
    """The folder with real data (domain/, data/ ...) or None."""
    for place in (os.environ.get("YAGURA_SHARED", ""), os.path.join(ROOT, "..", "shared")):
        if place and os.path.isdir(place):
            return os.path.abspath(place)
    return None


_given = set()


def free_port(kind=socket.SOCK_STREAM):
    """A loopback port that was free a moment ago and was not given before."""
    while True:
        with socket.socket(socket.AF_INET, kind) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def until(what, seconds, every=0.05):
    """Calls what() until it gives something true; that, or None in the end."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            return None
        time.sleep(every)


def merge(base, over):
    """Dicts laid over each other; None removes a key."""
    out = dict(base)
    for key, value in over.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = value
    return out


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        # a Unix socket's address holds 107 bytes; a temporary folder's path may not fit
        directory, name = os.path.split(self.path)
        fd = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock.connect(f"/proc/self/fd/{fd}/{name}")
        finally:
            os.close(fd)


class Reply(tuple):
    """(status, headers, body); .json() reads the body."""
    status = property(lambda self: self[0])
    headers = property(lambda self: self[1])
    body = property(lambda self: self[2])

    def json(self):
        return json.loads(self[2])


class Process:
    def __init__(self, pid, role, index):
        self.pid, self.role, self.index = pid, role, index

    def __repr__(self):
        return f"{self.role}/{self.index} ({self.pid})"


# --- the server ----------------------------------------------------------------

class Server:
    def __init__(self, binary, conf=None, *, data=None, env=None, before=None, wait=60, prefix=(),
                 keep=False, only=None):
        """only: --only of serve.  before(server): called with the data folder made, before the start.
        prefix: words put before the command line (["setpriv", ...]).
        wait: seconds until every role must be ready; 0: do not wait."""
        self.binary = os.path.abspath(binary)
        self.over = conf or {}
        self.temp = None if data else tempfile.mkdtemp(prefix="yagura-test-")
        if self.temp:
            os.chmod(self.temp, 0o755)
        self.data = data or os.path.join(self.temp, "data")
        self.env = env or {}
        self.before, self.wait, self.prefix, self.keep = before, wait, list(prefix), keep
        self.only = ["--only", only] if only else []
        self.process = None
        self.log_path = os.path.join(self.temp or self.data + ".d", "log")
        self.conf_path = os.path.join(os.path.dirname(self.log_path), "yagura.yaml")
        os.makedirs(os.path.dirname(self.log_path), exist_ok=True)
        self.conf = {}
        self.port = None
        self._mark = 0

    # starting and ending

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def write_conf(self, over=None, text=None):
        """Writes the configuration file; `over` is laid over what the server was made with."""
        base = {"api": {"address": f"127.0.0.1:{self.port}"}, "store": {}, "detect": {"retro-hunt-days": 0}}  # no jobs and alerts but those asked for
        if library():
            base["store"]["library"] = library()
        self.conf = merge(merge(base, self.over), over or {})
        with open(self.conf_path, "w", encoding="utf-8") as f:
            f.write(text if text is not None else json.dumps(self.conf, indent=1) + "\n")
        os.chmod(self.conf_path, 0o644)

    def start(self):
        for attempt in range(5):
            self.port = free_port()
            self.write_conf()
            if self.before and attempt == 0:
                self.before(self)
            self.launch()
            if not self.wait:
                return
            ready = until(lambda: self.find_event("serve.ready") or self.ended(), self.wait)
            if self.find_event("serve.ready"):
                return
            taken = any("is taken" in e.get("error", "") for e in self.events("listen.failed"))
            if not (ready and taken):
                raise RuntimeError("not ready:\n" + self.log()[-4000:])
            self.process.wait()

    def launch(self):
        """Starts the process without waiting for anything."""
        self._mark = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.binary, "serve", "--config", self.conf_path, "--data", self.data,
                 *self.only],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                # the supervisor has given up the right to trace that a leak check needs
                env={**{k: v for k, v in os.environ.items() if not k.startswith("YAGURA_")},
                     "ASAN_OPTIONS": "detect_leaks=0", **self.env})

    def ended(self):
        return self.process.poll() is not None

    def stop(self, seconds=60):
        """SIGTERM; the exit status, or None when it did not end in time."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def restart(self):
        self.stop()
        self.launch()
        return self.wait_event("serve.ready", seconds=self.wait or 60)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            if self.stop(30) is None:
                self.process.kill()
                self.process.wait()
        if self.keep or os.environ.get("YAGURA_KEEP"):
            note(f"kept: {self.temp or self.data}")
        elif self.temp:
            shutil.rmtree(self.temp, ignore_errors=True)

    # the log

    def log(self, all=False):
        try:
            with open(self.log_path, "rb") as f:
                f.seek(0 if all else self._mark)
                return f.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def events(self, name=None, **match):
        """Log records of this start, as dicts; **match: members that must be equal."""
        out = []
        for line in self.log().splitlines():
            if not line.startswith("{"):
                continue
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if name in (None, record.get("event")) and all(record.get(k) == v for k, v in match.items()):
                out.append(record)
        return out

    def find_event(self, name, **match):
        found = self.events(name, **match)
        return found[-1] if found else None

    def wait_event(self, name, seconds=30, count=1, **match):
        """Waits until there are `count` such records; the last of them or None."""
        until(lambda: len(self.events(name, **match)) >= count or self.ended(), seconds)
        found = self.events(name, **match)
        return found[-1] if len(found) >= count else None

    def alive(self):
        """Breaks the test off when the supervisor itself has ended unasked."""
        if self.ended():
            note(self.log()[-3000:])
            bail(f"the supervisor ended with status {self.process.returncode}")

    # processes

    def main_pid(self):
        """The supervisor (self.process may be a wrapper such as setpriv, which execs)."""
        return self.process.pid

    def roles(self, role=None, index=None):
        """Running role processes, by /proc."""
        out = []
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{self.main_pid()}/task/{self.main_pid()}/children", encoding="ascii") as f:
                children = f.read().split()
            for pid in children:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    with open(f"/proc/{pid}/cmdline", "rb") as f:
                        words = f.read().decode().split("\0")
                    if len(words) >= 5 and words[1] == "--role":
                        out.append(Process(int(pid), words[2], int(words[4])))
        return [p for p in out if role in (None, p.role) and index in (None, p.index)]

    def pid(self, role, index=0):
        found = self.roles(role, index)
        return found[0].pid if found else None

    def kill(self, role, index=0, sig=signal.SIGKILL):
        """Sends the signal; the pid it went to, or None."""
        pid = self.pid(role, index)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        return pid

    def kill_and_wait(self, role, index=0, seconds=60):
        """SIGKILL, then waits until the next process of that role is ready."""
        before = len(self.events("role.ready", ready=role, worker=index))
        self.kill(role, index)
        return self.wait_event("role.ready", seconds, count=before + 1, ready=role, worker=index)

    def reload(self):
        """SIGHUP; the record that tells how it ended."""
        def told():
            return [e for e in self.events() if e["event"] in ("conf.reloaded", "conf.refused")]
        before = len(told())
        self.process.send_signal(signal.SIGHUP)
        found = until(lambda: told()[before:], 30)
        return found[-1] if found else None

    # HTTP

    def _call(self, connection, method, path, body, headers):
        with contextlib.closing(connection) as c:
            if isinstance(body, (dict, list)):
                headers = {"Content-Type": "application/json", **headers}
                body = json.dumps(body)
            c.request(method, path, body=body, headers=headers)
            answer = c.getresponse()
            return Reply((answer.status, answer.headers, answer.read()))

    def http(self, method, path, body=None, timeout=30, **headers):
        """Over run/api.sock: the local administrator.  Header_Names_With=underscores."""
        return self._call(UnixConnection(os.path.join(self.data, "run/api.sock"), timeout), method, path, body,
                          {k.replace("_", "-"): v for k, v in headers.items()})

    def https(self, method, path, body=None, token=None, timeout=30, **headers):
        """Over TLS; the certificate must be the server's own."""
        context = ssl.create_default_context(cafile=self.certificate())
        context.check_hostname = False
        sent = {k.replace("_", "-"): v for k, v in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        return self._call(http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout),
                          method, path, body, sent)

    def certificate(self):
        return os.path.join(self.data, "keys/tls.crt")

    def store_connection(self, timeout=30):
        return UnixConnection(os.path.join(self.data, "run/store.sock"), timeout)

    def store(self, query, timeout=30):
        """Runs a query at run/store.sock; the answer's text."""
        reply = self._call(self.store_connection(timeout), "POST", "/", query, {})
        if reply.status != 200:
            raise RuntimeError(reply.body.decode("utf-8", "replace"))
        return reply.body.decode()

    def cli(self, *words, input=None, timeout=120, env=None):
        """Runs `yagura WORDS...` against this server; (exit status, stdout, stderr)."""
        done_ = subprocess.run([self.binary, *words], input=input, capture_output=True, timeout=timeout, check=False,
                               env={**os.environ, "YAGURA_DATA": self.data, "NO_COLOR": "1", "LC_ALL": "C.UTF-8",
                                    **(env or {})})
        return done_.returncode, done_.stdout.decode("utf-8", "replace"), done_.stderr.decode("utf-8", "replace")
