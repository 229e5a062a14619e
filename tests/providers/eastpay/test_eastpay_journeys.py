"""Payments and checkouts from their beginning to their end, with blocking calls and with awaited ones."""

from __future__ import annotations

import pickle
import urllib.request
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.providers.eastpay.adapter import PRICE, Harness, card, scripted
from victor_ext import BadRequest, InvalidRequest, NotFound, Outcome, TimedOut
from victor_ext.providers import Money
from victor_ext.providers.eastpay import CardToken, Checkout, Payment

HALF = Money.of("46.00", "EGP")


def test_debit_and_refund(harness: Harness) -> None:
    paid = harness.debit("INV-1")
    assert isinstance(paid, Payment)
    assert (paid.succeeded, paid.payment_type, paid.merchant_transaction_id) == (True, "DB", "INV-1")
    assert (paid.to_dict()["amount"], paid.to_dict()["currency"]) == ("92.00", "EGP")
    assert (paid.build_number, bool(paid.timestamp), bool(paid.ndc)) == ("sandbox", True, True)
    assert harness.inquire(paid.id).to_dict()["id"] == paid.id
    for name in ("BACK-1", "BACK-2"):
        back = harness.step("refund", paid.id, HALF, by=name)
        assert (back.succeeded, back.payment_type) == (True, "RF")
        assert back.id != paid.id
    more = harness.step("refund", paid.id, HALF, by="BACK-3")
    assert (more.result.kind, more.result.code[:7]) == ("rejected", "100.300")
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 1, "BACK-1": 1, "BACK-2": 1, "BACK-3": 0}


def test_preauthorise_and_capture(harness: Harness) -> None:
    reserved = harness.debit("INV-1", "preauthorise")
    assert (reserved.succeeded, reserved.payment_type) == (True, "PA")
    taken = harness.step("capture", reserved.id, HALF, by="CP-1")
    assert (taken.succeeded, taken.payment_type) == (True, "CP")
    undone = harness.step("reverse", reserved.id, by="RV-1")
    assert undone.result.rejected
    assert [seen.operation for seen in harness.sandbox.received()] == ["pay", "capture", "reverse"]


def test_preauthorise_and_reverse(harness: Harness) -> None:
    reserved = harness.debit("INV-1", "preauthorise", card=CardToken("tok-1"), payment_brand="VISA")
    undone = harness.step("reverse", reserved.id, PRICE, by="RV-1")
    assert (undone.succeeded, undone.payment_type) == (True, "RV")
    assert harness.step("capture", reserved.id, PRICE, by="CP-1").result.rejected


def test_a_declined_payment_is_a_result(harness: Harness) -> None:
    declined = harness.debit("INV-1", card=card(cvv="999"))
    assert (declined.succeeded, declined.result.kind, declined.result.code) == (False, "rejected", "800.100.153")
    assert "CVV" in declined.result.meaning
    assert declined.description == "declined: the CVV is wrong"
    assert harness.inquire(declined.id).result == declined.result
    assert [seen.status for seen in harness.sandbox.received()] == [400, 400]
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 0}


def test_a_time_out_of_the_bank_is_pending_until_it_is_inquired(harness: Harness) -> None:
    harness.sandbox.decide("INV-1", "100.200.100", then="000.000.000", after=60)
    slow = harness.debit("INV-1")
    assert (slow.result.kind, slow.result.rejected, slow.result.must_inquire) == ("pending", False, True)
    assert harness.inquire(slow.id).result.kind == "pending"
    with pytest.raises(TimedOut, match=r"was not settled within 0 s: it is pending \(100\.200\.100\)") as raised:
        harness(lambda eastpay: eastpay.payments.wait(slow.id, timeout=0))
    assert raised.value.outcome is Outcome.UNKNOWN
    harness.sandbox.advance(60)
    assert harness(lambda eastpay: eastpay.payments.wait(slow.id)).succeeded
    assert harness.sandbox.work_done_by_reference() == {"INV-1": 1}


@pytest.mark.parametrize("code", ["000.400.000", "000.700.100", "nonsense"])
def test_what_waits_for_a_review_or_is_not_known_is_no_success(harness: Harness, code: str) -> None:
    harness.sandbox.decide("INV-1", code)
    held = harness.debit("INV-1")
    assert (held.succeeded, held.result.rejected, held.result.must_inquire) == (False, False, True)
    assert str(held.result) == code


