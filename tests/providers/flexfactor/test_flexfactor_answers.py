"""What an answer means: in any spelling, about which order, and whether it is done, is not done, or
goes on.

Whatever JSON it holds, it is read or named, and nothing of ours stumbles over it.
"""

import json
import os
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.providers.flexfactor.adapter import ORDER, PRICE, declined, scripted
from victor_ext import (
    BadRequest,
    Outcome,
    UnreadableResponse,
    VictorError,
)
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import ErrorCode, OrderStatus, split_code, trace_id
from victor_ext.providers.flexfactor.records import Decision

OTHER = "99999999-3d1f-4f0a-9a43-0f9d2f1c8e77"
CALLS = {
    "get": lambda client: client.orders.get(ORDER),
    "refund": lambda client: client.orders.refund(ORDER, PRICE),
    "capture": lambda client: client.capture(ORDER, PRICE),
    "cancel": lambda client: client.orders.cancel(ORDER),
    "external_cancel": lambda client: client.orders.external_cancel("INV-1"),
    "transmit": lambda client: client.transmit(**declined()),
    "evaluate": lambda client: client.evaluate(**declined(), sense_key="s"),
    "list": lambda client: list(client.orders.list()),
}


def answered(operation: str, body):
    return CALLS[operation](scripted(httpx.Response(200, json=body))[0])


# Spelling


