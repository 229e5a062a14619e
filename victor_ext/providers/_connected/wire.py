"""The transport of a connected client whose credentials need more than connections to the API."""

from collections.abc import Mapping
from typing import Any

import httpx

from victor_ext._runtime.http.connections import origin_of

from .auth import SIGNED_QUERY


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that sends requests to several origins, and adds credentials to the query.

    It stands below the attempt loop, so that the loop, its errors and the log of httpx never have
    the query with the credentials.

    Args:
        api: The transport to the API.
        elsewhere: The transports to other origins (scheme, host and port), such as that of a token
            endpoint.
    """

    def __init__(self, api: Any, elsewhere: Mapping[object, Any]) -> None:
        self._api, self._elsewhere = api, elsewhere

    def _route(self, request: httpx.Request) -> tuple[Any, httpx.Request]:
        """The transport for a request, and the request to send, which has the credentials."""
        transport = self._elsewhere.get(origin_of(request.url), self._api)
        query = request.extensions.get(SIGNED_QUERY)
        if query is None:
            return transport, request
        url = request.url.copy_with(query=query)
        signed = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        # Not a copy: the connections note in the extensions what they have done.
        signed.extensions = request.extensions
        return transport, signed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport, to_send = self._route(request)
        response: httpx.Response = transport.handle_request(to_send)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport, to_send = self._route(request)
        response: httpx.Response = await transport.handle_async_request(to_send)
        return response

    def close(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            transport.close()

    async def aclose(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            await transport.aclose()
