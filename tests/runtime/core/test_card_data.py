"""What of a request is card data, which must not be stored, and what only looks like it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.runtime.core.card_data import card_problems

PAN = "4111111111111111"
URL = httpx.URL("/v1/payments")
URL_OF_PARTS = "https://bank.test/v1/payments"
CASES = cases_beside(__file__, "card_data")


@pytest.mark.parametrize(("body", "places"), CASES["json"])
def test_card_data_in_json(body: Any, places: list[str]) -> None:
    assert [problem.field for problem in card_problems(URL, {}, json.dumps(body).encode())] == places


@pytest.mark.parametrize(("form", "places"), CASES["forms"])
def test_card_data_in_forms_and_queries(form: list[list[str]], places: list[str]) -> None:
    text = urlencode([*map(tuple, form)])
    assert list(dict.fromkeys(problem.field for problem in card_problems(URL, {}, text.encode()))) == places
    asked = card_problems(httpx.URL(f"/v1/payments?{text}"), {}, b"")
    assert list(dict.fromkeys(problem.field for problem in asked)) == places
    parts = httpx.Request("POST", URL_OF_PARTS, files=[(name, (None, value)) for name, value in form])
    of_parts = card_problems(URL, parts.headers, parts.read())
    assert list(dict.fromkeys(problem.field for problem in of_parts)) == places


@pytest.mark.parametrize(("path", "headers", "places"), CASES["paths"])
def test_card_data_in_paths_and_headers(path: str, headers: dict[str, str], places: list[str]) -> None:
    assert [problem.field for problem in card_problems(httpx.URL(path), headers, b"")] == places
