"""dnstap out: what the resolver answered goes to fstrm_capture by Unix socket and TCP, to a
TLS receiver of ours and into a file, the same everywhere; receivers that come, go and stall."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from dnstap_lib import ACCEPT, CONTENT, FINISH, READY, STOP, control, frames, hear, message
from harness import done, free_port, note, ok, until
from resolve_lib import Upstream, ask, resolver


def capture(folder, name, where):
    path = os.path.join(folder, name)
    process = subprocess.Popen(["fstrm_capture", "-t", CONTENT.decode(), "-w", path, *where],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, path


def read(path):
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:
        return frames(f.read())
    return [], False


class Receiver(threading.Thread):
    """TLS: READY, ACCEPT, START, frames, STOP, FINISH.  Who ends before READY is heard as None."""

    def __init__(self, port, certificate, key):
        super().__init__(daemon=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.listener = context.wrap_socket(socket.create_server(("127.0.0.1", port)), server_side=True)
        self.raw, self.heard = b"", []
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while not self.heard or self.heard[-1] is None:
                try:
                    c, _ = self.listener.accept()
                    self.heard.append(hear(c))
                except ssl.SSLError:
                    self.heard.append(None)
            c.sendall(control(ACCEPT))
            c.settimeout(60)
            while True:
                part = c.recv(65536)
                if not part:
                    return
                self.raw += part
                if self.raw.endswith(control(STOP)):
                    self.heard.append(STOP)
                    c.sendall(control(FINISH))


def certificate(folder, name):
    crt, key = os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", crt, "-days", "2", "-subj", "/CN=tap.example",
                    "-addext", "subjectAltName=DNS:tap.example"], check=True, capture_output=True)
    os.chmod(crt, 0o644)
    return crt, key


def stall(port):
    """Accepts and then reads nothing."""
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    kept = []

    def run():
        with contextlib.suppress(OSError):
            while True:
                c, _ = listener.accept()
                kept.append(c)
                hear(c)
                c.sendall(control(ACCEPT))

    threading.Thread(target=run, daemon=True).start()
    return listener, kept


def questions(s, n, first=0):
    for i in range(first, first + n):
        a = ask(s.dns, "www.example." if i % 2 else f"n{i}.example.")
        if a is None:
            return False
    return True


def main():
    begun = time.monotonic()
    folder = tempfile.mkdtemp(prefix="yagura-tap-")
    os.chmod(folder, 0o777)
    crt, key = certificate(folder, "ours")
    tcp, tls, slow, stranger, misnamed = [free_port() for _ in range(5)]
    sock, out = os.path.join(folder, "tap.sock"), os.path.join(folder, "out.fstrm")
    taps = [{"to": sock, "protocol": "unix"}, {"to": f"127.0.0.1:{tcp}", "protocol": "tcp", "policy": False},
            {"to": f"127.0.0.1:{tls}", "protocol": "tls", "ca-file": crt, "tls-name": "tap.example", "extra": True},
            {"to": f"127.0.0.1:{stranger}", "protocol": "tls", "ca-file": crt, "tls-name": "tap.example"},
            {"to": f"127.0.0.1:{misnamed}", "protocol": "tls", "ca-file": crt, "tls-name": "else.example"},
            {"to": f"127.0.0.1:{slow}", "protocol": "tcp", "queue": 524288}, {"to": out, "protocol": "file"}]
    silent, _ = stall(slow)
    receiver = Receiver(tls, crt, key)
    others = {stranger: Receiver(stranger, *certificate(folder, "strangers")), misnamed: Receiver(misnamed, crt, key)}
    over = {"dnstap": taps, "query-log": False, "client-addresses": "dropped"}
    with Upstream({("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.7")]}) as up, resolver(sys.argv[1], up, over) as s:
        ok(questions(s, 10), "without a receiver the resolver answers")
        ok(until(lambda: s.find_event("resolve.dnstap_down", to=sock), 10), "and says who is not there")
        first, unix_out = capture(folder, "unix", ["-u", sock])
        until(lambda: os.path.exists(sock), 10)
        os.chmod(sock, 0o777)  # the resolver is another user when the test is root
        second, tcp_out = capture(folder, "tcp", ["-a", "127.0.0.1", "-p", str(tcp)])
        ok(until(lambda: s.find_event("resolve.dnstap_up", to=sock) and
                 s.find_event("resolve.dnstap_up", to=f"127.0.0.1:{tcp}"), 40), "they come, and are found by themselves")
        ok(questions(s, 10, 10), "ten more")
        begin = time.monotonic()
        ok(questions(s, 3000, 20), "3,000 more while one receiver reads nothing")
        note(f"{3000 / (time.monotonic() - begin):.0f} a second, one after the other")
        ok(until(lambda: len(frames(receiver.raw)[0]) >= 3000, 20), "TLS: all of them", str(len(frames(receiver.raw)[0])))
        for e in s.events("resolve.dnstap_down") + s.events("resolve.dnstap_up"):
            note(str({k: e[k] for k in e if k in ("event", "to", "error", "time")}))
        for port, what in ((stranger, "with another key"), (misnamed, "by another name")):
            e = s.find_event("resolve.dnstap_down", to=f"127.0.0.1:{port}")
            heard = others[port].heard
            ok(e and heard and not any(heard) and others[port].raw == b"", f"a TLS receiver {what} gets nothing, which is said", (e, heard))
        ok(s.stop() == 0, "it drains")
        for p in (first, second):
            p.send_signal(signal.SIGTERM)
            p.wait(20)
        compare(receiver, unix_out, tcp_out, out)
    silent.close()
    note(f"{time.monotonic() - begun:.1f} s")


def compare(receiver, unix_out, tcp_out, out):
    file, file_ended = read(out)
    unix, unix_ended = read(unix_out)
    over_tls, tls_ended = frames(receiver.raw)
    ok(len(file) == 3020 and file_ended, "the file has every answer and an end", str((len(file), file_ended)))
    ok(unix == file and unix_ended, "the Unix socket's receiver has the same, with an end", f"{len(unix)} {unix_ended}")
    ok(len(read(tcp_out)[0]) == 3020, "TCP: none lost", str(len(read(tcp_out)[0])))
    ok(receiver.heard == [READY, STOP] and tls_ended, "TLS: READY first, STOP last", str(receiver.heard))
    a, b = message(file[0]), message(over_tls[0])
    ok(len(over_tls) == 3020 and a[14] == b[14] and a["extra"] == b"" and b["extra"] != b"",
       "the private part goes where it is asked for alone")
    last = message(file[-1])
    ok(last[1] == 6 and last[3] == 1 and b"\x03www\x07example" in last[14] and last.get(8, 0) > 1700000000,
       "client responses with time and message")
    ok(all(4 not in message(f) or not any(message(f)[4]) for f in file), "addresses that are to be dropped are in none")
    shown = subprocess.run(["fstrm_dump", out], capture_output=True, check=False)
    ok(shown.returncode == 0 and shown.stderr.count(b"Data frame") == 3020, "fstrm_dump reads the file")


main()
done()
