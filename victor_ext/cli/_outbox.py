"""`victor outbox`: what an outbox does not know, and the commands that settle that by hand.

`status` and `entries` read, the other commands change what is stored. None of them sends anything:
workers do. A `box` is the outbox of the database, or the inbox. First the commands, then what they
print.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import victor_ext
from victor_ext._privacy import concealed
from victor_ext._systems import DEFAULT
from victor_ext._values.exit_status import FAILED

from ._failures import CommandFailure, Misuse
from ._options import (
    KEYS_KEPT,
    argument,
    flag,
    found_word,
    group,
    number,
    option,
    seconds,
    whole_number,
)
from ._screen import complain, in_columns, plain, say, zulu_text
from ._session import CommandOptions, Provider, Session, with_session
from ._wording import in_options

if TYPE_CHECKING:
    import sqlalchemy as sa

    from victor_ext.outbox import Entry, Outbox, Owner

outbox = group("Read the outbox of a database, and settle what is unclear.")

_OPTION_NAMES = {
    "by": "--by",
    "why": "--why",
    "id": "--id",
    "older_than": "--older-than",
}
"""The options of arguments of an outbox."""
_LISTED_NUMBERS = 10
"""The most numbers of dead letters that a message lists."""
Key = Annotated[str, argument("KEY")]


class OutboxCommandOptions(CommandOptions):
    """The options of all commands of an outbox: which one it is."""

    database: str = option(
        "The database of the outbox: sqlite:///FILE, or postgresql+psycopg://...",
        "URL",
        default=...,
    )
    table: str = option(
        "The name of its table, or schema.name; status, retry and discard take an inbox's.",
        "NAME",
        default="victor_outbox",
    )

    @contextmanager
    def outbox(self, keys_kept: float | None = None) -> Generator[Outbox]:
        """Open the outbox for the block, for a command about entries. `keys_kept` is as of
        `opened_queue`.

        Raises `Misuse`, whose message does not quote the URL of the database: it may have a
        password.
        """
        with self.event_queue(keys_kept) as (box, has_entries):
            if not has_entries:
                raise Misuse(
                    f"{self.table} has no entries, only events: it is an inbox's, for status, and "
                    "for retry and discard with --dead-letter."
                )
            yield box

    @contextmanager
    def event_queue(self, keys_kept: float | None = None) -> Generator[tuple[Outbox, bool]]:
        """Open the outbox, or an inbox with the interface of an outbox, for the block, and say
        whether it is an outbox: an inbox has no entries, only events. Raises `Misuse`, as `outbox`
        does.
        """
        with opened_queue(self.database, self.table, keys_kept) as opened:
            yield opened

    def conclude_change(self, name: str, text: str, *, is_done: bool, why_not: str) -> None:
        """Show whether the table was changed, and end the command with exit status 1 if not.

        `name` is that of the change in JSON. `why_not` says how the table is, if that has no such
        change.
        """
        if is_done or self.as_json:
            self.conclude({name: is_done}, text)
        if not is_done:
            complain(f"{self.table} {why_not}")
            raise typer.Exit(FAILED)


@contextmanager
def opened_queue(
    database: str, table: str, keys_kept: float | None = None
) -> Generator[tuple[Outbox, bool]]:
    """Open the outbox of a database, or an inbox with the interface of an outbox, for the block, as
    `event_queue` does. `keys_kept` are seconds, if they were said.
    """
    try:
        from victor_ext._event_queue.databases import split_name  # noqa: PLC0415 - an extra of its own
        from victor_ext.outbox import Outbox  # noqa: PLC0415 - the same
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    with errors_as_misuse():
        try:
            schema, name = split_name(table)
        except victor_ext.ConfigurationError as error:
            raise Misuse(f"--table: {error}") from error
        inspector = _inspector_of(database)
        if not inspector.has_table(name, schema=schema):
            raise Misuse(f"--database has no table {table}: name the outbox's with --table.")
        columns = {column["name"] for column in inspector.get_columns(name, schema=schema)}
        kept = None if keys_kept is None else timedelta(seconds=keys_kept)
        box = Outbox(inspector.engine, table=table, storage_key=storage_key(), keys_kept=kept)
        yield box, "key" in columns


class AdoptOptions(OutboxCommandOptions, Session):
    """The options of an outbox, and those that connect."""


class DeadLetterOptions(OutboxCommandOptions):
    """The options of commands about dead letters."""

    dead_letter: list[int] | None = option(
        "A dead letter, by its number. Repeat it.", "ID", parser=whole_number()
    )
    all_dead_letters: bool = flag("--all-dead-letters", "All dead letters.")

    @contextmanager
    def dead_letters(self) -> Generator[tuple[Outbox, set[int]]]:
        """Open the outbox, or an inbox, for a block that changes dead letters, with the numbers
        that the command line names; without one, all dead letters are meant.

        After the block, ends the command with exit status 1 if a number is of no dead letter.
        """
        numbers = set(self.dead_letter or ())
        with self.event_queue() as (box, _):
            # Read before the block: after it, they are no dead letters.
            known = _dead_letter_numbers(box)
            yield box, numbers
        unknown = sorted(numbers - known)
        if not unknown:
            return
        names = ", ".join(map(str, unknown))
        verb = "is no dead letter" if len(unknown) == 1 else "are no dead letters"
        listed = "none."
        if known:
            listed = ", ".join(map(str, sorted(known)[:_LISTED_NUMBERS]))
            if len(known) > _LISTED_NUMBERS:
                listed = f"{listed} and {len(known) - _LISTED_NUMBERS} more"
            listed = f"{listed}: see 'victor outbox status'."
        message = f"{names} {verb} of {self.table}, which has {listed}"
        self.end_with(CommandFailure("NotFound", message, FAILED))


def storage_key() -> str | None:
    """Return the storage key of the outbox; None: there is none. It is used only where entries are
    read or changed: an inbox has none.
    """
    return concealed(os.environ.get("VICTOR_OUTBOX_KEY")) or None


def engine_of(database: str) -> sa.Engine:
    """Return an engine that keeps no connection open, and whose errors show nothing stored."""
    import sqlalchemy as sa  # noqa: PLC0415 - an extra of its own

    return sa.create_engine(database, poolclass=sa.NullPool, hide_parameters=True)


def _inspector_of(database: str) -> sa.Inspector:
    """Return what knows the tables of a database. Raises `Misuse` if there is no such file."""
    import sqlalchemy as sa  # noqa: PLC0415 - an extra of its own

    engine = engine_of(database)
    file = engine.url.database if engine.name == "sqlite" else None
    is_plain_file = file and not file.startswith(("file:", ":memory:"))
    if is_plain_file and not Path(str(file)).exists():  # SQLite would make an empty one
        raise Misuse(f"--database: there is no file {file}.")
    return sa.inspect(engine)


@contextmanager
def errors_as_misuse() -> Generator[None]:
    """Turn errors of the outbox, and of its database, into `Misuse`."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError  # noqa: PLC0415 - an extra of its own

    try:
        yield
    except victor_ext.InvalidRequest as error:
        raise Misuse(in_options(error.problems, _OPTION_NAMES)) from error
    except victor_ext.ConfigurationError as error:
        raise Misuse(str(error)) from error
    except (ArgumentError, ImportError) as error:
        raise Misuse(
            "--database: write sqlite:///FILE or postgresql+psycopg://..., and install its driver."
        ) from error
    except SQLAlchemyError as error:
        # Further lines of an error of a driver are details.
        reason = str(getattr(error, "orig", None) or "it refused a statement").split("\n")[0]
        raise Misuse(
            f"--database cannot be used: {plain(reason)}. Check the URL, and that it runs."
        ) from error


