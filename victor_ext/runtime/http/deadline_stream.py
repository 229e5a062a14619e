"""Streams for blocking calls that keep a deadline, however slowly the bytes come and however many there are.

The timeout of a socket is for one read. So a server that sends a byte now and then could hold a blocking call for ever,
and where there are always bytes to read, no timeout of a socket ever comes. The streams here ask the `DeadlineTimeout`,
which knows when its time is over. Their errors are those of httpx.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections.abc import Callable, Generator, Iterable
from ipaddress import ip_address
from typing import Any, TypeVar

import httpx

from victor_ext.runtime.loop.flow import drive
from victor_ext.runtime.loop.timeouts import as_of_now, is_over, share_of
from victor_ext.runtime.steady_clock import monotonic

from .tls_layer import READ_BYTES, Steps, TlsLayer

A = TypeVar("A")
T = TypeVar("T")
E = TypeVar("E", bound=httpx.NetworkError)


def as_network_error(error: OSError, kind: type[E]) -> E:
    """The error of httpx for what a socket raised.

    Raises `error` itself where it has no number. Then it is no socket's: a signal handler has raised it, such as a
    `TimeoutError`, and who has set the handler is to get it.
    """
    if error.errno is None:
        raise error
    return kind(str(error))


class SyncStream:
    """A TCP or TLS connection whose reads and writes keep the deadline of their timeout.

    The socket never blocks; only `_when_ready` waits for it. A timeout of the socket would be set anew for each
    operation, and each of these system calls hands Python's interpreter to another thread, if there is one. Nor would
    it be told apart from the `TimeoutError` of a signal handler.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(0)
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        if is_over(timeout):
            raise httpx.ReadTimeout("the answer goes on and on")
        return self._when_ready(self._socket.recv, max_bytes, _READ, timeout, httpx.ReadTimeout, httpx.ReadError)

    def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        left = memoryview(data)
        while left:
            sent = self._when_ready(self._socket.send, left, _WRITE, timeout, httpx.WriteTimeout, httpx.WriteError)
            left = left[sent:]

    def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None = None) -> SyncStream | TunnelStream:
        """Encrypt this stream, and verify that the other side is this host."""
        try:
            if isinstance(self._socket, ssl.SSLSocket):
                return TunnelStream(self, context, host).shake_hands(timeout)
            secured = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
            self._socket = secured
            errors = httpx.ConnectTimeout, httpx.ConnectError
            self._when_ready(lambda _: secured.do_handshake(), None, _WRITE, timeout, *errors)
        except BaseException:
            self.abort()
            raise
        return self

    def unread(self) -> bytes | None:
        """A byte, if one can be read without waiting; empty at the end of the stream, None if there is none."""
        # A server may send session tickets at any time (RFC 8446, 4.6.1). They are read here and are no data.
        try:
            return self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError as error:
            raise as_network_error(error, httpx.ReadError) from error

    def abort(self) -> None:
        """Close the connection, in any state."""
        self._socket.close()

    def _when_ready(
        self,
        act: Callable[[A], T],
        what: A,
        event: int,
        timeout: float | None,
        late: type[httpx.TimeoutException],
        broken: type[httpx.NetworkError],
    ) -> T:
        """Do something once, as soon as the socket lets it be done. Raises `late` and `broken`."""
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
            if not _is_ready(self._socket, event, None if ends is None else max(0.0, ends - monotonic())):
                raise late("timed out")
            is_due = True


