#!/usr/bin/env python3
"""yagura access authorize: both forms of policies and schemas, answers, faults, exit status."""
import json
import os
import subprocess
import sys
import tempfile

from harness import done, ok

yagura = os.path.abspath(sys.argv[1])
USER = {"type": "User", "id": "alice"}
PHOTO = {"type": "Photo", "id": "p"}
VIEW = {"type": "Action", "id": "view"}
POLICY = """permit(principal in Group::"g", action, resource) when { resource.owner == principal };
@id("no") forbid(principal, action, resource) when { context.late };
permit(principal == ?principal, action, resource);"""
AS_JSON = {"effect": "permit", "principal": {"op": "==", "slot": "?principal"}, "action": {"op": "All"}, "resource": {"op": "All"}, "conditions": []}
SCHEMA = """entity Group; entity User in [Group]; entity Photo { owner: User };
action view appliesTo { principal: User, resource: Photo, context: { late?: Bool } };"""
SCHEMA_JSON = {"": {
    "entityTypes": {"Group": {}, "User": {"memberOfTypes": ["Group"]},
                    "Photo": {"shape": {"type": "Record", "attributes": {"owner": {"type": "Entity", "name": "User"}}}}},
    "actions": {"view": {"appliesTo": {"principalTypes": ["User"], "resourceTypes": ["Photo"], "context": {
        "type": "Record", "attributes": {"late": {"type": "Boolean", "required": False}}}}}}}}
ENTITIES = [{"uid": USER, "attrs": {}, "parents": [{"type": "Group", "id": "g"}]},
            {"uid": PHOTO, "attrs": {"owner": {"__entity": USER}}, "parents": []}]
IMPLICIT = [ENTITIES[0], {"uid": PHOTO, "attrs": {"owner": USER}, "parents": []}]


def request(**more):
    return {"principal": USER, "action": VIEW, "resource": PHOTO, "context": {}, **more}


