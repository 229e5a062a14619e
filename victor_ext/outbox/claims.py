"""Which entries a worker takes up, and when it marks each as one that may have been sent.

A group of entries is taken up, and leased, in one transaction. Each entry is marked before it is
sent, so that the next worker knows after a crash. A mark in advance, in the transaction of the
group, saves a transaction. But if the worker ends before it sends the entry, the next worker has to
treat the entry as sent. So only entries that can be sent again then (they have a key that lasts)
are marked in advance; all others are marked just before their own call.

Read `Claims.take_up` first. A "subject" of an entry is its key or a reference (`subjects_of`): two
entries with one subject are never under way at once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, nextafter
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import Promise
from victor_ext.event_queue.databases import Condition, OfFewRows, database_time, is_to_come
from victor_ext.event_queue.rows import change_rows
from victor_ext.settlement.key_age import Keys, Moment, Now, SentSince

from .entries import DUE, EntryState, sent_of, sent_values, subjects_of
from .sealing import Sealing

GROUP = 64
"""The maximum number of entries that are taken up in one transaction."""
_NEAR = 3600.0
"""Seconds before `send_before` in which an entry comes before others, and is not marked in advance.
"""
_LOOK_AGAIN = 1.0
"""Seconds after which a worker asks again whether the outbox is held, before it begins a call."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that a worker has taken up.

    Attributes:
        row: The entry as it was before.
        lease: When the lease ends, by the clock of the database.
        marks: The column values that the entry has while this worker has it.
        now: When the entry was taken up, by that clock.
        at: The same by the clocks of this machine, which measure how long this worker has had it.
        again: The `leased_until` of the entry if it is given back: just after the beginning of this
            round, by which this round knows not to take it up again. The next round does.
        is_marked: Whether it is stored as an entry that may have been sent.
    """

    row: Any = field(repr=False)
    lease: float
    marks: Mapping[str, Any]
    now: float
    at: Moment
    again: float = 0.0
    is_marked: bool = True

    @property
    def state(self) -> str:
        """The state that the entry has since this worker took it up."""
        was_marked_here = self.is_marked and sent_of(self.row) is None
        return EntryState.SENDING if was_marked_here else str(self.row.state)

    def is_held(self, columns: Any) -> Condition:
        """Holds for the entry in its table, while this worker has it.

        Its lease may have been ended early, and another worker may have leased it at the same
        moment: so the end of the lease alone does not tell whose it is.
        """
        own = {"id": self.row.id, "leased_until": self.lease, **self.marks}
        return sa.and_(*(columns[name] == value for name, value in own.items()))


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that were taken up together.

    Attributes:
        started: When the round began, by the clock of the database.
        last: The id up to which no entry is left for the pass.
        waits: Whether an entry was left out because a subject of it is under way.
        is_full: Whether more entries may be due.
    """

    claims: Sequence[Claim]
    started: float
    last: int
    waits: bool
    is_full: bool


@dataclass(frozen=True, slots=True)
class _Due:
    """The times and the condition by which one transaction takes entries up.

    Attributes:
        now: The present time.
        present: The same by the clock of the database.
        started: When the round began, by that clock.
        is_due: Holds for entries that nobody has leased, in whatever state.
    """

    now: Now
    present: float
    started: float
    is_due: Condition = field(repr=False)