def test_checkout(harness: Harness) -> None:
    before = datetime.now(UTC)
    more = {"merchant_transaction_id": "INV-1", "shopper_result_url": "https://shop.example/paid?order=1&x=ü"}
    checkout = harness.prepare(checkout_type="AUTHORIZE", merchant_id="SHOP-1", **more)
    assert isinstance(checkout, Checkout)
    assert checkout.result.kind == "pending"
    minutes = timedelta(minutes=15)
    assert before + minutes <= checkout.lapses_at + timedelta(seconds=3)
    assert checkout.lapses_at <= datetime.now(UTC) + minutes + timedelta(seconds=3)
    assert harness.status(checkout.id).result.must_inquire
    paid = harness.sandbox.pay_checkout(checkout.id)
    result = harness.status(checkout.id)
    assert (result.id, result.succeeded) == (paid, True)


def test_a_shopper_whose_card_is_declined(harness: Harness) -> None:
    checkout = harness.prepare(payment_type="PA")
    harness.sandbox.pay_checkout(checkout.id, "100.400.152")
    assert harness.status(checkout.id).result.meaning == "Declined by 3-D Secure."


def test_a_checkout_lapses(harness: Harness) -> None:
    checkout = harness.prepare()
    harness.sandbox.advance(15 * 60 - 1)
    assert harness.status(checkout.id).result.must_inquire
    harness.sandbox.advance(1)
    with pytest.raises(NotFound):
        harness.status(checkout.id)


def test_a_notification_is_a_hint_and_the_gateway_is_asked(harness: Harness) -> None:
    harness.sandbox.decide("INV-1", "100.200.100", then="000.000.000")
    paid = harness.debit("INV-1")
    forged = b'{"id": "%s", "result": {"code": "800.100.153"}, "amount": "0.01"}' % paid.id.encode()
    for body in (harness.sandbox.notification(paid.id), forged, forged.decode()):
        result = harness(lambda eastpay, body=body: eastpay.payments.notified(body))
        assert (result.id, result.succeeded) == (paid.id, True)
    assert [seen.operation for seen in harness.sandbox.received()] == ["pay", "inquire", "inquire", "inquire"]
    with pytest.raises(NotFound):
        harness(lambda eastpay: eastpay.payments.notified(b'{"id": "8ac7a4a1", "result": {"code": "000.000.000"}}'))
    with pytest.raises(InvalidRequest):
        harness(lambda eastpay: eastpay.payments.notified(b"id=8ac7a4a1"))


def test_invalid_parameters_raise(harness: Harness) -> None:
    with pytest.raises(BadRequest, match="entityType: is not of the documented form") as raised:
        harness(lambda eastpay: eastpay.checkouts.prepare(PRICE), entity_type="SHOP")
    (problem,) = raised.value.problems
    assert (problem.field, raised.value.outcome) == ("entityType", Outcome.REJECTED)
    with pytest.raises(BadRequest, match="paymentType"):
        harness.prepare(payment_type="CD")


def test_every_bank_has_a_path_of_its_own(harness: Harness) -> None:
    for path in ("/eastpay", "/pay/", "/gateway/v3", "/gateway/v3/"):
        harness.settings["base_url"] = httpx.URL(harness.sandbox.url + path)
        assert harness.debit("A").succeeded
        with urllib.request.urlopen(harness.prepare().widget_url) as script:
            assert script.headers["content-type"] == "text/javascript"
    harness.settings["base_url"] = f"{harness.sandbox.url}/elsewhere"
    with pytest.raises(NotFound):
        harness.debit("INV-1")


@pytest.mark.parametrize(("wanted", "query"), [(False, ""), (True, "&entityType=MERCHANT")])
def test_an_inquiry_names_the_type_of_the_entity_when_told_to(wanted: bool, query: str) -> None:
    answer = httpx.Response(200, json={"id": "8ac7", "result": {"code": "000.000.000"}})
    eastpay, script = scripted(answer, entity_type_in_inquiries=wanted)
    eastpay.with_options(deadline=5).payments.inquire("8ac7")
    assert [str(each.url) for each in script.requests] == [
        f"https://bank.example/pay/v3/payments/8ac7?entityId=EB000001{query}"
    ]


def test_records_are_values(harness: Harness) -> None:
    paid = harness.debit("INV-1")
    assert pickle.loads(pickle.dumps(paid)) == paid != "INV-1"
    assert repr(paid) == f"Payment('{paid.id}', DB, ResultCode('000.000.000', succeeded))"
