"""A machine that is suspended while a write is on its way to the provider: its wall clock goes on,
and its monotonic clock stands still. Nobody waits.
"""

from __future__ import annotations

import socket
import time

import pytest

from victor_ext.runtime.http import connections, streams
from victor_ext.runtime.http.connections import ConnectionPool

STAGES = ("name", "connect", "tls", "first byte", "kept")
"""Where a new connection is when the machine falls asleep: its name is looked up, it is connected,
it is encrypted, it is about to be written to. And a kept one that is about to be written to.
"""


class Machine:
    """This machine, whose clocks and connections the package reads.

    Attributes:
        asleep: Seconds for which it has slept in all.
        naps: The stages at which it fell asleep.
    """

    def __init__(self, monkeypatch):
        self.asleep = 0.0
        self.naps = []
        self._path = ""
        self._stage = ""
        self._seconds = 0.0
        self._times = 0
        self._is_on_its_way = False
        self._patch = monkeypatch.setattr
        real_time = time.time
        self._patch(time, "time", lambda: real_time() + self.asleep)
        self._follow(socket, "getaddrinfo", "name")
        self._follow(streams.Addresses, "note", "connect")
        self._follow(streams._Stream, "unread", "first byte", "kept")
        self._patch(connections, "_secure", self._securing(connections._secure))
        self._patch(ConnectionPool, "exchange", self._exchanging(ConnectionPool.exchange))
        self._patch(streams, "REMEMBER_SECONDS", 0.0)
        self._patch(connections, "REUSE_DELAY", 0.0)

    def will_sleep(self, stage, seconds, path, times=1):
        """Fall asleep at this stage of the next writes to this path."""
        self._stage, self._seconds, self._path, self._times = stage, seconds, path, times
        if stage != "kept":
            self._patch(ConnectionPool, "_take_idle", lambda _pool, **_: None)

    def _follow(self, owner, name, *stages):
        before = getattr(owner, name)

        def followed(*args, **named):
            result = before(*args, **named)
            self._reach(*stages)
            return result

        self._patch(owner, name, followed)

    def _securing(self, before):
        def secure(*args):
            yield from before(*args)
            self._reach("tls")

        return secure

    def _exchanging(self, before):
        def exchange(pool, lease, request, timeouts):
            is_awaited = bool(self._path) and self._path in request.url.path
            self._is_on_its_way = is_awaited and request.method != "GET"
            return before(pool, lease, request, timeouts)

        return exchange

    def _reach(self, *stages):
        if self._is_on_its_way and self._stage in stages and self._times:
            self._times -= 1
            self.asleep += self._seconds
            self.naps.append(self._stage)


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)