@dataclass(eq=False, repr=False, slots=True)
class Claims:
    """Takes entries up for a round with one client, group by group.

    A round is the passes of one `send`, or those of a worker until nothing is left. Each begins
    with the oldest entries again. No entry is taken up twice by the same round.

    Attributes:
        _lease: Seconds for which an entry is leased.
        _kept: Seconds for which the provider keeps the key of an entry.
        _is_not_held: The condition that the outbox is not held.
        _chosen: The condition of the entries that may be taken up at all.
        marks: The column values of an entry while this worker has it.
        _looked_at: When the outbox was last seen not to be held.
        _started: When the round began, by the clock of the database.
        _last: The id up to which no entry is left for the pass.
        error: What is raised at the end of the round; None: nothing.
    """

    _table: sa.Table
    client: Any
    _lease: float
    _kept: Callable[[Any], float]
    _sealing: Sealing
    _is_not_held: Condition
    _chosen: Condition
    marks: Mapping[str, Any]
    _looked_at: Moment | None = None
    _started: float | None = None
    _last: int = 0
    error: Exception | None = None

    # The operations of a round

    def begin_pass(self) -> None:
        """Begin with the oldest entries again: some that others had may be free by now."""
        self._last = 0

    def take_up(self, now: Now, busy: Collection[str], connection: Connection) -> Group:
        """Take up the next group of entries, each with subjects of its own that are not `busy`."""
        self._sealing.require_vault(connection)
        present = database_time(connection)
        started = present if self._started is None else self._started
        due = _Due(now, present, started, self._is_due(present, started))
        near = self._read_near(due, connection)
        others = self._read_in_order(due, near, connection)
        chosen, waiting = _with_distinct_subjects(near, others, busy)
        last = max((row.id for row in others), default=self._last)
        if waiting:
            last = min(waiting) - 1
        count = len(near) + len(others)
        return Group(
            claims=self._lease_rows(chosen, due, connection),
            started=started,
            last=max(self._last, last),
            waits=len(chosen) < count,
            is_full=count >= GROUP,
        )

    def note_progress(self, group: Group, now: Now) -> None:
        """Remember when the round began, up to which id it has come, and that the outbox was not
        held now. Called after the transaction of `take_up` was committed.
        """
        self._started = group.started
        self._last = group.last
        self._looked_at = now.moment

    def must_check_hold(self, now: Now) -> bool:
        """Whether `may_work` has to be asked: it is a while since the outbox was seen not to be
        held.
        """
        if self._looked_at is None:
            return True
        return now.since(self._looked_at) >= _LOOK_AGAIN

    def may_work(self, now: Now, connection: Connection) -> bool:
        """Read whether the outbox is not held, and remember when that was read."""
        may_work = bool(connection.execute(sa.select(self._is_not_held)).scalar())
        self._looked_at = now.moment if may_work else None
        return may_work

    def mark(self, claim: Claim, now: Now, connection: Connection) -> Claim | None:
        """Mark an entry that is sent now, with a new lease, and return its claim.

        None: another worker has the entry by now, or the outbox is held.
        """
        present = database_time(connection)
        lease = present + self._lease
        values = {"leased_until": lease, **self._mark_values(now, present)}
        if not change_rows(connection, self._table, self._is_as_left(claim), **values):
            return None
        return replace(claim, lease=lease, now=present, at=now.moment, is_marked=True)

    def has_time(self, claim: Claim, now: Now) -> bool:
        """Whether the lease lasts until a call that begins now has ended, so that no other worker
        makes that call, too.
        """
        left = self._lease - now.since(claim.at)
        deadline: float = self.client.deadline
        return left >= min(deadline, self._lease / 2)

    def give_back(self, claims: Sequence[Claim], connection: Connection, **values: Any) -> None:
        """Store entries as they were before they were taken up, but for these column values:
        nothing of them was sent.

        An entry that somebody has changed meanwhile is left alone. While the outbox is held, all
        are: a restored entry may have been sent before.
        """
        for claim in claims:
            sent = sent_values(sent_of(claim.row))
            row = claim.row
            before = {"leased_until": claim.again, "state": row.state, "changed_at": row.changed_at}
            before |= dict.fromkeys(self.marks)
            back = {**before, **sent, **values}
            change_rows(connection, self._table, self._is_as_left(claim), **back)

    def put_off(self, claim: Claim, seconds: float, connection: Connection, **values: Any) -> None:
        """Let an entry whose try has failed be taken up again after so many seconds, at most a
        lease. It has these column values then.

        An entry that another worker has taken up meanwhile is that worker's.
        """
        leased_until = database_time(connection) + min(seconds, self._lease)
        later = {"leased_until": leased_until, "tries": claim.row.tries + 1}
        later |= dict.fromkeys(self.marks)
        change_rows(connection, self._table, claim.is_held(self._table.c), **{**later, **values})

    def _is_as_left(self, claim: Claim) -> Condition:
        """Holds for the entry of a claim if nobody has changed it since, and the outbox is not
        held.
        """
        columns = self._table.c
        return sa.and_(claim.is_held(columns), columns.state == claim.state, self._is_not_held)

    # Which entries are due

    def _is_due(self, present: float, started: float) -> Condition:
        """Holds for entries, in whatever state, that nobody has leased and this round has
        not had.
        """
        columns = self._table.c
        is_leased = is_to_come(columns.leased_until, present, self._lease)
        # Entries that this round has had, and given back (`Claim.again`) or left until their lease
        # ended.
        was_ours = columns.leased_until.between(nextafter(started, inf), present)
        is_free = sa.and_(sa.not_(is_leased), sa.not_(was_ours))
        is_ours = sa.and_(columns.provider == self.client.provider, self._chosen)
        return sa.and_(is_ours, is_free, self._is_not_held)

    def _read_near(self, due: _Due, connection: Connection) -> list[Any]:
        """The entries that have to be sent soon, those without an earlier entry of the same
        subject.
        """
        columns, earlier = self._table.c, self._table.alias().c
        by_provider = due.now.by_provider()
        is_near = columns.send_before.between(by_provider, by_provider + self._until_near)
        has_precedence = sa.exists().where(
            earlier.reference == columns.reference,
            earlier.provider == columns.provider,
            _is_unsettled(earlier),
            earlier.id < columns.id,
        )
        query = sa.select(self._table).where(due.is_due, is_near, _is_unsettled(columns))
        first = query.where(sa.not_(has_precedence)).order_by(columns.send_before, columns.id)
        return self._read(first, GROUP, connection)

    def _read_in_order(self, due: _Due, near: Sequence[Any], connection: Connection) -> list[Any]:
        """The entries that were stored first, without those of `near`.

        Each state is read by itself, in the order of its index, so that the database has to sort
        no entries, however many there are.
        """
        columns = self._table.c
        most = GROUP - len(near)
        rows: list[Any] = []
        for state in DUE:
            is_next = sa.and_(OfFewRows(columns.state == state), columns.id > self._last)
            query = sa.select(self._table).where(is_next, due.is_due)
            rows += self._read(query.order_by(columns.id), most, connection)
        rows.sort(key=attrgetter("id"))
        chosen = {row.id for row in near}
        return [row for row in rows[:most] if row.id not in chosen]

    def _read(self, query: sa.Select[Any], most: int, connection: Connection) -> list[Any]:
        """Read and lock rows, without those that another transaction has locked (PostgreSQL)."""
        locked = query.limit(most).with_for_update(skip_locked=True)
        return [*map(self._sealing.decrypted_row, connection.execute(locked))]

    # Leases and marks

    def _lease_rows(self, rows: Sequence[Any], due: _Due, connection: Connection) -> list[Claim]:
        """Lease entries to this worker, and mark those that may be marked in advance. Return the
        claims, without entries that another worker has taken up meanwhile.
        """
        lease = due.present + self._lease
        again = nextafter(due.started, inf)
        ahead = {row.id for row in rows if self._may_be_marked_ahead(row, due.now)}
        unmarked = {row.id for row in rows} - ahead
        leased = {"leased_until": lease, **self.marks}
        marked = {**leased, **self._mark_values(due.now, due.present)}
        ours = self._update(ahead, due, marked, connection)
        ours |= self._update(unmarked, due, leased, connection)
        claims: list[Claim] = []
        for row in rows:
            if row.id in ours:
                is_marked = row.id in ahead or sent_of(row) is not None
                at = due.now.moment
                claims.append(Claim(row, lease, self.marks, due.present, at, again, is_marked))
        return claims

    def _update(
        self, ids: Collection[int], due: _Due, values: Mapping[str, Any], connection: Connection
    ) -> set[int]:
        """Change those entries that still are due, and return their ids."""
        if not ids:
            return set()
        columns = self._table.c
        are_due = sa.and_(due.is_due, columns.state.in_(DUE), columns.id.in_(ids))
        update = sa.update(self._table).where(are_due).values(values)
        return {row[0] for row in connection.execute(update.returning(columns.id))}

    def _may_be_marked_ahead(self, row: Any, now: Now) -> bool:
        """Whether an entry that is sent now could still be sent again when the lease is over."""
        if sent_of(row) is not None:
            return False
        if row.prepared.promise is not Promise.KEYED:
            return False
        if row.send_before is not None and row.send_before - now.by_provider() <= self._until_near:
            return False
        sent = SentSince.at(now, self.client.caller)
        a_lease_ago = sent._replace(since=sent.since - self._lease)
        return Keys(self._kept(row), self.client.caller).doubt(a_lease_ago, now) is None

    @property
    def _until_near(self) -> float:
        """Seconds before `send_before` in which an entry has to be sent soon."""
        return max(_NEAR, 2 * self._lease)

    def _mark_values(self, now: Now, present: float) -> dict[str, Any]:
        """The column values that mark an entry: it is sent now, for the first time."""
        sent = SentSince.at(now, self.client.caller)
        # Without the provider's clock, that of the database is the one that all workers share.
        if not sent.known:
            sent = sent._replace(since=present)
        state = EntryState.SENDING
        return {"state": state, "changed_at": present, **sent_values(sent)}


def _is_unsettled(columns: Any) -> Condition:
    """Holds for entries in one of the states of `DUE`."""
    # An expression on the state: on the bare column, SQLite would use the index of states, and so
    # read all due entries, in place of the narrower index.
    return sa.func.coalesce(columns.state, "").in_(DUE)


def _with_distinct_subjects(
    near: Sequence[Any], others: Sequence[Any], busy: Collection[str]
) -> tuple[list[Any], list[int]]:
    """Choose rows, `near` ones first, of which no two have the same subject and none a `busy` one.
    Returns them, and the ids of those of `others` that wait for a later group.

    After a lost response, two entries under way with one subject could not be told apart.
    """
    subjects = {*busy}
    chosen: list[Any] = []
    waiting: list[int] = []
    near_ids = {row.id for row in near}
    for row in (*near, *others):
        own = subjects_of(row)
        if own.isdisjoint(subjects):
            subjects |= own
            chosen.append(row)
        elif row.id not in near_ids:
            waiting.append(row.id)
    return chosen, waiting
