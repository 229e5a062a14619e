"""Changes of entries are stored, together with the work of the handlers of their events.

First come the changes of one entry (`EntryStore`) and the events that they are, then what an entry
has made, by whose id no other entry is settled, then the results of several entries that one
statement stores. Only a result that comes from the entry's own call can be stored in this way: it
counts whichever worker holds the entry, so that no row of it has to be read before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext.event_queue.databases import Condition, DatabaseTime
from victor_ext.event_queue.queue import EventQueue, FailedTry, usual_failure
from victor_ext.event_queue.rows import lock_texts, take_first
from victor_ext.event_queue.transactions import Pass, Transactions, Work
from victor_ext.ids import canonical_id
from victor_ext.settlement.flow import PaymentOutcome, Settlement

from .claims import Claim
from .digests import is_forgotten
from .entries import (
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
from .holding import Holding
from .sealing import ClearRow, Sealing, is_sealed


class Change(NamedTuple):
    """The outcome of a statement that was to change an entry.

    Attributes:
        entry: The entry after the change. None: it was not changed.
        events: The names of the events that the change is.
        stored: The row of the entry after the change, which its events store.
    """

    entry: Entry | None
    events: Sequence[str] = ()
    stored: Mapping[str, Any] = MappingProxyType({})


class EntryStore:
    """Changes entries, and tells the handlers.

    Args:
        table: Of the entries.
        sealing: Encrypts and decrypts them.
        queue: Of their events.
        transactions: Of the outbox.
        lost: Called if an entry that was called is not there, with whether its result is certain.
            It raises an error, unless that costs nothing.
    """

    def __init__(
        self,
        table: sa.Table,
        sealing: Sealing,
        queue: EventQueue[OutboxEvent],
        transactions: Transactions,
        lost: Callable[..., None],
    ) -> None:
        self._table = table
        self._sealing = sealing
        self._queue = queue
        self._transactions = transactions
        self._lost = lost

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
        for name in change.events:
            tell(connection, **event_values(name, change.stored))
        return change.entry

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
        counts whoever has the entry: it is stored unless the entry is sent already.
        """
        columns = self._table.c
        is_named = columns.id == claim.row.id
        may_change = sa.and_(claim.is_held(columns), columns.state.in_(DUE))
        if is_certain:
            may_change = sa.and_(is_named, columns.state != EntryState.SENT)
        change = self.change(may_change, values, connection)
        if change.entry is not None:
            return change
        row = connection.execute(sa.select(self._table).where(is_named)).first()
        if row is None:
            self._lost(is_certain=is_certain)
        return Change(None if row is None or row.state in DUE else self.entry_of(row))

    def change(self, chosen: Condition, values: dict[str, Any], connection: Connection) -> Change:
        """Change the first entry that is chosen, if there is one."""
        changed = {**values, "changed_at": DatabaseTime()}
        stored = partial(self._sealing.encrypted_like, values=changed)
        before = take_first(connection, self._table, chosen, ("state", "status"), stored)
        if before is None:
            return Change(None)
        query = sa.select(self._table).where(self._table.c.id == before.id)
        after: Any = connection.execute(query).one()
        entry = self.entry_of(after)
        return Change(entry, event_names_of_change(before, after), after._asdict())

    def entry_of(self, row: Any) -> Entry:
        """The entry of a row. Without the secret, an encrypted one is `sealed`."""
        return entry_of(self._sealing.decrypted_row(row, may_stay_sealed=True))


class EntryEvents:
    """The events of entries, for their queue: see `EventKind`.

    Args:
        sealing: Decrypts them.
        holding: While the outbox is held, no handler is called: the change is of a call that had
            begun before.
    """

    def __init__(self, sealing: Sealing, holding: Holding) -> None:
        self._sealing = sealing
        self._holding = holding

    def provider(self, client: Any) -> str:
        """The system of the client."""
        return provider_of(client)

    def event_of(self, row: Any, tries: int) -> OutboxEvent:
        """A change of an entry."""
        entry = entry_of(self._sealing.decrypted_entry(json.loads(row.data)))
        return OutboxEvent(row.name, entry, tries)

    def may_handle(self) -> Condition:
        """The condition that the outbox is not held."""
        return self._holding.may_work()

    def check(self, connection: Connection) -> None:
        """Raise `ConfigurationError`: events could not be decrypted."""
        self._sealing.load_vault(connection)

    def complete(self, event: OutboxEvent, client: Any) -> Pass[OutboxEvent]:  # noqa: ARG002 - an inbox reads with it
        """It is."""
        yield from ()
        return event

    def note_state(self, connection: Connection, event: OutboxEvent) -> bool:  # noqa: ARG002 - each change is new
        """It is new."""
        return True

    def failure(self, row: Any, error: Exception, tries: int) -> FailedTry:
        """As usual."""
        return usual_failure(row, error, tries)

    def forget(self, connection: Connection, provider: str, now: float) -> None:
        """Nothing is old beside them."""


