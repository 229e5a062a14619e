"""The generated client, bound to our connections and kept from changing them."""

from __future__ import annotations

from typing import Any, Self, TypeVar

import httpx
from victor_api.client import Client

T = TypeVar("T", httpx.Client, httpx.AsyncClient)


class BoundClient(Client):
    """The generated `Client` over an attempt transport.

    The generated `with_headers`, `with_cookies` and `with_timeout` change the live connection of the client
    they are called on, and return one that would make connections of its own: unsigned, and without the
    attempt loop. Here they return a client over the same transport, and the original stays as it was.
    """

    def with_headers(self, headers: dict[str, str]) -> Self:
        """A client that sends these headers too."""
        return self._again(headers=headers)

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        """A client that sends these cookies too."""
        return self._again(cookies=cookies)

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        """A client with another time-out for each stage of an attempt."""
        return self._again(timeout=timeout)

    def _again(self, **changes: Any) -> Self:
        copy = type(self)(base_url=self._base_url)
        if self._client is not None:
            copy.set_httpx_client(_changed(self._client, httpx.Client, **changes))
        if self._async_client is not None:
            copy.set_async_httpx_client(_changed(self._async_client, httpx.AsyncClient, **changes))
        return copy


def _changed(http: T, kind: type[T], *, headers: Any = None, cookies: Any = None, timeout: Any = None) -> T:
    return kind(
        transport=http._transport,  # type: ignore[arg-type]  # noqa: SLF001 - ours; httpx has no public name for it
        base_url=http.base_url,
        headers={**http.headers, **(headers or {})},
        cookies={**http.cookies, **(cookies or {})},
        timeout=http.timeout if timeout is None else timeout,
        trust_env=False,
        follow_redirects=False,
    )


def bound_client(base_url: str, http: httpx.Client | httpx.AsyncClient) -> Client:
    """A generated client that calls through `http`."""
    client = BoundClient(base_url=base_url)
    if isinstance(http, httpx.Client):
        return client.set_httpx_client(http)
    return client.set_async_httpx_client(http)
