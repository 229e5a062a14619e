"""The attempt loop as an httpx transport, and the httpx clients that generated operations send
with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx

from victor_ext.errors import ConfigurationError, InvalidRequest
from victor_ext.privacy import redact_excerpt
from victor_ext.runtime.core.response import Response
from victor_ext.runtime.http.httpx_internals import url_below
from victor_ext.runtime.loop.attempts import AttemptLoop
from victor_ext.runtime.loop.flow import Flow
from victor_ext.runtime.loop.retry import origin_of


class _AttemptTransport:
    """What the transports of both modes have in common.

    `original` is the transport that owns the connections, where this one only shares them: when it
    is closed, this one is, too.
    """

    def __init__(
        self,
        loop: AttemptLoop,
        connections: Any,
        urls: Sequence[httpx.URL],
        *,
        driver: Any,
        original: _AttemptTransport | None = None,
    ) -> None:
        self._loop = loop
        self._connections = connections
        self._driver = driver
        self._original = original
        self._origins = [origin_of(url) for url in urls]
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed or (self._original is not None and self._original.is_closed)

    def require_open(self) -> None:
        if self.is_closed:
            raise ConfigurationError(
                "This client has been closed: make a new one, or close it later."
            )

    def _call(self, request: httpx.Request) -> Flow[Response]:
        """The flow of one call.

        Raises `ConfigurationError` if the client is closed, or the request goes elsewhere.
        """
        self.require_open()
        if origin_of(request.url) not in self._origins:
            known = " and ".join(
                f"{scheme.decode()}://{host.decode()}" for scheme, host, _ in self._origins
            )
            raise ConfigurationError(
                f"A request to {request.url.scheme}://{request.url.host} was stopped: the token of "
                f"this client is for {known} only. Use another client for it."
            )
        return self._loop.call(request)

    def _refuse_calls(self) -> bool:
        """Refuse further calls. Returns whether the connections are to be closed, too: once, and
        only by the transport that owns them.
        """
        was_open = not self._closed
        self._closed = True
        return was_open and self._original is None


class AttemptTransport(_AttemptTransport, httpx.BaseTransport):
    """Signs, sends, classifies, waits and tries again, with blocking calls."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: Response = self._driver.run(self._call(request))
        return response

    def close(self) -> None:
        if self._refuse_calls():
            self._connections.close()


class AsyncAttemptTransport(_AttemptTransport, httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: Response = await self._driver.run(self._call(request))
        return response

    async def aclose(self) -> None:
        if self._refuse_calls():
            await self._connections.aclose()


EXTRA_QUERY = "victor_ext.extra_query"
"""The extension of a request with a `QueryChange`."""
QueryChange = str | Callable[[httpx.URL], httpx.URL]
"""A text is appended to the query, percent-encoded: filters that the generated operation does not
know. A function gets the whole URL, and returns the one that is called.
"""

_CANNOT_BE_WRITTEN = (httpx.InvalidURL, ValueError, TypeError, OverflowError, RecursionError)
"""What httpx raises for text that no URL or header can hold, a number that JSON does not have, and
an object of an unknown type.
"""


class _RequestBuilder:
    """The `build_request` of the httpx clients of both modes."""

    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        """httpx's `build_request`, with the extension `EXTRA_QUERY`.

        Raises `InvalidRequest` where httpx cannot write the request.
        """
        client: Any = super()  # httpx's client of the mode, which types do not know here
        extensions: dict[str, Any] = kwargs.get("extensions") or {}
        query_change: QueryChange | None = extensions.get(EXTRA_QUERY)
        if isinstance(query_change, str) and query_change:
            kwargs["url"] = _with_query(str(kwargs["url"]), query_change)
        path: object = kwargs.get("url")
        try:
            if isinstance(path, str) and path.startswith("/") and not path.startswith("//"):
                # As httpx joins them. It would parse the path first, and the whole once more.
                kwargs["url"] = url_below(client.base_url, path)
            request: httpx.Request = client.build_request(*args, **kwargs)
        except _CANNOT_BE_WRITTEN as error:
            why = redact_excerpt(str(error)) or type(error).__name__
        else:
            if callable(query_change):
                request.url = query_change(request.url)
            return request
        raise InvalidRequest(
            f"The request cannot be written, and nothing was sent: {why.rstrip('.')}."
        )


def _with_query(url: str, text: str) -> str:
    """The URL with a text at the end of its query."""
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}{text}"


def _is_plain(
    client: httpx.Client | httpx.AsyncClient, request: httpx.Request, options: dict[str, Any]
) -> bool:
    """Whether httpx's client has nothing to do but to give the request to its transport, which
    reads the response, follows no redirect and keeps no cookie.

    So it is where the client has no hook, no authentication and no redirects, built the request
    itself, and the call has no options of its own.
    """
    if (
        client.auth is not None
        or client.follow_redirects
        or client.is_closed
        or any(client.event_hooks.values())
    ):
        return False
    if "timeout" not in request.extensions:  # another client built it
        return False
    defaults = [*options.values()].count(httpx.USE_CLIENT_DEFAULT)
    return defaults == len(options)


class HttpClient(_RequestBuilder, httpx.Client):
    def __init__(self, *, transport: httpx.BaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._attempts = transport

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, through the rest of httpx's client only where it has something to do."""
        if not _is_plain(self, request, options):
            return super().send(request, **options)
        return self._attempts.handle_request(request)


class AsyncHttpClient(_RequestBuilder, httpx.AsyncClient):
    def __init__(self, *, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._attempts = transport

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        if not _is_plain(self, request, options):
            return await super().send(request, **options)
        return await self._attempts.handle_async_request(request)
