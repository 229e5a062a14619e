"""The result of checking a source, and the error that carries it."""

from __future__ import annotations

from dataclasses import dataclass, field

from victor_ext import InvalidRequest, Problem

from .rows import RowProblem

SHOWN = 100
"""Maximum number of stored problems; further ones are only counted."""


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
        broken: Whether the source cannot be read completely.
        columns: Extra columns, for the export.
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

    @property
    def stored(self) -> int:
        """Number of rows to store."""
        return self.new + self.set_aside

    def note(self, problem: RowProblem) -> None:
        """Count a problem, and store it if it is among the first."""
        self.problem_count += 1
        if len(self.problems) < SHOWN:
            self.problems.append(problem)


class InvalidRows(InvalidRequest):
    """Rows of a source are invalid, and none was stored or sent. `check` contains the problems."""

    check: Check


def refuse_invalid(batch: str, check: Check, *, skip_invalid: bool) -> None:
    """Raise `InvalidRows` if the source must not be stored."""
    if not (check.broken or check.repeated or (check.invalid and not skip_invalid)):
        return
    first = "; ".join(str(problem) for problem in check.problems[:3])
    more = f"; and {check.problem_count - 3} more" if check.problem_count > 3 else ""
    error = InvalidRows(
        f"{batch} was not sent: {first}{more}",
        problems=[Problem(problem.column or "", problem.code, str(problem)) for problem in check.problems],
    )
    error.check = check
    raise error