@outbox.command()
@with_session
def status(options: OutboxCommandOptions) -> None:
    """Count the entries by state, and name what needs a person.

    These are the unclear entries, the dead letters, and a hold.

    It says which account and environment the entries belong to: any other worker leaves them alone.
    The exit status is 1 if an entry is unclear, an event is a dead letter, or the outbox is held.
    """
    counts: dict[str, int] = {}
    owners: Sequence[Owner] = ()
    unclear: Sequence[Entry] = ()
    held_since: datetime | None = None
    with options.event_queue() as (box, has_entries):
        if has_entries:
            counts = {state.value: count for state, count in box.counts().items()}
            unclear = box.entries("unclear")
            held_since = box.held_since()
            owners = box.owners()
        event_counts = {state.value: count for state, count in box.event_counts().items()}
        dead_letters = box.dead_letters()
    if options.as_json:
        letters = [
            {**asdict(letter), "stored_at": zulu_text(letter.stored_at)} for letter in dead_letters
        ]
        document = {
            "belongs_to": [asdict(owner) for owner in owners],
            "entries": counts,
            "events": event_counts,
            "unclear": [_entry_as_dict(entry) for entry in unclear],
            "dead_letters": letters,
            "held_since": zulu_text(held_since),
        }
        say(document)
    else:
        counts |= {f"events {state}": count for state, count in event_counts.items()}
        say(*in_columns([(name, f"{count:,}") for name, count in counts.items()], 1))
        say(*(plain(f"The entries belong to {owner}.") for owner in owners))
        if held_since is not None:
            say(_held_notice(held_since))
        _show_entries(unclear, options)
        for letter in dead_letters:
            text = f"dead letter {letter.id}: {letter.name} of {letter.subject}: {letter.error}"
            say(plain(text))
    needs_person = unclear or dead_letters or held_since
    if not (needs_person or options.as_json):
        say("No entry is unclear, and no event is a dead letter: a person has nothing to settle.")
    raise typer.Exit(FAILED if needs_person else 0)


