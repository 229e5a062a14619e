"""What cannot be right is refused here, all at once, and nothing is sent.

Whatever Velo sends is read, or named.
"""

from dataclasses import replace

import httpx
import pytest

from tests.providers.velo.adapter import firm, pay, scripted
from victor_ext import InvalidRequest, UnreadableResponse
from victor_ext.providers.velo import Individual, PaymentChannel


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


def problems_of_a_firm(**changes):
    """What is wrong with a payee."""
    payee = replace(firm("a"), **changes)
    return refused(lambda velo: velo.payees.create("p", [payee]))


def test_a_payee_is_either_a_person_or_a_company():
    person = Individual(first_name="Ada", last_name="Lovelace", date_of_birth="1970-05-20")
    for both_or_none in ({"individual": person}, {"company": None}):
        assert problems_of_a_firm(**both_or_none) == {"payees[0]": "choice"}


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


@pytest.mark.parametrize(
    "location", ["", "/login", *(f"/v3/payouts/{id}" for id in ("a%2F1", "a 1", "..1", "ü1"))]
)
def test_a_payout_without_an_address_of_a_payout_is_unreadable(location):
    velo, _ = scripted(httpx.Response(202, headers={"location": location.encode()}))
    with pytest.raises(UnreadableResponse):
        velo.payouts.submit([pay()])
