"""The filters of `orders.list`, checked by a generated function, are sent and refused as they were.

`queries_before` has the filters as they were declared by hand.
"""

import dataclasses
import inspect
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from types import UnionType
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from flexfactor_api.typed import arguments
from flexfactor_api.typed.arguments import STATUS_CHOICES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.providers.flexfactor.adapter import MID, scripted
from tests.providers.flexfactor.queries_before import OrderFilters
from victor_ext import InvalidRequest
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.providers.flexfactor.orders import Orders
from victor_ext.words import Word

SECOND = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MOMENTS = [
    SECOND,
    SECOND + timedelta(microseconds=1),
    SECOND.astimezone(timezone(timedelta(hours=5, minutes=30))),
    SECOND.replace(tzinfo=None),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    datetime.min.replace(tzinfo=UTC),
    SECOND.date(),
    "2026-03-04T05:06:07Z",
]
TEXTS = ["", " ", "a text", "x" * 300, "\ud800", "asc", "ASC", Word("asc"), Word("up"), b"asc"]
NUMBERS = [0, 1, 7, 8, 100, -1, 2**31 - 1, 2**31, 1.0, 1.5, True, False, "7", "5"]
STATUSES = ["COMPLETED", " completed ", "Onhold", "COMPLETE", *OrderStatus, Word("DRAFT")]
LISTS = [[], (), ["DRAFT", 7], ("DRAFT", "x"), [None], [[1]], {1}, {"DRAFT": 0}, range(3)]
ANYTHING = st.sampled_from([None, *MOMENTS, *TEXTS, *NUMBERS, *STATUSES, *LISTS])
FITTING: dict[str, Sequence[object]] = {
    "status": [7, 8, "Onhold", " completed ", OrderStatus.DRAFT, ["DRAFT", 7], range(3)],
    "start": MOMENTS[:3],
    "end": MOMENTS[:3],
    "sort": ["asc", "desc"],
    "page": [1, 2, 2**31 - 1],
    "page_size": [1, 50],
}


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """Some filters: mostly with values that fit, sometimes with any."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(OrderFilters):
        if draw(st.booleans()):
            fitting = st.sampled_from(FITTING.get(field.name, ["", "a text"]))
            values[field.name] = draw(fitting if draw(st.integers(0, 5)) else ANYTHING)
    return values


@pytest.mark.slow
@settings(
    max_examples=10_000 if "VICTOR_SEARCH" in os.environ else 1_000,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(filters())
def test_orders_are_asked_for_as_they_were(values: dict[str, Any]) -> None:
    def now() -> tuple[dict[str, Any], bool]:
        query = arguments.list_orders(**values)
        return query.arguments, query.may_be_left

    assert outcome(now) == outcome(lambda: OrderFilters(**values).arguments())


def outcome(call: Callable[[], Any]) -> Any:
    """What is sent, and whether orders may leave a filter; or the problems by field and code."""
    try:
        return call()
    except InvalidRequest as error:
        return sorted((problem.field, problem.code) for problem in error.problems)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"mid": MID, "pageNumber": "1"}),
        ({"mid": "", "page": 3}, {"mid": MID, "pageNumber": "3"}),
        ({"mid": "m-2", "query": ""}, {"mid": "m-2", "pageNumber": "1", "query": ""}),
    ],
)
def test_the_merchant_and_the_first_page_are_those_of_the_client_where_none_is_given(
    given: dict[str, Any], sent: dict[str, str]
) -> None:
    client, script = scripted(httpx.Response(200, json={"items": [], "isLastPage": True}))
    assert list(client.orders.list(**given)) == []
    assert dict(script.requests[0].url.params) == sent


def test_the_arguments_are_those_that_were() -> None:
    before = inspect.signature(OrderFilters).parameters
    now = inspect.signature(Orders.list).parameters
    assert list(now) == ["self", *before]
    types_before = get_type_hints(OrderFilters)
    types = get_type_hints(arguments.list_orders)
    for name, parameter in before.items():
        assert now[name].default == parameter.default
        assert now[name].kind is parameter.kind
        assert members_of(types[name]) == members_of(types_before[name]), name


def members_of(type_: Any) -> set[Any]:
    """What a type consists of; a member of `OrderStatus` is an int."""
    if isinstance(type_, UnionType) or type_.__module__ == "typing" or hasattr(type_, "__origin__"):
        parts = get_args(type_)
        if any(isinstance(part, str) for part in parts):
            return set(parts)
        return set().union(*map(members_of, parts))
    return {int if type_ is OrderStatus else type_}


def test_the_names_of_a_status_have_the_numbers_that_an_order_has() -> None:
    assert OrderStatus.__members__ == STATUS_CHOICES
