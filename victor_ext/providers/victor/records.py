"""What the provider answers, as one kind of record: a thin typed view of the generated model.

The document has three shapes for a payment request (listed, read, answered); here they are one. A value
is read from the model when it is asked for, and is None when the provider did not send it or sent
something that cannot be read as what it should be; `raw` has the value as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from victor_ext import money, zulu
from victor_ext.errors import InvalidRequest
from victor_ext.redaction import mask

from .checks import as_date

if TYPE_CHECKING:
    from victor_api.models import (
        GetPaymentRequestResponse,
        PaymentRequestReceipt,
        RfpInboundPaymentRequestResponseDetails,
    )

    RawPaymentRequest = PaymentRequestReceipt | GetPaymentRequestResponse | RfpInboundPaymentRequestResponseDetails


class Status(StrEnum):
    """Where a payment request is in its life. ACCEPTED is not paid; COMPLETED is."""

    CREATED = "created"
    PENDING = "pending"
    PROCESSING = "processing"
    NEEDS_REVIEW = "needs-review"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    DECLINED = "declined"
    EXPIRED = "expired"
    FAILED = "failed"


class Direction(StrEnum):
    """Who asked: OUTBOUND is a request of ours, INBOUND one that we are asked to pay."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Network(StrEnum):
    """The instant payment network that carried the request."""

    FEDNOW = "FedNow"
    RTP = "RTP"


_MOST_BITS = 1024
"""Of a number that stands for an id. Python refuses to write out those that are much longer."""

TERMINAL = frozenset({Status.COMPLETED, Status.DECLINED, Status.EXPIRED, Status.FAILED})
"""Statuses that no longer change."""

_ENDS_IN_PROSE = frozenset({"error", "canceled", "cancelled", "rejected"})
_STATUSES = {status.value: status for status in Status}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_NETWORKS = {network.value.lower(): network for network in Network}
# The same event has three words: we answer "Declined", the answer to that says "Rejected", a list "declined".
_ANSWERED = {"accepted": Status.ACCEPTED, "rejected": Status.DECLINED, "declined": Status.DECLINED}


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is to receive the money."""

    account_number: str | None
    ultimate_creditor: str | None

    def __repr__(self) -> str:
        return f"Payee(account_number={_masked(self.account_number)}, ultimate_creditor={self.ultimate_creditor!r})"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who is asked to pay: a counterparty of ours, or an account, depending on the direction."""

    counterparty_id: str | None
    account_number: str | None
    routing_number: str | None
    name: str | None

    def __repr__(self) -> str:
        return (
            f"Payer(counterparty_id={self.counterparty_id!r}, account_number={_masked(self.account_number)}, "
            f"routing_number={_masked(self.routing_number)}, name={self.name!r})"
        )

    def completed_by(self, other: Payer) -> Payer:
        """The same payer, with what only the other description tells."""
        return Payer(
            self.counterparty_id or other.counterparty_id,
            self.account_number or other.account_number,
            self.routing_number or other.routing_number,
            self.name or other.name,
        )


@dataclass(frozen=True, slots=True)
class PaymentRequestResponse:
    """The answer that an inbound request was given: `status` is `accepted` or `declined`."""

    status: Status | str | None
    original_amount: Decimal | None
    modified_amount: Decimal | None
    notes: str | None


T = TypeVar("T")


