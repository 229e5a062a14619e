"""One client in several event loops, none of which waits for another; and a loop that is blocked over a deadline."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.faults.odd_servers import Deaf, full, on_linux
from tests.faults.raw_provider import TOKEN, Exchange, RawProvider, answer
from tests.faults.raw_sockets import PATIENCE
from victor_ext import AsyncVictor, TimedOut, VictorJwt, VictorOAuth
from victor_ext.providers.flexfactor import AsyncFlexFactor, FlexFactorAuth
from victor_ext.providers.velo import AsyncVelo, VeloAuth

pytestmark = pytest.mark.slow
TOKENS = answer(json.dumps({**TOKEN, "accessToken": "t", "expires_in": 3600}).encode())
"""A token in the words of every system."""
CLIENTS = {
    "victor": lambda **options: AsyncVictor(VictorOAuth("id", "not-a-secret"), **options),
    "velo": lambda **options: AsyncVelo(VeloAuth("id", "not-a-secret"), **options),
    "flexfactor": lambda **options: AsyncFlexFactor(
        FlexFactorAuth("id", "not-a-secret"), mid="3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71", **options
    ),
}
COPIES = {"the client": lambda client: client, "a copy": lambda client: client.with_options(timeout=4.0)}


@pytest.mark.parametrize("system", CLIENTS)
@pytest.mark.parametrize("copy", COPIES)
def test_a_token_is_not_waited_for_in_another_loop(provider: RawProvider, system: str, copy: str) -> None:
    asked, held = threading.Event(), list[Exchange]()

    def hold(exchange: Exchange) -> None:
        held.append(exchange)
        asked.set()

    provider.acts_on_tokens = True
    provider.instead = lambda exchange: exchange.send(TOKENS)
    provider.acts.append(hold)
    client = CLIENTS[system](base_url=provider.url(), deadline=3.0)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: asyncio.run(client.authorization()))
        assert asked.wait(PATIENCE)
        assert asyncio.run(COPIES[copy](client).authorization()) == "Bearer t"
        provider.background.do(lambda: held[0].send(TOKENS))
        assert waiting.result(PATIENCE) == "Bearer t"
    assert len(provider.record.requests) == 2


def test_many_loops_at_once(provider: RawProvider) -> None:
    provider.state.token["expires"] = 1  # each call asks for a token
    client = AsyncVictor(VictorOAuth("id", "not-a-secret"), base_url=provider.url(), deadline=20.0)

    async def work(loop: int) -> list[str | None]:
        async def one(number: int) -> str | None:
            each = client if number % 2 else client.with_options(timeout=10.0)
            return (await each.payment_requests.get(f"L{loop}N{number}")).id

        return await asyncio.gather(*(one(number) for number in range(25)))

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda loop: asyncio.run(work(loop)), range(8)))
    assert found == [[f"L{loop}N{number}" for number in range(25)] for loop in range(8)]


def test_a_loop_that_has_ended_leaves_no_socket_behind(provider: RawProvider) -> None:
    client = AsyncVictor(VictorOAuth("id", "not-a-secret"), base_url=provider.url())
    for number in range(20):
        assert asyncio.run(client.payment_requests.get(f"R{number}")).id == f"R{number}"
    gc.collect()
    provider.quiet.wait_for(lambda: not provider.open, "the connections of loops that have ended")


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
def test_a_loop_that_is_blocked_while_it_connects_has_sent_nothing() -> None:
    with full("127.0.0.1", 0) as port:
        assert asyncio.run(outcomes(port)) == ["not_sent"]


def test_so_has_a_call_that_waits_for_the_connection_of_another() -> None:
    with closing(Deaf(0, resets=False)) as deaf:
        assert asyncio.run(outcomes(deaf.port, calls=2)) == ["unknown", "not_sent"]
