"""The bytes of requests and responses. Usual messages are written and read here, and all others by
h11.

h11 takes a fifth of the time of a call. A usual message is in a form so narrow that it has one
meaning only, and this module refuses nothing but a body that is cut off. `Parser` is what others
use; `H11Exchange` is what it falls back to.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import h11
import httpx

from victor_ext._privacy import SecretBytes, redact_excerpt

Fields = list[tuple[bytes, bytes]]

_MAX_HEAD_BYTES = 100 * 1024


class Head(NamedTuple):
    """The head of a response."""

    status_code: int
    reason: bytes
    http_version: bytes
    fields: Fields


class H11Exchange:
    """A request and its response, written and read by h11. Its methods are those of `Parser`."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.CLIENT, _MAX_HEAD_BYTES)
        self._framed_twice = False

    def request(self, method: str, target: bytes, fields: Fields, content: bytes) -> bytes:
        send = self._connection.send
        try:
            head = send(h11.Request(method=method, target=target, headers=fields)) or b""
            body = b""
            if content:
                body = send(h11.Data(data=content))
            trailer = send(h11.EndOfMessage()) or b""
            return SecretBytes(head + body + trailer)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(redact_excerpt(str(error))) from None

    def receive(self, data: bytes) -> None:
        self._connection.receive_data(data)

    def head(self) -> Head | None:
        while (event := self._next_event()) is not h11.NEED_DATA:
            if type(event) is h11.Response:
                # RFC 9112, 6.3: it may be two responses for somebody on the way, so nothing that
                # follows is believed.
                self._framed_twice = {b"content-length", b"transfer-encoding"} <= {
                    name for name, _ in event.headers
                }
                return Head(
                    event.status_code, event.reason, event.http_version, event.headers.raw_items()
                )
            if type(event) is not h11.InformationalResponse:
                raise httpx.RemoteProtocolError(
                    "the server closed the connection without an answer"
                )
        return None

    def body(self) -> bytes | None:
        event = self._next_event()
        if event is h11.NEED_DATA:
            return None
        return SecretBytes(event.data) if isinstance(event, h11.Data) else b""

    def may_be_reused(self) -> bool:
        """Whether the response is whole, nothing has come behind it, and the connection may carry
        another exchange.
        """
        states = self._connection.our_state, self._connection.their_state
        return (
            states == (h11.DONE, h11.DONE)
            and not any(self._connection.trailing_data)
            and not self._framed_twice
        )

    def _next_event(self) -> object:
        """The next event of h11. Raises `httpx.RemoteProtocolError`."""
        try:
            return self._connection.next_event()
        except h11.RemoteProtocolError as error:
            # h11's own error shows bytes of the response
            raise httpx.RemoteProtocolError(redact_excerpt(str(error))) from None


# Narrower than RFC 9110, 5.5 and 5.6.2, and than h11: values without tabs, without bytes beyond
# ASCII, and not empty.
_NAME = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
_VALUE = rb"[!-~](?:[ -~]*[!-~])?"
# Not HEAD and CONNECT: h11 knows that no body follows the head of their responses.
_usual_method = re.compile(r"(?!HEAD\Z|CONNECT\Z)[A-Z]+")
_usual_target = re.compile(rb"[!-~]+")
_usual_name = lru_cache(re.compile(_NAME).fullmatch)  # nearly all requests have the same names
_usual_value = re.compile(_VALUE)
_usual_head = re.compile(
    rb"HTTP/1\.1 (?!204|304)([2-5][0-9][0-9]) ([ -~]*)\r\n((?:"
    + _NAME
    + rb": ?"
    + _VALUE
    + rb"\r\n)+)\r\n"
)
_field = re.compile(rb"([^:]+): ?(.+)\r\n")
"""A field of a head that matched `_usual_head`."""
_usual_length = re.compile(rb"[0-9]{1,15}")


