"""HTTP/1.1 as steps: this module decides what to write and to read, and a driver calls what it yields."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from victor_ext.runtime.core.timeouts import BEGUN, is_over
from victor_ext.runtime.http.parser import Head, Parser
from victor_ext.runtime.http.tls_layer import READ_BYTES

T = TypeVar("T")


Steps = Generator[Callable[[], Any], Any, T]
"""What is yielded opens a stream or uses one. With awaited calls, its result is to be awaited."""


class UnsolicitedData(Exception):
    """Bytes, or the end of the connection, arrived before a request was written. Nothing was written."""


@dataclass(slots=True, eq=False, repr=False)
class Connection:
    """A connection: its stream, and the parser of the bytes that it brings."""

    stream: Any = None  # until it has been opened
    parser: Parser = field(default_factory=Parser)
    idle_since: float = 0.0  # when its last exchange ended, by the monotonic clock
    is_doubtful: bool = False  # its last response was no good one, such as a gateway's time-out: a later one may follow
    is_spoilt: bool = False  # a request was not written whole: the server may take the next one for the rest of it

    def abort(self) -> None:
        if self.stream is not None:
            self.stream.abort()

    def begin_again(self) -> bool:
        """Make it ready for another exchange. Returns False if the last one has not ended, or more bytes have come."""
        return not self.is_spoilt and self.parser.begin_again()


def exchange(connection: Connection, request: httpx.Request, message: memoryview, timeouts: Any) -> Steps[Head]:
    """Send a request, whose bytes are the message, and read the head of its response.

    The message holds tokens. Nobody shows or pickles the bytes of a view, so frames may hold it while they wait.
    """
    parser, stream = connection.parser, connection.stream
    seconds = timeouts.get("write")
    if is_over(seconds):
        raise httpx.ConnectTimeout("no time was left to send the request")
    request.extensions[BEGUN] = True
    try:
        # In one piece, so that whatever came before that moment is certainly no response to this request.
        yield lambda: _write(stream, message, seconds)
    except UnsolicitedData:
        request.extensions[BEGUN] = False
        raise
    except httpx.WriteError:  # a server that closes early may have sent a response before
        connection.is_spoilt = True
    patience = timeouts.get("read")  # another name: a step may run after this line
    while (head := parser.head()) is None:
        parser.receive((yield lambda: stream.read(READ_BYTES, patience)))
    return head


def _write(stream: Any, message: memoryview, seconds: float | None) -> Any:
    """Write a request. Raises `UnsolicitedData`, and writes nothing, when bytes can be read before."""
    try:
        unread = stream.unread()
    except httpx.ReadError as error:
        raise UnsolicitedData(str(error)) from error
    if unread is not None:
        raise UnsolicitedData("data arrived" if unread else "the connection was closed")
    return stream.write(message, seconds)
