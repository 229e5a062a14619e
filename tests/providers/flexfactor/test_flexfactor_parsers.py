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

from tests.providers.flexfactor.harness import scripted
from victor_ext import InvalidRequest, VictorError
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import ErrorCode, Order, Refund, split_code, trace_id
from victor_ext.providers.flexfactor.checks import amount_problem
from victor_ext.providers.flexfactor.profile import problems_in, read_problems, wire_path
from victor_ext.providers.flexfactor.records import Capture, Decision, Transmission
from victor_ext.providers.flexfactor.responses import items_of, last_page, operation_of, says, success_of
from victor_ext.providers.flexfactor.transactions import cents, dollars

MANY = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
NAMES = st.sampled_from(
    ["success", "status", "errors", "orderId", "orderSessionKey", "traceId", "statusCode", "item1", "item3", "id",
     "statusName", "items", "hasNextPage", "pageNumber", "result", "title", "responseCode", "expires", "x"]
)  # fmt: skip
WORDS = st.sampled_from(["APPROVED", "approved", " Approved ", "DECLINED", "FAILED", "CHALLENGE", "", "0", "400012"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6))
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)


@MANY
@given(OBJECTS)
def test_only_approved_is_approved(body: dict[str, Any]) -> None:
    decision = Decision(models.Decision.from_dict(body), "key")
    word = body.get("status")
    assert decision.approved == (
        isinstance(word, str) and word.strip().upper() == "APPROVED" and success_of(body) is not False
    )


@pytest.mark.parametrize("status", ["CHALLENGE", "SUBMITTED", "PROCESSING", "CAPTUREREQUIRED", "DECLINED", "", None])
def test_success_is_no_approval(status: str | None) -> None:
    assert not Decision(models.Decision.from_dict({"success": True, "status": status}), "key").approved


@MANY
@given(OBJECTS)
def test_records_read_anything(body: dict[str, Any]) -> None:
    price = Money(1, "USD")
    for record in (
        Decision(models.Decision.from_dict(body), "key"),
        Order(models.Order.from_dict(body)),
        Refund(models.RefundAnswer.from_dict(body), ORDER, price),
        Capture(models.Answer.from_dict(body), ORDER, price, "key"),
        Transmission(models.TransmitAnswer.from_dict(body)),
    ):
        assert repr(record)
        for name in dir(record):
            getattr(record, name)


@MANY
@given(JSON, st.sampled_from([200, 400, 409, 500]), st.sampled_from(["evaluate", "capture", "orders", "orders/x"]))
def test_problems_are_read_from_anything(body: Any, status: int, path: str) -> None:
    request = httpx.Request("POST", f"https://api.example/v1/{path}")
    answer = httpx.Response(status, content=json.dumps(body).encode(), request=request)
    for problem in read_problems(answer):
        assert problem.message
    assert trace_id(answer) is None or trace_id(answer)
    if isinstance(body, dict):
        assert says(operation_of(request), body)
    assert items_of(body) is None or isinstance(items_of(body), list)
    assert last_page(body) in (True, False)


@MANY
@given(JSON, st.sampled_from([200, 202, 400, 409]), st.sampled_from(["evaluate", "refund", "get", "list", "cancel"]))
def test_a_call_ends_in_a_record_or_in_an_error_of_ours(body: Any, status: int, operation: str) -> None:
    from tests.providers.flexfactor.harness import declined

    client, _script = scripted(httpx.Response(status, content=json.dumps(body).encode()))
    calls: dict[str, Any] = {
        "evaluate": lambda: client.evaluate(**declined()),
        "refund": lambda: client.orders.refund(ORDER, Money(1, "USD")),
        "get": lambda: client.orders.get(ORDER),
        "list": lambda: next(iter(client.orders.list()), None),
        "cancel": lambda: client.orders.cancel(ORDER),
    }
    try:
        result = calls[operation]()
    except VictorError as error:
        observed = str(error)
    else:
        observed = repr(result)
        assert status < 400
        assert operation != "refund" or result.succeeded or result.status
    assert observed


