"""Transports that send with an httpx client: its connections, its hooks, and whatever stands in front of it."""

from __future__ import annotations

from typing import Any

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.loop.profile import MAY_HAVE_BEEN_SENT

_OPTIONS: dict[str, Any] = {"stream": True, "auth": None, "follow_redirects": False}
"""The request is signed and its redirects are followed above; the body is read there, up to a limit."""


class ThroughClient(httpx.BaseTransport):
    """For blocking calls.

    Args:
        client: The client.
        is_callers: Whether it is the caller's own. Then its transport may be any: that no connection was made proves
            nothing, and who has made the client closes it.
    """

    def __init__(self, client: httpx.Client, *, is_callers: bool = False) -> None:
        self._client, self._is_callers = client, is_callers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request once. Raises httpx's errors, and those of what stands in front."""
        require_open(self._client)
        request.extensions[MAY_HAVE_BEEN_SENT] = self._is_callers
        return self._client.send(request, **_OPTIONS)

    def close(self) -> None:
        """Close the client unless it is the caller's."""
        if not self._is_callers:
            self._client.close()


class AsyncThroughClient(httpx.AsyncBaseTransport):
    """The same, awaited."""

    def __init__(self, client: httpx.AsyncClient, *, is_callers: bool = False) -> None:
        self._client, self._is_callers = client, is_callers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request once. Raises httpx's errors, and those of what stands in front."""
        require_open(self._client)
        request.extensions[MAY_HAVE_BEEN_SENT] = self._is_callers
        return await self._client.send(request, **_OPTIONS)

    async def aclose(self) -> None:
        """Close the client unless it is the caller's."""
        if not self._is_callers:
            await self._client.aclose()


def require_open(client: httpx.Client | httpx.AsyncClient) -> None:
    """Raise `ConfigurationError` if a client has been closed."""
    if client.is_closed:
        raise ConfigurationError("http_client has been closed: keep it open for as long as the client that uses it.")
