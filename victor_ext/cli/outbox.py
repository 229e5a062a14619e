"""`victor outbox`: what an outbox does not know, and the command that settles it by hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

import victor_ext
from victor_ext._exit_status import FAILED
from victor_ext.privacy import concealed

from .failures import Misuse
from .opened_outbox import STORAGE_KEY, opened_events, opened_outbox
from .options import AsJson, argument, group, number, option, whole_number
from .screen import complain, plain, say

if TYPE_CHECKING:
    from victor_ext.outbox import DeadLetter, Entry, EntryState, EventState, Outbox

outbox = group("The outbox of a database: what is unclear, and what to do about it.")

Database = Annotated[
    str, option("The database of the outbox: sqlite:///FILE, or postgresql+psycopg://...", "URL")
]
TableName = Annotated[
    str,
    option(
        "The name of its table, or schema.name; status, retry and discard take an inbox's.", "NAME"
    ),
]
Key = Annotated[str, argument("KEY")]
DeadLetters = Annotated[
    list[int] | None,
    option("A dead letter, by its number. Repeat it.", "ID", parser=whole_number()),
]
AllDeadLetters = Annotated[bool, typer.Option("--all-dead-letters", help="All dead letters.")]
_TABLE = "victor_outbox"
_LISTED = 10
"""The most numbers that a message lists."""


def _show(entries: Iterable[Entry], *, as_json: bool) -> None:
    """Print entries, one on a line. What cannot be read is said at the end."""
    sealed_count = 0
    for entry in entries:
        if entry.sealed:
            sealed_count += 1
        say(json.dumps(_fields(entry)) if as_json else _line(entry))
    if sealed_count:
        complain(_sealed_notice(sealed_count))


def _line(entry: Entry) -> str:
    cells = (
        f"{entry.state.value:<9}",
        entry.operation,
        entry.idempotency_key,
        entry.reference,
        entry.request_id,
        entry.status,
        entry.error,
    )
    return plain("  ".join(filter(None, cells)))


def _sealed_notice(count: int) -> str:
    entries = "1 entry is" if count == 1 else f"{count:,} entries are"
    return (
        f"{entries} encrypted: amounts, references of payments and errors were not read. Set "
        f"{STORAGE_KEY} to the storage_key of the outbox."
    )


def _fields(entry: Entry) -> dict[str, object]:
    """The fields of an entry, for JSON."""
    fields: dict[str, object] = asdict(entry)
    fields["stored_at"] = _zulu(entry.stored_at)
    fields["sent_at"] = _zulu(entry.sent_at)
    if entry.sealed:
        fields["payments"] = None  # there may be some
    return fields


def _zulu(moment: datetime | None) -> str | None:
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    return None if moment is None else zulu.format(moment)


@outbox.command()
def status(database: Database, *, table: TableName = _TABLE, as_json: AsJson = False) -> None:
    """Count the entries by state, and name the dead letters.

    The exit status is 1 if an entry is unclear, an event is a dead letter, or the outbox is held.
    """
    with opened_events(database, table) as (opened, has_entries):
        health = _Health({}, opened.event_counts(), opened.dead_letters())
        if has_entries:
            health = replace(
                health,
                entry_counts=opened.counts(),
                unclear=opened.entries("unclear"),
                held_since=opened.held_since(),
            )
    if as_json:
        say(json.dumps(health.to_dict()))
    else:
        health.show()
    raise typer.Exit(0 if health.is_good else FAILED)


@dataclass(frozen=True)
class _Health:
    """What an outbox, or an inbox, has, and what a person should look at."""

    entry_counts: Mapping[EntryState, int]
    event_counts: Mapping[EventState, int]
    dead_letters: Sequence[DeadLetter]
    unclear: Sequence[Entry] = ()
    held_since: datetime | None = None

    @property
    def is_good(self) -> bool:
        return not (self.unclear or self.dead_letters or self.held_since)

    def to_dict(self) -> dict[str, object]:
        letters = [
            {**asdict(letter), "stored_at": _zulu(letter.stored_at)} for letter in self.dead_letters
        ]
        return {
            "entries": self.entry_counts,
            "events": self.event_counts,
            "unclear": [_fields(entry) for entry in self.unclear],
            "dead_letters": letters,
            "held_since": _zulu(self.held_since),
        }

    def show(self) -> None:
        for entry_state, count in self.entry_counts.items():
            say(f"{entry_state:<15} {count:>9,}")
        for event_state, count in self.event_counts.items():
            name = f"events {event_state}"
            say(f"{name:<15} {count:>9,}")
        if self.held_since is not None:
            say(_held(self.held_since))
        _show(self.unclear, as_json=False)
        for letter in self.dead_letters:
            text = f"dead letter {letter.id}: {letter.name} of {letter.subject}: {letter.error}"
            say(plain(text))


def _held(since: datetime) -> str:
    return f"held since {_zulu(since)}: nothing is sent or handled until 'victor outbox release'."


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
    with opened_outbox(database, table) as opened:
        try:
            listed = opened.entries(state)
        except victor_ext.InvalidRequest:
            states = ", ".join(opened.counts())
            raise Misuse(f"--state is {state!r}: write one of {states}.") from None
    _show(listed, as_json=as_json)


@outbox.command()
def retry(
    database: Database,
    key: Annotated[
        str | None,
        argument("KEY"),
    ] = None,
    *,
    dead_letter: DeadLetters = None,
    all_dead_letters: AllDeadLetters = False,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Let the worker try an entry again of which nothing was done, or an event that is a dead
    letter.

    KEY is an entry that is rejected or refused: its key, or its reference. The exit status is 1 if
    a number is of no dead letter.
    """
    choices = (key is not None, bool(dead_letter), all_dead_letters)
    if choices.count(True) != 1:
        raise Misuse("Write one of KEY, --dead-letter ID and --all-dead-letters.")
    if key is not None:
        with opened_outbox(database, table) as opened:
            _show([opened.retry(key)], as_json=as_json)
        return
    named = set(dead_letter or ())
    with opened_events(database, table) as (opened, _):
        letters = _numbers(opened, "dead", "not_found")
        # none is named: all of them
        count = opened.retry_dead_letters(*named)
        _show_count("retried", count, as_json=as_json)
        _check_numbers(named, letters, table)


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

    KEY is the idempotency key of the entry, or its reference if it has its own. It is stored who
    did it, and why, and its handlers are called. After 'victor outbox retry KEY' it waits again.
    """
    with opened_outbox(database, table) as opened:
        _show([opened.cancel(key, by=by, why=why)], as_json=as_json)


@outbox.command()
def hold(database: Database, *, table: TableName = _TABLE, as_json: AsJson = False) -> None:
    """Let workers take up nothing, such as in a restored database, before they are started.

    What is stored and was not sent counts as what may have been sent since the backup was made:
    after 'victor outbox release' it is looked up, and not sent.
    """
    with opened_outbox(database, table) as opened:
        held = opened.hold()
    if as_json:
        say(json.dumps({**asdict(held), "since": _zulu(held.since)}))
        return
    say(_held(held.since))
    if held.is_first:
        say(f"{held.marked:,} entries may have been sent since their backup was made.")
    else:
        say("It was held before, and nothing more is marked: what was added since then waits.")
        complain("If it was restored since then: 'victor outbox release', then hold it again.")
    if held.under_way:
        complain(f"{held.under_way:,} entries are with a worker, whose calls end first.")


@outbox.command()
def release(database: Database, *, table: TableName = _TABLE, as_json: AsJson = False) -> None:
    """End a hold: workers look up what may have been sent, send what waits, and handle events.

    The exit status is 1 if it was not held.
    """
    with opened_outbox(database, table) as opened:
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
        float, option("How long ago their state or status last changed.", "DAYS", parser=number(0))
    ],
    protect_for: Annotated[
        float | None,
        option(
            "When key and digests go, too: the same payment can then be asked for again (default: "
            "never).",
            "DAYS",
            parser=number(0),
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
    with opened_outbox(database, table) as opened:
        count = opened.forget(older_than=timedelta(days=older_than), protect_for=protection)
    say(json.dumps({"forgotten": count}) if as_json else f"{count:,} entries forgotten.")


@outbox.command()
def discard(
    database: Database,
    *,
    by: Annotated[str, option("Who gives it up.", "NAME")],
    why: Annotated[str, option("Why nothing is lost.", "TEXT")],
    dead_letter: DeadLetters = None,
    all_dead_letters: AllDeadLetters = False,
    table: TableName = _TABLE,
    as_json: AsJson = False,
) -> None:
    """Give up dead letters. It is stored who did it, and why.

    The exit status is 1 if a number is of no dead letter.
    """
    if bool(dead_letter) == all_dead_letters:
        raise Misuse("Write one of --dead-letter ID and --all-dead-letters.")
    with opened_events(database, table) as (opened, _):
        letters = _numbers(opened, "dead", "not_found")
        named = set(dead_letter or ()) or _numbers(opened, "dead")
        count = opened.discard(*named, by=by, why=why) if named else 0
        _show_count("discarded", count, as_json=as_json)
        _check_numbers(named, letters, table)


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
    with opened_outbox(database, table) as opened:
        is_done = opened.rekey(secret)
    if as_json:
        say(json.dumps({"rekeyed": is_done}))
    elif is_done:
        say(f"The outbox has another secret now: set {STORAGE_KEY} and storage_key to it.")
    if not is_done:
        complain(f"{table} is not encrypted, so it has no secret to replace.")
        raise typer.Exit(FAILED)


def _numbers(opened: Outbox, *states: str) -> set[int]:
    """Return the numbers of the dead letters in these states."""
    return {letter.id for state in states for letter in opened.dead_letters(state)}


_DONE = {"retried": "to be tried again", "discarded": "discarded"}


def _show_count(done: str, count: int, *, as_json: bool) -> None:
    """Print with how many dead letters it was done."""
    say(json.dumps({done: count}) if as_json else f"{count} {_DONE[done]}.")


def _check_numbers(named: AbstractSet[int], letters: AbstractSet[int], table: str) -> None:
    """End with exit status 1 if numbers are named that are of no dead letter."""
    unknown = named - letters
    if unknown:
        complain(_no_dead_letters(sorted(unknown), letters, table))
        raise typer.Exit(FAILED)


def _no_dead_letters(numbers: Sequence[int], letters: AbstractSet[int], table: str) -> str:
    names = ", ".join(map(str, numbers))
    verb = "is no dead letter" if len(numbers) == 1 else "are no dead letters"
    sentence = f"{names} {verb} of {table}, which has"
    if not letters:
        return f"{sentence} none."
    known = ", ".join(map(str, sorted(letters)[:_LISTED]))
    if len(letters) > _LISTED:
        known = f"{known} and {len(letters) - _LISTED} more"
    return f"{sentence} {known}: see 'victor outbox status'."


@outbox.command()
def resolve(
    database: Database,
    key: Key,
    *,
    word: Annotated[
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

    KEY is the idempotency key of the entry, or its reference if it has its own. After not-done,
    'victor outbox retry KEY' sends it again.
    """
    if word not in ("sent", "not-done"):
        raise Misuse(f"--as is {word!r}: write sent or not-done.")
    with opened_outbox(database, table) as opened:
        entry = opened.resolve(key, done=word == "sent", id=id, by=by, why=why)
        _show([entry], as_json=as_json)
