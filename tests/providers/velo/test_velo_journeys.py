"""What a payor does with Velo, over real sockets, with blocking calls and with awaited ones."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tests.providers.velo.adapter import PRICE, firm, pay
from victor_ext import (
    Conflict,
    Done,
    InvalidRequest,
)
from victor_ext.providers import Money
from victor_ext.providers.velo._proofs import _find_in_list


class TestAPayout:
    def test_a_payout_is_submitted_accepted_instructed_and_completed(self, harness):
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", amount=Money(1, "USD")), memo="March")
        payout = harness.ask("payouts.wait", payout_id, until="ACCEPTED")
        assert (payout.payments_accepted, payout.rejected) == (2, ())
        assert [account.total_cost for account in payout.accounts] == [Money(4424, "USD")]

        harness.ask("payouts.instruct", payout_id)
        harness.sandbox.advance(30)
        done = harness.ask("payouts.wait", payout_id, until=("COMPLETED", "CONFIRMED"))
        assert done.status == "COMPLETED"
        assert harness.sandbox.balance(harness.account) == 100_000 - 4424
        payments = harness.ask("payouts.payments", payout_id)
        assert [(one.payor_payment_id, one.amount, one.status) for one in payments] == [
            ("INV-1", PRICE, "CONFIRMED"),
            ("INV-2", Money(1, "USD"), "CONFIRMED"),
        ]

    def test_a_payout_in_another_currency_is_quoted_before_it_is_instructed(self, harness):
        payout_id = harness.submit(pay(amount=Money.of("100.00", "EUR")))
        with pytest.raises(Conflict, match="quote"):
            harness.ask("payouts.instruct", payout_id)
        [quoted] = harness.ask("payouts.quote", payout_id).fx_summaries
        assert (quoted.source, quoted.payment) == (Money(8000, "USD"), Money(10000, "EUR"))
        assert (quoted.rate, quoted.inverted_rate) == (Decimal("1.25"), Decimal("0.8"))
        harness.ask("payouts.instruct", payout_id, stop_if_rates_worse_by=0.5)
        assert harness.sandbox.balance(harness.account) == 92_000

    def test_some_payments_are_rejected_and_the_others_are_not(self, harness):
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"))
        payout = harness.ask("payouts.get", payout_id)
        assert [one.payor_payment_id for one in payout.accepted] == ["INV-1"]
        [rejected] = payout.rejected
        assert (rejected.payor_payment_id, rejected.amount) == ("INV-2", PRICE)
        assert "nobody" in rejected.reason

    def test_a_payout_with_other_payments_or_of_another_time_is_not_the_one_that_was_sent(
        self, harness
    ):
        harness.submit(pay("INV-1"), pay("INV-2"))

        def look_up(*references, since=harness.since):
            payments = [pay(reference) for reference in references]
            call = harness.ask("prepare", "payouts.submit", payments)
            return harness.ask("look_up", call, since=since, payor_id=harness.payor)

        assert isinstance(look_up("INV-2", "INV-1"), Done)
        assert "has other payments, too" in look_up("INV-1")
        later = datetime.now(UTC) + timedelta(hours=1)
        assert "No payouts" in look_up("INV-1", "INV-2", since=later)

    @pytest.mark.parametrize(
        "form", ["{}", "https://api.example/v3/payouts/{}/", "/v3/payouts/{}?a=b#c"]
    )
    def test_the_id_of_a_payout_is_read_from_any_form_of_the_header(self, harness, form):
        headers = {"Location": form.format("2aa5d7e0-2ecb-403f-8494-1865ed0454e9")}
        harness.sandbox.inject("status", operation="submit", status=202, body="", headers=headers)
        assert harness.submit(pay()) == "2aa5d7e0-2ecb-403f-8494-1865ed0454e9"


class TestPayees:
    def test_a_batch_is_made_and_polled(self, harness):
        firms = [firm("abc"), firm("def"), firm("abc")]
        batch_id = harness.ask("payees.create", harness.payor, firms)
        batch = harness.ask("payees.wait_for_batch", batch_id)
        assert (batch.failure_count, batch.pending_count) == (1, 0)
        assert batch.failures[0].submission["remoteId"] == "abc"
        [made] = harness.ask("payees.list", harness.payor, remote_id="abc")
        assert (made.display_name, made.payor_refs[0].remote_id) == ("ABC", "abc")


class TestMoneyForAccounts:
    def test_a_funding_in_another_currency_than_the_account_is_refused_before_sending(
        self, harness
    ):
        words = r"amount is in EUR, and source account .* has USD"
        with pytest.raises(InvalidRequest, match=words):
            harness.fund("1.00", "EUR")
        assert harness.calls("fund") == 0


def test_a_payment_that_does_not_say_its_time_leaves_a_lost_payout_undecided():
    moments = {"lost": None, "another's": datetime(2026, 3, 4, 6, tzinfo=UTC)}
    listed = [
        SimpleNamespace(payout_id=id, payor_payment_id="INV-1", submitted_at=moment)
        for id, moment in moments.items()
    ]
    call = SimpleNamespace(body={"payments": [{"payorPaymentId": "INV-1"}]})
    with pytest.raises(StopIteration) as ended:
        next(_find_in_list(None, call, datetime(2026, 3, 4, 5, tzinfo=UTC), listed))
    assert "does not say when it was submitted" in ended.value.value