class Parser:
    """The messages of one connection: a request, its response, the next request."""

    __slots__ = ("_h11", "_head", "_left", "_received")

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        # set as soon as a message of the exchange is not usual
        self._h11: H11Exchange | None = None
        self._head: Head | None = None
        self._received = b""  # what is left of the body to return, and what came behind it
        self._left = 0  # bytes of the body that have not been returned

    def request(self, method: str, target: bytes, fields: Fields, content: bytes) -> bytes:
        """The bytes of a request. Raises `httpx.LocalProtocolError` where it cannot be written."""
        usual = _usual_request(method, target, fields, content)
        if usual is not None:
            return usual
        self._h11 = H11Exchange()
        return self._h11.request(method, target, fields, content)

    def receive(self, data: bytes) -> None:
        """Take bytes that were read; empty bytes: the other side has closed the connection.

        Raises `httpx.RemoteProtocolError` where the response cannot be completed any more.
        """
        if self._head is None and not data:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        if self._h11 is None and self._head is None:
            self._receive_first(data)
        elif self._h11 is not None:
            self._h11.receive(data)
        elif data:
            self._received += data
        else:
            why = (
                f"peer closed connection without sending complete message body ({self._left} "
                "bytes are missing)"
            )
            raise httpx.RemoteProtocolError(why)

    def _receive_first(self, data: bytes) -> None:
        """Take the first bytes of a response: read a usual head here, or leave all to h11."""
        match = _usual_head.match(data)
        if match is not None:
            fields: Fields = _field.findall(match[3])
            length = _body_length(fields)
            if length is not None:
                self._head = Head(int(match[1]), match[2], b"1.1", fields)
                self._left = length
                self._received = bytes.__getitem__(data, slice(match.end(), None))
                return
        self._h11 = H11Exchange()
        # How h11 reads the response to a usual request does not depend on what was requested.
        self._h11.request("GET", b"/", [(b"Host", b"")], b"")
        self._h11.receive(data)

    def head(self) -> Head | None:
        """The head of the response; None: more bytes are to be received.

        Raises `httpx.RemoteProtocolError`.
        """
        if self._head is None and self._h11 is not None:
            self._head = self._h11.head()
        return self._head

    def body(self) -> bytes | None:
        """The next piece of the body, empty after the last; None: more bytes are to be received.

        Raises `httpx.RemoteProtocolError`.
        """
        if self._h11 is not None:
            return self._h11.body()
        if not self._left:
            return b""
        piece = SecretBytes(self._received[: self._left])
        self._received = self._received[self._left :]
        self._left -= len(piece)
        return piece or None

    def begin_again(self) -> bool:
        """Get ready for another exchange. Returns False, and does nothing, if the last response has
        not ended, or more bytes have come.
        """
        if self._h11 is None:
            may_be_reused = self._head is not None and not self._left
        else:
            may_be_reused = self._h11.may_be_reused()
        if not may_be_reused or self._received:
            return False
        self._reset()
        return True


def _usual_request(method: str, target: bytes, fields: Fields, content: bytes) -> bytes | None:
    """The bytes of a usual request; None for another."""
    if not (_usual_method.fullmatch(method) and _usual_target.fullmatch(target)):
        return None
    for name, value in fields:
        if not (_usual_name(name) and _usual_value.fullmatch(value)):
            return None
    values = _values_by_name(fields)
    if values is None or b"transfer-encoding" in values:
        return None
    if next(iter(values), b"") != b"host":  # h11 moves it to the front
        return None
    if values.get(b"content-length", b"0") != b"%d" % len(content):
        return None
    first = b"%b %b HTTP/1.1\r\n" % (method.encode("ascii"), target)
    lines = [b"%b: %b\r\n" % field for field in fields]
    return SecretBytes(b"".join([first, *lines, b"\r\n", content]))


def _body_length(fields: Fields) -> int | None:
    """The bytes in the body of a usual response; None for another response, such as one in
    chunks.
    """
    values = _values_by_name(fields)
    if values is None or b"transfer-encoding" in values:
        return None
    length = values.get(b"content-length", b"")
    return int(length) if _usual_length.fullmatch(length) else None


def _values_by_name(fields: Fields) -> dict[bytes, bytes] | None:
    """The values of fields by their names in lower case; None where a name is repeated, or
    `Connection` asks for more than to keep the connection.
    """
    values = {name.lower(): value for name, value in fields}
    if len(values) != len(fields):
        return None
    connection = values.get(b"connection", b"keep-alive")
    return values if connection.lower() == b"keep-alive" else None
