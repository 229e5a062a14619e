"""Looking for a request by the caller's reference: the window is from one clock, the provider's times from another."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.providers.victor.adapter import payment
from victor_ext import AsyncVictor, Victor, zulu
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.hours
HOURS = 3600.0


def ask(victor: Victor, reference: str = "INV-1042") -> Any:
    return victor.payment_requests.create(**payment(payer_counterparty_id="ignoresRfp", client_reference_id=reference))


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("skew", [-2.0, 2.0, -30.0, 600.0, -5 * HOURS, 5 * HOURS])
def test_what_was_made_after_this_machine_s_now_is_found(
    victor_sandbox: Sandbox, victor: Victor, async_victor: AsyncVictor, skew: float, is_new: bool
) -> None:
    """Two seconds are enough for a provider's clock to put the request before the caller's beginning.

    A client that is new learns the provider's clock from the first page that it reads, and begins anew.
    """
    victor_sandbox.set_clock_skew(skew)
    window: dict[str, Any] = {"start_datetime": zulu.now()}
    made = ask(victor)
    window["end_datetime"] = zulu.now()

    async def find() -> Any:
        async with async_victor:
            return await async_victor.payment_requests.find("INV-1042", **window)

    found = asyncio.run(find()) if is_new else victor.payment_requests.find("INV-1042", **window)
    assert [request.id for request in found] == [made.id]
    assert found.caveat == ""


def test_it_says_where_it_looked(victor_sandbox: Sandbox, victor: Victor) -> None:
    made = ask(victor)
    start, end = zulu.now() - timedelta(hours=1), zulu.now() + timedelta(hours=1)

    found = victor.payment_requests.find("INV-1042", start_datetime=start, end_datetime=end)

    assert found == [made]
    assert found.end is not None
    assert (start - found.start, found.end - end) == (timedelta(seconds=60), timedelta(seconds=60))
    assert found.read == len(victor_sandbox.requests())
    assert pickle.loads(pickle.dumps(found)).start == found.start


@pytest.mark.parametrize("listed", [" INV-1042 ", "INV-1042\n", "INV-1042"])
def test_blanks_around_a_reference_are_no_difference(victor_sandbox: Sandbox, victor: Victor, listed: str) -> None:
    """As `create` sees none, when it compares the reference that was sent with the one that comes back."""
    entry = {"victor_payment_request_id": "R1", "client_reference_id": listed}
    body = json.dumps({"page": 0, "results": [entry]})
    victor_sandbox.inject("status", operation="list", status=200, body=body)
    assert [request.id for request in victor.payment_requests.find("INV-1042", start_datetime=zulu.now())] == ["R1"]

    made = ask(victor, " INV-7")
    assert [request.id for request in victor.payment_requests.find("INV-7", start_datetime=zulu.now())] == [made.id]


@pytest.mark.victor_sandbox(demo_data=True)
def test_an_empty_result_says_what_it_does_not_prove(victor: Victor) -> None:
    start = datetime(2026, 3, 4, tzinfo=UTC)

    found = victor.payment_requests.find("INV-7", start_datetime=start)

    assert found == []
    assert found.caveat.startswith("None of the 2 requests from 2026-03-03T23:59:00Z on has this reference.")
    assert "does not prove" in found.caveat
    assert "the document does not say" in found.caveat


def test_a_window_at_the_end_of_the_calendar(victor: Victor) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert victor.payment_requests.find("INV-7", start_datetime=first, end_datetime=last) == []
