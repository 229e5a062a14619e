"""The time that a call waits for a connection is told apart from the time on the wire, over real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from victor_api.client import Client

from victor_ext import AttemptEnded, AttemptStarted, Event, connect, connect_async
from victor_ext.runtime.http import connection_pool

BLOCKED = 0.05
"""Seconds that the first call keeps the only connection once the second one has begun to wait for it."""


class OneAtATime:
    """A provider whose answer to `/slow` waits until it may go, and a listener that starts that clock."""

    def __init__(self) -> None:
        self.arrived, self.may_go = threading.Event(), threading.Event()
        self.ended: dict[str, list[AttemptEnded]] = {"/slow": [], "/quick": []}

    def on_event(self, event: Event) -> None:
        if isinstance(event, AttemptStarted) and event.path == "/quick" and not self.may_go.is_set():
            threading.Timer(BLOCKED, self.may_go.set).start()
        if isinstance(event, AttemptEnded):
            self.ended[event.path].append(event)


@pytest.fixture
def provider() -> OneAtATime:
    return OneAtATime()


@pytest.fixture
def url(provider: OneAtATime) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/slow":
                provider.arrived.set()
                provider.may_go.wait(5)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def check(provider: OneAtATime) -> None:
    (slow,), (quick, again) = provider.ended["/slow"], provider.ended["/quick"]
    assert slow.connecting is not None
    assert slow.waited is not None
    assert slow.connecting > 0
    assert slow.waited < BLOCKED < slow.seconds
    assert quick.waited is not None
    assert BLOCKED <= quick.waited <= quick.seconds
    assert (quick.connecting, again.connecting) == (0.0, 0.0)  # the kept connection


LIMITS = httpx.Limits(max_connections=1)


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was just used is used again, and not closed for a new one."""
    monkeypatch.setattr(connection_pool, "REUSE_DELAY", 0.0)


def test_two_threads_and_one_connection(url: str, provider: OneAtATime) -> None:
    with connect(Client, base_url=url, limits=LIMITS, on_event=provider.on_event) as client:
        http = client.api.get_httpx_client()
        first = threading.Thread(target=http.get, args=["/slow"])
        first.start()
        assert provider.arrived.wait(5)
        http.get("/quick")
        first.join()
        http.get("/quick")
    check(provider)


def test_two_tasks_and_one_connection(url: str, provider: OneAtATime) -> None:
    asyncio.run(_two_tasks(url, provider))
    check(provider)


async def _two_tasks(url: str, provider: OneAtATime) -> None:
    async with connect_async(Client, base_url=url, limits=LIMITS, on_event=provider.on_event) as client:
        http = client.api.get_async_httpx_client()
        first = asyncio.create_task(http.get("/slow"))
        assert await asyncio.to_thread(provider.arrived.wait, 5)
        await http.get("/quick")
        await first
        await http.get("/quick")


def test_a_transport_of_the_callers_own_tells_neither() -> None:
    events: list[Event] = []
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json={}))
    with connect(Client, base_url="http://localhost", transport=transport, on_event=events.append) as client:
        client.api.get_httpx_client().get("/")
    (ended,) = [event for event in events if isinstance(event, AttemptEnded)]
    assert (ended.waited, ended.connecting) == (None, None)
