"""What `victor bulk` says of the rows of a file: what is wrong with them, and which will be sent.

A check groups problems by their cause (`check.causes`), and knows the first ones of each. First
the result of a check, then its wrong rows: by their cause, in the words of the file, with what to
do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from victor_ext._exit_status import FAILED, MISUSE

from .screen import complain, conclude, plain
from .wording import ENCODING, FOR_ALL_ROWS, rows_text, with_hint

if TYPE_CHECKING:
    from victor_ext.bulk import Cause, Check, RowFile, RowProblem

    from .failures import Failure

_LISTED_NOTICES = 20
"""Maximum number of notices of one code to list."""
_SUMMARIES = {
    "created_before": "{rows} created before. Not sent again.",
    "due_later": (
        "{rows} asked, or maybe asked, for an earlier due date before. Not sent for the later one. "
        "What is unpaid: 'victor bulk ask-again'. Another --key-kind would ask for each invoice "
        "again: it is only for the next month of keys that name payers."
    ),
    "replaced": "Replaced by this file: {rows} that had not left.",
}
"""What is said of all rows whose notice has this code. Notices of other codes are listed."""


def report_invalid(failure: Failure, check: Check, file: RowFile, *, as_json: bool) -> None:
    """Report on standard error why a file is refused: the `failure`, with its wrong rows."""
    if as_json:
        document = failure.as_dict()
        error = document["error"]
        error["problems"] = [asdict(problem) for problem in check.problems]
        error["problem_count"] = check.problem_count
        error["causes"] = [asdict(cause) for cause in check.causes]
        complain(json.dumps(document))
        return
    _print_problems(check, file)
    message = f"Error: {_refusal_reason(check)}. Nothing was sent."
    if not check.repeated and not check.broken:
        message += " Correct that, or set it aside with --skip-invalid."
    complain(message)


def _refusal_reason(check: Check) -> str:
    """Return why a file is refused, as a clause."""
    if check.broken:
        has_other_totals = check.problems[0].code == "control_total"
        if has_other_totals:
            return "the file is not the one that is expected"
        return "the file cannot be read"
    reasons: list[str] = []
    if check.repeated:
        verb = "row repeats" if check.repeated == 1 else "rows repeat"
        reasons.append(f"{check.repeated:,} {verb} a key")
    if check.invalid:
        verb = "row is" if check.invalid == 1 else "rows are"
        reasons.append(f"{check.invalid:,} {verb} wrong")
    return " and ".join(reasons)


def show_check(
    check: Check, exit_status: int, file: RowFile, warnings: Sequence[str], *, as_json: bool
) -> None:
    """Show the result of a dry run."""
    if not as_json:
        _print_problems(check, file)
        _print_notices(check)
        for warning in warnings:
            complain(warning)
    document = check_as_dict(check)
    document["warnings"] = [*warnings]
    document["exit_status"] = exit_status
    conclude(document, f"{summary_of(check, file)} Nothing was sent.", as_json=as_json)


def dry_run_status(check: Check, *, skip_invalid: bool) -> int:
    """Return the exit status of a dry run: 2 if `send` would refuse the file, 1 if it would refuse
    rows, or not send what was rejected before. What only sending can tell is not in it.
    """
    if check.is_refused(skip_invalid=skip_invalid):
        return MISUSE
    rejected_before = check.noticed.get("rejected_before", 0)
    if check.invalid or check.changed or rejected_before:
        return FAILED
    return 0


def summary_of(check: Check, file: RowFile) -> str:
    """Return how many rows a file has, and how many of each kind."""
    return f"{rows_text(check.rows)}: {_kinds(check, file)}."


def announce(batch: str, check: Check, file: RowFile) -> None:
    """Say how many rows are about to be sent, and how much they ask for."""
    if check.new:
        complain(f"{plain(batch)}: {rows_text(check.new)} to send: {_amounts(check, file)}.")


def show_checked_rows(check: Check, file: RowFile) -> None:
    """Print what is said of the rows of a file that was sent."""
    _print_problems(check, file)
    _print_notices(check)
    if check.unchanged or check.changed:
        complain(f"Of {rows_text(check.rows)}: {_kinds(check, file)}.")


def check_as_dict(check: Check) -> dict[str, Any]:
    """Return a check for JSON."""
    totals = {currency: f"{amount:f}" for currency, amount in check.totals.items()}
    return {**asdict(check), "totals": totals}


def _kinds(check: Check, file: RowFile) -> str:
    """Return how many rows of a file are of each kind, in words."""
    kinds = {
        f"new ({_amounts(check, file)})": check.new,
        "stored before": check.unchanged,
        "to decide about": check.changed,
        "wrong": check.invalid,
        "with a repeated key": check.repeated,
    }
    return nonzero_counts(kinds) or "none"


def nonzero_counts(counts: Mapping[str, int]) -> str:
    """Return the counts that are not zero, each with its name: `3 new, 1 wrong`."""
    texts = [f"{count:,} {name}" for name, count in counts.items() if count]
    return ", ".join(texts)


def _amounts(check: Check, file: RowFile) -> str:
    """Return what the new rows ask for together, by currency, as the file writes amounts."""
    from victor_ext.tables.formats import written_amount  # noqa: PLC0415 - `victor --help` does not need it

    texts: list[str] = []
    for currency, amount in sorted(check.totals.items()):
        texts.append(f"{written_amount(amount, currency, file.decimal)} {currency}")
    return ", ".join(texts)


def _print_notices(check: Check) -> None:
    """Print why rows are not simply sent: what concerns many rows, in one line."""
    for code, count in check.noticed.items():
        summary = _SUMMARIES.get(code)
        if summary is None:
            _list_notices(check, code, count)
        else:
            complain(plain(summary.format(rows=rows_text(count))))
    if check.left_out:
        complain(
            f"{rows_text(check.left_out)} of the batch had not left and are not in this file: left "
            "out. A file that has them sends them."
        )


def _list_notices(check: Check, code: str, count: int) -> None:
    """Print the first notices of a code, and how many of its `count` notices are not listed."""
    notices = [notice for notice in check.notices if notice.code == code][:_LISTED_NOTICES]
    for notice in notices:
        complain(plain(f"Line {notice.line:,}: {notice.message}"))
    if count > len(notices):
        complain(f"And {count - len(notices):,} more like these.")


# What is wrong with rows

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


def _print_problems(check: Check, file: RowFile) -> None:
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
