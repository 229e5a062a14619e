"""What of a request is card data, which must not be stored, and what only looks like it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from victor_ext.runtime.core.card_data import card_problems

PAN = "4111111111111111"
URL = httpx.URL("/v1/payments")


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"card": {"number": PAN}}, ["card"]),
        ({"cardNumber": int(PAN)}, ["cardNumber"]),
        ({"payments": [{"primary_account_number": "4111 1111-1111 1111"}]}, ["payments.primary_account_number"]),
        ({"source": {"type": "credit_card", "number": PAN}}, ["source.number"]),
        ({"source": {"number": PAN, "exp_month": 12}}, ["source.number"]),
        ({"card": {"token": "t_1", "cvv": "123"}}, ["card"]),
        ({"cvc": 1234}, ["cvc"]),
        ({"card": {"security_code": "123"}}, ["card"]),
        ({"source": {"expiry_month": 12, "number": PAN, "verification-value": "123"}},
         ["source.number", "source.verification-value"]),
        ({"invoice": {"number": PAN}, "account": {"number": PAN, "iban": PAN}, "reference": PAN}, []),
        ({"verification_code": "1234", "cid": "123", "securityCode": "123"}, []),
        ({"card": {"token": "tok_4242", "last4": "1111", "bin": "411111"}, "cvvResultCode": "123"}, []),
        ([1, None, "x", {"cvv": True}], []),
    ],
)  # fmt: skip
def test_card_data_in_json(body: Any, places: list[str]) -> None:
    assert [problem.field for problem in card_problems(URL, json.dumps(body).encode())] == places


@pytest.mark.parametrize(
    ("form", "places"),
    [
        ([("card.number", PAN), ("card.cvv", "123"), ("amount", "92.00")], ["card"]),
        ([("card[number]", PAN)], ["card"]),
        ([("card.cvv", "123"), ("card.token", "A" * 32)], ["card"]),
        ([("source[number]", PAN), ("source[exp_year]", "2030")], ["source.number"]),
        ([("card", "x"), ("card.number", PAN)], ["card"]),
        ([("merchantTransactionId", PAN), ("amount", "92.00")], []),
    ],
)
def test_card_data_in_forms_and_queries(form: list[tuple[str, str]], places: list[str]) -> None:
    text = urlencode(form)
    assert list(dict.fromkeys(problem.field for problem in card_problems(URL, text.encode()))) == places
    asked = card_problems(httpx.URL(f"/v1/payments?{text}"), b"")
    assert list(dict.fromkeys(problem.field for problem in asked)) == places
