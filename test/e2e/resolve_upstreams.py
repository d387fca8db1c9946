#!/usr/bin/env python3
"""Kinds of upstreams: stubs, upstreams of one organisation, servers that do not know EDNS,
answers that another resolver has validated; and what of a question cannot be guessed."""

import socket
import struct
import sys

from harness import done, ok, skip
from resolve_lib import Answer, Upstream, ask, exchange, name_bytes, query, record_bytes, resolver

binary = sys.argv[1]


def no_edns(name, value, silent=False):
    """A server that answers FORMERR, or nothing, to a query with an OPT record."""
    def answer(msg):
        q = Answer(msg)
        if q.edns:
            return None if silent else struct.pack(">6H", q.ident, 0x8181, 0, 0, 0, 0)
        return struct.pack(">6H", q.ident, 0x8180, 1, 1, 0, 0) + msg[12:] + record_bytes((name, "A", 60, value))
    return answer


def ask_from(s, source, name, kind="A"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as c:
        c.bind((source, 0))
        c.settimeout(8)
        c.sendto(query(name, kind), s.dns)
        return Answer(c.recv(65535))


def kinds():
    a = {("www.corp.example.", "A"): [("www.corp.example.", "A", 60, "10.1.1.1")],
         ("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")]}
    b = {("www.corp.example.", "A"): [("www.corp.example.", "A", 60, "10.2.2.2")]}
    old = {("old.example.", "A"): no_edns("old.example.", "192.0.2.8"),
           ("older.example.", "A"): no_edns("older.example.", "192.0.2.9")}
    mute = {("mute.example.", "A"): no_edns("mute.example.", "192.0.2.10", True)}
    with Upstream(a) as root, Upstream(a, bits=0x0400) as first, Upstream(b, bits=0x0400) as second, \
            Upstream(a) as lame, Upstream(old) as o, Upstream(mute) as m, Upstream(a, bits=0x0020) as ad, \
            resolver(binary, None, {
                "clients": [{"prefix": "127.0.0.1/32"}, {"prefix": "127.0.0.2/32", "org": "a"},
                            {"prefix": "127.0.0.3/32", "org": "b"}],
                "upstream": [{"zone": ".", "forward": [root.address]},
                             {"zone": "corp.example", "org": "a", "stub": [lame.address, first.address],
                              "private-addresses": True},
                             {"zone": "corp.example", "org": "b", "stub": [second.address]},
                             {"zone": "old.example", "forward": [o.address]},
                             {"zone": "older.example", "forward": [o.address]},
                             {"zone": "mute.example", "forward": [m.address]},
                             {"zone": "ad.example", "forward": [ad.address], "dnssec": "trust-ad"},
                             {"zone": "noad.example", "forward": [ad.address]}]}) as s:
        got = ask_from(s, "127.0.0.2", "www.corp.example.")
        ok(got.values == ["10.1.1.1"], "a stub's server answers; the one without authority is passed over", got.answers)
        ok(not first.last.rd, "it is asked without recursion")
        got = ask_from(s, "127.0.0.3", "www.corp.example.")
        ok("10.2.2.2" not in got.values and got.ede, "another organisation's stub, where private addresses are not right",
           (got.answers, got.ede))
        ok(second.asked and ("www.corp.example.", "A") not in root.asked, "each asks its own servers")
        got = ask(s.dns, "www.corp.example.")
        ok("10.1.1.1" not in got.values and "10.2.2.2" not in got.values, "who is of neither gets neither's answer")
        got = ask(s.dns, "old.example.")
        ok(got and got.values == ["192.0.2.8"] and o.asked.count(("old.example.", "A")) == 2,
           "FORMERR to EDNS: asked again without", (got and got.rcode, o.asked))
        got = ask(s.dns, "older.example.")
        ok(got and got.values == ["192.0.2.9"], "another zone on it", o.asked)
        got = ask(s.dns, "mute.example.", timeout=8)
        ok(got and got.values == ["192.0.2.10"], "nothing to EDNS: asked again without", got and got.rcode)
        ad.answers[("www.ad.example.", "A")] = [("www.ad.example.", "A", 60, "192.0.2.20")]
        ad.answers[("www.noad.example.", "A")] = [("www.noad.example.", "A", 60, "192.0.2.21")]
        got = Answer(exchange(s.dns, query("www.ad.example.", do=True)))
        ok(got.ad and got.values == ["192.0.2.20"], "AD of a resolver that is trusted for it comes through")
        got = Answer(exchange(s.dns, query("www.noad.example.", do=True)))
        ok(not got.ad and got.values == ["192.0.2.21"], "of another one it does not")


def hard_to_guess():
    """What a forger would have to guess is another for every question: port, id, letters."""
    def known(msg):
        name = Answer(msg).question[0]
        end = 12 + len(name_bytes(name)) + 4
        return msg[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + msg[12:end] + record_bytes((name, "A", 60, "192.0.2.1"))
    names = [f"abcdefghijklmnopqrst.n{i}.example." for i in range(200)]
    with Upstream({(n, "A"): known for n in names}) as up, resolver(binary, up) as s:
        ok(all((a := ask(s.dns, n)) and a.values == ["192.0.2.1"] for n in names), "two hundred names, each asked for once")
        first = up.came[:len(names)]
        ports, ids = [c[0] for c in first], [c[1] for c in first]
        letters = [bytes(x & 0x20 for x in c[2][1:21]) for c in first]
        ok(len(first) == len(names) and len(set(ports)) > 190, "each from a port of its own", len(set(ports)))
        ok(max(ports) - min(ports) > 40000, "of all that there are", (min(ports), max(ports)))
        ok(len(set(ids)) > 190 and max(ids) - min(ids) > 50000, "with an id of its own", (len(set(ids)), min(ids), max(ids)))
        ok(len(set(letters)) > 190, "and letters of its own", len(set(letters)))
        for what, row in (("ports", ports), ("ids", ids)):
            steps = {b - a for a, b in zip(row, row[1:])}
            ok(len(steps) > 180, f"the next of the {what} is not to be reckoned from the last", len(steps))


def by_ipv6():
    answers = {("www.example.", "A"): [("www.example.", "A", 60, "192.0.2.1")],
               ("big.example.", "TXT"): [("big.example.", "TXT", 60, "x" * 200 + str(i)) for i in range(20)]}
    try:
        up = Upstream(answers, host="::1")
    except OSError as e:
        skip("a server by IPv6", e)
        return
    with up, resolver(binary, up) as s:
        ok((a := ask(s.dns, "www.example.")) and a.values == ["192.0.2.1"] and up.came, "a server by IPv6, by UDP", a and (a.rcode, a.ede))
        a = ask(s.dns, "big.example.", "TXT", tcp=True)
        ok(a and len(a.answers) == 20 and up.asked.count(("big.example.", "TXT")) == 2, "and by TCP, for what is cut",
           a and (a.rcode, len(a.answers), up.asked))


kinds()
hard_to_guess()
by_ipv6()
done()
