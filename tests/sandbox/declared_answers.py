"""What a document declares of answers, by a reader that shares nothing with the sandbox's own: it
holds formats, too.
"""

import re

import yaml
from jsonschema_rs import Draft202012Validator

from victor_ext.sandbox.server.document import document_path

PARTS = ("items", "additionalProperties", "not")
CHOICES = ("allOf", "anyOf", "oneOf")
BORDERS = {"int32": 2**31, "int64": 2**63}


class DeclaredAnswers:
    """The answers that a document has, by operation and status."""

    def __init__(self, name):
        text = document_path(name).read_text(encoding="utf-8")
        self.document = yaml.safe_load(text)
        schemas = self.document["components"]["schemas"]
        self.components = {"schemas": {each: meant(schemas[each]) for each in schemas}}
        self.answers = {
            (f"{method.upper()} {path}", str(status)): self._content(answer)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in ("get", "post", "delete")
            for status, answer in operation["responses"].items()
        }

    def _content(self, answer):
        """What rules an answer's body, by media type."""
        if "$ref" in answer:
            answer = self.document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        content = answer.get("content", {})
        return {media: self._rules(meant(content[media]["schema"])) for media in content}

    def schema(self, name):
        """The rules of one of the document's schemas."""
        return self._rules(self.components["schemas"][name])

    def _rules(self, schema):
        whole = {"allOf": [schema], "components": self.components}
        return Draft202012Validator(whole, validate_formats=True)

    def place_of(self, method, path):
        """The operation that a request is of; literal parts of a path come first."""
        fits = [
            operation
            for operation, _ in self.answers
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", operation), f"{method} {path}")
        ]
        return min(fits, key=lambda operation: operation.count("{"), default=None)

    def problems(self, place, answer, corrected):
        """What is wrong with an answer of an operation, a line each. `corrected` changes its JSON
        first.
        """
        content = self.answers[place, str(answer.status_code)]
        media = answer.headers.get("content-type", "").partition(";")[0]
        if not content:
            text = answer.text[:80]
            return [f"has a body, and none is declared: {text}"] if text else []
        if media not in content:
            return [f"has the type {media or 'none'}, and {', '.join(content)} is declared"]
        if not media.endswith("json"):
            return []
        found = content[media].iter_errors(corrected(answer.json()))
        return [f"/{'/'.join(map(str, error.instance_path))} {error.message}" for error in found]


def meant(schema):
    """A schema of OpenAPI 3.0 in JSON Schema: it may be null, integers have borders, a pattern is
    of the whole text, and what has members is an object.
    """
    made = dict(schema)
    if "properties" in made:
        made.setdefault("type", "object")
        members = made["properties"]
        made["properties"] = {name: meant(members[name]) for name in members}
    for name in PARTS:
        if isinstance(made.get(name), dict):
            made[name] = meant(made[name])
    for name in CHOICES:
        if name in made:
            made[name] = [meant(part) for part in made[name]]
    if "pattern" in made:
        made["pattern"] = f"^(?:{made['pattern']})$"
    border = BORDERS.get(made.get("format"))
    if border:
        made.setdefault("minimum", -border)
        made.setdefault("maximum", border - 1)
    made.pop("example", None)
    return {"anyOf": [made, {"type": "null"}]} if made.pop("nullable", False) else made
