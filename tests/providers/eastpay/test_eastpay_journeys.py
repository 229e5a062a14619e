"""Payments and checkouts from their beginning to their end, blocking and awaited."""

import pytest

from tests.providers.eastpay.adapter import (
    PRICE,
    card,
)
from victor_ext import (
    Outcome,
    TimedOut,
)
from victor_ext.providers import Money


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
