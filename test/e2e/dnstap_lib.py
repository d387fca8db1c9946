"""dnstap for tests: Frame Streams and protocol buffers in a few lines, and unbound as a
real server that speaks them.  Standard library only."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from harness import free_port, until
from resolve_lib import name_bytes, query, record_bytes

CONTENT = b"protobuf:dnstap.Dnstap"
ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5


def control(kind, content=CONTENT):
    field = struct.pack(">II", 1, len(content)) + content if content and kind in (ACCEPT, START, READY) else b""
    return struct.pack(">III", 0, 4 + len(field), kind) + field


def data(frame):
    return struct.pack(">I", len(frame)) + frame


def hear(sock, timeout=10):
    """The control frame that comes: its type; None: the connection is over."""
    sock.settimeout(timeout)
    got = b""
    try:
        while len(got) < 8 or len(got) < 8 + struct.unpack_from(">I", got, 4)[0]:
            part = sock.recv(8 if len(got) < 8 else 8 + struct.unpack_from(">I", got, 4)[0] - len(got))
            if not part:
                return None
            got += part
    except (ConnectionError, OSError):
        return None
    return struct.unpack_from(">I", got, 8)[0]


def frames(raw):
    """The data frames of a file, and whether it ends with STOP."""
    out, at, ended = [], 0, False
    while at + 4 <= len(raw):
        n = struct.unpack_from(">I", raw, at)[0]
        if n == 0:
            if at + 12 > len(raw):
                break
            m, kind = struct.unpack_from(">II", raw, at + 4)
            ended = ended or kind == STOP
            at += 8 + m
            continue
        if at + 4 + n > len(raw):
            break
        out.append(raw[at + 4:at + 4 + n])
        at += 4 + n
    return out, ended


def fields(raw):
    """A message of protocol buffers: number -> last value (an int or bytes)."""
    out, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            b = raw[at]
            at += 1
            value |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                return value

    while at < len(raw):
        tag = varint()
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            out[number] = varint()
        elif wire == 2:
            n = varint()
            out[number] = raw[at:at + n]
            at += n
        else:
            n = {1: 8, 5: 4}[wire]
            out[number] = int.from_bytes(raw[at:at + n], "little")
            at += n
    return out


def encode(*values):
    """Fields of protocol buffers: (number, int or bytes) one after the other."""
    out = b""

    def varint(v):
        b = b""
        while v >= 0x80:
            b, v = b + bytes([v & 0x7F | 0x80]), v >> 7
        return b + bytes([v])

    for number, value in values:
        out += varint(number << 3 | 2) + varint(len(value)) + value if isinstance(value, bytes) else varint(number << 3) + varint(value)
    return out


def client_response(name, client, rcode=0, answers=(), policy=None, kind=6):
    """A frame as a member's resolver tells of an answer to a client.  policy: (match, action, the
    record's owner name with its zone), numbers as in dnstap.proto."""
    asked = query(name, edns=False)
    response = (asked[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(answers), 0, 0) + asked[12:] +
                b"".join(record_bytes(rr) for rr in answers))
    fields_of = [(1, kind), (2, 1), (3, 1), (4, socket.inet_aton(client)), (5, socket.inet_aton("192.0.2.53")), (6, 40000),
                 (7, 53), (8, int(time.time())), (14, response)]
    if policy is not None:
        match, action, rule = policy
        fields_of.append((15, encode((1, b"RPZ"), (2, name_bytes(rule)), (3, action), (4, match))))
    return encode((1, b"member-ns"), (14, encode(*fields_of)), (15, 1))


def message(frame):
    """The fields of the Message within, and of its Policy under "policy"."""
    outer = fields(frame)
    out = fields(outer[14])
    out["identity"], out["extra"] = outer.get(1, b""), outer.get(3, b"")
    out["policy"] = fields(out[15]) if 15 in out else None
    return out


class Unbound:
    """unbound that answers from data of its own and tells of it; `lines` of its dnstap clause."""

    def __init__(self, lines, zone="example."):
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix="unbound-")
        os.chmod(self.dir, 0o755)
        with open(os.path.join(self.dir, "u.conf"), "w", encoding="ascii") as f:
            f.write(f"""server:
  interface: 127.0.0.1@{self.port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{self.dir}"
  pidfile: ""
  use-syslog: no
  access-control: 127.0.0.0/8 allow
  local-zone: "{zone}" static
  local-data: "www.{zone} A 192.0.2.7"
remote-control:
  control-enable: no
dnstap:
  dnstap-enable: yes
  dnstap-send-identity: yes
  dnstap-identity: "member-ns"
  dnstap-log-client-response-messages: yes
""" + "".join(f"  {line}\n" for line in lines))
        self.process = subprocess.Popen(["unbound", "-c", os.path.join(self.dir, "u.conf")],
                                        stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.dir, "log"), "wb"))

    def __enter__(self):
        until(lambda: b"start of service" in self.log(), 20)
        return self

    def log(self):
        with open(os.path.join(self.dir, "log"), "rb") as f:
            return f.read()

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)
