"""Output of `victor bulk`: row problems, counts and the export."""

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

from victor_ext._exit_status import FAILED, MISUSE

from .failures import Failure
from .output_files import whole_file
from .row_problems import print_problems
from .screen import complain, conclude, decided, plain, say
from .wording import rows_text

if TYPE_CHECKING:
    from datetime import datetime

    from victor_ext.bulk import BatchStatus, BulkSender, Check, RowFile, RowResult


def report_invalid(failure: Failure, check: Check, rows: RowFile, *, as_json: bool) -> None:
    if as_json:
        document = failure.as_dict()
        error = document["error"]
        error["problems"] = [asdict(problem) for problem in check.problems]
        error["problem_count"] = check.problem_count
        error["causes"] = [asdict(cause) for cause in check.causes]
        complain(json.dumps(document))
        return
    print_problems(check, rows)
    message = f"Error: {_wrong(check)}. Nothing was sent."
    if not check.repeated and not check.broken:
        message += " Correct that, or set it aside with --skip-invalid."
    complain(message)


def show_check(
    check: Check, exit_status: int, rows: RowFile, warnings: Sequence[str], *, as_json: bool
) -> None:
    if not as_json:
        print_problems(check, rows)
        _print_notices(check)
        for warning in warnings:
            complain(warning)
    document = _check_as_dict(check)
    document["warnings"] = [*warnings]
    document["exit_status"] = exit_status
    conclude(document, f"{summary_of(check)} Nothing was sent.", as_json=as_json)


def summary_of(check: Check) -> str:
    return f"{rows_text(check.rows)}: {_kinds(check)}."


def announce(batch: str, check: Check) -> None:
    """Say how many rows are about to be sent, and how much they ask for."""
    if check.new:
        complain(f"{plain(batch)}: {rows_text(check.new)} to send: {_amounts(check)}.")


def shared_warning(check: Check, rows: RowFile, reference: str) -> str | None:
    """Return a warning if rows of a file have one reference; else None."""
    if not check.sharing:
        return None
    column = rows.columns.get(reference) or reference
    return (
        f"Warning: {rows_text(check.sharing)} of the file have the {plain(column)} of another "
        "one. If a response is lost, it does not tell which of them was created, and "
        "'victor reconcile' cannot, either. Give each row a reference of its own."
    )


def first_warning(state: str, system: str) -> str:
    """Return the warning before the first batch of a state in production."""
    return (
        f"Warning: this is the first batch of {system} in production in the state "
        f"{plain(_place_of(state))}. A state protects from asking twice for what was sent from "
        "it alone: what another state, or a copy elsewhere, has sent is not known here."
    )


def _place_of(state: str) -> str:
    if not state.startswith(_SQLITE):
        return without_password(state)
    file = Path(state.removeprefix(_SQLITE))
    return str(file.resolve())


def _amounts(check: Check) -> str:
    totals = sorted(check.totals.items())
    return ", ".join(f"{amount:,f} {currency}" for currency, amount in totals)


def _check_as_dict(check: Check) -> dict[str, Any]:
    totals = {currency: f"{amount:f}" for currency, amount in check.totals.items()}
    return {**asdict(check), "totals": totals}


def exit_status_of(check: Check, *, skip_invalid: bool) -> int:
    """Return the exit status of a dry run: 2 if `send` would refuse the file, 1 if it would refuse
    rows, or not send what was rejected before. What only sending can tell is not in it.
    """
    if check.is_refused(skip_invalid=skip_invalid):
        return MISUSE
    stays_rejected = check.noticed.get("rejected_before", 0)
    is_good = not (check.invalid or check.changed or stays_rejected)
    return 0 if is_good else FAILED


def show_status(status: BatchStatus, command: Callable[[str], str], *, as_json: bool) -> None:
    """Print the status of a batch; `command` formats another command for it."""
    lines = [f"{_summary(status)}{_progress_of(status)}"]
    for word, count in (status.payments or {}).items():
        lines.append(f"  {_counted(word, count)}")
    lines += _units(status)
    advice = list[str]()
    if not status.over and status.held_since is None:
        advice.append(f"If nothing sends it now, go on with:\n  {command('resume')}")
    for name, step in status.steps.items():
        if step["unsettled"]:
            advice.append(f"{name} is not settled. Go on with:\n  {command(name)}")
    conclude(_as_dict(status), "\n".join(lines), *advice, as_json=as_json)


