"""`max_concurrency`: calls wait for their turn, and what the late ones are told."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from victor_api.client import Client

from tests.faults.adapters import crowd
from victor_ext import CallEnded, ConfigurationError, DeadlineExceeded, Event, Outcome, connect
from victor_ext import connect_async as connect_awaited

URL = "http://localhost"
MOST = 3


class Waves:
    """Answers when `MOST` requests are there, and counts how many there are at a time."""

    def __init__(self) -> None:
        self.here = self.peak = self.total = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(MOST)

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.here += 1
            self.total += 1
            self.peak = max(self.peak, self.here)
        self._barrier.wait(5)
        with self._lock:
            self.here -= 1
        return httpx.Response(200, json={})


def over(provide: Callable[[httpx.Request], httpx.Response], *, awaited: bool) -> Any:
    """A transport whose answers are made in threads."""
    return httpx.MockTransport(partial(asyncio.to_thread, provide) if awaited else provide)


@pytest.mark.parametrize(("mode", "make"), [("sync", connect), ("async", connect_awaited)])
def test_callers_take_turns(mode: str, make: Any) -> None:
    waves = Waves()
    transport = over(waves, awaited=mode == "async")

    def get(client: Any, number: int) -> Any:
        api = (client if number % 2 else client.with_options(deadline=30.0)).api
        return (api.get_httpx_client() if mode == "sync" else api.get_async_httpx_client()).get("/")

    answers = crowd(
        mode,
        lambda: make(Client, base_url=URL, transport=transport, max_concurrency=MOST),
        get,
        range(12),
    )
    assert [each.status_code for each in answers] == [200] * 12
    assert (waves.peak, waves.total) == (MOST, 12)


def check_late(error: DeadlineExceeded, events: list[Event]) -> None:
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 0)
    assert "max_concurrency other calls were in progress" in str(error)
    assert "three quarters of the deadline of 0.08 s have passed" in str(error)
    assert str(error).endswith("This call was not sent, so it can be repeated.")
    (late,) = [event for event in events if isinstance(event, CallEnded) and event.path == "/late"]
    assert (late.error, late.attempts) == ("DeadlineExceeded", 0)
    assert 0.05 <= late.waited <= late.seconds


@pytest.mark.parametrize("make", [connect, connect_awaited])
def test_the_late_caller_is_told_that_nothing_was_sent(make: Any) -> None:
    arrived = threading.Event()
    may_go = threading.Event()
    paths = list[str]()
    events = list[Event]()
    awaited = make is connect_awaited

    def provide(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        arrived.set()
        assert may_go.wait(5)
        return httpx.Response(200, json={})

    def call(client: Any, method: str, path: str) -> Any:
        api = client.api
        if awaited:
            return api.get_async_httpx_client().request(method, path)
        return asyncio.to_thread(api.get_httpx_client().request, method, path)

    async def main() -> None:
        transport = over(provide, awaited=awaited)
        client = make(
            Client, base_url=URL, transport=transport, max_concurrency=1, on_event=events.append
        )
        first = asyncio.create_task(call(client, "GET", "/first"))
        assert await asyncio.to_thread(arrived.wait, 5)
        with pytest.raises(DeadlineExceeded) as raised:
            await call(client.with_options(deadline=0.08), "POST", "/late")
        check_late(raised.value, events)
        if awaited:  # a cancelled task gives up its turn
            gone = asyncio.create_task(call(client, "GET", "/gone"))
            await asyncio.sleep(0)
            for task in (gone, first):
                task.cancel()
            await asyncio.gather(gone, first, return_exceptions=True)
        may_go.set()
        await asyncio.gather(first, return_exceptions=awaited)
        await call(client, "GET", "/next")

    asyncio.run(main())
    assert paths == ["/first", "/next"]


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"], ids=repr)
def test_a_concurrency_below_one_is_refused(count: Any) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"max_concurrency=.* must be a whole number, 1 or more: None sets no",
    ):
        connect(Client, base_url=URL, max_concurrency=count)


class TestUserAgent:
    def test_a_user_agent_of_the_callers_comes_after_the_packages_own(self) -> None:
        seen: list[str] = []

        def provider(request: httpx.Request) -> httpx.Response:
            seen.append(request.headers["user-agent"])
            return httpx.Response(200, json={})

        transport = httpx.MockTransport(provider)
        with connect(
            Client, base_url=URL, transport=transport, user_agent="billing/2.3 (north)"
        ) as client:
            client.with_options(deadline=5.0).api.get_httpx_client().get("/")
        (agent,) = seen
        assert agent.startswith("victor-ext/")
        assert " billing/2.3 (north) httpx/" in agent

    @pytest.mark.parametrize("text", ["", "a\nb", "bücher/1", 1], ids=repr)
    def test_a_user_agent_that_cannot_be_sent_is_refused(self, text: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"user_agent.*user_agent='billing/2\.3'"):
            connect(Client, base_url=URL, user_agent=text)
