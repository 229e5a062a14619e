"""What all outboxes do: passes as generators, which yield transactions and calls, blocking or awaited."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import count
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypedDict, Unpack, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import (
    AsyncVictor,
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    InvalidRequest,
    NotFound,
    Outcome,
    PreparedCall,
    Problem,
    Promise,
    RateLimited,
    StatusError,
    UnreadableResponse,
    Victor,
    VictorError,
    VictorOAuth,
    check_payment_request,
)
from victor_ext.event_queue.queue import EventQueue, H, Handler, counted, event_table, taken
from victor_ext.event_queue.transactions import Engine, Pass, Work, operation
from victor_ext.flows import following
from victor_ext.ids import in_one_form, reference_of
from victor_ext.settlement.arguments import PaymentRequestArguments
from victor_ext.settlement.flow import (
    SETTLED,
    About,
    LookUp,
    PaymentOutcome,
    Rival,
    Settlement,
    about,
    is_refusal,
    settle,
)
from victor_ext.settlement.key_age import LEAST_KEPT, Keys, Moment, NoKey, Now, Sent, within_key_life

from .entries import (
    CREATE,
    VICTOR,
    Entry,
    EntryState,
    OutboxEvent,
    as_status,
    changes,
    done_values,
    entry_of,
    event_values,
    outbox_table,
    sent_of,
    sent_values,
    write_of,
)

Adding: TypeAlias = Callable[[Session | sa.Connection], None]
CallTerms: TypeAlias = tuple[bool, datetime | None, Mapping[str, str] | None]
"""`at_most_once`, `send_before` and `look_up_by` of `add_call`."""
AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""

_log = logging.getLogger("victor_ext.outbox")

_DUE = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
_LOOK_AGAIN = 30.0
"""Seconds between two look-ups of an entry."""
_LONGEST_WAIT = 3600.0
"""Seconds between two reads of a status that has not ended for long."""


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


def check_session(session: Any, method: str) -> None:
    """Raises `ConfigurationError`: it is no session or connection of the user's transaction, but such as an engine."""
    if not hasattr(session, method):
        message = f"{type(session).__name__} is no session: pass a Session or a Connection, in your transaction."
        raise ConfigurationError(message)


def _moment() -> Moment:
    return Moment(time.time(), time.monotonic())


@cache
def _preparer() -> Victor:
    """Prepares payment requests for outboxes without a client of Victor's: it has no credentials, and sends nothing."""
    return Victor(VictorOAuth("no-client-id", "no-client-secret"))


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


def _prepared(
    client: AnyClient, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], key: str | None
) -> PreparedCall:
    if not reference_of(key):
        message = "idempotency_key is missing: without it no repeat is safe."
        raise _refused(key, "idempotency_key", "required", message)
    try:
        call: PreparedCall = client.prepare(operation, *args, **{**kwargs, "idempotency_key": key})
    except InvalidRequest as refused:
        refused.idempotency_key = key
        raise
    return call


def _content(text: str) -> tuple[object, ...]:
    """What a stored call sends, in one form: the order of JSON says nothing, and the boundary of a form is random."""
    call = PreparedCall.from_text(text)
    try:
        body = json.loads(call.content, parse_float=lambda digits: {"number": digits})
        sent: str | bytes = in_one_form(json.dumps(body, sort_keys=True, ensure_ascii=False))
    except ValueError:
        _, _, boundary = call.headers.get("content-type", "").partition("boundary=")
        sent = call.content.replace(boundary.encode() or b"\0", b"")
    return call.operation, call.method, call.url, call.idempotency_key, sent


def _looked_up(client: Any, step: LookUp, *, is_last: bool) -> Pass[Settlement]:
    """Read whether a write was done. At last any response that does not show it counts as one that does not."""
    write: Any = step.payment
    try:
        done = yield partial(client.look_up, write.call, since=step.since, **write.look_up_by)
    except (StatusError, UnreadableResponse) as error:
        if isinstance(error, AuthenticationError | RateLimited):
            raise
        if not is_last and not isinstance(error, BadRequest | NotFound | UnreadableResponse):
            raise
        done = f"The look-up failed: {error.summary}"  # a later read may say more
    return step.shown(done)


class Change(NamedTuple):
    """An entry as it is after a change (None: it was not changed, and is not there), and the names of what is new."""

    entry: Entry | None
    names: Sequence[str] = ()


