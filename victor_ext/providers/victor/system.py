"""What the rest of the package asks about Victor: how it is reached, and its side of a reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from victor_ext.books import Book, Theirs, money_of
from victor_ext.flows import following
from victor_ext.systems import System

if TYPE_CHECKING:
    from .records import PaymentRequest

SYSTEM = System(
    name="victor",
    title="Victor",
    client="victor_ext.providers.victor.client:Victor",
    async_client="victor_ext.providers.victor.client:AsyncVictor",
    book="victor_ext.providers.victor.system:book_of",
    settings=(
        "environment", "base_url", "client_id", "client_secret", "api_key", "private_key", "private_key_file",
        "private_key_password", "bulk_key",
    ),
    lists="payment requests",
    credentials="victor_ext.providers.victor.settings:credentials_in",
    bulk="victor_ext.bulk.payment_requests:PaymentRequests",
)  # fmt: skip

_DOLLARS = "USD"


def book_of(client: Any, *, page_size: int | None) -> Book:
    def read(request: PaymentRequest) -> Theirs:
        amount = request.amount
        requested = amount if request.original_amount is None else request.original_amount
        is_unreadable = request.said_amounts().unreadable is not None
        if amount is None and not is_unreadable:  # not said
            amount = requested
        # The flag is false by default: the payer had to agree to all of it, so that two amounts contradict each other.
        is_unreadable |= amount != requested and not request.amount_modification_allowed
        paid, asked = money_of(amount, _DOLLARS), money_of(requested, _DOLLARS)
        return Theirs(
            request.id, request.client_reference_id, paid, asked, _DOLLARS, request.status, request.created_at,
            is_unreadable or (requested is not None and asked is None),
        )  # fmt: skip

    return Book(
        pages=lambda window: client.payment_requests.list(
            direction="outbound", start_datetime=window.read_from, end_datetime=window.read_to, page_size=page_size
        ).pages(),
        read=read,
        is_outbound=lambda request: request.direction != "inbound",
        # `get` may say "Pending" of a request that is paid. A watch begins with the status of the list, if it has one.
        look_up=lambda id_: following(client.payment_requests.watch(id_, timeout=0)),
        currency=_DOLLARS,
        notes=(
            "Victor lists no idempotency keys: rows are matched by id and client_reference_id.",
            "That the window of Victor's list is one of creation is taken for granted: it is not documented.",
            "Nor is it documented that the list has the amount of a request that was accepted with another one.",
        ),
    )
