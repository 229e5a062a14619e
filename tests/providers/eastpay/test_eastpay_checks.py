"""What is refused before anything is sent, all of it at once, how what is right goes on the wire,
and settings.
"""

from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.frames import assert_hidden, found_in
from tests.providers.arguments import NOBODY_HOME, TARGETS
from tests.providers.eastpay.adapter import PRICE, card, scripted
from tests.providers.test_credentials import assert_copied_and_not_pickled
from victor_ext import ConfigurationError, InvalidRequest, NotFound
from victor_ext.providers import Money
from victor_ext.providers.eastpay import Card, CardToken, EastPay
from victor_ext.providers.eastpay.system import from_process_environment

sent = []


def answer(request: httpx.Request) -> httpx.Response:
    assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    sent.append(
        parse_qs(
            request.content.decode("ascii"), strict_parsing=True, encoding="utf-8", errors="strict"
        )
    )
    return httpx.Response(200, json={"id": "8ac7", "result": {"code": "000.000.000"}})


EASTPAY, _SCRIPT = scripted(answer)


def form(**options) -> dict[str, str]:
    """What a debit with these options sends."""
    sent.clear()
    EASTPAY.payments.debit(**{"amount": PRICE, "merchant_transaction_id": "INV-1", **options})
    (fields,) = sent
    assert all(len(values) == 1 for values in fields.values())
    return {name: values[0] for name, values in fields.items()}


def problems_of(**options) -> list[tuple[str, str]]:
    """What is wrong with a debit with these options."""
    with pytest.raises(InvalidRequest) as raised:
        form(**options)
    assert sent == []
    return [(problem.field, problem.code) for problem in raised.value.problems]


def test_a_debit_is_a_form_in_utf_8_with_dotted_names():
    assert form(
        card=card(),
        parameters={"customer.email": "zoë@shop.example", "card": "7"},
        payment_brand="VISA",
    ) == {
        "entityId": "EB000001",
        "entityType": "MERCHANT",
        "paymentType": "DB",
        "amount": "92.00",
        "currency": "EGP",
        "paymentBrand": "VISA",
        "merchantTransactionId": "INV-1",
        "card.holder": "Zoë Çelik",
        "card.number": "4111111111111111",
        "card.expiryMonth": "12",
        "card.expiryYear": "2030",
        "card.cvv": "123",
        "customer.email": "zoë@shop.example",
        "card": "7",
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
def test_an_amount_is_sent_with_the_decimals_of_its_currency(amount, text):
    fields = form(amount=amount, merchant_transaction_id="é" * 255)
    assert fields["merchantTransactionId"] == "é" * 255
    assert (fields["amount"], fields["currency"]) == (text, amount.currency)


@given(st.integers(1, 10**12 - 1))
def test_no_cent_is_lost(cents):
    whole, _, rest = form(amount=Money(cents, "USD"))["amount"].partition(".")
    assert (int(whole) * 100 + int(rest), len(rest)) == (cents, 2)


URL = "https://shop.example/"


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        *(
            (each, each)
            for each in (f"{URL}paid?order=1&next=%2Fhome#top", "http://127.0.0.1:8000/x")
        ),
        (f"{URL}ü?q=é", f"{URL}%C3%BC?q=%C3%A9"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        (URL + "x" * (2048 - len(URL)), URL + "x" * (2048 - len(URL))),
    ],
)
def test_a_url_arrives_whole_in_ascii(url, wire):
    fields = form(notification_url=url, shopper_result_url=url)
    assert (fields["notificationUrl"], fields["shopperResultUrl"]) == (wire, wire)


@pytest.mark.parametrize("url", [URL + "x" * (2049 - len(URL)), URL + "é" * 400])
def test_a_url_has_2048_characters_at_most_as_it_is_sent(url):
    assert problems_of(notification_url=url) == [("notification_url", "length")]


