"""Pairs of tiny documents, each with one change and what it means.

`cases.yaml` has them, and says how they are written.
"""

from dataclasses import dataclass
from typing import Any

from tests.cases import cases_beside
from victor_spec.diff.compare import compare
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


def entries(old, new):
    """What the comparison says of two documents, which stay as they are."""
    return compare(old, new)


# ---- Documents ----


def document(paths, schemas=None, **more):
    """A document; no two parts of it share an object."""
    whole = {
        "openapi": more.pop("openapi", "3.0.3"),
        "info": {"title": "Cards", "version": "1.0.0"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
        "components": {"schemas": schemas or {}, **more.pop("components", {})},
    }
    return copied({**whole, **more})


def operation(name="getCard", **parts):
    return {
        "operationId": name,
        "tags": ["cards"],
        "responses": {"200": {"description": "ok"}},
        **parts,
    }


def json_content(schema):
    return {"application/json": {"schema": schema}}


def sends(schema, schemas=None, **more):
    """A document whose one operation sends a schema."""
    body = {"required": True, "content": json_content(schema)}
    return document(
        {"/cards": {"post": operation("createCard", requestBody=body)}}, schemas, **more
    )


def receives(schema, schemas=None, **more):
    """A document whose one operation receives a schema."""
    return _gets(
        responses={"200": {"description": "ok", "content": json_content(schema)}},
        schemas=schemas,
        **more,
    )


def query(*parameters, **more):
    """A document whose one operation has parameters."""
    return document({"/cards": {"get": operation(parameters=list(parameters))}}, **more)


def card(required=("id",), **properties):
    own = {"id": {"type": "string"}, **properties}
    return {"type": "object", "required": list(required), "properties": own}


def _gets(schemas=None, **parts):
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


def _document(form, written, way):
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


def _schemas(form, written):
    match form:
        case "pin":
            return {"Card": card(pin=written)}
        case "card":
            return {"Card": written}
        case "pets":
            return {**_PETS, "Card": written}
    return written


def _whole(written):
    """A document whose operations are completed."""
    parts = {**written}
    paths = parts.pop("paths")
    components = {**parts.pop("components", {})}
    schemas = components.pop("schemas", None)
    for _, item in [*members(paths), *mappings_at(written, "webhooks")]:
        _complete(item)
    return document(paths, schemas, components=components, **parts)


def _complete(item):
    for method in set(METHODS) & set(item):
        parts = item[method]
        name = parts.pop("operationId", "getCard")
        item[method] = operation(name, **parts)
        for _, callback in mappings_at(item[method], "callbacks"):
            for _, called in members(callback):
                _complete(called)


def _cases(group):
    for row in _ROWS[group]:
        place = row.get("place", "")
        if not place or place.startswith((".", "[")):
            place = _STARTS[_form(row)] + place
        levels = {way: row[way] for way in ("sent", "received", "both") if way in row}
        for way, wire in levels.items():
            name = f"{row['name']}, {way}" if len(levels) > 1 else row["name"]
            yield Case(name, *_pair(row, way), place, wire)


def _form(row):
    return next(key for key in row if key in _STARTS)


def _pair(row, way="received"):
    form = _form(row)
    old, new = [_document(form, written, way) for written in copied(row)[form]]
    return old, new


_ROWS = cases_beside(__file__)
CASES = {case.name: case for case in _cases("wire")}

SAME = {row["name"]: _pair(row) for row in _ROWS["same"]}
"""The same document in two forms, by what differs."""
