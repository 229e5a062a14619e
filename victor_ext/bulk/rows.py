"""The values of bulk sending: the result of checking a source (`Check`, with its problems and
notices), a stored row and its result (`Row`, `Result`), a line of an export (`RowResult`), and what
a delivery stores meanwhile (`Checkpoint`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from typing import Any, NamedTuple, TypeAlias

from victor_ext import InvalidRequest, Problem, idempotency_key_for
from victor_ext.settlement.flow import PaymentOutcome
from victor_ext.settlement.key_age import Sent

from .deciding import Code

RowOutcome = PaymentOutcome
Arguments: TypeAlias = Mapping[str, Any]
"""What is sent for a row, by column."""

SHOWN = 100
"""Maximum number of stored problems, and of causes; further problems are only counted."""
_SHOWN_OF_CAUSE = 20
"""Maximum number of stored problems of one cause."""


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
        if self.line is not None:
            place = f"line {self.line}"
        if self.column:
            place = f"{place}, {self.column}"
        return f"{place}: {self.message}"


@dataclass(slots=True)
class Cause:
    """The problems of a source that have one column and one code.

    Attributes:
        column: The column with the problems, or None.
        code: The code of the problems.
        count: Number of all problems of this cause.
        first: The first 20 of these problems.
    """

    column: str | None
    code: str
    count: int = 0
    first: list[RowProblem] = field(default_factory=list[RowProblem])


@dataclass(frozen=True, slots=True)
class Notice:
    """Why a row is not simply sent.

    Attributes:
        line: Line where the record begins; the record number, if the source has no lines.
        code: A stable identifier.
        key_value: The value in the key column.
        message: A sentence for users. It contains no account number.
    """

    line: int
    code: Code
    key_value: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(slots=True)
class Check:
    """Result of checking all rows of a source. Nothing was sent.

    Attributes:
        rows: Number of rows in the source: the sum of the next five counts.
        new: Rows to store and send.
        unchanged: Rows whose payment is stored already. These rows do not send it again.
        changed: Rows about which a person has to decide, such as one with another amount than was
            asked. They are not sent.
        invalid: Rows that break a rule.
        repeated: Rows with the key of an earlier row.
        set_aside: Invalid rows to store as refused.
        replaced: Rows to store that replace a row of the same payment, which had not left.
        problems: The first 100 problems.
        problem_count: Number of all problems.
        notices: Why rows are not simply sent: the first 100 of each code.
        noticed: The number of rows by the code of their notice.
        causes: All problems by their cause, those that break the source first. At most 100 causes
            are told apart.
        broken: Whether the source cannot be read completely, or has other control totals than are
            expected.
        columns: Extra columns, for the export.
        totals: What the new rows ask for together, exactly, by currency.
        sharing: Valid rows with the reference of another row. After a lost response, a row is
            looked up by its reference, which does not tell these rows apart.
        left_out: Rows of the batch that were never sent, and that the source lacks. The number is
            known once the source is stored.
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
    notices: list[Notice] = field(default_factory=list[Notice])
    noticed: dict[str, int] = field(default_factory=dict[str, int])
    causes: list[Cause] = field(default_factory=list[Cause])
    broken: bool = False
    columns: list[str] = field(default_factory=list[str])
    totals: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    sharing: int = 0
    left_out: int = 0

    @property
    def stored(self) -> int:
        """Number of rows to store."""
        return self.new + self.set_aside

    def is_refused(self, *, skip_invalid: bool) -> bool:
        """Whether `send` with this `skip_invalid` refuses the source as a whole."""
        return self.broken or self.repeated > 0 or (self.invalid > 0 and not skip_invalid)

    def note(self, problem: RowProblem, *, breaks: bool = False) -> None:
        """Count a problem, and store the problem if it is among the first.

        Args:
            breaks: Whether the problem breaks the source. It is always stored, before the others.
        """
        self.problem_count += 1
        self.broken |= breaks
        if breaks:
            self.problems.insert(0, problem)
        elif len(self.problems) < SHOWN:
            self.problems.append(problem)
        cause = self._cause_of(problem, breaks=breaks)
        if cause is not None:
            cause.count += 1
            if len(cause.first) < _SHOWN_OF_CAUSE:
                cause.first.append(problem)

    def _cause_of(self, problem: RowProblem, *, breaks: bool) -> Cause | None:
        """Return the cause of a problem, which may be new; None: there are too many causes."""
        for cause in self.causes:
            if (cause.column, cause.code) == (problem.column, problem.code):
                return cause
        if len(self.causes) >= SHOWN and not breaks:
            return None
        cause = Cause(problem.column, problem.code)
        self.causes.insert(0 if breaks else len(self.causes), cause)
        return cause

    def notice(self, notice: Notice) -> None:
        """Count a notice, and store the notice if it is among the first of its code."""
        self.noticed[notice.code] = self.noticed.get(notice.code, 0) + 1
        if self.noticed[notice.code] <= SHOWN:
            self.notices.append(notice)

    def forget_decisions(self) -> None:
        """Reset what was decided about the rows, before they are decided about again."""
        self.new = self.unchanged = self.changed = 0
        self.invalid = self.repeated = self.set_aside = self.replaced = 0
        self.notices, self.noticed, self.totals = [], {}, {}
        self.problems, self.problem_count, self.causes = [], 0, []


