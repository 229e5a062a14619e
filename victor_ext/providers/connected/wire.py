"""Between the attempt loop and the connections of a connected client."""

from collections.abc import Mapping
from typing import Any

import httpx

from victor_ext.runtime.loop.resending import origin_of

from .auth import SIGNED_QUERY


class Wire(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Between the attempt loop and the connections: a token endpoint of another origin, and
    credentials in the query.

    `elsewhere` has the transports to other origins (scheme, host and port) than the API's.
    """

    def __init__(self, api: Any, elsewhere: Mapping[object, Any]) -> None:
        self._api, self._elsewhere = api, elsewhere

    def _route(self, request: httpx.Request) -> tuple[Any, httpx.Request]:
        """The transport and the request to send.

        The loop, its errors and the log of httpx keep the one unsigned.
        """
        transport = self._elsewhere.get(origin_of(request.url), self._api)
        query = request.extensions.get(SIGNED_QUERY)
        if query is None:
            return transport, request
        url = request.url.copy_with(query=query)
        sent = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        # not a copy: the connections note in them what they have done
        sent.extensions = request.extensions
        return transport, sent

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport, sent = self._route(request)
        response: httpx.Response = transport.handle_request(sent)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport, sent = self._route(request)
        response: httpx.Response = await transport.handle_async_request(sent)
        return response

    def close(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            transport.close()

    async def aclose(self) -> None:
        for transport in (self._api, *self._elsewhere.values()):
            await transport.aclose()
