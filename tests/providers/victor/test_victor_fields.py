"""The generated fields of Victor's records say what those by hand said.

`records_before` has them as they were declared by hand.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api import models
from victor_api.members import MEMBERS

from tests.providers.victor import records_before
from victor_ext import PaymentRequest
from victor_ext.providers.victor.fakes import FakeFields

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


@pytest.mark.slow
@given(sent=PAIRS, other=PAIRS)
def test_a_payment_request_says_what_it_said(sent: Any, other: Any) -> None:
    now, before = of(PaymentRequest, *sent), of(records_before.PaymentRequest, *sent)
    assert said(now) == said(before)
    completed = now.completed_by(of(PaymentRequest, *other))
    completed_before = before.completed_by(of(records_before.PaymentRequest, *other))
    assert said(completed) == said(completed_before)
    # now its model has been made
    assert said(now) == said(before)


def of(kind: type[PaymentRequest], model: str, body: dict[str, Any]) -> PaymentRequest:
    return kind.of_json(body, model)


def said(record: PaymentRequest) -> Any:
    row = record.to_dict()
    assert row.keys() == FIELDS
    fields = {name: getattr(record, name) for name in FIELDS}
    types = {name: type(value) for name, value in fields.items()}
    return fields, types, row, repr(record), record.not_objects()


def test_a_change_in_the_model_of_a_record_is_a_change_of_its_fields() -> None:
    request = PaymentRequest(models.PaymentRequestReceipt.from_dict({"error_message": "before"}))
    request.raw.error_message = "after"  # type: ignore[union-attr] # it is a receipt
    assert request.error_message == "after"
