"""The commands take amounts and dates as the client does, and refuse what the document refuses, at once and by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from victor_ext.sandbox import RemoteSandbox, Sandbox


@pytest.fixture(params=["here", "over-http"])
def commands(request, sandbox) -> Sandbox | RemoteSandbox:
    return sandbox if request.param == "here" else RemoteSandbox(sandbox.url)


@pytest.mark.parametrize(
    ("amount", "shown"), [(Decimal("12.00"), "12.00"), (12, "12"), (Decimal("1E+2"), "100"), ("7.5", "7.5")]
)
def test_an_amount_is_a_decimal_an_int_or_text(commands, caller, amount, shown):
    request_id = commands.create_inbound(amount=amount)
    (listed,) = caller.listed()
    assert listed["payment_request"]["payment_details"]["amount"] == shown
    assert caller.get(request_id).status_code == 200


def test_a_due_date_is_a_date_or_text_and_may_have_passed(commands, caller):
    assert commands.request(commands.create_inbound(due_date=date(2021, 10, 25)))["due_date"] == "2021-10-25"
    assert commands.request(commands.create_inbound(due_date="2021-10-26"))["due_date"] == "2021-10-26"
    assert len(caller.listed()) == 2


def test_time_is_seconds_or_a_timedelta(commands):
    commands.advance(timedelta(days=1))
    commands.advance(60)
    commands.set_clock_skew(timedelta(minutes=-2))
    clock = commands.clock()
    assert (clock["advanced"], clock["skew"]) == (86_460, -120)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"amount": 12.5}, "amount must be a text"),
        ({"amount": True}, "amount must be a text"),
        ({"amount": Decimal("1.005")}, "amount must be a text"),
        ({"amount": Decimal("NaN")}, "amount must be a text"),
        ({"due_date": datetime(2026, 1, 2, 3, tzinfo=UTC)}, "due_date must be YYYY-MM-DD"),
        ({"due_date": 20260102}, "due_date must be YYYY-MM-DD"),
        ({"biller_type": "BUSINES"}, "biller_type breaks the rule 'enum'"),
        ({"notes": "n" * 151}, "notes has a wrong length"),
        ({"notes": 7}, "notes breaks the rule 'type'"),
        ({"ultimate_creditor": "Smith & Sons"}, "ultimate_creditor breaks the rule 'pattern'"),
        ({"ultimate_creditor": "Smith", "biller_type": "CONSUMER"}, "ultimate_creditor may be set only when"),
        ({"amount_modification_allowed": "yes"}, "amount_modification_allowed breaks the rule 'type'"),
        ({"payee_account": "12"}, "payee_account has a wrong length"),
        ({"payee_account": "12-34"}, "payee_account breaks the rule 'pattern'"),
        ({"payer_account": "12-34"}, "payer_account must be a text of 3 to 20 digits"),
        ({"network": "ACH"}, "network must be RTP or FedNow"),
    ],
)  # fmt: skip
def test_what_the_document_refuses_is_refused_and_nothing_is_made(commands, caller, wrong, named):
    with pytest.raises(ValueError, match=named):
        commands.create_inbound(**wrong)
    assert caller.listed() == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"name": "Smith & Sons"}, "name breaks"), ({"routing_number": "01-1"}, "routing_number breaks")],
)
def test_an_account_that_no_answer_could_show_is_refused(commands, wrong, named):
    with pytest.raises(ValueError, match=named):
        commands.add_account("243884643621", **wrong)
    assert commands.accounts() == []


def test_an_error_message_is_text(commands, caller):
    request_id = commands.create_inbound()
    with pytest.raises(ValueError, match="error_message must be a text"):
        commands.move(request_id, "failed", 404)
    assert [each["status"] for each in caller.listed()] == ["pending"]


def test_the_other_side_of_an_inbound_request_need_not_be_known(start):
    sandbox, caller = start(strict_accounts=True)
    sandbox.create_inbound("12.00")
    assert len(caller.listed()) == 1
