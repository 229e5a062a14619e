"""Transports between the attempt loop and the connections: a token endpoint on another host, and a key in the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx


@dataclass(frozen=True, slots=True, repr=False)
class _Wire:
    """Where a request goes, and what only the wire sees of it.

    Attributes:
        api: The transport to the API.
        tokens: The transport to the token endpoint, if it is of another origin.
        origin: Scheme, host and port of that endpoint.
        query: The name and the key to put into the query of each request.
    """

    api: Any
    tokens: Any = None
    origin: tuple[bytes, bytes, int | None] | None = None
    query: tuple[str, str] | None = None

    def select_transport(self, request: httpx.Request) -> Any:
        return self.tokens if self.tokens is not None and origin_of(request.url) == self.origin else self.api

    def with_query_key(self, request: httpx.Request) -> httpx.Request:
        """The request that is sent. The attempt loop, its errors and httpx's log keep the one without the key."""
        if self.query is None:
            return request
        # httpx would encode the other parameters again.
        pair = urlencode([self.query]).encode("ascii")
        url = request.url.copy_with(query=b"&".join(filter(None, (request.url.query, pair))))
        sent = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        sent.extensions = request.extensions  # not a copy: the connections note in them what they have done
        return sent


class WireTransport(_Wire, httpx.BaseTransport):
    """For blocking calls."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self.select_transport(request).handle_request(self.with_query_key(request))
        return response

    def close(self) -> None:
        self.api.close()
        if self.tokens is not None:
            self.tokens.close()


class AsyncWireTransport(_Wire, httpx.AsyncBaseTransport):
    """For awaited calls."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self.select_transport(request).handle_async_request(
            self.with_query_key(request)
        )
        return response

    async def aclose(self) -> None:
        await self.api.aclose()
        if self.tokens is not None:
            await self.tokens.aclose()


def origin_of(url: httpx.URL) -> tuple[bytes, bytes, int | None]:
    """Scheme, host and port of a URL."""
    return url.raw_scheme, url.raw_host, url.port
