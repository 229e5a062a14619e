"""`victor bulk`: send many requests for payment, or payouts, from a file."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

import victor_ext
from victor_ext._exit_status import FAILED
from victor_ext.privacy import concealed
from victor_ext.systems import DEFAULT

from . import bulk_output
from .bulk_batches import (
    STEPS,
    Batches,
    Kept,
    Named,
    Resume,
    Send,
    Step,
    Terms,
    batch_names,
    show_progress,
)
from .bulk_sending import Sending
from .chosen_system import Provider
from .failures import Misuse
from .options import Yes, argument, flag, group, option, seconds, several, show_help, whole_number
from .screen import Progress, conclude, notices, plain
from .session import with_session
from .wording import rows_text

if TYPE_CHECKING:
    from victor_ext.bulk import BatchStatus, BulkSender
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


_WATCH_SECONDS = 0.5
Refresh = Annotated[
    bool,
    flag(
        "--refresh",
        "Read the present status of the rows from the provider. (Victor: completed is paid.)",
    ),
]


@bulk.command()
@with_session
def send(
    kept: Send,
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
    sending = Sending(kept, kept.batch or file.name, totals)
    raise typer.Exit(sending.try_out() if dry_run else sending.send())


@bulk.command()
@with_session
def resume(kept: Resume) -> None:
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
    kept: Named,
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


def _watch(kept: Named) -> None:
    """Show the progress of all batches until nothing of them is left to do."""
    before: list[BatchStatus] = []
    with ExitStack() as stack, Progress(as_json=kept.as_json, at_once=True) as progress:
        senders = [stack.enter_context(kept.sender(batch)) for batch in kept.batches()]
        try:
            while True:
                began = time.monotonic()
                statuses = [sender.status() for sender in senders]
                for status in statuses:
                    show_progress(progress, status)
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
    kept: Named,
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
def drop(kept: Kept, keys: Annotated[list[str] | None, argument(several("KEY"))] = None) -> None:
    """Drop what never left: rows that wait, were not sent, or were refused.

    KEYs are values of the key column, or keys of the export (default: all).
    """
    batch = kept.one_batch()
    with kept.sender(batch) as sender:
        bulk_output.show_dropped(batch, sender.drop(keys or None), as_json=kept.as_json)


class _Decision(Kept):
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
    kept: Kept,
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
    outcome: Literal["created", "not-created"] = "created" if word == "created" else "not-created"
    batch = kept.one_batch()
    with kept.sender(batch) as sender:
        sender.resolve(key, outcome, by=by, why=why, id=id)
        status = sender.status()
        kept.show(status, sender)
    raise typer.Exit(status.exit_status)


@bulk.command()
@with_session
def hold(kept: Batches) -> None:
    """Keep everything in the state from being sent, as after it was restored from a backup."""
    with kept.sender() as sender:
        sender.hold()
    text = "Nothing is sent from this state until 'victor bulk release'."
    conclude({"held": True}, text, as_json=kept.as_json)


@bulk.command()
@with_session
def release(kept: Batches) -> None:
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
    kept: Batches,
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


class _Rekey(Batches):
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
    def take(kept: Step, batch: Annotated[str, argument("BATCH", known=batch_names)]) -> None:
        with kept.sender(batch, question) as sender, kept.run(sender, batch, step) as show:
            status = sender.take_step(step, on_progress=show)
        bulk_output.show_step(step, batch, status, kept.next(step, batch), as_json=kept.as_json)
        raise typer.Exit(status.exit_status)


for step, text in STEPS.items():
    _add_step(step, text)


@bulk.command()
@with_session
def worker(
    kept: Terms,
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
