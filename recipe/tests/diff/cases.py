"""Pairs of tiny documents, each with one change and what it means.

`cases.yaml` has them, and says how they are written; `told.yaml` has those whose words are
compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from victor_spec.diff.changes import Entry, PythonChange
from victor_spec.diff.compare import compare, comparison
from victor_spec.tree import METHODS, copied, mapping_at, mappings_at, members

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


class _Loader(yaml.SafeLoader):
    """Reads the short forms of `cases.yaml`: `!ref Card`, `!card {pin: ...}` and
    `!json {schema: ...}`.
    """


_Loader.add_constructor("!ref", lambda _, node: {"$ref": f"#/components/schemas/{node.value}"})
_Loader.add_constructor(
    "!card", lambda loader, node: card(**loader.construct_mapping(node, deep=True))
)
_Loader.add_constructor(
    "!json", lambda loader, node: {"application/json": loader.construct_mapping(node, deep=True)}
)

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
        case "pin" | "card" | "pets" | "schemas":
            schemas = {
                "pin": {"Card": card(pin=written)},
                "card": {"Card": written},
                "schemas": written,
            }
            made = sends if way == "sent" else receives
            return made(CARD, {**_PETS, "Card": written} if form == "pets" else schemas[form])
        case "sends" | "receives":
            return (sends if form == "sends" else receives)(**written)
        case "parameter":
            return query(*[] if written is None else [{"name": "limit", "in": "query", **written}])
        case "get":
            return _gets(**written)
    whole = {key: each for key, each in written.items() if key not in ("paths", "components")}
    components = {**mapping_at(written, "components")}
    for _, item in [*mappings_at(written, "paths"), *mappings_at(written, "webhooks")]:
        _complete(item)
    return document(
        written["paths"], components.pop("schemas", None), components=components, **whole
    )


def _complete(item: Tree) -> None:
    for method in set(METHODS) & set(item):
        item[method] = operation(
            **{"name": item[method].pop("operationId", "getCard"), **item[method]}
        )
        for _, callback in mappings_at(item[method], "callbacks"):
            for _, each in members(callback):
                _complete(each)


def _cases(group: str) -> Iterator[Case]:
    for row in _ROWS[group]:
        place = row.get("place", "")
        place = place if place and not place.startswith((".", "[")) else _STARTS[_form(row)] + place
        levels = {way: row[way] for way in ("sent", "received", "both") if way in row}
        for way, wire in levels.items():
            name = f"{row['name']}, {way}" if len(levels) > 1 else row["name"]
            yield Case(name, *_pair(row, way), place, wire, way)


def _form(row: Tree) -> str:
    return next(key for key in row if key in _STARTS)


def _pair(row: Tree, way: str = "received") -> tuple[Tree, Tree]:
    form = _form(row)
    old, new = (_document(form, copied({"": each})[""], way) for each in row[form])
    return old, new


def _read(name: str) -> Any:
    return yaml.load(Path(__file__).with_name(name).read_text(encoding="utf-8"), Loader=_Loader)


_ROWS: dict[str, list[Tree]] = _read("cases.yaml")
WIRE, CODE, MORE = ([*_cases(group)] for group in ("wire", "code", "more"))

SAME = {row["name"]: _pair(row) for row in _ROWS["same"]}
"""The same document in two forms, by what differs."""
OPERATIONS = [(*_pair(row), row["told"]) for row in _ROWS["operations"]]
"""Two documents whose operations have other paths, and what is told of each operation."""
TOLD = {row["name"]: (*_pair(row), row["told"]) for row in _read("told.yaml")}
"""Two documents, and what is told of each place: on the wire, in Python, and in words."""
