"""The attempt loop as an httpx transport, so that every generated operation goes through it."""

from __future__ import annotations

import httpx

from victor_ext.errors import ConfigurationError
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.flow import AsyncDriver, Driver, Flow

from .response import Response


class Guard:
    """What both transports check before a call: still open, and to the origin the token is for."""

    def __init__(self, loop: AttemptLoop, base_url: httpx.URL, original: Guard | None) -> None:
        self._loop = loop
        self._origin = (base_url.raw_scheme, base_url.raw_host, base_url.port)
        self._original = original
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it, or what its connections belong to, has been closed."""
        return self._closed or (self._original is not None and self._original.closed)

    def close(self) -> bool:
        """Refuse further calls; whether the connections are to be closed now."""
        first, self._closed = not self._closed, True
        return first and self._original is None

    def require_open(self) -> None:
        """Raises `ConfigurationError` once it is closed."""
        if self.closed:
            raise ConfigurationError("This client has been closed: make a new one, or keep it open for longer.")

    def call(self, request: httpx.Request) -> Flow[Response]:
        """The flow of one call, if it may be made. Raises `ConfigurationError`."""
        self.require_open()
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
        connections: The transport that has the sockets.
        base_url: The one origin that may be called.
        original: The transport that the connections belong to, when they are not this one's own: they are closed
            with it, and this one then calls no more either.
    """

    def __init__(
        self,
        loop: AttemptLoop,
        connections: httpx.BaseTransport,
        base_url: httpx.URL,
        *,
        driver: Driver,
        original: AttemptTransport | None = None,
    ) -> None:
        self.guard: Guard = Guard(loop, base_url, None if original is None else original.guard)
        self._connections = connections
        self._driver = driver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One logical call. Raises `VictorError`."""
        return self._driver.run(self.guard.call(request))

    def close(self) -> None:
        """Refuse further calls, and close the connections if they are this transport's own."""
        if self.guard.close():
            self._connections.close()


class AsyncAttemptTransport(httpx.AsyncBaseTransport):
    """The same, awaited."""

    def __init__(
        self,
        loop: AttemptLoop,
        connections: httpx.AsyncBaseTransport,
        base_url: httpx.URL,
        *,
        driver: AsyncDriver,
        original: AsyncAttemptTransport | None = None,
    ) -> None:
        self.guard: Guard = Guard(loop, base_url, None if original is None else original.guard)
        self._connections = connections
        self._driver = driver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One logical call. Raises `VictorError`."""
        return await self._driver.run(self.guard.call(request))

    async def aclose(self) -> None:
        """Refuse further calls, and close the connections if they are this transport's own."""
        if self.guard.close():
            await self._connections.aclose()
