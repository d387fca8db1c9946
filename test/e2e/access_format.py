#!/usr/bin/env python3
"""yagura access format: texts laid out, JSON and back, templates and links, exit status."""
import json
import os
import subprocess
import sys
import tempfile

from harness import done, ok

yagura = os.path.abspath(sys.argv[1])
TEXT = """// who may look
@id("look") permit(principal in Group::"g", action == Action::"view", resource)
when { resource.owner == principal && context.hour < 18 }; // by day
permit(principal == ?principal, action, resource in ?resource);
"""
LAID = """// who may look
@id("look")
permit (
  principal in Group::"g",
  action == Action::"view",
  resource
)
when { resource.owner == principal && context.hour < 18 }; // by day

permit (
  principal == ?principal,
  action,
  resource in ?resource
);
"""
LINK = {"templateId": "policy1", "newId": "lent", "values": {
    "?principal": {"__entity": {"type": "User", "id": "bob"}}, "?resource": {"__entity": {"type": "Album", "id": "a"}}}}

with tempfile.TemporaryDirectory() as folder:
    def form(content, *more):
        path = os.path.join(folder, "policies")
        with open(path, "w", encoding="utf-8") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        return subprocess.run([yagura, "access", "format", path, *more], capture_output=True, text=True, env={**os.environ, "LANG": "C", "LC_ALL": "C"})

    r = form(TEXT)
    ok(r.returncode == 0 and r.stdout == LAID, "a text is laid out, its comments stay", r.stdout + r.stderr)
    r = form(TEXT, "--check")
    ok(r.returncode == 3 and r.stdout == "", "--check: it was not", str(r.returncode))
    r = form(LAID, "--check")
    ok(r.returncode == 0 and r.stdout == "", "and what is laid out stays", str(r.returncode))

    r = form(TEXT, "--to", "json")
    parts = json.loads(r.stdout)
    ok(list(parts["staticPolicies"]) == ["look"] and list(parts["templates"]) == ["policy1"] and parts["templateLinks"] == [], "as JSON: policies and templates by id", r.stdout)
    ok(parts["templates"]["policy1"]["resource"] == {"op": "in", "slot": "?resource"}, "slots are slots", r.stdout)
    parts["templateLinks"].append(LINK)
    r = form(parts, "--policy-format", "json", "--to", "json")
    ok(json.loads(r.stdout) == parts, "JSON comes out as it went in, links among it", r.stdout)
    r = form(parts, "--policy-format", "json")
    ok('@id("lent")\npermit (\n  principal == User::"bob",\n  action,\n  resource in Album::"a"\n);' in r.stdout, "as text a link says what it does, under its id", r.stdout)
    ok('@id("look")' in r.stdout and r.stdout.count("@id(") == 2, "the others keep their ids", r.stdout)
    back = json.loads(form(r.stdout, "--to", "json").stdout)
    ok(set(back["staticPolicies"]) == {"look", "lent"} and set(back["templates"]) == {"policy1"}, "and the text is read again", r.stdout)

    for what, content, more, says in (
            ("a text", "permit(principal);", (), "policies: line 1, column 17: unexpected ')'; expected ','"),
            ("JSON", '{"staticPolicies":[1]}', ("--policy-format", "json"), "policies: byte 19: expected an object"),
            ("JSON", {**parts, "templateLinks": [{**LINK, "templateId": "look"}]}, ("--policy-format", "json"), "there is no such template")):
        r = form(content, *more)
        ok(r.returncode == 1 and says in r.stderr and r.stdout == "", f"{what} that cannot be used is told", f"{r.returncode} {r.stderr}")
    deep = '{"&&":{"left":{"Value":true},"right":' * 600 + '{"Value":true}' + "}}" * 600
    r = form('{"effect":"permit","principal":{"op":"All"},"action":{"op":"All"},"resource":{"op":"All"},"conditions":[{"kind":"when","body":' + deep + "}]}", "--policy-format", "json")
    ok(r.returncode == 1 and "cannot be said as text: line " in r.stderr and r.stdout == "", "what could not be read back is not written", f"{r.returncode} {r.stderr}")
    form(TEXT)
    with open("/dev/full", "w") as full:
        r = subprocess.run([yagura, "access", "format", os.path.join(folder, "policies")], stdout=full, stderr=subprocess.PIPE, text=True)
    ok(r.returncode == 1 and "written" in r.stderr, "a full disk is no success", f"{r.returncode} {r.stderr}")
    r = form(TEXT, "--to", "yaml")
    ok(r.returncode == 2 and "--to is text or json" in r.stderr, "an unknown form is wrong usage", r.stderr)
    r = subprocess.run([yagura, "access", "format", os.path.join(folder, "none")], capture_output=True, text=True)
    ok(r.returncode == 6, "a file that is not there is not found", str(r.returncode))
done()
