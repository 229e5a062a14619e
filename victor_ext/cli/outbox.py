"""`victor outbox`: what an outbox does not know, and the command that settles it by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import victor_ext
from victor_ext._exit_status import FAILED
from victor_ext.privacy import concealed

from .failures import Misuse
from .screen import complain, plain, say
from .session import AsJson, option
from .wording import in_options

if TYPE_CHECKING:
    from victor_ext.outbox import Entry, Outbox

outbox = typer.Typer(
    help="The outbox of a database: what is unclear, and what to do about it.", no_args_is_help=True
)

Database = Annotated[
    str, option("The database of the outbox: sqlite:///FILE, or postgresql+psycopg://...", "URL")
]
TableName = Annotated[
    str,
    option(
        "The name of its table, or schema.name; status, retry and discard take an inbox's.", "NAME"
    ),
]
Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="The idempotency key of the entry, or its reference if it has its own."
    ),
]
DeadLetter = Annotated[list[int] | None, option("A dead letter, by its number. Repeat it.", "ID")]
AllDeadLetters = Annotated[bool, typer.Option("--all-dead-letters", help="All dead letters.")]
_TABLE = "victor_outbox"
_STORAGE_KEY = "VICTOR_OUTBOX_KEY"
"""The variable that has the storage key of an outbox that is encrypted."""
_OPTIONS = ("by", "why", "id", "older_than", "protect_for")
"""Arguments of an outbox that are options here."""
_LISTED = 10
"""The most numbers that a message lists."""


@contextmanager
def _opened(database: str, table: str, *, inbox: bool = False) -> Generator[tuple[Outbox, bool]]:
    """Open an outbox for the block. Raises `Misuse`, which quotes no URL: it may have a password.

    With `inbox` the table may be an inbox's: its events are like those of an outbox, and it has no
    entries (False).
    """
    try:
        import sqlalchemy as sa  # noqa: PLC0415 - an extra of its own
        from sqlalchemy.exc import ArgumentError, SQLAlchemyError  # noqa: PLC0415 - as above

        from victor_ext.event_queue.databases import split_name  # noqa: PLC0415 - as above
        from victor_ext.outbox import Outbox  # noqa: PLC0415 - as above
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    try:
        schema, name = split_name(table)
    except victor_ext.ConfigurationError as error:
        raise Misuse(f"--table: {error}") from error
    try:
        engine = sa.create_engine(database, poolclass=sa.NullPool)  # no connection stays open
        file = engine.url.database if engine.name == "sqlite" else None
        # SQLite would make it
        if file and not file.startswith(("file:", ":memory:")) and not Path(file).exists():
            raise Misuse(f"--database: there is no file {file}.")
        if not sa.inspect(engine).has_table(name, schema=schema):
            raise Misuse(f"--database has no table {table}: name the outbox's with --table.")
        has_entries = any(
            column["name"] == "key"
            for column in sa.inspect(engine).get_columns(name, schema=schema)
        )
        if not (has_entries or inbox):
            raise Misuse(
                f"{table} has no entries, only events: it is an inbox's, for status, and "
                "for retry and discard with --dead-letter."
            )
        # read as it is needed: an inbox has none
        storage_key = concealed(os.environ.get(_STORAGE_KEY)) or None
        yield Outbox(engine, table=table, storage_key=storage_key), has_entries
    except victor_ext.InvalidRequest as error:
        raise Misuse(
            in_options(error.problems, {name: f"--{name.replace('_', '-')}" for name in _OPTIONS})
        ) from error
    except victor_ext.ConfigurationError as error:
        raise Misuse(str(error)) from error
    except (ArgumentError, ImportError) as error:
        raise Misuse(
            "--database: write sqlite:///FILE or postgresql+psycopg://..., and install its driver."
        ) from error
    except SQLAlchemyError as error:
        reason = plain(str(getattr(error, "orig", None) or "it refused a statement").split("\n")[0])
        raise Misuse(
            f"--database cannot be used: {reason}. Check the URL, and that it runs."
        ) from error


def _show(entries: Iterable[Entry], *, as_json: bool) -> None:
    """Print entries, one on a line. What cannot be read is said at the end."""
    sealed = 0
    for entry in entries:
        sealed += entry.sealed
        known = (
            f"{entry.state.value:<9}",
            entry.operation,
            entry.idempotency_key,
            entry.reference,
            entry.request_id,
            entry.status,
            entry.error,
        )
        say(_as_json(entry) if as_json else plain("  ".join(filter(None, known))))
    if sealed:
        are = "1 entry is" if sealed == 1 else f"{sealed:,} entries are"
        complain(
            f"{are} encrypted: amounts, references of payments and errors were not read. Set "
            f"{_STORAGE_KEY} to the storage_key of the outbox."
        )


def _as_json(entry: Entry) -> str:
    return json.dumps(_fields(entry))


def _fields(entry: Entry) -> dict[str, object]:
    """The fields of an entry, for JSON."""
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    times = {"stored_at": entry.stored_at, "sent_at": entry.sent_at}
    shown = {name: None if at is None else zulu.format(at) for name, at in times.items()}
    fields: dict[str, object] = {**asdict(entry), **shown}
    if entry.sealed:
        fields["payments"] = None  # there may be some
    return fields


@outbox.command()
def status(database: Database, *, table: TableName = _TABLE, as_json: AsJson = False) -> None:
    """Count the entries by state, and name the dead letters.

    The exit status is 1 if an entry is unclear, an event is a dead letter, or the outbox is held.
    """
    with _opened(database, table, inbox=True) as (opened, has_entries):
        counts, unclear = (opened.counts(), opened.entries("unclear")) if has_entries else ({}, [])
        held_since = opened.held_since() if has_entries else None
        letters, events = opened.dead_letters(), opened.event_counts()
    if as_json:
        from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

        named = [
            {**asdict(letter), "stored_at": zulu.format(letter.stored_at)} for letter in letters
        ]
        shown = {
            "entries": counts,
            "events": events,
            "unclear": [_fields(entry) for entry in unclear],
            "dead_letters": named,
            "held_since": None if held_since is None else zulu.format(held_since),
        }
        say(json.dumps(shown))
    else:
        for name, count in (
            *counts.items(),
            *((f"events {state}", count) for state, count in events.items()),
        ):
            say(f"{name:<15} {count:>9,}")
        if held_since is not None:
            say(_held(held_since))
        _show(unclear, as_json=False)
        for letter in letters:
            say(
                plain(f"dead letter {letter.id}: {letter.name} of {letter.subject}: {letter.error}")
            )
    raise typer.Exit(FAILED if unclear or letters or held_since else 0)


def _held(since: datetime) -> str:
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    return (
        f"held since {zulu.format(since)}: nothing is sent or handled until 'victor outbox "
        "release'."
    )


@outbox.command()
def entries(
    database: Database,
    *,
    state: Annotated[
        str | None, option("Those in this state alone, such as unclear.", "WORD")
    ] = None,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """List the entries, oldest first; with --json one on a line."""
    with _opened(database, table) as (opened, _):
        try:
            found = opened.entries(state)
        except victor_ext.InvalidRequest:
            raise Misuse(
                f"--state is {state!r}: write one of {', '.join(opened.counts())}."
            ) from None
    _show(found, as_json=as_json)


@outbox.command()
def retry(
    database: Database,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY", help="An entry that is rejected or refused: its key, or its reference."
        ),
    ] = None,
    *,
    dead_letter: DeadLetter = None,
    all_dead_letters: AllDeadLetters = False,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Let the worker try an entry again of which nothing was done, or an event that is a dead
    letter.

    The exit status is 1 if a number is of no dead letter.
    """
    if (key is not None) + bool(dead_letter) + all_dead_letters != 1:
        raise Misuse("Write one of KEY, --dead-letter ID and --all-dead-letters.")
    with _opened(database, table, inbox=key is None) as (opened, _):
        if key is not None:
            _show([opened.retry(key)], as_json=as_json)
            return
        letters = _numbers(opened, "dead", "not_found")
        named = {*(dead_letter or ())}
        if all_dead_letters:
            count = opened.retry_dead_letters()
        else:
            count = opened.retry_dead_letters(*named)
        _tell_count("retried", count, named - letters, letters, table, as_json=as_json)


