"""The connections of a client to the one origin that it calls, direct or through an HTTP proxy.

All of it is steps, without I/O, so the blocking and the async client share it. `Route` opens a
connection and addresses a request, `exchange` sends one over HTTP/1.1, and `ConnectionPool` keeps
the connections. An exchange that does not complete (error, cancellation, Ctrl-C) closes its
connection: its late response would be read as the response to the next request.
"""

from __future__ import annotations

import ssl
import threading
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import httpx
from msgspec import field

from victor_ext._flows import Calls
from victor_ext._privacy import SecretBytes
from victor_ext._runtime.core.clock import (
    ALLOW_IMMEDIATE_REUSE,
    BEGUN,
    REUSED_IMMEDIATELY,
    TIMING,
    is_over,
    monotonic,
)
from victor_ext._runtime.core.locks import TaskPlace, ThreadPlace
from victor_ext._runtime.http.parser import Head, Parser
from victor_ext._runtime.http.streams import READ_BYTES, show_cut_connections
from victor_ext._values.opaque import FrozenOpaque, Opaque

PORTS = {"http": 80, "https": 443}


def origin_of(url: httpx.URL) -> tuple[bytes, bytes, int | None]:
    """Scheme, host and port of a URL; the port is None for the scheme's own."""
    return url.raw_scheme, url.raw_host, url.port


class UnsolicitedData(Exception):
    """Bytes, or the end of the connection, arrived before a request was written.

    Nothing was written.
    """


class Connection(Opaque):
    """A connection: its stream, and the parser of the bytes that it brings."""

    stream: Any = None  # until it has been opened
    parser: Parser = field(default_factory=Parser)
    idle_since: float = 0.0  # when its last exchange ended, by the monotonic clock
    # its last response was no good one, such as a gateway's time-out: a later one may follow
    is_doubtful: bool = False
    # a request was not written whole: the server may take the next one for the rest of it
    is_spoilt: bool = False

    def abort(self) -> None:
        if self.stream is not None:
            self.stream.abort()

    def begin_again(self) -> bool:
        """Make the connection ready for another exchange.

        Returns False if the last exchange has not ended, or more bytes have come.
        """
        return not self.is_spoilt and self.parser.begin_again()


def exchange(
    connection: Connection, request: httpx.Request, message: memoryview, timeouts: Any
) -> Calls[Head]:
    """Send a request, whose bytes are the message, and read the head of its response.

    Raises `UnsolicitedData` if bytes came before, and `httpx.ConnectTimeout` if it is too late to
    send the request: nothing was sent.
    """
    parser = connection.parser
    stream = connection.stream
    seconds = timeouts.get("write")
    request.extensions[BEGUN] = True
    try:
        # In one piece, so that whatever came before that moment is certainly no response to this
        # request.
        yield lambda: _write(stream, message, seconds)
    except (UnsolicitedData, httpx.ConnectTimeout):
        request.extensions[BEGUN] = False
        raise
    except httpx.WriteError:  # a server that closes early may have sent a response before
        connection.is_spoilt = True
    # Not under the name `seconds`: the step that writes reads that name when it runs.
    read_seconds = timeouts.get("read")
    while (head := parser.head()) is None:
        received = yield lambda: stream.read(READ_BYTES, read_seconds)
        parser.receive(received)
    return head


def _write(stream: Any, message: memoryview, seconds: float | None) -> Any:
    """Write a request; but raise, and write nothing, if bytes can be read or if it is too late."""
    try:
        unread = stream.unread()
    except httpx.ReadError as error:
        raise UnsolicitedData(str(error)) from error
    if unread is not None:
        raise UnsolicitedData("data arrived" if unread else "the connection was closed")
    # Last of all: the machine may have been suspended at any moment before.
    if is_over(seconds):
        raise httpx.ConnectTimeout("no time was left to send the request")
    return stream.write(message, seconds)


