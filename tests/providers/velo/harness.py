"""A payor with a sync or async client of Velo, and the usual payment of these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from victor_ext import RetryPolicy
from victor_ext.providers import Money
from victor_ext.providers.velo import AsyncVelo, PaymentInstruction, Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox

PRICE = Money.of("44.23", "USD")
QUICK = RetryPolicy(base=0.0, max_attempts=3)


@dataclass
class Harness:
    """A payor with an account, a bank, a payee, and a sync or async client of Velo."""

    sandbox: VeloSandbox
    awaited: bool

    def __post_init__(self) -> None:
        self.payor = self.sandbox.payor_id
        self.account = self.sandbox.add_source_account("USD account", "USD", 100_000)
        self.bank = self.sandbox.add_funding_account("Bank of the payor", "USD")
        self.payee = self.sandbox.add_payee("payee-7")
        self.auth = VeloAuth(*self.sandbox.add_key())
        self.since = datetime.now(UTC) - timedelta(minutes=5)

    def __call__(self, call: Callable[[Any], Any], **options: Any) -> Any:
        """Make one call with a client of its own; what it returns, or raises."""
        settings = {"base_url": self.sandbox.url, "retry": QUICK, "timeout": 5.0, **options}
        if self.awaited:
            return asyncio.run(self._awaited(call, settings))
        with Velo(self.auth, **settings) as velo:
            return call(velo)

    async def _awaited(self, call: Callable[[Any], Any], settings: dict[str, Any]) -> Any:
        async with AsyncVelo(self.auth, **settings) as velo:
            return await call(velo)

    def all(self, walk: Callable[[Any], Any], **options: Any) -> list[Any]:
        """Everything in a list."""

        def listed(velo: Any) -> Any:
            items = walk(velo)
            return self._walked(items) if self.awaited else list(items)

        items: list[Any] = self(listed, **options)
        return items

    async def _walked(self, pages: Any) -> list[Any]:
        return [item async for item in pages]

    def submit(self, *payments: PaymentInstruction, **options: Any) -> str:
        """Submit a payout; its id."""
        return str(self(lambda velo: velo.payouts.submit(list(payments), **options)))

    def calls(self, word: str) -> int:
        """How often the sandbox was asked for that."""
        return sum(seen.operation == word for seen in self.sandbox.received())


def pay(reference: str = "INV-1042", **changes: Any) -> PaymentInstruction:
    """The usual payment."""
    usual = {
        "remote_id": "payee-7", "amount": PRICE, "source_account_name": "USD account", "payor_payment_id": reference,
    }  # fmt: skip
    return PaymentInstruction(**{**usual, **changes})
