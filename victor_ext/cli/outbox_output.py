"""What `victor outbox` prints: entries, the health of an outbox, and numbers of dead letters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from victor_ext._exit_status import FAILED

from .open_outbox import STORAGE_KEY
from .screen import complain, plain, say
from .times import zulu_text

if TYPE_CHECKING:
    from victor_ext.outbox import DeadLetter, Entry, EntryState, EventState, Outbox

_LISTED_NUMBERS = 10
"""The most numbers of dead letters that a message lists."""


def show_entries(entries: Iterable[Entry], *, as_json: bool) -> None:
    """Print entries, one on a line, and then how many of them could not be decrypted."""
    sealed_count = 0
    for entry in entries:
        if entry.sealed:
            sealed_count += 1
        say(json.dumps(_entry_as_dict(entry)) if as_json else _entry_line(entry))
    if sealed_count:
        complain(_sealed_notice(sealed_count))


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


def _sealed_notice(count: int) -> str:
    """Return what was not read of entries that could not be decrypted."""
    entries = "1 entry is" if count == 1 else f"{count:,} entries are"
    return (
        f"{entries} encrypted: amounts, references of payments and errors were not read. Set "
        f"{STORAGE_KEY} to the storage_key of the outbox."
    )


def _entry_as_dict(entry: Entry) -> dict[str, object]:
    """Return the fields of an entry, for JSON."""
    fields: dict[str, object] = asdict(entry)
    fields["stored_at"] = zulu_text(entry.stored_at)
    fields["sent_at"] = zulu_text(entry.sent_at)
    if entry.sealed:
        fields["payments"] = None  # not known: an empty list would say that there are none
    return fields


@dataclass(frozen=True)
class Health:
    """What an outbox, or an inbox, has, and what a person should look at."""

    # An inbox has no entries: its counts are empty.
    entry_counts: Mapping[EntryState, int]
    event_counts: Mapping[EventState, int]
    dead_letters: Sequence[DeadLetter]
    unclear: Sequence[Entry] = ()
    held_since: datetime | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing needs a person."""
        return not (self.unclear or self.dead_letters or self.held_since)

    def to_dict(self) -> dict[str, object]:
        letters = [
            {**asdict(letter), "stored_at": zulu_text(letter.stored_at)}
            for letter in self.dead_letters
        ]
        return {
            "entries": self.entry_counts,
            "events": self.event_counts,
            "unclear": [_entry_as_dict(entry) for entry in self.unclear],
            "dead_letters": letters,
            "held_since": zulu_text(self.held_since),
        }

    def show(self) -> None:
        counts = {state.value: count for state, count in self.entry_counts.items()}
        for event_state, count in self.event_counts.items():
            counts[f"events {event_state.value}"] = count
        width = max(map(len, counts), default=0)
        for name, count in counts.items():
            say(f"{name:<{width}} {count:>9,}")
        if self.held_since is not None:
            say(held_notice(self.held_since))
        show_entries(self.unclear, as_json=False)
        for letter in self.dead_letters:
            text = f"dead letter {letter.id}: {letter.name} of {letter.subject}: {letter.error}"
            say(plain(text))


def held_notice(since: datetime) -> str:
    """Return the line that says that an outbox is held."""
    return (
        f"held since {zulu_text(since)}: nothing is sent or handled until 'victor outbox release'."
    )


def dead_letter_numbers(outbox: Outbox, *states: str) -> set[int]:
    """Return the numbers of the dead letters in these states."""
    return {letter.id for state in states for letter in outbox.dead_letters(state)}


_ACTION_TEXTS = {"retried": "to be tried again", "discarded": "discarded"}
"""What becomes of dead letters, by the member of the JSON that counts them."""


def show_count(action: str, count: int, *, as_json: bool) -> None:
    """Print how many dead letters were `retried` or `discarded`."""
    say(json.dumps({action: count}) if as_json else f"{count} {_ACTION_TEXTS[action]}.")


def check_numbers(named: AbstractSet[int], known: AbstractSet[int], table: str) -> None:
    """End the command with exit status 1 if a number is named that is not known as a dead
    letter's.
    """
    unknown = named - known
    if unknown:
        complain(_unknown_numbers_message(sorted(unknown), sorted(known), table))
        raise typer.Exit(FAILED)


def _unknown_numbers_message(unknown: Sequence[int], known: Sequence[int], table: str) -> str:
    """Return that the table has no dead letters of the `unknown` numbers, and which it has."""
    names = ", ".join(map(str, unknown))
    verb = "is no dead letter" if len(unknown) == 1 else "are no dead letters"
    beginning = f"{names} {verb} of {table}, which has"
    if not known:
        return f"{beginning} none."
    known_names = ", ".join(map(str, known[:_LISTED_NUMBERS]))
    if len(known) > _LISTED_NUMBERS:
        known_names = f"{known_names} and {len(known) - _LISTED_NUMBERS} more"
    return f"{beginning} {known_names}: see 'victor outbox status'."
