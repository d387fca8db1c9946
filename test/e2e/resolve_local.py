#!/usr/bin/env python3
"""Local zones and records of organisations: each sees its own, a file that changes is in
force soon, one that is broken changes nothing, and none of their names ever leaves."""

import os
import socket
import sys
import threading
import time

from harness import done, ok, until
from resolve_lib import Answer, Upstream, query, resolver

binary = sys.argv[1]
SOA = "@ 300 SOA ns root 1 60 60 60 30\n"


def asker(s):
    def ask(source, name, kind="A", **how):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
            c.bind((source, 0))
            c.settimeout(8)
            c.sendto(query(name, kind, **how), s.dns)
            return Answer(c.recv(65535))
    return ask


A, B, NOBODY = "127.0.0.2", "127.0.0.3", "127.0.0.1"
public = {("pub.corp.example.", "A"): [("pub.corp.example.", "A", 60, "192.0.2.99")],
          ("other.half.example.", "A"): [("other.half.example.", "A", 60, "192.0.2.98")],
          ("mine.half.example.", "A"): [("mine.half.example.", "A", 60, "192.0.2.97")],
          ("printer.example.", "A"): [("printer.example.", "A", 60, "192.0.2.96")],
          ("target.example.", "A"): [("target.example.", "A", 60, "192.0.2.95")]}
files = {"a.zone": SOA + "www A 10.1.0.1\nalias CNAME www\nout CNAME target.example.\n*.wild TXT \"any\"\n",
         "b.zone": SOA + "www A 10.2.0.1\n",
         "half.zone": SOA + "mine A 10.3.0.1\n",
         "deny.zone": "$TTL 60\n@ SOA . . 1 60 60 60 60\n@ NS .\nwww.corp.example CNAME .\ntarget.example CNAME .\n"}
conf = {"clients": [{"prefix": f"{A}/32", "org": "a"}, {"prefix": f"{B}/32", "org": "b"}, {"prefix": f"{NOBODY}/32"}],
        "local": [{"zone": "corp.example", "org": "a", "file": "a.zone"},
                  {"zone": "corp.example.", "org": "b", "file": "b.zone"},
                  {"zone": "half.example", "file": "half.zone", "other-names": "upstream"},
                  {"zone": "never.example", "org": "a", "file": "never.zone"}],
        "local-data": ["everyone.example. 60 A 10.9.9.9", {"record": "printer.example. 60 A 10.1.0.9", "org": "a"},
                       {"record": "extra.corp.example. 60 A 10.1.0.8", "org": "a"}]}


