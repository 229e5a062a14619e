"""The connection pool of a client. It does no I/O, so the blocking and the async client share it.

An exchange that does not complete (error, cancellation, Ctrl-C) closes its connection: its late
response would be read as the response to the next request.
"""

from __future__ import annotations

import sys
import threading
from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import httpx

from victor_ext.flows import Calls
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

_idle_since = attrgetter("idle_since")


@dataclass(slots=True, eq=False, repr=False)
class Lease:
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
        keep = (
            most if limits.max_keepalive_connections is None else limits.max_keepalive_connections
        )
        self.semaphore = Semaphore(most)
        self._route = route
        self._backend = backend
        self._most = most
        self._keep = min(most, keep)
        self._expiry = limits.keepalive_expiry
        self._lock = threading.RLock()  # see `Semaphore`
        self._kept: list[Connection] = []  # the longest idle connection is first
        self._closed = False

    def exchange(self, lease: Lease, request: httpx.Request, timeouts: Any) -> Calls[Head]:
        """Send a request and return the head of its response.

        The caller ends the lease, also after any error.
        """
        while True:
            kept = self._take_kept(at_once=request.extensions.get(ALLOW_IMMEDIATE_REUSE, False))
            connection = lease.connection = kept or Connection()
            request.extensions[REUSED_IMMEDIATELY] = (
                kept is not None and kept.idle_since > monotonic() - REUSE_DELAY
            )
            try:
                if kept is None:
                    yield from self._open(connection, request, timeouts)
                head = yield from exchange(
                    connection, request, self._route.message(connection, request), timeouts
                )
                connection.is_doubtful = head.status_code >= 300
                return head
            except UnsolicitedData as error:
                if kept is None:
                    raise httpx.ConnectError(f"{error} before a request was sent") from None
            # The idle connection was closed, or received an unexpected response. Nothing was sent:
            # use another one.
            connection.abort()

    def put_back(self, connection: Connection) -> None:
        """Keep a connection if it can be used again, and the limits permit it; otherwise close
        it.
        """
        with self._lock:
            if len(self._kept) < self._keep and connection.begin_again():
                connection.idle_since = monotonic()
                self._kept.append(connection)
            else:
                connection.abort()
        if self._closed:  # perhaps at this moment, in another thread
            self.close()

    def close(self) -> None:
        """Close the idle connections, and each other one when its exchange ends."""
        self._closed = True
        with self._lock:
            while self._kept:
                self._kept.pop().abort()

    def _open(self, connection: Connection, request: httpx.Request, timeouts: Any) -> Calls[None]:
        began = monotonic()
        # An error here means that no byte of the request was sent.
        try:
            yield from self._route.open(connection, self._backend, timeouts)
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            raise httpx.ConnectError(str(error)) from error
        finally:
            if (timing := request.extensions.get(TIMING)) is not None:
                timing.connected(began)

    def _take_kept(self, *, at_once: bool) -> Connection | None:
        """Return an idle connection, or None to open a new one: if the limits permit no more, one
        is closed for it.
        """
        with self._lock:
            kept = self._kept
            now = monotonic()
            while kept and self._expiry is not None and kept[0].idle_since + self._expiry < now:
                kept.pop(0).abort()
            if at_once and kept and not kept[-1].is_doubtful:
                return kept.pop()
            if rested := bisect_right(kept, now - REUSE_DELAY, key=_idle_since):
                return kept.pop(rested - 1)
            if kept and (len(kept) >= self._keep or self.semaphore.held + len(kept) > self._most):
                # the newest: the others will have rested sooner, and serve the next writes
                kept.pop().abort()
            return None
