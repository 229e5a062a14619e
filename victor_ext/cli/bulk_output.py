"""Output of `victor bulk`: row problems, counts and the export."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from victor_ext._exit_status import FAILED, MISUSE

from .failures import Failure
from .row_problems import print_problems
from .screen import complain, conclude, decided, plain, say
from .session import whole_file
from .wording import rows_text

if TYPE_CHECKING:
    from datetime import datetime

    from victor_ext.bulk import BatchStatus, BulkSender, Check, RowFile, RowResult


def report_invalid(failure: Failure, check: Check, rows: RowFile, *, as_json: bool) -> None:
    if as_json:
        document = failure.as_dict()
        document["error"]["problems"] = [asdict(problem) for problem in check.problems]
        document["error"]["problem_count"] = check.problem_count
        document["error"]["causes"] = [asdict(cause) for cause in check.causes]
        complain(json.dumps(document))
        return
    print_problems(check, rows)
    hint = (
        ""
        if check.repeated or check.broken
        else " Correct that, or set it aside with --skip-invalid."
    )
    complain(f"Error: {_wrong(check)}. Nothing was sent.{hint}")


def show_check(
    check: Check, exit_status: int, rows: RowFile, warnings: Sequence[str], *, as_json: bool
) -> None:
    if not as_json:
        print_problems(check, rows)
        _print_notices(check)
        for warning in warnings:
            complain(warning)
    conclude(
        {**_check_as_dict(check), "warnings": [*warnings], "exit_status": exit_status},
        f"{summary_of(check)} Nothing was sent.",
        as_json=as_json,
    )


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
    file = state.removeprefix(_SQLITE)
    return without_password(state) if file == state else str(Path(file).resolve())


def _amounts(check: Check) -> str:
    return ", ".join(f"{amount:,f} {currency}" for currency, amount in sorted(check.totals.items()))


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
    return FAILED if check.invalid or check.changed or stays_rejected else 0


def show_status(status: BatchStatus, command: Callable[[str], str], *, as_json: bool) -> None:
    """Print the status of a batch; `command` formats another command for it."""
    state = "" if status.over else " (it goes on, or was interrupted)"
    if status.held_since is not None:
        since = _time(status.held_since)
        state = f" (held since {since}: nothing is sent until 'victor bulk release')"
    payments = (f"  {_counted(word, count)}" for word, count in (status.payments or {}).items())
    text = "\n".join([f"{_summary(status)}{state}", *payments, *_units(status)])
    advice = list[str]()
    if not status.over and status.held_since is None:
        advice.append(f"If nothing sends it now, go on with:\n  {command('resume')}")
    for name, step in status.steps.items():
        if step["unsettled"]:
            advice.append(f"{name} is not settled. Go on with:\n  {command(name)}")
    conclude(_as_dict(status), text, *advice, as_json=as_json)


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
    for unit, said in status.units.items():
        totals = ", ".join(f"{total} from {account}" for account, total in said["totals"].items())
        quotes = "".join(f"; quoted: {quote}" for quote in said["quotes"])
        counts = f"{said['accepted']:,} accepted, {said['rejected']:,} rejected"
        yield plain(f"  payout {unit}: {said['status']}, {counts}: {totals or 'nothing'}{quotes}")
    for name, step in status.steps.items():
        by = ", ".join(filter(None, step["by"]))
        yield plain(f"  {name}{f' by {by}' if by else ''}: {_of_step(step['counts'].items())}")
        yield from _reasons(step["reasons"])


def _reasons(reasons: Mapping[str, str]) -> Iterator[str]:
    for unit, reason in reasons.items():
        yield plain(f"  payout {unit}: {reason}")


def _of_step(counts: Iterable[tuple[str, int]]) -> str:
    words = (
        f"{count:,} {'done' if each == 'created' else each.replace('_', ' ')}"
        for each, count in counts
    )
    return ", ".join(words)


def step_question(name: str, status: BatchStatus) -> str:
    """Return what is asked of a person before a step is taken with the payouts of a batch, and what
    these are.
    """
    moves = ", which moves money" if name == "instruct" else ""
    asked = (
        f"{plain(status.batch)}: {counts(status)}. {name.capitalize()} all payouts that are "
        f"accepted{moves}."
    )
    return "\n".join([*_units(status), asked])


def show_step(name: str, batch: str, status: BatchStatus, again: str, *, as_json: bool) -> None:
    """Print what became of a step; `again` is the command that takes it again."""
    what = (
        "Not all of it is settled. Nothing is sent again that may still be under way. Go on with:"
    )
    advice = [f"{what}\n  {again}"] if status.unsettled else []
    summary = f"{plain(batch)}: {name}: {_of_step(status.counts.items())}"
    text = "\n".join([summary, *_reasons(status.reasons)])
    conclude(
        {**_as_dict(status), "exit_status": status.exit_status}, text, *advice, as_json=as_json
    )


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
    next_command: str | None = None
    check, advice = status.check, list[str]()
    if check is not None and rows is not None and not as_json:
        print_problems(check, rows)
        _print_notices(check)
        if check.unchanged or check.changed:
            complain(f"Of {rows_text(check.rows)}: {_kinds(check)}.")
    if status.unsettled:
        next_command = command("resume")
        how = (
            "What may have been submitted is only looked up. Go on with:"
            if steps
            else "Try those rows again, with the same keys:"
        )
        advice.append(f"Not all of it is settled. {how}\n  {next_command}")
    elif status.next_step is not None:
        next_command = command(status.next_step)
        advice.append(f"What is accepted is paid by the next step:\n  {next_command}")
    if status.left_out:
        advice.append(
            "What is left out was not sent, and resume does not send it: a file that has it does."
        )
    if status.to_decide and check is None:
        are = "1 row is" if status.to_decide == 1 else f"{status.to_decide:,} rows are"
        advice.append(f"{are} not sent as the latest file has it. The export says why.")
    refused = sum(count for outcome, count in status.counts.items() if outcome == "refused")
    if refused > status.left_out:
        advice.append(
            "Refused rows were not created. Send them corrected, or drop them:\n"
            f"  {command('drop')}"
        )
    if status.exit_status:
        advice.append(f"Every row, with what became of it:\n  {command('export')}")
    document = {
        **_as_dict(status),
        "exit_status": status.exit_status,
        "next_command": next_command,
    }
    if rows is not None:
        document["warnings"] = [*warnings]
    conclude(document, _summary(status), *advice, as_json=as_json)


def show_asked_again(batch: str, count: int, resume: str, *, as_json: bool) -> None:
    """Print how many rows will be asked once more; `resume` is the command that sends them."""
    document = {"batch": batch, "asked_again": count, "next_command": resume}
    text = f"{plain(batch)}: {rows_text(count)} will be asked once more."
    conclude(document, text, f"Send them with:\n  {resume}", as_json=as_json)


def _print_notices(check: Check) -> None:
    """Print why rows are not simply sent: what concerns many rows, in one line."""
    for code, count in check.noticed.items():
        group = _GROUPS.get(code)
        if group is not None:
            complain(plain(group.format(rows=rows_text(count))))
            continue
        notices = [notice for notice in check.notices if notice.code == code][:_SHOWN]
        for notice in notices:
            complain(plain(f"Line {notice.line:,}: {notice.message}"))
        if count > len(notices):
            complain(f"And {count - len(notices):,} more like these.")
    if check.left_out:
        complain(
            f"{rows_text(check.left_out)} of the batch had not left and are not in this file: left "
            "out. A file that has them sends them."
        )


_SQLITE = "sqlite:///"
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
    none = "All that it has was created or rejected, or may have been sent."
    said = "None of them was created." if count else none
    text = f"{plain(batch)}: {rows_text(count)} dropped. {said}"
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
        state = {} if unread is None else {"state_unread": unread}
        next_command = None if status is None else command
        complain(json.dumps({"interrupted": True, "next_command": next_command, **state}))
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

    with (
        nullcontext(sys.stdout)
        if output is None
        else whole_file(output, "--output", mode=0o666) as file
    ):
        if as_json:
            count = _write_json(sender.export(refresh=refresh), file, note)
        else:
            count = sender.export_csv(file, escape=escape, refresh=refresh, on_result=note)
        file.flush()
    lines: list[str] = [] if output is None else [f"{rows_text(count)} written to {output}"]
    if refresh:
        listed = (
            ", ".join(_counted(word, count) for word, count in sorted(statuses.items()))
            or "nothing was created"
        )
        lines.append(f"The provider says now: {listed}.")
    if lines:
        complain(". ".join(lines))


def _write_json(
    results: Iterable[RowResult], file: TextIO, note: Callable[[RowResult], None]
) -> int:
    count = 0
    for count, result in enumerate(results, 1):  # noqa: B007 - it is returned
        note(result)
        fields = {
            name: getattr(result, name)
            for name in ("row", "key", "id", "status", "outcome", "error")
        }
        file.write(
            json.dumps({**fields, "columns": dict(result.extras), "asked": dict(result.asked)})
            + "\n"
        )
    return count


def counts(status: BatchStatus) -> str:
    """Return the number of rows by outcome. What is under way is not unknown yet, and what is left
    out is not refused.
    """
    numbers: dict[str, int] = {}
    for outcome, count in status.counts.items():
        if outcome == "unknown":
            numbers |= {"under_way": status.under_way, outcome: count - status.under_way}
        elif outcome == "refused":
            numbers |= {"left_out": status.left_out, outcome: count - status.left_out}
        else:
            numbers[outcome] = count
    shown = [f"{count:,} {name.replace('_', ' ')}" for name, count in numbers.items() if count]
    return ", ".join(shown) or "no rows"


def _counted(word: str, count: int) -> str:
    return f"{count:,} {plain(word)}{' (paid)' if word == 'completed' else ''}"


def _summary(status: BatchStatus) -> str:
    return f"{plain(status.batch)}: {rows_text(status.rows)}: {counts(status)}"


def _as_dict(status: BatchStatus) -> dict[str, Any]:
    check = None if status.check is None else _check_as_dict(status.check)
    held_since = _time(status.held_since)
    own = {"check": check, "unsettled": status.unsettled, "held_since": held_since}
    return {**asdict(status), **own}


def without_password(url: str) -> str:
    """Mask the passwords in a database URL."""
    hidden = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)([?&][^=&]*password=)[^&]*", r"\1***", hidden)


def _wrong(check: Check) -> str:
    if check.broken:
        expected = check.problems[0].code != "control_total"
        return "the file cannot be read" if expected else "the file is not the one that is expected"
    kinds = {
        f"{'row repeats' if check.repeated == 1 else 'rows repeat'} a key": check.repeated,
        f"{'row is' if check.invalid == 1 else 'rows are'} wrong": check.invalid,
    }
    return " and ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)


def _kinds(check: Check) -> str:
    kinds = {
        f"new ({_amounts(check)})": check.new,
        "stored before": check.unchanged,
        "to decide about": check.changed,
        "wrong": check.invalid,
        "with a repeated key": check.repeated,
    }
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count) or "none"