def _progress_of(status: BatchStatus) -> str:
    if status.held_since is not None:
        since = _time(status.held_since)
        return f" (held since {since}: nothing is sent until 'victor bulk release')"
    return "" if status.over else " (it goes on, or was interrupted)"


def _time(moment: datetime | None) -> str | None:
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    return None if moment is None else zulu.format(moment)


@decided()
def show_event(event: str, text: str, *, as_json: bool) -> None:
    """Print what happens to a worker: on standard error, or as one JSON document a line."""
    if as_json:
        say(json.dumps({"event": event, "message": text}))
    else:
        complain(text)


def _units(status: BatchStatus) -> Iterator[str]:
    """Yield what the provider says of each payout, and the steps that were taken with them."""
    for unit, payout in status.units.items():
        yield plain(f"  payout {unit}: {_of_payout(payout)}")
    for name, step in status.steps.items():
        people = ", ".join(filter(None, step["by"]))
        by = f" by {people}" if people else ""
        yield plain(f"  {name}{by}: {_of_step(step['counts'].items())}")
        yield from _reasons(step["reasons"])


def _of_payout(payout: Mapping[str, Any]) -> str:
    counts = f"{payout['accepted']:,} accepted, {payout['rejected']:,} rejected"
    totals = [f"{total} from {account}" for account, total in payout["totals"].items()]
    text = f"{payout['status']}, {counts}: {', '.join(totals) or 'nothing'}"
    for quote in payout["quotes"]:
        text += f"; quoted: {quote}"
    return text


def _reasons(reasons: Mapping[str, str]) -> Iterator[str]:
    for unit, reason in reasons.items():
        yield plain(f"  payout {unit}: {reason}")


def _of_step(counts: Iterable[tuple[str, int]]) -> str:
    words: list[str] = []
    for outcome, count in counts:
        word = "done" if outcome == "created" else outcome.replace("_", " ")
        words.append(f"{count:,} {word}")
    return ", ".join(words)


def step_question(name: str, status: BatchStatus) -> str:
    """Return what is asked of a person before a step is taken with the payouts of a batch, and what
    these are.
    """
    effect = ", which moves money" if name == "instruct" else ""
    question = (
        f"{plain(status.batch)}: {counts(status)}. {name.capitalize()} all payouts that are "
        f"accepted{effect}."
    )
    return "\n".join([*_units(status), question])


def show_step(name: str, batch: str, status: BatchStatus, again: str, *, as_json: bool) -> None:
    """Print what became of a step; `again` is the command that takes it again."""
    advice = list[str]()
    if status.unsettled:
        advice.append(
            "Not all of it is settled. Nothing is sent again that may still be under way. Go on "
            f"with:\n  {again}"
        )
    summary = f"{plain(batch)}: {name}: {_of_step(status.counts.items())}"
    text = "\n".join([summary, *_reasons(status.reasons)])
    document = {**_as_dict(status), "exit_status": status.exit_status}
    conclude(document, text, *advice, as_json=as_json)


def show_result(
    status: BatchStatus,
    command: Callable[[str], str],
    rows: RowFile | None,
    steps: Sequence[str],
    warnings: Sequence[str] = (),
    *,
    as_json: bool,
) -> None:
    """Print the final status and the next steps.

    `command` formats another command for the batch. `rows` is the file, if one was sent. `steps`
    can follow what is created.
    """
    check = status.check
    if check is not None and rows is not None and not as_json:
        _show_rows(check, rows)
    next_name = _next_command(status)
    next_command = None if next_name is None else command(next_name)
    advice = list[str]()
    if next_command is not None:
        advice.append(f"{_why_next(status, steps)}\n  {next_command}")
    advice += _advice(status, command)
    document = _as_dict(status)
    document["exit_status"] = status.exit_status
    document["next_command"] = next_command
    if rows is not None:
        document["warnings"] = [*warnings]
    conclude(document, _summary(status), *advice, as_json=as_json)


