"""What cannot be right is refused here, all at once, and nothing is sent.

Whatever Velo sends is read, or named.
"""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from tests.providers.velo.adapter import firm, pay, scripted
from victor_ext import BadRequest, InvalidRequest, Outcome, UnreadableResponse
from victor_ext.providers.velo import Address, Individual, PaymentChannel, Receipt


def refused(call):
    """What was found wrong, by field. Nothing is sent."""
    velo, script = scripted()
    with pytest.raises(InvalidRequest) as caught:
        call(velo)
    assert script.requests == []
    return {problem.field: problem.code for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("payments", "problems"),
    [
        ([pay(f"INV-{number}") for number in range(2001)], {"payments": "length"}),
        # two forms of one text in Unicode
        ([pay("\xfc"), pay("b"), pay("u\u0308")], {"payments[2].payor_payment_id": "repeated"}),
        ([pay("a"), "no payment"], {"payments[1]": "type"}),
    ],
    ids=["more than 2000", "a reference twice", "no payment"],
)
def test_a_payout_of_more_than_2000_payments_or_with_a_reference_twice_is_refused(
    payments, problems
):
    assert refused(lambda velo: velo.payouts.submit(payments)) == problems


def test_a_payout_of_2000_payments_is_sent():
    velo, _ = scripted(httpx.Response(202, headers={"location": "/v3/payouts/po-1"}))
    assert velo.payouts.submit([pay(f"INV-{number}") for number in range(2000)]) == "po-1"


def test_each_item_of_a_list_that_is_wrong_is_named_by_its_number():
    found = refused(lambda velo: velo.webhooks.update("w", categories=["a", 5, ""]))
    assert found == {"categories[1]": "type", "categories[2]": "length"}


@pytest.mark.parametrize("receipt", [None, "fa-1", SimpleNamespace(id="fa-1")])
def test_a_wait_for_a_funding_account_refuses_an_argument_that_is_no_receipt(receipt):
    assert refused(lambda velo: velo.funding_accounts.wait(receipt)) == {"receipt.id": "required"}


def problems_of_a_firm(**changes):
    """What is wrong with a payee."""
    payee = replace(firm("a"), **changes)
    return refused(lambda velo: velo.payees.create("p", [payee]))


def test_a_payee_is_either_a_person_or_a_company():
    person = Individual(first_name="Ada", last_name="Lovelace", date_of_birth="1970-05-20")
    for both_or_none in ({"individual": person}, {"company": None}):
        assert problems_of_a_firm(**both_or_none) == {"payees[0]": "choice"}


@pytest.mark.parametrize("country", ["us", "USA", "U", "U1", "U S"])
def test_a_country_is_two_capitals(country):
    address = Address(line1="Some street", city="Somewhere", country=country)
    assert problems_of_a_firm(address=address).keys() == {"payees[0].address.country"}


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"account_number": "123456"},
        {"routing_number": "123456789"},
        {"account_number": "123456", "iban": "GB33BUKB20201555555555"},
    ],
)
def test_a_channel_has_an_iban_or_both_numbers_of_an_account(numbers):
    channel = PaymentChannel(account_name="A", country_code="US", currency="USD", **numbers)
    found = problems_of_a_firm(payment_channel=channel)
    assert found == {"payees[0].payment_channel": "choice"}


def test_a_receipt_without_an_id_is_unreadable_also_where_no_rule_knows_the_path():
    with pytest.raises(UnreadableResponse, match="the response has no id") as raised:
        Receipt.of(httpx.Response(202))
    assert raised.value.outcome == "accepted"


@pytest.mark.parametrize(
    "location", ["", "/login", *(f"/v3/payouts/{id}" for id in ("a%2F1", "a 1", "..1", "ü1"))]
)
def test_a_payout_without_an_address_of_a_payout_is_unreadable(location):
    velo, _ = scripted(httpx.Response(202, headers={"location": location.encode()}))
    with pytest.raises(UnreadableResponse):
        velo.payouts.submit([pay()])


def test_each_error_and_the_correlation_id_that_velo_sends_are_on_our_error():
    blank = {"errorCode": "1003", "errorMessage": "must not be blank", "location": "payments[0]"}
    said = {"errors": [blank, {"errorCode": 1004, "errorMessage": None}], "correlationId": "c1ef"}
    answer = httpx.Response(400, json=said, headers={"x-request-id": "a-proxys"})
    with pytest.raises(BadRequest) as caught:
        scripted(answer)[0].payouts.submit([pay()])
    error = caught.value
    assert (error.request_id, error.outcome) == ("c1ef", Outcome.REJECTED)
    assert [(one.code, one.field, one.message) for one in error.problems] == [
        ("1003", "payments[0]", "must not be blank"),
        ("1004", "", "Velo gave no message"),
    ]


def walk(*pages, total=None):
    """The states that pages have of one payment, and the numbers of the pages that were asked."""
    answers = []
    for number, states in enumerate([*pages, ""], 1):
        content = [{"paymentId": "a", "status": state} for state in states]
        page = {} if total is None else {"page": {"page": number, **total}}
        answers.append(httpx.Response(200, json={"content": content, "links": [], **page}))
    client, script = scripted(*answers)
    since = datetime(2026, 3, 4, tzinfo=UTC)
    seen = [one.status for one in client.payments.changes("payor", since=since)]
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
def test_a_list_ends_where_velo_says_if_all_items_came(total, asked):
    assert walk("ab", "c", total=total) == ([*"abc"], [*asked])


def test_a_feed_of_changes_yields_an_item_again_when_its_status_has_changed():
    assert walk(["ACCEPTED", "ACCEPTED"], ["CONFIRMED"])[0] == ["ACCEPTED", "CONFIRMED"]


def test_the_summary_of_a_payout_is_no_list_of_its_payments():
    client, _ = scripted(httpx.Response(200, json={"summary": {"totalPayments": 1}}))
    assert client.payouts.history("payout-1").total_payments == 1
    with pytest.raises(UnreadableResponse, match="has no list in `content`"):
        list(client.payouts.audited_payments("payout-1"))
