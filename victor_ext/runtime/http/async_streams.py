"""Streams for awaited calls, which keep a deadline and are closed without waiting.

The streams of an event loop wait while they are closed. A task that is cancelled there (`task.cancel()`,
`asyncio.wait_for`) leaves the connection open, and its place in the pool taken for ever. These streams use sockets
directly, in any event loop that anyio supports. Their errors are those of httpx.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable
from typing import Any, TypeVar
from weakref import finalize

import anyio
import httpx

from victor_ext.flows import adrive
from victor_ext.runtime.core.timeouts import as_of_now, is_over

from .connecting import Addresses, AwaitConnection, LookUp, as_network_error, connect
from .tls_layer import READ_BYTES, Steps, TunnelStream

T = TypeVar("T")


class SocketStream:
    """A TCP connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        # After the end of its event loop nothing else closes it, and Python would warn of it.
        finalize(self, connected.close)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        if is_over(timeout):
            raise httpx.ReadTimeout("the answer goes on and on")
        while True:
            # Also when bytes are there already, so that other tasks get their turn.
            if not await _in_time(anyio.wait_readable(self._socket), timeout):
                raise httpx.ReadTimeout("nothing came in time")
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise as_network_error(error, httpx.ReadError) from error

    async def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if not await _in_time(anyio.wait_writable(self._socket), timeout):
                    raise httpx.WriteTimeout("it could not be sent in time") from None
            except OSError as error:
                raise as_network_error(error, httpx.WriteError) from error

    def abort(self) -> None:
        """Close the connection at once, in any state."""
        self._socket.close()

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; empty at the end of the stream, None if there are none."""
        try:
            return self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise as_network_error(error, httpx.ReadError) from error

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None = None) -> TlsStream:
        """A TLS stream over this one, whose other side is verified to be this host."""
        secured = TlsStream(self, context, host)
        await secured.shake_hands(timeout)
        return secured


class TlsStream(TunnelStream):
    """A TLS connection over a TCP connection, or over the TLS connection to a proxy."""

    start_tls = SocketStream.start_tls

    async def _run(self, steps: Steps[T], timeout: float | None) -> T:
        return await adrive(steps, lambda data: self._take(data, timeout))


class AsyncBackend:
    """Opens such streams."""

    def __init__(self) -> None:
        self._addresses = Addresses()

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> SocketStream:
        """Connect to the host. See `connect`."""
        return SocketStream(await adrive(connect(self._addresses, host, port, timeout), _take))


async def _take(step: LookUp | AwaitConnection) -> Any:
    if isinstance(step, AwaitConnection):
        return await _in_time(anyio.wait_writable(step.socket), step.seconds)
    with anyio.move_on_after(as_of_now(step.seconds)):
        return await anyio.getaddrinfo(step.host, step.port, type=socket.SOCK_STREAM)
    raise httpx.ConnectTimeout(f"looking {step.host} up took too long")


async def _in_time(waiting: Awaitable[None], timeout: float | None) -> bool:
    """Wait. Returns whether it happened in time."""
    with anyio.move_on_after(as_of_now(timeout)):
        await waiting
        return True
    return False