SPELLINGS = [
    str,
    lambda name: name[0].upper() + name[1:],
    str.lower,
    str.upper,
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_answer_is_read_in_the_spelling_in_which_it_is_judged(spelled):
    def said(**members):
        return {spelled(name): value for name, value in members.items()}

    decision = answered(
        "evaluate",
        said(success=True, status="Approved", orderId=ORDER, traceId="t", statusCode="200001"),
    )
    assert (decision.approved, decision.success, decision.status) == (True, True, "APPROVED")
    assert (decision.order_id, decision.request_id) == (ORDER, "t")
    assert decision.error_code == (200, 1)
    assert (decision.to_dict()["success"], decision.to_dict()["status"]) == (True, "APPROVED")
    refused = answered("evaluate", said(status="DECLINED", errors=["a"]))
    assert [each.message for each in refused.problems] == ["a"]
    assert answered("refund", said(success=True, responseCode="100")).succeeded
    assert answered("transmit", said(transmitId="c-1")).id == "c-1"


@pytest.mark.parametrize(
    ("said", "status", "name"),
    [
        ({"status": 42}, 42, None),
        ({"status": "Completed"}, OrderStatus.COMPLETED, "Completed"),
        ({"statusName": "CaptureRequired"}, OrderStatus.CAPTUREREQUIRED, "CaptureRequired"),
        ({"status": 2, "statusName": "Completed"}, OrderStatus.CANCELLED, "Completed"),
        ({"status": "Chargeback"}, None, "Chargeback"),
        ({"status": True}, None, None),
    ],
)
def test_the_state_of_an_order(said, status, name):
    order = answered("get", {"id": ORDER, **said})
    assert (order.status, order.status_name) == (status, name)


@pytest.mark.parametrize(
    "until",
    [
        None,
        (OrderStatus.PROBLEM, OrderStatus.COMPLETED),
        ["completed"],
        range(7, 8),
        "COMPLETED",
        7,
    ],
)
def test_a_wait_is_for_a_name_a_number_or_any_of_several(until):
    client, _script = scripted(httpx.Response(200, json={"id": ORDER, "status": 7}))
    assert client.orders.wait(ORDER, until=until, timeout=0).status is OrderStatus.COMPLETED


# About which order


about_an_order = pytest.mark.parametrize("operation", ["get", "refund", "capture", "cancel"])


@about_an_order
@pytest.mark.parametrize(
    ("named", "words"),
    [
        (OTHER, f"about another order, {OTHER[:8]}"),
        (7, "another order, 7"),
        ({"id": ORDER}, "does not say which order"),
    ],
)
@pytest.mark.parametrize(
    "success", [{}, {"success": True}, {"success": False, "errors": ["too much"]}]
)
def test_an_answer_about_another_order_settles_nothing(operation, named, words, success):
    with pytest.raises(UnreadableResponse, match=words) as raised:
        answered(operation, {"OrderId": named, "status": "COMPLETED", **success})
    assert raised.value.outcome is Outcome.UNKNOWN


@about_an_order
@pytest.mark.parametrize("named", [ORDER.upper(), f" {ORDER} ", "", None])
def test_the_same_order_in_other_words_is_no_other_order(operation, named):
    status = "CANCELLED" if operation == "cancel" else "COMPLETED"
    assert answered(operation, {"orderId": named, "status": status, "success": True}) is not None


# Done, not done, or not yet


NO, RESULT = "reports a rejection", ""
MEANINGS = cases_beside(__file__)["meanings"]


@pytest.mark.parametrize(
    "operation", [operation for operation in CALLS if operation not in ("get", "list")]
)
@pytest.mark.parametrize(
    ("body", "meaning", "others"),
    [
        (body, group["means"], group.get("but", {}))
        for group in MEANINGS
        for body in group["bodies"]
    ],
    ids=str,
)
def test_a_200_is_a_result_only_with_what_its_operation_needs(operation, body, meaning, others):
    meaning = others.get(operation, meaning)
    client, script = scripted(httpx.Response(200, json=body))
    if meaning == RESULT:
        result, word = CALLS[operation](client), body.get("status", "")
        if operation == "evaluate":
            assert (result.approved, result.needs_capture) == (
                word == "APPROVED",
                word == "CAPTUREREQUIRED",
            )
        elif operation in ("refund", "capture"):
            assert result.succeeded
        return
    with pytest.raises(
        BadRequest if meaning == NO else UnreadableResponse, match=meaning
    ) as raised:
        CALLS[operation](client)
    assert raised.value.outcome is (Outcome.REJECTED if meaning == NO else Outcome.UNKNOWN)
    assert raised.value.problems or meaning != NO
    # With its key, it may be asked again.
    sent = [request.method for request in script.requests]
    assert sent.count("POST") == (1 if meaning == NO or operation in ("refund", "transmit") else 3)


@pytest.mark.parametrize("body", cases_beside(__file__)["complaints"])
def test_a_read_that_only_complains_is_a_refusal(body):
    with pytest.raises(BadRequest, match=r"its body reports a rejection .*is wrong"):
        answered("list" if "items" in body else "get", body)


@pytest.mark.parametrize("operation", ["evaluate", "capture", "refund"])
def test_errors_beside_a_success_contradict_it(operation):
    with pytest.raises(UnreadableResponse, match="its body reports an error") as raised:
        answered(operation, {"success": True, "status": "APPROVED", "errors": ["a warning"]})
    assert raised.value.outcome is Outcome.UNKNOWN


def test_errors_of_a_refusal_or_of_an_order_are_its_own():
    refused = {"success": False, "status": "DECLINED", "errors": ["a reason"]}
    decision = answered("evaluate", refused)
    assert (decision.approved, decision.problems[0].message) == (False, "a reason")
    order = answered("get", {"id": ORDER, "status": 3, "errors": ["the card was refused"]})
    assert order.status is OrderStatus.PROBLEM


@pytest.mark.parametrize("operation", ["cancel", "external_cancel"])
@pytest.mark.parametrize("status", [200, 202])
def test_what_a_cancellation_was_answered_with_is_kept(operation, status):
    said = {"success": True, "status": "CANCELLED", "TraceId": "t-1", "new": 1}
    cancelled = CALLS[operation](scripted(httpx.Response(status, json=said))[0])
    assert (cancelled.raw, cancelled.request_id) == (said, "t-1")


MANY = settings(
    max_examples=500 if "VICTOR_SEARCH" in os.environ else 50,
    suppress_health_check=[HealthCheck.too_slow],
)
NAMES = st.sampled_from(
    [
        *(
            "success",
            "status",
            "errors",
            "orderId",
            "traceId",
            "statusCode",
            "item1",
            "id",
            "items",
        ),
        *("hasNextPage", "pageNumber", "result", "title", "responseCode", "expires", "x"),
    ]
)
WORDS = st.sampled_from(
    ["APPROVED", "approved", " Approved ", "DECLINED", "FAILED", "CHALLENGE", "", "0", "400012"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6)
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)


@MANY
@given(OBJECTS, WORDS | st.none(), st.booleans() | st.none())
def test_only_approved_is_approved(body, word, success):
    body = {**body, "status": word, "success": success}
    decision = Decision(body, idempotency_key="key")
    assert decision.approved == (
        (word or "").strip().upper() == "APPROVED" and success is not False
    )


NOT_READ = [b"[" * 100_000, b'{"traceId":' * 100_000, b"\xff", b"null", b"7" * 5000]


@MANY
@given(
    JSON.map(lambda body: json.dumps(body).encode())
    | st.sampled_from(NOT_READ)
    | st.binary(max_size=9),
    st.sampled_from([200, 202, 400, 409, 500]),
    st.sampled_from([*CALLS]),
)
def test_a_call_ends_in_a_record_or_in_an_error_of_ours(body, status, operation):
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
def test_every_shape_of_errors_is_read(body, problems):
    assert [[each.field, each.code, each.message] for each in problems_of(400, body)] == problems


def problems_of(status: int, body) -> tuple[Any, ...]:
    client, _script = scripted(httpx.Response(status, json=body))
    with pytest.raises(VictorError) as raised:
        client.orders.refund(ORDER, Money(1, "USD"))
    return tuple(raised.value.problems)


def test_an_answer_without_errors_has_its_sentence_and_what_names_a_payer_or_a_card_is_masked():
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
def test_six_digit_codes_are_split(code, split):
    assert split_code(code) == split


@MANY
@given(st.integers(min_value=1, max_value=10**15 - 1))
def test_what_is_on_the_wire_is_the_very_amount(minor):
    client, script = scripted(httpx.Response(200, json={"success": True, "status": "SUCCESS"}))
    client.capture(ORDER, Money(minor, "USD"))
    client.orders.refund(ORDER, Money(minor, "USD"))
    capture, refund = (
        json.loads(request.content, parse_float=Decimal) for request in script.requests
    )
    assert (capture["amount"], refund["amountToRefund"]) == (minor, Money(minor, "USD").amount)
