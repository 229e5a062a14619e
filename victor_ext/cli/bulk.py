"""`victor bulk`: many requests for payment, from a file."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from . import bulk_view
from .bulk_progress import Progress, notices
from .bulk_wording import as_options
from .failures import INTERRUPTED, TERMINATED, Misuse, Terminated, victor_failure
from .options import AsJson, BaseUrl, Deadline, Environment

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender

bulk = typer.Typer(
    help="Many requests for payment, from a file, through crashes and across machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_DEFAULT_STATE = "sqlite:///victor-bulk.sqlite"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

State = Annotated[
    str,
    typer.Option(
        help="Where the batch is kept: sqlite:///FILE, or postgresql://... for several machines.", metavar="URL"
    ),
]
Batch = Annotated[str | None, typer.Option(help="The batch's name.", metavar="NAME")]
BatchName = Annotated[str | None, typer.Argument(metavar="[BATCH]", help="The batch, when there are several.")]
Rate = Annotated[
    float | None,
    typer.Option(help="Rows a second at most, over all machines (default: as fast as it goes).", metavar="N"),
]
Workers = Annotated[int, typer.Option(help="Calls under way at a time in this process, 1 to 100.", metavar="N")]
KeyRetention = Annotated[
    str | None,
    typer.Option(
        help="How long the provider keeps a key: 24h, 90m, 3600s. What may have been sent longer ago is looked up and "
        "not sent again. (default: 24h)",
        metavar="TIME",
    ),
]
Patience = Annotated[
    float | None,
    typer.Option(help="How long one row is tried while the provider fails (default: 120).", metavar="SECONDS"),
]


@dataclass(frozen=True, slots=True)
class Setup:
    """What all commands have in common."""

    state: str = field(repr=False)  # it may have a password
    environment: str | None
    base_url: str | None
    deadline: float | None
    as_json: bool
    workers: int = 16

    @contextmanager
    def sender(self, **options: Any) -> Generator[BulkSender]:
        """A sender for the block. What goes wrong in it is reported and ends the command."""
        with ExitStack() as stack:
            stack.enter_context(self.reported())
            try:
                from victor_ext.bulk import BulkSender  # noqa: PLC0415 - an extra of its own, and heavy
            except ImportError as error:
                raise Misuse(f"{error}.") from error
            import httpx  # noqa: PLC0415 - `victor --help` does not need it

            from victor_ext import Victor  # noqa: PLC0415 - see above

            given = {"environment": self.environment, "base_url": self.base_url, "deadline": self.deadline}
            victor = Victor.from_env(
                limits=httpx.Limits(max_connections=2 * self.workers + 4),
                **{name: value for name, value in given.items() if value is not None},
            )
            stack.enter_context(victor)
            yield BulkSender(victor, state=self.state, workers=self.workers, **options)

    @contextmanager
    def reported(self) -> Generator[None]:
        """Say what went wrong in the block, and end with its exit status."""
        from victor_ext import VictorError  # noqa: PLC0415 - `victor --help` does not need it

        try:
            yield
        except VictorError as error:
            failure = victor_failure(error, None)
            failure = replace(failure, message=as_options(failure.message))
            check = getattr(error, "check", None)
            if check is not None:
                bulk_view.report_invalid(failure, check, as_json=self.as_json)
            else:
                failure.report(as_json=self.as_json)
            raise typer.Exit(failure.exit_status) from None

    def options(self) -> list[str]:
        """The same options for another command line, which is shown: without a password."""
        given = {"--state": None if self.state == _DEFAULT_STATE else bulk_view.without_password(self.state)}
        given |= {"--environment": self.environment, "--base-url": self.base_url}
        return [word for name, value in given.items() if value is not None for word in (name, value)]


@bulk.command()
def send(
    file: Annotated[Path, typer.Argument(help="A CSV or JSON Lines file: columns are arguments of rfp create.")],
    *,
    batch: Annotated[str | None, typer.Option(help="The batch's name (default: the file's).", metavar="NAME")] = None,
    state: State = _DEFAULT_STATE,
    key_column: Annotated[
        str | None,
        typer.Option(
            help="The column that tells the rows apart; their keys are made of it. (default: the batch's, or "
            "client_reference_id)",
            metavar="NAME",
        ),
    ] = None,
    rate: Rate = None,
    workers: Workers = 16,
    due_date: Annotated[
        str | None,
        typer.Option(help="For rows without a due date: YYYY-MM-DD, today or tomorrow.", metavar="DATE"),
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Set bad rows aside, in place of refusing the file.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file, such as windows-1252 (default: UTF-8).", metavar="NAME")
    ] = None,
    key_retention: KeyRetention = None,
    patience: Patience = None,
    ask_again: Annotated[
        bool, typer.Option("--ask-again", help="Send the rows of another batch once more, on purpose, to all of them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all rows, and send nothing.")] = False,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Send the rows of a file.

    All of them are checked first. Sending the same file again under the same name never asks anybody twice: rows
    that were sent are left alone, rows that were added are sent, rows whose values changed are refused.
    """
    setup = Setup(state, environment, base_url, deadline, as_json, workers)
    options: dict[str, Any] = {
        "batch": batch,
        "key_column": key_column,
        "rate": rate,
        "due_date": due_date,
        "skip_invalid": skip_invalid,
        "encoding": encoding,
        "ask_again": ask_again,
        "key_retention": _seconds("--key-retention", key_retention),
        "patience": patience,
    }
    with setup.sender(**options) as sender, Progress(as_json=as_json) as progress:
        if dry_run:
            check = sender.check(file, on_row=progress.row)
            progress.close()
            bulk_view.show_check(check, skip_invalid=skip_invalid, as_json=as_json)
            raise typer.Exit(bulk_view.exit_status_of(check, skip_invalid=skip_invalid))
        with _stoppable(setup, progress, batch or file.name):
            status = sender.send(file, on_row=progress.row, on_progress=progress.show)
        progress.close()
        _finish([status], setup)


