"""What a merchant does with FlexFactor, against its sandbox, blocking and awaited."""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.providers.flexfactor.adapter import PRICE, Harness, declined, scripted
from victor_ext import (
    BadRequest,
    Conflict,
    NotFound,
    Outcome,
    PermissionDenied,
    TimedOut,
    idempotency_key_for,
)
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

KEY, OTHER = idempotency_key_for("invoice", 1042), idempotency_key_for("invoice", 1043)


def test_a_declined_payment_is_rescued_and_part_of_it_given_back(harness: Harness) -> None:
    decision = harness(lambda client: client.evaluate(**declined(), idempotency_key=KEY))
    assert (decision.approved, decision.status, decision.success) == (True, "APPROVED", True)
    assert decision.idempotency_key == KEY
    assert decision.request_id
    assert not decision.problems

    refund = harness(
        lambda client: client.orders.refund(
            decision.order_id, Money.of("4.20", "USD"), message="late"
        )
    )
    assert (refund.succeeded, refund.status, refund.amount) == (True, "SUCCESS", Money(420, "USD"))
    record = harness.sandbox.order_record("INV-1042")
    assert (record["captured"], record["refunded"]) == (4423, 420)

    order = harness(lambda client: client.orders.get(decision.order_id))
    assert (order.id, order.status, order.status_name) == (
        decision.order_id,
        OrderStatus.COMPLETED,
        "Completed",
    )
    assert (order.external_order_id, order.currency) == ("INV-1042", "USD")
    assert order.placed_at is not None
    assert order.raw.additional_properties["totalAmount"] == 44.23


def test_what_is_submitted_is_settled_later(harness: Harness) -> None:
    harness.sandbox.decide("SUBMITTED", "INV-1042")
    decision = harness(lambda client: client.evaluate(**declined(), merchant_initiated=True))
    harness.sandbox.settle("INV-1042", "APPROVED")
    order = harness(lambda client: client.orders.get(decision.order_id))
    assert order.status is OrderStatus.COMPLETED
    # A retry of the merchant's over days has the same order id, and a key of its own.
    again = harness(lambda client: client.evaluate(**declined(), merchant_initiated=True))
    assert (again.order_id, again.approved) == (decision.order_id, True)
    assert again.idempotency_key != decision.idempotency_key
    assert harness.work("INV-1042") == 1


def test_a_key_that_changed_is_another_charge(harness: Harness) -> None:
    first, again = (
        harness(lambda client: client.evaluate(**declined(), idempotency_key=KEY)) for _ in range(2)
    )
    assert (again.order_id, harness.work("INV-1042")) == (first.order_id, 1)
    other = harness(lambda client: client.evaluate(**declined()))
    assert other.order_id != first.order_id
    assert harness.work("INV-1042") == 2
    assert harness.sandbox.work_done_by_key() == {KEY: 1, other.idempotency_key: 1}


def test_a_part_of_an_authorisation_is_captured_in_cents(harness: Harness) -> None:
    harness.sandbox.decide("CAPTUREREQUIRED")
    decision = harness(lambda client: client.evaluate(**declined()))
    capture = harness(
        lambda client: client.capture(decision.order_id, Money(4000, "USD"), idempotency_key=KEY)
    )
    assert (capture.succeeded, capture.status, capture.idempotency_key) == (True, "SUCCESS", KEY)
    assert harness.sandbox.order_record("INV-1042")["captured"] == 4000
    with pytest.raises(BadRequest, match="not Capturerequired") as raised:
        harness(
            lambda client: client.capture(
                harness.sandbox.add_order("INV-1"), PRICE, idempotency_key=OTHER
            )
        )
    assert (raised.value.idempotency_key, raised.value.outcome) == (OTHER, Outcome.REJECTED)


@pytest.mark.parametrize("by", ["id", "external id"])
def test_an_order_is_cancelled_and_cancelling_it_again_changes_nothing(
    harness: Harness, by: str
) -> None:
    harness.sandbox.decide("SUBMITTED")
    decision = harness(lambda client: client.evaluate(**declined()))

    def cancel(client: Any) -> Any:
        if by == "id":
            return client.orders.cancel(decision.order_id)
        return client.orders.external_cancel("INV-1042")

    cancelled = harness(cancel, cancel)
    assert (cancelled.order_id or cancelled.external_order_id) == (
        decision.order_id if by == "id" else "INV-1042"
    )
    assert uuid.UUID(cancelled.idempotency_key)
    assert cancelled.request_id
    assert (
        harness.work("INV-1042/cancel"),
        len(harness.sent("cancel") + harness.sent("external_cancel")),
    ) == (1, 2)


@pytest.mark.parametrize("order_id", ["A 1042", "50%#7?", "A%2F1", "\u00c4-1", "..x"])
def test_whatever_id_an_evaluation_took_it_can_be_cancelled_by(
    harness: Harness, order_id: str
) -> None:
    harness.sandbox.decide("SUBMITTED")
    harness(lambda client: client.evaluate(**declined(order_id=order_id)))
    assert (
        harness(lambda client: client.orders.external_cancel(order_id)).external_order_id
        == order_id
    )
    assert harness.work(f"{order_id}/cancel") == 1