class InvalidRows(InvalidRequest):
    """Rows of a source are invalid, and none was stored or sent. `check` contains the problems."""

    check: Check


def refuse_invalid(
    batch: str,
    check: Check,
    *,
    skip_invalid: bool,
) -> None:
    """Raise `InvalidRows` if the source must not be stored."""
    if not check.is_refused(skip_invalid=skip_invalid):
        return
    problems = [
        Problem(problem.column or "", problem.code, str(problem)) for problem in check.problems
    ]
    count = f"Problems: {check.problem_count}."
    message = f"{batch} was not sent. {count} The first: {check.problems[0]}"
    error = InvalidRows(message, problems=problems)
    error.check = check
    raise error


@dataclass(frozen=True, slots=True)
class Row:
    """A row as stored before it is sent.

    Attributes:
        number: Record number in the source, from 1.
        payment: The key of its payment in the database, which never changes; empty for a refused
            row without a key.
        key: The idempotency key that the row is sent with. Each time the payment is asked once more
            after a rejection, it has a new one.
        value: The value in the key column, which the key is made of.
        arguments: What is sent, as JSON data by column, or None for a refused row.
        extras: The other columns, for the export.
        sent: Earliest possible send in an earlier attempt, or None.
        place: Index of the row in its chunk, from 0.
        unit: The provider's id of the payout that the row was sent in, if it is known; else None.
        again: How many keys the payment had before `key`.
        key_retention: Seconds for which the provider keeps `key`, by the settings that the row was
            stored with.
    """

    number: int
    payment: str
    key: str
    value: str | None
    arguments: Arguments | None = field(repr=False)
    extras: Mapping[str, str] = field(repr=False)
    sent: Sent | None = None
    place: int = 0
    unit: str | None = None
    again: int = 0
    key_retention: float = inf

    @classmethod
    def of_stored(
        cls,
        payment: str,
        data: Sequence[Any],
        again: int = 0,
    ) -> Row:
        """Return the row of a payment.

        Args:
            payment: The key of the payment in the database.
            data: The decrypted content of the row: number, value, arguments, extras.
            again: How many keys the payment had before the one that the row is sent with.
        """
        number, value, arguments, extras = data
        key = idempotency_key_for("again", payment, again) if again else payment
        return cls(number, payment, key, value, arguments, extras, again=again)


class Result(NamedTuple):
    """What became of a row, as it is stored.

    Attributes:
        id: The provider's id of what the row asks for, if it is known.
        status: The status in the provider's response, if it is known.
        error: Why the row is not created, or how a lost response was settled.
        sent: As in `Row`; None: the row is settled.
        unit: As in `Row`.
    """

    outcome: RowOutcome
    id: str | None = None
    status: str | None = None
    error: str | None = None
    sent: Sent | None = None
    unit: str | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the result stays true if another worker has claimed the row meanwhile."""
        return self.outcome is RowOutcome.CREATED or self.unit is not None


@dataclass(frozen=True, slots=True)
class RowResult:
    """One line of an export.

    Attributes:
        row: Record number in the source, from 1; 0 if the latest file lacks the row and it may have
            been sent.
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


class Checkpoint(NamedTuple):
    """What a delivery has stored before it goes on. Rows are named by their index in the chunk.

    Attributes:
        begun: The rows that may have been sent once this is stored.
        sent: The earliest time at which the begun rows may have been sent; None: none is begun.
        results: The results since the checkpoint before.
    """

    begun: Collection[int]
    sent: Sent | None
    results: Mapping[int, Result]
