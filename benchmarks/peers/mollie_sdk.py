"""mollie-api-py (by Speakeasy): over httpx, without retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mollie

from benchmarks.peers import number


class Payments:
    """The payments of a `ClientSDK`."""

    def __init__(self, url: str) -> None:
        self.client = mollie.ClientSDK(
            security=mollie.Security(api_key="test_benchmark"),
            server_url=f"{url}/mollie",
            retry_config=None,
        )

    def get(self) -> object:
        return self.client.payments.get(payment_id=f"tr_{number()}")

    def create(self) -> object:
        return self.client.payments.create(
            payment_request={
                "description": "INV-00001001",
                "amount": {"value": "44.23", "currency": "USD"},
                "redirect_url": "https://example.com",
            }
        )

    def items(self, page_size: int) -> Iterator[Any]:
        page = self.client.payments.list(limit=page_size)
        while page is not None:
            yield from page.result.embedded.payments
            page = page.next()

    def read(self, item: Any) -> tuple[Any, ...]:
        return item.id, item.amount.value, item.amount.currency, item.status, item.created_at

    def close(self) -> None:
        self.client.__exit__(None, None, None)


class AwaitedPayments(Payments):
    """The awaited methods of a `ClientSDK`."""

    async def get(self) -> object:
        return await self.client.payments.get_async(payment_id=f"tr_{number()}")

    async def close(self) -> None:
        await self.client.__aexit__(None, None, None)


def connect(url: str) -> Payments:
    """A blocking client."""
    return Payments(url)


def connect_awaited(url: str) -> AwaitedPayments:
    """An awaited client."""
    return AwaitedPayments(url)
