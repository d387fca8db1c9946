#!/usr/bin/env python3
"""Role resolve beside BIND, unbound and Knot Resolver: the same policy zones, the same
authoritative server, the same queries; every difference must be one that doc/dns-differences.md
explains.  In a network namespace of its own, where NSD is the root and all below it.

  resolve_peers.py YAGURA          CASES=200 SEED=1 (others: the same test, more of it)
  REPORT=file                      writes the table of the document
  SHOW=peer                        prints what is unexplained, with its rules
  CELLS=peers                      the peers too are asked for every cell

Cases are made, not written, each under names and addresses of its own, so that one start of
every server is enough for all of them.  Drawn evenly: trigger x action x zone with its override x
kind of chain x type x flags, several rules at once.  Enumerated ("cells"): every trigger x action
x type x RD x CD x DO, by itself.  We are asked all of them twice, the second time with everything
in the cache, and nothing is asked again: what fails or is silent counts."""

import collections
import concurrent.futures
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

if os.environ.get("YAGURA_PEERS_INSIDE") != "1":
    os.environ["YAGURA_PEERS_INSIDE"] = "1"
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True)
    if probe.returncode:
        print(f"1..0 # SKIP no network namespace of our own: {probe.stderr.decode().strip()}")
        sys.exit(0)
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])

from harness import done, note, ok, skip, skip_all, until  # noqa: E402
from resolve_lib import Answer, ask, query, resolver  # noqa: E402
from resolve_differences import why  # noqa: E402
from resolve_model import CLIENTS, GROUPS, HERE, SIGNED, ZONES, decision, every_cell, make, owed  # noqa: E402

binary = sys.argv[1]
CASES, SEED = int(os.environ.get("CASES", "200")), int(os.environ.get("SEED", "1"))

# --- the servers -----------------------------------------------------------

def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def start(top, name, command):
    out = open(f"{top}/{name}.out", "w", encoding="utf-8")
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)


def addresses():
    run = ["ip", "-batch", "-"]
    lines = ["link set lo up"] + [f"address add {a}/32 dev lo" for a in
                                  ["10.53.0.1", "10.53.0.2", HERE] + [f"10.53.1.{g}" for g in range(GROUPS)]
                                  + [f"10.53.2.{k + 1}" for k in range(CLIENTS)]]
    subprocess.run(run, input="\n".join(lines), text=True, check=True)


def authority(top, cases):
    soa = "SOA ns.nic.tld. root.nic.tld. 1 3600 600 86400 300"
    write(f"{top}/root.zone", f"$TTL 3600\n. {soa}\n. NS a.nic.tld.\na.nic.tld. A 10.53.0.1\n"
          "tld. NS ns.nic.tld.\nns.nic.tld. A 10.53.0.2\n")
    lines = [f"$TTL 3600\ntest. {soa}\ntest. NS ns.nic.tld.\nns.nic.tld. A 10.53.0.2\na.nic.tld. A 10.53.0.1\n"]
    zones = {g: [f"$TTL 3600\ng{g}.tld. {soa}\ng{g}.tld. NS ns.g{g}.tld.\nns.g{g}.tld. A 10.53.1.{g}\n"] for g in range(GROUPS)}
    for g in range(GROUPS):
        lines.append(f"g{g}.tld. NS ns.g{g}.tld.\nns.g{g}.tld. A 10.53.1.{g}\n")
    zones[0].append("garden.g0.tld. A 192.0.2.80\ngarden.g0.tld. AAAA 2001:db8::80\ngarden.g0.tld. TXT garden\n"
                    "*.wild.g0.tld. A 192.0.2.81\n*.wild.g0.tld. TXT wild\n")
    for c in cases:
        for g, record in c.records:
            zones[g].append(record + "\n")
    write(f"{top}/tld.zone", "".join(lines))
    names = [(".", "root.zone"), ("tld.", "tld.zone")]
    for g, text in zones.items():
        file = f"g{g}.zone"
        write(f"{top}/{file}", "".join(text))
        if g in SIGNED:
            key = subprocess.run(["dnssec-keygen", "-q", "-K", top, "-a", "ECDSAP256SHA256", f"g{g}.tld"], check=True,
                                 capture_output=True, text=True).stdout.strip()
            with open(f"{top}/{key}.key", encoding="utf-8") as k, open(f"{top}/{file}", "a", encoding="utf-8") as f:
                f.write(k.read())
            subprocess.run(["dnssec-signzone", "-q", "-z", "-o", f"g{g}.tld", "-f", f"{top}/g{g}.signed", "-K", top,
                            f"{top}/{file}"], check=True, capture_output=True, cwd=top)
            file = f"g{g}.signed"
        names.append((f"g{g}.tld.", file))
    listen = "".join(f"  ip-address: {a}\n" for a in ["10.53.0.1", "10.53.0.2"] + [f"10.53.1.{g}" for g in range(GROUPS)])
    conf = f"""server:\n{listen}  port: 53\n  username: ""\n  chroot: ""\n  zonesdir: {top}\n  database: ""
  pidfile: "{top}/nsd.pid"\n  xfrdfile: "{top}/nsd.xfrd"\n  zonelistfile: "{top}/nsd.list"\n  logfile: "{top}/nsd.log"
  minimal-responses: no\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n"""
    conf += "".join(f"zone:\n  name: {n}\n  zonefile: {f}\n" for n, f in names)
    return start(top, "nsd", ["nsd", "-d", "-c", write(f"{top}/nsd.conf", conf)])


