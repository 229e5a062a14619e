"""The connections of a client: which of them the next exchange goes over, and what becomes of them afterwards.

No I/O is done here, and nothing waits: both worlds, blocking and awaited, use the same decisions. Whatever ends an
exchange before its time (a failure, a cancellation, a Ctrl-C) closes its connection: an answer that is still on its way
would be taken for the next one's.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from bisect import bisect_right
from operator import attrgetter
from typing import Any

import h11
import httpx

from victor_ext.runtime.loop.profile import UNRESTED

from .http11 import Connection, Steps, Unasked, exchange
from .locks import Permit, Semaphore
from .routes import Route

logger = logging.getLogger(__name__)

REST_SECONDS = 0.1
"""A request goes over a connection only when so long has passed since its last answer, if another can be had: something
that answers twice, as a proxy may that repeats what it sent, does so within this time, and is noticed. (A read whose
answer is held against the id in its path need not wait: what it is told of another is refused, and it is read again. A
page of a list does not say to which question it is the answer.)"""

_UNASKED = "it was closed, or something came, before anything had been asked"
_idle_since = attrgetter("idle_since")


class Lease:
    """What one exchange holds of a pool: a place, and a connection."""

    __slots__ = ("_permit", "_pool", "connection")

    def __init__(self, permit: Permit, pool: ConnectionPool) -> None:
        self._permit, self._pool = permit, pool
        self.connection: Connection | None = None

    @property
    def leased(self) -> Connection:
        """The connection. There is one from the first step of an exchange on."""
        assert self.connection is not None
        return self.connection

    def end(self) -> None:
        """Give both back. A connection whose exchange has not come to its end is closed."""
        connection, self.connection = self.connection, None
        if connection is not None:
            self._pool.put_back(connection)
        self._permit.release()

    def abandon(self) -> None:
        """Give the place back, and close the connection whatever state it is in."""
        if self.connection is not None:
            self.connection.abort()
        self.connection = None
        self._permit.release()


class ConnectionPool:
    """The connections of one client in one process or event loop.

    Args:
        route: The way to the one origin that is called.
        limits: How many connections there may be, how many of them are kept, and for how many idle seconds.
    """

    def __init__(self, route: Route, limits: httpx.Limits) -> None:
        most = sys.maxsize if limits.max_connections is None else limits.max_connections
        keep = most if limits.max_keepalive_connections is None else limits.max_keepalive_connections
        self.semaphore = Semaphore(most)
        self._route = route
        self._most, self._keep = most, min(most, keep)
        self._expiry = limits.keepalive_expiry
        self._lock = threading.RLock()  # see `Semaphore`
        self._kept: list[Connection] = []  # the one that is idle for the longest comes first
        self._closed = False

    def exchange(self, lease: Lease, request: httpx.Request, timeouts: Any) -> Steps[h11.Response]:
        """Send a request over one of the connections; its answer, of which the head has been read.

        Raises httpx's errors. The lease is to be ended after the answer has been read, and whatever is raised.
        """
        target, headers = self._route.address(request)
        while True:
            connection = lease.connection = self._take_kept(rested=not request.extensions.get(UNRESTED))
            is_new = connection is None
            if connection is None:
                connection = lease.connection = Connection()
                yield from self._open(connection, timeouts)
            try:
                return (yield from exchange(connection, request, target, headers, timeouts))
            except Unasked:
                if is_new:
                    raise httpx.ConnectError(_UNASKED) from None
            # It was closed meanwhile, or a second answer came on it. Nothing was sent, so another one may do.
            logger.debug("a kept connection was closed, or something came on it: it is not used again")
            connection.abort()

    def put_back(self, connection: Connection) -> None:
        """Keep a connection for the next exchange, if it can have one; else close it."""
        if self._closed or not connection.begin_again():
            connection.abort()
            return
        with self._lock:
            connection.idle_since = time.monotonic()
            self._kept.append(connection)
            if len(self._kept) > self._keep:
                self._kept.pop(0).abort()

    def close(self) -> None:
        """Close the connections that are idle; those in use are closed when their exchanges have ended."""
        self._closed = True
        while self._kept:
            self._kept.pop().abort()

    def _open(self, connection: Connection, timeouts: Any) -> Steps[None]:
        logger.debug("connecting to %s", self._route)
        # Whatever goes wrong here, no byte of the request has left.
        try:
            yield from self._route.open(connection, timeouts)
        except Unasked:
            raise httpx.ConnectError(_UNASKED) from None
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            raise httpx.ConnectError(str(error)) from error

    def _take_kept(self, *, rested: bool) -> Connection | None:
        """A connection to use again, the one that was used last or the last that has rested; None to open another."""
        with self._lock:
            kept, now = self._kept, time.monotonic()
            while kept and self._expiry is not None and kept[0].idle_since + self._expiry < now:
                kept.pop(0).abort()
            ready = bisect_right(kept, now - REST_SECONDS, key=_idle_since) if rested else len(kept)
            if ready:
                return kept.pop(ready - 1)
            # Without a rested one another is opened, as long as there is room for it.
            full = len(kept) >= self._keep or self.semaphore.held + len(kept) > self._most
            return kept.pop(0) if kept and full else None
