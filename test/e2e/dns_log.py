#!/usr/bin/env python3
"""Every query is an event: all its fields, by UDP and TCP; what is kept of clients'
addresses; blocks become alerts; nothing is lost or doubled when processes are killed;
a folder that is full drops, and counts."""

import glob
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from harness import Server, done, free_port, need_store, ok, skip, until
from resolve_lib import Upstream, ask, resolver

binary = sys.argv[1]
need_store()

FEED = """$TTL 60
@ SOA ns.feed. root.feed. 42 60 60 86400 30
@ NS ns.feed.
evil.example CNAME .
*.evil.example CNAME .
gone.example CNAME rpz-drop.
"""
NOTES = "$TTL 60\n@ SOA ns.notes. root.notes. 7 60 60 86400 30\n@ NS ns.notes.\nwatched.example CNAME .\n32.3.0.0.127.rpz-client-ip CNAME .\n"
ANSWERS = {("www.example.", "A"): [("www.example.", "CNAME", 60, "cdn.example."), ("cdn.example.", "A", 60, "192.0.2.1")],
           ("watched.example.", "A"): [("watched.example.", "A", 60, "192.0.2.3")],
           ("home.example.", "A"): [("home.example.", "A", 60, "10.1.2.3")],
           **{(f"n{i}.example.", "A"): [(f"n{i}.example.", "A", 60, "192.0.2.9")] for i in range(2000)}}
POLICY = [{"name": "feed1", "rpz": "feed1.zone", "zone": "feed1", "category": "malware"},
          {"name": "notes", "rpz": "notes.zone", "zone": "notes", "mode": "audit-only"}]
CLIENTS = [{"prefix": "127.0.0.1/32", "org": "town-a", "network": "town hall"}, {"prefix": "127.0.0.2/32", "org": "town-b"},
           {"prefix": "127.0.0.3/32", "org": "town-c"}]
FILES = {"feed1.zone": FEED, "notes.zone": NOTES}


def rows(s, where, columns="* EXCEPT (src_ip, dst_ip)"):
    text = s.store(f"SELECT {columns} FROM yagura.event WHERE source = 'dnstap' AND class_uid = 4003 AND {where} ORDER BY time FORMAT JSONEachRow")
    return [json.loads(line) for line in text.splitlines()]


def table(s):
    return s.store("SELECT name FROM system.tables WHERE database = 'yagura'")


def count(s, where):
    try:
        return int(s.store(f"SELECT count() FROM yagura.event WHERE source = 'dnstap' AND class_uid = 4003 AND {where}"))
    except (RuntimeError, OSError):
        return -1


def ip_of(row):
    return ipaddress.ip_address(row["ip"]).ipv4_mapped or ipaddress.ip_address(row["ip"])


IP = "query, src_port, IPv6NumToString(src_ip) AS ip, raw, org, rule, trigger"


def fields(s):
    began = time.time()
    a = ask(s.dns, "WWW.example.", source="127.0.0.1")
    ok(a.rcode == "NOERROR", "asked", a)
    ok(until(lambda: count(s, "query = 'www.example'") == 1, 20), "a query is an event", table(s))
    print(f"# after {time.time() - began:.2f} s")
    e = rows(s, "query = 'www.example'")[0]
    ok(e["org"] == "town-a" and e["network"] == "town hall" and e["class_uid"] == 4003 and e["activity_id"] == 6 and
       e["query_type"] == "A" and e["rcode"] == "NOERROR" and e["answers"] == ["cdn.example", "192.0.2.1"] and
       e["flags"] == "qr rd ra" and e["origin"] == "upstream" and e["verdict"] == "allowed" and e["proto"] == "udp" and
       e["src_port"] > 0 and int(e["duration"]) > 0 and e["sensor"] == "resolve", "with every field", e)
    ok(abs(int(e["time"]) / 1e6 - began) < 5 and '"ttl":60' in e["raw"], "its time, and TTLs in raw", e["raw"])
    ask(s.dns, "www.example.", tcp=True, source="127.0.0.1")
    ask(s.dns, "x.evil.example.", source="127.0.0.1")
    ask(s.dns, "watched.example.", source="127.0.0.1")
    ask(s.dns, "home.example.", source="127.0.0.1")
    ask(s.dns, "gone.example.", source="127.0.0.1", timeout=0.3)
    ok(until(lambda: count(s, "org = 'town-a'") == 6, 20), "all that was asked", count(s, "1"))
    by = {r["query"]: r for r in rows(s, "org = 'town-a'")}
    e = by["www.example"]
    ok(e["proto"] == "tcp" and e["origin"] == "cache" and e["app"] == "dns" and e["src_port"] > 0, "from the cache, by TCP", e)
    e = by["x.evil.example"]
    ok(e["verdict"] == "blocked" and e["layer"] == "centre-zone" and e["policy"] == "feed1" and e["trigger"] == "qname" and
       e["rule"].rstrip(".") == "*.evil.example" and e["category"] == "malware" and e["event_code"] == "nxdomain" and
       e["rcode"] == "NXDOMAIN" and e["ede_code"] == "15" and e["origin"] == "policy", "blocked: by which record of which zone", e)
    e = by["watched.example"]
    ok(e["verdict"] == "noted" and e["policy"] == "notes" and e["rcode"] == "NOERROR" and e["answers"] == ["192.0.2.3"], "noted, and answered", e)
    ok(by["home.example"]["verdict"] == "blocked" and by["home.example"]["policy"] == "rebinding-protection", "rebinding protection",
       by["home.example"])
    ok(by["gone.example"]["verdict"] == "dropped" and by["gone.example"]["rcode"] == "", "dropped: no answer, and an event", by["gone.example"])


