"""Rows of a batch, their problems and their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from victor_ext.settlement import PaymentOutcome, Sent

RowOutcome = PaymentOutcome
"""Outcome of one row."""

ASKED = ("amount", "payer_counterparty_id", "due_date", "client_reference_id")
"""Arguments in the export. None of them is an account number."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A problem of a source or of one of its rows.

    Attributes:
        row: Record number from 1, without the heading; None for the whole source.
        line: Line where the record begins, from 1; None if the source has no lines.
        column: The column with the problem, or None.
        code: A stable identifier.
        message: A sentence for users. It contains no account number.
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
class Row:
    """A row as stored before it is sent.

    Attributes:
        number: Record number in the source, from 1.
        key: Idempotency key; empty for a refused row without one.
        fingerprint: Equal for rows that request the same.
        arguments: Arguments of `payment_requests.create` as JSON data, or None for a refused row.
        extras: The other columns, for the export.
        reason: Why the row was refused.
        sent: Earliest possible send in an earlier attempt, or None.
        place: Index of the row in its chunk, from 0.
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
        """Return the row as JSON data."""
        sent = None if self.sent is None else self.sent.to_json()
        return [
            self.number,
            self.key,
            self.fingerprint,
            self.arguments,
            self.extras,
            self.reason,
            sent,
            self.place,
        ]

    @classmethod
    def from_json(cls, data: list[Any]) -> Row:
        """Create a row from JSON data."""
        number, key, fingerprint, arguments, extras, reason, sent, place = data
        return cls(number, key, fingerprint, arguments, extras, reason, Sent.from_json(sent), place)


@dataclass(frozen=True, slots=True)
class Result:
    """The stored result of a row. `sent` is as in `Row`, for a row that is not settled."""

    outcome: RowOutcome
    id: str | None = None
    status: str | None = None
    error: str | None = None
    sent: Sent | None = None

    def to_json(self) -> list[Any]:
        """Return the result as JSON data."""
        sent = None if self.sent is None else self.sent.to_json()
        return [self.outcome.value, self.id, self.status, self.error, sent]

    @classmethod
    def from_json(cls, data: list[Any]) -> Result:
        """Create a result from JSON data."""
        outcome, request_id, status, error, sent = data
        return cls(RowOutcome(outcome), request_id, status, error, Sent.from_json(sent))


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of an export.

    Attributes:
        row: Record number in the source, from 1.
        key: Idempotency key, the same in every attempt; empty for a refused row without one.
        id: The provider's request id, if known.
        status: The status in the provider's response, if known.
        outcome: Outcome of the row.
        error: Why the row is not `created`, or how a lost response was settled. With `refresh` also why the
            provider says that the request failed or was declined.
        extras: The other columns of the source, by name.
        asked: The sent values of the arguments in `ASKED`, by name. Empty for a row that was refused before storage.
    """

    row: int
    key: str
    id: str | None
    status: str | None
    outcome: RowOutcome
    error: str | None
    extras: Mapping[str, str] = field(repr=False)
    asked: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
