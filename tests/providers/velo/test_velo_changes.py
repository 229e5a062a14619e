"""Payees that change, webhooks that are managed, and the audit: what Velo keeps, refuses, and shows
in no message.
"""

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from velo_api.typed import parts

from tests.providers.velo.adapter import PRICE, Harness, pay, scripted
from victor_ext import BadRequest, Conflict, ConnectionFailed, NotFound, Outcome, UnreadableResponse
from victor_ext.providers.velo import Address, Challenge, Company, Individual
from victor_ext.typed import Query

pytestmark = pytest.mark.hours
HEADER = "long-and-random-7f3b1c9e"
ADDRESS = Address(line1="100 Battery Street", city="Berlin", country="DE")
PERSON = Individual(first_name="Ada", last_name="Example", date_of_birth=date(1970, 5, 20))


class TestPayees:
    def test_details_are_changed_until_the_payee_has_onboarded(self, harness: Harness) -> None:
        challenge = Challenge(value="12345", description="Your number")

        def update(velo: Any) -> Any:
            return velo.payees.update(
                harness.payee,
                address=ADDRESS,
                individual=PERSON,
                email="ada@example.com",
                language="de",
                contact_sms_number="+14155550100",
                challenge=challenge,
            )

        assert harness(update) is None
        payee = harness(lambda velo: velo.payees.get(harness.payee))
        assert (payee.email, payee.language, payee.country) == ("ada@example.com", "de", "DE")
        assert payee.display_name == "Example, Ada"
        harness.sandbox.onboard_payee(harness.payee)
        with pytest.raises(BadRequest, match="has onboarded"):
            harness(update)

    def test_the_payors_name_is_changed_and_payments_go_by_it(self, harness: Harness) -> None:
        other = harness.sandbox.add_payee("payee-8")

        def rename(velo: Any, remote_id: str) -> Any:
            return velo.payees.update_remote_id(
                harness.payee, payor_id=harness.payor, remote_id=remote_id
            )

        with pytest.raises(Conflict, match="Another payee has this remoteId"):
            harness(lambda velo: rename(velo, "payee-8"))
        harness(lambda velo: rename(velo, "payee-9"))
        [renamed] = harness(lambda velo: velo.payees.list(harness.payor, remote_id="payee-9"))
        assert (renamed.id, other != renamed.id) == (harness.payee, True)
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", remote_id="payee-9"))
        payout = harness(lambda velo: velo.payouts.get(payout_id))
        assert [one.payor_payment_id for one in payout.rejected] == ["INV-1"]

    def test_one_is_deleted_that_has_onboarded_and_has_no_payments(self, harness: Harness) -> None:
        with pytest.raises(BadRequest, match="has not onboarded"):
            harness(lambda velo: velo.payees.delete(harness.payee))
        for payee_id in (paid := harness.payee, unpaid := harness.sandbox.add_payee("payee-8")):
            harness.sandbox.onboard_payee(payee_id)
        harness.submit(pay())
        with pytest.raises(BadRequest, match="has payments"):
            harness(lambda velo: velo.payees.delete(paid))
        assert harness(lambda velo: velo.payees.delete(unpaid)) is None
        with pytest.raises(NotFound):
            harness(lambda velo: velo.payees.get(unpaid))
        with pytest.raises(NotFound) as twice:
            harness(lambda velo: velo.payees.delete(unpaid))
        assert twice.value.outcome is Outcome.REJECTED

    @pytest.mark.parametrize("body", ["", "<html>not here</html>"])
    def test_a_404_that_is_not_velos_proves_no_deletion(self, harness: Harness, body: str) -> None:
        harness.sandbox.inject("cut_request", operation="delete_payee", after=40)
        harness.sandbox.inject("status", operation="get_payee", status=404, body=body)
        with pytest.raises(ConnectionFailed) as raised:
            harness(lambda velo: velo.payees.delete(harness.payee))
        assert raised.value.outcome is Outcome.UNKNOWN
        assert "payees.get(payee_id)" in str(raised.value)


class TestWebhooks:
    def create(self, harness: Harness, **options: Any) -> str:
        usual = {"url": "https://hooks.example.com/velo", "authorization_header": HEADER, **options}
        return str(harness(lambda velo: velo.webhooks.create(harness.payor, **usual)))

    def test_they_are_made_read_changed_and_tried(self, harness: Harness) -> None:
        first, second = (
            self.create(harness, categories=("payment",)),
            self.create(harness, enabled=False),
        )
        listed = harness(lambda velo: velo.webhooks.list(harness.payor, page_size=1))
        assert [(one.id, one.is_enabled) for one in listed] == [(first, True), (second, False)]
        webhook = harness(lambda velo: velo.webhooks.get(first))
        assert (webhook.url, webhook.categories) == ("https://hooks.example.com/velo", ("payment",))
        assert webhook.payor_id == harness.payor
        assert HEADER not in json.dumps(webhook.to_dict()) + repr(webhook)

        harness(
            lambda velo: velo.webhooks.update(
                first, url="https://hooks.example.com/2", categories=["payee"]
            )
        )
        changed = harness(lambda velo: velo.webhooks.get(first))
        assert (changed.url, changed.categories, changed.is_enabled) == (
            "https://hooks.example.com/2",
            ("payee",),
            True,
        )

        ping = harness(lambda velo: velo.webhooks.ping(first))
        [posted] = harness.sandbox.notifications()
        assert (ping.webhook_id, posted["source"]["sourceType"]) == (first, "ping")
        with pytest.raises(NotFound):
            harness(lambda velo: velo.webhooks.ping("of-nobody-1"))


