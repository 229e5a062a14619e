"""`victor bulk`: send many requests for payment, or payouts, from a file."""

from __future__ import annotations

import gc
import re
import shlex
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE, UNKNOWN
from victor_ext.systems import DEFAULT

from . import bulk_output
from .failures import Misuse, victor_failure
from .screen import Progress, complain, notices, plain
from .session import Provider, Session, Yes, flag, option, system_of, with_session
from .signals import status_of

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender

bulk = typer.Typer(
    help="Many requests for payment, or Velo's payouts, from a file, through crashes and across machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@bulk.callback()
def bulk_of(*, provider: Provider = DEFAULT) -> None:
    """Name the system of the commands; they read it from their context."""


_DEFAULT_STATE = "sqlite:///victor-bulk.sqlite"
STEPS = {
    "instruct": "Have the payouts that Velo has accepted paid, each at most once. This moves money.",
    "withdraw": "Withdraw the payouts that Velo has accepted, before they are paid.",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration: write 24h, 90m or 3600s.")
    return float(match[1]) * _UNITS[match[2] or "s"]


State = Annotated[
    str, option("Where the batch is kept: sqlite:///FILE, or postgresql://... (several machines).", "URL")
]
Batch = Annotated[str | None, option("The batch's name.", "NAME")]
BatchName = Annotated[str | None, typer.Argument(metavar="[BATCH]", help="The batch, when there are several.")]
Rate = Annotated[float | None, option("Maximum rows per second over all machines (default: no limit).", "N")]
Workers = Annotated[int, option("Concurrent calls of this process, 1 to 100.", "N")]
Refresh = Annotated[
    bool, flag("--refresh", "Read the present status of the requests from the provider: completed is paid.")
]
KeyRetention = Annotated[
    float | None,
    option(
        "How long the provider keeps a key: 24h, 90m, 3600s. What may have been sent earlier is looked up and "
        "not sent again. (default: 24h)",
        "TIME",
        parser=_seconds,
    ),
]
Patience = Annotated[
    float | None, option("How long a row is tried while the provider fails (default: 120).", "SECONDS")
]
By = Annotated[str | None, option("Who does it: stored with it.", "NAME")]
NotBySender = Annotated[
    bool, flag("--not-by-sender", "Another person than who sent the rows has to instruct or withdraw them.")
]


@contextmanager
def _fewer_collections() -> Generator[None]:
    """Search for cycles of objects every 10,000 objects that stay, in place of 700, which costs 8 % of a row."""
    before = gc.get_threshold()
    gc.set_threshold(10_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True)
class _State:
    """Where batches are kept, for a command about them. `terms` are options of all its senders."""

    session: Session
    place: str
    terms: Mapping[str, Any] = field(default_factory=dict[str, Any])
    yes: bool = False

    @property
    def provider(self) -> str:
        parent = self.session.command.parent
        return DEFAULT if parent is None else parent.params.get("provider", DEFAULT)

    @contextmanager
    def sender(self, question: Callable[[BulkSender], str] | None = None, **options: Any) -> Generator[BulkSender]:
        """Open a sender for the block. A failure ends the command. In production, the question is asked first."""
        try:
            from victor_ext.bulk import BulkSender, InvalidRows  # noqa: PLC0415 - an extra of its own, and heavy
        except ImportError as error:
            raise Misuse(f"{error}.") from error
        session = replace(self.session, failed=FOR_NOW)
        session.use_profile(self.provider)
        if why := system_of(self.provider).why_not_bulk:
            raise Misuse(why)
        with (
            _fewer_collections(),
            session.failures(),
            session.client_of(self.provider, limits=BulkSender.limits)[1] as victor,
        ):
            try:
                sender = BulkSender(victor, state=self.place, **self.terms, **options)
                if question is not None:
                    session.confirm(victor, partial(question, sender), yes=self.yes)
                yield sender
            except InvalidRows as error:
                failure = victor_failure(error, None, session.spelled)
                bulk_output.report_invalid(failure, error.check, as_json=session.as_json)
                raise typer.Exit(failure.exit_status) from None

    def next(self, command: str, batch: str) -> str:
        """Return another command for the batch, without passwords, for display."""
        place = [] if self.place == _DEFAULT_STATE else ["--state", bulk_output.without_password(self.place)]
        unasked = ["--yes"] if self.yes and command == "resume" else []
        system = [] if self.provider == DEFAULT else ["--provider", self.provider]
        named = [batch] if command in STEPS else ["--batch", batch]
        return shlex.join(["victor", "bulk", *system, command, *named, *place, *unasked, *self.session.options()])

    def batches(self, name: str | None, batch: str | None) -> list[str]:
        """Return the batch that is named, in either way, or all of them."""
        named = {one for one in (name, batch) if one is not None}
        if len(named) > 1:
            raise Misuse(f"Two batches are named, {name} and {batch}: name one.")
        if named:
            return [*named]
        with self.sender() as sender:
            names = sender.batches()
        if not names:
            raise Misuse(
                f"There is no batch in {bulk_output.without_password(self.place)}: nothing was stored there, and "
                "nothing was sent from it. Begin with 'victor bulk send', and the name of your file."
            )
        return names

    def batch(self, name: str | None, batch: str | None) -> str:
        names = self.batches(name, batch)
        if len(names) > 1:
            raise Misuse(f"There are several batches ({', '.join(names)}): name one of them with --batch.")
        return names[0]

    @contextmanager
    def run(self, sender: BulkSender, batch: str, again: str = "resume") -> Generator[Callable[[BatchStatus], None]]:
        """Yield what shows the progress of a batch. Ctrl-C ends the block, and shows how to continue."""
        latest: BatchStatus | None = None

        def show(status: BatchStatus) -> None:
            nonlocal latest
            latest = status
            waiting = sum(count for outcome, count in status.counts.items() if outcome == "waiting")
            progress.show(status.batch, status.rows - waiting, status.rows, bulk_output.counts(status))

        with Progress(as_json=self.session.as_json) as progress:
            try:
                yield show
            except KeyboardInterrupt as error:
                progress.close()
                unread = None if latest is None else _unread(sender)
                command = self.next(again, batch)
                bulk_output.show_interruption(latest, command, unread, as_json=self.session.as_json)
                raise typer.Exit(status_of(error)) from None

    def finish(self, statuses: list[BatchStatus], failures: Sequence[int] = ()) -> NoReturn:
        """Show what became of the batches, and end the command. Other batches have ended with `failures`."""
        for one in statuses:
            bulk_output.show_result(one, partial(self.next, batch=one.batch), as_json=self.session.as_json)
        raise typer.Exit(_worst([*failures, *(one.exit_status for one in statuses)]))


@bulk.command()
@with_session
def send(
    session: Session,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or JSON Lines file; docs/bulk.md has its columns.")
    ],
    *,
    batch: Annotated[str | None, option("The batch's name (default: the file's).", "NAME")] = None,
    state: State = _DEFAULT_STATE,
    key_column: Annotated[
        str | None,
        option(
            "The column that tells the rows apart; their keys are made of it. (default: the batch's, or "
            "client_reference_id)",
            "NAME",
        ),
    ] = None,
    rate: Rate = None,
    workers: Workers = 16,
    due_date: Annotated[str | None, option("Of rows without one: YYYY-MM-DD, today or tomorrow.", "DATE")] = None,
    payor_id: Annotated[str | None, option("Velo's payor, of rows without one.", "ID")] = None,
    skip_invalid: Annotated[bool, flag("--skip-invalid", "Set bad rows aside, instead of refusing the file.")] = False,
    encoding: Annotated[str | None, option("Of the file, such as windows-1252 (default: UTF-8).", "NAME")] = None,
    key_retention: KeyRetention = None,
    patience: Patience = None,
    ask_again: Annotated[
        bool,
        flag(
            "--ask-again", "Send the rows of an earlier file again, on purpose: all of their customers are asked again."
        ),
    ] = False,
    by: By = None,
    not_by_sender: NotBySender = False,
    expect_rows: Annotated[int | None, option("How many rows the file must have.", "N", min=1)] = None,
    expect_total: Annotated[str | None, option("What all amounts of the file must be together.", "AMOUNT")] = None,
    dry_run: Annotated[bool, flag("--dry-run", "Check all rows, and send nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Send the rows of a file.

    All rows are checked first. Sending the same file again under the same name asks nobody twice: rows that were
    sent are skipped, added rows are sent, and changed rows are refused.
    """
    options: dict[str, Any] = {
        "batch": batch or file.name, "key_column": key_column, "rate": rate, "workers": workers, "due_date": due_date,
        "skip_invalid": skip_invalid, "encoding": encoding, "key_retention": key_retention, "patience": patience,
        "ask_again": ask_again, "payor_id": payor_id, "by": by, "not_by_sender": not_by_sender,
    }  # fmt: skip
    kept = _State(session, state, options, yes)
    totals: dict[str, Any] = {"expect_rows": expect_rows, "expect_total": expect_total}

    def question(sender: BulkSender) -> str:
        return f"{bulk_output.summary_of(sender.check(file, **totals))} {sender.effect}"

    with kept.sender(None if dry_run else question) as sender:
        if dry_run:
            check = sender.check(file, **totals)
            exit_status = bulk_output.exit_status_of(check, skip_invalid=skip_invalid)
            bulk_output.show_check(check, exit_status, as_json=session.as_json)
            raise typer.Exit(exit_status)
        with kept.run(sender, batch or file.name) as show:
            status = sender.send(file, on_progress=show, **totals)
        kept.finish([status])


@bulk.command()
@with_session
def resume(
    session: Session,
    name: BatchName = None,
    *,
    batch: Batch = None,
    state: State = _DEFAULT_STATE,
    rate: Rate = None,
    workers: Workers = 16,
    key_retention: KeyRetention = None,
    patience: Patience = None,
    yes: Yes = False,
) -> None:
    """Continue an interrupted batch: retry, with the same keys, the rows that are not settled."""
    terms = {"rate": rate, "workers": workers, "key_retention": key_retention, "patience": patience}
    kept = _State(session, state, terms, yes)
    statuses, failures = list["BatchStatus"](), list[int]()

    def question(sender: BulkSender) -> str:
        status = sender.status()
        return f"{plain(status.batch)}: {status.unsettled:,} of {status.rows:,} rows are not settled, and are sent."

    for one in kept.batches(name, batch):
        with _noting(failures), kept.sender(question, batch=one) as sender, kept.run(sender, one) as show:
            statuses.append(sender.resume(on_progress=show))
    kept.finish(statuses, failures)


@bulk.command()
@with_session
def status(
    session: Session,
    name: BatchName = None,
    *,
    batch: Batch = None,
    state: State = _DEFAULT_STATE,
    refresh: Refresh = False,
) -> None:
    """Show the progress of batches; with --refresh: who has paid. With --json: one JSON document a line.

    The exit status is that of the stored rows. Changed rows of a file are not among them: `send` refuses them.
    """
    kept, exit_statuses = _State(session, state), list[int]()
    for one in kept.batches(name, batch):
        with _noting(exit_statuses), kept.sender(batch=one) as sender:
            status = sender.status(refresh=refresh)
            exit_statuses.append(status.exit_status)
            bulk_output.show_status(status, kept.next("resume", one), as_json=session.as_json)
    raise typer.Exit(_worst(exit_statuses))


@bulk.command()
@with_session
def export(
    session: Session,
    name: BatchName = None,
    *,
    batch: Batch = None,
    state: State = _DEFAULT_STATE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file (default: standard output).", metavar="FILE")
    ] = None,
    no_escape: Annotated[
        bool,
        flag(
            "--no-escape", "Write all text as it is, for programs. (default: a ' before what a spreadsheet would run)"
        ),
    ] = False,
    refresh: Refresh = False,
) -> None:
    """Write the outcome of each row as CSV. The exit status is 0, whatever the outcomes are.

    The columns are row, key, id, status, outcome, error, the file's other columns, and what was asked of whom.
    """
    kept = _State(session, state)
    one = kept.batch(name, batch)
    with kept.sender(batch=one) as sender:
        go_on = kept.next("resume", one)
        bulk_output.write_export(sender, output, go_on, as_json=session.as_json, escape=not no_escape, refresh=refresh)


@bulk.command()
@with_session
def drop(session: Session, name: BatchName = None, *, batch: Batch = None, state: State = _DEFAULT_STATE) -> None:
    """Drop what was never sent: refused rows, and rows that were left being stored."""
    kept = _State(session, state)
    one = kept.batch(name, batch)
    with kept.sender(batch=one) as sender:
        count = sender.drop()
        left = None if count else sender.status()
        bulk_output.show_dropped(one, count, left, kept.next("resume", one), as_json=session.as_json)


def _add_step(step: str, text: str) -> None:
    @bulk.command(step, help=text)
    @with_session
    def take(
        session: Session,
        batch: Annotated[str, typer.Argument(metavar="BATCH", help="The batch.")],
        *,
        state: State = _DEFAULT_STATE,
        by: By = None,
        not_by_sender: NotBySender = False,
        yes: Yes = False,
    ) -> None:
        kept = _State(session, state, {"by": by, "not_by_sender": not_by_sender}, yes)

        def question(sender: BulkSender) -> str:
            return bulk_output.step_question(step, sender.status(refresh=True))

        with kept.sender(question, batch=batch) as sender, kept.run(sender, batch, step) as show:
            status = sender.take_step(step, on_progress=show)
        bulk_output.show_step(step, batch, status, kept.next(step, batch), as_json=session.as_json)
        raise typer.Exit(status.exit_status)


for each in STEPS.items():
    _add_step(*each)


@bulk.command()
@with_session
def worker(
    session: Session,
    *,
    batch: Annotated[str | None, option("Only this batch (default: all of them, present and future).", "NAME")] = None,
    state: State = _DEFAULT_STATE,
    workers: Workers = 16,
    key_retention: KeyRetention = None,
    patience: Patience = None,
) -> None:
    """Work on the batches of a PostgreSQL database until Ctrl-C, as one more machine."""
    if state.startswith("sqlite"):
        raise Misuse(
            "--state is an SQLite file, on which one process works at a time, and 'victor bulk send' and 'victor bulk "
            "resume' do that work themselves: run 'victor bulk resume', or keep the batch in --state postgresql://..."
        )
    terms = {"batch": batch, "workers": workers, "key_retention": key_retention, "patience": patience}
    with _State(session, state, terms).sender() as sender, notices():
        complain(f"Working on {bulk_output.without_password(state)}; Ctrl-C stops.")
        try:
            sender.work()
        except KeyboardInterrupt:
            complain("Stopped.")
            raise typer.Exit from None


def _unread(sender: BulkSender) -> str | None:
    """Return why the state cannot be read, or None. The batch was there: an error may not say that it never was."""
    from victor_ext import ConfigurationError, VictorError  # noqa: PLC0415 - `victor --help` needs neither

    try:
        sender.status()
    except ConfigurationError:
        return (
            "The state does not have this batch any more, or cannot be read. Put a copy of it back; without one, "
            "reconcile your rows with the provider before any of them is sent again."
        )
    except VictorError as error:
        return str(error)
    return None


@contextmanager
def _noting(exit_statuses: list[int]) -> Generator[None]:
    """Note how a block has failed, and go on with the next batch; a signal ends the command."""
    try:
        yield
    except typer.Exit as end:
        if end.exit_code > FOR_NOW:
            raise
        exit_statuses.append(end.exit_code)


def _worst(exit_statuses: list[int]) -> int:
    """Return the exit status of a command for several batches: first what is not known, then what can be repeated."""
    return max(exit_statuses, key=(0, FAILED, MISUSE, FOR_NOW, UNKNOWN).index, default=0)
