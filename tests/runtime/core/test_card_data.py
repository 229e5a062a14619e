"""Most requests are not looked into for card data. None of those has any."""

import json
import textwrap
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from victor_ext.runtime.core import card_data
from victor_ext.runtime.core.card_data import card_problems, may_have_card_data

_CODES = st.tuples(
    st.sampled_from(
        [
            *("cvv", "CVC2", "c-v-n", "cvd_value", "card_cvn", "\uff43vv", "cid", "csc", "code"),
            *("card_code", "securityCode", "verification_value", "verificationCode"),
            *("cardSecurityValue", "card-verification", "amount"),
        ]
    ),
    st.sampled_from(["123", "1234", 737, ["123"], "12"]),
)
_NUMBERS = st.tuples(
    st.sampled_from(["card", "cardNumber", "pan", "CC_NO", "track2", "number", "account"]),
    st.builds(
        lambda digits, sign, size: sign.join(textwrap.wrap(digits, size)),
        st.sampled_from(
            [
                *("4111111111111111", "378282246310005", "4222222222222"),
                *("4\uff111111111111111", "43987673645"),
            ]
        ),
        st.sampled_from(["", " ", "-", "_", '"', ".", "\u200b", "]", "/", " - "]),
        st.sampled_from([3, 4, 7]),
    )
    | st.sampled_from(
        [4111111111111111, "b55bbf1e-fa09-5ad1-b6d3-d50f50cfb864", "[4222222222222]"]
    ),
)
_MEMBER = _CODES | _NUMBERS
_BODIES = st.builds(
    lambda member, wrap, others: wrap({**others, member[0]: member[1]}),
    _MEMBER,
    st.sampled_from(
        [
            lambda body: body,
            lambda body: {"card": body},
            lambda body: {"source": {**body, "expiryMonth": 12}},
            lambda body: {"data": json.dumps(body)},
            lambda body: [{"4222222222222": 1, "source": body}],
            lambda body: {"source": {**body, "type": "visa"}},
        ]
    ),
    st.just({}) | st.dictionaries(st.sampled_from(["amount", "id"]), st.just("44.23"), max_size=1),
)


def _written(body: Any, how: str) -> bytes:
    """A body as JSON in one of several forms, or as a form."""
    text = json.dumps(body, ensure_ascii=how != "in unicode")
    if how == "escaped":
        return text.replace("c", "\\u0063").replace("4222", "\\u0034222").encode()
    if how == "a form" and isinstance(body, dict):
        return "&".join(f"{name}={value}" for name, value in body.items()).encode()
    if how == "a quoted form" and isinstance(body, dict):
        return urlencode(body).encode()
    return text.encode("utf-16-le" if how == "utf-16" else "utf-8")


_CONTENTS = st.just(b"") | st.builds(
    _written,
    _BODIES,
    st.sampled_from(
        ["ascii", "in unicode", "escaped", "utf-16", "a form", "a quoted form"],
    ),
)
_ADDRESSES = st.just("/v1/payments") | st.builds(
    lambda member, is_in_path, is_quoted: (
        (f"/v1/{member[0]}/" if is_in_path else f"/v1?{member[0]}=")
        + (quote(str(member[1]), safe="") if is_quoted else str(member[1]))
    ),
    _MEMBER,
    st.booleans(),
    st.booleans(),
)
_HEADERS = st.just({}) | st.builds(
    lambda member: {f"x-{member[0]}": str(member[1])},
    _MEMBER,
)


@pytest.mark.slow
@settings(max_examples=1_000)
@example(address="/v1?c%76v=123", headers={}, content=b"")
@example(address="/v1", headers={}, content=b'card=4111"1111"1111"1111')
@given(address=_ADDRESSES, headers=_HEADERS, content=_CONTENTS)
def test_what_is_not_looked_into_has_no_card_data(
    address: str, headers: dict[str, str], content: bytes
) -> None:
    try:
        request = httpx.URL(address), headers, content
    except httpx.InvalidURL:
        return
    if not may_have_card_data(*request):
        with patch.object(card_data, "may_have_card_data", return_value=True):
            assert card_problems(*request) == []


def test_a_request_for_payment_is_not_looked_into() -> None:
    """That would take longer than all else that is done with a row of a file."""
    headers = {"idempotency-key": "b55bbf1e-fa09-5ad1-b6d3-d50f50cfb864"}
    body = {
        "payee": {"account_number": "043987673645"},
        "payer": {"victor_counterparty_id": "5ad1bf1e-fa09-b6d3-5ad1-d50f50cfb864"},
        "payment_details": {"amount": "44.23", "due_date": "2026-11-28"},
        "client_reference_id": "INV-1042",
    }
    assert not may_have_card_data(httpx.URL("/v1/payments"), headers, json.dumps(body).encode())


@pytest.mark.parametrize(("levels", "is_stored"), [(99, True), (100, False), (9_999, False)])
def test_json_that_is_nested_too_deeply_to_be_looked_into_is_not_stored(
    levels: int, is_stored: bool
) -> None:
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
def test_a_number_is_found_however_deep_it_is_and_whatever_stands_between_its_digits(
    body: object, message: str
) -> None:
    content = json.dumps(body).encode()
    (problem,) = card_problems(httpx.URL("/v1/orders"), {}, content)
    assert message in problem.message
