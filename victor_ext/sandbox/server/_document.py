"""A document, compiled into validators.

A sandbox reads it itself: no mistake of the client can hide in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import yaml
from jsonschema_rs import Draft4Validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

    from jsonschema_rs import ValidationError

Json = dict[str, Any]
_PARTS = ("allOf", "anyOf", "oneOf")
_BITS = {"int32": 31, "int64": 63}
_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?\Z")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request, or a response."""

    path: tuple[str, ...]
    kind: str
    """A word of the provider's catalogue, such as `blank`, `size` or `invalid`."""
    message: str
    rule: str = ""
    """The keyword of JSON Schema that was broken."""

    @property
    def place(self) -> str:
        """The path as it is written: `payments[0].amount`."""
        steps = [f"[{step}]" if step.isdecimal() else f".{step}" for step in self.path]
        return "".join(steps).lstrip(".")

    @property
    def shown(self) -> str:
        """The place and the message; without a place, it is about the whole body."""
        return f"{self.place or 'the body'}: {self.message}"


class Validator:
    """What a value must be. It is compiled when a value is first held against it: that takes
    longer than the start of a sandbox.
    """

    __slots__ = ("_compiled", "_components", "_root", "members")

    def __init__(self, schema: Json, components: Json) -> None:
        self._root = schema
        self._components = components
        self._compiled: Draft4Validator | None = None
        self.members: Json = _whole(schema, components).get("properties", {})
        """The schemas of the members of an object, by name."""

    def problems(self, value: object) -> list[Problem]:
        """Every way in which the value does not conform, ordered by path."""
        if self._compiled is None:
            whole = {"allOf": [self._root], "components": self._components}
            # No message has the value, which may be an account.
            self._compiled = Draft4Validator(whole, mask="it")
        if self._compiled.is_valid(value):
            return []
        problems = [_problem_of(error) for error in self._compiled.iter_errors(value)]
        return sorted(problems, key=lambda problem: (problem.path, problem.rule))

    def declared(self, value: object) -> Any:
        """The value without the members that the schema does not name, and those that are null."""
        return _declared(self._root, self._components, value)

    def read(self, pairs: Iterable[tuple[str, str]]) -> Json:
        """The members that came as text, each as the type that is declared; else as the text.

        One that is given twice becomes a list, which only an array is.
        """
        read: Json = {}
        for name, text in pairs:
            schema = _whole(self.members.get(name, {}), self._components)
            if "array" in schema.get("type", ()):
                items = _whole(schema.get("items", {}), self._components)
                read.setdefault(name, []).append(_read(items, text))
            else:
                value = _read(schema, text)
                read[name] = [read[name], value] if name in read else value
        return read


def _problem_of(error: ValidationError) -> Problem:
    """What an error of a schema says, in its own words, and the member that is wrong."""
    path = tuple(str(step) for step in error.instance_path)
    rule, facts = error.kind.name, error.kind.as_dict()
    if rule == "required":
        path = (*path, facts["property"])
    elif rule == "additionalProperties":
        path = (*path, facts["unexpected"][0])
    kind = "size" if rule in ("minLength", "maxLength") else "invalid"
    if rule == "required" or error.instance in (None, ""):
        kind = "blank"
    return Problem(path, kind, error.message, rule)


def _declared(schema: Json, components: Json, value: Any) -> Any:
    if isinstance(value, list):
        items = _whole(schema, components).get("items", {})
        return [_declared(items, components, item) for item in cast("list[object]", value)]
    members = _whole(schema, components).get("properties") if isinstance(value, dict) else None
    if members is None:
        return cast("object", value)
    named = cast("Json", value)
    return {
        name: _declared(part, components, named[name])
        for name, part in members.items()
        if named.get(name) is not None
    }


