"""What the generated records and arguments stand on."""

import runpy
from decimal import Decimal
from types import SimpleNamespace

import pytest
from velo_api.typed import arguments, records

from victor_ext import typed
from victor_ext.money import Money


@pytest.mark.parametrize("module", [records, arguments], ids=["records", "arguments"])
@pytest.mark.parametrize(
    ("other", "what_to_do"),
    [(typed.RUNTIME - 1, "install a newer victor-ext"), (typed.RUNTIME + 1, "generate it again")],
)
def test_a_package_for_another_version_is_refused_when_it_is_imported(
    monkeypatch, module, other, what_to_do
):
    file = str(module.__file__)
    runpy.run_path(file, run_name=module.__name__)
    monkeypatch.setattr(typed, "RUNTIME", other)
    with pytest.raises(ImportError, match=rf"victor_ext\.typed, .* {what_to_do}"):
        runpy.run_path(file, run_name=module.__name__)


class Offer(typed.Part):
    """A request object, whose fields are set as they come."""

    def __init__(self, **given):
        vars(self).update(given)


def package_of(call):
    """A package with one call, a form and a request object that stands in itself."""
    part = {
        "class": "Offer",
        "objects": {"label": False},
        "body": {
            "text": {"place": "label.text"},
            "fee": {"kind": "money", "sends": {"unit": "currency", "fee": "minor_units"}},
            "inner": {"kind": "part", "part": "Offer"},
        },
    }
    rows = SimpleNamespace(
        FORMS={"capitals": ("[A-Z]*", "capital letters")},
        CALLS={"offer": {"what": "offer", **call}},
        PARTS={"Offer": part},
    )
    return typed.Package(rows, SimpleNamespace(Offer=Offer))


OPERATION = SimpleNamespace(OPERATION=SimpleNamespace(name="offer"))


def outcome_of(row, value):
    """What is sent of one argument by its row, and the problems that are noted."""
    request = package_of({"body": {"it": row}}).request(OPERATION, it=value)
    assert isinstance(request.check, typed.Query)
    problems = request.check.problems
    return request.body, [
        (each.field, each.message.removeprefix(f"{each.field} ")) for each in problems
    ]


NUMBER = {"kind": "number", "least": 0, "most": 9}
WHOLE = {"kind": "integer", "least": 0, "most": 99}
OFFERS = {"kind": "parts", "part": "Offer", "fewest": 1, "most": 2}
OFFER = Offer(text=None, fee=None, inner=None)


@pytest.mark.parametrize(
    ("row", "value", "sent"),
    [
        ({}, None, {}),
        ({"place": "other"}, "x", {"other": "x"}),
        ({"form": "capitals"}, "", {"it": ""}),
        ({"kind": "integer"}, 2**63 - 1, {"it": 2**63 - 1}),
        (WHOLE, 10, {"it": 10}),
        *((NUMBER, value, {"it": value}) for value in (0, 0.1, Decimal("8.9"))),
        ({"kind": "reference", "longest": 3}, "abc", {"it": "abc"}),
        ({"kind": "part", "part": "Offer"}, OFFER, {"it": {}}),
        (
            {"kind": "parts", "part": "Offer"},
            [Offer(text="a", fee=Money(5, "USD"), inner=None)],
            {"it": [{"unit": "USD", "fee": 5, "label": {"text": "a"}}]},
        ),
    ],
)
def test_a_value_is_sent_as_its_row_says(row, value, sent):
    assert outcome_of(row, value) == (sent, [])


@pytest.mark.parametrize(
    ("row", "value", "field", "message"),
    [
        ({"required": True}, None, "it", "must be text, and is missing."),
        (
            {"kind": "flag", "required": True},
            None,
            "it",
            "is of type NoneType: write True or False.",
        ),
        ({}, "", "it", "must be text, and is empty."),
        ({"form": "capitals", "shortest": 2}, "A", "it", "must be capital letters, and has 1."),
        *(
            (NUMBER, value, "it", "must be a number from 0 to 9, or left out.")
            for value in (9.1, *map(Decimal, ("NaN", "sNaN", "Infinity")), float("nan"))
        ),
        (WHOLE, 100, "it", "must be a whole number from"),
        *(
            (OFFERS, value, "it", "must be a list of 1 to 2 Offer.")
            for value in ([], [OFFER] * 3, "AB", b"AB", 5)
        ),
        (
            {"kind": "day", "longest": 4, "shortest": 2},
            "2026-03-04",
            "it",
            "must be text of 2 to 4",
        ),
        (
            {"kind": "reference", "shortest": 2},
            5,
            "it",
            "must be text, and is int: put it in quotes",
        ),
        ({"kind": "choice", "words": ("a", "b")}, "c", "it", "is 'c' and must be one of: a, b."),
        ({"kind": "reference", "longest": 3}, "abcd", "it", "must be text of 1 to 3 characters"),
        ({"kind": "reference", "shortest": 2}, "a", "it", "must be text, and has 1."),
        (
            {"kind": "day", "form": "capitals"},
            "2026-03-04",
            "it",
            "must be capital letters, and has another form.",
        ),
        ({"compared": True}, "**", "it", "is empty, or has blanks or stars alone"),
        (
            {"kind": "parts", "part": "Offer", "most": 1},
            [Offer(text=None, fee=5, inner=None)],
            "it[0].fee",
            "is of type int: write",
        ),
    ],
)
def test_a_value_that_its_row_does_not_take_is_a_problem(row, value, field, message):
    ((found, said),) = outcome_of(row, value)[1]
    assert found == field
    assert said.startswith(message)


def test_an_amount_with_a_problem_is_not_sent():
    row = {"kind": "money", "sends": {"it": "minor_units", "unit": "currency"}, "least": 1}
    assert outcome_of(row, Money(5, "USD"))[0] == {"it": 5, "unit": "USD"}
    assert outcome_of(row, Money(0, "USD"))[0] == {}


def test_an_object_that_the_document_always_has_is_sent_even_without_members():
    call = {"objects": {"a": True, "b": False}, "body": {"it": {"place": "b.it"}}}
    package = package_of(call)
    assert package.request(OPERATION, it=None).body == {"a": {}}
    assert package.request(OPERATION, it="x").body == {"a": {}, "b": {"it": "x"}}


def test_a_list_is_read_repeatedly_if_a_filter_allows_an_item_to_leave_the_list():
    package = package_of({"query": {"state": {"place": "st", "leaves": True}, "day": {}}})
    for given, may_be_left in (
        ({"state": "a", "day": None}, True),
        ({"state": None, "day": "a"}, False),
    ):
        assert package.list(OPERATION, **given).may_be_left is may_be_left
    extra = {"state": None, "day": None, "extra_query": {"a": "b"}}
    assert package.list(OPERATION, **extra).may_be_left
