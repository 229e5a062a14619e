"""A server that costs next to nothing: canned answers over keep-alive, in a process of its own.

The first part of a path names the API (`answers.ANSWERS`):
`http://127.0.0.1:PORT/stripe/v1/payment_intents?limit=100`. A list never ends: a client stops when
it has read enough.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import answers
from benchmarks.answers import ANSWERS, NEXT, THIS

_SIZE = re.compile(rb"[?&](?:page_size|per_page|limit)=(\d+)")
_CURSOR = re.compile(
    rb"[?&](?:page|cursor|after|after_cursor|starting_after|from)=[A-Za-z_]*(\d{1,5})"
)
_ONE = re.compile(rb"(\d{5})001 HTTP")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _Canned(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            body = _LENGTH.search(head)
            whole = end + 4 + (int(body[1]) if body else 0)
            if len(self.buffer) < whole:
                return
            sent, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
            found = self.answer(head[: head.find(b"\r\n")], sent)
            self.transport.write(found)  # type: ignore[attr-defined]  # a TCP transport

    def answer(self, line: bytes, sent: bytes) -> bytes:  # noqa: ARG002 - `Echo` answers with it
        """The whole response to a request line and the body that was sent."""
        return answer(line)


def answer(line: bytes) -> bytes:
    """The whole response to a request line."""
    if line.startswith(b"POST /victor/v2/auth/token"):
        return _token()
    name = line.split(b"/", 2)[1].split(b"?")[0].split(b" ")[0].decode()
    size = _SIZE.search(line)
    if size is None:
        asked = _ONE.search(line)
        return _one(name).replace(THIS.encode(), asked[1] if asked else b"00001")
    found = _CURSOR.search(line)
    number = int(found[1]) if found else 0
    return (
        _page(name, int(size[1]))
        .replace(THIS.encode(), b"%05d" % number)
        .replace(NEXT.encode(), b"%05d" % (number + 1))
    )


def _token() -> bytes:
    expires = int((time.time() + 3600) * 1000)
    told = {"access_token": "canned", "token_type": "Bearer", "expires": expires}
    return _http(json.dumps(told).encode(), "")


@cache
def _one(name: str) -> bytes:
    return _http(answers.one(name), "")


@cache
def _page(name: str, size: int) -> bytes:
    return _http(answers.page(name, size), ANSWERS[name]["headers"])


def _http(body: bytes, headers: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _serve(port: Any, protocol: type[_Canned], pair: Path | None) -> None:
    context = None
    if pair is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(
            protocol, "127.0.0.1", 0, backlog=512, ssl=context
        )
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def canned_server(pair: Path | None = None) -> Iterator[str]:
    """The URL of a running server.

    With a file that holds a private key and its certificate, it speaks TLS.
    """
    with _running(_Canned, pair) as url:
        yield url


@contextmanager
def _running(protocol: type[_Canned], pair: Path | None = None) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, protocol, pair), daemon=True)
    process.start()
    try:
        yield f"http{'' if pair is None else 's'}://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()
