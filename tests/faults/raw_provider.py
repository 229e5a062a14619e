"""A provider on a raw socket, small enough to be sure of, that keeps a record of what it did.

It replays a repeated key, and does the work of an answer (which has no key) as often as it is
asked: that is what makes a second one an incident. `Act`s say what goes wrong, one for each
exchange; `Cut`s end an exchange after some bytes of it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.faults.raw_sockets import PATIENCE, Background, End, Quiet, end
from victor_ext.sandbox.server.listener import stop_accepting

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000}
CREATE = "/v2/payment-requests/request-payment"
RESPOND = "/v2/payment-requests/respond-to-request/"
READ = "/v2/payment-requests/"


PROBE = b"-"
"""What is written to know that all that was written before has been read."""


@dataclass(frozen=True)
class Cut:
    """Read `after` bytes of the request, or send so many of the answer, and end the connection."""

    side: Literal["request", "answer"]
    after: int
    how: End

    def __str__(self) -> str:
        return f"{self.how} after {self.after} bytes of the {self.side}"


@dataclass
class Passed:
    """How many bytes of one exchange were read and sent."""

    request: int = 0
    answer: int = 0


@dataclass(frozen=True)
class Request:
    """A request that arrived whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    head: bytes  # as it came

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")


@dataclass
class Record:
    """What the provider saw and did.

    A subject is a reference for a create, and an id for an answer.
    """

    connections: int = 0
    received: bytearray = field(default_factory=bytearray)  # in the clear
    bytes_sent: int = 0
    requests: list[Request] = field(default_factory=list)
    work: Counter[str] = field(default_factory=Counter)
    work_by_key: Counter[str] = field(default_factory=Counter)

    def sent_to(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path.startswith(path)]


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A well-formed answer."""
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def bare(head: Iterable[str], body: bytes = b"") -> bytes:
    """An answer with exactly these lines."""
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


class Exchange:
    """One request that arrived whole, for an `Act` to deal with."""

    def __init__(self, provider: RawProvider, connection: _Connection, request: Request) -> None:
        self._provider = provider
        self._connection = connection
        self.request = request

    def work(self) -> bytes:
        """Do what was asked; the JSON to answer with."""
        return json.dumps(self._provider.state.do(self.request), separators=(",", ":")).encode()

    def send(self, data: bytes) -> None:
        self._connection.send(data)

    def later(self, seconds: float, data: bytes) -> None:
        """Send it in a while, if the connection is still there."""

        def now() -> None:
            if not self._connection.transport.is_closing():
                self.send(data)

        self._provider.background.loop.call_later(seconds, now)

    def end(self, how: End) -> None:
        end(self._connection.transport, how)

    def stream(self, chunk: bytes, times: int) -> None:
        """Send a chunk over and over, no faster than it is read."""

        async def send() -> None:
            for _ in range(times):
                await self._connection.writable.wait()
                if self._connection.transport.is_closing():
                    return
                self.send(chunk)

        self._provider.background.loop.create_task(send())

    def pass_on(self, port: int, first: bytes) -> None:
        """Send this, and then pass on to a port, and back, whatever comes."""
        back = self._connection.transport
        loop = self._provider.background.loop

        async def pass_on() -> None:
            onward, _ = await loop.create_connection(lambda: _Back(back), "127.0.0.1", port)
            if back.is_closing():
                onward.abort()
            else:
                self._connection.onward = onward
                self.send(first)

        loop.create_task(pass_on())


Act = Callable[[Exchange], None]


def behave(exchange: Exchange) -> None:
    """Do the work and answer."""
    exchange.send(answer(exchange.work()))


class State:
    """The payment requests of the provider, and the token that it issues."""

    def __init__(self, record: Record) -> None:
        self.token = dict(TOKEN)
        self._record = record
        self._by_key: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._next = 0

    @property
    def made(self) -> dict[str, str]:
        """The id of the request that was made for each reference."""
        return {
            made["client_reference_id"]: made["victor_payment_request_id"]
            for made in self._by_key.values()
        }

    def do(self, request: Request) -> dict[str, Any]:
        if request.path == "/v2/auth/token":
            return self.token
        if request.path == CREATE:
            return self._create(request)
        if request.path.startswith(RESPOND):
            return self._respond(request.path.removeprefix(RESPOND), json.loads(request.body))
        if request.path.startswith(READ):
            return self._read(request.path.removeprefix(READ).partition("?")[0])
        return {"page": 0, "results": []}

    def _create(self, request: Request) -> dict[str, Any]:
        body = json.loads(request.body)
        key = request.key or f"none-{len(self._record.requests)}"
        if key not in self._by_key:
            self._record.work[body["client_reference_id"]] += 1
            self._record.work_by_key[key] += 1
            self._next += 1
            self._by_key[key] = {
                "victor_payment_request_id": f"R{self._next:06}",
                "client_reference_id": body["client_reference_id"],
                "status": "created",
            }
        return self._by_key[key]

    def _respond(self, request_id: str, body: dict[str, Any]) -> dict[str, Any]:
        self._record.work[request_id] += 1
        status = "Accepted" if body["status"] == "Accepted" else "Rejected"
        self._answers[request_id] = {
            "status": status,
            "original_amount": "44.23",
            "notes": body["notes"],
        }
        return {"victor_payment_request_id": request_id, **self._answers[request_id]}

    def _read(self, request_id: str) -> dict[str, Any]:
        return {
            "victor_payment_request_id": request_id,
            "status": "Pending",
            "payment_request": {
                "payment_details": {"amount": "44.23"},
                "payment_request_response": self._answers.get(request_id, {}),
            },
        }


class RawProvider:
    """Listens on a port of this machine."""

    def __init__(self, background: Background, *, tls: ssl.SSLContext | None = None) -> None:
        self.background = background
        self.record = Record()  # what it saw and did
        self.state = State(self.record)
        self.acts: deque[Act] = deque()  # what it does with the next requests, one each
        self.instead: Act = behave  # with every request for which there is no act
        self.quiet = Quiet()
        self.cuts: deque[Cut | None] = deque()  # of the next exchanges; None cuts nothing
        self.exchanges: list[Passed] = []
        self.open: set[_Connection] = set()
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self.listen()

    def listen(self) -> None:
        """Accept connections (again: on the same port)."""

        async def start() -> asyncio.Server:
            loop = self.background.loop
            return await loop.create_server(
                lambda: _Connection(self), "127.0.0.1", self.port, ssl=self._tls
            )

        if self._server is None:
            self._server = self.background.run(start())
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse connections from now on, and close those there are."""
        self._stop("close")

    def _stop(self, how: End) -> None:
        if self._server is not None:
            self.background.run(stop_accepting([self._server]))
            self._server = None
        self.background.do(lambda: [connection.cut(how) for connection in list(self.open)])
        self.quiet.wait_for(lambda: not self.open, "the provider's connections")

    def settle(self) -> None:
        """Wait until what clients have written is read, and connections that were cut are gone.

        Without it, what a client has written and given up would be an exchange of the next call.
        """
        if self._server is not None and self._tls is None:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as probe:
                probe.sendall(PROBE)
                with suppress(ConnectionResetError):
                    probe.recv(1)
        self.quiet.wait_for(
            lambda: not any(connection.is_cut for connection in list(self.open)),
            "the connections that were cut",
        )

    @property
    def heads(self) -> list[bytes]:
        """The heads of the requests, as they came."""
        return [request.head for request in self.record.requests]

    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def serve(self, connection: _Connection, request: Request) -> None:
        self.record.requests.append(request)
        exchange = Exchange(self, connection, request)
        if request.path == "/v2/auth/token" and not self.acts_on_tokens:
            behave(exchange)
        else:
            (self.acts.popleft() if self.acts else self.instead)(exchange)

    acts_on_tokens = False  # whether acts are for requests for a token too

    def close(self) -> None:
        self._stop("reset")


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport
    onward: asyncio.Transport | None = None

    def __init__(self, provider: RawProvider) -> None:
        self._provider = provider
        self._buffer = b""
        self._passed: Passed | None = None
        self._cut: Cut | None = None
        self.is_cut = False
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._provider.record.connections += 1
        self._provider.open.add(self)
        self._provider.quiet.note()

    def cut(self, how: End) -> None:
        """End it; one that stalls ends when the client has had enough."""
        self.is_cut = True
        end(self.transport, how)

    def send(self, data: bytes) -> None:
        passed = self._passed or Passed()
        data, ends = self._until_cut(data, passed.answer, "answer")
        passed.answer += len(data)
        self._provider.record.bytes_sent += len(data)
        self.transport.write(data)
        if ends is not None:
            self.cut(ends)

    def _until_cut(self, data: bytes, before: int, side: str) -> tuple[bytes, End | None]:
        """What passes of these bytes, and how the connection ends after them, if it does."""
        if self.is_cut:
            return b"", None
        cut = self._cut
        if cut is None or cut.side != side or before + len(data) < cut.after:
            return data, None
        return data[: cut.after - before], cut.how

    def _begin(self) -> Passed:
        """Begin an exchange, with the first bytes after an answer."""
        passed = Passed()
        self._provider.exchanges.append(passed)
        self._cut = self._provider.cuts.popleft() if self._provider.cuts else None
        return passed

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()
        if self.onward is not None:
            self.onward.abort()
        # Not at once: the event loop closes the socket itself only after this callback.
        self._provider.background.loop.call_soon(self._forget)

    def _forget(self) -> None:
        self._provider.open.discard(self)
        self._provider.quiet.note()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        if data == PROBE:
            self._provider.record.connections -= 1
            end(self.transport, "reset")
            return
        if self.is_cut:
            return
        if self.onward is not None:
            self._provider.record.received += data
            self.onward.write(data)
            return
        if self._passed is None or self._passed.answer:
            self._passed = self._begin()
        data, ends = self._until_cut(data, self._passed.request, "request")
        self._passed.request += len(data)
        self._provider.record.received += data
        self._buffer += data
        if ends is not None:
            self.cut(ends)
            return
        while (request := self._take()) is not None:
            self._provider.serve(self, request)
            self._provider.quiet.note()

    def _take(self) -> Request | None:
        """The next request, once all of it is here."""
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        method, _, rest_of_line = first.partition(" ")
        target = rest_of_line.rpartition(" ")[0]
        return Request(method, target, headers, rest[:length], head + found)


class _Back(asyncio.Protocol):
    """What a port answers goes back over a connection."""

    def __init__(self, back: asyncio.Transport) -> None:
        self._back = back

    def data_received(self, data: bytes) -> None:
        self._back.write(data)
