"""What the rest of the package asks about FlexFactor: how it is reached, and its side of a reconciliation."""

from __future__ import annotations

from typing import Any

from victor_ext.books import Book, Theirs, currency_of
from victor_ext.systems import System

SYSTEM = System(
    name="flexfactor",
    title="FlexFactor",
    client="victor_ext.providers.flexfactor.client:FlexFactor",
    async_client="victor_ext.providers.flexfactor.client:AsyncFlexFactor",
    book="victor_ext.providers.flexfactor.system:book_of",
    settings=("environment", "hosts", "base_url", "mid", "site_id", "app_key", "app_secret", "token"),
    lists="orders",
    why_no_bulk="its orders are decided while a customer waits",
)


def book_of(client: Any, *, page_size: int | None) -> Book:
    def read(order: Any) -> Theirs:
        currency = currency_of(order.currency)
        return Theirs(order.id, order.external_order_id, None, None, currency, order.status_name, order.placed_at)

    return Book(
        pages=lambda window: client.orders.list(
            start=window.read_from, end=window.read_to, page_size=page_size
        ).pages(),
        read=read,
        look_up=client.orders.get,
        amounts=False,
        notes=("FlexFactor does not document the unit of an order's amount: amounts are not compared.",),
    )
