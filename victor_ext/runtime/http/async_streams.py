"""Streams for awaited calls, which keep a deadline and are closed without waiting.

The streams of an event loop wait while they are closed. A task that is cancelled there (`task.cancel()`,
`asyncio.wait_for`) leaves the connection open, and its place in the pool taken for ever. These streams use sockets
directly, in any event loop that anyio supports. Their errors are those of httpx.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable
from typing import TypeVar
from weakref import finalize

import anyio
import httpx

from victor_ext.runtime.loop.flow import adrive
from victor_ext.runtime.loop.timeouts import as_of_now, is_over, share_of

from .deadline_stream import Addresses, as_network_error, connecting
from .tls_layer import READ_BYTES, Steps, TlsLayer

T = TypeVar("T")


class Stream:
    """The base of both streams."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        raise NotImplementedError

    async def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        raise NotImplementedError

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None = None) -> TlsStream:
        """A TLS stream over this one, whose other side is verified to be this host."""
        return await TlsStream(self, context, host).shake_hands(timeout)

    def abort(self) -> None:
        """Close the connection at once, in any state."""
        raise NotImplementedError

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; empty at the end of the stream, None if there are none."""
        raise NotImplementedError


class SocketStream(Stream):
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


class TlsStream(Stream):
    """A TLS connection over a TCP connection, or over the TLS connection to a proxy."""

    def __init__(self, under: Stream, context: ssl.SSLContext, host: str) -> None:
        self._under = under
        self._layer = TlsLayer(context, host)

    async def shake_hands(self, timeout: float | None) -> TlsStream:
        """Do the handshake."""
        await self._run(self._layer.shake_hands(), timeout)
        return self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        return await self._run(self._layer.read(max_bytes), timeout)

    async def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        await self._run(self._layer.write(memoryview(data)), timeout)

    def abort(self) -> None:
        """Close the connection at once, in any state."""
        self._under.abort()

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; empty at the end of the stream, None if there are none."""
        return self._layer.unread(self._under.unread)

    async def _run(self, steps: Steps[T], timeout: float | None) -> T:
        def take(data: bytes | None) -> Awaitable[bytes | None]:
            under = self._under
            return under.read(READ_BYTES, timeout) if data is None else under.write(data, timeout)

        return await adrive(steps, take)


class AsyncBackend:
    """Opens such streams."""

    def __init__(self) -> None:
        self._addresses = Addresses()

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> Stream:
        """Connect to the addresses of the host, one after the other."""
        addresses = self._addresses.known(host) or await self._look_up(host, port, timeout)
        for tried, address in enumerate(addresses, start=1):
            seconds = share_of(timeout, 1 + len(addresses) - tried)
            try:
                connected = await adrive(
                    connecting(address, port),
                    lambda made: _in_time(anyio.wait_writable(made), seconds),  # noqa: B023 - called at once
                )
            except (httpx.ConnectError, httpx.ConnectTimeout):
                self._addresses.forget(host)
                if tried == len(addresses) or is_over(timeout):
                    raise
            else:
                self._addresses.note(host, address, addresses)
                return SocketStream(connected)
        raise httpx.ConnectError(f"{host} has no address")

    async def _look_up(self, host: str, port: int, timeout: float | None) -> list[str]:
        with anyio.move_on_after(as_of_now(timeout)):
            try:
                return self._addresses.found(host, await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except OSError as error:
                raise as_network_error(error, httpx.ConnectError) from error
        raise httpx.ConnectTimeout(f"looking {host} up took too long")


async def _in_time(waiting: Awaitable[None], timeout: float | None) -> bool:
    """Wait. Returns whether it happened in time."""
    with anyio.move_on_after(as_of_now(timeout)):
        await waiting
        return True
    return False