def alerts(s):
    found = until(lambda: (a := s.http("GET", "/api/v1/alerts?org=town-a").json().get("items", [])) and len(a) >= 3 and a, 20) or []
    by = {(a["indicator_type"], a["indicator"]): a for a in found}
    ok(set(by) == {("dns-block", "feed1"), ("dns-note", "notes"), ("dns-block", "rebinding-protection")} and len(found) == 3,
       "one alert per zone, blocked and noted apart", list(by))
    a = by.get(("dns-block", "feed1"), {})
    ok(a.get("asset") == "127.0.0.1" and a.get("category") == "malware" and a.get("title") == "DNS blocked by feed1 (malware)",
       "the client, the reason", a)
    n = by.get(("dns-note", "notes"), {})
    ok("not blocked" in n.get("title", "") and n.get("severity_id") == 4, "what was only noted says so", n)
    events = s.http("GET", f"/api/v1/alerts/{a.get('id')}/events").json().get("items", [])
    ok(any({f["name"]: f["value"].rstrip(".") for f in e["fields"]} == {"query": "x.evil.example", "trigger": "qname", "rule": "*.evil.example"}
           for e in events), "and leads to the event, with name and record", events[:2])
    why = s.http("GET", f"/api/v1/alerts/{a.get('id')}").json().get("reasons", [""])[0]
    ok(why.startswith("blocked by DNS policy 'feed1' (malware); seen in query at 127.0.0.1, "), "in words", why)
    why = s.http("GET", f"/api/v1/alerts/{n.get('id')}").json().get("reasons", [""])[0]
    ok(why.startswith("not blocked, only noted by DNS policy 'notes'"), "also of what was only noted", why)


