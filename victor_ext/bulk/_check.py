"""The result of checking a source: `Check`, with the problems and notices of its rows; and what a
source is expected to be: `ControlTotals`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from operator import attrgetter
from typing import cast

from victor_ext import InvalidRequest, Problem, money
from victor_ext._tables.formats import UnreadableCell, read_amount, written_amount
from victor_ext._tables.row_file import RowFile

from ._deciding import Code
from ._settings import check_number, refused_setting

SHOWN = 100
"""Maximum number of stored problems, and of notices; further ones are only counted."""
_SHOWN_OF_CAUSE = 20
"""Maximum number of stored problems of one cause."""
_EXACT = Context(prec=60)
"""Adds amounts without rounding: the default context has 28 digits."""


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
            asked, or one that was rejected and is not corrected. They are not sent.
        invalid: Rows that break a rule.
        repeated: Rows with the key of an earlier row.
        set_aside: Invalid rows to store as refused.
        problems: The first 100 problems.
        problem_count: Number of all problems.
        notices: Why rows are not simply sent, in the order of the source: the first 100.
        noticed: The number of rows by the code of their notice.
        causes: All problems by their cause, those that break the source first.
        broken: Whether the source cannot be read completely, has other control totals than are
            expected, or is refused by the rule of sheets.
        columns: The headings of the source, for the export.
        totals: What the new rows ask for together, exactly, by currency.
        pulled_back: Rows of the batch that wait and that the source lacks: they are not sent any
            more.
        has_references: Whether a row has a reference.
    """

    rows: int = 0
    new: int = 0
    unchanged: int = 0
    changed: int = 0
    invalid: int = 0
    repeated: int = 0
    set_aside: int = 0
    problems: list[RowProblem] = field(default_factory=list[RowProblem])
    problem_count: int = 0
    notices: list[Notice] = field(default_factory=list[Notice])
    noticed: dict[str, int] = field(default_factory=dict[str, int])
    causes: list[Cause] = field(default_factory=list[Cause])
    broken: bool = False
    columns: list[str] = field(default_factory=list[str])
    totals: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    pulled_back: int = 0
    has_references: bool = False

    @property
    def stored(self) -> int:
        """Number of rows to store."""
        return self.new + self.set_aside

    def is_refused(self, *, skip_invalid: bool) -> bool:
        """Whether `send` with this `skip_invalid` refuses the source as a whole."""
        return self.broken or self.repeated > 0 or (self.invalid > 0 and not skip_invalid)

    def add_problem(self, problem: RowProblem) -> None:
        """Count a problem, and store the problem if it is among the first.

        A problem of the whole source breaks the source. It is always stored, before the others.
        """
        breaks = problem.row is None
        self.problem_count += 1
        self.broken |= breaks
        if breaks:
            self.problems.insert(0, problem)
        elif len(self.problems) < SHOWN:
            self.problems.append(problem)
        cause = self._cause_of(problem)
        cause.count += 1
        if len(cause.first) < _SHOWN_OF_CAUSE:
            cause.first.append(problem)

    def refuse(self, problem: RowProblem) -> None:
        """Add a problem of a row for which the whole source is refused."""
        self.add_problem(problem)
        self.broken = True

    def _cause_of(self, problem: RowProblem) -> Cause:
        """Return the cause of a problem, which may be new."""
        for cause in self.causes:
            if (cause.column, cause.code) == (problem.column, problem.code):
                return cause
        cause = Cause(problem.column, problem.code)
        self.causes.insert(0 if problem.row is None else len(self.causes), cause)
        return cause

    def add_notice(self, notice: Notice) -> None:
        """Count a notice, and store the notice if it is among the first in the source.

        Rows are decided about in the order of their keys: a later notice may be of an earlier line.
        """
        self.noticed[notice.code] = self.noticed.get(notice.code, 0) + 1
        insort(self.notices, notice, key=attrgetter("line"))
        del self.notices[SHOWN:]

    def undecided(self) -> Check:
        """Return a check of the same rows, before anything is decided about them."""
        return Check(self.rows, columns=self.columns, has_references=self.has_references)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Control totals of a source: how many rows it must have, and what its rows must ask for
    together. They are known from elsewhere, such as the system that has written the file.

    Attributes:
        rows: The number of rows; None: it is not compared.
        total: The sum of their amounts, in one currency; None: it is not compared.
        decimal: The decimal mark of the source, as in `RowFile`.
    """

    rows: int | None = None
    total: Decimal | None = None
    decimal: str | None = None

    @classmethod
    def of(
        cls, source: object, rows: int | None, total: Decimal | str | int | None
    ) -> ControlTotals:
        """Return checked control totals of a source. Raises `ConfigurationError`.

        Args:
            total: Text is in the form of the amounts of the source, or `1234.56`.
        """
        check_number("expect_rows", rows)
        decimal = source.decimal if isinstance(source, RowFile) else None
        if total is None:
            return cls(rows, None, decimal)
        amount = read_amount("expect_total", total, decimal or "point")
        if isinstance(amount, UnreadableCell):
            amount = total
        try:
            return cls(rows, money.to_decimal(cast("money.Amount", amount)), decimal)
        except InvalidRequest:
            example = "1250,00" if decimal == "comma" else "1250.00"
            message = (
                f"expect_total={total!r} is not an exact amount above zero: write {example!r}."
            )
            raise refused_setting("expect_total", message) from None

    def differences(
        self,
        rows: int,
        totals: Mapping[str, Decimal],
        without_amount: int,
    ) -> Iterator[str]:
        """Yield a sentence for each difference between a source and these totals.

        Args:
            rows: The number of rows of the source.
            totals: The sum of their amounts, by currency.
            without_amount: The number of rows without a valid amount, which are in no sum.
        """
        currency, total = next(iter(totals.items()), ("USD", Decimal(0)))
        if self.total is not None and len(totals) > 1:  # in several currencies, there is no sum
            currencies = " and ".join(totals)
            yield (
                f"the amounts are in {currencies}, and a total in one currency is expected: "
                "nothing was stored."
            )
        elif self.total is not None and (without_amount or total != self.total):
            total_text = written_amount(total, currency, self.decimal)
            expected_text = written_amount(self.total, currency, self.decimal)
            amounts = f"the amounts are {total_text} in all"
            expected = f"and {expected_text} is expected"
            if without_amount:
                have_none = "1 row has" if without_amount == 1 else f"{without_amount:,} rows have"
                amounts = f"{have_none} no valid amount; the amounts of the others are {total_text}"
                if total == self.total:
                    expected = "as expected of all"
            yield f"{amounts}, {expected}: nothing was stored."
        if self.rows not in (None, rows):
            yield (
                f"the number of rows is {rows:,}, and {self.rows:,} is expected: nothing was "
                "stored."
            )


def add_amount(
    totals: dict[str, Decimal],
    amount: Decimal,
    currency: str,
) -> None:
    """Add an amount to the total of its currency, exactly."""
    totals[currency] = _EXACT.add(totals.get(currency, Decimal(0)), amount)


class InvalidRows(InvalidRequest):
    """Rows of a source are invalid, and none was stored or sent. `check` contains the problems."""

    check: Check


def refuse_invalid(batch: str, check: Check, *, skip_invalid: bool) -> None:
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
