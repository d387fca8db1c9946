"""A primary server of one policy zone: AXFR, IXFR from every serial it has had, NOTIFY.
Records are (owner without the zone, wire form of the record); large zones are cheap."""

import socket
import socketserver
import struct
import threading

from resolve_lib import name_bytes

SOA, IXFR, AXFR, CNAME = 6, 251, 252, 5
ZONE = b"\xc0\x0c"  # the question's name


def blocked(name):
    """Records that block a name and all below it."""
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    tail = ZONE + struct.pack(">HHIH", CNAME, 1, 60, 1) + b"\0"
    return [labels + tail, b"\x01*" + labels + tail]


class Primary:
    def __init__(self, zone, names):
        self.zone, self.serial = zone, 1
        self.names = dict.fromkeys(names)
        self.journal = []  # (serial before, names gone, names new)
        self.transfers = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer.answer(self.rfile, self.wfile)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1@%d" % self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def change(self, gone, new):
        self.journal.append((self.serial, list(gone), list(new)))
        for n in gone:
            del self.names[n]
        self.names.update(dict.fromkeys(new))
        self.serial += 1

    def notify(self, port):
        msg = struct.pack(">HHHHHH", 7, 0x2400, 1, 0, 0, 0) + name_bytes(self.zone) + struct.pack(">HH", SOA, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(msg, ("127.0.0.1", port))

    def soa(self, serial):
        data = b"\x02ns" + ZONE + b"\x04root" + ZONE + struct.pack(">IIIII", serial, 3600, 60, 86400, 60)
        return ZONE + struct.pack(">HHIH", SOA, 1, 60, len(data)) + data

    def answer(self, rfile, wfile):
        while head := rfile.read(2):
            q = rfile.read(struct.unpack(">H", head)[0])
            ident, end = q[:2], 12 + len(name_bytes(self.zone))
            kind = struct.unpack(">H", q[end:end + 2])[0]
            have = None
            if kind == IXFR:
                have = struct.unpack(">I", q[len(q) - 20:len(q) - 16])[0]
            self.send(wfile, ident, q[12:end + 4], self.records(have))

    def records(self, have):
        last = self.soa(self.serial)
        yield last
        if have == self.serial:
            return
        steps = [j for j in self.journal if have is not None and j[0] >= have]
        self.transfers.append("IXFR" if steps and steps[0][0] == have else "AXFR")
        if self.transfers[-1] == "AXFR":
            for n in self.names:
                yield from blocked(n)
        else:
            for before, gone, new in steps:
                yield self.soa(before)
                for n in gone:
                    yield from blocked(n)
                yield self.soa(before + 1)
                for n in new:
                    yield from blocked(n)
        yield last

    @staticmethod
    def send(wfile, ident, question, records):
        def flush(rrs):
            msg = ident + struct.pack(">HHHHH", 0x8400, 1, len(rrs), 0, 0) + question + b"".join(rrs)
            wfile.write(struct.pack(">H", len(msg)) + msg)
        rrs, size = [], 0
        for r in records:
            if size + len(r) > 60000:
                flush(rrs)
                rrs, size = [], 0
            rrs.append(r)
            size += len(r)
        flush(rrs)
