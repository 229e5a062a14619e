"""Sockets for servers that misbehave: a loop of their own to run in, and three ways to end a connection."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any, Literal, TypeVar

T = TypeVar("T")

End = Literal["reset", "close", "stall"]
"""RST, FIN, or nothing more for ever."""

PATIENCE = 10.0
"""Seconds after which a test that waits for an event gives up: nothing here takes that long."""


class Background:
    """An event loop in a thread: servers live in it, tests do not."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run in the loop, and wait for the result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def do(self, act: Callable[[], T]) -> T:
        """The same for a plain function."""

        async def call() -> T:
            return act()

        return self.run(call())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


def background() -> closing[Background]:
    return closing(Background())


def run_as_a_connection_comes(loop: Background, port: int, work: Coroutine[Any, Any, object]) -> None:
    """Run `work` in the same round of the loop in which a server of the loop accepts a connection."""
    busy, go_on = threading.Event(), threading.Event()

    def hold_the_loop() -> None:
        busy.set()
        go_on.wait(PATIENCE)

    loop.loop.call_soon_threadsafe(hold_the_loop)
    assert busy.wait(PATIENCE)
    with socket.create_connection(("127.0.0.1", port), PATIENCE):
        working = asyncio.run_coroutine_threadsafe(work, loop.loop)
        go_on.set()
        working.result(PATIENCE)


def end(transport: asyncio.BaseTransport, how: End) -> None:
    """End a connection, or leave it hanging."""
    assert isinstance(transport, asyncio.Transport)
    if how == "stall":
        return
    if how == "close":
        transport.close()
        return
    linger = struct.pack("ii", 1, 0)  # what was not sent is dropped, and the peer gets an RST
    sock = transport.get_extra_info("socket")
    if sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


class Quiet:
    """Tells when everything that was set in motion has come to rest."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def note(self) -> None:
        """Something has changed."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, at_rest: Callable[[], bool], what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(at_rest, PATIENCE), f"not at rest: {what}"
