"""Time that a test has stopped: waits, time-outs and deadlines go by a clock that is not."""

import asyncio

import freezegun
import httpx
import pytest
import time_machine
from paying import OPTIONS, credentials

from victor_ext import AsyncVictor, TimedOut, Victor

PENDING = {"victor_payment_request_id": "R1", "status": "pending"}
TRANSPORT = httpx.MockTransport(
    lambda _request: httpx.Response(200, json={"results": [PENDING], **PENDING})
)


def wait():
    with Victor(credentials(), transport=TRANSPORT, **OPTIONS) as victor:
        victor.payment_requests.wait("R1", timeout=1.0)


async def wait_awaited():
    async with AsyncVictor(credentials(), transport=TRANSPORT, **OPTIONS) as victor:
        await victor.payment_requests.wait("R1", timeout=1.0)


def travelling():
    return time_machine.travel("2026-03-04 12:00", tick=False)


def frozen():
    # Without `real_asyncio`, no `asyncio.sleep` ends, whoever calls it.
    return freezegun.freeze_time("2026-03-04 12:00", real_asyncio=True)


@pytest.mark.parametrize("stopped", [travelling, frozen])
@pytest.mark.parametrize(
    "waiting", [wait, lambda: asyncio.run(wait_awaited())], ids=["blocking", "awaited"]
)
def test_a_wait_times_out_though_the_test_has_stopped_the_clock(stopped, waiting):
    with stopped(), pytest.raises(TimedOut):
        waiting()
