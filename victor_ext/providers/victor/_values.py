"""The values in the record of a payment request, with their readers.

First its words (status, direction, network), then what else a value is read as: an id, a moment,
a party, a response, amounts. A reader returns None for what the provider did not send, or sent in
a form that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, get_args

from victor_api.typed.words import StatusWord

from victor_ext import money, zulu
from victor_ext._privacy import mask
from victor_ext._runtime.core.comparing import as_id
from victor_ext._runtime.core.json_values import is_object
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import InvalidRequest

WordT = TypeVar("WordT", bound=str)

ID = "victor_payment_request_id"
ORIGINAL_AMOUNT = ("payment_request", "payment_details", "original_amount")
"""Where a payment request has the requested amount."""


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
    """The direction of a payment request: OUTBOUND asks a counterparty for money, INBOUND asks the
    caller.
    """

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Network(StrEnum):
    """The instant payment network of a payment request."""

    FEDNOW = "FedNow"
    RTP = "RTP"


DOCUMENTED_STATUSES: tuple[str, ...] = get_args(get_args(StatusWord)[0])
"""The words of the document for a status: with those of `Status`, and perhaps newer ones."""

TERMINAL = frozenset({Status.COMPLETED, Status.DECLINED, Status.EXPIRED, Status.FAILED})
"""The statuses that no longer change."""

_ENDS_IN_PROSE = frozenset({"error", "canceled", "cancelled", "rejected"})
"""Statuses that no longer change, too: the text of the document has them, and its enum does not."""


def _reader(known: Mapping[str, WordT]) -> Callable[[object], WordT | str | None]:
    """A function that reads a word in any spelling: as one of the known words, or if it is unknown
    as text. None: the value is no text.
    """

    def read(value: object) -> WordT | str | None:
        word = value.value if isinstance(value, StrEnum) else value
        if not isinstance(word, str):
            return None
        # As most words are spelled as the document has them, these are looked up first.
        return known.get(word) or known.get(_normal(word), word)

    return read


as_status = _reader({status.value: status for status in Status})
as_direction = _reader({direction.value: direction for direction in Direction})
as_network = _reader({network.value.lower(): network for network in Network})
# A declined request is "Declined" in the call, "Rejected" in its response and "declined" in a list.
as_response_status = _reader(
    {"accepted": Status.ACCEPTED, "rejected": Status.DECLINED, "declined": Status.DECLINED}
)


def is_terminal(status: str | None) -> bool:
    """Whether a status can no longer change."""
    return status in TERMINAL or (status is not None and _normal(status) in _ENDS_IN_PROSE)


def _normal(word: str) -> str:
    """A word in the spelling of `Status`: `needs-review` for `Needs_Review`."""
    return word.strip().lower().replace("_", "-").replace(" ", "-")


def as_request_id(value: object) -> str:
    """The id of a request; empty: the value is none."""
    if isinstance(value, str):  # as most ids are, of which a page has hundreds
        return value
    return as_id(value) or ""


def as_moment(value: Any) -> datetime | None:
    """The moment of an epoch timestamp, as the document declares it, or of a Zulu time."""
    try:
        return zulu.parse(value) if isinstance(value, str) else zulu.from_epoch(value)
    except InvalidRequest:
        return None


def member_of(source: object, name: str) -> Any:
    """The value of a member of a JSON object; None without one."""
    return source.get(name) if is_object(source) else None


def text_in(source: object, name: str) -> str | None:
    """The text of a member of a JSON object; None without one."""
    value = member_of(source, name)
    return value if isinstance(value, str) else None


def first_of(*values: Any) -> Any:
    """The first value that is there, or None. An empty text is not: the document permits it in
    place of an amount.
    """
    return next((value for value in values if value not in (None, "")), None)


class Payee(FrozenStruct, frozen=True):
    """The account that receives the money, and the final recipient; None where the provider does
    not say it.
    """

    account_number: str | None
    ultimate_creditor: str | None

    def __repr__(self) -> str:
        return (
            f"Payee(account_number={_masked(self.account_number)}, "
            f"ultimate_creditor={self.ultimate_creditor!r})"
        )


def as_payee(source: object) -> Payee | None:
    if not is_object(source):
        return None
    return Payee(text_in(source, "account_number"), text_in(source, "ultimate_creditor"))


class Payer(FrozenStruct, frozen=True):
    """The payer: the counterparty of an outbound request, or account, routing number and name of an
    inbound one.

    What the provider does not say is None.
    """

    counterparty_id: str | None
    account_number: str | None
    routing_number: str | None
    name: str | None

    def __repr__(self) -> str:
        return (
            f"Payer(counterparty_id={self.counterparty_id!r}, "
            f"account_number={_masked(self.account_number)}, "
            f"routing_number={_masked(self.routing_number)}, name={self.name!r})"
        )


def as_payer(source: object) -> Payer | None:
    if not is_object(source):
        return None
    names = ("victor_counterparty_id", "account_number", "routing_number", "name")
    return Payer(*(text_in(source, name) for name in names))


class PaymentRequestResponse(FrozenStruct, frozen=True):
    """The response to an inbound request.

    Attributes:
        status: `accepted` or `declined`, or a word that this package does not know.
        original_amount: The requested amount in US dollars, or None; `modified_amount` is what is
            paid instead.
        notes: The notes of the response, or None.
    """

    status: Status | str | None
    original_amount: Decimal | None
    modified_amount: Decimal | None
    notes: str | None


class Amounts(NamedTuple):
    """The amounts of a request, as they were sent: its own, the requested one, and the one that its
    response has modified it to. None: the provider did not send it.

    The document's example of a request that was accepted with another amount has 44.23, 44.23 and
    34.23. The document may also be read so that the modified amount takes the place of `own`.
    """

    own: Any
    original: Any
    modified: Any

    @property
    def unreadable(self) -> Any:
        """The first amount that was sent and cannot be read, or None."""
        for amount in self:
            if amount is not None and money.from_wire(amount) is None:
                return amount
        return None


def _masked(number: str | None) -> str:
    return "None" if number is None else repr(mask(number))
