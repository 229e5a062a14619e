"""Their side: how the payments of a window are read at each provider, with a blocking or an awaited client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from victor_ext import (
    AsyncVictor,
    BadRequest,
    ConfigurationError,
    InvalidRequest,
    NotFound,
    PaymentRequest,
    Problem,
    Victor,
    VictorError,
)
from victor_ext.money import Money
from victor_ext.settlement import asked_amount

from .report import Theirs
from .window import Window

_DOLLARS = "USD"
_STEPS = frozenset({"CP", "RV", "RF"})
"""EastPay's captures, reversals and refunds: steps of a payment, and none of their own."""
_ALL_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Book:
    """What a provider can be asked, and what its records say.

    Attributes:
        pages: Begin to read the pages of a window. None: the provider has no list.
        read: A record in the terms of the report.
        is_outbound: Whether a record of the list is a payment that we asked for.
        look_up: Read one payment by the provider's id; a result, or something to await.
        find: Read the payments with a reference, if there is no list; a sequence, or something to await.
        choose: Of the records that `find` returned, those that are payments of their own.
        absent: The errors of `look_up` that mean that there is no such payment. After a list that could be read, a 400
            is about the id: Victor documents nothing else for an id that does not exist.
        amounts: Whether the provider says amounts, so that an amount that is not there is a difference.
        currency: The only currency of the provider, if it has one.
        notes: What cannot be told, in sentences.
    """

    pages: Callable[[Window], Any] | None
    read: Callable[[Any], Theirs]
    look_up: Callable[[str], Any]
    find: Callable[[str], Any] | None = None
    choose: Callable[[Sequence[Any]], Sequence[Any]] = list
    absent: tuple[type[VictorError], ...] = (NotFound, BadRequest, InvalidRequest)
    is_outbound: Callable[[Any], bool] = lambda _record: True
    amounts: bool = True
    currency: str | None = None
    notes: Sequence[str] = ()


def book_of(client: object, *, awaited: bool, payor_id: str | None, page_size: int | None) -> Book:
    """Return the book of a client's provider.

    Raises:
        ConfigurationError: It is no client of these providers, its calls are not `awaited` as those of the caller are,
            or `payor_id` does not belong to it.
    """
    book = _book_of(client, payor_id, page_size)
    if hasattr(client, "__aenter__") is not awaited:
        instead = "use reconcile" if awaited else "await reconcile_async"
        raise ConfigurationError(f"client is {type(client).__name__}: {instead} instead.")
    return book


def _book_of(client: object, payor_id: str | None, page_size: int | None) -> Book:
    if isinstance(client, Victor | AsyncVictor):
        _only_velo(payor_id)
        return _victor(client, page_size)
    # Only those who use another provider load it.
    from victor_ext.providers.eastpay import AsyncEastPay, EastPay  # noqa: PLC0415
    from victor_ext.providers.flexfactor import AsyncFlexFactor, FlexFactor  # noqa: PLC0415
    from victor_ext.providers.velo import AsyncVelo, Velo  # noqa: PLC0415

    if isinstance(client, Velo | AsyncVelo):
        if payor_id is None:
            message = "payor_id is missing: name the payor whose payments are compared."
            raise ConfigurationError.of([Problem("payor_id", "required", message)])
        return _velo(client, payor_id, page_size)
    _only_velo(payor_id)
    if isinstance(client, EastPay | AsyncEastPay):
        return _eastpay(client)
    if isinstance(client, FlexFactor | AsyncFlexFactor):
        return _flexfactor(client, page_size)
    raise ConfigurationError(
        f"client is {type(client).__name__} and must be Victor, Velo, EastPay or FlexFactor, or the async form of one."
    )


def _only_velo(payor_id: str | None) -> None:
    if payor_id is not None:
        message = "payor_id is for Velo: leave it out."
        raise ConfigurationError.of([Problem("payor_id", "choice", message)])