@bulk.command()
def resume(
    name: BatchName = None,
    *,
    batch: Batch = None,
    state: State = _DEFAULT_STATE,
    rate: Rate = None,
    workers: Workers = 16,
    key_retention: KeyRetention = None,
    patience: Patience = None,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Go on with what was interrupted, and try what is not settled again, with the same keys."""
    setup = Setup(state, environment, base_url, deadline, as_json, workers)
    options: dict[str, Any] = {
        "rate": rate,
        "key_retention": _seconds("--key-retention", key_retention),
        "patience": patience,
    }
    found: list[BatchStatus] = []
    for one in _batches(setup, name, batch):
        with setup.sender(batch=one, **options) as sender, Progress(as_json=as_json) as progress:
            with _stoppable(setup, progress, one):
                found.append(sender.resume(on_progress=progress.show))
            progress.close()
    _finish(found, setup)


@bulk.command()
def status(
    name: BatchName = None,
    *,
    batch: Batch = None,
    state: State = _DEFAULT_STATE,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
) -> None:
    """Show how far batches have come. With --json: one JSON document a line."""
    setup = Setup(state, environment, base_url, None, as_json)
    for one in _batches(setup, name, batch):
        with setup.sender(batch=one) as sender:
            bulk_view.show_status(sender.status(), as_json=as_json)


@bulk.command()
def export(
    name: BatchName = None,
    *,
    batch: Batch = None,
    state: State = _DEFAULT_STATE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file (default: standard output).", metavar="FILE")
    ] = None,
    no_escape: Annotated[
        bool,
        typer.Option(
            "--no-escape",
            help="Write all text as it is, for programs. (default: a ' before what a spreadsheet would run)",
        ),
    ] = False,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
) -> None:
    """Write what became of each row, as CSV.

    The columns are row, key, id, status, outcome, error, the file's other columns, and what was asked of whom.
    """
    setup = Setup(state, environment, base_url, None, as_json)
    found = _batches(setup, name, batch)
    if len(found) > 1:
        raise Misuse(f"There are several batches ({', '.join(found)}): name one of them.")
    with setup.sender(batch=found[0]) as sender:
        bulk_view.write_export(sender, output, as_json=as_json, escape=not no_escape)


@bulk.command()
def worker(
    *,
    state: State = _DEFAULT_STATE,
    workers: Workers = 16,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Work on the batches of a database until Ctrl-C: another machine that helps."""
    setup = Setup(state, environment, base_url, deadline, as_json, workers)
    with setup.sender() as sender, notices():
        print(f"Working on {bulk_view.without_password(state)}; Ctrl-C stops.", file=sys.stderr)
        try:
            sender.work()
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)
            _leave(0)


def _batches(setup: Setup, name: str | None, batch: str | None) -> list[str]:
    """The batch that was named, or all that are there."""
    if name is not None and batch is not None and name != batch:
        raise Misuse(f"Two batches are named, {name} and {batch}: name one.")
    if name is not None or batch is not None:
        return [name or batch or ""]
    with setup.sender() as sender:
        found = sender.batches()
    if not found:
        raise Misuse(
            f"There is no batch in {bulk_view.without_password(setup.state)}: nothing was stored there, and nothing "
            "was sent from it. Begin with: victor bulk send FILE"
        )
    return found


@contextmanager
def _stoppable(setup: Setup, progress: Progress, batch: str) -> Generator[None]:
    """Let Ctrl-C end the block cleanly, and say how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        progress.close()
        bulk_view.show_interruption(
            progress.latest, ["victor", "bulk", "resume", "--batch", batch, *setup.options()], as_json=setup.as_json
        )
        _leave(TERMINATED if isinstance(error, Terminated) else INTERRUPTED)


def _leave(status: int) -> NoReturn:
    """End with a status. Threads are not waited for: after a second Ctrl-C one may still be in a call."""
    if any(thread.name.startswith(("victor-bulk", "dbos")) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    raise typer.Exit(status)


def _finish(found: list[BatchStatus], setup: Setup) -> None:
    for one in found:
        bulk_view.show_result(one, setup.options(), as_json=setup.as_json)
    statuses = {one.exit_status for one in found}
    _leave(3 if 3 in statuses else max(statuses, default=0))


def _seconds(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", text)
    if match is None:
        raise Misuse(f"{option} is {text!r}: write a time such as 24h, 90m or 3600s.")
    return float(match[1]) * _UNITS[match[2] or "s"]
