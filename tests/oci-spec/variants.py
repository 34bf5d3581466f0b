"""variants.py SCHEMA-FOLDER KIND FILE...: changes one value of each FILE, a config.json, in every place and gives what the
schema refuses to `oci-spec check`, which has to refuse it, too. Says what it does not, and exits 1 then.

KIND: `missing` (each member removed), `type` (values of each other type), `value` (words and numbers that do not belong).
null is no variant: it counts as absent (oci-spec(8)). Sections for other systems are not looked at; they are ignored."""
import copy
import json
import subprocess
import sys

from schemas import load, validator

OTHER_SYSTEMS = {"windows", "vm", "solaris", "zos", "freebsd"}
# Stricter than what is written: Go's os.FileMode and stat's st_mode have the type in the upper bits.
TAKEN = {"/linux/devices/*/fileMode": lambda value: isinstance(value, int) and 0o777 < value < 2**32}

folder, kind, *paths = sys.argv[1:]
schemas = load(folder)


def resolve(schema):
    """The schema behind references."""
    while "$ref" in schema:
        file, _, pointer = schema["$ref"].partition("#")
        schema = schemas[file]
        for token in pointer.strip("/").split("/"):
            schema = schema[token]
    return schema


def schemas_below(schema, token):
    """All schemas of a member or item."""
    schema = resolve(schema)
    for part in schema.get("allOf", []) + schema.get("anyOf", []):
        yield from schemas_below(part, token)
    if isinstance(token, int):
        inner = schema.get("items")
    else:
        inner = schema.get("properties", {}).get(token)
        if inner is None and isinstance(schema.get("additionalProperties"), dict):
            inner = schema["additionalProperties"]
        for pattern_schema in schema.get("patternProperties", {}).values():
            inner = inner or pattern_schema
    if inner is not None:
        yield inner


def is_refused(where, value):
    """By one of the schemas that hold there."""
    return any(not checker.evolve(schema=schema).is_valid(value) for schema in where)


def variants_of(value):
    """What may take the place of a value."""
    if kind == "type":
        for other in (True, 7, 1.5, "x", [], ["x"], {}, {"x": "x"}):
            if isinstance(other, bool) != isinstance(value, bool) or not isinstance(other, type(value)):
                yield other
    elif isinstance(value, str):
        yield from ("", "x", value + "x", value.lower() if value.lower() != value else value.upper(), value + "\n")
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from (-1, -(2**31) - 1, 2**16, 2**31, 2**32, 2**63, 2**64, -(2**63) - 1, 0)
    elif isinstance(value, list):
        yield from ([], value + [7], value + ["x"], value + [{}])
    elif isinstance(value, dict):
        yield from ({}, {**value, "x": 7}, {**value, "x": {}})


def places(value, where, tokens=()):
    """Every value of a document, with the schemas that hold there."""
    yield tokens, value, where
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for token, member in inner:
        if tokens or token not in OTHER_SYSTEMS:
            below = [inner for schema in where for inner in schemas_below(schema, token)]
            yield from places(member, below, tokens + (token,))


def pointer(tokens):
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def changed(document, tokens, change):
    """A copy in which `change` was done to the container of the last token."""
    document = copy.deepcopy(document)
    at = document
    for token in tokens[:-1]:
        at = at[token]
    change(at, tokens[-1])
    return document


checker = validator(schemas, schemas["config-schema.json"])
tried = 0
taken = []
for path in paths:
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    errors = [error for error in checker.iter_errors(config)]
    assert not errors, (path, errors)
    for tokens, value, where in places(config, [schemas["config-schema.json"]]):
        pattern = "".join("/" + ("*" if isinstance(token, int) else token) for token in tokens)
        todo = []
        if kind == "missing" and isinstance(value, dict):
            for name in value:
                if is_refused(where, {key: member for key, member in value.items() if key != name}):
                    todo.append((changed(config, tokens + (name,), lambda at, key: at.pop(key)), f"without {name}"))
        elif kind != "missing" and tokens:
            for variant in variants_of(value):
                if is_refused(where, variant) and not TAKEN.get(pattern, lambda value: False)(variant):
                    todo.append((changed(config, tokens, lambda at, key: at.__setitem__(key, variant)), json.dumps(variant)))
        for document, what in todo:
            tried += 1
            done = subprocess.run(["oci-spec", "check"], input=json.dumps(document).encode(), capture_output=True, check=False, timeout=20)
            if done.returncode == 0:
                taken.append(f"{path}: {pointer(tokens)}: {what}")
            elif done.returncode != 1 or b": found " not in done.stderr:
                taken.append(f"{path}: {pointer(tokens)}: {what}: status {done.returncode}: {done.stderr!r}")
print("\n".join(taken[:100]) if taken else f"{tried} variants refused")
sys.exit(bool(taken) or tried == 0)
