"""The passes over an outbox as generators, which yield transactions and calls.

`Outbox` carries them out with blocking calls, `AsyncOutbox` with awaited ones.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from math import inf
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import (
    AsyncVictor,
    BadRequest,
    ConfigurationError,
    InvalidRequest,
    NotFound,
    Outcome,
    PreparedCall,
    Problem,
    Promise,
    UnreadableResponse,
    Victor,
    VictorError,
    check_payment_request,
    zulu,
)
from victor_ext.event_queue.queue import EventQueue, H, Handler, event_table
from victor_ext.event_queue.transactions import Engine, Pass, Work
from victor_ext.flows import following
from victor_ext.ids import reference_of
from victor_ext.privacy import one_line
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
    OutboxEvent,
    changes,
    entry_of,
    event_of,
    event_values,
    outbox_table,
    sent_of,
    sent_values,
    values_of,
    write_of,
)

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)
AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""

_log = logging.getLogger("victor_ext.outbox")

_DUE = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
_LOOK_AGAIN = 30.0
"""Seconds between two look-ups of an entry."""


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


def _check_promise(call: PreparedCall, key: str, look_up_by: Mapping[str, str], provider: str) -> None:
    """Refuse what could be neither repeated nor found after a crash. Raises `InvalidRequest`."""
    if call.promise is Promise.KEYED:
        return
    if call.look_up_needs and not set(call.look_up_needs) <= set(look_up_by):
        hint = f"look_up_by={{{', '.join(f'{name!r}: ...' for name in call.look_up_needs)}}}"
        message = f"After a lost response, {call.name} is looked up, and its look-up needs more: pass {hint}."
        raise _refused(key, "look_up_by", "required", message)
    if call.promise is Promise.AT_MOST_ONCE:
        message = (
            f"{call.name} has no key, and no read of {provider}'s shows whether it was done. After a lost response "
            "it is not sent again, and a person has to look: pass at_most_once=True to accept that."
        )
        raise _refused(key, "at_most_once", "required", message)


def _same_call(one: str, other: str) -> bool:
    """Whether two stored calls send the same, with the same look-up. The boundary of a form is drawn at random."""

    def content(text: str) -> tuple[object, ...]:
        stored = json.loads(text)
        call = PreparedCall.from_text(stored["call"])
        _, _, boundary = call.headers.get("content-type", "").partition("boundary=")
        sent = call.content.replace(boundary.encode() or b"\0", b"")
        return call.operation, call.method, call.url, call.idempotency_key, sent, stored["look_up_by"]

    return one == other or content(one) == content(other)


def _send(client: Any, payment: Payment | Write, left: float) -> Any:
    if isinstance(payment, Payment):
        return client.payment_requests.create(**payment.arguments)
    if left < client.deadline:  # its whole call ends before others may act on its end
        client = client.with_options(deadline=max(left, 0.001))
    return client.send(payment.call)


def _looked_up(client: Any, step: LookUp) -> Pass[Settlement]:
    payment = step.payment
    if isinstance(payment, Write):
        try:
            done = yield partial(client.look_up, payment.call, since=step.since, **payment.look_up_by)
        except (BadRequest, NotFound, UnreadableResponse) as error:  # a later read may say more
            done = f"The look-up failed: {error.summary}"
        return step.shown(done)
    matches = yield partial(client.payment_requests.find, payment.reference, start_datetime=step.since)
    return step.settled(matches, matches.caveat)


class Storing(Protocol[R_co]):
    """Work that stores a result, and lets the handlers of its events do theirs if it is to `try_now`."""

    def __call__(self, connection: sa.Connection, *, try_now: bool) -> R_co: ...


class OutboxOptions(TypedDict, total=False):
    """The options of every outbox; `Outbox` describes them."""

    client: AnyClient | None
    keys_kept: timedelta
    lease: timedelta
    settle_for: timedelta


class OutboxBase(EventQueue[Engine, OutboxEvent]):
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
        if settle_for < timedelta(0):
            raise ConfigurationError(f"settle_for={settle_for!r} is below zero.")
        self._lease = lease.total_seconds()
        self._settle_for = settle_for.total_seconds()
        self.client = client
        self.table = outbox_table(table)
        self.events = event_table(f"{table}_events", self.table.metadata)
        self._handlers: list[Handler] = []
        self._engine = engine

    def on(self, name: str | None = None, *, operation: str | None = None) -> Callable[[H], H]:
        """Register a handler, a function of a session and the `OutboxEvent`: `@outbox.on("completed")`.

        It is called in the transaction that stores the change, and may add the next entry to the outbox with the
        session. If it raises, the change is stored without its work, and the event is handled later (see `handle`).
        It works on the database alone: while it runs, others wait for its transaction.

        Args:
            name: A state (`sent`, `rejected`, `refused`, `unclear`), or a status of the provider's, in any letter case.
                None: every event.
            operation: The entries of one operation alone, such as `payouts.submit`. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the outbox has blocking calls.
        """
        return self._on(name, operation)

    def _own(self, client: AnyClient | None) -> Any:
        """The client that is given, or that of the outbox."""
        if client is None and self.client is None:
            raise ConfigurationError("This outbox has no client: pass one here, or write Outbox(engine, client=...).")
        return self.client if client is None else client

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

    def _addition(
        self,
        operation: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        key: str,
        send_before: datetime | None,
        look_up_by: Mapping[str, str] | None,
        *,
        at_most_once: bool,
    ) -> Callable[[Session | sa.Connection], None]:
        """The work of `add_call` in a transaction. The call is built and checked before."""
        if not reference_of(key):
            raise _refused(key, "idempotency_key", "required", "idempotency_key is missing: it names the entry.")
        client, given = self._own(None), look_up_by or {}
        call: PreparedCall = client.prepare(operation, *args, idempotency_key=key, **kwargs)
        if call.name == CREATE and send_before is None:  # it has checks and a look-up of its own
            create = cast("PaymentRequestArguments", {**kwargs, "idempotency_key": key})
            return lambda session: self._add(session, create)
        if not at_most_once:
            _check_promise(call, key, given, client.provider)
        text = json.dumps({"call": call.to_text(), "look_up_by": dict(given)})
        before = None if send_before is None else zulu.parse(zulu.format(send_before)).timestamp()
        values = {"provider": client.provider, "operation": call.name, "call": text, "send_before": before}
        return lambda session: self._add_call(session, {"key": key, "reference": call.subject or key, **values})

    def _add_call(self, session: Session | sa.Connection, values: dict[str, Any]) -> None:
        columns, key = self.table.c, values["key"]
        row = session.execute(sa.select(columns.call, columns.provider).where(columns.key == key)).first()
        if row is None:
            self._insert(session, **values)
        elif row.call is None or row.provider != values["provider"] or not _same_call(row.call, values["call"]):
            message = f"{key} is in the outbox with another call: give each write its own key."
            raise _refused(key, "idempotency_key", "used", message)

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

    def _send(self, victor: Victor | AsyncVictor) -> Pass[list[Entry]]:
        done: list[Entry] = []
        error: VictorError | None = None
        last = 0
        while True:
            # An age is certain by the provider's clock alone.
            if not victor.provider_time().is_known:
                yield victor.ask_time
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

    def _refresh(self, given: AnyClient | None) -> Pass[list[Entry]]:
        client, columns, now = self._own(given), self.table.c, time.time()
        is_ours = sa.and_(columns.provider == client.provider, columns.request_id.is_not(None))
        is_open = sa.and_(columns.state == EntryState.SENT.value, columns.ended.is_(False))
        listed = sa.and_(columns.provider == VICTOR, columns.operation == CREATE)
        # What is due later than that was put off by a clock that was ahead.
        waits = columns.leased_until.between(now, now + 2 * max(self._lease, _LOOK_AGAIN))
        query = sa.select(self.table).where(is_ours, is_open, sa.or_(listed, sa.not_(waits)))
        rows = yield from self._transact(lambda connection: connection.execute(query).all())
        by_id = {row.request_id: row for row in rows if (row.provider, row.operation) == (VICTOR, CREATE)}
        changed = (yield from self._refresh_listed(client, by_id)) if by_id else []
        error: VictorError | None = None
        for row in rows:
            if row.request_id not in by_id:
                try:
                    changed += yield from self._refresh_one(client, row)
                except VictorError as failed:
                    if about(failed) in (About.CLIENT, About.PROVIDER) and not isinstance(failed, NotFound):
                        raise
                    error = failed  # of this one alone: go on
        if error is not None:
            raise error
        return changed

    def _refresh_one(self, client: AnyClient, row: Any) -> Pass[list[Entry]]:
        """Read the state of what a write made, unless another worker does."""
        columns, again = self.table.c, time.time() + _LOOK_AGAIN
        same = sa.and_(columns.id == row.id, columns.leased_until == row.leased_until)
        claim = sa.update(self.table).where(same).values(leased_until=again)
        if not (yield from self._transact(lambda connection: connection.execute(claim).rowcount)):
            return []
        write = write_of(row)
        assert write is not None
        done = yield partial(client.read_state, write.call, row.request_id)
        if isinstance(done, str):  # none reads it
            values: dict[str, Any] = {"ended": True}
        else:
            values = {"status": one_line(done.status) if done.status else row.status, "ended": done.is_final}
            if values == {"status": row.status, "ended": False}:
                return []
        entry = yield from self._refreshed(row, values)
        return [] if entry is None else [entry]

    def _refresh_listed(self, victor: Victor | AsyncVictor, rows: Mapping[str, Any]) -> Pass[list[Entry]]:
        now = Now(_moment(), victor.provider_time())
        since = min(sent.earliest(now) for row in rows.values() if (sent := sent_of(row)) is not None)
        changed: list[Entry] = []
        pages = victor.payment_requests.list(direction="outbound", start_datetime=since).pages()
        while (page := (yield partial(following, pages))) is not None:
            for request in page.items:
                values = values_of(request)
                row = rows.get(values["request_id"])
                if row is not None and row.status != values["status"]:
                    entry = yield from self._refreshed(row, values)
                    changed += [] if entry is None else [entry]
        return changed

    def _refreshed(self, row: Any, values: dict[str, Any]) -> Pass[Entry | None]:
        """Store a status that was read, unless another worker has stored a later one since `row` was read."""
        columns = self.table.c
        as_read = sa.and_(columns.ended.is_(False), columns.status.is_not_distinct_from(row.status))
        chosen = sa.and_(columns.id == row.id, columns.state == EntryState.SENT.value, as_read)
        return self._stored(partial(self._change_where, chosen=chosen, values=values))

    # By hand

    def _resolve(self, key: str, by: str, why: str, *, done: bool, id: str | None) -> Pass[Entry]:
        for name, text in (("by", by), ("why", why), ("id", id or "-")):
            if not text.strip():
                raise _refused(key, name, "required", f"{name} is empty: say it for those who read this later.")
        if done:
            values: dict[str, Any] = {"state": EntryState.SENT.value, "request_id": id, "ended": id is None}
        else:
            values = {"state": EntryState.REJECTED.value, "error": f"Not done, says {by}: {why}"}
        values |= {"resolved_by": by, "resolved_why": why}
        return (yield from self._by_hand(key, values, EntryState.UNCLEAR, EntryState.SETTLING))

    def _retry(self, key: str) -> Pass[Entry]:
        """Let an entry be sent again of which it is known that nothing was done."""
        never = {**sent_values(None), "settle_until": None, "error": None, "leased_until": 0.0}
        return (yield from self._by_hand(key, {**never, "state": "waiting"}, EntryState.REJECTED, EntryState.REFUSED))

    def _by_hand(self, key: str, values: dict[str, Any], *states: EntryState) -> Pass[Entry]:
        columns = self.table.c
        chosen = sa.and_(columns.key == key, columns.state.in_([state.value for state in states]))
        entry = yield from self._stored(partial(self._change_where, chosen=chosen, values=values))
        if entry is None:
            message = f"{key} is no entry that is {' or '.join(states)}, so nothing was changed."
            raise _refused(key, "idempotency_key", "state", message)
        return entry

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
        row, write, now = claim.row, write_of(claim.row), Now(_moment(), client.provider_time())
        payment: Payment | Write = write or Payment(loaded(row.arguments), claim.sent)  # its repr has no account
        time_left = inf if row.send_before is None else row.send_before - now.by_provider()
        if time_left <= 0 and claim.sent is None:
            late = "It was not sent: its time to be sent had passed."
            return (yield from self._store(row.key, claim.lease, state=EntryState.REFUSED.value, error=late))
        # A process that was stopped does not know whether others have sent its entry.
        keys: Keys | NoKey = Keys(self._kept, client.caller, lambda: claim.at)
        if write is not None and write.call.promise is not Promise.KEYED:
            keys = NoKey(client.caller, min(self._lease, time_left), lambda: claim.at)
        elif time_left <= 0:
            keys = NoKey(
                client.caller, 0.0, lambda: claim.at, "It may have been sent, and its time to be sent has passed."
            )
        tries = count()

        def turn(_so_far: Settlement, sent: object) -> Now | None:
            """It is tried once. What takes no key and may have been sent is looked up at once."""
            is_next = next(tries) == 0 or (sent is not None and isinstance(keys, NoKey))
            return Now(_moment(), client.provider_time()) if is_next else None

        def create(_: object) -> Any:  # the repr of a `partial` has the account
            left = keys.left(Now(_moment(), client.provider_time())) if isinstance(keys, NoKey) else time_left
            return _send(client, payment, left)

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
            entry = yield from self._stored(
                partial(self._store_found, claim=claim, lease=lease, settlement=settlement, is_final=is_final)
            )
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
        self,
        connection: sa.Connection,
        *,
        claim: Claim,
        lease: float | None,
        settlement: Settlement,
        is_final: bool,
        try_now: bool,
    ) -> Entry:
        row, request, otherwise = claim.row, settlement.request, settlement.unless_mine
        if request is not None and otherwise is not None and self._has_rival(connection, row, request.id):
            settlement = otherwise
        if settlement.request is not None:
            return self._change(connection, row.key, lease, values_of(settlement.request, row.call), try_now=try_now)
        # One that is further away is by a clock that was ahead.
        until = min(row.settle_until or inf, claim.at.local + self._settle_for)
        values = {"state": EntryState.UNCLEAR.value, "error": settlement.reason or "", "settle_until": until}
        if not is_final and claim.at.local < until:  # lists lag: it is looked up again
            values |= {"state": EntryState.SETTLING.value, "leased_until": claim.at.local + _LOOK_AGAIN}
        return self._change(connection, row.key, lease, values, try_now=try_now)

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

    def _stored(self, work: Storing[T]) -> Pass[T]:
        """Store a result, with the work of the handlers of its events. If that fails, store it alone: they come later.

        A handler may also fail when its transaction ends, as by a constraint that is checked then.
        """
        if self._handlers:
            try:
                return (yield from self._transact(partial(work, try_now=True)))
            except Exception:  # noqa: BLE001 - what became of a payment is stored, whatever a handler does
                _log.warning("A result is stored without the work of its handlers, which failed.", exc_info=True)
        return (yield from self._transact(partial(work, try_now=False)))

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Pass[Entry]:
        return self._stored(partial(self._change, key=key, lease=lease, values=values))

    def _change(
        self, connection: sa.Connection, key: str, lease: float | None, values: dict[str, Any], *, try_now: bool
    ) -> Entry:
        """Change an entry, and tell it; with a lease only if it still is this worker's and has no result.

        Without one it is a result that nobody doubts, which counts unless another worker has stored it.
        """
        columns = self.table.c
        under_way = columns.state.in_([EntryState.SENDING.value, EntryState.SETTLING.value])
        held = columns.state != EntryState.SENT.value
        if lease is not None:
            held = sa.and_(columns.leased_until == lease, under_way)
        self._change_where(connection, sa.and_(columns.key == key, held), values, try_now=try_now)
        return entry_of(connection.execute(sa.select(self.table).where(columns.key == key)).one())

    def _change_where(
        self, connection: sa.Connection, chosen: sa.ColumnElement[bool], values: dict[str, Any], *, try_now: bool
    ) -> Entry | None:
        """Change the entry that is chosen, if it still is, and tell what has changed. Returns it, or None."""
        columns = self.table.c
        while (before := connection.execute(sa.select(self.table).where(chosen)).first()) is not None:
            same = sa.and_(columns.state == before.state, columns.status.is_not_distinct_from(before.status))
            update = sa.update(self.table).where(chosen, same).values(**values)
            if connection.execute(update).rowcount == 1:
                after = connection.execute(sa.select(self.table).where(columns.id == before.id)).one()
                for name in changes(before, after):
                    self._tell(connection, try_now=try_now, **event_values(name, entry_of(after)))
                return entry_of(after)
        return None

    def _event_of(self, row: Any, tries: int) -> OutboxEvent:
        return event_of(row, tries)
