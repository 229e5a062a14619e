"""HTTP/1.1 as steps: what is to be written and read is decided here, and done by who drives it."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import h11
import httpx

from victor_ext.redaction import SecretBytes

T = TypeVar("T")

_MAX_HEAD_BYTES = 100 * 1024


class Connect:
    """Connect to this host and port; the connection has a stream from then on."""

    __slots__ = ("host", "port", "seconds")

    def __init__(self, host: str, port: int, seconds: float | None) -> None:
        self.host, self.port, self.seconds = host, port, seconds


class StartTls:
    """Go on encrypted, with whoever proves to be this host."""

    __slots__ = ("context", "host", "seconds")

    def __init__(self, context: ssl.SSLContext, host: str, seconds: float | None) -> None:
        self.context, self.host, self.seconds = context, host, seconds


class Write:
    """Write this. Raises `Unasked`, and writes nothing, when there is something to be read already."""

    __slots__ = ("data", "seconds")

    def __init__(self, data: SecretBytes, seconds: float | None) -> None:
        self.data, self.seconds = data, seconds


class Read:
    """Read what there is, at most so many bytes; the result is empty when the other side has closed."""

    __slots__ = ("most", "seconds")

    def __init__(self, seconds: float | None, most: int = 65536) -> None:
        self.seconds, self.most = seconds, most


Step = Connect | StartTls | Write | Read
Steps = Generator[Step, Any, T]


class Unasked(Exception):
    """Something came over a connection that nothing had been asked on. Nothing was written."""


class Stream(Protocol):
    """What a connection needs of its stream at once, whether its reads block or are awaited."""

    def has_unread(self) -> bool:
        """Whether there is something to be read, the end of the stream included."""
        ...

    def abort(self) -> None:
        """Close it, without a wait and whatever state it is in."""
        ...


class Connection:
    """A connection: its stream, and the parser of what comes over it.

    Attributes:
        stream: None until it has been opened.
        idle_since: When its last exchange ended, by the monotonic clock.
    """

    __slots__ = ("idle_since", "parser", "stream")

    def __init__(self) -> None:
        self.stream: Any = None
        self.parser = h11.Connection(h11.CLIENT, _MAX_HEAD_BYTES)
        self.idle_since = 0.0

    def abort(self) -> None:
        """Close it, without a wait and whatever state it is in."""
        if self.stream is not None:
            self.stream.abort()

    def begin_again(self) -> bool:
        """Make it ready for another exchange. Whether it can have one: the last has ended, and no more has come."""
        parser = self.parser
        if not parser.our_state is parser.their_state is h11.DONE or any(parser.trailing_data):
            return False
        parser.start_next_cycle()
        return True


def exchange(
    connection: Connection, request: httpx.Request, target: bytes, headers: list[tuple[bytes, bytes]], timeouts: Any
) -> Steps[h11.Response]:
    """Send a request whose body has been read, and read the head of its answer."""
    parser = connection.parser
    # Written at once, so that there is one moment before which whatever came is no answer to this request.
    data = SecretBytes(b"".join(_wire_format(parser, request, target, headers)))
    with suppress(httpx.WriteError):  # a server that does not want the rest may have said why before it closed
        yield Write(data, timeouts.get("write"))
    seconds = timeouts.get("read")
    while True:
        event = next_event(parser)
        if event is h11.NEED_DATA:
            receive(parser, (yield Read(seconds)))
        elif type(event) is h11.Response:
            return event
        elif type(event) is not h11.InformationalResponse:
            raise httpx.RemoteProtocolError("the server closed the connection without an answer")


def _wire_format(
    parser: h11.Connection, request: httpx.Request, target: bytes, headers: list[tuple[bytes, bytes]]
) -> list[bytes]:
    try:
        return [
            parser.send(h11.Request(method=request.method, target=target, headers=headers)) or b"",
            parser.send(h11.Data(data=request.content)) or b"" if request.content else b"",
            parser.send(h11.EndOfMessage()) or b"",
        ]
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error


def next_event(parser: h11.Connection) -> Any:
    """The next event of what has been received so far; `h11.NEED_DATA` when that is not enough for one."""
    try:
        return parser.next_event()
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error


def receive(parser: h11.Connection, data: bytes) -> None:
    """Hand the parser what was read."""
    if not data and parser.their_state is h11.SEND_RESPONSE:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    parser.receive_data(data)
