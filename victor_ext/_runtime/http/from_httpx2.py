"""What a caller has made with httpx2, in the terms of httpx. No other module knows both.

httpx2 continues httpx 0.28 under the same names, with classes of its own. This package is a guest
there: it never imports httpx2, because whoever passes one of its objects has loaded it.
"""

import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from victor_ext._privacy import SecretBytes

# The types of what a caller passes: an object of httpx or of httpx2. Type checkers may not find
# httpx2, so they are protocols, with what the objects of both have.


class AnyTimeout(Protocol):
    def as_dict(self) -> dict[str, float | None]: ...


class AnyLimits(Protocol):
    max_keepalive_connections: int | None


class AnyURL(Protocol):
    def copy_with(self, **kwargs: Any) -> Any: ...


class AnyProxy(Protocol):
    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None: ...


class SyncTransport(Protocol):
    def handle_request(self, request: Any) -> Any: ...
    def close(self) -> None: ...


class AsyncTransport(Protocol):
    async def handle_async_request(self, request: Any) -> Any: ...
    async def aclose(self) -> None: ...


class SyncClient(Protocol):
    def close(self) -> None: ...
    def build_request(self, method: str, url: Any) -> Any: ...


class AsyncClient(Protocol):
    async def aclose(self) -> None: ...
    def build_request(self, method: str, url: Any) -> Any: ...


def loaded_httpx2() -> Any:
    """The module httpx2, if this process has loaded it; else None. None also where httpx2 stands in
    the place of httpx (`alias_httpx`).
    """
    module = sys.modules.get("httpx2")
    return None if module is httpx else module


def as_httpx(value: Any) -> Any:
    """An option or a transport of httpx2 as one of httpx; anything else unchanged."""
    for name in _httpx2_classes_of(value):
        if name in _CONVERSIONS:
            return _CONVERSIONS[name](value)
    return value


def _httpx2_classes_of(value: Any) -> list[str]:
    """The names of those classes of a value that are httpx2's. (The names alone: a mock may stand
    in the place of a class.)
    """
    if loaded_httpx2() is None:
        return []
    return [
        base.__name__
        for base in value.__class__.__mro__
        if base.__module__.partition(".")[0] == "httpx2"
    ]


class OverTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends over a transport of httpx2, in the modes that the transport has."""

    def __init__(self, httpx2_transport: Any) -> None:
        self._transport = httpx2_transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _exchange(request, self._transport.handle_request)

    def close(self) -> None:
        self._transport.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await _exchange_awaited(request, self._transport.handle_async_request)

    async def aclose(self) -> None:
        await self._transport.aclose()


def is_client(value: Any, kind: type[httpx.Client | httpx.AsyncClient]) -> bool:
    """Whether a value is a client of this kind, of either library."""
    return isinstance(value, kind) or kind.__name__ in _httpx2_classes_of(value)


def send(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
    """Send a request of httpx with a client of httpx or httpx2, with blocking calls."""
    if isinstance(client, httpx.Client):
        return client.send(request, **options)
    return _exchange(request, client.send, **options)


async def send_awaited(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
    if isinstance(client, httpx.AsyncClient):
        return await client.send(request, **options)
    return await _exchange_awaited(request, client.send, **options)


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
    "BaseTransport": OverTransport,
    "AsyncBaseTransport": OverTransport,
}
"""What makes an object of httpx, by the name of the class in httpx2."""


def _exchange(request: httpx.Request, send: Callable[..., Any], **options: Any) -> httpx.Response:
    with _with_errors_of_httpx(request):
        return _as_httpx_response(send(_as_httpx2_request(request), **options), request)


async def _exchange_awaited(
    request: httpx.Request, send: Callable[..., Any], **options: Any
) -> httpx.Response:
    with _with_errors_of_httpx(request):
        return _as_httpx_response(await send(_as_httpx2_request(request), **options), request)


def _as_httpx2_request(request: httpx.Request) -> Any:
    """A request of httpx as one of httpx2: the same bytes, and the same extensions, which the
    connections call or read.
    """
    return sys.modules["httpx2"].Request(
        request.method,
        str(request.url),
        headers=request.headers.raw,
        content=SecretBytes(request.read()),
        extensions=request.extensions,
    )


def _as_httpx_response(httpx2_response: Any, request: httpx.Request) -> httpx.Response:
    """A response of httpx2 as one of httpx, to this request."""
    status = httpx2_response.status_code
    headers = httpx.Headers(httpx2_response.headers.raw)
    extensions = dict(httpx2_response.extensions)
    if not httpx2_response.is_stream_consumed:
        stream = _BodyOfHttpx2(httpx2_response, request)
        return httpx.Response(status, headers=headers, stream=stream, extensions=extensions)
    # A mock or a hook has read the body, and has decompressed it, too.
    headers.pop("content-encoding", None)
    content = httpx.ByteStream(SecretBytes(httpx2_response.content))
    response = httpx.Response(status, headers=headers, stream=content, extensions=extensions)
    response.read()
    return response


class _BodyOfHttpx2(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response of httpx2, whose errors are raised as those of httpx."""

    def __init__(self, httpx2_response: Any, request: httpx.Request) -> None:
        self._response = httpx2_response
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        with _with_errors_of_httpx(self._request):
            yield from self._response.iter_raw()

    def close(self) -> None:
        with _with_errors_of_httpx(self._request):
            self._response.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _with_errors_of_httpx(self._request):
            async for piece in self._response.aiter_raw():
                yield piece

    async def aclose(self) -> None:
        with _with_errors_of_httpx(self._request):
            await self._response.aclose()


@contextmanager
def _with_errors_of_httpx(request: httpx.Request) -> Generator[None]:
    """Raise an error of httpx2's exchange as the error of httpx with the same name, and any other
    error unchanged.
    """
    try:
        yield
    except Exception as error:
        for name in _httpx2_classes_of(error):
            kind = getattr(httpx, name, None)
            if isinstance(kind, type) and issubclass(kind, httpx.RequestError):
                raise kind(str(error), request=request) from error
            if kind is httpx.StreamError:
                raise httpx.ReadError("its body was already consumed", request=request) from error
        raise
