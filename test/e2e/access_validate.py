#!/usr/bin/env python3
"""yagura access validate: faults of policies, entities and requests, where they are, exit status."""
import json
import os
import subprocess
import sys
import tempfile

from harness import done, ok

yagura = os.path.abspath(sys.argv[1])
SCHEMA = """entity Group; entity User in [Group] { rank?: Long }; entity Photo { owner: User };
action view appliesTo { principal: User, resource: Photo, context: { late?: Bool } };"""
GOOD = 'permit(principal in Group::"g", action == Action::"view", resource) when { resource.owner == principal };'
BAD = """permit(principal, action, resource)
  when { resource.ownr == principal };
@id("rank") permit(principal == ?principal, action, resource) when { principal.rank > 1 };
forbid(principal is Group, action, resource);"""
USER = {"type": "User", "id": "alice"}
PHOTO = {"type": "Photo", "id": "p"}
ENTITIES = [{"uid": PHOTO, "attrs": {"owner": USER}, "parents": []}]
REQUEST = {"principal": USER, "action": {"type": "Action", "id": "view"}, "resource": PHOTO, "context": {}}

with tempfile.TemporaryDirectory() as folder:
    def put(name, content):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def check(policies, *more, schema=SCHEMA, **files):
        args = ["--policies", put("policies", policies), "--schema", put("schema", schema)]
        for name, content in files.items():
            args += [f"--{name}", put(name, content)]
        return subprocess.run([yagura, "access", "validate", *args, *more], capture_output=True, text=True, env={**os.environ, "LANG": "C", "LC_ALL": "C"})

    r = check(GOOD, entities=ENTITIES, requests=[REQUEST])
    ok(r.returncode == 0 and r.stdout == "" and r.stderr == "", "what is right is told by status alone", r.stdout + r.stderr)
    r = check(BAD)
    path = os.path.join(folder, "policies")
    ok(r.returncode == 3 and r.stdout.splitlines() == [
        f"{path}: line 2, column 18: policy0: Photo has no attribute 'ownr'; did you mean 'owner'?",
        f"{path}: line 3, column 79: rank: the attribute 'rank' may be missing here: test it with `has` before",
        f"{path}: line 4, column 1: policy2: warning: this policy applies to no request that the schema allows"],
       "faults say which policy and where, and the near name", r.stdout)
    r = check(BAD, "--json")
    lines = [json.loads(line) for line in r.stdout.splitlines()]
    ok(lines[0] == {"policy": "policy0", "severity": "error", "offset": 53, "line": 2, "column": 18, "message": "Photo has no attribute 'ownr'; did you mean 'owner'?"}
       and [x["severity"] for x in lines] == ["error", "error", "warning"], "as JSON, too", r.stdout)
    r = check("forbid(principal is Group, action, resource);")
    ok(r.returncode == 0 and "warning" in r.stdout, "a warning is no fault", r.stdout)
    as_json = {"staticPolicies": {"p": {"effect": "permit", "principal": {"op": "is", "entity_type": "Usr"}, "action": {"op": "All"}, "resource": {"op": "All"}, "conditions": []}}}
    r = check(as_json, "--policy-format", "json")
    ok(r.returncode == 3 and "byte 25: p: the schema has no entity type 'Usr'; did you mean 'User'?" in r.stdout, "policies as JSON say the byte", r.stdout)
    r = check("permit(principal);")
    ok(r.returncode == 3 and "line 1, column 17: unexpected ')'" in r.stdout, "a text that is no policy is a fault", r.stdout)
    r = check(GOOD, entities=[{**ENTITIES[0], "attrs": {}}])
    ok(r.returncode == 3 and "/entities: attributes of Photo::\"p\": the attribute 'owner' is missing" in r.stdout, "so is an entity that does not fit", r.stdout)
    r = check(GOOD, "--json", requests=[REQUEST, {**REQUEST, "context": {"late": 1}}])
    ok(r.returncode == 3 and json.loads(r.stdout) == {"file": "requests", "severity": "error", "request": 2, "message": "context: expected bool, found long"}, "and a request", r.stdout)
    r = check(GOOD, schema="entity User in [Gruop];")
    ok(r.returncode == 1 and r.stdout == "" and "'Gruop' is no entity type" in r.stderr, "a schema that is none cannot be used", r.stderr)
done()
