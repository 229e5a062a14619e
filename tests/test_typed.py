"""What the generated records and arguments stand on."""

import runpy
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

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
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, other: int, what_to_do: str
) -> None:
    file = str(module.__file__)
    runpy.run_path(file, run_name=module.__name__)
    monkeypatch.setattr(typed, "RUNTIME", other)
    with pytest.raises(ImportError, match=rf"victor_ext\.typed, .* {what_to_do}"):
        runpy.run_path(file, run_name=module.__name__)


CAPITALS = typed.Form("[A-Z]+", "capital letters")


def noted(check: Callable[[typed.Query], Any]) -> list[tuple[str, str]]:
    """The problems that a check notes: the field of each, and what its message ends with."""
    query = typed.Query()
    check(query)
    return problems_of(query)


def problems_of(query: typed.Query) -> list[tuple[str, str]]:
    return [(each.field, each.message.removeprefix(f"{each.field} ")) for each in query.problems]


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), float("nan"), float("inf")]
)
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    problem = ("fee", "must be a number from 0 to 9, or left out.")
    assert noted(lambda check: check.number("fee", value, 0, 9)) == [problem]


def test_an_amount_that_is_sent_as_a_number_is_no_float() -> None:
    problem = ("fee", "is a float, which cannot hold cents exactly.")
    assert noted(lambda check: check.decimal("fee", 0.1, 0, 9)) == [problem]
    assert noted(lambda check: check.decimal("fee", Decimal("0.10"), 0, 9)) == []
    problem = ("fee", "must be a number from 0 to 9, or left out.")
    assert noted(lambda check: check.decimal("fee", Decimal("9.01"), 0, 9)) == [problem]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("12.340", "12.340"),
        ("-5", "-5"),
        *((text, None) for text in ("", "1e3", "12,34", "NaN", " 1", "\u0661", "9" * 9999)),
        (12.34, None),
        (None, None),
    ],
)
def test_a_decimal_text_is_read_with_its_digits(sent: object, read: str | None) -> None:
    found = typed.decimal_text({"fee": sent}, "fee")
    assert (None if found is None else str(found)) == read


@pytest.mark.parametrize(
    ("good", "bad", "limits", "message"),
    [
        (0.1, 0, {"above": 0}, "must be a number above 0 to 9, or left out."),
        (Decimal("8.9"), 9, {"below": 9}, "must be a number from 0 and below 9, or left out."),
        (0.3, 0.35, {"step": 0.1}, "must be a multiple of 0.1."),
        (Decimal("0.3"), Decimal("1E-7"), {"step": 0.1}, "must be a multiple of 0.1."),
        (1.5, 2, {"among": (1, 1.5)}, "must be one of: 1, 1.5."),
    ],
)
def test_a_number_has_each_limit_of_the_document(
    good: Any, bad: Any, limits: dict[str, Any], message: str
) -> None:
    assert noted(lambda check: check.number("fee", good, 0, 9, **limits)) == []
    assert noted(lambda check: check.number("fee", bad, 0, 9, **limits)) == [("fee", message)]


@pytest.mark.parametrize(
    ("good", "bad", "limits", "message"),
    [
        (10, 11, {"step": 5}, "must be a multiple of 5."),
        (2, 4, {"among": (1, 2, 3)}, "must be one of: 1, 2, 3."),
    ],
)
def test_a_whole_number_and_money_have_each_limit_of_the_document(
    good: int, bad: int, limits: dict[str, Any], message: str
) -> None:
    for value, problems in ((good, []), (bad, [("n", message)])):
        whole, money = typed.Query(), typed.Query()
        whole.integer("n", value, 0, 99, **limits)
        money.money("n", Money(value, "USD"), 0, 99, **limits)
        for query in (whole, money):
            assert problems_of(query) == problems


@pytest.mark.parametrize("value", [[], ["a", "b", "c"], "ab", b"ab", 5, None])
def test_a_list_has_so_many_items_as_the_document_says(value: object) -> None:
    def each(check: typed.Query) -> Any:
        return check.each("tags", value, check.text, 1, 2)

    assert noted(each) == [("tags", "must be a list of 1 to 2 items.")]


def test_each_item_of_a_list_is_checked_by_its_place() -> None:
    def each(check: typed.Query) -> Any:
        return check.each("tags", ["A", "b"], lambda field, item: check.form(field, item, CAPITALS))

    assert noted(each) == [("tags[1]", "must be capital letters.")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ABC", ""),
        (None, ""),
        ("ABCDE", "must be text of 2 to 4 characters, and has 5."),
        ("A", "must be text of 2 to 4 characters, and has 1."),
        ("abc", "must be capital letters."),
    ],
)
def test_a_text_that_is_sent_in_place_of_a_value_has_the_limits_of_the_document(
    text: str | None, message: str
) -> None:
    expected = [("code", message)] if message else []
    assert noted(lambda check: check.written("code", text, 4, 2, CAPITALS)) == expected


def test_no_problem_is_said_twice_of_a_text_that_is_sent() -> None:
    def both(check: typed.Query) -> Any:
        return check.written("code", check.reference("code", 5, 4), shortest=2)

    assert [field for field, _ in noted(both)] == ["code"]


class Offer(typed.Part):
    """A request object, whose fields are set as they come."""

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)