def metrics(s):
    ask(s.dns, "www.example.", source="127.0.0.9")  # a stranger

    def text():
        return bytes(s.http("GET", "/metrics")[2]).decode()

    def read():
        return dict(line.rsplit(" ", 1) for line in text().splitlines() if not line.startswith("#"))
    m = until(lambda: (v := read()).get('yagura_resolve_log_untold_total{process="resolve-0"}') == "1" and v, 30) or read()
    one = {k.removesuffix('{process="resolve-0"}').removeprefix("yagura_resolve_"): v for k, v in m.items() if k.endswith('{process="resolve-0"}')}
    ok(one.get("queries_total") == "7" and one["log_written_total"] == "6" and one["refused_total"] == "1" and
       one["blocked_centre_zone_total"] == "2" and one["log_dropped_total"] == "0" and one["upstream_servers"] == "1",
       "the worker's counters", one)
    ok(int(one["cache_entries"]) == int(one["cache_puts_total"]) == 3 and one["cache_evicted_total"] == "0" and
       0 < int(one["cache_bytes"]) < int(one["cache_bytes_max"]), "what is in the cache", {k: v for k, v in one.items() if "cache" in k})

    def of(name, **labels):
        want = "".join(f',{k}="{v}"' for k, v in labels.items())
        return m.get(f'yagura_resolve_{name}{{process="resolve-0"{want}}}')
    ok([of("door_queries_total", door=d) for d in ("udp", "tcp", "dot", "doh")] == ["6", "1", "0", "0"], "by door")
    ok([of("answers_total", rcode=r) for r in ("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED")] == ["4", "1", "0", "1"], "by rcode; one was dropped",
       {k: v for k, v in m.items() if "_answers_total" in k})
    buckets = [int(v) for k, v in m.items() if k.startswith("yagura_resolve_answer_seconds_bucket")]
    ok(buckets == sorted(buckets) and buckets[-1] == 6 and of("answer_seconds_bucket", le="+Inf") == of("answer_seconds_count") == "6" and
       0 < float(of("answer_seconds_sum")) < 10, "how long they took", buckets)
    server = [(k, v) for k, v in m.items() if k.startswith("yagura_resolve_upstream_rtt_seconds")]
    ok(len(server) == 1 and 'set="1",server="127.0.0.1' in server[0][0] and 0 < float(server[0][1]) < 5, "how far each server upstream is", server)
    types = dict(line.split(" ")[2:4] for line in text().splitlines() if line.startswith("# TYPE"))
    ok(types["yagura_resolve_queries"] == "counter" and types["yagura_resolve_waiting"] == "gauge" and
       types["yagura_resolve_answer_seconds"] == "histogram" and types["yagura_zones_zone_serial"] == "gauge" and
       not [k for k, v in types.items() if v == "unknown" and "resolve_" in k], "each of its type", types)
    states = {k.split('zone_state="')[1].split('"')[0]: v for k, v in m.items() if k.startswith('yagura_zones_zone_state{zone="feed1"')}
    ok(states == {"ok": "1", "loading": "0", "empty": "0", "behind": "0", "failed": "0", "expired": "0"}, "how a zone does", states)
    ok(m.get('yagura_zones_zone_serial{zone="feed1"}') == "42" and m.get('yagura_role_up{role="resolve-0"}') == "1" and
       int(m.get('yagura_ingest_dnslog_frames{process="ingest-0"}', 0)) == 6, "zones by name, roles, what ingest took over",
       {k: v for k, v in m.items() if "zones" in k or "dnslog" in k or "role_up" in k})


def privacy(s):
    for source in ("127.0.0.2", "127.0.0.3"):
        for name in ("n0.example.", "n1.example."):
            ask(s.dns, name, source=source)
    ok(until(lambda: count(s, "org IN ('town-b', 'town-c')") == 4, 20), "two more organisations", count(s, "1"))
    a, b, c = (rows(s, f"org = 'town-{o}'", IP) for o in "abc")
    ok(str(ip_of(a[0])) == "127.0.0.1", "an address is kept", a[0])
    ok(len({r["ip"] for r in b}) == 1 and ip_of(b[0]) in ipaddress.ip_network("fd79:6167:7572:6100::/64") and b[0]["src_port"] == 0 and
       '"client":"pseudonym"' in b[0]["raw"], "a pseudonym: the same for the same address, and told", b)
    ok(all(int(ipaddress.ip_address(r["ip"])) == 0 for r in c) and '"client":"dropped"' in c[0]["raw"], "dropped", c)
    ok(all(r["trigger"] == "client-ip" and r["rule"] == "rpz-client-ip" and "127.0.0.3" not in r["raw"] and "3.0.0.127" not in r["raw"] for r in c),
       "nor does the record that is about the address tell it", c)
    files = b"".join(open(f, "rb").read() for f in glob.glob(f"{s.data}/dnslog/*.tap"))
    ok(b"\x7f\x00\x00\x02" not in files and b"\x7f\x00\x00\x03" not in files and b"3.0.0.127" not in files, "and not in the files either")


def killed(s):
    """While names are asked one after the other every process of the way is killed."""
    asked = []
    stop = threading.Event()

    def run():
        i = 100
        while not stop.is_set() and i < 2000:
            try:
                if ask(s.dns, f"n{i}.example.", source="127.0.0.1", timeout=1) is not None:
                    asked.append(i)
                    i += 1
            except (TimeoutError, OSError):
                pass  # asked again: its first event may be there too
            time.sleep(0.004)
    t = threading.Thread(target=run)
    t.start()
    for role in ("ingest", "store", "resolve", "ingest"):
        time.sleep(0.7)
        s.kill_and_wait(role)
    time.sleep(0.5)
    until(lambda: len(asked) > 200, 20)
    stop.set()
    t.join()
    want = len(asked)
    ok(until(lambda: count(s, "query LIKE 'n%' AND length(query) >= 12") >= want, 40), "all are there",
       f"{count(s, '1')} of {want}")
    time.sleep(1)
    got = s.store("SELECT query, count() FROM yagura.event WHERE source = 'dnstap' AND class_uid = 4003 AND query LIKE 'n%' AND length(query) >= 12"
                  " GROUP BY query FORMAT TabSeparated").split("\n")
    seen = {line.split("\t")[0]: int(line.split("\t")[1]) for line in got if line}
    missing = [i for i in asked if f"n{i}.example" not in seen]
    twice = {q: n for q, n in seen.items() if n > 1}
    ok(len(asked) > 200 and not missing, "none is missing", missing)
    # asked again is asked twice: at most one per death of the resolver
    ok(len(twice) <= 1, "none is there twice", twice)
    ok(len(glob.glob(f"{s.data}/dnslog/*.tap")) <= 2, "files that were taken over are gone", os.listdir(f"{s.data}/dnslog"))


