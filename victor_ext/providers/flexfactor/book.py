"""FlexFactor's side of a reconciliation: its orders, without amounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from victor_ext.books import Book, Theirs, currency_of


def book_of(client: Any, *, page_size: int | None) -> Book:
    """The book of a client, blocking or awaited."""

    def read(order: Any) -> Theirs:
        placed: datetime | None = order.placed_at
        if placed is not None and placed.tzinfo is None:
            placed = None  # in which zone it is meant is not documented
        return Theirs(
            order.id, order.external_order_id, None, None, currency_of(order.currency), order.status_name, placed
        )

    return Book(
        pages=lambda window: client.orders.list(
            start=window.read_from, end=window.read_to, page_size=page_size
        ).pages(),
        read=read,
        look_up=client.orders.get,
        amounts=False,
        notes=("FlexFactor does not document the unit of an order's amount: amounts are not compared.",),
    )
