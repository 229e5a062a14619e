"""The time-outs of an attempt shrink with the deadline of the call, and what it waits for is told
from the wire.
"""

import asyncio
import threading
from contextlib import closing
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
from victor_api.client import Client

from tests.faults.raw_provider import RawProvider, answer, behave
from victor_ext import AttemptEnded, AttemptStarted, connect, connect_async
from victor_ext.runtime.core import clock as times
from victor_ext.runtime.core.clock import (
    LEAST,
    DeadlineTimeout,
    ServerClock,
    Timeouts,
    as_of_now,
    is_over,
)
from victor_ext.runtime.http import connections

BEGAN = 5_000.0
CONFIGURED = {"connect": 5.0, "read": 20.0, "pool": None}


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until `now` is set."""
    clock = SimpleNamespace(now=BEGAN)
    monkeypatch.setattr(times, "monotonic", lambda: clock.now)
    return clock


def test_a_shrinking_timeout_is_shared_by_its_parts_and_never_falls_to_zero(clock):
    left = DeadlineTimeout.until(BEGAN + 10, 10)
    over = {passed: [LEAST] * 3 for passed in (10.0, 9.9999, 11.0, 5_000.0)}
    for passed, seconds in {
        0: [10, 5, 2.5],
        3: [7, 3.5, 1.75],
        9.5: [0.5, 0.25, 0.125],
        **over,
    }.items():
        clock.now = BEGAN + passed
        assert [as_of_now(left, parts) for parts in (1, 2, 4)] == seconds
    clock.now = BEGAN + 3
    assert as_of_now(DeadlineTimeout.until(BEGAN + 10, 2), 2) == 2


@pytest.mark.parametrize("timeout", [None, 0.0, 0.25, 7])
def test_a_timeout_without_a_deadline_does_not_change(clock, timeout):
    clock.now += 1_000
    assert as_of_now(timeout) is timeout
    assert as_of_now(timeout, 3) is timeout
    assert not is_over(timeout)


class TestByStage:
    def test_the_timeouts_of_an_attempt_without_a_deadline_are_as_configured(self, clock):
        stages = Timeouts(CONFIGURED, lambda: None)
        assert [stages.get(stage) for stage in ("connect", "read", "pool", "write")] == [
            5.0,
            20.0,
            None,
            None,
        ]
        assert stages.get("write", 3.0) == 3.0

    def test_a_timeout_is_at_most_the_time_left_when_its_stage_begins(self, clock):
        stages = Timeouts(CONFIGURED, lambda: BEGAN + 12 - clock.now)
        assert [stages.get(stage) for stage in ("connect", "read", "pool")] == [5.0, 12.0, 9.0]
        clock.now += 9
        assert [stages.get(stage) for stage in ("connect", "read")] == [3.0, 3.0]
        assert stages.get("write", 2.0) == 2.0

    @pytest.mark.parametrize("left", [0.0, -3.0, LEAST / 2])
    def test_a_timeout_after_the_deadline_is_a_short_moment(self, clock, left):
        read = Timeouts(CONFIGURED, lambda: left).get("read")
        assert read == as_of_now(read) == pytest.approx(LEAST)


def test_time_that_is_skipped_leaves_the_providers_clock_alone():
    clock = ServerClock()
    clock.learn("Fri, 01 Jan 2027 00:00:00 GMT")
    provider = clock.now()
    monotonic = clock.monotonic()
    clock.skip(60.0)
    assert abs(clock.now() - provider) < 30
    assert clock.monotonic() - monotonic >= 60
    assert clock.provider_time().is_known


BLOCKED = 0.05
"""Seconds that the first call keeps the only connection once the second one has begun to wait for
it.
"""


@pytest.mark.parametrize("kind", [connect, connect_async])
def test_the_time_that_a_call_waits_for_the_only_connection_is_in_its_event(
    background, kind, monkeypatch
):
    """The response to `/slow` comes some time after another call has begun to wait."""
    monkeypatch.setattr(connections, "REUSE_DELAY", 0.0)
    held, ended = [], []
    arrived = threading.Event()

    def act(exchange):
        if exchange.request.path == "/slow":
            held.append(exchange)
            arrived.set()
        else:
            behave(exchange)

    def on_event(event):
        if isinstance(event, AttemptStarted) and event.path == "/quick" and held:
            background.do(partial(held.pop().later, BLOCKED, answer(b"{}")))
        if isinstance(event, AttemptEnded):
            ended.append(event)

    async def call_twice(url):
        limits = httpx.Limits(max_connections=1)
        client = kind(Client, base_url=url, limits=limits, on_event=on_event)
        awaited = kind is connect_async
        http = client.api.get_async_httpx_client() if awaited else client.api.get_httpx_client()
        call = http.get if awaited else partial(asyncio.to_thread, http.get)
        first = asyncio.create_task(call("/slow"))
        assert await asyncio.to_thread(arrived.wait, 5)
        await call("/quick")
        await first
        await call("/quick")
        await client.aclose() if awaited else client.close()

    with closing(RawProvider(background)) as provider:
        provider.instead = act
        asyncio.run(call_twice(provider.url()))
    slow, quick, again = ended
    assert slow.connecting
    assert slow.waited is not None
    assert slow.waited < BLOCKED < slow.seconds
    # the listener began the clock before
    assert BLOCKED / 2 <= (quick.waited or 0.0) <= quick.seconds
    assert (quick.connecting, again.connecting) == (0.0, 0.0)  # the kept connection
