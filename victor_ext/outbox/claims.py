"""Which entries a worker takes up, and when they are marked as such that may have been sent.

A group is taken up in one transaction. An entry is marked before it is sent, so that whoever takes
it up after a crash knows. Marked in advance is only what may be sent again then, should its worker
end before it has begun to send it: everything else is marked just before its own call.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, nextafter
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from victor_ext import PreparedCall, Promise
from victor_ext.event_queue.databases import Condition, database_time, is_to_come
from victor_ext.settlement.key_age import Keys, Moment, Now, Sent

from .entries import EntryState, sent_of, sent_values
from .sealing import Sealing

GROUP = 64
"""The maximum number of entries that are taken up in one transaction."""
_NEAR = 3600.0
"""Seconds before `send_before` from which an entry comes before others, and is not marked in
advance.
"""
_LOOK_AGAIN = 1.0
"""Seconds after which a worker looks again whether the outbox is held, before it begins a call."""
DUE = tuple(state.value for state in (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING))
"""The states of what a worker takes up."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that a worker has taken up: its `row` is the entry as it was before.

    Attributes:
        lease: When the lease ends, by the clock of the database.
        now: When it was taken up, by that clock.
        at: The same by the clocks of this machine, which measure how long this worker has had it.
        again: Until when it is leased if it is given back: the next pass takes it up, this one does
            not.
        is_marked: Whether it is stored as an entry that may have been sent.
    """

    row: Any = field(repr=False)
    lease: float
    now: float
    at: Moment
    again: float = 0.0
    is_marked: bool = True

    @property
    def state(self) -> str:
        """The state in which this worker has left it."""
        was_marked_here = self.is_marked and sent_of(self.row) is None
        return EntryState.SENDING.value if was_marked_here else str(self.row.state)


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that were taken up together.

    Attributes:
        started: When the pass began, by the clock of the database.
        last: The id up to which nothing is left for the pass.
        waits: Whether an entry was left whose subject is under way.
        is_full: Whether there may be more.
    """

    claims: Sequence[Claim]
    started: float
    last: int
    waits: bool
    is_full: bool


@dataclass(frozen=True, slots=True)
class _Due:
    """What may be taken up in one transaction.

    Attributes:
        now: The present time.
        present: The same by the clock of the database.
        started: When the pass began, by that clock.
        is_due: Whether nobody holds an entry, of whatever state.
    """

    now: Now
    present: float
    started: float
    is_due: Condition = field(repr=False)


