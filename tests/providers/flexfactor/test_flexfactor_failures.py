"""Lost answers, refusals with status 200, conflicts: what the merchant observes is true, and
nothing is done twice.
"""

import json
from itertools import product
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.flexfactor.adapter import ORDER, Harness, declined, scripted
from tests.providers.flexfactor.test_flexfactor_answers import CALLS
from victor_ext import (
    BadRequest,
    Conflict,
    ConnectionFailed,
    Outcome,
    PaginationError,
    UnreadableResponse,
    idempotency_key_for,
)
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import trace_id

KEY = idempotency_key_for("invoice", 1042)


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


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        *product(
            ["transmit"],
            [b'{"message": "log in"}', b'{"transmitId": null}', b'{"transmitId": ""}', b"{}"],
        ),
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


NO_REFUSALS = [
    b"",
    b'{"success": true, "status": "SUCCESS"}',
    b'{"status": "CANCELLED"}',
    b'{"Status": "Expired"}',
]
CANCELLED = httpx.Response(200, json={"id": ORDER, "status": 2})


@pytest.mark.parametrize("body", NO_REFUSALS)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_cancellation_may_be_answered_with_nothing_and_then_the_order_is_read(
    body: bytes, status: int
) -> None:
    answer = httpx.Response(status, content=body, headers={"apigw-requestid": "r-1"})
    client, script = scripted(answer, CANCELLED)
    assert client.orders.cancel(ORDER).order_id == ORDER
    assert [request.method for request in script.requests] == ["POST"] if body else ["POST", "GET"]
    assert scripted(answer)[0].orders.external_cancel("INV-1").external_order_id == "INV-1"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.Response(200, json={"id": ORDER, "status": 7, "statusName": "Completed"}),
            "the order is Completed",
        ),
        (httpx.Response(200, json={"id": ORDER, "statusName": "Draft"}), "the order is Draft"),
        (httpx.Response(200, json={}), "the order could not be read"),
        (httpx.Response(404), "the order could not be read"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", json.dumps({"orderId": ORDER}).encode()])
def test_a_cancellation_that_the_order_does_not_show_is_unknown(
    answer: httpx.Response, said: str, body: bytes
) -> None:
    client, script = scripted(httpx.Response(200, content=body), answer)
    with pytest.raises(UnreadableResponse, match=said) as raised:
        client.orders.cancel(ORDER, idempotency_key=KEY)
    assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, KEY)
    assert [request.method for request in script.requests].count("POST") == 1


@pytest.mark.parametrize("body", [{"success": True, "status": "VOIDED"}, {"status": "PENDING"}])
@pytest.mark.parametrize("status", [2, 7])
def test_a_cancellation_that_does_not_say_that_it_is_done_is_looked_up(
    body: dict[str, Any], status: int
) -> None:
    order = httpx.Response(200, json={"id": ORDER, "status": status})
    client, script = scripted(*[httpx.Response(200, json=body)] * 3, order)
    if status == 2:
        assert client.orders.cancel(ORDER, idempotency_key=KEY).raw == body
    else:
        with pytest.raises(UnreadableResponse, match="does not say that it is done") as raised:
            client.orders.cancel(ORDER, idempotency_key=KEY)
        assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, KEY)
    assert [request.method for request in script.requests] == [*["POST"] * 3, "GET"]


@pytest.mark.parametrize("call", ["cancel", "external_cancel"])
@pytest.mark.parametrize(
    ("status", "body"), [(202, b"{}"), (204, b"{}"), (200, b'{"message": "please log in"}')]
)
def test_with_an_object_of_nothing_only_as_documented(call: str, status: int, body: bytes) -> None:
    client, script = scripted(httpx.Response(status, content=body))
    with pytest.raises(
        UnreadableResponse, match=r"not in the provider's document|states no result"
    ) as raised:
        CALLS[call](client)
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, 3)


# Lost answers


@pytest.mark.parametrize("operation", ["transmit", "refund"])
def test_a_key_makes_no_call_repeatable_that_takes_none(operation: str) -> None:
    client, script = scripted(httpx.ReadError("lost"))
    with pytest.raises(ConnectionFailed) as raised:
        CALLS[operation](client.with_options(extra_body={"idempotencyKey": KEY}))
    assert (raised.value.outcome, raised.value.idempotency_key, len(script.requests)) == (
        Outcome.UNKNOWN,
        None,
        1,
    )


# 409, which has two meanings


@pytest.mark.parametrize(
    ("title", "attempts"), [("Conflict", 3), ("The key was used with another payload.", 1)]
)
def test_a_409_that_does_not_say_which_is_asked_again(title: str, attempts: int) -> None:
    client, script = scripted(httpx.Response(409, json={"title": title}))
    with pytest.raises(Conflict) as raised:
        client.evaluate(**declined())
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, attempts)


# What the provider complains of


def test_a_wrong_request_names_its_fields(harness: Harness) -> None:
    body = json.dumps(
        {
            "status": 400,
            "traceId": "00-1",
            "errors": {"Transaction.Amount": ["must be above 10"], "Payer": ["no"]},
        }
    )
    harness.sandbox.inject("status", operation="evaluate", status=400, body=body)
    with pytest.raises(
        BadRequest, match=r"transaction\.amount: must be above 10; payer: no"
    ) as raised:
        harness(evaluate)
    assert [(each.field, each.provider_field) for each in raised.value.problems] == [
        ("transaction.amount", "Transaction.Amount"),
        ("payer", "Payer"),
    ]
    assert trace_id(raised.value) == "00-1" != raised.value.request_id  # which is the gateway's


# The list


@pytest.mark.parametrize(("pages", "found"), cases_beside(__file__)["pages"])
def test_the_orders_of_a_page_are_found_wherever_they_are(
    pages: list[Any], found: list[str | None]
) -> None:
    envelopes: list[Any] = [
        dict,
        *([lambda page: {"result": page}] if "orders" in pages[0] else []),
    ]
    for envelope in envelopes:
        client, script = scripted(*(httpx.Response(200, json=envelope(page)) for page in pages))
        assert [order.id for order in client.orders.list()] == found
        assert [request.url.params["pageNumber"] for request in script.requests] == ["1", "2"][
            : len(pages)
        ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"hello": 1},
        {"a": [], "b": []},
        {"a": {"x": []}, "b": {"y": []}},
        {"items": None},
        {"hasNextPage": False, "items": {}},
        {"items": [{"id": "a"}]},
        {"items": [1, "a"], "isLastPage": True},
    ],
)
def test_what_is_no_page_is_not_taken_for_the_end(body: Any) -> None:
    client, script = scripted(httpx.Response(200, json=body))
    with pytest.raises(UnreadableResponse, match=r"not a page of orders|no object"):
        list(client.orders.list())
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"hasNextPage": False, "items": None, "records": ["a"]},
        {"pageNumber": 1, "tags": ["a"]},
        {"isLastPage": True, "cart": {"items": [1]}},
        {"users": [{"id": 1, "name": "x", "status": "active"}], "hasNextPage": False},
    ],
)
def test_a_page_that_lists_something_else_is_not_taken_for_the_end(body: Any) -> None:
    client, script = scripted(httpx.Response(200, json=body))
    with pytest.raises(PaginationError, match="does not declare"):
        list(client.orders.list())
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "body", [{"items": [], "hasNextPage": True}, {"items": [], "isLastPage": "False"}]
)
def test_an_empty_page_that_another_follows_is_not_taken_for_the_end(body: Any) -> None:
    client, _script = scripted(httpx.Response(200, json=body))
    with pytest.raises(PaginationError, match="says that others follow"):
        list(client.orders.list())
