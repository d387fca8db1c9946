"""What a policy of response policy zones says about a query, straight from the draft
(draft-vixie-dnsop-dns-rpz-00, sections 3 to 6), and cases drawn to try it: for resolve_peers.py.
Written without a look at src/dns: where both agree, both have read the same."""

import collections
import itertools
import random

PLAIN = 10          # groups (delegated zones) that no NSDNAME or NSIP rule is about
CELLS = 28          # the ones from there to here have one of each action, in the first zone
GROUPS = 52         # the others have such rules in any zone
SIGNED = (4, 5)     # groups whose answers are signed; nothing vouches for the keys
CLIENTS = 24        # addresses of clients that CLIENT-IP rules are about
HERE = "10.53.3.1"  # the client that none is about
# name, override of the whole zone
ZONES = [("z1", "given"), ("z2", "disabled"), ("z3", "given"), ("z4", "nodata"), ("z5", "passthru"),
         ("z6", "cname garden.g0.tld"), ("z7", "nxdomain"), ("z8", "given"), ("z9", "drop"), ("z10", "tcp-only")]
ACTIONS = {"nxdomain": ["CNAME ."], "nodata": ["CNAME *."], "passthru": ["CNAME rpz-passthru."],
           "drop": ["CNAME rpz-drop."], "tcp-only": ["CNAME rpz-tcp-only."], "a": ["A 192.0.2.99"],
           "data": ["A 192.0.2.98", "A 192.0.2.97", "AAAA 2001:db8::98", "TXT \"listed\""],
           "cname": ["CNAME garden.g0.tld."], "wildcard cname": ["CNAME *.wild.g0.tld."]}
TRIGGERS = ["qname", "qname wildcard", "qname both", "response-ip", "response-ip net", "client-ip", "nsdname", "nsip",
            "none"]
KINDS = ["A", "AAAA", "TXT", "MX", "CNAME"]
SHAPES = ["address", "chain1", "chain2", "chain4", "chain to nothing", "no data", "nothing", "loop", "chain12"]


class Case:
    cell = None  # (trigger, action, type, RD, CD, DO) when it is made for that

    def __init__(self, i, rng):
        self.i, self.rng, self.rules, self.records, self.triggers = i, rng, [], [], []
        self.shape = SHAPES[i % len(SHAPES)] if rng.random() < 0.7 else "address"
        self.kind = rng.choice(["A", "A", "A", "AAAA", "TXT", "MX", "CNAME"])
        self.rd = rng.random() > 0.06
        self.cd, self.do = rng.random() < 0.15, rng.random() < 0.25
        self.client = HERE
        self.by_name, self.by_net = {}, {}  # (zone, owner): action; the first that is made holds
        count = rng.choice([1, 1, 1, 2, 2, 3])
        self.wanted = [rng.choice(TRIGGERS) for _ in range(count)]
        ns = any(t in ("nsdname", "nsip") for t in self.wanted)
        self.groups = [rng.randrange(PLAIN, GROUPS) if ns and rng.random() < 0.7 else rng.randrange(PLAIN)
                       for _ in range(13)]
        if ns and all(g < PLAIN for g in self.groups[:2]):
            self.groups[0] = rng.randrange(PLAIN, GROUPS)
        self.v4, self.v6 = f"11.{i >> 8}.{i & 255}.", f"2001:db8:{i:x}::"
        self.tell()

    def name(self, p):
        return f"n{p}.c{self.i}.g{self.groups[p]}.tld."

    @property
    def signed(self):
        return any(g in SIGNED for g in self.groups[:self.length()])

    def length(self):
        return {"chain1": 2, "chain2": 3, "chain4": 5, "chain to nothing": 3, "loop": 2, "chain12": 13}.get(self.shape, 1)

    def tell(self):
        """The truth about its names."""
        last = self.length() - 1
        for p in range(last):
            self.records.append((self.groups[p], f"{self.name(p)} CNAME {self.name(p + 1)}"))
        if self.shape == "loop":
            self.records.append((self.groups[1], f"{self.name(1)} CNAME {self.name(0)}"))
        elif self.shape == "no data":
            self.records.append((self.groups[0], f"{self.name(0)} SRV 1 1 1 {self.name(0)}"))
        elif self.shape not in ("nothing", "chain to nothing"):
            g, n = self.groups[last], self.name(last)
            self.records += [(g, f"{n} A {self.v4}1"), (g, f"{n} A {self.v4}2"), (g, f"{n} AAAA {self.v6}1"),
                             (g, f"{n} TXT truth"), (g, f"{n} MX 10 {n}")]

    def rule(self, trigger, zone, action, p):
        n = self.name(p).rstrip(".")
        parent = n.split(".", 1)[1]
        if trigger == "qname":
            owners = [n]
        elif trigger == "qname wildcard":
            owners = ["*." + parent]
        elif trigger == "qname both":
            owners = [n]
            self.put(zone, "*." + parent, self.rng.choice(["nxdomain", "passthru", "a"]))
        elif trigger == "response-ip":
            if self.kind == "AAAA":
                owners = [f"128.1.zz.{self.i:x}.db8.2001.rpz-ip"]
            else:
                owners = ["32.1." + ".".join(reversed(self.v4.rstrip(".").split("."))) + ".rpz-ip"]
        elif trigger == "response-ip net":
            owners = ["30.0." + ".".join(reversed(self.v4.rstrip(".").split("."))) + ".rpz-ip",
                      f"48.zz.{self.i:x}.db8.2001.rpz-ip"]
        else:
            return
        for o in owners:
            self.put(zone, o, action)

    def put(self, zone, owner, action):
        if (zone, owner) not in self.by_name:
            self.by_name[(zone, owner)] = action
            self.rules.append((zone, owner, ACTIONS[action]))


