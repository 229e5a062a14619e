"""Lost answers, refusals with status 200, conflicts: what the merchant observes is true, and
nothing is done twice.
"""

import json
from itertools import product

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.flexfactor.adapter import ORDER, declined, scripted
from tests.providers.flexfactor.test_flexfactor_answers import CALLS
from victor_ext import (
    Conflict,
    ConnectionFailed,
    Outcome,
    UnreadableResponse,
    idempotency_key_for,
)

KEY = idempotency_key_for("invoice", 1042)


# What success is


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
def test_a_200_that_says_nothing_is_no_success(operation, body):
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
def test_a_cancellation_may_be_answered_with_nothing_and_then_the_order_is_read(body, status):
    answer = httpx.Response(status, content=body)
    client, script = scripted(answer, CANCELLED)
    assert client.orders.cancel(ORDER).order_id == ORDER
    assert len(script.requests) == (1 if body else 2)
    assert scripted(answer)[0].orders.external_cancel("INV-1").external_order_id == "INV-1"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"id": ORDER, "status": 7, "statusName": "Completed"}, "the order is Completed"),
        ({"id": ORDER, "statusName": "Draft"}, "the order is Draft"),
        ({}, "the order could not be read"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", json.dumps({"orderId": ORDER}).encode()])
def test_a_cancellation_that_the_order_does_not_show_is_unknown(order, said, body):
    client, script = scripted(httpx.Response(200, content=body), httpx.Response(200, json=order))
    with pytest.raises(UnreadableResponse, match=said) as raised:
        client.orders.cancel(ORDER, idempotency_key=KEY)
    assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, KEY)
    assert [request.method for request in script.requests].count("POST") == 1


@pytest.mark.parametrize("body", [{"success": True, "status": "VOIDED"}, {"status": "PENDING"}])
@pytest.mark.parametrize("status", [2, 7])
def test_a_cancellation_that_does_not_say_that_it_is_done_is_looked_up(body, status):
    order = httpx.Response(200, json={"id": ORDER, "status": status})
    client, script = scripted(*[httpx.Response(200, json=body)] * 3, order)
    if status == 2:
        assert client.orders.cancel(ORDER, idempotency_key=KEY).raw == body
    else:
        with pytest.raises(UnreadableResponse, match="does not say that it is done") as raised:
            client.orders.cancel(ORDER, idempotency_key=KEY)
        assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, KEY)
    assert [request.method for request in script.requests] == [*["POST"] * 3, "GET"]


# Lost answers


@pytest.mark.parametrize("operation", ["transmit", "refund"])
def test_a_key_makes_no_call_repeatable_that_takes_none(operation):
    client, script = scripted(httpx.ReadError("lost"))
    with pytest.raises(ConnectionFailed) as raised:
        CALLS[operation](client.with_options(extra_body={"idempotencyKey": KEY}))
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, 1)


# 409, which has two meanings


@pytest.mark.parametrize(
    ("title", "attempts"), [("Conflict", 3), ("The key was used with another payload.", 1)]
)
def test_a_409_that_does_not_say_which_is_asked_again(title, attempts):
    client, script = scripted(httpx.Response(409, json={"title": title}))
    with pytest.raises(Conflict) as raised:
        client.evaluate(**declined())
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, attempts)


# The list


@pytest.mark.parametrize(("pages", "found"), cases_beside(__file__)["pages"])
def test_the_orders_of_a_page_are_found_wherever_they_are(pages, found):
    client, script = scripted(*(httpx.Response(200, json=page) for page in pages))
    assert [order.id for order in client.orders.list()] == found
    assert len(script.requests) == len(pages)
