"""Calls that go through an httpx client: the caller's own, or one that is used because httpx has been patched.

`originals` says when that is so.
"""

# httpcore encodes the names of hosts with this codec. It is loaded here, because a call imports nothing.
import encodings.idna  # noqa: F401 # pyright: ignore[reportUnusedImport] - see above
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.core.clock import BEGUN, MAY_HAVE_BEEN_SENT

from .from_httpx2 import AsyncClient, SyncClient, send, send_awaited

_OPTIONS: dict[str, Any] = {"stream": True, "auth": None, "follow_redirects": False}
"""The request is signed and its redirects are followed above; the body is read there, up to a limit."""
_Trace = Callable[[str, Mapping[str, Any]], None]


class ThroughClient(httpx.BaseTransport):
    """For blocking calls. `is_callers`: the client is the caller's, so its error "no connection" proves nothing."""

    def __init__(self, client: SyncClient, *, is_callers: bool = False) -> None:
        self._client, self._is_callers = client, is_callers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["trace"] = _begin(self._client, request, is_callers=self._is_callers)
        return send(self._client, request, **_OPTIONS)


class AsyncThroughClient(httpx.AsyncBaseTransport):
    def __init__(self, client: AsyncClient, *, is_callers: bool = False) -> None:
        self._client, self._is_callers = client, is_callers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = _begin(self._client, request, is_callers=self._is_callers)
        request.extensions["trace"] = _awaited(trace)
        return await send_awaited(self._client, request, **_OPTIONS)


def require_open(client: Any) -> None:
    """Raise `ConfigurationError` if a caller's client has been closed."""
    if client.is_closed:
        raise ConfigurationError("http_client has been closed: keep it open for as long as the client that uses it.")


def _begin(client: SyncClient | AsyncClient, request: httpx.Request, *, is_callers: bool) -> _Trace:
    """What is known of a request before it is sent. The function that is returned is httpcore's to call."""
    if is_callers:
        require_open(client)
    extensions = request.extensions
    extensions.pop(BEGUN, None)  # of an attempt over other connections
    extensions[MAY_HAVE_BEEN_SENT] = is_callers

    def trace(event: str, info: Mapping[str, Any]) -> None:
        # Whoever wraps the transport may send more than once, and end with an error of a connection.
        if event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            extensions[MAY_HAVE_BEEN_SENT] = True

    return trace


def _awaited(trace: _Trace) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    async def awaited(event: str, info: Mapping[str, Any]) -> None:
        trace(event, info)

    return awaited
