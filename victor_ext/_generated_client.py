"""The generated client, bound to our connections and kept from leaving them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import httpx
from victor_api.client import Client

HttpClient = httpx.Client | httpx.AsyncClient


class BoundClient(Client):
    """The generated `Client` over an attempt transport.

    The generated `with_headers`, `with_cookies` and `with_timeout` return a client that would make connections
    of its own: unsigned, and without the attempt loop. Here they return one over the same transport.
    """

    _connect: Callable[[dict[str, Any]], HttpClient]
    _options: dict[str, Any]

    @classmethod
    def over(cls, base_url: str, connect: Callable[[dict[str, Any]], HttpClient], options: dict[str, Any]) -> Self:
        """A client whose httpx client `connect` makes from additional options."""
        client = cls(base_url=base_url)
        client._connect, client._options = connect, options
        http = connect(options)
        if isinstance(http, httpx.Client):
            return client.set_httpx_client(http)
        return client.set_async_httpx_client(http)

    def __enter__(self) -> Self:
        """Nothing is opened, and nothing closed at the end: the connections are those of the client it belongs to."""
        return self

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        """Nothing is closed."""

    async def __aenter__(self) -> Self:
        """Nothing is opened, and nothing closed at the end."""
        return self

    async def __aexit__(self, *args: object, **kwargs: Any) -> None:
        """Nothing is closed."""

    def with_headers(self, headers: dict[str, str]) -> Self:
        """A client that sends these headers too."""
        merged = httpx.Headers(self._options.get("headers"))
        merged.update(headers)
        return self._again(headers=merged)

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        """A client that sends these cookies too."""
        return self._again(cookies={**self._options.get("cookies", {}), **cookies})

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        """A client with another time-out for each stage of an attempt."""
        return self._again(timeout=timeout)

    def _again(self, **changes: Any) -> Self:
        return self.over(self._base_url, self._connect, {**self._options, **changes})
