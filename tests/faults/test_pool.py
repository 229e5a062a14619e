"""The pool of connections: its limits, its waits, and its end, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.faults.adapters import CALLERS, Observed, each_mode
from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import PATIENCE
from victor_ext import AsyncVictor, RetryPolicy, TimedOut, Victor, VictorOAuth
from victor_ext.runtime.http.options import route_to
from victor_ext.runtime.http.pooled_transport import AsyncPooledTransport, PooledTransport

pytestmark = pytest.mark.slow
AUTH = VictorOAuth("id", "not-a-secret")


class Holding:
    """Keeps exchanges from being answered, until they are let go."""

    def __init__(self, provider: RawProvider) -> None:
        self.provider = provider
        self.held: list[Exchange] = []

    def __call__(self, exchange: Exchange) -> None:
        self.held.append(exchange)
        self.provider.quiet.note()

    def wait_for(self, count: int) -> None:
        self.provider.quiet.wait_for(lambda: len(self.held) >= count, "the requests")

    def let_go(self) -> None:
        for exchange in self.held:
            self.provider.background.do(lambda exchange=exchange: exchange.send(answer(exchange.work())))


def calls(provider: RawProvider, mode: str, count: int, **limits: Any) -> list[Observed]:
    with closing(CALLERS[mode](provider.url(), limits=httpx.Limits(**limits))) as caller:
        return [caller.start("get", f"S{number}") for number in range(count)]


@each_mode
def test_one_that_was_idle_for_too_long_is_closed(provider: RawProvider, mode: str) -> None:
    observed = calls(provider, mode, 3, max_connections=1, keepalive_expiry=0.0)
    assert [each.word for each in observed] == ["success"] * 3
    assert provider.record.connections == 4  # the token's as well


@each_mode
def test_none_is_kept(provider: RawProvider, mode: str) -> None:
    calls(provider, mode, 3, max_keepalive_connections=0)
    assert provider.record.connections == 4


@each_mode
def test_a_client_that_is_closed_closes_its_connections(provider: RawProvider, mode: str) -> None:
    calls(provider, mode, 2)
    provider.quiet.wait_for(lambda: not provider.open, "connections of a client that was closed")


ONE_CONNECTION: dict[str, Any] = {
    "limits": httpx.Limits(max_connections=1),
    "timeout": httpx.Timeout(PATIENCE, pool=0.05),
    "retry": RetryPolicy(max_attempts=1),
}


def test_whoever_waits_in_vain_has_sent_nothing(provider: RawProvider) -> None:
    with Victor(AUTH, base_url=provider.url(), **ONE_CONNECTION) as victor:
        victor.payment_requests.get("S0")
        holding = Holding(provider)
        provider.acts.append(holding)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(victor.payment_requests.get, "S1")
            holding.wait_for(1)
            with pytest.raises(TimedOut, match="all connections are in use") as raised:
                victor.payment_requests.get("S2")
            assert raised.value.outcome.value == "not_sent"
            holding.let_go()
            assert first.result(PATIENCE).id == "S1"


def test_so_has_a_task(provider: RawProvider) -> None:
    async def run() -> None:
        async with AsyncVictor(AUTH, base_url=provider.url(), **ONE_CONNECTION) as victor:
            await victor.payment_requests.get("S0")
            holding = Holding(provider)
            provider.acts.append(holding)
            first = asyncio.create_task(victor.payment_requests.get("S1"))
            await asyncio.to_thread(holding.wait_for, 1)
            with pytest.raises(TimedOut, match="all connections are in use"):
                await victor.payment_requests.get("S2")
            await asyncio.to_thread(holding.let_go)
            assert (await first).id == "S1"

    asyncio.run(run())


def test_a_call_in_flight_ends_as_it_would_when_its_client_is_closed(provider: RawProvider) -> None:
    """Its response is on the way: the waiting caller gets the true result."""
    victor = Victor(AUTH, base_url=provider.url())
    victor.payment_requests.get("S0")
    holding = Holding(provider)
    provider.acts.append(holding)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(victor.payment_requests.get, "S1")
        holding.wait_for(1)
        victor.close()
        holding.let_go()
        assert call.result(PATIENCE).id == "S1"
    provider.quiet.wait_for(lambda: not provider.open, "connections of a client that was closed")


def elsewhere_blocking(url: str) -> None:
    with PooledTransport(route_to(httpx.URL(url), verify=True, proxy=None), httpx.Limits()) as transport:
        transport.handle_request(httpx.Request("GET", "http://localhost:1/"))


def elsewhere_awaited(url: str) -> None:
    async def run() -> None:
        async with AsyncPooledTransport(route_to(httpx.URL(url), verify=True, proxy=None), httpx.Limits()) as transport:
            await transport.handle_async_request(httpx.Request("GET", "http://localhost:1/"))

    asyncio.run(run())


@pytest.mark.parametrize("send", [elsewhere_blocking, elsewhere_awaited])
def test_no_other_origin_is_asked_over_them(provider: RawProvider, send: Callable[[str], None]) -> None:
    with pytest.raises(httpx.UnsupportedProtocol, match="do not lead to http://localhost"):
        send(provider.url())
    assert provider.record.connections == 0
