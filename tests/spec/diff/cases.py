"""Pairs of tiny documents, each with one change and what it means. The benchmark gives them to other tools, too."""

from __future__ import annotations

import json
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
    written: Tree = json.loads(json.dumps({**whole, **more}))
    return written


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
DECLINED = {"description": "", "content": json_content(card(code=TEXT))}
CONFLICT = {"description": "", "content": json_content(card(why=TEXT))}


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
        document({"/cards": {"get": operation(responses=_answer("application/xml", "text/csv"))}}),
        document({"/cards": {"get": operation(responses=_answer("application/xml"))}}),
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
        "paths./cards.get.operationId",
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
        "paths./cards.get.tags",
        "both",
        "none",
    ),
]


def _changed(schema: Tree, other: Tree) -> tuple[Tree, Tree]:
    """A card whose pin has one schema, and the same card with another."""
    return card(pin=schema), card(pin=other)


def _served(url: str, *more: str) -> Tree:
    return document({"/cards": {"get": operation()}}, servers=[{"url": each} for each in (url, *more)])


def _headers(**headers: Tree) -> Tree:
    response = {"description": "ok", "headers": headers}
    return document({"/cards": {"get": operation(responses={"200": response})}})


def _called(place: str, schema: Tree) -> Tree:
    """A document with an operation that the provider calls."""
    called = {"post": operation("paid", requestBody={"content": json_content(schema)})}
    if place == "webhooks":
        return document({}, webhooks={"paid": called}, openapi="3.1.0")
    return document({"/cards": {"post": operation(callbacks={"paid": {"{$request.body#/url}": called}})}})


def _scheme(scheme: Tree, *scopes: str) -> Tree:
    return _secured({"key": scheme}, security=[{"key": list(scopes)}])


def _shared(parameter: Tree) -> Tree:
    reference = {"$ref": "#/components/parameters/Limit"}
    return query(reference, components={"parameters": {"Limit": parameter}})


def _form(**more: Any) -> Tree:
    return document({"/c": {"post": operation(requestBody={"content": {"a/b": {"schema": card(), **more}}})}})


def _variable(default: str, *values: str) -> Tree:
    variable = {"default": default, **({"enum": list(values)} if values else {})}
    server = {"url": "https://{env}.example", "variables": {"env": variable}}
    return document({"/c": {"get": operation()}}, servers=[server])


def _oauth(url: str, **scopes: str) -> Tree:
    return _scheme({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url, "scopes": scopes}}})


_INTEGER = {"type": "integer"}
_WORDS = {"type": "array", "items": TEXT}
_ADDRESS = {"type": "object", "properties": {"city": TEXT, "zip": TEXT}}
_CAT_OR_DOG = {"cat": "Cat", "dog": "Dog"}

