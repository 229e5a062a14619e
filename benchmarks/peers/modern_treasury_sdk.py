"""modern-treasury (by Stainless): over httpx, without retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modern_treasury import AsyncModernTreasury, ModernTreasury

from benchmarks.peers import flat, number


def _options(url: str) -> Any:
    return {
        "api_key": "benchmark",
        "organization_id": "benchmark",
        "base_url": f"{url}/modern_treasury",
        "max_retries": 0,
    }


class Treasury:
    """A `ModernTreasury`."""

    def __init__(self, url: str) -> None:
        self.client = ModernTreasury(**_options(url))
        self.read = flat

    def get(self) -> object:
        return self.client.payment_orders.retrieve(f"po_{number()}")

    def create(self) -> object:
        return self.client.payment_orders.create(
            amount=4423, direction="credit", originating_account_id="0f8e3719", type="rtp"
        )

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.payment_orders.list(per_page=page_size))

    def close(self) -> None:
        self.client.close()


class AwaitedTreasury:
    """An `AsyncModernTreasury`."""

    def __init__(self, url: str) -> None:
        self.client = AsyncModernTreasury(**_options(url))

    async def get(self) -> object:
        return await self.client.payment_orders.retrieve(f"po_{number()}")

    async def close(self) -> None:
        await self.client.close()


def connect(url: str) -> Treasury:
    """A blocking client."""
    return Treasury(url)


def connect_awaited(url: str) -> AwaitedTreasury:
    """An awaited client."""
    return AwaitedTreasury(url)
