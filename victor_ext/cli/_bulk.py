"""`victor bulk`: send many requests for payment, or payouts, from a file.

The commands come in the order in which a user needs them. What they have in common, such as their
options, is in `_bulk_session.py`; what they print is in `_bulk_output.py`.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

import victor_ext
from victor_ext._systems import DEFAULT

from . import _bulk_output
from ._bulk_session import (
    BatchSession,
    BulkSession,
    ExportSession,
    SendingSession,
    SendSession,
    WorkerSession,
)
from ._by_hand import add_commands_by_hand
from ._failures import Misuse
from ._options import (
    Yes,
    argument,
    flag,
    group,
    option,
    show_help,
    whole_number,
)
from ._screen import complain, plain, show_notices
from ._session import Provider, system_of, with_session
from ._signals import CommandStop
from ._wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender, Check, RowFile
    from victor_ext.prometheus import Prometheus

    from ._bulk_session import SendSession

bulk = group(
    "Send a file of payments, and know what became of each row. Requests for payment, or Velo's "
    "payouts; through crashes and across machines."
)


@bulk.callback()
def bulk_of(
    context: typer.Context,
    *,
    provider: Provider = DEFAULT,  # noqa: ARG001 - the commands read it from their context
) -> None:
    """Show the help of the group, unless a command is named. The help text is that of `group`."""
    show_help(context)


Refresh = Annotated[
    bool,
    flag(
        "--refresh",
        "Read the present status of the rows from the provider. (Victor: completed is paid.)",
        default=...,
    ),
]


@bulk.command()
@with_session
def send(
    session: SendSession,
    file: Path = argument("FILE"),
    *,
    expect_rows: int | None = option(
        "How many rows the file must have, 1 or more.", "N", parser=whole_number(1)
    ),
    expect_total: str | None = option("What all amounts of the file must be together.", "AMOUNT"),
    dry_run: bool = flag("--dry-run", "Check all rows, and send nothing."),
) -> None:
    """Send the rows of a file.

    FILE is CSV or JSON Lines. --dry-run says what is wrong with it. All rows are checked first. A
    row is a payment, whatever file has it: new, asked before, or corrected after a rejection. A
    sheet has every row that its batch has asked for. To ask once more for what has ended unpaid is
    a row with a number and a reference of its own, and the old number in the column instead_of.

    The exit status is 0 if every row is created, 3 if the outcome of some is unknown, 75 if some
    are not sent yet, and 1 if some are refused or rejected, or a person has to decide about some.
    """
    totals: dict[str, Any] = {"expect_rows": expect_rows, "expect_total": expect_total}
    batch = session.batch or file.name
    if str(file) == "-" or (file.exists() and not file.is_file()):
        raise Misuse(f"{plain(str(file))} is no file: write the rows into one, and name that.")
    run = SendRun(session, batch, totals)
    raise typer.Exit(run.try_out() if dry_run else run.send())


class SendRun:
    """One run of `victor bulk send`.

    Args:
        session: The session of the command.
        batch: The name of the batch.
        totals: What the file must have, as the sender takes it: `expect_rows`, `expect_total`.
    """

    def __init__(self, session: SendSession, batch: str, totals: dict[str, Any]) -> None:
        self._session = session
        self._batch = batch
        self._totals = totals
        self._warnings = list[str]()
        self._was_told = False
        """Whether the person knows the rows and the warnings."""
        self._row_file: RowFile | None = None

    @property
    def _file(self) -> RowFile:
        """The file. Its options are read once, in the session's block, where errors are shown."""
        if self._row_file is None:
            self._row_file = self._session.row_file
        return self._row_file

    def try_out(self) -> int:
        """Check the file, and send nothing; returns the exit status."""
        session = self._session
        with session.sender(self._batch, in_production=self._warn_of_first_batch) as sender:
            check = self._checked(sender)
            self._warn_of_references(check)
            status = _bulk_output.dry_run_status(check, skip_invalid=session.skip_invalid)
            _bulk_output.show_check(
                check, status, self._file, self._warnings, as_json=session.as_json
            )
        return status

    def send(self) -> int:
        """Send the file, once a person has agreed; returns the exit status."""
        session = self._session
        with session.sender(
            self._batch, self._question, in_production=self._warn_of_first_batch
        ) as sender:
            with session.interruptible(self._batch) as progress:

                def on_check(check: Check) -> None:
                    progress.close()
                    self._on_check(check)

                status = sender.send(
                    self._file,
                    on_load=progress.show_load,
                    on_check=on_check,
                    on_progress=progress.show,
                    **self._totals,
                )
            session.show_result(status, sender, self._warnings)
        return status.exit_status

    def _question(self, sender: BulkSender) -> str:
        """Check the file, print what to be warned of, and return what a person is asked below."""
        check = self._checked(sender)
        self._warn_of_references(check)
        self._print_warnings()
        self._was_told = True
        return f"{_bulk_output.summary_of(check, self._file)} {sender.effect}"

    def _checked(self, sender: BulkSender) -> Check:
        """Check the file, and show how far that is."""
        with self._session.interruptible(self._batch) as progress:
            return sender.check(self._file, on_load=progress.show_load, **self._totals)

    def _on_check(self, check: Check) -> None:
        """Announce the rows, and print the warnings, unless the question has named them, or this
        was done before: sending starts again if another process has made the state.
        """
        if self._was_told:
            return
        self._was_told = True
        self._warn_of_references(check)
        if not self._session.as_json:
            _bulk_output.announce(self._batch, check, self._file)
            self._print_warnings()

    def _print_warnings(self) -> None:
        for warning in self._warnings:
            complain(warning)

    def _warn_of_first_batch(self, sender: BulkSender) -> None:
        """Warn that the state is new, if it has no batch of this system in production. Raises
        `Misuse` if no person is asked, and none has said that it may be.
        """
        if sender.batches() or self._session.new_state:
            return
        title = system_of(self._session.provider).title
        warning = (
            f"This is the first batch of {title} in production in the state {plain(sender.state)}. "
            "What was sent from another state, or from a copy, is not known here, and is asked for "
            "again."
        )
        if self._session.yes:
            raise Misuse(f"{warning} Name that state; if there is none, add --new-state.")
        self._warnings.append(f"Warning: {warning}")

    def _warn_of_references(self, check: Check) -> None:
        """Warn that no row of the file has a reference."""
        reference = system_of(self._session.provider).load("bulk").reference
        if not check.has_references and not check.invalid and not check.broken:
            column = self._session.key_column or "NAME"
            self._warnings.append(
                f"Warning: no row has a {reference}. Without one, a row that may have been created "
                "cannot be looked up, and 'victor reconcile' compares only an export, by its ids. "
                f"Send a column as the reference with --column {reference}={column}."
            )