class TunnelStream:
    """TLS over the TLS to a proxy: a socket cannot be wrapped twice."""

    def __init__(self, under: SyncStream, context: ssl.SSLContext, host: str) -> None:
        self._under = under
        self._layer = TlsLayer(context, host)

    def shake_hands(self, timeout: float | None) -> TunnelStream:
        """Do the handshake."""
        self._run(self._layer.shake_hands(), timeout)
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        return self._run(self._layer.read(max_bytes), timeout)

    def write(self, data: memoryview | bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._run(self._layer.write(memoryview(data)), timeout)

    def unread(self) -> bytes | None:
        """The bytes that can be read without waiting; empty at the end of the stream, None if there are none."""
        return self._layer.unread(self._under.unread)

    def abort(self) -> None:
        """Close the connection, in any state."""
        self._under.abort()

    def _run(self, steps: Steps[T], timeout: float | None) -> T:
        def take(data: bytes | None) -> bytes | None:
            if data is None:
                return self._under.read(READ_BYTES, timeout)
            self._under.write(data, timeout)
            return None

        return drive(steps, take)


# There is no poll on Windows, nor where somebody has removed it, as eventlet does.
_select: Any = select  # its names differ from system to system
_READ, _WRITE = (_select.POLLIN, _select.POLLOUT) if hasattr(select, "poll") else (1, 4)
_MOST_MILLISECONDS = 2**31 - 1

if not hasattr(select, "poll"):

    def _is_ready(waiting: socket.socket, event: int, seconds: float | None) -> bool:
        """Wait until a socket can be read or written; return whether it can."""
        reading, writing = ([waiting], []) if event == _READ else ([], [waiting])
        # On Windows, a connection that failed is none of both.
        return any(select.select(reading, writing, [waiting], seconds))

else:

    def _is_ready(waiting: socket.socket, event: int, seconds: float | None) -> bool:
        """Wait until a socket can be read or written; return whether it can."""
        poll = _select.poll()  # looked up here: gevent may replace it later
        poll.register(waiting, event)
        return bool(poll.poll(None if seconds is None else min(seconds * 1000, _MOST_MILLISECONDS)))


FRESH_SECONDS = 10.0
"""Seconds for which the addresses of a host are not looked up again, while connections to it succeed."""


class SyncBackend:
    """Opens such streams."""

    def __init__(self) -> None:
        self._addresses = Addresses()

    def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> SyncStream:
        """Connect to the addresses of the host, one after the other, within the timeout for all of them together."""
        addresses = self._addresses.known(host) or self._look_up(host, port)
        for tried, address in enumerate(addresses, start=1):
            seconds = share_of(timeout, 1 + len(addresses) - tried)
            try:
                stream = _connected(address, port, seconds)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                self._addresses.forget(host)
                if tried == len(addresses) or is_over(timeout):
                    raise
            else:
                self._addresses.note(host, address, addresses)
                return stream
        raise httpx.ConnectError(f"{host} has no address")

    def _look_up(self, host: str, port: int) -> list[str]:
        try:
            # Bytes: text would be encoded as an international name, which loads a codec, and it is in ASCII here.
            found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
            return self._addresses.found(host, found)
        except OSError as error:
            raise as_network_error(error, httpx.ConnectError) from error


def _connected(address: str, port: int, timeout: float | None) -> SyncStream:
    return SyncStream(drive(connecting(address, port), lambda made: _is_ready(made, _WRITE, as_of_now(timeout))))


def connecting(address: str, port: int) -> Generator[socket.socket, bool, socket.socket]:
    """A connected socket. Yields it, to learn whether it could be written to in time."""
    try:
        family, stream, protocol, _, where = _socket_address(address, port)
        made = socket.socket(family, stream, protocol)
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not _is_connected_at_once(made, where):
            if not (yield made):
                raise httpx.ConnectTimeout("no connection in time")
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise httpx.ConnectError(os.strerror(failed))
    except BaseException:
        made.close()
        raise
    return made


def _is_connected_at_once(made: socket.socket, where: Any) -> bool:
    try:
        made.connect(where)  # guards against the network watch this method
    except BlockingIOError:
        return False
    except OSError as error:
        raise as_network_error(error, httpx.ConnectError) from error
    return True


def _socket_address(address: str, port: int) -> Any:
    """What `getaddrinfo` tells of an address. It asks no name server."""
    # An address may name its network interface ("fe80::1%eth0"), which the system resolves.
    flags = socket.AI_NUMERICHOST
    return socket.getaddrinfo(address.encode("ascii"), port, type=socket.SOCK_STREAM, flags=flags)[0]


class Addresses:
    """The addresses of a host, in the order in which they are tried: one that worked comes first."""

    def __init__(self) -> None:
        self._works: dict[str, str] = {}
        self._fresh: dict[str, tuple[float, list[str]]] = {}

    def known(self, host: str) -> list[str]:
        """The host itself if it is an address, or what was looked up just before, if it worked; else nothing."""
        until, addresses = self._fresh.get(host, (0.0, []))
        if monotonic() < until:
            return addresses
        self.forget(host)
        try:
            return [str(ip_address(host))]
        except ValueError:
            return []

    def found(self, host: str, entries: Iterable[Any]) -> list[str]:
        """The addresses in the result of `getaddrinfo`, in the order to try them."""
        addresses = dict.fromkeys(str(address[0]) for *_, address in entries)
        works = self._works.get(host)
        return sorted(addresses, key=lambda address: address != works)

    def note(self, host: str, address: str, addresses: list[str]) -> None:
        """Note that an address worked, of these that were tried in this order."""
        if address != addresses[0]:
            self._works[host] = address
        self._fresh.setdefault(host, (monotonic() + FRESH_SECONDS, addresses))

    def forget(self, host: str) -> None:
        """Look the host up again next time: an address did not work."""
        self._fresh.pop(host, None)
