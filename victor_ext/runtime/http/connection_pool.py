"""The connection pool of a client. It does no I/O, so the blocking and the async client share it.

An exchange that does not complete (error, cancellation, Ctrl-C) closes its connection: its late
response would be read as the response to the next request.
"""

from __future__ import annotations

import sys
import threading
from bisect import bisect_right
from operator import attrgetter
from typing import Any

import httpx

from victor_ext.flows import Calls
from victor_ext.opaque import Opaque
from victor_ext.runtime.core.clock import (
    ALLOW_IMMEDIATE_REUSE,
    REUSED_IMMEDIATELY,
    TIMING,
    monotonic,
)
from victor_ext.runtime.core.locks import Permit, Semaphore
from victor_ext.runtime.http.parser import Head

from .http11 import Connection, Route, UnsolicitedData, exchange

REUSE_DELAY = 0.1
"""Seconds after a response within which only a read by id uses its connection again; after an
error, nobody does.

A proxy that sends a response twice does so within this time, and such a read believes only a
response with its id."""

_BESIDE_OTHERS = (
    "over a new connection beside a kept one, since a write takes none that was just used. If the "
    "server serves one connection at a time, pass limits=httpx.Limits(max_keepalive_connections=0)"
)
"""Added to a time-out where the server may wait for the next request on the kept connection."""

_idle_since = attrgetter("idle_since")  # the order of `ConnectionPool._idle`


class Lease(Opaque):
    """A permit of the pool and a connection, held by one exchange."""

    _permit: Permit
    _pool: ConnectionPool
    connection: Connection | None = None

    def end(self) -> None:
        """Release the permit and the connection."""
        connection, self.connection = self.connection, None
        if connection is not None:
            self._pool.put_back(connection)
        self._permit.release()

    def abandon(self) -> None:
        """Release the permit, and close the connection."""
        if self.connection is not None:
            self.connection.abort()
        self.connection = None
        self._permit.release()


class ConnectionPool:
    """The connections of one client, to its only origin, in one process or event loop."""

    def __init__(self, route: Route, limits: httpx.Limits, backend: Any) -> None:
        most = sys.maxsize if limits.max_connections is None else limits.max_connections
        most_idle = limits.max_keepalive_connections
        self.semaphore = Semaphore(most)
        self._route = route
        self._backend = backend
        self._most = most
        self._most_idle = most if most_idle is None else min(most, most_idle)
        self._expiry = limits.keepalive_expiry
        self._lock = threading.RLock()  # see `Semaphore`
        self._idle: list[Connection] = []  # the longest idle connection is first
        self._closed = False

    def exchange(self, lease: Lease, request: httpx.Request, timeouts: Any) -> Calls[Head]:
        """Send a request and return the head of its response.

        The caller ends the lease, also after any error.
        """
        while True:
            idle = self._take_idle(at_once=request.extensions.get(ALLOW_IMMEDIATE_REUSE, False))
            connection = idle or Connection()
            is_beside_others = idle is None and bool(self._idle)
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
            except httpx.TimeoutException as error:
                if is_beside_others:
                    raise type(error)(f"{error}; {_BESIDE_OTHERS}") from error
                raise
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
            is_full = len(idle) >= self._most_idle or self.semaphore.held + len(idle) > self._most
            if idle and is_full:
                # the newest: the others will have rested sooner, and serve the next writes
                idle.pop().abort()
            return None
