"""A payment request that another record of it completes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api.members import MEMBERS

from victor_ext import PaymentRequest
from victor_ext.providers.victor.records import FakeFields
from victor_ext.providers.victor.values import Amounts, Payer, first_of

MODELS = [
    "PaymentRequestReceipt",
    "GetPaymentRequestResponse",
    "RfpInboundPaymentRequestResponseDetails",
]
FIELDS = {*FakeFields.__annotations__, "is_terminal"}
GOOD: list[Any] = ["a text", "44.23", "0.00", "2026-03-04", "Accepted", "pending", "inbound"]
ODD: list[Any] = [None, "", " ", 0, 7, 5.0, 1.5, True, False, "true", [], [5], {}, {"status": "x"}]


@st.composite
def bodies(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """An object with some members of a model: mostly of their kinds, sometimes odd."""
    body: dict[str, Any] = {"undeclared": 1}
    for member, kind in MEMBERS[name].items():
        if draw(st.integers(0, 3)):
            body[member] = draw(values(kind))
    return body


def values(kind: Any) -> st.SearchStrategy[Any]:
    odd = st.sampled_from(ODD)
    if isinstance(kind, str) and kind in MEMBERS:
        return bodies(kind) | bodies(kind) | bodies(kind) | odd
    words = kind if isinstance(kind, tuple) else ()
    return st.sampled_from([*GOOD, *words]) | odd


PAIRS = st.sampled_from(MODELS).flatmap(lambda name: st.tuples(st.just(name), bodies(name)))
"""The name of a model, and an object of it."""


OWN = ("id", "status", "direction", "is_terminal", "idempotency_key")
"""Fields that another record of the same request does not complete."""
AMOUNTS = ("amount", "original_amount")
"""Fields that are read from what both records say together."""


@pytest.mark.slow
@given(sent=PAIRS, other=PAIRS)
def test_a_completed_request_says_what_either_record_says(sent: Any, other: Any) -> None:
    own, another = of(*sent), of(*other)
    completed = own.completed_by(another)
    assert completed.to_dict().keys() == FIELDS
    for name in FIELDS - {*AMOUNTS, "payer"}:
        value = getattr(own, name)
        if value is None and name not in OWN:
            value = getattr(another, name)
        assert getattr(completed, name) == value, name
    for part in Payer.__struct_fields__:
        said = [getattr(each.payer, part, None) for each in (own, another)]
        assert (getattr(completed.payer, part, None) or None) == (said[0] or said[1] or None)
    assert completed.said_amounts() == tuple(map(first_of, *map(amounts, (own, another))))


def amounts(record: PaymentRequest) -> Amounts:
    return record.said_amounts()


def of(model: str, body: dict[str, Any]) -> PaymentRequest:
    return PaymentRequest.of_json(body, model)


def test_the_model_of_a_record_is_a_copy() -> None:
    request = PaymentRequest.of_json({"error_message": "before"})
    request.raw.error_message = "after"  # type: ignore[union-attr] # it is a receipt
    assert request.error_message == "before"
    undeclared = PaymentRequest.of_json({"extra": {"fee": 1}})
    undeclared.raw.additional_properties["extra"]["fee"] = 2
    assert undeclared.raw.additional_properties["extra"] == {"fee": 1}