@outbox.command()
@with_session
def entries(
    options: OutboxCommandOptions,
    *,
    state: str | None = option("Those in this state alone, such as unclear.", "WORD"),
) -> None:
    """List the entries, oldest first.

    Each has the time at which it was stored. With --json: one on a line, with amounts and the time
    at which each was first sent.
    """
    with options.outbox() as box:
        try:
            selected = box.entries(state)
        except victor_ext.InvalidRequest:
            states = ", ".join(box.counts())
            raise Misuse(f"--state is {state!r}: write one of {states}.") from None
    _show_entries(selected, options)


@outbox.command()
@with_session
def retry(options: DeadLetterOptions, key: str | None = argument("KEY", default=None)) -> None:
    """Let the worker try an entry, or a dead letter, again.

    KEY is an entry of which nothing was done, because it is rejected or refused: its key, or its
    reference. The exit status is 1 if a number is of no dead letter.
    """
    choices = (key is not None, bool(options.dead_letter), options.all_dead_letters)
    if choices.count(True) != 1:
        raise Misuse("Write one of KEY, --dead-letter ID and --all-dead-letters.")
    if key is not None:
        with options.outbox() as box:
            _show_entries([box.retry(key)], options)
        return
    with options.dead_letters() as (box, numbers):
        # Without a number, all dead letters are retried.
        count = box.retry_dead_letters(*numbers)
        options.conclude({"retried": count}, f"{count} to be tried again.")


@outbox.command()
@with_session
def cancel(
    options: OutboxCommandOptions,
    key: Key,
    *,
    by: str = option("Who takes it back.", "NAME", default=...),
    why: str = option("Why it is not to be sent.", "TEXT", default=...),
) -> None:
    """Take back an entry that waits: it is refused, and never sent.

    KEY is the idempotency key of the entry, or its reference if it has its own. It is stored who
    did it, and why, and its handlers are called. After 'victor outbox retry KEY' it waits again.
    """
    with options.outbox() as box:
        _show_entries([box.cancel(key, by=by, why=why)], options)


@outbox.command()
@with_session
def hold(options: OutboxCommandOptions) -> None:
    """Let workers take up nothing. In a restored database, do so before they are started.

    What is stored and was not sent counts as what may have been sent since the backup was made:
    after 'victor outbox release' it is looked up, and not sent.
    """
    with options.outbox() as box:
        result = box.hold()
    marked = f"{result.marked:,} entries may have been sent since their backup was made."
    advice: list[str] = []
    if not result.is_first:
        marked = "It was held before, and nothing more is marked: what was added since then waits."
        advice.append("If it was restored since then: 'victor outbox release', then hold it again.")
    if result.were_sent:
        advice.append(
            f"{result.were_sent:,} entries were being sent when the backup was made: they are "
            "looked up, too. No worker has them."
        )
    if result.under_way:
        advice.append(f"{result.under_way:,} entries are with a worker, whose calls end first.")
    document = {**asdict(result), "since": zulu_text(result.since)}
    options.conclude(document, f"{_held_notice(result.since)}\n{marked}", *advice)


