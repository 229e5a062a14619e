"""Card data is found where its name says so, and a call with it is not stored."""

import json

import httpx
import pytest

from victor_ext._runtime.core.card_data import card_problems

URL = httpx.URL("/v1/payments")
CARD, CODE = "4111111111111111", "123"


def places(body, url=URL):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [(problem.field, problem.code) for problem in card_problems(str(url), content)]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"card": {"number": CARD}}, "card.number"),
        ({"payment": [{"cardNumber": "4111 1111 1111 1111"}]}, "payment.cardNumber"),
        ({"payment_method": {"pan": int(CARD)}}, "payment_method.pan"),
        ({"card": {"note": f"it is {CARD}"}}, "card.note"),
        ({"card": {"cvv": CODE}}, "card.cvv"),
        ({"security_code": CODE}, "security_code"),
        (f"card.number={CARD}&amount=1".encode(), "card.number"),
        (f"card.cvv={CODE}".encode(), "card.cvv"),
    ],
)
def test_card_data_is_found_by_its_name_in_json_and_forms(body, place):
    assert places(body) == [(place, "card")]


def test_card_data_is_found_in_a_query():
    assert places({}, URL.copy_with(params={"pan": CARD})) == [("pan", "card")]


@pytest.mark.parametrize(
    "body",
    [{"account_number": CARD}, {"card": {"number": "4111111111111112"}}, {"code": CODE}, b"a,b\n"],
)
def test_a_number_that_no_name_calls_a_card_is_none(body):
    assert places(body) == []