def by_door():
    """DoT and DoH are told apart in events."""
    if shutil.which("kdig") is None:
        skip("DoT and DoH in events", "no kdig: install knot-dnsutils")
        return
    dot, doh = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="yagura-doors-") as d, Upstream(ANSWERS) as up:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-keyout", f"{d}/key", "-out", f"{d}/crt", "-subj", "/CN=dns.example", "-addext", "subjectAltName=DNS:dns.example"],
                       check=True, capture_output=True)
        door = {"cert-file": f"{d}/crt", "key-file": f"{d}/key"}
        over = {"dot": [{"address": f"127.0.0.1@{dot}", **door}], "doh": [{"address": f"127.0.0.1@{doh}", **door}], "policy": []}
        with resolver(binary, up, over) as s:
            ask(s.dns, "www.example.")
            for port, how in ((dot, "+tls"), (doh, "+https=dns.example/dns-query")):
                said = subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), how, f"+tls-ca={d}/crt", "+tls-hostname=dns.example", "www.example."],
                                      capture_output=True, text=True, check=False)
                ok("192.0.2.1" in said.stdout, f"asked by {how.split('=')[0][1:]}", said.stdout + said.stderr)
            until(lambda: glob.glob(f"{s.data}/dnslog/*.tap"), 5)
            lines = []

            def read():
                code, out, _ = s.cli("event", "normalize", "--source", "dnstap", *glob.glob(f"{s.data}/dnslog/*.tap"))
                lines[:] = [json.loads(x) for x in out.splitlines()]
                return code == 0 and len(lines) == 3
            ok(until(read, 10), "three events", lines)
            ok([e["app_name"] for e in lines] == ["dns", "dot", "doh"], "each says by which door", lines)


def full():
    """Alone nobody takes the log over: it is bounded."""
    with Upstream(ANSWERS) as up, resolver(binary, up, {"query-log-size": "8MiB", "policy": []}) as s:
        for _ in range(3):
            ask(s.dns, "www.example.")
        ok(until(lambda: glob.glob(f"{s.data}/dnslog/*.tap"), 5), "the log is written alone too")
        code, out, err = s.cli("event", "normalize", "--source", "dnstap", glob.glob(f"{s.data}/dnslog/*.tap")[0])
        lines = [json.loads(x) for x in out.splitlines()]
        ok(code == 0 and len(lines) == 3 and lines[0]["query"]["hostname"] == "www.example", "and read without a server", err or out)
        with open(f"{s.data}/dnslog/0-1.tap", "wb") as f:
            f.truncate(8 << 20)
        s.kill_and_wait("resolve")
        ask(s.dns, "www.example.")
        ok(until(lambda: s.find_event("resolve.log_full"), 10), "full: told")
        ok(ask(s.dns, "www.example.").rcode == "NOERROR", "and answers go on")


def main():
    port = free_port()
    with Upstream(ANSWERS) as up:
        conf = {"resolve": {"listen": [f"127.0.0.1@{port}"], "clients": CLIENTS, "policy": POLICY, "workers": 1,
                            "upstream": [{"zone": ".", "forward": [up.address]}],
                            "privacy": [{"org": "town-b", "client-addresses": "pseudonymised"}, {"org": "town-c", "client-addresses": "dropped"}]}}

        def before(s):
            for name, text in FILES.items():
                with open(os.path.join(os.path.dirname(s.conf_path), name), "w", encoding="utf-8") as f:
                    f.write(text)
        s = Server(binary, conf, before=before)
        s.dns = ("127.0.0.1", port)
        with s:
            ok(until(lambda: s.find_event("resolve.policy"), 20), "the policy is there")
            for o in ('town-a', 'town-b', 'town-c'):
                s.http('POST', '/api/v1/organisations', {'name': o, 'title': o})
            fields(s)
            alerts(s)
            metrics(s)
            privacy(s)
            killed(s)
    by_door()
    full()
    done()


main()
