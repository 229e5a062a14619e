"""After a lost answer: nothing that moves money is sent twice by itself, and there is a way to look."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.velo.harness import Harness, pay
from victor_ext import Conflict, ConnectionFailed, InvalidRequest, Outcome, ServerError, UnreadableResponse, VictorError
from victor_ext.providers import Money
from victor_ext.providers.velo import Address, Company, NewPayee

LOST = [("lose_answer", {}), ("cut_answer", {"after": 20}), ("status", {"status": 503, "work": True})]
each_loss = pytest.mark.parametrize(("kind", "options"), LOST, ids=[kind for kind, _ in LOST])


@each_loss
def test_a_submission_is_sent_once_and_found_by_reference(harness: Harness, kind: Any, options: dict[str, Any]) -> None:
    harness.sandbox.inject(kind, operation="submit", times=None, **options)
    with pytest.raises((ConnectionFailed, ServerError)) as caught:
        harness.submit(pay("INV-1"))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert "look with payments.find(payor_payment_id" in str(caught.value)
    assert (harness.calls("submit"), harness.sandbox.work_done_by_reference()) == (1, {"INV-1": 1})

    [result] = harness(lambda velo: velo.payments.find("INV-1", payor_id=harness.payor, since=harness.since))
    harness(lambda velo: velo.payouts.instruct(result.payout_id))
    assert harness(lambda velo: velo.payouts.get(result.payout_id)).status == "INSTRUCTED"


def test_one_that_never_arrived_is_not_found(harness: Harness) -> None:
    harness.sandbox.inject("cut_request", operation="submit", after=40)
    with pytest.raises(ConnectionFailed) as caught:
        harness.submit(pay("INV-1"))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert harness(lambda velo: velo.payments.find("INV-1", payor_id=harness.payor, since=harness.since)) == []


@each_loss
def test_an_instruction_is_read_back(harness: Harness, kind: Any, options: dict[str, Any]) -> None:
    payout_id = harness.submit(pay())
    harness.sandbox.inject(kind, operation="instruct", **options)
    assert harness(lambda velo: velo.payouts.instruct(payout_id)) is None
    assert (harness.calls("instruct"), harness.calls("get_payout")) == (1, 1)


@each_loss
def test_a_withdrawal_is_read_back(harness: Harness, kind: Any, options: dict[str, Any]) -> None:
    payout_id = harness.submit(pay())
    harness.sandbox.inject(kind, operation="withdraw", **options)
    assert harness(lambda velo: velo.payouts.withdraw(payout_id)) is None
    assert harness.calls("withdraw") == 1


def test_an_instruction_that_cannot_be_seen_stays_unknown(harness: Harness) -> None:
    payout_id = harness.submit(pay())
    harness.sandbox.inject("cut_request", operation="instruct", after=40)
    with pytest.raises(ConnectionFailed) as caught:
        harness(lambda velo: velo.payouts.instruct(payout_id))
    assert (caught.value.outcome, harness.calls("instruct")) == (Outcome.UNKNOWN, 1)
    assert "payouts.get(payout_id)" in str(caught.value)


def test_a_second_instruction_is_a_conflict_though_the_payout_is_instructed(harness: Harness) -> None:
    payout_id = harness.submit(pay())
    harness(lambda velo: velo.payouts.instruct(payout_id))
    with pytest.raises(Conflict) as caught:
        harness(lambda velo: velo.payouts.instruct(payout_id))
    assert (caught.value.outcome, harness.calls("get_payout")) == (Outcome.UNKNOWN, 0)


def test_an_answer_about_another_payout_settles_nothing(harness: Harness) -> None:
    payout_id, other = harness.submit(pay("INV-1")), harness.submit(pay("INV-2"))
    body = f'{{"payoutId": "{other}", "status": "INSTRUCTED"}}'
    harness.sandbox.inject("lose_answer", operation="instruct")
    harness.sandbox.inject("status", operation="get_payout", status=200, body=body, times=None)
    with pytest.raises(ConnectionFailed):
        harness(lambda velo: velo.payouts.instruct(payout_id))


@pytest.mark.parametrize("location", [None, "", "/", "/v3/payouts/..", "/v3/payouts/%2e%2e/", "/v3/payouts/a b"])
def test_a_submission_without_an_id_may_have_been_done(harness: Harness, location: str | None) -> None:
    headers = {} if location is None else {"Location": location}
    harness.sandbox.inject("status", operation="submit", status=202, body="", headers=headers, work=True)
    with pytest.raises(UnreadableResponse) as caught:
        harness.submit(pay("INV-1"))
    assert caught.value.outcome is Outcome.UNKNOWN
    [result] = harness(lambda velo: velo.payments.find("INV-1", payor_id=harness.payor, since=harness.since))
    assert result.payout_id


@pytest.mark.parametrize("form", ["{}", "/v3/payouts/{}", "https://api.example/v3/payouts/{}/", "/v3/payouts/{}?a=b#c"])
def test_the_id_is_read_from_any_form_of_the_header(harness: Harness, form: str) -> None:
    headers = {"Location": form.format("2aa5d7e0-2ecb-403f-8494-1865ed0454e9")}
    harness.sandbox.inject("status", operation="submit", status=202, body="", headers=headers)
    assert harness.submit(pay()) == "2aa5d7e0-2ecb-403f-8494-1865ed0454e9"


def test_a_good_status_whose_body_reports_an_error_is_no_success(harness: Harness) -> None:
    body = '{"errors": [{"errorCode": "20110003", "errorMessage": "not done"}]}'
    harness.sandbox.inject("status", operation="submit", status=202, body=body, headers={"Location": "/v3/payouts/1"})
    with pytest.raises(UnreadableResponse) as caught:
        harness.submit(pay())
    assert (caught.value.outcome, caught.value.problems[0].code) == (Outcome.UNKNOWN, "20110003")


def test_a_funding_of_another_currency_is_asked_for_by_nobody(harness: Harness) -> None:
    with pytest.raises(InvalidRequest, match=r"amount is in EUR, and source account .* has USD"):
        harness(
            lambda velo: velo.source_accounts.fund(
                harness.account, funding_account_id=harness.bank, amount=Money(100, "EUR")
            )
        )
    assert harness.calls("fund") == 0


def test_a_funding_is_sent_once(harness: Harness) -> None:
    harness.sandbox.inject("lose_answer", operation="fund", times=None)
    with pytest.raises(ConnectionFailed, match=r"fundings\.changes") as caught:
        harness(
            lambda velo: velo.source_accounts.fund(
                harness.account, funding_account_id=harness.bank, amount=Money(100, "USD")
            )
        )
    assert (caught.value.outcome, harness.calls("fund")) == (Outcome.UNKNOWN, 1)
    [change] = harness.all(lambda velo: velo.fundings.changes(harness.payor, since=harness.since))
    assert change.amount == Money(100, "USD")


def test_a_batch_of_payees_is_sent_once(harness: Harness) -> None:
    firm = NewPayee(
        remote_id="abc", email="a@example.com", company=Company(name="ABC"),
        address=Address(line1="Some street", city="Somewhere", country="US"),
    )  # fmt: skip
    harness.sandbox.inject("lose_answer", operation="create_payees", times=None)
    with pytest.raises(ConnectionFailed, match=r"payees\.list\(payor_id, remote_id"):
        harness(lambda velo: velo.payees.create(harness.payor, [firm]))
    assert harness.calls("create_payees") == 1


@pytest.mark.parametrize("body", ['{"batchId": "b-1"}', "{}", ""])
def test_the_id_of_a_batch_is_in_the_body_or_in_the_header(harness: Harness, body: str) -> None:
    headers = {"Location": "https://api.example/v4/payees/batch/b-1" if "b-1" not in body else "/"}
    harness.sandbox.inject("status", operation="create_payees", status=201, body=body, headers=headers)
    firm = NewPayee(
        remote_id="abc", email="a@example.com", company=Company(name="ABC"),
        address=Address(line1="Some street", city="Somewhere", country="US"),
    )  # fmt: skip
    assert harness(lambda velo: velo.payees.create(harness.payor, [firm])) == "b-1"


def test_a_generated_operation_is_sent_once_too(harness: Harness) -> None:
    """Whoever calls the generated layer goes through the same loop."""
    from velo_api.api.payouts import submit_payout
    from velo_api.models import NewPayout

    harness.sandbox.inject("lose_answer", operation="submit", times=None)
    body = NewPayout.from_dict({"payments": [{"payorPaymentId": "INV-1"}]})
    send = submit_payout.asyncio_detailed if harness.awaited else submit_payout.sync_detailed
    with pytest.raises(VictorError):
        harness(lambda velo: send(client=velo.api, body=body))
    assert harness.calls("submit") == 1
