"""What is wrong with a file of rows: by its cause, in the words of the file, with what to do.

A check groups problems by their cause (`check.causes`), and knows the first ones of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from .screen import complain, plain
from .wording import ENCODING, FOR_ALL_ROWS, with_hint

if TYPE_CHECKING:
    from victor_ext.bulk import Cause, Check, RowFile, RowProblem

_LISTED_CAUSES = 20
"""Maximum number of causes to list."""
_LISTED_MESSAGES = 3
"""Maximum number of different messages of one cause."""
_LISTED_PLACES = 20
"""Maximum number of rows that are named with a message."""
_COLUMN_ADVICE = (
    "Name a column with --column, such as --column amount=Betrag, and repeat it; or write such "
    "lines into a file, and name that with --columns."
)
_KEY_COLUMN_ADVICE = "--key-column NAME names the one that tells the rows apart."


class _FormatAdvice(NamedTuple):
    """The advice to say how a file writes values, where its messages show that it should."""

    setting: str
    """The field of `RowFile` that says it. With a value, the advice is not given."""
    message: re.Pattern[str]
    """The beginning of a message with a value that is written so."""
    advice: str


_FORMAT_ADVICE = (
    _FormatAdvice(
        "decimal",
        re.compile(r"amount is '-?[0-9. ]*,[0-9]{1,2}'"),
        "--decimal comma reads amounts such as 1.234,56.",
    ),
    _FormatAdvice(
        "decimal",
        re.compile(r"amount is '-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]{1,2}'"),
        "--decimal point reads amounts such as 1,234.56.",
    ),
    _FormatAdvice(
        "date_format",
        re.compile(r"due_date is '[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}'"),
        "--date-format DMY reads 25.11.2026, and --date-format MDY 11/25/2026: name what is meant.",
    ),
)
_DATE_EXAMPLES = {"DMY": "25.11.2026", "MDY": "11/25/2026", "YMD": "2026/11/25"}


def print_problems(check: Check, file: RowFile) -> None:
    """Print what is wrong: of each cause the first rows, and how many more there are."""
    listed_causes = check.causes[:_LISTED_CAUSES]
    for cause in listed_causes:
        for line in _lines_of(cause, file):
            complain(plain(line))
    other_count = check.problem_count - sum(cause.count for cause in listed_causes)
    if other_count:
        complain(
            f"... and {other_count:,} more of other causes: --dry-run --json shows the first 100"
        )
    for advice in _advice(check, file):
        complain(advice)


def _lines_of(cause: Cause, file: RowFile) -> Iterator[str]:
    """Yield the messages of a cause, each with the rows that it is about."""
    by_message: dict[str, list[RowProblem]] = {}
    for problem in cause.first:
        by_message.setdefault(_message_of(problem, file), []).append(problem)
    is_only_message = len(by_message) == 1
    listed_count = 0
    for message, problems in islice(by_message.items(), _LISTED_MESSAGES):
        # A single message is taken to be that of all problems of the cause, also of unknown ones.
        count = cause.count if is_only_message else len(problems)
        place = "" if _is_of_file(problems[0]) else f"{_places(problems, count)}: "
        yield f"{place}{message}"
        listed_count += count
    if cause.count > listed_count:
        other_messages = islice(by_message.values(), _LISTED_MESSAGES, None)
        other_problems = list(chain.from_iterable(other_messages))
        yield _rest_of(cause, cause.count - listed_count, other_problems, file)


def _rest_of(cause: Cause, count: int, problems: Sequence[RowProblem], file: RowFile) -> str:
    """Return that a cause has `count` more problems, and where the known ones of these are."""
    column = f" of {_heading_of(cause.column, file)}" if cause.column else ""
    text = f"... and {count:,} more{column} like these"
    if not problems:
        return text
    end = ", ..." if count > len(problems[:_LISTED_PLACES]) else ""
    return f"{text}: {_places(problems, len(problems))}{end}"


def _is_of_file(problem: RowProblem) -> bool:
    """Whether a problem is one of the whole file, and of no row."""
    return problem.line is None and problem.row is None


def _places(problems: Sequence[RowProblem], count: int) -> str:
    """Return where problems are: the lines of the first ones (rows, where the file has no lines),
    and that there are `count` of them, if that is more than are known.
    """
    unit = "row" if problems[0].line is None else "line"
    numbers = [str(problem.line or problem.row) for problem in problems[:_LISTED_PLACES]]
    if count == 1:
        return f"{unit} {numbers[0]}"
    end = f", ... ({count:,} in all)" if count > len(problems) else ""
    return f"{unit}s {', '.join(numbers)}{end}"


def _message_of(problem: RowProblem, file: RowFile) -> str:
    """Return a message in the words of the file: its headings, and how it writes values."""
    from victor_ext.tables.row_file import in_own_words  # noqa: PLC0415 - `victor --help` does not need it

    message = problem.message
    if problem.row is not None:  # what is wrong with the heading names our columns on purpose
        message = in_own_words(message, file.columns)
    if file.decimal == "comma":
        message = message.replace("write 44.23", "write 44,23")
    if file.date_format is not None:
        example = _DATE_EXAMPLES[file.date_format]
        message = message.replace("write YYYY-MM-DD", f"write {example}")
    if _is_of_file(problem):
        message = f"{file.path}: {message}"
    if problem.row is not None and problem.column is not None:
        heading = _heading_of(problem.column, file)
        if not message.startswith(heading):
            message = f"{heading}: {message}"
    hint = "--key-column NAME" if problem.code == "key_column" else None
    return with_hint(message, hint)


def _heading_of(column: str, file: RowFile) -> str:
    """Return what the file calls a column."""
    return file.columns.get(column) or column


def _advice(check: Check, file: RowFile) -> Iterator[str]:
    """Yield the options that may mend what is wrong."""
    messages = [problem.message for cause in check.causes for problem in cause.first]
    if any(cause.code == "encoding" for cause in check.causes):
        yield ENCODING
    if any(map(_is_of_heading, check.problems)):
        yield _COLUMN_ADVICE
        if any("to tell the rows apart, either" in message for message in messages):
            yield _KEY_COLUMN_ADVICE
    missing_columns = " ".join(_missing_columns(check))
    for column, advice in FOR_ALL_ROWS.items():
        if column in missing_columns:
            yield advice
    for setting, pattern, advice in _FORMAT_ADVICE:
        is_unset = getattr(file, setting) is None
        if is_unset and any(map(pattern.match, messages)):
            yield advice


def _is_of_heading(problem: RowProblem) -> bool:
    return problem.row is None and problem.code in ("required", "column")


def _missing_columns(check: Check) -> Iterator[str]:
    """Yield, from each message about a heading, the columns that the heading lacks, as text."""
    for problem in check.problems:
        if problem.code == "required":
            # The message names all columns of the heading before those that the heading lacks.
            yield problem.message.rpartition(" lacks ")[2]