def package_of(call: dict[str, Any]) -> typed.Package:
    """A package with one call, a form and a request object that stands in itself."""
    rows = ModuleType("rows")
    part = {
        "class": "Offer",
        "objects": {"label": False},
        "body": {
            "text": {"place": "label.text"},
            "fee": {"kind": "money", "sends": {"unit": "currency", "fee": "minor_units"}},
            "inner": {"kind": "part", "part": "Offer"},
        },
    }
    vars(rows).update(
        FORMS={"capitals": ("[A-Z]*", "capital letters")},
        CALLS={"offer": {"what": "offer", **call}},
        PARTS={"Offer": part},
    )
    classes = ModuleType("parts")
    vars(classes).update(Offer=Offer)
    return typed.Package(rows, classes)


OPERATION = ModuleType("offer")
vars(OPERATION).update(OPERATION=SimpleNamespace(name="offer"))


def outcome_of(row: dict[str, Any], value: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What is sent of one argument by its row, and the problems that are noted."""
    request = package_of({"body": {"it": row}}).request(OPERATION, {"it": value})
    assert isinstance(request.check, typed.Query)
    return request.body, problems_of(request.check)


@pytest.mark.parametrize(
    ("row", "value", "sent"),
    [
        ({}, None, {}),
        ({"place": "other"}, "x", {"other": "x"}),
        ({"form": "capitals"}, "", {"it": ""}),
        ({"kind": "integer"}, 2**63 - 1, {"it": 2**63 - 1}),
        ({"kind": "number"}, 0.5, {"it": 0.5}),
        ({"kind": "each", "items": {"kind": "day"}}, ["2026-03-04"], {"it": ["2026-03-04"]}),
        ({"kind": "reference", "longest": 3}, "abc", {"it": "abc"}),
        ({"kind": "part", "part": "Offer"}, Offer(text=None, fee=None, inner=None), {"it": {}}),
        (
            {"kind": "parts", "part": "Offer"},
            [Offer(text="a", fee=Money(5, "USD"), inner=None)],
            {"it": [{"unit": "USD", "fee": 5, "label": {"text": "a"}}]},
        ),
    ],
)
def test_a_value_is_sent_as_its_row_says(
    row: dict[str, Any], value: Any, sent: dict[str, Any]
) -> None:
    assert outcome_of(row, value) == (sent, [])


@pytest.mark.parametrize(
    ("row", "value", "field", "message"),
    [
        ({"required": True}, None, "it", "is missing: it must be text."),
        ({"kind": "flag", "required": True}, None, "it", "is missing: write True or False."),
        ({}, "", "it", "must be text, and is empty."),
        ({"form": "capitals", "shortest": 2}, "A", "it", "must be text, and has 1."),
        ({"kind": "integer", "most": 9}, 10, "it", "must be a whole number from"),
        ({"kind": "choice", "words": ("a", "b")}, "c", "it", "is 'c' and must be one of: a, b."),
        ({"kind": "reference", "longest": 3}, "abcd", "it", "must be text of 1 to 3 characters"),
        ({"kind": "reference", "shortest": 2}, "a", "it", "must be text, and has 1."),
        ({"kind": "day", "form": "capitals"}, "2026-03-04", "it", "must be capital letters."),
        ({"compared": True}, "**", "it", "is empty, or has blanks or stars alone"),
        (
            {"kind": "each", "items": {"kind": "integer", "least": 0}, "most": 2},
            [1, -1],
            "it[1]",
            "must be a whole number from 0 ",
        ),
        (
            {"kind": "parts", "part": "Offer", "most": 1},
            [Offer(text=None, fee=5, inner=None)],
            "it[0].fee",
            "is of type int: write",
        ),
    ],
)
def test_a_value_that_its_row_does_not_take_is_a_problem(
    row: dict[str, Any], value: Any, field: str, message: str
) -> None:
    ((found, said),) = outcome_of(row, value)[1]
    assert found == field
    assert said.startswith(message)


def test_an_amount_with_a_problem_is_not_sent() -> None:
    row = {"kind": "money", "sends": {"it": "minor_units", "unit": "currency"}, "least": 1}
    assert outcome_of(row, Money(5, "USD"))[0] == {"it": 5, "unit": "USD"}
    assert outcome_of(row, Money(0, "USD"))[0] == {}


def test_what_the_document_has_always_is_sent_without_members_too() -> None:
    call = {"objects": {"a": True, "b": False}, "body": {"it": {"place": "b.it"}}}
    package = package_of(call)
    assert package.request(OPERATION, {"it": None}).body == {"a": {}}
    assert package.request(OPERATION, {"it": "x"}).body == {"a": {}, "b": {"it": "x"}}


def test_a_list_is_read_again_for_what_an_item_may_leave() -> None:
    package = package_of({"query": {"state": {"place": "st", "leaves": True}, "day": {}}})
    for given, may_be_left in (
        ({"state": "a", "day": None}, True),
        ({"state": None, "day": "a"}, False),
    ):
        assert package.list(OPERATION, given).may_be_left is may_be_left
    extra = {"state": None, "day": None, "extra_query": {"a": "b"}}
    assert package.list(OPERATION, extra).may_be_left


def test_a_dot_in_a_name_leads_into_no_object() -> None:
    rows = {"zip": {"place": ("", "details.zip")}, "note": {"place": "details.note"}}
    package = package_of({"what": "order", "body": rows, "objects": {"details": False}})
    request = package.request(OPERATION, {"zip": "Z", "note": "N"})
    assert request.body == {"details.zip": "Z", "details": {"note": "N"}}
