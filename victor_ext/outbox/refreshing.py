"""The statuses of what was sent are read again until they are final."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa

from victor_ext import AsyncVictor, PaymentRequest, Victor
from victor_ext.event_queue.databases import Condition, database_time, is_to_come
from victor_ext.event_queue.rows import take_first
from victor_ext.event_queue.stopping import is_ending
from victor_ext.event_queue.transactions import Engine, Pass
from victor_ext.flows import following
from victor_ext.settlement.key_age import Now, Sent

from .clock import present
from .entries import CREATE, VICTOR, Entry, EntryState, as_status, write_of
from .storing import EntryStore

_SHORTEST_WAIT = 30.0
"""Seconds between two reads of a status at first."""
_LONGEST_WAIT = 3600.0
"""Seconds between two reads of a status that has not ended for long."""
_Listed: TypeAlias = Mapping[str, tuple[int, str | None]]
"""The id and the status of each entry whose request may be in a list, by the request's id."""


class Refreshing(EntryStore[Engine]):
    """What `refresh` does."""

    def _refresh_all(self, client: Any) -> Pass[list[Entry]]:
        """Read the statuses of what was sent with this client's system and has not ended."""
        yield from self._transact(self._sealing.require)
        columns = self.table.c
        is_listed = sa.and_(columns.provider == VICTOR, columns.operation == CREATE)
        is_open = self._is_open(client.provider)
        listed = yield from self._refresh_listed(client, sa.and_(is_open, is_listed))
        is_read_by_id = sa.and_(is_open, sa.not_(is_listed))
        take = partial(self._take_open, is_read_by_id)
        read = yield from self._each(take, partial(self._refresh_one, client))
        return [*listed, *read]

    def _is_open(self, provider: str) -> Condition:
        """Whether an entry was sent to this system, and its status may change."""
        columns = self.table.c
        return sa.and_(
            columns.provider == provider,
            columns.request_id.is_not(None),
            columns.state == EntryState.SENT.value,
            columns.ended.is_(False),
            self._may_work(),
        )

    # One by one

    def _take_open(self, chosen: Condition, last: int, connection: sa.Connection) -> Any:
        """Take up the first one after `last` whose status is to be read now."""
        columns = self.table.c
        now = database_time(connection)
        waits = is_to_come(columns.leased_until, now, max(self._lease, _LONGEST_WAIT))
        due = sa.and_(chosen, sa.not_(waits), columns.id > last)
        row = take_first(connection, self.table, due, ("leased_until",), partial(_next_read, now))
        return None if row is None else self._sealing.opened_row(row)

    def _refresh_one(self, client: Any, row: Any) -> Pass[Entry | None]:
        """Read the state of what a write made."""
        done = yield partial(client.read_state, write_of(row).call, row.request_id)
        if isinstance(done, str):  # none reads it
            return (yield from self._refreshed(row.id, row.status, {"ended": True}))
        status = as_status(done.status) or row.status
        if status == row.status and not done.is_final:
            return None
        values = {"status": status, "ended": done.is_final}
        return (yield from self._refreshed(row.id, row.status, values))

    # From a list

    def _refresh_listed(self, victor: Victor | AsyncVictor, chosen: Condition) -> Pass[list[Entry]]:
        listed = yield from self._transact(partial(self._listed, chosen))
        if not listed:
            return []
        find_start = partial(self._start_of_list, chosen, present(victor))
        start = yield from self._transact(find_start)
        pages = victor.payment_requests.list(direction="outbound", start_datetime=start).pages()
        changed: list[Entry] = []
        while not is_ending():
            page = yield partial(following, pages)
            if page is None:
                break
            for request in page.items:
                entry = yield from self._refresh_from(request, listed)
                if entry is not None:
                    changed.append(entry)
        return changed

    def _listed(self, chosen: Condition, connection: sa.Connection) -> _Listed:
        columns = self.table.c
        query = sa.select(columns.request_id, columns.id, columns.status).where(chosen)
        rows = connection.execute(query)
        return {request_id: (id, status) for request_id, id, status in rows}

    def _start_of_list(
        self, chosen: Condition, now: Now, connection: sa.Connection
    ) -> datetime | None:
        """When the first of them may have been created; None: it is not known of any."""
        columns = self.table.c
        first = sa.func.min(columns.first_sent_at)
        query = sa.select(first, columns.by_provider_clock).where(chosen)
        times: list[datetime] = []
        for at, by_provider in connection.execute(query.group_by(columns.by_provider_clock)):
            if at is not None:
                sent = Sent(at, None, known=bool(by_provider))
                times.append(sent.earliest(now))
        return min(times, default=None)

    def _refresh_from(self, request: PaymentRequest, listed: _Listed) -> Pass[Entry | None]:
        """Store the status of a request that was in a list, if it is an entry's and new."""
        if request.id not in listed:
            return None
        id, before = listed[request.id]
        status = as_status(request.status)
        if status == before and not request.is_terminal:
            return None
        values = {"status": status, "ended": request.is_terminal, "error": request.error_message}
        return (yield from self._refreshed(id, before, values))

    # Both

    def _refreshed(self, id: int, status: str | None, values: dict[str, Any]) -> Pass[Entry | None]:
        """Store a status that was read, unless another worker has stored a later one since there
        was this `status`.
        """
        columns = self.table.c
        chosen = sa.and_(
            columns.id == id,
            columns.state == EntryState.SENT.value,
            columns.ended.is_(False),
            columns.status.is_not_distinct_from(status),
        )
        return (yield from self._stored(partial(self._change, chosen, values)))


def _next_read(now: float, row: Any) -> dict[str, float]:
    """When the status of an entry is read next: a last one may never come, and entries become
    many.
    """
    age = now - (row.first_sent_at or now)
    wait = min(max(_SHORTEST_WAIT, age / 10), _LONGEST_WAIT)
    return {"leased_until": now + wait}
