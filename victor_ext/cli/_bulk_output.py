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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from victor_ext._values.exit_status import FAILED, MISUSE

from ._failures import Misuse
from ._output_files import whole_file
from ._screen import complain, conclude, plain, say, tolerate_lost_output, zulu_text
from ._wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import (
        BatchStatus,
        BulkSender,
        Check,
        RowFile,
        RowProblem,
        RowResult,
    )

    from ._failures import CommandFailure


def show_status(
    status: BatchStatus, command: Callable[[str], str], state: str, *, as_json: bool
) -> None:
    """Show how far a batch is, and in which state it is."""
    activity = "" if status.over else " (it goes on, or was interrupted)"
    if status.held_since is not None:
        since = zulu_text(status.held_since)
        activity = f" (held since {since}: nothing is sent until it is released)"
    lines = [f"{_summary(status)}{activity}"]
    for word, count in (status.payments or {}).items():
        lines.append(f"  {status_count(word, count)}")
    lines += _payout_lines(status)
    advice = list[str]()
    if not status.over and status.held_since is None:
        advice.append(f"If nothing sends it now, go on with:\n  {command('resume')}")
    if status.over:
        advice += _unknown_advice(status, command)
    advice += _decision_advice(status)
    document = {**_as_dict(status), "state": state}
    conclude(document, "\n".join(lines), _state_text(state), *advice, as_json=as_json)


def _state_text(state: str) -> str:
    return f"The state is {plain(state)}."


def show_result(
    status: BatchStatus,
    command: Callable[[str], str],
    file: RowFile | None,
    sender: BulkSender,
    warnings: Sequence[str] = (),
    *,
    as_json: bool,
) -> None:
    """Show what became of a batch, in which state it is, and what to do next.

    Args:
        status: The status of the batch after it was sent.
        command: See above.
        file: The file that was sent; None: the batch was continued.
        sender: What has sent it.
        warnings: What a person was warned of before the file was sent.
        as_json: Whether to show one JSON document.
    """
    check, steps = status.check, sender.steps
    if check is not None and file is not None and not as_json:
        _print_problems(check, file)
        _print_notices(check)
        if check.unchanged or check.changed:
            complain(f"Of {rows_text(check.rows)}: {_kinds(check, file)}.")
    paying = next(iter(steps), None) if "created" in status.counts else None
    next_name = "resume" if status.unsettled else paying
    is_held = status.held_since is not None
    next_command = None if next_name is None or is_held else command(next_name)
    advice = [_state_text(sender.state)]
    if is_held:
        advice.append(
            "The state is held: it is another copy than before, or somebody holds it. Nothing is "
            "sent until it is reconciled and released, as 'A restored state' of the page on bulk "
            "sending says."
        )
    if next_command is not None:
        why = "What is accepted is paid by the next step:"
        if status.unsettled:
            why = "Not all of it is settled. Go on with:"
        advice.append(f"{why}\n  {next_command}")
    advice += _advice(status, command)
    document = _as_dict(status)
    document["exit_status"] = status.exit_status
    document["next_command"] = next_command
    document["state"] = sender.state
    if file is not None:
        document["warnings"] = [*warnings]
    conclude(document, _summary(status), *advice, as_json=as_json)


def _advice(status: BatchStatus, command: Callable[[str], str]) -> Iterator[str]:
    """Yield what to do about rows that were not sent, or not created."""
    yield from _unknown_advice(status, command)
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


