"""A server that answers everything with one thing, and keeps every byte that it was sent; and a proxy that does."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from tests.faults.raw_provider import answer
from tests.faults.raw_sockets import Background
from victor_ext.sandbox.server.listener import stop_accepting

TOKEN = {"access_token": "t" * 40, "token_type": "Bearer", "expires": 4_102_444_800_000}
RECORD = {"victor_payment_request_id": "b34783af0", "status": "accepted", "page": 0, "results": []}
ANSWER = answer(json.dumps(TOKEN | RECORD).encode())
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Recorder:
    """Listens on a port of this machine.

    Attributes:
        received: Every byte, in the clear.
        requests: The head of each request, as it came.
    """

    def __init__(self, background: Background, tls: ssl.SSLContext | None = None, answer: bytes = ANSWER) -> None:
        self._background = background
        self._tls = tls
        self._answer = answer
        self.received = b""
        self.requests: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = background.run(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def _listen(self) -> Coroutine[Any, Any, asyncio.Server]:
        return asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._exchanges(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # it ends, one way or the other
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _exchanges(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            self.received += head + body
            self.requests.append(head)
            writer.write(self._answer)

    def close(self) -> None:
        self._background.run(self.shut())

    async def shut(self) -> None:
        """Close what has been accepted too, in the loop of the server."""
        await stop_accepting([self._server])
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


class RecordingProxy(Recorder):
    """A CONNECT proxy: it passes on to one upstream, whatever host it is asked for, and keeps what it was sent.

    With another `answer` it passes nothing on.
    """

    def __init__(
        self,
        background: Background,
        upstream: int,
        tls: ssl.SSLContext | None = None,
        answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n",
    ) -> None:
        self._upstream = upstream
        super().__init__(background, tls, answer)

    async def _exchanges(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.received += head
        self.requests.append(head)
        writer.write(self._answer)
        if b" 200 " in self._answer:
            await self._tunnel(reader, writer)
        else:
            self.received += await reader.read()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._upstream)
        back = asyncio.ensure_future(_pass_on(there, writer))
        try:
            while data := await reader.read(65536):
                self.received += data
                onward.write(data)
        finally:
            onward.transport.abort()
            await back


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
