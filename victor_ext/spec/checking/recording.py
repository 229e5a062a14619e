"""Calls of generated functions through a transport that records the request and gives one answer."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote, unquote_plus

import httpx

from .expected_requests import Pair
from .package import Function, Package


class _RecordedError(Exception):
    """Ends a call whose request is all that is wanted."""


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
        return cls(
            request.method.lower(),
            f"{request.url.scheme}://{request.url.netloc.decode('ascii')}",
            [unquote(part) for part in raw.split("/")],
            [(unquote_plus(name), unquote_plus(value)) for name, value in _pairs(query, "&")],
            request.headers,
            [(name.strip(), value) for name, value in _pairs(request.headers.get("cookie", ""), ";")],
            request.content,
        )


def _pairs(written: str, joint: str) -> list[Pair]:
    parts = [part.partition("=") for part in written.split(joint) if part.strip()]
    return [(name, value) for name, _, value in parts]


class Caller:
    """Calls the functions of a package. A context manager."""

    def __init__(self, package: Package, base_url: str) -> None:
        self._request: httpx.Request | None = None
        self._answer: httpx.Response | None = None
        self._runner = asyncio.Runner()
        transport = httpx.MockTransport(self._respond)
        self._client = package.load("client").Client(base_url=base_url, httpx_args={"transport": transport})
        self.calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.get_httpx_client().close()
        self._runner.run(self._client.get_async_httpx_client().aclose())
        self._runner.close()

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self._request = request
        if self._answer is None:
            raise _RecordedError
        return self._answer

    def request(self, function: Function, arguments: dict[str, Any], *, awaited: bool = False) -> Request:
        """The request of a call. Raises what the function raises, and RuntimeError when it sends nothing."""
        self._answer = self._request = None
        with contextlib.suppress(_RecordedError):
            self._call(function, arguments, awaited=awaited)
        sent: httpx.Request | None = self._request
        if sent is None:
            raise RuntimeError("no request was sent")
        return Request.of(sent)

    def answer(self, function: Function, arguments: dict[str, Any], answer: httpx.Response, *, awaited: bool) -> Any:
        """What a call makes of an answer: `.parsed`. Raises what the function raises."""
        self._answer = answer
        return self._call(function, arguments, awaited=awaited).parsed

    def read(self, function: Function, arguments: dict[str, Any], answer: httpx.Response) -> Any:
        """What `sync` makes of an answer. Raises what it raises."""
        self._answer = answer
        self.calls += 1
        return function.short(client=self._client, **arguments) if function.short else None

    def _call(self, function: Function, arguments: dict[str, Any], *, awaited: bool) -> Any:
        self.calls += 1
        called = function.awaited if awaited else function.sync
        if called is None:
            raise ValueError(f"there is no {'asyncio' if awaited else 'sync'}_detailed")
        if awaited:
            return self._runner.run(called(client=self._client, **arguments))
        return called(client=self._client, **arguments)


def comparable(request: Request) -> tuple[Any, ...]:
    """What two requests of the same call must have in common."""
    boundary = re.search(r"boundary=([^;]+)", request.content_type)
    body = request.body.replace(boundary[1].strip('"').encode(), b"+") if boundary else request.body
    kind = request.content_type.partition(";")[0]
    sent = sorted((name, value) for name, value in request.headers.items() if name not in _OF_HTTPX)
    return request.method, request.origin, request.path, request.query, kind, sent, body


_OF_HTTPX = ("user-agent", "accept", "accept-encoding", "connection", "host", "content-length", "content-type")
