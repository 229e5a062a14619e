"""The history of payouts, payments and fundings, as the audit has it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import httpx
import pytest

from tests.providers.velo.adapter import PRICE, Harness, pay, scripted
from victor_ext import NotFound, Outcome, UnreadableResponse

pytestmark = pytest.mark.hours


class TestPayments:
    def test_one_is_read_with_its_history(self, harness: Harness) -> None:
        payout_id = harness.submit(pay())
        harness(lambda velo: velo.payouts.instruct(payout_id))
        harness.sandbox.advance(30)
        [notified] = [one for one in harness.sandbox.notifications() if one["eventName"] == "payment.confirmed"]
        payment = harness(lambda velo: velo.payments.get(notified["source"]["paymentId"], sensitive=False))
        assert (payment.payor_payment_id, payment.status, payment.payout_id) == ("INV-1042", "CONFIRMED", payout_id)
        assert [(event.type, event.payment) for event in payment.events] == [
            (f"PAYMENT_{status}", PRICE) for status in ("ACCEPTED", "FUNDED", "CONFIRMED")
        ]
        assert all(event.id and event.happened_at for event in payment.events)
        [listed] = harness(lambda velo: velo.payments.list(harness.payor))
        assert listed == payment
        with pytest.raises(NotFound):
            harness(lambda velo: velo.payments.get("of-nobody-1"))

    def test_the_answer_about_another_payment_is_refused(self) -> None:
        other = httpx.Response(200, json={"paymentId": "pay-2", "status": "WITHDRAWN"})
        with scripted(httpx.Response(503), other)[0] as velo, pytest.raises(Exception, match="503") as raised:
            velo.payments.withdraw("pay-1", reason="Not due")
        assert getattr(raised.value, "outcome", None) is Outcome.UNKNOWN


class TestPayouts:
    def test_the_list_and_what_became_of_each(self, harness: Harness) -> None:
        paid = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"), memo="March")
        harness(lambda velo: velo.payouts.get(paid))
        withdrawn = harness.submit(pay("INV-3"), memo="April")
        harness(lambda velo: velo.payouts.instruct(paid))
        harness(lambda velo: velo.payouts.withdraw(withdrawn))
        harness.sandbox.advance(30)
        today = harness.since.date()

        listed = harness(lambda velo: velo.payouts.list(harness.payor, submitted_from=today, page_size=1))
        by_name = {one.id: (one.status, one.total_payments, one.withdrawn_payments) for one in listed}
        assert by_name == {paid: ("COMPLETED", 2, 0), withdrawn: ("WITHDRAWN", 1, 1)}
        [march] = harness(lambda velo: velo.payouts.list(harness.payor, memo="march"))
        assert (march.id, march.memo, march.instructed_at >= march.submitted_at) == (paid, "March", True)
        assert [cost.total_cost for cost in march.accounts] == [PRICE]
        assert harness(lambda velo: velo.payouts.list(harness.payor, status="QUOTED")) == []

        history = harness(lambda velo: velo.payouts.history(paid))
        assert (history.status, history.total_payments, history.confirmed_payments) == ("COMPLETED", 2, 1)
        assert (history.instructed_at is not None, history.withdrawn_at) == (True, None)
        payments = harness(lambda velo: velo.payouts.audited_payments(paid, page_size=1))
        assert sorted((one.payor_payment_id, one.status) for one in payments) == [
            ("INV-1", "CONFIRMED"),
            ("INV-2", "REJECTED"),
        ]
        month = datetime.fromtimestamp(harness.sandbox.clock()["now"], UTC).month
        numbers = harness(lambda velo: velo.payouts.statistics(harness.payor))
        made = sum(one.submitted_at.month == month for one in listed)
        assert (numbers.payouts_this_month, numbers.failed_payments_this_month) == (made, 1)


class TestMoney:
    def test_the_fundings_of_a_payor(self, harness: Harness) -> None:
        for amount in ("250.00", "1.00"):
            harness.fund(amount)
        harness.sandbox.advance(10)
        entries = harness(lambda velo: velo.fundings.list(harness.payor, sort="amount:desc", page_size=1))
        assert [(one.amount, one.currency, one.status) for one in entries] == [
            (25000, "USD", "CREDIT"),
            (100, "USD", "CREDIT"),
        ]
        assert [event.type for event in entries[0].events] == ["PAYOR_FUNDING_REQUESTED"]
        assert harness(lambda velo: velo.fundings.list(harness.payor, source_account_name="Another")) == []

    def test_the_export_is_what_velo_wrote(self, harness: Harness) -> None:
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"))
        harness(lambda velo: velo.payouts.get(payout_id))
        today = harness.since.date()
        text = harness(lambda velo: velo.payments.export(harness.payor, start=today, include="payorOnly"))
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["payorPaymentId"], row["status"]) for row in rows] == [
            ("INV-1", "ACCEPTED"),
            ("INV-2", "REJECTED"),
        ]
        text = harness(lambda velo: velo.payments.export(harness.payor, start="2020-01-01", end="2020-01-31"))
        assert list(csv.DictReader(io.StringIO(text))) == []

    @pytest.mark.parametrize(
        ("body", "content_type", "found"),
        [
            ("\ufefftitle,größe\r\n".encode(), "text/csv; charset=utf-8", "title,größe\r\n"),
            (b"", "application/csv", ""),
            (b"a\xff", "application/csv", None),
        ],
    )
    def test_what_an_export_can_be(self, body: bytes, content_type: str, found: str | None) -> None:
        answer = httpx.Response(200, content=body, headers={"content-type": content_type})
        with scripted(answer)[0] as velo:
            if found is None:
                with pytest.raises(UnreadableResponse):
                    velo.payments.export("payor")
            else:
                assert velo.payments.export("payor") == found
