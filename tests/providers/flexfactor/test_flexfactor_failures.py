"""Answers that say nothing, cancellations that are not confirmed, conflicts and odd pages: what the
merchant observes is true, and nothing is done twice.
"""

from contextlib import nullcontext
from itertools import product

import httpx
import pytest

from tests.providers.flexfactor.adapter import EXCHANGES, ORDER, over, scripted
from tests.providers.running import Script
from victor_ext import Conflict, ConnectionFailed, Outcome, UnreadableResponse, idempotency_key_for

KEY = idempotency_key_for("invoice", 1042)


@pytest.mark.parametrize(
    ("word", "body"),
    [
        *product(["transmit"], [b'{"transmitId": null}', b'{"transmitId": ""}', b"{}"]),
        *product(["evaluate", "capture", "refund"], [b"", b"{}", b"[]", b'{"traceId": "t"}']),
    ],
)
def test_a_200_without_a_needed_member_is_no_success(word, body):
    with pytest.raises(UnreadableResponse) as raised:
        over(Script(httpx.Response(200, content=body)), word)
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"id": ORDER, "status": 2}, "done"),
        ({"id": ORDER, "status": 7, "statusName": "Completed"}, "the order is Completed"),
        ({"id": ORDER, "statusName": "Draft"}, "the order is Draft"),
        ({}, "the order could not be read"),
    ],
)
def test_an_empty_answer_to_a_cancellation_is_settled_by_reading_the_order(body, order, said):
    client, script = scripted(httpx.Response(200, content=body), httpx.Response(200, json=order))
    if said == "done":
        assert client.orders.cancel(ORDER).order_id == ORDER
    else:
        with pytest.raises(UnreadableResponse, match=said) as raised:
            client.orders.cancel(ORDER, idempotency_key=KEY)
        assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, KEY)
    assert [each.method for each in script.requests].count("POST") == 1


@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize(("status", "is_done"), [(2, True), (7, False)])
def test_an_empty_answer_to_a_stored_cancellation_is_settled_by_reading_the_order(
    body, status, is_done
):
    order = httpx.Response(200, json={"id": ORDER, "status": status, "statusName": "Completed"})
    client, _ = scripted(httpx.Response(200, content=body), order)
    call = client.prepare("orders.cancel", ORDER, idempotency_key=KEY)
    with nullcontext() if is_done else pytest.raises(UnreadableResponse) as raised:
        client.send(call)
    if not is_done:
        assert (raised.value.outcome, raised.value.idempotency_key) == (Outcome.UNKNOWN, KEY)


@pytest.mark.parametrize("word", ["transmit", "refund"])
def test_a_key_does_not_make_a_call_repeatable_that_takes_no_key(word):
    client, script = scripted(httpx.ReadError("lost"))
    with pytest.raises(ConnectionFailed) as raised:
        EXCHANGES[word].call(client.with_options(extra_body={"idempotencyKey": KEY}), "INV-1")
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, 1)


@pytest.mark.parametrize(
    ("title", "times"), [("Conflict", 3), ("The key was used with another payload.", 1)]
)
def test_an_evaluation_is_sent_again_after_a_409_unless_the_key_was_used(title, times):
    script = Script(httpx.Response(409, json={"title": title}))
    with pytest.raises(Conflict) as raised:
        over(script, "evaluate")
    assert (raised.value.outcome, len(script.requests)) == (Outcome.UNKNOWN, times)


@pytest.mark.parametrize("body", [[], {"orders": []}])
def test_a_body_that_is_no_page_is_not_taken_for_the_end(body):
    script = Script(httpx.Response(200, json=body))
    with pytest.raises(UnreadableResponse, match=r"not a page of orders|no object"):
        over(script, "orders")
    assert len(script.requests) == 3
