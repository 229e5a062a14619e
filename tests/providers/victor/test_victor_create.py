"""What Victor's `create` sends, refuses and compares, by generated code, is what it did by hand.

`requests_before` has the arguments as they were declared by hand.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api.serializing import json_body
from victor_api.typed.arguments import create_request_payment

from tests.providers.victor import requests_before as before
from victor_ext import InvalidRequest, PaymentRequest, VictorError
from victor_ext.providers.victor import creating
from victor_ext.words import Word

pytestmark = pytest.mark.slow
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Biller(StrEnum):
    BUSINESS = "BUSINESS"


GOOD: dict[str, Any] = {
    "payee_account_number": "043987673645",
    "payer_counterparty_id": "aHeq349838",
    "amount": Decimal("44.23"),
    "biller_type": "BUSINESS",
    "due_date": date(2026, 3, 4),
}
OPTIONAL: dict[str, Any] = {
    "ultimate_creditor": "SampleCo Billing Inc.",
    "amount_modification_allowed": True,
    "notes": "Thank you.",
    "client_reference_id": "INV-1042",
    "extra_body": {"payment_details": {"purpose": "RENT"}},
    "idempotency_key": "invoice-1042-of-2026",
}
ODD = st.sampled_from(
    [
        *(None, "", " ", "**", "a text", "a/b", "\ud800", "tab\t", "1", "12", "123"),
        *("7" * length for length in (16, 17, 20, 21, 100, 101, 128, 129, 150, 151)),
        *("CONSUMER", "consumer", Word("NEW"), Biller.BUSINESS),
        *("2026-03-04", "2026-02-30", date(2026, 3, 9), date(2026, 3, 1), NOW),
        *(0, 44.23, "44.23", "44.230", Decimal("NaN"), Decimal("1E+2"), -1, True, False),
        *({"purpose": "RENT"}, {"notes": "x"}, {"payee": {"account_number": "1"}}, [], {1: 2}),
    ]
)
MEMBERS = st.sampled_from([*GOOD.values(), *OPTIONAL.values(), "44.2", "RENT", "inv-1042", 44.23])


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `create`: most of them good, some odd."""
    values = {**GOOD, **{name: OPTIONAL[name] for name in OPTIONAL if draw(st.booleans())}}
    for name in draw(st.lists(st.sampled_from([*GOOD, *OPTIONAL]), max_size=3)):
        values[name] = draw(ODD)
    return values


def outcome(call: Callable[[], Any]) -> Any:
    """What came of a call; or the problems by field and code."""
    try:
        return call()
    except InvalidRequest as error:
        return sorted((problem.field, problem.code) for problem in error.problems)
    except VictorError as error:
        return type(error).__name__, error.message


@given(values=arguments(), now=st.sampled_from([None, NOW]))
def test_the_same_bytes_are_sent_and_the_same_arguments_refused(
    values: dict[str, Any], now: datetime | None
) -> None:
    def sent_before() -> bytes:
        request = before.CreateRequest(**values)
        return json_body(request.to_model(request.check(now)))

    def sent_now() -> bytes:
        request = create_request_payment(**values)
        creating.check_request(request, now)
        return json_body(creating.body_of(request))

    was, is_ = outcome(sent_before), outcome(sent_now)
    if values.get("extra_body") and isinstance(was, bytes):  # these stand last now, then first
        was, is_ = json.loads(was), json.loads(is_)
    assert is_ == was


@st.composite
def answers(draw: st.DrawFn, body: dict[str, Any]) -> dict[str, Any]:
    """A payment request that repeats a body, with some members missing, odd, or another's."""
    request: dict[str, Any] = json.loads(json.dumps(body))
    for part in ("payee", "payer", "payment_details"):
        members = request.get(part, {})
        for name in [*members, *draw(st.lists(st.sampled_from(["notes", "other"]), max_size=1))]:
            what = draw(st.integers(0, 9))
            if what == 0:
                members.pop(name, None)
            elif what == 1:
                members[name] = str(draw(MEMBERS))
            elif what == 2:
                members[name] = draw(st.sampled_from([None, "", [], {}, 7, True, "****3645"]))
        if draw(st.integers(0, 19)) == 0:
            request[part] = draw(st.sampled_from([None, "text", []]))
    reference = request.pop("client_reference_id", None)
    said = draw(st.sampled_from([reference, reference, None, "INV-1043", 7]))
    direction = draw(st.sampled_from(["outbound", "outbound", None, "inbound"]))
    answer = {"victor_payment_request_id": "b1", "payment_request": request, "direction": direction}
    return {**answer, "client_reference_id": said}


@given(data=st.data(), values=arguments())
def test_a_response_is_compared_as_it_was(data: st.DataObject, values: dict[str, Any]) -> None:
    request = before.CreateRequest(**values)
    try:
        model = request.to_model(request.check(None))
    except InvalidRequest:
        return
    body = json.loads(json_body(model))
    record = PaymentRequest.of_json(data.draw(answers(body)), idempotency_key="key")
    then = before.Sent(request, 1, "key")
    generated = create_request_payment(**values)
    now = creating.Sent(generated.body, 1, "key", (generated.by_hand["extra_body"],))
    read = creating.Sent.of_body(body)
    assert now.comparisons(record) == then.comparisons(record)
    assert outcome(lambda: now.is_confirmed_by(record)) == outcome(
        lambda: then.is_confirmed_by(record)
    )
    assert read.comparisons(record) == now.comparisons(record)
