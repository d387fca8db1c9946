"""DNS for tests: messages in bytes, a client by UDP and TCP, an upstream of ours that
answers as it is told (also wrongly), and unbound as a real one.  Standard library only.

    with Upstream({("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")]}) as up, \\
         resolver(binary, up) as s:
        a = ask(s.dns, "www.example.")
        a.rcode, a.answers, a.ede
"""

import contextlib
import os
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from harness import Server, free_port, until

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
         "OPT": 41, "RRSIG": 46, "HTTPS": 65, "IXFR": 251, "AXFR": 252, "ANY": 255}
NAMES = {v: k for k, v in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}


def name_bytes(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


def rdata_bytes(kind, text):
    if isinstance(text, bytes):
        return text
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, text)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, text)
    if kind in ("NS", "CNAME", "PTR"):
        return name_bytes(text)
    if kind == "MX":
        level, host = text.split()
        return struct.pack(">H", int(level)) + name_bytes(host)
    if kind == "TXT":
        return bytes([len(text)]) + text.encode()
    if kind == "SOA":
        mname, rname, *numbers = text.split()
        return name_bytes(mname) + name_bytes(rname) + struct.pack(">5I", *map(int, numbers))
    raise ValueError(kind)


def record_bytes(rr):
    owner, kind, ttl, text = rr
    data = rdata_bytes(kind, text)
    return name_bytes(owner) + struct.pack(">HHIH", TYPES[kind], 1, ttl, len(data)) + data


def query(name, kind="A", *, ident=None, rd=True, cd=False, edns=True, do=False, size=1232, options=b"",
          klass=1, opcode=0):
    ident = random.randrange(65536) if ident is None else ident
    flags = (0x0100 if rd else 0) | (0x0010 if cd else 0) | opcode << 11
    number = TYPES[kind] if isinstance(kind, str) else kind
    out = struct.pack(">6H", ident, flags, 1, 0, 0, 1 if edns else 0)
    out += name_bytes(name) + struct.pack(">HH", number, klass)
    if edns:
        out += b"\0" + struct.pack(">HHIH", 41, size, 0x8000 if do else 0, len(options)) + options
    return out


class Answer:
    """A message taken apart; raises ValueError when it cannot be."""

    def __init__(self, msg):
        self.msg = msg
        self.size = 0
        self.ident, self.flags, qd, an, ns, ar = struct.unpack_from(">6H", msg)
        self.rcode_bits = self.flags & 15
        self.at = 12
        self.question = None
        self.ede, self.options, self.edns, self.do = None, {}, False, False
        for _ in range(qd):
            name = self.name()
            kind, klass = struct.unpack_from(">HH", msg, self.at)
            self.at += 4
            self.question = (name, NAMES.get(kind, kind))
        self.sections = [[self.record() for _ in range(n)] for n in (an, ns, ar)]
        self.answers, self.authority = self.sections[0], self.sections[1]
        self.additional = [r for r in self.sections[2] if r and r[1] != "OPT"]
        self.rcode = RCODES.get(self.rcode_bits, self.rcode_bits)
        if self.at != len(msg):
            raise ValueError(f"{len(msg) - self.at} bytes behind the message")

    aa = property(lambda self: bool(self.flags & 0x0400))
    tc = property(lambda self: bool(self.flags & 0x0200))
    rd = property(lambda self: bool(self.flags & 0x0100))
    ra = property(lambda self: bool(self.flags & 0x0080))
    ad = property(lambda self: bool(self.flags & 0x0020))
    values = property(lambda self: [r[3] for r in self.answers])

    def name(self, at=None, depth=0):
        out, here = [], self.at if at is None else at
        if depth > 20:
            raise ValueError("a loop of pointers")
        while True:
            n = self.msg[here]
            if n >= 192:
                target = (n & 63) << 8 | self.msg[here + 1]
                out.append(self.name(target, depth + 1).rstrip("."))
                here += 2
                break
            here += 1
            if n == 0:
                break
            out.append(self.msg[here:here + n].decode("latin-1"))
            here += n
        if at is None:
            self.at = here
        return ".".join(x for x in out if x) + "."

    def record(self):
        owner = self.name()
        kind, klass, ttl, n = struct.unpack_from(">HHIH", self.msg, self.at)
        self.at += 10
        data, begin = self.msg[self.at:self.at + n], self.at
        if len(data) != n:
            raise ValueError("a record ends behind the message")
        self.at += n
        word = NAMES.get(kind, kind)
        if word == "OPT":
            self.edns, self.do, self.size = True, bool(ttl & 0x8000), klass
            self.rcode_bits |= ttl >> 24 << 4
            while len(data) >= 4:
                code, length = struct.unpack_from(">HH", data)
                self.options[code] = data[4:4 + length]
                data = data[4 + length:]
            if 15 in self.options:
                e = self.options[15]
                self.ede = (struct.unpack_from(">H", e)[0], e[2:].decode("utf-8", "replace"))
            return (owner, "OPT", ttl, b"")
        if word == "A":
            data = socket.inet_ntop(socket.AF_INET, data)
        elif word == "AAAA":
            data = socket.inet_ntop(socket.AF_INET6, data)
        elif word in ("CNAME", "NS", "PTR"):
            data = self.name(begin)
        return (owner, word, ttl, data)


