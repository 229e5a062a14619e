"""What has become of an entry is stored, with the work of the handlers of its events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from victor_ext.event_queue.databases import Condition, DatabaseTime
from victor_ext.event_queue.rows import take_first
from victor_ext.event_queue.transactions import Engine, Pass, Work

from .claims import DUE
from .entries import Entry, EntryState, OutboxEvent, changes, entry_of, event_values
from .holding import Holding
from .results import SentResult
from .sealing import Sealing


class Change(NamedTuple):
    """What a change has made of an entry.

    Attributes:
        entry: The entry as it is then. None: it was not changed.
        events: The names of what is new about it.
        stored: Its row, as an event stores it.
    """

    entry: Entry | None
    events: Sequence[str] = ()
    stored: Mapping[str, Any] = MappingProxyType({})


class EntryStore(Holding[Engine]):
    """Stores what has become of entries."""

    _sealing: Sealing
    _kept: float

    def _store(self, key: str, lease: float, **values: Any) -> Pass[Entry | None]:
        return self._stored(partial(self._change_held, key, lease, values))

    def _stored(self, work: Work[Change], result: SentResult | None = None) -> Pass[Entry | None]:
        """Store a change, with the work of the handlers of its events. If that fails, store it
        alone: the handlers come later. Without handlers, `result` may be stored in place of `work`.

        A handler may also fail when its transaction ends, as by a constraint that is checked then.
        """
        failure: Exception
        try:
            return (yield from self._transact(self._telling(work, None), result))
        except Exception as error:
            if not self._handlers:
                raise
            failure = error  # what has become of a payment is stored, whatever a handler does
        return (yield from self._transact(self._telling(work, failure)))

    def _telling(self, work: Work[Change], failure: Exception | None) -> Work[Entry | None]:
        """Work that makes a change and tells the handlers, or stores its events if they failed."""
        return partial(self._with_events, work, partial(self._tell, failure))

    def _with_events(
        self, work: Work[Change], tell: Callable[..., object], connection: sa.Connection
    ) -> Entry | None:
        change = work(connection)
        for name in change.events:
            tell(connection, **event_values(name, change.stored))
        return change.entry

    def _change_held(
        self, key: str, lease: float | None, values: dict[str, Any], connection: sa.Connection
    ) -> Change:
        """Change an entry; with a lease only if it still is this worker's and has no result.

        Without one it is a result that nobody doubts, which counts unless another worker has stored
        it.
        """
        columns = self.table.c
        is_named = columns.key == key
        under_way = columns.state.in_(DUE)
        held = columns.state != EntryState.SENT.value
        if lease is not None:
            held = sa.and_(columns.leased_until == lease, under_way)
        change = self._change(sa.and_(is_named, held), values, connection)
        if change.entry is not None:
            return change
        query = sa.select(self.table).where(is_named)
        row = connection.execute(query).one()
        return Change(self._entry_of(row))

    def _change(
        self, chosen: Condition, values: dict[str, Any], connection: sa.Connection
    ) -> Change:
        """Change the entry that is chosen, if it still is."""
        changed = {**values, "changed_at": DatabaseTime()}
        stored = partial(self._sealing.sealed_as, values=changed)
        before = take_first(connection, self.table, chosen, ("state", "status"), stored)
        if before is None:
            return Change(None)
        query = sa.select(self.table).where(self.table.c.id == before.id)
        after: Any = connection.execute(query).one()
        entry = self._entry_of(after)
        return Change(entry, changes(before, after), after._asdict())

    def _entry_of(self, row: Any) -> Entry:
        """An entry, as far as it can be read with the key that there is."""
        return entry_of(self._sealing.opened_row(row, may_stay_sealed=True))

    def _take(self, provider: str, last: int, connection: sa.Connection) -> Any:
        row = super()._take(provider, last, connection)
        self._sealing.require(connection)
        return row

    def _event_of(self, row: Any, tries: int) -> OutboxEvent:
        entry = entry_of(self._sealing.opened(json.loads(row.data)))
        return OutboxEvent(row.name, entry, tries)
