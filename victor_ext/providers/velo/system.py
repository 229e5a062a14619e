"""What the rest of the package asks about Velo: how it is reached, and its side of a reconciliation."""

from __future__ import annotations

from typing import Any

from victor_ext.books import Book, Theirs
from victor_ext.systems import System

from .checks import day_around

SYSTEM = System(
    name="velo",
    title="Velo",
    client="victor_ext.providers.velo.client:Velo",
    async_client="victor_ext.providers.velo.client:AsyncVelo",
    book="victor_ext.providers.velo.system:book_of",
    settings=("environment", "base_url", "api_key", "api_secret"),
    needs_payor=True,
    lists="source accounts",
    bulk="victor_ext.bulk.payouts:Payouts",
)


def book_of(client: Any, *, payor_id: str, page_size: int | None) -> Book:
    """The book of a client, blocking or awaited."""

    def read(payment: Any) -> Theirs:
        amount = payment.payment
        currency = None if amount is None else amount.currency
        return Theirs(
            payment.id or None, payment.payor_payment_id, amount, amount, currency, payment.status, payment.submitted_at
        )

    return Book(
        pages=lambda window: client.payments.list(
            payor_id,
            submitted_from=day_around(window.read_from, -1),
            submitted_to=day_around(window.read_to, 1),
            sort="submittedDateTime:asc",
            page_size=page_size or 100,
        ).pages(),
        read=read,
        look_up=client.payments.get,
        notes=("Velo lists no idempotency keys: rows are matched by id and payor_payment_id.",),
    )
