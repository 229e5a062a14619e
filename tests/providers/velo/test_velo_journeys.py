"""What a payor does with Velo, over real sockets, with blocking calls and with awaited ones."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.providers.velo.adapter import PRICE, Harness, firm, pay
from victor_ext import Conflict, Done, InvalidRequest, Outcome, TimedOut, UnreadableResponse
from victor_ext.providers import Money
from victor_ext.providers.velo import (
    Address,
    Company,
    Individual,
    NewPayee,
    PaymentChannel,
    Receipt,
)
from victor_ext.runtime.client import polling as waiting
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

pytestmark = pytest.mark.hours
ADDRESS = Address(
    line1="100 Battery Street", city="San Francisco", country="US", zip_or_postcode="94018"
)
PERSON = NewPayee(
    remote_id="bob",
    email="bob@example.com",
    address=ADDRESS,
    language="en",
    individual=Individual(first_name="Bob", last_name="Wiggins", date_of_birth=date(1970, 5, 20)),
    payment_channel=PaymentChannel(
        account_name="Bob",
        country_code="US",
        currency="USD",
        account_number="12345678",
        routing_number="123456789",
    ),
)
CORP = Company(name="ABC Payee Corp", tax_id="223344556")
FIRM = NewPayee(remote_id="abc", email="pay@example.com", address=ADDRESS, company=CORP)


class TestAPayout:
    def test_from_submission_to_completion(self, harness: Harness) -> None:
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", amount=Money(1, "USD")), memo="March")
        payout = harness(lambda velo: velo.payouts.wait(payout_id, until="ACCEPTED"))
        assert (payout.id, payout.payments_accepted, payout.rejected) == (payout_id, 2, ())
        assert [account.total_cost for account in payout.accounts] == [Money(4424, "USD")]

        assert harness(lambda velo: velo.payouts.instruct(payout_id)) is None
        harness.sandbox.advance(30)
        done = harness(lambda velo: velo.payouts.wait(payout_id, until=("COMPLETED", "CONFIRMED")))
        with pytest.raises(Conflict, match="can no longer become ACCEPTED"):
            harness(lambda velo: velo.payouts.wait(payout_id, until="accepted", timeout=1))
        with pytest.raises(
            InvalidRequest, match="until must be one or more of: ACCEPTED, COMPLETED"
        ):
            harness(lambda velo: velo.payouts.wait(payout_id, until="DONE", timeout=1))
        assert done.status == "COMPLETED"
        assert harness.sandbox.balance(harness.account) == 100_000 - 4424
        payments = harness(lambda velo: velo.payouts.payments(payout_id))
        assert [(one.payor_payment_id, one.amount, one.status) for one in payments] == [
            ("INV-1", PRICE, "CONFIRMED"),
            ("INV-2", Money(1, "USD"), "CONFIRMED"),
        ]

    def test_another_currency_is_quoted_first(self, harness: Harness) -> None:
        payout_id = harness.submit(pay(amount=Money.of("100.00", "EUR")))
        with pytest.raises(Conflict, match="quote"):
            harness(lambda velo: velo.payouts.instruct(payout_id))
        quote = harness(lambda velo: velo.payouts.quote(payout_id))
        [summary] = quote.fx_summaries
        assert (summary.source, summary.payment) == (Money(8000, "USD"), Money(10000, "EUR"))
        assert (summary.rate, summary.inverted_rate) == (Decimal("1.25"), Decimal("0.8"))
        assert summary.expires_at > summary.created_at
        assert harness(lambda velo: velo.payouts.get(payout_id)).fx_summaries[0].status == "QUOTED"
        harness(lambda velo: velo.payouts.instruct(payout_id, stop_if_rates_worse_by=0.5))
        assert harness.sandbox.balance(harness.account) == 92_000

    def test_some_payments_are_rejected_and_the_others_are_not(self, harness: Harness) -> None:
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"))
        payout = harness(lambda velo: velo.payouts.get(payout_id))
        assert payout.status == "ACCEPTED"
        assert [one.payor_payment_id for one in payout.accepted] == ["INV-1"]
        [rejected] = payout.rejected
        assert (rejected.payor_payment_id, rejected.amount) == ("INV-2", PRICE)
        assert "nobody" in rejected.reason
        result = harness(lambda velo: velo.payouts.payments(payout_id, payor_payment_id="INV-2"))
        assert [one.status for one in result] == ["REJECTED"]

    def test_one_that_was_rejected_is_not_waited_for(self, harness: Harness) -> None:
        payout_id = harness.submit(pay(remote_id="nobody"))
        with pytest.raises(Conflict, match="is REJECTED, so it can no longer become ACCEPTED"):
            harness(lambda velo: velo.payouts.wait(payout_id, until="ACCEPTED"))
        payout = harness(lambda velo: velo.payouts.wait(payout_id, until="rejected"))
        assert payout.status == "REJECTED"

    def test_a_payout_with_other_payments_or_of_another_time_is_not_the_one_that_was_sent(
        self, harness: Harness
    ) -> None:
        harness.submit(pay("INV-1"), pay("INV-2"))

        def look_up(*references: str, since: datetime = harness.since) -> Any:
            payments = [pay(reference) for reference in references]
            call = harness(lambda velo: velo.prepare("payouts.submit", payments))
            return harness(lambda velo: velo.look_up(call, since=since, payor_id=harness.payor))

        assert isinstance(look_up("INV-2", "INV-1"), Done)
        assert "has other payments, too" in look_up("INV-1")
        later = datetime.now(UTC) + timedelta(hours=1)
        assert "No payouts" in look_up("INV-1", "INV-2", since=later)


class TestPayees:
    def test_a_batch_is_made_and_polled(self, harness: Harness) -> None:
        batch_id = harness(lambda velo: velo.payees.create(harness.payor, [PERSON, FIRM, PERSON]))
        batch = harness(lambda velo: velo.payees.wait_for_batch(batch_id))
        assert (batch.is_done, batch.failure_count, batch.pending_count) == (True, 1, 0)
        assert batch.failures[0].submission["remoteId"] == "bob"
        [bob] = harness(lambda velo: velo.payees.list(harness.payor, remote_id="bob"))
        assert (bob.type, bob.display_name, bob.remote_id(harness.payor)) == (
            "Individual",
            "Wiggins, Bob",
            "bob",
        )
        assert harness(lambda velo: velo.payees.get(bob.id)) == bob
        [firm] = harness(lambda velo: velo.payees.list(harness.payor, payee_type="Company"))
        assert firm.display_name == "ABC Payee Corp"

    def test_all_pages_are_read_and_none_beyond_the_last(self, harness: Harness) -> None:
        for number in range(6):
            harness.sandbox.add_payee(f"more-{number}")
        items = harness(lambda velo: velo.payees.list(harness.payor, page_size=3))
        assert [payee.remote_id() for payee in items] == [
            "payee-7",
            *(f"more-{number}" for number in range(6)),
        ]
        assert harness.calls("list_payees") == 3


class TestMoneyForAccounts:
    def test_money_is_asked_for_and_comes(self, harness: Harness) -> None:
        receipt: Receipt = harness.fund("250.00")
        pending = harness(lambda velo: velo.fundings.get(receipt.id))
        assert (pending.status, pending.amount) == ("PENDING", Money(25000, "USD"))
        harness.sandbox.advance(10)
        changes = harness(lambda velo: velo.fundings.changes(harness.payor, since=harness.since))
        assert [(one.funding_id, one.status) for one in changes] == [(receipt.id, "ALLOCATED")]
        account = harness(lambda velo: velo.source_accounts.get(harness.account))
        assert account.balance == Money.of("1250.00", "USD")

    def test_a_funding_account_is_there_after_as_long_as_velo_says(self, harness: Harness) -> None:
        def create(velo: Any) -> Any:
            return velo.funding_accounts.create(
                payor_id=harness.payor,
                name="Second bank",
                account_type="PRIVATE",
                account_name="ACME",
                account_number="1234567890",
                routing_number="123456789",
                currency="USD",
            )

        receipt: Receipt = harness(create)
        assert receipt.retry_after == 2.0
        assert receipt.location.endswith(receipt.id)
        harness.sandbox.advance(receipt.retry_after)
        record = harness(lambda velo: velo.funding_accounts.get(receipt.id))
        assert (record.name, record.type) == ("Second bank", "PRIVATE")
        listed = harness(lambda velo: velo.funding_accounts.list(payor_id=harness.payor))
        assert [account.name for account in listed] == ["Bank of the payor", "Second bank"]

    def test_a_funding_account_is_waited_for(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.0)
        receipt = Receipt(harness.bank, "", retry_after=0.0)
        harness.sandbox.inject("status", operation="get_bank", status=404, times=2)
        # More than one call tries by itself.
        harness.sandbox.inject("status", operation="get_bank", status=500, times=3)
        assert harness(lambda velo: velo.funding_accounts.wait(receipt)).id == harness.bank
        assert harness.calls("get_bank") == 6
        with pytest.raises(
            TimedOut,
            match="Funding account of-nobody was not created within 0 s: it is still missing",
        ):
            harness(
                lambda velo: velo.funding_accounts.wait(Receipt("of-nobody", "", 9.0), timeout=0)
            )


class TestPaymentsOfAPayor:
    def test_one_is_found_by_the_payors_own_reference(self, harness: Harness) -> None:
        payout_id = harness.submit(*(pay(f"INÜ-{number}") for number in range(120)))
        other_form = "INU\u0308-117"  # the same text
        assert [(one.payor_payment_id, one.payout_id) for one in harness.find(other_form)] == [
            ("INÜ-117", payout_id)
        ]
        assert harness.find("INV-999") == []
        long_ago = harness.since.replace(year=2020)
        window = {"payor_id": harness.payor, "since": long_ago, "until": long_ago}
        assert harness(lambda velo: velo.payments.find("INÜ-117", **window)) == []


def test_a_second_instruction_is_a_conflict_though_the_payout_is_instructed(
    harness: Harness,
) -> None:
    payout_id = harness.submit(pay())
    harness(lambda velo: velo.payouts.instruct(payout_id))
    with pytest.raises(Conflict) as caught:
        harness(lambda velo: velo.payouts.instruct(payout_id))
    assert (caught.value.outcome, harness.calls("get_payout")) == (Outcome.UNKNOWN, 0)


def test_a_page_that_is_injected_takes_no_id_of_the_seed(harness: Harness) -> None:
    made = []
    for fault in (None, "html"):
        with VeloSandbox(VeloSettings(seed=1)) as sandbox:
            harness = Harness(sandbox, harness.awaited)
            if fault:
                sandbox.inject(fault, operation="submit", status=200)
                with pytest.raises(UnreadableResponse):
                    harness.submit(pay())
            made.append(harness.submit(pay()))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "form", ["{}", "https://api.example/v3/payouts/{}/", "/v3/payouts/{}?a=b#c"]
)
def test_the_id_is_read_from_any_form_of_the_header(harness: Harness, form: str) -> None:
    headers = {"Location": form.format("2aa5d7e0-2ecb-403f-8494-1865ed0454e9")}
    harness.sandbox.inject("status", operation="submit", status=202, body="", headers=headers)
    assert harness.submit(pay()) == "2aa5d7e0-2ecb-403f-8494-1865ed0454e9"


def test_a_funding_of_another_currency_is_asked_for_by_nobody(harness: Harness) -> None:
    with pytest.raises(InvalidRequest, match=r"amount is in EUR, and source account .* has USD"):
        harness.fund("1.00", "EUR")
    assert harness.calls("fund") == 0


@pytest.mark.parametrize("body", ['{"batchId": "b-1"}', "{}", ""])
def test_the_id_of_a_batch_is_in_the_body_or_in_the_header(harness: Harness, body: str) -> None:
    headers = {"Location": "https://api.example/v4/payees/batch/b-1" if "b-1" not in body else "/"}
    harness.sandbox.inject(
        "status", operation="create_payees", status=201, body=body, headers=headers
    )
    assert harness(lambda velo: velo.payees.create(harness.payor, [firm("abc")])) == "b-1"
