"""stripe: `StripeClient` over requests (its default) or over httpx; no telemetry, no retries (its
default).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import stripe

from benchmarks.peers import number

stripe.enable_telemetry = False


class Stripe:
    """A `StripeClient`, with one of its HTTP clients."""

    def __init__(self, url: str, http: Any) -> None:
        self.client = stripe.StripeClient(
            "sk_test_benchmark", base_addresses={"api": f"{url}/stripe"}, http_client=http
        )

    def get(self) -> object:
        return self.client.v1.payment_intents.retrieve(f"pi_{number()}")

    def create(self) -> object:
        return self.client.v1.payment_intents.create(
            {"amount": 4423, "currency": "usd", "description": "INV-00001001"}
        )

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.v1.payment_intents.list({"limit": page_size}).auto_paging_iter())

    def read(self, item: Any) -> tuple[Any, ...]:
        return item.id, item.amount, item.currency, item.status, item.created

    def close(self) -> None:
        """Its HTTP clients close with the process."""


class AwaitedStripe(Stripe):
    """The awaited methods of a `StripeClient`."""

    async def get(self) -> object:
        return await self.client.v1.payment_intents.retrieve_async(f"pi_{number()}")

    async def close(self) -> None:
        """Its HTTP clients close with the process."""


def connect(url: str) -> Stripe:
    """Over requests."""
    return Stripe(url, stripe.RequestsClient())


def connect_httpx(url: str) -> Stripe:
    """Over httpx."""
    return Stripe(url, stripe.HTTPXClient(allow_sync_methods=True))


def connect_awaited(url: str) -> AwaitedStripe:
    """Over `httpx.AsyncClient`."""
    return AwaitedStripe(url, stripe.HTTPXClient())
