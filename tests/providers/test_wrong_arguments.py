"""What an argument cannot be is refused by name before anything is sent, with the sentence what to
write: whatever the system, the method, and the part of a request.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_origin

import pytest

from tests.cases import cases_beside
from tests.providers.arguments import TARGETS, last, refused
from tests.providers.systems import ADAPTERS, CLIENTS
from victor_ext import NotFound
from victor_ext.providers import Money

NAIVE = datetime(2026, 3, 4)  # noqa: DTZ001 - what is to be refused
AWARE = datetime(2026, 3, 4, tzinfo=UTC)
BEYOND_ALL_YEARS = datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))
HUGE = 10**5000


class Wrong(NamedTuple):
    """Values that are wrong, the codes that each may be refused with, and what the sentence has."""

    values: Sequence[Any]
    codes: str
    advice: str = ""


WRONG = {
    "moment": [
        Wrong([date(2026, 3, 4), "2026-03-04T05:06:07Z", 7, HUGE], "type", r"write datetime\("),
        Wrong([NAIVE], "naive", r"write datetime\("),
        Wrong([BEYOND_ALL_YEARS], "range"),
    ],
    "day": [
        Wrong(["tomorrow", "2026-3-4", "20260304", "2026-02-30", "2026-03-04\n"], "type", "date"),
        Wrong(["2026-03-04T00:00:00Z", "\uff12\uff10\uff12\uff16-03-04", ""], "type", "date"),
        Wrong([20260304, HUGE, AWARE], "type", r"such as date\("),
    ],
    "money": [
        Wrong([44.23, "44.23", Decimal("44.23"), 4423], "type", "Money"),
        Wrong([Money(-1, "USD")], "range"),
        Wrong([Money(4423, "HRK"), Money(4423, "UDS")], "gone unknown currency"),
    ],
    "amount": [Wrong([44.23], "float", "write Decimal"), Wrong([b"1", True], "type")],
    "flag": [Wrong(["yes", 1, 0, [], ""], "type", "write True or False")],
    "number": [Wrong([True, "1", 1.5, HUGE, -HUGE], "range", r"whole number from -?\d+ to \d+")],
    "fraction": [Wrong([-1, "1", float("nan"), float("inf"), HUGE], "range")],
    "mapping": [Wrong([7, "a=b", ["a"]], "type")],
    "list": [Wrong([1.5, object(), [object()]], "type length choice")],
    "part": [Wrong(["here", 7, object()], "type", "must be")],
    "word": [Wrong([7, b"a", True, ["a"], object(), HUGE], "choice type", "must be")],
    "text": [
        Wrong([7, b"a", 1.5, True, ["a"], object(), HUGE], "type invalid", "must be"),
        Wrong(["\ud800"], "characters format length invalid type"),
    ],
    "required text": [Wrong(["", " ", None], "length format required invalid type")],
}
"""What an argument cannot be, by its kind."""
KINDS = {
    datetime: "moment",
    date: "day",
    Money: "money",
    Decimal: "amount",
    bool: "flag",
    float: "fraction",
    Mapping: "mapping",
    Sequence: "list",
    Collection: "list",
    Literal: "word",
    int: "number",
    str: "text",
}
"""The kind of an argument by a type of it, the first that it has."""
FROM_THE_PROVIDER = ("receipt", "body")
"""Arguments that no caller writes."""


def kind_of(types):
    origins = {get_origin(each) for each in types}
    known = (kind for each, kind in KINDS.items() if each in types | origins)
    return next(known, "part")


def wrong_for(types):
    yield from WRONG[kind_of(types)]
    if types == {str}:
        yield from WRONG["required text"]


def checked(target):
    return {name: types for name, types in target.types.items() if name not in FROM_THE_PROVIDER}


@pytest.mark.parametrize("name", TARGETS)
def test_a_value_of_a_wrong_type_is_refused_by_name_with_what_to_write(name):
    target = TARGETS[name]
    for argument, types in checked(target).items():
        for wrong in wrong_for(types):
            for value in wrong.values:
                [problem, *others] = refused(target, **{argument: value}).problems
                assert last(problem) == argument
                assert problem.code in wrong.codes.split()
                assert re.search(wrong.advice, str(problem)), argument
                # two arguments may be a choice, or belong together
                assert {each.code for each in others} <= {"choice"}


def in_order(first):
    """The name of the argument that ends a range which this one begins."""
    ends = {"start": "end", "from": "to", "since": "until"}
    return "_".join(ends.get(word, word) for word in first.split("_"))


ORDERED = {
    "moment": (AWARE, AWARE + timedelta(seconds=1)),
    "day": ("2026-03-04", date(2026, 3, 5)),
    "number": (5, 6),
}
RANGES = [
    pytest.param(target, first, in_order(first), id=f"{name} {first}")
    for name, target in TARGETS.items()
    for first in target.types
    if first != in_order(first) in target.types and kind_of(target.types[first]) in ORDERED
]


@pytest.mark.parametrize(("target", "first", "last"), RANGES)
def test_a_range_that_ends_before_it_begins_is_refused_and_one_of_a_moment_is_sent(
    target, first, last
):
    early, late = ORDERED[kind_of(target.types[first])]
    [problem] = refused(target, **{first: late, last: early}).problems
    assert (problem.field, problem.code) == (last, "range")
    assert re.search(rf"{last} is before {first}.*swap them", problem.message)
    for end in (early, late):
        with pytest.raises(NotFound):
            target({first: early, last: end})


NO_PART_OF_A_PATH = ("", " ", ".", "..", "a\n", "a\0", "\ud800", None, 7)
ELSEWHERE = (
    *("a/b", "../accounts", "a\\b", "a?b=c", "a#b", "a%2Fb", "a b", " a", "a\r\nX: y", "a\x7f"),
    *("a\u2028b", "a\u00a0b", "\u200b", b"a", ["a"]),
)
IN_NO_PATH = ("find", "watch", "flexfactor capture", "payment_requests.list")
"""Their ids are in the body or in the query; `watch` reads as `wait` does."""


@pytest.mark.parametrize("name", [name for name in TARGETS if not name.endswith(IN_NO_PATH)])
def test_an_id_that_would_lead_to_another_path_is_refused(name):
    """FlexFactor takes any text that a path can hold, also of an order that is to come, and encodes
    it.
    """
    target, system = TARGETS[name], name.partition(" ")[0]
    odd = NO_PART_OF_A_PATH if system == "flexfactor" else (*NO_PART_OF_A_PATH, *ELSEWHERE)
    if system in ("eastpay", "velo"):
        odd = (*odd, "x" * 129, "ä")
    first = next(iter(target.good), "")
    for id in {first if first.endswith("id") else "", "order_id"} & {*target.good}:
        for value in odd:
            [problem] = refused(target, **{id: value}).problems
            assert last(problem) == id


REFERENCES = ("merchant_transaction_id", "payor_payment_id")
"""What a payment is searched for by, and is compared with."""


@pytest.mark.parametrize("reference", [" INV-1", "INV-1 ", "INV\n1", "INV\x001"])
def test_a_reference_that_may_come_back_otherwise_is_refused(reference):
    calls = [call for call in TARGETS if call != "velo payouts.payments"]  # there it is a filter
    named = [(call, name) for call in calls for name in TARGETS[call].types.keys() & REFERENCES]
    assert {"eastpay payments.debit", "velo payouts.submit's payments"} <= {*dict(named)}
    for call, name in named:
        [problem] = refused(TARGETS[call], **{name: reference}).problems
        assert (last(problem), problem.code) == (name, "characters")


def rows(table):
    """The rows of all systems, each with the target that its first cell names."""
    for system in CLIENTS:
        for call, *cells in cases_beside(ADAPTERS[system].__file__).get(table, ()):
            yield TARGETS[f"{system} {call}"], *cells


def as_money(value):
    is_money = isinstance(value, dict) and "minor_units" in value
    return Money(**value) if is_money else value


REFUSED = [(*row, "") if len(row) < 5 else row for row in rows("refused")]


@pytest.mark.parametrize(("target", "argument", "code", "values", "words"), REFUSED)
def test_a_value_that_the_system_does_not_take_is_refused_by_name(
    target, argument, code, values, words
):
    for value in values:
        error = refused(target, **{argument: as_money(value)})
        [problem] = error.problems
        assert (last(problem), problem.code) == (argument, code)
        assert re.search(words, str(error))
