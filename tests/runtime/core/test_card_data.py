"""What of a request is card data, which is not stored; most requests need not be looked into."""

import json
from urllib.parse import urlencode

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext._runtime.core.card_data import card_problems

URL = "https://bank.test/v1/payments"
CASES = cases_beside(__file__, "card_data")


def places_of(content, path="/v1/payments", headers=()):
    problems = card_problems(httpx.URL(path), dict(headers), content)
    return list(dict.fromkeys(problem.field for problem in problems))


@pytest.mark.parametrize(("body", "places"), CASES["json"])
def test_card_data_are_found_in_json_however_it_is_written(body, places):
    text = json.dumps(body)
    escaped = text.replace('"4111', '"\\u0034111').replace("c", "\\u0063")
    for content in (text.encode(), escaped.encode(), text.encode("utf-16")):
        assert places_of(content) == places


@pytest.mark.parametrize(
    "name",
    [
        *("cvv", "CVC2", "c-v-n", "cid", "csc", "code"),
        *("securityCode", "cardSecurityValue", "verificationValue"),
    ],
)
def test_a_code_of_a_card_is_found_under_each_of_its_names(name):
    assert places_of(json.dumps({"card": {name: "123"}}).encode()) == ["card"]


@pytest.mark.parametrize(
    ("address", "content"),
    [
        ("/v1?c%76v=123", b""),
        ("/v1", '{"card": "4\uff1111111111111111"}'.encode()),
        ("/v1", b'card=4111"1111"1111"1111'),
    ],
    ids=[
        "quoted",
        "digits of another width",
        "a form with quotation marks",
    ],
)
def test_card_data_that_is_spelled_oddly_is_found(address, content):
    assert places_of(content, address) != []


@pytest.mark.parametrize(("form", "places"), CASES["forms"])
def test_card_data_are_found_in_forms_and_queries(form, places):
    text = urlencode([*map(tuple, form)])
    assert places_of(text.encode()) == places
    assert places_of(b"", f"/v1/payments?{text}") == places
    in_parts = httpx.Request("POST", URL, files=[(name, (None, value)) for name, value in form])
    assert places_of(in_parts.read(), headers=in_parts.headers) == places


@pytest.mark.parametrize(("levels", "is_stored"), [(99, True), (100, False), (9_999, False)])
def test_json_that_is_nested_too_deeply_to_be_looked_into_is_not_stored(levels, is_stored):
    content = b'{"a": ' + b"[" * levels + b"]" * levels + b"}"
    problems = card_problems(httpx.URL("/v1/orders"), {}, content)
    assert not problems if is_stored else "nested too deeply" in problems[0].message


DEEP = "[" * 101 + "]" * 101


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"blob": f'{{"cardNumber":"4111111111111111","x":{DEEP}}}'}, "nested too deeply"),
        ({"a": json.loads("[" * 90 + '{"cardNumber": "4111111111111111"}' + "]" * 90)}, "a card"),
        ({"cardNumber": "4111\x001111\x001111\x001111"}, "a card"),
        ({"cardNumber": "4111\ud8001111\ud8001111\ud8001111"}, "a card"),
    ],
)
def test_a_card_number_at_any_depth_or_with_odd_characters_between_its_digits_is_a_problem(
    body, message
):
    content = json.dumps(body).encode()
    (problem,) = card_problems(httpx.URL("/v1/orders"), {}, content)
    assert message in problem.message
