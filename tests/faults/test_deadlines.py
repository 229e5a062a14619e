"""A deadline holds, however slowly a server keeps the connection alive."""

from __future__ import annotations

import asyncio
import time

import pytest
from trickling import trickling_server

from victor_ext import AsyncVictor, DeadlineExceeded, Outcome, Victor, VictorOAuth

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
TRICKLES = {
    "head": (b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n"),
    "body": (HEAD, b" "),
}
DEADLINE = 0.5
ALLOWED = DEADLINE + 0.35  # a shared machine has pauses of its own


@pytest.mark.parametrize("where", TRICKLES)
def test_a_trickle_does_not_outlast_the_deadline(where: str) -> None:
    with trickling_server(*TRICKLES[where]) as url:
        began = time.monotonic()
        with (
            Victor(VictorOAuth("id", "not-a-secret"), base_url=url, deadline=DEADLINE) as victor,
            pytest.raises(DeadlineExceeded) as caught,
        ):
            victor.payment_requests.get("R1")
        assert DEADLINE - 0.05 <= time.monotonic() - began <= ALLOWED
    assert caught.value.outcome is Outcome.NOT_SENT  # it was the token that never came


@pytest.mark.parametrize("where", TRICKLES)
def test_a_trickle_does_not_outlast_the_deadline_awaited(where: str) -> None:
    async def main(url: str) -> float:
        began = time.monotonic()
        async with AsyncVictor(VictorOAuth("id", "not-a-secret"), base_url=url, deadline=DEADLINE) as victor:
            with pytest.raises(DeadlineExceeded):
                await victor.payment_requests.get("R1")
        return time.monotonic() - began

    with trickling_server(*TRICKLES[where]) as url:
        assert DEADLINE - 0.05 <= asyncio.run(main(url)) <= ALLOWED
