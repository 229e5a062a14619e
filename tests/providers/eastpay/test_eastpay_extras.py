"""No further parameter is what a call sends itself in another spelling: neither the amount nor the card."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.money import Money
from victor_ext.providers.eastpay import Card, CardToken, EastPay

CARD = Card("4111111111111111", expiry_month=12, expiry_year=2030, holder="A B", cvv="123")
SPELLED = ["Amount", "AMOUNT", "payment_type", "PaymentType", "amount[]", "merchant_transaction_id"]
CARDS = ["card.number", "Card.Number", "card[number]", "CARD.new"]


def _never(request: httpx.Request) -> httpx.Response:
    pytest.fail(f"{request.method} {request.url} was sent")


@pytest.fixture
def eastpay() -> EastPay:
    transport = httpx.MockTransport(_never)
    return EastPay("t" * 40, base_url="https://bank.example/eastpay", entity_id="EB000001", transport=transport)


def pay(client: EastPay, **arguments: Any) -> None:
    client.payments.debit(Money.of("92", "EGP"), merchant_transaction_id="INV-1", **arguments)


@pytest.mark.parametrize("name", [*SPELLED, *CARDS])
def test_parameters_in_another_spelling(eastpay: EastPay, name: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        pay(eastpay, card=CARD, parameters={name: "5555555555554444"})
    assert [problem.code for problem in raised.value.problems] == ["taken"]
    assert "5555" not in f"{raised.value!r}"


@pytest.mark.parametrize("name", SPELLED)
def test_extra_members_in_another_spelling(eastpay: EastPay, name: str) -> None:
    with pytest.raises(InvalidRequest, match="is set already by this method"):
        pay(eastpay.with_options(extra_body={name: "1.00"}), card=CARD)


@pytest.mark.parametrize("name", CARDS)
def test_no_extra_member_names_another_card(eastpay: EastPay, name: str) -> None:
    """With a token it would be a second card, and which one is charged nobody knows."""
    with pytest.raises(ConfigurationError, match="a card comes from the argument card"):
        pay(eastpay.with_options(extra_body={name: "5555555555554444"}), card=CardToken("t" * 32))


def test_an_object_has_no_place_in_a_form(eastpay: EastPay) -> None:
    with pytest.raises(InvalidRequest, match=r"extra_body: customer: .* how an object is written"):
        pay(eastpay.with_options(extra_body={"customer": {"email": "a@example.com"}}), card=CARD)
