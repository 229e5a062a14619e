"""Sockets that keep a deadline: however slowly the bytes trickle in, and however many there are.

The HTTP library gives each read the same time-out anew, so a server that sends a byte now and then can hold a
blocking call for ever; and where there is always something to read, no time-out of a socket ever comes. A
`timeouts.Left` knows when its time is up, and the streams here ask it.
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
    """A stream whose reads and writes keep the deadline of their time-out."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is."""
        if is_over(timeout):
            raise httpcore.ReadTimeout("the answer goes on and on")
        return self._stream.read(max_bytes, as_of_now(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        if is_over(timeout):
            raise httpcore.WriteTimeout("there was no time left")
        self._stream.write(buffer, as_of_now(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on encrypted."""
        self._stream = self._stream.start_tls(ssl_context, server_hostname, as_of_now(timeout))
        return self

    def get_extra_info(self, info: str) -> Any:
        """What the stream below knows."""
        return self._stream.get_extra_info(info)

    def has_unread(self) -> bool:
        """Whether there is something to be read, the end of the stream included."""
        tls = self._stream.get_extra_info("ssl_object")
        if tls is not None and tls.pending():
            return True
        if not self._stream.get_extra_info("is_readable"):
            return False
        return tls is None or self._has_more_than_tickets()

    def _has_more_than_tickets(self) -> bool:
        # A server may send tickets for later sessions at any time (RFC 8446, 4.6.1): they are read on the way to data.
        try:
            self._stream.read(1, 0.0)
        except httpcore.ReadError as error:
            return not isinstance(error.__cause__, ssl.SSLWantReadError | BlockingIOError)
        return True

    def abort(self) -> None:
        """Close the connection, whatever state it is in."""
        self._stream.close()


class BoundedBackend(httpcore.NetworkBackend):
    """Makes such streams."""

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
        """Connect to one address of the host after the other.

        The system's own way gives each of them the whole time-out, so a host of six addresses takes six of them.
        """
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
    """In which order the addresses of a host are tried. One that works comes before those that were found not to."""

    def __init__(self) -> None:
        self._works: dict[str, str] = {}

    def known(self, host: str) -> list[str]:
        """What need not be looked up: an address stands for itself."""
        try:
            return [str(ip_address(host))]
        except ValueError:
            return []

    def found(self, host: str, entries: Iterable[Any]) -> list[str]:
        """The addresses of what `getaddrinfo` has found."""
        addresses = dict.fromkeys(str(address[0]) for *_, address in entries)
        works = self._works.get(host)
        return sorted(addresses, key=lambda address: address != works)

    def note(self, host: str, address: str, *, first: bool) -> None:
        """It has worked; `first`: at once."""
        if not first:
            self._works[host] = address