def exchange(address, msg, timeout=5, tcp=False, source=""):
    """The bytes of the answer; None when there is none.  source: the address asked from."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    if tcp:
        with socket.create_connection(address, timeout, (source, 0) if source else None) as s:
            s.sendall(struct.pack(">H", len(msg)) + msg)
            return read_tcp(s)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        if source:
            s.bind((source, 0))
        s.connect(address)
        s.send(msg)
        try:
            return s.recv(65535)
        except (TimeoutError, ConnectionRefusedError):
            return None


def read_tcp(s):
    """One message off a stream; None at its end."""
    got = b""
    while len(got) < 2 or len(got) < 2 + struct.unpack(">H", got[:2])[0]:
        want = 2 - len(got) if len(got) < 2 else 2 + struct.unpack(">H", got[:2])[0] - len(got)
        try:
            more = s.recv(want)
        except (TimeoutError, ConnectionResetError):
            return None
        if not more:
            return None
        got += more
    return got[2:]


def ask(address, name, kind="A", *, tcp=False, timeout=5, source="", **how):
    msg = query(name, kind, **how)
    got = exchange(address, msg, timeout, tcp, source)
    if got is None:
        return None
    a = Answer(got)
    if a.ident != struct.unpack(">H", msg[:2])[0]:
        raise ValueError("the answer has another id")
    return a


class Upstream:
    """Answers by UDP and TCP on one loopback port.  answers: {(name, type): records, or a
    function(query bytes) -> bytes or None}; a name with nothing is NXDOMAIN.  Mixed case
    comes back as it was asked.  .asked: (name, type) of every question so far."""

    def __init__(self, answers=None, delay=0.0, bits=0, host="127.0.0.1"):
        self.answers, self.delay, self.asked = dict(answers or {}), delay, []
        self.came = []  # by UDP: (port, id, name in the letters it was asked with)
        self.bits = bits  # set in the flags of every answer: 0x0400 AA, 0x0020 AD
        self.silent = False
        self.stopping = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(20):
            self.port = free_port()
            self.udp = socket.socket(family, socket.SOCK_DGRAM)
            self.tcp = socket.socket(family, socket.SOCK_STREAM)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.udp.bind((host, self.port))
                self.tcp.bind((host, self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen(64)
        self.address = f"{host}@{self.port}"

    def __enter__(self):
        for run in (self.run_udp, self.run_tcp):
            threading.Thread(target=run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.udp.close()
        self.tcp.close()

    def reply(self, msg, tcp):
        q = Answer(msg)
        name, kind = q.question
        self.asked.append((name.lower(), kind))
        self.last = q
        if self.silent:
            return None
        found = self.answers.get((name.lower(), kind))
        if found is None:
            found = self.answers.get((name.lower(), "*"))
        if callable(found):
            return found(msg, tcp) if found.__code__.co_argcount == 2 else found(msg)
        end = 12 + len(name_bytes(name)) + 4
        known = found is not None or any(n == name.lower() for n, _ in self.answers)
        records = found or []
        soa = [] if records else [("example.", "SOA", 60, "ns.example. root.example. 1 60 60 60 30")]
        flags = 0x8180 | self.bits | (0 if known else 3)
        head = struct.pack(">6H", q.ident, flags, 1, len(records), len(soa), 0)
        out = head + msg[12:end] + b"".join(map(record_bytes, records + soa))
        if not tcp and len(out) > 1232:
            return struct.pack(">6H", q.ident, 0x8380, 1, 0, 0, 0) + msg[12:end]
        return out

    def run_udp(self):
        while not self.stopping:
            try:
                msg, who = self.udp.recvfrom(65535)
                self.came.append((who[1], struct.unpack_from(">H", msg)[0], msg[12:msg.index(b"\0", 12)]))
                threading.Thread(target=self.one_udp, args=(msg, who), daemon=True).start()
            except OSError:
                return

    def one_udp(self, msg, who):
        if self.delay:
            threading.Event().wait(self.delay)
        out = self.reply(msg, False)
        for part in out if isinstance(out, list) else [out]:
            if part is not None:
                with contextlib.suppress(OSError):
                    self.udp.sendto(part, who)

    def run_tcp(self):
        while not self.stopping:
            try:
                c, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.one_tcp, args=(c,), daemon=True).start()

    def one_tcp(self, c):
        with c, contextlib.suppress(OSError):
            c.settimeout(10)
            while (msg := read_tcp(c)) is not None:
                out = self.reply(msg, True)
                if out is None:
                    return
                c.sendall(struct.pack(">H", len(out)) + out)


class Unbound:
    """A real upstream with local data: records in zone file form."""

    def __init__(self, records, zone="example."):
        self.dir = tempfile.mkdtemp(prefix="yagura-unbound-")
        self.port = free_port()
        self.address = f"127.0.0.1@{self.port}"
        data = "".join(f"  local-data: '{r}'\n" for r in records)
        with open(f"{self.dir}/unbound.conf", "w", encoding="utf-8") as f:
            f.write(f"server:\n  interface: 127.0.0.1@{self.port}\n  do-daemonize: no\n  username: \"\"\n"
                    f"  chroot: \"\"\n  directory: {self.dir}\n  pidfile: \"\"\n  use-syslog: no\n"
                    f"  do-not-query-localhost: no\n  module-config: iterator\n"
                    f"  local-zone: {zone} static\n{data}remote-control:\n  control-enable: no\n")

    def __enter__(self):
        self.process = subprocess.Popen(["unbound", "-d", "-c", f"{self.dir}/unbound.conf"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.dir}/log", "w"))
        until(lambda: exchange(("127.0.0.1", self.port), query("example.", "SOA"), 0.2), 15)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Asking:
    """Within `with`: one() is called fifty times a second, in a thread of its own."""

    def __init__(self):
        self.stop = False

    def __enter__(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join(10)

    def run(self):
        while not self.stop:
            begin = time.monotonic()
            self.one()
            time.sleep(max(0.0, 0.02 - (time.monotonic() - begin)))


def memory(s, role="resolve"):
    """KiB resident of the role's first process."""
    with open(f"/proc/{s.pid(role)}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))


@contextlib.contextmanager
def resolver(binary, upstream=None, conf=None, files=None, **how):
    """`serve --only resolve` on a free port: a Server with .dns = (address, port).
    files: {name: text} that lie beside the configuration."""
    port = free_port()
    base = {"api": None, "store": None,
            "resolve": {"listen": [f"127.0.0.1@{port}"], "clients": ["127.0.0.0/8"],
                        **({"upstream": [{"zone": ".", "forward": [upstream.address]}]} if upstream else {}),
                        **(conf or {})}}

    def before(s):
        for name, text in (files or {}).items():
            path = os.path.join(os.path.dirname(s.conf_path), name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            if name.endswith(".secret"):
                os.chmod(path, 0o600)
    s = Server(binary, base, only="resolve", before=before, **how)
    s.dns = ("127.0.0.1", port)
    with s:
        yield s
