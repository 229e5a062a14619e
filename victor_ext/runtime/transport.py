"""The attempt loop as an httpx transport, so that every generated operation goes through it."""

from __future__ import annotations

import httpx

from .answer import Answer
from .attempts import AttemptLoop
from .errors import ConfigurationError
from .flow import AsyncDriver, Driver, Flow


class _Guard:
    """What both transports check before a call: still open, and to the origin the token is for."""

    def __init__(self, loop: AttemptLoop, base_url: httpx.URL) -> None:
        self._loop = loop
        self._origin = (base_url.raw_scheme, base_url.raw_host, base_url.port)
        self.closed = False

    def call(self, request: httpx.Request) -> Flow[Answer]:
        if self.closed:
            raise ConfigurationError("This client has been closed: make a new one, or keep it open for longer.")
        url = request.url
        if (url.raw_scheme, url.raw_host, url.port) != self._origin:
            raise ConfigurationError(
                f"A request to {url.scheme}://{url.host} was stopped: the token of this client is for "
                f"{self._origin[0].decode()}://{self._origin[1].decode()} only. Use a client of its own for it."
            )
        return self._loop.call(request)


class AttemptTransport(httpx.BaseTransport):
    """Signs, sends, classifies, waits and tries again; raises typed errors.

    Args:
        loop: What decides.
        connections: The transport that has the sockets. It is closed with this one only if `owns` it.
        base_url: The one origin that may be called.
    """

    def __init__(
        self,
        loop: AttemptLoop,
        connections: httpx.BaseTransport,
        base_url: httpx.URL,
        *,
        owns: bool,
        driver: Driver,
    ) -> None:
        self._guard = _Guard(loop, base_url)
        self._connections = connections
        self._owns = owns
        self._driver = driver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One logical call. Raises `PaymentApiError`."""
        return self._driver.run(self._guard.call(request))

    def close(self) -> None:
        """Refuse further calls, and close the connections if they are this transport's own."""
        self._guard.closed = True
        if self._owns:
            self._connections.close()


class AsyncAttemptTransport(httpx.AsyncBaseTransport):
    """The same, awaited."""

    def __init__(
        self,
        loop: AttemptLoop,
        connections: httpx.AsyncBaseTransport,
        base_url: httpx.URL,
        *,
        owns: bool,
        driver: AsyncDriver,
    ) -> None:
        self._guard = _Guard(loop, base_url)
        self._connections = connections
        self._owns = owns
        self._driver = driver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One logical call. Raises `PaymentApiError`."""
        return await self._driver.run(self._guard.call(request))

    async def aclose(self) -> None:
        """Refuse further calls, and close the connections if they are this transport's own."""
        self._guard.closed = True
        if self._owns:
            await self._connections.aclose()
