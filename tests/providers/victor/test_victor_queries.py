"""The arguments of Victor's list, checked by a generated function, are sent and refused as they
were.

`queries_before` has the arguments as they were declared by hand.
"""

import dataclasses
import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api import models
from victor_api.typed import arguments

from tests.providers.victor import queries_before as before
from victor_ext import Direction, InvalidRequest, Network, Status
from victor_ext.words import Word

MOMENTS = [
    datetime(2026, 3, 4, 9, 30, 15, 999_999, tzinfo=UTC),
    datetime(2026, 3, 4, 9, 30, 15, 1, tzinfo=UTC),
    datetime(2026, 3, 4, 9, 30, 15, 123_000, tzinfo=UTC),
    datetime(2026, 3, 4, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime.max.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
]
DAYS = [date(2026, 3, 4), date(2026, 3, 5), "2026-03-04", "2026-03-05"]
FITTING: dict[str, list[Any]] = {
    "status": ["completed", Status.NEEDS_REVIEW, models.ListPaymentRequestsStatus.CREATED],
    "direction": ["inbound", Direction.OUTBOUND, Word("sideways")],
    "network_type": ["FedNow", "RTP", Network.FEDNOW],
    "page": [0, 1, 2**31 - 1],
    "page_size": [1, 50, 2**31 - 1],
    "extra_query": [{"purpose": "RENT"}, {"purpose": [1, 2]}, {"purpose": None}, {}],
}
"""Values that an argument takes. Those of the others are named by their kind."""
VALUES: list[Any] = [
    *(None, "", " ", "a text", "\ud800", "x" * 300, "Completed", "canceled"),
    *(Word("canceled"), Word(""), Word("\ud800"), "2026-02-30", "2026-03-04T05:06:07Z"),
    *(0, 1, -1, 2**31 - 1, 2**31, 1.5, True, False),
    *(*MOMENTS, *DAYS),
    datetime(2026, 3, 4),  # noqa: DTZ001 - a naive one is refused
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
]
EXTRAS: list[Any] = [
    *(None, "", [], "purpose", {"": 1}, {1: 1}, {"purpose": 1.5}, {"purpose": {}}),
    *(
        {"purpose": "\ud800"},
        {"status": "failed"},
        {"Page-Size": 1},
        {"startDateTime": "x", "a": 1},
    ),
]


def fitting(name: str) -> list[Any]:
    """Values that an argument takes."""
    if name.endswith("datetime"):
        return MOMENTS
    return FITTING.get(name, DAYS if name.endswith("date") else ["a text", "x" * 300])


@st.composite
def given_to_the_list(draw: st.DrawFn) -> dict[str, Any]:
    """Some arguments of the list; in every second set, each has a value that it takes."""
    names = [field.name for field in dataclasses.fields(before.ListRequest)]
    all_fit = draw(st.booleans())
    values: dict[str, Any] = {}
    for name in names:
        if draw(st.integers(0, 2)) == 0:
            any_value = EXTRAS if name == "extra_query" else VALUES
            values[name] = draw(st.sampled_from(fitting(name) if all_fit else any_value))
    return values


@pytest.mark.slow
@given(values=given_to_the_list())
def test_the_list_is_asked_for_as_it_was(values: dict[str, Any]) -> None:
    def then() -> tuple[dict[str, Any], bool]:
        request = before.ListRequest(**values)
        filters = request.filters()
        paging = {"page": request.page, "page_size": request.page_size}
        sent = {**filters, **paging, "extra_query": request.extra_query or None}
        may_be_left = bool(before.FILTERS_TO_LEAVE & filters.keys() or request.extra_query)
        return {name: value for name, value in sent.items() if value is not None}, may_be_left

    def now() -> tuple[dict[str, Any], bool]:
        query = arguments.list_payment_requests(**values)
        return query.arguments, query.may_be_left

    assert outcome(now) == outcome(then)


def outcome(call: Callable[[], Any]) -> Any:
    """What is sent, and whether requests may leave a filter; or the problems and how the message
    begins.
    """
    try:
        sent, may_be_left = call()
    except InvalidRequest as error:
        problems = sorted((each.field, each.code, each.message) for each in error.problems)
        return problems, str(error).partition(":")[0]
    return {name: (type(value), value) for name, value in sent.items()}, may_be_left


def test_the_arguments_have_the_types_and_defaults_that_they_had() -> None:
    assert signed(arguments.list_payment_requests) == signed(before.ListRequest)


def signed(function: Callable[..., Any]) -> dict[str, tuple[Any, Any, Any]]:
    """The kind, the default and the type of each argument."""
    kinds = get_type_hints(function)
    return {
        name: (parameter.kind, parameter.default, kinds[name])
        for name, parameter in inspect.signature(function).parameters.items()
    }
