"""TCP and TLS streams, for blocking calls and for awaited calls. Their errors are those of httpx.

They keep a deadline, however slowly the bytes come: the timeout of a socket is for one read only.
Awaited calls use sockets, too: a task that is cancelled while a stream of an event loop is closed
would leave the connection open.

In this order: `connect`, whose steps try the addresses of a host one after the other; TLS where a
socket cannot do it; the streams and what opens them, of both modes.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from functools import partial
from ipaddress import ip_address
from operator import call
from typing import Any, TypeVar, cast
from weakref import finalize

import anyio
import httpx

from victor_ext._flows import Calls, adrive, drive
from victor_ext._privacy import SecretBytes
from victor_ext._runtime.core.clock import as_of_now, is_over, monotonic
from victor_ext._runtime.core.response import ClosedWithoutNotice

A = TypeVar("A")
E = TypeVar("E", bound=httpx.NetworkError)
T = TypeVar("T")


def as_network_error(error: OSError, kind: type[E]) -> E:
    """The error of httpx, of this class, for what a socket raised."""
    # A socket's error has a number, or says that macOS or Windows does not trust a certificate. Any
    # other one, such as a `TimeoutError`, comes from a signal handler, whose owner is to get it.
    if error.errno is None and not isinstance(error, ssl.SSLError):
        raise error
    # The other side closed the connection without a closure alert. Python before 3.11.4 has the
    # error of OpenSSL 3 in no class of its own.
    reason = getattr(error, "reason", None)
    is_end = isinstance(error, ssl.SSLEOFError) or reason == "UNEXPECTED_EOF_WHILE_READING"
    if kind is httpx.ReadError and is_end:
        return cast("E", ClosedWithoutNotice("the connection was closed without notice"))
    # `str` of an `SSLError` that has a text alone would show a tuple
    return kind(str(error.args[0] if len(error.args) == 1 else error))


Entry = tuple[int, int, int, str, Any]
"""An address in the result of `getaddrinfo`, with what a socket for it has to be."""


def connect(backend: Any, host: str, port: int, timeout: float | None) -> Calls[socket.socket]:
    """Connect to a host, and return the socket, which never blocks.

    The backend, of either mode, has the known `addresses`, looks a host up, and waits until a
    socket can be written to. Raises `httpx.ConnectError` and `httpx.ConnectTimeout`.
    """
    addresses: Addresses = backend.addresses
    try:
        known = addresses.known(host, port)
        if not known:
            entries = yield lambda: backend.look_up(host, port, timeout)
            known = addresses.ordered(host, entries)
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    for number, entry in enumerate(known, start=1):
        # an equal part of the time left for this address and each one behind it
        seconds = as_of_now(timeout, 1 + len(known) - number)
        try:
            connected = yield from _connect(backend, entry, seconds)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            addresses.forget(host, port)
            if number == len(known) or is_over(timeout):
                raise
        else:
            addresses.note(host, port, entry, known)
            return connected
    raise httpx.ConnectError(f"{host} has no address")


def _connect(backend: Any, entry: Entry, seconds: float | None) -> Calls[socket.socket]:
    """Connect to one address, and return the socket, which never blocks."""
    family, kind, protocol, _, where = entry
    try:
        connection = socket.socket(family, kind, protocol)
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    try:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.connect(where)  # guards against the network watch this method
            is_connected = True
        except BlockingIOError:
            is_connected = False
        except OSError as error:
            raise as_network_error(error, httpx.ConnectError) from error
        if not is_connected:
            if not (yield lambda: backend.is_writable(connection, seconds)):
                raise httpx.ConnectTimeout("the host did not answer in time")
            failed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise httpx.ConnectError(os.strerror(failed))
    except BaseException:
        connection.close()
        raise
    return connection


REMEMBER_SECONDS = 10.0
"""How long the addresses of a host are not looked up again, while connections to it succeed."""


class Addresses:
    """The addresses of a host, in the order in which they are tried: one that worked comes
    first.
    """

    def __init__(self) -> None:
        # the address that worked last, if another was tried before it, by host
        self._works: dict[str, str] = {}
        # until when these addresses are used without another look-up, by host and port
        self._fresh: dict[tuple[str, int], tuple[float, Sequence[Entry]]] = {}

    def known(self, host: str, port: int) -> Sequence[Entry]:
        """The addresses of a host that needs no look-up: those of a look-up just before, if one of
        them worked, or the host itself if it is an address. Empty for any other host.
        """
        until, entries = self._fresh.get((host, port), (0.0, []))
        if monotonic() < until:
            return entries
        self.forget(host, port)
        try:
            address = str(ip_address(host))
        except ValueError:
            return []
        # Asks no name server. An address may name its network interface ("fe80::1%eth0"), which the
        # system resolves.
        kind, flags = socket.SOCK_STREAM, socket.AI_NUMERICHOST
        return socket.getaddrinfo(address.encode("ascii"), port, type=kind, flags=flags)[:1]

    def ordered(self, host: str, entries: Iterable[Entry]) -> Sequence[Entry]:
        """The addresses in the result of `getaddrinfo`, in the order to try them."""
        by_address: dict[str, Entry] = {}
        for entry in entries:
            by_address.setdefault(_address_of(entry), entry)
        works = self._works.get(host)
        return sorted(by_address.values(), key=lambda entry: _address_of(entry) != works)

    def note(self, host: str, port: int, entry: Entry, entries: Sequence[Entry]) -> None:
        """Note that this address worked. `entries` are the addresses of the host, in the order in
        which they were tried.
        """
        if entry is not entries[0]:
            self._works[host] = _address_of(entry)
        self._fresh.setdefault((host, port), (monotonic() + REMEMBER_SECONDS, entries))

    def forget(self, host: str, port: int) -> None:
        """Look the host up again next time."""
        self._fresh.pop((host, port), None)


def _address_of(entry: Entry) -> str:
    return str(entry[4][0])


Steps = Generator[bytes | None, bytes, T]
"""Yields bytes to write to the stream below, or None to receive the next bytes from it."""

READ_BYTES = 65536


def show_cut_connections(context: ssl.SSLContext) -> None:
    """Have the end of a connection without a closure alert be an error (RFC 8446, 6.1).

    With this option of OpenSSL 3 it looks like a good end. Python before 3.11.4 sets it in each
    context.
    """
    hides = getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    if context.options & hides:
        context.options &= ~hides


class TunnelStream:
    """TLS over another stream, of either mode. Where the methods of that stream are awaited, the
    results of `shake_hands`, `read` and `write` are, too.
    """

    _drive: Callable[..., Any]  # `_flows.drive` or `_flows.adrive`

    def __init__(self, under: Any, context: ssl.SSLContext, host: str) -> None:
        self._under = under
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def shake_hands(self, timeout: float | None) -> Any:
        """Verify that the other side is the host.

        Raises `httpx.ConnectError` and `httpx.ConnectTimeout`.
        """
        return self._run(self._handshake_steps(), timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        """Read up to `max_bytes`, as soon as any can be read; empty bytes: the stream has ended.

        Raises `httpx.ReadError`.
        """
        return self._run(self._read_steps(max_bytes), timeout)

    def write(self, data: memoryview | bytes, timeout: float | None = None) -> Any:
        return self._run(self._write_steps(memoryview(data)), timeout)

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; None: no bytes are there; empty bytes: the
        stream has ended.

        Raises `httpx.ReadError` where the other side has ended the connection with an alert that
        is an error, or without any.
        """
        while True:
            # A server may send session tickets at any time (RFC 8446, 4.6.1). They are read here
            # and are not data.
            try:
                return self._tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                received = self._under.unread()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise as_network_error(error, httpx.ReadError) from error
            if received is None:
                return None
            self._receive(received)

    def abort(self) -> None:
        self._under.abort()

    def _run(self, steps: Steps[Any], timeout: float | None) -> Any:
        """Run steps over the stream below, in the mode of this stream."""

        def take(data: bytes | None) -> Any:
            """Write the bytes to the stream below; read from it for None."""
            if data is None:
                return self._under.read(READ_BYTES, timeout)
            return self._under.write(data, timeout)

        return self._drive(steps, take)

    def _handshake_steps(self) -> Steps[None]:
        try:
            yield from self._do(self._tls.do_handshake)
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except ssl.SSLError as error:
            raise as_network_error(error, httpx.ConnectError) from error
        except (httpx.ReadError, httpx.WriteError) as error:
            raise httpx.ConnectError(str(error)) from error

    def _read_steps(self, max_bytes: int) -> Steps[bytes]:
        try:
            return (yield from self._do(lambda: SecretBytes(self._tls.read(max_bytes))))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            raise as_network_error(error, httpx.ReadError) from error

    def _write_steps(self, data: memoryview) -> Steps[None]:
        try:
            while data:
                written = yield from self._do(partial(self._tls.write, data))
                data = data[written:]
        except ssl.SSLError as error:
            raise httpx.WriteError(str(error)) from error

    def _do(self, act: Callable[[], T]) -> Steps[T]:
        """Do one TLS operation, and the reads and writes that it needs."""
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                yield from self._flush()
                self._receive((yield None))
            except ssl.SSLError:
                yield from self._flush()  # the alert for the other side
                raise
            else:
                yield from self._flush()
                return result

    def _flush(self) -> Steps[None]:
        """Write what TLS has to say to the other side, if anything."""
        if self._outgoing.pending:
            yield self._outgoing.read()

    def _receive(self, received: bytes) -> None:
        """Give TLS what came from the other side; empty bytes: the connection has ended."""
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()


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
    ) -> SyncStream:
        """Encrypt this stream, and verify that the other side is this host."""
        try:
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
    """Opens connections, with blocking calls. See `connect`."""

    def __init__(self) -> None:
        self.addresses = Addresses()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> SyncStream:
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
    """Opens connections, with awaited calls. See `connect`."""

    def __init__(self) -> None:
        self.addresses = Addresses()

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> AsyncStream:
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
