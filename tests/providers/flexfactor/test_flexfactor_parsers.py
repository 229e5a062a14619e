"""Whatever JSON an answer holds, it is read or named, and nothing of ours stumbles over it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from flexfactor_api import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.providers.flexfactor.adapter import ORDER, scripted
from tests.providers.flexfactor.test_flexfactor_answers import CALLS
from victor_ext import InvalidRequest, VictorError
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import ErrorCode, split_code, trace_id
from victor_ext.providers.flexfactor.records import Decision

MANY = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from(
    ["success", "status", "errors", "orderId", "orderSessionKey", "traceId", "statusCode", "item1", "item3", "id",
     "statusName", "items", "hasNextPage", "pageNumber", "result", "title", "responseCode", "expires", "x"]
)  # fmt: skip
WORDS = st.sampled_from(["APPROVED", "approved", " Approved ", "DECLINED", "FAILED", "CHALLENGE", "", "0", "400012"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6))
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)


@MANY
@given(OBJECTS, WORDS | st.none(), st.booleans() | st.none())
def test_only_approved_is_approved(body: dict[str, Any], word: str | None, success: bool | None) -> None:
    body = {**body, "status": word, "success": success}
    decision = Decision(models.Decision.from_dict(body), idempotency_key="key")
    assert decision.approved == ((word or "").strip().upper() == "APPROVED" and success is not False)


NOT_READ = [b"[" * 100_000, b'{"traceId":' * 100_000, b"\xff", b"null", b"7" * 5000]


@MANY
@given(
    JSON.map(lambda body: json.dumps(body).encode()) | st.sampled_from(NOT_READ) | st.binary(max_size=9),
    st.sampled_from([200, 202, 400, 409, 500]),
    st.sampled_from([*CALLS]),
)
def test_a_call_ends_in_a_record_or_in_an_error_of_ours(body: bytes, status: int, operation: str) -> None:
    client, _script = scripted(httpx.Response(status, content=body))
    try:
        result = CALLS[operation](client)
    except VictorError as error:
        observed = f"{error} {trace_id(error)}"
    else:
        observed = repr([(name, getattr(result, name)) for name in dir(result)])
        assert status < 400
        assert operation != "refund" or result.succeeded or result.status
    assert observed


ERRORS = cases_beside(__file__)["errors"]


@pytest.mark.parametrize(("body", "problems"), ERRORS.values(), ids=ERRORS)
def test_every_shape_of_errors_is_read(body: dict[str, Any], problems: list[list[str]]) -> None:
    assert [[each.field, each.code, each.message] for each in problems_of(400, body)] == problems


def problems_of(status: int, body: Any) -> tuple[Any, ...]:
    client, _script = scripted(httpx.Response(status, json=body))
    with pytest.raises(VictorError) as raised:
        client.orders.refund(ORDER, Money(1, "USD"))
    return tuple(raised.value.problems)


def test_an_answer_without_errors_has_its_sentence_and_what_names_a_payer_or_a_card_is_masked() -> None:
    (problem,) = problems_of(
        200, {"success": False, "responseCode": "2001", "responseMessage": "too much", "errors": []}
    )
    assert (problem.code, problem.message) == ("2001", "too much")
    (problem,) = problems_of(400, {"errors": ["card 4111111111111111 of ada@example.com"]})
    assert problem.message == "card ************1111 of [e-mail]"


@pytest.mark.parametrize(
    ("code", "split"),
    [
        ("400012", ErrorCode(400, 12)),
        (409001, ErrorCode(409, 1)),
        *((code, None) for code in ("40001", "4000123", "900001", "४०००१२")),
        pytest.param(10**5000, None, id="huge"),
    ],
)
def test_six_digit_codes_are_split(code: Any, split: ErrorCode | None) -> None:
    assert split_code(code) == split


@MANY
@given(st.integers() | st.text() | st.floats() | st.none())
def test_splitting_a_code_never_raises(code: Any) -> None:
    result = split_code(code)
    assert result is None or result.http_status * 1000 + result.error == int(code)


@MANY
@given(st.integers(min_value=1, max_value=10**15 - 1))
def test_what_is_on_the_wire_is_the_very_amount(minor: int) -> None:
    client, script = scripted(httpx.Response(200, json={"success": True, "status": "SUCCESS"}))
    client.capture(ORDER, Money(minor, "USD"))
    client.orders.refund(ORDER, Money(minor, "USD"))
    capture, refund = (json.loads(request.content, parse_float=Decimal) for request in script.requests)
    assert (capture["amount"], refund["amountToRefund"]) == (minor, Money(minor, "USD").amount)


@pytest.mark.parametrize(
    "amount", [Money(0, "USD"), Money(-1, "USD"), Money(10**15, "USD"), Money(1, "JPY"), 44.23, "1"]
)
def test_what_is_no_amount_here(amount: Any) -> None:
    client, script = scripted(httpx.Response(200))
    with pytest.raises(InvalidRequest, match="amount"):
        client.orders.refund(ORDER, amount)
    assert not script.requests
