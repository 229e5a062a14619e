"""The result of checking a source: `Check`, with the problems and notices of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from victor_ext import InvalidRequest, Problem

from .deciding import Code

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
        self.new = 0
        self.unchanged = 0
        self.changed = 0
        self.invalid = 0
        self.repeated = 0
        self.set_aside = 0
        self.replaced = 0
        self.notices = []
        self.noticed = {}
        self.totals = {}
        self.problems = []
        self.problem_count = 0
        self.causes = []


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
