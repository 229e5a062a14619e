"""A sync or async client of the gateway, and the usual payment of these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from victor_ext import RetryPolicy
from victor_ext.providers import Money
from victor_ext.providers.eastpay import AsyncEastPay, Card, EastPay
from victor_ext.sandbox.eastpay import EastPaySandbox, Merchant

PRICE = Money.of("92.00", "EGP")
QUICK = RetryPolicy(base=0.0, max_attempts=3)


class Harness:
    """A merchant's client of the gateway, sync or async."""

    def __init__(self, awaited: bool, sandbox: EastPaySandbox, merchant: Merchant) -> None:
        self.awaited = awaited
        self.sandbox = sandbox
        self.settings: dict[str, Any] = {
            "token": merchant.token,
            "entity_id": merchant.entity_id,
            "base_url": f"{sandbox.url}/eastpay",
            "retry": QUICK,
            "timeout": 5.0,
        }

    def __call__(self, call: Callable[[Any], Any], **changes: Any) -> Any:
        """Make one call with a client of its own; what it returns, or raises."""
        settings = {**self.settings, **changes}
        if self.awaited:
            return asyncio.run(self._awaited(call, settings))
        with EastPay(**settings) as eastpay:
            return call(eastpay)

    async def _awaited(self, call: Callable[[Any], Any], settings: dict[str, Any]) -> Any:
        async with AsyncEastPay(**settings) as eastpay:
            return await call(eastpay)

    def debit(self, reference: str, **options: Any) -> Any:
        """Charge the usual price to the usual card."""
        given = {"card": card(), "merchant_transaction_id": reference, **options}
        return self(lambda eastpay: eastpay.payments.debit(PRICE, **given))

    def inquire(self, payment_id: str) -> Any:
        return self(lambda eastpay: eastpay.payments.inquire(payment_id))


def card(cvv: str = "123") -> Card:
    return Card("4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv=cvv, holder="Zoë Çelik")
