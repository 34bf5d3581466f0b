"""validate.py SCHEMA-FOLDER SCHEMA FILE: says by which of the runtime-spec's schemas a JSON file is wrong, and exits 1 then."""
import json
import sys

from schemas import load, validator

folder, schema, path = sys.argv[1:]
schemas = load(folder)
with open(path, encoding="utf-8") as file:
    errors = list(validator(schemas, schemas[schema]).iter_errors(json.load(file)))
for error in errors:
    print(f"/{'/'.join(map(str, error.absolute_path))}: {error.message}")
sys.exit(bool(errors))
