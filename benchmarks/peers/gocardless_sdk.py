"""gocardless-pro: over requests. It connects anew for each call and has no setting for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gocardless_pro

from benchmarks.peers import flat, number


class Payments:
    """The payments of a `gocardless_pro.Client`: attributes of a dict, without types."""

    def __init__(self, url: str) -> None:
        self.client = gocardless_pro.Client(access_token="benchmark", base_url=f"{url}/gocardless")
        self.read = flat

    def get(self) -> object:
        return self.client.payments.get(f"PM{number()}")

    def create(self) -> object:
        return self.client.payments.create(
            params={"amount": 4423, "currency": "USD", "links": {"mandate": "MD0123456789AB"}}
        )

    def items(self, page_size: int) -> Iterator[Any]:
        return iter(self.client.payments.all(params={"limit": page_size}))

    def close(self) -> None:
        """Nothing is kept open."""


def connect(url: str) -> Payments:
    """A blocking client; it has no awaited one."""
    return Payments(url)
