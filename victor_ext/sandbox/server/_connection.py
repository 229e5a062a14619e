"""Faults of the connection: uvicorn's h11 protocol, which can cut, stall and reset a real socket.

A request that is to be cut never reaches the application: its bytes are only counted. A response
that is to be cut is made in full first (the work is done), then the requested part of it is sent.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from typing import cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from victor_ext.sandbox.server._context import SandboxContext
from victor_ext.sandbox.server._faults import Fault, How

_LINGER = 1.0
"""Seconds for which a closed connection reads on.

Unread bytes would turn the close into a reset.
"""
_DELIVERED_AT_ONCE = 16_384
_GRACE = 0.05
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)


class SandboxConnection(H11Protocol):
    """One connection.

    `fault` is the fault of the current call; a call that was pipelined has none.
    """

    def __init__(self, context: SandboxContext, config: Config, state: ServerState) -> None:
        super().__init__(config, state, {"connection": self}, asyncio.get_running_loop())
        self.access_log = False
        self.context = context
        self.fault: Fault | None = None
        self._unserved = bytearray()
        """Bytes that h11 does not get: of a request line that is not complete, or of a request that
        is to be cut.
        """
        self._fault_chosen = False
        self._cuts = False
        self._buffer: _ResponseBuffer | None = None
        self._closed = False
        self._control = False
        self._is_last = False
        self.lost = self.loop.create_future()
        """Done when the connection is lost."""
        self._timers: list[asyncio.TimerHandle] = []

    def data_received(self, data: bytes) -> None:
        """Choose the fault of a new call from its request line.

        Then count the bytes, or pass them to h11.
        """
        if self._closed:
            return
        if self._begins_call():
            self._unserved += data
            if b"\n" not in self._unserved.lstrip(b"\r\n"):
                return
            data = bytes(self._unserved)
            self._unserved.clear()
            self._choose_fault(data)
        if self._cuts and self.fault is not None:
            self._unserved += data
            self._cut_request(self.fault)
        else:
            super().data_received(data)

    def _begins_call(self) -> bool:
        # Data that h11 holds between two calls is the beginning of a pipelined call.
        holds_data = self.conn.trailing_data[0]
        return not self._fault_chosen and self.conn.their_state is h11.IDLE and not holds_data

    def _choose_fault(self, data: bytes) -> None:
        self._fault_chosen = True
        method, path, query = _request_line(data)
        operations = self.context.operations
        self._control = operations.is_own(method, path)
        if self._control:
            return
        self.fault = self.context.faults.pick(operation=operations.name(method, path), query=query)
        self._cuts = self.fault is not None and self.fault.is_before_work
        if not self._cuts:
            self._buffer = _ResponseBuffer(self.transport)
            self.transport = cast("asyncio.Transport", self._buffer)

    def _cut_request(self, fault: Fault) -> None:
        """Record and end a request that is not served, once enough of it has come."""
        at = _cut_at(fault, _request_length(self._unserved))
        if at is None or len(self._unserved) < at:
            return
        self._closed = True
        method, path, _ = _request_line(self._unserved)
        name = self.context.operations.name(method, path)
        headers, body = _split(bytes(self._unserved[:at]))
        exchange = self.context.begin(method, path, name, headers, fault)
        self.context.count_attempt(exchange, headers, body)

        def end() -> None:
            self.context.finish(exchange, body, None)
            self._end(fault.ending)

        self._later(fault.delay, end)

    def on_response_complete(self) -> None:
        """Send the part of the buffered response that the fault allows, or go on to the next
        call.
        """
        buffer = self._buffer
        fault = self.fault
        self._fault_chosen = False
        self._control = False
        self.fault = None
        self._buffer = None
        if buffer is not None:
            self.transport = buffer.transport
            response = bytes(buffer.data)
            if fault is not None and fault.kind in ("cut_answer", "lose_answer", "stall"):
                self._cut_response(fault, response)
                return
            # Head and body in one write: the caller wakes up once.
            self.transport.write(response)
            if buffer.closed:
                self.transport.close()
        if self._is_last:
            self.transport.close()
        super().on_response_complete()

    def _cut_response(self, fault: Fault, response: bytes) -> None:
        self._closed = True
        size = 0
        if fault.kind == "cut_answer" and fault.after is not None:
            size = fault.after if fault.after >= 0 else max(0, len(response) + fault.after)
        self.transport.write(response[:size])
        self._end_when_sent(fault.ending, size=len(response))

    def _end_when_sent(self, how: How, *, size: int) -> None:
        """End the connection after delivery: a reset discards data in flight.

        A small response is delivered at once.
        """
        if how != "reset" or size <= _DELIVERED_AT_ONCE:
            self._end(how)
        elif self.transport.get_write_buffer_size() > 0:
            self._later(_GRACE, lambda: self._end_when_sent(how, size=size))
        else:
            self._later(_GRACE, lambda: self._end(how))

    def _end(self, how: How) -> None:
        if self.transport.is_closing() or how == "stall":
            return
        if how == "reset":
            self.reset()
        else:
            # A close with unread bytes would be a reset: send the end of the stream, and read on
            # for a while.
            self.transport.write_eof()
            self._later(_LINGER, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP; also through the buffer, which waits for the end of an
        answer.
        """
        super().send_400_response(msg)
        if self._buffer is not None:
            self.on_response_complete()

    def reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.shutdown()

    def reset_unless_control(self) -> None:
        """Reset the connection. One that carries a control command ends after it."""
        if self._control:
            self._is_last = True
        else:
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()
        super().connection_lost(exc)
        self.lost.set_result(None)

    def shutdown(self) -> None:
        self._closed = True
        self.transport.abort()

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if seconds <= 0:
            call()
        else:
            self._timers.append(self.loop.call_later(seconds, call))


class _ResponseBuffer:
    """Takes the place of the transport and keeps what is written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.data = bytearray()
        self.closed = False

    def write(self, data: bytes) -> None:
        self.data += data

    def close(self) -> None:
        """Remember the close: the data are still to be sent."""
        self.closed = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.transport, name)


def _cut_at(fault: Fault, length: int | None) -> int | None:
    """After how many bytes a request of this length is cut; None while the length has to be known
    first.
    """
    if fault.kind == "refuse":
        return 0
    after = 0 if fault.after is None else fault.after
    is_from_end = fault.after is None or after < 0
    if length is None:
        return None if is_from_end else after
    return max(0, length + after) if is_from_end else min(after, length)


def _request_line(data: bytes | bytearray) -> tuple[str, str, str]:
    """The method, the path and the query, as far as they are there."""
    line = data.lstrip(b"\r\n").split(b"\n", 1)[0]
    words = line.split()
    if len(words) < 2:
        return "", "", ""
    method = words[0].decode("latin-1")
    path, _, query = words[1].decode("latin-1").partition("?")
    return method, path, query


def _split(request: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the body of a request that was cut off, as far as they came whole."""
    head, end, body = request.partition(b"\r\n\r\n")
    headers: list[tuple[bytes, bytes]] = []
    for line in (head + end).split(b"\r\n")[1:-1]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.append((name.lower(), value.strip()))
    return headers, body


def _request_length(data: bytearray) -> int | None:
    """The length of a request with its body in bytes; None while it is not known."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    size_of_head = end + 4
    length = _LENGTH.search(data[: end + 2])
    return size_of_head if length is None else size_of_head + int(length[1])
