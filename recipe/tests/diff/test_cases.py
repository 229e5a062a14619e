"""Changes, one by one, on the wire; and another form of one document."""

import pytest

from .cases import CARD as REFERENCE
from .cases import CASES, SAME, TEXT, card, document, entries, json_content, operation, receives

WORST = ("none", "fine", "look", "breaks")


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("turned", [False, True], ids=["there", "back"])
def test_another_form_of_the_same_document_is_no_change(name, turned):
    old, new = reversed(SAME[name]) if turned else SAME[name]
    assert entries(old, new) == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_has_the_level_of_its_case(case):
    levels = {each.place: each.wire for each in entries(case.old, case.new)}
    assert levels[case.place] == max(levels.values(), key=WORST.index) == case.wire


def many(schemas, count=20):
    """A document in which many operations send and receive a card."""
    content = {"content": json_content(REFERENCE)}
    response = {"200": {"description": "ok", **content}}
    paths = {
        f"/{number:02}": {"post": operation(f"op{number}", requestBody=content, responses=response)}
        for number in range(count)
    }
    return document(paths, schemas)


def test_a_change_of_a_schema_that_many_operations_use_is_one_entry_that_names_them_all():
    (entry,) = entries(many({"Card": card(pin=TEXT)}), many({"Card": card()}))
    assert entry.place == "components.schemas.Card.properties.pin"
    assert entry.operations == tuple(f"post /{number:02}" for number in range(20))
    assert (entry.direction, entry.wire) == ("both", "breaks")


def test_an_operation_that_moved_is_known_by_its_id_and_compared_as_if_it_had_stayed():
    old, new = receives(card(pin=TEXT)), receives(card())
    new["paths"] = {"/v2/cards": new["paths"]["/cards"]}
    moved, pin = entries(old, new)
    assert (moved.place, moved.what) == ("paths./cards.get", "moved to get /v2/cards")
    assert pin.place.endswith(".properties.pin")


def test_a_schema_with_another_name_is_renamed_and_its_changes_are_told():
    old = receives(REFERENCE, {"Card": card(pin=TEXT)})
    new = receives({"$ref": "#/components/schemas/PaymentCard"}, {"PaymentCard": card()})
    renamed, pin = entries(old, new)
    assert renamed.what == "schema is named PaymentCard instead of Card"
    assert (pin.place, pin.wire) == ("components.schemas.Card.properties.pin", "breaks")
