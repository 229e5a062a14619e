"""What a caller has made with httpx2, in the terms of httpx. No other module knows both.

httpx2 continues httpx 0.28 under the same names, with classes of its own. This package is a guest there: it never
imports httpx2, because whoever passes one of its objects has loaded it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from victor_ext.privacy import SecretBytes


class Httpx2Timeout(Protocol):
    """An `httpx2.Timeout`, for type checkers, which may not find httpx2: its like has what is named here."""

    def as_dict(self) -> dict[str, float | None]: ...


class Httpx2Limits(Protocol):
    max_keepalive_connections: int | None


class Httpx2URL(Protocol):
    def copy_with(self, **kwargs: Any) -> Any: ...


class Httpx2Proxy(Protocol):
    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None: ...


class Httpx2Transport(Protocol):
    def handle_request(self, request: Any) -> Any: ...
    def close(self) -> None: ...


class Httpx2AsyncTransport(Protocol):
    async def handle_async_request(self, request: Any) -> Any: ...
    async def aclose(self) -> None: ...


class Httpx2Client(Protocol):
    def close(self) -> None: ...
    def build_request(self, method: str, url: Any) -> Any: ...


class Httpx2AsyncClient(Protocol):
    async def aclose(self) -> None: ...
    def build_request(self, method: str, url: Any) -> Any: ...


AnyURL = httpx.URL | Httpx2URL
AnyTimeout = httpx.Timeout | Httpx2Timeout
AnyLimits = httpx.Limits | Httpx2Limits
AnyProxy = httpx.Proxy | Httpx2Proxy
SyncTransport = httpx.BaseTransport | Httpx2Transport
AsyncTransport = httpx.AsyncBaseTransport | Httpx2AsyncTransport
SyncClient = httpx.Client | Httpx2Client
AsyncClient = httpx.AsyncClient | Httpx2AsyncClient


def loaded_httpx2() -> Any:
    """httpx2, if this process has loaded it. None also where it stands in the place of httpx (`alias_httpx`)."""
    module = sys.modules.get("httpx2")
    return None if module is httpx else module


def as_httpx(value: Any) -> Any:
    """A value, a transport or a client of httpx2 as one of httpx; anything else unchanged."""
    if loaded_httpx2() is not None:
        for base in value.__class__.__mro__:  # by name: a mock may stand in the place of a class
            convert = _CONVERSIONS.get(base.__name__) if _is_of_httpx2(base) else None
            if convert is not None:
                return convert(value)
    return value


def _is_of_httpx2(kind: type[Any]) -> bool:
    return kind.__module__.partition(".")[0] == "httpx2"


class _Over:
    """Sends over `theirs`, of httpx2."""

    def __init__(self, theirs: Any) -> None:
        self.theirs = theirs


class OverTransport(_Over, httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _exchanged(request, self.theirs.handle_request)

    def close(self) -> None:
        self.theirs.close()


class OverAsyncTransport(_Over, httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await _exchanged_awaited(request, self.theirs.handle_async_request)

    async def aclose(self) -> None:
        await self.theirs.aclose()


class OverEitherTransport(OverTransport, OverAsyncTransport):
    """Over one for both modes, such as a `MockTransport`."""


class _OverClient(_Over):
    """What the way through a client needs of `httpx.Client`."""

    @property
    def is_closed(self) -> bool:
        return bool(self.theirs.is_closed)


class OverClient(_OverClient):
    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        return _exchanged(request, self.theirs.send, **options)


class OverAsyncClient(_OverClient):
    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        return await _exchanged_awaited(request, self.theirs.send, **options)


def _over_transport(theirs: Any) -> _Over:
    if hasattr(theirs, "handle_async_request"):
        return (OverEitherTransport if hasattr(theirs, "handle_request") else OverAsyncTransport)(theirs)
    return OverTransport(theirs)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "Timeout": lambda timeout: httpx.Timeout(**timeout.as_dict()),
    "Limits": lambda limits: httpx.Limits(
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
    ),
    "Proxy": lambda proxy: httpx.Proxy(
        str(proxy.url), auth=proxy.auth, headers=proxy.headers.raw, ssl_context=proxy.ssl_context
    ),
    "URL": lambda url: httpx.URL(str(url)),
    "QueryParams": lambda params: httpx.QueryParams(params.multi_items()),
    "Headers": lambda headers: httpx.Headers(headers.raw),
    "Cookies": lambda cookies: httpx.Cookies(cookies.jar),
    "BaseTransport": _over_transport,
    "AsyncBaseTransport": _over_transport,
    "Client": OverClient,
    "AsyncClient": OverAsyncClient,
}
"""By the name of the class."""


def _exchanged(request: httpx.Request, send: Callable[..., Any], **options: Any) -> httpx.Response:
    with _with_errors_of_httpx(request):
        return _response(send(_request(request, iter), **options), request)


async def _exchanged_awaited(request: httpx.Request, send: Callable[..., Any], **options: Any) -> httpx.Response:
    with _with_errors_of_httpx(request):
        return _response(await send(_request(request, aiter), **options), request)


def _request(request: httpx.Request, read: Callable[[Any], Any]) -> Any:
    """The request for httpx2: the same bytes, and the same extensions, which the connections call or read."""
    stream = request.stream
    return sys.modules["httpx2"].Request(
        request.method,
        str(request.url),
        headers=request.headers.raw,
        content=SecretBytes(b"".join(stream)) if isinstance(stream, httpx.ByteStream) else read(stream),
        extensions=request.extensions,
    )


def _response(theirs: Any, request: httpx.Request) -> httpx.Response:
    """The response of httpx2 for httpx. One that a mock or a hook has read already has been decompressed, too."""
    headers, is_read = httpx.Headers(theirs.headers.raw), theirs.is_stream_consumed
    stream = httpx.ByteStream(SecretBytes(theirs.content)) if is_read else _Body(theirs, request)
    if is_read:
        headers.pop("content-encoding", None)
    response = httpx.Response(theirs.status_code, headers=headers, stream=stream, extensions=dict(theirs.extensions))
    if is_read:
        response.read()
    return response


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, theirs: Any, request: httpx.Request) -> None:
        self._theirs, self._request = theirs, request

    def __iter__(self) -> Iterator[bytes]:
        with _with_errors_of_httpx(self._request):
            yield from self._theirs.iter_raw()

    def close(self) -> None:
        with _with_errors_of_httpx(self._request):
            self._theirs.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _with_errors_of_httpx(self._request):
            async for piece in self._theirs.aiter_raw():
                yield piece

    async def aclose(self) -> None:
        with _with_errors_of_httpx(self._request):
            await self._theirs.aclose()


@contextmanager
def _with_errors_of_httpx(request: httpx.Request) -> Generator[None]:
    """Raise an error of httpx2's exchange as that of httpx with the same name, and any other error as it is."""
    try:
        yield
    except Exception as error:
        named = (getattr(httpx, base.__name__, None) for base in type(error).__mro__ if _is_of_httpx2(base))
        for kind in named:
            if isinstance(kind, type) and issubclass(kind, httpx.RequestError):
                raise kind(str(error), request=request) from error
            if kind is httpx.StreamError:
                raise httpx.ReadError("its body was already consumed", request=request) from error
        raise