class Cell(Case):
    """One combination by itself: an address under a name of its own, one rule, in the first zone
    (a client's: in a zone as given)."""

    def __init__(self, i, rng, cell, shared):
        self.i, self.rng, self.rules, self.records, self.triggers = i, rng, [], [], []
        self.by_name, self.by_net = {}, {}
        self.cell, self.shape, self.client, self.wanted = cell, "address", HERE, []
        trigger, action, self.kind, self.rd, self.cd, self.do = cell
        group = rng.choice([g for g in range(PLAIN) if g not in SIGNED])
        if trigger in shared:
            group = next(g for g, (_, a) in shared[trigger].items() if a == action and g < CELLS)
        self.groups = [group] * 13
        self.v4, self.v6 = f"11.{i >> 8}.{i & 255}.", f"2001:db8:{i:x}::"
        self.tell()
        if trigger == "client-ip":
            k = next(k for k, (z, a) in shared["client"].items() if a == action and ZONES[z][1] == "given")
            self.client = f"10.53.2.{k + 1}"
        else:
            self.rule(trigger, 0, action, 0)

    def as_meant(self, shared):
        """Does what the cell is about decide it?  Addresses are in answers to A and AAAA alone."""
        trigger, action = self.cell[:2]
        if trigger.startswith("response-ip") and self.kind not in ("A", "AAAA"):
            return decision(self, shared) is None
        found = decision(self, shared)
        return found is not None and found[0] == 0 and found[2] == trigger.split(" ")[0] and found[3] == action


def every_cell():
    """Every trigger x action x type x RD x CD x DO."""
    return list(itertools.product(TRIGGERS[:-1], ACTIONS, KINDS, (True, False), (False, True), (False, True)))


