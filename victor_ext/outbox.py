"""An outbox: payment requests that are stored in your own database, in the transaction of the invoice, and sent later.

    outbox = Outbox(engine)
    outbox.create_table()

    with Session(engine) as session, session.begin():
        session.add(Invoice(number=1042, ...))
        outbox.add(session, ..., client_reference_id="INV-1042", idempotency_key=idempotency_key_for("invoice", 1042))

    with Victor.from_env() as victor:  # in a worker, again and again
        outbox.send(victor)
        outbox.refresh(victor)

A process may be killed between any two steps. What was begun is taken up again, under the same key while the provider
keeps it; afterwards it is looked up by its reference and never sent again. See docs/outbox.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

try:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session
except ImportError as error:
    raise ImportError(
        f"victor_ext.outbox needs {error.name}; install its extra: pip install 'victor-ext[outbox]'", name=error.name
    ) from error

from victor_ext import (
    BadRequest,
    Conflict,
    InvalidRequest,
    NotFound,
    Outcome,
    PaymentRequest,
    PermissionDenied,
    Victor,
    VictorError,
    check_payment_request,
)

__all__ = ("Entry", "EntryState", "Outbox")

_MARGIN = timedelta(minutes=5)
"""By how much a clock may be off: keys are taken for older, and windows for wider."""


class EntryState(StrEnum):
    """What is known of an entry."""

    WAITING = "waiting"
    """Nothing of it was sent."""
    SENDING = "sending"
    """It is being sent, or may have been: it is taken up again."""
    SENT = "sent"
    """The provider has it."""
    REFUSED = "refused"
    """The provider, or the check before it, refused it. `error` says why."""
    UNCLEAR = "unclear"
    """It may have been sent, its key is too old, and no request has its reference: somebody has to look."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment request of the outbox, as it is stored. `status` is the provider's; None before it is sent."""

    idempotency_key: str
    client_reference_id: str
    state: EntryState
    request_id: str | None
    status: str | None
    error: str | None


