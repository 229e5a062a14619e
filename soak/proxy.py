"""The proxy between the callers and the sandbox: `python -m soak.proxy`, in a process of its own.

It takes each request whole and each answer whole, and in between does what the plan says. It prints one line of
JSON (its port) when it listens. On SIGTERM it takes no more connections, lets everything that is on its way to the
sandbox arrive and be answered, prints what it did, and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import socket
import struct
from collections import deque
from collections.abc import Callable

from soak.mischief import LATEST, End, Mischief, Plan, instead, spoilt

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)


def first_message(buffer: bytes) -> bytes | None:
    """The first whole HTTP message in the buffer: both sides send a length, or no body."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(buffer, 0, end + 2)
    whole = end + 4 + (int(length[1]) if length else 0)
    return buffer[:whole] if len(buffer) >= whole else None


class Proxy:
    """All connections, what was answered, and how many requests the sandbox has yet to answer."""

    def __init__(self, plan: Plan, upstream: int) -> None:
        self.plan = plan
        self.upstream = upstream
        self.connections: set[Connection] = set()
        self.answers: deque[bytes] = deque(maxlen=100)  # the last that the sandbox gave
        self.on_their_way = 0
        self.at_rest = asyncio.Event()
        self.at_rest.set()

    def sent(self, change: int) -> None:
        """A request has left for the sandbox (+1), or is settled (-1)."""
        self.on_their_way += change
        if self.on_their_way:
            self.at_rest.clear()
        else:
            self.at_rest.set()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something in a while. Until then it is on its way."""

        def now() -> None:
            act()
            self.sent(-1)

        self.sent(+1)
        asyncio.get_running_loop().call_later(seconds, now)


class Connection(asyncio.Protocol):
    """A caller's connection: one request after the other."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._buffer = b""
        self._mischief: Mischief | None = None
        self._busy = False
        self._deaf = False
        self._upstream: Upstream | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._proxy.connections.add(self)
        if self._proxy.plan.ends_connection():
            self._end("reset")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the shape of the protocol
        self._transport = None
        self._proxy.connections.discard(self)
        if self._upstream is not None:
            self._upstream.let_go()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        request = first_message(self._buffer)
        if request is None:
            return
        self._buffer = self._buffer[len(request) :]
        self._busy = True
        mischief = self._mischief = self._proxy.plan.next()
        if mischief is None:
            self._forward(request)
        else:
            self._forward_badly(request, mischief)

    def _forward_badly(self, request: bytes, mischief: Mischief) -> None:
        match mischief.kind:
            case "request cut":
                if int(len(request) * mischief.where):
                    self._upstream_now().cut(request[: int(len(request) * mischief.where)])
                self._end(mischief.how)
            case "answered for the provider":
                self._answer(instead(mischief.status, mischief.body))
            case "late request":
                # It goes on its way also when the caller has stopped waiting for it.
                self._proxy.later(mischief.seconds, lambda: self._forward(request))
            case "request sent twice":
                self._upstream_now().send(request, unheard=True)
                self._forward(request)
            case _:
                self._forward(request)

    def _forward(self, request: bytes) -> None:
        upstream = self._upstream_now()
        upstream.send(request)
        if self._transport is None:
            upstream.let_go()

    def _upstream_now(self) -> Upstream:
        if self._upstream is None or self._upstream.over:
            self._upstream = Upstream(self._proxy, self)
        return self._upstream

    def answered(self, answer: bytes) -> None:
        """The sandbox has answered."""
        self._proxy.answers.append(answer)
        mischief = self._mischief
        if mischief is None:
            self._answer(answer)
        else:
            self._answer_badly(answer, mischief)

    def _answer_badly(self, answer: bytes, mischief: Mischief) -> None:
        match mischief.kind:
            case "answer lost":
                self._end_with(b"", mischief.how)
            case "answer cut":
                self._end_with(answer[: int(len(answer) * mischief.where)], mischief.how)
            case "answered after the work":
                self._answer(instead(mischief.status, mischief.body))
            case "spoilt answer":
                self._answer(spoilt(answer, mischief.where))
            case "slow answer":
                self._proxy.later(mischief.seconds, lambda: self._answer(answer))
            case "answer sent twice":
                self._answer(answer + answer)
            case "another answer later":
                # A good one, to another request: the oldest there is.
                another = self._proxy.answers[0]
                self._proxy.later(mischief.where * LATEST, lambda: self._say(another))
                self._answer(answer)
            case _:
                self._answer(answer)

    def _end_with(self, answer: bytes, how: End) -> None:
        if self._transport is not None:
            self._transport.write(answer)
            self._end(how)

    def _answer(self, answer: bytes) -> None:
        self._busy = False
        if self._transport is not None and not self._deaf:
            self._transport.write(answer)
            self._next()

    def _say(self, answer: bytes) -> None:
        if self._transport is not None and not self._deaf:
            self._transport.write(answer)

    def failed(self) -> None:
        """The sandbox is gone."""
        self._end("reset")

    def _end(self, how: End) -> None:
        """End it, or hear and say nothing more until the caller ends it."""
        self._deaf = True
        transport = self._transport
        if transport is None or how == "stall":
            return
        if how == "close":
            transport.close()
            return
        found = transport.get_extra_info("socket")
        if found is not None and found.fileno() >= 0:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class Upstream(asyncio.Protocol):
    """A connection to the sandbox, on behalf of one of a caller."""

    def __init__(self, proxy: Proxy, owner: Connection) -> None:
        self._proxy = proxy
        self._owner: Connection | None = owner
        self._waiting: list[bytes] = []
        self._buffer = b""
        self._expected: list[bool] = []
        self._last = False
        self._transport: asyncio.Transport | None = None
        self.over = False
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, "127.0.0.1", self._proxy.upstream)
        except OSError:
            self.connection_lost(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"".join(self._waiting))
        self._close_if_done()

    def send(self, request: bytes, *, unheard: bool = False) -> None:
        """Send a request. Unheard: the response is read, and not passed on."""
        self._expected.append(unheard)
        self._proxy.sent(+1)
        self._write(request)

    def cut(self, piece: bytes) -> None:
        """Send a piece of a request, and close."""
        self.over = self._last = True
        self._write(piece)
        self._close_if_done()

    def let_go(self) -> None:
        """The caller has left; what is on its way still arrives, and is answered to nobody."""
        self._owner = None
        self.over = self._last = True
        self._close_if_done()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (answer := first_message(self._buffer)) is not None and self._expected:
            self._buffer = self._buffer[len(answer) :]
            unheard = self._expected.pop(0)
            self._proxy.sent(-1)
            if self._owner is not None and not unheard:
                self._owner.answered(answer)
        self._close_if_done()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the shape of the protocol
        self.over = True
        self._proxy.sent(-len(self._expected))
        if self._owner is not None and self._expected:
            self._owner.failed()
        self._expected.clear()

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            self._waiting.append(data)
        else:
            self._transport.write(data)

    def _close_if_done(self) -> None:
        if self._last and not self._expected and self._transport is not None:
            self._transport.close()


async def serve(plan: Plan, upstream: int) -> None:
    """Listen until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    proxy = Proxy(plan, upstream)
    server = await loop.create_server(lambda: Connection(proxy), "127.0.0.1", 0, backlog=2048)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await stopping.wait()
    server.close()
    await proxy.at_rest.wait()
    print(json.dumps({"exchanges": plan.exchanges, "failed": dict(plan.failed)}), flush=True)


def main() -> None:
    """Run it as a command."""
    parser = argparse.ArgumentParser(prog="python -m soak.proxy")
    parser.add_argument("--upstream", type=int, required=True, help="the sandbox's port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.2, help="the share of exchanges that fail")
    parser.add_argument("--patience", type=float, default=1.0, help="seconds for which the callers wait")
    options = parser.parse_args()
    asyncio.run(serve(Plan(options.seed, options.rate, options.patience), options.upstream))


if __name__ == "__main__":
    main()