def make(count, seed):
    """cases (drawn ones, then one of every cell), {zone: lines of its master file}, what the groups'
    and clients' rules are"""
    rng = random.Random(seed)
    cases = [Case(i, rng) for i in range(count)]
    shared = {"client": {}, "nsdname": {}, "nsip": {}}
    rules = collections.defaultdict(list)

    def add(zone, owner, data):
        rules[zone] += [f"{owner}.{ZONES[zone][0]}.rpz. {d}" for d in data]
    used = set()
    drawn = [(z, a) for z in range(len(ZONES)) for a in ACTIONS]
    for k in range(CLIENTS):
        zone, action = drawn[(k * 7) % len(drawn)] if k % 2 else (rng.choice([0, 2, 7]), list(ACTIONS)[k // 2 % len(ACTIONS)])
        add(zone, f"32.{k + 1}.2.53.10.rpz-client-ip", ACTIONS[action])
        shared["client"][k] = (zone, action)
    for g in range(PLAIN, GROUPS):
        zone = rng.choice([0, 2, 7, 7, 7, 1, 3, 6]) if g >= CELLS else 0
        action = list(ACTIONS)[g % len(ACTIONS)]
        if g % 2:
            owner = {1: f"ns.g{g}.tld", 3: f"*.g{g}.tld"}[g % 4] + ".rpz-nsdname"
            shared["nsdname"][g] = (zone, action)
        else:
            owner = {0: f"32.{g}.1.53.10", 2: f"31.{g & ~1}.1.53.10"}[g % 4] + ".rpz-nsip"
            shared["nsip"][g] = (zone, action)
            if g % 4 == 2:
                shared["nsip"][g + 1] = (zone, action)
        add(zone, owner, ACTIONS[action])
    for c in cases:
        for trigger in c.wanted:
            zone, action = drawn[rng.randrange(len(drawn))] if rng.random() < 0.5 else (rng.choice([0, 2, 7]), rng.choice(list(ACTIONS)))
            if trigger == "client-ip" and c.client == HERE:
                k = rng.randrange(CLIENTS)
                c.client = f"10.53.2.{k + 1}"
                zone, action = shared["client"][k]
            else:
                c.rule(trigger, zone, action, rng.randrange(c.length()) if rng.random() < 0.6 else 0)
            c.triggers.append((trigger, zone, action))
    cases += [Cell(count + n, rng, cell, shared) for n, cell in enumerate(every_cell())]
    for c in cases:
        for zone, owner, data in c.rules:
            if (zone, owner) not in used:
                used.add((zone, owner))
                add(zone, owner, data)
    return cases, rules, shared


# --- what the draft says ---------------------------------------------------

def found(c, p, zone, shared, client):
    """(trigger, action) of the records of this zone that match at link p of the chain, the best first.
    client: what is about the client's address is still to be weighed."""
    n = c.name(p).rstrip(".")
    if client and c.client != HERE:
        k = int(c.client.rsplit(".", 1)[1]) - 1
        if shared["client"][k][0] == zone:
            yield "client-ip", shared["client"][k][1]
    for owner in (n, "*." + n.split(".", 1)[1]):
        if (zone, owner) in c.by_name:
            yield "qname", c.by_name[(zone, owner)]
    if p == c.length() - 1 and c.shape not in ("nothing", "no data", "chain to nothing", "loop"):
        four = ".".join(reversed(c.v4.rstrip(".").split(".")))
        nets = {"A": [f"32.1.{four}.rpz-ip", f"30.0.{four}.rpz-ip"],
                "AAAA": [f"128.1.zz.{c.i:x}.db8.2001.rpz-ip", f"48.zz.{c.i:x}.db8.2001.rpz-ip"]}
        for owner in nets.get(c.kind, []):
            if (zone, owner) in c.by_name:
                yield "response-ip", c.by_name[(zone, owner)]
    for trigger in ("nsdname", "nsip"):
        if shared[trigger].get(c.groups[p], (None,))[0] == zone:
            yield trigger, shared[trigger][c.groups[p]][1]


def decision(c, shared, signed_too=False, first_only=False, not_later=(), kinds=None, usable=lambda *_: True):
    """(link, zone, trigger, action) by the draft's sections 4 to 6, read one after the other; None:
    the truth.  The options are for peers that know less: signed data that they rewrite, only the
    name that was asked, actions that they do not know behind a CNAME, triggers that they weigh before
    the zones' order, only some records."""
    client = True
    for link in range(c.length() if c.kind != "CNAME" else 1):
        if link and first_only:
            break
        if c.do and c.groups[link] in SIGNED and not signed_too:  # signed data is left alone (section 6), the next name is not
            continue
        for kind in kinds or [None]:
            for zone, (_, override) in enumerate(ZONES):
                for trigger, action in found(c, link, zone, shared, client):
                    if override == "disabled" or kind not in (None, trigger) or (link and action in not_later):
                        continue
                    if usable(zone, trigger, action):
                        return link, zone, trigger, action
        client = False
    return None


def records(c, link):
    """What the chain says before this link, as seen."""
    out = []
    for p in range(link):
        out.append((c.name(p), "CNAME", c.name(p + 1)))
        if c.do and c.groups[p] in SIGNED:
            out.append((c.name(p), "RRSIG", ""))
    return out


def answer(c, link, action, override):
    before, name = records(c, link), c.name(link)
    if override != "given":
        action = "cname" if override.startswith("cname") else override
    if action == "drop":
        return "DROP"
    if action == "tcp-only":
        return "TC"
    if action == "nxdomain":
        return ("NXDOMAIN", tuple(sorted(before)))
    data = {"a": {"A": ["192.0.2.99"]}, "data": {"A": ["192.0.2.98", "192.0.2.97"], "AAAA": ["2001:db8::98"],
                                                 "TXT": [b"\6listed"]}}.get(action, {})
    for value in data.get(c.kind, []):
        before.append((name, c.kind, plain(value)))
    if action in ("cname", "wildcard cname"):
        target = "garden.g0.tld." if action == "cname" else name + "wild.g0.tld."
        before.append((name, "CNAME", target))
        there = {"cname": {"A": "192.0.2.80", "AAAA": "2001:db8::80", "TXT": b"\6garden"},
                 "wildcard cname": {"A": "192.0.2.81", "TXT": b"\4wild"}}[action].get(c.kind)
        if there is not None:
            before.append((target, c.kind, plain(there)))
    return ("NOERROR", tuple(sorted(before)))


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def owed(c, truth, shared, tcp=False):
    """What we must answer.  Without RD: nothing, for nobody has asked for the name with it, and nothing
    is rewritten.  Where upstream has no answer (a loop), what the first name and the client alone say
    holds, and there is no signed data to be left alone.  By TCP the truth for TCP-ONLY."""
    if not c.rd:
        return ("REFUSED", ())
    if truth[0] == "SERVFAIL":
        said = expected(c, truth, shared, first_only=True, signed_too=True, usable=lambda zone, trigger, action: trigger not in ("nsdname", "nsip"))
    else:
        said = expected(c, truth, shared)
    return truth if tcp and said == "TC" else said


def expected(c, truth, shared, plain_later=False, without_rd=False, **less):
    """plain_later: overrides do not hold behind a CNAME; without_rd: what is asked without RD is judged too."""
    best = decision(c, shared, **less)
    if not (c.rd or without_rd) or best is None:
        return truth
    link, zone, _, action = best
    override = "given" if plain_later and link else ZONES[zone][1]
    if override == "passthru" or (action == "passthru" and override == "given"):
        return truth
    return answer(c, link, action, override)
