"""A batch that the event store refuses for what it holds is set aside after some
attempts and told of; the other batches of its block arrive.  What was set aside
can be loaded once the reason is gone."""

import glob
import os
import sys

from harness import Server, done, need_store, ok, until
from ingest_lib import Submit, delivered, dns, doubles, stats

need_store()

with Server(sys.argv[1], {"ingest": {"deliver": "500ms"}}) as s:
    with Submit(s.data) as c:
        ok(c.send(dns(10), batch_id="before")[0] == "OK", "a good batch")
        ok(delivered(s, 10) == 10, "it arrives")
        s.store("ALTER TABLE yagura.event ADD CONSTRAINT no_poison CHECK query != 'poison.example'")
        ok(c.send(dns(20, 100), batch_id="a")[0] == "OK", "another good batch")
        ok(c.send(dns(5, 200, name="poison.example"), batch_id="b")[0] == "OK", "one that the table does not take")
        ok(c.send(dns(30, 300), batch_id="c")[0] == "OK", "and a good one behind it")
    told = s.wait_event("ingest.refused", 120)
    ok(told and "no_poison" in told.get("reason", ""), "it is set aside, and a system event says why", str(told))
    got = delivered(s, 60)
    ok(got == 60, "the batches around it arrive", str(got))
    kept = glob.glob(os.path.join(s.data, f"quarantine/spool-0-{told['batch'] if told else 0}-0.rows"))
    ok(len(kept) == 1, "its rows are in quarantine/", str(os.listdir(os.path.join(s.data, "quarantine"))))
    head, _, rows = (open(kept[0], "rb").read() if kept else b"").partition(b"\n")
    ok(head.startswith(b"yagura rows spool=0 ") and b"no_poison" in head, "with a line that says why", head.decode())
    counted = stats(s)["spools"][0]
    ok(counted["store_refused"] == 1 and not counted["store_waiting"], "it is counted", str(counted))

    def metric():
        text = s.http("GET", "/metrics").body.decode()
        return any(line.startswith("yagura_ingest_spools_store_refused{") and line.endswith(" 1") for line in text.splitlines())
    ok(until(metric, 30, 0.5), "and shown at /metrics")
    status, text, more = s.cli("doctor")
    ok("refused by the event store" in text + more, "and by yagura doctor", f"{status}\n{text}{more}")

    s.store("ALTER TABLE yagura.event DROP CONSTRAINT no_poison")
    reply = s._call(s.store_connection(), "POST", "/?database=yagura&query=INSERT%20INTO%20event%20FORMAT%20RowBinary", rows, {})
    ok(reply.status == 200, "it can be loaded when the reason is gone", reply.body.decode("utf-8", "replace"))
    ok(delivered(s, 65) == 65 and doubles(s) == 0, "then everything is there, once")
    ok(s.stop() == 0, "it drains")
done()