def policies(top, rules):
    for z, (name, _) in enumerate(ZONES):
        write(f"{top}/{name}.rpz", f"$TTL 60\n{name}.rpz. SOA ns.{name}.rpz. root.{name}.rpz. 1 3600 600 86400 60\n"
              f"{name}.rpz. NS localhost.\n" + "\n".join(rules[z]) + "\n")


def unbound_conf(top, port, policy):
    text = f"""server:\n  interface: 127.0.0.1@{port}\n  access-control: 10.0.0.0/8 allow\n  access-control: 127.0.0.0/8 allow
  access-control: 10.53.0.0/16 allow_snoop\n  do-daemonize: no
  username: ""\n  chroot: ""\n  directory: {top}\n  pidfile: ""\n  use-syslog: no\n  root-hints: {top}/hints
  module-config: "{'respip ' if policy else ''}iterator"\n  qname-minimisation: no\n  minimal-responses: yes
  do-ip6: no\n  num-threads: 1\n  local-zone: tld. nodefault\n  local-zone: 10.in-addr.arpa. nodefault
  rrset-roundrobin: no\n  max-query-restarts: 15\n  outbound-msg-retry: 9\n  prefetch: no\n  serve-expired: no
remote-control:\n  control-enable: no\n"""
    for name, override in policy:
        text += f"rpz:\n  name: {name}.rpz\n  zonefile: {top}/{name}.rpz\n"
        if override.startswith("cname"):
            text += f"  rpz-action-override: cname\n  rpz-cname-override: {override[6:]}\n"
        elif override != "given":
            text += f"  rpz-action-override: {override}\n"
    return write(f"{top}/unbound-{port}.conf", text)


def named_conf(top, port):
    zones = "".join(f'zone "{n}.rpz"{"" if o == "given" else " policy " + o}; ' for n, o in ZONES)
    files = "".join(f'zone "{n}.rpz" {{ type primary; file "{top}/{n}.rpz"; allow-query {{ none; }}; }};\n' for n, _ in ZONES)
    return write(f"{top}/named.conf", f"""options {{ directory "{top}"; listen-on port {port} {{ 127.0.0.1; }};
 listen-on-v6 {{ none; }}; pid-file none; recursion yes; dnssec-validation no; empty-zones-enable no; session-keyfile none;
 allow-query {{ any; }}; allow-recursion {{ any; }}; allow-query-cache {{ any; }}; minimal-responses yes;
 qname-minimization off; max-recursion-queries 200; stale-answer-enable no; prefetch 0;
 response-policy {{ {zones}}} qname-wait-recurse yes nsip-wait-recurse yes nsdname-wait-recurse yes min-ns-dots 0; }};
controls {{ }}; zone "." {{ type hint; file "{top}/hints"; }};\n{files}""")


