#!/usr/bin/env python3
"""Upstreams by TLS: verified by name or pin, one connection used again and again, closed and
opened anew; and when a server cannot prove who it is, nothing is asked of it, by no way."""

import contextlib
import hashlib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import done, ok, skip, until
from resolve_lib import Upstream, ask, read_tcp, resolver

binary = sys.argv[1]
folder = tempfile.TemporaryDirectory(prefix="yagura-dot-")


def certificate(name):
    """A self-signed one for dns.example, as PEM, and the SHA-256 of its key."""
    path = f"{folder.name}/{name}"
    subprocess.run(["certtool", "--generate-privkey", "--key-type", "ecdsa", "--outfile", f"{path}.key"], check=True, capture_output=True)
    with open(f"{path}.cfg", "w", encoding="utf-8") as f:
        f.write(f'cn = "{name}"\ndns_name = "{name}"\nca\nsigning_key\ntls_www_server\nexpiration_days = 30\n')
    subprocess.run(["certtool", "--generate-self-signed", "--load-privkey", f"{path}.key", "--template", f"{path}.cfg",
                    "--outfile", f"{path}.crt"], check=True, capture_output=True)
    der = subprocess.run(["certtool", "--load-certificate", f"{path}.crt", "--pubkey-info", "--outder"], check=True, capture_output=True).stdout
    return path, hashlib.sha256(der).hexdigest()


class Dot(Upstream):
    """An upstream that speaks TLS on its port; questions in the clear are noted."""

    def __init__(self, answers, path, host="127.0.0.1"):
        super().__init__(answers, host=host)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(f"{path}.crt", f"{path}.key")
        self.connections, self.hold, self.live, self.clear = 0, None, [], 0

    def one_udp(self, msg, who):
        self.clear += 1

    def one_tcp(self, c):
        self.connections += 1
        try:
            t = self.tls.wrap_socket(c, server_side=True)
        except (ssl.SSLError, OSError):
            return
        self.live.append(t)
        t.settimeout(30)
        waiting = []
        try:
            while (msg := read_tcp(t)) is not None:
                waiting.append(self.reply(msg, True))
                if self.hold and len(waiting) < self.hold:
                    continue
                for out in reversed(waiting):  # the last one first
                    if out is not None:
                        t.sendall(struct.pack(">H", len(out)) + out)
                waiting.clear()
        except (OSError, ValueError):
            pass
        t.close()


path, pin = certificate("dns.example")
names = {(f"n{i}.example.", "A"): [(f"n{i}.example.", "A", 60, f"192.0.2.{i}")] for i in range(60)}
names[("big.example.", "TXT")] = [("big.example.", "TXT", 60, "x" * 200 + str(i)) for i in range(280)]
with open(f"{path}.crt", encoding="utf-8") as f:
    ca = f.read()
with Dot(names, path) as good, Dot(names, path) as pinned, Dot(names, path) as wrong, Dot(names, path) as other, Upstream(names) as gone:
    gone.tcp.close()
    up = [{"zone": ".", "forward": [f"{good.address}#dns.example"], "ca-file": "ca.crt"},
          {"zone": "n50.example", "forward": [pinned.address], "pins": [pin]},
          {"zone": "n51.example", "forward": [wrong.address], "pins": ["00" * 32]},
          {"zone": "n52.example", "forward": [f"{other.address}#else.example"], "ca-file": "ca.crt"},
          {"zone": "n53.example", "forward": [f"{other.address}#dns.example"]},
          {"zone": "n54.example", "forward": [f"{gone.address}#dns.example"], "ca-file": "ca.crt"}]
    with resolver(binary, None, {"upstream": up}, {"ca.crt": ca}) as s:
        a = ask(s.dns, "n1.example.")
        ok(a and a.values == ["192.0.2.1"] and good.connections == 1 and good.clear == 0, "an answer by TLS, of a server verified by name",
           (a and (a.rcode, a.ede), good.connections, good.clear, s.events("resolve.upstream_tls")))
        for i in range(2, 10):
            ask(s.dns, f"n{i}.example.")
        ok(good.connections == 1, "one connection for all", good.connections)
        got, good.hold = [], 10
        threads = [threading.Thread(target=lambda i=i: got.append(ask(s.dns, f"n{i}.example.").values)) for i in range(10, 20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        good.hold = None
        ok(sorted(got) == sorted([f"192.0.2.{i}"] for i in range(10, 20)) and good.connections == 1,
           "ten in flight on it, answered the last one first", (got, good.connections))
        a = ask(s.dns, "big.example.", "TXT", tcp=True)
        ok(a and len(a.answers) == 280 and len(a.msg) > 59000, "an answer of 60,000 octets", a and (a.rcode, len(a.answers)))
        for t in good.live:
            with contextlib.suppress(OSError):
                t.shutdown(socket.SHUT_RDWR)
        a = ask(s.dns, "n20.example.")
        ok(a and a.values == ["192.0.2.20"] and good.connections == 2, "the server has closed it: a new one", (a and a.rcode, good.connections))
        a = ask(s.dns, "n50.example.")
        ok(a and a.values == ["192.0.2.50"] and pinned.clear == 0, "a server known by its pin", a and (a.rcode, a.ede))
        for name, server, why in (("n51", wrong, "another key than the pin's"), ("n52", other, "a certificate for another name"),
                                  ("n53", other, "nobody vouches for it")):
            a = ask(s.dns, f"{name}.example.", timeout=12)
            ok(a and a.rcode == "SERVFAIL" and not server.asked and server.clear == 0, f"{why}: nothing is asked, not in the clear either",
               a and (a.rcode, server.asked, server.clear))
        a = ask(s.dns, "n54.example.", timeout=12)
        ok(a and a.rcode == "SERVFAIL" and not gone.asked, "nobody listens: no other way is tried", a and (a.rcode, gone.asked))
        ok(s.events("resolve.upstream_tls"), "and the log says so")
        begin = time.monotonic()
        idle = until(lambda: all(t.fileno() < 0 for t in good.live), 14)
        ok(idle, "an idle connection is closed", time.monotonic() - begin)
        a = ask(s.dns, "n21.example.")
        ok(a and a.values == ["192.0.2.21"] and good.connections == 3, "and opened anew", (a and a.rcode, good.connections))
try:
    six = Dot(names, path, "::1")
except OSError as e:
    skip("by IPv6 too", e)
else:
    up = [{"zone": ".", "forward": [f"{six.address}#dns.example"], "ca-file": "ca.crt"}]
    with six, resolver(binary, None, {"upstream": up}, {"ca.crt": ca}) as s:
        a = ask(s.dns, "n1.example.")
        ok(a and a.values == ["192.0.2.1"] and six.connections == 1, "by IPv6 too", (a and (a.rcode, a.ede), s.events("resolve.upstream_tls")))
folder.cleanup()
done()
