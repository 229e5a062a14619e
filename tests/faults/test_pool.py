"""The pool of connections: its limits, its waits, and its end, over real sockets."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import httpx
import pytest

from tests.faults.adapters import CALLERS, Observed, each_mode
from tests.faults.raw_provider import Exchange, RawProvider, answer
from tests.faults.raw_sockets import PATIENCE
from victor_ext import AsyncVictor, RetryPolicy, TimedOut, Victor, VictorOAuth
from victor_ext.runtime.http import connection_pool
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
@pytest.mark.parametrize(
    "limits", [{"max_connections": 1, "keepalive_expiry": 0.0}, {"max_keepalive_connections": 0}], ids=str
)
def test_one_that_may_not_be_kept_or_not_for_so_long_is_closed(provider: RawProvider, mode: str, limits: Any) -> None:
    assert [each.word for each in calls(provider, mode, 3, **limits)] == ["success"] * 3
    assert provider.record.connections == 4  # the token's as well


@each_mode
@pytest.mark.parametrize("limits", [{"max_connections": 4}, {"max_keepalive_connections": 4}], ids=str)
def test_at_its_limit_it_keeps_those_that_have_rested(
    provider: RawProvider, mode: str, limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five writes come in a rest. Of four connections, the newest makes room; the others serve half of the writes."""
    monkeypatch.setattr(connection_pool, "REUSE_DELAY", 5.0)
    monkeypatch.setattr(connection_pool, "monotonic", lambda: float(len(provider.record.requests)))
    with closing(CALLERS[mode](provider.url(), limits=httpx.Limits(keepalive_expiry=None, **limits))) as caller:
        assert {caller.start("create", f"S{number}").word for number in range(55)} == {"success"}
    assert provider.record.connections == 26


def test_one_that_comes_back_when_all_are_kept_is_closed(provider: RawProvider, monkeypatch: Any) -> None:
    now = 0.0
    monkeypatch.setattr(connection_pool, "monotonic", lambda: now)
    url, limits = httpx.URL(provider.url()), httpx.Limits(max_keepalive_connections=1)
    provider.instead = lambda exchange: exchange.send(answer(b"{}"))
    with PooledTransport(route_to(url, verify=True, proxy=None), limits) as transport:
        for response in [transport.handle_request(httpx.Request("POST", url)) for _ in range(2)]:
            response.read()
            response.close()
            now += connection_pool.REUSE_DELAY * 0.6
        transport.handle_request(httpx.Request("POST", url)).close()
    assert provider.record.connections == 2


@each_mode
def test_a_client_that_is_closed_closes_its_connections(provider: RawProvider, mode: str) -> None:
    calls(provider, mode, 2)
    provider.quiet.wait_for(lambda: not provider.open, "connections of a client that was closed")


ONE_CONNECTION: dict[str, Any] = {
    "limits": httpx.Limits(max_connections=1),
    "timeout": httpx.Timeout(PATIENCE, pool=0.05),
    "retry": RetryPolicy(max_attempts=1),
}


@pytest.mark.parametrize("kind", [Victor, AsyncVictor])
def test_whoever_waits_in_vain_has_sent_nothing(provider: RawProvider, kind: Any) -> None:
    client: Any = kind(AUTH, base_url=provider.url(), **ONE_CONNECTION)
    given = client.payment_requests.get
    get = given if kind is AsyncVictor else partial(asyncio.to_thread, given)

    async def run() -> None:
        await get("S0")
        holding = Holding(provider)
        provider.acts.append(holding)
        first = asyncio.create_task(get("S1"))
        await asyncio.to_thread(holding.wait_for, 1)
        with pytest.raises(TimedOut, match="all connections are in use") as raised:
            await get("S2")
        assert raised.value.outcome.value == "not_sent"
        await asyncio.to_thread(holding.let_go)
        assert (await first).id == "S1"
        await client.close() if kind is AsyncVictor else client.close()

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


@pytest.mark.parametrize("kind", [PooledTransport, AsyncPooledTransport])
def test_no_other_origin_is_asked_over_them(provider: RawProvider, kind: Any) -> None:
    request = httpx.Request("GET", "http://localhost:1/")
    transport = kind(route_to(httpx.URL(provider.url()), verify=True, proxy=None), httpx.Limits())
    with pytest.raises(httpx.UnsupportedProtocol, match="do not lead to http://localhost"):
        transport.handle_request(request) if kind is PooledTransport else asyncio.run(
            transport.handle_async_request(request)
        )
    assert provider.record.connections == 0
