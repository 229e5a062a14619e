"""The sessions of `victor bulk`: what its commands have in common, by the options that they take.

A `BulkSession` knows where the state is and opens senders, a `BatchSession` names a batch, a
`WorkerSession` says how rows are sent. The commands (`_bulk.py`) combine them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import typer

import victor_ext
from victor_ext._systems import DEFAULT
from victor_ext._values.exit_status import FAILED, FOR_NOW, MISUSE, SIGNALLED, UNKNOWN

from . import _bulk_output
from ._failures import Misuse, failure_of
from ._options import KEYS_KEPT, Yes, flag, number, option, seconds, whole_number
from ._row_files import ColumnFile, Columns, DateFormat, DecimalMark, Encoding, headings_of
from ._screen import ProgressBar, plain
from ._session import Session, at_terminal_input, provider_of, system_of, without_none
from ._signals import raise_received, signal_exit_status
from ._wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender, LoadProgress, RowFile

_STEPS = ("instruct", "withdraw")
"""The commands that follow the sending of payouts: the batch is their argument."""
_FILE_OPTIONS = ("column", "columns", "decimal", "date_format", "encoding")
"""The options that say how a file is written."""
_KEPT_OPTIONS = ("rate", "workers", "patience", "yes")
"""The options of `resume` that a person types once, and that hold when it goes on."""
_OTHER_OPTIONS = (
    *("state", "new_state", "batch", "all_batches", "yes"),
    *_FILE_OPTIONS,
)
"""The options that are no arguments of a sender under their own names."""
_STATUSES_BY_WEIGHT = (0, FAILED, MISUSE, FOR_NOW, UNKNOWN)
"""Exit statuses of batches: of several batches, the status that stands last here counts."""


class BulkSession(Session):
    """A session with the state in which batches are kept.

    The options that subclasses add are arguments of the senders, except `_OTHER_OPTIONS`.
    """

    state: str | None = option(
        "Where the batch is kept: the whole path of a file, sqlite:///FILE, or postgresql://... "
        "(several machines). (default: VICTOR_BULK_STATE, or one file of the user)",
        "URL",
    )
    # No option here: a command that asks before it does something in production adds it.
    yes = False

    @property
    def provider(self) -> str:
        """The name of the chosen system, which is an option of the group."""
        return provider_of(self.context)

    @contextmanager
    def sender(
        self,
        batch: str | None = None,
        question: Callable[[BulkSender], str] | None = None,
        *,
        on_event: Callable[[victor_ext.Event], object] | None = None,
        in_production: Callable[[BulkSender], None] | None = None,
    ) -> Generator[BulkSender]:
        """Open a sender for the block, whose failure ends the command.

        Args:
            batch: The name of the batch; None: a command about the whole state.
            question: Returns what a person has to confirm in production, before the block; None:
                nothing.
            on_event: The listener of the client.
            in_production: Called in production with the sender, before the question.
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
        with (
            self.report_failures(one_is_a_result=True),
            self.client_of(self.provider, **settings) as victor,
        ):
            try:
                # The command itself asks a person about a new state.
                sender = BulkSender(
                    victor, batch=batch, state=self.state, new_state=True, **options
                )
                if victor.environment == "production":
                    _require_named_state(sender)
                if in_production is not None and victor.environment == "production":
                    in_production(sender)
                if question is not None:
                    self.confirm(victor, partial(question, sender), yes=self.yes)
                yield sender
            except InvalidRows as error:
                failure = failure_of(error, None, self.option_names)
                assert self.row_file is not None, "only a file has invalid rows"
                _bulk_output.report_invalid(
                    failure, error.check, self.row_file, as_json=self.as_json
                )
                raise typer.Exit(failure.exit_status) from None

    @contextmanager
    def stored(self) -> Generator[BulkSender]:
        """Open a sender for a command about the whole state."""
        with self.sender() as sender:
            yield sender

    def command_line(self, command: str, batch: str | None = None) -> str:
        """Return the command line of another bulk command, for display: whole, but without
        passwords.

        Args:
            batch: The batch that it is for; None: it is for the whole state.
        """
        words = ["victor", "bulk"]
        if self.provider != DEFAULT:
            words += ["--provider", self.provider]
        words.append(command)
        is_argument = command in _STEPS
        is_of_state = command == "resolve"
        if batch is not None and not is_argument and not is_of_state:
            words += ["--batch", batch]
        if self.state is not None:
            words += ["--state", _bulk_output.without_password(self.state)]
        words += [*self._kept_words(command), *self.connection_words()]
        if batch is not None and is_argument:
            words += ["--", batch] if batch.startswith("-") else [batch]
        return shlex.join(words)

    def _kept_words(self, command: str) -> Iterator[str]:
        """Yield the options of this command line that hold for `resume`: how rows are sent."""
        if command != "resume":
            return
        for name in _KEPT_OPTIONS:
            value: Any = self.context.params.get(name)
            if value is None or value is False:
                continue
            yield f"--{name.replace('_', '-')}"
            if value is not True:
                yield _typed(value)

    @contextmanager
    def interruptible(self, batch: str) -> Generator[BatchProgress]:
        """Yield what shows the progress of a batch.

        Ctrl-C ends the block and the command, and shows that `resume` continues.
        """
        with ProgressBar(as_json=self.as_json) as bar:
            progress = BatchProgress(bar, batch)
            try:
                yield progress
            except KeyboardInterrupt as error:
                bar.close()
                next_command = self.command_line("resume", batch)
                _bulk_output.show_interruption(progress.latest, next_command, as_json=self.as_json)
                raise typer.Exit(signal_exit_status(error)) from None

    def stored_batches(self) -> list[str]:
        """Return the batches of the state, of which there is one at least. Raises `Misuse`."""
        with self.sender() as sender:
            names = sender.batches()
        if names:
            return names
        raise Misuse(
            f"There is no batch of this system and environment in {sender.state}. Begin "
            "with 'victor bulk send', and the name of your file."
        )

    @property
    def row_file(self) -> RowFile | None:
        """The file that is sent, and how it is written; None: the command sends no file."""
        return None

    def sender_options(self) -> dict[str, Any]:
        """Return the arguments of a sender that the options have."""
        options = without_none(self.own_options)
        for name in _OTHER_OPTIONS:
            options.pop(name, None)
        return options

    def show_status(self, status: BatchStatus, sender: BulkSender) -> None:
        """Show how far a batch is."""
        command = partial(self.command_line, batch=status.batch)
        _bulk_output.show_status(status, command, sender.state, as_json=self.as_json)

    def show_result(
        self, status: BatchStatus, sender: BulkSender, warnings: Sequence[str] = ()
    ) -> None:
        """Show what became of a batch, with the warnings that a person saw before."""
        command = partial(self.command_line, batch=status.batch)
        _bulk_output.show_result(
            status, command, self.row_file, sender, warnings, as_json=self.as_json
        )