with tempfile.TemporaryDirectory() as folder:
    def put(name, content):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def ask(*more, policies=POLICY, entities=ENTITIES, requests=(request(),), schema=None, as_json=True):
        args = ["--policies", put("policies", policies), "--entities", put("entities", entities), "--requests", put("requests", list(requests) if isinstance(requests, tuple) else requests)]
        if schema is not None:
            args += ["--schema", put("schema", schema)]
        return subprocess.run([yagura, "access", "authorize", *args, *(["--json"] if as_json else []), *more], capture_output=True, text=True, env={**os.environ, "LANG": "C", "LC_ALL": "C"})

    def answers(r):
        return [json.loads(line) for line in r.stdout.splitlines()]

    r = ask(requests=(request(), request(context={"late": True}), request(principal={"type": "User", "id": "bob"}, context={"late": False})))
    ok(r.returncode == 0 and answers(r) == [
        {"decision": "allow", "reason": ["policy0"], "errors": ["no"]},
        {"decision": "deny", "reason": ["no"], "errors": []},
        {"decision": "deny", "reason": [], "errors": []}], "one line for each request, ids by place or @id", r.stdout + r.stderr)
    long = "x" * 300
    r = ask(as_json=False, policies=f'@id("{long}1") permit(principal, action, resource);')
    ok(r.stdout == f"allow by {long}1\n", "ids are told whole: two may differ at their ends", r.stdout)
    slow = POLICY + '@id("slow") forbid(principal, action, resource) when { context has s && context.s like "*' + "a" * 20000 + 'b*" };'
    r = ask(policies=slow, requests=(request(context={"late": False, "s": "a" * 40000}), request(context={"late": False})))
    ok(r.returncode == 3 and "request 1: the request needs more than 10000000 steps (at the policy 'slow')" in r.stderr and
       [a["decision"] for a in answers(r)] == ["deny", "allow"], "a request that takes too many steps is denied, the next is answered", r.stdout + r.stderr)
    r = ask(requests=(request(principal={"__extn": {"fn": "decimal", "arg": "922337203685477.5807"}}), request(context={"late": False})))
    ok(r.returncode == 3 and "request 1: principal: expected an entity" in r.stderr and [a["decision"] for a in answers(r)] == ["deny", "allow"],
       "an extension is no principal", r.stdout + r.stderr)
    r = ask("--fail-closed")
    ok(answers(r) == [{"decision": "deny", "reason": ["no"], "errors": ["no"]}], "a forbid in error denies where that is asked", r.stdout)
    r = ask(as_json=False)
    ok(r.stdout == "allow by policy0\n  no is in error: there is no attribute 'late'\n", "for people: by which policy, and what went wrong", r.stdout)
    r = ask("--policy-format", "json", policies={"templates": {"t": AS_JSON}, "templateLinks": [
        {"templateId": "t", "newId": "alices", "values": {"?principal": USER}}, {"templateId": "t", "newId": "bobs", "values": {"?principal": {"type": "User", "id": "bob"}}}]})
    ok(answers(r) == [{"decision": "allow", "reason": ["alices"], "errors": []}], "links of a template in a set as JSON", r.stdout + r.stderr)
    for name, schema in (("text", SCHEMA), ("JSON", SCHEMA_JSON)):
        r = ask(entities=IMPLICIT, schema=schema, requests=(request(context={"late": False}),))
        ok(r.returncode == 0 and answers(r)[0]["decision"] == "allow", f"entities by their implicit form with a schema as {name}", r.stderr)
    r = ask(entities=IMPLICIT)
    ok(answers(r)[0]["decision"] == "deny", "which is a record without one")
    r = ask(schema=SCHEMA, requests=(request(context={"late": 1}), request(action={"type": "Action", "id": "fly"}), request(context={"late": False})))
    ok(r.returncode == 3 and [a["decision"] for a in answers(r)] == ["deny", "deny", "allow"]
       and "request 1: context: expected bool, found long" in r.stderr and "request 2: Action::\"fly\" is no action of the schema" in r.stderr,
       "a request that the schema does not allow is denied and told, the others go on: 3", r.stdout + r.stderr)
    r = ask(requests=([], request(), {"principal": USER}))
    ok(r.returncode == 3 and [a["decision"] for a in answers(r)] == ["deny", "allow", "deny"], "so is one that is none", r.stderr)
    twice = json.dumps(request())[:-1] + ', "principal": ' + json.dumps({"type": "User", "id": "bob"}) + "}"
    r = ask(requests=f"[{twice}]")
    ok(r.returncode == 3 and answers(r)[0]["decision"] == "deny" and "\"principal\" is there twice" in r.stderr, "and one that names two principals", r.stderr)
    r = ask(requests=tuple(request(context={"n": list(range(60)), "late": i % 2 == 1, "text": "x" * 500}) for i in range(12000)))
    lines = answers(r)
    ok(len(lines) == 12000 and [a["decision"] for a in lines[:4]] == ["allow", "deny", "allow", "deny"], "ten megabytes of requests")
    for what, more, says in (
            ("policies", {"policies": "permit(principal, action, resource)"}, "the text ends here; expected 'when', 'unless' or ';'"),
            ("policies", {"policies": "@id(\"a\") permit(principal, action, resource); @id(\"a\") permit(principal, action, resource);"}, "two policies have the id 'a'"),
            ("entities", {"entities": [{"uid": USER, "attrs": {}, "parents": [USER]}]}, "is its own ancestor"),
            ("entities", {"entities": [{"uid": USER, "attrs": {"x": 1e30}, "parents": []}]}, "is no whole number of 64 bits"),
            ("entities", {"entities": ENTITIES[:1] + [{**ENTITIES[0], "parents": []}]}, "is there twice, and differs"),
            ("entities", {"entities": IMPLICIT[:1] + [{**IMPLICIT[1], "attrs": {}}], "schema": SCHEMA}, "the attribute 'owner' is missing"),
            ("schema", {"schema": "entity User in [Gruop];"}, "'Gruop' is no entity type of the schema"),
            ("requests", {"requests": {}}, "requests are a list"),
            ("requests", {"requests": "[{]"}, "JSON: expected a key"),
            ("schema", {"schema": "entity User; entity User;"}, "'User' is declared twice")):
        r = ask(**more)
        ok(r.returncode == 1, f"{what}: cannot be used", str(r.returncode))
        ok(says in r.stderr and f"/{what}: " in r.stderr and r.stdout == "", f"and told: {says}", r.stderr)
    r = ask("--policy-format", "yaml")
    ok(r.returncode == 2 and "--policy-format is text or json" in r.stderr, "an unknown form is wrong usage", r.stderr)
    r = subprocess.run([yagura, "access", "authorize", "--policies", "x"], capture_output=True, text=True)
    ok(r.returncode == 2, "so is a missing file option")
done()
