"""`victor.ping()`: what one signed read tells."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.providers.test_introspection import ARGUMENTS
from victor_ext import AsyncVictor, AuthenticationError, RetryPolicy, Victor
from victor_ext.sandbox import Sandbox


def test_it_is_a_signed_read_of_one_request(victor_sandbox: Sandbox, victor: Victor) -> None:
    ping = victor.ping()
    assert (ping.response_info.status_code, ping.response_info.attempts) == (200, 1)
    assert ping.clock_offset == 0.0
    assert 0 < ping.seconds < 5
    (received,) = victor_sandbox.received()
    assert received.path.startswith("/v2/payment-requests")


def test_awaited_it_tells_the_same(async_victor: AsyncVictor) -> None:
    async def main() -> None:
        async with async_victor:
            assert (await async_victor.ping()).response_info.status_code == 200

    asyncio.run(main())


@pytest.mark.parametrize(("ahead", "offset"), [(600, 600), (-600, -600), (0, 0), (None, None)])
def test_the_difference_of_the_clocks(ahead: int | None, offset: int | None) -> None:
    def provider(request: httpx.Request) -> httpx.Response:
        body = {"results": []} if "payment" in request.url.path else {"token": "t", "token_type": "Bearer"}
        headers = {}
        if ahead is not None:
            headers["Date"] = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
        if "payment" not in request.url.path:
            body |= {"access_token": "t", "expires": 4_000_000_000_000}
        return httpx.Response(200, json=body, headers=headers)

    with Victor(**ARGUMENTS["victor"], transport=httpx.MockTransport(provider)) as victor:
        found = victor.ping().clock_offset
    assert (found is None) == (offset is None)
    if found is not None and offset is not None:
        assert abs(found - offset) <= 2


def test_credentials_that_are_not_accepted() -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(401))
    victor = Victor(**ARGUMENTS["victor"], transport=transport, retry=RetryPolicy(base=0.0))
    with victor, pytest.raises(AuthenticationError):
        victor.ping()
