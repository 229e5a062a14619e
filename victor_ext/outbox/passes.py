"""The passes over an outbox as generators, which yield transactions and calls.

`Outbox` carries them out with blocking calls, `AsyncOutbox` with awaited ones.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Generic, TypeAlias, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    PreparedCall,
    Problem,
    Promise,
    Victor,
    VictorError,
    check_payment_request,
)
from victor_ext.flows import following
from victor_ext.ids import reference_of
from victor_ext.settlement.arguments import PaymentRequestArguments, dumped, is_stored_as, loaded
from victor_ext.settlement.flow import (
    SETTLED,
    About,
    LookUp,
    Payment,
    PaymentOutcome,
    Rival,
    Settlement,
    Write,
    about,
    settle,
)
from victor_ext.settlement.key_age import LEAST_KEPT, Keys, Moment, NoKey, Now, Sent, within_key_life

from .entries import (
    CREATE,
    VICTOR,
    Entry,
    EntryState,
    entry_of,
    outbox_table,
    sent_of,
    sent_values,
    values_of,
    write_of,
)

T = TypeVar("T")
AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""
Engine = TypeVar("Engine")

_log = logging.getLogger("victor_ext.outbox")

_MOST_CONFLICTS = 12
"""The maximum number of repeats of a transaction that the database ended because of another one."""
_DUE = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
_LOOK_AGAIN = 30.0
"""Seconds between two look-ups of an entry."""
_LONGEST_PAUSE = 1.0
_ENDED_BY_DATABASE = frozenset({"40001", "40P01"})
"""SQLSTATE: a serialization failure, and a deadlock. Nothing of the transaction was stored."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that a worker has taken up: its `row` is the entry as it was before.

    The `lease` is in epoch seconds of the worker's clock. `sent` is the earliest time at which it may have been sent
    before, and `at` when it was taken up, by the worker's clocks.
    """

    row: Any = field(repr=False)
    lease: float
    sent: Sent | None
    at: Moment


Pass: TypeAlias = Generator[Callable[[], Any], Any, T]
"""Each step is a transaction or a call of the client. Its result may have to be awaited; its error is thrown in."""
Work: TypeAlias = Callable[[sa.Connection], T]


def _refused(key: str | None, field: str, code: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, idempotency_key=key, problems=[Problem(field, code, message)])


def _moment() -> Moment:
    return Moment(time.time(), time.monotonic())


def as_text(counts: Mapping[str, int]) -> str:
    """How many entries have which state, such as `2 sent, 1 refused`."""
    return ", ".join(f"{number} {state}" for state, number in counts.items())


@contextmanager
def logged(work: str) -> Generator[list[Entry]]:
    """Log what a pass of a worker changes: the entries that are put into the list. A failure ends this pass alone."""
    changed: list[Entry] = []
    try:
        yield changed
    except VictorError as error:
        _log.warning("outbox.%s failed and will be retried: %s", work, error)
    except Exception:  # noqa: BLE001 - a worker that has ended sends nothing; it is logged with its traceback
        _log.exception("outbox.%s failed and will be retried", work)
    if changed:
        _log.info("outbox.%s changed %s", work, as_text(Counter(entry.state.value for entry in changed)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedCall:
    """The arguments of `add_call`, without the session."""

    operation: Any
    args: tuple[Any, ...] = field(repr=False)
    kwargs: Mapping[str, Any] = field(repr=False)
    key: str
    at_most_once: bool
    send_before: datetime | None
    look_up_by: Mapping[str, str]

    def check(self, call: PreparedCall) -> None:
        """Refuse what could be neither repeated nor found after a crash, unless the caller accepts that.

        Raises:
            InvalidRequest: It is; or the key is missing.
        """
        if not reference_of(self.key):
            raise _refused(self.key, "idempotency_key", "required", "idempotency_key is missing: it names the entry.")
        why = Write(call, look_up_by=self.look_up_by).why_no_look_up
        if call.promise is Promise.KEYED or self.at_most_once or not why:
            return
        if call.look_up_needs:
            hint = f"look_up_by={{{', '.join(f'{name!r}: ...' for name in call.look_up_needs)}}}"
            message = f"After a lost response, {call.name} is looked up, and its look-up needs more: pass {hint}."
            raise _refused(self.key, "look_up_by", "required", message)
        message = (
            f"{call.name} takes no key, and no read of {'the provider'}'s shows whether it was done. After a crash it "
            "is not sent again, and a person has to look: pass at_most_once=True to accept that."
        )
        raise _refused(self.key, "at_most_once", "required", message)


def is_too_late(claim: Claim, client: AnyClient) -> bool:
    """Whether an entry that was never sent would be sent too late for its purpose."""
    before: float | None = None if claim.sent else claim.row.send_before
    if before is None:
        return False
    provider = client.provider_time()
    return (provider.moment.timestamp() if provider.is_known else claim.at.local) >= before


def _send(client: Any, payment: Payment | Write) -> Any:
    if isinstance(payment, Write):
        return client.send(payment.call)
    return client.payment_requests.create(**payment.arguments)


def _looked_up(client: Any, step: LookUp) -> Pass[Settlement]:
    payment = step.payment
    if isinstance(payment, Write):
        return step.shown((yield partial(client.look_up, payment.call, since=step.since, **payment.look_up_by)))
    matches = yield partial(client.payment_requests.find, payment.reference, start_datetime=step.since)
    return step.settled(matches, matches.caveat)


class OutboxBase(Generic[Engine]):
    """What all outboxes have in common. The arguments are those of `Outbox`."""

    def __init__(
        self,
        engine: Engine,
        *,
        client: AnyClient | None = None,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        settle_for: timedelta = timedelta(minutes=10),
        table: str = "victor_outbox",
    ) -> None:
        given: dict[str, object] = {"keys_kept": keys_kept, "lease": lease, "settle_for": settle_for}
        for name, value in given.items():
            if not isinstance(value, timedelta):
                seconds = value if isinstance(value, int | float) else 120
                raise ConfigurationError(f"{name}={value!r:.40} is no timedelta: write timedelta(seconds={seconds}).")
        self._kept = keys_kept.total_seconds()
        if self._kept < LEAST_KEPT:
            raise ConfigurationError(
                f"keys_kept={keys_kept!r} is below {LEAST_KEPT:g} s: a call and its repeats must end before their key."
            )
        self._lease = lease.total_seconds()
        self._settle_for = settle_for.total_seconds()
        self._client = client
        self.table = outbox_table(table)
        self._engine = engine

    def _own(self, client: AnyClient | None) -> Any:
        """The client that is given, or that of the outbox."""
        if client is None and self._client is None:
            raise ConfigurationError("This outbox has no client: pass one here, or write Outbox(engine, client=...).")
        return self._client if client is None else client

    def _sender(self, client: AnyClient | None, interval: float = 1.0) -> Any:
        """The client to send with, each `interval` seconds. Raises `ConfigurationError`: calls outlast a lease."""
        victor = self._own(client)
        if not (isinstance(interval, int | float) and 0 < interval <= threading.TIMEOUT_MAX):
            raise ConfigurationError(f"interval={interval!r} must be seconds above zero, such as 5.0.")
        deadline = victor.deadline
        if deadline is not None and deadline <= self._lease:
            return within_key_life(victor, self._kept)
        what = "no deadline" if deadline is None else f"a deadline of {deadline:g} s"
        raise ConfigurationError(
            f"The client has {what}, and the lease of the outbox is {self._lease:g} s: another worker would send an "
            "entry during its call. Write Victor(..., deadline=60.0), or lease=timedelta(...) of at least as long."
        )

    def _add(self, session: Session | sa.Connection, arguments: PaymentRequestArguments) -> None:
        key, reference = arguments.get("idempotency_key"), arguments.get("client_reference_id")
        for name, value in (("idempotency_key", key), ("client_reference_id", reference)):
            if not reference_of(value):
                raise _refused(key, name, "required", f"{name} is missing: without it no repeat is safe.")
        stored = session.execute(sa.select(self.table.c.arguments).where(self.table.c.key == key)).scalar()
        if stored is None:
            try:
                check_payment_request(**arguments)
            except InvalidRequest as refused:
                refused.idempotency_key = key
                raise
            values = {"key": key, "reference": reference_of(reference), "arguments": dumped(arguments)}
            self._insert(session, provider=VICTOR, operation=CREATE, **values)
        elif not is_stored_as(arguments, stored):
            message = f"{key} is in the outbox with other arguments: give each payment its own key."
            raise _refused(key, "idempotency_key", "used", message)

    def _insert(self, session: Session | sa.Connection, **values: Any) -> None:
        state = EntryState.WAITING.value
        session.execute(sa.insert(self.table).values(state=state, leased_until=0.0, ended=False, **values))

    def _add_call(self, session: Session | sa.Connection, added: AddedCall) -> None:
        call = self._own(None).prepare(added.operation, *added.args, idempotency_key=added.key, **added.kwargs)
        if call.name == CREATE:
            self._add(session, cast("Any", {**added.kwargs, "idempotency_key": added.key}))
            return
        added.check(call)
        text = json.dumps({"call": call.to_text(), "look_up_by": added.look_up_by})
        stored = session.execute(sa.select(self.table.c.call).where(self.table.c.key == added.key)).scalar()
        if stored is None:
            before = None if added.send_before is None else added.send_before.timestamp()
            values = {"key": added.key, "reference": added.key, "operation": call.name, "send_before": before}
            self._insert(session, provider=self._own(None).provider, call=text, **values)
        elif stored != text:
            message = f"{added.key} is in the outbox with another call: give each write its own key."
            raise _refused(added.key, "idempotency_key", "used", message)

    def _entry(self, key: str) -> Work[Entry | None]:
        query = sa.select(self.table).where(self.table.c.key == key)
        return lambda connection: next(map(entry_of, connection.execute(query)), None)

    def _entries(self, state: EntryState | str | None) -> Work[list[Entry]]:
        query = sa.select(self.table).order_by(self.table.c.id)
        if state is not None:
            query = query.where(self.table.c.state == EntryState(state).value)
        return lambda connection: [entry_of(row) for row in connection.execute(query)]

    def _counts(self, connection: sa.Connection) -> dict[EntryState, int]:
        query = sa.select(self.table.c.state, sa.func.count()).group_by(self.table.c.state)
        rows = {row[0]: row[1] for row in connection.execute(query)}
        return {state: rows.get(state.value, 0) for state in EntryState}

    # Passes

    def _transaction(self, work: Work[Any], pause: float = 0.0) -> Any:
        """Wait for `pause` seconds, then do this work in a transaction of its own."""
        raise NotImplementedError

    def _transact(self, work: Work[T]) -> Pass[T]:
        """Do this work in a transaction; do it again if the database has ended it because of another one."""
        conflicts, pause = 0, 0.0
        while True:
            try:
                done: T = yield partial(self._transaction, work, pause)
            except Exception as error:
                # SQLAlchemy and Django raise an error of their own from the driver's.
                state = getattr(error.__cause__, "sqlstate", None) or getattr(error.__cause__, "pgcode", None)
                conflicts += 1
                if state not in _ENDED_BY_DATABASE or conflicts > _MOST_CONFLICTS:
                    raise
            else:
                return done
            pause = random.uniform(0, min(_LONGEST_PAUSE, 0.005 * 2**conflicts))  # noqa: S311 - no secret

    def _send(self, victor: Victor | AsyncVictor) -> Pass[list[Entry]]:
        done: list[Entry] = []
        error: VictorError | None = None
        last = 0
        while True:
            # Unless the provider's time is known, a small read asks for it.
            if not victor.provider_time().is_known and hasattr(victor, "ping"):
                yield victor.ping
            now = Now(_moment(), victor.provider_time())
            row_id, claim = yield from self._transact(partial(self._claim, last, now, victor))
            if row_id is None:
                break
            last = row_id
            if claim is None:
                continue
            try:
                entry = yield from self._deliver(victor, claim)
            except VictorError as refusal:
                if about(refusal) is not About.EITHER:
                    raise
                error = refusal  # it may be about this one alone: go on
            else:
                done += [] if entry is None else [entry]
        if error is not None:
            raise error
        return done

    def _refresh(self, victor: Victor | AsyncVictor) -> Pass[list[Entry]]:
        columns = self.table.c
        open_ones = sa.select(self.table).where(columns.state == EntryState.SENT.value, columns.ended.is_(False))
        open_rows = yield from self._transact(lambda connection: connection.execute(open_ones).all())
        rows = {row.request_id: row for row in open_rows if row.request_id}
        if not rows:
            return []
        now = Now(_moment(), victor.provider_time())
        since = min(sent.earliest(now) for row in rows.values() if (sent := sent_of(row)) is not None)
        changed: list[Entry] = []
        pages = victor.payment_requests.list(direction="outbound", start_datetime=since).pages()
        while (page := (yield partial(following, pages))) is not None:
            for request in page.items:
                values = values_of(request)
                row = rows.get(values["request_id"])
                if row is not None and row.status != values["status"]:
                    changed.append((yield from self._store(row.key, **values)))
        return changed

    # One entry

    def _claim(
        self, last: int, now: Now, client: AnyClient, connection: sa.Connection
    ) -> tuple[int | None, Claim | None]:
        """Take up the entry after `last`, with the lease. From then on it counts as sent, whatever happens to us.

        Returns the id of the entry, or None without one; and the claim, or None if another worker was faster.
        """
        columns, local = self.table.c, now.moment.local
        due = sa.and_(columns.provider == client.provider, columns.state.in_([state.value for state in _DUE]))
        # A lease that has longer to go than two of ours is over: it is from a clock that was wrong.
        is_held = columns.leased_until.between(local, local + 2 * self._lease)
        query = sa.select(self.table).where(due, sa.not_(is_held), columns.id > last)
        row = connection.execute(query.order_by(columns.id).limit(1)).first()
        if row is None:
            return None, None
        claim = Claim(row, local + self._lease, sent_of(row), now.moment)
        unchanged = sa.and_(columns.leased_until == row.leased_until, columns.state == row.state)
        is_settling = row.state == EntryState.SETTLING.value
        values = {"state": row.state if is_settling else EntryState.SENDING.value, "leased_until": claim.lease}
        if claim.sent is None:
            values |= sent_values(Sent.at(now.moment, now, client.caller))
        claimed = connection.execute(sa.update(self.table).where(columns.id == row.id, unchanged).values(**values))
        return row.id, claim if claimed.rowcount == 1 else None

    def _deliver(self, client: AnyClient, claim: Claim) -> Pass[Entry | None]:
        """Send a claimed entry, or look it up. Return it if it has come to a result."""
        if is_too_late(claim, client):
            late = "It was not sent: its time to be sent had passed."
            return (yield from self._store(claim.row.key, claim.lease, state=EntryState.REFUSED.value, error=late))
        write = write_of(claim.row)
        if write is None:
            payment: Payment | Write = Payment(loaded(claim.row.arguments), claim.sent)  # its repr has no account
        else:
            payment = write
        # A process that was stopped does not know whether others have sent its entry.
        keys: Keys | NoKey = Keys(self._kept, client.caller, lambda: claim.at)
        if write is not None and write.call.promise is not Promise.KEYED:
            keys = NoKey(client.caller, self._lease, lambda: claim.at)
        tries = count()

        def turn(_so_far: Settlement, sent: object) -> Now | None:
            """It is tried once. What takes no key and may have been sent is looked up at once."""
            is_next = next(tries) == 0 or (sent is not None and isinstance(keys, NoKey))
            return Now(_moment(), client.provider_time()) if is_next else None

        create = lambda _is_repeat: _send(client, payment)  # noqa: E731 - the repr of a `partial` has the account
        result = yield from settle(payment, keys, turn, create)
        if isinstance(result, LookUp):
            result = yield from _looked_up(client, result)
        return (yield from self._settled(claim, result, is_final=bool(payment.why_no_look_up)))

    def _settled(self, claim: Claim, settlement: Settlement, *, is_final: bool) -> Pass[Entry | None]:
        """Store what became of a claimed entry. Raise the error of a call that is not about this entry."""
        row, error = claim.row, settlement.error
        if settlement.outcome is PaymentOutcome.CREATED or settlement.looked_up:
            # The answer to `create` names the request for certain: it counts also if the lease has ended meanwhile.
            lease = claim.lease if settlement.looked_up else None
            stored = self._transact(
                lambda connection: self._store_found(
                    connection, claim=claim, lease=lease, settlement=settlement, is_final=is_final
                )
            )
            entry = yield from stored
            return None if entry.state is EntryState.SETTLING else entry
        if error is None or error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if settlement.outcome in SETTLED and about(error) is About.PAYMENT:
            state = EntryState(settlement.outcome)  # rejected, or refused here
            return (yield from self._store(row.key, claim.lease, state=state.value, error=error.message))
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as it was.
        yield from self._store(row.key, claim.lease, state=row.state, leased_until=0.0, **sent_values(claim.sent))
        raise error

    def _store_found(
        self, connection: sa.Connection, *, claim: Claim, lease: float | None, settlement: Settlement, is_final: bool
    ) -> Entry:
        row, request, otherwise = claim.row, settlement.request, settlement.unless_mine
        if request is not None and otherwise is not None and self._has_rival(connection, row, request.id):
            settlement = otherwise
        if settlement.request is not None:
            return self._change(connection, row.key, lease, values_of(settlement.request))
        until = row.settle_until or claim.at.local + self._settle_for
        values = {"state": EntryState.UNCLEAR.value, "error": settlement.reason or "", "settle_until": until}
        if not is_final and claim.at.local < until:  # lists lag: it is looked up again
            values |= {"state": EntryState.SETTLING.value, "leased_until": claim.at.local + _LOOK_AGAIN}
        return self._change(connection, row.key, lease, values)

    def _has_rival(self, connection: sa.Connection, row: Any, request_id: str) -> bool:
        """Whether a request may be that of another entry. One statement: an entry may be settled meanwhile."""
        columns = self.table.c
        is_like_it = sa.or_(columns.request_id == request_id, columns.reference == row.reference)
        is_same_kind = sa.and_(columns.provider == row.provider, columns.operation == row.operation)
        others = sa.select(self.table).where(columns.key != row.key, is_same_kind, is_like_it)
        unsettled = (EntryState.SENDING, EntryState.SETTLING, EntryState.UNCLEAR)
        rows = connection.execute(others)
        rivals = (Rival(one.key, one.reference, one.request_id, may_exist=one.state in unsettled) for one in rows)
        return any(rival.may_have_made(request_id, row.reference, row.key) for rival in rivals)

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Pass[Entry]:
        return self._transact(lambda connection: self._change(connection, key, lease, values))

    def _change(self, connection: sa.Connection, key: str, lease: float | None, values: dict[str, Any]) -> Entry:
        """Change an entry; with a lease only if it still is this worker's, and no earlier worker has had its answer."""
        columns = self.table.c
        chosen = columns.key == key
        under_way = columns.state.in_([EntryState.SENDING.value, EntryState.SETTLING.value])
        held = chosen if lease is None else sa.and_(chosen, columns.leased_until == lease, under_way)
        connection.execute(sa.update(self.table).where(held).values(**values))
        return entry_of(connection.execute(sa.select(self.table).where(chosen)).one())
