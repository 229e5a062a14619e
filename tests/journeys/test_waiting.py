"""`wait` takes no longer than it was told to, also where the provider does not answer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from victor_ext import AsyncVictor, DeadlineExceeded, TimedOut, Victor
from victor_ext.sandbox import Sandbox

FAR_BELOW_THE_DEADLINE = 20.0


@pytest.fixture
def request_id(victor_sandbox: Sandbox, victor: Victor) -> str:
    """A request that can no longer be read: the provider is silent about it."""
    made = victor.payment_requests.create(
        payee_account_number="043987673645",
        payer_counterparty_id="acme000001",
        amount="44.23",
        biller_type="BUSINESS",
        due_date=datetime.now(UTC).date(),
    )
    victor_sandbox.inject("stall", operation="get", times=None)
    return made.id


def test_a_silent_provider_does_not_keep_it_for_the_whole_deadline(victor: Victor, request_id: str) -> None:
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"did not reach a final status within 0\.1 s: it could not be read") as raised:
        victor.payment_requests.wait(request_id, timeout=0.1)
    assert time.monotonic() - began < FAR_BELOW_THE_DEADLINE
    assert isinstance(raised.value.__cause__, DeadlineExceeded)


def test_nor_where_it_is_awaited(async_victor: AsyncVictor, request_id: str) -> None:
    async def wait() -> None:
        async with async_victor as victor:
            await victor.payment_requests.wait(request_id, timeout=0.1)

    began = time.monotonic()
    with pytest.raises(TimedOut, match="did not reach a final status"):
        asyncio.run(wait())
    assert time.monotonic() - began < FAR_BELOW_THE_DEADLINE


def test_a_deadline_that_is_shorter_still_counts(victor: Victor, request_id: str) -> None:
    with pytest.raises(TimedOut) as raised:
        victor.with_options(deadline=0.1).payment_requests.wait(request_id, timeout=0.5)
    assert "the deadline of 0.1 s" in str(raised.value.__cause__)
