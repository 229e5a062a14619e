"""Numbers of accounts and cards in other people's texts: a number is its digits, whatever stands
between them. Times, amounts, ids and numbers of lines are shown.
"""

import httpx
import pytest

from tests.providers.running import ONCE, is_for_token
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import VictorError
from victor_ext._privacy import one_line, redact_excerpt

NUMBERS = {
    "a card": "4111111111111111",
    "a card of 15 digits": "378282246310005",
    "an account": "043987673645",
    "a routing number": "021000021",
    "a German IBAN": "DE89370400440532013000",
    "a British IBAN": "GB29NWBK60161331926819",
    "a French IBAN": "FR1420041010050500013M02606",
}
MARKS = (" ", "  ", "\xa0", "&nbsp;", "%20", "-", "\u2011", ".", "/")
OTHER_DIGITS = [
    str.maketrans("0123456789", digits)
    for digits in (
        "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
        "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
    )
]


def notations(number):
    groups = [number[place : place + 4] for place in range(0, len(number), 4)]
    yield number
    yield from (mark.join(groups) for mark in MARKS)
    yield from (" ".join(groups).translate(digits) for digits in OTHER_DIGITS)


def digits_in(text):
    return sum(map(str.isdecimal, text))


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_of_a_number_only_the_last_four_characters_are_shown_whatever_is_between_its_digits(number):
    for text in notations(number):
        for words in ("{}", "Account {} is closed.", '"{}"', "No. {}, for Mrs Doe"):
            assert digits_in(redact_excerpt(words.format(text))) <= 4, repr(text)


@pytest.mark.parametrize(
    "text",
    [
        # times
        "2026-03-04", "2026/03/04", "04.03.2026", "03/04/2026 09:00", "2026-03-04 12:00:00",
        "2026-03-04T12:00:00Z", "2026-03-04T12:00:00.123456Z", "2026-03-04T12:00:00+02:00",
        "Wed, 04 Mar 2026 09:00:00 GMT", "20260304T120000Z", "12:00:00.123456",
        "from 2026-03-04 2026-03-05",
        # amounts
        "44.23", "12345.67", "12345,67", "123456789.12", "1,234,567.89", "1.234.567,89",
        "1 234 567.89", "1'234'567.89", "EUR 1\u202f234\u202f567,89", "10.00 20.00 30.00",
        # ids, codes and addresses
        "d9428888-122b-11e1-b85c-61cd3cbb3210", "12345678-1234-4123-8123-123456789012",
        "pay_1042", "INV-1042-2026-0007", "evt_1NG8Du2",
        "800.100.153", "192.168.100.200", "2.35.58",
        # lines
        "line 12345", "lines 1, 2, 3", "row 100000", "item 99999", "page 1 of 10000",
        "1 2 3 4 5 6 7 8 9 10", "2024-2025", "HTTP 503 after 3 tries",
    ],
)  # fmt: skip
def test_a_time_an_amount_an_id_and_the_number_of_a_line_are_shown(text):
    flat = " ".join(text.split())
    assert redact_excerpt(f"It says {text}") == f"It says {flat}"
    assert one_line(text) == flat


def test_an_id_is_shown_and_a_number_in_its_place_is_not():
    for id in (
        *("8ac7a4a1" * 4, "1793091945090", "2026-0007-1042"),
        *("20260301-00123457", "CD613E30-D8F1-4ADF-91B7-584A2265B1F5", "RF18539007547034"),
    ):
        assert one_line(id) == id
    for number in ("4111 1111 1111 1111", "4111-1111-1111-1111", "0439 8767 3645"):
        assert one_line(number) == "*" * (len(number) - 4) + number[-4:]


GROUPED = "4111 1111 1111 1111"
SAID = f"Card {GROUPED} is closed"
REFUSALS = {
    "victor": {"error": {"code": 7, "message": SAID, "field": f"payee.{GROUPED}"}, "status": 400},
    "velo": {"errors": [{"errorMessage": SAID, "location": GROUPED, "errorCode": GROUPED}]},
    "eastpay": {
        "id": "8ac7a4a1",
        "descriptor": GROUPED,
        "result": {
            "code": "100.100.101",
            "description": SAID,
            "parameterErrors": [{"name": GROUPED, "value": GROUPED, "message": SAID}],
        },
    },
    "flexfactor": {"message": SAID, "errors": {GROUPED: [SAID]}, "status": GROUPED},
}
READS = {
    "victor": lambda client: client.payment_requests.get("x1"),
    "velo": lambda client: client.payees.get("p-1"),
    "eastpay": lambda client: client.payments.inquire("8ac7a4a1"),
    "flexfactor": lambda client: client.orders.get("o-1"),
}
TOKEN = {"access_token": "a" * 30, "accessToken": "a" * 30, "token_type": "Bearer"}
HEADERS = dict.fromkeys(("x-request-id", "x-correlation-id"), GROUPED)


def texts_of(result):
    """What people see of a result, or of an error."""
    names = ("problems", "request_id", "hint", "response", "result", "response_info", "message")
    shown = (getattr(result, name, None) for name in names)
    return [str(result), *map(repr, [result, *shown])]


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500])
@pytest.mark.parametrize("system", REFUSALS)
def test_no_message_record_or_id_of_any_system_shows_a_number_in_groups(system, status):
    place = {"location": f"/v3/{GROUPED.replace(' ', '%20')}/x"}
    answer = httpx.Response(status, json=REFUSALS[system], headers={**HEADERS, **place})

    def provider(request):
        issued = TOKEN | {"expires": 4e12, "expires_in": 3600}
        return httpx.Response(200, json=issued) if is_for_token(request) else answer

    transport = httpx.MockTransport(provider)
    client = CLIENTS[system][False](**ARGUMENTS[system], transport=transport, retry=ONCE)
    try:
        result = READS[system](client)
    except VictorError as error:
        result = error
    for text in texts_of(result):
        assert "4111" not in text
        assert "1111 1111" not in text
