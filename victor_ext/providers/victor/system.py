"""What the rest of the package asks about Victor: how it is reached, and its side of a reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from victor_ext.books import Book, Theirs, money_of
from victor_ext.flows import following

if TYPE_CHECKING:
    from .records import PaymentRequest
from victor_ext.systems import System

SYSTEM = System(
    name="victor",
    title="Victor",
    client="victor_ext.providers.victor.client:Victor",
    async_client="victor_ext.providers.victor.client:AsyncVictor",
    book="victor_ext.providers.victor.system:book_of",
    settings=(
        "environment",
        "base_url",
        "client_id",
        "client_secret",
        "api_key",
        "private_key",
        "private_key_file",
        "private_key_password",
        "bulk_key",
    ),
    lists="payment requests",
    credentials="victor_ext.providers.victor.settings:credentials_in",
    bulk=True,
)  # fmt: skip


_DOLLARS = "USD"


def book_of(client: Any, *, page_size: int | None) -> Book:
    """The book of a client, blocking or awaited."""

    def is_outbound(request: PaymentRequest) -> bool:
        return request.direction != "inbound"

    def read(request: PaymentRequest) -> Theirs:
        amount = request.amount
        requested = amount if request.original_amount is None else request.original_amount
        if amount is None and not _has_amount(request):
            amount = requested
        if request.amount_modification_allowed is False:  # the payer had to agree to all of it
            requested = amount
        return Theirs(
            request.id, request.client_reference_id, money_of(amount, _DOLLARS), money_of(requested, _DOLLARS),
            _DOLLARS, request.status, request.created_at,
        )  # fmt: skip

    return Book(
        pages=lambda window: client.payment_requests.list(
            direction="outbound", start_datetime=window.read_from, end_datetime=window.read_to, page_size=page_size
        ).pages(),
        read=read,
        is_outbound=is_outbound,
        # `get` may say "Pending" of a request that is paid. A watch begins with the status of the list, if it has one.
        look_up=lambda id_: following(client.payment_requests.watch(id_, timeout=0)),
        currency=_DOLLARS,
        notes=(
            "Victor lists no idempotency keys: rows are matched by id and client_reference_id.",
            "That the window of Victor's list is one of creation is taken for granted: it is not documented.",
        ),
    )


def _has_amount(request: PaymentRequest) -> bool:
    """Whether the provider says an amount, though it cannot be read."""
    details = getattr(getattr(request.raw, "payment_request", None), "payment_details", None)
    return bool(getattr(details, "amount", None))