class PaymentRequest:
    """A request for payment (RfP), as the provider last described it.

    Attributes:
        raw: The generated model underneath, with every field that was sent; known words are in the document's spelling,
            and a null is an absent field. The bytes as they came are in an error's `body` alone.
        idempotency_key: The key it was created with, on the result of `create` only.
    """

    __slots__ = ("_completed_by", "idempotency_key", "raw")

    def __init__(
        self,
        raw: RawPaymentRequest,
        idempotency_key: str | None = None,
        *,
        completed_by: PaymentRequest | None = None,
    ) -> None:
        self.raw = raw
        self.idempotency_key = idempotency_key
        self._completed_by = completed_by

    @staticmethod
    def _either(read: Callable[[PaymentRequest], T]) -> Callable[[PaymentRequest], T]:
        """A property of what the record says, or else of what the other description of the same request says."""

        @wraps(read)
        def read_either(self: PaymentRequest) -> T:
            found = read(self)
            other = self._completed_by
            return read(other) if found is None and other is not None else found

        return read_either

    @property
    def id(self) -> str:
        """The provider's id; empty when it sent none."""
        value = _sent(self.raw, "victor_payment_request_id")
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < _MOST_BITS:
            return f"{value:d}"
        return value if isinstance(value, str) else ""

    @property
    def status(self) -> Status | str | None:
        """A `Status`, whatever letter case the provider used, or its own word when it is a new one."""
        word = _text(self.raw, "status")
        if word is None:
            return None
        normal = _normal(word)
        answered = _ANSWERED.get(normal) if self._is_answer else None
        return answered or _STATUSES.get(normal, word)

    @property
    def is_terminal(self) -> bool:
        """Whether the status can no longer change. ACCEPTED is not terminal: the money has yet to move.

        The document's enum lacks three words that its prose or its answers have: "Error", "canceled" (by the network)
        and "Rejected". Nothing that is documented follows them, so they count as ends.
        """
        status = self.status
        return status in TERMINAL or (status is not None and _normal(status) in _ENDS_IN_PROSE)

    @property
    def direction(self) -> Direction | str | None:
        """A `Direction`, whatever letter case the provider used, or its own word when it is a new one."""
        if self._is_answer:
            return Direction.INBOUND
        word = _text(self.raw, "direction")
        return None if word is None else _DIRECTIONS.get(_normal(word), word)

    @property
    @_either
    def network(self) -> Network | str | None:
        """The network that carried it, where the provider says so."""
        word = _text(self.raw, "payment_network")
        return None if word is None else _NETWORKS.get(word.lower(), word)

    @property
    def amount(self) -> Decimal | None:
        """The amount to be paid, in dollars; after an acceptance with a modified amount, the modified one."""
        if self._is_answer:
            modified = money.from_wire(_sent(self.raw, "modified_amount"))
            return self.original_amount if modified is None else modified
        return money.from_wire(_sent(self._details, "amount"))

    @property
    @_either
    def original_amount(self) -> Decimal | None:
        """The amount that was asked for, in dollars, once it has been answered."""
        source = self.raw if self._is_answer else self._details
        found = money.from_wire(_sent(source, "original_amount"))
        return money.from_wire(_sent(self._answer, "original_amount")) if found is None else found

    @property
    @_either
    def due_date(self) -> date | None:
        """The day the payment is due."""
        return as_date(_value(self._details, "due_date"))

    @property
    @_either
    def created_at(self) -> datetime | None:
        """When it was created. Only a list and `create` say so."""
        return _moment(_sent(self._info, "created_at"))

    @property
    @_either
    def approved_at(self) -> datetime | None:
        """When it was approved. Only a list says so."""
        return _moment(_sent(self._info, "approved_at"))

    @property
    @_either
    def payee(self) -> Payee | None:
        """Who is to receive the money."""
        payee = _value(self._info, "payee")
        return None if payee is None else Payee(_text(payee, "account_number"), _text(payee, "ultimate_creditor"))

    @property
    def payer(self) -> Payer | None:
        """Who is asked to pay."""
        payer = _value(self._info, "payer")
        other = None if self._completed_by is None else self._completed_by.payer
        if payer is None:
            return other
        told = Payer(
            _text(payer, "victor_counterparty_id"),
            _text(payer, "account_number"),
            _text(payer, "routing_number"),
            _text(payer, "name"),
        )
        return told if other is None else told.completed_by(other)

    @property
    @_either
    def biller_type(self) -> str | None:
        """`BUSINESS` or `CONSUMER`, or the provider's own word when it is a new one."""
        return _text(self._details, "biller_type")

    @property
    @_either
    def amount_modification_allowed(self) -> bool | None:
        """Whether whoever pays may pay another amount; None when the provider did not say."""
        allowed = _value(self._details, "amount_modification_allowed")
        return allowed if isinstance(allowed, bool) else None

    @property
    @_either
    def notes(self) -> str | None:
        """The notes that it was created with."""
        return _text(self._details, "notes")

    @property
    @_either
    def approval_notes(self) -> str | None:
        """The notes of whoever answered it."""
        return _text(self._details, "approval_notes") or _text(self._answer, "notes")

    @property
    @_either
    def client_reference_id(self) -> str | None:
        """The caller's own reference."""
        return _text(self.raw, "client_reference_id")

    def has_reference(self, client_reference_id: str) -> bool:
        """Whether it has this reference. Blanks around it are no difference: a provider may drop them."""
        return (self.client_reference_id or "").strip() == client_reference_id.strip()

    @property
    @_either
    def parent_id(self) -> str | None:
        """On an inbound twin: the id of the outbound request."""
        return _text(self.raw, "victor_payment_request_parent_id")

    @property
    @_either
    def child_id(self) -> str | None:
        """On an outbound request to an account of the provider: the id of its inbound twin."""
        return _text(self.raw, "victor_payment_request_child_id")

    @property
    @_either
    def error_message(self) -> str | None:
        """Why it failed, in the provider's prose."""
        return _text(self.raw, "error_message")

    @property
    @_either
    def response(self) -> PaymentRequestResponse | None:
        """The answer it was given, or None as long as it has none. Only `get`, `accept` and `decline` know."""
        answer = self._answer
        word = _text(answer, "status")
        if answer is None or word is None:
            return None
        return PaymentRequestResponse(
            _ANSWERED.get(_normal(word), word),
            money.from_wire(_sent(answer, "original_amount")),
            money.from_wire(_sent(answer, "modified_amount")),
            _text(answer, "notes"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON data: amounts as text, times as Zulu time, absent values as None."""
        return {name: _plain(getattr(self, name)) for name in _FIELDS}

    def __repr__(self) -> str:
        return (
            f"PaymentRequest(id={self.id!r}, status={_word(self.status)}, direction={_word(self.direction)}, "
            f"amount={None if self.amount is None else str(self.amount)!r})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PaymentRequest):
            return NotImplemented
        return type(self.raw) is type(other.raw) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def _is_answer(self) -> bool:
        return not hasattr(self.raw, "payment_request")

    @property
    def _info(self) -> Any:
        return _value(self.raw, "payment_request")

    @property
    def _details(self) -> Any:
        return _value(self._info, "payment_details")

    @property
    def _answer(self) -> Any:
        return self.raw if self._is_answer else _value(self._info, "payment_request_response")


_FIELDS = (
    "id", "status", "direction", "network", "amount", "original_amount", "due_date", "created_at", "approved_at",
    "payee", "payer", "biller_type", "amount_modification_allowed", "notes", "approval_notes", "client_reference_id",
    "parent_id", "child_id", "error_message", "is_terminal", "response", "idempotency_key",
)  # fmt: skip


def _value(source: Any, name: str) -> Any:
    """A field of a generated model, or None when it is unset."""
    value = getattr(source, name, None)
    # The marker is falsy, so a value that is there costs one test. (Importing it would load the models.)
    return value if value or type(value).__name__ != "Unset" else None


def _sent(source: Any, name: str) -> Any:
    """The same; and what was sent of a type that is not the declared one, such as a number for an amount."""
    value = _value(source, name)
    return getattr(source, "additional_properties", {}).get(name) if value is None else value


def _text(source: Any, name: str) -> str | None:
    """A text, also where the model of this answer does not declare it: `get` tells the counterparty of a payer so."""
    value = getattr(source, name, None)
    if not isinstance(value, str):
        value = getattr(source, "additional_properties", {}).get(name)
    if isinstance(value, StrEnum):
        return value.value
    return value if isinstance(value, str) else None


def _moment(sent: Any) -> datetime | None:
    """A moment, from the number that the document declares or from Zulu time."""
    try:
        return zulu.parse(sent) if isinstance(sent, str) else zulu.from_epoch(sent)
    except InvalidRequest:
        return None


def _normal(word: str) -> str:
    return word.strip().lower().replace("_", "-").replace(" ", "-")


def _masked(number: str | None) -> str:
    return "None" if number is None else repr(mask(number))


def _word(value: str | None) -> str:
    # As the plain text that it is: a member of an enum has a repr of its own, and a new word may hold anything.
    return repr(None if value is None else str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return zulu.format(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Payee | Payer | PaymentRequestResponse):
        return {name: _plain(part) for name, part in asdict(value).items()}
    return value
