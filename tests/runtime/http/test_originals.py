"""Whoever replaces a function that httpx connects or sends with stands on our way, too."""

from __future__ import annotations

import gc
import socket
import warnings
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Any
from unittest import mock

import anyio
import pytest

from tests.faults.odd_servers import serving
from tests.security.recorder import ANSWER
from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt

OF_BOTH = ("h11:Connection.send",)
SEND = {
    "sync": (
        "httpx:Client.send", "httpx:Client._send_single_request", "httpx:HTTPTransport.handle_request",
        "httpcore:ConnectionPool.handle_request", "httpcore:HTTPConnection.handle_request",
        "httpcore:HTTP11Connection.handle_request", "httpcore:HTTP11Connection._send_event",
        "httpcore._backends.sync:SyncStream.write", *OF_BOTH,
    ),
    "awaited": (
        "httpx:AsyncClient.send", "httpx:AsyncHTTPTransport.handle_async_request",
        "httpcore:AsyncConnectionPool.handle_async_request", "httpcore:AsyncHTTPConnection.handle_async_request",
        "httpcore:AsyncHTTP11Connection.handle_async_request", "httpcore:AsyncHTTP11Connection._send_request_headers",
        *OF_BOTH,
    ),
    "asyncio": (
        "httpcore._backends.anyio:AnyIOStream.write", "anyio._backends._asyncio:SocketStream.send",
        "asyncio.selector_events:_SelectorSocketTransport.write",
    ),
    "trio": ("httpcore._backends.trio:TrioStream.write", "trio:SocketStream.send_all"),
}  # fmt: skip
CONNECT = {
    "sync": (
        "httpx:Client", "httpx:HTTPTransport.__init__", "httpx._client:HTTPTransport", "httpcore:ConnectionPool",
        "httpcore:ConnectionPool.create_connection", "httpcore:HTTPConnection._connect",
        "httpcore._sync.connection:HTTP11Connection", "httpcore:SyncBackend.connect_tcp", "socket:create_connection",
    ),
    "awaited": (
        "httpx:AsyncClient.__init__", "httpx:AsyncHTTPTransport.__init__", "httpcore:AsyncConnectionPool",
        "httpcore:AsyncHTTPConnection.__init__", "httpcore._backends.auto:AutoBackend.connect_tcp",
    ),
    "asyncio": (
        "httpcore:AnyIOBackend.connect_tcp", "anyio:connect_tcp", "asyncio:BaseEventLoop.create_connection",
        "asyncio:BaseEventLoop._connect_sock", "asyncio.selector_events:BaseSelectorEventLoop.sock_connect",
        "asyncio.selector_events:_SelectorSocketTransport.__init__",
        "anyio._backends._asyncio:AsyncIOBackend.connect_tcp", "asyncio:BaseEventLoop._create_connection_transport",
        "asyncio.selector_events:BaseSelectorEventLoop._make_socket_transport",
    ),
    "trio": ("httpcore:TrioBackend.connect_tcp", "trio:open_tcp_stream", "trio:SocketStream.__init__"),
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
CREDENTIALS = VictorJwt("key-1", sign=lambda _content: b"not a signature")
OPTIONS: dict[str, Any] = {"deadline": 5.0, "retry": RetryPolicy(max_attempts=1)}


def cases(kinds: dict[str, tuple[str, ...]]) -> Iterator[Any]:
    for mode in ("sync", "asyncio", "trio"):
        for place in kinds[mode] + (() if mode == "sync" else kinds["awaited"]):
            yield pytest.param(mode, place, id=f"{mode}-{place}")


class Provider:
    """Answers everything, in a thread that asyncio does not run."""

    url: str
    requests = 0

    def __call__(self, accepted: socket.socket) -> None:
        while accepted.recv(65536):
            self.requests += 1
            accepted.sendall(ANSWER)


@pytest.fixture(scope="module")
def listening() -> Iterator[Provider]:
    made = Provider()
    with serving(made) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made
    with warnings.catch_warnings(action="ignore"):  # what is stopped on httpx's way leaves its socket open
        gc.collect()


@pytest.fixture
def provider(listening: Provider) -> Provider:
    listening.requests = 0
    return listening


def call(mode: str, provider: Provider, *replaced: str) -> None:
    """A call; with the replaced, a second one of the same client."""
    if mode != "sync":
        return anyio.run(awaited, provider, *replaced, backend=mode)
    with Victor(CREDENTIALS, base_url=provider.url, **OPTIONS) as victor:
        victor.payment_requests.get("b34783af0")
        for place in replaced:
            with replacing(place):
                victor.payment_requests.get("b34783af0")
    return None


async def awaited(provider: Provider, *replaced: str) -> None:
    async with AsyncVictor(CREDENTIALS, base_url=provider.url, **OPTIONS) as victor:
        await victor.payment_requests.get("b34783af0")
        for place in replaced:
            with replacing(place):
                await victor.payment_requests.get("b34783af0")


class Stopped(Exception):
    pass


def stop(*_: object, **__: object) -> Any:
    raise Stopped


def replacing(place: str) -> Any:
    owner, _, name = place.replace(":", ".").rpartition(".")
    return mock.patch.object(resolve_name(owner), name, stop)


@pytest.mark.parametrize(("mode", "place"), [*cases(SEND), *cases(CONNECT)])
def test_a_new_connection_is_not_opened(provider: Provider, mode: str, place: str) -> None:
    with pytest.raises((Stopped, ExceptionGroup)), replacing(place):
        call(mode, provider)
    assert provider.requests == 0
    call(mode, provider)
    assert provider.requests == 1


@pytest.mark.parametrize(("mode", "place"), [*cases(SEND)])
def test_nothing_is_sent_on_a_kept_connection(provider: Provider, mode: str, place: str) -> None:
    with pytest.raises((Stopped, ExceptionGroup)):
        call(mode, provider, place)
    assert provider.requests == 1
