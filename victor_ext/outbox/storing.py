"""Changes of entries are stored, together with the work of the handlers of their events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from victor_ext.event_queue.databases import Condition, DatabaseTime
from victor_ext.event_queue.rows import lock_texts, take_first
from victor_ext.event_queue.transactions import Engine, Pass, Work
from victor_ext.ids import canonical_id

from .claims import DUE
from .entries import Entry, EntryState, OutboxEvent, entry_of, event_names_of_change, event_values
from .holding import Holding
from .results import SentResult, make_one_kind, text_of_made
from .sealing import Sealing


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


class EntryStore(Holding[Engine]):
    """Changes entries, and tells the handlers."""

    references: sa.Table
    _sealing: Sealing
    _kept: float

    def _store(self, id: int, lease: float, **values: Any) -> Pass[Entry | None]:
        """Store new values of an entry that this worker holds until `lease`. The result is as of
        `_change_held`.
        """
        return self._store_change(partial(self._change_held, id, lease, values))

    def _store_change(
        self, work: Work[Change], result: SentResult | None = None
    ) -> Pass[Entry | None]:
        """Store a change in one transaction with the work of the handlers of its events. If that
        fails, store the change and its events: the handlers are called later.

        Without handlers, `result` may be stored in place of `work` (see `Transaction`). A handler
        may also fail when its transaction ends, as by a constraint that is checked then.
        """
        failure: Exception
        try:
            return (yield from self._transact(self._work_with_handlers(work, None), result))
        except Exception as error:
            if not self._handlers:
                raise
            failure = error  # whatever a handler does, the state of a payment is stored
        return (yield from self._transact(self._work_with_handlers(work, failure)))

    def _work_with_handlers(
        self, work: Work[Change], failure: Exception | None
    ) -> Work[Entry | None]:
        """Work that makes a change, and calls the handlers or, after their `failure`, stores its
        events.
        """
        return partial(self._change_and_tell, work, partial(self._tell_handlers, failure))

    def _change_and_tell(
        self, work: Work[Change], tell: Callable[..., object], connection: sa.Connection
    ) -> Entry | None:
        """Make a change, and pass the values of each of its events to `tell`."""
        change = work(connection)
        for name in change.events:
            tell(connection, **event_values(name, change.stored))
        return change.entry

    def _change_held(
        self, id: int, lease: float | None, values: dict[str, Any], connection: sa.Connection
    ) -> Change:
        """Change an entry that this worker has taken up, and return it as it is then.

        With a `lease` it is changed only while this worker has that lease and the entry has no
        result. Without one the values are a result that is certain, whoever holds the entry: it is
        stored unless the entry is sent already.
        """
        columns = self.table.c
        is_named = columns.id == id
        if lease is None:
            may_change = columns.state != EntryState.SENT.value
        else:
            under_way = columns.state.in_(DUE)
            may_change = sa.and_(columns.leased_until == lease, under_way)
        change = self._change(sa.and_(is_named, may_change), values, connection)
        if change.entry is not None:
            return change
        query = sa.select(self.table).where(is_named)
        row = connection.execute(query).one()
        return Change(self._entry_of(row))

    def _change(
        self, chosen: Condition, values: dict[str, Any], connection: sa.Connection
    ) -> Change:
        """Change the first entry that is chosen, if there is one."""
        changed = {**values, "changed_at": DatabaseTime()}
        stored = partial(self._sealing.encrypted_like, values=changed)
        before = take_first(connection, self.table, chosen, ("state", "status"), stored)
        if before is None:
            return Change(None)
        query = sa.select(self.table).where(self.table.c.id == before.id)
        after: Any = connection.execute(query).one()
        entry = self._entry_of(after)
        return Change(entry, event_names_of_change(before, after), after._asdict())

    def _entry_with_id(self, row: Any, id: str | None, connection: sa.Connection) -> Any:
        """The row of another entry that has the id of what the write of this entry (a decrypted
        row) made; None: there is none. Until the transaction ends, nobody else stores the id.
        """
        text = text_of_made(row, id)
        if text is None:
            return None
        lock_texts(connection, self.table, [text])
        columns = self.table.c
        is_other = sa.and_(self._is_beside(row), columns.id != row.id)
        query = sa.select(self.table).where(is_other, columns.request_id == canonical_id(id))
        for stored in connection.execute(query):
            other = self._sealing.decrypted_row(stored, may_stay_sealed=True)
            if make_one_kind(other, row) and text_of_made(other, id) is not None:
                return other
        return None

    def _is_beside(self, row: Any) -> Condition:
        """Holds for entries whose ids and references may be those of an entry: of its system."""
        is_of_system: Condition = self.table.c.provider == row.provider
        return is_of_system

    def _entry_of(self, row: Any) -> Entry:
        """The entry of a row. Without the secret, an encrypted one is `sealed`."""
        return entry_of(self._sealing.decrypted_row(row, may_stay_sealed=True))

    def _take(self, provider: str, last: int, connection: sa.Connection) -> Any:
        """As of every queue. Raises `ConfigurationError`: events could not be decrypted."""
        row = super()._take(provider, last, connection)
        self._sealing.require_vault(connection)
        return row

    def _event_of(self, row: Any, tries: int) -> OutboxEvent:
        entry = entry_of(self._sealing.decrypted_entry(json.loads(row.data)))
        return OutboxEvent(row.name, entry, tries)
