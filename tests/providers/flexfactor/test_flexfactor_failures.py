"""Lost answers, refusals with status 200, conflicts: what the merchant observes is true, and nothing is done twice."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import httpx
import pytest

from tests.providers.flexfactor.adapter import PRICE, Harness, declined, scripted
from tests.providers.flexfactor.test_flexfactor_answers import CALLS as ANSWERED
from victor_ext import BadRequest, Conflict, ConnectionFailed, Outcome, UnreadableResponse, idempotency_key_for
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import trace_id

KEY = idempotency_key_for("invoice", 1042)
ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
IN_PROGRESS = json.dumps({"title": "An idempotent request is still in progress."})


def evaluate(client: Any) -> Any:
    return client.evaluate(**declined(), idempotency_key=KEY)


# What success is


def test_a_refund_that_failed_with_status_200_is_an_error(harness: Harness) -> None:
    order_id = harness.sandbox.add_order("INV-1")
    with pytest.raises(BadRequest, match="greater than maximum refund amount") as raised:
        harness(lambda client: client.orders.refund(order_id, Money.of("44.24", "USD")))
    error = raised.value
    assert (error.status_code, error.outcome, error.attempts) == (200, Outcome.REJECTED, 1)
    assert error.problems[0].code == "2001"
    assert "The provider did not execute it" in str(error)
    assert error.request_id
    assert harness.work("INV-1/refund") == 0


def test_a_capture_that_failed_with_status_200_is_an_error(harness: Harness) -> None:
    order_id = harness.sandbox.add_order("INV-1")
    with pytest.raises(BadRequest, match="not Capturerequired") as raised:
        harness(lambda client: client.capture(order_id, PRICE, idempotency_key=KEY))
    assert (raised.value.idempotency_key, raised.value.outcome) == (KEY, Outcome.REJECTED)


CALLS: dict[str, Any] = {**ANSWERED, "list": lambda client: list(client.orders.list())}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("transmit", b'{"message": "log in"}'),
        *product(
            ["evaluate", "capture", "refund"],
            [b"", b"{}", b"[]", b"null", b"<html>", b'{"message": "log in"}', b'{"traceId": "t"}'],
        ),
    ],
)
def test_a_200_that_says_nothing_is_no_success(operation: str, body: bytes) -> None:
    client, _script = scripted(httpx.Response(200, content=body))
    with pytest.raises(UnreadableResponse) as raised:
        CALLS[operation](client)
    assert raised.value.outcome is (Outcome.ACCEPTED if b"traceId" in body else Outcome.UNKNOWN)


NO_REFUSALS = [b"", b'{"success": true, "status": "SUCCESS"}', b'{"status": "CANCELLED"}', b'{"Status": "Expired"}']


@pytest.mark.parametrize("body", NO_REFUSALS)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_cancellation_may_be_answered_with_nothing(body: bytes, status: int) -> None:
    client, _script = scripted(httpx.Response(status, content=body, headers={"apigw-requestid": "r-1"}))
    assert client.orders.cancel(ORDER).order_id == ORDER
    assert client.orders.external_cancel("INV-1").external_order_id == "INV-1"


@pytest.mark.parametrize("body", [b"{}", b'{"message": "please log in"}'])
@pytest.mark.parametrize("status", [200, 202, 204])
def test_with_an_object_of_nothing_only_under_the_documented_status(body: bytes, status: int) -> None:
    client, _script = scripted(httpx.Response(status, content=body))
    if status == 200:
        assert client.orders.cancel(ORDER).order_id == ORDER
        return
    with pytest.raises(UnreadableResponse, match="not in the provider's document") as raised:
        client.orders.cancel(ORDER)
    assert raised.value.outcome is Outcome.UNKNOWN


def test_a_good_status_that_the_document_does_not_list_is_good() -> None:
    client, _script = scripted(httpx.Response(201, json={"status": "APPROVED", "orderId": ORDER, "traceId": "t"}))
    decision = client.evaluate(**declined())
    assert (decision.approved, decision.order_id, decision.request_id) == (True, ORDER, "t")


# Lost answers


def test_a_key_in_a_refund_makes_no_repeat_safe() -> None:
    from flexfactor_api.api.orders import refund_order
    from flexfactor_api.models import RefundRequest

    client, script = scripted(httpx.ReadError("lost"))
    body = RefundRequest(amount_to_refund=4.2)
    body["idempotencyKey"] = KEY
    with pytest.raises(ConnectionFailed) as raised:
        refund_order.sync(ORDER, client=client.api, body=body)
    assert (raised.value.outcome, raised.value.idempotency_key, len(script.requests)) == (Outcome.UNKNOWN, None, 1)


# 409, which has two meanings


def test_in_progress_is_waited_for_and_asked_again_with_the_same_key(harness: Harness) -> None:
    harness.sandbox.inject("status", operation="evaluate", status=409, body=IN_PROGRESS, times=2)
    decision = harness(evaluate)
    assert (decision.approved, [each.idempotency_key for each in harness.sent("evaluate")]) == (True, [KEY] * 3)


def test_another_payload_is_a_conflict_at_once(harness: Harness) -> None:
    harness(evaluate)
    with pytest.raises(Conflict, match="may have been used before, with other values") as raised:
        harness(lambda client: client.evaluate(**declined(amount=Money(1, "USD")), idempotency_key=KEY))
    assert (raised.value.outcome, raised.value.attempts, raised.value.idempotency_key) == (Outcome.UNKNOWN, 1, KEY)
    assert harness.work("INV-1042") == 1


@pytest.mark.parametrize(("title", "attempts"), [("Conflict", 3), ("The key was used with another payload.", 1)])
def test_a_409_that_does_not_say_which_is_asked_again(title: str, attempts: int) -> None:
    client, script = scripted(httpx.Response(409, json={"title": title}))
    with pytest.raises(Conflict) as raised:
        client.evaluate(**declined())
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, attempts)


# What the provider complains of


def test_a_wrong_request_names_its_fields(harness: Harness) -> None:
    body = json.dumps(
        {"status": 400, "traceId": "00-1", "errors": {"Transaction.Amount": ["must be above 10"], "Payer": ["no"]}}
    )
    harness.sandbox.inject("status", operation="evaluate", status=400, body=body)
    with pytest.raises(BadRequest, match=r"transaction\.amount: must be above 10; payer: no") as raised:
        harness(evaluate)
    assert [(each.field, each.provider_field) for each in raised.value.problems] == [
        ("transaction.amount", "Transaction.Amount"),
        ("payer", "Payer"),
    ]
    assert trace_id(raised.value) == "00-1" != raised.value.request_id  # which is the gateway's


def test_an_id_with_a_slash_makes_no_other_operation_of_a_call() -> None:
    from flexfactor_api.api.orders import refund_order
    from flexfactor_api.models import RefundRequest

    client, script = scripted(httpx.Response(200, json={"success": False, "status": "FAILED"}))
    for order_id in ("x/v1/transmit", "v1", "a/v1/orders", "x/../../v1/evaluate"):
        with pytest.raises(BadRequest, match="its body reports a rejection"):
            refund_order.sync(order_id, client=client.api, body=RefundRequest(amount_to_refund=4.2))
    assert len(script.requests) == 4


# The list


@pytest.mark.parametrize("name", ["items", "orders", "somethingElse"])
def test_the_array_of_a_page_is_found_whatever_its_name(name: str) -> None:
    page = {"hasNextPage": False, "pageNumber": 1, name: [{"id": "a"}, {"id": "b"}], "errors": []}
    client, script = scripted(httpx.Response(200, json=page))
    assert [order.id for order in client.orders.list()] == ["a", "b"]
    assert len(script.requests) == 1


def test_a_page_in_an_envelope() -> None:
    page = {"success": True, "errors": [], "result": {"isLastPage": True, "rows": [{"id": "a"}]}}
    client, _script = scripted(httpx.Response(200, json=page))
    assert [order.id for order in client.orders.list()] == ["a"]


@pytest.mark.parametrize("body", [{"hasNextPage": False, "items": None}, {"pageCount": 0}, {"pageNumber": 1}])
def test_a_page_without_an_array_is_empty(body: dict[str, Any]) -> None:
    client, _script = scripted(httpx.Response(200, json=body))
    assert list(client.orders.list()) == []


@pytest.mark.parametrize("body", [{}, [], {"hello": 1}, {"a": [], "b": []}, {"a": {"x": []}, "b": {"y": []}}])
def test_what_is_no_page_is_not_taken_for_the_end(body: Any) -> None:
    client, script = scripted(httpx.Response(200, json=body))
    with pytest.raises(UnreadableResponse, match=r"not a page of orders|no object"):
        list(client.orders.list())
    assert len(script.requests) == 3


def test_a_page_that_does_not_say_it_is_the_last_is_followed_by_another() -> None:
    pages = [httpx.Response(200, json={"items": [{"id": "a"}]}), httpx.Response(200, json={"items": []})]
    client, script = scripted(*pages)
    assert [order.id for order in client.orders.list()] == ["a"]
    assert [request.url.params["pageNumber"] for request in script.requests] == ["1", "2"]


def test_one_odd_order_leaves_the_others_unharmed() -> None:
    page = {"items": [{"id": "a", "status": "odd", "email": 7}, 5, {"id": "b", "status": 42}], "isLastPage": True}
    client, _script = scripted(httpx.Response(200, json=page))
    orders = list(client.orders.list())
    assert [(order.id, order.status) for order in orders] == [("a", None), (None, None), ("b", 42)]
