"""What the caller observes when an exchange fails: never a second charge, never a silent success.

Notifications come from anybody: of their body one id is read.
"""

from itertools import product

import pytest

from tests.providers.eastpay.adapter import PRICE, observe, pay
from victor_ext import (
    BadRequest,
    NotFound,
    Outcome,
    PermissionDenied,
    StatusError,
    UnreadableResponse,
    VictorError,
)
from victor_ext.providers.eastpay import payment_id_of


@pytest.mark.parametrize("work", [False, True])
def test_a_charge_is_not_sent_on_after_a_307(harness, work):
    """Who redirects it may have charged the card before."""
    to = {"Location": "/gateway/v3/payments"}
    fault = {"status": 307, "headers": to, "body": "", "work": work}
    harness.sandbox.inject("status", operation="pay", **fault)
    with pytest.raises(StatusError, match="that is not followed") as raised:
        harness.debit("INV-1")
    assert raised.value.outcome is OPEN
    assert [(seen.method, seen.path) for seen in harness.sandbox.received()] == [
        ("POST", "/eastpay/v3/payments")
    ]
    assert harness.work("INV-1") == int(work)


def debit(client):
    return pay(client, "INV-1")


def prepare(client):
    return client.checkouts.prepare(PRICE)


def inquire(client):
    return client.payments.inquire("8ac7")


def said(code, **more):
    return {"result": {"code": code, **more}}


REFUSED, OPEN, ACCEPTED = Outcome.REJECTED, Outcome.UNKNOWN, Outcome.ACCEPTED
DONE, DECLINED = {"id": "8ac7", **said("000.000.000")}, {"id": "8ac7", **said("800.100.153")}
SMALL = {"name": "amount", "message": "is too small"}
OTHERS = [
    ("merchantTransactionId", "INV-2"),
    ("merchantTransactionId", "inv-1"),
    ("amount", "92.01"),
    ("currency", "EUR"),
    ("paymentType", "RF"),
    ("entityId", "EB000002"),
]
ODD = [
    *(("amount", value) for value in ("99,00", "EUR 92.00", {"value": "92.00"}, True)),
    *(("currency", ["EGP"]), ("paymentType", []), ("merchantTransactionId", {"id": "INV-1"})),
]
CONTRADICTION = "its result code says that it succeeded (000.000.000)"
# A call, the status, the body, the outcome, and what is said.
NO_PAYMENT = [
    (debit, 400, said("100.300.701", parameterErrors=[SMALL]), REFUSED, "amount: is too small"),
    (debit, 422, said("800.900.300"), REFUSED, "status 422"),
    *((debit, status, DONE, OPEN, CONTRADICTION) for status in (400, 402, 408, 409, 422, 429)),
    (
        debit,
        400,
        {"id": "8ac7", **said("000.000.000", parameterErrors=[SMALL])},
        OPEN,
        CONTRADICTION,
    ),
    *((debit, 200, body, OPEN, "") for body in (b"", b"[]", {}, said(0))),
    (debit, 200, {"result": {"description": "Invalid entityId"}}, OPEN, ""),
    (debit, 200, {"id": "8ac7", "parameterErrors": [SMALL]}, OPEN, ""),
    *((debit, 200, {"id": "8ac7", **more}, ACCEPTED, "no result code") for more in ({}, said(""))),
    *(
        (debit, 200, {**DONE, name: value}, OPEN, f"another payment: its {name} is not")
        for name, value in OTHERS
    ),
    *((debit, 400, {**DECLINED, name: value}, OPEN, "status 400") for name, value in OTHERS),
    *(
        (debit, 200, {**DONE, name: value}, OPEN, f"its {name} cannot be read")
        for name, value in ODD
    ),
    (prepare, 400, said("100.300.701"), REFUSED, "100.300.701"),
    *((prepare, 200, body, OPEN, "no checkout id") for body in ({}, {"id": ""}, {"id": 5})),
    (prepare, 200, said("000.200.100"), ACCEPTED, "no checkout id"),
    *(
        (prepare, 200, {"id": text}, ACCEPTED, "no checkout id")
        for text in ("../../x", "x" * 300, '"><script>')
    ),
    *((inquire, 400, said(code), REFUSED, code) for code in ("100.300.101", "800.100.153")),
    *(
        (inquire, 200, said(code), ACCEPTED, "may reject the inquiry itself")
        for code in ("800.100.153", "100.300.101")
    ),
]


