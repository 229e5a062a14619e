"""Sockets for servers that misbehave: a loop of their own to run in, three ways to end a
connection, and odd servers.

Some never accept, or answer a byte at a time. `lateness` is how late this machine itself is.
"""

import asyncio
import socket
import socketserver
import struct
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from types import SimpleNamespace
from typing import Literal

import pytest

End = Literal["reset", "close", "stall"]
"""RST, FIN, or nothing more for ever."""

PACE = 0.01
PATIENCE = 10.0
"""Seconds after which a test that waits for an event gives up: nothing here takes that long."""


class Background:
    """An event loop in a thread: servers live in it, tests do not."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work):
        """Run in the loop, and wait for the result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def do(self, act):
        """The same for a plain function."""

        async def call():
            return act()

        return self.run(call())

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


def background():
    return closing(Background())


def end(transport, how):
    """End a connection, or leave it hanging."""
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

    def __init__(self):
        self._changed = threading.Condition()

    def note(self):
        """Something has changed."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, at_rest, what):
        with self._changed:
            assert self._changed.wait_for(at_rest, PATIENCE), f"not at rest: {what}"


on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems round the length of a queue up"
)


@contextmanager
def serving(answer, kind=socketserver.ThreadingTCPServer):
    """The port of a server that deals with each connection in a thread of its own, which asyncio
    does not run; as a `socketserver.TCPServer`, with one connection at a time.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with suppress(OSError):
                answer(self.request)

    with kind(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(PACE,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


@contextmanager
def lateness():
    """The longest that a thread which only waits was kept from going on, in `seconds`."""
    found = SimpleNamespace(seconds=0.0)
    over = threading.Event()

    def watch():
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
