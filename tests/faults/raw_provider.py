"""A provider on a raw socket, small enough to be sure of, that keeps a record of what it did.

It replays a repeated key, and does the work of an answer (which has no key) as often as it is
asked: that is what makes a second one an incident. `Act`s say what goes wrong, one for each
exchange; `Cut`s end an exchange after some bytes of it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.raw_sockets import PATIENCE, End, Quiet, end
from victor_ext.sandbox.server._http import stop_accepting

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

    def __str__(self):
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
    def key(self):
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

    def sent_to(self, path):
        return [request for request in self.requests if request.path.startswith(path)]


def bare(head, body=b""):
    """An answer with exactly these lines."""
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def answer(body, status="200 OK", *headers):
    """A well-formed answer."""
    length = f"Content-Length: {len(body)}"
    return bare([f"HTTP/1.1 {status}", "Content-Type: application/json", length, *headers], body)


class Exchange:
    """One request that arrived whole, for an `Act` to deal with."""

    def __init__(self, provider, connection, request):
        self._provider = provider
        self._connection = connection
        self.request = request

    def work(self):
        """Do what was asked; the JSON to answer with."""
        return json.dumps(self._provider.state.do(self.request), separators=(",", ":")).encode()

    def send(self, data):
        self._connection.send(data)

    def later(self, seconds, data):
        """Send it in a while, if the connection is still there."""

        def now():
            if not self._connection.transport.is_closing():
                self.send(data)

        self._provider.background.loop.call_later(seconds, now)

    def end(self, how):
        end(self._connection.transport, how)

    def stream(self, chunk, times):
        """Send a chunk over and over, no faster than it is read."""

        async def send():
            for _ in range(times):
                await self._connection.writable.wait()
                if self._connection.transport.is_closing():
                    return
                self.send(chunk)

        self._provider.background.loop.create_task(send())

    def pass_on(self, port, first):
        """Send this, and then pass on to a port, and back, whatever comes."""
        back = self._connection.transport
        loop = self._provider.background.loop

        async def pass_on():
            onward, _ = await loop.create_connection(lambda: _Back(back), "127.0.0.1", port)
            if back.is_closing():
                onward.abort()
            else:
                self._connection.onward = onward
                self.send(first)

        loop.create_task(pass_on())


Act = Callable[[Exchange], None]


def behave(exchange):
    """Do the work and answer."""
    exchange.send(answer(exchange.work()))


def flooding(first, again, times=10**9):
    """Send this first, and then again and again this, as fast as it is read."""

    def act(exchange):
        exchange.work()
        exchange.send(first)
        exchange.stream(again, times)

    return act


class State:
    """The payment requests of the provider, and the token that it issues."""

    def __init__(self, record):
        self.token = dict(TOKEN)
        self._record = record
        self._by_key = {}
        self._answers = {}

    @property
    def made(self):
        """The id of the request that was made for each reference."""
        return {
            made["client_reference_id"]: made["victor_payment_request_id"]
            for made in self._by_key.values()
        }

    def do(self, request):
        if request.path == "/v2/auth/token":
            return self.token
        if request.path == CREATE:
            return self._create(request)
        if request.path.startswith(RESPOND):
            return self._respond(request.path.removeprefix(RESPOND), json.loads(request.body))
        if request.path.startswith(READ):
            return self._read(request.path.removeprefix(READ).partition("?")[0])
        return {"page": 0, "results": []}

    def _create(self, request):
        body = json.loads(request.body)
        key = request.key or f"none-{len(self._record.requests)}"
        if key not in self._by_key:
            self._record.work[body["client_reference_id"]] += 1
            self._record.work_by_key[key] += 1
            self._by_key[key] = {
                "victor_payment_request_id": f"R{len(self._by_key) + 1:06}",
                "client_reference_id": body["client_reference_id"],
                "status": "created",
            }
        return self._by_key[key]

    def _respond(self, request_id, body):
        self._record.work[request_id] += 1
        status = "Accepted" if body["status"] == "Accepted" else "Rejected"
        self._answers[request_id] = {
            "status": status,
            "original_amount": "44.23",
            "notes": body["notes"],
        }
        return {"victor_payment_request_id": request_id, **self._answers[request_id]}

    def _read(self, request_id):
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

    def __init__(self, background, *, tls=None):
        self.background = background
        self.record = Record()  # what it saw and did
        self.state = State(self.record)
        self.acts = deque()  # what it does with the next requests, one each
        self.instead = behave  # with every request for which there is no act
        self.quiet = Quiet()
        self.cuts = deque()  # of the next exchanges; None cuts nothing
        self.exchanges = []  # what has `Passed` in each
        self.open = set()
        self.port = 0
        self._tls = tls
        self._server = None
        self.listen()

    def listen(self):
        """Accept connections (again: on the same port)."""

        async def start():
            loop = self.background.loop
            return await loop.create_server(
                lambda: _Connection(self), "127.0.0.1", self.port, ssl=self._tls
            )

        if self._server is None:
            self._server = self.background.run(start())
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self):
        """Refuse connections from now on, and close those there are."""
        self._stop("close")

    def _stop(self, how):
        if self._server is not None:
            self.background.run(stop_accepting([self._server]))
            self._server = None
        self.background.do(lambda: [connection.cut(how) for connection in list(self.open)])
        self.quiet.wait_for(lambda: not self.open, "the provider's connections")

    def settle(self):
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
    def heads(self):
        """The heads of the requests, as they came."""
        return [request.head for request in self.record.requests]

    def url(self):
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def serve(self, connection, request):
        self.record.requests.append(request)
        exchange = Exchange(self, connection, request)
        if request.path == "/v2/auth/token" and not self.acts_on_tokens:
            behave(exchange)
        else:
            (self.acts.popleft() if self.acts else self.instead)(exchange)

    acts_on_tokens = False  # whether acts are for requests for a token too

    def close(self):
        self._stop("reset")


class _Connection(asyncio.Protocol):
    def __init__(self, provider):
        self.transport = self.onward = None
        self._provider = provider
        self._buffer = b""
        self._passed = None
        self._cut = None
        self.is_cut = False
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport):
        self.transport = transport
        self._provider.record.connections += 1
        self._provider.open.add(self)
        self._provider.quiet.note()

    def cut(self, how):
        """End it; one that stalls ends when the client has had enough."""
        self.is_cut = True
        end(self.transport, how)

    def send(self, data):
        passed = self._passed or Passed()
        data, ends = self._until_cut(data, passed.answer, "answer")
        passed.answer += len(data)
        self._provider.record.bytes_sent += len(data)
        self.transport.write(data)
        if ends is not None:
            self.cut(ends)

    def _until_cut(self, data, before, side):
        """What passes of these bytes, and how the connection ends after them, if it does."""
        if self.is_cut:
            return b"", None
        cut = self._cut
        if cut is None or cut.side != side or before + len(data) < cut.after:
            return data, None
        return data[: cut.after - before], cut.how

    def connection_lost(self, exc):
        self.writable.set()
        if self.onward is not None:
            self.onward.abort()
        # Not at once: the event loop closes the socket itself only after this callback.
        self._provider.background.loop.call_soon(self._forget)

    def _forget(self):
        self._provider.open.discard(self)
        self._provider.quiet.note()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def data_received(self, data):
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
            self._passed = Passed()  # an exchange begins with the first bytes after an answer
            self._provider.exchanges.append(self._passed)
            self._cut = self._provider.cuts.popleft() if self._provider.cuts else None
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

    def _take(self):
        """The next request, once all of it is here."""
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        method, target, _ = first.split(" ")
        return Request(method, target, headers, rest[:length], head + found)


class _Back(asyncio.Protocol):
    """What a port answers goes back over a connection."""

    def __init__(self, back):
        self._back = back

    def data_received(self, data):
        self._back.write(data)
