"""What `victor bulk` says of a batch: its status, what became of it, and what to do next.

What is said of the rows of a file is in `bulk_check.py`. In the functions, `command` formats the
command line of another bulk command for the batch.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .bulk_check import check_as_dict, nonzero_counts, show_checked_rows
from .output_files import whole_file
from .screen import complain, conclude, plain, say, tolerate_lost_output
from .times import zulu_text
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender, RowFile, RowResult

_FIELDS = ("row", "key", "id", "status", "outcome", "error")
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
    for name, step in status.steps.items():
        if step["unsettled"]:
            advice.append(f"{name} is not settled. Go on with:\n  {command(name)}")
    if status.over:
        advice += _unknown_advice(status, command)
    conclude(_as_dict(status), "\n".join(lines), *advice, as_json=as_json)


def _activity(status: BatchStatus) -> str:
    """Return whether a batch is held, or goes on; empty: it is over."""
    if status.held_since is not None:
        since = zulu_text(status.held_since)
        return f" (held since {since}: nothing is sent until 'victor bulk release')"
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
        show_checked_rows(check, file)
    next_name = "resume" if status.unsettled else status.next_step
    next_command = None if next_name is None else command(next_name)
    advice = list[str]()
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
    if status.left_out:
        yield "What is left out was not sent, and resume does not send it: a file that has it does."
    if status.to_decide and status.check is None:
        rows = "1 row is" if status.to_decide == 1 else f"{status.to_decide:,} rows are"
        yield f"{rows} not sent as the latest file has it. The export says why."
    refused = sum(count for outcome, count in status.counts.items() if outcome == "refused")
    if refused > status.left_out:
        yield (
            "Refused rows were not created. Send them corrected, or drop them:\n"
            f"  {command('drop')}"
        )
    if status.exit_status:
        yield f"Every row, with what became of it:\n  {command('export')}"


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
            f"  {command('resolve')} KEY --as created --id ID --by NAME --why HOW"
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
        complain("Stopped before anything was sent. Run the same command again.")
        return
    text = "Stopped. Nothing is lost and nothing will be sent twice. Go on with:"
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


def show_step(name: str, batch: str, status: BatchStatus, command: str, *, as_json: bool) -> None:
    """Show what became of a step; `command` takes the step once more."""
    advice = list[str]()
    if status.unsettled:
        advice.append(
            "Not all of it is settled. Nothing is sent again that may still be under way. Go on "
            f"with:\n  {command}"
        )
    summary = f"{plain(batch)}: {name}: {_step_counts(status.counts)}"
    text = "\n".join([summary, *_reason_lines(status.reasons)])
    document = {**_as_dict(status), "exit_status": status.exit_status}
    conclude(document, text, *advice, as_json=as_json)


def _payout_lines(status: BatchStatus) -> Iterator[str]:
    """Yield what the provider says of each payout, and the steps that were taken with them."""
    for unit, payout in status.units.items():
        yield plain(f"  payout {unit}: {_payout_text(payout)}")
    for name, step in status.steps.items():
        people = ", ".join(filter(None, step["by"]))
        by = f" by {people}" if people else ""
        yield plain(f"  {name}{by}: {_step_counts(step['counts'])}")
        yield from _reason_lines(step["reasons"])


def _payout_text(payout: Mapping[str, Any]) -> str:
    """Return the status, the counts, the totals and the quotes of a payout, in one line."""
    payment_counts = f"{payout['accepted']:,} accepted, {payout['rejected']:,} rejected"
    totals = [f"{total} from {account}" for account, total in payout["totals"].items()]
    text = f"{payout['status']}, {payment_counts}: {', '.join(totals) or 'nothing'}"
    for quote in payout["quotes"]:
        text += f"; quoted: {quote}"
    return text


def _reason_lines(reasons: Mapping[str, str]) -> Iterator[str]:
    """Yield why a step was not taken, by the payout."""
    for unit, reason in reasons.items():
        yield plain(f"  payout {unit}: {reason}")


def _step_counts(outcomes: Mapping[Any, int]) -> str:
    """Return the payouts of a step by outcome: what is created of a step is done."""
    texts: list[str] = []
    for outcome, count in outcomes.items():
        word = "done" if outcome == "created" else outcome.replace("_", " ")
        texts.append(f"{count:,} {word}")
    return ", ".join(texts)


# The export


def write_export(
    sender: BulkSender,
    output: Path | None,
    *,
    as_json: bool,
    escape: bool = True,
    refresh: bool = False,
) -> None:
    """Write the results of a batch, and say on standard error how many there are.

    Args:
        sender: The sender of the batch.
        output: The file; None: standard output.
        as_json: Whether to write JSON, a line a row, or CSV.
        escape: Whether CSV has a `'` before a text that a spreadsheet would take for a formula.
        refresh: Whether to read the present status of each row from the provider.
    """
    statuses: Counter[str] = Counter()

    def count_status(result: RowResult) -> None:
        if result.outcome == "created":
            statuses[result.status or "not found"] += 1

    with _opened(output) as file:
        if as_json:
            count = _write_json(sender.export(refresh=refresh), file, count_status)
        else:
            count = sender.export_csv(file, escape=escape, refresh=refresh, on_result=count_status)
        file.flush()
    sentences: list[str] = []
    if output is not None:
        sentences.append(f"{rows_text(count)} written to {output}")
    if refresh:
        sentences.append(f"The provider says now: {_status_counts(statuses)}.")
    if sentences:
        complain(". ".join(sentences))


def _opened(output: Path | None) -> AbstractContextManager[TextIO]:
    """Return the open file, or standard output, which stays open."""
    if output is None:
        return nullcontext(sys.stdout)
    return whole_file(output, "--output", mode=0o666)


def _write_json(
    results: Iterable[RowResult], file: TextIO, on_result: Callable[[RowResult], None]
) -> int:
    """Write results as JSON, one on a line, and return how many there were."""
    count = 0
    for result in results:
        on_result(result)
        document: dict[str, Any] = {name: getattr(result, name) for name in _FIELDS}
        document["columns"] = dict(result.extras)
        document["asked"] = dict(result.asked)
        file.write(f"{json.dumps(document)}\n")
        count += 1
    return count


def _status_counts(statuses: Mapping[str, int]) -> str:
    """Return how many created rows have each status of the provider."""
    texts = [status_count(status, count) for status, count in sorted(statuses.items())]
    return ", ".join(texts) or "nothing was created"


# Counts, and a status as JSON


def counts(status: BatchStatus) -> str:
    """Return the number of rows by outcome. What is under way is not unknown yet, and what is left
    out is not refused.
    """
    numbers: dict[str, int] = {}
    for outcome, count in status.counts.items():
        if outcome == "unknown":
            numbers["under way"] = status.under_way
            numbers[outcome] = count - status.under_way
        elif outcome == "refused":
            numbers["left out"] = status.left_out
            numbers[outcome] = count - status.left_out
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