def serve(up, s):
    ask = asker(s)
    path = os.path.dirname(s.conf_path)
    s.wait_event("resolve.local")
    got = ask(A, "www.corp.example.")
    ok(got.values == ["10.1.0.1"] and got.rcode == "NOERROR", "a member's own zone", got.answers)
    got = ask(B, "www.corp.example.")
    ok(got.values == ["10.2.0.1"], "another member's of the same name", got.answers)
    got = ask(NOBODY, "www.corp.example.")
    ok(got.rcode == "NXDOMAIN", "who is of neither gets what the policy says of the public name", got.answers)
    ok(ask(NOBODY, "pub.corp.example.").values == ["192.0.2.99"], "or what the world says")
    ok(ask(A, "alias.corp.example.").values[-1:] == ["10.1.0.1"], "a CNAME within it")
    ok(len(ask(A, "x.y.wild.corp.example.", "TXT").answers) == 1, "a wildcard")
    got = ask(A, "no.corp.example.")
    ok(got.rcode == "NXDOMAIN" and got.authority and got.authority[0][1] == "SOA", "other names of it are not there, with its SOA")
    got = ask(A, "www.corp.example.", "AAAA")
    ok(got.rcode == "NOERROR" and not got.answers, "other types neither")
    ok(ask(A, "mine.half.example.").values == ["10.3.0.1"] and ask(B, "mine.half.example.").values == ["10.3.0.1"], "a zone of everyone")
    ok(ask(B, "other.half.example.").values == ["192.0.2.98"], "names that it does not have are asked for")
    ok(ask(B, "everyone.example.").values == ["10.9.9.9"], "a record of everyone")
    ok(ask(A, "printer.example.").values == ["10.1.0.9"] and ask(B, "printer.example.").values == ["192.0.2.96"],
       "a record of one member")
    ok(ask(A, "extra.corp.example.").values == ["10.1.0.8"], "a record beside a zone of it")
    got = ask(A, "out.corp.example.")
    ok("192.0.2.95" not in got.values and "target.example." in got.values, "where a local CNAME leads is judged by the policy", got.answers)
    got = ask(A, "x.never.example.")
    ok(got.rcode == "SERVFAIL" and not any("never" in n for n, _ in up.asked), "a zone that never could be read: nothing leaves", got.rcode)
    ok(not any(n.endswith("corp.example.") and n != "pub.corp.example." for n, _ in up.asked), "no name of a member's zone was asked for", up.asked)

    # a file changes: in force without a signal, for its member alone, while queries go on
    stop, wrong = threading.Event(), []

    def load():
        while not stop.is_set():
            v = ask(A, "www.corp.example.").values
            if v not in (["10.1.0.1"], ["10.1.0.2"]):
                wrong.append(v)
    thread = threading.Thread(target=load)
    thread.start()
    with open(f"{path}/a.zone.new", "w", encoding="utf-8") as f:
        f.write(files["a.zone"].replace("10.1.0.1", "10.1.0.2"))
    os.rename(f"{path}/a.zone.new", f"{path}/a.zone")
    begin = time.monotonic()
    ok(until(lambda: ask(A, "www.corp.example.").values == ["10.1.0.2"], 8), "a changed file is in force", time.monotonic() - begin)
    stop.set()
    thread.join()
    ok(not wrong, "and at no moment was there another answer", wrong[:3])
    ok(ask(B, "www.corp.example.").values == ["10.2.0.1"], "the other member's is as it was")
    with open(f"{path}/b.zone", "w", encoding="utf-8") as f:
        f.write(SOA + "www A 10.2.0.300\n")
    s.process.send_signal(1)
    e = s.wait_event("zones.local_refused", file=f"{path}/b.zone")
    ok(e and "line 2" in str(e) and ask(B, "www.corp.example.").values == ["10.2.0.1"], "a broken file is refused, by line, and the zone stays", e)
    with open(f"{path}/never.zone", "w", encoding="utf-8") as f:
        f.write(SOA + "x A 10.4.0.1\n")
    s.process.send_signal(1)
    ok(until(lambda: ask(A, "x.never.example.").values == ["10.4.0.1"], 8), "SIGHUP: a file that is there now is read at once")
    # a record that is none: the reload is refused, nothing changes
    with open(s.conf_path, encoding="utf-8") as f:
        text = f.read()
    with open(s.conf_path, "w", encoding="utf-8") as f:
        f.write(text.replace("everyone.example. 60 A 10.9.9.9", "everyone.example. 60 A 10.9.9.999"))
    s.process.send_signal(1)
    e = s.wait_event("conf.refused")
    ok(e and "local-data, entry 1" in str(e) and ask(B, "everyone.example.").values == ["10.9.9.9"],
       "a record that is none: the reload is refused", e)
    with open(s.conf_path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


with Upstream(public) as up, resolver(binary, up, {**conf, "policy": [{"name": "deny", "rpz": "deny.zone"}]},
                                      {**files, "never.zone": ""}) as s:
    path = serve(up, s)
    # kill -9 of everything: the broken file's zone is as it was, at once
    up.asked.clear()
    s.kill("zones")
    s.kill("resolve")
    ok(until(lambda: len(s.events("role.started", started="resolve")) > 1, 10), "both are killed and come back")
    ask = asker(s)
    got = ask(B, "www.corp.example.")
    ok(got.values == ["10.2.0.1"], "a worker that starts has the zones at once", got.answers)
    ok(ask(A, "x.never.example.").values == ["10.4.0.1"] and not up.asked, "and nothing of them leaves")
done()
