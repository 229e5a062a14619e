"""A provider that does what a document says, and refuses everything else: unknown parameters and
members too.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx
import jsonschema_rs

from victor_spec.tree import METHODS, resolve

from .values import MOST, Tree, Values, key_paths

REFUSED = 499
"""The status of a refusal; no document has it."""
FORM = "application/x-www-form-urlencoded"


class Parameter(NamedTuple):
    place: str
    name: str
    schema: Tree
    required: bool


class Answer(NamedTuple):
    status: str
    content_type: str
    body: Any
    schema: Tree | None


@dataclass
class Request:
    """A request as the document means it."""

    operation: Operation
    parameters: dict[tuple[str, str], Any]
    content_type: str
    body: Any

    def path(self) -> str:
        return re.sub(
            r"{([^}]+)}", lambda found: str(self.parameters["path", found[1]]), self.operation.path
        )


class Operation:
    """One method of one path."""

    def __init__(self, provider: Provider, method: str, path: str, item: Tree) -> None:
        self.method, self.path, self.tree, self._values = (
            method,
            path,
            item[method],
            provider.values,
        )
        given = [*item.get("parameters", []), *self.tree.get("parameters", [])]
        flat = (each for one in given for each in provider.flat(resolve(provider.document, one)))
        self.parameters = list({(each.place, each.name): each for each in flat}.values())
        body = resolve(provider.document, self.tree.get("requestBody", {}))
        self.contents = {kind: medium["schema"] for kind, medium in body.get("content", {}).items()}
        self.body_required = bool(body.get("required"))
        self.answers: dict[str, Tree] = {}
        for status, answer in self.tree["responses"].items():
            content = resolve(provider.document, answer).get("content", {})
            self.answers[status] = {
                kind: medium.get("schema", {}) for kind, medium in content.items()
            }
        self.requests, self.responses = [*self._requests()], [*self._responses()]

    def _requests(self) -> Iterator[Request]:
        """Requests that the document allows."""
        for variant in range(-1, MOST):
            full = variant >= 0
            chosen = {
                (each.place, each.name): self._values.value(each.schema, max(variant, 0), full=full)
                for each in self.parameters
                if full or each.required
            }
            for content_type, schema in self.contents.items() or [("", {})]:
                body = None
                if content_type and (full or self.body_required):
                    body = self._values.value(schema, max(variant, 0), full=full)
                yield Request(self, chosen, content_type if body is not None else "", body)

    def _responses(self) -> Iterator[Answer]:
        """Answers that the document allows; the first one of a status has all properties."""
        for status, contents in self.answers.items():
            for content_type, schema in contents.items() or [("", None)]:
                for variant in [*range(MOST), -1] if schema is not None else [0]:
                    body = (
                        None
                        if schema is None
                        else self._values.value(schema, max(variant, 0), full=variant >= 0)
                    )
                    yield Answer(status, content_type, body, schema)


class Provider:
    """What a document says, as a judge of requests and answers."""

    def __init__(self, document: Tree) -> None:
        self.document = document
        self.values = Values(document)
        self.base = urlsplit((document.get("servers") or [{"url": ""}])[0]["url"]).path.rstrip("/")
        self._validators: dict[tuple[str, int], Any] = {}
        self._closed = {
            "components": {"schemas": _closed(document.get("components", {}).get("schemas", {}))}
        }
        self._open = {
            "components": {
                "schemas": _json_schema(document.get("components", {}).get("schemas", {}))
            }
        }
        self._loose = {"components": {"schemas": _loose(self._open["components"]["schemas"])}}
        self.operations = {
            (method, path): Operation(self, method, path, item)
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        }

    def flat(self, parameter: Tree) -> Iterator[Parameter]:
        """A parameter, or one for each property of an object in the query."""
        whole = self.values.whole(parameter["schema"])
        required = bool(parameter.get("required")) or parameter["in"] == "path"
        if parameter["in"] == "query" and "properties" in whole:
            pattern = (
                "{}" if parameter.get("style", "form") == "form" else parameter["name"] + "[{}]"
            )
            for name, schema in whole["properties"].items():
                needed = required and name in whole.get("required", [])
                yield Parameter("query", pattern.format(name), schema, needed)
        else:
            yield Parameter(parameter["in"], parameter["name"], parameter["schema"], required)

    # ---- Answering ----

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What is sent back; of several answers, the one whose number `X-Answer` has."""
        request.read()
        refusal = (
            self.refusal(request)
            if request.url.path.startswith(f"{self.base}/")
            else "no such server"
        )
        found = self.route(request)
        if refusal is not None or found is None:
            return httpx.Response(REFUSED, text=refusal)
        answers = found[0].responses
        chosen = answers[int(request.headers["x-answer"]) % len(answers)]
        headers = {
            "X-Defaults": json.dumps(self.defaults(request)),
            "Content-Type": chosen.content_type,
        }
        status = {"default": 500}.get(chosen.status) or int(chosen.status.upper().replace("X", "9"))
        if chosen.schema is None:
            return httpx.Response(status, headers=headers)
        text = json.dumps(chosen.body) if "json" in chosen.content_type else "<answer/>"
        return httpx.Response(status, headers=headers, content=text)

    # ---- Judging ----

    def route(self, request: httpx.Request) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request; paths without parameters come first."""
        path = request.url.path.removeprefix(self.base)
        for (name, template), operation in sorted(
            self.operations.items(), key=lambda item: item[0][1].count("{")
        ):
            pattern = re.sub(r"\\{([^}]+)\\}", "([^/]+)", re.escape(template))
            found = re.fullmatch(pattern, path)
            if found and name == request.method.lower():
                return operation, dict(
                    zip(re.findall(r"{([^}]+)}", template), found.groups(), strict=True)
                )
        return None

    def refusal(self, request: httpx.Request) -> str | None:
        """Why the provider refuses a request; None when it does what it is asked."""
        found, headers = self.route(request), request.headers
        if found is None:
            return f"no operation {request.method} {request.url.path}"
        operation, in_path = found
        given: dict[tuple[str, str], list[str]] = {
            ("path", name): [value] for name, value in in_path.items()
        }
        for name, value in request.url.params.multi_items():
            given.setdefault(("query", name), []).append(value)
        for place, name in list(given):
            if place == "query" and not any(
                each[:2] == (place, name) for each in operation.parameters
            ):
                return f"unknown parameter {name}"
        for each in operation.parameters:
            texts = (
                [headers[each.name]] if each.place == "header" and each.name in headers else None
            )
            texts = texts or given.get((each.place, each.name))
            if texts is None and each.required:
                return f"{each.place} parameter {each.name} is missing"
            if texts is not None and (
                why := self.invalid("closed", each.schema, self._decoded(each.schema, texts))
            ):
                return f"{each.place} parameter {each.name}: {why}"
        needed = self.credentials(operation)
        if needed and not any(
            all(headers.get(name, "").startswith(at) for name, at in each) for each in needed
        ):
            return "credentials are missing"
        return self._body(operation, headers, request.content)

    def defaults(self, request: httpx.Request) -> Tree:
        """What the provider takes for parameters and members that a request does not have."""
        found = self.route(request)
        assert found is not None
        given = {*request.url.params, *request.headers}
        taken = {
            each.name: each.schema
            for each in found[0].parameters
            if not {each.name, each.name.lower()} & given
        }
        if request.content and request.headers.get("content-type", "").startswith(
            "application/json"
        ):
            paths = key_paths(json.loads(request.content))
            sent = {path.rpartition(".")[2].removesuffix("[]") for path in paths}
            members = [
                pair for each in found[0].contents.values() for pair in self._members(each).items()
            ]
            taken |= {name: schema for name, schema in members if name not in sent}
        whole = {name: self.values.whole(schema) for name, schema in taken.items()}
        return {
            name: schema["default"] for name, schema in sorted(whole.items()) if "default" in schema
        }

    def _members(self, schema: Tree, depth: int = 0) -> Tree:
        """The members that a body can have, at any depth."""
        found: Tree = {}
        for name, child in self.values.whole(schema).get("properties", {}).items():
            found[name] = child
            if depth < 4:
                found |= self._members(child, depth + 1)
        return found

    def _decoded(self, schema: Tree, texts: list[str]) -> Any:
        whole = self.values.whole(schema)
        if whole.get("type") == "array":
            return [self._decoded(whole.get("items", {}), [text]) for text in texts]
        if whole.get("type") in ("integer", "number", "boolean"):
            with contextlib.suppress(ValueError):
                return json.loads(texts[0])
        return texts[0]

    def credentials(self, operation: Operation) -> list[list[tuple[str, str]]]:
        """By security requirement, its headers, each with what its value begins with."""
        schemes = self.document.get("components", {}).get("securitySchemes", {})

        def header(scheme: Tree) -> tuple[str, str]:
            if scheme["type"] == "apiKey":
                return scheme["name"], "key"
            return "Authorization", "Basic " if scheme.get(
                "scheme", ""
            ).lower() == "basic" else "Bearer "

        needed = operation.tree.get("security", self.document.get("security", []))
        return [[header(schemes[name]) for name in requirement] for requirement in needed]

    def _body(self, operation: Operation, headers: httpx.Headers, body: bytes) -> str | None:
        kind = headers.get("content-type", "").partition(";")[0].strip()
        schema = next(
            (tree for name, tree in operation.contents.items() if name.partition(";")[0] == kind),
            None,
        )
        if not body and not operation.body_required:
            return None
        if not body or schema is None:
            return f"a body of {kind or 'no type'}" if body else "the body is missing"
        if kind != FORM:
            return self.invalid("closed", schema, json.loads(body))
        properties = self.values.whole(schema).get("properties", {})
        fields = {
            name: self._decoded(properties.get(name, {}), [value])
            for name, value in parse_qsl(body.decode())
        }
        return self.invalid("closed", schema, fields)

    def invalid(self, kind: str, schema: Tree, value: Any) -> str | None:
        """Why a value is not what the document says.

        "closed" is for requests: members that are not declared are refused, too; "open" for
        answers; "loose" for code that relies on the types, and on what is required.
        """
        key = (kind, id(schema))
        if key not in self._validators:
            write, components = {
                "closed": (_closed_at_root, self._closed),
                "open": (_json_schema, self._open),
                "loose": (lambda tree: _loose(_json_schema(tree)), self._loose),
            }[kind]
            whole = {**write(schema), **components}
            self._validators[key] = (
                schema,
                jsonschema_rs.Draft202012Validator(whole, validate_formats=True),
            )
        error = next(iter(self._validators[key][1].iter_errors(value)), None)
        return None if error is None else f"{error.message[:200]} at {list(error.instance_path)}"

    def essence(self, operation: Operation) -> str:
        """All that the document says of an operation, what it refers to included, without texts."""
        shared = [self.document.get(key) for key in ("security", "servers")]
        schemes = self.document.get("components", {}).get("securitySchemes")
        item = self.document["paths"][operation.path]
        found: Tree = {"": [*shared, schemes, operation.tree, item.get("parameters")]}
        left = [""]
        while left:
            references = re.findall(r'"\$ref": "(.*?)"', json.dumps(found[left.pop()]))
            new = {
                each: resolve(self.document, {"$ref": each})
                for each in references
                if each not in found
            }
            found |= new
            left += new
        return json.dumps(found, sort_keys=True)


# ---- Schemas of OpenAPI 3.0 as JSON Schema ----


def _json_schema(value: Any) -> Any:
    """Without the keys that JSON Schema does not have; null where `nullable` allows it."""
    if isinstance(value, list):
        return [_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {
        name: _json_schema(each)
        for name, each in value.items()
        if name not in ("example", "discriminator", "nullable")
    }
    if value.get("nullable") is True and "type" in found:
        found["type"] = [found["type"], "null"] if isinstance(found["type"], str) else found["type"]
        if "enum" in found and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
    return found


def _closed(value: Any) -> Any:
    """Every schema that is used as a whole refuses members that it does not declare, or that are
    read-only.

    Those in `allOf` do not.
    """
    found = _json_schema(value)
    stack = list(found.values())
    while stack:
        each = stack.pop()
        if not isinstance(each, dict):
            continue
        for key in ("properties", "patternProperties"):
            if isinstance(each.get(key), dict):
                each[key] = {name: _shut(child) for name, child in each[key].items()}
                stack += each[key].values()
        if isinstance(each.get("items"), dict):
            each["items"] = _shut(each["items"])
            stack.append(each["items"])
        stack += [part for key in ("allOf", "oneOf", "anyOf") for part in each.get(key, [])]
    return found


def _shut(schema: Tree) -> Tree:
    if schema.get("readOnly") is True:
        return {"not": {}}
    bare = "$ref" not in schema and not {"properties", "allOf", "oneOf", "anyOf"} & set(schema)
    return (
        schema
        if bare or "additionalProperties" in schema
        else {**schema, "unevaluatedProperties": False}
    )


def _closed_at_root(schema: Tree) -> Tree:
    found: Tree = _closed({"root": copy.deepcopy(schema)})["root"]
    return _shut(found)


def _loose(value: Any) -> Any:
    """Types, required members and null only: what decides whether code can use a value; a date is a
    type.
    """
    kept = (
        "$ref",
        "type",
        "properties",
        "required",
        "items",
        "allOf",
        "oneOf",
        "anyOf",
        "additionalProperties",
    )
    if isinstance(value, list):
        return [_loose(each) for each in value]
    if not isinstance(value, dict):
        return value
    if any(key in value for key in kept):
        found = {key: _loose(value[key]) for key in kept if key in value}
        if "properties" in value:  # its keys are names, not keywords
            found["properties"] = {
                name: _loose(child) for name, child in value["properties"].items()
            }
        if value.get("format") in ("date", "date-time", "uuid"):  # types of their own
            found["format"] = value["format"]
        return found
    return {name: _loose(child) for name, child in value.items() if isinstance(child, dict)}
