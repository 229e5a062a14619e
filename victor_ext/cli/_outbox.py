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

from ._by_hand import add_commands_by_hand
from ._failures import Misuse
from ._options import KEYS_KEPT, argument, flag, group, option, seconds, whole_number
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
    def stored(self, keys_kept: float | None = None) -> Generator[Outbox]:
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
        whether it is an outbox: an inbox has no entries, only events. Raises `Misuse`, as `stored`
        does.
        """
        with opened_queue(self.database, self.table, keys_kept) as opened:
            yield opened


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


class ReleaseOptions(OutboxCommandOptions):
    """The options of the command that ends a hold."""

    keys_kept: float | None = option(KEYS_KEPT, "TIME", parser=seconds)

    @contextmanager
    def stored(self, keys_kept: float | None = None) -> Generator[Outbox]:
        """Open the outbox for the block, with what was said of its keys."""
        with super().stored(keys_kept or self.keys_kept) as box:
            yield box


class AdoptOptions(OutboxCommandOptions, Session):
    """The options of an outbox, and those that connect."""


class DeadLetterOptions(OutboxCommandOptions):
    """The options of commands about dead letters."""

    dead_letter: list[int] | None = option(
        "A dead letter, by its number. Repeat it.", "ID", parser=whole_number()
    )
    all_dead_letters: bool = flag("--all-dead-letters", "All dead letters.")

    def conclude_letters(self, name: str, count: int, text: str) -> None:
        """Show how many dead letters were changed, and end the command with exit status 1 if one of
        the named ones was not: it is none.
        """
        self.conclude({name: count}, f"{count} {text}.")
        if count < len({*(self.dead_letter or ())}):
            complain("The others are no dead letters: 'victor outbox status' lists them.")
            raise typer.Exit(FAILED)


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
    with options.stored() as box:
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
        with options.stored() as box:
            _show_entries([box.retry(key)], options)
        return
    with options.event_queue() as (box, _):
        # Without a number, all dead letters are retried.
        count = box.retry_dead_letters(*(options.dead_letter or ()))
    options.conclude_letters("retried", count, "to be tried again")


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
    with options.stored() as box:
        _show_entries([box.cancel(key, by=by, why=why)], options)


@outbox.command()
@with_session
def adopt(options: AdoptOptions, *, provider: Provider = DEFAULT) -> None:
    """Let workers with these credentials send the entries, and no others.

    They are new credentials of the same account, or the environment has another address.
    """
    with options.stored() as box, options.client_of(provider) as client:
        owner = box.adopt(client)
    options.conclude(asdict(owner), plain(f"The entries belong to {owner}."))


add_commands_by_hand(outbox, OutboxCommandOptions, ReleaseOptions)


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
    with options.event_queue() as (box, _):
        # `discard` needs a number: where there is no dead letter, nothing is done.
        chosen = options.dead_letter or [letter.id for letter in box.dead_letters()]
        count = box.discard(*chosen, by=by, why=why) if chosen else 0
    options.conclude_letters("discarded", count, "discarded")


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
