"""Streams for awaited calls, which keep a deadline and are closed without waiting.

The streams of an event loop wait while they are closed. A task that is cancelled there (`task.cancel()`,
`asyncio.wait_for`) leaves the connection open, and its place in the pool taken for ever. These streams use sockets
directly, in any event loop that anyio supports. Their errors are those of httpx.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import httpx

from victor_ext.runtime.loop.timeouts import as_of_now, is_over, share_of

from .deadline_stream import Addresses, socket_address

T = TypeVar("T")

_READ_BYTES = 65536
_CONNECTING = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


class Stream:
    """The base of both streams."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        raise NotImplementedError

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
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

    def has_unread(self) -> bool:
        """Whether bytes, or the end of the stream, can be read without waiting. The bytes are lost."""
        return self.unread() is not None


class SocketStream(Stream):
    """A TCP connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

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
                raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        left = memoryview(buffer)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if not await _in_time(anyio.wait_writable(self._socket), timeout):
                    raise httpx.WriteTimeout("it could not be sent in time") from None
            except OSError as error:
                raise httpx.WriteError(str(error)) from error

    def abort(self) -> None:
        """Close the connection at once, in any state."""
        self._socket.close()

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; empty at the end of the stream, None if there are none."""
        try:
            return self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""


class TlsStream(Stream):
    """A TLS connection over a TCP connection, or over the TLS connection to a proxy."""

    def __init__(self, under: Stream, context: ssl.SSLContext, host: str) -> None:
        self._under = under
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def shake_hands(self, timeout: float | None) -> TlsStream:
        """Do the handshake."""
        try:
            await self._through(self._tls.do_handshake, timeout)
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (httpx.ReadError, httpx.WriteError, ssl.SSLError) as error:
            raise httpx.ConnectError(str(error)) from error
        return self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        try:
            return await self._through(lambda: self._tls.read(max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        left = memoryview(buffer)
        try:
            while left:
                left = left[await self._through(lambda: self._tls.write(left), timeout) :]  # noqa: B023 - called at once
        except ssl.SSLError as error:
            raise httpx.WriteError(str(error)) from error

    def abort(self) -> None:
        """Close the connection at once, in any state."""
        self._under.abort()

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; empty at the end of the stream, None if there are none."""
        while True:
            # A server may send session tickets at any time (RFC 8446, 4.6.1). They are read here and are no data.
            try:
                return self._tls.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                came = self._under.unread()
            except ssl.SSLError:
                return b""
            if came is None:
                return None
            self._take(came)

    async def _through(self, act: Callable[[], T], timeout: float | None) -> T:
        """Do one TLS operation, and the reads and writes that it needs."""
        while True:
            try:
                done, wants_more = [act()], False
            except ssl.SSLWantReadError:
                done, wants_more = [], True
            except ssl.SSLError:
                await self._flush(timeout)  # the alert for the other side
                raise
            await self._flush(timeout)
            if not wants_more:
                return done.pop()
            self._take(await self._under.read(_READ_BYTES, timeout))

    async def _flush(self, timeout: float | None) -> None:
        if self._outgoing.pending:
            await self._under.write(self._outgoing.read(), timeout)

    def _take(self, came: bytes) -> None:
        if came:
            self._incoming.write(came)
        else:
            self._incoming.write_eof()


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
                connected = await _connected(address, port, seconds)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if tried == len(addresses) or is_over(timeout):
                    raise
            else:
                self._addresses.note(host, address, first=tried == 1)
                return SocketStream(connected)
        raise httpx.ConnectError(f"{host} has no address")

    async def _look_up(self, host: str, port: int, timeout: float | None) -> list[str]:
        with anyio.move_on_after(as_of_now(timeout)):
            try:
                return self._addresses.found(host, await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except OSError as error:
                raise httpx.ConnectError(str(error)) from error
        raise httpx.ConnectTimeout(f"looking {host} up took too long")


async def _connected(address: str, port: int, timeout: float | None) -> socket.socket:
    family, kind, protocol, _, where = socket_address(address, port)
    made = _Socket(family, kind, protocol)
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = made.connect_ex(where)
        if failed in _CONNECTING:
            if not await _in_time(anyio.wait_writable(made), timeout):
                raise httpx.ConnectTimeout("no connection in time")
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise httpx.ConnectError(os.strerror(failed))
    except BaseException:
        made.close()
        raise
    return made


async def _in_time(waiting: Awaitable[None], timeout: float | None) -> bool:
    """Wait. Returns whether it happened in time."""
    with anyio.move_on_after(as_of_now(timeout)):
        await waiting
        return True
    return False


class _Socket(socket.socket):
    """A socket without a ResourceWarning: after the end of its event loop nothing else can close it."""

    def __del__(self) -> None:
        self.close()
