"""The time that a call waits for a connection is told apart from the time on the wire, over real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from victor_api.client import Client

from tests.faults.raw_provider import Exchange, RawProvider, answer, behave
from tests.faults.raw_sockets import Background
from victor_ext import AttemptEnded, AttemptStarted, Event, connect, connect_async
from victor_ext.runtime.http import connection_pool

BLOCKED = 0.05
"""Seconds that the first call keeps the only connection once the second one has begun to wait for it."""


class OneAtATime:
    """A provider whose answer to `/slow` waits until another call has waited for the connection; and a listener."""

    def __init__(self, background: Background) -> None:
        self.provider, self.arrived = RawProvider(background), threading.Event()
        self.provider.instead = self.act
        self.ended: dict[str, list[AttemptEnded]] = {"/slow": [], "/quick": []}
        self._held: list[Exchange] = []

    def act(self, exchange: Exchange) -> None:
        if exchange.request.path == "/slow":
            self._held.append(exchange)
            self.arrived.set()
        else:
            behave(exchange)

    def on_event(self, event: Event) -> None:
        if isinstance(event, AttemptStarted) and event.path == "/quick" and self._held:
            self.provider.background.do(partial(self._held.pop().later, BLOCKED, answer(b"{}")))
        if isinstance(event, AttemptEnded):
            self.ended[event.path].append(event)


@pytest.fixture
def provider(background: Background) -> Iterator[OneAtATime]:
    made = OneAtATime(background)
    yield made
    made.provider.close()


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was just used is used again, and not closed for a new one."""
    monkeypatch.setattr(connection_pool, "REUSE_DELAY", 0.0)


@pytest.mark.parametrize("kind", [connect, connect_async])
def test_two_callers_and_one_connection(provider: OneAtATime, kind: Any) -> None:
    limits = httpx.Limits(max_connections=1)
    client = kind(Client, base_url=provider.provider.url(), limits=limits, on_event=provider.on_event)
    awaited = kind is connect_async
    http = client.api.get_async_httpx_client() if awaited else client.api.get_httpx_client()
    call = http.get if awaited else partial(asyncio.to_thread, http.get)

    async def run() -> None:
        first = asyncio.create_task(call("/slow"))
        assert await asyncio.to_thread(provider.arrived.wait, 5)
        await call("/quick")
        await first
        await call("/quick")
        await client.aclose() if awaited else client.close()

    asyncio.run(run())
    (slow,), (quick, again) = provider.ended["/slow"], provider.ended["/quick"]
    assert slow.connecting
    assert slow.waited is not None
    assert slow.waited < BLOCKED < slow.seconds
    assert BLOCKED / 2 <= (quick.waited or 0.0) <= quick.seconds  # the listener began the clock before
    assert (quick.connecting, again.connecting) == (0.0, 0.0)  # the kept connection


def test_a_transport_of_the_callers_own_tells_neither() -> None:
    events: list[Event] = []
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json={}))
    with connect(Client, base_url="http://localhost", transport=transport, on_event=events.append) as client:
        client.api.get_httpx_client().get("/")
    (ended,) = [event for event in events if isinstance(event, AttemptEnded)]
    assert (ended.waited, ended.connecting) == (None, None)
