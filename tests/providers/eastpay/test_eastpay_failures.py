"""What the caller observes when an exchange fails: never a second charge, never a silent success.

Notifications come from anybody: of their body one id is read, or they are refused.
"""

from typing import Any

import pytest

from tests.providers.eastpay.adapter import PRICE, observe, pay
from victor_ext import (
    BadRequest,
    Outcome,
    StatusError,
    UnreadableResponse,
    VictorError,
)
from victor_ext.providers.eastpay import Payment, payment_id_of
from victor_ext.providers.eastpay.operations import operations_of


def test_a_307_is_sent_again_with_method_and_body(harness):
    to = {"Location": "/gateway/v3/payments"}
    harness.sandbox.inject("status", operation="pay", status=307, headers=to, body="")
    paid = harness.debit("INV-1")
    assert (paid.succeeded, paid.payment_type, paid.to_dict()["amount"]) == (True, "DB", "92.00")
    assert [(seen.method, seen.path) for seen in harness.sandbox.received()] == [
        ("POST", "/eastpay/v3/payments"), ("POST", "/gateway/v3/payments"),
    ]  # fmt: skip
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 1}


def debit(client):
    return pay(client, "INV-1")


def prepare(client):
    return client.checkouts.prepare(PRICE)


def inquire(client):
    return client.payments.inquire("8ac7")


def by_hand(client):
    """An operation without a row."""
    return client.api.get_httpx_client().post("/v3/new")


def payment_of(status: int, body, call=debit) -> Payment:
    """The payment that a call returns, if the gateway answers everything alike."""
    seen = observe(status, body, call)
    assert isinstance(seen, Payment)
    return seen


def said(code, **more) -> dict[str, Any]:
    return {"result": {"code": code, **more}}


REFUSED, OPEN, ACCEPTED = Outcome.REJECTED, Outcome.UNKNOWN, Outcome.ACCEPTED
DONE, DECLINED = {"id": "8ac7", **said("000.000.000")}, {"id": "8ac7", **said("800.100.153")}
SMALL = {"name": "amount", "message": "is too small"}
OTHERS = [
    ("merchantTransactionId", "INV-2"),
    ("amount", "92.01"),
    ("currency", "EUR"),
    ("paymentType", "RF"),
    ("entityId", "EB000002"),
    ("merchantTransactionId", "inv-1"),
]
ODD = [
    ("amount", "99,00"), ("amount", "EUR 92.00"), ("amount", {"value": "92.00"}), ("amount", True),
    ("currency", ["EGP"]), ("paymentType", []), ("merchantTransactionId", {"id": "INV-1"}),
]  # fmt: skip
NO_PAYMENT = [
    (
        debit,
        400,
        [
            said("100.300.701", parameterErrors=[SMALL]),
            {**said("invalid"), "parameterErrors": [SMALL]},
            {"result": {"parameterErrors": [{**SMALL, "value": "4111111111111111"}]}},
        ],
        REFUSED,
        "amount: is too small",
    ),
    (
        debit,
        400,
        [
            b"",
            b"<html>",
            b"[]",
            b"null",
            {},
            {"result": None},
            {"result": []},
            {"result": {}},
            said(1),
            said(""),
            {"code": "800.100.153"},
        ],
        REFUSED,
        "status 400",
    ),
    (debit, 422, [{"id": "8ac7", **said("100.100.100")}], REFUSED, "status 422"),
    (
        debit,
        400,
        [DONE, {"id": "8ac7", **said("000.000.000", parameterErrors=[{"name": "amount"}])}],
        OPEN,
        "its result code says that it succeeded (000.000.000)",
    ),
    *(
        (debit, status, [DONE], OPEN, "before you repeat it")
        for status in (400, 402, 408, 409, 422, 429)
    ),
    (
        debit,
        200,
        [b"", b"<html>", b"[]", {}, {"result": {"description": "invalid request"}}, said(0)],
        OPEN,
        "",
    ),
    (debit, 200, [{"id": "8ac7"}, {"id": "8ac7", "result": {}}], ACCEPTED, "no result code"),
    *(
        (debit, 200, [{**DONE, name: value}], OPEN, f"another payment: its {name} is not")
        for name, value in OTHERS
    ),
    (debit, 400, [{**DECLINED, name: value} for name, value in OTHERS], OPEN, "status 400"),
    *(
        (debit, 200, [{**DONE, name: value}], OPEN, f"its {name} cannot be read")
        for name, value in ODD
    ),
    (prepare, 400, [said("100.300.701")], REFUSED, "100.300.701"),
    (prepare, 200, [{}, {"id": ""}, {"id": 5}], OPEN, "no checkout id"),
    (prepare, 200, [said("000.200.100")], ACCEPTED, "no checkout id"),
    (
        prepare,
        200,
        [{"id": each} for each in ("../../x", "x" * 300, '"><script>')],
        ACCEPTED,
        "no checkout id",
    ),
    *(
        (inquire, 400, [said(code)], REFUSED, code)
        for code in ("100.300.101", "100.400.001", "800.100.153")
    ),
    *(
        (inquire, 200, [said(code)], OPEN, "may reject the inquiry itself")
        for code in ("100.300.101", "800.100.153")
    ),
]


