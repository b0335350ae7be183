"""Answers against docs/openapi.json."""
import json

import jsonschema

import harness

DOCUMENT = json.loads((harness.ROOT / "docs/openapi.json").read_text())


def matches(schema, value):
    """Against a schema as it stands in the document, with its references."""
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def described(method, path, status):
    """The JSON schema of an answer, None when it is not JSON; the path as in the document."""
    answer = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return answer.get("content", {}).get("application/json", {}).get("schema")
