"""The bytes of those requests and responses that `Parser` leaves to h11."""

from __future__ import annotations

from typing import NamedTuple

import h11
import httpx

from victor_ext.privacy import redact_excerpt

Fields = list[tuple[bytes, bytes]]

_MAX_HEAD_BYTES = 100 * 1024


class Head(NamedTuple):
    """The head of a response."""

    status_code: int
    reason: bytes
    http_version: bytes
    fields: Fields


class H11Exchange:
    """A request and its response."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.CLIENT, _MAX_HEAD_BYTES)
        self._framed_twice = False

    def request(self, method: str, target: bytes, fields: Fields, content: bytes) -> bytes:
        """The bytes of a request. Raises `httpx.LocalProtocolError` where it cannot be written."""
        try:
            request = h11.Request(method=method, target=target, headers=fields)
            events = [request, *([h11.Data(data=content)] if content else []), h11.EndOfMessage()]
            return b"".join(self._connection.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            why = redact_excerpt(str(error))
        raise httpx.LocalProtocolError(why)

    def receive(self, data: bytes) -> None:
        """Take bytes that were read; none: the other side has closed the connection."""
        self._connection.receive_data(data)

    def head(self) -> Head | None:
        """The head of the response; None: more bytes are to be received. Raises `httpx.RemoteProtocolError`."""
        while (event := self._next_event()) is not h11.NEED_DATA:
            if type(event) is h11.Response:
                # RFC 9112, 6.3: it may be two responses for somebody on the way, so nothing that follows is believed.
                self._framed_twice = {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}
                return Head(event.status_code, event.reason, event.http_version, event.headers.raw_items())
            if type(event) is not h11.InformationalResponse:
                raise httpx.RemoteProtocolError("the server closed the connection without an answer")
        return None

    def body(self) -> bytes | None:
        """The next piece of the body, empty after the last; None: more bytes are to be received."""
        event = self._next_event()
        if event is h11.NEED_DATA:
            return None
        return bytes(event.data) if type(event) is h11.Data else b""

    def has_ended(self) -> bool:
        """Whether the response is whole, nothing has come behind it, and another one may follow."""
        states = self._connection.our_state, self._connection.their_state
        return states == (h11.DONE, h11.DONE) and not any(self._connection.trailing_data) and not self._framed_twice

    def _next_event(self) -> object:
        try:
            return self._connection.next_event()
        except h11.RemoteProtocolError as error:
            why = redact_excerpt(str(error))
        raise httpx.RemoteProtocolError(why)  # outside of the handler: h11's own error shows bytes of the response
