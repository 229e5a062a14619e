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
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable

    from jsonschema_rs import ValidationError

Json = dict[str, Any]
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
        return f"{self.place or 'the body'} {self.message}"


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
            self._compiled = Draft4Validator(whole)
        if self._compiled.is_valid(value):
            return []
        errors = self._compiled.iter_errors(value)
        problems = [problem for error in errors for problem in _problems_of(error)]
        return sorted(problems, key=lambda problem: (problem.path, problem.rule))

    def declared(self, value: object) -> Any:
        """The value without the members that the schema does not name."""
        return _declared(self._root, self._components, value)

    def read(self, pairs: Iterable[tuple[str, str]]) -> Json:
        """The members that came as text, each as the type that is declared; else as the text.

        One that is given twice becomes a list, which only an array is.
        """
        read: Json = {}
        for name, text in pairs:
            schema = _whole(self.members.get(name, {}), self._components)
            if schema.get("type") == "array":
                items = _whole(schema.get("items", {}), self._components)
                read.setdefault(name, []).append(_read(items.get("type"), text))
            else:
                value = _read(schema.get("type"), text)
                read[name] = [read[name], value] if name in read else value
        return read


def _problems_of(error: ValidationError) -> Iterator[Problem]:
    """What an error of a schema means, with what the document wants instead."""
    path = tuple(str(step) for step in error.instance_path)
    rule, facts = error.kind.name, error.kind.as_dict()
    if rule == "additionalProperties":
        for name in facts["unexpected"]:
            yield Problem((*path, name), "invalid", "is not in the document: leave it out", rule)
    elif rule == "required":
        yield Problem((*path, facts["property"]), "blank", "is required", rule)
    elif error.instance in (None, ""):
        yield Problem(path, "blank", "must not be blank", rule)
    elif rule in ("minLength", "maxLength"):
        message = f"has a wrong length: {_wanted(rule, facts)}"
        yield Problem(path, "size", message, rule)
    elif (not_null := _not_null(rule, facts)) is not None:
        for part in not_null:
            yield from _problems_of(part)
    else:
        wanted = _wanted(rule, facts)
        more = f": {wanted}" if wanted else ""
        message = f"breaks the rule '{rule}' of the document{more}"
        yield Problem(path, "invalid", message, rule)


def _not_null(rule: str, facts: Json) -> list[ValidationError] | None:
    """What is wrong with a value that may also be null; None for any other rule."""
    if rule != "anyOf" or len(facts["context"]) != 2:
        return None
    errors, of_null = facts["context"]
    is_null = len(of_null) == 1 and of_null[0].kind.as_dict().get("options") == [None]
    return cast("list[ValidationError]", errors) if is_null else None


_WANTED = {
    "minLength": "it must have at least {limit} characters",
    "maxLength": "it must have at most {limit} characters",
    "minItems": "it must have at least {limit} items",
    "maxItems": "it must have at most {limit} items",
    "minProperties": "it must have at least {limit} members",
    "maxProperties": "it must have at most {limit} members",
    "minimum": "it must be at least {limit}",
    "maximum": "it must be at most {limit}",
    "exclusiveMinimum": "it must be above {limit}",
    "exclusiveMaximum": "it must be below {limit}",
    "multipleOf": "it must be a multiple of {multiple_of}",
    "uniqueItems": "no item may be there twice",
}
_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}
_WORDS = 12
"""The number of words of an enum that a message has."""


def _wanted(rule: str, facts: Json) -> str:
    """What the document wants instead; empty where the rule alone says it."""
    if rule == "enum":
        words = [str(word) for word in facts["options"] if word is not None]
        more = f" or {len(words) - _WORDS} more words" if len(words) > _WORDS else ""
        return f"it must be one of {', '.join(words[:_WORDS])}{more}"
    if rule == "type":
        types = [_TYPES[each] for each in facts["types"] if each != "null"]
        return f"it must be {' or '.join(types) or 'null'}"
    if rule == "pattern" and "pattern" not in facts:
        return "the sandbox cannot tell for this text, in which the pattern backtracks too long"
    if rule == "pattern":
        return f"it must match {facts['pattern'].removeprefix('^(?:').removesuffix(')$')}"
    return _WANTED.get(rule, "").format(**facts)


def _declared(schema: Json, components: Json, value: Any) -> Any:
    schema = _whole(schema, components)
    members = schema.get("properties")
    if isinstance(value, dict) and members is not None:
        named = cast("Json", value)
        known = [name for name in named if name in members]
        return {name: _declared(members[name], components, named[name]) for name in known}
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_declared(items, components, item) for item in cast("list[object]", value)]
    return cast("object", value)


