"""Streams for blocking calls that keep a deadline, however slowly the bytes come and however many there are.

The timeout of a socket is for one read. So a server that sends a byte now and then could hold a blocking call for ever,
and where there are always bytes to read, no timeout of a socket ever comes. The streams here ask the `DeadlineTimeout`,
which knows when its time is over. Their errors are those of httpx.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, TypeVar

import httpx

from victor_ext.runtime.loop.timeouts import as_of_now, is_over, share_of

A = TypeVar("A")
T = TypeVar("T")

_TLS_RECORD_BYTES = 16384


class SyncStream:
    """A TCP or TLS connection whose reads and writes keep the deadline of their timeout.

    The socket never blocks; only `_when_ready` waits for it. A timeout of the socket would be set anew for each
    operation, and each of these system calls hands Python's interpreter to another thread, if there is one.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(0)
        self._socket: socket.socket | _TlsWithinTls = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        if is_over(timeout):
            raise httpx.ReadTimeout("the answer goes on and on")
        try:
            return self._when_ready(self._socket.recv, max_bytes, _READ, timeout)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        left = memoryview(buffer)
        try:
            while left:
                left = left[self._when_ready(self._socket.send, left, _WRITE, timeout) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None = None) -> SyncStream:
        """Encrypt this stream, and verify that the other side is this host."""
        try:
            self._socket.settimeout(as_of_now(timeout))
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket = _TlsWithinTls(self._socket, context, host)
            else:
                assert isinstance(self._socket, socket.socket)
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
            self._socket.settimeout(0)
        except TimeoutError as error:
            self.abort()
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            self.abort()
            raise httpx.ConnectError(str(error)) from error
        except BaseException:
            self.abort()
            raise
        return self

    def has_unread(self) -> bool:
        """Whether bytes, or the end of the stream, can be read without waiting. A byte is lost."""
        # A server may send session tickets at any time (RFC 8446, 4.6.1). They are read here and are no data.
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            pass
        return True

    def abort(self) -> None:
        """Close the connection, in any state."""
        self._socket.close()

    def _when_ready(self, act: Callable[[A], T], what: A, event: int, timeout: float | None) -> T:
        """`recv` or `send` once, as soon as it can be done. Raises `TimeoutError` and `OSError`."""
        seconds = as_of_now(timeout)
        if isinstance(self._socket, _TlsWithinTls):
            return self._socket.within(seconds, act, what)
        ends = None if seconds is None else time.monotonic() + seconds
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
            if not _is_ready(self._socket, event, None if ends is None else max(0.0, ends - time.monotonic())):
                raise TimeoutError("timed out")
            is_due = True


# There is no poll on Windows, nor where somebody has removed it, as eventlet does.
_READ, _WRITE = (select.POLLIN, select.POLLOUT) if hasattr(select, "poll") else (1, 4)
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
        poll = select.poll()
        poll.register(waiting, event)
        return bool(poll.poll(None if seconds is None else min(seconds * 1000, _MOST_MILLISECONDS)))


class _TlsWithinTls:
    """What `SyncStream` needs of a socket, with TLS over the TLS to a proxy: `wrap_socket` cannot wrap twice."""

    def __init__(self, under: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self.settimeout, self.close = under.settimeout, under.close
        self._under = under
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._through(self._tls.do_handshake)

    def within(self, seconds: float | None, act: Callable[[A], T], what: A) -> T:
        """`recv` or `send` once, and wait at most so long. Elsewhere they do not wait."""
        self.settimeout(seconds)
        try:
            return act(what)
        finally:
            self.settimeout(0)

    def recv(self, most: int) -> bytes:
        """Read up to so many bytes; empty at the end of the stream."""
        try:
            return self._through(lambda: self._tls.read(most))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def send(self, data: memoryview) -> int:
        """Write some of it, and return how many bytes."""
        return self._through(lambda: self._tls.write(data))

    def _through(self, act: Callable[[], T]) -> T:
        """Do one TLS operation, and the reads and writes that it needs."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                self._flush()
                came = self._under.recv(_TLS_RECORD_BYTES)
                if came:
                    self._incoming.write(came)
                else:
                    self._incoming.write_eof()
            finally:
                self._flush()  # after an error, the alert for the other side

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._under.sendall(self._outgoing.read())


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
                if tried == len(addresses) or is_over(timeout):
                    raise
            else:
                self._addresses.note(host, address, first=tried == 1)
                return stream
        raise httpx.ConnectError(f"{host} has no address")

    def _look_up(self, host: str, port: int) -> list[str]:
        try:
            # Bytes: text would be encoded as an international name, which loads a codec, and it is in ASCII here.
            found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
            return self._addresses.found(host, found)
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error


def _connected(address: str, port: int, timeout: float | None) -> SyncStream:
    try:
        family, kind, protocol, _, where = socket_address(address, port)
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(timeout)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.connect(where)
        except BaseException:
            made.close()
            raise
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    return SyncStream(made)


def socket_address(address: str, port: int) -> Any:
    """What `getaddrinfo` tells of an address. It asks no name server."""
    # An address may name its network interface ("fe80::1%eth0"), which the system resolves.
    flags = socket.AI_NUMERICHOST
    return socket.getaddrinfo(address.encode("ascii"), port, type=socket.SOCK_STREAM, flags=flags)[0]


class Addresses:
    """The order in which the addresses of a host are tried: one that worked comes before those that failed."""

    def __init__(self) -> None:
        self._works: dict[str, str] = {}

    def known(self, host: str) -> list[str]:
        """The host itself if it is an address, which needs no look-up; else nothing."""
        try:
            return [str(ip_address(host))]
        except ValueError:
            return []

    def found(self, host: str, entries: Iterable[Any]) -> list[str]:
        """The addresses in the result of `getaddrinfo`, in the order to try them."""
        addresses = dict.fromkeys(str(address[0]) for *_, address in entries)
        works = self._works.get(host)
        return sorted(addresses, key=lambda address: address != works)

    def note(self, host: str, address: str, *, first: bool) -> None:
        """Note that an address worked; `first`: it was the first one tried."""
        if not first:
            self._works[host] = address
