"""FEED messages as ingest sends them (src/detect/feed.h), straight to run/center.sock."""
import ipaddress
import os
import socket
import struct

FEED, REPLY = 33, 31
OK, SRC_INSIDE, DST_INSIDE = 1, 2, 4


def sv(text):
    b = text.encode() if isinstance(text, str) else text
    return struct.pack("<I", len(b)) + b


def ip(text):
    a = ipaddress.ip_address(text)
    return a.packed if a.version == 6 else bytes(10) + b"\xff\xff" + a.packed


def ident(spool, batch, row):
    return struct.pack("<QQ", spool << 32 | row, batch)


def match(rule, us, fields, event=(9, 1, 0)):
    return b"\x01" + sv(rule) + struct.pack("<q", us) + ident(*event) + struct.pack("<H", len(fields)) + b"".join(
        sv(k) + sv(v) for k, v in fields.items())


def connection(us, src, dst, port, flags, out=100, event=(9, 1, 0)):
    return b"\x02" + struct.pack("<q", us) + ip(src) + ip(dst) + struct.pack("<HBQ", port, flags, out) + ident(*event)


def login(us, user, src, good=False, event=(9, 1, 0)):
    return b"\x03" + struct.pack("<q", us) + sv(user) + ip(src) + struct.pack("<B", good) + ident(*event)


def records(count, first, last):
    return b"\x04" + struct.pack("<Qqq", count, first, last)


def stat(rule, looked_at, hits, excepted=0, cost_ns=0, samples=()):
    return b"\x05" + sv(rule) + struct.pack("<QQQQH", looked_at, hits, excepted, cost_ns, len(samples)) + b"".join(
        ident(*s) for s in samples)


def message(spool, batch, org, received, entries, source="syslog", sensor="gate", part=0):
    return struct.pack("<IIQ", spool | part << 16, len(entries), batch) + sv(org) + sv(source) + sv(sensor) + struct.pack(
        "<q", received) + b"".join(entries)


def send(s, body):
    """The status that center answers; None when it ends the connection or is not there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as c:
            c.settimeout(30)
            c.connect(os.path.join(s.data, "run/center.sock"))
            c.sendall(struct.pack("<II", FEED, len(body)) + body)
            got = b""
            while len(got) < 16:
                part = c.recv(16 - len(got))
                if not part:
                    return None
                got += part
    except OSError:
        return None
    kind, n, status, _ = struct.unpack("<IIII", got)
    return status if kind == REPLY and n == 8 else None
