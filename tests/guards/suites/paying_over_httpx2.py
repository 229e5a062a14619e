"""A service that has moved to httpx2: it passes its own clients, or none."""

import asyncio

import httpx2
from paying import BOTH, create, create_awaited


def over_httpx2():
    with httpx2.Client() as http_client:
        return create(http_client=http_client)


def over_httpx2_in_a_loop():
    async def pay():
        async with httpx2.AsyncClient() as http_client:
            return await create_awaited(http_client=http_client)

    return asyncio.run(pay())


ALL = [*BOTH, over_httpx2, over_httpx2_in_a_loop]
