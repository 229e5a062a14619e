"""The arguments of Velo's lists, checked by generated functions, are sent and refused as they were.

`queries_before` has the arguments as they were declared by hand.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from velo_api.typed import arguments

from tests.providers.velo import queries_before as before
from victor_ext import InvalidRequest
from victor_ext.providers.velo import payments, payouts
from victor_ext.providers.velo.reading import Order
from victor_ext.typed import ListQuery
from victor_ext.words import Word

LISTS: Mapping[str, tuple[type[before.ListRequest], Callable[..., ListQuery], Order, int]] = {
    "payees": (before.PayeeList, arguments.list_payees, Order(), 100),
    "invitations": (before.InvitationList, arguments.list_payee_invitations, Order(), 100),
    "changed payees": (before.ChangeFeed, arguments.list_payee_changes, Order(), 1000),
    "changed payments": (before.ChangeFeed, arguments.list_payment_changes, Order(), 1000),
    "changed fundings": (before.ChangeFeed, arguments.list_funding_changes, Order(), 100),
    "source accounts": (before.SourceAccountList, arguments.list_source_accounts, Order(), 100),
    "funding accounts": (before.FundingAccountList, arguments.list_funding_accounts, Order(), 100),
    "fundings": (before.FundingList, arguments.list_fundings, Order("dateTime:asc"), 100),
    "payments": (before.PaymentList, arguments.list_payments, payments._ORDER, 100),
    "payouts": (before.PayoutList, arguments.list_payouts, payouts._ORDER, 100),
    "payments of a payout": (
        before.PayoutPaymentList,
        arguments.list_payout_payments,
        Order(),
        100,
    ),
    "audit": (before.AuditedPaymentList, arguments.get_payout_history, Order(), 100),
    "webhooks": (before.PayorList, arguments.list_webhooks, Order(), 100),
}
"""By the name of a list: its arguments before and now, its order, and the most items of a page."""

VALUES = st.sampled_from(
    [
        None,
        "",
        " ",
        "a text",
        "p-1",
        "a/b",
        "..",
        "\ud800",
        "x" * 40,
        "x" * 41,
        "x" * 255,
        "x" * 256,
        "ACCEPTED",
        Word("NEW"),
        "2026-03-04",
        "2026-02-30",
        "displayName:asc",
        "displayName:up",
        date(2026, 3, 4),
        date(2026, 3, 5),
        datetime(2026, 3, 4, 9, 30, 15, 999_999, tzinfo=UTC),
        datetime(2026, 3, 4, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(2026, 3, 4),  # noqa: DTZ001 - a naive one is refused
        datetime.max.replace(tzinfo=UTC),
        datetime(1899, 12, 31, tzinfo=UTC),
        0,
        1,
        100,
        101,
        1000,
        1001,
        -1,
        2**31 - 1,
        2**31,
        1.5,
        True,
        False,
    ]
)


@st.composite
def given_to(draw: st.DrawFn, request: type[before.ListRequest]) -> dict[str, Any]:
    """Some arguments of a list; those that it requires are always there."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(request):
        if field.default is dataclasses.MISSING or draw(st.integers(0, 3)) == 0:
            values[field.name] = draw(VALUES)
    return values


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTS)
@given(data=st.data())
def test_a_list_is_asked_for_as_it_was(name: str, data: st.DataObject) -> None:
    request, function, order, most = LISTS[name]
    values = data.draw(given_to(request))
    expected = outcome(lambda: request(**values).arguments("", most))

    def now() -> tuple[dict[str, Any], bool]:
        query = function(**values)
        sent = {**query.arguments, **order.sort(query.arguments.get("sort"))}
        return sent, query.may_be_left

    assert outcome(now) == expected


def outcome(call: Callable[[], Any]) -> Any:
    """What is sent, and whether items may leave a filter; or the problems by field and code."""
    try:
        return call()
    except InvalidRequest as error:
        return sorted((problem.field, problem.code, problem.message) for problem in error.problems)
