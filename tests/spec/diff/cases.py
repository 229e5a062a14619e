"""Pairs of tiny documents, each with one change and what it means. The benchmark gives them to other tools, too."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Tree = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One change."""

    name: str
    old: Tree
    new: Tree
    place: str
    direction: str
    wire: str

    def __str__(self) -> str:
        return self.name


def document(paths: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document; no two parts of it share an object."""
    whole = {
        "openapi": more.pop("openapi", "3.0.3"),
        "info": {"title": "Cards", "version": "1.0.0"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
        "components": {"schemas": schemas or {}, **more.pop("components", {})},
    }
    return copy.deepcopy({**whole, **more})


def operation(name: str = "getCard", **parts: Any) -> Tree:
    return {"operationId": name, "tags": ["cards"], "responses": {"200": {"description": "ok"}}, **parts}


def json_content(schema: Tree) -> Tree:
    return {"application/json": {"schema": schema}}


def sends(schema: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document whose one operation sends a schema."""
    body = {"required": True, "content": json_content(schema)}
    return document({"/cards": {"post": operation("createCard", requestBody=body)}}, schemas, **more)


def receives(schema: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document whose one operation receives a schema."""
    response = {"description": "ok", "content": json_content(schema)}
    return document({"/cards": {"get": operation(responses={"200": response})}}, schemas, **more)


def query(*parameters: Tree, **more: Any) -> Tree:
    """A document whose one operation has parameters."""
    return document({"/cards": {"get": operation(parameters=list(parameters))}}, **more)


def limit(schema: Tree | None = None, **more: Any) -> Tree:
    return {"name": "limit", "in": "query", "schema": schema or {"type": "integer"}, **more}


def card(required: tuple[str, ...] = ("id",), **properties: Tree) -> Tree:
    own = {"id": {"type": "string"}, **properties}
    return {"type": "object", "required": list(required), "properties": own}


CARD = {"$ref": "#/components/schemas/Card"}
TEXT = {"type": "string"}
STATUS = {"type": "string", "enum": ["active", "closed"]}
STATUSES = {"type": "string", "enum": ["active", "closed", "frozen"]}
SENT = "paths./cards.post.requestBody.content.application/json.schema"
RECEIVED = "paths./cards.get.responses.200.content.application/json.schema"
LIMIT = "paths./cards.get.parameters.query:limit"


def both(name: str, change: tuple[Tree, Tree], place: str, sent: str, received: str) -> list[Case]:
    """A change of `Card` in a request, and the same in a response."""
    old, new = change
    return [
        Case(f"{name}, sent", sends(CARD, {"Card": old}), sends(CARD, {"Card": new}), place, "sent", sent),
        Case(
            f"{name}, received",
            receives(CARD, {"Card": old}),
            receives(CARD, {"Card": new}),
            place,
            "received",
            received,
        ),
    ]


def of(name: str) -> str:
    return f"components.schemas.Card.properties.{name}"


_BEARER = {"bearer": {"type": "http", "scheme": "bearer"}}
_KEY = {"bearer": {"type": "apiKey", "in": "header", "name": "X-Key"}}


def _secured(schemes: Tree, **more: Any) -> Tree:
    return document({"/cards": {"get": operation()}}, components={"securitySchemes": schemes}, **more)


def _union(*names: str, **more: Any) -> Tree:
    members = {"Cat": card(meow=TEXT), "Dog": card(bark=TEXT), "Cow": card(moo=TEXT)}
    return {**members, "Card": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names], **more}}


def _kinds(property_name: str, **mapping: str) -> Tree:
    paths = {word: f"#/components/schemas/{name}" for word, name in mapping.items()}
    return {"discriminator": {"propertyName": property_name, "mapping": paths}}


def _answer(*content_types: str) -> Tree:
    return {"200": {"description": "ok", "content": {each: {} for each in content_types}}}


def _in_path(name: str) -> Tree:
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


def _with(schemas: Tree) -> Tree:
    return sends(CARD, schemas)


# Changes that break, or may break, what is on the wire: the list of what tools were measured by.
WIRE = [
    Case(
        "path removed",
        document({"/cards": {"get": operation()}, "/old": {"get": operation("old")}}),
        document({"/cards": {"get": operation()}}),
        "paths./old.get",
        "both",
        "breaks",
    ),
    Case(
        "method removed",
        document({"/cards": {"get": operation(), "delete": operation("drop")}}),
        document({"/cards": {"get": operation()}}),
        "paths./cards.delete",
        "both",
        "breaks",
    ),
    Case("required parameter added", query(), query(limit(required=True)), LIMIT, "sent", "breaks"),
    Case("parameter removed", query(limit()), query(), LIMIT, "sent", "breaks"),
    Case("parameter became required", query(limit()), query(limit(required=True)), LIMIT, "sent", "breaks"),
    Case("type of a parameter changed", query(limit()), query(limit({"type": "boolean"})), LIMIT, "sent", "breaks"),
    Case("enum value of a parameter removed", query(limit(STATUSES)), query(limit(STATUS)), LIMIT, "sent", "breaks"),
    Case(
        "maximum of a parameter lowered",
        query(limit({"type": "integer", "maximum": 100})),
        query(limit({"type": "integer", "maximum": 50})),
        LIMIT,
        "sent",
        "breaks",
    ),
    Case(
        "pattern of a parameter added",
        query(limit(TEXT)),
        query(limit({"type": "string", "pattern": "^[a-z]+$"})),
        LIMIT,
        "sent",
        "breaks",
    ),
    Case(
        "list of a parameter written otherwise",
        query(limit({"type": "array", "items": TEXT})),
        query(limit({"type": "array", "items": TEXT}, explode=False)),
        LIMIT,
        "sent",
        "breaks",
    ),
    Case(
        "required body added",
        document({"/cards": {"post": operation("createCard")}}),
        sends(card()),
        "paths./cards.post.requestBody",
        "sent",
        "breaks",
    ),
    Case(
        "content type of a body removed",
        document({"/c": {"post": operation(requestBody={"content": {"application/xml": {}, "text/csv": {}}})}}),
        document({"/c": {"post": operation(requestBody={"content": {"application/xml": {}}})}}),
        "paths./c.post.requestBody.content.text/csv",
        "sent",
        "breaks",
    ),
    *both("required property added", (card(), card(("id", "pin"), pin=TEXT)), of("pin"), "breaks", "fine"),
    *both("property removed", (card(pin=TEXT), card()), of("pin"), "breaks", "breaks"),
    *both("type changed", (card(pin=TEXT), card(pin={"type": "integer"})), of("pin"), "breaks", "breaks"),
    *both("enum value added", (card(status=STATUS), card(status=STATUSES)), of("status"), "fine", "look"),
    *both("enum value removed", (card(status=STATUSES), card(status=STATUS)), of("status"), "breaks", "fine"),
    *both("became required", (card(pin=TEXT), card(("id", "pin"), pin=TEXT)), of("pin"), "breaks", "fine"),
    *both("became optional", (card(("id", "pin"), pin=TEXT), card(pin=TEXT)), of("pin"), "fine", "breaks"),
    *both("may be null", (card(pin=TEXT), card(pin={"type": "string", "nullable": True})), of("pin"), "fine", "breaks"),
    Case(
        "member of a union removed, sent",
        _with(_union("Cat", "Dog", "Cow")),
        _with(_union("Cat", "Dog")),
        "components.schemas.Card",
        "sent",
        "breaks",
    ),
    Case(
        "answer removed",
        document({"/cards": {"get": operation(responses={"200": {"description": ""}, "202": {"description": ""}})}}),
        document({"/cards": {"get": operation()}}),
        "paths./cards.get.responses.202",
        "received",
        "breaks",
    ),
    Case(
        "content type of an answer removed",
        document(
            {"/cards": {"get": operation(responses={"200": {"description": "", "content": {"a/b": {}, "c/d": {}}}})}}
        ),
        document({"/cards": {"get": operation(responses={"200": {"description": "", "content": {"a/b": {}}}})}}),
        "paths./cards.get.responses.200.content.text/csv",
        "received",
        "breaks",
    ),
    Case(
        "security added",
        _secured(_BEARER),
        _secured(_BEARER, security=[{"bearer": []}]),
        "security",
        "sent",
        "breaks",
    ),
]

# What breaks in Python only: the names of generated methods, arguments, modules and classes.
CODE = [
    Case(
        "operation id renamed",
        document({"/cards": {"get": operation("getCard")}}),
        document({"/cards": {"get": operation("readCard")}}),
        "paths./cards.get",
        "both",
        "none",
    ),
    Case(
        "schema renamed",
        receives(CARD, {"Card": card()}),
        receives({"$ref": "#/components/schemas/PaymentCard"}, {"PaymentCard": card()}),
        "components.schemas.Card",
        "received",
        "none",
    ),
    Case(
        "path parameter renamed",
        document({"/c/{id}": {"get": operation(parameters=[_in_path("id")])}}),
        document({"/c/{card_id}": {"get": operation(parameters=[_in_path("card_id")])}}),
        "paths./c/{id}.get.parameters.path:id",
        "both",
        "none",
    ),
    Case(
        "tag renamed",
        document({"/cards": {"get": operation(tags=["cards"])}}),
        document({"/cards": {"get": operation(tags=["payment cards"])}}),
        "paths./cards.get",
        "both",
        "none",
    ),
]

MORE = [
    Case(
        "parameter moved to a header",
        query(limit()),
        query({**limit(), "in": "header"}),
        LIMIT,
        "sent",
        "breaks",
    ),
    *both(
        "length limited", (card(pin=TEXT), card(pin={"type": "string", "maxLength": 4})), of("pin"), "breaks", "fine"
    ),
]