@outbox.command()
@with_session
def adopt(options: AdoptOptions, *, provider: Provider = DEFAULT) -> None:
    """Let workers with these credentials send the entries, and no others.

    They are new credentials of the same account, or the environment has another address.
    """
    with options.outbox() as box, options.client_of(provider) as client:
        owner = box.adopt(client)
    options.conclude(asdict(owner), plain(f"The entries belong to {owner}."))


@outbox.command()
@with_session
def release(
    options: OutboxCommandOptions,
    *,
    keys_kept: float | None = option(KEYS_KEPT, "TIME", parser=seconds),
) -> None:
    """End a hold.

    Workers look up what may have been sent, send what was added since the hold, and handle events.
    The exit status is 1 if it was not held.
    """
    with options.outbox(keys_kept) as box:
        was_held = box.release()
    options.conclude_change("released", "Released.", is_done=was_held, why_not="is not held.")


@outbox.command()
@with_session
def forget(
    options: OutboxCommandOptions,
    *,
    older_than: float = option(
        "How long ago their state or status last changed.", "DAYS", parser=number(0), default=...
    ),
) -> None:
    """Forget the data of entries that are settled.

    They keep what protects from a repeat: key, id, state, and a digest of the reference. What
    may have been sent, has not ended, or has an event that was not handled is not forgotten.
    """
    with options.outbox() as box:
        count = box.forget(older_than=timedelta(days=older_than))
    options.conclude({"forgotten": count}, f"{count:,} entries forgotten.")


@outbox.command()
@with_session
def discard(
    options: DeadLetterOptions,
    *,
    by: str = option("Who gives it up.", "NAME", default=...),
    why: str = option("Why nothing is lost.", "TEXT", default=...),
) -> None:
    """Give up dead letters. It is stored who did it, and why.

    The exit status is 1 if a number is of no dead letter.
    """
    if bool(options.dead_letter) == options.all_dead_letters:
        raise Misuse("Write one of --dead-letter ID and --all-dead-letters.")
    with options.dead_letters() as (box, numbers):
        # `discard` needs a number: where there is no dead letter, nothing is done.
        chosen = numbers or _dead_letter_numbers(box)
        count = box.discard(*chosen, by=by, why=why) if chosen else 0
        options.conclude({"discarded": count}, f"{count} discarded.")


@outbox.command()
@with_session
def resolve(
    options: OutboxCommandOptions,
    key: Key,
    *,
    word: str = found_word("sent", "not-done"),
    by: str = option("Who has found it out.", "NAME", default=...),
    why: str = option("How, such as where you have looked.", "TEXT", default=...),
    id: str | None = option("The provider's id of what was sent.", "TEXT"),
) -> None:
    """Settle an unclear entry by hand. It is stored who did it, and why, and its handlers are
    called. An empty search proves nothing: write not-done only if the provider confirms that
    nothing was done.

    KEY is the idempotency key of the entry, or its reference if it has its own. After not-done,
    'victor outbox retry KEY' sends it again.
    """
    with options.outbox() as box:
        entry = box.resolve(key, done=word == "sent", id=id, by=by, why=why)
        _show_entries([entry], options)


def _show_entries(entries: Iterable[Entry], options: CommandOptions) -> None:
    """Print entries, one on a line."""
    for entry in entries:
        say(_entry_as_dict(entry) if options.as_json else _entry_line(entry))


def _entry_line(entry: Entry) -> str:
    """Return an entry in one line: what it has of these fields, and when it was stored."""
    stored_at = entry.stored_at
    cells = (
        f"{entry.state.value:<9}",
        None if stored_at is None else zulu_text(stored_at.replace(microsecond=0)),
        entry.operation,
        entry.idempotency_key,
        entry.reference,
        entry.request_id,
        entry.status,
        entry.error,
    )
    return plain("  ".join(filter(None, cells)))


def _entry_as_dict(entry: Entry) -> dict[str, object]:
    """Return the fields of an entry, for JSON."""
    fields: dict[str, object] = asdict(entry)
    fields["stored_at"] = zulu_text(entry.stored_at)
    fields["sent_at"] = zulu_text(entry.sent_at)
    return fields


def _held_notice(since: datetime) -> str:
    """Return the line that says that an outbox is held."""
    return (
        f"held since {zulu_text(since)}: nothing is sent or handled until 'victor outbox release'."
    )


def _dead_letter_numbers(box: Outbox) -> set[int]:
    """Return the numbers of the dead letters."""
    return {letter.id for letter in box.dead_letters()}