def _victor(client: Any, page_size: int | None) -> Book:
    def is_outbound(request: PaymentRequest) -> bool:
        return request.direction != "inbound"

    def read(request: PaymentRequest) -> Theirs:
        amount, requested = request.amount, asked_amount(request)
        if amount is None and not _has_amount(request):
            amount = requested
        if request.amount_modification_allowed is False:  # the payer had to agree to all of it
            requested = amount
        return Theirs(
            request.id, request.client_reference_id, _money(amount, _DOLLARS), _money(requested, _DOLLARS), _DOLLARS,
            request.status, request.created_at,
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


def _velo(client: Any, payor_id: str, page_size: int | None) -> Book:
    def read(payment: Any) -> Theirs:
        amount = payment.payment
        currency = None if amount is None else amount.currency
        return Theirs(
            payment.id or None, payment.payor_payment_id, amount, amount, currency, payment.status, payment.submitted_at
        )

    return Book(
        # In which zone Velo means its days is not documented: a day more at both ends.
        pages=lambda window: client.payments.list(
            payor_id,
            submitted_from=(window.first.astimezone(UTC) - _ALL_DAY).date(),
            submitted_to=(window.last.astimezone(UTC) + _ALL_DAY).date(),
            sort="submittedDateTime:asc",
            page_size=page_size or 100,
        ).pages(),
        read=read,
        look_up=client.payments.get,
        notes=("Velo lists no idempotency keys: rows are matched by id and payor_payment_id.",),
    )


def _eastpay(client: Any) -> Book:
    def read(payment: Any) -> Theirs:
        fields = payment.fields
        currency = _currency(fields.get("currency"))
        amount = _money(fields.get("amount"), currency)
        reference = payment.merchant_transaction_id
        return Theirs(payment.id or None, reference, amount, amount, currency, str(payment.result), None)

    def choose(found: Sequence[Any]) -> Sequence[Any]:
        payments = [payment for payment in found if payment.payment_type not in _STEPS]
        # A card that was declined, and then charged, was charged once.
        return [each for each in payments if each.succeeded or each.result.must_inquire] or payments[:1]

    # Most gateways answer no inquiry by reference: a client may make it only if its bank says so.
    can_find = bool(getattr(client.payments.entity, "found_by_reference", False))
    by_id = "EastPay finds a payment by its id alone here: rows without an id are not checked."
    return Book(
        pages=None,
        read=read,
        look_up=client.payments.inquire,
        find=client.payments.find if can_find else None,
        choose=choose,
        absent=(NotFound, InvalidRequest),  # without a list, a 400 may be about the client's settings
        amounts=False,
        notes=(
            "EastPay has no list: a payment that EastPay has and our book has not cannot be found.",
            *(() if can_find else (by_id,)),
            "EastPay's status 404 means a wrong path as well: without one payment that is found, rows are unchecked.",
            "EastPay need not repeat amounts: those that it does not repeat are not compared.",
        ),
    )


def _flexfactor(client: Any, page_size: int | None) -> Book:
    def read(order: Any) -> Theirs:
        placed: datetime | None = order.placed_at
        if placed is not None and placed.tzinfo is None:
            placed = None  # in which zone it is meant is not documented
        return Theirs(
            order.id, order.external_order_id, None, None, _currency(order.currency), order.status_name, placed
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


def following(found: Any) -> Any:
    """The next of an iterator, or what is to be awaited for it; None: there is none."""
    return anext(found, None) if hasattr(found, "__anext__") else next(found, None)


def _has_amount(request: PaymentRequest) -> bool:
    """Whether the provider says an amount, though it cannot be read."""
    details = getattr(getattr(request.raw, "payment_request", None), "payment_details", None)
    return bool(getattr(details, "amount", None))


def _currency(code: object) -> str | None:
    """Return a code of ISO 4217 in capitals, as our book has it."""
    return code.strip().upper() if isinstance(code, str) else None


def _money(amount: Any, currency: str | None) -> Money | None:
    """Return an exact amount; None where it cannot be one of the currency."""
    if currency is None or not isinstance(amount, Decimal | str):
        return None
    try:
        return Money.of(amount, currency)
    except InvalidRequest:
        return None
