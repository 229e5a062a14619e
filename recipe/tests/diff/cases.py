"""Pairs of tiny documents, each with one change and what it means.

`cases.yaml` has them, and says how they are written; `told.yaml` has those whose words are
compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.cases import cases_beside
from victor_spec.diff.changes import Entry, PythonChange
from victor_spec.diff.compare import compare, comparison
from victor_spec.tree import METHODS, copied, mappings_at, members

Tree = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One change."""

    name: str
    old: Tree
    new: Tree
    place: str
    wire: str
    direction: str

    def __str__(self) -> str:
        return self.name


def entries(old: Tree, new: Tree, python: Mapping[str, PythonChange] | None = None) -> list[Entry]:
    """What the comparison says of two documents, which stay as they are."""
    return comparison(compare(old, new), python).entries


# ---- Documents ----


def document(paths: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document; no two parts of it share an object."""
    whole = {
        "openapi": more.pop("openapi", "3.0.3"),
        "info": {"title": "Cards", "version": "1.0.0"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
        "components": {"schemas": schemas or {}, **more.pop("components", {})},
    }
    return copied({**whole, **more})


def operation(name: str = "getCard", **parts: Any) -> Tree:
    return {
        "operationId": name,
        "tags": ["cards"],
        "responses": {"200": {"description": "ok"}},
        **parts,
    }


def json_content(schema: Tree) -> Tree:
    return {"application/json": {"schema": schema}}


def sends(schema: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document whose one operation sends a schema."""
    body = {"required": True, "content": json_content(schema)}
    return document(
        {"/cards": {"post": operation("createCard", requestBody=body)}}, schemas, **more
    )


def receives(schema: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document whose one operation receives a schema."""
    return _gets(
        responses={"200": {"description": "ok", "content": json_content(schema)}},
        schemas=schemas,
        **more,
    )


def query(*parameters: Tree, **more: Any) -> Tree:
    """A document whose one operation has parameters."""
    return document({"/cards": {"get": operation(parameters=list(parameters))}}, **more)


def card(required: tuple[str, ...] = ("id",), **properties: Tree) -> Tree:
    own = {"id": {"type": "string"}, **properties}
    return {"type": "object", "required": list(required), "properties": own}


def _gets(schemas: Tree | None = None, **parts: Any) -> Tree:
    """A document whose one operation has some parts; what is no part of an operation is one of the
    document.
    """
    of_document = ("openapi", "servers", "components", "security")
    more = {key: parts.pop(key) for key in of_document if key in parts}
    return document({"/cards": {"get": operation(**parts)}}, schemas, **more)


CARD = {"$ref": "#/components/schemas/Card"}
TEXT = {"type": "string"}
STATUS = {"type": "string", "enum": ["active", "closed"]}
STATUSES = {"type": "string", "enum": ["active", "closed", "frozen"]}
_PETS = {"Cat": card(meow=TEXT), "Dog": card(bark=TEXT), "Cow": card(moo=TEXT)}


# ---- Cases ----


_SCHEMA = "components.schemas.Card"
_STARTS = {
    "pin": f"{_SCHEMA}.properties.pin",
    **dict.fromkeys(("card", "pets", "schemas"), _SCHEMA),
    "sends": "paths./cards.post.requestBody.content.application/json.schema",
    "receives": "paths./cards.get.responses.200.content.application/json.schema",
    "parameter": "paths./cards.get.parameters.query:limit",
    "get": "paths./cards.get",
    "documents": "",
}
"""The forms, and the place of what each has."""


def _document(form: str, written: Any, way: str) -> Tree:
    match form:
        case "sends":
            return sends(**written)
        case "receives":
            return receives(**written)
        case "parameter" if written is None:
            return query()
        case "parameter":
            return query({"name": "limit", "in": "query", **written})
        case "get":
            return _gets(**written)
        case "documents":
            return _whole(written)
    one_way = sends if way == "sent" else receives
    return one_way(CARD, _schemas(form, written))


def _schemas(form: str, written: Tree) -> Tree:
    match form:
        case "pin":
            return {"Card": card(pin=written)}
        case "card":
            return {"Card": written}
        case "pets":
            return {**_PETS, "Card": written}
    return written


def _whole(written: Tree) -> Tree:
    """A document whose operations are completed."""
    parts = {**written}
    paths = parts.pop("paths")
    components = {**parts.pop("components", {})}
    schemas = components.pop("schemas", None)
    for _, item in [*members(paths), *mappings_at(written, "webhooks")]:
        _complete(item)
    return document(paths, schemas, components=components, **parts)


def _complete(item: Tree) -> None:
    for method in set(METHODS) & set(item):
        parts = item[method]
        name = parts.pop("operationId", "getCard")
        item[method] = operation(name, **parts)
        for _, callback in mappings_at(item[method], "callbacks"):
            for _, called in members(callback):
                _complete(called)


def _cases(group: str) -> Iterator[Case]:
    for row in _ROWS[group]:
        place = row.get("place", "")
        if not place or place.startswith((".", "[")):
            place = _STARTS[_form(row)] + place
        levels = {way: row[way] for way in ("sent", "received", "both") if way in row}
        for way, wire in levels.items():
            name = f"{row['name']}, {way}" if len(levels) > 1 else row["name"]
            yield Case(name, *_pair(row, way), place, wire, way)


def _form(row: Tree) -> str:
    return next(key for key in row if key in _STARTS)


def _pair(row: Tree, way: str = "received") -> tuple[Tree, Tree]:
    form = _form(row)
    old, new = [_document(form, written, way) for written in copied(row)[form]]
    return old, new


_ROWS: dict[str, list[Tree]] = cases_beside(__file__)
WIRE, CODE, MORE = [[*_cases(group)] for group in ("wire", "code", "more")]

SAME = {row["name"]: _pair(row) for row in _ROWS["same"]}
"""The same document in two forms, by what differs."""
OPERATIONS = [(*_pair(row), row["told"]) for row in _ROWS["operations"]]
"""Two documents whose operations have other paths, and what is told of each operation."""
TOLD = {row["name"]: (*_pair(row), row["told"]) for row in cases_beside(__file__, "told")}
"""Two documents, and what is told of each place: on the wire, in Python, and in words."""
