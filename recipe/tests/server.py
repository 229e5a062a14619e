"""A server in place of a network: it gives one response, and keeps the requests."""

import httpx


class Server:
    def __init__(self, response: httpx.Response, requests: list[httpx.Request] | None = None):
        self.response = response
        self.requests = [] if requests is None else requests

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        response = self.response
        return httpx.Response(
            response.status_code, headers=response.headers, content=response.content
        )

    @property
    def transport(self):
        return httpx.MockTransport(self)
