"""The same document, written in another way, is no change."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from victor_ext.spec.diff.compare import compare

from .cases import CARD, STATUS, STATUSES, TEXT, card, document, json_content, limit, operation, query, receives, sends

_BASE = {"Base": {"type": "object", "required": ["id"], "properties": {"id": TEXT}}}
_COMPOSED = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"pin": TEXT}}]}
_WORD = {"Status": STATUS}
_AS_ALIAS = {"allOf": [{"$ref": "#/components/schemas/Status"}], "description": "Now"}
_TREE = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Card"}, "pin": TEXT}}
_SHARED = {"name": "limit", "in": "query", "schema": {"type": "integer"}}

SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "reference written out": (receives(CARD, {"Card": card()}), receives(card(), {"Card": card()})),
    "schema named": (receives(card()), receives(CARD, {"Card": card()})),
    "reference written out, and the schema gone": (receives(CARD, {"Card": card()}), receives(card())),
    "alias": (
        receives(CARD, {"Card": card()}),
        receives({"$ref": "#/components/schemas/Alias"}, {"Card": card(), "Alias": CARD}),
    ),
    "allOf written out": (
        receives(CARD, {**_BASE, "Card": _COMPOSED}),
        receives(CARD, {**_BASE, "Card": card(pin=TEXT)}),
    ),
    "allOf introduced": (receives(CARD, {"Card": card(pin=TEXT)}), receives(CARD, {**_BASE, "Card": _COMPOSED})),
    "allOf with one member": (
        receives(card(status={"$ref": "#/components/schemas/Status"}), _WORD),
        receives(card(status=_AS_ALIAS), _WORD),
    ),
    "order of properties, required and enum": (
        sends({"type": "object", "required": ["a", "b"], "properties": {"a": STATUS, "b": TEXT}}),
        sends(
            {
                "properties": {"b": TEXT, "a": {"enum": ["closed", "active"], "type": "string"}},
                "required": ["b", "a"],
                "type": "object",
            }
        ),
    ),
    "order of parameters": (
        query(limit(), {"name": "page", "in": "query", "schema": TEXT}),
        query({"name": "page", "in": "query", "schema": TEXT}, limit()),
    ),
    "parameter of a path": (
        query(limit()),
        document({"/cards": {"parameters": [limit()], "get": operation()}}),
    ),
    "parameter named": (
        query(limit()),
        query({"$ref": "#/components/parameters/Limit"}, components={"parameters": {"Limit": _SHARED}}),
    ),
    "case of a header": (
        query({"name": "X-Key", "in": "header", "schema": TEXT}),
        query({"name": "x-key", "in": "header", "schema": TEXT}),
    ),
    "explode of a plain value": (query(limit()), query(limit(explode=False))),
    "examples and descriptions": (
        receives(card(pin={"type": "string", "example": "1", "description": "A"})),
        receives(card(pin={"type": "string", "example": "2", "description": "B"})),
    ),
    "null in 3.1": (
        receives(card(pin={"type": "string", "nullable": True})),
        receives(card(pin={"type": ["string", "null"]}), openapi="3.1.0"),
    ),
    "null as a member": (
        receives(card(pin={"type": ["string", "null"]}), openapi="3.1.0"),
        receives(card(pin={"anyOf": [TEXT, {"type": "null"}]}), openapi="3.1.0"),
    ),
    "null beside a reference": (
        receives(card(pin={"nullable": True, "allOf": [CARD]}), {"Card": card()}),
        receives(card(pin={"oneOf": [CARD, {"type": "null"}]}), {"Card": card()}, openapi="3.1.0"),
    ),
    "exclusive limit in 3.1": (
        query(limit({"type": "integer", "minimum": 0, "exclusiveMinimum": True})),
        query(limit({"type": "integer", "exclusiveMinimum": 0}), openapi="3.1.0"),
    ),
    "constant as an enum": (
        receives(card(pin={"type": "string", "enum": ["a"]}), openapi="3.1.0"),
        receives(card(pin={"type": "string", "const": "a"}), openapi="3.1.0"),
    ),
    "limits that say nothing": (
        query(limit(TEXT)),
        query(limit({"type": "string", "minLength": 0})),
    ),
    "type of what has properties": (
        receives({"properties": {"a": TEXT}}),
        receives({"type": "object", "properties": {"a": TEXT}}),
    ),
    "additional properties": (receives(card()), receives({**card(), "additionalProperties": True})),
    "boolean schema": (
        receives(card(pin={}), openapi="3.1.0"),
        receives({**card(), "properties": {"id": TEXT, "pin": True}}, openapi="3.1.0"),
    ),
    "cycle written out once": (
        receives(CARD, {"Card": _TREE}),
        receives({"type": "object", "properties": {"next": CARD, "pin": TEXT}}, {"Card": _TREE}),
    ),
    "order of the members of a union": (
        receives({"oneOf": [card(a=TEXT), card(b=TEXT)]}),
        receives({"oneOf": [card(b=TEXT), card(a=TEXT)]}),
    ),
    "members of a union that are types": (
        receives(card(pin={"oneOf": [TEXT, {"type": "integer"}]}), openapi="3.1.0"),
        receives(card(pin={"type": ["string", "integer"]}), openapi="3.1.0"),
    ),
    "spelling of a content type": (
        document({"/c": {"post": operation(requestBody={"content": {"application/json": {"schema": card()}}})}}),
        document(
            {
                "/c": {
                    "post": operation(requestBody={"content": {"Application/JSON; charset=utf-8": {"schema": card()}}})
                }
            }
        ),
    ),
    "answers of a named response": (
        receives(card()),
        document(
            {"/cards": {"get": operation(responses={"200": {"$ref": "#/components/responses/Ok"}})}},
            components={"responses": {"Ok": {"description": "ok", "content": json_content(card())}}},
        ),
    ),
    "statuses as a range": (
        receives(card()),
        document(
            {"/cards": {"get": operation(responses={"2XX": {"description": "", "content": json_content(card())}})}}
        ),
    ),
    "slash after a server": (
        document({"/c": {"get": operation()}}, servers=[{"url": "https://a.example/"}]),
        document({"/c": {"get": operation()}}, servers=[{"url": "https://a.example"}]),
    ),
    "values that two members of allOf admit": (
        receives(card(pin={"allOf": [STATUSES, {"type": "string", "enum": ["closed", "lost"]}]})),
        receives(card(pin={"type": "string", "enum": ["closed"]})),
    ),
    "member of a union named": (
        receives({"oneOf": [{"type": "array", "items": TEXT}, {"type": "object"}]}),
        receives({"oneOf": [{"type": "object"}, CARD]}, {"Card": {"type": "array", "items": TEXT}}),
    ),
    "security of each operation": (
        document({"/c": {"get": operation()}}, security=[{"key": []}]),
        document({"/c": {"get": operation(security=[{"key": []}])}}),
    ),
    "security scheme renamed": (
        document(
            {"/c": {"get": operation()}},
            security=[{"key": []}],
            components={"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        ),
        document(
            {"/c": {"get": operation()}},
            security=[{"token": []}],
            components={"securitySchemes": {"token": {"type": "http", "scheme": "Bearer"}}},
        ),
    ),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("turned", [False, True], ids=["there", "back"])
def test_it_is_no_change(name: str, turned: bool) -> None:
    old, new = reversed(SAME[name]) if turned else SAME[name]
    assert [(each.place, each.what) for each in compare(copy.deepcopy(old), copy.deepcopy(new)).entries] == []


def test_texts_are_counted() -> None:
    old, new = SAME["examples and descriptions"]
    assert compare(copy.deepcopy(old), copy.deepcopy(new)).documentation == 2
