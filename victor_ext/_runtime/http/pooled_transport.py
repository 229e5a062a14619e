"""The httpx transports that requests are sent with: over `ConnectionPool`, and through an httpx
client, each with blocking and with awaited calls.

The httpx client is the caller's own, or one that is used because httpx has been patched:
`httpx_internals` says when.

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

import httpx

from victor_ext._flows import Calls, adrive, drive
from victor_ext._runtime.core.clock import BEGUN, MAY_HAVE_BEEN_SENT, TIMING, is_over
from victor_ext._runtime.core.locks import PerLoop, PerProcess, TaskPermit, ThreadPermit
from victor_ext._runtime.core.response import TELLS_ITS_END
from victor_ext._runtime.http.streams import READ_BYTES, AsyncBackend, SyncBackend
from victor_ext.errors import ConfigurationError

from .connections import ConnectionPool, Lease, Route
from .from_httpx2 import AsyncClient, SyncClient, send, send_awaited
from .httpx_internals import ASYNC, SYNC, ConnectsOtherwise


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
        self._pools = PerProcess(lambda: ConnectionPool(route, limits, backend))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send over the pool; or through a client of httpx or httpx2, if that has been patched."""
        library = SYNC.library_in_front()
        if library is None:
            request.read()
            pool = self._pools.here()
            permit = ThreadPermit(pool.semaphore)
            result = drive(_exchange(request, self.route, pool, permit), call)
            if isinstance(result, httpx.Response):
                return result
            library = result
        client = _one_request_client(library, "Client", self.route)
        return ThroughClient(client).handle_request(request)

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
        self._pools = PerLoop(lambda: ConnectionPool(route, limits, backend))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send over the pool; or through a client of httpx or httpx2, if that has been patched."""
        library = ASYNC.library_in_front()
        if library is None:
            await request.aread()
            request.extensions[BEGUN] = False
            pool = self._pools.here()
            permit = TaskPermit(pool.semaphore)
            result = await adrive(_exchange(request, self.route, pool, permit), call)
            if isinstance(result, httpx.Response):
                return result
            library = result
        client = _one_request_client(library, "AsyncClient", self.route)
        return await AsyncThroughClient(client).handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections of the running loop.

        Those of a loop that has ended are closed already.
        """
        pool = self._pools.here_already()
        if pool is not None:
            pool.close()


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
    request: httpx.Request, route: Route, pool: ConnectionPool, permit: Any
) -> Calls[Any]:
    """Send a request over a connection of the pool, and return its response with the body unread.

    Or return the library (httpx or httpx2) to send the request with, if what that library connects
    with has been replaced. Nothing was sent then.
    """
    if not route.leads_to(request.url):
        raise httpx.UnsupportedProtocol(
            f"these connections do not lead to {request.url.scheme}://{request.url.host}"
        )
    timeouts: Mapping[str, Any] = request.extensions.get("timeout") or {}
    lease = Lease(permit, pool)
    try:
        admitted = yield partial(permit.acquire, timeouts.get("pool"))
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
    except ConnectsOtherwise as otherwise:
        lease.abandon()
        return otherwise.args[0]
    except BaseException:
        lease.abandon()
        raise


def _one_request_client(library: Any, name: str, route: Route) -> Any:
    """A client of httpx or httpx2 for one request over this route; `name` is that of its class.

    It keeps no connection: a late second response would be read there as the response to the next
    call.
    """
    proxy = route.proxy
    limits = library.Limits(max_connections=1, max_keepalive_connections=0)
    if proxy is not None:
        headers = proxy.headers.raw
        proxy = library.Proxy(
            str(proxy.url), auth=proxy.auth, headers=headers, ssl_context=route.proxy_tls
        )
    # For plain http the context is not used. It is one that trusts nobody.
    tls = route.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return getattr(library, name)(verify=tls, limits=limits, proxy=proxy, trust_env=False)


_OPTIONS: dict[str, Any] = {"stream": True, "auth": None, "follow_redirects": False}
"""The options of an httpx client's `send`. The attempt loop signs the request, follows redirects,
and reads the body up to a limit.
"""
_Trace = Callable[[str, Mapping[str, Any]], None]
"""What httpcore calls with the name of a step and its values (extension `trace`)."""


class ThroughClient(httpx.BaseTransport):
    """Sends through an httpx client, with blocking calls.

    `is_callers`: the client is the caller's, whose mounts and hooks may send before an error says
    that no connection could be made. So that error proves nothing.
    """

    def __init__(self, client: SyncClient, *, is_callers: bool = False) -> None:
        self._client = client
        self._is_callers = is_callers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["trace"] = _prepare(self._client, request, is_callers=self._is_callers)
        return send(self._client, request, **_OPTIONS)


class AsyncThroughClient(httpx.AsyncBaseTransport):
    def __init__(self, client: AsyncClient, *, is_callers: bool = False) -> None:
        self._client = client
        self._is_callers = is_callers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = _prepare(self._client, request, is_callers=self._is_callers)
        request.extensions["trace"] = _as_coroutine_function(trace)
        return await send_awaited(self._client, request, **_OPTIONS)


def require_open(client: Any) -> None:
    """Raise `ConfigurationError` if a caller's client has been closed."""
    if client.is_closed:
        raise ConfigurationError(
            "http_client has been closed: keep it open for as long as the client that uses it."
        )


def _prepare(
    client: SyncClient | AsyncClient, request: httpx.Request, *, is_callers: bool
) -> _Trace:
    """Note on a request whether it may have been sent, now and as soon as httpcore begins to send.
    What is late then is not sent.

    Returns the function that httpcore is to call, as the extension `trace`. Raises
    `ConfigurationError` if the caller's client has been closed.
    """
    extensions = request.extensions
    extensions.pop(BEGUN, None)  # an earlier attempt went over other connections
    extensions[MAY_HAVE_BEEN_SENT] = False
    if is_callers:
        require_open(client)
        extensions[MAY_HAVE_BEEN_SENT] = True

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
