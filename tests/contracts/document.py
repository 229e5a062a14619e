"""A provider's document, as a contract test reads it: what each operation can be sent, and what it
can answer.

A place is the part of the document's component that a reader looks for: `query:page`,
`header:Idempotency-Key`, `path:id`, `body:payments[].remoteId`; of a response, `Payee.email`, by
the schema that declares it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml

from victor_spec.document import load
from victor_spec.tree import Operation as Given
from victor_spec.tree import operations, resolve

from .samples import TEXTS, text_within

ROOT = Path(__file__).resolve().parents[2]
Tree = dict[str, Any]


@dataclass(frozen=True)
class Leaf:
    """A value in a response: its place, and the keys that lead to it (`*` is the first item of a
    list).
    """

    place: str
    path: tuple[str, ...]
    schema: Tree


class Operation:
    """One operation of a document."""

    def __init__(self, document: Document, given: Given):
        self.id = given.tree["operationId"]
        self.method, self.path, self.tree = given.method.upper(), given.path, given.tree
        self._document = document
        self.bodies = list(self._contents(self.tree.get("requestBody", {})))
        """The schemas of the request's body."""
        self._pattern = re.compile(re.sub(r"{([^}]+)}", r"(?P<_\1>[^/]+)", self.path) + "$")
        parameters = [*given.item.get("parameters", []), *self.tree.get("parameters", [])]
        self.parameters = [document.resolve(each) for each in parameters]

    def matches(self, request: httpx.Request):
        """The match of a request's path, None for a request of another operation."""
        return self._pattern.search(request.url.path) if request.method == self.method else None

    @property
    def sent(self):
        """The places that the document declares in a request, each with its schema."""
        by_name = {}
        for parameter in self.parameters:
            schema = self._document.resolve(parameter["schema"])
            place = f"{parameter['in']}:{parameter['name']}"
            # `style: form` and `explode: true`: each is a parameter of its own
            if schema.get("properties"):
                by_name |= {
                    f"{parameter['in']}:{name}": each for name, each in schema["properties"].items()
                }
            else:
                by_name[place] = schema
        for schema in self.bodies:
            by_name |= {
                f"body:{'.'.join(leaf.path).replace('.*', '[]')}": leaf.schema
                for leaf in self._document.leaves(schema)
            }
        return {place: self._document.resolve(schema) for place, schema in by_name.items()}

    def values_in(self, request: httpx.Request):
        """The values of a request that was made, by their places, headers only where the document
        has them.
        """
        match = self.matches(request)
        pairs = [
            (f"path:{name[1:]}", value)
            for name, value in (match.groupdict() if match else {}).items()
        ]
        pairs += [(f"query:{name}", value) for name, value in request.url.params.multi_items()]
        pairs += [
            (place, request.headers[place[7:]])
            for place in self.sent
            if place.startswith("header:") and place[7:] in request.headers
        ]
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            form = httpx.QueryParams(request.content.decode())
            pairs += [(f"body:{name}", value) for name, value in form.multi_items()]
        else:
            pairs += [(f"body:{place}", value) for place, value in _values(_json(request))]
        by_place = {}
        for place, value in pairs:
            by_place.setdefault(place, []).append(value)
        return by_place

    @property
    def answer(self):
        """The first documented success: its status, and the schema of its body."""
        status, response = next(
            (int(each), tree) for each, tree in self.tree["responses"].items() if each[0] == "2"
        )
        return status, next(iter(self._contents(self._document.resolve(response))), None)

    def _contents(self, tree):
        for medium in self._document.resolve(tree).get("content", {}).values():
            yield medium["schema"]


class Document:
    """A document of `openapi/`, or a changed copy of one."""

    def __init__(self, tree, texts=None):
        self.tree = tree
        self.texts = texts or {}
        """The texts of members whose form the settings know, as `Payout.currency`."""
        self.operations = [Operation(self, each) for each in operations(tree)]

    @staticmethod
    @cache
    def of(name) -> Document:
        """The document `openapi/<name>.yaml`. Copy it before you change it."""
        file = ROOT / "openapi" / f"{name}.yaml"
        return Document(load(file), _texts_of(file.with_suffix(".settings.yaml")))

    def operation_of(self, request: httpx.Request) -> Operation | None:
        """The operation that a request calls, by the most specific path: `/payees/deltas` is no
        payee.
        """
        fitting = (each for each in self.operations if each.matches(request))
        return max(fitting, key=lambda each: (-each.path.count("{"), len(each.path)), default=None)

    def copy(self) -> Document:
        """One that can be changed."""
        return Document(json.loads(json.dumps(self.tree)), self.texts)

    def resolve(self, tree):
        """The target of a reference."""
        return resolve(self.tree, tree)

    def properties(self, schema):
        """The properties of a schema and of its `allOf`: the schema that declares each, its name,
        its own schema.
        """
        named = schema.get("$ref", "").rpartition("/")[2]
        whole = self.resolve(schema)
        for part in whole.get("allOf", ()):
            yield from self.properties(part)
        for name, child in whole.get("properties", {}).items():
            yield named, name, child

    def leaves(self, schema, path=(), owner="", above=()) -> Iterator[Leaf]:
        """The values of a schema that hold no others."""
        whole = self.resolve(schema)
        if id(whole) in above:
            return
        above = (*above, id(whole))
        if whole.get("type") == "array" and self._has_members(whole["items"]):
            yield from self.leaves(whole["items"], (*path, "*"), owner, above)
        for named, name, child in self.properties(schema):
            place = f"{named or owner}.{name}"
            if self._has_members(child):
                yield from self.leaves(child, (*path, name), place, above)
            else:
                yield Leaf(place, (*path, name), self.resolve(child))

    def _has_members(self, schema):
        whole = self.resolve(schema)
        inner = whole["items"] if whole.get("type") == "array" else schema
        return any(True for _ in self.properties(inner)) or (
            inner is not schema and self._has_members(inner)
        )

    def value(self, schema, name="value", above=()):
        """A value that the schema allows, with every member that it declares."""
        whole = self.resolve(schema)
        if id(whole) in above:
            return None
        above = (*above, id(whole))
        if whole.get("enum"):
            return whole["enum"][0]
        members = {
            each: self.texts.get(f"{named}.{each}") or self.value(child, each, above)
            for named, each, child in self.properties(schema)
        }
        if members or whole.get("type") == "object":
            return members or {"a-member": "a-value"}
        if whole.get("type") == "array":
            return [self.value(whole["items"], name, above)]
        if whole.get("type", "string") == "string":
            return text_within(whole, f"a-{name}")
        return {"integer": whole.get("minimum", 7), "number": 1.5, "boolean": True}[whole["type"]]


def _texts_of(settings: Path):
    """The texts of members of records that the settings of a document read as money or as times."""
    tree = yaml.safe_load(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    texts = {}
    for schema, record in tree.get("records", {}).items():
        for _, currency in record.get("money", {}).values():
            texts[f"{schema}.{currency}"] = "USD"
        for member, kind in record.get("read_as", {}).items():
            if kind in _READ_AS:
                texts[f"{schema}.{member}"] = _READ_AS[kind]
    return texts


_READ_AS = {
    "day": TEXTS["date"],
    "moment": TEXTS["date-time"],
    "zulu": TEXTS["date-time"],
    "second": TEXTS["date-time"],
}


def _json(request: httpx.Request):
    return httpx.Response(200, content=request.content).json() if request.content else None


def _values(value, path=""):
    if isinstance(value, dict) and value:
        for name, child in value.items():
            yield from _values(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from _values(item, f"{path}[]")
    elif path:
        yield path, value
