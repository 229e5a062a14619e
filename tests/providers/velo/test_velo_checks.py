"""What cannot be right is refused here, all at once, and nothing is sent.

Whatever Velo sends is read, or named.
"""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from tests.providers.velo.adapter import firm, pay, scripted
from victor_ext import (
    BadRequest,
    InvalidRequest,
    Outcome,
    UnreadableResponse,
)
from victor_ext.providers.velo import (
    Address,
    Individual,
    PaymentChannel,
    Receipt,
    Velo,
)
from victor_ext.providers.velo.problems import read_problems


def nothing_leaves(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.method} {request.url} was sent")


def refused(call) -> dict[str, str]:
    """What was found wrong, by field."""
    with scripted(nothing_leaves)[0] as velo, pytest.raises(InvalidRequest) as caught:
        call(velo)
    return {problem.field: problem.code for problem in caught.value.problems}


def test_a_payout_has_2000_payments_at_most():
    payments = [pay(f"INV-{number}") for number in range(2001)]
    assert refused(lambda velo: velo.payouts.submit(payments)) == {"payments": "length"}


def test_two_payments_of_a_payout_have_references_of_their_own_in_one_unicode_form():
    payments = [pay("\xfc"), pay("b"), pay("u\u0308")]
    assert refused(lambda velo: velo.payouts.submit(payments)) == {
        "payments[2].payor_payment_id": "repeated"
    }


def test_the_item_of_a_list_that_is_wrong_is_named_by_its_number():
    payments = [pay("a"), "no payment"]
    assert refused(lambda velo: velo.payouts.submit(payments)) == {"payments[1]": "type"}
    categories = ["a", 5, ""]
    assert refused(lambda velo: velo.webhooks.update("w", categories=categories)) == {
        "categories[1]": "type",
        "categories[2]": "length",
    }


@pytest.mark.parametrize("receipt", [None, "fa-1", SimpleNamespace(id="fa-1")])
def test_what_is_waited_for_is_a_receipt(receipt):
    assert refused(lambda velo: velo.funding_accounts.wait(receipt)) == {"receipt.id": "required"}


def test_a_payee_is_either_a_person_or_a_company_and_its_country_two_capitals():
    person = Individual(first_name="Ada", last_name="Lovelace", date_of_birth="1970-05-20")
    address = Address(line1="Some street", city="Somewhere", country="usa")
    both = replace(firm("a"), individual=person, address=address)
    assert refused(lambda velo: velo.payees.create("p", [both])) == {
        "payees[0]": "choice",
        "payees[0].address.country": "format",
    }


@pytest.mark.parametrize(
    "channel",
    [
        {},
        {"account_number": "123456"},
        {"routing_number": "123456789"},
        {"account_number": "123456", "iban": "GB33BUKB20201555555555"},
    ],
)
def test_a_channel_has_an_iban_or_both_numbers_of_an_account(channel):
    made = PaymentChannel(account_name="A", country_code="US", currency="USD", **channel)
    payee = replace(firm("a"), payment_channel=made)
    assert refused(lambda velo: velo.payees.create("p", [payee])) == {
        "payees[0].payment_channel": "choice"
    }


def test_a_receipt_without_an_id_is_unreadable_also_where_no_rule_knows_the_path():
    with pytest.raises(UnreadableResponse, match="the response has no id") as raised:
        Receipt.of(httpx.Response(202))
    assert raised.value.outcome == "accepted"


SINCE = datetime(2026, 3, 4, 9, 0, 0, 500_000, tzinfo=UTC)
THE_ERROR = {
    "errors": [
        {
            "errorCode": "20110003",
            "errorMessage": "must not be blank",
            "location": "payments[0].remoteId",
        },
        {"errorCode": 20110004, "errorMessage": None},
        "no object",
    ],
    "correlationId": "c1ef2fa5-0001-4712-aa11-1234567890ab",
}


def opened(*answers) -> Velo:
    return scripted(*answers)[0]


class TestErrors:
    def test_everything_that_velo_says_is_on_the_error(self):
        answer = httpx.Response(400, json=THE_ERROR, headers={"x-request-id": "a-proxys"})
        with opened(answer) as client, pytest.raises(BadRequest) as caught:
            client.payouts.submit([pay()])
        error = caught.value
        assert error.request_id == "c1ef2fa5-0001-4712-aa11-1234567890ab"
        assert [(one.code, one.field, one.message) for one in error.problems[:2]] == [
            ("20110003", "payments[0].remoteId", "must not be blank"),
            ("20110004", "", "Velo gave no message"),
        ]
        assert error.outcome is Outcome.REJECTED

    def test_what_it_says_of_2000_payees_is_read_in_no_time(self):
        payees = [{"name": f"Name{number}", "amount": 1042} for number in range(2000)]
        errors = [{"errorMessage": f"Name{number}: no 1042"} for number in range(2000)]
        request = httpx.Request("POST", "https://api.example/v4/payees", json={"payees": payees})
        problems = read_problems(httpx.Response(400, json={"errors": errors}, request=request))
        assert {one.message for one in problems} == {"[hidden]: no 1042"}


class TestPages:
    """Pages as they may come: with totals, without, and while things move."""

    def walk(self, *pages, total: dict[str, int] | None = None) -> tuple[list[str], list[str]]:
        """The states that the pages have of one payment, and the numbers of the pages that were
        asked for.
        """
        answers = []
        for number, states in enumerate([*pages, ""], 1):
            content = [{"paymentId": "a", "status": state} for state in states]
            page = {} if total is None else {"page": {"page": number, **total}}
            answers.append(httpx.Response(200, json={"content": content, "links": [], **page}))
        client, script = scripted(*answers)
        with client:
            seen = [str(one.status) for one in client.payments.changes("payor", since=SINCE)]
        return seen, [request.url.params["page"] for request in script.requests]

    @pytest.mark.parametrize(
        ("total", "asked"),
        [
            ({"totalPages": 2, "totalElements": 3}, "12"),
            ({"totalPages": 1, "totalElements": 3}, "12"),
            ({"totalElements": 3}, "123"),
            ({"totalPages": True, "totalElements": True}, "123"),  # a flag is no number
            (None, "123"),
        ],
    )
    def test_it_ends_where_velo_says_if_all_items_came(self, total, asked):
        assert self.walk("ab", "c", total=total) == ([*"abc"], [*asked])

    def test_a_feed_keeps_what_a_thing_was_and_what_it_became(self):
        assert self.walk(["ACCEPTED", "ACCEPTED"], ["CONFIRMED"])[0] == ["ACCEPTED", "CONFIRMED"]

    def test_the_summary_of_a_payout_is_no_list_of_its_payments(self):
        with opened(httpx.Response(200, json={"summary": {"totalPayments": 1}})) as client:
            assert client.payouts.history("payout-1").total_payments == 1
            with pytest.raises(UnreadableResponse, match="has no list in `content`"):
                list(client.payouts.audited_payments("payout-1"))
