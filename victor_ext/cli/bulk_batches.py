"""Where batches are kept, and the options of commands about them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE, UNKNOWN
from victor_ext.systems import DEFAULT

from . import bulk_output
from .chosen_system import provider_of, system_of
from .failures import Misuse, victor_failure
from .options import Yes, argument, flag, number, option, seconds, whole_number
from .row_files import ColumnFile, Columns, DateFormat, DecimalMark, Encoding, columns_of
from .screen import Progress
from .session import Session, without_none
from .signals import status_of

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender, InvalidRows, RowFile

_DEFAULT_STATE = "sqlite:///victor-bulk.sqlite"
STEPS = {
    "instruct": "Have the payouts that Velo has accepted paid, each at most once. This moves "
    "money.",
    "withdraw": "Withdraw the payouts that Velo has accepted, before they are paid.",
}
_OF_FILE = ("column", "columns", "decimal", "date_format", "encoding")
_BY_WEIGHT = (0, FAILED, MISUSE, FOR_NOW, UNKNOWN)
"""Exit statuses of batches: of several, the last one counts."""
_NOT_OF_SENDER = ("state", "batch", "name", "yes", *_OF_FILE)


class Batches(Session):
    """Where batches are kept, for a command about them.

    The options of subclasses are those of its senders.
    """

    state: Annotated[
        str,
        option(
            "Where the batch is kept: sqlite:///FILE, or postgresql://... (several machines).",
            "URL",
        ),
    ] = _DEFAULT_STATE
    yes = False

    @property
    def provider(self) -> str:
        return provider_of(self.command)

    @contextmanager
    def sender(
        self,
        batch: str | None = None,
        question: Callable[[BulkSender], str] | None = None,
        *,
        on_event: Any = None,
        in_production: Callable[[BulkSender], None] | None = None,
    ) -> Generator[BulkSender]:
        """Open a sender for the block.

        A failure ends the command. In production, `in_production` is called first, and then the
        question is asked.
        """
        try:
            from victor_ext.bulk import BulkSender, InvalidRows  # noqa: PLC0415 - an extra of its own, and heavy
        except ImportError as error:
            raise Misuse(f"{error}.") from error
        why_not = system_of(self.provider).why_not_bulk
        if why_not:
            raise Misuse(why_not)
        options = self.sender_options()
        settings = {"limits": BulkSender.limits, "on_event": on_event}
        with self.failures(failed=FOR_NOW), self.client_of(self.provider, **settings)[1] as victor:
            try:
                sender = BulkSender(victor, batch=batch, state=self.state, **options)
                if in_production is not None and victor.environment == "production":
                    in_production(sender)
                if question is not None:
                    self.confirm(victor, partial(question, sender), yes=self.yes)
                yield sender
            except InvalidRows as error:
                self._refuse_rows(error)

    def _refuse_rows(self, error: InvalidRows) -> NoReturn:
        failure = victor_failure(error, None, self.spelled)
        rows = self.rows
        assert rows is not None, "only a file has invalid rows"
        bulk_output.report_invalid(failure, error.check, rows, as_json=self.as_json)
        raise typer.Exit(failure.exit_status) from None

    def next(self, command: str, batch: str) -> str:
        """Return another command for the batch, without passwords, for display."""
        words = ["victor", "bulk"]
        if self.provider != DEFAULT:
            words += ["--provider", self.provider]
        words += [command, batch] if command in STEPS else [command, "--batch", batch]
        if self.state != _DEFAULT_STATE:
            words += ["--state", bulk_output.without_password(self.state)]
        if self.yes and command == "resume":
            words.append("--yes")
        return shlex.join([*words, *self.options()])

    @contextmanager
    def run(
        self, sender: BulkSender, batch: str, again: str = "resume"
    ) -> Generator[Callable[[BatchStatus], None]]:
        """Yield what shows the progress of a batch.

        Ctrl-C ends the block, and shows how to continue.
        """
        latest: BatchStatus | None = None

        def show(status: BatchStatus) -> None:
            nonlocal latest
            latest = status
            show_progress(progress, status)

        with Progress(as_json=self.as_json) as progress:
            try:
                yield show
            except KeyboardInterrupt as error:
                progress.close()
                unread = None if latest is None else _unread(sender)
                bulk_output.show_interruption(
                    latest, self.next(again, batch), unread, as_json=self.as_json
                )
                raise typer.Exit(status_of(error)) from None

    @property
    def rows(self) -> RowFile | None:
        """The file that is sent, and how it is written; None: no file is."""
        return None

    def sender_options(self) -> dict[str, Any]:
        """Return what options say to a sender."""
        options = without_none(self.own)
        for name in _NOT_OF_SENDER:
            options.pop(name, None)
        return options

    def show_status(self, status: BatchStatus) -> None:
        """Show how far a batch is."""
        command = partial(self.next, batch=status.batch)
        bulk_output.show_status(status, command, as_json=self.as_json)

    def show(self, status: BatchStatus, sender: BulkSender, warnings: Sequence[str] = ()) -> None:
        """Show what became of a batch."""
        command = partial(self.next, batch=status.batch)
        bulk_output.show_result(
            status, command, self.rows, sender.steps, warnings, as_json=self.as_json
        )


def batch_names(ctx: typer.Context) -> list[str]:
    from victor_ext.bulk import BulkSender  # noqa: PLC0415 - an extra of its own, and heavy

    typed = Batches.typed(ctx)
    with typed.client_of(typed.provider)[1] as victor:
        return BulkSender(victor, state=typed.state).batches()


class Kept(Batches):
    batch: Annotated[
        str | None,
        option(
            "The batch's name (default: that of the file, or all of them).",
            "NAME",
            known=batch_names,
        ),
    ] = None

    def named(self) -> list[str]:
        """Return the batch that is named, or nothing."""
        return [] if self.batch is None else [self.batch]

    def batches(self) -> list[str]:
        """Return the batch that is named, in either way, or all of them."""
        named = self.named()
        if len(named) > 1:
            raise Misuse(f"Two batches are named, {' and '.join(named)}: name one.")
        if named:
            return named
        with self.sender() as sender:
            names = sender.batches()
        if not names:
            raise Misuse(
                f"There is no batch in {bulk_output.without_password(self.state)}: nothing was "
                "stored there, and nothing was sent from it. Begin with 'victor bulk send', and "
                "the name of your file."
            )
        return names

    def one_batch(self) -> str:
        names = self.batches()
        if len(names) > 1:
            raise Misuse(
                f"There are several batches ({', '.join(names)}): name one of them with --batch."
            )
        return names[0]

    def each(self, act: Callable[[str], BatchStatus]) -> NoReturn:
        """Do it with each batch, also if it fails with one, and end the command; a signal ends it
        at once.

        Of the exit statuses, what is not known comes first, then what can be repeated.
        """
        statuses = list[int]()
        for batch in self.batches():
            try:
                statuses.append(act(batch).exit_status)
            except typer.Exit as end:
                if end.exit_code > FOR_NOW:
                    raise
                statuses.append(end.exit_code)
        raise typer.Exit(max(statuses, key=_BY_WEIGHT.index))


class Named(Kept):
    name: Annotated[
        str | None,
        argument("BATCH", known=batch_names),
    ] = None

    def named(self) -> list[str]:
        """Return the batch that is named, in either way."""
        return list(dict.fromkeys(filter(None, (self.name, self.batch))))


class Terms(Kept):
    workers: Annotated[
        int | None,
        option(
            "Concurrent calls of this process, 1 to 100 (default: 16).", "N", parser=whole_number()
        ),
    ] = None
    key_retention: Annotated[
        float | None,
        option(
            "Victor: how long it keeps a key: 24h, 90m, 3600s. What may have been sent earlier is "
            "looked up and not sent again. (default: 24h)",
            "TIME",
            parser=seconds,
        ),
    ] = None
    patience: Annotated[
        float | None,
        option(
            "How long a row is tried while the provider fails (default: 120).",
            "SECONDS",
            parser=number(),
        ),
    ] = None


class Sent(Terms):
    rate: Annotated[
        float | None,
        option(
            "Maximum rows, or payouts of Velo, per second over all machines (default: no limit).",
            "N",
            parser=number(),
        ),
    ] = None
    yes: Yes = False


class Resume(Named, Sent):
    pass


class Step(Batches):
    by: Annotated[str | None, option("Who does it: stored with it.", "NAME")] = None
    not_by_sender: Annotated[
        bool,
        flag(
            "--not-by-sender",
            "Another person than who sent the rows has to instruct or withdraw them.",
        ),
    ] = False
    yes: Yes = False


class Send(Step, Sent):
    key_column: Annotated[
        str | None,
        option(
            "Victor: the column that tells the rows apart; their keys are made of it. (default: "
            "the batch's, or client_reference_id) Velo's rows are told apart by payor_payment_id.",
            "NAME",
        ),
    ] = None
    due_date: Annotated[
        str | None, option("Victor: of rows without one: YYYY-MM-DD, today or tomorrow.", "DATE")
    ] = None
    payor_id: Annotated[str | None, option("Velo: the payor, of rows without one.", "ID")] = None
    skip_invalid: Annotated[
        bool, flag("--skip-invalid", "Set bad rows aside, instead of refusing the file.")
    ] = False
    column: Columns = None
    columns: ColumnFile = None
    decimal: DecimalMark = None
    date_format: DateFormat = None
    encoding: Encoding = None
    key_kind: Annotated[
        str | None,
        option(
            "Victor: what that column names. A file that is keyed by customers names its month, "
            "such as subscription-2026-11. (default: the batch's, or invoice)",
            "WORD",
        ),
    ] = None

    @property
    def rows(self) -> RowFile:
        from victor_ext.bulk import RowFile  # noqa: PLC0415 - an extra of its own, and heavy

        return RowFile(
            self.command.params["file"],
            self.headings(),
            decimal=self.decimal,
            date_format=self.date_format,
            encoding=self.encoding,
        )

    def headings(self) -> dict[str, str | None]:
        """Return the file's own headings of columns. Raises `Misuse`."""
        elsewhere: Sequence[str] = ()
        if self.columns is not None:
            from victor_ext.reconciliation import COLUMNS  # noqa: PLC0415 - only such a file needs it

            elsewhere = [*COLUMNS, *chain.from_iterable(COLUMNS.values())]
        known = system_of(self.provider).load("bulk").columns
        return columns_of(self.column, self.columns, known=known, elsewhere=elsewhere)

    def sender_options(self) -> dict[str, Any]:
        options = super().sender_options()
        # A column that is read by our name may be named by its own heading.
        for name, heading in self.headings().items():
            if heading is not None and heading == self.key_column:
                options["key_column"] = name
        return options


def show_progress(progress: Progress, status: BatchStatus) -> None:
    progress.show(
        status.batch,
        status.settled,
        status.rows,
        bulk_output.counts(status),
        begun=status.under_way,
    )


def _unread(sender: BulkSender) -> str | None:
    """Return why the state cannot be read, or None.

    The batch was there: an error may not say that it never was.
    """
    try:
        sender.status()
    except victor_ext.ConfigurationError:
        return (
            "The state does not have this batch any more, or cannot be read. Put a copy of it "
            "back; without one, "
            "reconcile your rows with the provider before any of them is sent again."
        )
    except victor_ext.VictorError as error:
        return str(error)
    return None
