"""Calls of generated functions through httpx clients that record the request, or give one answer, and send nothing.

No coroutine waits for anything, so that none needs a loop of events.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import httpx

from .package import Function, Package

Pair = tuple[str, str]
"""A name and a value, as they are sent."""


class _RecordedError(Exception):
    """Ends a call whose request, its only argument, is all that is wanted."""


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


class Caller(AbstractContextManager["Caller"]):
    def __init__(self, package: Package, base_url: str) -> None:
        self._answer: httpx.Response | None = None
        transport = httpx.MockTransport(self._handle)
        self._client = package.load("client").Client(base_url=base_url, httpx_args={"transport": transport})
        self.calls = 0

    def _handle(self, request: httpx.Request) -> httpx.Response:
        """Give the answer, as a response of its own: the same one may be read by another call."""
        if self._answer is None:
            raise _RecordedError(request)
        return httpx.Response(self._answer.status_code, headers=self._answer.headers, content=self._answer.content)

    def __exit__(self, *_: object) -> None:
        self._client.get_httpx_client().close()
        _end(self._client.get_async_httpx_client().aclose())

    def request(self, function: Function, arguments: dict[str, Any], *, awaited: bool = False) -> Request:
        """The request of a call. Raises what the function raises, and RuntimeError when it sends nothing."""
        self._answer = None
        try:
            self._call(function, arguments, "asyncio_detailed" if awaited else "sync_detailed")
        except _RecordedError as recorded:
            return Request.of(recorded.args[0])
        raise RuntimeError("no request was sent")

    def answer(self, function: Function, arguments: dict[str, Any], answer: httpx.Response, way: str) -> Any:
        """What a call of `sync`, `sync_detailed` or `asyncio_detailed` reads. Raises what the function raises."""
        self._answer = answer
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