def _show_rows(check: Check, rows: RowFile) -> None:
    """Print what is said of the rows of a file."""
    print_problems(check, rows)
    _print_notices(check)
    if check.unchanged or check.changed:
        complain(f"Of {rows_text(check.rows)}: {_kinds(check)}.")


def _next_command(status: BatchStatus) -> str | None:
    return "resume" if status.unsettled else status.next_step


def _why_next(status: BatchStatus, steps: Sequence[str]) -> str:
    if not status.unsettled:
        return "What is accepted is paid by the next step:"
    if steps:
        return (
            "Not all of it is settled. What may have been submitted is only looked up. Go on with:"
        )
    return "Not all of it is settled. Try those rows again, with the same keys:"


def _advice(status: BatchStatus, command: Callable[[str], str]) -> Iterator[str]:
    """Yield what to do about rows that were not sent, or not created."""
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


def show_asked_again(batch: str, count: int, resume: str, *, as_json: bool) -> None:
    """Print how many rows will be asked once more; `resume` is the command that sends them."""
    document = {"batch": batch, "asked_again": count, "next_command": resume}
    text = f"{plain(batch)}: {rows_text(count)} will be asked once more."
    conclude(document, text, f"Send them with:\n  {resume}", as_json=as_json)


def _print_notices(check: Check) -> None:
    """Print why rows are not simply sent: what concerns many rows, in one line."""
    for code, count in check.noticed.items():
        group = _GROUPS.get(code)
        if group is None:
            _print_each(check, code, count)
        else:
            complain(plain(group.format(rows=rows_text(count))))
    if check.left_out:
        complain(
            f"{rows_text(check.left_out)} of the batch had not left and are not in this file: left "
            "out. A file that has them sends them."
        )


def _print_each(check: Check, code: str, count: int) -> None:
    """Print the first notices of a code, and how many more there are of all `count`."""
    notices = [notice for notice in check.notices if notice.code == code][:_SHOWN]
    for notice in notices:
        complain(plain(f"Line {notice.line:,}: {notice.message}"))
    if count > len(notices):
        complain(f"And {count - len(notices):,} more like these.")


_SQLITE = "sqlite:///"
_EXPORTED = ("row", "key", "id", "status", "outcome", "error")
_SHOWN = 20
"""Maximum number of notices of one code to list."""
_GROUPS = {
    "created_before": "{rows} created before. Not sent again.",
    "due_later": (
        "{rows} asked, or maybe asked, for an earlier due date before. Not sent for the later one. "
        "A new month needs another --key-kind. What is unpaid: 'victor bulk ask-again'."
    ),
    "replaced": "{rows} that had not left replaced.",
}
"""What is said of all rows with a notice of this code together."""


def show_dropped(batch: str, count: int, *, as_json: bool) -> None:
    """Print how many rows were dropped."""
    effect = "None of them was created."
    if count == 0:
        effect = "All that it has was created or rejected, or may have been sent."
    text = f"{plain(batch)}: {rows_text(count)} dropped. {effect}"
    conclude({"batch": batch, "dropped": count}, text, as_json=as_json)


def show_interruption(
    status: BatchStatus | None, command: str, unread: str | None, *, as_json: bool
) -> None:
    """Print that sending was stopped, how to continue, and why the state cannot be read now, if it
    cannot.

    No `status`: it had not begun. Rows may not have been stored, and `command` would know nothing
    of them.
    """
    if as_json:
        document: dict[str, Any] = {
            "interrupted": True,
            "next_command": None if status is None else command,
        }
        if unread is not None:
            document["state_unread"] = unread
        complain(json.dumps(document))
        return
    if status is None:
        complain("Stopped before anything was sent. Run the same command again.")
        return
    text = "Stopped. Nothing is lost and nothing will be sent twice. Go on with:"
    if unread is not None:
        text = f"Stopped. {plain(unread)}\nWhen the state can be read, go on with:"
    complain(f"{text}\n  {command}")


