"""`victor bulk`: send many requests for payment, or payouts, from a file."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, cast

import typer

import victor_ext
from victor_ext._exit_status import FAILED, FOR_NOW, MISUSE, UNKNOWN
from victor_ext.privacy import concealed
from victor_ext.systems import DEFAULT

from . import bulk_output
from .chosen_system import Provider, provider_of, system_of
from .failures import Misuse, victor_failure
from .options import (
    Yes,
    argument,
    flag,
    group,
    number,
    option,
    seconds,
    several,
    show_help,
    whole_number,
)
from .row_files import (
    ColumnFile,
    Columns,
    DateFormat,
    DecimalMark,
    Encoding,
    columns_of,
    reference_warning,
)
from .screen import Progress, complain, conclude, notices, plain
from .session import Session, with_session, without_none
from .signals import status_of
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender, Check, InvalidRows, RowFile
    from victor_ext.prometheus import Prometheus

bulk = group(
    "Many requests for payment, or Velo's payouts, from a file, through crashes and across "
    "machines."
)


@bulk.callback()
def bulk_of(
    context: typer.Context,
    *,
    provider: Provider = DEFAULT,  # noqa: ARG001 - the commands read it from their context
) -> None:
    """Name the system of the commands."""
    show_help(context)


_DEFAULT_STATE = "sqlite:///victor-bulk.sqlite"
STEPS = {
    "instruct": "Have the payouts that Velo has accepted paid, each at most once. This moves "
    "money.",
    "withdraw": "Withdraw the payouts that Velo has accepted, before they are paid.",
}
_WATCH_SECONDS = 0.5
_OF_FILE = ("column", "columns", "decimal", "date_format", "encoding")
_BY_WEIGHT = (0, FAILED, MISUSE, FOR_NOW, UNKNOWN)
"""Exit statuses of batches: of several, the last one counts."""
_NOT_OF_SENDER = ("state", "batch", "name", "yes", *_OF_FILE)

Refresh = Annotated[
    bool,
    flag(
        "--refresh",
        "Read the present status of the rows from the provider. (Victor: completed is paid.)",
    ),
]


class _Batches(Session):
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
            _show_progress(progress, status)

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


def _batch_names(ctx: typer.Context) -> list[str]:
    from victor_ext.bulk import BulkSender  # noqa: PLC0415 - an extra of its own, and heavy

    typed = _Batches.typed(ctx)
    with typed.client_of(typed.provider)[1] as victor:
        return BulkSender(victor, state=typed.state).batches()


class _Kept(_Batches):
    batch: Annotated[
        str | None,
        option(
            "The batch's name (default: that of the file, or all of them).",
            "NAME",
            known=_batch_names,
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


class _Named(_Kept):
    name: Annotated[
        str | None,
        argument("BATCH", known=_batch_names),
    ] = None

    def named(self) -> list[str]:
        """Return the batch that is named, in either way."""
        return list(dict.fromkeys(filter(None, (self.name, self.batch))))


class _Terms(_Kept):
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


class _Sent(_Terms):
    rate: Annotated[
        float | None,
        option(
            "Maximum rows, or payouts of Velo, per second over all machines (default: no limit).",
            "N",
            parser=number(),
        ),
    ] = None
    yes: Yes = False


class _Resume(_Named, _Sent):
    pass


class _Step(_Batches):
    by: Annotated[str | None, option("Who does it: stored with it.", "NAME")] = None
    not_by_sender: Annotated[
        bool,
        flag(
            "--not-by-sender",
            "Another person than who sent the rows has to instruct or withdraw them.",
        ),
    ] = False
    yes: Yes = False


class _Send(_Step, _Sent):
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


class _Warnings:
    """What a person should know before a file is sent.

    Attributes:
        known: All of it, in order.
    """

    def __init__(self, kept: _Send) -> None:
        self._kept = kept
        self._shown = 0
        self.known = list[str]()

    def note_first(self, sender: BulkSender) -> None:
        """Note that the state has no batch of this system in production yet, if it has none."""
        if not sender.batches():
            title = system_of(self._kept.provider).title
            self._note(bulk_output.first_warning(self._kept.state, title))

    def note_references(self, check: Check) -> None:
        """Note that no row of the file has a reference, or that rows share theirs."""
        kept = self._kept
        kind = system_of(kept.provider).load("bulk")
        self._note(reference_warning(kept.rows, kind, kept.key_column))
        self._note(bulk_output.shared_warning(check, kept.rows, kind.reference))

    def say(self) -> None:
        """Print what was not printed yet."""
        for warning in self.known[self._shown :]:
            complain(warning)
        self._shown = len(self.known)

    def _note(self, warning: str | None) -> None:
        if warning is not None and warning not in self.known:
            self.known.append(warning)


@bulk.command()
@with_session
def send(
    kept: _Send,
    file: Annotated[
        Path,
        argument("FILE"),
    ],
    *,
    expect_rows: Annotated[
        int | None,
        option("How many rows the file must have, 1 or more.", "N", parser=whole_number(1)),
    ] = None,
    expect_total: Annotated[
        str | None, option("What all amounts of the file must be together.", "AMOUNT")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", "Check all rows, and send nothing.")] = False,
) -> None:
    """Send the rows of a file.

    FILE is CSV or JSON Lines. --dry-run says what is wrong with it. All rows are checked first. A
    row is a payment, whatever file has it: one that was created before is not sent again, one that
    had not left is replaced, and one with another amount than was asked is refused.
    """
    totals: dict[str, Any] = {"expect_rows": expect_rows, "expect_total": expect_total}
    sending = _Sending(kept, kept.batch or file.name, totals)
    raise typer.Exit(sending.try_out() if dry_run else sending.send())


class _Sending:
    """One run of `victor bulk send`, with what a person is told before rows are sent."""

    def __init__(self, kept: _Send, batch: str, totals: dict[str, Any]) -> None:
        self._kept = kept
        self._batch = batch
        self._totals = totals
        self._warnings = _Warnings(kept)
        self._is_announced = False

    def try_out(self) -> int:
        """Check the file, and send nothing; returns the exit status."""
        kept, warnings = self._kept, self._warnings
        with kept.sender(self._batch, in_production=warnings.note_first) as sender:
            rows = kept.rows
            check = sender.check(rows, **self._totals)
            warnings.note_references(check)
            status = bulk_output.exit_status_of(check, skip_invalid=kept.skip_invalid)
            bulk_output.show_check(check, status, rows, warnings.known, as_json=kept.as_json)
        return status

    def send(self) -> int:
        """Send the file, once a person has agreed; returns the exit status."""
        kept, warnings = self._kept, self._warnings
        with kept.sender(self._batch, self._question, in_production=warnings.note_first) as sender:
            with kept.run(sender, self._batch) as show:
                status = sender.send(
                    kept.rows, on_check=self._announce, on_progress=show, **self._totals
                )
            kept.show(status, sender, warnings.known)
        return status.exit_status

    def _question(self, sender: BulkSender) -> str:
        check = sender.check(self._kept.rows, **self._totals)
        self._warnings.note_references(check)
        self._warnings.say()
        self._is_announced = True
        return f"{bulk_output.summary_of(check)} {sender.effect}"

    def _announce(self, check: Check) -> None:
        self._warnings.note_references(check)
        if self._kept.as_json:
            return
        if not self._is_announced:
            bulk_output.announce(self._batch, check)
        self._warnings.say()


@bulk.command()
@with_session
def resume(kept: _Resume) -> None:
    """Continue an interrupted batch: send, or look up, the rows that are not settled.

    BATCH names it, when there are several.
    """

    def question(sender: BulkSender) -> str:
        status = sender.status()
        return (
            f"{plain(status.batch)}: {status.unsettled:,} of {status.rows:,} rows are not "
            "settled, and are sent."
        )

    def resume_batch(batch: str) -> BatchStatus:
        with kept.sender(batch, question) as sender, kept.run(sender, batch) as show:
            status = sender.resume(on_progress=show)
        kept.show(status, sender)
        return status

    kept.each(resume_batch)


@bulk.command()
@with_session
def status(
    kept: _Named,
    *,
    refresh: Refresh = False,
    watch: Annotated[
        bool, flag("--watch", "Show it until no row is left to send. Ctrl-C stops only this.")
    ] = False,
) -> None:
    """Show the progress of batches; with --refresh: what the provider says now. With --json: one
    JSON document a line.

    BATCH names one of several. The exit status is that of the batch, as `send` would end: also 1 if
    a person has to decide about rows of its latest file.
    """
    if watch and refresh:
        raise Misuse(
            "--watch shows what is stored, and --refresh reads the provider: leave one of them out."
        )
    if watch:
        _watch(kept)

    def show(batch: str) -> BatchStatus:
        with kept.sender(batch) as sender:
            status = sender.status(refresh=refresh)
            kept.show_status(status)
        return status

    kept.each(show)


def _show_progress(progress: Progress, status: BatchStatus) -> None:
    progress.show(
        status.batch,
        status.settled,
        status.rows,
        bulk_output.counts(status),
        begun=status.under_way,
    )


def _watch(kept: _Named) -> None:
    """Show the progress of all batches until nothing of them is left to do."""
    before: list[BatchStatus] = []
    with ExitStack() as stack, Progress(as_json=kept.as_json, at_once=True) as progress:
        senders = [stack.enter_context(kept.sender(batch)) for batch in kept.batches()]
        try:
            while True:
                began = time.monotonic()
                statuses = [sender.status() for sender in senders]
                for status in statuses:
                    _show_progress(progress, status)
                if all(status.over for status in statuses):
                    return
                for status in statuses:
                    if kept.as_json and status not in before:
                        kept.show_status(status)
                before = statuses
                # a large batch takes long to read
                time.sleep(max(_WATCH_SECONDS, 5 * (time.monotonic() - began)))
        except KeyboardInterrupt:
            progress.close()
            progress.tell("Stopped watching. That stops nothing else.")
            raise


@bulk.command()
@with_session
def export(
    kept: _Named,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to a file (default: standard output).", metavar="FILE"
        ),
    ] = None,
    no_escape: Annotated[
        bool, flag("--no-escape", "Write text as it is, without a ' before a formula.")
    ] = False,
    refresh: Refresh = False,
) -> None:
    """Write the outcome of each row as CSV. The exit status is 0, whatever the outcomes are.

    BATCH names the batch, when there are several. The columns are row, key, id, status, outcome,
    error, the file's other columns, and what was asked of whom.
    """
    batch = kept.one_batch()
    with kept.sender(batch) as sender:
        bulk_output.write_export(
            sender, output, as_json=kept.as_json, escape=not no_escape, refresh=refresh
        )


_Keys = Annotated[list[str], argument(several("KEY"))]


@bulk.command()
@with_session
def drop(kept: _Kept, keys: Annotated[list[str] | None, argument(several("KEY"))] = None) -> None:
    """Drop what never left: rows that wait, were not sent, or were refused.

    KEYs are values of the key column, or keys of the export (default: all).
    """
    batch = kept.one_batch()
    with kept.sender(batch) as sender:
        bulk_output.show_dropped(batch, sender.drop(keys or None), as_json=kept.as_json)


class _Decision(_Kept):
    yes: Yes = False


@bulk.command("ask-again")
@with_session
def ask_again(
    kept: _Decision,
    keys: _Keys,
    *,
    by: Annotated[str, option("Who decides it: stored with it.", "NAME")],
    why: Annotated[str, option("Why they are asked once more: stored with it.", "TEXT")],
) -> None:
    """Let rows be asked once more, knowingly; 'victor bulk resume' then sends them.

    KEYs are values of the key column, such as 1042, or keys of the export. Each payment is read
    first, and has to be over: rejected, declined, expired, failed, withdrawn or returned. A row
    that was refused because it looks like another payment is allowed.
    """
    batch = kept.one_batch()

    def question(_sender: BulkSender) -> str:
        return f"{plain(batch)}: {rows_text(len(keys))} will be asked once more."

    with kept.sender(batch, question) as sender:
        count = sender.ask_again(keys, by=by, why=why)
    bulk_output.show_asked_again(batch, count, kept.next("resume", batch), as_json=kept.as_json)


@bulk.command()
@with_session
def resolve(
    kept: _Kept,
    key: Annotated[str, argument("KEY")],
    *,
    word: Annotated[
        str,
        typer.Option("--as", metavar="WORD", help="What you have found: created or not-created."),
    ],
    by: Annotated[str, option("Who has found it out.", "NAME")],
    why: Annotated[str, option("How, such as where you have looked.", "TEXT")],
    id: Annotated[
        str | None,
        option("The provider's id of what was created; of a payout's row, the payout's.", "TEXT"),
    ] = None,
) -> None:
    """Settle a row in doubt by hand, or give an id to one that was created without it. It is
    stored who did it, and why.

    KEY is the value of the key column, or the key of the export. What was not created is refused
    from then on: 'victor bulk send' sends it with a file.
    """
    if word not in ("created", "not-created"):
        raise Misuse(f"--as is {word!r}: write created or not-created.")
    outcome = cast("Literal['created', 'not-created']", word)
    batch = kept.one_batch()
    with kept.sender(batch) as sender:
        sender.resolve(key, outcome, by=by, why=why, id=id)
        status = sender.status()
        kept.show(status, sender)
    raise typer.Exit(status.exit_status)


@bulk.command()
@with_session
def hold(kept: _Batches) -> None:
    """Keep everything in the state from being sent, as after it was restored from a backup."""
    with kept.sender() as sender:
        sender.hold()
    text = "Nothing is sent from this state until 'victor bulk release'."
    conclude({"held": True}, text, as_json=kept.as_json)


@bulk.command()
@with_session
def release(kept: _Batches) -> None:
    """Let what is held be sent again. What had not left when it was stored counts as maybe sent.

    The exit status is 1 if the state was not held.
    """
    with kept.sender() as sender:
        count = sender.release()
    if count is None:
        document = {"released": False, "may_have_been_sent": 0}
        conclude(document, "The state is not held.", as_json=kept.as_json)
        raise typer.Exit(FAILED)
    document = {"released": True, "may_have_been_sent": count}
    text = (
        f"Released. {rows_text(count)} may have been sent since: 'victor bulk resume' settles them."
    )
    conclude(document, text, as_json=kept.as_json)


@bulk.command()
@with_session
def forget(
    kept: _Batches,
    *,
    older_than: Annotated[
        float, option("Rows that were stored longer ago: 400d, 24h.", "TIME", parser=seconds)
    ],
) -> None:
    """Remove what settled rows asked for. What protects from asking twice stays: keys, states, ids
    and digests.
    """
    with kept.sender() as sender:
        count = sender.forget(older_than=timedelta(seconds=older_than))
    conclude({"forgotten": count}, f"{rows_text(count)} forgotten.", as_json=kept.as_json)


class _Rekey(_Batches):
    @property
    def spelled(self) -> dict[str, str]:
        """The new secret is in the variable that the option names."""
        return {**super().spelled, "new": str(self.command.params["new"])}


@bulk.command()
@with_session
def rekey(
    kept: _Rekey,
    *,
    new: Annotated[
        str, option("The variable that has the new secret.", "VARIABLE")
    ] = "VICTOR_BULK_NEW_KEY",
) -> None:
    """Protect the state by another secret: set VICTOR_BULK_NEW_KEY to it.

    What is stored stays as it is. From then on, VICTOR_BULK_KEY has to be the new one.
    """
    secret = concealed(os.environ.get(new))
    if not secret:
        raise Misuse(f"{new} is not set: put the new secret there.")
    with kept.sender() as sender:
        sender.rekey(secret)
    text = "The state has another secret now: set VICTOR_BULK_KEY to it."
    conclude({"rekeyed": True}, text, as_json=kept.as_json)


def _add_step(step: str, text: str) -> None:
    def question(sender: BulkSender) -> str:
        return bulk_output.step_question(step, sender.status(refresh=True))

    @bulk.command(step, help=text)
    @with_session
    def take(kept: _Step, batch: Annotated[str, argument("BATCH", known=_batch_names)]) -> None:
        with kept.sender(batch, question) as sender, kept.run(sender, batch, step) as show:
            status = sender.take_step(step, on_progress=show)
        bulk_output.show_step(step, batch, status, kept.next(step, batch), as_json=kept.as_json)
        raise typer.Exit(status.exit_status)


for step, text in STEPS.items():
    _add_step(step, text)


@bulk.command()
@with_session
def worker(
    kept: _Terms,
    *,
    metrics_port: Annotated[
        int | None,
        option("Serve /metrics, /livez and /readyz on this port.", "PORT", parser=whole_number()),
    ] = None,
) -> None:
    """Work on the batches of a PostgreSQL database until Ctrl-C, as one more machine.

    With --json: a line an event.
    """
    if kept.state.startswith("sqlite"):
        raise Misuse(
            "--state is an SQLite file, on which one process works at a time, and 'victor bulk "
            "send' and 'victor bulk resume' do that work themselves: run 'victor bulk resume', or "
            "keep the batch in --state postgresql://..."
        )
    tell = partial(bulk_output.show_event, as_json=kept.as_json)
    metrics = None if metrics_port is None else _metrics(metrics_port)
    with kept.sender(kept.batch, on_event=metrics) as sender, notices(partial(tell, "notice")):
        if metrics is not None:
            metrics.watch(sender)
        tell("working", f"Working on {bulk_output.without_password(kept.state)}; Ctrl-C stops.")
        try:
            sender.work()
        except KeyboardInterrupt:
            tell("stopped", "Stopped.")
            raise typer.Exit from None


def _metrics(port: int) -> Prometheus:
    try:
        from victor_ext.prometheus import Prometheus  # noqa: PLC0415 - an extra of its own

        metrics = Prometheus()
        metrics.serve(port)
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    except (OSError, victor_ext.ConfigurationError) as error:
        raise Misuse(f"--metrics-port: {error}") from error
    return metrics


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
