#!/usr/bin/env python3
"""Checks the api's description with other people's tools: that it is OpenAPI 3.1, and that recorded answers fit its schemas.

    python3 -m venv venv && venv/bin/pip install openapi-spec-validator jsonschema
    venv/bin/python Tests/OpenAPI/check.py
"""
import json
import pathlib
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

root = pathlib.Path(__file__).resolve().parents[2]
document = json.loads((root / "Sources/C/OpenAPI/openapi.json").read_text())
fixtures = root / "Tests/QueryAPITests/Fixtures"

# A recorded answer's schema, by how its file is called; the longest beginning counts.
schemas = {"runs": "RunPage", "run-": "Run", "run-cost": "Cost", "cost-": "Cost", "health": "Health", "problem": "Problem", "otlp": "TracesData"}
plain = {"config.json", "metrics.txt"}

mistakes = [f"openapi.json: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
checked = 0
for file in sorted(fixtures.iterdir()):
    if file.name in plain:
        continue
    name = max((start for start in schemas if file.name.startswith(start)), key=len, default=None)
    if name is None:
        mistakes.append(f"{file.name}: no schema is known for it")
        continue
    schema = {"$ref": f"#/components/schemas/{schemas[name]}", "components": document["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    for error in validator.iter_errors(json.loads(file.read_text())):
        mistakes.append(f"{file.name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    checked += 1

if checked < 15:
    mistakes.append(f"only {checked} recorded answers were found")
print("\n".join(mistakes) if mistakes else f"openapi.json is OpenAPI 3.1, and {checked} recorded answers fit it")
sys.exit(1 if mistakes else 0)
