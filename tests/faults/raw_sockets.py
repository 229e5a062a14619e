"""Sockets for servers that misbehave: a loop of their own to run in, three ways to end a
connection, and odd servers.

Some never accept, or answer a byte at a time. `lateness` is how late this machine itself is.
"""

import asyncio
import itertools
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, Literal, TypeVar

import pytest

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


@contextmanager
def held(loop: Background) -> Generator[None]:
    """Hold the loop: what comes to its servers waits in the system."""
    busy = threading.Event()
    go_on = threading.Event()

    def hold_the_loop() -> None:
        busy.set()
        go_on.wait(PATIENCE)

    loop.loop.call_soon_threadsafe(hold_the_loop)
    assert busy.wait(PATIENCE)
    try:
        yield
    finally:
        go_on.set()


def run_as_a_connection_comes(
    loop: Background, port: int, work: Coroutine[Any, Any, object]
) -> None:
    """Run `work` in the same round of the loop in which a server of the loop accepts a
    connection.
    """
    with ExitStack() as stack:
        with held(loop):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            working = asyncio.run_coroutine_threadsafe(work, loop.loop)
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


@contextmanager
def deaf() -> Iterator[int]:
    """The port of a server whose connections are made by the system, and wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def full(address: str, port: int) -> Iterator[int]:
    """The port of a server whose queue is full: what asks for a connection gets no reply at all."""
    with socket.create_server((address, port), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((address, port), PATIENCE):
            yield port


on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems round the length of a queue up"
)


@contextmanager
def serving(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server that deals with each connection in a thread of its own, which asyncio
    does not run.
    """

    def deal_with(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            answer(connection)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=deal_with, args=listener.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):  # other systems than Linux shut down nothing that only listens
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


@contextmanager
def trickling_server(start: bytes, again: bytes) -> Iterator[str]:
    """The URL of a server that sends `start` at once and then the bytes of `again`, over and over,
    one after 20 ms.
    """
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(start)
        for byte in itertools.cycle(again):
            if over.wait(0.02):
                return
            connection.sendall(bytes([byte]))

    with serving(answer) as port:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            over.set()


PACE = 0.01


class Lateness:
    """The longest that a thread which only waits was kept from going on."""

    seconds = 0.0


@contextmanager
def lateness() -> Iterator[Lateness]:
    found = Lateness()
    over = threading.Event()

    def watch() -> None:
        while True:
            began = time.monotonic()
            if over.wait(PACE):
                return
            found.seconds = max(found.seconds, time.monotonic() - began - PACE)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
