"""What `victor bulk` says: of a batch, its status, what became of it, and what to do next; of the
rows of a file, what is wrong with them, and which will be sent.

In the functions, `command` formats the command line of another bulk command for the batch. A check
groups problems by their cause (`check.causes`), and knows the first ones of each: they are shown in
the words of the file.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from victor_ext._values.exit_status import FAILED, MISUSE

from ._failures import Misuse
from ._output_files import whole_file
from ._screen import complain, conclude, plain, say, tolerate_lost_output, zulu_text
from ._wording import ENCODING, FOR_ALL_ROWS, rows_text, with_hint

if TYPE_CHECKING:
    from victor_ext.bulk import (
        BatchStatus,
        BulkSender,
        Cause,
        Check,
        RowFile,
        RowProblem,
        RowResult,
    )

    from ._failures import CommandFailure

_FIELDS = ("row", "key", "id", "status", "outcome", "error", "batch", "asked_by", "sheet")
"""The fields of a result that its JSON has, under their names."""


def show_status(status: BatchStatus, command: Callable[[str], str], *, as_json: bool) -> None:
    """Show how far a batch is."""
    lines = [f"{_summary(status)}{_activity(status)}"]
    for word, count in (status.payments or {}).items():
        lines.append(f"  {status_count(word, count)}")
    lines += _payout_lines(status)
    advice = list[str]()
    if not status.over and status.held_since is None:
        advice.append(f"If nothing sends it now, go on with:\n  {command('resume')}")
    if status.over:
        advice += _unknown_advice(status, command)
    advice += _decision_advice(status)
    conclude(_as_dict(status), "\n".join(lines), *advice, as_json=as_json)


def _activity(status: BatchStatus) -> str:
    """Return whether a batch is held, or goes on; empty: it is over."""
    if status.held_since is not None:
        since = zulu_text(status.held_since)
        return f" (held since {since}: nothing is sent until it is released)"
    return "" if status.over else " (it goes on, or was interrupted)"


def show_result(
    status: BatchStatus,
    command: Callable[[str], str],
    file: RowFile | None,
    steps: Sequence[str],
    warnings: Sequence[str] = (),
    *,
    as_json: bool,
) -> None:
    """Show what became of a batch, and what to do next.

    Args:
        status: The status of the batch after it was sent.
        command: See above.
        file: The file that was sent; None: the batch was continued.
        steps: The names of the steps that this system has after the sending.
        warnings: What a person was warned of before the file was sent.
        as_json: Whether to show one JSON document.
    """
    check = status.check
    if check is not None and file is not None and not as_json:
        _print_problems(check, file)
        _print_notices(check)
        if check.unchanged or check.changed:
            complain(f"Of {rows_text(check.rows)}: {_kinds(check, file)}.")
    paying = next(iter(steps), None) if "created" in status.counts else None
    next_name = "resume" if status.unsettled else paying
    is_held = status.held_since is not None
    next_command = None if next_name is None or is_held else command(next_name)
    advice = list[str]()
    if is_held:
        advice.append(
            "The state is held: it is another copy than before, or somebody holds it. Nothing is "
            "sent until it is reconciled and released, as 'A restored state' of the page on bulk "
            "sending says."
        )
    if next_command is not None:
        advice.append(f"{_why_next(status, steps)}\n  {next_command}")
    advice += _advice(status, command)
    document = _as_dict(status)
    document["exit_status"] = status.exit_status
    document["next_command"] = next_command
    if file is not None:
        document["warnings"] = [*warnings]
    conclude(document, _summary(status), *advice, as_json=as_json)


def _why_next(status: BatchStatus, steps: Sequence[str]) -> str:
    """Return the sentence above the next command."""
    if not status.unsettled:
        return "What is accepted is paid by the next step:"
    if steps:
        return (
            "Not all of it is settled. What may have been submitted is only looked up. Go on with:"
        )
    return "Not all of it is settled. Go on, with the same keys:"


def _advice(status: BatchStatus, command: Callable[[str], str]) -> Iterator[str]:
    """Yield what to do about rows that were not sent, or not created."""
    yield from _unknown_advice(status, command)
    if status.replaced:
        yield (
            "Another sheet of this batch was sent meanwhile. It lacks or changes "
            f"{_names(status.replaced, len(status.replaced))}: these were not created as this "
            "sheet has them."
        )
    yield from _decision_advice(status)
    if any(outcome == "refused" for outcome in status.counts):
        yield (
            "Refused rows were not created. Correct or delete them in the sheet, and send the "
            "whole sheet again."
        )
    if status.exit_status:
        yield f"Every row, with what became of it:\n  {command('export')}"


def _decision_advice(status: BatchStatus) -> Iterator[str]:
    """Yield that rows need a decision, but for those that a check has named."""
    count = status.to_decide - (0 if status.check is None else status.check.changed)
    if count > 0:
        rows = "1 row needs" if count == 1 else f"{count:,} rows need"
        yield f"{rows} your decision. The export says why."


def _unknown_advice(status: BatchStatus, command: Callable[[str], str]) -> Iterator[str]:
    """Yield how a person settles the rows that `resume` may leave unknown.

    It looks them up each time, and does not send them again once their key may be forgotten.
    """
    unknown = sum(count for outcome, count in status.counts.items() if outcome == "unknown")
    if unknown > status.under_way:
        yield (
            "If a row stays unknown, search for a payment with its values, made after you sent it, "
            "whose id\n"
            "no other row has. Resolve the row with that id (of a payout: the payout's).\n"
            "Without one, ask the provider: an empty search proves nothing.\n"
            f"  {command('resolve')} KEY --as done --id ID --by NAME --why HOW"
        )


def show_interruption(
    status: BatchStatus | None, command: str, unread_reason: str | None, *, as_json: bool
) -> None:
    """Show that sending was stopped, and how to continue.

    Args:
        status: The last status; None: sending had not begun. Rows may not have been stored then,
            so that `command` would know nothing of them.
        command: The command line that continues.
        unread_reason: Why the state cannot be read now; None: it can be read.
        as_json: Whether to show one JSON document.
    """
    if as_json:
        document: dict[str, Any] = {
            "interrupted": True,
            "next_command": None if status is None else command,
        }
        if unread_reason is not None:
            document["state_unread"] = unread_reason
        complain(json.dumps(document))
        return
    if status is None:
        complain(
            "Stopped before this command sent anything. Run it again: nothing is stored twice."
        )
        return
    text = "Stopped. Nothing is lost: what may have been sent keeps its key. Go on with:"
    if unread_reason is not None:
        text = f"Stopped. {plain(unread_reason)}\nWhen the state can be read, go on with:"
    complain(f"{text}\n  {command}")


@tolerate_lost_output()
def show_event(event: str, text: str, *, as_json: bool) -> None:
    """Show what happens to a worker: on standard error, or as one JSON document a line."""
    if as_json:
        say({"event": event, "message": text})
    else:
        complain(text)


# Payouts, and the steps that are taken with them


def step_question(name: str, status: BatchStatus) -> str:
    """Return what a person is asked before a step is taken, below the payouts of the batch."""
    effect = ", which moves money" if name == "instruct" else ""
    question = (
        f"{plain(status.batch)}: {counts(status)}. {name.capitalize()} all payouts that are "
        f"accepted{effect}."
    )
    return "\n".join([*_payout_lines(status), question])


def show_step(name: str, batch: str, results: Mapping[str, str], *, as_json: bool) -> int:
    """Show what a step came to, by the payout. Returns the exit status."""
    done = sum(result == "done" for result in results.values())
    status = 0 if done == len(results) else FAILED
    lines = [f"{plain(batch)}: {name}: {done:,} of {len(results):,} done"]
    lines += [
        plain(f"  payout {unit}: {result}") for unit, result in results.items() if result != "done"
    ]
    document = {"batch": batch, "payouts": dict(results), "exit_status": status}
    conclude(document, "\n".join(lines), as_json=as_json)
    return status


def _payout_lines(status: BatchStatus) -> Iterator[str]:
    """Yield what the provider says of each payout."""
    for unit, payout in status.units.items():
        yield plain(f"  payout {unit}: {_payout_text(payout)}")


def _payout_text(payout: Mapping[str, Any]) -> str:
    """Return the status, the counts, the totals and the quotes of a payout, in one line."""
    payment_counts = f"{payout['accepted']:,} accepted, {payout['rejected']:,} rejected"
    totals = [f"{total} from {account}" for account, total in payout["totals"].items()]
    text = f"{payout['status']}, {payment_counts}: {', '.join(totals) or 'nothing'}"
    for quote in payout["quotes"]:
        text += f"; quoted: {quote}"
    return text


# The export


def _refuse_other_content(output: Path) -> None:
    """Raise `Misuse` for a file that is no export, such as the sheet: it would be lost."""
    if not output.is_file():
        return
    with output.open("rb") as file:
        heading = file.readline(100_000)
    if heading.strip() and b"outcome" not in heading:
        raise Misuse(f"--output {output} is a file that is no export: name another one.")


def write_export(
    sender: BulkSender,
    batches: Sequence[str],
    output: Path | None,
    *,
    as_json: bool,
    escape: bool,
    refresh: bool,
) -> None:
    """Write the results of batches, and say on standard error how many there are.

    Args:
        sender: The sender of their state.
        batches: The names of the batches.
        output: The file; None: standard output.
        as_json: Whether to write JSON, a line a row, or CSV.
        escape: Whether CSV has a `'` before a text that a spreadsheet would take for a formula.
        refresh: Whether to read the present status of each row from the provider.
    """
    if output is not None:
        _refuse_other_content(output)
    statuses: dict[str, str] = {}  # by id: several sheets may list a payment

    def note_status(result: RowResult) -> None:
        if result.id is not None and result.has_payment:
            statuses[result.id] = result.status or "not found"

    standard_output = nullcontext(sys.stdout)
    opened = standard_output if output is None else whole_file(output, "--output", mode=0o666)
    with opened as file:
        if as_json:
            count = 0
            results = sender.export(batches=batches, refresh=refresh)
            for count, result in enumerate(results, 1):  # noqa: B007 - the last one counts
                note_status(result)
                document: dict[str, Any] = {name: getattr(result, name) for name in _FIELDS}
                document["asked_at"] = zulu_text(result.asked_at)
                document["by_provider_clock"] = result.by_provider_clock
                document["columns"] = dict(result.extras)
                document["asked"] = dict(result.asked)
                file.write(f"{json.dumps(document)}\n")
        else:
            count = sender.export_csv(
                file, batches=batches, escape=escape, refresh=refresh, on_result=note_status
            )
        file.flush()
    sentences: list[str] = []
    if output is not None:
        of_batches = f" of {len(batches)} batches" if len(batches) > 1 else ""
        sentences.append(f"{rows_text(count)}{of_batches} written to {output}")
    if refresh:
        status_counts = sorted(Counter(statuses.values()).items())
        texts = [status_count(status, count) for status, count in status_counts]
        counted = ", ".join(texts) or "nothing was created"
        sentences.append(f"The provider says now: {counted}.")
    if sentences:
        complain(". ".join(sentences))


def _names(names: Sequence[str], count: int) -> str:
    """Return the first of these names, and how many more there are of all `count`."""
    shown = ", ".join(map(plain, names[:_NAMED]))
    more = count - len(names[:_NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown


_NAMED = 10
"""Of so many rows the names are shown."""

# Counts, and a status as JSON


def counts(status: BatchStatus) -> str:
    """Return the number of rows by outcome. What is under way is not unknown yet."""
    numbers: dict[str, int] = {}
    for outcome, count in status.counts.items():
        if outcome == "unknown":
            numbers["under way"] = status.under_way
            numbers[outcome] = count - status.under_way
        else:
            numbers[outcome.replace("_", " ")] = count
    return nonzero_counts(numbers) or "no rows"


def status_count(status: str, count: int) -> str:
    """Return how many payments have a status of the provider, such as `3 completed (paid)`."""
    text = f"{count:,} {plain(status)}"
    return f"{text} (paid)" if status == "completed" else text


def _summary(status: BatchStatus) -> str:
    """Return how many rows a batch has, and how many of each outcome."""
    return f"{plain(status.batch)}: {rows_text(status.rows)}: {counts(status)}"


def _as_dict(status: BatchStatus) -> dict[str, Any]:
    """Return a status for JSON."""
    document = asdict(status)
    document["check"] = None if status.check is None else check_as_dict(status.check)
    document["unsettled"] = status.unsettled
    document["held_since"] = zulu_text(status.held_since)
    return document


def without_password(url: str) -> str:
    """Mask the passwords in a database URL."""
    masked = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", masked)


# The rows of a file

_LISTED_NOTICES = 20
"""Maximum number of notices of one code to list."""
_SUMMARIES = {
    "created_before": "{rows} created before. Not sent again.",
    "due_later": (
        "{rows} asked, or maybe asked, for an earlier due date before. Not sent for the later one. "
        "What is unpaid needs a row with a number of its own. Another --key-kind would ask for "
        "each invoice again: it is only for the next month of keys that name payers."
    ),
    "replaced": "Replaced by this file: {rows} that had not left.",
}
"""What is said of all rows whose notice has this code. Notices of other codes are listed."""


def report_invalid(failure: CommandFailure, check: Check, file: RowFile, *, as_json: bool) -> None:
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
    if _may_be_set_aside(check):
        message += f" {_SET_ASIDE}"
    complain(message)


def _refusal_reason(check: Check) -> str:
    """Return why a file is refused, as a clause."""
    if check.broken:
        has_other_totals = check.problems[0].code == "control_total"
        if has_other_totals:
            return "the control totals are not confirmed"
        return "the file cannot be read"
    reasons: list[str] = []
    if check.repeated:
        verb = "row repeats" if check.repeated == 1 else "rows repeat"
        reasons.append(f"{check.repeated:,} {verb} a key")
    if check.invalid:
        verb = "row is" if check.invalid == 1 else "rows are"
        reasons.append(f"{check.invalid:,} {verb} wrong")
    return " and ".join(reasons)


_SET_ASIDE = "Correct that, or set it aside with --skip-invalid."


def _may_be_set_aside(check: Check) -> bool:
    """Whether --skip-invalid would let the other rows of a refused file be sent."""
    return check.invalid > 0 and not check.repeated and not check.broken


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
    # The file is refused for its invalid rows alone, unless they are set aside already.
    advice = [_SET_ASIDE] if exit_status == MISUSE and _may_be_set_aside(check) else []
    conclude(document, f"{summary_of(check, file)} Nothing was sent.", *advice, as_json=as_json)


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
    from victor_ext._tables.formats import written_amount  # noqa: PLC0415 - `victor --help` does not need it

    texts: list[str] = []
    for currency, amount in sorted(check.totals.items()):
        texts.append(f"{written_amount(amount, currency, file.decimal)} {currency}")
    return ", ".join(texts)


def _print_notices(check: Check) -> None:
    """Print why rows are not simply sent: what concerns many rows, in one line; then the other
    rows, in the order of the sheet.
    """
    for code, summary in _SUMMARIES.items():
        if code in check.noticed:
            complain(plain(summary.format(rows=rows_text(check.noticed[code]))))
    listed = Counter[str]()
    first_lines: dict[str, int] = {}
    for notice in check.notices:
        first_lines.setdefault(notice.code, notice.line)
        if notice.code not in _SUMMARIES and listed[notice.code] < _LISTED_NOTICES:
            listed[notice.code] += 1
            complain(plain(f"Line {notice.line:,}: {notice.message}"))
    for code, count in listed.items():
        if check.noticed[code] > count:
            complain(f"And {check.noticed[code] - count:,} more like line {first_lines[code]:,}.")
    if check.pulled_back:
        one = check.pulled_back == 1
        verb, they, them = ("is", "it", "it") if one else ("are", "they", "them")
        complain(
            f"{rows_text(check.pulled_back)} of the batch had not left and {verb} not in this "
            f"file: {they} will not be sent. Send a file that has {them}, to ask for {them}."
        )


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
    for advice in _row_advice(check, file):
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
    """Return a message in the words of the file."""
    from victor_ext._tables.row_file import in_own_words  # noqa: PLC0415 - `victor --help` does not need it

    message = problem.message
    if problem.row is not None:  # what is wrong with the heading names our columns on purpose
        message = in_own_words(message, file.columns)
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


_NO_TOTAL_ADVICE = (
    "Correct or delete the rows without a valid amount. Or leave out --expect-total, and add "
    "--skip-invalid."
)


def _row_advice(check: Check, file: RowFile) -> Iterator[str]:
    """Yield the options that may mend what is wrong."""
    messages = [problem.message for cause in check.causes for problem in cause.first]
    if any(cause.code == "encoding" for cause in check.causes):
        yield ENCODING
    of_heading = [problem for problem in check.problems if problem.row is None]
    if any(problem.code in ("required", "column") for problem in of_heading):
        yield _COLUMN_ADVICE
        if any("to tell the rows apart, either" in message for message in messages):
            yield _KEY_COLUMN_ADVICE
    has_other_totals = any(cause.code == "control_total" for cause in check.causes)
    if has_other_totals and any("no valid amount" in message for message in messages):
        yield _NO_TOTAL_ADVICE
    # A message names all columns of the heading before those that the heading lacks.
    missing_columns = " ".join(
        problem.message.rpartition(" lacks ")[2]
        for problem in check.problems
        if problem.code == "required"
    )
    for column, advice in FOR_ALL_ROWS.items():
        if column in missing_columns:
            yield advice
    for setting, pattern, advice in _FORMAT_ADVICE:
        is_unset = getattr(file, setting) is None
        if is_unset and any(map(pattern.match, messages)):
            yield advice