@pytest.mark.parametrize(("call", "status", "body", "outcome", "words"), NO_PAYMENT)
def test_a_response_without_a_payment_says_whether_it_was_refused_or_is_unknown(
    call, status, body, outcome, words
):
    error = observe(status, body, call)
    assert isinstance(error, BadRequest if outcome is REFUSED else UnreadableResponse)
    assert error.outcome is outcome
    assert words in str(error)
    is_read_again = call is inquire and status == 200
    assert error.attempts == (3 if is_read_again else 1)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("100.300.701", "look before you charge again under another reference"),
        ("100.100.100", "The EastPay gateway: authorization; what it means is not known, inquire"),
        ("100.400.500", "The EastPay gateway: authentication"),
        ("800.400.500", "The bank or card scheme: authentication"),
    ],
)
@pytest.mark.parametrize("named", [{}, {"id": "8ac7"}])
def test_an_error_of_the_gateway_that_no_page_explains_leaves_the_payment_unknown(
    named, code, words
):
    """Who took it for a refusal would charge the shopper again."""
    result = observe(400, {**named, **said(code, description="Reference validation failed")}).result
    assert (result.kind, result.must_inquire) == ("unknown", True)
    assert words in result.meaning


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(403, "100.400.403", PermissionDenied), (404, "100.300.404", NotFound)],
)
def test_the_vendors_table_of_statuses_explains_a_403_and_a_404_of_the_gateway(status, error, code):
    """An invalid token, and an unknown address: nothing was charged, and an outbox waits."""
    refusal = observe(status, said(code))
    assert (type(refusal), refusal.outcome) == (error, REFUSED)
    assert observe(402, said(code)).outcome is OPEN
    for other in ("100.100.100", "100.400.500" if status == 404 else "100.300.100", "800.400.500"):
        assert observe(status, said(other)).outcome is OPEN


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *product(
            ["100.100.100", "100.300.701", "100.400.500", "800.400.500"], [402, 404, 409, 422, 429]
        ),
        *product(["900.600.500"], [402, 405, 410, 422, 431]),
    ],
)
def test_a_code_that_no_page_explains_refuses_no_charge_under_any_status(code, status):
    assert observe(status, {"id": "8ac7", **said(code)}).outcome is OPEN


@pytest.fixture(
    params=[
        ("800.110.100", "Duplicate transmission"),
        ("800.100.153", "DUPLICATE_REFERENCE"),  # of the card
        ("100.300.701", "Payment already taken"),  # of the request
    ]
)
def repeat(request):
    """What speaks of an earlier payment, whatever its code is about."""
    code, words = request.param
    return said(code, description=words)


@pytest.mark.parametrize("call", [debit, inquire])
@pytest.mark.parametrize("status", [200, 400])
def test_a_rejection_that_speaks_of_an_earlier_payment_leaves_the_payment_unknown(
    call, status, repeat
):
    """Who asked for another card would charge the shopper twice, when the answer to the first one
    was lost.
    """
    result = observe(status, {"id": "8ac7", **repeat}, call).result
    assert (result.kind, result.must_inquire) == ("unknown", True)
    assert "look before you charge again" in result.meaning


@pytest.mark.parametrize("status", [200, 400])
def test_a_rejection_of_a_repeat_that_names_no_payment_leaves_the_payment_unknown(status, repeat):
    assert observe(status, repeat).result.must_inquire
    assert isinstance(observe(status, repeat, inquire), VictorError)


@pytest.mark.parametrize("status", [400, 402, 408, 409, 422, 429])
@pytest.mark.parametrize("more", [{}, {"parameterErrors": [SMALL]}])
def test_a_payment_under_way_is_no_refusal_whatever_the_status(status, more):
    payment = observe(status, {"id": "pay-1", **said("100.200.100", **more)})
    assert payment.result.must_inquire


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.checkouts.status("checkout-1"),
        lambda client: client.payments.wait("8ac7", timeout=0),
    ],
)
def test_a_refused_inquiry_is_no_decline_of_the_payment_unless_it_names_the_payment(call, status):
    """Who took it for a decline would charge again."""
    assert isinstance(observe(status, said("800.100.153"), call), VictorError)
    assert observe(status, DECLINED, inquire).result.rejected


@pytest.mark.parametrize(
    ("status", "code"),
    [(402, "100.200.100"), (402, "800.100.153"), (400, "000.100.110"), (400, "100.400.500")],
)
def test_an_operation_without_a_row_is_refused_only_by_a_code_that_rejects(status, code):
    """One that is pending or of class `UNKNOWN` rejects nothing: "inquire. Never charge again"."""
    seen = observe(status, said(code), lambda client: client.http.post("/v3/new"))
    assert seen.status_code == status
    assert isinstance(seen, StatusError) is code.startswith("800")


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "8ac7a4a1-7f_b.0~", "result": {"code": "000.000.000"}}',
        '{"result": null, "id": "8ac7a4a1-7f_b.0~"}',
        bytearray(b'\xef\xbb\xbf{"id": "8ac7a4a1-7f_b.0~"}'),
        '{"id": "8ac7a4a1-7f_b.0~"}'.encode("utf-16"),
    ],
)
def test_the_id_of_a_payment_is_read_from_a_notification(body):
    assert payment_id_of(body) == "8ac7a4a1-7f_b.0~"


def test_a_body_that_may_repeat_the_card_is_not_quoted():
    assert "no luck" not in str(observe(503, b"no luck"))
    assert "no luck" in str(observe(503, b"no luck", inquire)), "an inquiry sends no card"
