"""The history of payouts, payments and fundings, as the audit has it."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from tests.providers.velo.harness import PRICE, QUICK, Harness, pay
from tests.providers.velo.test_velo_checks import refused
from victor_ext import BadRequest, ConnectionFailed, NotFound, Outcome, UnreadableResponse
from victor_ext.providers import Money
from victor_ext.providers.velo import PayoutHistory, Velo, VeloAuth


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
        [listed] = harness.all(lambda velo: velo.payments.list(harness.payor))
        assert listed == payment
        with pytest.raises(NotFound):
            harness(lambda velo: velo.payments.get("of-nobody-1"))

    def test_one_is_withdrawn_before_its_payout_is_instructed(self, harness: Harness) -> None:
        payout_id = harness.submit(pay("INV-1"), pay("INV-2"))
        first, second = harness.all(lambda velo: velo.payouts.payments(payout_id, status="ACCEPTED"))
        assert harness(lambda velo: velo.payments.withdraw(first.id, reason="Not due")) is None
        withdrawn = harness(lambda velo: velo.payments.get(first.id))
        assert (withdrawn.status, withdrawn.withdrawn_reason) == ("WITHDRAWN", "Not due")
        harness(lambda velo: velo.payouts.instruct(payout_id))
        with pytest.raises(BadRequest, match="INSTRUCTED"):
            harness(lambda velo: velo.payments.withdraw(second.id, reason="Not due"))
        assert harness.sandbox.balance(harness.account) == 100_000 - PRICE.minor_units

    def test_a_withdrawal_that_cannot_be_seen_stays_unknown(self, harness: Harness) -> None:
        payout_id = harness.submit(pay())
        [payment] = harness.all(lambda velo: velo.payouts.payments(payout_id))
        harness.sandbox.inject("cut_request", operation="withdraw_payment", after=40)
        with pytest.raises(ConnectionFailed, match=r"payments.get\(payment_id\)") as raised:
            harness(lambda velo: velo.payments.withdraw(payment.id, reason="Not due"))
        assert (raised.value.outcome, harness.calls("withdraw_payment")) == (Outcome.UNKNOWN, 1)

    def test_the_answer_about_another_payment_is_refused(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/v1/authenticate":
                return httpx.Response(200, json={"access_token": "t", "expires_in": 1799})
            if request.method == "POST":
                return httpx.Response(503)
            return httpx.Response(200, json={"paymentId": "pay-2", "status": "WITHDRAWN"})

        with Velo(VeloAuth("k", "not-a-secret"), transport=httpx.MockTransport(answer), retry=QUICK) as velo:
            with pytest.raises(UnreadableResponse, match="about another object"):
                velo.payments.get("pay-1")
            with pytest.raises(Exception, match="503") as raised:
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

        listed = harness.all(lambda velo: velo.payouts.list(harness.payor, submitted_from=today, page_size=1))
        by_name = {one.id: (one.status, one.total_payments, one.withdrawn_payments) for one in listed}
        assert by_name == {paid: ("COMPLETED", 2, 0), withdrawn: ("WITHDRAWN", 1, 1)}
        [march] = harness.all(lambda velo: velo.payouts.list(harness.payor, memo="march"))
        assert (march.id, march.memo, march.instructed_at >= march.submitted_at) == (paid, "March", True)
        assert [cost.total_cost for cost in march.accounts] == [PRICE]
        assert harness.all(lambda velo: velo.payouts.list(harness.payor, status="QUOTED")) == []

        history = harness(lambda velo: velo.payouts.history(paid))
        assert (history.status, history.total_payments, history.confirmed_payments) == ("COMPLETED", 2, 1)
        assert (history.instructed_at is not None, history.withdrawn_at) == (True, None)
        payments = harness.all(lambda velo: velo.payouts.audited_payments(paid, page_size=1))
        assert sorted((one.payor_payment_id, one.status) for one in payments) == [
            ("INV-1", "CONFIRMED"),
            ("INV-2", "REJECTED"),
        ]
        numbers = harness(lambda velo: velo.payouts.statistics(harness.payor))
        assert (numbers.payouts_this_month, numbers.failed_payments_this_month) == (2, 1)

    def test_a_history_without_a_summary_says_nothing_and_costs_nothing(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            body = {"access_token": "t", "expires_in": 1799, "content": [], "page": {"totalElements": 0}}
            return httpx.Response(200, json=body)

        with Velo(VeloAuth("k", "not-a-secret"), transport=httpx.MockTransport(answer)) as velo:
            history = velo.payouts.history("po-1")
        assert isinstance(history, PayoutHistory)
        assert set(history.to_dict().values()) == {None}


class TestMoney:
    def test_the_fundings_of_a_payor(self, harness: Harness) -> None:
        for amount in ("250.00", "1.00"):
            harness(
                lambda velo, amount=amount: velo.source_accounts.fund(
                    harness.account, funding_account_id=harness.bank, amount=Money.of(amount, "USD")
                )
            )
        harness.sandbox.advance(10)
        entries = harness.all(lambda velo: velo.fundings.list(harness.payor, sort="amount:desc", page_size=1))
        assert [(one.amount, one.currency, one.status) for one in entries] == [
            (25000, "USD", "CREDIT"),
            (100, "USD", "CREDIT"),
        ]
        assert [event.type for event in entries[0].events] == ["PAYOR_FUNDING_REQUESTED"]
        assert harness.all(lambda velo: velo.fundings.list(harness.payor, source_account_name="Another")) == []

    def test_one_that_moves_to_the_next_page_comes_once(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/v1/authenticate":
                return httpx.Response(200, json={"access_token": "t", "expires_in": 1799})
            names = {"1": "ab", "2": "bc"}.get(request.url.params["page"], "")
            return httpx.Response(
                200, json={"content": [{"amount": 5, "events": [{"eventId": name}]} for name in names]}
            )

        with Velo(VeloAuth("k", "not-a-secret"), transport=httpx.MockTransport(answer)) as velo:
            assert [one.events[0].id for one in velo.fundings.list("payor")] == ["a", "b", "c"]

    def test_the_export_is_what_velo_wrote(self, harness: Harness) -> None:
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"))
        harness(lambda velo: velo.payouts.get(payout_id))
        today = harness.since.date()
        text = harness(lambda velo: velo.payments.export(harness.payor, start=today, include="payorOnly"))
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["payorPaymentId"], row["paymentStatus"]) for row in rows] == [
            ("INV-1", "ACCEPTED"),
            ("INV-2", "REJECTED"),
        ]
        long_ago = {"start": "2020-01-01", "end": "2020-01-31"}
        assert (
            list(csv.DictReader(io.StringIO(harness(lambda velo: velo.payments.export(harness.payor, **long_ago)))))
            == []
        )

    @pytest.mark.parametrize(
        ("body", "content_type", "found"),
        [
            ("\ufefftitle,größe\r\n".encode(), "text/csv; charset=utf-8", "title,größe\r\n"),
            (b"", "application/csv", ""),
            (b"a\xff", "application/csv", None),
            (b"<html>", "text/html", None),
            (b"{}", "application/json", None),
            (b'{"errors": [{"errorMessage": "no"}]}', "application/json", None),
        ],
    )
    def test_what_an_export_can_be(self, body: bytes, content_type: str, found: str | None) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/v1/authenticate":
                return httpx.Response(200, json={"access_token": "t", "expires_in": 1799})
            return httpx.Response(200, content=body, headers={"content-type": content_type})

        with Velo(VeloAuth("k", "not-a-secret"), transport=httpx.MockTransport(answer), retry=QUICK) as velo:
            if found is None:
                with pytest.raises(UnreadableResponse):
                    velo.payments.export("payor")
            else:
                assert velo.payments.export("payor") == found


def test_what_is_refused_here() -> None:
    days: Any = {"submitted_from": "4.3.2026", "submitted_to": 5}
    assert refused(
        lambda velo: velo.payouts.list("", memo="", sort=";", page_size=0, scheduled_to="x", schedule_status="", **days)
    ) == {
        "payor_id": "format", "memo": "length", "sort": "format", "page_size": "range", "scheduled_to": "format",
        "schedule_status": "length", "submitted_from": "format", "submitted_to": "format",
    }  # fmt: skip
    assert refused(lambda velo: velo.payouts.audited_payments("a/b", sensitive="yes", **days)) == {
        "payout_id": "format", "sensitive": "type", "submitted_from": "format", "submitted_to": "format",
    }  # fmt: skip
    assert refused(lambda velo: velo.payouts.history("..")) == {"payout_id": "format"}
    assert refused(lambda velo: velo.payouts.statistics("")) == {"payor_id": "format"}
    assert refused(lambda velo: velo.payments.get("a b", sensitive=1)) == {"payment_id": "format", "sensitive": "type"}
    assert refused(lambda velo: velo.payments.withdraw("", reason="x")) == {"payment_id": "format", "reason": "length"}
    assert refused(lambda velo: velo.payments.export("", start="x", end="y", include="")) == {
        "payor_id": "format", "start": "format", "end": "format", "include": "length",
    }  # fmt: skip
    assert refused(lambda velo: velo.fundings.list("", source_account_name="", sort=";", page_size=101)) == {
        "payor_id": "format", "source_account_name": "length", "sort": "format", "page_size": "range",
    }  # fmt: skip
