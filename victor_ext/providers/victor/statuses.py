"""The words of a payment request (status, direction, network), and the parts of its record.

First the enums, then the readers of words in any letter case, then
`Payee`, `Payer` and `PaymentRequestResponse`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, TypeVar, get_args

from victor_api.typed.words import StatusWord

from victor_ext import zulu
from victor_ext.errors import InvalidRequest
from victor_ext.opaque import FrozenStruct
from victor_ext.privacy import mask
from victor_ext.runtime.client.records import as_text
from victor_ext.words import Word

E = TypeVar("E", bound=StrEnum)

EnvironmentWord = Literal["staging", "production"] | Word


ID = "victor_payment_request_id"
PARENT_ID = "victor_payment_request_parent_id"
CHILD_ID = "victor_payment_request_child_id"


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


def as_word(value: object) -> str | None:
    """A text or an enum member, as a plain text; None for any other value."""
    if type(value) is str:  # as the wire has it
        return value
    return value.value if isinstance(value, StrEnum) else as_text(value)


def _reader(known: Mapping[str, E]) -> Callable[[object], E | str | None]:
    """A function that reads a word in any spelling: as the member of an enum, or if it is unknown
    as text. None: the value is no text.
    """

    def read(value: object) -> E | str | None:
        word = as_word(value)
        if word is None:
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

    def completed_by(self, other: Payer) -> Payer:
        """Return this payer, with missing values from `other`."""
        return Payer(
            *(getattr(self, name) or getattr(other, name) for name in self.__struct_fields__)
        )


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


def as_moment(value: Any) -> datetime | None:
    """The moment of an epoch timestamp, as the document declares it, or of a Zulu time; None: the
    value is neither.
    """
    try:
        return zulu.parse(value) if isinstance(value, str) else zulu.from_epoch(value)
    except InvalidRequest:
        return None


def _masked(number: str | None) -> str:
    return "None" if number is None else repr(mask(number))
