"""TCP and TLS streams, for blocking calls and for awaited calls. Their errors are those of httpx.

They keep a deadline, however slowly the bytes come: the timeout of a socket is for one read only.
Awaited calls use sockets, too: a task that is cancelled while a stream of an event loop is closed
would leave the connection open.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Awaitable, Callable
from operator import call
from typing import Any, TypeVar
from weakref import finalize

import anyio
import httpx

from victor_ext.flows import adrive, drive
from victor_ext.privacy import SecretBytes
from victor_ext.runtime.core.clock import as_of_now, is_over, monotonic
from victor_ext.runtime.http.connecting import Addresses, as_network_error, connect
from victor_ext.runtime.http.httpx_internals import (
    ASYNC,
    require_connecting,
    require_connecting_awaited,
)
from victor_ext.runtime.http.tls_layer import READ_BYTES, TunnelStream

A = TypeVar("A")
T = TypeVar("T")


Errors = tuple[type[httpx.TimeoutException], type[httpx.NetworkError]]
"""The classes of the errors that are raised where a socket is late, and where it is broken."""


class _Stream:
    """What the streams of both modes have in common."""

    _socket: socket.socket

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; None: no bytes are there; empty bytes: the
        stream has ended.
        """
        # A server may send session tickets at any time (RFC 8446, 4.6.1). They are read here and
        # are not data.
        try:
            return SecretBytes(self._socket.recv(READ_BYTES))
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError as error:
            raise as_network_error(error, httpx.ReadError) from error

    def abort(self) -> None:
        self._socket.close()


