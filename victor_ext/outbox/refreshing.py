"""`refresh`: the statuses of entries that were sent are read again until they are final.

Victor's payment requests are read from its list, all others one by one by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from victor_ext import AsyncVictor, Victor
from victor_ext.event_queue.databases import Condition, OfFewRows, database_time, is_to_come
from victor_ext.event_queue.rows import take_first
from victor_ext.event_queue.stopping import is_ending
from victor_ext.event_queue.transactions import Pass
from victor_ext.flows import following
from victor_ext.ids import canonical_id
from victor_ext.settlement.key_age import Now, Sent

from .entries import CREATES, VICTOR, Entry, EntryState, as_status, write_of
from .storing import EntryStore

_SHORTEST_WAIT = 30.0
"""Seconds between the first two reads of a status."""
_LONGEST_WAIT = 3600.0
"""The maximum seconds between two reads of a status."""


class Refreshing(EntryStore):
    """Reads statuses, and stores those that have changed."""

    def _refresh_all(self, client: Any) -> Pass[list[Entry]]:
        """Read the statuses of the entries of this client's system that were sent and have no final
        status. Returns the entries that have changed.
        """
        yield from self._transact(self._sealing.require_vault)
        columns = self.table.c
        is_listed = sa.and_(columns.provider == VICTOR, columns.operation.in_(CREATES))
        is_open = sa.and_(
            columns.provider == client.provider,
            columns.request_id.is_not(None),
            columns.state == EntryState.SENT.value,
            OfFewRows(columns.ended.is_(False)),
            self._may_work(),
        )
        listed = yield from self._refresh_listed(client, sa.and_(is_open, is_listed))
        is_read_by_id = sa.and_(is_open, sa.not_(is_listed))
        take = partial(self._take_open, is_read_by_id)
        read = yield from self._for_each_row(take, partial(self._refresh_one, client))
        return [*listed, *read]

    # One by one

    def _take_open(self, chosen: Condition, last: int, connection: sa.Connection) -> Any:
        """Take up the first entry after the id `last` whose status has to be read now; None: there
        is none.
        """
        columns = self.table.c
        now = database_time(connection)
        waits = is_to_come(columns.leased_until, now, max(self._lease, _LONGEST_WAIT))
        due = sa.and_(chosen, sa.not_(waits), columns.id > last)
        row = take_first(
            connection, self.table, due, ("leased_until",), partial(_next_read_values, now)
        )
        return None if row is None else self._sealing.decrypted_row(row)

    def _refresh_one(self, client: Any, row: Any) -> Pass[Entry | None]:
        """Read the status of one entry by the id of what its write made. Return the entry if it
        changed.
        """
        done = yield partial(client.read_state, write_of(row).call, row.request_id)
        if isinstance(done, str):  # no read shows it, as the text says
            return (yield from self._store_status(row, {"ended": True}))
        status = as_status(done.status) or row.status
        if status == row.status and not done.is_final:
            return None
        values = {"status": status, "ended": done.is_final}
        return (yield from self._store_status(row, values))

    # From a list

    def _refresh_listed(self, victor: Victor | AsyncVictor, chosen: Condition) -> Pass[list[Entry]]:
        """Read the statuses of the chosen entries in one walk over Victor's list. Returns the
        entries that have changed.
        """
        listed = yield from self._transact(partial(self._read_listed, chosen))
        if not listed:
            return []
        start = yield from self._transact(partial(self._start_of_list, chosen, Now.of(victor)))
        pages = victor.payment_requests.list(direction="outbound", start_datetime=start).pages()
        changed: list[Entry] = []
        while not is_ending():
            page = yield partial(following, pages)
            if page is None:
                break
            for request in page.items:
                row = listed.get(canonical_id(request.id))
                status = as_status(request.status)
                if row is None or (status == row.status and not request.is_terminal):
                    continue
                ended = {"ended": request.is_terminal, "error": request.error_message}
                values = {"status": status, **ended}
                entry = yield from self._store_status(row, values)
                if entry is not None:
                    changed.append(entry)
        return changed

    def _read_listed(
        self, chosen: Condition, connection: sa.Connection
    ) -> Mapping[str | None, Any]:
        """The chosen entries by the ids of their requests."""
        columns = self.table.c
        query = sa.select(columns.request_id, columns.id, columns.status).where(chosen)
        return {canonical_id(row.request_id): row for row in connection.execute(query)}

    def _start_of_list(
        self, chosen: Condition, now: Now, connection: sa.Connection
    ) -> datetime | None:
        """When the first of the chosen entries may have been created; None: that is known of
        none.
        """
        columns = self.table.c
        first = sa.func.min(columns.first_sent_at)
        query = sa.select(first, columns.by_provider_clock).where(
            chosen, columns.first_sent_at.is_not(None)
        )
        times = connection.execute(query.group_by(columns.by_provider_clock))
        earliest = (Sent(since, None, known=bool(known)).earliest(now) for since, known in times)
        return min(earliest, default=None)

    # For both

    def _store_status(self, row: Any, values: dict[str, Any]) -> Pass[Entry | None]:
        """Store the values of a status that was read, if the entry still has the status that it had
        before the read: another worker may have stored a later one. Return the entry if it changed.
        """
        columns = self.table.c
        chosen = sa.and_(
            columns.id == row.id,
            columns.state == EntryState.SENT.value,
            columns.ended.is_(False),
            columns.status.is_not_distinct_from(row.status),
        )
        return (yield from self._store_change(partial(self._change, chosen, values)))


def _next_read_values(now: float, row: Any) -> dict[str, float]:
    """The new `leased_until` of an entry, at which its status is read next.

    The older the entry, the longer the wait: a final status may never come, and such entries become
    many.
    """
    age = now - (row.first_sent_at or now)
    wait = min(max(_SHORTEST_WAIT, age / 10), _LONGEST_WAIT)
    return {"leased_until": now + wait}