def test_the_answer_to_a_challenge_is_not_shown() -> None:
    challenge = Challenge(value="4711-0815", description="Your number at Example Ltd")
    body = parts.challenge_body(Query(), "", challenge)
    shown = [repr(challenge), repr(body), repr(challenge.value)]
    assert [text for text in shown if "4711" in text] == []
    assert body["value"] == "4711-0815"


def test_what_is_left_out_is_not_sent() -> None:
    velo, script = scripted(httpx.Response(204))
    with velo:
        velo.payees.update("p-1", company=Company(name="Example Ltd"))
        velo.webhooks.update("w-1", enabled=False)
    assert {request.url.path: json.loads(request.content) for request in script.requests} == {
        "/v4/payees/p-1/payeeDetailsUpdate": {"company": {"name": "Example Ltd"}},
        "/v1/webhooks/w-1": {"enabled": False},
    }


class TestPayments:
    def test_one_is_read_with_its_history(self, harness: Harness) -> None:
        payout_id = harness.submit(pay())
        harness(lambda velo: velo.payouts.instruct(payout_id))
        harness.sandbox.advance(30)
        [notified] = [
            one
            for one in harness.sandbox.notifications()
            if one["eventName"] == "payment.confirmed"
        ]
        payment = harness(
            lambda velo: velo.payments.get(notified["source"]["paymentId"], sensitive=False)
        )
        assert (payment.payor_payment_id, payment.status, payment.payout_id) == (
            "INV-1042",
            "CONFIRMED",
            payout_id,
        )
        assert [(event.type, event.payment) for event in payment.events] == [
            (f"PAYMENT_{status}", PRICE) for status in ("ACCEPTED", "FUNDED", "CONFIRMED")
        ]
        assert all(event.id and event.happened_at for event in payment.events)
        [listed] = harness(lambda velo: velo.payments.list(harness.payor))
        assert listed == payment
        with pytest.raises(NotFound):
            harness(lambda velo: velo.payments.get("of-nobody-1"))


class TestPayouts:
    def test_the_list_and_what_became_of_each(self, harness: Harness) -> None:
        paid = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"), memo="March")
        harness(lambda velo: velo.payouts.get(paid))
        withdrawn = harness.submit(pay("INV-3"), memo="April")
        harness(lambda velo: velo.payouts.instruct(paid))
        harness(lambda velo: velo.payouts.withdraw(withdrawn))
        harness.sandbox.advance(30)
        today = harness.since.date()

        listed = harness(
            lambda velo: velo.payouts.list(harness.payor, submitted_from=today, page_size=1)
        )
        by_name = {
            one.id: (one.status, one.total_payments, one.withdrawn_payments) for one in listed
        }
        assert by_name == {paid: ("COMPLETED", 2, 0), withdrawn: ("WITHDRAWN", 1, 1)}
        [march] = harness(lambda velo: velo.payouts.list(harness.payor, memo="march"))
        assert (march.id, march.memo, march.instructed_at >= march.submitted_at) == (
            paid,
            "March",
            True,
        )
        assert [cost.total_cost for cost in march.accounts] == [PRICE]
        assert harness(lambda velo: velo.payouts.list(harness.payor, status="QUOTED")) == []

        history = harness(lambda velo: velo.payouts.history(paid))
        assert (history.status, history.total_payments, history.confirmed_payments) == (
            "COMPLETED",
            2,
            1,
        )
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
        entries = harness(
            lambda velo: velo.fundings.list(harness.payor, sort="amount:desc", page_size=1)
        )
        assert [(one.amount, one.currency, one.status) for one in entries] == [
            (25000, "USD", "CREDIT"),
            (100, "USD", "CREDIT"),
        ]
        assert [event.type for event in entries[0].events] == ["PAYOR_FUNDING_REQUESTED"]
        assert (
            harness(lambda velo: velo.fundings.list(harness.payor, source_account_name="Another"))
            == []
        )

    def test_the_export_is_what_velo_wrote(self, harness: Harness) -> None:
        payout_id = harness.submit(pay("INV-1"), pay("INV-2", remote_id="nobody"))
        harness(lambda velo: velo.payouts.get(payout_id))
        today = harness.since.date()
        text = harness(
            lambda velo: velo.payments.export(harness.payor, start=today, include="payorOnly")
        )
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["payorPaymentId"], row["status"]) for row in rows] == [
            ("INV-1", "ACCEPTED"),
            ("INV-2", "REJECTED"),
        ]
        text = harness(
            lambda velo: velo.payments.export(harness.payor, start="2020-01-01", end="2020-01-31")
        )
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