@bulk.command()
@with_session
def resume(session: SendingSession) -> None:
    """Continue an interrupted batch. Rows that are not settled are sent, or looked up.

    Without --batch, all of them. The exit status is that of `send`.
    """

    def question(sender: BulkSender) -> str:
        status = sender.status()
        return (
            f"{plain(status.batch)}: {status.unsettled:,} of {status.rows:,} rows are not "
            "settled, and are sent."
        )

    def resume_batch(batch: str) -> BatchStatus:
        with (
            session.sender(batch, question) as sender,
            session.interruptible(batch) as progress,
        ):
            status = sender.resume(on_progress=progress.show)
        session.show_result(status, sender)
        return status

    session.for_each_batch(resume_batch)


@bulk.command()
@with_session
def status(
    session: BatchSession,
    *,
    refresh: Refresh = False,
) -> None:
    """Show the progress of batches. With --refresh: what the provider says now. With --json: one
    JSON document a line.

    The exit status is that of the batch, as `send` would end: also 1 if
    a person has to decide about rows of its latest file.
    """

    def show(batch: str) -> BatchStatus:
        with session.sender(batch) as sender:
            status = sender.status(refresh=refresh)
            session.show_status(status, sender)
        return status

    session.for_each_batch(show)


@bulk.command()
@with_session
def export(
    session: ExportSession,
    *,
    output: Path | None = option(
        "Write to a file (default: standard output).", "FILE", names=["--output", "-o"]
    ),
    refresh: Refresh = False,
) -> None:
    """Write the outcome of each row as CSV. The exit status is 0, whatever the outcomes are.

    The columns are number, id, status, outcome,
    error, asked, agreed, currency and batch, and then the file's own.
    """
    batches = session.batches()
    with session.sender() as sender:
        _bulk_output.write_export(sender, batches, output, as_json=session.as_json, refresh=refresh)


@bulk.command()
@with_session
def drop(session: BatchSession) -> None:
    """Drop what a batch has not sent.

    What never left is not sent any more. What was sent, or may have been, stays in the state. To
    drop one row, delete it from the sheet, and send the sheet.
    """
    batch = session.single_batch()
    with session.sender(batch) as sender:
        count = sender.drop()
        effect = "None of them was created."
        if count == 0:
            effect = "All that it has was created or rejected, or may have been sent."
        text = f"{plain(batch)}: {rows_text(count)} dropped. {effect}"
        session.conclude({"batch": batch, "dropped": count}, text)


add_commands_by_hand(bulk, BulkSession)


class _StepSession(BulkSession):
    yes: Yes = False


@bulk.command()
@with_session
def instruct(session: _StepSession, batch: str = argument("BATCH")) -> None:
    """Have accepted payouts of Velo paid, each once. This moves money."""
    _take_step(session, "instruct", batch)


@bulk.command()
@with_session
def withdraw(session: _StepSession, batch: str = argument("BATCH")) -> None:
    """Withdraw accepted payouts of Velo before they are paid."""
    _take_step(session, "withdraw", batch)


def _take_step(session: BulkSession, step: str, batch: str) -> NoReturn:
    """Take a step with the payouts of a batch, and end the command."""

    def question(sender: BulkSender) -> str:
        return _bulk_output.step_question(step, sender.status(refresh=True))

    with session.sender(batch, question) as sender:
        results = sender.take_step(step)
    raise typer.Exit(_bulk_output.show_step(step, batch, results, as_json=session.as_json))


@bulk.command()
@with_session
def worker(
    session: WorkerSession,
    *,
    metrics_port: int | None = option(
        "Serve /metrics, /livez and /readyz on this port.", "PORT", parser=whole_number()
    ),
) -> None:
    """Work on the batches of a state until Ctrl-C. It is one more process, or machine.

    With --json: a line an event.
    """
    tell = partial(_bulk_output.show_event, as_json=session.as_json)
    metrics = None if metrics_port is None else _served_metrics(metrics_port)
    with (
        session.sender(session.batch, on_event=metrics) as sender,
        show_notices(partial(tell, "notice")),
    ):
        if metrics is not None:
            metrics.watch(sender)
        tell("working", f"Working on {sender.state}; Ctrl-C stops.")
        with suppress(KeyboardInterrupt):
            sender.work(stop=CommandStop())
        tell("stopped", "Stopped.")


def _served_metrics(port: int) -> Prometheus:
    """Return new metrics, which are served on this port from now on. Raises `Misuse`."""
    try:
        from victor_ext.prometheus import Prometheus  # noqa: PLC0415 - an extra of its own

        metrics = Prometheus()
        metrics.serve(port)
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    except (OSError, victor_ext.ConfigurationError) as error:
        raise Misuse(f"--metrics-port: {error}") from error
    return metrics
