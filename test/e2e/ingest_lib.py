"""What the tests of role ingest share: batches straight onto run/ingest-<n>.sock
(as center hands them over), counters, rows in the store."""

import contextlib
import json
import os
import socket
import struct

from harness import until

SOURCES = {"suricata": 1, "zeek": 2, "syslog": 3, "cloudtrail": 4, "windows": 5, "ocsf": 6, "ndjson": 7, "dnstap": 8}
STATUS = {0: "OK", 1: "NOMEM", 2: "INVAL", 4: "LIMIT", 10: "AGAIN", 13: "TOOBIG"}


def sv(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


class Submit:
    """A connection to one worker, as center's."""

    def __init__(self, data, index=0, timeout=30):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        fd = os.open(os.path.join(data, "run"), os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock.connect(f"/proc/self/fd/{fd}/ingest-{index}.sock")
        finally:
            os.close(fd)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _frame(self, kind, body):
        self.sock.sendall(struct.pack("<II", kind, len(body)) + body)

    def _answer(self):
        head = self._take(8)
        kind, n = struct.unpack("<II", head)
        return kind, self._take(n)

    def _take(self, n):
        got = b""
        while len(got) < n:
            part = self.sock.recv(n - len(got))
            if not part:
                raise ConnectionError("the worker is gone")
            got += part
        return got

    def send(self, body, source="zeek", org="acme", sensor="test", batch_id="", encoding=0, framed=0, received=0,
             mapping=""):
        """(status, duplicate); raises when the worker goes away before it answers."""
        self._frame(20, struct.pack("<BBBBq", SOURCES[source], encoding, framed, 0, received) + sv(org) + sv(sensor) +
                    sv(mapping) + sv(batch_id) + sv(body))
        kind, answer = self._answer()
        if kind != 21:
            raise ConnectionError(f"answer {kind}")
        status, flags = struct.unpack("<II", answer[:8])
        return STATUS.get(status, status), bool(flags & 1)

    def stats(self):
        self._frame(22, b"")
        kind, answer = self._answer()
        if kind != 23:
            raise ConnectionError(f"answer {kind}")
        return json.loads(answer)


def stats(server, index=0):
    with contextlib.suppress(OSError), Submit(server.data, index) as s:
        return s.stats()
    return None


def submit(server, body, index=0, tries=600, **kw):
    """Sends until it is acknowledged, with the same batch id; duplicate or not."""
    status = "no answer"
    for _ in range(tries):
        with contextlib.suppress(OSError), Submit(server.data, index) as s:
            status, duplicate = s.send(body, **kw)
            if status == "OK":
                return duplicate
        until(lambda: False, 0.05)
    raise RuntimeError(f"never acknowledged: {status}; {server.events('ingest.spool_full')[-1:]}")


def dns(n, first=0, name="www.good.example", host="10.0.0.5"):
    """n Zeek DNS records, told apart by their uid."""
    return b"".join(
        b'{"ts":%d.%06d,"uid":"C%d","id.orig_h":"%s","id.orig_p":5353,"id.resp_h":"10.0.0.1","id.resp_p":53,'
        b'"proto":"udp","query":"%s","qtype_name":"A","rcode_name":"NOERROR"}\n' %
        (1700000000 + i // 1000000, i % 1000000, i, host.encode(), name.encode()) for i in range(first, first + n))


def query(server, sql):
    """Rows as lists of texts; None when the store does not answer."""
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        text = server.store(f"{sql} FORMAT TabSeparated")
        return [line.split("\t") for line in text.splitlines()]
    return None


def number(server, sql):
    rows = query(server, sql)
    return int(rows[0][0]) if rows else -1


def delivered(server, want, seconds=30, where="class_uid != 2004"):
    """Waits for that many events; the number there is in the end."""
    count = f"SELECT count() FROM yagura.event WHERE {where}"
    until(lambda: number(server, count) >= want, seconds, 0.2)
    return number(server, count)


def doubles(server):
    """Rows that are there more than once."""
    return number(server, "SELECT count() FROM (SELECT spool, batch, row, count() AS n FROM yagura.event "
                          "GROUP BY spool, batch, row HAVING n > 1)")


def busy(server):
    """The batch that is being worked on (0: none), and how many died on it before."""
    try:
        with open(os.path.join(server.data, "spool/0/busy"), "rb") as f:
            raw = f.read(16)
    except OSError:
        return 0, 0
    return struct.unpack("<QI", raw[:12]) if len(raw) == 16 else (0, 0)


def put_snapshot(data, binary, lists, generation=1):
    """Compiles a snapshot and puts it where main looks at its start."""
    import subprocess
    os.makedirs(os.path.join(data, "snapshot"), exist_ok=True)
    name = f"indicators-{generation}.ygs"
    csv = os.path.join(data, "snapshot", "list.csv")
    with open(csv, "w", encoding="utf-8") as f:
        f.write(lists)
    done = subprocess.run([binary, "indicator", "compile", "--out", os.path.join(data, "snapshot", name), csv],
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    with open(os.path.join(data, "snapshot", "current"), "w", encoding="utf-8") as f:
        f.write(name + "\n")
