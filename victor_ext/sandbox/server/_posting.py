"""One POST, over a connection or to an ASGI application without a port.

It stands on h11 alone. httpx is what the client stands on, and what tests replace: a mock of httpx
would take the notifications, too.

Nothing in it waits on the serving thread: an application runs in an event loop of its own.
"""

import asyncio
import os
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

import h11
from starlette.types import ASGIApp, Message, Scope

_CHUNK = 65_536
_PATIENCE = 1.0
"""Seconds in which the thread of an application ends."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What is posted: headers and a body."""

    headers: Mapping[str, str]
    body: bytes


class NotAnswered(Exception):
    """There was no response: the message says why."""


def check_address(url: str) -> None:
    """Raise `ValueError` for what is no address to post to. The message quotes nothing: an address
    may have a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("its host or port is none") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("write http:// or https://, a host and, if need be, a port")
    if "@" in parts.netloc:
        raise ValueError("leave the name and the password out")
    if not url.isascii() or not url.isprintable():
        raise ValueError("write other characters as %XX")


def host_of(url: str) -> str:
    """The value of `Host` in a request to an address: with its port, unless that is the default."""
    parts = urlsplit(url)
    default = ":443" if parts.scheme == "https" else ":80"
    return parts.netloc.rpartition("@")[2].removesuffix(default)


async def post(url: str, posted: Posted) -> int:
    """POST over a connection of its own; returns the status of the response.

    A redirect is not followed. Raises `NotAnswered`.
    """
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
        return await _exchange(reader, writer, _target(parts), _headers(url, posted), posted.body)
    except h11.RemoteProtocolError as error:
        raise NotAnswered("what came back is no complete HTTP/1.1 response") from error
    except h11.LocalProtocolError as error:
        raise NotAnswered("a header cannot be written as HTTP/1.1") from error
    except (OSError, UnicodeError) as error:
        raise NotAnswered(_reason(error)) from error
    finally:
        if writer is not None:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


def _reason(error: Exception) -> str:
    # The texts of asyncio are long, and name the address again.
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(number, int) and number > 0 else str(error)


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes,
) -> int:
    """Send a request, and read its response to the end: a receiver that is cut off would log it."""
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(method="POST", target=target, headers=headers)
    for part in (request, h11.Data(body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    await writer.drain()
    status: int | None = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.EndOfMessage) and status is not None:
            return status
        elif isinstance(event, h11.ConnectionClosed):
            raise NotAnswered("the connection was closed without a response")


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def _headers(url: str, posted: Posted) -> list[tuple[str, str]]:
    """The headers of a provider, and those that every request needs."""
    headers = {"Host": host_of(url), **posted.headers}
    headers |= {"Content-Length": str(len(posted.body)), "Connection": "close"}
    return list(headers.items())


class Application:
    """An ASGI application that is posted to without a port, in the event loop `loop`.

    None: in a loop of its own, on a thread of its own. Its lifespan is not run.
    """

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop | None) -> None:
        self._app = app
        self._own = None if loop else _OwnLoop()
        self._loop = loop

    async def post(self, url: str, posted: Posted) -> int:
        """POST; returns the status. Raises `NotAnswered`: the application raised, or has ended."""
        loop = self._loop or (self._own.loop if self._own else None)
        if loop is None or loop.is_closed():
            raise NotAnswered("the event loop of the application has ended")
        answer = asyncio.run_coroutine_threadsafe(self._call(url, posted), loop)
        return await asyncio.wrap_future(answer)

    def end(self) -> None:
        if self._own is not None:
            self._own.end()

    async def _call(self, url: str, posted: Posted) -> int:
        statuses: list[int] = []
        ended = asyncio.Event()
        requests = iter(({"type": "http.request", "body": posted.body, "more_body": False},))

        async def receive() -> Message:
            for message in requests:
                return message
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            elif not message.get("more_body", False):
                ended.set()

        try:
            await self._app(_scope(url, posted), receive, send)
        except Exception as error:
            raise NotAnswered(f"the application raised {type(error).__name__}: {error}") from error
        if not statuses:
            raise NotAnswered("the application sent no response")
        return statuses[0]


def _scope(url: str, posted: Posted) -> Scope:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    headers: list[tuple[bytes, bytes]] = []
    for name, value in _headers(url, posted):
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    path = parts.path or "/"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": parts.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": headers,
        "server": (parts.hostname, port),
        "client": ("127.0.0.1", 0),
        "state": {},
    }


class _OwnLoop:
    """An event loop on a thread."""

    def __init__(self) -> None:
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._stopping = asyncio.Event()

        async def run() -> None:
            started.set_result(asyncio.get_running_loop())
            await self._stopping.wait()

        self._thread = threading.Thread(
            target=lambda: asyncio.run(run()), name="sandbox-notifications", daemon=True
        )
        self._thread.start()
        self.loop = started.result()

    def end(self) -> None:
        """Stop. An application that never gives its thread back is left to the end of the
        process.
        """
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_PATIENCE)