CALLS = (
    *("payments.debit", "payments.preauthorise", "payments.capture", "payments.reverse"),
    *("payments.refund", "checkouts.prepare"),
)
WIRE_NAMES = cases_beside(__file__)["parameters"]
OF_NO_ARGUMENT = {
    "the call",
    "the entity_id of the client",
    "the entity_type of the client",
    "the argument card of debit and preauthorise",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", WIRE_NAMES)
def test_a_parameter_goes_through_unless_the_call_has_it_from_elsewhere(call, name):
    """A name that is refused is refused with an argument that this very call has."""
    target, source = TARGETS[f"eastpay {call}"], WIRE_NAMES[name]
    refusal = ""
    try:
        target({"parameters": {name: "12.34"}})
    except NotFound:
        body = NOBODY_HOME.requests[-1].content.decode("ascii")
        assert parse_qs(body)[name] == ["12.34"]
    except InvalidRequest as error:
        refusal = str(error)
    if refusal:
        assert refusal == f"parameters: {name} comes from {source}: leave it out here."
        assert source in OF_NO_ARGUMENT or source.removeprefix("the argument ") in target.types


def test_steps_send_what_they_are_given():
    sent.clear()
    EASTPAY.payments.refund(
        "8ac7", PRICE, merchant_transaction_id="B", original_transaction_id="INV-1"
    )
    EASTPAY.payments.reverse("8ac7", merchant_transaction_id="C")
    refund, reversal = ({name: values[0] for name, values in each.items()} for each in sent)
    who = {"entityId": "EB000001", "entityType": "MERCHANT"}
    assert refund == {
        **who,
        "paymentType": "RF",
        "amount": "92.00",
        "currency": "EGP",
        "merchantTransactionId": "B",
        "originalTransactionId": "INV-1",
    }
    assert reversal == {**who, "paymentType": "RV", "merchantTransactionId": "C"}


SPELLED = ["Amount", "AMOUNT", "payment_type", "PaymentType", "amount[]", "merchant_transaction_id"]
CARDS = ["card.number", "Card.Number", "card[number]", "CARD.new"]


@pytest.mark.parametrize("name", [*SPELLED, *CARDS])
def test_no_parameter_in_another_spelling_is_what_the_call_sends_itself(name):
    """Neither the amount nor the card: with a second one, which is charged nobody knows."""
    assert problems_of(card=card(), parameters={name: "5555555555554444"}) == [
        ("parameters", "taken")
    ]
    kind, words = (
        (ConfigurationError, "comes from the argument card")
        if name in CARDS
        else (InvalidRequest, "is set")
    )
    with pytest.raises(kind, match=words) as raised:
        EASTPAY.with_options(extra_body={name: "5555555555554444"}).payments.debit(
            PRICE,
            merchant_transaction_id="INV-1",
            card=CardToken("t" * 32) if name in CARDS else card(),
        )
    assert "5555" not in f"{raised.value!r}"


def test_an_object_has_no_place_in_a_form():
    extra = EASTPAY.with_options(extra_body={"customer": {"email": "a@example.com"}})
    with pytest.raises(InvalidRequest, match=r"extra_body: customer: .* how an object is written"):
        extra.payments.debit(PRICE, merchant_transaction_id="INV-1")


NUMBER, CVV, TOKEN = "4929123456781234", "7391", "stored-card-5d1e77aa"


def made(**changes) -> Card:
    given = {
        "number": NUMBER,
        "expiry_month": 7,
        "expiry_year": 2031,
        "cvv": CVV,
        "holder": "Zoë",
    }
    return Card(**{**given, **changes})


def test_a_card_shows_its_last_four_digits():
    kept = made(number="4929 1234-5678 1234")
    assert (repr(kept), str(kept), kept.last_four) == ("Card('************1234', 07/2031)",) * 2 + (
        "1234",
    )
    shown = f"{kept} {[kept]} {vars(type(kept))} {CardToken(TOKEN)!r} {kept.fields()}"
    assert found_in(shown, (NUMBER, NUMBER[:8], CVV, TOKEN)) == []
    assert kept.fields()["card.number"] == NUMBER
    assert kept.fields()["card.cvv"] == CVV


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
def test_what_is_no_card_is_refused_by_field_and_shows_no_digit(field, argument, values):
    for value in values:
        with pytest.raises(InvalidRequest) as raised:
            made(**{argument: value})
        assert [problem.field for problem in raised.value.problems] == [field]
        assert_hidden(raised.value, (NUMBER, NUMBER[:8], CVV))


@pytest.mark.parametrize("token", ["", "x" * 65, "a\n", None, 7])
def test_a_token_of_a_card_is_printable_text_of_1_to_64_characters(token):
    with pytest.raises(
        InvalidRequest,
        match=r"card\.token (is missing: it )?must be (text of 1 to 64 characters|printable)",
    ):
        CardToken(token)


ACCESS = "token-of-the-merchant-0c1f7e55aa31"
GATEWAY = "https://pay.bank.example/gateway"
GOOD = {"token": ACCESS, "base_url": GATEWAY, "entity_id": "EB000001"}


@pytest.mark.parametrize("length", [32, 33, 2048])
def test_a_token_is_right_under_both_readings_of_its_format(length):
    """ "Authorization | Conditional | AN2048 [\\s\\S]32": 32 characters, or, as in
    `[\\s\\S]{6,2048}`, 32 to 2048.
    """
    assert EastPay(**{**GOOD, "token": "x" * length}).caller
    with pytest.raises(ConfigurationError, match="token must have 32 to 2048 characters"):
        EastPay(**{**GOOD, "token": "x" * 2049})


def test_the_longer_entity_of_a_sample_is_taken():
    longer = {"entity_id": "8a8294174b7ecb28014b9699220015ca", "entity_type": "POS"}
    assert EastPay(**{**GOOD, **longer}).caller


@pytest.mark.parametrize(
    ("said", "allowed"), [("true", True), ("False", False), (" TRUE ", True), ("", False)]
)
def test_true_in_any_case_allows_the_inquiry_by_reference(said, allowed):
    options = from_process_environment(dict(GOOD), {"EASTPAY_INQUIRY_BY_REFERENCE": said})
    assert EastPay(**options).payments.entity.found_by_reference is allowed


def test_another_word_for_the_inquiry_is_refused_and_not_shown():
    values = {"EASTPAY_INQUIRY_BY_REFERENCE": ACCESS}
    with pytest.raises(ConfigurationError, match="must be true or false") as raised:
        from_process_environment(dict(GOOD), values)
    assert ACCESS not in str(raised.value)
    assert (
        from_process_environment({**GOOD, "inquiry_by_reference": True}, values)[
            "inquiry_by_reference"
        ]
        is True
    )