class BatchSession(BulkSession):
    """A session with the name of a batch, by an option."""

    batch: str | None = option(
        "The batch's name (default: that of the file, or all of them).", "NAME"
    )

    def batches(self) -> list[str]:
        """Return the batch that the command line names; if none, all batches of the state. Raises
        `Misuse` if that has no batch.
        """
        return self.stored_batches() if self.batch is None else [self.batch]

    def single_batch(self) -> str:
        """Return the batch that the command line names, or the only one. Raises `Misuse`."""
        names = self.batches()
        if len(names) > 1:
            raise Misuse(
                f"There are several batches ({', '.join(names)}): name one of them with --batch."
            )
        return names[0]

    def for_each_batch(self, act: Callable[[str], BatchStatus]) -> NoReturn:
        """Call `act` with each of the `batches`, also after it failed with one, and end the
        command. A signal ends the command at once.

        Of several exit statuses, UNKNOWN counts before FOR_NOW, and that before the others.
        """
        statuses = list[int]()
        for batch in self.batches():
            try:
                statuses.append(act(batch).exit_status)
            except typer.Exit as error:
                if error.exit_code >= SIGNALLED:
                    raise
                statuses.append(error.exit_code)
        raise typer.Exit(max(statuses, key=_STATUSES_BY_WEIGHT.index))


class ExportSession(BulkSession):
    """A session with the names of several batches, or all of them."""

    batch: list[str] | None = option("A batch's name (default: the only one). Repeat it.", "NAME")
    all_batches: bool = flag("--all", "All batches of the state, in the order of their names.")

    def batches(self) -> list[str]:
        """Return the batches that the command line names, each once, or the only one. Raises
        `Misuse`.
        """
        if self.batch and self.all_batches:
            raise Misuse(f"--all has {plain(self.batch[0])}, too: leave one of the two out.")
        if self.batch:
            return list(dict.fromkeys(self.batch))
        stored = sorted(self.stored_batches())
        if len(stored) > 1 and not self.all_batches:
            raise Misuse(
                f"There are several batches ({', '.join(stored)}): name those that you mean with "
                "--batch, or write --all."
            )
        return stored