class Route(FrozenOpaque, frozen=True):
    """How connections are opened, and how requests on them are addressed.

    Plain http needs no TLS context, and goes through no proxy.
    """

    origin: httpx.URL
    tls: ssl.SSLContext | None
    proxy: httpx.Proxy | None = None

    @property
    def proxy_place(self) -> str | None:
        """Host and port of the proxy, without user and password; None without a proxy."""
        return None if self.proxy is None else _place(self.proxy.url)

    def leads_to(self, url: httpx.URL) -> bool:
        """Whether a URL has the origin of this route."""
        return origin_of(url) == origin_of(self.origin)

    def open(self, connection: Connection, backend: Any, timeouts: Any) -> Calls[None]:
        """Open a connection, ready for the first request to the origin. Raises errors of httpx."""
        seconds = timeouts.get("connect")
        if self.proxy is None:
            yield from _connect(connection, backend, self.origin, seconds)
        else:
            try:
                yield from _open_tunnel(connection, backend, self.proxy, self.origin, seconds)
            except (
                httpx.NetworkError,
                httpx.TimeoutException,
                httpx.RemoteProtocolError,
                httpx.ProxyError,
            ) as error:
                raise type(error)(f"the proxy {_host(self.proxy.url)}: {error}") from error
        if self.origin.scheme == "https":
            assert self.tls is not None
            yield from _secure(connection, self.tls, self.origin, seconds)

    @staticmethod
    def message(connection: Connection, request: httpx.Request) -> memoryview:
        """The bytes of a request whose body has been read. Raises `httpx.LocalProtocolError`."""
        target = request.url.raw_path
        headers = request.headers.raw
        return memoryview(
            connection.parser.request(request.method, target, headers, SecretBytes(request.content))
        )


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return url.port or PORTS[url.scheme]


def _place(url: httpx.URL) -> str:
    return f"{_host(url)}:{_port(url)}"


def _connect(
    connection: Connection, backend: Any, url: httpx.URL, seconds: float | None
) -> Calls[None]:
    """Connect to the host of a URL."""
    connection.stream = yield lambda: backend.connect_tcp(_host(url), _port(url), seconds)


def _open_tunnel(
    connection: Connection,
    backend: Any,
    proxy: httpx.Proxy,
    origin: httpx.URL,
    seconds: float | None,
) -> Calls[None]:
    """Connect to a proxy, and have it pass on all that follows to the origin (RFC 9110, 9.3.6)."""
    yield from _connect(connection, backend, proxy.url, seconds)
    target = origin.netloc if origin.port else origin.netloc + b":443"
    headers = [(b"Host", target), *proxy.headers.raw]
    if proxy.raw_auth is not None:
        credentials = SecretBytes(b"Basic " + b64encode(b":".join(proxy.raw_auth)))
        headers.append((b"Proxy-Authorization", credentials))
    message = memoryview(connection.parser.request("CONNECT", target, headers, b""))
    request = httpx.Request("CONNECT", origin)
    head = yield from exchange(connection, request, message, {"write": seconds, "read": seconds})
    if not 200 <= head.status_code < 300:
        reason = httpx.codes.get_reason_phrase(head.status_code)
        raise httpx.ProxyError(f"{head.status_code} {reason}".rstrip())
    connection.parser = Parser()


def _secure(
    connection: Connection, context: ssl.SSLContext, url: httpx.URL, seconds: float | None
) -> Calls[None]:
    """Encrypt the connection, and verify that the other side is this host."""
    # Before each handshake: the context may be shared, and another client may have set it to HTTP/2
    # meanwhile.
    context.set_alpn_protocols(["http/1.1"])
    show_cut_connections(context)
    connection.stream = yield lambda: connection.stream.start_tls(context, _host(url), seconds)


REUSE_DELAY = 0.1
"""Seconds after a response within which only a read by id uses its connection again; after an
error, nobody does.

A proxy that sends a response twice does so within this time, and such a read believes only a
response with its id."""

_idle_since = attrgetter("idle_since")  # the order of `ConnectionPool._idle`


class Lease(Opaque):
    """A place of the pool and a connection, held by one exchange."""

    _place: ThreadPlace | TaskPlace
    _pool: ConnectionPool
    connection: Connection | None = None

    def end(self) -> None:
        """Release the place and the connection."""
        connection, self.connection = self.connection, None
        if connection is not None:
            self._pool.put_back(connection)
        self._place.release()

    def abandon(self) -> None:
        """Release the place, and close the connection."""
        if self.connection is not None:
            self.connection.abort()
        self.connection = None
        self._place.release()


