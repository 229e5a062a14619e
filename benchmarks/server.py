"""A server that costs next to nothing: canned responses over kept connections, in a process of its
own; and a proxy that tunnels to it.

The first part of a path names the API (`answers.json`): `/stripe/v1/payment_intents?limit=100`. A
list never ends: a client stops when it has read enough.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

_SIZE = re.compile(rb"[?&](?:page_size|limit)=(\d+)")
_CURSOR = re.compile(rb"[?&](?:page|cursor|after|starting_after)=[A-Za-z_]*(\d{1,5})")
_ONE = re.compile(rb"(\d{8}) HTTP")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PAGE = "@@@@@"
"""Stands for the number of a page, with five digits."""
_NEXT_PAGE = "#####"


@cache
def answers() -> dict[str, Any]:
    """Of each API: a `payment`, what is around one that was `made`, and a `page`. The members are
    those of its own models; a payment has about as many bytes in each.
    """
    text = Path(__file__).with_name("answers.json").read_text(encoding="utf-8")
    today = datetime.now(UTC).date()
    text = text.replace("TODAY", f"{today}").replace("TOMORROW", f"{today + timedelta(days=1)}")
    apis: dict[str, Any] = json.loads(text)
    return apis


def _payment(name: str, number: str) -> str:
    return json.dumps(answers()[name]["payment"]).replace("NUMBER", number)


@cache
def _one(name: str) -> bytes:
    around = json.dumps(answers()[name]["made"])
    return _response(around.replace('"PAYMENT"', _payment(name, _PAGE + "001")))


@cache
def _page(name: str, size: int) -> bytes:
    items = ", ".join(_payment(name, f"{_PAGE}{number:03d}") for number in range(size))
    text = json.dumps(answers()[name]["page"]).replace('"ITEMS"', f"[{items}]")
    return _response(text.replace('"SIZE"', str(size)))


def _response(body: str) -> bytes:
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


def _token() -> bytes:
    expires = int((time.time() + 3600) * 1000)
    token = {"access_token": "canned", "token_type": "Bearer", "expires": expires}
    return _response(json.dumps(token))


def canned(line: bytes, _sent: bytes) -> bytes:
    """The response to a request line, whatever was sent."""
    name = re.split(rb"[/ ?]", line)[2].decode()
    name = "gocardless" if name == "payments" else name  # its client drops the path of a URL
    size = _SIZE.search(line)
    if size is None:
        asked = _ONE.search(line)
        return _one(name).replace(_PAGE.encode(), asked[1][:5] if asked else b"00001")
    cursor = _CURSOR.search(line)
    page = int(cursor[1]) if cursor else 0
    if cursor and name == "stripe":  # its cursor is the last payment of the page before
        page += 1
    response = _page(name, int(size[1])).replace(_PAGE.encode(), b"%05d" % page)
    return response.replace(_NEXT_PAGE.encode(), b"%05d" % (page + 1))


_created = itertools.count(1)


def echo(line: bytes, sent: bytes) -> bytes:
    """A new request for payment that has what was sent: the client compares that. A list is empty."""
    if line.startswith(b"GET"):
        return _response('{"page": 0, "page_size": 50, "results": []}')
    if b"/payment-requests" not in line:
        return _token()
    asked = json.loads(sent)
    made = json.loads(_payment("victor", f"{next(_created):08d}"))
    made["client_reference_id"] = asked.pop("client_reference_id", None)
    asked["payment_details"]["original_amount"] = asked["payment_details"]["amount"]
    made["payment_request"].update(asked)
    response = _response(json.dumps(made))
    return response.replace(b"\r\n", f"\r\ndate: {formatdate(usegmt=True)}\r\n".encode(), 1)


class _Connection(asyncio.Protocol):
    def __init__(self, respond: Callable[[bytes, bytes], bytes]) -> None:
        self._respond = respond
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            sent, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._transport.write(self._respond(head.partition(b"\r\n")[0], sent))


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a connection to the proxy: CONNECT, then bytes both ways."""
    head = await reader.readuntil(b"\r\n\r\n")
    host, _, port = head.split()[1].decode().partition(":")
    above = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(_copy(reader, above[1]), _copy(above[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)
    writer.close()


def _serve(told: Any, kind: Callable[..., Any], pair: Path | None) -> None:
    context = None
    if pair is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair)

    async def main() -> None:
        if kind is tunnel:
            making: Awaitable[Any] = asyncio.start_server(_tunnel, "127.0.0.1", 0)
        else:
            making = asyncio.get_running_loop().create_server(
                lambda: _Connection(kind), "127.0.0.1", 0, backlog=512, ssl=context
            )
        server = await making
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def tunnel() -> None:
    """The kind of server that is a proxy."""


@contextmanager
def serving(kind: Callable[..., Any], pair: Path | None = None) -> Generator[str]:
    """The URL of a running server: `canned`, `echo` or `tunnel`.

    With a file that holds a private key and its certificate, it speaks TLS.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, kind, pair), daemon=True)
    process.start()
    try:
        yield f"http{'' if pair is None else 's'}://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()
