"""Changes, one by one; and the same document in another form, which is no change."""

from __future__ import annotations

from typing import Any

import pytest

from victor_ext.spec.diff.changes import Change, Reach, Sides
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.entry import RULES
from victor_ext.spec.tree import copied

from .cases import (
    CARD,
    CODE,
    MORE,
    STATUS,
    STATUSES,
    TEXT,
    WIRE,
    WORDS,
    Case,
    Tree,
    card,
    document,
    entries,
    json_content,
    limit,
    operation,
    query,
    receives,
    shared,
)  # fmt: skip

pytestmark = pytest.mark.thorough
_BASE = {"Base": {"type": "object", "required": ["id"], "properties": {"id": TEXT}}}
_COMPOSED = {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"pin": TEXT}}]}
_WORD = {"Status": STATUS}
_AS_ALIAS = {"allOf": [{"$ref": "#/components/schemas/Status"}], "description": "Now"}

_NULL = {"type": "null"}
_NAMED, _FLAT = (receives(CARD, {"Card": each}) for each in (card(), card(pin=TEXT)))
_DERIVED = receives(CARD, {**_BASE, "Card": _COMPOSED})
_OPEN = {"/c": {"get": operation()}}
_PAGE = {"name": "page", "in": "query", "schema": TEXT}
_ANSWER = {"description": "ok", "content": json_content(card())}
Pair = tuple[Tree, Tree]


def _pins(*pins: Any, openapi: str = "3.1.0", schemas: Tree | None = None) -> Pair:
    """Two documents of one version that receive a card: its pin has one schema, and another."""
    old, new = (receives({**card(), "properties": {"id": TEXT, "pin": pin}}, schemas, openapi=openapi) for pin in pins)
    return old, new


def _limits(*limits: Tree, openapi: str = "3.0.3") -> Pair:
    old, new = (query(limit(each), openapi=openapi) for each in limits)
    return old, new


def _received(*schemas: Tree) -> Pair:
    old, new = (receives(each) for each in schemas)
    return old, new


def _posted(content_type: str) -> Tree:
    return document({"/c": {"post": operation(requestBody={"content": {content_type: {"schema": card()}}})}})


def _secured(name: str, scheme: str) -> Tree:
    schemes = {"securitySchemes": {name: {"type": "http", "scheme": scheme}}}
    return document(_OPEN, security=[{name: []}], components=schemes)


