"""As much of JSON Schema 2020-12 as doc/openapi.yaml uses.  check() gives a list
of faults; a member that no schema names is one, unless additionalProperties
says otherwise or the object names none."""
import re

KNOWN = {"$ref", "type", "description", "properties", "required", "items", "enum", "pattern", "minimum", "maximum",
         "minLength", "maxLength", "minItems", "maxItems", "format", "default", "example", "additionalProperties"}
TYPES = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def resolve(doc, ref):
    at = doc
    for part in ref[2:].split("/"):
        at = at[part.replace("~1", "/").replace("~0", "~")]
    return at


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def members(doc, schema):
    """All members a schema and what it refers to name; None: any are fine."""
    out = dict(schema.get("properties", {}))
    if schema.get("additionalProperties") not in (None, False):
        return None
    if "$ref" in schema:
        more = members(doc, resolve(doc, schema["$ref"]))
        if more is None:
            return None
        out.update(more)
    return out


def check(doc, schema, value, at="", outer=True):
    faults = []
    unknown = set(schema) - KNOWN
    if unknown:
        faults.append(f"{at}: the checker does not know {sorted(unknown)}")
    if "$ref" in schema:
        faults += check(doc, resolve(doc, schema["$ref"]), value, at, False)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, t) for t in types):
        return faults + [f"{at}: {value!r} is not {types}"]
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{at}: {value!r} is not one of {schema['enum']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            faults.append(f"{at}: {value!r} does not fit {schema['pattern']}")
        if schema.get("format") == "date-time" and not TIME.match(value):
            faults.append(f"{at}: {value!r} is not a time")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 30):
            faults.append(f"{at}: length {len(value)}")
    if is_type(value, "number"):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            faults.append(f"{at}: {value} is out of range")
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1 << 30):
            faults.append(f"{at}: {len(value)} items")
        for i, item in enumerate(value):
            faults += check(doc, schema.get("items", {}), item, f"{at}/{i}")
    if isinstance(value, dict):
        faults += [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, sub in schema.get("properties", {}).items():
            if name in value:
                faults += check(doc, sub, value[name], f"{at}/{name}")
        if isinstance(schema.get("additionalProperties"), dict):
            for name in set(value) - set(schema.get("properties", {})):
                faults += check(doc, schema["additionalProperties"], value[name], f"{at}/{name}")
        named = members(doc, schema) if outer else None
        if named:
            faults += [f"{at}: {name} is not documented" for name in value if name not in named]
    return faults