def without_nulls(value: Any) -> Any:
    """A JSON value without the members that are null."""
    if isinstance(value, dict):
        members = cast("Json", value).items()
        return {name: without_nulls(member) for name, member in members if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[object]", value)]
    return value


def _resolved(schema: Json, components: Json) -> Json:
    reference = schema.get("$ref")
    return components["schemas"][reference.rsplit("/", 1)[1]] if reference else schema


def _whole(schema: Json, components: Json) -> Json:
    """A schema with what its parts say of its type, its members and its items."""
    schema = _resolved(schema, components)
    for kind in ("allOf", "anyOf", "oneOf"):
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
    responses: Mapping[str, Validator]
    """What the JSON body of a response must be, by its status as the document writes it: `200`,
    `4XX`, `default`.
    """
    statuses: tuple[str, ...]
    """All statuses that the document has, written so."""

    def response(self, status: int) -> Validator:
        """What the JSON body of a response with this status must be: anything, where the document
        does not say.
        """
        return self.responses.get(self._written(status) or "", ANYTHING)

    @property
    def success(self) -> int:
        """The first status of a success that the document has, or 200."""
        return next(
            (int(each) for each in self.statuses if each[0] == "2" and each.isdecimal()), 200
        )

    def _written(self, status: int) -> str | None:
        """The status as the document writes it: exactly, by its first digit, or as one of all."""
        written = (str(status), f"{status // 100}XX", "default")
        return next((each for each in written if each in self.statuses), None)

    def read_query(self, text: bytes) -> Json:
        """The parameters of a query string, by the types that are declared."""
        return self.query.read(parse_qsl(text.decode("latin-1"), keep_blank_values=True))


def _read(kind: str | None, text: str) -> object:
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "integer" and _INTEGER.match(text):
        return int(text)
    if kind == "number" and _NUMBER.match(text):
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
        self._components: Json = {"schemas": strict}
        self._parameters = cast("Json", components.get("parameters", {}))
        self._responses = cast("Json", components.get("responses", {}))
        self._shared: dict[str, Validator | None] = {}
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

    def _read(self, raw: Json) -> DocumentedOperation:
        body = raw.get("requestBody", {})
        found = {str(status): self._response(each) for status, each in raw["responses"].items()}
        return DocumentedOperation(
            query=self._compile(self._query(raw)),
            body=self._compile(_schema_of(body) or {}),
            needs_body=body.get("required", False),
            responses={status: rules for status, rules in found.items() if rules is not None},
            statuses=tuple(found),
        )

    def _response(self, raw: Json) -> Validator | None:
        """What the JSON body of a response must be. One that operations share is compiled once."""
        reference = raw.get("$ref")
        if reference is None:
            schema = _schema_of(raw, "json")
            return None if schema is None else self._compile(schema)
        name = reference.rsplit("/", 1)[1]
        if name not in self._shared:
            self._shared[name] = self._response(self._responses.get(name, {}))
        return self._shared[name]

    def _query(self, raw: Json) -> Json:
        """The query as one object: the properties of an object in it are parameters of their
        own.
        """
        properties: Json = {}
        required: list[str] = []
        is_open = True
        for parameter in self._query_parameters(raw):
            name = parameter["name"]
            schema = _strict(_resolved(parameter["schema"], self._components))
            if "properties" in schema:
                properties |= schema["properties"]
                required += schema.get("required", [])
                if schema.get("additionalProperties") is False:
                    is_open = False
            else:
                properties[name] = schema
                if parameter.get("required"):
                    required.append(name)
        query: Json = {"type": "object", "properties": properties, "additionalProperties": is_open}
        if required:
            query["required"] = required
        return query

    def _query_parameters(self, raw: Json) -> Iterator[Json]:
        for declared in raw.get("parameters", []):
            parameter = declared
            if "$ref" in declared:
                parameter = self._parameters[declared["$ref"].rsplit("/", 1)[1]]
            if parameter["in"] == "query":
                yield parameter

    def _compile(self, schema: Json) -> Validator:
        return Validator(_strict(schema), self._components)


@lru_cache
def shape_of(path: str) -> str:
    """A path without the names of its parameters: by it, paths are the same."""
    return re.sub(r"{[^}]*}", "{}", path)


def _schema_of(holder: Json, kind: str = "") -> Json | None:
    """The schema of a body: of the first media type that ends so; None: there is none, or the
    document does not say.
    """
    content = cast("dict[str, Json]", holder.get("content", {}))
    for media, body in content.items():
        if media.partition(";")[0].strip().endswith(kind):
            return body.get("schema")
    return None


_IS_STRICT = "x-strict"


def _strict(schema: Json) -> Json:
    """The same schema with what the document means and does not say.

    A schema with `properties` and no `type` is an object (else any number would pass for it). A
    `pattern` matches the whole text (the document's have no anchors). `int32` and `int64` bound an
    integer, and `nullable` allows `null`.
    A strict schema, such as one of the components, stays as it is.
    """
    if _IS_STRICT in schema:
        return schema
    strict: Json = {**schema, _IS_STRICT: True}
    _make_parts_strict(strict)
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
        return {"anyOf": [strict, {"enum": [None]}], _IS_STRICT: True}
    return strict


def _make_parts_strict(schema: Json) -> None:
    if "properties" in schema:
        schema.setdefault("type", "object")
        schema["properties"] = {name: _strict(sub) for name, sub in schema["properties"].items()}
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            schema[key] = _strict(schema[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            schema[key] = [_strict(sub) for sub in schema[key]]


def document_path(name: str) -> Traversable:
    """Where a document lies: beside the package in a wheel, also one that is imported as a zip;
    above it in a checkout; else `FileNotFoundError`. The whole path of another one stays.
    """
    if Path(name).is_absolute():
        return Path(name)
    package = files("victor_ext")
    folders = [package / "openapi"]
    if isinstance(package, Path):
        folders.append(package.parent / "openapi")
    for folder in folders:
        file = folder / name
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
