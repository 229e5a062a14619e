"""Changes of entries are stored, together with the work of the handlers of their events.

First come the changes of one entry (`EntryStore`) and the events that they are, then what an entry
has made, by whose id no other entry is settled, then the results of several entries that one
statement stores. Only a result that comes from the entry's own call can be stored in this way: it
counts whichever worker holds the entry, so that no row of it has to be read before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext._event_queue.databases import Condition, DatabaseTime
from victor_ext._event_queue.queue import EventKind, EventQueue
from victor_ext._event_queue.rows import take_first
from victor_ext._event_queue.transactions import Pass, Transactions, Work
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import PaymentOutcome, Settlement
from victor_ext._values.ids import canonical_id

from ._claimed_entry import Claim
from ._digests import is_forgotten
from ._entries import (
    DUE,
    Entry,
    EntryState,
    OutboxEvent,
    done_values,
    entry_of,
    event_names_of_change,
    event_values,
    provider_of,
)
from ._holding import Holding
from ._sealing import UNPREPARED, ClearRow, clear_row, sealed_values


class Change(NamedTuple):
    """The outcome of a statement that was to change an entry.

    Attributes:
        entry: The entry after the change. None: it was not changed.
        events: The names of the events that the change is.
    """

    entry: Entry | None
    events: Sequence[str] = ()


class EntryLost(Exception):
    """An entry is not in the table any more: somebody has deleted it."""


class EntryStore:
    """Changes entries, and tells the handlers.

    Args:
        table: Of the entries.
        vault: Encrypts and decrypts them.
        queue: Of their events.
        transactions: Of the outbox.
    """

    def __init__(
        self,
        table: sa.Table,
        vault: Vault,
        queue: EventQueue[OutboxEvent],
        transactions: Transactions,
    ) -> None:
        self._table = table
        self._vault = vault
        self._queue = queue
        self._transactions = transactions

    def store(self, claim: Claim, **values: Any) -> Pass[Entry | None]:
        """Store new values of an entry, while this worker has it. The result is as of
        `change_claimed`.
        """
        return self.store_change(partial(self.change_claimed, claim, values))

    def store_change(
        self, work: Work[Change], result: SentResult | None = None
    ) -> Pass[Entry | None]:
        """Store a change in one transaction with the work of the handlers of its events. If that
        fails, store the change and its events: the handlers are called later.

        Without handlers, `result` may be stored in place of `work` (see `Transaction`). A handler
        may also fail when its transaction ends, as by a constraint that is checked then.
        """
        change = partial(self.change_and_tell, work)
        try:
            return (
                yield from self._transactions.transact(partial(change, self._queue.tell), result)
            )
        except Exception as error:
            if not self._queue.handlers:
                raise
            failure = error  # whatever a handler does, the state of a payment is stored
        store_events = partial(self._queue.tell, error=failure)
        return (yield from self._transactions.transact(partial(change, store_events)))

    def change_and_tell(
        self, work: Work[Change], tell: Callable[..., object], connection: Connection
    ) -> Entry | None:
        """Make a change, and pass the values of each of its events to `tell`."""
        change = work(connection)
        entry = change.entry
        if entry is not None:
            for name in change.events:
                tell(connection, **event_values(name, entry))
        return entry

    def change_claimed(
        self,
        claim: Claim,
        values: dict[str, Any],
        connection: Connection,
        *,
        is_certain: bool = False,
    ) -> Change:
        """Change an entry that this worker has taken up, and return it as it is then, if it has a
        result.

        It is changed only while this worker has it and it has no result. A result that `is_certain`
        counts whoever has the entry: it is stored unless the entry is sent already. Raises
        `EntryLost` if the entry of such a result is not there.
        """
        columns = self._table.c
        is_named = columns.id == claim.row.id
        may_change = sa.and_(claim.is_still_ours(columns), columns.state.in_(DUE))
        if is_certain:
            may_change = sa.and_(is_named, columns.state != EntryState.SENT)
        change = self.change(may_change, values, connection)
        if change.entry is not None:
            return change
        row = connection.execute(sa.select(self._table).where(is_named)).first()
        if row is None and is_certain:
            made = values.get("request_id")
            result = f"its payment has the id {made}" if made else "nothing was made"
            raise EntryLost(f"The entry {claim.row.key} was deleted while it was sent: {result}.")
        return Change(None if row is None or row.state in DUE else self.entry_of(row))

    def change(self, chosen: Condition, values: dict[str, Any], connection: Connection) -> Change:
        """Change the first entry that is chosen, if there is one."""
        changed = sealed_values(self._vault, {**values, "changed_at": DatabaseTime()})
        marks = ("state", "status")
        before = take_first(connection, self._table, chosen, marks, lambda _row: changed)
        if before is None:
            return Change(None)
        query = sa.select(self._table).where(self._table.c.id == before.id)
        after: Any = connection.execute(query).one()
        entry = self.entry_of(after)
        return Change(entry, event_names_of_change(before, after))

    def entry_of(self, row: Any) -> Entry:
        """The entry of a row."""
        return entry_of(clear_row(self._vault, row))


def event_kind(table: sa.Table, vault: Vault, holding: Holding) -> EventKind[OutboxEvent]:
    """What the events of entries of this table are, which the vault decrypts. While the outbox is
    held, no handler is called: the change is of a call that had begun before.
    """

    def event_of(connection: Connection, row: Any, tries: int, _record: None) -> OutboxEvent:
        """A change of an entry, with the entry as it is now: nobody else changes it before this
        transaction ends.
        """
        query = sa.select(table).where(table.c.key == row.subject).with_for_update()
        stored = connection.execute(query).first()
        if stored is None:
            raise EntryLost(f"The entry {row.subject} was deleted before its event was handled.")
        return OutboxEvent(row.name, entry_of(clear_row(vault, stored)), tries)

    return EventKind(provider_of, event_of, holding.may_work)


def is_readable(row: ClearRow) -> bool:
    """Whether an entry has its call: it was prepared, and is not forgotten."""
    return row.call != UNPREPARED and not is_forgotten(row.call)


def text_of_made(row: ClearRow, id: str | None) -> str | None:
    """The text by which the id of what an entry has made is locked; None: it made nothing. Of an
    entry that was forgotten, an id counts as that of what it made.
    """
    own_id = canonical_id(id)
    if own_id is None or (is_readable(row) and not row.prepared.makes(own_id)):
        return None
    return f"{row.provider} {own_id}"


@dataclass(frozen=True, slots=True)
class SentResult:
    """The new column values of an entry that was sent, and the entry with these values.

    `made` is as of `text_of_made`.
    """

    id: int
    made: str | None
    values: Mapping[str, Any] = field(repr=False)
    entry: Entry = field(repr=False)


def result_of(row: ClearRow, settlement: Settlement) -> SentResult | None:
    """The result of an entry whose own call was done; None: its settlement comes from a look-up, or
    is another one, and has to be compared with other entries before it is stored; or there is more
    to say of it.
    """
    if settlement.outcome is not PaymentOutcome.CREATED or settlement.reason is not None:
        return None
    values = done_values(settlement.request, row.prepared)
    entry = entry_of(row.with_values(values))
    made = text_of_made(row, settlement.request.id)
    return SentResult(row.id, made, values, entry)
