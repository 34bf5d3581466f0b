"""The runtime-spec's schemas, which refer to each other by the names of their files."""
import json
import pathlib
import warnings

import jsonschema

# Newer versions have another way to resolve references; this one works in all.
warnings.simplefilter("ignore", DeprecationWarning)


def name_files(schema, file):
    """References within a file get its name, so that a part of a schema can be used alone."""
    if isinstance(schema, dict):
        return {key: file + value if key == "$ref" and value.startswith("#") else name_files(value, file) for key, value in schema.items()}
    if isinstance(schema, list):
        return [name_files(item, file) for item in schema]
    return schema


def load(folder):
    """All schemas of a folder, by file name."""
    return {path.name: name_files(json.loads(path.read_text(encoding="utf-8")), path.name) for path in pathlib.Path(folder).glob("*.json")}


def validator(schemas, schema):
    """A validator by a schema, or a part of one."""
    return jsonschema.Draft4Validator(schema, resolver=jsonschema.RefResolver(base_uri="", referrer=schema, store=schemas))
