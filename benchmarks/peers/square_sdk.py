"""squareup (by Fern): over httpx; a call is not tried again unless the answer says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from square import AsyncSquare, Square

from benchmarks.peers import number


class Payments:
    """The payments of a `Square`."""

    def __init__(self, url: str) -> None:
        self.client = Square(token="benchmark", base_url=f"{url}/square")

    def get(self) -> object:
        return self.client.payments.get(f"pay_{number()}").payment

    def create(self) -> object:
        return self.client.payments.create(
            source_id="s", idempotency_key="k", amount_money={"amount": 4423, "currency": "USD"}
        ).payment

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.payments.list(limit=page_size))

    def read(self, item: Any) -> tuple[Any, ...]:
        return (
            item.id,
            item.amount_money.amount,
            item.amount_money.currency,
            item.status,
            item.created_at,
        )

    def close(self) -> None:
        """It has no method for this: its connections close with the process."""


class AwaitedPayments:
    """The payments of an `AsyncSquare`."""

    def __init__(self, url: str) -> None:
        self.client = AsyncSquare(token="benchmark", base_url=f"{url}/square")

    async def get(self) -> object:
        return (await self.client.payments.get(f"pay_{number()}")).payment

    async def close(self) -> None:
        """It has no method for this: its connections close with the process."""


def connect(url: str) -> Payments:
    """A blocking client."""
    return Payments(url)


def connect_awaited(url: str) -> AwaitedPayments:
    """An awaited client."""
    return AwaitedPayments(url)
