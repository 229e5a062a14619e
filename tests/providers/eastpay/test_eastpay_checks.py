"""How a call of EastPay's goes on the wire, what is refused before that, and settings."""

from urllib.parse import parse_qs

import httpx
import pytest

from tests.frames import assert_hidden, found_in
from tests.providers.eastpay.adapter import ARGUMENTS, PRICE, card, scripted
from tests.providers.test_credentials import assert_copied_and_not_pickled
from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.providers import Money
from victor_ext.providers.eastpay import Card, CardToken, EastPay


def sent(call):
    """The form that a call sends, each member once."""
    client, script = scripted(
        httpx.Response(200, json={"id": "8ac7", "result": {"code": "000.000.000"}})
    )
    call(client)
    [request] = script.requests
    form = "application/x-www-form-urlencoded; charset=UTF-8"
    assert request.headers["content-type"] == form
    fields = parse_qs(request.content.decode("ascii"), strict_parsing=True, errors="strict")
    return {name: value for name, [value] in fields.items()}


def debit(**options):
    """A debit with these options."""
    given = {"amount": PRICE, "merchant_transaction_id": "INV-1", **options}
    return lambda client: client.payments.debit(**given)


def test_a_debit_is_a_form_in_utf_8_with_dotted_names():
    more = {"customer.email": "zoë@shop.example", "merchant.id": "7"}
    form = sent(debit(card=card(), parameters=more, payment_brand="VISA"))
    assert form == {
        "entityId": "EB000001",
        "entityType": "MERCHANT",
        "amount": "92.00",
        "currency": "EGP",
        "paymentType": "DB",
        "paymentBrand": "VISA",
        "merchantTransactionId": "INV-1",
        "card.holder": "Zoë Çelik",
        "card.number": "4111111111111111",
        "card.expiryMonth": "12",
        "card.expiryYear": "2030",
        "card.cvv": "123",
        **more,
    }


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(9200, "EGP"), "92.00"),
        (Money(5, "EUR"), "0.05"),
        (Money(500, "JPY"), "500.00"),
        (Money(999_999_999_999, "USD"), "9999999999.99"),
        (Money(9_999_999_999, "JPY"), "9999999999.00"),
    ],
)
def test_an_amount_is_sent_with_two_decimals_and_no_cent_is_lost(amount, text):
    form = sent(debit(amount=amount))
    assert (form["amount"], form["currency"]) == (text, amount.currency)


def problems_of(call):
    """What is wrong with a call, of which nothing is sent."""
    client, script = scripted()
    with pytest.raises(InvalidRequest) as raised:
        call(client)
    assert script.requests == []
    return [(problem.field, problem.code) for problem in raised.value.problems]


SPELLED = ["amount", "AMOUNT", "payment_type", "PaymentType", "amount[]", "merchant_transaction_id"]
CARDS = ["card.number", "Card.Number", "card[number]", "CARD.new"]
OTHER = "5555555555554444"


@pytest.mark.parametrize("name", [*SPELLED, *CARDS])
def test_a_parameter_that_the_call_sends_itself_is_refused_in_any_spelling(name):
    """Neither the amount nor the card: with a second one, which is charged nobody knows."""
    named = problems_of(debit(card=card(), parameters={name: OTHER}))
    assert named == [("parameters", "taken")]


NUMBER, CVV, TOKEN = "4929123456781234", "7391", "stored-card-5d1e77aa"


def made(**changes):
    given = {"number": NUMBER, "expiry_month": 7, "expiry_year": 2031, "cvv": CVV, "holder": "Zoë"}
    return Card(**given | changes)


def test_a_card_shows_of_its_number_the_last_four_digits_alone_and_not_its_code():
    kept = made(number="4929 1234-5678 1234")
    assert (repr(kept), kept.last_four) == ("Card('************1234', 07/2031)", "1234")
    shown = f"{kept} {[kept]} {vars(type(kept))} {CardToken(TOKEN)!r} {kept.fields()}"
    assert found_in(shown, (NUMBER, NUMBER[:8], CVV, TOKEN)) == []
    assert (kept.fields()["card.number"], kept.fields()["card.cvv"]) == (NUMBER, CVV)


@pytest.mark.parametrize("kept", [made(), CardToken(TOKEN)], ids=["card", "token"])
def test_a_card_is_copied_and_not_pickled(kept):
    assert_copied_and_not_pickled(kept)


@pytest.mark.parametrize(
    ("field", "argument", "values"),
    [
        ("card.number", "number", ("4929", NUMBER + "x", "4" * 20, int(NUMBER), None)),
        ("card.cvv", "cvv", ("73", "73912", "73x", 7391)),
        ("card.expiryMonth", "expiry_month", (13, "0", True)),
        ("card.expiryYear", "expiry_year", (31, "2131")),
        ("card.holder", "holder", ("", "x" * 129, "a\nb")),
    ],
)
def test_a_wrong_value_of_a_card_is_refused_by_its_field_without_the_number_and_code(
    field, argument, values
):
    for value in values:
        with pytest.raises(InvalidRequest) as raised:
            made(**{argument: value})
        assert [problem.field for problem in raised.value.problems] == [field]
        assert_hidden(raised.value, (NUMBER, NUMBER[:8], CVV))


def test_a_token_has_2048_characters_at_most():
    with pytest.raises(ConfigurationError, match="token must have 32 to 2048 characters"):
        EastPay(**ARGUMENTS | {"token": "x" * 2049})
