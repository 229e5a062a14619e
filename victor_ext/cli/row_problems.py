"""What is wrong with a file of rows: by its cause, in the words of the file, with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from .screen import complain, plain
from .wording import ENCODING, FOR_ALL_ROWS, with_hint

if TYPE_CHECKING:
    from victor_ext.bulk import Cause, Check, RowFile, RowProblem

_CAUSES = 20
"""Maximum number of causes to list."""
_MESSAGES = 3
"""Maximum number of different messages of one cause."""
_PLACES = 20
"""Maximum number of lines that are listed with a message."""
_COLUMNS = (
    "Name a column with --column, such as --column amount=Betrag, and repeat it; or write such "
    "lines into a file, and name that with --columns."
)
_KEYS = "--key-column NAME names the one that tells the rows apart."
_FORMATS = (
    (
        "decimal",
        re.compile(r"amount is '-?[0-9. ]*,[0-9]{1,2}'"),
        "--decimal comma reads amounts such as 1.234,56.",
    ),
    (
        "decimal",
        re.compile(r"amount is '-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]{1,2}'"),
        "--decimal point reads amounts such as 1,234.56.",
    ),
    (
        "date_format",
        re.compile(r"due_date is '[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}'"),
        "--date-format DMY reads 25.11.2026, and --date-format MDY 11/25/2026: name what is meant.",
    ),
)
"""What a file does not say, messages that show how it may be written, and the option to say it."""
_DATES = {"DMY": "25.11.2026", "MDY": "11/25/2026", "YMD": "2026/11/25"}


def print_problems(check: Check, rows: RowFile) -> None:
    """Print what is wrong: of each cause the first rows, and how many more there are."""
    shown = check.causes[:_CAUSES]
    for cause in shown:
        for line in _lines_of(cause, rows):
            complain(plain(line))
    more = check.problem_count - sum(cause.count for cause in shown)
    if more:
        complain(f"... and {more:,} more of other causes: --dry-run --json shows the first 100")
    for advice in _advice(check, rows):
        complain(advice)


def _lines_of(cause: Cause, rows: RowFile) -> Iterator[str]:
    """Yield the messages of a cause, each with the lines that it is about."""
    by_message: dict[str, list[RowProblem]] = {}
    for problem in cause.first:
        by_message.setdefault(_message_of(problem, rows), []).append(problem)
    is_only_message = len(by_message) == 1
    listed = 0
    for message, problems in islice(by_message.items(), _MESSAGES):
        count = cause.count if is_only_message else len(problems)
        yield f"{_places(problems, count)}: {message}" if _has_place(problems) else message
        listed += count
    if cause.count > listed:
        others = islice(by_message.values(), _MESSAGES, None)
        yield _more(cause, cause.count - listed, list(chain.from_iterable(others)), rows)


def _more(cause: Cause, count: int, problems: Sequence[RowProblem], rows: RowFile) -> str:
    """Return how many more problems a cause has, and where those are that are known."""
    column = f" of {_own(cause.column, rows)}" if cause.column else ""
    text = f"... and {count:,} more{column} like these"
    if not problems:
        return text
    end = ", ..." if count > len(problems[:_PLACES]) else ""
    return f"{text}: {_places(problems, len(problems))}{end}"


def _has_place(problems: Sequence[RowProblem]) -> bool:
    return problems[0].line is not None or problems[0].row is not None


def _places(problems: Sequence[RowProblem], count: int) -> str:
    """Return where problems are: the first lines, and how many there are if not all are known."""
    unit = "row" if problems[0].line is None else "line"
    first = [str(problem.line or problem.row) for problem in problems[:_PLACES]]
    if count == 1:
        return f"{unit} {first[0]}"
    end = f", ... ({count:,} in all)" if count > len(problems) else ""
    return f"{unit}s {', '.join(first)}{end}"


def _message_of(problem: RowProblem, rows: RowFile) -> str:
    """Return a message in the words of the file: its headings, and how it writes values."""
    from victor_ext.tables.row_file import in_own_words  # noqa: PLC0415 - `victor --help` does not need it

    message = in_own_words(problem.message, rows.columns)
    if rows.decimal == "comma":
        message = message.replace("write 44.23", "write 44,23")
    if rows.date_format is not None:
        message = message.replace("write YYYY-MM-DD", f"write {_DATES[rows.date_format]}")
    is_of_file = problem.line is None and problem.row is None
    if is_of_file:
        message = f"{rows.path}: {message}"
    if problem.row is not None and problem.column is not None:
        column = _own(problem.column, rows)
        if not message.startswith(column):
            message = f"{column}: {message}"
    hint = "--key-column NAME" if problem.code == "key_column" else None
    return with_hint(message, hint)


def _own(column: str, rows: RowFile) -> str:
    return rows.columns.get(column) or column


def _advice(check: Check, rows: RowFile) -> Iterator[str]:
    messages = [problem.message for cause in check.causes for problem in cause.first]
    if any(cause.code == "encoding" for cause in check.causes):
        yield ENCODING
    if any(map(_is_of_heading, check.problems)):
        yield _COLUMNS
        if any("to tell the rows apart, either" in message for message in messages):
            yield _KEYS
    missing = " ".join(_missing(check))
    for column, advice in FOR_ALL_ROWS.items():
        if column in missing:
            yield advice
    for name, pattern, advice in _FORMATS:
        is_unsaid = getattr(rows, name) is None
        if is_unsaid and any(map(pattern.match, messages)):
            yield advice


def _is_of_heading(problem: RowProblem) -> bool:
    return problem.row is None and problem.code in ("required", "column")


def _missing(check: Check) -> Iterator[str]:
    """Yield the columns that the heading lacks."""
    for problem in check.problems:
        if problem.code == "required":
            # A heading is quoted with all its columns, before those that it lacks.
            yield problem.message.rpartition(" lacks ")[2]