class SyncStream(_Stream):
    """A TCP or TLS connection whose socket never blocks; only `_when_ready` waits for it.

    The socket has no timeout of its own. To set it is a system call, which gives the interpreter to
    another thread, and its `TimeoutError` could not be distinguished from that of a signal handler.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(0)
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if is_over(timeout):
            raise httpx.ReadTimeout("the response did not end in time")
        errors = httpx.ReadTimeout, httpx.ReadError
        return SecretBytes(self._when_ready(self._socket.recv, max_bytes, _READ, timeout, errors))

    def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        left = memoryview(data)
        errors = (httpx.WriteTimeout, httpx.WriteError)
        while left:
            written = self._when_ready(self._socket.send, left, _WRITE, timeout, errors)
            left = left[written:]

    def start_tls(
        self, context: ssl.SSLContext, host: str, timeout: float | None = None
    ) -> SyncStream | SyncTunnel:
        """Encrypt this stream, and verify that the other side is this host."""
        try:
            if isinstance(self._socket, ssl.SSLSocket):
                tunnel = SyncTunnel(self, context, host)
                tunnel.shake_hands(timeout)
                return tunnel
            secured = context.wrap_socket(
                self._socket,
                server_hostname=host,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
            self._socket = secured
            errors = httpx.ConnectTimeout, httpx.ConnectError
            self._when_ready(lambda _: secured.do_handshake(), None, _WRITE, timeout, errors)
        except BaseException:
            self.abort()
            raise
        return self

    def _when_ready(
        self, act: Callable[[A], T], what: A, event: int, timeout: float | None, errors: Errors
    ) -> T:
        """Return `act(what)`, as soon as the socket lets it be done. `event` is what to wait for
        first: that the socket can be read, or written.
        """
        late, broken = errors
        seconds = as_of_now(timeout)
        ends = None if seconds is None else monotonic() + seconds
        # A response takes time. TLS may have decrypted it already, which the socket does not know.
        is_due = event == _WRITE or isinstance(self._socket, ssl.SSLSocket)
        while True:
            if is_due:
                try:
                    return act(what)
                except ssl.SSLWantReadError:
                    event = _READ
                except ssl.SSLWantWriteError:
                    event = _WRITE
                except BlockingIOError:
                    pass
                except OSError as error:
                    raise as_network_error(error, broken) from error
            left = None if ends is None else max(0.0, ends - monotonic())
            # A machine may have slept meanwhile: the rest of a request, which begins the work, is
            # not sent then.
            if not _is_ready(self._socket, event, left) or (event == _WRITE and is_over(timeout)):
                raise late("timed out")
            is_due = True


class SyncTunnel(TunnelStream):
    """TLS over the TLS connection to a proxy: a socket cannot be wrapped twice."""

    _drive = staticmethod(drive)


# There is no poll on Windows, nor where somebody has removed it, as eventlet does.
_select: Any = select  # its names differ from system to system
_POLLS = hasattr(select, "poll")
_READ, _WRITE = (_select.POLLIN, _select.POLLOUT) if _POLLS else (1, 4)
_MOST_MILLISECONDS = 2**31 - 1


def _is_ready(waiting: socket.socket, event: int, seconds: float | None) -> bool:
    """Wait until a socket can be read or written; return whether it can."""
    if _POLLS:
        poll = _select.poll()  # looked up here: gevent may replace it later
        poll.register(waiting, event)
        return bool(poll.poll(None if seconds is None else min(seconds * 1000, _MOST_MILLISECONDS)))
    reading, writing = ([waiting], []) if event == _READ else ([], [waiting])
    # On Windows, a connection that failed is neither: it is exceptional, the third list.
    return any(select.select(reading, writing, [waiting], seconds))


class SyncBackend:
    """Opens connections, with blocking calls. See `connecting.connect`."""

    def __init__(self) -> None:
        self.addresses = Addresses()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> SyncStream:
        require_connecting()
        return SyncStream(drive(connect(self, host, port, timeout), call))

    def look_up(self, host: str, port: int, _seconds: float | None) -> Any:
        # Bytes: the name is in ASCII here, and text would be encoded as an international name,
        # which loads a codec.
        return socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)

    def is_writable(self, connecting: socket.socket, seconds: float | None) -> bool:
        return _is_ready(connecting, _WRITE, as_of_now(seconds))


class AsyncStream(_Stream):
    """A TCP connection whose reads and writes are awaited. TLS over it is an `AsyncTunnel`."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        # After the end of its event loop nothing else closes it, and Python would warn of it.
        finalize(self, connected.close)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if is_over(timeout):
            raise httpx.ReadTimeout("the response did not end in time")
        while True:
            # Awaited also when bytes can be read at once, so that other tasks run.
            if not await _in_time(anyio.wait_readable(self._socket), timeout):
                raise httpx.ReadTimeout("no data arrived in time")
            try:
                return SecretBytes(self._socket.recv(max_bytes))
            except BlockingIOError:
                continue
            except OSError as error:
                raise as_network_error(error, httpx.ReadError) from error

    async def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                is_writable = await _in_time(anyio.wait_writable(self._socket), timeout)
                if not is_writable or is_over(timeout):  # as in `_when_ready`
                    raise httpx.WriteTimeout("the data could not be sent in time") from None
            except OSError as error:
                raise as_network_error(error, httpx.WriteError) from error

    async def start_tls(
        self, context: ssl.SSLContext, host: str, timeout: float | None = None
    ) -> AsyncTunnel:
        secured = AsyncTunnel(self, context, host)
        await secured.shake_hands(timeout)
        return secured


class AsyncTunnel(TunnelStream):
    """A TLS connection over a TCP connection, or over the TLS connection to a proxy."""

    start_tls = AsyncStream.start_tls
    _drive = staticmethod(adrive)


class AsyncBackend:
    """Opens connections, with awaited calls. See `connecting.connect`."""

    def __init__(self) -> None:
        ASYNC.add(anyio, "connect_tcp")  # here, because it loads most of anyio
        self.addresses = Addresses()

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> AsyncStream:
        require_connecting_awaited()
        return AsyncStream(await adrive(connect(self, host, port, timeout), call))

    async def look_up(self, host: str, port: int, seconds: float | None) -> Any:
        with anyio.move_on_after(as_of_now(seconds)):
            return await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        raise httpx.ConnectTimeout(f"the name {host} was not resolved in time")

    async def is_writable(self, connecting: socket.socket, seconds: float | None) -> bool:
        return await _in_time(anyio.wait_writable(connecting), seconds)


async def _in_time(event: Awaitable[None], timeout: float | None) -> bool:
    """Wait for an event. Returns whether it happened in time."""
    with anyio.move_on_after(as_of_now(timeout)):
        await event
        return True
    return False