def show_interruption(status: BatchStatus | None, command: str, *, as_json: bool) -> None:
    """Show that sending was stopped, and how to continue.

    Args:
        status: The last status; None: sending had not begun. Rows may not have been stored then,
            so that `command` would know nothing of them.
        command: The command line that continues.
        as_json: Whether to show one JSON document.
    """
    if as_json:
        next_command = None if status is None else command
        complain(json.dumps({"interrupted": True, "next_command": next_command}))
        return
    if status is None:
        complain(
            "Stopped before this command sent anything. Run it again: nothing is stored twice."
        )
        return
    text = "Stopped. What may have been sent keeps its key. Go on with:"
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
    refresh: bool,
) -> None:
    """Write the results of batches to a file, and say how many there are, or to standard output.

    Args:
        sender: The sender of their state.
        batches: The names of the batches.
        output: The file; None: standard output.
        as_json: Whether to write JSON, a line a row, or CSV.
        refresh: Whether to read the present status of each row from the provider.
    """
    if output is not None:
        _refuse_other_content(output)
    standard_output = nullcontext(sys.stdout)
    opened = standard_output if output is None else whole_file(output, "--output")
    with opened as file:
        if as_json:
            count = 0
            results = sender.export(batches=batches, refresh=refresh)
            for count, result in enumerate(results, 1):  # noqa: B007 - the last one counts
                file.write(f"{json.dumps(_result_as_dict(result))}\n")
        else:
            count = sender.export_csv(file, batches=batches, refresh=refresh)
        file.flush()
    if output is not None:
        of_batches = f" of {len(batches)} batches" if len(batches) > 1 else ""
        complain(f"{rows_text(count)}{of_batches} written to {output}")


def _result_as_dict(result: RowResult) -> dict[str, Any]:
    """Return a result for JSON."""
    document = asdict(result)
    document["asked_at"] = zulu_text(result.asked_at)
    for name in ("asked", "agreed"):
        amount = document[name]
        document[name] = None if amount is None else str(amount)
    return document


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
        return "the file is refused"
    kinds = {"wrong": check.invalid, "with a repeated key": check.repeated}
    return f"the file is refused: {rows_text(check.rows)}, {nonzero_counts(kinds)}"


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
    return FAILED if check.invalid or check.changed else 0


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
    """Print why rows are not simply sent, in the order of the sheet."""
    listed = Counter[str]()
    first_lines: dict[str, int] = {}
    for notice in check.notices:
        first_lines.setdefault(notice.code, notice.line)
        if listed[notice.code] < _LISTED_NOTICES:
            listed[notice.code] += 1
            complain(plain(f"Line {notice.line:,}: {notice.message}"))
    for code, count in listed.items():
        if check.noticed[code] > count:
            complain(f"And {check.noticed[code] - count:,} more like line {first_lines[code]:,}.")
    if check.pulled_back:
        complain(
            f"Not sent any more: {rows_text(check.pulled_back)} of the batch that had not left, "
            "and that this file lacks."
        )


# What is wrong with rows

_LISTED_CAUSES = 20
"""Maximum number of causes to list."""
_LISTED_PROBLEMS = 5
"""Maximum number of problems of one cause."""
_OF_FORM = frozenset({"column", "encoding", "format", "key_column", "required", "type"})
"""Codes of problems that a file may have because it is written in another form."""
_FORM_ADVICE = (
    "If the file is right, say how it is written: --column amount=Betrag for a heading (or "
    "--columns FILE), --key-column NAME, --decimal comma, --date-format DMY, --encoding "
    "windows-1252; or what all rows lack: --due-date today, --payor-id ID."
)


def _print_problems(check: Check, file: RowFile) -> None:
    """Print what is wrong: of each cause the first rows, and how many more there are."""
    causes = check.causes[:_LISTED_CAUSES]
    for cause in causes:
        shown = cause.first[:_LISTED_PROBLEMS]
        for problem in shown:
            complain(plain(_problem_text(problem, file)))
        if cause.count > len(shown):
            complain(f"... and {cause.count - len(shown):,} more like these")
    other_count = check.problem_count - sum(cause.count for cause in causes)
    if other_count:
        complain(f"... and {other_count:,} more: --dry-run --json shows the first 100")
    if any(cause.code in _OF_FORM for cause in causes):
        complain(_FORM_ADVICE)


def _problem_text(problem: RowProblem, file: RowFile) -> str:
    """Return where a problem is, and what it is."""
    from victor_ext._tables.row_file import in_own_words  # noqa: PLC0415 - `victor --help` does not need it

    message = problem.message
    if problem.row is not None and problem.column is not None:
        message = in_own_words(message, file.columns)
        heading = file.columns.get(problem.column) or problem.column
        if not message.startswith(heading):
            message = f"{heading}: {message}"
    if problem.line is not None:
        return f"line {problem.line}: {message}"
    return f"{file.path}: {message}" if problem.row is None else f"row {problem.row}: {message}"
