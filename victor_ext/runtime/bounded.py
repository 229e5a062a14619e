"""Sockets that keep a deadline: however slowly the bytes trickle in, and however many there are.

The HTTP library gives each read the same time-out anew, so a server that sends a byte now and then can hold a
blocking call for ever; and where there is always something to read, no time-out of a socket ever comes. A
`timeouts.Left` knows when its time is up, and the streams here ask it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from .timeouts import as_of_now, is_over, share_of


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
        return BoundedStream(self._stream.start_tls(ssl_context, server_hostname, as_of_now(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """What the stream below knows."""
        return self._stream.get_extra_info(info)


class BoundedBackend(httpcore.NetworkBackend):
    """Makes such streams."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

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
        addresses = _addresses_of(host, port)
        for tried, address in enumerate(addresses, start=1):
            seconds = share_of(timeout, 1 + len(addresses) - tried)
            try:
                return BoundedStream(self._backend.connect_tcp(address, port, seconds, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses) or is_over(timeout):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._backend.sleep(seconds)


def _addresses_of(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def bounded(transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """Give a fresh transport such sockets."""
    # httpcore takes a backend in public, and httpx has no way to hand one on.
    pool: Any = transport._pool  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    pool._network_backend = BoundedBackend(pool._network_backend)  # noqa: SLF001 - see above
    return transport
