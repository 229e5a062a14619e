"""Failures that are real events on a socket: uvicorn's h11 protocol with a hand on the connection.

The fault for a call is chosen as soon as its request line is there. A request that is to be cut is never
shown to the application: its bytes are only counted. An answer that is to be cut is made whole first (the work
is done), and then so much of it is sent as was asked for.
"""

from __future__ import annotations

import re
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from victor_ext.sandbox.server.routes import is_control

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from victor_ext.sandbox.server.faults import Fault, How
    from victor_ext.sandbox.server.stage import SandboxContext

_LINE_LIMIT = 16_384
_LINGER = 1.0
"""Seconds for which a closed connection reads what the caller still sends, so that no reset follows."""
_DELIVERED_AT_ONCE = 16_384
_GRACE = 0.05
_CONTINUE = b"HTTP/1.1 100 "
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)


class Wire(H11Protocol):
    """One connection. `fault` is what the call in hand meets."""

    stage: SandboxContext

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "wire": self}, _loop)
        self.access_log = False
        self.fault: Fault | None = None
        self._line = bytearray()
        self._chosen = False
        self._cut: _CutRequest | None = None
        self._gate: _AnswerGate | None = None
        self._gone = False
        self._control = False
        self.lost = self.loop.create_future()
        """Done when the connection is gone."""
        self._timers: list[asyncio.TimerHandle] = []

    def data_received(self, data: bytes) -> None:
        """Choose the fault of a new call from its request line; then count, or hand on to h11."""
        if self._gone:
            return
        # What h11 still holds while nobody is served is the beginning of a pipelined call.
        if not self._chosen and self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self._line += data
            if b"\n" not in self._line.lstrip(b"\r\n") and len(self._line) < _LINE_LIMIT:
                return
            data = bytes(self._line)
            self._line.clear()
            self._choose(data)
        if self._cut is not None:
            self._cut.feed(data)
            return
        super().data_received(data)

    def _choose(self, data: bytes) -> None:
        self._chosen = True
        method, path, query = _request_line(data)
        self._control = is_control(path)
        if self._control:
            return
        self.fault = fault = self.stage.faults.pick(method, path, self.stage.paths.word(method, path), query=query)
        if fault is not None and _unserved(fault):
            self._cut = _CutRequest(fault, lambda head: self._cut_now(fault, method, path, head))
        else:
            self._gate = _AnswerGate(self.transport)
            self.transport = cast("asyncio.Transport", self._gate)

    def _cut_now(self, fault: Fault, method: str, path: str, head: bytes) -> None:
        key = None if self.stage.key is None else self.stage.key.in_request(head)
        exchange = self.stage.begin(method, path, self.stage.paths.word(method, path), key)
        exchange.fault = fault.kind
        self._gone = True

        def end() -> None:
            self.stage.finish(exchange, None)
            self._end(fault.ending)

        self._later(fault.delay, end)

    def take_fault(self, method: str, path: str, query: str) -> Fault | None:
        """The fault of the call in hand; chosen now when its request line came in behind another call's."""
        if not self._chosen:
            self._chosen = True
            if not is_control(path):
                operation = self.stage.paths.word(method, path)
                self.fault = self.stage.faults.pick(method, path, operation, query=query, pipelined=True)
        return self.fault

    def on_response_complete(self) -> None:
        """Send as much of a gated answer as the fault lets through, or go on to the next call."""
        gate, fault = self._gate, self.fault
        self._chosen, self._control, self.fault, self._gate = False, False, None, None
        if gate is not None:
            self.transport = gate.real
            answer = bytes(gate.held)
            if fault is not None and fault.kind in ("cut_answer", "lost_answer", "stall"):
                self._gone = True
                until = 0 if fault.kind != "cut_answer" or fault.after is None else fault.after
                self.transport.write(answer[: until if until >= 0 else max(0, len(answer) + until)])
                self._end_when_sent(fault.ending, size=len(answer))
                return
            # Head and body in one piece: a caller wakes up once for an answer.
            self.transport.write(answer)
            if gate.closed:
                self.transport.close()
        super().on_response_complete()

    def _end_when_sent(self, how: How, *, size: int) -> None:
        """A reset throws away what the system has not delivered yet; a small answer is delivered at once."""
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
            # A close with unread bytes would be a reset: say goodbye, and go on reading for a while.
            self.transport.write_eof()
            self._later(_LINGER, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP; also through a gate, which waits for the end of an answer."""
        super().send_400_response(msg)
        if self._gate is not None:
            self.on_response_complete()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._gone = True
        self.transport.abort()

    def reset_unless_control(self) -> None:
        """End the connection, or let the control command that it carries be the last thing on it."""
        if self._control:
            self.cycle.keep_alive = False
        else:
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was still to happen on this connection."""
        for timer in self._timers:
            timer.cancel()
        if self._gate is not None:
            self.transport = self._gate.real
        super().connection_lost(exc)
        self.lost.set_result(None)

    def shutdown(self) -> None:
        """The server ends: an idle connection is closed, one with a call in hand is cut off."""
        self._gone = True
        self.transport.abort()

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        if seconds <= 0:
            call()
        else:
            self._timers.append(self.loop.call_later(seconds, call))


def _unserved(fault: Fault) -> bool:
    return fault.kind in ("refuse", "cut_request") or (fault.kind == "stall" and not fault.work)


class _CutRequest:
    """Counts the bytes of a request that will never be served, up to the point where it is cut."""

    def __init__(self, fault: Fault, cut: Callable[[bytes], None]) -> None:
        self._after = 0 if fault.kind == "refuse" else fault.after
        self._cut = cut
        self._seen = bytearray()
        self._done = False

    def feed(self, data: bytes) -> None:
        self._seen += data
        if self._done:
            return
        whole = _whole_length(self._seen)
        at = self._after
        if at is None or at < 0:
            at = None if whole is None else max(0, whole + (at or 0))
        elif whole is not None:
            at = min(at, whole)
        if at is not None and len(self._seen) >= at:
            self._done = True
            self._cut(bytes(self._seen[:at]))


class _AnswerGate:
    """Stands where the transport stands and keeps back what is written."""

    def __init__(self, real: asyncio.Transport) -> None:
        self.real = real
        self.held = bytearray()
        self.closed = False

    def write(self, data: bytes) -> None:
        if not self.held and data.startswith(_CONTINUE):
            # Whoever asked for this sends no body before it has come.
            self.real.write(data)
            return
        self.held += data

    def close(self) -> None:
        """Only remembered: what was held has still to be sent."""
        self.closed = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


def _request_line(data: bytes) -> tuple[str, str, str]:
    """Method, path and query."""
    line = data.lstrip(b"\r\n").split(b"\n", 1)[0].split()
    if len(line) < 2:
        return "", "", ""
    target, _, query = line[1].decode("latin-1").partition("?")
    if "://" in target:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    return line[0].decode("latin-1"), target, query


def _whole_length(data: bytearray) -> int | None:
    """How long a request is from its first byte to its last, once that can be known."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[: end + 2])
    if _CHUNKED.search(head):
        last = data.find(b"0\r\n\r\n", end + 4)
        return None if last < 0 else last + 5
    length = _LENGTH.search(head)
    return end + 4 + (int(length[1]) if length else 0)


def wire_for(stage: SandboxContext) -> type[Wire]:
    """The protocol class of one sandbox: uvicorn makes the connections and can hand over no argument."""
    return type("Wire", (Wire,), {"stage": stage})
