"""The passes over an outbox as generators: what they decide, without a database or a client of their own.

A pass yields steps: a transaction, a call, or the next page of a list. `Outbox` carries them out with blocking calls,
`AsyncOutbox` with awaited ones, and sends the result back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import (
    AsyncVictor,
    BadRequest,
    Conflict,
    InvalidRequest,
    NotFound,
    Outcome,
    PermissionDenied,
    Problem,
    Victor,
    VictorError,
    check_payment_request,
)

from .arguments import PaymentRequestArguments
from .entries import Entry, EntryState, entry_of, outbox_table, values_of

T = TypeVar("T")

_MARGIN = timedelta(minutes=5)
"""By how much a clock may be off: keys are taken for older, and windows for wider."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Do this work in a transaction of its own."""

    work: Callable[[sa.Connection], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """Call an operation of `payment_requests`; the error of a call is thrown into the pass."""

    operation: str
    arguments: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NextPage:
    """The next page of an iterator of pages, which is blocking or asynchronous as the client is; None: it has ended."""

    pages: Any


Step: TypeAlias = Transaction | Call | NextPage
Pass: TypeAlias = Generator[Step, Any, T]


def _refused(key: str | None, field: str, code: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, idempotency_key=key, problems=[Problem(field, code, message)])


class OutboxBase:
    """What both outboxes have in common.

    Args:
        keys_kept: How long the provider keeps an idempotency key.
        lease: How long a worker may work on one entry before another one takes it up.
        table: The name of the outbox's table.
    """

    def __init__(self, keys_kept: timedelta, lease: timedelta, table: str) -> None:
        self._keys_kept = keys_kept
        self._lease = lease.total_seconds()
        self.table = outbox_table(table)

    def _add(self, session: Session | sa.Connection, arguments: PaymentRequestArguments) -> None:
        key, reference = arguments.get("idempotency_key"), arguments.get("client_reference_id")
        for name, value in (("idempotency_key", key), ("client_reference_id", reference)):
            if not value:
                raise _refused(key, name, "required", f"{name} is missing: without it no repeat is safe.")
        text = json.dumps(arguments, sort_keys=True, default=str)
        stored = session.execute(sa.select(self.table.c.arguments).where(self.table.c.key == key)).scalar()
        if stored is None:
            try:
                check_payment_request(**arguments)
            except InvalidRequest as refused:
                refused.idempotency_key = key
                raise
            values = {"key": key, "reference": reference, "arguments": text, "state": EntryState.WAITING.value}
            session.execute(sa.insert(self.table).values(leased_until=0.0, ended=False, **values))
        elif stored != text:
            raise _refused(
                key,
                "idempotency_key",
                "used",
                f"{key} is in the outbox with other arguments: give each payment its own key.",
            )

    def _entry(self, key: str) -> Transaction:
        def work(connection: sa.Connection) -> Entry | None:
            row = connection.execute(sa.select(self.table).where(self.table.c.key == key)).one_or_none()
            return None if row is None else entry_of(row)

        return Transaction(work)

    def _entries(self, state: EntryState | str | None) -> Transaction:
        query = sa.select(self.table).order_by(self.table.c.id)
        if state is not None:
            query = query.where(self.table.c.state == EntryState(state).value)
        return Transaction(lambda connection: [entry_of(row) for row in connection.execute(query)])

    def _counts(self) -> Transaction:
        state = self.table.c.state
        query = sa.select(state, sa.func.count()).group_by(state)

        def work(connection: sa.Connection) -> dict[EntryState, int]:
            found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
            return {each: found.get(each.value, 0) for each in EntryState}

        return Transaction(work)

    # Passes

    def _send(self, victor: Victor | AsyncVictor) -> Pass[list[Entry]]:
        done: list[Entry] = []
        error: VictorError | None = None
        last = 0
        while True:
            # Unless the provider's time is known, a small read asks for it.
            if not victor.provider_time().is_known:
                yield NextPage(victor.payment_requests.list(page_size=1).pages())
            now = victor.provider_time().moment
            row, lease, is_mine = yield Transaction(lambda connection: self._claim(connection, last, now))  # noqa: B023 - done at once
            if row is None:
                break
            last = row.id
            if not is_mine:
                continue
            try:
                entry = yield from self._deliver(victor, row, lease)
            except (PermissionDenied, NotFound) as refusal:  # it may be about this one alone: go on
                error = refusal
            else:
                done += [] if entry is None else [entry]
        if error is not None:
            raise error
        return done

    def _refresh(self, victor: Victor | AsyncVictor) -> Pass[list[Entry]]:
        columns = self.table.c
        open_ones = sa.select(self.table).where(columns.state == EntryState.SENT.value, columns.ended.is_(False))
        found = yield Transaction(lambda connection: connection.execute(open_ones).all())
        rows = {row.request_id: row for row in found}
        if not rows:
            return []
        since = datetime.fromtimestamp(min(row.first_sent_at for row in rows.values()), UTC) - _MARGIN
        changed: list[Entry] = []
        pages = victor.payment_requests.list(direction="outbound", start_datetime=since).pages()
        while (page := (yield NextPage(pages))) is not None:
            for request in page.items:
                row = rows.get(request.id)
                if row is not None and row.status != request.status:
                    changed.append((yield self._store(row.key, **values_of(request))))
        return changed

    # One entry

    def _claim(self, connection: sa.Connection, last: int, now: datetime) -> tuple[Any, float, bool]:
        """Take up the entry after `last`, with the lease. From then on it counts as sent, whatever happens to us.

        Returns:
            The row as it was before, until when the lease is, and whether no other worker was faster.
        """
        columns, local = self.table.c, time.time()
        due = columns.state.in_([EntryState.WAITING.value, EntryState.SENDING.value])
        query = sa.select(self.table).where(due, columns.leased_until < local, columns.id > last)
        row = connection.execute(query.order_by(columns.id).limit(1)).first()
        lease = local + self._lease
        if row is None:
            return None, lease, False
        unchanged = sa.and_(columns.leased_until == row.leased_until, columns.state == row.state)
        values = {"state": EntryState.SENDING.value, "leased_until": lease}
        first = row.first_sent_at or now.timestamp()
        mine = sa.update(self.table).where(columns.id == row.id, unchanged)
        claimed = connection.execute(mine.values(first_sent_at=first, **values))
        return row, lease, claimed.rowcount == 1

    def _deliver(self, victor: Victor | AsyncVictor, row: Any, lease: float) -> Pass[Entry | None]:
        """Send a claimed entry, or look it up. `row` is what it was before it was claimed."""
        first = None if row.first_sent_at is None else datetime.fromtimestamp(row.first_sent_at, UTC)
        if first is not None and victor.provider_time().moment - first > self._keys_kept - _MARGIN:
            return (yield from self._look_up(row, lease, "its key is too old to be sent again"))
        try:
            request = yield Call("create", json.loads(row.arguments))
        except VictorError as error:
            return (yield from self._failed(row, lease, error))
        stored: Entry = yield self._store(row.key, **values_of(request))
        return stored

    def _failed(self, row: Any, lease: float, error: VictorError) -> Pass[Entry | None]:
        if error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if isinstance(error, BadRequest | Conflict | InvalidRequest):
            if row.first_sent_at is None:
                stored: Entry = yield self._store(row.key, lease, state=EntryState.REFUSED.value, error=error.message)
                return stored
            return (yield from self._look_up(row, lease, error.message))
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as it was.
        yield self._store(row.key, lease, state=row.state, first_sent_at=row.first_sent_at, leased_until=0.0)
        raise error

    def _look_up(self, row: Any, lease: float, reason: str) -> Pass[Entry]:
        since = datetime.fromtimestamp(row.first_sent_at, UTC) - _MARGIN
        found = yield Call("find", {"client_reference_id": row.reference, "start_datetime": since})
        asked = Decimal(json.loads(row.arguments)["amount"])
        stored: Entry
        is_it = len(found) == 1 and asked in (found[0].amount, found[0].original_amount)
        if is_it and not (yield self._is_of_another(row.key, found[0].id)):
            stored = yield self._store(row.key, **values_of(found[0]))
        else:
            whose = f" ({found[0].id} is that of another entry)" if is_it else ""
            error = f"{reason}; {len(found)} requests have its reference{whose}. {found.caveat}".strip()
            stored = yield self._store(row.key, lease, state=EntryState.UNCLEAR.value, error=error)
        return stored

    def _is_of_another(self, key: str, request_id: str) -> Transaction:
        """Whether another entry has this request: two entries may have the same reference and amount."""
        columns = self.table.c
        query = sa.select(columns.id).where(columns.request_id == request_id, columns.key != key)
        return Transaction(lambda connection: connection.execute(query).first() is not None)

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Transaction:
        """Change an entry; with a lease only if it still is this worker's, and no earlier worker has had its answer."""
        columns = self.table.c
        chosen, under_way = columns.key == key, columns.state == EntryState.SENDING.value
        held = chosen if lease is None else sa.and_(chosen, columns.leased_until == lease, under_way)

        def work(connection: sa.Connection) -> Entry:
            connection.execute(sa.update(self.table).where(held).values(**values))
            return entry_of(connection.execute(sa.select(self.table).where(chosen)).one())

        return Transaction(work)
