"""Streams for blocking calls that keep a deadline, however slowly the bytes come and however many there are.

httpcore gives each read the same timeout anew. So a server that sends a byte now and then could hold a blocking call
for ever, and where there are always bytes to read, no timeout of a socket ever comes. The streams here ask the
`DeadlineTimeout`, which knows when its time is over.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import httpcore

from victor_ext.runtime.loop.timeouts import as_of_now, is_over, share_of


class BoundedStream(httpcore.NetworkStream):
    """A stream whose reads and writes keep the deadline of their timeout."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`, as soon as there are any."""
        if is_over(timeout):
            raise httpcore.ReadTimeout("the answer goes on and on")
        return self._stream.read(max_bytes, as_of_now(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._stream.write(buffer, as_of_now(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypt this stream."""
        self._stream = self._stream.start_tls(ssl_context, server_hostname, as_of_now(timeout))
        return self

    def get_extra_info(self, info: str) -> Any:
        """The information of the stream below."""
        return self._stream.get_extra_info(info)

    def has_unread(self) -> bool:
        """Whether bytes, or the end of the stream, can be read without waiting."""
        tls = self._stream.get_extra_info("ssl_object")
        if tls is not None and tls.pending():
            return True
        if not self._stream.get_extra_info("is_readable"):
            return False
        return tls is None or self._has_more_than_tickets()

    def _has_more_than_tickets(self) -> bool:
        # A server may send session tickets at any time (RFC 8446, 4.6.1). They are read here and are no data.
        try:
            self._stream.read(1, 0.0)
        except httpcore.ReadError as error:
            return not isinstance(error.__cause__, ssl.SSLWantReadError | BlockingIOError)
        return True

    def abort(self) -> None:
        """Close the connection, in any state."""
        self._stream.close()


class BoundedBackend(httpcore.NetworkBackend):
    """Opens such streams."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend
        self._addresses = Addresses()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the addresses of the host, one after the other, within the timeout for all of them together."""
        addresses = self._addresses.known(host) or self._look_up(host, port)
        for tried, address in enumerate(addresses, start=1):
            seconds = share_of(timeout, 1 + len(addresses) - tried)
            try:
                stream = self._backend.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses) or is_over(timeout):
                    raise
            else:
                self._addresses.note(host, address, first=tried == 1)
                return BoundedStream(stream)
        raise httpcore.ConnectError(f"{host} has no address")

    def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return self._addresses.found(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._backend.sleep(seconds)


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
