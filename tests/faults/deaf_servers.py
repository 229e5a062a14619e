"""Servers that listen and never accept."""

from __future__ import annotations

import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