def write_export(
    sender: BulkSender,
    output: Path | None,
    *,
    as_json: bool,
    escape: bool = True,
    refresh: bool = False,
) -> None:
    """Write the results of a batch to a file or standard output."""
    statuses: Counter[str] = Counter()

    def note(result: RowResult) -> None:
        if result.outcome == "created":
            statuses[result.status or "not found"] += 1

    with _opened(output) as file:
        if as_json:
            count = _write_json(sender.export(refresh=refresh), file, note)
        else:
            count = sender.export_csv(file, escape=escape, refresh=refresh, on_result=note)
        file.flush()
    sentences: list[str] = []
    if output is not None:
        sentences.append(f"{rows_text(count)} written to {output}")
    if refresh:
        sentences.append(f"The provider says now: {_listed(statuses)}.")
    if sentences:
        complain(". ".join(sentences))


def _opened(output: Path | None) -> AbstractContextManager[TextIO]:
    if output is None:
        return nullcontext(sys.stdout)
    return whole_file(output, "--output", mode=0o666)


def _listed(statuses: Mapping[str, int]) -> str:
    words = [_counted(word, count) for word, count in sorted(statuses.items())]
    return ", ".join(words) or "nothing was created"


def _write_json(
    results: Iterable[RowResult], file: TextIO, note: Callable[[RowResult], None]
) -> int:
    """Write results as JSON, one on a line, and return how many there were."""
    count = 0
    for result in results:
        note(result)
        document: dict[str, Any] = {name: getattr(result, name) for name in _EXPORTED}
        document["columns"] = dict(result.extras)
        document["asked"] = dict(result.asked)
        file.write(f"{json.dumps(document)}\n")
        count += 1
    return count


def counts(status: BatchStatus) -> str:
    """Return the number of rows by outcome. What is under way is not unknown yet, and what is left
    out is not refused.
    """
    numbers: dict[str, int] = {}
    for outcome, count in status.counts.items():
        if outcome == "unknown":
            numbers["under_way"] = status.under_way
            numbers[outcome] = count - status.under_way
        elif outcome == "refused":
            numbers["left_out"] = status.left_out
            numbers[outcome] = count - status.left_out
        else:
            numbers[outcome] = count
    return _nonzero(numbers) or "no rows"


def _nonzero(numbers: Mapping[str, int]) -> str:
    """Return those numbers that are not zero, each with its name."""
    words = [f"{count:,} {name.replace('_', ' ')}" for name, count in numbers.items() if count]
    return ", ".join(words)


def _counted(word: str, count: int) -> str:
    text = f"{count:,} {plain(word)}"
    return f"{text} (paid)" if word == "completed" else text


def _summary(status: BatchStatus) -> str:
    return f"{plain(status.batch)}: {rows_text(status.rows)}: {counts(status)}"


def _as_dict(status: BatchStatus) -> dict[str, Any]:
    document = asdict(status)
    document["check"] = None if status.check is None else _check_as_dict(status.check)
    document["unsettled"] = status.unsettled
    document["held_since"] = _time(status.held_since)
    return document


def without_password(url: str) -> str:
    """Mask the passwords in a database URL."""
    hidden = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", hidden)


def _wrong(check: Check) -> str:
    if check.broken:
        is_unexpected = check.problems[0].code == "control_total"
        if is_unexpected:
            return "the file is not the one that is expected"
        return "the file cannot be read"
    mistakes: list[str] = []
    if check.repeated:
        verb = "row repeats" if check.repeated == 1 else "rows repeat"
        mistakes.append(f"{check.repeated:,} {verb} a key")
    if check.invalid:
        verb = "row is" if check.invalid == 1 else "rows are"
        mistakes.append(f"{check.invalid:,} {verb} wrong")
    return " and ".join(mistakes)


def _kinds(check: Check) -> str:
    kinds = {
        f"new ({_amounts(check)})": check.new,
        "stored before": check.unchanged,
        "to decide about": check.changed,
        "wrong": check.invalid,
        "with a repeated key": check.repeated,
    }
    words = [f"{count:,} {kind}" for kind, count in kinds.items() if count]
    return ", ".join(words) or "none"