class Outbox:
    """The outbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use in several workers.

    Args:
        engine: An SQLAlchemy engine of the database that has your invoices.
        keys_kept: How long the provider keeps an idempotency key. It does not document this: ask, and set it.
        lease: How long a worker may work on one entry before another one takes it up: more than the client's deadline.
        table: The name of the outbox's table.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        table: str = "victor_outbox",
    ) -> None:
        self._engine = engine
        self._keys_kept = keys_kept
        self._lease = lease.total_seconds()
        self.table = _table(table)

    def create_table(self) -> None:
        """Make the table, unless it exists. With migrations of your own, take `outbox.table` into their metadata."""
        self.table.create(self._engine, checkfirst=True)

    def add(self, session: Session | sa.Connection, **arguments: Any) -> None:
        """Store a request in a transaction of yours. It is sent once that is committed, and forgotten if it is not.

        The same arguments under the same key are stored once.

        Args:
            session: Your session or connection.
            arguments: Those of `payment_requests.create`. `client_reference_id` and `idempotency_key` are required.

        Raises:
            InvalidRequest: An argument is invalid.
            ValueError: The key was used for other arguments, or the key or the reference is missing.
        """
        key, reference = arguments.get("idempotency_key"), arguments.get("client_reference_id")
        if not key or not reference:
            raise ValueError("outbox.add needs idempotency_key and client_reference_id: without them no repeat is safe")
        text = json.dumps(arguments, sort_keys=True, default=str)
        stored = session.execute(sa.select(self.table.c.arguments).where(self.table.c.key == key)).scalar()
        if stored is None:
            check_payment_request(**arguments)
            values = {"key": key, "reference": reference, "arguments": text, "state": EntryState.WAITING.value}
            session.execute(sa.insert(self.table).values(leased_until=0.0, ended=False, **values))
        elif stored != text:
            raise ValueError(f"the key {key!r} is in the outbox with other arguments: give each payment its own key")

    def send(self, victor: Victor) -> list[Entry]:
        """Send what waits, and settle what may have been sent; returns the entries that have come to a result.

        One pass. An entry whose outcome stays unknown is left for a later pass.

        Raises:
            VictorError: The provider cannot be reached or refuses every call (credentials, rate). What was not sent
                waits for the next pass.
        """
        done: list[Entry] = []
        error: VictorError | None = None
        for row, lease in self._claimed(victor):
            try:
                entry = self._deliver(victor, row, lease)
            except (PermissionDenied, NotFound) as refusal:  # it may be about this one alone: go on
                error = refusal
            else:
                done += [] if entry is None else [entry]
        if error is not None:
            raise error
        return done

    def refresh(self, victor: Victor) -> list[Entry]:
        """Read the statuses of all requests that were sent and have not ended; returns the entries that changed.

        One walk over the provider's list, from the oldest of them on. No webhook is needed.

        Raises:
            VictorError: The list could not be read.
        """
        columns = self.table.c
        open_ones = sa.select(self.table).where(columns.state == EntryState.SENT.value, columns.ended.is_(False))
        with self._engine.connect() as connection:
            rows = {row.request_id: row for row in connection.execute(open_ones)}
        if not rows:
            return []
        since = datetime.fromtimestamp(min(row.first_sent_at for row in rows.values()), UTC) - _MARGIN
        changed: list[Entry] = []
        for request in victor.payment_requests.list(direction="outbound", start_datetime=since):
            row = rows.get(request.id)
            if row is not None and row.status != request.status:
                changed.append(self._store(row.key, **_result(request)))
        return changed

    def entries(self, state: EntryState | str | None = None) -> list[Entry]:
        """The entries in a state (None: all), oldest first."""
        query = sa.select(self.table).order_by(self.table.c.id)
        if state is not None:
            query = query.where(self.table.c.state == EntryState(state).value)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def counts(self) -> dict[EntryState, int]:
        """The number of entries in each state, such as for `/metrics`."""
        state = self.table.c.state
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(state, sa.func.count()).group_by(state))
            found: dict[str, int] = {row[0]: row[1] for row in rows}
        return {each: found.get(each.value, 0) for each in EntryState}

    # One entry

    def _claimed(self, victor: Victor) -> Iterator[tuple[Any, float]]:
        """Take up entry after entry, each with the lease. From then on it counts as sent, whatever happens to us."""
        columns, last = self.table.c, 0
        while True:
            now, local = _provider_time(victor), time.time()
            due = columns.state.in_([EntryState.WAITING.value, EntryState.SENDING.value])
            query = sa.select(self.table).where(due, columns.leased_until < local, columns.id > last)
            with self._engine.begin() as connection:
                row = connection.execute(query.order_by(columns.id).limit(1)).first()
                if row is None:
                    return
                last, lease = row.id, local + self._lease
                unchanged = sa.and_(columns.leased_until == row.leased_until, columns.state == row.state)
                values = {"state": EntryState.SENDING.value, "leased_until": lease}
                first = row.first_sent_at or now.timestamp()
                mine = sa.update(self.table).where(columns.id == row.id, unchanged)
                claimed = connection.execute(mine.values(first_sent_at=first, **values))
            if claimed.rowcount == 1:
                yield row, lease

    def _deliver(self, victor: Victor, row: Any, lease: float) -> Entry | None:
        """Send a claimed entry, or look it up. `row` is what it was before it was claimed."""
        first = None if row.first_sent_at is None else datetime.fromtimestamp(row.first_sent_at, UTC)
        if first is not None and _provider_time(victor) - first > self._keys_kept - _MARGIN:
            return self._look_up(victor, row, lease, "its key is too old to be sent again")
        try:
            request = victor.payment_requests.create(**json.loads(row.arguments))
        except VictorError as error:
            return self._failed(victor, row, lease, error)
        return self._store(row.key, **_result(request))

    def _failed(self, victor: Victor, row: Any, lease: float, error: VictorError) -> Entry | None:
        if error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if isinstance(error, BadRequest | Conflict | InvalidRequest):
            if row.first_sent_at is None:
                return self._store(row.key, lease, state=EntryState.REFUSED.value, error=error.message)
            return self._look_up(victor, row, lease, error.message)
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as it was.
        self._store(row.key, lease, state=row.state, first_sent_at=row.first_sent_at, leased_until=0.0)
        raise error

    def _look_up(self, victor: Victor, row: Any, lease: float, reason: str) -> Entry:
        since = datetime.fromtimestamp(row.first_sent_at, UTC) - _MARGIN
        found = victor.payment_requests.find(row.reference, start_datetime=since)
        asked = Decimal(json.loads(row.arguments)["amount"])
        if len(found) == 1 and asked in (found[0].amount, found[0].original_amount):
            return self._store(row.key, **_result(found[0]))
        error = f"{reason}; {len(found)} requests have its reference. {found.caveat}".strip()
        return self._store(row.key, lease, state=EntryState.UNCLEAR.value, error=error)

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Entry:
        """Change an entry; with a lease only if it still is this worker's."""
        chosen = self.table.c.key == key
        held = chosen if lease is None else sa.and_(chosen, self.table.c.leased_until == lease)
        with self._engine.begin() as connection:
            connection.execute(sa.update(self.table).where(held).values(**values))
            return _entry(connection.execute(sa.select(self.table).where(chosen)).one())


def _table(name: str) -> sa.Table:
    # Times are epoch seconds: `first_sent_at` by the provider's clock, `leased_until` by that of the worker.
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        sa.Column("reference", sa.String(128), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("leased_until", sa.Double, nullable=False),
        sa.Column("first_sent_at", sa.Double),
        sa.Column("request_id", sa.String(128)),
        sa.Column("status", sa.String(64)),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text),
    )


def _provider_time(victor: Victor) -> datetime:
    """The provider's time. Unless it is known, a small read asks for it."""
    if not victor.provider_time().is_known:
        next(iter(victor.payment_requests.list(page_size=1).pages()), None)
    return victor.provider_time().moment


def _result(request: PaymentRequest) -> dict[str, Any]:
    status = None if request.status is None else str(request.status)
    return {
        "state": EntryState.SENT.value,
        "request_id": request.id,
        "status": status,
        "ended": request.is_terminal,
        "error": request.error_message,
    }


def _entry(row: Any) -> Entry:
    return Entry(row.key, row.reference, EntryState(row.state), row.request_id, row.status, row.error)