@pytest.mark.parametrize(
    ("call", "status", "body", "outcome", "words"),
    [(call, status, body, *rest) for call, status, bodies, *rest in NO_PAYMENT for body in bodies],
)
def test_a_response_without_a_payment_says_whether_it_was_refused_or_is_unknown(
    call, status, body, outcome, words
):
    error = observe(status, body, call)
    assert isinstance(error, BadRequest if outcome is REFUSED else UnreadableResponse)
    assert (error.outcome, error.attempts) == (
        outcome,
        3 if status == 200 and call is inquire else 1,
    )
    assert words in str(error)
    if "is too small" in words:
        assert [(problem.field, problem.message) for problem in error.problems] == [
            ("amount", "is too small")
        ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("100.300.701", "look before you charge again under another reference"),
        ("100.100.100", "The EastPay gateway: authorization; it was refused"),
        ("100.400.001", "The EastPay gateway: authentication"),
    ],
)
def test_a_refusal_of_the_gateway_that_names_no_payment_is_of_the_request(code, words):
    """Who took it for a declined payment would ask the shopper for another card, and be refused
    again.
    """
    error = observe(400, said(code, description="Reference validation failed"))
    assert (type(error), error.outcome) == (BadRequest, REFUSED)
    assert [problem.code for problem in error.problems] == [code]
    assert f"Reference validation failed; {code}: The EastPay gateway" in str(error)
    assert words in str(error)
    assert payment_of(400, {"id": "8ac7", **said(code)}).result.rejected


@pytest.mark.parametrize("call", [debit, inquire])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["800.110.100", "800.100.153", "100.300.701"])
@pytest.mark.parametrize(
    "words", ["Duplicate transmission", "DUPLICATE_REFERENCE", "Payment already taken"]
)
def test_a_rejection_that_speaks_of_an_earlier_payment_is_none(call, status, code, words):
    """Who asked for another card would charge the shopper twice, when the answer to the first one
    was lost.
    """
    body = said(code, description=words)
    result = payment_of(status, {"id": "8ac7", **body}, call).result
    assert (result.kind, result.must_inquire, result.rejection) == ("unknown", True, None)
    assert "look before you charge again" in result.meaning
    alone = observe(status, body, call)
    if call is debit and status == 200:
        assert alone.result.must_inquire
    elif call is debit:
        assert (alone.outcome, "look with payments.find('INV-1')" in str(alone)) == (OPEN, True)
    else:
        assert isinstance(alone, VictorError)


@pytest.mark.parametrize("status", [400, 402, 408, 409, 422, 429])
def test_a_payment_under_way_is_no_refusal_whatever_the_status(status):
    for more in ({}, {"parameterErrors": [{"name": "amount"}]}):
        assert payment_of(
            status, {"id": "pay-1", **said("100.200.100", **more)}
        ).result.must_inquire


def test_the_same_payment_in_other_words_is_the_same():
    same = {
        "merchantTransactionId": " INV-1",
        "amount": "EGP 92",
        "currency": "egp",
        "paymentType": "DB",
    }
    payment_of(200, {**DONE, "entityId": None, **same})


@pytest.mark.parametrize("status", [200, 400])
def test_an_inquiry_that_is_refused_says_nothing_of_the_payment_unless_it_names_it(status):
    """Who took it for a decline would charge again."""
    for call in (
        lambda eastpay: eastpay.checkouts.status("checkout-1"),
        lambda eastpay: eastpay.payments.wait("8ac7", timeout=0),
    ):
        assert isinstance(observe(status, said("800.100.153"), call), VictorError)
    assert payment_of(status, DECLINED, inquire).result.rejected


def test_a_body_that_may_repeat_the_card_is_not_quoted():
    assert "no luck" not in str(observe(503, b"no luck"))
    assert "no luck" in str(observe(503, b"no luck", inquire))


def test_of_an_operation_without_a_row_too():
    """A code of class `UNKNOWN` rejects nothing: "inquire. Never charge again"."""
    assert observe(402, said("100.200.100"), by_hand).status_code == 402
    assert isinstance(observe(402, said("800.100.153"), by_hand), StatusError)
    assert getattr(observe(400, said("000.100.110"), by_hand), "outcome", None) is not REFUSED


def test_no_inquiry_goes_over_a_connection_that_has_just_been_used():
    """A late second response to `POST /v3/payments` has the id of the payment, too."""
    assert not operations_of(found_by_reference=False)["GET /v3/payments/{}"].is_read_by_id


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
