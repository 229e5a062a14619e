"""Transactions that generated functions check are sent and refused as they were.

`requests_before` has them as they were declared by hand.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from flexfactor_api.serializing import json_body
from flexfactor_api.typed import arguments
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.flexfactor import requests_before as before
from victor_ext import InvalidRequest
from victor_ext.money import Money
from victor_ext.providers.flexfactor import payments
from victor_ext.providers.flexfactor import transactions as now
from victor_ext.providers.flexfactor.system import Merchant

pytestmark = pytest.mark.slow
KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PRICE = Money.of("44.23", "USD")
CARD_NUMBER = "4929123456781234"
MERCHANT = Merchant(mid=KEY, site_id="")
ODD = st.sampled_from(
    [
        *(None, "", " ", "**", "a text", "..", "a\x00b", "\ud800", "12", "1970-05-20", CARD_NUMBER),
        *(0, 1, 12, 13, 2030, 999, -1, 2**31 - 1, 2**31, 1.5, True, False),
        *(date(1970, 5, 20), datetime(2026, 3, 4), MOMENT),  # noqa: DTZ001 - a naive one
        MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))).replace(microsecond=123_000),
        MOMENT.replace(microsecond=123_456),
        *(PRICE, Money(0, "USD"), Money(10**15, "USD"), Money(5, "JPY"), Money(5, "EUR")),
        *({"a": "b"}, {"card": CARD_NUMBER}, {1: "b"}, [], ["x"]),
    ]
)
GOOD: Mapping[str, Any] = {
    "occurred_at": MOMENT,
    "card_not_present": True,
    "utc_offset": 0,
    "expiration_month": 12,
    "expiration_year": 2030,
    "bin": "411111",
    "last4": "1111",
    "birthdate": date(1970, 5, 20),
    "amount": PRICE,
    "discount": PRICE,
    "tax": PRICE,
    "quantity": 2,
    "recurring": False,
    "merchant_initiated": True,
    "declined": True,
    "fields": {"source": "web"},
    "extra_body": {"transaction": {"purpose": "x"}},
    "expires_at": MOMENT,
    "idempotency_key": KEY,
}
PARTS = {
    "transaction": "Transaction",
    "payer": "Payer",
    "card": "Card",
    "billing": "Address",
    "shipping": "Address",
    "subscription": "Subscription",
}


@st.composite
def values_of(draw: st.DrawFn, kind: Any, odd: int) -> dict[str, Any]:
    """Arguments of a class of before: `odd` of a hundred are odd, parts stand as descriptions."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        is_required = field.default is dataclasses.MISSING
        if not is_required and draw(st.integers(0, 2)) == 0:
            continue
        is_odd = draw(st.integers(1, 100)) <= odd
        if is_odd and field.name != "birthdate":  # a text of a date was refused, and is taken now
            values[field.name] = draw(ODD)
        elif field.name in PARTS:
            part = PARTS[field.name]
            values[field.name] = (part, draw(values_of(getattr(before, part), odd)))
        elif field.name == "items":
            values["items"] = [("OrderItem", draw(values_of(before.OrderItem, odd)))]
        else:
            values[field.name] = GOOD.get(field.name, "example")
    return values


def made(module: Any, value: Any) -> Any:
    """A value, with the request objects of a module for their descriptions."""
    if isinstance(value, tuple):
        name, values = value
        return getattr(module, name)(**{key: made(module, each) for key, each in values.items()})
    return [made(module, each) for each in value] if isinstance(value, list) else value


def outcome(call: Callable[[], Any]) -> Any:
    """The bytes; or the problems by field and code."""
    try:
        return call()
    except InvalidRequest as error:
        return sorted({(problem.field, problem.code) for problem in error.problems})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("evaluate", before.EvaluateRequest), ("transmit", before.TransmitRequest)],
)
@given(data=st.data(), odd=st.sampled_from([0, 2, 10]))
def test_a_transaction_is_sent_and_refused_as_it_was(
    name: str, kind: Any, data: st.DataObject, odd: int
) -> None:
    values = data.draw(values_of(kind, odd))
    if values.get("items", ()) is None:  # was refused, and says now that there are none
        del values["items"]
    if name == "transmit":  # a flag that is always sent was False for None; it is refused now
        for flag in ("declined", "merchant_initiated"):
            if flag in values and values[flag] is None:
                del values[flag]

    def sent_before() -> Any:
        request = kind(**{key: made(before, value) for key, value in values.items()})
        request.check(name)
        keys = [KEY] if name == "evaluate" else []
        return request.to_model(MERCHANT, *keys).to_dict()

    def sent_now() -> Any:
        function = getattr(arguments, name)
        request = function(**{key: made(now, value) for key, value in values.items()})
        fixed = {"isDeclined": True, "idempotencyKey": KEY} if name == "evaluate" else {}
        return payments._body_of(request, name, MERCHANT, **fixed)

    was, is_ = outcome(sent_before), outcome(sent_now)
    if isinstance(was, dict):
        was, is_ = (sorted_json(each) for each in (was, is_))
    assert is_ == was


def sorted_json(body: Any) -> Any:
    """A body as JSON, whatever the order of its members."""
    return json.loads(json_body(body))
