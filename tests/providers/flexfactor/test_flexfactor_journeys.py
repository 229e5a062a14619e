"""What a merchant does with FlexFactor, against its sandbox, blocking and awaited."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.providers.flexfactor.adapter import declined
from victor_ext import (
    idempotency_key_for,
)
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import OrderStatus

KEY = idempotency_key_for("invoice", 1042)


def test_a_declined_payment_is_rescued_and_part_of_it_given_back(harness):
    decision = harness.ask("evaluate", **declined(), idempotency_key=KEY)
    assert (decision.approved, decision.idempotency_key) == (True, KEY)
    part = Money.of("4.20", "USD")
    refund = harness.ask("orders.refund", decision.order_id, part, message="late")
    assert (refund.succeeded, refund.amount) == (True, part)
    record = harness.sandbox.order_record("INV-1042")
    assert (record["captured"], record["refunded"]) == (4423, 420)
    order = harness.ask("orders.get", decision.order_id)
    assert (order.status, order.external_order_id) == (OrderStatus.COMPLETED, "INV-1042")


def test_an_evaluation_with_another_key_is_another_charge(harness):
    first, again = (harness.ask("evaluate", **declined(), idempotency_key=KEY) for _ in range(2))
    assert (again.order_id, harness.work("INV-1042")) == (first.order_id, 1)
    other = harness.ask("evaluate", **declined())
    assert other.order_id != first.order_id
    assert harness.work("INV-1042") == 2
    assert harness.sandbox.work_done_by_key() == {KEY: 1, other.idempotency_key: 1}


@pytest.mark.parametrize("order_id", ["A 1042", "50%#7?", "A%2F1", "\u00c4-1", "..x"])
def test_an_order_can_be_cancelled_by_any_id_that_its_evaluation_took(harness, order_id):
    harness.sandbox.decide("SUBMITTED")
    harness.ask("evaluate", **declined(order_id=order_id))
    harness.ask("orders.external_cancel", order_id)
    assert harness.work(f"{order_id}/cancel") == 1


PAGE = (Path(__file__).resolve().parents[3] / "docs" / "flexfactor.md").read_text("utf-8")


@pytest.mark.parametrize("status", ["APPROVED", "CAPTUREREQUIRED", "CHALLENGE"])
def test_the_first_code_of_the_page_delivers_only_an_approved_order(sandbox, status):
    app_key, app_secret, mid = sandbox.add_client()
    sandbox.decide(status)
    sandbox.add_card(token="tok_77")
    done = []
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