def without_nulls(value: Any) -> Any:
    """A JSON value without the members that are null."""
    if isinstance(value, dict):
        members = cast("Json", value).items()
        return {name: without_nulls(member) for name, member in members if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[object]", value)]
    return value


def _resolved(thing: Json, components: Json) -> Json:
    """What a reference is to; anything else as it is."""
    if "$ref" not in thing:
        return thing
    kind, name = thing["$ref"].split("/")[-2:]
    found: Json = components[kind][name]
    return found


def _whole(schema: Json, components: Json) -> Json:
    """A schema with what its parts say of its type, its members and its items."""
    schema = _resolved(schema, components)
    for kind in _PARTS:
        for part in schema.get(kind, ()):
            more = _whole(part, components)
            members = {**more.get("properties", {}), **schema.get("properties", {})}
            schema = {**more, **schema, **({"properties": members} if members else {})}
    return schema


ANYTHING = Validator({}, {})
"""The rules where the document says nothing."""


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """What the document says of one operation."""

    query: Validator
    """The query as one object: its members are the parameters."""
    body: Validator
    needs_body: bool
    statuses: Mapping[str, Validator]
    """What the JSON body of a response must be, by its status as the document writes it: `200`,
    `4XX`, `default`.
    """

    def response(self, status: int) -> Validator:
        """What the JSON body of a response with this status must be: anything, where the document
        does not say.
        """
        written = (str(status), f"{status // 100}XX", "default")
        return next((self.statuses[each] for each in written if each in self.statuses), ANYTHING)

    @property
    def success(self) -> int:
        """The first status of a success that the document has, or 200."""
        return next((int(each) for each in self.statuses if re.match("2[0-9]{2}", each)), 200)

    def read_query(self, text: bytes) -> Json:
        """The parameters of a query string, by the types that are declared."""
        return self.query.read(parse_qsl(text.decode("latin-1"), keep_blank_values=True))


def _read(schema: Json, text: str) -> object:
    kind = schema.get("type", ())
    if "boolean" in kind and text in ("true", "false"):
        return text == "true"
    if "integer" in kind and _INTEGER.match(text):
        return int(text)
    if "number" in kind and _NUMBER.match(text):
        return float(text)
    return text


class Document:
    """The operations of one document, by method and path: a newer document may give them other ids,
    and have more.
    """

    def __init__(self, raw: Json) -> None:
        components = cast("Json", raw.get("components", {}))
        schemas = cast("Json", components.get("schemas", {}))
        strict = {name: _strict(schema) for name, schema in schemas.items()}
        self._components: Json = {**components, "schemas": strict}
        self._paths: Json = {shape_of(path): item for path, item in raw["paths"].items()}
        self._operations: dict[tuple[str, str], DocumentedOperation] = {}

    def operation(self, method: str, path: str) -> DocumentedOperation:
        """One operation; the names of the parameters in the path do not matter.

        It is compiled when it is first asked for: what the sandbox does not serve may have any
        form. One that the document does not have may be asked anything.
        """
        key = method.lower(), shape_of(path)
        if key not in self._operations:
            item = self._paths.get(key[1], {})
            self._operations[key] = self._read(item.get(key[0], {"responses": {}}))
        return self._operations[key]

    def has(self, method: str, path: str) -> bool:
        """Whether the document has an operation."""
        return method.lower() in self._paths.get(shape_of(path), {})

    def _read(self, raw: Json) -> DocumentedOperation:
        body = _resolved(raw.get("requestBody", {}), self._components)
        statuses = {
            str(status): self._rules(_resolved(response, self._components), "json")
            for status, response in raw["responses"].items()
        }
        return DocumentedOperation(
            query=Validator(self._query(raw), self._components),
            body=self._rules(body),
            needs_body=body.get("required", False),
            statuses=statuses,
        )

    def _rules(self, holder: Json, kind: str = "") -> Validator:
        """What a body must be, of the first media type that ends so: anything, where the document
        does not say.
        """
        content = cast("dict[str, Json]", holder.get("content", {}))
        for media, body in content.items():
            if media.partition(";")[0].strip().endswith(kind) and "schema" in body:
                return Validator(_strict(body["schema"]), self._components)
        return ANYTHING

    def _query(self, raw: Json) -> Json:
        """The query as one object: the properties of an object in it are parameters of their
        own.
        """
        parts: list[Json] = [{"type": "object"}]
        for declared in raw.get("parameters", []):
            parameter = _resolved(declared, self._components)
            if parameter["in"] != "query":
                continue
            schema = _resolved(_strict(parameter["schema"]), self._components)
            if "properties" not in schema:
                name = parameter["name"]
                required = {"required": [name]} if parameter.get("required") else {}
                schema = {"properties": {name: schema}, **required}
            parts.append(schema)
        return {"allOf": parts}


@lru_cache
def shape_of(path: str) -> str:
    """A path without the names of its parameters: by it, paths are the same."""
    return re.sub(r"{[^}]*}", "{}", path)


def _strict(schema: Json) -> Json:
    """The same schema with what the document means and does not say.

    A schema with `properties` and no `type` is an object (else any number would pass for it). A
    `pattern` matches the whole text (the document's have no anchors). `int32` and `int64` bound an
    integer, and `nullable` allows `null`.
    """
    strict = _with_strict_parts(schema)
    if "pattern" in strict:
        strict["pattern"] = f"^(?:{strict['pattern']})$"
    for bound in ("exclusiveMinimum", "exclusiveMaximum"):
        if type(strict.get(bound)) in (int, float):  # as OpenAPI 3.1 has it
            strict[bound.removeprefix("exclusive").lower()] = strict[bound]
            strict[bound] = True
    bits = _BITS.get(strict.get("format", ""))
    if bits is not None:
        top = 1 << bits
        strict["minimum"] = max(strict.get("minimum", -top), -top)
        strict["maximum"] = min(strict.get("maximum", top - 1), top - 1)
    if strict.pop("nullable", False):
        if "type" not in strict:
            return {"anyOf": [strict, {"type": "null"}]}
        strict["type"] = [strict["type"], "null"]
        if "enum" in strict:
            strict["enum"] = [*strict["enum"], None]
    return strict


def _with_strict_parts(schema: Json) -> Json:
    strict = dict(schema)
    if "properties" in strict:
        strict.setdefault("type", "object")
        strict["properties"] = {name: _strict(sub) for name, sub in strict["properties"].items()}
    for key in ("items", "additionalProperties", "not"):
        if isinstance(strict.get(key), dict):
            strict[key] = _strict(strict[key])
    for key in _PARTS:
        if key in strict:
            strict[key] = [_strict(sub) for sub in strict[key]]
    return strict


def document_path(name: str) -> Traversable:
    """Where a document lies: beside the package in a wheel, also one that is imported as a zip;
    above it in a checkout; else `FileNotFoundError`. The whole path of another one stays.
    """
    if Path(name).is_absolute():
        return Path(name)
    package = files("victor_ext")
    for file in (package / "openapi" / name, Path(str(package)).parent / "openapi" / name):
        if file.is_file():
            return file
    raise FileNotFoundError(
        f"openapi/{name} was not found beside the victor_ext package nor above it"
    )


@lru_cache
def load_document(name: str) -> Document:
    """A document by the name of its file, read once per process."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = document_path(name).read_text(encoding="utf-8")
    return Document(yaml.load(text, Loader=loader))  # noqa: S506 (both loaders are the safe ones)