class WorkerSession(BatchSession):
    """A session with how a process sends rows."""

    workers: int | None = option(
        "Concurrent calls of this process, 1 to 100 (default: 16).", "N", parser=whole_number()
    )
    keys_kept: float | None = option(KEYS_KEPT, "TIME", parser=seconds)
    patience: float | None = option(
        "How long to go on while nothing is settled (default: 120).", "SECONDS", parser=number()
    )


class SendingSession(WorkerSession):
    """A session that begins to send rows itself, and asks in production."""

    rate: float | None = option(
        "Maximum rows, or payouts of Velo, per second in this process (default: no limit).",
        "N",
        parser=number(),
    )
    yes: Yes = False


class SendSession(SendingSession):
    """The session of `send`: with what the file is, and how it is written."""

    other_payments: int | None = option(
        "So many new rows look like payments of other batches, and are others: a person has "
        "looked at them.",
        "N",
        parser=whole_number(1),
    )

    key_column: str | None = option(
        "Victor: the column that tells the rows apart; their keys are made of it. (default: "
        "the batch's, or client_reference_id) Velo's rows are told apart by payor_payment_id.",
        "NAME",
    )
    due_date: str | None = option(
        "Victor: of rows without one: YYYY-MM-DD, today or tomorrow.", "DATE"
    )
    payor_id: str | None = option("Velo: the payor, of rows without one.", "ID")
    new_state: bool = flag("--new-state", "With --yes in production: the state may be a new one.")
    skip_invalid: bool = flag("--skip-invalid", "Set bad rows aside, instead of refusing the file.")
    column: Columns = None
    columns: ColumnFile = None
    decimal: DecimalMark = None
    date_format: DateFormat = None
    encoding: Encoding = None

    def _headings(self) -> Mapping[str, str | None]:
        """The file's own headings, by our names of columns."""
        return headings_of(self.column, self.columns)

    @property
    def row_file(self) -> RowFile:
        from victor_ext.bulk import RowFile  # noqa: PLC0415 - an extra of its own, and heavy

        return RowFile(
            self.context.params["file"],
            self._headings(),
            decimal=self.decimal,
            date_format=self.date_format,
            encoding=self.encoding,
        )

    def sender_options(self) -> dict[str, Any]:
        options = super().sender_options()
        # The sender knows columns by our names: --key-column may have the file's own heading.
        for name, heading in self._headings().items():
            if heading is not None and heading == self.key_column:
                options["key_column"] = name
        return options


class BatchProgress:
    """Shows the progress of a batch: how far its source is on the way, and then how far its rows
    are. It ends the command if a signal has come.

    Attributes:
        latest: The last status; None: sending has not begun.
    """

    def __init__(self, bar: ProgressBar, batch: str) -> None:
        self._bar, self._batch = bar, batch
        self.latest: BatchStatus | None = None

    def show(self, status: BatchStatus) -> None:
        """Show how many rows are settled."""
        self.latest = status
        text = f"{status.settled:,} of {rows_text(status.rows)}: {_bulk_output.counts(status)}"
        self._bar.show(status.batch, status.settled, status.rows, text, begun=status.under_way)
        raise_received()

    def show_load(self, progress: LoadProgress) -> None:
        """Show how far the source is."""
        total = round(progress.rows / progress.share) if progress.share else None
        self._bar.show(self._batch, progress.rows, total, f"{progress.rows:,} rows checked")
        raise_received()

    def close(self) -> None:
        """Remove the bar: what is printed next stands below it."""
        self._bar.close()


def _require_named_state(sender: BulkSender) -> None:
    """Raise `Misuse` if nobody has named the state, and nobody is at the terminal."""
    if not sender.has_named_state and not at_terminal_input():
        raise Misuse(
            "This is production, and no person is at a terminal: name the state that the "
            "others use, with --state or VICTOR_BULK_STATE."
        )


def _typed(value: object) -> str:
    """Return the value of an option as a person types it: numbers without an exponent."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
