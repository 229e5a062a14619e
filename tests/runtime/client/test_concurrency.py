"""`max_concurrency`: calls wait for their turn, and what the late ones are told."""

import asyncio
import threading
from contextlib import closing
from functools import partial

import httpx
import pytest
from victor_api.client import Client

from tests.faults.adapters import crowd
from tests.providers.running import Running
from victor_ext import CallEnded, ConfigurationError, DeadlineExceeded, Outcome, connect
from victor_ext import connect_async as connect_awaited

URL = "http://localhost"
MOST = 3


class Waves:
    """Answers when `MOST` requests are there, and counts how many there are at a time."""

    def __init__(self):
        self.here = self.peak = self.total = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(MOST)

    def __call__(self, _request):
        with self._lock:
            self.here += 1
            self.total += 1
            self.peak = max(self.peak, self.here)
        self._barrier.wait(5)
        with self._lock:
            self.here -= 1
        return httpx.Response(200, json={})


each_kind = pytest.mark.parametrize("kind", [connect, connect_awaited])


@each_kind
def test_no_more_calls_run_at_once_than_max_concurrency_allows(kind):
    waves = Waves()
    awaited = kind is connect_awaited
    transport = httpx.MockTransport(partial(asyncio.to_thread, waves) if awaited else waves)
    make = partial(kind, Client, base_url=URL, transport=transport, max_concurrency=MOST)

    def get(client, number):
        # Every other call is that of a copy, which shares the limit.
        return (client if number % 2 else client.with_options(deadline=30.0)).http.get("/")

    answers = crowd("async" if awaited else "sync", make, get, range(12))
    assert [each.status_code for each in answers] == [200] * 12
    assert (waves.peak, waves.total) == (MOST, 12)


class Meanwhile(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Makes a late call before it answers the first one, and keeps what that raises."""

    def __init__(self, call_late):
        self.call_late = call_late
        self.raised = None
        self.paths = []

    def handle_request(self, request):
        self.paths.append(request.url.path)
        if request.url.path == "/first":
            with pytest.raises(DeadlineExceeded) as self.raised:
                self.call_late()
        return httpx.Response(200, json={})

    async def handle_async_request(self, request):
        self.paths.append(request.url.path)
        if request.url.path == "/first":
            with pytest.raises(DeadlineExceeded) as self.raised:
                await self.call_late()
        return httpx.Response(200, json={})


@each_kind
def test_a_call_that_waits_too_long_for_its_turn_is_told_as_not_sent(kind):
    events = []
    busy = Meanwhile(lambda: on.client.with_options(deadline=0.08).http.post("/late"))
    options = {"base_url": URL, "transport": busy, "max_concurrency": 1}
    make = partial(kind, Client, on_event=events.append, **options)
    with closing(Running(make, awaited=kind is connect_awaited)) as on:
        for path in ("/first", "/next"):
            on.result(lambda path=path: on.client.http.get(path))
    assert busy.paths == ["/first", "/next"]
    error = busy.raised.value
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 0)
    assert "max_concurrency other calls were in progress" in str(error)
    assert "three quarters of the deadline of 0.08 s have passed" in str(error)
    assert str(error).endswith("This call was not sent, so it can be repeated.")
    (late,) = [event for event in events if isinstance(event, CallEnded) and event.path == "/late"]
    assert (late.error, late.attempts) == ("DeadlineExceeded", 0)
    assert 0.05 <= late.waited <= late.seconds


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"], ids=repr)
def test_a_concurrency_that_is_no_whole_number_above_zero_is_refused(count):
    with pytest.raises(
        ConfigurationError,
        match=r"max_concurrency=.* must be a whole number, 1 or more: None sets no",
    ):
        connect(Client, base_url=URL, max_concurrency=count)


class TestUserAgent:
    def test_a_user_agent_of_the_callers_comes_after_the_packages_own(self):
        seen = []

        def provider(request):
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
    def test_a_user_agent_that_cannot_be_sent_is_refused(self, text):
        with pytest.raises(ConfigurationError, match=r"user_agent.*user_agent='billing/2\.3'"):
            connect(Client, base_url=URL, user_agent=text)
