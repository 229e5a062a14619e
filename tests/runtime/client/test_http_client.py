"""The httpx client over the attempts: what httpx's own client would do is done whenever somebody has asked for it."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from victor_ext.runtime.client.transport import HttpClient

AT = "https://api.example/base"


def client(seen: list[httpx.Request], **options: Any) -> HttpClient:
    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={}, request=request)

    return HttpClient(transport=httpx.MockTransport(respond), base_url=AT, **options)


@pytest.mark.parametrize("base", ["https://api.example", "https://api.example/", "https://api.example/a", f"{AT}/b//"])
@pytest.mark.parametrize("path", ["/", "/v2/x", "/a%2Fb", "/ä b?q=1&r=%20#f", "/../x", "//other/x", "x", "?q=1", ""])
def test_a_path_is_joined_as_httpx_joins_it(base: str, path: str) -> None:
    ours = HttpClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url=base)
    theirs = httpx.Client(base_url=base).build_request("GET", path, params={"page": 1})
    made = ours.build_request("GET", path, params={"page": 1})
    assert (made.url.raw_path, made.url.netloc) == (theirs.url.raw_path, theirs.url.netloc)
    assert made.headers.raw[:1] == theirs.headers.raw[:1]


def test_hooks_and_authentication_that_are_set_later_are_used() -> None:
    seen: list[httpx.Request] = []
    called: list[int] = []
    http = client(seen)
    http.get("/x")
    http.event_hooks = {"response": [lambda response: called.append(response.status_code)]}
    http.get("/x")
    http.event_hooks = {}
    http.auth = ("user", "no-secret")
    http.get("/x")
    http.auth = None
    http.get("/x", auth=("user", "no-secret"))
    assert called == [200]
    assert ["authorization" in request.headers for request in seen] == [False, False, True, True]


def test_a_request_built_elsewhere_gets_the_timeout_of_the_client_and_a_closed_one_sends_nothing() -> None:
    seen: list[httpx.Request] = []
    http = client(seen, timeout=7.0)
    http.send(httpx.Request("GET", AT))
    http.close()
    with pytest.raises(RuntimeError, match="closed"):
        http.get("/x")
    assert [request.extensions["timeout"]["read"] for request in seen] == [7.0]


def test_the_line_of_httpx_is_logged_as_before(caplog: pytest.LogCaptureFixture) -> None:
    http = client([])
    with caplog.at_level(logging.INFO, "httpx"):
        http.get("/x")
        http.get("/x", auth=("user", "no-secret"))  # through the rest of httpx's client
    lines = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert lines == [f'HTTP Request: GET {AT}/x "HTTP/1.1 200 OK"'] * 2
