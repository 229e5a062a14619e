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
    ProviderTime,
    Victor,
    VictorError,
    check_payment_request,
)

from .arguments import PaymentRequestArguments
from .entries import Entry, EntryState, entry_of, outbox_table, storable, values_of

T = TypeVar("T")

_MARGIN = timedelta(minutes=5)
"""By how much a clock may be off: keys are taken for older, and windows for wider."""
_LOCAL_CLOCKS_DIFFER = timedelta(days=1)
"""The same for a clock that no answer of the provider was compared with."""
_DATES_DIFFER = timedelta(seconds=10)
"""How far in the future a moment may seem: `Date` has whole seconds, and differs between the provider's hosts."""


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


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that a worker has taken up.

    Attributes:
        row: The entry as it was before.
        lease: Until when it is this worker's, in epoch seconds of the worker's clock.
        since: The earliest moment at which it may have been sent, by the provider's clock; for a first call, now.
    """

    row: Any = field(repr=False)
    lease: float
    since: datetime

    @property
    def was_sent(self) -> bool:
        """Whether it may have been sent before."""
        return self.row.first_sent_at is not None


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
            now = self._sent_at(victor.provider_time())
            last, claim = yield Transaction(lambda connection: self._claim(connection, last, now))  # noqa: B023 - done at once
            if last is None:
                break
            if claim is None:
                continue
            try:
                entry = yield from self._deliver(victor, claim)
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
        rows = {row.request_id: row for row in found if row.request_id}
        if not rows:
            return []
        since = datetime.fromtimestamp(min(row.first_sent_at for row in rows.values()), UTC) - _MARGIN
        changed: list[Entry] = []
        pages = victor.payment_requests.list(direction="outbound", start_datetime=since).pages()
        while (page := (yield NextPage(pages))) is not None:
            for request in page.items:
                values = values_of(request)
                row = rows.get(values["request_id"])
                if row is not None and row.status != values["status"]:
                    changed.append((yield self._store(row.key, **values)))
        return changed

    # One entry

    def _sent_at(self, now: ProviderTime) -> datetime:
        """The moment to store for what is sent now. By an unknown clock, it is one at which no key is kept any more."""
        return now.moment if now.is_known else now.moment - self._keys_kept - _LOCAL_CLOCKS_DIFFER

    def _claim(self, connection: sa.Connection, last: int, now: datetime) -> tuple[int | None, Claim | None]:
        """Take up the entry after `last`, with the lease. From then on it counts as sent, whatever happens to us.

        Returns:
            The entry's id (None: there is none), and the claim; None: another worker was faster.
        """
        columns, local = self.table.c, time.time()
        due = columns.state.in_([EntryState.WAITING.value, EntryState.SENDING.value])
        query = sa.select(self.table).where(due, columns.leased_until < local, columns.id > last)
        row = connection.execute(query.order_by(columns.id).limit(1)).first()
        if row is None:
            return None, None
        since = now if row.first_sent_at is None else datetime.fromtimestamp(row.first_sent_at, UTC)
        claim = Claim(row, local + self._lease, since)
        unchanged = sa.and_(columns.leased_until == row.leased_until, columns.state == row.state)
        values = {"state": EntryState.SENDING.value, "leased_until": claim.lease, "first_sent_at": since.timestamp()}
        claimed = connection.execute(sa.update(self.table).where(columns.id == row.id, unchanged).values(**values))
        return row.id, claim if claimed.rowcount == 1 else None

    def _deliver(self, victor: Victor | AsyncVictor, claim: Claim) -> Pass[Entry | None]:
        """Send a claimed entry, or look it up."""
        if time.time() > claim.lease + _MARGIN.total_seconds():
            return None  # this process was stopped: others may have sent it, so long ago that its key is forgotten
        doubt = self._doubt(victor.provider_time(), claim.since) if claim.was_sent else None
        if doubt is not None:
            return (yield from self._look_up(claim, doubt))
        try:
            request = yield Call("create", json.loads(claim.row.arguments))
        except VictorError as error:
            return (yield from self._failed(claim, error))
        stored: Entry = yield self._store(claim.row.key, **values_of(request))
        return stored

    def _doubt(self, now: ProviderTime, since: datetime) -> str | None:
        """Why a key of this age must not be sent again: the provider may not keep it until the call has ended."""
        if not now.is_known:
            return "the age of its key is not known, because the provider does not tell its time"
        age = now.moment - since
        if age < -_DATES_DIFFER:
            return "the age of its key is not known, because a clock was set"
        # The client repeats a call within its deadline, which is shorter than the lease.
        if age > self._keys_kept - _MARGIN - timedelta(seconds=self._lease):
            return "its key is too old to be sent again"
        return None

    def _failed(self, claim: Claim, error: VictorError) -> Pass[Entry | None]:
        row = claim.row
        if error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if isinstance(error, BadRequest | Conflict | InvalidRequest):
            # A conflict on the first call: somebody else has used the key, maybe for this very payment.
            if claim.was_sent or isinstance(error, Conflict):
                return (yield from self._look_up(claim, error.message))
            refused = {"state": EntryState.REFUSED.value, "error": error.message}
            stored: Entry = yield self._store(row.key, claim.lease, **refused)
            return stored
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as it was.
        before = {"state": row.state, "first_sent_at": row.first_sent_at, "leased_until": 0.0}
        yield self._store(row.key, claim.lease, **before)
        raise error

    def _look_up(self, claim: Claim, reason: str) -> Pass[Entry]:
        row, since = claim.row, claim.since - _MARGIN
        found = yield Call("find", {"client_reference_id": row.reference, "start_datetime": since})
        outbound = [request for request in found if request.direction != "inbound"]
        is_it = len(outbound) == 1 and outbound[0].may_be(json.loads(row.arguments), since=since)
        request = outbound[0] if is_it else None

        def settle(connection: sa.Connection) -> Entry:
            whose = "" if request is None else self._rival(connection, row, storable(request.id))
            error = f"{reason}; {len(outbound)} requests have its reference{whose}. {found.caveat}".strip()
            unclear = {"state": EntryState.UNCLEAR.value, "error": error}
            values = unclear if request is None or whose else values_of(request)
            return self._change(connection, row.key, claim.lease, values)

        stored: Entry = yield Transaction(settle)
        return stored

    def _rival(self, connection: sa.Connection, row: Any, request_id: str) -> str:
        """Which other entry this request may be of, in words; empty: of none.

        An entry is marked as sending before it is sent. So whichever has made the request is seen here, whatever its
        worker does meanwhile: it has the request's id, or the same reference and is not settled. That is one statement,
        because an entry may turn from the second into the first.
        """
        columns = self.table.c
        unsettled = columns.state.in_([EntryState.SENDING.value, EntryState.UNCLEAR.value])
        like_it = sa.and_(sa.func.trim(columns.reference) == row.reference.strip(), unsettled)
        rivals = sa.select(columns.id).where(columns.key != row.key, sa.or_(columns.request_id == request_id, like_it))
        is_doubtful = connection.execute(rivals).first() is not None
        return f" ({request_id} may be that of another entry, which has the same reference)" if is_doubtful else ""

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Transaction:
        return Transaction(lambda connection: self._change(connection, key, lease, values))

    def _change(self, connection: sa.Connection, key: str, lease: float | None, values: dict[str, Any]) -> Entry:
        """Change an entry; with a lease only if it still is this worker's, and no earlier worker has had its answer."""
        columns = self.table.c
        chosen, under_way = columns.key == key, columns.state == EntryState.SENDING.value
        held = chosen if lease is None else sa.and_(chosen, columns.leased_until == lease, under_way)
        connection.execute(sa.update(self.table).where(held).values(**values))
        return entry_of(connection.execute(sa.select(self.table).where(chosen)).one())
