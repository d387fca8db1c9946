"""Exports of events: in several chunks, of several organisations, in every format, with
the rights and the filter of the list; what is cancelled leaves no file.  Arguments: yagura."""
import concurrent.futures
import csv
import io
import json
import os
import re
import sys
import time
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Server, done, need_store, note, ok, until  # noqa: E402

need_store()
EACH = 30_000  # of an organisation: more than a chunk holds
ORGS = ("alpha", "beta")

with Server(os.path.abspath(sys.argv[1])) as s:
    begin = time.time() - 6 * 3600
    for number, org in enumerate(ORGS):
        s.http("POST", "/api/v1/organisations", {"name": org})
        lines = [json.dumps({"_path": "dns", "ts": begin + i * 0.5 + number / 10, "uid": f"C{org}{i}", "id.orig_h": f"10.{number}.0.{i % 200 + 1}",
                             "id.resp_h": "192.0.2.53", "id.resp_p": 53, "proto": "udp",
                             "query": "=evil.example" if i == 7 else f"h{i % 50}.{org}.example", "qtype_name": "A"}) for i in range(EACH)]
        for at in range(0, EACH, 10_000):
            sent = s.http("POST", f"/api/v1/events?source=zeek&org={org}&sensor=x", "\n".join(lines[at:at + 10_000]).encode(), Content_Type="text/plain")
            ok(sent.status == 202, f"{org} sends events", sent)
    stored = until(lambda: s.store("SELECT count() FROM yagura.event").strip() == str(EACH * 2), 120)
    ok(stored, "they are searchable")
    tokens = {org: s.http("POST", "/api/v1/tokens", {"org": org, "name": "t", "scopes": ["events:read", "exports:read"]}).json()["secret"] for org in ORGS}

    def order(fmt, query=None, token=None):
        call = (lambda *a: s.https(*a, token=token)) if token else s.http
        made = call("POST", "/api/v1/exports", {"kind": "events", "format": fmt, "query": query or {}})
        if made.status not in (200, 201, 202):
            return made, None, None
        job = made.json()["id"]

        def ended():
            got = s.http("GET", f"/api/v1/jobs/{job}").json()
            return got if got["state"] not in ("queued", "running") else None
        end = until(ended, 120, 0.05)
        return made, end, call("GET", f"/api/v1/exports/{job}").body

    began = time.monotonic()
    _, job, body = order("jsonl")
    rows = [json.loads(x) for x in body.splitlines()]
    note(f"{len(rows) / (time.monotonic() - began):.0f} rows a second as JSON lines")
    ok(job["state"] == "done" and job["done"] == job["total"] == EACH * 2 and job["result"]["rows"] == EACH * 2, "the job tells how many", job)
    ok(len({r["id"] for r in rows}) == len(rows) == EACH * 2, "every event once", len(rows))
    for org in ORGS:
        times = [r["time"] for r in rows if r["org"] == org]
        ok(len(times) == EACH and times == sorted(times, reverse=True), f"those of {org}, newest first", times[:3])
    listed = s.http("GET", "/api/v1/events?limit=200&org=beta").json()["items"]
    ok([r for r in rows if r["org"] == "beta"][:200] == listed, "rows are those of the list", (rows[:1], listed[:1]))

    _, job, body = order("jsonl", token=tokens["alpha"])
    rows = [json.loads(x) for x in body.splitlines()]
    ok({r["org"] for r in rows} == {"alpha"} and len(rows) == EACH and job["total"] == EACH, "a token's export has its own events, and counts no others", job)
    made, _, _ = order("jsonl", {"org": "beta"}, token=tokens["alpha"])
    ok(made.status == 404, "another's are not there", made)

    _, job, body = order("csv", {"q": "query:h7.*"})
    rows = list(csv.DictReader(io.StringIO(body.decode()[1:], newline="")))
    both = s.http("GET", "/api/v1/events?limit=200&q=query:h7.*").json()["items"]
    ok(len(rows) == EACH * 2 // 50 - 2 and job["total"] == len(rows), "CSV has the filter", (len(rows), job))
    ok([r["id"] for r in rows[:200]] == [r["id"] for r in both], "few events come newest first over all organisations, as listed", rows[:1])
    ok(rows[0]["src_ip"] == both[0]["src_ip"] and rows[0]["dst_port"] == "53" and rows[0]["time"] == both[0]["time"] and rows[0]["user"] == "",
       "cells are the list's values", rows[0])
    _, job, body = order("csv", {"q": "uid:Calpha7"})
    rows = list(csv.DictReader(io.StringIO(body.decode()[1:], newline="")))
    ok(len(rows) == 1 and rows[0]["query"] == "'=evil.example", "a cell is no formula", rows)

    def file(query, **more):
        got = (s.https if "token" in more else s.http)("GET", f"/api/v1/events{query}", Accept="text/csv", **more)
        return got, list(csv.DictReader(io.StringIO(got.body.decode("utf-8-sig"), newline=""))) if got.status == 200 else []
    began = time.monotonic()
    got, rows = file("")
    note(f"{len(rows) / (time.monotonic() - began):.0f} rows a second as the answer")
    ok(len({r["id"] for r in rows}) == EACH * 2, "Accept: text/csv: every event as the answer", (got.status, len(rows)))
    got, rows = file("?q=query:h7.*")
    ok([r["id"] for r in rows[:200]] == [r["id"] for r in both], "with the filter", got.status)
    got, rows = file("", token=tokens["alpha"])
    ok({r["org"] for r in rows} == {"alpha"} and len(rows) == EACH, "of the asker's organisations", got.status)
    ok(file("?q=qury:x")[0].status == 400 and file("?after=now")[0].status == 400 and file("?org=beta", token=tokens["alpha"])[0].status == 404,
       "what is wrong is said")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        four = list(pool.map(file, ["?q=query:h7.*"] * 4))
    ok(all(len(rows) == len(four[0][1]) > 0 for _, rows in four), "each who asks the same at once has a file", [g.status for g, _ in four])
    ok(os.listdir(os.path.join(s.data, "state/export")) != [] and not [f for f in os.listdir(os.path.join(s.data, "state/export")) if f.startswith("f-")],
       "nothing of it stays", os.listdir(os.path.join(s.data, "state/export")))
    ok(s.http("GET", "/api/v1/events?limit=2").json()["items"], "who does not ask for it gets a page")

    began = time.monotonic()
    _, job, body = order("xlsx", {"org": "alpha"})
    note(f"{EACH / (time.monotonic() - began):.0f} rows a second as a workbook")
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        count = len(re.findall(rb"<row ", book.read("xl/worksheets/sheet1.xml")))
    ok(job["state"] == "done" and count == EACH + 1, "a workbook with all of one organisation", (job, count))
    _, job, body = order("jsonl", {"q": "query:nowhere.example"})
    ok(job["state"] == "done" and body == b"", "nothing found: an empty file", job)
    made, _, _ = order("csv", {"q": "qury:x"})
    ok(made.status == 400 and "unknown field" in made.body.decode(), "a wrong query is said at once", made)

    made = s.http("POST", "/api/v1/exports", {"kind": "events", "format": "xlsx"}).json()["id"]
    until(lambda: s.http("GET", f"/api/v1/jobs/{made}").json()["done"] > 0, 30, 0.01)
    s.http("DELETE", f"/api/v1/jobs/{made}")
    end = until(lambda: (lambda j: j if j["state"] not in ("queued", "running") else None)(s.http("GET", f"/api/v1/jobs/{made}").json()), 60)
    ok(end["state"] == "cancelled" and s.http("GET", f"/api/v1/exports/{made}").status == 409, "a cancelled export leaves nothing", end)
done()
