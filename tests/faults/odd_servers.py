"""Servers that never accept, or answer a byte at a time; and how late this machine itself is."""

from __future__ import annotations

import itertools
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.faults.raw_sockets import PATIENCE


class Deaf:
    """Connections to it are made by the system, and wait; if wanted, it is gone (RST) as soon as there is one."""

    def __init__(self, port: int, *, resets: bool) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._hang_up if resets else lambda: None)
        self._thread.start()

    def _hang_up(self) -> None:
        select.select([self._listener], [], [], PATIENCE)
        self._listener.close()

    def close(self) -> None:
        self._thread.join(PATIENCE)
        self._listener.close()


@contextmanager
def full(address: str, port: int) -> Iterator[int]:
    """The port of a server whose queue is full: what asks for a connection gets no reply at all."""
    with socket.create_server((address, port), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((address, port), PATIENCE):
            yield port


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems round the length of a queue up")


@contextmanager
def serving(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server that deals with each connection in a thread of its own, which asyncio does not run."""

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
    """The URL of a server that sends `start` at once and then the bytes of `again`, over and over, one after 20 ms."""
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
    found, over = Lateness(), threading.Event()

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
