"""Asking for money, from a call of ours to the sandbox's own record of it, over real sockets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.providers.victor.adapter import payment
from victor_ext import (
    BadRequest,
    InvalidRequest,
    Outcome,
    Victor,
    VictorError,
    idempotency_key_for,
)
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.hours


def invoice(number: int = 1042, **changes: Any) -> dict[str, Any]:
    """The arguments of a request for payment."""
    known = {"client_reference_id": f"INV-{number}", "idempotency_key": idempotency_key_for("invoice", number)}
    return payment(**{"payer_counterparty_id": "acme000001", "amount": Decimal("44.23"), **known, **changes})


THREE_DAYS = 3 * 86_400.0


def three_days_pass(sandbox: Sandbox, victor: Victor) -> None:
    """At the provider; and the client learns of it from any answer."""
    sandbox.set_clock_skew(THREE_DAYS)
    for _ in victor.payment_requests.list(page_size=1):
        break


@pytest.mark.parametrize("days_pass", [False, True], ids=["at once", "days after it was due"])
def test_a_lost_answer_that_stays_lost_is_unknown_and_can_be_settled(
    victor_sandbox: Sandbox, victor: Victor, days_pass: bool
) -> None:
    began, asked = datetime.now(UTC) - timedelta(seconds=5), invoice()
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    with pytest.raises(VictorError) as caught:
        victor.payment_requests.create(**asked)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.idempotency_key == idempotency_key_for("invoice", 1042)
    assert str(caught.value.idempotency_key) in str(caught.value)
    victor_sandbox.clear_faults()
    if days_pass:
        three_days_pass(victor_sandbox, victor)

    found = victor.payment_requests.find("INV-1042", start_datetime=began)
    repeated = victor.payment_requests.create(**asked)

    assert [request.id for request in found] == [repeated.id]
    assert [repeated.id] == [each["id"] for each in victor_sandbox.requests() if each["direction"] == "outbound"]
    assert victor_sandbox.work_done_by_key() == {caught.value.idempotency_key: 1}


def test_a_day_that_has_passed_is_refused_by_whoever_can_know(victor_sandbox: Sandbox, victor: Victor) -> None:
    """Without a key of the caller's it is no repeat, and is refused here; with one, by the provider."""
    asked = invoice()
    three_days_pass(victor_sandbox, victor)

    with pytest.raises(BadRequest) as refused:
        victor.payment_requests.create(**asked)
    assert (refused.value.outcome, refused.value.problems[0].field) == (Outcome.REJECTED, "payment_details.due_date")

    with pytest.raises(InvalidRequest, match=r"due_date .* is in the past"):
        victor.payment_requests.create(**{**asked, "idempotency_key": None})


@pytest.mark.victor_sandbox(quirks=True)
def test_what_the_provider_really_says_reads_as_what_it_documents(victor_sandbox: Sandbox, victor: Victor) -> None:
    request = victor.payment_requests.create(**invoice())
    victor_sandbox.move(str(request.id), "needs-review")

    for seen in (victor.payment_requests.get(str(request.id)), next(iter(victor.payment_requests.list()))):
        assert seen.direction in ("outbound", "inbound")
        assert seen.status in ("needs-review", "pending")
        assert seen.error_message is None
