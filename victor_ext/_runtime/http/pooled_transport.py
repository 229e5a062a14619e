"""The httpx transports that requests are sent with: over `ConnectionPool`, and through an httpx
client, each with blocking and with awaited calls.

An httpx client sends where httpx has been patched: `httpx_internals` says when. It keeps no
connection: a late second response would be read there as the response to the next call.

A cancelled task or a Ctrl-C may interrupt a call at any moment. So the clean-up never waits, and an
exchange loses its place and its connection at the latest when nothing refers to them.
"""

# httpcore encodes the names of hosts with this codec. It is loaded here, because a call imports
# nothing.
import encodings.idna  # noqa: F401 # pyright: ignore[reportUnusedImport] - see above
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from operator import call
from typing import Any

import anyio
import httpx

from victor_ext._flows import Calls, adrive, drive
from victor_ext._runtime.core.clock import BEGUN, MAY_HAVE_BEEN_SENT, TIMING, is_over
from victor_ext._runtime.core.locks import PerLoop, PerProcess, TaskPlace, ThreadLock, ThreadPlace
from victor_ext._runtime.core.response import TELLS_ITS_END
from victor_ext._runtime.http.streams import READ_BYTES, AsyncBackend, SyncBackend

from .connections import ConnectionPool, Lease, Route
from .httpx_internals import SENDING


class PooledTransport(httpx.BaseTransport):
    """For blocking calls. Safe to share between threads, and to use after a fork.

    `limits` are those of each process. `backend` opens connections in place of the system's
    sockets.
    """

    def __init__(
        self, route: Route, limits: httpx.Limits, backend: SyncBackend | None = None
    ) -> None:
        self.route = route
        backend = backend or SyncBackend()
        self._pools = PerProcess(lambda: ConnectionPool(route, limits, backend, ThreadLock))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send over the pool; or through an httpx client, if httpx has been patched."""
        if SENDING.are_replaced():
            client = httpx.Client(**_options_of_client(self.route))
            request.extensions["trace"] = _prepare(request)
            return client.send(request, **_OPTIONS)
        request.read()
        pool = self._pools.here()
        return drive(_exchange(request, self.route, pool, ThreadPlace(pool.lock)), call)

    def close(self) -> None:
        self._pools.here().close()


class AsyncPooledTransport(httpx.AsyncBaseTransport):
    """For awaited calls, in one event loop or in several.

    The arguments are those of `PooledTransport`.
    """

    def __init__(
        self, route: Route, limits: httpx.Limits, backend: AsyncBackend | None = None
    ) -> None:
        self.route = route
        backend = backend or AsyncBackend()
        self._pools = PerLoop(lambda: ConnectionPool(route, limits, backend, anyio.Semaphore))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As `PooledTransport.handle_request`."""
        if SENDING.are_replaced():
            client = httpx.AsyncClient(**_options_of_client(self.route))
            request.extensions["trace"] = _as_coroutine_function(_prepare(request))
            return await client.send(request, **_OPTIONS)
        await request.aread()
        request.extensions[BEGUN] = False
        pool = self._pools.here()
        return await adrive(_exchange(request, self.route, pool, TaskPlace(pool.lock)), call)

    async def aclose(self) -> None:
        """Close the connections of the running loop.

        Those of a loop that has ended are closed already.
        """
        self._pools.here().close()


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response, in pieces. `close` gives the connection back to the pool.

    `seconds` is the timeout of each read.
    """

    def __init__(self, lease: Lease, seconds: float | None) -> None:
        self._lease = lease
        self._seconds = seconds

    def __iter__(self) -> Iterator[bytes]:
        connection = self._lease.connection
        while connection is not None:
            piece = connection.parser.body()
            if piece is None:
                connection.parser.receive(connection.stream.read(READ_BYTES, self._seconds))
            elif piece:
                yield piece
            else:
                return

    def close(self) -> None:
        self._lease.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._lease.connection
        while connection is not None:
            piece = connection.parser.body()
            if piece is None:
                connection.parser.receive(await connection.stream.read(READ_BYTES, self._seconds))
            elif piece:
                yield piece
            else:
                return

    async def aclose(self) -> None:
        self._lease.end()


def _exchange(
    request: httpx.Request, route: Route, pool: ConnectionPool, place: ThreadPlace | TaskPlace
) -> Calls[httpx.Response]:
    """Send a request over a connection of the pool, and return its response with the body
    unread.
    """
    if not route.leads_to(request.url):
        raise httpx.UnsupportedProtocol(
            f"these connections do not lead to {request.url.scheme}://{request.url.host}"
        )
    timeouts: Mapping[str, Any] = request.extensions.get("timeout") or {}
    lease = Lease(place, pool)
    try:
        admitted = yield partial(place.acquire, timeouts.get("pool"))
        timing = request.extensions.get(TIMING)
        if timing is not None:
            timing.admitted()
        if not admitted:
            raise httpx.PoolTimeout("all connections are in use")
        head = yield from pool.exchange(lease, request, timeouts)
        extensions = {"http_version": b"HTTP/" + head.http_version, TELLS_ITS_END: True}
        body = _Body(lease, timeouts.get("read"))
        return httpx.Response(
            head.status_code, headers=head.fields, stream=body, extensions=extensions
        )
    except BaseException:
        lease.abandon()
        raise


def _options_of_client(route: Route) -> dict[str, Any]:
    """The options of an httpx client for one request over this route."""
    # For plain http the context is not used. It is one that trusts nobody.
    tls = route.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
    return {"verify": tls, "limits": limits, "proxy": route.proxy, "trust_env": False}


_OPTIONS: dict[str, Any] = {"stream": True, "auth": None, "follow_redirects": False}
"""The options of an httpx client's `send`. The attempt loop signs the request, and reads the body
up to a limit.
"""

_Trace = Callable[[str, Mapping[str, Any]], None]
"""What httpcore calls with the name of a step and its values (extension `trace`)."""


def _prepare(request: httpx.Request) -> _Trace:
    """Note on a request whether it may have been sent, now and as soon as httpcore begins to send.
    What is late then is not sent.

    Returns the function that httpcore is to call, as the extension `trace`.
    """
    extensions = request.extensions
    extensions.pop(BEGUN, None)  # an earlier attempt went over other connections
    extensions[MAY_HAVE_BEEN_SENT] = False

    def trace(event: str, info: Mapping[str, Any]) -> None:
        # Whoever wraps the transport may send more than once, and end with an error that says that
        # no connection could be made.
        if event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            timeouts: Mapping[str, Any] = extensions.get("timeout") or {}
            if is_over(timeouts.get("write")):
                raise httpx.ConnectTimeout("no time was left to send the request")
            extensions[MAY_HAVE_BEEN_SENT] = True

    return trace


def _as_coroutine_function(trace: _Trace) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """A trace as httpcore awaits it: where calls are awaited, it takes coroutine functions only."""

    async def trace_awaited(event: str, info: Mapping[str, Any]) -> None:
        trace(event, info)

    return trace_awaited
