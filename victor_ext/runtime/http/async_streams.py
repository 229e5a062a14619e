"""Streams for awaited calls: they keep a deadline, and are closed without a wait.

The HTTP library's own streams wait while they are closed, and a task that is cancelled there (`task.cancel()`,
`asyncio.wait_for`) leaves the connection open, and its place in the pool taken for ever. These are sockets of our own,
in any event loop that anyio knows.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import anyio
import httpcore

from victor_ext.runtime.loop.timeouts import as_of_now, is_over, share_of

from .deadline_stream import Addresses

T = TypeVar("T")

_ONCE = 65536
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


class Stream(httpcore.AsyncNetworkStream):
    """What both kinds have in common."""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface
    ) -> httpcore.AsyncNetworkStream:
        """Go on encrypted."""
        return await TlsStream(self, ssl_context, server_hostname).shake_hands(timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        self.abort()

    def abort(self) -> None:
        """Close the connection, without a wait and whatever state it is in."""
        raise NotImplementedError

    def unread(self) -> bytes | None:
        """What is there to be read; empty at the end of the stream, None when there is nothing."""
        raise NotImplementedError

    def has_unread(self) -> bool:
        """Whether there is something to be read, the end of the stream included. What it is, is lost."""
        return self.unread() is not None


class SocketStream(Stream):
    """A TCP connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the interface
        """Read what there is."""
        if is_over(timeout):
            raise httpcore.ReadTimeout("the answer goes on and on")
        while True:
            # Also when something is there already: other tasks are to have their turn.
            if not await _in_time(anyio.wait_readable(self._socket), timeout):
                raise httpcore.ReadTimeout("nothing came in time")
            try:
                return self._socket.recv(max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the interface
        """Write all of it."""
        if is_over(timeout):
            raise httpcore.WriteTimeout("there was no time left")
        left = memoryview(buffer)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if not await _in_time(anyio.wait_writable(self._socket), timeout):
                    raise httpcore.WriteTimeout("it could not be sent in time") from None
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def abort(self) -> None:
        """Close the connection, without a wait and whatever state it is in."""
        self._socket.close()

    def unread(self) -> bytes | None:
        """What is there to be read; empty at the end of the stream, None when there is nothing."""
        try:
            return self._socket.recv(_ONCE)
        except BlockingIOError:
            return None
        except OSError:
            return b""


class TlsStream(Stream):
    """The same, encrypted; over a TCP connection, or over what a proxy passes on encrypted."""

    def __init__(self, under: Stream, context: ssl.SSLContext, host: str | None) -> None:
        self._under = under
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def shake_hands(self, timeout: float | None) -> TlsStream:  # noqa: ASYNC109 - as of the others
        """Do the handshake."""
        try:
            await self._through(self._tls.do_handshake, timeout)
        except (httpcore.ReadTimeout, httpcore.WriteTimeout) as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except (httpcore.ReadError, httpcore.WriteError, ssl.SSLError) as error:
            raise httpcore.ConnectError(str(error)) from error
        return self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the interface
        """Read what there is."""
        try:
            return await self._through(lambda: self._tls.read(max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the interface
        """Write all of it."""
        left = memoryview(buffer)
        try:
            while left:
                left = left[await self._through(lambda: self._tls.write(left), timeout) :]  # noqa: B023 - called at once
        except ssl.SSLError as error:
            raise httpcore.WriteError(str(error)) from error

    def abort(self) -> None:
        """Close the connection, without a wait and whatever state it is in."""
        self._under.abort()

    def unread(self) -> bytes | None:
        """What is there to be read; empty at the end of the stream, None when there is nothing."""
        while True:
            # A server may send tickets for later sessions at any time (RFC 8446, 4.6.1): they are read on the way.
            try:
                return self._tls.read(_ONCE)
            except ssl.SSLWantReadError:
                came = self._under.unread()
            except ssl.SSLError:
                return b""
            if came is None:
                return None
            self._take(came)

    async def _through(self, act: Callable[[], T], timeout: float | None) -> T:  # noqa: ASYNC109 - as of the others
        """Do something with TLS, and send and read for it what it wants to be sent and needs to have read."""
        while True:
            try:
                done, wants_more = [act()], False
            except ssl.SSLWantReadError:
                done, wants_more = [], True
            except ssl.SSLError:
                await self._flush(timeout)  # it tells the other side why
                raise
            await self._flush(timeout)
            if not wants_more:
                return done.pop()
            self._take(await self._under.read(_ONCE, timeout))

    async def _flush(self, timeout: float | None) -> None:  # noqa: ASYNC109 - as of the others
        if self._outgoing.pending:
            await self._under.write(self._outgoing.read(), timeout)

    def _take(self, came: bytes) -> None:
        if came:
            self._incoming.write(came)
        else:
            self._incoming.write_eof()


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Makes such streams."""

    def __init__(self) -> None:
        self._addresses = Addresses()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface
        local_address: str | None = None,  # noqa: ARG002 - the interface
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - the interface
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one address of the host after the other."""
        addresses = self._addresses.known(host) or await self._look_up(host, port, timeout)
        for tried, address in enumerate(addresses, start=1):
            seconds = share_of(timeout, 1 + len(addresses) - tried)
            try:
                connected = await _connected(address, port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses) or is_over(timeout):
                    raise
            else:
                self._addresses.note(host, address, first=tried == 1)
                return SocketStream(connected)
        raise httpcore.ConnectError(f"{host} has no address")

    async def _look_up(self, host: str, port: int, timeout: float | None) -> list[str]:  # noqa: ASYNC109 - as above
        with anyio.move_on_after(as_of_now(timeout)):
            try:
                return self._addresses.found(host, await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except OSError as error:
                raise httpcore.ConnectError(str(error)) from error
        raise httpcore.ConnectTimeout(f"looking {host} up took too long")


async def _connected(address: str, port: int, timeout: float | None) -> socket.socket:  # noqa: ASYNC109 - as above
    # An address may name its network interface ("fe80::1%eth0"): the system makes numbers of that, and asks nobody.
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    family, kind, protocol, _, where = found[0]
    made = _Socket(family, kind, protocol)
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failed = made.connect_ex(where)
        if failed in _UNDER_WAY:
            if not await _in_time(anyio.wait_writable(made), timeout):
                raise httpcore.ConnectTimeout("no connection in time")
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise httpcore.ConnectError(os.strerror(failed))
    except BaseException:
        made.close()
        raise
    return made


async def _in_time(waiting: Awaitable[None], timeout: float | None) -> bool:  # noqa: ASYNC109 - as above
    """Wait; whether it has come to that in time."""
    with anyio.move_on_after(as_of_now(timeout)):
        await waiting
        return True
    return False


class _Socket(socket.socket):
    """One that says nothing when it is left behind: whose event loop has ended, nobody can close it any more."""

    def __del__(self) -> None:
        self.close()
