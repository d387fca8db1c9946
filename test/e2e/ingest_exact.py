"""kill -9 of ingest, store and center, each at 50 random moments under load: every
event that was acknowledged is in the store once, every match at center once.
Arguments: yagura [kills per role]."""

import json
import random
import sys
import threading
import time

from harness import Server, bail, done, need_store, note, ok, until
from ingest_lib import Submit, delivered, dns, doubles, number, stats, submit

KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 50
PER_BATCH = 200
need_store()

CONF = {"ingest": {"deliver_rows": 8192, "deliver": "100ms", "spool_bytes": "64MiB"}, "process": {"restart_max": "1s"}}


def findings_at_center(server):
    """Sum of all alerts' counts."""
    code, out, _ = server.cli("alert", "list", "--json", "--limit", "0")
    if code != 0:
        return -1
    total = 0
    for line in out.splitlines():
        total += json.loads(line)["count"]
    return total


sent, lock = [0], threading.Lock()  # bytes acknowledged


def load(server, stop, acked, worker):
    """Batches with an id each, sent again until acknowledged."""
    i = 0
    while not stop.is_set():
        body = dns(PER_BATCH - 1, i * PER_BATCH) + dns(1, i * PER_BATCH + PER_BATCH - 1, "www.bad.example")
        if server.ended():
            return
        submit(server, body, tries=5000, batch_id=f"w{worker}-{i}")
        acked.append(i)
        with lock:
            sent[0] += len(body)
        i += 1
        time.sleep(0.02)


with Server(sys.argv[1], CONF) as s:
    ok(s.cli("org", "add", "acme")[0] == 0, "an organisation")
    s.cli("indicator", "list-add", "test")
    ok(s.cli("indicator", "add", "--list", "test", "domain", "bad.example")[0] == 0, "an indicator")
    s.cli("indicator", "publish")
    ok(until(lambda: (stats(s) or {}).get("indicators"), 20), "it is in force")

    stop, acked = threading.Event(), [[], []]
    workers = [threading.Thread(target=load, args=(s, stop, acked[w], w)) for w in range(2)]
    for w in workers:
        w.start()
    rng, kills = random.Random(20261122), {"ingest": 0, "store": 0, "center": 0}
    order = list(kills) * KILLS
    rng.shuffle(order)
    for role in order:
        time.sleep(rng.uniform(0.02, 0.6))
        if until(lambda: s.ended() or s.kill(role) is not None, 10):
            kills[role] += 1
    stop.set()
    for w in workers:
        w.join()
    batches = sum(len(a) for a in acked)
    if s.ended():
        note(s.log()[-4000:])
        bail("the supervisor ended")
    note(f"{batches} batches acknowledged, kills: {kills}")
    ok(all(n == KILLS for n in kills.values()) and batches > 10, f"each role was killed {KILLS} times under load", kills)

    want = batches * PER_BATCH
    got = delivered(s, want, 60)
    if got != want:
        note(json.dumps((stats(s) or {}).get("spools")))
        note("\n".join(line for line in s.log().splitlines() if '"warn"' in line or '"error"' in line)[-3000:])
    ok(got == want, "every acknowledged event is in the store", f"{got} of {want}")
    ok(doubles(s) == 0, "no event is there twice")
    ok(number(s, "SELECT uniqExact(uid) FROM yagura.event WHERE class_uid = 4003") ==
       sum(0 for _ in acked) + max(len(a) for a in acked) * PER_BATCH, "and they are the ones that were sent")
    findings = delivered(s, batches, 30, "class_uid = 2004")
    ok(findings == batches, "every match is a finding once", f"{findings} of {batches}")
    until(lambda: findings_at_center(s) >= batches, 30, 0.5)
    ok(findings_at_center(s) == batches, "center counted each finding once", f"{findings_at_center(s)} of {batches}")

    def counted():
        code, out, _ = s.cli("source", "list", "--json")
        return [json.loads(line) for line in out.splitlines()] if code == 0 else []
    until(lambda: sum(r["records"] for r in counted()) >= want, 30, 0.5)
    rows = counted()
    ok(sum(r["records"] for r in rows) == want and sum(r["bytes"] for r in rows) == sent[0],
       "center counted the records and bytes of the source once", f"{rows}, {sent[0]} bytes")

    with Submit(s.data) as c:
        status, duplicate = c.send(b"other bytes", batch_id="w0-0")
    ok(status == "OK" and duplicate, "a batch id is still known")
    aside = (stats(s) or {}).get("spools", [{}])[0].get("set_aside")
    ok(aside == 0, "no batch was set aside for deaths that came from outside", str(aside))
    ok(s.stop() == 0, "it drains")
done()