def is_readable(row: ClearRow) -> bool:
    """Whether the call of an entry can be read: it is neither encrypted nor forgotten."""
    return not is_sealed(row.call) and not is_forgotten(row.call)


def make_one_kind(row: ClearRow, other: ClearRow) -> bool:
    """Whether two entries make things of one kind, whose ids differ. Of an entry that cannot be
    read, what was called counts alone.
    """
    if is_readable(row) and is_readable(other):
        return not _kinds_made(row).isdisjoint(_kinds_made(other))
    return bool(row.operation == other.operation)


def are_of_one_operation(row: ClearRow, other: ClearRow) -> bool:
    """Whether two entries call one operation of the provider, each by a name of its own, such as
    the method and the generated function.
    """
    if row.operation == other.operation:
        return True
    are_readable = is_readable(row) and is_readable(other)
    return are_readable and bool(row.prepared.operation == other.prepared.operation)


def _kinds_made(row: ClearRow) -> set[tuple[str | None, ...]]:
    """The names of what an entry makes: what was called, and the path of what is made; each with
    the ids in that path, since ids may count from 1 for each parent.
    """
    path: str = row.prepared.operation
    ids = [canonical_id(id) for id in row.prepared.ids]
    # EastPay's payments and the refunds of one, which are payments, too.
    made_at = path.removesuffix("/{}")
    parents = ids if made_at == path else ids[:-1]
    return {(row.operation, *parents), (made_at, *parents)}


def text_of_made(row: ClearRow, id: str | None) -> str | None:
    """The text by which the id of what an entry has made is locked; None: it made nothing. Of an
    entry that cannot be read, an id counts as that of what it made.
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
    is another one, and has to be compared with other entries before it is stored.
    """
    if settlement.outcome is not PaymentOutcome.CREATED or settlement.looked_up:
        return None
    values = done_values(settlement.request, row.prepared)
    entry = entry_of(row.with_values(values))
    made = text_of_made(row, settlement.request.id)
    return SentResult(row.id, made, values, entry)


def store_results(
    table: sa.Table,
    has_one_of: Callable[[Collection[str], Connection], bool],
    connection: Connection,
    results: Sequence[SentResult],
) -> bool:
    """Store each result, unless its entry is sent already. Returns whether all were stored; none
    is, if two of them or another entry have one id.

    All results have the same columns.

    Args:
        has_one_of: Returns whether another entry has one of the ids that these have made.
    """
    made = {result.values["request_id"]: result.made for result in results if result.made}
    if made:
        lock_texts(connection, table, made.values())
        is_double = len(made) < sum(result.made is not None for result in results)
        if is_double or has_one_of(made, connection):
            return False
    rows: list[dict[str, Any]] = []
    for result in results:
        row = {f"new_{name}": value for name, value in result.values.items()}
        rows.append({"of_id": result.id, **row})
    statement = _storing_result(table, tuple(results[0].values))
    return bool(connection.execute(statement, rows).rowcount == len(rows))


# Made once: to make a statement takes as long as the database does.


@lru_cache
def entry_with_one_of(table: sa.Table) -> sa.Select[Any]:
    """The query for an entry that has one of the `ids`."""
    ids = sa.bindparam("ids", expanding=True, type_=table.c.request_id.type)
    return sa.select(table.c.id).where(table.c.request_id.in_(ids)).limit(1)


@lru_cache
def _storing_result(table: sa.Table, names: tuple[str, ...]) -> sa.Update:
    """The statement that stores new values of these columns, unless the entry is sent already."""
    columns = table.c
    is_open = sa.and_(columns.id == sa.bindparam("of_id"), columns.state != EntryState.SENT)
    new = {name: sa.bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    return sa.update(table).where(is_open).values(new)
