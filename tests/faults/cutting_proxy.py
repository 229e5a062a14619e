"""A proxy that passes bytes on, and cuts an exchange after a given number of them.

It knows nothing of HTTP or TLS. An exchange begins with the first bytes of a client, or with the
first ones after bytes of the server.
"""

import asyncio
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.faults.raw_provider import RawProvider
from tests.faults.raw_sockets import PATIENCE, Background, End, end


@dataclass(frozen=True)
class Cut:
    """Let `after` bytes of the request or of the answer through, then end the connection in a way.

    `change` lets the byte that follows through, changed, in place of ending.
    """

    side: Literal["request", "answer"]
    after: int
    how: End
    change: bool = False

    def __str__(self) -> str:
        return (
            f"{'changed' if self.change else self.how} after {self.after} bytes of the {self.side}"
        )


@dataclass
class Passed:
    """How many bytes of one exchange were let through."""

    request: int = 0
    answer: int = 0


class Probe:
    """A connection of `CuttingProxy.drain`, as the proxy sees it."""

    def __init__(self) -> None:
        self.read = threading.Event()
        self.gone = threading.Event()


class CuttingProxy:
    """Listens on a port, and passes on to another."""

    def __init__(self, background: Background, provider: RawProvider) -> None:
        self.background = background
        self.upstream = provider.port
        # one for both: it is their connections together that come to rest
        self.quiet = provider.quiet
        # for the next exchanges, one each; None, or no more, cuts nothing
        self.cuts: deque[Cut | None] = deque()
        # of the next connections, one each, as soon as they are made
        self.at_accept: deque[End] = deque()
        self.exchanges: list[Passed] = []  # what was passed on in each so far
        self.connections = 0
        self.open: set[_Pair] = set()
        self.probes: dict[int, Probe] = {}  # by the port of the client
        self.port = 0
        self._server: asyncio.Server | None = None
        self.listen()

    def listen(self) -> None:
        """Accept connections (again: on the same port)."""

        async def start() -> asyncio.Server:
            loop = self.background.loop
            return await loop.create_server(lambda: _Pair(self), "127.0.0.1", self.port)

        if self._server is None:
            self._server = self.background.run(start())
            self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse connections from now on, and close those there are."""

        def shut() -> None:
            assert self._server is not None
            self._server.close()
            self._server = None
            for pair in list(self.open):
                pair.cut("close")

        self.background.do(shut)
        self.wait_until_quiet()

    @property
    def passing(self) -> int:
        """Connections that are whole."""
        return sum(not pair.over for pair in list(self.open))

    def drain(self) -> None:
        """Wait until the proxy has read all that clients have written so far.

        A client that has had enough leaves its connection, and what it wrote, to the system. When
        the proxy comes to it later, it would be taken for an exchange of the next call, and would
        use up a cut of it. What a connection of our own writes now is read after that.
        """
        if self._server is None:
            return
        probe = Probe()
        with socket.socket() as client:
            # Reset at its end: thousands of them at rest would leave no port for the next one.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.bind(("127.0.0.1", 0))
            port = client.getsockname()[1]
            self.probes[port] = probe
            client.connect(("127.0.0.1", self.port))
            client.sendall(b"-")
            assert probe.read.wait(PATIENCE), "the proxy does not read"
        assert probe.gone.wait(PATIENCE), "the proxy does not see the end"
        self.background.do(lambda: None)  # what was read in the same round is handled
        del self.probes[port]

    def wait_until_quiet(self) -> None:
        """Wait until every connection that was cut is gone on both sides."""
        self.quiet.wait_for(
            lambda: not any(pair.over for pair in list(self.open)), "the proxy's connections"
        )

    def close(self) -> None:
        def shut() -> None:
            if self._server is not None:
                self._server.close()
            for pair in list(self.open):
                pair.abort()

        self.background.do(shut)
        self.quiet.wait_for(lambda: not self.open, "the proxy's connections")


class _Pair(asyncio.Protocol):
    """A connection of a client, of which it is the protocol, and the one to the server that belongs
    to it.
    """

    def __init__(self, proxy: CuttingProxy) -> None:
        self._proxy = proxy
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._waiting = b""
        self._cut: Cut | None = None
        self._passed: Passed | None = None
        self._answering = False
        self._probe: Probe | None = None
        self.over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        port = transport.get_extra_info("peername")[1]
        self._probe = self._proxy.probes.get(port)
        if self._probe is not None:
            return
        self._proxy.open.add(self)
        self._proxy.connections += 1
        self._connecting = self._proxy.background.loop.create_task(self._connect())
        if self._proxy.at_accept:
            self.cut(self._proxy.at_accept.popleft())

    async def _connect(self) -> None:
        loop = self._proxy.background.loop
        transport, _ = await loop.create_connection(
            lambda: _Server(self), "127.0.0.1", self._proxy.upstream
        )
        self._server = transport
        transport.write(self._waiting)
        if self.over or self._client is None:
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self._probe is not None:
            self._probe.read.set()
            return
        if self.over:
            return
        if self._passed is None or self._answering:
            self._passed = Passed()
            self._answering = False
            self._proxy.exchanges.append(self._passed)
            self._cut = self._proxy.cuts.popleft() if self._proxy.cuts else None
        passed = self._passed
        passed.request += self._let_through(data, passed.request, "request", self._to_server)

    def from_server(self, data: bytes) -> None:
        if self.over or self._client is None:
            return
        self._answering = True
        passed = self._passed or Passed()
        passed.answer += self._let_through(data, passed.answer, "answer", self._client.write)

    def _let_through(
        self, data: bytes, before: int, side: str, send: Callable[[bytes], None]
    ) -> int:
        cut = self._cut
        if cut is None or cut.side != side or before + len(data) < cut.after:
            send(data)
            return len(data)
        left = cut.after - before
        if not cut.change:
            self.over = (
                True  # before the bytes leave: whoever has them may ask whether all is quiet
            )
            send(data[:left])
            self.cut(cut.how)
            return left
        if 0 <= left < len(data):
            data = data[:left] + bytes([data[left] ^ 0xFF]) + data[left + 1 :]
        send(data)
        return len(data)

    def _to_server(self, data: bytes) -> None:
        if self._server is None:
            self._waiting += data
        else:
            self._server.write(data)

    def cut(self, how: End) -> None:
        """End it. One that stalls ends when the client has had enough."""
        self.over = True
        if self._client is not None:
            end(self._client, how)
        if how != "stall" and self._server is not None:
            self._server.close()

    def abort(self) -> None:
        for transport in (self._client, self._server):
            if transport is not None:
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._client = None
        self.over = True
        if self._probe is not None:
            # Not at once: see `_check_gone`.
            self._proxy.background.loop.call_soon(self._probe.gone.set)
            return
        if self._server is not None:
            self._server.close()
        self._check_gone()

    def lost_server(self) -> None:
        self._server = None
        if self._client is not None and not self.over:
            self.over = True
            self._client.close()
        self._check_gone()

    def _check_gone(self) -> None:
        if self._client is None and self._server is None and self._connecting.done():
            # Not at once: the event loop closes the socket itself only after this callback.
            self._proxy.background.loop.call_soon(self._forget)
        self._proxy.quiet.note()

    def _forget(self) -> None:
        self._proxy.open.discard(self)
        self._proxy.quiet.note()


class _Server(asyncio.Protocol):
    def __init__(self, pair: _Pair) -> None:
        self._pair = pair

    def data_received(self, data: bytes) -> None:
        self._pair.from_server(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pair.lost_server()
