"""The one record over the three shapes that the document has for a payment request."""

from decimal import Decimal

import pytest
from victor_api.models import GetPaymentRequestResponse, PaymentRequestReceipt

from tests.cases import cases_beside
from victor_ext import PaymentRequest

CASES = cases_beside(__file__)
LISTED = CASES["listed"]


def listed(**changes):
    return PaymentRequest({**LISTED, **changes})


def read(**changes):
    return PaymentRequest({**LISTED, **changes}, "GetPaymentRequestResponse")


def answered(**fields):
    return PaymentRequest(fields, "RfpInboundPaymentRequestResponseDetails")


def with_payer(payer):
    return {"payment_request": {**LISTED["payment_request"], "payer": payer}}


@pytest.mark.parametrize(
    ("word", "status"),
    [("Accepted", "accepted"), ("Rejected", "declined"), ("Declined", "declined")],
)
def test_rejected_and_declined_are_one_answer(word, status):
    request = answered(
        victor_payment_request_id="b1", status=word, notes="No.", original_amount="10.00"
    )
    assert (request.status, request.direction) == (status, "inbound")
    assert request.response is not None and request.response.status == status
    assert (request.amount, request.notes, request.approval_notes) == (
        Decimal("10.00"),
        None,
        "No.",
    )


def everywhere(sent, odd):
    """The object with the odd value in the place of each of its members, inner ones too, and
    without each of them.
    """
    for name, value in sent.items():
        yield {**sent, name: odd}
        yield {key: each for key, each in sent.items() if key != name}
        if isinstance(value, dict):
            yield from ({**sent, name: inner} for inner in everywhere(value, odd))


WHOLE = LISTED | {
    "error_message": "no",
    "payment_request": LISTED["payment_request"] | CASES["whole"],
}
ODD = [
    *(None, "", "pEnDing", " declined ", "Canceled", "cOnSuMeR", "rtp", "2026-03-04T05:06:07Z"),
    *("44.2300", 0, 1, -1, 12.5, 1e300, True, False, [], ["a"], [{}], {}, {"status": "x"}),
]
FIELDS = [*PaymentRequest.fake().to_dict(), "is_terminal", "id"]


@pytest.mark.parametrize("model", [PaymentRequestReceipt, GetPaymentRequestResponse])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_odd_value_costs_a_field_or_the_model(odd, model):
    for sent in (WHOLE, *everywhere(WHOLE, odd)):
        request = PaymentRequest(sent, model.__name__)
        assert type(request.raw) is model
        assert [getattr(request, name) for name in FIELDS]


def test_a_listed_request_completed_by_a_later_read_has_the_amount_that_was_paid():
    details = {"amount": "10.00", "original_amount": "10.00"}
    answer = {"status": "Accepted", "original_amount": "10.00", "modified_amount": "7.00"}
    request = {**LISTED["payment_request"], "payment_details": details}
    known = listed(payment_request=request)
    now = read(payment_request={**request, "payment_request_response": answer})
    completed = known.completed_by(now)
    assert (known.amount, now.amount) == (Decimal("10.00"), Decimal("7.00"))
    assert (completed.amount, completed.original_amount) == (Decimal("7.00"), Decimal("10.00"))


def test_no_repr_shows_more_than_the_last_digits_of_an_account():
    request = listed(
        **with_payer({"account_number": "243884643621", "routing_number": "011401533"})
    )
    shown = f"{request!r} {request.payee!r} {request.payer!r}"
    assert "3645" in shown and "3621" in shown
    assert "043987673645" not in shown and "243884643621" not in shown and "011401533" not in shown
    assert request.to_dict()["payee"]["account_number"] == "043987673645"