def kresd_conf(top, port):
    """Knot Resolver's policy module reads QNAME rules only and has no overrides: the zones
    that are as given, in order.  Its first match decides, as ours."""
    zones = "".join(f"policy.add(policy.rpz(policy.DENY, '{top}/{n}.rpz', false))\n" for n, o in ZONES if o == "given")
    return write(f"{top}/kresd.conf", f"""net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
modules = {{ 'policy' }}\ncache.size = 50 * MB\ntrust_anchors.remove('.')
{zones}policy.add(policy.all(policy.STUB('127.0.0.1@5300')))\n""")


# --- asking ------------------------------------------------------------------

def seen(a):
    if a.tc:
        return "TC"
    rows = []
    if a.rcode == "SERVFAIL":
        return ("SERVFAIL", ())
    for owner, kind, _, data in a.answers:
        if kind == "MX":
            data = "mx"  # its name may be compressed
        rows.append((owner.lower(), str(kind), data.lower() if isinstance(data, str) else data.hex() if kind != "RRSIG" else ""))
    return (str(a.rcode), tuple(sorted(rows)))


ONCE = (2.5,)


def ask_all(port, cases, at_once=40, waits=(1.0, 1.5, 2.0)):
    """{case: what was seen}; nothing heard as often as it is asked (once for each of `waits`) is
    DROP.  But with the last, SERVFAIL is asked again."""
    got, left = {}, list(cases)
    for wait in waits:
        socks, by_id = {}, {}
        pending = list(left)
        flying = 0
        last = time.monotonic()
        while pending or (flying and time.monotonic() - last < wait):
            while pending and flying < at_once:
                c = pending.pop()
                if c.client not in socks:
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    s.bind((c.client, 0))
                    s.connect(("127.0.0.1", port))
                    s.setblocking(False)
                    socks[c.client] = s
                by_id[(c.client, c.i)] = c
                with contextlib.suppress(ConnectionRefusedError):
                    socks[c.client].send(query(c.name(0), c.kind, ident=c.i, rd=c.rd, cd=c.cd, do=c.do))
                flying += 1
                last = time.monotonic()
            for s in select.select(list(socks.values()), [], [], 0.05)[0]:
                with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                    while True:
                        msg = s.recv(65535)
                        c = by_id.pop((s.getsockname()[0], int.from_bytes(msg[:2], "big")), None)
                        if c is not None:
                            got[c] = seen(Answer(msg))
                            flying -= 1
                            last = time.monotonic()
            if flying >= at_once and time.monotonic() - last > 0.4:
                flying = 0  # most of them are dropped on purpose
        for s in socks.values():
            s.close()
        left = [c for c in cases if c not in got or got[c][0] == "SERVFAIL" and wait < waits[-1]]
        if not left:
            break
    return {c: got.get(c, "DROP") for c in cases}


def crashers(top, name, port, process, cases, begin):
    """One by one: what it answers, and what it ends on: CRASH."""
    got, crashes = {}, 0
    for c in cases:
        got.update(ask_all(port, [c], 1, (0.4,)))
        if process.poll() is not None:
            got[c], process, crashes = "CRASH", begin(), crashes + 1
    return got, process, crashes


def ask_peer(top, name, port, command, cases, ours, running):
    """The same of a peer that may crash: it is started again, and what it crashes on is
    asked alone: CRASH.  What failed or was not heard, but not with us, is asked once more
    when the rest is done."""
    got, left, crashes = {}, list(cases), 0

    def begin():
        p = start(top, name.split()[0], command)
        running.append(p)
        lives(p, port)
        if name == "BIND":  # it answers before it has read its policy
            until(lambda: open(f"{top}/BIND.out", encoding="utf-8").read().count("reload done: success") >= len(ZONES), 20)
        return p
    p = begin()
    while left:
        part, left = left[:300], left[300:]
        answers = ask_all(port, part)
        if p.poll() is not None:
            some, p, more = crashers(top, name, port, begin(), [c for c in part if answers[c] == "DROP"], begin)
            answers.update(some)
            crashes += more
        got.update(answers)
    failed = [c for c in cases if got[c][0] in ("SERVFAIL", "D") and ours[c] != got[c]]
    if failed:
        time.sleep(2)
        answers = ask_all(port, failed, 8)
        if p.poll() is None:
            got.update(answers)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(p.pid, signal.SIGKILL)
    p.wait()
    return got, crashes