SAME: dict[str, Pair] = {
    "reference written out": (_NAMED, receives(card(), {"Card": card()})),
    "reference written out, and the schema gone": (_NAMED, receives(card())),
    "alias": (_NAMED, receives({"$ref": "#/components/schemas/Alias"}, {"Card": card(), "Alias": CARD})),
    "allOf written out": (_DERIVED, receives(CARD, {**_BASE, "Card": card(pin=TEXT)})),
    "allOf introduced": (_FLAT, _DERIVED),
    "allOf with one member": _pins({"$ref": "#/components/schemas/Status"}, _AS_ALIAS, schemas=_WORD),
    "order of properties, required and enum": _received(
        card(("id", "a"), a=STATUS, b=TEXT), card(("a", "id"), b=TEXT, a={"enum": ["closed", "active"], **TEXT})
    ),
    "order of parameters": (query(limit(), _PAGE), query(_PAGE, limit())),
    "parameter of a path": (query(limit()), document({"/cards": {"parameters": [limit()], "get": operation()}})),
    "parameter named": (query(limit()), shared(limit())),
    "case of a header": (query({**_PAGE, "in": "header"}), query({**_PAGE, "in": "header", "name": "Page"})),
    "explode of a plain value": (query(limit()), query(limit(explode=False))),
    "examples and descriptions": _pins(
        {**TEXT, "example": "1", "description": "A"}, {**TEXT, "example": "2", "description": "B"}
    ),
    "null in 3.1": (
        receives(card(pin={"type": "string", "nullable": True})),
        receives(card(pin={"type": ["string", "null"]}), openapi="3.1.0"),
    ),
    "null as a member": _pins({"type": ["string", "null"]}, {"anyOf": [TEXT, _NULL]}),
    "null beside a reference": (
        receives(card(pin={"nullable": True, "allOf": [CARD]}), {"Card": card()}),
        receives(card(pin={"oneOf": [CARD, {"type": "null"}]}), {"Card": card()}, openapi="3.1.0"),
    ),
    "exclusive limit in 3.1": (
        query(limit({"type": "integer", "minimum": 0, "exclusiveMinimum": True})),
        query(limit({"type": "integer", "exclusiveMinimum": 0}), openapi="3.1.0"),
    ),
    "constant as an enum": _pins({**TEXT, "enum": ["a"]}, {**TEXT, "const": "a"}),
    "limits that say nothing": _limits(TEXT, {**TEXT, "minLength": 0}),
    "type of what has properties": _received(
        {"properties": {"a": TEXT}}, {"type": "object", "properties": {"a": TEXT}}
    ),
    "additional properties": _received(card(), {**card(), "additionalProperties": True}),
    "boolean schema": _pins({}, True),
    "order of the members of a union": _received(
        {"oneOf": [card(a=TEXT), card(b=TEXT)]}, {"oneOf": [card(b=TEXT), card(a=TEXT)]}
    ),
    "spelling of a content type": (_posted("application/json"), _posted("Application/JSON; charset=utf-8")),
    "answers of a named response": (
        receives(card()),
        document(
            {"/cards": {"get": operation(responses={"200": {"$ref": "#/components/responses/Ok"}})}},
            components={"responses": {"Ok": _ANSWER}},
        ),
    ),
    "statuses as a range": (receives(card()), document({"/cards": {"get": operation(responses={"2XX": _ANSWER})}})),
    "slash after a server": (
        document(_OPEN, servers=[{"url": "https://a.example/"}]),
        document(_OPEN, servers=[{"url": "https://a.example"}]),
    ),
    "values that two members of allOf admit": _pins(
        {"allOf": [STATUSES, {**TEXT, "enum": ["closed", "lost"]}]}, {**TEXT, "enum": ["closed"]}
    ),
    "member of a union named": (
        receives({"oneOf": [WORDS, {"type": "object"}]}),
        receives({"oneOf": [{"type": "object"}, CARD]}, {"Card": WORDS}),
    ),
    "security of each operation": (
        document(_OPEN, security=[{"key": []}]),
        document({"/c": {"get": operation(security=[{"key": []}])}}),
    ),
    "security scheme renamed": (_secured("key", "bearer"), _secured("token", "Bearer")),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("turned", [False, True], ids=["there", "back"])
def test_it_is_no_change(name: str, turned: bool) -> None:
    old, new = reversed(SAME[name]) if turned else SAME[name]
    assert [(each.place, each.what) for each in entries(old, new)] == []


def test_texts_are_counted() -> None:
    old, new = SAME["examples and descriptions"]
    assert compare(copied(old), copied(new)).documentation == 2


@pytest.mark.parametrize("case", [*WIRE, *CODE, *MORE], ids=str)
def test_one_change_is_one_entry(case: Case) -> None:
    every = entries(case.old, case.new)
    found = {entry.place: (entry.direction, entry.wire) for entry in every if entry.wire in ("breaks", "look")}
    found = found or {entry.place: (entry.direction, entry.wire) for entry in every}
    assert found == {case.place: (case.direction, case.wire)}


def test_the_suite_is_whole() -> None:
    assert (len(WIRE), len(CODE)) == (32, 4)
    assert len({case.name for case in [*WIRE, *CODE, *MORE]}) == len([*WIRE, *CODE, *MORE])


def test_every_rule_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str] = set()
    note = Sides.note

    def noted(sides: Sides, change: Change, reach: Reach) -> None:
        found.add(change.kind)
        note(sides, change, reach)

    monkeypatch.setattr(Sides, "note", noted)
    for case in [*WIRE, *CODE, *MORE]:
        entries(case.old, case.new)
        entries(case.new, case.old)
    assert found == set(RULES) - {"sunset-too-soon", "sunset-missing"}  # of the option --sunset-days
