"""Why a peer answers another way than we do: the classes of doc/dns-differences.md.  Each is as
narrow as can be said: where a peer knows less, its answer must be what the draft gives for what
it knows."""

import itertools

from resolve_model import HERE, SIGNED, ZONES, decision, expected

NS = ("nsdname", "nsip")
NOTHING = (("REFUSED", ()), ("NOERROR", ()), ("SERVFAIL", ()), "DROP")


def common(c, theirs, truth, shared):
    """What all of them may do otherwise: tell without RD what they have, or nothing; a loop's CNAMEs, or
    judge its names."""
    if not c.rd:
        return "no recursion desired" if theirs == truth or theirs in NOTHING else None
    if truth[0] != "SERVFAIL":
        return None
    links = {(c.name(0), "CNAME", c.name(1)), (c.name(1), "CNAME", c.name(0))}
    if theirs in NOTHING or (theirs[0] == "NOERROR" and set(unsigned(theirs)[1]) <= links):
        return "loop"
    judged = [expected(c, truth, shared, **less) for less in ({}, {"signed_too": True}, {"usable": lambda zone, trigger, action: trigger not in NS})]
    return "loop" if theirs in judged else None


def bind(c, theirs, truth, shared):
    if c.shape == "chain12" and theirs[0] == "SERVFAIL":
        return "BIND: more than eleven links"
    if c.do and c.groups[0] in SIGNED and c.client != HERE:
        return "BIND: client behind a signed name"
    found = decision(c, shared)
    if found and found[2] == "response-ip" and theirs == truth and any(
            ZONES[z][1] == "disabled" and o.endswith("rpz-ip") for z, o in c.by_name):
        return "BIND: longer prefix in a disabled zone"
    return None


def unbound(c, theirs, truth, shared):
    if theirs == "CRASH":
        return "unbound: crash"
    hidden = any(ZONES[z][1] == "disabled" and o.endswith("rpz-ip") for z, o in c.by_name)
    unread = {"no TCP-ONLY override": lambda zone, trigger, action: ZONES[zone][1] == "tcp-only",
              "NSDNAME and NSIP not applied": lambda zone, trigger, action: trigger in NS,
              "DROP by RESPONSE-IP not applied": lambda zone, trigger, action: trigger == "response-ip" and "drop" in meant(zone, action),
              "RESPONSE-IP hidden by a disabled zone's": lambda zone, trigger, action: hidden and trigger == "response-ip"}
    parts = {"signed answers rewritten": {"signed_too": True},
             "QNAME before the zones' order": {"kinds": ["qname", "client-ip", "response-ip"]},
             "override not applied behind a CNAME": {"plain_later": True},
             "DROP and TCP-ONLY behind a CNAME not applied": {"not_later": ("drop", "tcp-only")},
             "names behind a CNAME not judged": {"first_only": True}}
    for count in range(4):
        for names in itertools.combinations([*unread, *parts], count):
            less = {"without_rd": True}
            for n in names:
                less.update(parts.get(n, {}))
            less["usable"] = lambda *record, names=names: not any(unread[n](*record) for n in names if n in unread)
            said = expected(c, truth, shared, **less)
            if not c.rd and theirs in (said, unresolved(said)):
                return "unbound: rewritten without RD"
            if names and theirs == said:
                return "unbound: " + ", ".join(names)
    best = decision(c, shared, signed_too=True, kinds=["qname", "client-ip", "response-ip"])
    if best is None:
        return None
    link, zone, trigger, action = best
    what = action if ZONES[zone][1] == "given" else ZONES[zone][1]
    if what == "wildcard cname":
        return "unbound: wildcard CNAME"
    if c.client != HERE:
        return "unbound: CLIENT-IP"
    if link and (what in ("tcp-only", "a", "data") or "cname" in what):
        return "unbound: TCP-ONLY, data or CNAME behind a CNAME"
    return None


def meant(zone, action):
    """What the zone's override makes of it, or the record's own action where that is taken."""
    return (action, ZONES[zone][1]) if ZONES[zone][1] != "given" else (action,)


def unresolved(said):
    """Without RD a CNAME's target is not asked for."""
    return said if isinstance(said, str) else (said[0], tuple(r for r in said[1] if r[1] == "CNAME"))


def unsigned(seen):
    return seen if isinstance(seen, str) else (seen[0], tuple(r for r in seen[1] if r[1] != "RRSIG"))


def knot(c, theirs, truth, shared):
    """QNAME of the name asked, zones as given, and no CNAME: what its policy module reads."""
    less = {"signed_too": True, "first_only": True,
            "usable": lambda zone, trigger, action: trigger == "qname" and ZONES[zone][1] == "given" and "cname" not in action}
    if unsigned(theirs) == unsigned(expected(c, truth, shared, **less)):
        return "Knot Resolver: QNAME of the name asked, zones as given, no CNAME"
    best = decision(c, shared, **less)
    if best and best[3] in ("drop", "passthru"):
        return f"Knot Resolver: {best[3].upper()} its own way"
    return None


def why(peer, c, theirs, truth, shared):
    return common(c, theirs, truth, shared) or {"BIND": bind, "unbound": unbound, "Knot Resolver": knot}[peer](c, theirs, truth, shared)
