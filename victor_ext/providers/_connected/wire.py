"""The transport of a connected client whose token endpoint is at another origin than its API."""

from collections.abc import Mapping
from typing import Any

import httpx

from victor_ext._runtime.http.connections import origin_of


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that sends requests to several origins.

    Args:
        api: The transport to the API.
        elsewhere: The transports to other origins (scheme, host and port).
    """

    def __init__(self, api: Any, elsewhere: Mapping[object, Any]) -> None:
        self._api, self._elsewhere = api, elsewhere

    def _transport_for(self, request: httpx.Request) -> Any:
        return self._elsewhere.get(origin_of(request.url), self._api)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._transport_for(request).handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._transport_for(request)
        response: httpx.Response = await transport.handle_async_request(request)
        return response

    def close(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            transport.close()

    async def aclose(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            await transport.aclose()