def words(what):
    if isinstance(what, str):
        return what
    return what[0] + " " + ", ".join(f"{k} {v}" for _, k, v in what[1])


def peers(top):
    here = {"BIND": (5301, ["named", "-g", "-n", "1", "-c", named_conf(top, 5301)]),
            "unbound": (5302, ["unbound", "-d", "-c", unbound_conf(top, 5302, [z for z in ZONES if z[1] != "tcp-only"])]),
            "Knot Resolver": (5303, ["kresd", "-n", "-c", kresd_conf(top, 5303), f"{top}/kresd"])}
    os.makedirs(f"{top}/kresd", exist_ok=True)
    return {n: v for n, v in here.items() if shutil.which(v[1][0])}


def lives(process, port):
    return until(lambda: process.poll() is not None or ask(("127.0.0.1", port), "garden.g0.tld.", timeout=1), 30)


def yagura_conf():
    return {"clients": ["127.0.0.0/8", "10.53.0.0/16"], "rebinding-protection": False,
            "policy": [{"name": n, "rpz": f"{n}.rpz", "zone": f"{n}.rpz", "override": o} for n, o in ZONES]}


class Plain:
    address = "127.0.0.1@5300"


def main():
    for need in ("nsd", "unbound", "dnssec-signzone"):
        if shutil.which(need) is None:
            skip_all(f"{need} is not installed")
    top = tempfile.mkdtemp(prefix="yagura-peers-")
    os.chmod(top, 0o755)
    addresses()
    cases, rules, shared = make(CASES, SEED)
    running = []
    try:
        policies(top, rules)
        write(f"{top}/hints", ". 3600000 NS a.nic.tld.\na.nic.tld. 3600000 A 10.53.0.1\n")
        running.append(authority(top, cases))
        running.append(start(top, "plain", ["unbound", "-d", "-c", unbound_conf(top, 5300, [])]))
        if not ok(lives(running[-1], 5300), "the truth is served by NSD and an unbound without policy"):
            note(open(f"{top}/plain.out").read()[-800:] + open(f"{top}/nsd.log").read()[-800:])
            done()
        files = {f"{n}.rpz": open(f"{top}/{n}.rpz", encoding="utf-8").read() for n, _ in ZONES}
        truth = ask_all(5300, cases)
        broken = [c for c in cases if (truth[c][0] in ("SERVFAIL", "D", "T")) != (c.shape == "loop" and c.rd and c.kind != "CNAME") and c.rd]
        ok(not broken, "the truth is there for all of them, but for loops", [(c.i, c.shape, truth[c]) for c in broken[:5]])
        with resolver(binary, Plain, yagura_conf(), files) as s:
            until(lambda: s.events("zones.compiled") or s.events("zones.policy"), 20)
            ours = ask_all(s.dns[1], cases, waits=ONCE)
            again = ask_all(s.dns[1], cases, waits=ONCE)
            wrong(cases, truth, shared, ours, "upstream was asked")
            wrong(cases, truth, shared, again, "out of the cache")
            by_tcp(s.dns, cases, truth, shared)
        cells(cases, shared)
        report = {}
        some = cases if os.environ.get("CELLS") == "peers" else cases[:CASES]
        asked = {n: v for n, v in peers(top).items() if n in os.environ.get("PEERS", n)}
        with concurrent.futures.ThreadPoolExecutor(len(asked) + 1) as at_once:
            said = {n: at_once.submit(ask_peer, top, n, *v, some, ours, running) for n, v in asked.items()}
        for name, answers in said.items():
            theirs, crashes = answers.result()
            report[name] = judge(name, some, ours, theirs, truth, shared, crashes)
        if "REPORT" in os.environ:
            write(os.environ["REPORT"], table(report))
    finally:
        for p in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, signal.SIGKILL)
        if os.environ.get("KEEP"):
            print(f"# kept: {top}")
        else:
            shutil.rmtree(top, ignore_errors=True)
    done()


def wrong(cases, truth, shared, ours, how):
    odd = [c for c in cases if ours[c] != owed(c, truth[c], shared)]
    ok(not odd, f"{len(cases)} answers are what the draft says: {how}", f"{len(odd)} are not")
    for c in odd[:15]:
        tell(c, shared, truth, ours, {c: owed(c, truth[c], shared)})


