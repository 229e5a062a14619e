"""`http_client=`: an httpx client of the caller is the way out. What is sent stays what the package decides."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from httpx_aiohttp import HttpxAiohttpClient

from tests.providers.test_introspection import ARGUMENTS, CLIENTS
from victor_ext import AsyncVictor, ConfigurationError, RetryPolicy, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox


def credentials(sandbox: Sandbox) -> dict[str, Any]:
    return {"auth": VictorOAuth(*sandbox.add_oauth_client()), "base_url": sandbox.url, "retry": RetryPolicy(base=0.0)}


def test_its_hooks_see_each_attempt_and_nothing_else_of_it_is_sent(victor_sandbox: Sandbox) -> None:
    seen: list[httpx.Request] = []
    answers: list[bytes] = []
    with httpx.Client(
        headers={"X-Theirs": "no"},
        cookies={"theirs": "no"},
        auth=("theirs", "no"),
        base_url="https://elsewhere.example",
        event_hooks={"request": [seen.append], "response": [lambda response: answers.append(response.read())]},
    ) as http_client:
        victor = Victor(http_client=http_client, **credentials(victor_sandbox))
        assert [*victor.payment_requests.list(status="pending")] == []
        victor_sandbox.inject("status", operation="list", status=503)
        seen.clear()
        assert [*victor.payment_requests.list(status="pending")] == []
        assert [request.url.path for request in seen] == ["/v2/payment-requests"] * 2
        assert all(request.headers["authorization"].startswith("Bearer ") for request in seen)
        assert not any({"x-theirs", "cookie"} & {*request.headers} for request in seen)
        assert b"results" in answers[-1]
        victor.close()
        assert not http_client.is_closed
        victor = Victor(http_client=http_client, **credentials(victor_sandbox))
    with pytest.raises(ConfigurationError, match="http_client has been closed: keep it open"):
        victor.payment_requests.get("ABCDEFGH12")


@pytest.mark.anyio
async def test_it_is_awaited(victor_sandbox: Sandbox) -> None:
    async with httpx.AsyncClient() as http_client:
        async with AsyncVictor(http_client=http_client, **credentials(victor_sandbox)) as victor:
            assert [each async for each in victor.payment_requests.list(status="pending")] == []
        assert not http_client.is_closed


@pytest.mark.parametrize("system", ARGUMENTS)
@pytest.mark.parametrize("awaited", [False, True])
def test_what_is_no_client_for_this_mode_is_refused(system: str, awaited: bool) -> None:
    other, kind = (httpx.Client(), "AsyncClient") if awaited else (httpx.AsyncClient(), "Client")
    with pytest.raises(ConfigurationError, match=rf"http_client must be an httpx\.{kind}, not {type(other).__name__}"):
        CLIENTS[system][awaited](**ARGUMENTS[system], http_client=other)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"transport": httpx.AsyncHTTPTransport()}, "http_client and transport: pass one of the two"),
        ({"http_client": HttpxAiohttpClient()}, "http_client: httpx_aiohttp reports an answer that did not come"),
    ],
)
def test_what_would_send_twice_or_two_ways_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        AsyncVictor(VictorOAuth("id", "not-a-secret"), **{"http_client": httpx.AsyncClient(), **options})