@outbox.command()
def cancel(
    database: Database,
    key: Key,
    *,
    by: Annotated[str, option("Who takes it back.", "NAME")],
    why: Annotated[str, option("Why it is not to be sent.", "TEXT")],
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Take back an entry that waits: it is refused, and never sent.

    It is stored who did it, and why, and its handlers are called. After 'victor outbox retry KEY'
    it waits again.
    """
    with _opened(database, table) as (opened, _):
        _show([opened.cancel(key, by=by, why=why)], as_json=as_json)


@outbox.command()
def hold(database: Database, *, table: TableName = _TABLE, as_json: AsJson = False) -> None:
    """Let workers take up nothing, such as in a restored database, before they are started.

    What is stored and was not sent counts as what may have been sent since the backup was made:
    after 'victor outbox release' it is looked up, and not sent.
    """
    with _opened(database, table) as (opened, _):
        found = opened.hold()
    if as_json:
        from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

        say(json.dumps({**asdict(found), "since": zulu.format(found.since)}))
        return
    say(_held(found.since))
    if found.is_first:
        say(f"{found.marked:,} entries may have been sent since their backup was made.")
    else:
        say("It was held before, and nothing more is marked: what was added since then waits.")
        complain("If it was restored since then: 'victor outbox release', then hold it again.")
    if found.under_way:
        complain(f"{found.under_way:,} entries are with a worker, whose calls end first.")


@outbox.command()
def release(database: Database, *, table: TableName = _TABLE, as_json: AsJson = False) -> None:
    """End a hold: workers look up what may have been sent, send what waits, and handle events.

    The exit status is 1 if it was not held.
    """
    with _opened(database, table) as (opened, _):
        was_held = opened.release()
    if as_json:
        say(json.dumps({"released": was_held}))
    elif was_held:
        say("Released.")
    if not was_held:
        complain(f"{table} is not held.")
        raise typer.Exit(FAILED)


@outbox.command()
def forget(
    database: Database,
    *,
    older_than: Annotated[
        float, option("How long ago their state or status last changed.", "DAYS", min=0.0)
    ],
    protect_for: Annotated[
        float | None,
        option(
            "When key and digests go, too: the same payment can then be asked for again (default: "
            "never).",
            "DAYS",
            min=0.0,
        ),
    ] = None,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Forget the data of entries that are settled.

    They keep what protects from a repeat: key, id, state, and digests of reference and values. What
    may have been sent, has not ended, or has an event that was not handled is not forgotten.
    """
    protection = None if protect_for is None else timedelta(days=protect_for)
    with _opened(database, table) as (opened, _):
        count = opened.forget(older_than=timedelta(days=older_than), protect_for=protection)
    say(json.dumps({"forgotten": count}) if as_json else f"{count:,} entries forgotten.")


@outbox.command()
def discard(
    database: Database,
    *,
    by: Annotated[str, option("Who gives it up.", "NAME")],
    why: Annotated[str, option("Why nothing is lost.", "TEXT")],
    dead_letter: DeadLetter = None,
    all_dead_letters: AllDeadLetters = False,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Give up dead letters. It is stored who did it, and why.

    The exit status is 1 if a number is of no dead letter.
    """
    if bool(dead_letter) == all_dead_letters:
        raise Misuse("Write one of --dead-letter ID and --all-dead-letters.")
    with _opened(database, table, inbox=True) as (opened, _):
        letters = _numbers(opened, "dead", "not_found")
        named = {*(dead_letter or ())} or _numbers(opened, "dead")
        count = opened.discard(*named, by=by, why=why) if named else 0
        _tell_count("discarded", count, named - letters, letters, table, as_json=as_json)


@outbox.command()
def rekey(
    database: Database,
    *,
    new: Annotated[
        str, option("The variable that has the new secret.", "VARIABLE")
    ] = "VICTOR_OUTBOX_NEW_KEY",
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Protect an encrypted outbox by another secret: set VICTOR_OUTBOX_NEW_KEY to it.

    What is stored stays as it is. From then on, VICTOR_OUTBOX_KEY and storage_key have to be the
    new one. The exit status is 1 if the outbox is not encrypted.
    """
    secret = concealed(os.environ.get(new))
    if not secret:
        raise Misuse(f"{new} is not set: put the new secret there.")
    with _opened(database, table) as (opened, _):
        is_done = opened.rekey(secret)
    if as_json:
        say(json.dumps({"rekeyed": is_done}))
    elif is_done:
        say(f"The outbox has another secret now: set {_STORAGE_KEY} and storage_key to it.")
    if not is_done:
        complain(f"{table} is not encrypted, so it has no secret to replace.")
        raise typer.Exit(FAILED)


def _numbers(opened: Outbox, *states: str) -> set[int]:
    """Return the numbers of the dead letters in these states."""
    return {letter.id for state in states for letter in opened.dead_letters(state)}


def _tell_count(
    done: str,
    count: int,
    unknown: Collection[int],
    letters: Collection[int],
    table: str,
    *,
    as_json: bool,
) -> None:
    """Print with how many dead letters it was done.

    The exit status is 1 if there are numbers of no dead letter: `unknown`.
    """
    words = {"retried": "to be tried again", "discarded": "discarded"}
    say(json.dumps({done: count}) if as_json else f"{count} {words[done]}.")
    if unknown:
        complain(_no_dead_letters(sorted(unknown), letters, table))
        raise typer.Exit(FAILED)


def _no_dead_letters(numbers: Sequence[int], letters: Collection[int], table: str) -> str:
    named = ", ".join(map(str, numbers))
    are = "is no dead letter" if len(numbers) == 1 else "are no dead letters"
    if not letters:
        return f"{named} {are} of {table}, which has none."
    known = ", ".join(map(str, sorted(letters)[:_LISTED]))
    more = f" and {len(letters) - _LISTED} more" if len(letters) > _LISTED else ""
    return f"{named} {are} of {table}, which has {known}{more}: see 'victor outbox status'."


@outbox.command()
def resolve(
    database: Database,
    key: Key,
    *,
    found: Annotated[
        str, typer.Option("--as", metavar="WORD", help="What you have found: sent or not-done.")
    ],
    by: Annotated[str, option("Who has found it out.", "NAME")],
    why: Annotated[str, option("How, such as where you have looked.", "TEXT")],
    id: Annotated[str | None, option("The provider's id of what was sent.", "TEXT")] = None,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Settle an unclear entry by hand. It is stored who did it, and why, and its handlers are
    called.

    After not-done, 'victor outbox retry KEY' sends it again.
    """
    if found not in ("sent", "not-done"):
        raise Misuse(f"--as is {found!r}: write sent or not-done.")
    with _opened(database, table) as (opened, _):
        _show([opened.resolve(key, done=found == "sent", id=id, by=by, why=why)], as_json=as_json)
