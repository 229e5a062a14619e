"""What the generated records and arguments stand on."""

import runpy
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from velo_api.typed import arguments, records

from victor_ext import typed
from victor_ext.money import Money


@pytest.mark.parametrize("module", [records, arguments], ids=["records", "arguments"])
@pytest.mark.parametrize("other", [typed.RUNTIME - 1, typed.RUNTIME + 1])
def test_a_package_for_another_version_is_refused_when_it_is_imported(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, other: int
) -> None:
    file = str(module.__file__)
    runpy.run_path(file, run_name=module.__name__)
    monkeypatch.setattr(typed, "RUNTIME", other)
    with pytest.raises(ImportError, match=r"victor_ext\.typed, .* generate it again"):
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
