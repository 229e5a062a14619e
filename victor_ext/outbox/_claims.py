"""Which entries a worker takes up, and until when each is that worker's alone.

A pass reads a group of entries that are due, and changes nothing of them. Just before its call,
each is marked as one that may have been sent, together with others whose calls begin at the same
time, unless somebody has changed it since it was read. Its mark is its lease: nobody else takes the
entry up before the call must have ended, by the clock of the database. So the next worker knows
after a crash which calls may have been made. What was only read is free all the time.

These are plain rows, so that any pooler may stand before the database. A worker that was stopped,
and whose lease has ended, stores nothing over its successor, whose number the entry has by then.

Read `Claims.read_next` first, then `begin`. A "subject" of an entry is its key or a reference
(`subjects_of`): a worker never has two entries with one subject under way at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import Promise
from victor_ext._event_queue.databases import (
    Condition,
    DatabaseTime,
    OfFewRows,
    database_time,
)
from victor_ext._event_queue.rows import begin_writing, change_rows
from victor_ext._event_queue.transactions import Pass
from victor_ext._settlement.key_age import Moment, Now, SentSince

from ._claimed_entry import Claim, ClaimGroup
from ._engine import OutboxEngine
from ._entries import DUE, EntryState, is_due_later, new_number, sent_of, sent_values, subjects_of
from ._keys_kept import KeysKept
from ._sealing import clear_row

GROUP = 256
"""The maximum number of entries that are read in one transaction."""
_BEGINS_WITHIN = 2.0
"""Seconds after its mark within which a call begins."""
_WAIT_FOR_DISK = sa.text("SET LOCAL synchronous_commit = on")
"""Whatever a database or a role has set: a server that crashes must not lose a mark."""


class Claims:
    """Takes entries up for a round with one client, group by group.

    A round is the passes of one `send`, or those of a worker until nothing is left. Each begins
    with the oldest entries again. No entry is taken up twice by the same round, which has a number
    of its own.

    Args:
        engine: Of the outbox.
        client: Sends the entries.
        kept: How long the provider keeps keys.

    Attributes:
        error: What is raised at the end of the round; None: nothing.
        life: Of the database.
    """

    def __init__(self, engine: OutboxEngine, client: Any, kept: KeysKept) -> None:
        self.client = client
        self.kept = kept
        self.error: Exception | None = None
        self.life = engine.holding.life
        self._engine = engine
        self._table = engine.tables.entries
        self._is_not_held = engine.holding.may_work()
        self._chosen = engine.policy.chosen()
        self._worker = new_number()
        self._statement = self._statement_of_begin()
        is_it = self._table.c.id == sa.bindparam("of_id")
        self._storing_call = sa.update(self._table).where(is_it)
        self._last = 0
        """The id up to which no entry is left for the pass."""

    # The operations of a round

    def begin_pass(self) -> None:
        """Begin with the oldest entries again: some that others had may be free by now."""
        self._last = 0

    def read_next(self, busy: Collection[str]) -> Pass[ClaimGroup]:
        """Read the next group of entries, each with subjects of its own that are not `busy`."""
        read = partial(self._read_lively, Now.of(self.client), busy)
        group = yield from self._engine.transactions.transact(read)
        self._last = group.last
        return group

    def _read_lively(self, now: Now, busy: Collection[str], connection: Connection) -> ClaimGroup:
        """Read a group in a transaction, after a look whether the database is still the one of the
        last group. If none is left, note the provider's time for `hold`: all that waits will be
        sent after it.
        """
        engine = self._engine
        # A write comes first: SQLite refuses the writes of a transaction that began with a read.
        begin_writing(connection, self._table)
        engine.policy.require(connection, self.client)
        loss = self.life.beat(connection)
        if loss is not None:
            engine.holding.mark_lost(connection, loss, self.client.caller)
        group = self._read_group(now, busy, connection)
        if not group.claims:
            engine.holding.note_time(connection, now, self.client.provider)
        return group

    def _read_group(self, now: Now, busy: Collection[str], connection: Connection) -> ClaimGroup:
        """Read a group in a transaction."""
        present = database_time(connection)
        is_due = self._is_due(present)
        rows = self._read_in_order(is_due, connection)
        last = max((row.id for row in rows), default=self._last)
        prepared = self._engine.policy.prepare(rows, connection)
        chosen, waiting = _with_distinct_subjects(prepared, busy)
        if waiting:
            last = min(waiting) - 1
        return ClaimGroup(
            claims=[
                Claim(row, self._worker, present, now.moment, is_marked=sent_of(row) is not None)
                for row in chosen
            ],
            last=max(self._last, last),
            waits=bool(waiting),
            is_full=len(rows) >= GROUP,
        )

    def begin(
        self, claims: Sequence[Claim], now: Now, connection: Connection
    ) -> Mapping[int, Claim]:
        """Take up entries whose calls begin now, and mark them: nobody else takes one up while its
        call may be under way. Returns the new claims by the ids of the entries.

        An entry that somebody has changed since it was read is left out. All are while the outbox
        is held; and if the database has become another copy since, which may lack the mark of
        another worker. A call with a key does not ask, unless older content was put back into a
        file: it can be made again under its key.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(_WAIT_FOR_DISK)
        marks = self.life.count_mark(connection)
        if marks is None:
            return {}
        if any(claim.row.prepared.promise is not Promise.KEYED for claim in claims):
            # A write comes first, as in `_read_lively`; and no other worker beats meanwhile.
            begin_writing(connection, self._table)
            if self.life.is_another_copy(connection):
                return {}
        by_id = {claim.row.id: claim for claim in claims}
        sent = SentSince.at(now, self.client.caller)
        values = {
            "ids": [*by_id],
            "versions": [(id, claim.row.had_by) for id, claim in by_id.items()],
            # Without the provider's clock, that of the database is the one that all workers share.
            "since": sent.since if sent.known else None,
            "by": sent.by,
            "known": sent.known,
        }
        begun: dict[int, Claim] = {}
        for id, due_at in connection.execute(self._statement, values):
            began = due_at - self.lease
            begun[id] = replace(by_id[id], now=began, at=now.moment, is_marked=True, marks=marks)
        calls = [{"of_id": id, **by_id[id].row.unstored} for id in begun if by_id[id].row.unstored]
        if calls:  # the same bytes are sent in each repeat
            connection.execute(self._storing_call, calls)
        return begun

    def _statement_of_begin(self) -> sa.UpdateBase:
        """The statement of `begin`. One that waits is sent for the first time."""
        columns = self._table.c
        now = DatabaseTime()
        since: sa.BindParameter[Any] = sa.bindparam("since", type_=sa.Double())
        first: dict[str, sa.ColumnElement[Any]] = {
            "state": sa.literal(EntryState.SENDING, columns.state.type),
            "changed_at": now,
            "first_sent_at": sa.func.coalesce(since, now),
            "sent_by": sa.bindparam("by", type_=columns.sent_by.type),
            "by_provider_clock": sa.bindparam("known", type_=columns.by_provider_clock.type),
        }
        values: dict[str, Any] = {
            name: sa.case((columns.state == EntryState.WAITING, value), else_=columns[name])
            for name, value in first.items()
        }
        values |= {"worker": self._worker, "had_by": self._worker, "due_at": now + self.lease}
        ids = sa.bindparam("ids", expanding=True, type_=columns.id.type)
        versions: sa.BindParameter[Any] = sa.bindparam("versions", expanding=True)
        is_unchanged = sa.tuple_(columns.id, columns.had_by).in_(versions)
        is_free = self._is_due(now)
        may_begin = sa.and_(columns.id.in_(ids), columns.state.in_(DUE), is_unchanged, is_free)
        free = sa.select(columns.id).where(may_begin).with_for_update(skip_locked=True)
        update = sa.update(self._table).where(columns.id.in_(free)).values(values)
        return update.returning(columns.id, columns.due_at)

    def is_as_read(self, claim: Claim) -> Condition:
        """Holds for an entry that nobody has changed since it was read, and that may be sent."""
        columns = self._table.c
        is_unchanged = sa.and_(columns.id == claim.row.id, columns.had_by == claim.row.had_by)
        return sa.and_(is_unchanged, self._is_due(DatabaseTime()))

    def renew(self, claim: Claim, connection: Connection) -> Claim | None:
        """Have an entry that this worker has marked for one more call. None: somebody else has it
        by now, or the outbox is held.
        """
        at = Moment.now()
        present = database_time(connection)
        may_renew = sa.and_(claim.is_still_ours(self._table.c), self._is_not_held)
        if not change_rows(connection, self._table, may_renew, due_at=present + self.lease):
            return None
        return replace(claim, now=present, at=at)

    @property
    def lease(self) -> float:
        """Seconds for which an entry is its worker's: until its call has ended."""
        return float(self.client.deadline) + _BEGINS_WITHIN

    def give_back(self, claim: Claim, connection: Connection, **values: Any) -> None:
        """Store an entry as it was before it was taken up, but for these column values: nothing of
        it was sent.

        An entry that somebody has changed meanwhile is left alone. While the outbox is held, all
        are: a restored entry may have been sent before.
        """
        row, columns = claim.row, self._table.c
        before = {"due_at": 0.0, "state": row.state, "changed_at": row.changed_at}
        back = {**before, "worker": None, **sent_values(sent_of(row)), **values}
        is_as_left = sa.and_(claim.is_still_ours(columns), columns.state == claim.state)
        change_rows(connection, self._table, sa.and_(is_as_left, self._is_not_held), **back)

    def put_off(self, claim: Claim, seconds: float, connection: Connection, **values: Any) -> None:
        """Let an entry whose try has failed be taken up again after so many seconds. It has these
        column values then.

        An entry that another worker has taken up meanwhile is that worker's.
        """
        due_at = database_time(connection) + seconds
        later = {"due_at": due_at, "tries": claim.row.tries + 1, "worker": None}
        change_rows(
            connection, self._table, claim.is_still_ours(self._table.c), **{**later, **values}
        )

    # Which entries are due

    def _is_due(self, present: Any) -> Condition:
        """Holds for entries, in whatever state, that no worker has and this round has not had."""
        columns = self._table.c
        is_due = sa.not_(is_due_later(columns, present))
        is_free = sa.and_(is_due, columns.had_by != self._worker)
        is_of_client = sa.and_(columns.provider == self.client.provider, self._chosen)
        return sa.and_(is_of_client, is_free, self._is_not_held)

    def _read_in_order(self, is_due: Condition, connection: Connection) -> list[Any]:
        """The entries that were stored first.

        Each state is read by itself, in the order of its index, so that the database has to sort
        no entries, however many there are.
        """
        columns = self._table.c
        rows: list[Any] = []
        for state in DUE:
            is_next = sa.and_(OfFewRows(columns.state == state), columns.id > self._last)
            query = sa.select(self._table).where(is_next, is_due)
            rows += self._rows(query.order_by(columns.id), GROUP, connection)
        rows.sort(key=attrgetter("id"))
        return rows[:GROUP]

    def _rows(self, query: sa.Select[Any], most: int, connection: Connection) -> list[Any]:
        vault = self._engine.vault
        return [clear_row(vault, row) for row in connection.execute(query.limit(most))]


def _with_distinct_subjects(
    rows: Sequence[Any], busy: Collection[str]
) -> tuple[list[Any], list[int]]:
    """Choose rows of which no two have the same subject and none a `busy` one. Returns them, and
    the ids of those that wait for a later group.

    After a lost response, two entries under way with one subject could not be told apart.
    """
    subjects = {*busy}
    chosen: list[Any] = []
    waiting: list[int] = []
    for row in rows:
        own = subjects_of(row)
        if own.isdisjoint(subjects):
            subjects |= own
            chosen.append(row)
        else:
            waiting.append(row.id)
    return chosen, waiting
