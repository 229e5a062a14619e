"""Rows of a batch, their problems, attempts and results, and the result of checking a source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from victor_ext import InvalidRequest, Problem
from victor_ext.settlement.flow import PaymentOutcome
from victor_ext.settlement.key_age import Sent

RowOutcome = PaymentOutcome

SHOWN = 100
"""Maximum number of stored problems; further ones are only counted."""


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
        place = "source" if self.row is None else f"row {self.row}"
        place = place if self.line is None else f"line {self.line}"
        return (
            f"{place}, {self.column}: {self.message}" if self.column else f"{place}: {self.message}"
        )


@dataclass(slots=True)
class Check:
    """Result of checking all rows of a source. Nothing was sent.

    Attributes:
        rows: Number of rows in the source: the sum of the next five counts.
        new: Rows to store and send.
        unchanged: Rows that are already in the batch.
        changed: Rows whose values differ from the stored ones with the same key. They are not sent.
        invalid: Rows that break a rule.
        repeated: Rows with the key of an earlier row.
        set_aside: Invalid rows to store as refused, without those that are already stored.
        replaced: Rows to store that replace a previously refused row.
        problems: The first 100 problems.
        problem_count: Number of all problems.
        broken: Whether the source cannot be read completely, or has other control totals than are
            expected.
        columns: Extra columns, for the export.
        totals: What the new rows ask for together, exactly, by currency.
    """

    rows: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    invalid: int = 0
    repeated: int = 0
    set_aside: int = 0
    replaced: int = 0
    problems: list[RowProblem] = field(default_factory=list[RowProblem])
    problem_count: int = 0
    broken: bool = False
    columns: list[str] = field(default_factory=list[str])
    totals: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    @property
    def stored(self) -> int:
        """Number of rows to store."""
        return self.new + self.set_aside

    def is_refused(self, *, skip_invalid: bool) -> bool:
        """Whether `send` with this `skip_invalid` refuses the source as a whole."""
        return self.broken or self.repeated > 0 or (self.invalid > 0 and not skip_invalid)

    def note(self, problem: RowProblem, *, breaks: bool = False) -> None:
        """Count a problem, and store it if it is among the first.

        One that `breaks` the source comes before those.
        """
        self.problem_count += 1
        self.broken |= breaks
        if breaks or len(self.problems) < SHOWN:
            self.problems.insert(0 if breaks else SHOWN, problem)


class InvalidRows(InvalidRequest):
    """Rows of a source are invalid, and none was stored or sent. `check` contains the problems."""

    check: Check


def refuse_invalid(batch: str, check: Check, *, skip_invalid: bool) -> None:
    """Raise `InvalidRows` if the source must not be stored."""
    if check.is_refused(skip_invalid=skip_invalid):
        what = (
            f"{batch} was not sent. Problems: {check.problem_count}. The first: {check.problems[0]}"
        )
        problems = [
            Problem(problem.column or "", problem.code, str(problem)) for problem in check.problems
        ]
        error = InvalidRows(what, problems=problems)
        error.check = check
        raise error


def identity_of(key: str, number: int) -> bytes:
    """Return a row's identity: its key, or its number if it has none."""
    return (
        bytes.fromhex(key.replace("-", ""))
        if key
        else hashlib.sha256(b"row %d" % number).digest()[:16]
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A row as stored before it is sent.

    Attributes:
        number: Record number in the source, from 1.
        key: Idempotency key; empty for a refused row without one.
        fingerprint: Equal for rows that request the same.
        arguments: What is sent, as JSON data by column, or None for a refused row.
        extras: The other columns, for the export.
        reason: Why the row was refused.
        sent: Earliest possible send in an earlier attempt, or None.
        place: Index of the row in its chunk, from 0.
        unit: The id of what it was sent in with other rows, if that is known; else None.
    """

    number: int
    key: str
    fingerprint: str
    arguments: Mapping[str, Any] | None = field(repr=False)
    extras: Mapping[str, str] = field(repr=False)
    reason: str | None = None
    sent: Sent | None = None
    place: int = 0
    unit: str | None = None

    @property
    def identity(self) -> bytes:
        return identity_of(self.key, self.number)

    def to_json(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def from_json(cls, data: list[Any]) -> Row:
        number, key, fingerprint, arguments, extras, reason, sent, *rest = data
        return cls(number, key, fingerprint, arguments, extras, reason, Sent.from_json(sent), *rest)


class Result(NamedTuple):
    """The stored result of a row.

    `sent` and `unit` are as in `Row`; `sent` is that of a row that is not settled.
    """

    outcome: RowOutcome
    id: str | None = None
    status: str | None = None
    error: str | None = None
    sent: Sent | None = None
    unit: str | None = None

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Result:
        outcome, request_id, status, error, sent, unit = data
        return cls(RowOutcome(outcome), request_id, status, error, Sent.from_json(sent), unit)


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of an export.

    Attributes:
        row: Record number in the source, from 1.
        key: Idempotency key, the same in every attempt; empty for a refused row without one.
        id: The provider's id of what the row asks for, if known.
        status: The status in the provider's response, if known.
        outcome: Outcome of the row.
        error: Why the row is not `created`, or how a lost response was settled. With `refresh` also
            why the provider says that the request failed or was declined.
        extras: The other columns of the source, by name.
        asked: The sent values of some columns, by name, and Velo's `payout_id`, if known. Empty for
            a row that was refused before storage.
    """

    row: int
    key: str
    id: str | None
    status: str | None
    outcome: RowOutcome
    error: str | None
    extras: Mapping[str, str] = field(repr=False)
    asked: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


SEND_STEP = "send"


class Step(NamedTuple):
    """A step of an attempt, stored before the first of its rows is sent. Rows are counted by their
    index in the chunk.

    Attributes:
        begun: Rows before this one may have been sent.
        sent: The earliest time at which those may have been sent that no step before named.
        results: Results since the step before.
        is_last: Whether all rows have their results.
    """

    begun: int
    sent: Sent | None
    results: Mapping[int, Result]
    is_last: bool = False

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Step:
        begun, sent, stored, is_last = data
        results = {int(index): Result.from_json(each) for index, each in stored.items()}
        return cls(begun, Sent.from_json(sent), results, is_last)


class Progress:
    """The steps of an attempt so far. What has begun once stays so."""

    def __init__(self) -> None:
        self.begun = 0
        self.results: dict[int, Result] = {}
        self.is_over = False
        self._steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.begun, self.is_over = max(self.begun, step.begun), step.is_last
        self.results |= step.results
        self._steps.append(step)

    def sent(self, index: int) -> Sent | None:
        """Return the earliest time at which a row may have been sent; None: it was not."""
        return next((step.sent for step in self._steps if index < step.begun), None)