class OutboxOptions(TypedDict, total=False):
    """The options of every outbox; `Outbox` describes them."""

    client: AnyClient | None
    keys_kept: timedelta
    lease: timedelta
    settle_for: timedelta


class OutboxBase(EventQueue[Engine, OutboxEvent]):
    """What all outboxes have in common. The arguments are those of `Outbox`. None of them closes the client."""

    _name, _passes = "outbox", ("send", "refresh", "handle")

    def __init__(
        self,
        engine: Engine,
        client: AnyClient | None = None,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        settle_for: timedelta = timedelta(minutes=10),
        table: str = "victor_outbox",
    ) -> None:
        if isinstance(engine, str) and "://" in engine:  # it may have a password: no message quotes it
            raise ConfigurationError("engine is a URL: pass sa.create_engine(...), or to AsyncOutbox the async one.")
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
                A status whose word is a state of entries is `status:rejected`. None: every event.
            operation: The entries of one operation alone, such as `payouts.submit`. None: of each.

        Raises:
            ConfigurationError: The function is no function of two arguments; it is `async def`, and the outbox has
                blocking calls; or the outbox's client has no such method.
        """
        if isinstance(operation, str) and "." in operation and self.client is not None:  # no generated function's name
            with suppress(TypeError, InvalidRequest):  # it has no arguments here
                self.client.prepare(operation)
        return self._on(name, operation)

    def _provider(self, client: AnyClient | None = None) -> str:
        client = self.client if client is None else client
        return VICTOR if client is None else str(client.provider)

    def _own(self, client: AnyClient | None) -> Any:
        """The client that is given, or that of the outbox."""
        if client is None and self.client is None:
            raise ConfigurationError("This outbox has no client: pass one here, or write Outbox(engine, client=...).")
        return self.client if client is None else client

    def _worker_client(self, client: AnyClient | None, interval: float = 1.0) -> Any:
        """As of every queue. Raises `ConfigurationError`: calls outlast a lease."""
        sender = self._own(super()._worker_client(client, interval))
        deadline = sender.deadline
        if deadline is not None and deadline <= self._lease:
            return within_key_life(sender, self._kept)
        what = "no deadline" if deadline is None else f"a deadline of {deadline:g} s"
        raise ConfigurationError(
            f"The client has {what}, and the lease of the outbox is {self._lease:g} s: another worker would send an "
            "entry during its call. Write Victor(..., deadline=60.0), or lease=timedelta(...) of at least as long."
        )

    def _addition(self, **arguments: Unpack[PaymentRequestArguments]) -> Adding:
        """The work of `add` in a transaction. The request is built before."""
        key = arguments.get("idempotency_key")
        if not reference_of(arguments.get("client_reference_id")):
            message = "client_reference_id is missing: without it no repeat is safe."
            raise _refused(key, "client_reference_id", "required", message)
        client = _preparer() if self.client is None or self.client.provider != VICTOR else self.client
        call = _prepared(client, CREATE, (), dict(arguments), key)
        # With its key a past due date passes, since it may be repeated: what is stored is compared, what is new is not.
        return self._adding(client, call, key, lambda: check_payment_request(**arguments))

    def _call_addition(
        self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], key: str, terms: CallTerms
    ) -> Adding:
        """The work of `add_call` in a transaction. The call is built and checked before."""
        at_most_once, send_before, look_up_by = terms
        client, given = self._own(None), dict(look_up_by or {})
        call = _prepared(client, operation, args, kwargs, key)
        if not at_most_once:
            _check_promise(call, key, given, client.provider)
        if send_before is not None and (not isinstance(send_before, datetime) or send_before.utcoffset() is None):
            message = "send_before is no aware datetime, but naive or none at all: write datetime(..., tzinfo=UTC)."
            raise _refused(key, "send_before", "naive", message)
        before = None if send_before is None else send_before.timestamp()

        def check() -> None:
            if before is not None and before <= time.time():
                raise _refused(key, "send_before", "past", "send_before has passed: nothing would be sent.")

        return self._adding(client, call, key, check, send_before=before, look_up_by=given)

    def _adding(
        self,
        client: AnyClient,
        call: PreparedCall,
        key: str | None,
        check: Callable[[], None] = lambda: None,
        *,
        send_before: float | None = None,
        look_up_by: Mapping[str, str] = MappingProxyType({}),
    ) -> Adding:
        """Stores a call under its key, once; `check` refuses one that is new."""
        text, given = call.to_text(), json.dumps(dict(look_up_by), sort_keys=True)
        new = {"key": key, "reference": call.subject or key, "provider": client.provider, "operation": call.name}
        new |= {"call": text, "look_up_by": given, "send_before": send_before}

        def add(session: Session | sa.Connection) -> None:
            check_session(session, "execute")
            row = session.execute(sa.select(self.table).where(self.table.c.key == key)).first()
            if row is None:
                check()
                state = EntryState.WAITING.value
                session.execute(sa.insert(self.table).values(state=state, leased_until=0.0, ended=False, **new))
                return
            stored = row.provider, row.look_up_by, _content(row.call)
            if stored != (client.provider, given, _content(text)):
                message = f"{key} is in the outbox with another call, or with other arguments: give each write its own."
                raise _refused(key, "idempotency_key", "used", message)

        return add

    # Entries

    @operation
    def entry(self, idempotency_key: str) -> Work[Entry | None]:
        """The entry with this `idempotency_key`, or None."""
        query = sa.select(self.table).where(self.table.c.key == idempotency_key)
        return lambda connection: next(map(entry_of, connection.execute(query)), None)

    @operation
    def entries(self, state: EntryState | str | None = None) -> Work[list[Entry]]:
        """The entries in `state` (None: all), oldest first. Raises `InvalidRequest`: there is no such state."""
        query = sa.select(self.table).order_by(self.table.c.id)
        if state is not None and state not in list(EntryState):
            raise _refused(None, "state", "value", f"state={state!r:.40} is none of {', '.join(EntryState)}.")
        if state is not None:
            query = query.where(self.table.c.state == EntryState(state).value)
        return lambda connection: [entry_of(row) for row in connection.execute(query)]

    @operation
    def counts(self) -> Work[dict[EntryState, int]]:
        """The number of entries in each state that this release knows, such as for `/metrics`."""
        return counted(self.table.c.state, EntryState)

    # Passes

    @operation
    def send(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Send what waits, and settle what may have been sent; returns the entries that have come to a result.

        One pass. An entry whose outcome stays unknown is left for a later pass.

        Args:
            client: Sends them, in place of the outbox's own client.

        Raises:
            ConfigurationError: The deadline of the client is longer than the lease.
            VictorError: The provider cannot be reached or refuses every call (credentials, rate). What was not sent
                waits for the next pass.
        """
        sender = self._worker_client(client)
        done: list[Entry] = []
        error: VictorError | None = None
        last = 0
        while True:
            # An age is certain by the provider's clock alone.
            if not sender.provider_time().is_known:
                yield sender.ask_time
            now = Now(_moment(), sender.provider_time())
            claim = yield from self._transact(partial(self._claim, last, now, sender))
            if claim is None:
                break
            last = claim.row.id
            try:
                entry = yield from self._deliver(sender, claim)
            except VictorError as refusal:
                if about(refusal) is not About.EITHER:
                    raise
                error = refusal  # it may be about this one alone: go on
            else:
                done += [] if entry is None else [entry]
        if error is not None:
            raise error
        return done

    @operation
    def refresh(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Read the statuses of what was sent and has not ended; returns the entries that changed.

        Victor's requests take one walk over its list, from the oldest of them on. What another write made or changed is
        read by its id, each half a minute at first and each hour at last, where the system has such a read. No webhook
        is needed.

        Args:
            client: Reads them, in place of the outbox's own client.

        Raises:
            VictorError: A status could not be read.
        """
        reader, columns, now = self._own(client), self.table.c, time.time()
        is_ours = sa.and_(columns.provider == reader.provider, columns.request_id.is_not(None))
        is_open = sa.and_(is_ours, columns.state == EntryState.SENT.value, columns.ended.is_(False))
        is_listed = sa.and_(columns.provider == VICTOR, columns.operation == CREATE)
        # What is due later than that was put off by a clock that was ahead.
        waits = columns.leased_until.between(now, now + 2 * max(self._lease, _LONGEST_WAIT))
        is_due = sa.and_(is_open, sa.not_(is_listed), sa.not_(waits))
        changed = yield from self._refresh_listed(reader, sa.and_(is_open, is_listed))
        due = sa.select(columns.id).where(is_due).order_by(columns.id)
        ids = yield from self._transact(lambda connection: connection.execute(due).scalars().all())
        error: VictorError | None = None
        for id in ids:
            try:
                changed += yield from self._refresh_one(reader, sa.and_(columns.id == id, is_due))
            except VictorError as failed:
                if about(failed) in (About.CLIENT, About.PROVIDER) and not isinstance(failed, NotFound):
                    raise
                error = failed  # of this one alone: go on
        if error is not None:
            raise error
        return changed

    def _refresh_one(self, client: AnyClient, due: sa.ColumnElement[bool]) -> Pass[list[Entry]]:
        """Read the state of what a write made, unless another worker does."""
        now = time.time()

        def claimed(row: Any) -> dict[str, Any]:
            tenth = (now - (row.first_sent_at or now)) / 10  # a last status may never come, and entries become many
            return {"leased_until": now + min(max(_LOOK_AGAIN, tenth), _LONGEST_WAIT)}

        take = partial(taken, table=self.table, due=due, marks=("leased_until",), values=claimed)
        row = yield from self._transact(take)
        if row is None:
            return []
        done = yield partial(client.read_state, write_of(row).call, row.request_id)
        if isinstance(done, str):  # none reads it
            values: dict[str, Any] = {"ended": True}
        else:
            values = {"status": as_status(done.status) or row.status, "ended": done.is_final}
            if values == {"status": row.status, "ended": False}:
                return []
        return (yield from self._refreshed(row.id, row.status, values))

    def _refresh_listed(self, victor: Victor | AsyncVictor, chosen: sa.ColumnElement[bool]) -> Pass[list[Entry]]:
        columns, now = self.table.c, Now(_moment(), victor.provider_time())
        sent = sa.select(sa.func.min(columns.first_sent_at), columns.by_provider_clock).where(chosen)
        first = yield from self._transact(lambda one: one.execute(sent.group_by(columns.by_provider_clock)).all())
        query = sa.select(columns.request_id, columns.id, columns.status).where(chosen)
        rows = yield from self._transact(lambda one: {each: (id, word) for each, id, word in one.execute(query)})
        if not rows:
            return []
        changed: list[Entry] = []
        times = (Sent(at, None, known=bool(known)).earliest(now) for at, known in first if at is not None)
        pages = victor.payment_requests.list(direction="outbound", start_datetime=min(times, default=None)).pages()
        while (page := (yield partial(following, pages))) is not None:
            for request in page.items:
                values = {"status": as_status(request.status), "ended": request.is_terminal}
                id, status = rows.get(request.id, (None, None))
                if id is not None and values != {"status": status, "ended": False}:
                    values["error"] = request.error_message
                    changed += yield from self._refreshed(id, status, values)
        return changed

    def _refreshed(self, id: int, status: str | None, values: dict[str, Any]) -> Pass[list[Entry]]:
        """Store a status that was read, unless another worker has stored a later one since there was this `status`."""
        columns = self.table.c
        as_read = sa.and_(columns.ended.is_(False), columns.status.is_not_distinct_from(status))
        chosen = sa.and_(columns.id == id, columns.state == EntryState.SENT.value, as_read)
        entry = yield from self._stored(partial(self._change, chosen, values))
        return [] if entry is None else [entry]

    # By hand

    @operation
    def resolve(self, idempotency_key: str, *, done: bool, by: str, why: str, id: str | None = None) -> Pass[Entry]:
        """Settle an entry by hand that is unclear or settling. Its handlers are called by the worker.

        Args:
            idempotency_key: Its key.
            done: Whether it was done. An entry of which nothing was done is rejected, and can be sent again by `retry`.
            by: Who has found that out. It is stored, as is `why`.
            why: How it was found out.
            id: The provider's id of it, if it was done.

        Raises:
            InvalidRequest: There is no such entry in these states; or `by` or `why` is empty.
        """
        for name, text in (("by", by), ("why", why), ("id", id or "-")):
            if not text.strip():
                message = f"{name} is empty: say it for those who read this later."
                raise _refused(idempotency_key, name, "required", message)
        if done:
            known = {"request_id": id, "ended": id is None, "error": None}
            values: dict[str, Any] = {"state": EntryState.SENT.value, **known}
        else:
            values = {"state": EntryState.REJECTED.value, "error": f"Not done, says {by}: {why}"}
        values |= {"resolved_by": by, "resolved_why": why}
        return (yield from self._by_hand(idempotency_key, values, EntryState.UNCLEAR, EntryState.SETTLING))

    @operation
    def retry(self, idempotency_key: str) -> Pass[Entry]:
        """Let an entry be sent again that is rejected or refused: nothing of it was done.

        Args:
            idempotency_key: Its key.

        Raises:
            InvalidRequest: There is no such entry in these states.
        """
        unknown = dict.fromkeys(("settle_until", "error", "resolved_by", "resolved_why"))
        never = {**sent_values(None), **unknown, "leased_until": 0.0, "state": EntryState.WAITING.value}
        return (yield from self._by_hand(idempotency_key, never, EntryState.REJECTED, EntryState.REFUSED))

    def _by_hand(self, key: str, values: dict[str, Any], *states: EntryState) -> Pass[Entry]:
        columns = self.table.c
        chosen = sa.and_(columns.key == key, columns.state.in_([state.value for state in states]))
        # The worker has the handlers: here the event is stored, whoever wants it.
        work = partial(self._told, partial(self._change, chosen, values), self._put)
        entry = yield from self._transact(work)
        if entry is None:
            message = f"{key} is no entry that is {' or '.join(states)}, so nothing was changed."
            raise _refused(key, "idempotency_key", "state", message)
        return entry

    # One entry

    def _claim(self, last: int, now: Now, client: AnyClient, connection: sa.Connection) -> Claim | None:
        """Take up the entry after `last`, with the lease. From then on it counts as sent, whatever happens to us."""
        columns, local = self.table.c, now.moment.local
        lease = local + self._lease
        # A lease that has longer to go than two of ours is over: it is from a clock that was wrong.
        is_held = columns.leased_until.between(local, local + 2 * self._lease)
        is_due = columns.state.in_([state.value for state in _DUE])
        due = sa.and_(columns.provider == client.provider, is_due, sa.not_(is_held), columns.id > last)

        def claimed(row: Any) -> dict[str, Any]:
            is_settling = row.state == EntryState.SETTLING.value
            values = {"state": row.state if is_settling else EntryState.SENDING.value, "leased_until": lease}
            if sent_of(row) is None:
                values |= sent_values(Sent.at(now.moment, now, client.caller))
            return values

        row = taken(connection, self.table, due, ("leased_until", "state"), claimed)
        return None if row is None else Claim(row, lease, sent_of(row), now.moment)

    def _deliver(self, client: AnyClient, claim: Claim) -> Pass[Entry | None]:
        """Send a claimed entry, or look it up. Return it if it has come to a result."""
        row, now = claim.row, Now(_moment(), client.provider_time())
        write = write_of(row)
        time_left = inf if row.send_before is None else row.send_before - now.by_provider()
        if time_left <= 0 and claim.sent is None:
            late = "It was not sent: its time to be sent had passed."
            return (yield from self._store(row.key, claim.lease, state=EntryState.REFUSED.value, error=late))

        def at() -> Moment:  # a process that was stopped does not know whether others have sent its entry
            return claim.at

        keys: Keys | NoKey = Keys(self._kept, client.caller, at)
        if write.call.promise is not Promise.KEYED:
            keys = NoKey(client.caller, min(self._lease, time_left), at)
        elif time_left <= 0:
            keys = NoKey(client.caller, 0.0, at, "It may have been sent, and its time to be sent has passed.")
        tries = count()

        def turn(_so_far: Settlement, sent: object) -> Now | None:
            """It is tried once. What takes no key and may have been sent is looked up at once."""
            is_next = next(tries) == 0 or (sent is not None and isinstance(keys, NoKey))
            return Now(_moment(), client.provider_time()) if is_next else None

        def send(_: object) -> Any:
            left = keys.left(Now(_moment(), client.provider_time())) if isinstance(keys, NoKey) else time_left
            # Its whole call ends before others may act on its end.
            sender = client if left >= client.deadline else client.with_options(deadline=max(left, 0.001))
            return sender.send(write.call)

        result = yield from settle(write, keys, turn, send)
        if isinstance(result, LookUp):
            until = self._settle_until(claim)
            if row.state != EntryState.SETTLING.value:  # else nobody could settle it while its look-up fails
                begun = {"state": EntryState.SETTLING.value, "settle_until": until, "error": result.why}
                yield from self._store(row.key, claim.lease, **begun)
            result = yield from _looked_up(client, result, is_last=claim.at.local >= until)
        return (yield from self._settled(claim, result, is_final=bool(write.why_no_look_up)))

    def _settled(self, claim: Claim, settlement: Settlement, *, is_final: bool) -> Pass[Entry | None]:
        """Store what became of a claimed entry. Raise the error of a call that is not about this entry."""
        row, error = claim.row, settlement.error
        if settlement.outcome is PaymentOutcome.CREATED or settlement.looked_up:
            # The answer to `create` names the request for certain: it counts also if the lease has ended meanwhile.
            lease = claim.lease if settlement.looked_up else None
            work = partial(self._store_found, claim, lease, settlement, is_final=is_final)
            entry = yield from self._stored(work)
            return None if entry is None or entry.state is EntryState.SETTLING else entry
        if error is None or error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if settlement.outcome in SETTLED and is_refusal(error):
            state = EntryState(settlement.outcome)  # rejected, or refused here
            return (yield from self._store(row.key, claim.lease, state=state.value, error=error.message))
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as it was.
        yield from self._store(row.key, claim.lease, state=row.state, leased_until=0.0, **sent_values(claim.sent))
        raise error

    def _store_found(
        self, claim: Claim, lease: float | None, settlement: Settlement, connection: sa.Connection, *, is_final: bool
    ) -> Change:
        row, request, otherwise = claim.row, settlement.request, settlement.unless_mine
        if request is not None and otherwise is not None and self._has_rival(connection, row, request.id):
            settlement = otherwise
        if settlement.request is not None:
            values = done_values(settlement.request, PreparedCall.from_text(row.call))
            return self._change_held(row.key, lease, values, connection)
        until = self._settle_until(claim)
        values = {"state": EntryState.UNCLEAR.value, "error": settlement.reason or "", "settle_until": until}
        if not is_final and claim.at.local < until:  # lists lag: it is looked up again
            values |= {"state": EntryState.SETTLING.value, "leased_until": claim.at.local + _LOOK_AGAIN}
        return self._change_held(row.key, lease, values, connection)

    def _settle_until(self, claim: Claim) -> float:
        """Until when an entry is looked up. A time that is further away is by a clock that was ahead."""
        return min(claim.row.settle_until or inf, claim.at.local + self._settle_for)

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

    def _stored(self, work: Work[Change]) -> Pass[Entry | None]:
        """Store a result, with the work of the handlers of its events. If that fails, store it alone: they come later.

        A handler may also fail when its transaction ends, as by a constraint that is checked then.
        """
        if self._handlers:
            try:
                return (yield from self._transact(partial(self._told, work, partial(self._tell, try_now=True))))
            except Exception:  # noqa: BLE001 - what became of a payment is stored, whatever a handler does
                _log.warning("A result is stored without the work of its handlers, which failed.", exc_info=True)
        return (yield from self._transact(partial(self._told, work, partial(self._tell, try_now=False))))

    def _told(self, work: Work[Change], tell: Callable[..., object], connection: sa.Connection) -> Entry | None:
        entry, names = work(connection)
        for name in names:
            tell(connection, **event_values(name, cast("Entry", entry)))
        return entry

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Pass[Entry | None]:
        return self._stored(partial(self._change_held, key, lease, values))

    def _change_held(self, key: str, lease: float | None, values: dict[str, Any], connection: sa.Connection) -> Change:
        """Change an entry; with a lease only if it still is this worker's and has no result.

        Without one it is a result that nobody doubts, which counts unless another worker has stored it.
        """
        columns = self.table.c
        under_way = columns.state.in_([EntryState.SENDING.value, EntryState.SETTLING.value])
        held = columns.state != EntryState.SENT.value
        if lease is not None:
            held = sa.and_(columns.leased_until == lease, under_way)
        change = self._change(sa.and_(columns.key == key, held), values, connection)
        if change.entry is not None:
            return change
        return Change(entry_of(connection.execute(sa.select(self.table).where(columns.key == key)).one()))

    def _change(self, chosen: sa.ColumnElement[bool], values: dict[str, Any], connection: sa.Connection) -> Change:
        """Change the entry that is chosen, if it still is."""
        columns = self.table.c
        while (before := connection.execute(sa.select(self.table).where(chosen)).first()) is not None:
            same = sa.and_(columns.state == before.state, columns.status.is_not_distinct_from(before.status))
            update = sa.update(self.table).where(chosen, same).values(**values)
            if connection.execute(update).rowcount == 1:
                after = connection.execute(sa.select(self.table).where(columns.id == before.id)).one()
                return Change(entry_of(after), changes(before, after))
        return Change(None)

    def _event_of(self, row: Any, tries: int) -> OutboxEvent:
        data = json.loads(row.data)
        return OutboxEvent(row.name, Entry(**{**data, "state": EntryState(data["state"])}), tries)
