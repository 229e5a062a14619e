"""Payments and checkouts from their beginning to their end, blocking and awaited; and the inquiry
by reference, which EastPay does not document: it has to be turned on.
"""

from datetime import UTC, datetime

import httpx
import pytest

from tests.providers.eastpay.adapter import (
    PRICE,
    Harness,
    card,
    observe,
    scripted,
)
from victor_ext import (
    BadRequest,
    ConfigurationError,
    NotFound,
    Outcome,
    TimedOut,
    UnreadableResponse,
)
from victor_ext.providers import Money
from victor_ext.providers.eastpay import CardToken
from victor_ext.sandbox.eastpay import EastPaySandbox, EastPaySettings


def refund(harness, paid, amount, reference):
    return harness.ask("payments.refund", paid.id, amount, merchant_transaction_id=reference)


def test_a_payment_is_made_and_a_part_of_it_given_back(harness):
    paid = harness.debit("INV-1")
    assert (paid.succeeded, paid.payment_type) == (True, "DB")
    assert paid.merchant_transaction_id == "INV-1"
    back = refund(harness, paid, Money.of("46.00", "EGP"), "BACK-1")
    assert (back.succeeded, back.payment_type, back.id != paid.id) == (True, "RF", True)
    more = refund(harness, paid, PRICE, "BACK-2")
    assert (more.result.kind, more.result.code) == ("rejected", "100.400.329")
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 1, "BACK-1": 1, "BACK-2": 0}


def test_a_declined_payment_is_a_result(harness):
    declined = harness.debit("INV-1", card=card(cvv="999"))
    assert (declined.succeeded, declined.result.kind) == (False, "rejected")
    assert "CVV" in declined.result.meaning
    assert harness.ask("payments.inquire", declined.id).result == declined.result
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 0}


BANK_TIMED_OUT, PAID = "100.200.100", "000.000.000"


@pytest.mark.parametrize(
    ("code", "kind"),
    [(BANK_TIMED_OUT, "pending"), ("100.400.500", "unknown"), ("800.400.501", "unknown")],
)
def test_a_payment_that_is_not_known_yet_has_the_result_that_an_inquiry_finds(harness, code, kind):
    harness.sandbox.decide("INV-1", code, then=PAID, after=60)
    slow = harness.debit("INV-1")
    assert (slow.result.kind, slow.result.must_inquire) == (kind, True)
    harness.sandbox.advance(60)
    assert harness.ask("payments.wait", slow.id).succeeded
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 1}


def test_the_outcome_of_a_payment_that_is_not_settled_in_time_is_unknown(harness):
    harness.sandbox.decide("INV-1", BANK_TIMED_OUT, then=PAID, after=60)
    slow = harness.debit("INV-1")
    words = r"was not settled within 0 s: it is pending \(100\.200\.100\)"
    with pytest.raises(TimedOut, match=words) as raised:
        harness.ask("payments.wait", slow.id, timeout=0)
    assert raised.value.outcome is Outcome.UNKNOWN


def test_a_checkout_is_pending_until_the_shopper_pays(harness):
    checkout = harness.ask("checkouts.prepare", PRICE)
    assert harness.ask("checkouts.status", checkout.id).result.must_inquire
    payment_id = harness.sandbox.pay_checkout(checkout.id)
    paid = harness.ask("checkouts.status", checkout.id)
    assert (paid.id, paid.succeeded) == (payment_id, True)


# The inquiry by reference


def test_nothing_is_inquired_by_reference_unless_it_is_turned_on(harness):
    with pytest.raises(ConfigurationError, match="inquiry_by_reference=True") as raised:
        harness.ask("payments.find", "INV-1")
    assert "payments.inquire(id)" in str(raised.value)
    assert harness.sandbox.received() == []


def test_a_404_of_a_gateway_without_the_inquiry_by_reference_proves_no_absence():
    with EastPaySandbox(EastPaySettings(documented_only=True)) as sandbox:
        harness = Harness(sandbox, awaited=False)
        harness.settings["inquiry_by_reference"] = True
        harness.debit("INV-1")
        words = r"There is nothing here.*This does not prove that there is none"
        with pytest.raises(NotFound, match=words):
            harness.ask("payments.find", "INV-1")


def found(body, status=200):
    """What a client finds at a gateway that answers so, with references in another Unicode form."""
    return observe(status, body, lambda client: client.payments.find("Ü-1"))


ONE = {"id": "8ac7", "merchantTransactionId": "U\u0308-1", "result": {"code": "100.200.100"}}
CODE = {"result": {"code": "000.000.000"}}


OTHERS = [{"id": "8ac8"}, {**ONE, "merchantTransactionId": "ü-1"}, {}, 7, None]
ERROR = {"result": {"code": "100.400.001"}}
DECLINED = {"result": {"code": "800.100.153"}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        *(
            (body, "no list of payments")
            for body in ({}, CODE, {"payments": {}}, {"payments": None}, ONE)
        ),
        *(
            ({"payments": [ONE, other]}, "does not name merchantTransactionId 'Ü-1'")
            for other in OTHERS
        ),
        ({"payments": [], **ERROR}, "its list is empty, and its result code is 100.400.001"),
        ({"payments": [], **DECLINED}, "its list is empty, and its result code is 800.100.153"),
        ({"payments": [ONE], **DECLINED}, "reports an error: "),
    ],
)
def test_an_answer_without_a_list_of_payments_with_the_reference_is_unreadable(body, said):
    error = found(body)
    assert isinstance(error, UnreadableResponse)
    assert said in str(error)


@pytest.mark.parametrize("code", ["000.000.000", "000.200.100", "100.300.100", "800.100.153"])
def test_a_refusal_of_the_inquiry_is_never_a_payment(code):
    assert isinstance(found({"id": "8ac7", "result": {"code": code}}, 400), BadRequest)


@pytest.mark.parametrize(
    ("dates", "seen"),
    [
        (["2026-03-01 10:00:00+0000"], "8ac0"),
        (["2024-01-01 10:00:00+0000", "2026-03-01 10:00:00+0000"], "8ac1"),
        (["2024-01-01 10:00:00.000+0000"], "No payments"),
        (["2026-03-01 10:00:00"], "does not say when"),  # in an unknown time zone
        ([None], "does not say when"),
    ],
)
def test_an_older_payment_with_the_reference_is_not_taken_for_this_one(dates, seen):
    equal = {**ONE, "paymentType": "DB", "amount": "92.00", "currency": "EGP"}
    payments = [{**equal, "id": f"8ac{n}", "timestamp": date} for n, date in enumerate(dates)]
    client, _script = scripted(httpx.Response(200, json={"payments": payments}))
    call = client.prepare(
        "payments.debit", PRICE, card=CardToken("t"), merchant_transaction_id="Ü-1"
    )
    result = client.look_up(call, since=datetime(2026, 3, 1, 9, 55, tzinfo=UTC))
    assert seen in (result if isinstance(result, str) else result.id)