BODIES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "ProblemDetails": (
        {"title": "t", "errors": {"Transaction.Amount": ["a", "b"], "$.mid": "c"}},
        [("transaction.amount", "", "a"), ("transaction.amount", "", "b"), ("mid", "", "c")],
    ),
    "texts": ({"errors": ["a", "b"]}, [("", "", "a"), ("", "", "b")]),
    "tuples": ({"errors": [{"item1": "a", "item2": "x", "item3": "2001", "item4": True}]}, [("", "2001", "a")]),
    "tuples in another case": ({"Errors": [{"Item1": "a", "Item3": 7}]}, [("", "7", "a")]),
    "a bare object": (
        {"OrderId": ["is required"], "TraceId": "t", "Payer.Email": ["a", "b"]},
        [("orderId", "", "is required"), ("payer.Email", "", "a"), ("payer.Email", "", "b")],
    ),
    "an empty list": ({"errors": []}, []),
    "odd items": ({"errors": [5, None, {}, "a"]}, [("", "", "the provider gave no message"), ("", "", "a")]),
}


@pytest.mark.parametrize("name", BODIES)
def test_every_shape_of_errors_is_read(name: str) -> None:
    body, expected = BODIES[name]
    problems = [(each.field, each.code, each.message) for each in problems_in(body)]
    assert problems == [(wire_path(field) if "." in field else field, code, text) for field, code, text in expected]


def test_an_answer_without_errors_has_its_sentence() -> None:
    request = httpx.Request("POST", "https://api.example/v1/orders/x/refund")
    body = {"success": False, "responseCode": "2001", "responseMessage": "too much", "errors": []}
    (problem,) = read_problems(httpx.Response(200, json=body, request=request))
    assert (problem.code, problem.message) == ("2001", "too much")


def test_what_names_a_payer_or_a_card_is_masked() -> None:
    (problem,) = problems_in({"errors": ["card 4111111111111111 of ada@example.com"]})
    assert problem.message == "card ************1111 of [e-mail]"


@pytest.mark.parametrize(
    ("code", "split"),
    [
        ("400012", ErrorCode(400, 12)),
        (409001, ErrorCode(409, 1)),
        (" 500999 ", ErrorCode(500, 999)),
        ("2001", None),
        ("40001", None),
        ("4000123", None),
        ("900001", None),
        ("४०००१२", None),
        (True, None),
        (None, None),
        (400012.0, None),
        (-400012, None),
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
@given(st.integers(min_value=1, max_value=10**15 - 1), st.sampled_from(["USD", "EUR"]))
def test_dollars_on_the_wire_are_the_very_amount(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert amount_problem("amount", amount) is None
    assert json.loads(json.dumps(dollars(amount)), parse_float=Decimal) == amount.amount
    assert cents(amount) == minor


@pytest.mark.parametrize(
    "amount", [Money(0, "USD"), Money(-1, "USD"), Money(10**15, "USD"), Money(1, "JPY"), 44.23, "1"]
)
def test_what_is_no_amount_here(amount: Any) -> None:
    client, script = scripted(httpx.Response(200))
    with pytest.raises(InvalidRequest, match="amount"):
        client.orders.refund(ORDER, amount)
    assert not script.requests


def test_cents_and_dollars_of_one_money() -> None:
    price = Money.of("44.20", "USD")
    good = httpx.Response(200, json={"success": True, "status": "SUCCESS"})
    client, script = scripted(good)
    client.capture(ORDER, price)
    client.orders.refund(ORDER, price)
    capture, refund = (json.loads(request.content) for request in script.requests)
    assert (capture["amount"], capture["currency"]) == (4420, "USD")
    assert script.requests[1].content == b'{"amountToRefund":44.2}'
    assert refund == {"amountToRefund": 44.2}
