"""Operations that moved, and schemas with another name: what changed in them is compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.diff.entry import Entry
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.tree import METHODS, copied

from .cases import (
    CODE,
    MORE,
    OPERATIONS,
    TEXT,
    WIRE,
    Case,
    Tree,
    card,
    document,
    entries,
    json_content,
    operation,
    receives,
)

pytestmark = pytest.mark.thorough
CAT = {"$ref": "#/components/schemas/Cat"}
RECEIVED = "paths./cards.get.responses.200.content.application/json.schema"
INTEGER, NINE, FOUR = {"type": "integer"}, {"type": "string", "maxLength": 9}, {"type": "string", "maxLength": 4}
OLD, NEW = card(pin=NINE, limit=INTEGER, gone=TEXT), card(("id", "day"), pin=FOUR, limit=TEXT, day=TEXT)
# What changed in the schema, by property: the levels when it is sent, and when it is received.
CHANGES = {
    "pin": (("breaks", "none"), ("fine", "none")),
    "limit": (("breaks", "breaks"), ("breaks", "breaks")),
    "day": (("breaks", "breaks"), ("fine", "fine")),
    "gone": (("breaks", "breaks"), ("breaks", "breaks")),
}
# What is between the two documents besides: the path, the operationId, and the name of the schema.
MOVES = {
    "path": ("/v2/cards/{id}", "cards", "Card"),
    "operationId": ("/wallet/{id}", "cards", "Card"),
    "path and operationId": ("/v2/cards/{card}", "cardsV2", "Card"),
    "path and schema": ("/v2/cards/{id}", "cards", "CardV2"),
}


def cards(path: str, name: str, schema: str, written: Tree, *, sent: bool) -> Tree:
    """A document whose only operation sends or receives a card."""
    content = json_content({"$ref": f"#/components/schemas/{schema}"})
    parameters = [
        {"name": each, "in": "path", "required": True, "schema": TEXT} for each in re.findall("{(.*?)}", path)
    ]
    body = {"requestBody": {"required": True, "content": content}} if sent else {}
    answer = {"description": ""} if sent else {"description": "", "content": content}
    made = operation(name, parameters=parameters, responses={"200": answer}, **body)
    return document({path: {"post": made}}, {schema: written})


def in_both_columns(old: Tree, new: Tree) -> dict[str, Entry]:
    """The entries by place."""
    python = python_changes(Path("old.json"), Path("new.json"), name="pkg", trees=(copied(old), copied(new)))
    return {each.place: each for each in entries(old, new, python)}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "received"])
def test_what_changed_in_a_moved_operation_or_a_renamed_schema_is_told(move: str, sent: bool) -> None:
    path, name, schema = MOVES[move]
    old = cards("/v1/cards/{id}", "cards", "Card", OLD, sent=sent)
    found = in_both_columns(old, cards(path, name, schema, NEW, sent=sent))
    for changed, levels in CHANGES.items():
        entry = found.pop(f"components.schemas.Card.properties.{changed}")
        assert (entry.wire, entry.python) == levels[0 if sent else 1]
        assert entry.operations == ("post /v1/cards/{id}",)
    moved = found.pop("paths./v1/cards/{id}.post")
    assert (moved.wire, moved.what) == ("breaks", f"moved to post {path}")
    others = {"paths./v1/cards/{id}.post.operationId": name != "cards", "components.schemas.Card": schema != "Card"}
    others["paths./v1/cards/{id}.post.parameters.path:id"] = "{card}" in path
    assert found.keys() == {place for place, expected in others.items() if expected}


def moved(tree: Tree) -> Tree:
    """A document with another version in each path, and nothing else."""
    return {**tree, "paths": {f"/v2{path}": item for path, item in tree["paths"].items()}}


def as_before(text: str) -> str:
    return text.replace("/v2/", "/")


@pytest.mark.parametrize("case", [each for each in (*WIRE, *CODE, *MORE) if "moved" not in each.name], ids=str)
def test_a_moved_document_has_the_changes_of_the_one_that_stayed(case: Case) -> None:
    stayed = {each.place: each for each in entries(case.old, case.new)}
    gone = {each.operations[0] for each in stayed.values() if each.what == "removed"}
    went: set[str] = set()
    for each in entries(case.old, moved(case.new)):
        sentences = each.what.split("; ")
        told = [sentence for sentence in sentences if not sentence.startswith("moved to ")]
        if told != sentences:
            assert each.wire == "breaks"
            went.add(each.operations[0])
        if told:
            other = stayed.pop(as_before(each.place))
            assert ("; ".join(told), each.direction) == (other.what, other.direction)
            assert [as_before(name) for name in each.operations] == list(other.operations)
            assert each.wire == other.wire or told != sentences
    assert stayed == {}
    names = {f"{method} {path}" for path, item in case.old["paths"].items() for method in METHODS if method in item}
    assert went == names - gone


@pytest.mark.parametrize(("old", "new", "told"), OPERATIONS)
def test_which_operation_is_which(old: Tree, new: Tree, told: dict[str, str]) -> None:
    found = entries(old, new)
    assert {each.operations[0]: each.what for each in found if each.place.endswith((".get", ".post"))} == told


def test_parameters_of_a_moved_operation_are_told_at_the_old_path() -> None:
    def path(name: str, *parameters: Tree, **more: Any) -> Tree:
        return document({name: {"parameters": list(parameters), "get": operation("a", **more)}})

    limit, day = ({"name": name, "in": "query", "schema": TEXT} for name in ("limit", "day"))
    held = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    found = entries(
        path("/v1/owners/{owner}/cards/{id}", held, {**held, "name": "owner"}, limit),
        path("/v2/cards/{id}", held, {**limit, "schema": {"type": "integer"}}, day),
    )
    start = "paths./v1/owners/{owner}/cards/{id}"
    assert {each.place: (each.what, each.wire) for each in found} == {
        f"{start}.get": ("moved to get /v2/cards/{id}", "breaks"),
        f"{start}.parameters.path:owner": ("parameter removed", "breaks"),
        f"{start}.parameters.query:limit": ("type changed from string to integer", "breaks"),
        f"{start}.parameters.query:day": ("optional parameter added", "fine"),
    }


def test_a_base_with_another_name_is_told_under_the_old_one() -> None:
    def derived(base: str, **properties: Tree) -> Tree:
        own = {"allOf": [{"$ref": f"#/components/schemas/{base}"}, {"properties": {"own": TEXT}}]}
        return cards("/v1/c/{id}", "c", "Card", own, sent=False) | {
            "components": {"schemas": {"Card": own, base: card(**properties)}}
        }

    found = in_both_columns(derived("Base", pin=TEXT), derived("Root", day=TEXT))
    assert {place: (each.wire, each.python) for place, each in found.items()} == {
        "components.schemas.Base": ("none", "breaks"),
        "components.schemas.Base.properties.day": ("fine", "fine"),
        "components.schemas.Base.properties.pin": ("breaks", "breaks"),
    }


def test_schemas_that_changed_names_with_each_other_are_told_as_renamed() -> None:
    def pair(cat: str, dog: str) -> Tree:
        schemas = {cat: card(meow=TEXT), dog: card(bark=INTEGER)}
        return receives(
            card(a={"$ref": f"#/components/schemas/{cat}"}, b={"$ref": f"#/components/schemas/{dog}"}), schemas
        )

    found = in_both_columns(pair("Cat", "Dog"), pair("Dog", "Cat"))
    assert {place.rpartition(".")[2]: (each.wire, each.python, each.what) for place, each in found.items()} == {
        one: ("none", "breaks", f"schema is named {two} instead of {one}; in Python: the class {one} is now {two}")
        for one, two in (("Cat", "Dog"), ("Dog", "Cat"))
    }
    found = in_both_columns(pair("Cat", "Dog"), pair("Dog", "Cow"))
    assert [(each.wire, each.what.rpartition(": ")[2]) for each in found.values()] == [
        ("none", "the class Cat is now Dog"),
        ("none", "the class Dog is now Cow"),
    ]


@pytest.mark.parametrize(
    "kept", [{"c": CAT}, {"c": {"allOf": [CAT, {"properties": {"own": TEXT}}]}}], ids=["reference", "base"]
)
def test_a_schema_that_something_still_uses_has_not_moved(kept: Tree) -> None:
    dog = {"Dog": card(meow=TEXT)}
    old = receives(card(a=CAT, **kept), {"Cat": card(meow=TEXT), **dog})
    found = entries(old, receives(card(a={"$ref": "#/components/schemas/Dog"}, **kept), {"Cat": card(), **dog}))
    assert [(each.place, each.wire) for each in found] == [("components.schemas.Cat.properties.meow", "breaks")]
    assert (
        entries(old, receives(card(a={"$ref": "#/components/schemas/Dog"}, **kept), {"Cat": card(meow=TEXT), **dog}))
        == []
    )


def test_a_member_of_a_union_is_one_entry_with_its_class() -> None:
    def pets(*names: str) -> Tree:
        members = [{"$ref": f"#/components/schemas/{name}"} for name in names]
        owned = members[0] if len(members) == 1 else {"oneOf": members}
        return receives(card(a=owned), {name: card(**{name: TEXT}) for name in names})

    few, more, many = pets("Cat"), pets("Cat", "Dog"), pets("Cat", "Dog", "Cow")
    for old, new in ((few, more), (more, many), (many, more), (more, few)):
        found = in_both_columns(old, new)
        assert {place: each.python for place, each in found.items()} == {f"{RECEIVED}.properties.a": "breaks"}
        assert "SHAPE" not in str(found)


def test_a_schema_that_nothing_uses_keeps_its_class_under_another_name() -> None:
    old, new = (document({"/a": {"get": operation("a")}}, {name: card(pin=TEXT)}) for name in ("Card", "Map"))
    (found,) = in_both_columns(old, new).values()
    assert found.what == "schema is named Map instead of Card; in Python: the class Card is now Map"
