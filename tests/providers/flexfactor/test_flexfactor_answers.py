"""What an answer means: in any spelling, about which order, and whether it is done, is not done, or goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.flexfactor.adapter import ORDER, PRICE, declined, scripted
from victor_ext import BadRequest, Outcome, TimedOut, UnreadableResponse
from victor_ext.providers.flexfactor import OrderStatus

OTHER = "99999999-3d1f-4f0a-9a43-0f9d2f1c8e77"
CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda client: client.orders.get(ORDER),
    "refund": lambda client: client.orders.refund(ORDER, PRICE),
    "capture": lambda client: client.capture(ORDER, PRICE),
    "cancel": lambda client: client.orders.cancel(ORDER),
    "external_cancel": lambda client: client.orders.external_cancel("INV-1"),
    "transmit": lambda client: client.transmit(**declined()),
    "evaluate": lambda client: client.evaluate(**declined(), sense_key="s"),
    "list": lambda client: list(client.orders.list()),
}


def answered(operation: str, body: Any) -> Any:
    return CALLS[operation](scripted(httpx.Response(200, json=body))[0])


# Spelling


SPELLINGS: list[Callable[[str], str]] = [str, lambda name: name[0].upper() + name[1:], str.lower, str.upper]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_answer_is_read_in_the_spelling_in_which_it_is_judged(spelled: Callable[[str], str]) -> None:
    said = {
        "success": True, "status": "Approved", "orderId": ORDER, "senseKey": "s", "result": "r", "traceId": "t",
        "statusCode": "200001",
    }  # fmt: skip
    decision = answered("evaluate", {spelled(name): value for name, value in said.items()})
    assert (decision.approved, decision.success, decision.status) == (True, True, "APPROVED")
    assert (decision.order_id, decision.sense_key, decision.result) == (ORDER, "s", "r")
    assert (decision.trace_id, decision.request_id, decision.error_code) == ("t", "t", (200, 1))
    refused = answered("evaluate", {spelled("status"): "DECLINED", spelled("errors"): ["a"]})
    assert [each.message for each in refused.problems] == ["a"]
    refund = answered("refund", {spelled("success"): True, spelled("responseCode"): "100", spelled("traceId"): "t"})
    assert (refund.succeeded, refund.response_code, refund.request_id) == (True, "100", "t")
    assert answered("transmit", {spelled("transmitId"): "c-1"}).id == "c-1"


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_order_is_read_in_any_spelling(spelled: Callable[[str], str]) -> None:
    said = {
        "id": ORDER, "status": 7, "statusName": "Completed", "externalOrderId": "INV-1", "referenceNumber": "5B0C",
        "currencyCode": "USD", "orderPlacedDate": "2026-03-04T05:06:07Z", "expiryDate": None,
    }  # fmt: skip
    order = answered("get", {spelled(name): value for name, value in said.items()})
    assert (order.id, order.external_order_id, order.reference_number) == (ORDER, "INV-1", "5B0C")
    assert (order.status, order.status_name, order.currency) == (OrderStatus.COMPLETED, "Completed", "USD")
    assert (order.placed_at, order.expires_at) == (datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), None)
    data = order.to_dict()
    assert (type(data["status"]), data["status"], data["status_name"]) == (int, 7, "Completed")


@pytest.mark.parametrize("operation", ["evaluate", "capture", "refund"])
def test_the_data_of_the_response_to_a_write_has_its_success_and_its_state(operation: str) -> None:
    data = answered(operation, {"SUCCESS": True, "status": "Approved", "orderId": ORDER}).to_dict()
    assert (data["success"], data["status"]) == (True, "APPROVED")


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
def test_the_state_of_an_order(said: dict[str, Any], status: Any, name: str | None) -> None:
    order = answered("get", {"id": ORDER, **said})
    assert (order.status, order.status_name) == (status, name)


def test_a_wait_is_for_a_name_a_number_or_any_of_several() -> None:
    client, _script = scripted(httpx.Response(200, json={"id": ORDER, "status": 7}))
    for until in (None, (OrderStatus.PROBLEM, OrderStatus.COMPLETED), ["completed"], range(7, 8), "COMPLETED", 7):
        assert client.orders.wait(ORDER, until=until, timeout=0).status is OrderStatus.COMPLETED


# About which order


@pytest.mark.parametrize("operation", ["get", "refund", "capture", "cancel"])
@pytest.mark.parametrize("success", [{}, {"success": True}, {"success": False, "errors": ["too much"]}])
def test_an_answer_about_another_order_settles_nothing(operation: str, success: dict[str, Any]) -> None:
    name = "id" if operation == "get" else "OrderId"
    with pytest.raises(UnreadableResponse, match=f"about another order, {OTHER[:8]}") as raised:
        answered(operation, {name: OTHER, "status": "COMPLETED", **success})
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("operation", "other"),
    [*product(["evaluate", "capture", "cancel", "external_cancel"], [{"IdempotencyKey": OTHER.upper()}]),
     ("evaluate", {"senseKey": OTHER}), ("transmit", {"mid": OTHER}),
     *product(["evaluate", "transmit", "capture", "refund"], [{"currency": "EUR"}])],
)  # fmt: skip
def test_an_answer_to_another_call_settles_nothing(operation: str, other: dict[str, Any]) -> None:
    with pytest.raises(UnreadableResponse, match=f"(?i)about another call: its {next(iter(other))}") as raised:
        answered(operation, {"status": "APPROVED" if operation == "evaluate" else "COMPLETED", **other})
    assert raised.value.outcome is Outcome.UNKNOWN
    assert answered("refund", {"status": "COMPLETED", "mid": OTHER}).succeeded  # which sends none


@pytest.mark.parametrize("odd", [{"idempotencyKey": {"of": "another type"}}, {"currency": ["USD"]}])
def test_what_cannot_be_read_confirms_nothing(odd: dict[str, Any]) -> None:
    with pytest.raises(UnreadableResponse, match=f"its {next(iter(odd))} cannot be read"):
        answered("capture", {"success": True, "status": "COMPLETED", "orderId": ORDER, **odd})


def test_a_wait_does_not_end_on_another_order() -> None:
    client, _script = scripted(httpx.Response(200, json={"id": OTHER, "status": 7}))
    with pytest.raises(TimedOut, match="could not be read"):
        client.orders.wait(ORDER, timeout=0)


@pytest.mark.parametrize("operation", ["get", "refund", "capture", "cancel"])
@pytest.mark.parametrize(("named", "words"), [(7, "another order, 7"), ({"id": ORDER}, "does not say which order")])
def test_an_id_of_another_type_is_not_that_of_the_order(operation: str, named: Any, words: str) -> None:
    with pytest.raises(UnreadableResponse, match=words):
        answered(operation, {"orderId": named, "status": "COMPLETED"})


@pytest.mark.parametrize("named", [ORDER.upper(), f" {ORDER} ", "", None])
def test_the_same_order_in_other_words_is_no_other_order(named: Any) -> None:
    for operation in ("get", "refund", "capture", "cancel"):
        assert answered(operation, {"orderId": named, "status": "COMPLETED", "success": True}) is not None


# Done, not done, or not yet


NO, RESULT = "reports a rejection", ""
MEANINGS = cases_beside(__file__)["meanings"]


@pytest.mark.parametrize("operation", [operation for operation in CALLS if operation not in ("get", "list")])
@pytest.mark.parametrize(
    ("body", "meaning", "others"),
    [(body, group["means"], group.get("but", {})) for group in MEANINGS for body in group["bodies"]],
    ids=str,
)
def test_what_a_200_says(operation: str, body: dict[str, Any], meaning: str, others: dict[str, str]) -> None:
    meaning = others.get(operation, meaning)
    client, script = scripted(httpx.Response(200, json=body))
    if meaning == RESULT:
        result, word = CALLS[operation](client), body.get("status", "")
        if operation == "evaluate":
            assert (result.approved, result.needs_capture) == (word == "APPROVED", word == "CAPTUREREQUIRED")
        elif operation in ("refund", "capture"):
            assert result.succeeded is (word != "SOMETHING-NEW")
        return
    with pytest.raises(BadRequest if meaning == NO else UnreadableResponse, match=meaning) as raised:
        CALLS[operation](client)
    assert raised.value.outcome is (Outcome.REJECTED if meaning == NO else Outcome.UNKNOWN)
    assert raised.value.problems or meaning != NO
    # With its key, it may be asked again.
    sent = [request.method for request in script.requests]
    assert sent.count("POST") == (1 if meaning == NO or operation in ("refund", "transmit") else 3)


@pytest.mark.parametrize("body", cases_beside(__file__)["complaints"])
def test_a_read_that_only_complains_is_a_refusal(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=r"its body reports a rejection .*is wrong"):
        answered("list" if "items" in body else "get", body)


@pytest.mark.parametrize("body", [{"status": "bad gateway"}, {"title": "busy", "status": 503}, {"id": None}])
def test_what_is_no_order_is_read_again(body: dict[str, Any]) -> None:
    with pytest.raises(UnreadableResponse, match="after 3 attempts"):
        answered("get", body)


def test_errors_beside_a_success_contradict_it_and_those_of_a_refusal_or_an_order_are_its_own() -> None:
    for operation in ("evaluate", "capture", "refund"):
        with pytest.raises(UnreadableResponse, match="its body reports an error") as raised:
            answered(operation, {"success": True, "status": "APPROVED", "errors": ["a warning"]})
        assert raised.value.outcome is Outcome.UNKNOWN
    decision = answered("evaluate", {"success": False, "status": "DECLINED", "errors": ["a reason"]})
    assert (decision.approved, [each.message for each in decision.problems]) == (False, ["a reason"])
    assert answered("get", {"id": ORDER, "status": 3, "errors": ["the card was refused"]}).status is OrderStatus.PROBLEM


def test_what_a_cancellation_was_answered_with_is_kept() -> None:
    said = {"success": True, "status": "CANCELLED", "TraceId": "t-1", "new": 1}
    for operation in ("cancel", "external_cancel"):
        cancelled = answered(operation, said)
        assert (cancelled.raw, cancelled.request_id) == (said, "t-1")
        assert CALLS[operation](scripted(httpx.Response(202, json=said))[0]).raw == said