class ConnectionPool:
    """The connections of one client, to its only origin, in one process or event loop.

    `make_lock` makes the lock, with a place for each connection.
    """

    def __init__(
        self, route: Route, limits: httpx.Limits, backend: Any, make_lock: Callable[[int], Any]
    ) -> None:
        # without a limit, more than a system has
        most = 10_000 if limits.max_connections is None else limits.max_connections
        most_idle = limits.max_keepalive_connections
        self.lock = make_lock(most)
        self._route = route
        self._backend = backend
        self._most_idle = most if most_idle is None else min(most, most_idle)
        self._expiry = limits.keepalive_expiry
        # `with` on this lock, which is written in C, leaves no moment for a Ctrl-C.
        self._lock = threading.RLock()
        self._idle: list[Connection] = []  # the longest idle connection is first
        self._closed = False

    def exchange(self, lease: Lease, request: httpx.Request, timeouts: Any) -> Calls[Head]:
        """Send a request and return the head of its response.

        The caller ends the lease, also after any error.
        """
        while True:
            at_once: bool = request.extensions.get(ALLOW_IMMEDIATE_REUSE, False)
            idle = self._take_idle(at_once=at_once)
            connection = idle or Connection()
            lease.connection = connection
            request.extensions[REUSED_IMMEDIATELY] = (
                idle is not None and idle.idle_since > monotonic() - REUSE_DELAY
            )
            try:
                if idle is None:
                    yield from self._open(connection, request, timeouts)
                message = self._route.message(connection, request)
                head = yield from exchange(connection, request, message, timeouts)
                connection.is_doubtful = head.status_code >= 300
                return head
            except UnsolicitedData as error:
                if idle is None:
                    raise httpx.ConnectError(f"{error} before a request was sent") from None
            # The idle connection was closed, or received an unexpected response. Nothing was sent:
            # use another one.
            connection.abort()

    def put_back(self, connection: Connection) -> None:
        """Keep a connection if it can be used again, and the limits permit it; otherwise close
        it.
        """
        with self._lock:
            if len(self._idle) < self._most_idle and connection.begin_again():
                connection.idle_since = monotonic()
                self._idle.append(connection)
            else:
                connection.abort()
        if self._closed:  # perhaps just now, in another thread
            self.close()

    def close(self) -> None:
        """Close the idle connections, and each other one when its exchange ends."""
        self._closed = True
        with self._lock:
            while self._idle:
                self._idle.pop().abort()

    def _open(self, connection: Connection, request: httpx.Request, timeouts: Any) -> Calls[None]:
        """Open a new connection. Every error says that the request was not sent."""
        began = monotonic()
        # Reading and writing here is that of TLS or of a proxy's tunnel: no byte of the request was
        # sent.
        try:
            yield from self._route.open(connection, self._backend, timeouts)
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            raise httpx.ConnectError(str(error)) from error
        finally:
            timing = request.extensions.get(TIMING)
            if timing is not None:
                timing.connected(began)

    def _take_idle(self, *, at_once: bool) -> Connection | None:
        """Take an idle connection out of the pool, or return None to open a new one. If the limits
        permit no more connections, an idle one is closed for the new one.

        `at_once`: the newest may be taken before `REUSE_DELAY` has passed.
        """
        with self._lock:
            idle = self._idle
            now = monotonic()
            while idle and self._expiry is not None and idle[0].idle_since + self._expiry < now:
                idle.pop(0).abort()
            if at_once and idle and not idle[-1].is_doubtful:
                return idle.pop()
            rested = bisect_right(idle, now - REUSE_DELAY, key=_idle_since)
            if rested:
                return idle.pop(rested - 1)
            # This call holds a place, and has no connection yet.
            is_full = len(idle) >= self._most_idle or len(idle) > self.lock.value
            if idle and is_full:
                # the newest: the others will have rested sooner, and serve the next writes
                idle.pop().abort()
            return None