def by_tcp(address, cases, truth, shared):
    """TCP-ONLY is the truth for who comes by TCP."""
    asked = [c for c in cases if owed(c, truth[c], shared) == "TC"]
    odd = [c for c in asked if seen(ask(address, c.name(0), c.kind, tcp=True, source=c.client, rd=c.rd, cd=c.cd, do=c.do)) !=
           owed(c, truth[c], shared, tcp=True)]
    ok(asked and not odd, f"{len(asked)} of them by TCP too, where TCP-ONLY ends", [(c.i, c.name(0), c.kind) for c in odd[:8]])


def cells(cases, shared):
    """Every combination is there, and what it is about is what decides it."""
    drawn = {c.cell for c in cases if c.cell is not None}
    ok(drawn == set(every_cell()), f"every trigger x action x type x RD x CD x DO: {len(drawn)} cells", len(set(every_cell()) - drawn))
    odd = [c for c in cases if c.cell is not None and not c.as_meant(shared)]
    ok(not odd, "in each its own trigger and action decide", [(c.i, c.cell, decision(c, shared)) for c in odd[:5]])
    note(f"drawn beside them: {len(cases) - len(drawn)} cases")


def tell(c, shared, truth, ours, theirs):
    note(f"{c.i} {c.name(0)} {c.kind} {c.shape} rd={c.rd:d} cd={c.cd:d} do={c.do:d} signed={c.signed:d} client={c.client} "
         f"{shared['client'].get(int(c.client.rsplit('.', 1)[1]) - 1) if c.client != HERE else ''}")
    for zone, owner, data in c.rules:
        note(f"     {ZONES[zone]} {owner} {data}")
    for p, g in enumerate(c.groups[:c.length()]):
        for table in ("nsdname", "nsip"):
            if g in shared[table]:
                note(f"     link {p}, group {g}: {table} {ZONES[shared[table][g][0]]} {shared[table][g][1]}")
    note(f"     truth    {words(truth[c])}\n     ours     {words(ours[c])}\n     owed     {words(owed(c, truth[c], shared))}\n     other    {words(theirs[c])}")


def judge(name, cases, ours, theirs, truth, shared, crashes):
    same, explained, odd = 0, collections.Counter(), []
    for c in cases:
        if ours[c] == theirs[c]:
            same += 1
            continue
        reason = why(name, c, theirs[c], truth[c], shared)
        if reason:
            explained[reason] += 1
        else:
            odd.append(c)
    if os.environ.get("SHOW") == name:
        seen_by = collections.defaultdict(lambda: [0, 0])
        for c in cases:
            d = decision(c, shared)
            if c.rd and truth[c][0] != "SERVFAIL" and d:
                seen_by[(d[2], ZONES[d[1]][1] if ZONES[d[1]][1] != "given" else d[3], "later link" if d[0] else "first")][ours[c] != theirs[c]] += 1
        for key, (good, bad) in sorted(seen_by.items()):
            note(f"  {key}: {good} the same, {bad} not")
    note(f"{name}: {same} of {len(cases)} the same; {dict(explained)}; unexplained {len(odd)}; it crashed {crashes} times")
    if os.environ.get("SHOW") == name:
        for c in odd[:int(os.environ.get("LIMIT", "40"))]:
            tell(c, shared, truth, ours, theirs)
    ok(not odd, f"{name}: every difference is one that doc/dns-differences.md explains",
       f"{len(odd)} are not, the first: " + "; ".join(f"{c.i}: {words(ours[c])} / {words(theirs[c])}" for c in odd[:8]))
    return same, explained, len(odd)


def table(report):
    """Markdown: how many cases of each peer were as the draft says, and of which class the others are."""
    out = [f"`CASES={CASES} SEED={SEED}`", "", "| | same as ours | explained | unexplained |", "|---|---|---|---|"]
    out += [f"| {name} | {same} | {sum(why.values())} | {odd} |" for name, (same, why, odd) in report.items()]
    out += ["", "| peer | class | cases |", "|---|---|---|"]
    for name, (_, why, _) in report.items():
        out += [f"| {name} | {', '.join(w.removeprefix(name + ': ') for w in k.split(', '))} | {n} |" for k, n in why.most_common()]
    return "\n".join(out) + "\n"


main()
