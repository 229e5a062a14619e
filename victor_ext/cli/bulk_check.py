"""What `victor bulk` says of the rows of a file: what is wrong with them, and which will be sent.

The wrong rows themselves are in `row_problems.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from victor_ext._exit_status import FAILED, MISUSE

from .row_problems import print_problems
from .screen import complain, conclude, plain
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import Check, RowFile

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
    print_problems(check, file)
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
        print_problems(check, file)
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
    print_problems(check, file)
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
