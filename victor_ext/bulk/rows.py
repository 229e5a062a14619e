"""What a batch consists of: rows, what is wrong with them, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RowOutcome(StrEnum):
    """What is known of one row. The first four are settled; `resume` tries the others again with the same key."""

    CREATED = "created"
    """The provider took the request; its id and status are known."""

    REJECTED = "rejected"
    """The provider refused it. Nothing was created."""

    REFUSED = "refused"
    """It was refused on this side and not sent: a bad value, or a due date that passed while it waited."""

    WAITING = "waiting"
    """It has not been sent yet."""

    NOT_SENT = "not_sent"
    """It was tried, and nothing left this machine."""

    UNKNOWN = "unknown"
    """It may have been created."""

    ACCEPTED = "accepted"
    """It was created, and the answer with its id could not be read."""


ASKED = ("amount", "payer_counterparty_id", "due_date", "client_reference_id")
"""Arguments that an export shows. No account number is among them."""

SETTLED = frozenset({RowOutcome.CREATED, RowOutcome.REJECTED, RowOutcome.REFUSED})
"""Outcomes that no further try can change."""

MAY_EXIST = frozenset({RowOutcome.UNKNOWN, RowOutcome.ACCEPTED})
"""Outcomes after which the provider may hold a request that this side has no id of."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong with one row of a source.

    Attributes:
        row: Which record it is, from 1 (the heading of a file does not count); None for the source as a whole.
        line: The line of the file where the record begins, from 1; None when there are no lines.
        column: The column that is to blame, or None.
        code: A stable word.
        message: A sentence for people. It holds no account number.
    """

    row: int | None
    line: int | None
    column: str | None
    code: str
    message: str

    def __str__(self) -> str:
        places = [
            f"line {self.line}" if self.line is not None else f"row {self.row}" if self.row is not None else "",
            self.column or "",
        ]
        return f"{', '.join(place for place in places if place) or 'source'}: {self.message}"


@dataclass(frozen=True, slots=True)
class Sent:
    """That a row may have been sent.

    Attributes:
        since: From when on, in epoch seconds: not later than that.
        by: With whose credentials, by a digest of them.
        known: Whether `since` is the provider's time. If not, it is that of the machine that sent.
    """

    since: float
    by: str | None
    known: bool

    def to_json(self) -> list[Any]:
        """The same as JSON data."""
        return [self.since, self.by, self.known]

    @classmethod
    def from_json(cls, data: list[Any] | float | None) -> Sent | None:
        """The same from its JSON data. In `victor-bulk-1` all moments were a machine's, and at first that was all."""
        if data is None:
            return None
        if not isinstance(data, list):
            return cls(data, None, known=False)
        return cls(data[0], data[1], known=len(data) > 2 and bool(data[2]))


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is stored until it is sent.

    Attributes:
        number: Which record of its source it was, from 1.
        key: Its idempotency key; empty for a row that was set aside and has none.
        fingerprint: Tells whether another row with this key says the same.
        arguments: For `payment_requests.create`, as text, or None for a row that was set aside.
        extras: The other columns, for the export.
        reason: Why it was set aside.
        sent: That it may have been sent before, or None.
        place: Which row of its chunk it is, from 0.
    """

    number: int
    key: str
    fingerprint: str
    arguments: Mapping[str, Any] | None = field(repr=False)
    extras: Mapping[str, str] = field(repr=False)
    reason: str | None = None
    sent: Sent | None = None
    place: int = 0

    def to_json(self) -> list[Any]:
        """The row as JSON data."""
        sent = None if self.sent is None else self.sent.to_json()
        return [
            self.number, self.key, self.fingerprint, self.arguments, self.extras, self.reason, sent, self.place,
        ]  # fmt: skip

    @classmethod
    def from_json(cls, data: list[Any]) -> Row:
        """The row from its JSON data."""
        number, key, fingerprint, arguments, extras, reason, sent, place = data
        return cls(number, key, fingerprint, arguments, extras, reason, Sent.from_json(sent), place)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row, as it is stored; `sent` as in `Row`, for a row that is not settled."""

    outcome: RowOutcome
    id: str | None = None
    status: str | None = None
    error: str | None = None
    sent: Sent | None = None

    def to_json(self) -> list[Any]:
        """The result as JSON data."""
        sent = None if self.sent is None else self.sent.to_json()
        return [self.outcome.value, self.id, self.status, self.error, sent]

    @classmethod
    def from_json(cls, data: list[Any]) -> Result:
        """The result from its JSON data."""
        outcome, request_id, status, error, sent = data
        return cls(RowOutcome(outcome), request_id, status, error, Sent.from_json(sent))


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of an export.

    Attributes:
        row: Which record of its source it was, from 1.
        key: The idempotency key it is sent with, in every try; empty for a row that was refused for having none.
        id: The provider's id of the request, when it is known.
        status: The status the provider answered, when it is known.
        outcome: What is known of it.
        error: Why it is not `created`, in a sentence; or how a lost answer was settled.
        extras: The other columns of the source, by name.
        asked: What it asks for, of whom: `ASKED` by name, as it is sent. Empty for a row that was set aside.
    """

    row: int
    key: str
    id: str | None
    status: str | None
    outcome: RowOutcome
    error: str | None
    extras: Mapping[str, str] = field(repr=False)
    asked: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
