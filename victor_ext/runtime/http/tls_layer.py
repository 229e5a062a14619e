"""TLS where a socket cannot do it: where calls are awaited, and within the TLS to a proxy."""

import ssl
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

import httpx

from victor_ext.privacy import SecretBytes
from victor_ext.runtime.http.connecting import as_network_error

T = TypeVar("T")
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

    _drive: Callable[..., Any]  # `flows.drive` or `flows.adrive`

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
        """As `_Stream.unread` of `streams`.

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