# What else there is.
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
    *both(
        "format changed",
        _changed({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}),
        of("pin"),
        "breaks",
        "look",
    ),
    *both(
        "format widened",
        _changed({**_INTEGER, "format": "int32"}, {**_INTEGER, "format": "int64"}),
        of("pin"),
        "fine",
        "look",
    ),
    *both("type widened", _changed(_INTEGER, {"type": "number"}), of("pin"), "fine", "breaks"),
    *both("type narrowed", _changed({"type": "number"}, _INTEGER), of("pin"), "breaks", "fine"),
    *both("null refused", _changed({**TEXT, "nullable": True}, TEXT), of("pin"), "breaks", "fine"),
    *both(
        "maximum raised", _changed({**_INTEGER, "maximum": 5}, {**_INTEGER, "maximum": 9}), of("pin"), "fine", "look"
    ),
    *both(
        "minimum exclusive",
        _changed({**_INTEGER, "minimum": 5}, {**_INTEGER, "minimum": 5, "exclusiveMinimum": True}),
        of("pin"),
        "breaks",
        "fine",
    ),
    *both(
        "multiple of more",
        _changed({**_INTEGER, "multipleOf": 5}, {**_INTEGER, "multipleOf": 10}),
        of("pin"),
        "breaks",
        "fine",
    ),
    *both("items unique", _changed(_WORDS, {**_WORDS, "uniqueItems": True}), of("pin"), "breaks", "fine"),
    *both("items changed", _changed(_WORDS, {**_WORDS, "items": _INTEGER}), of("pin.items"), "breaks", "breaks"),
    *both(
        "values changed",
        _changed(
            {"type": "object", "additionalProperties": TEXT}, {"type": "object", "additionalProperties": _INTEGER}
        ),
        of("pin.additionalProperties"),
        "breaks",
        "breaks",
    ),
    *both("pattern changed", _changed({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "b"}), of("pin"), "breaks", "look"),
    *both("default changed", _changed({**TEXT, "default": "a"}, {**TEXT, "default": "b"}), of("pin"), "look", "fine"),
    *both("constant changed", _changed({**TEXT, "enum": ["a"]}, {**TEXT, "const": "b"}), of("pin"), "breaks", "look"),
    *both("became an enum", _changed(TEXT, STATUS), of("pin"), "breaks", "fine"),
    *both("no longer an enum", _changed(STATUS, TEXT), of("pin"), "fine", "look"),
    *both("deprecated", _changed(TEXT, {**TEXT, "deprecated": True}), of("pin"), "fine", "fine"),
    *both("sunset", _changed(TEXT, {**TEXT, "deprecated": True, "x-sunset": "2027-01-01"}), of("pin"), "look", "look"),
    *both("not", _changed(TEXT, {**TEXT, "not": {"enum": ["a"]}}), of("pin"), "breaks", "fine"),
    *both(
        "other properties refused",
        (card(), {**card(), "additionalProperties": False}),
        "components.schemas.Card",
        "breaks",
        "fine",
    ),
    *both("optional property added", (card(), card(pin=TEXT)), of("pin"), "fine", "fine"),
    *both(
        "property removed where others are admitted",
        (card(pin=TEXT), {**card(), "additionalProperties": True}),
        of("pin"),
        "look",
        "breaks",
    ),
    *both(
        "inline object changed",
        _changed(_ADDRESS, {"type": "object", "properties": {"city": TEXT}}),
        of("pin.properties.zip"),
        "breaks",
        "breaks",
    ),
    *both("type to a union", _changed(TEXT, {"oneOf": [TEXT, card()]}), of("pin"), "fine", "breaks"),
    *both("union to a type", _changed({"oneOf": [TEXT, card()]}, TEXT), of("pin"), "breaks", "fine"),
    *both(
        "inline member of a union changed",
        _changed({"oneOf": [card(a=TEXT), card(b=TEXT, c=TEXT)]}, {"oneOf": [card(a=TEXT), card(b=TEXT)]}),
        of("pin.oneOf[1].properties.c"),
        "breaks",
        "breaks",
    ),
    Case(
        "member of a union added, received",
        receives(CARD, _union("Cat", "Dog")),
        receives(CARD, _union("Cat", "Dog", "Cow")),
        "components.schemas.Card",
        "received",
        "breaks",
    ),
    Case(
        "member of a union added, sent",
        sends(CARD, _union("Cat", "Dog")),
        sends(CARD, _union("Cat", "Dog", "Cow")),
        "components.schemas.Card",
        "sent",
        "fine",
    ),
    Case(
        "discriminator changed",
        sends(CARD, _union("Cat", "Dog", **_kinds("kind"))),
        sends(CARD, _union("Cat", "Dog", **_kinds("sort"))),
        "components.schemas.Card",
        "sent",
        "breaks",
    ),
    Case(
        "value of a discriminator changed",
        sends(CARD, _union("Cat", "Dog", **_kinds("kind", **_CAT_OR_DOG))),
        sends(CARD, _union("Cat", "Dog", **_kinds("kind", feline="Cat", dog="Dog"))),
        "components.schemas.Card",
        "sent",
        "breaks",
    ),
    Case(
        "values of a discriminator swapped",
        receives(CARD, _union("Cat", "Dog", **_kinds("kind", **_CAT_OR_DOG))),
        receives(CARD, _union("Cat", "Dog", **_kinds("kind", cat="Dog", dog="Cat"))),
        "components.schemas.Card",
        "received",
        "breaks",
    ),
    Case(
        "required read-only property added",
        sends(CARD, {"Card": card()}),
        sends(CARD, {"Card": card(("id", "at"), at={**TEXT, "readOnly": True})}),
        of("at"),
        "both",
        "none",
    ),
    Case(
        "became read-only",
        sends(CARD, {"Card": card(at=TEXT)}),
        sends(CARD, {"Card": card(at={**TEXT, "readOnly": True})}),
        of("at"),
        "sent",
        "look",
    ),
    Case(
        "required and no longer read-only",
        sends(CARD, {"Card": card(("at",), at={**TEXT, "readOnly": True})}),
        sends(CARD, {"Card": card(("at",), at=TEXT)}),
        of("at"),
        "sent",
        "breaks",
    ),
    Case(
        "became write-only",
        receives(CARD, {"Card": card(at=TEXT)}),
        receives(CARD, {"Card": card(at={**TEXT, "writeOnly": True})}),
        of("at"),
        "received",
        "breaks",
    ),
    Case(
        "parameter of a path changed",
        document({"/cards": {"parameters": [limit()], "get": operation()}}),
        document({"/cards": {"parameters": [limit(TEXT)], "get": operation()}}),
        "paths./cards.parameters.query:limit",
        "sent",
        "breaks",
    ),
    Case(
        "named parameter changed",
        _shared(limit()),
        _shared(limit(TEXT)),
        "components.parameters.Limit",
        "sent",
        "breaks",
    ),
    Case(
        "items of a parameter changed",
        query(limit(_WORDS)),
        query(limit({**_WORDS, "items": _INTEGER})),
        f"{LIMIT}.schema.items",
        "sent",
        "breaks",
    ),
    Case("optional parameter added", query(), query(limit()), LIMIT, "sent", "fine"),
    Case(
        "header became required",
        query({"name": "X-Key", "in": "header", "schema": TEXT}),
        query({"name": "X-Key", "in": "header", "schema": TEXT, "required": True}),
        "paths./cards.get.parameters.header:X-Key",
        "sent",
        "breaks",
    ),
    Case(
        "cookie removed",
        query({"name": "session", "in": "cookie", "schema": TEXT}),
        query(),
        "paths./cards.get.parameters.cookie:session",
        "sent",
        "breaks",
    ),
    Case(
        "parameter as JSON",
        query(limit(card())),
        query({"name": "limit", "in": "query", "content": json_content(card())}),
        LIMIT,
        "sent",
        "breaks",
    ),
    Case(
        "content type of a body added",
        document({"/c": {"post": operation(requestBody={"content": {"text/csv": {}}})}}),
        document({"/c": {"post": operation(requestBody={"content": {"text/csv": {}, "a/b": {}}})}}),
        "paths./c.post.requestBody.content.a/b",
        "sent",
        "fine",
    ),
    Case(
        "body became required",
        document({"/c": {"post": operation(requestBody={"content": {}})}}),
        document({"/c": {"post": operation(requestBody={"content": {}, "required": True})}}),
        "paths./c.post.requestBody",
        "sent",
        "breaks",
    ),
    Case(
        "body removed",
        sends(card()),
        document({"/cards": {"post": operation("createCard")}}),
        "paths./cards.post.requestBody",
        "sent",
        "breaks",
    ),
    Case(
        "answer of another status added",
        document({"/c": {"get": operation(responses={"200": {"description": ""}})}}),
        document({"/c": {"get": operation(responses={"200": {"description": ""}, "429": {"description": ""}})}}),
        "paths./c.get.responses.429",
        "received",
        "fine",
    ),
    Case(
        "answer for success added",
        document({"/c": {"get": operation(responses={"200": {"description": ""}})}}),
        document({"/c": {"get": operation(responses={"200": {"description": ""}, "202": {"description": ""}})}}),
        "paths./c.get.responses.202",
        "received",
        "look",
    ),
    Case(
        "required header of an answer removed",
        _headers(Quota={"required": True, "schema": TEXT}),
        _headers(),
        "paths./cards.get.responses.200.headers.Quota",
        "received",
        "breaks",
    ),
    Case(
        "header of an answer changed",
        _headers(Quota={"schema": TEXT}),
        _headers(Quota={"schema": _INTEGER}),
        "paths./cards.get.responses.200.headers.Quota",
        "received",
        "breaks",
    ),
    Case(
        "server changed", _served("https://a.example"), _served("https://b.example"), "servers[0].url", "sent", "breaks"
    ),
    Case(
        "server removed",
        _served("https://a.example", "https://b.example"),
        _served("https://a.example"),
        "servers[1].url",
        "sent",
        "breaks",
    ),
    Case(
        "server added",
        _served("https://a.example"),
        _served("https://a.example", "https://b.example"),
        "servers[1].url",
        "sent",
        "fine",
    ),
    Case(
        "server of an operation added",
        _served("https://a.example"),
        document(
            {"/cards": {"get": operation(servers=[{"url": "https://b.example"}])}},
            servers=[{"url": "https://a.example"}],
        ),
        "paths./cards.get.servers[0].url",
        "sent",
        "breaks",
    ),
    Case(
        "kind of credentials changed",
        _scheme(_BEARER["bearer"]),
        _scheme(_KEY["bearer"]),
        "components.securitySchemes.key",
        "sent",
        "breaks",
    ),
    Case(
        "scope added",
        _scheme(_BEARER["bearer"], "read"),
        _scheme(_BEARER["bearer"], "read", "write"),
        "security",
        "sent",
        "breaks",
    ),
    Case(
        "scope no longer needed",
        _scheme(_BEARER["bearer"], "read", "write"),
        _scheme(_BEARER["bearer"], "read"),
        "security",
        "sent",
        "fine",
    ),
    Case("security no longer needed", _scheme(_BEARER["bearer"]), _secured(_BEARER), "security", "sent", "fine"),
    Case(
        "webhook changed",
        _called("webhooks", card(pin=TEXT)),
        _called("webhooks", card()),
        "webhooks.paid.post.requestBody.content.application/json.schema.properties.pin",
        "received",
        "breaks",
    ),
    Case(
        "callback changed",
        _called("callbacks", card()),
        _called("callbacks", card(("id", "pin"), pin=TEXT)),
        "paths./cards.post.callbacks.paid.{$request.body#/url}.post.requestBody.content.application/json.schema.properties.pin",
        "received",
        "fine",
    ),
    Case(
        "schema renamed and changed",
        receives(CARD, {"Card": card(pin=TEXT)}),
        receives({"$ref": "#/components/schemas/PaymentCard"}, {"PaymentCard": card()}),
        of("pin"),
        "received",
        "breaks",
    ),
    Case(
        "schema named and changed",
        receives(card(pin=TEXT)),
        receives(CARD, {"Card": card()}),
        f"{RECEIVED}.properties.pin",
        "received",
        "breaks",
    ),
    Case(
        "schema written out and changed",
        receives(CARD, {"Card": card(pin=TEXT)}),
        receives(card()),
        of("pin"),
        "received",
        "breaks",
    ),
    Case(
        "other schema",
        receives(CARD, {"Card": card(pin=TEXT), "Other": card()}),
        receives({"$ref": "#/components/schemas/Other"}, {"Card": card(pin=TEXT), "Other": card()}),
        RECEIVED,
        "received",
        "breaks",
    ),
    Case(
        "schema that nothing uses",
        document({}, {"Card": card(pin=TEXT)}),
        document({}, {"Card": card()}),
        of("pin"),
        "both",
        "none",
    ),
    Case(
        "operation deprecated",
        document({"/c": {"get": operation()}}),
        document({"/c": {"get": operation(deprecated=True)}}),
        "paths./c.get",
        "both",
        "fine",
    ),
    *both(
        "constraint changed", _changed({"not": {"enum": ["a"]}}, {"not": {"enum": ["b"]}}), of("pin"), "breaks", "look"
    ),
    *both("default added", _changed(TEXT, {**TEXT, "default": "a"}), of("pin"), "look", "fine"),
    *both("format added", _changed(TEXT, {**TEXT, "format": "email"}), of("pin"), "look", "fine"),
    *both("format removed", _changed({**TEXT, "format": "email"}, TEXT), of("pin"), "fine", "look"),
    *both("date added", _changed(TEXT, {**TEXT, "format": "date"}), of("pin"), "breaks", "fine"),
    *both("date removed", _changed({**TEXT, "format": "date"}, TEXT), of("pin"), "fine", "breaks"),
    *both("items described", _changed({"type": "array"}, _WORDS), of("pin.items"), "breaks", "fine"),
    *both("items not described", _changed(_WORDS, {"type": "array"}), of("pin.items"), "fine", "look"),
    *both(
        "multiple of another",
        _changed({**_INTEGER, "multipleOf": 5}, {**_INTEGER, "multipleOf": 7}),
        of("pin"),
        "breaks",
        "look",
    ),
    *both("limit removed", _changed({**TEXT, "maxLength": 4}, TEXT), of("pin"), "fine", "look"),
    *both(
        "properties by pattern",
        (card(), {**card(), "patternProperties": {"^x": TEXT}}),
        "components.schemas.Card.patternProperties.^x",
        "look",
        "fine",
    ),
    *both(
        "properties by pattern removed",
        ({**card(), "patternProperties": {"^x": TEXT}}, card()),
        "components.schemas.Card.patternProperties.^x",
        "look",
        "look",
    ),
    *both(
        "position added",
        _changed({"type": "array", "prefixItems": [TEXT]}, {"type": "array", "prefixItems": [TEXT, TEXT]}),
        of("pin.prefixItems[1]"),
        "look",
        "look",
    ),
    *both(
        "position removed",
        _changed({"type": "array", "prefixItems": [TEXT, TEXT]}, {"type": "array", "prefixItems": [TEXT]}),
        of("pin.prefixItems[1]"),
        "look",
        "look",
    ),
    *both("other file", _changed({"$ref": "a.yaml#/A"}, {"$ref": "b.yaml#/A"}), of("pin"), "look", "look"),
    *both("any of one of", _changed({"anyOf": [TEXT, card()]}, {"oneOf": [TEXT, card()]}), of("pin"), "look", "fine"),
    *both(
        "maximum exclusive",
        _changed({**_INTEGER, "maximum": 5}, {**_INTEGER, "maximum": 5, "exclusiveMaximum": True}),
        of("pin"),
        "breaks",
        "fine",
    ),
    Case(
        "discriminator added",
        sends(CARD, _union("Cat", "Dog")),
        sends(CARD, _union("Cat", "Dog", **_kinds("kind"))),
        "components.schemas.Card",
        "sent",
        "look",
    ),
    Case(
        "discriminator removed",
        sends(CARD, _union("Cat", "Dog", **_kinds("kind"))),
        sends(CARD, _union("Cat", "Dog")),
        "components.schemas.Card",
        "sent",
        "look",
    ),
    Case("empty value refused", query(limit(allowEmptyValue=True)), query(limit()), LIMIT, "sent", "breaks"),
    Case("empty value allowed", query(limit()), query(limit(allowEmptyValue=True)), LIMIT, "sent", "fine"),
    Case(
        "fields written otherwise",
        _form(),
        _form(encoding={"a": {"style": "deepObject"}}),
        "paths./c.post.requestBody.content.a/b",
        "sent",
        "breaks",
    ),
    Case(
        "optional body added",
        document({"/c": {"post": operation()}}),
        document({"/c": {"post": operation(requestBody={"content": {}})}}),
        "paths./c.post.requestBody",
        "sent",
        "fine",
    ),
    Case(
        "header added",
        _headers(),
        _headers(Quota={"schema": TEXT}),
        "paths./cards.get.responses.200.headers.Quota",
        "received",
        "fine",
    ),
    Case(
        "optional header removed",
        _headers(Quota={"schema": TEXT}),
        _headers(),
        "paths./cards.get.responses.200.headers.Quota",
        "received",
        "look",
    ),
    Case(
        "answer for all others removed",
        document({"/c": {"get": operation(responses={"200": {"description": ""}, "default": {"description": ""}})}}),
        document({"/c": {"get": operation()}}),
        "paths./c.get.responses.default",
        "received",
        "look",
    ),
    Case(
        "servers in another order",
        _served("https://a.example", "https://b.example"),
        _served("https://b.example", "https://a.example"),
        "servers[0].url",
        "sent",
        "look",
    ),
    Case(
        "server named",
        document({"/c": {"get": operation()}}, servers=[]),
        document({"/c": {"get": operation()}}, servers=[{"url": "https://a.example"}]),
        "servers[0].url",
        "sent",
        "look",
    ),
    Case("default of a server's variable", _variable("a"), _variable("b"), "servers[0].variables.env", "sent", "look"),
    Case(
        "value of a server's variable removed",
        _variable("a", "a", "b"),
        _variable("a", "a"),
        "servers[0].variables.env",
        "sent",
        "breaks",
    ),
    Case(
        "value of a server's variable added",
        _variable("a", "a"),
        _variable("a", "a", "b"),
        "servers[0].variables.env",
        "sent",
        "fine",
    ),
    Case(
        "address for tokens",
        _oauth("https://a.example"),
        _oauth("https://b.example"),
        "components.securitySchemes.key",
        "sent",
        "look",
    ),
    Case(
        "scope of a scheme removed",
        _oauth("https://a.example", read="r"),
        _oauth("https://a.example"),
        "components.securitySchemes.key",
        "sent",
        "look",
    ),
    Case(
        "scope of a scheme added",
        _oauth("https://a.example"),
        _oauth("https://a.example", read="r"),
        "components.securitySchemes.key",
        "sent",
        "fine",
    ),
    Case(
        "null among the values",
        receives(card(word={"enum": ["a"]}), openapi="3.1.0"),
        receives(card(word={"enum": ["a", None]}), openapi="3.1.0"),
        "paths./cards.get.responses.200.content.application/json.schema.properties.word",
        "received",
        "breaks",
    ),
    Case(
        "null no longer among the values",
        sends(card(word={"type": ["string", "null"], "enum": ["a", None]}), openapi="3.1.0"),
        sends(card(word={"type": ["string", "null"], "enum": ["a"]}), openapi="3.1.0"),
        "paths./cards.post.requestBody.content.application/json.schema.properties.word",
        "sent",
        "breaks",
    ),
    Case(
        "pattern of the first of two members",
        sends({"allOf": [{**TEXT, "pattern": "a"}, {"pattern": "b"}]}),
        sends({"allOf": [{**TEXT, "pattern": "c"}, {"pattern": "b"}]}),
        "paths./cards.post.requestBody.content.application/json.schema",
        "sent",
        "breaks",
    ),
    Case(
        "answer of a status that the default described",
        document({"/c": {"get": operation(responses={"default": DECLINED})}}),
        document({"/c": {"get": operation(responses={"default": DECLINED, "409": CONFLICT})}}),
        "paths./c.get.responses.409.content.application/json.schema.properties.code",
        "received",
        "breaks",
    ),
    Case(
        "answer of a status that the default describes now",
        document({"/c": {"get": operation(responses={"default": DECLINED, "409": CONFLICT})}}),
        document({"/c": {"get": operation(responses={"default": DECLINED})}}),
        "paths./c.get.responses.409.content.application/json.schema.properties.why",
        "received",
        "breaks",
    ),
    Case(
        "a schema that changed when it became the member of a union",
        sends(card(a=TEXT, b=TEXT)),
        sends({"anyOf": [card(a={"type": "integer"}, b=TEXT), {"type": "string"}]}),
        "paths./cards.post.requestBody.content.application/json.schema.properties.a",
        "sent",
        "breaks",
    ),
    Case(
        "a member of a union that changed when it became the schema",
        receives({"anyOf": [card(a=TEXT, b=TEXT), {"type": "string"}]}),
        receives(card(a={"type": "integer"}, b=TEXT)),
        "paths./cards.get.responses.200.content.application/json.schema.anyOf[0].properties.a",
        "received",
        "breaks",
    ),
    Case(
        "unused schema removed", document({}, {"Card": card()}), document({}), "components.schemas.Card", "both", "none"
    ),
]
