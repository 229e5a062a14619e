"""Records: typed views of the generated models.

`PaymentRequest` covers the document's three schemas of a payment request (`list`, `get`, and `accept` or `decline`). A
property is None if the provider did not send the value, or sent one that cannot be read; see `raw`.
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
    from .generated import models

    RawPaymentRequest = (
        models.PaymentRequestReceipt | models.GetPaymentRequestResponse | models.RfpInboundPaymentRequestResponseDetails
    )


class Status(StrEnum):
    """The status of a payment request. COMPLETED means paid; ACCEPTED does not."""

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
    """The direction of a payment request: OUTBOUND asks a counterparty for money, INBOUND asks the caller."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Network(StrEnum):
    """The instant payment network of a payment request."""

    FEDNOW = "FedNow"
    RTP = "RTP"


_MOST_BITS = 1024
"""The maximum size of a number that is read as an id. Python refuses to convert very large numbers to text."""

TERMINAL = frozenset({Status.COMPLETED, Status.DECLINED, Status.EXPIRED, Status.FAILED})
"""The statuses that no longer change."""

_ENDS_IN_PROSE = frozenset({"error", "canceled", "cancelled", "rejected"})
_STATUSES = {status.value: status for status in Status}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_NETWORKS = {network.value.lower(): network for network in Network}
# A declined request is "Declined" in the call, "Rejected" in its response and "declined" in a list.
_ANSWERED = {"accepted": Status.ACCEPTED, "rejected": Status.DECLINED, "declined": Status.DECLINED}


@dataclass(frozen=True, slots=True)
class Payee:
    """The recipient of the money."""

    account_number: str | None
    ultimate_creditor: str | None

    def __repr__(self) -> str:
        return f"Payee(account_number={_masked(self.account_number)}, ultimate_creditor={self.ultimate_creditor!r})"


@dataclass(frozen=True, slots=True)
class Payer:
    """The payer: a counterparty of an outbound request, or an account of an inbound one."""

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
        """Return this payer, with missing values from `other`."""
        return Payer(
            self.counterparty_id or other.counterparty_id,
            self.account_number or other.account_number,
            self.routing_number or other.routing_number,
            self.name or other.name,
        )


@dataclass(frozen=True, slots=True)
class PaymentRequestResponse:
    """The response to an inbound request. `status` is `accepted` or `declined`; amounts are in dollars."""

    status: Status | str | None
    original_amount: Decimal | None
    modified_amount: Decimal | None
    notes: str | None


T = TypeVar("T")


