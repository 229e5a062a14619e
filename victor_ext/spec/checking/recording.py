"""Calls of generated functions through httpx clients that record the request, or give one answer, and send nothing.

No coroutine waits for anything, so that none needs a loop of events.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import httpx

from .package import Function, Package

Pair = tuple[str, str]
"""A name and a value, as they are sent."""


class _RecordedError(Exception):
    """Ends a call whose request is all that is wanted."""

    def __init__(self, request: httpx.Request) -> None:
        super().__init__()
        self.request = request


class _Client(httpx.Client):
    answer: httpx.Response | None = None

    def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        if self.answer is not None:
            return self.answer
        request.read()
        raise _RecordedError(request)


class _AsyncClient(httpx.AsyncClient):
    answer: httpx.Response | None = None

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        if self.answer is not None:
            return self.answer
        await request.aread()
        raise _RecordedError(request)


def _end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine that waits for nothing returns. Raises RuntimeError when it waits."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    coroutine.close()
    raise RuntimeError("it waits for something that is no answer")


@dataclass
class Request:
    """A recorded request, decoded."""

    method: str
    origin: str
    """Scheme, host and port."""
    path: list[str]
    """The segments, percent-decoded."""
    query: list[Pair]
    headers: httpx.Headers
    cookies: list[Pair]
    body: bytes

    @property
    def content_type(self) -> str:
        return str(self.headers.get("content-type", ""))

    @classmethod
    def of(cls, request: httpx.Request) -> Self:
        raw, _, query = request.url.raw_path.decode("ascii").partition("?")
        cookies = (each.partition("=") for each in request.headers.get("cookie", "").split(";"))
        return cls(
            request.method.lower(),
            f"{request.url.scheme}://{request.url.netloc.decode('ascii')}",
            [unquote(part) for part in raw.split("/")],
            parse_qsl(query, keep_blank_values=True),
            request.headers,
            [(name.strip(), value) for name, _, value in cookies],
            request.content,
        )


class Caller:
    """Calls the functions of a package. A context manager."""

    def __init__(self, package: Package, base_url: str) -> None:
        offline = httpx.MockTransport(lambda _: httpx.Response(200))  # without it, httpx reads certificates
        self._client = package.load("client").Client(base_url=base_url, httpx_args={"transport": offline})
        with self._client.get_httpx_client() as made:
            usual: dict[str, Any] = {"base_url": made.base_url, "headers": made.headers, "cookies": made.cookies}
        self._sync = _Client(**usual, transport=offline)
        self._async = _AsyncClient(**usual, transport=offline)
        self._client.set_httpx_client(self._sync).set_async_httpx_client(self._async)
        self.calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sync.close()
        _end(self._async.aclose())

    def request(self, function: Function, arguments: dict[str, Any], *, awaited: bool = False) -> Request:
        """The request of a call. Raises what the function raises, and RuntimeError when it sends nothing."""
        self._sync.answer = self._async.answer = None
        try:
            self._call(function, arguments, "asyncio_detailed" if awaited else "sync_detailed")
        except _RecordedError as recorded:
            return Request.of(recorded.request)
        raise RuntimeError("no request was sent")

    def answer(self, function: Function, arguments: dict[str, Any], answer: httpx.Response, way: str) -> Any:
        """What a call of `sync`, `sync_detailed` or `asyncio_detailed` reads. Raises what the function raises."""
        self._sync.answer = self._async.answer = answer
        result = self._call(function, arguments, way)
        return result if way == "sync" else result.parsed

    def _call(self, function: Function, arguments: dict[str, Any], way: str) -> Any:
        self.calls += 1
        result = getattr(function.module, way)(client=self._client, **arguments)
        return _end(result) if way == "asyncio_detailed" else result


def comparable(request: Request) -> tuple[Any, ...]:
    """What two requests of the same call must have in common."""
    boundary = re.search(r"boundary=([^;]+)", request.content_type)
    body = request.body.replace(boundary[1].strip('"').encode(), b"+") if boundary else request.body
    kind = request.content_type.partition(";")[0]
    sent = sorted((name, value) for name, value in request.headers.items() if name not in _OF_HTTPX)
    return request.method, request.origin, request.path, request.query, kind, sent, body


_OF_HTTPX = ("user-agent", "accept", "accept-encoding", "connection", "host", "content-length", "content-type")
