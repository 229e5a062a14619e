"""increase (by Stainless): over httpx, without retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from increase import AsyncIncrease, Increase

from benchmarks.peers import flat, number


def _options(url: str) -> Any:
    return {"api_key": "benchmark", "base_url": f"{url}/increase", "max_retries": 0}


class Transfers:
    """The account transfers of an `Increase`."""

    def __init__(self, url: str) -> None:
        self.client = Increase(**_options(url))
        self.read = flat

    def get(self) -> object:
        return self.client.account_transfers.retrieve(f"account_transfer_{number()}")

    def create(self) -> object:
        return self.client.account_transfers.create(
            account_id="a", amount=4423, description="INV-00001001", destination_account_id="b"
        )

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.account_transfers.list(limit=page_size))

    def close(self) -> None:
        self.client.close()


class AwaitedTransfers:
    """The account transfers of an `AsyncIncrease`."""

    def __init__(self, url: str) -> None:
        self.client = AsyncIncrease(**_options(url))

    async def get(self) -> object:
        return await self.client.account_transfers.retrieve(f"account_transfer_{number()}")

    async def close(self) -> None:
        await self.client.close()


def connect(url: str) -> Transfers:
    """A blocking client."""
    return Transfers(url)


def connect_awaited(url: str) -> AwaitedTransfers:
    """An awaited client."""
    return AwaitedTransfers(url)
