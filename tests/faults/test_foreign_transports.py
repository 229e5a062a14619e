"""Why a transport of pyreqwest is refused: it says "not connected" of a request that was received whole.

When one of these tests fails, a newer pyreqwest tells the two apart, and the refusal can be looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pyreqwest.compatibility.httpx import HttpxTransport, SyncHttpxTransport

from tests.faults.raw_provider import Exchange, RawProvider
from tests.faults.raw_sockets import Background
from victor_ext import AsyncVictor, ConfigurationError, Victor, VictorOAuth


@pytest.fixture
def provider(background: Background) -> Iterator[RawProvider]:
    provider = RawProvider(background)
    yield provider
    provider.close()


ENDS: dict[str, tuple[Callable[[Exchange], None], type[Exception]]] = {
    "closed": (lambda exchange: exchange.end("close"), httpx.ConnectError),
    "reset": (lambda exchange: exchange.end("reset"), httpx.ConnectError),
    "no answer in time": (lambda _exchange: None, httpx.ConnectTimeout),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_says_that_nothing_was_sent_after_all_was(provider: RawProvider, end: str) -> None:
    received: list[bytes] = []

    def act(exchange: Exchange) -> None:
        received.append(exchange.request.body)
        ENDS[end][0](exchange)

    provider.instead = act
    with httpx.Client(transport=SyncHttpxTransport(), timeout=0.1) as client, pytest.raises(ENDS[end][1]):
        client.post(f"{provider.url()}/v2/anything", content=b"the whole request")
    assert received == [b"the whole request"]


class OwnTransport(SyncHttpxTransport):
    pass


@pytest.mark.parametrize(
    ("client", "transport"),
    [(Victor, SyncHttpxTransport), (Victor, OwnTransport), (AsyncVictor, HttpxTransport)],
)
def test_so_it_is_refused(client: Any, transport: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"transport: pyreqwest .* asked for again"):
        client(VictorOAuth("id", "not-a-secret"), transport=transport())
