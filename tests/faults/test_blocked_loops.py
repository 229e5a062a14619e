"""An event loop that is blocked over the deadline of a call: what was not sent is not called unknown."""

from __future__ import annotations

import asyncio
import time

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.faults.odd_servers import Deaf, full, on_linux
from victor_ext import AsyncVictor, TimedOut, VictorJwt

DEADLINE = 0.1
AUTH = VictorJwt("key", rsa.generate_private_key(public_exponent=65537, key_size=2048))
ONE = httpx.Limits(max_connections=1)


async def outcomes(port: int, calls: int = 1) -> list[str]:
    """What is said of calls that are under way when their event loop is blocked until after the deadline."""
    url = f"http://127.0.0.1:{port}"
    async with AsyncVictor(AUTH, base_url=url, deadline=DEADLINE, limits=ONE) as victor:
        asyncio.get_running_loop().call_later(DEADLINE / 2, time.sleep, 2 * DEADLINE)
        accepting = [victor.payment_requests.accept(f"R{each}", notes="Thanks.") for each in range(calls)]
        errors = await asyncio.gather(*accepting, return_exceptions=True)
    assert all(isinstance(error, TimedOut) for error in errors), errors
    return [error.outcome.value for error in errors if isinstance(error, TimedOut)]


@on_linux
def test_while_it_connects() -> None:
    with full("127.0.0.1", 0) as port:
        assert asyncio.run(outcomes(port)) == ["not_sent"]


def test_while_one_waits_for_the_answer_and_another_for_its_connection() -> None:
    deaf = Deaf(0, resets=False)
    try:
        assert asyncio.run(outcomes(deaf.port, calls=2)) == ["unknown", "not_sent"]
    finally:
        deaf.close()