def test_what_was_captured_cannot_be_cancelled(harness: Harness) -> None:
    decision = harness(lambda client: client.evaluate(**declined()))
    with pytest.raises(BadRequest, match="cannot be cancelled") as raised:
        harness(lambda client: client.orders.cancel(decision.order_id))
    assert raised.value.outcome is Outcome.REJECTED
    with pytest.raises(NotFound):
        harness(lambda client: client.orders.external_cancel("INV-0"))


def test_all_orders_are_walked_whatever_the_page_size_is(harness: Harness) -> None:
    ids = [harness.sandbox.add_order(f"INV-{number}") for number in range(23)]
    assert [order.id for order in harness(lambda client: client.orders.list())] == ids
    assert len(harness.sent("orders")) == 3
    assert [
        order.id for order in harness(lambda client: client.orders.list(page_size=5, page=4))
    ] == ids[15:]


def test_orders_are_filtered(harness: Harness) -> None:
    harness.sandbox.add_order("INV-1")
    open_order = harness.sandbox.add_order("INV-2", status="CAPTUREREQUIRED")
    for status in ("capturerequired", 5, OrderStatus.CAPTUREREQUIRED, ["Problem", 5]):
        items = harness(lambda client, status=status: client.orders.list(status=status))
        assert [order.id for order in items] == [open_order]
    assert harness(lambda client: client.orders.list(query="inv-2"))[0].id == open_order
    assert harness(lambda client: client.orders.list(sort="desc"))[0].id == open_order
    with pytest.raises(PermissionDenied, match="Access to the requested resource is denied"):
        harness(lambda client: client.orders.list(mid=str(uuid.uuid4())))


def test_an_order_is_waited_for(harness: Harness) -> None:
    harness.sandbox.decide("SUBMITTED")
    decision = harness(lambda client: client.evaluate(**declined()))
    with pytest.raises(TimedOut, match="did not reach a final status within 0 s: it is Draft"):
        harness(lambda client: client.orders.wait(decision.order_id, timeout=0))
    assert (
        harness(
            lambda client: client.orders.wait(decision.order_id, until="draft", timeout=0)
        ).status
        == 0
    )
    harness.sandbox.settle("INV-1042", "APPROVED")
    order = harness(lambda client: client.orders.wait(decision.order_id))
    assert order.status is OrderStatus.COMPLETED
    with pytest.raises(TimedOut, match="did not reach the status"):
        harness(
            lambda client: client.orders.wait(decision.order_id, until=["Problem", 2], timeout=0)
        )


ENDS = {2: {3}, 6: {3}, 7: {3, 6}}
"""Declined, refunded, approved; and which of the eight numbers may follow."""


@pytest.mark.parametrize("status", range(10))
def test_which_ends_are_final(status: int) -> None:
    client, script = scripted(httpx.Response(200, json={"id": "o-1", "status": status}))
    for wanted in range(10):
        script.requests.clear()
        if wanted == status:
            assert client.orders.wait("o-1", until=wanted, timeout=0).status == status
            continue
        final = status in ENDS and wanted <= 7 and wanted not in ENDS[status]
        words = (
            f"so it can no longer be {OrderStatus(wanted).name}"
            if final
            else "did not reach the status"
        )
        with pytest.raises(Conflict if final else TimedOut, match=words):
            client.orders.wait("o-1", until=wanted, timeout=5 if final else 0)
    with pytest.raises(TimedOut):
        client.orders.wait(
            "o-1", until=[9 if status == 8 else 8, 0 if status == 1 else 1], timeout=0
        )


PAGE = (Path(__file__).resolve().parents[3] / "docs" / "flexfactor.md").read_text("utf-8")


@pytest.mark.parametrize("status", ["APPROVED", "CAPTUREREQUIRED", "CHALLENGE"])
def test_the_first_code_of_the_page_delivers_what_was_approved_only(
    sandbox: FlexFactorSandbox, status: str
) -> None:
    app_key, app_secret, mid = sandbox.add_client()
    sandbox.decide(status)
    sandbox.add_card(token="tok_77")
    done: list[Any] = []
    names = {
        "app_key": app_key,
        "app_secret": app_secret,
        "mid": mid,
        "declined_at": datetime(2026, 3, 4, tzinfo=UTC),
        "deliver": lambda: done.append("deliver"),
        "keep": lambda *kept: done.append(kept[1]),
        "url": sandbox.url,
    }
    first = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    exec(first.replace('environment="sandbox"', "base_url=url"), names)
    assert (
        done == {"APPROVED": ["deliver"], "CAPTUREREQUIRED": [], "CHALLENGE": ["CHALLENGE"]}[status]
    )
    assert sandbox.order_record("INV-1042")["captured"] == (0 if status == "CHALLENGE" else 4423)
