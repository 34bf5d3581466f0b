"""The runtime-spec's schemas, which refer to each other by the names of their files."""
import json
import pathlib

import jsonschema


def load(folder):
    """All schemas of a folder, by file name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in pathlib.Path(folder).glob("*.json")}


def validator(folder, name):
    """A validator by the schema of that file name."""
    schemas = load(folder)
    resolver = jsonschema.RefResolver(base_uri="", referrer=schemas[name], store=schemas)
    return jsonschema.Draft4Validator(schemas[name], resolver=resolver)
