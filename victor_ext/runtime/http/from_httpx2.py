"""What a caller has made with httpx2, in the terms of httpx. No other module knows both.

httpx2 continues httpx 0.28 under the same names, with classes of its own. This package is a guest
there: it never imports httpx2, because whoever passes one of its objects has loaded it.
"""

import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from victor_ext.privacy import SecretBytes

# What is taken, of httpx or httpx2. Type checkers may not find httpx2: its like has what is named
# here.


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
    """httpx2, if this process has loaded it.

    None also where it stands in the place of httpx (`alias_httpx`).
    """
    module = sys.modules.get("httpx2")
    return None if module is httpx else module


def as_httpx(value: Any) -> Any:
    """An option or a transport of httpx2 as one of httpx; anything else unchanged."""
    convert = next(filter(None, map(_CONVERSIONS.get, _kinds_in_httpx2(value))), None)
    return value if convert is None else convert(value)


def _kinds_in_httpx2(value: Any) -> list[str]:
    """The names of its classes that are httpx2's. (Not the classes: a mock may stand in the place
    of one.)
    """
    if loaded_httpx2() is None:
        return []
    return [
        base.__name__
        for base in value.__class__.__mro__
        if base.__module__.partition(".")[0] == "httpx2"
    ]


class OverTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends over `theirs`, a transport of httpx2, in the modes that this has."""

    def __init__(self, theirs: Any) -> None:
        self.theirs = theirs

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _exchanged(request, self.theirs.handle_request)

    def close(self) -> None:
        self.theirs.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await _exchanged_awaited(request, self.theirs.handle_async_request)

    async def aclose(self) -> None:
        await self.theirs.aclose()


def is_client(value: Any, kind: type[httpx.Client | httpx.AsyncClient]) -> bool:
    """Whether a value is a client of this kind, of either library."""
    return isinstance(value, kind) or kind.__name__ in _kinds_in_httpx2(value)


def send(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
    """Send a request of httpx with a client of either library."""
    if isinstance(client, httpx.Client):
        return client.send(request, **options)
    return _exchanged(request, client.send, **options)


async def send_awaited(client: Any, request: httpx.Request, **options: Any) -> httpx.Response:
    if isinstance(client, httpx.AsyncClient):
        return await client.send(request, **options)
    return await _exchanged_awaited(request, client.send, **options)


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
"""By the name of the class."""


def _exchanged(request: httpx.Request, send: Callable[..., Any], **options: Any) -> httpx.Response:
    with _with_errors_of_httpx(request):
        return _response(send(_request(request), **options), request)


async def _exchanged_awaited(
    request: httpx.Request, send: Callable[..., Any], **options: Any
) -> httpx.Response:
    with _with_errors_of_httpx(request):
        return _response(await send(_request(request), **options), request)


def _request(request: httpx.Request) -> Any:
    """The request for httpx2: the same bytes, and the same extensions, which the connections call
    or read.
    """
    return sys.modules["httpx2"].Request(
        request.method,
        str(request.url),
        headers=request.headers.raw,
        content=SecretBytes(request.read()),
        extensions=request.extensions,
    )


def _response(theirs: Any, request: httpx.Request) -> httpx.Response:
    """The response of httpx2 for httpx.

    One that a mock or a hook has read already has been decompressed, too.
    """
    headers = httpx.Headers(theirs.headers.raw)
    is_read = theirs.is_stream_consumed
    stream = httpx.ByteStream(SecretBytes(theirs.content)) if is_read else _Body(theirs, request)
    if is_read:
        headers.pop("content-encoding", None)
    response = httpx.Response(
        theirs.status_code, headers=headers, stream=stream, extensions=dict(theirs.extensions)
    )
    if is_read:
        response.read()
    return response


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, theirs: Any, request: httpx.Request) -> None:
        self._theirs = theirs
        self._request = request

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
    """Raise an error of httpx2's exchange as that of httpx with the same name, and any other error
    as it is.
    """
    try:
        yield
    except Exception as error:
        for kind in (getattr(httpx, name, None) for name in _kinds_in_httpx2(error)):
            if isinstance(kind, type) and issubclass(kind, httpx.RequestError):
                raise kind(str(error), request=request) from error
            if kind is httpx.StreamError:
                raise httpx.ReadError("its body was already consumed", request=request) from error
        raise