class Claims:
    """What one pass takes up with a client, group by group.

    What was taken up since its beginning is not taken up again by the same pass.
    """

    def __init__(
        self,
        table: sa.Table,
        client: Any,
        lease: float,
        kept: float,
        sealing: Sealing,
        may_work: Condition,
    ) -> None:
        self.client = client
        self._sealing = sealing
        self._is_open = may_work
        self._looked_at: Moment | None = None
        self._table = table
        self._lease = lease
        self._kept = kept
        self._started: float | None = None
        self._last = 0

    # What a pass does with its claims

    def take_up(self, now: Now, busy: Collection[str], connection: sa.Connection) -> Group:
        """Take up the next group, with the lease: none of it has a subject that is `busy`, or that
        another one of the group has.
        """
        # A write comes first: else SQLite lets another worker read the same entries.
        connection.execute(sa.delete(self._table).where(sa.false()))
        self._sealing.require(connection)
        present = database_time(connection)
        started = present if self._started is None else self._started
        due = _Due(now, present, started, self._due(present, started))
        near = self._near(due, connection)
        others = self._in_order(due, near, connection)
        chosen, left = _apart(near, others, busy)
        last = max((row.id for row in others), default=self._last)
        if left:
            last = min(left) - 1
        count = len(near) + len(others)
        return Group(
            claims=self._lease_to_us(chosen, due, connection),
            started=started,
            last=max(self._last, last),
            waits=len(chosen) < count,
            is_full=count >= GROUP,
        )

    def accept(self, group: Group, now: Now) -> Sequence[Claim]:
        """Remember how far the pass has come, once the transaction is stored."""
        self._started, self._last = group.started, group.last
        self._looked_at = now.moment
        return group.claims

    def is_to_look(self, now: Now) -> bool:
        """Whether it is a while ago that the outbox was seen not to be held."""
        if self._looked_at is None:
            return True
        return now.since(self._looked_at) >= _LOOK_AGAIN

    def may_work(self, now: Now, connection: sa.Connection) -> bool:
        """Whether the outbox is not held."""
        may_work = bool(connection.execute(sa.select(self._is_open)).scalar())
        self._looked_at = now.moment if may_work else None
        return may_work

    def mark(self, claim: Claim, now: Now, connection: sa.Connection) -> Claim | None:
        """Store that an entry may have been sent, with a lease of its own: it is sent now.

        None: it is another worker's by now.
        """
        present = database_time(connection)
        lease = present + self._lease
        values = {"leased_until": lease, **self._mark_values(now, present)}
        mark = sa.update(self._table).where(self._is_as_left(claim))
        if not connection.execute(mark.values(values)).rowcount:
            return None
        return replace(claim, lease=lease, now=present, at=now.moment, is_marked=True)

    def has_time(self, claim: Claim, now: Now) -> bool:
        """Whether enough is left of the lease for a call, so that no other worker makes it, too."""
        left = self._lease - now.since(claim.at)
        deadline: float = self.client.deadline
        return left >= min(deadline, self._lease / 2)

    def give_back(self, claims: Sequence[Claim], connection: sa.Connection) -> None:
        """Store entries as they were before: nothing has come of them.

        Those that somebody has changed meanwhile stay so. While the outbox is held, all of them do:
        what was restored may have been sent before.
        """
        for claim in claims:
            sent = sent_values(sent_of(claim.row))
            values = {"leased_until": claim.again, "state": claim.row.state, **sent}
            back = sa.update(self._table).where(self._is_as_left(claim))
            connection.execute(back.values(values))

    def _is_as_left(self, claim: Claim) -> Condition:
        """Whether an entry is as this worker has left it, and the outbox is not held."""
        columns = self._table.c
        is_ours = sa.and_(columns.id == claim.row.id, columns.leased_until == claim.lease)
        return sa.and_(is_ours, columns.state == claim.state, self._is_open)

    # Which entries are due

    def _due(self, present: float, started: float) -> Condition:
        """Whether nobody holds an entry, of whatever state."""
        columns = self._table.c
        is_held = is_to_come(columns.leased_until, present, self._lease)
        was_ours = columns.leased_until.between(nextafter(started, inf), present)
        is_free = sa.and_(sa.not_(is_held), sa.not_(was_ours))
        return sa.and_(columns.provider == self.client.provider, is_free, self._is_open)

    def _near(self, due: _Due, connection: sa.Connection) -> list[Any]:
        """What has to be sent soon, unless what was stored before it has the same subject."""
        columns = self._table.c
        by_provider = due.now.by_provider()
        is_near = columns.send_before.between(by_provider, by_provider + self._until_near)
        is_first = sa.not_(self._has_precedence())
        query = sa.select(self._table).where(due.is_due, is_near, _is_unsettled(columns), is_first)
        return self._read(query.order_by(columns.send_before, columns.id), GROUP, connection)

    def _has_precedence(self) -> Condition:
        """Whether another entry with the same subject is due before this one."""
        columns, earlier = self._table.c, self._table.alias().c
        is_before = sa.and_(
            earlier.reference == columns.reference,
            earlier.provider == columns.provider,
            _is_unsettled(earlier),
            earlier.id < columns.id,
        )
        return sa.exists().where(is_before)

    def _in_order(self, due: _Due, near: Sequence[Any], connection: sa.Connection) -> list[Any]:
        """What was stored first, but for what is `near`. Each state is read by itself, in the order
        of its index: none has to be sorted, however many there are.
        """
        columns = self._table.c
        most = GROUP - len(near)
        rows: list[Any] = []
        for state in DUE:
            is_next = sa.and_(columns.state == state, columns.id > self._last)
            query = sa.select(self._table).where(is_next, due.is_due)
            rows += self._read(query.order_by(columns.id), most, connection)
        rows.sort(key=attrgetter("id"))
        chosen = {row.id for row in near}
        return [row for row in rows[:most] if row.id not in chosen]

    def _read(self, query: sa.Select[Any], most: int, connection: sa.Connection) -> list[Any]:
        locked = query.limit(most).with_for_update(skip_locked=True)
        return [*map(self._sealing.opened_row, connection.execute(locked))]

    # Their leases and marks

    def _lease_to_us(
        self, rows: Sequence[Any], due: _Due, connection: sa.Connection
    ) -> list[Claim]:
        """Lease these entries, and mark those that may be marked in advance. Another worker may
        have taken some of them up meanwhile.
        """
        lease = due.present + self._lease
        again = nextafter(due.started, inf)
        ahead = {row.id for row in rows if self._may_be_marked_ahead(row, due.now)}
        unmarked = {row.id for row in rows} - ahead
        leased = {"leased_until": lease}
        marked = {**leased, **self._mark_values(due.now, due.present)}
        ours = self._update(ahead, due, marked, connection)
        ours |= self._update(unmarked, due, leased, connection)
        claims: list[Claim] = []
        for row in rows:
            if row.id in ours:
                is_marked = row.id in ahead or sent_of(row) is not None
                claims.append(Claim(row, lease, due.present, due.now.moment, again, is_marked))
        return claims

    def _update(
        self, ids: Collection[int], due: _Due, values: Mapping[str, Any], connection: sa.Connection
    ) -> set[int]:
        """Change the entries that are due yet; returns the ids of those that were changed."""
        if not ids:
            return set()
        columns = self._table.c
        are_due = sa.and_(due.is_due, columns.state.in_(DUE), columns.id.in_(ids))
        update = sa.update(self._table).where(are_due).values(values)
        return {row[0] for row in connection.execute(update.returning(columns.id))}

    def _may_be_marked_ahead(self, row: Any, now: Now) -> bool:
        """Whether an entry can be sent yet once the lease is over, if it may have been sent now."""
        if sent_of(row) is not None:
            return False
        if PreparedCall.from_text(row.call).promise is not Promise.KEYED:
            return False
        if row.send_before is not None and row.send_before - now.by_provider() <= self._until_near:
            return False
        sent = Sent.at(now.moment, now, self.client.caller)
        a_lease_ago = sent._replace(since=sent.since - self._lease)
        return Keys(self._kept, self.client.caller).doubt(a_lease_ago, now) is None

    @property
    def _until_near(self) -> float:
        return max(_NEAR, 2 * self._lease)

    def _mark_values(self, now: Now, present: float) -> dict[str, Any]:
        """What is stored of an entry that is sent for the first time."""
        sent = Sent.at(now.moment, now, self.client.caller)
        if not sent.known:
            sent = sent._replace(since=present)
        return {"state": EntryState.SENDING.value, **sent_values(sent)}


def _is_unsettled(columns: Any) -> Condition:
    # An expression: else SQLite reads all that is due, by the index of states.
    return sa.func.coalesce(columns.state, "").in_(DUE)


def _apart(
    near: Sequence[Any], others: Sequence[Any], busy: Collection[str]
) -> tuple[list[Any], list[int]]:
    """The rows with different subjects, and the ids of the `others` that have to wait for those.

    After a lost response, two under way with one subject could not be told apart.
    """
    subjects = {*busy}
    chosen: list[Any] = []
    waiting: list[Any] = []
    for row in (*near, *others):
        if row.reference in subjects:
            waiting.append(row)
        else:
            subjects.add(row.reference)
            chosen.append(row)
    are_near = {row.id for row in near}
    return chosen, [row.id for row in waiting if row.id not in are_near]