class PaymentRequest:
    """A request for payment (RfP), as one call returned it.

    Attributes:
        raw: The generated model with all fields that were sent. Known words have the document's spelling, and a null is
            an absent field.
        idempotency_key: The key of `create`; None on results of other methods.
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
        """Decorate a property to use the value of `completed_by` if this record has none."""

        @wraps(read)
        def read_either(self: PaymentRequest) -> T:
            found = read(self)
            other = self._completed_by
            return read(other) if found is None and other is not None else found

        return read_either

    @property
    def id(self) -> str:
        """The provider's id, or an empty text."""
        value = _sent(self.raw, "victor_payment_request_id")
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < _MOST_BITS:
            return f"{value:d}"
        return value if isinstance(value, str) else ""

    @property
    def status(self) -> Status | str | None:
        """The status in any letter case, as a `Status`; an unknown word is returned as text."""
        word = _text(self.raw, "status")
        if word is None:
            return None
        normal = _normal(word)
        answered = _ANSWERED.get(normal) if self._is_answer else None
        return answered or _STATUSES.get(normal, word)

    @property
    def is_terminal(self) -> bool:
        """Whether the status can no longer change. ACCEPTED is not terminal: the request is not paid yet.

        "Error", "canceled" and "Rejected" are terminal too. The document mentions them outside its enum of statuses.
        """
        status = self.status
        return status in TERMINAL or (status is not None and _normal(status) in _ENDS_IN_PROSE)

    @property
    def direction(self) -> Direction | str | None:
        """The direction in any letter case, as a `Direction`; an unknown word is returned as text."""
        if self._is_answer:
            return Direction.INBOUND
        word = _text(self.raw, "direction")
        return None if word is None else _DIRECTIONS.get(_normal(word), word)

    @property
    @_either
    def network(self) -> Network | str | None:
        """The network, as a `Network`; an unknown word is returned as text."""
        word = _text(self.raw, "payment_network")
        return None if word is None else _NETWORKS.get(word.lower(), word)

    @property
    def amount(self) -> Decimal | None:
        """The amount to pay, in dollars: the modified amount if the request was accepted with one."""
        if self._is_answer:
            modified = money.from_wire(_sent(self.raw, "modified_amount"))
            return self.original_amount if modified is None else modified
        return money.from_wire(_sent(self._details, "amount"))

    @property
    @_either
    def original_amount(self) -> Decimal | None:
        """The requested amount, in dollars. Returned once the request is accepted or declined."""
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
        """The time of creation. Only `list` and `create` return it."""
        return _moment(_sent(self._info, "created_at"))

    @property
    @_either
    def approved_at(self) -> datetime | None:
        """The time of approval. Only `list` returns it."""
        return _moment(_sent(self._info, "approved_at"))

    @property
    @_either
    def payee(self) -> Payee | None:
        """The recipient of the money."""
        payee = _value(self._info, "payee")
        return None if payee is None else Payee(_text(payee, "account_number"), _text(payee, "ultimate_creditor"))

    @property
    def payer(self) -> Payer | None:
        """The payer."""
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
        """`BUSINESS`, `CONSUMER`, or an unknown word."""
        return _text(self._details, "biller_type")

    @property
    @_either
    def amount_modification_allowed(self) -> bool | None:
        """Whether the payer may pay another amount."""
        allowed = _value(self._details, "amount_modification_allowed")
        return allowed if isinstance(allowed, bool) else None

    @property
    @_either
    def notes(self) -> str | None:
        """The notes of `create`."""
        return _text(self._details, "notes")

    @property
    @_either
    def approval_notes(self) -> str | None:
        """The notes of `accept` or `decline`."""
        return _text(self._details, "approval_notes") or _text(self._answer, "notes")

    @property
    @_either
    def client_reference_id(self) -> str | None:
        """The caller's own reference."""
        return _text(self.raw, "client_reference_id")

    def has_reference(self, client_reference_id: str) -> bool:
        """Whether the request has this reference. Leading and trailing spaces are ignored."""
        return (self.client_reference_id or "").strip() == client_reference_id.strip()

    @property
    @_either
    def parent_id(self) -> str | None:
        """The id of the outbound request that belongs to this inbound one."""
        return _text(self.raw, "victor_payment_request_parent_id")

    @property
    @_either
    def child_id(self) -> str | None:
        """The id of the inbound request that belongs to this outbound one, if the payer's account is at Victor."""
        return _text(self.raw, "victor_payment_request_child_id")

    @property
    @_either
    def error_message(self) -> str | None:
        """The provider's message about the failure."""
        return _text(self.raw, "error_message")

    @property
    @_either
    def response(self) -> PaymentRequestResponse | None:
        """The response to an inbound request, or None before there is one. `list` does not return it."""
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
        """Return the record as JSON data, with amounts as text and times as Zulu time."""
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
    """Return a field of a generated model, or None if it is unset."""
    value = getattr(source, name, None)
    # The `Unset` marker is falsy. It is compared by name, because its import would load the models.
    return value if value or type(value).__name__ != "Unset" else None


def _sent(source: Any, name: str) -> Any:
    """Return a field, also one whose type is not the declared one, such as a number for an amount."""
    value = _value(source, name)
    return getattr(source, "additional_properties", {}).get(name) if value is None else value


def _text(source: Any, name: str) -> str | None:
    """Return a text field, also one that the model does not declare, such as the payer's counterparty in `get`."""
    value = getattr(source, name, None)
    if not isinstance(value, str):
        value = getattr(source, "additional_properties", {}).get(name)
    if isinstance(value, StrEnum):
        return value.value
    return value if isinstance(value, str) else None


def _moment(sent: Any) -> datetime | None:
    """Convert an epoch timestamp, as the document declares it, or a Zulu time."""
    try:
        return zulu.parse(sent) if isinstance(sent, str) else zulu.from_epoch(sent)
    except InvalidRequest:
        return None


def _normal(word: str) -> str:
    return word.strip().lower().replace("_", "-").replace(" ", "-")


def _masked(number: str | None) -> str:
    return "None" if number is None else repr(mask(number))


def _word(value: str | None) -> str:
    # A plain text, because enum members have a different repr.
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
