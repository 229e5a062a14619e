"""What all outboxes do: passes as generators, which yield transactions and calls, blocking or
awaited.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import count
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, cast

import sqlalchemy as sa

from victor_ext import (
    AsyncVictor,
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    InvalidRequest,
    NotFound,
    Outcome,
    PreparedCall,
    RateLimited,
    StatusError,
    UnreadableResponse,
    Victor,
    VictorError,
)
from victor_ext.event_queue.calls import Calls
from victor_ext.event_queue.databases import DatabaseTime, database_time, is_to_come
from victor_ext.event_queue.queue import Taken, is_ending, taken
from victor_ext.event_queue.transactions import Engine, Pass, Work, operation
from victor_ext.flows import following
from victor_ext.settlement.backoff import Backoff, pause_asked
from victor_ext.settlement.flow import (
    SETTLED,
    LookUp,
    PaymentOutcome,
    Rival,
    Settlement,
    is_refusal,
    settle,
)
from victor_ext.settlement.key_age import Keys, Moment, NoKey, Now, Sent, within_key_life

from .claims import DUE, Claim, Claims, Group
from .deliveries import Deliveries, Terms
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
    write_of,
)
from .holding import Holding
from .results import SentResult, result_of, store_results
from .sealing import Sealing

AnyClient: TypeAlias = Any
"""A client of any system, blocking or awaited."""

_LOOK_AGAIN = 30.0
"""Seconds between two look-ups of an entry."""
_LONGEST_WAIT = 3600.0
"""Seconds between two reads of a status that has not ended for long."""


def this_moment() -> Moment:
    """The present time by the clocks of this machine."""
    return Moment(time.time(), time.monotonic())


def _looked_up(client: Any, step: LookUp, *, is_last: bool) -> Pass[Settlement]:
    """Read whether a write was done.

    At last any response that does not show it counts as one that does not. So does a refusal of the
    client's own: the same values are refused in each pass.
    """
    write = step.write
    try:
        done = yield partial(client.look_up, write.call, **step.moments, **write.look_up_by)
    except (StatusError, UnreadableResponse) as error:
        if isinstance(error, AuthenticationError | RateLimited):
            raise
        if not is_last and not isinstance(error, BadRequest | NotFound | UnreadableResponse):
            raise
        done = f"The look-up failed: {error.summary}"  # a later read may say more
    except InvalidRequest as refused:
        return step.refused(refused)
    return step.shown(done)


class Change(NamedTuple):
    """An entry as it is after a change (None: it was not changed, and is not there), the names of
    what is new, and the entry as it is stored then.
    """

    entry: Entry | None
    names: Sequence[str] = ()
    stored: Mapping[str, Any] = MappingProxyType({})


class OutboxPasses(Holding[Engine]):
    """What the worker of an outbox does, and the people who settle what it cannot."""

    client: AnyClient | None
    _sealing: Sealing
    _name, _passes = "outbox", ("send", "refresh", "handle")
    _kept: float
    _settle_for: float
    _workers: int
    _backoff: Backoff

    def _provider(self, client: AnyClient | None = None) -> str:
        client = self.client if client is None else client
        return VICTOR if client is None else str(client.provider)

    def _reader(self, client: AnyClient | None) -> Any:
        return self.client if client is None else client

    def _own(self, client: AnyClient | None) -> Any:
        """The client that is given, or that of the outbox."""
        if client is None and self.client is None:
            raise ConfigurationError(
                "This outbox has no client: pass one here, or write Outbox(engine, client=...)."
            )
        return self._reader(client)

    def _worker_client(self, client: AnyClient | None, interval: float = 1.0) -> Any:
        """As of every queue. Raises `ConfigurationError`: calls outlast a lease."""
        sender = self._own(super()._worker_client(client, interval))
        deadline = sender.deadline
        if deadline is not None and deadline <= self._lease:
            return within_key_life(sender, self._kept)
        what = "no deadline" if deadline is None else f"a deadline of {deadline:g} s"
        raise ConfigurationError(
            f"The client has {what}, and the lease of the outbox is {self._lease:g} s: another "
            "worker would send an entry during its call. Write Victor(..., deadline=60.0), or "
            "lease=timedelta(...) of at least as long."
        )

    # Passes

    @operation
    def send(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Send what waits, and settle what may have been sent; returns the entries that have come
        to a result.

        One pass, with up to `workers` calls at once. An entry whose outcome stays unknown is left
        for a later pass. After an error that is about every call, no other one begins; those under
        way end first.

        Args:
            client: Sends them, in place of the outbox's own client.

        Raises:
            ConfigurationError: The deadline of the client is longer than the lease.
            VictorError: The provider cannot be reached or refuses every call (credentials, rate).
                What was not sent waits for the next pass.
        """
        sender = self._worker_client(client)

        try:
            # An age is certain by the provider's clock alone.
            if not sender.provider_time().is_known:
                yield sender.ask_time
        except VictorError as error:
            self._pause_after(error)
            raise
        flow = partial(self._deliveries, sender)
        return cast("list[Entry]", (yield partial(self._with_calls, self._workers, flow)))

    def _deliveries(self, sender: AnyClient, calls: Calls) -> Pass[list[Entry]]:
        claims = Claims(
            self.table, sender, self._lease, self._kept, self._sealing, self._may_work()
        )

        def taken_up(now: Now, busy: Collection[str], connection: sa.Connection) -> Group:
            group = claims.take_up(now, busy, connection)
            if not group.claims:
                self._note_time(connection, now, sender.provider)
            return group

        def take_up(busy: Collection[str]) -> Pass[Group]:
            now = Now(this_moment(), sender.provider_time())
            group = yield from self._transact(partial(taken_up, now, busy))
            claims.accept(group, now)
            return group

        terms = Terms(
            workers=self._workers,
            take_up=take_up,
            deliver=partial(self._deliver, claims),
            give_back=lambda given: self._transact(partial(claims.give_back, given)),
            is_alone=self._has_handlers_of,
            store=partial(store_results, self.table),
            failed=self._pause_after,
        )
        done = yield from Deliveries(terms, calls).all()
        if done:
            self._backoff.record_success()
        return done

    def _has_handlers_of(self, claim: Claim) -> bool:
        """Whether handlers of this process may work in the transactions of an entry."""
        sources = {handler.source for handler in self._handlers}
        return None in sources or claim.row.operation in sources

    def _pause_after(self, error: VictorError) -> None:
        """Let the worker send nothing for a while, after an error that is about all."""
        self._backoff.record_failure(pause_asked(error))

    def _is_paused(self, name: str) -> bool:
        return name == "send" and self._backoff.left() > 0

    @operation
    def refresh(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Read the statuses of what was sent and has not ended; returns the entries that changed.

        Victor's requests take one walk over its list, from the oldest of them on. What another
        write made or changed is read by its id, each half a minute at first and each hour at last,
        where the system has such a read. No webhook is needed.

        Args:
            client: Reads them, in place of the outbox's own client.

        Raises:
            VictorError: A status could not be read.
        """
        reader, columns = self._own(client), self.table.c
        yield from self._transact(self._sealing.require)
        is_ours = sa.and_(
            columns.provider == reader.provider, columns.request_id.is_not(None), self._may_work()
        )
        is_open = sa.and_(is_ours, columns.state == EntryState.SENT.value, columns.ended.is_(False))
        is_listed = sa.and_(columns.provider == VICTOR, columns.operation == CREATE)
        is_read_by_id = sa.and_(is_open, sa.not_(is_listed))

        def take_up(last: int, connection: sa.Connection) -> Any:
            now = database_time(connection)
            waits = is_to_come(columns.leased_until, now, max(self._lease, _LONGEST_WAIT))

            def again(row: Any) -> dict[str, Any]:
                # A last status may never come, and entries become many.
                tenth = (now - (row.first_sent_at or now)) / 10
                return {"leased_until": now + min(max(_LOOK_AGAIN, tenth), _LONGEST_WAIT)}

            due = sa.and_(is_read_by_id, sa.not_(waits), columns.id > last)
            row = taken(connection, self.table, due, ("leased_until",), again)
            return None if row is None else self._sealing.opened_row(row)

        def take(last: int) -> Taken[Entry]:
            row = yield from self._transact(partial(take_up, last))
            return None if row is None else (row.id, self._refresh_one(reader, row))

        changed = yield from self._refresh_listed(reader, sa.and_(is_open, is_listed))
        return [*changed, *(yield from self._each(take))]

    def _refresh_one(self, client: AnyClient, row: Any) -> Pass[Entry | None]:
        """Read the state of what a write made."""
        done = yield partial(client.read_state, write_of(row).call, row.request_id)
        if isinstance(done, str):  # none reads it
            values: dict[str, Any] = {"ended": True}
        else:
            values = {"status": as_status(done.status) or row.status, "ended": done.is_final}
            if values == {"status": row.status, "ended": False}:
                return None
        return (yield from self._refreshed(row.id, row.status, values))

    def _refresh_listed(
        self, victor: Victor | AsyncVictor, chosen: sa.ColumnElement[bool]
    ) -> Pass[list[Entry]]:
        columns, now = self.table.c, Now(this_moment(), victor.provider_time())
        sent = sa.select(sa.func.min(columns.first_sent_at), columns.by_provider_clock).where(
            chosen
        )
        first = yield from self._transact(
            lambda one: one.execute(sent.group_by(columns.by_provider_clock)).all()
        )
        query = sa.select(columns.request_id, columns.id, columns.status).where(chosen)
        rows = yield from self._transact(
            lambda one: {each: (id, word) for each, id, word in one.execute(query)}
        )
        if not rows:
            return []
        changed: list[Entry | None] = []
        times = (
            Sent(at, None, known=bool(known)).earliest(now) for at, known in first if at is not None
        )
        pages = victor.payment_requests.list(
            direction="outbound", start_datetime=min(times, default=None)
        ).pages()
        while not is_ending():
            page = yield partial(following, pages)
            if page is None:
                break
            for request in page.items:
                values = {"status": as_status(request.status), "ended": request.is_terminal}
                id, status = rows.get(request.id, (None, None))
                if id is not None and values != {"status": status, "ended": False}:
                    values["error"] = request.error_message
                    changed.append((yield from self._refreshed(id, status, values)))
        return [*filter(None, changed)]

    def _refreshed(self, id: int, status: str | None, values: dict[str, Any]) -> Pass[Entry | None]:
        """Store a status that was read, unless another worker has stored a later one since there
        was this `status`.
        """
        columns = self.table.c
        as_read = sa.and_(columns.ended.is_(False), columns.status.is_not_distinct_from(status))
        chosen = sa.and_(columns.id == id, columns.state == EntryState.SENT.value, as_read)
        return (yield from self._stored(partial(self._change, chosen, values)))

    # One entry

    def _ready(self, claims: Claims, claim: Claim) -> Pass[Claim | None]:
        """Mark an entry that is about to be sent, if it is not yet; None: it is not sent now."""
        now = Now(this_moment(), claims.client.provider_time())
        if not claim.is_marked:
            return (yield from self._transact(partial(claims.mark, claim, now)))
        may_work = True
        if claims.is_to_look(now):
            may_work = yield from self._transact(partial(claims.may_work, now))
        if may_work and claims.has_time(claim, now):
            return claim
        yield from self._transact(partial(claims.give_back, [claim]))
        return None

    def _deliver(self, claims: Claims, taken_up: Claim) -> Pass[Entry | None]:
        """Send a claimed entry, or look it up. Return it if it has come to a result."""
        client, row = claims.client, taken_up.row
        write = write_of(row)
        by_provider = Now(this_moment(), client.provider_time()).by_provider()
        time_left = inf if row.send_before is None else row.send_before - by_provider
        if time_left <= 0 and write.sent is None:
            late = "It was not sent: its time to be sent had passed."
            refused = {"state": EntryState.REFUSED.value, "error": late}
            return (yield from self._store(row.key, taken_up.lease, **refused))
        claim = yield from self._ready(claims, taken_up)
        if claim is None:
            return None

        # a process that was stopped does not know whether others have sent its entry
        def at() -> Moment:
            return claim.at

        keys: Keys | NoKey = Keys(self._kept, client.caller, at)
        if not write.is_keyed:
            keys = NoKey(client.caller, min(self._lease, time_left), at)
        elif time_left <= 0:
            keys = NoKey(
                client.caller, 0.0, at, "It may have been sent, and its time to be sent has passed."
            )
        tries = count()

        def turn(_so_far: Settlement, sent: object) -> Now | None:
            """It is tried once. What takes no key and may have been sent is looked up at once."""
            is_next = next(tries) == 0 or (sent is not None and isinstance(keys, NoKey))
            return Now(this_moment(), client.provider_time()) if is_next else None

        def send(_: object) -> Any:
            left = (
                keys.left(Now(this_moment(), client.provider_time()))
                if isinstance(keys, NoKey)
                else time_left
            )
            # Its whole call ends before others may act on its end.
            sender = (
                client
                if left >= client.deadline
                else client.with_options(deadline=max(left, 0.001))
            )
            return sender.send(write.call)

        result = yield from settle(write, keys, turn, send)
        if isinstance(result, LookUp):
            until = self._settle_until(claim)
            # else nobody could settle it while its look-up fails
            if row.state != EntryState.SETTLING.value:
                begun = {
                    "state": EntryState.SETTLING.value,
                    "settle_until": until,
                    "error": result.why,
                }
                yield from self._store(row.key, claim.lease, **begun)
            result = yield from _looked_up(client, result, is_last=claim.now >= until)
        settled = self._settled(claims, claim, result, is_final=bool(write.why_no_look_up))
        return (yield from settled)

    def _settled(
        self, claims: Claims, claim: Claim, settlement: Settlement, *, is_final: bool
    ) -> Pass[Entry | None]:
        """Store what became of a claimed entry.

        Raise the error of a call that is not about this entry.
        """
        row, error = claim.row, settlement.error
        if settlement.outcome is PaymentOutcome.CREATED or settlement.looked_up:
            # The answer to `create` names the request for certain: it counts also if the lease has
            # ended meanwhile.
            lease = claim.lease if settlement.looked_up else None
            work = partial(self._store_found, claim, lease, settlement, is_final=is_final)
            result = result_of(claim.row, settlement)
            entry = yield from self._stored(work, result)
            return None if entry is None or entry.state is EntryState.SETTLING else entry
        if error is None or error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if settlement.outcome in SETTLED and is_refusal(error):
            state = EntryState(settlement.outcome)  # rejected, or refused here
            return (
                yield from self._store(row.key, claim.lease, state=state.value, error=error.message)
            )
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as
        # it was.
        yield from self._transact(partial(claims.give_back, [claim]))
        raise error

    def _store_found(
        self,
        claim: Claim,
        lease: float | None,
        settlement: Settlement,
        connection: sa.Connection,
        *,
        is_final: bool,
    ) -> Change:
        row, request, otherwise = claim.row, settlement.request, settlement.unless_mine
        if (
            request is not None
            and otherwise is not None
            and self._has_rival(connection, row, request.id)
        ):
            settlement = otherwise
        if settlement.request is not None:
            values = done_values(settlement.request, PreparedCall.from_text(row.call))
            return self._change_held(row.key, lease, values, connection)
        if settlement.outcome is PaymentOutcome.REJECTED:  # a state rules it out for good
            over = {"state": EntryState.REJECTED.value, "error": settlement.reason}
            return self._change_held(row.key, lease, over, connection)
        until = self._settle_until(claim)
        is_last = is_final or claim.now >= until
        known = settlement.once_over() if is_last else settlement
        values = {
            "state": EntryState.UNCLEAR.value,
            "error": known.reason or "",
            "settle_until": until,
        }
        if not is_last:  # lists lag: it is looked up again
            values |= {
                "state": EntryState.SETTLING.value,
                "leased_until": claim.now + _LOOK_AGAIN,
            }
        return self._change_held(row.key, lease, values, connection)

    def _settle_until(self, claim: Claim) -> float:
        """Until when an entry is looked up.

        A time that is further away is by a clock that was ahead.
        """
        return min(claim.row.settle_until or inf, claim.now + self._settle_for)

    def _has_rival(self, connection: sa.Connection, row: Any, request_id: str) -> bool:
        """Whether a request may be that of another entry.

        One statement: an entry may be settled meanwhile.
        """
        columns = self.table.c
        is_like_it = sa.or_(columns.request_id == request_id, columns.reference == row.reference)
        is_same_kind = sa.and_(columns.provider == row.provider, columns.operation == row.operation)
        others = sa.select(self.table).where(columns.key != row.key, is_same_kind, is_like_it)
        unsettled = (EntryState.SENDING, EntryState.SETTLING, EntryState.UNCLEAR)
        rows = connection.execute(others)
        rivals = (
            Rival(
                one.key,
                one.reference,
                one.request_id,
                may_exist=one.state in unsettled or one.restored,
            )
            for one in rows
        )
        return any(rival.may_have_made(request_id, row.reference, row.key) for rival in rivals)

    def _stored(self, work: Work[Change], result: SentResult | None = None) -> Pass[Entry | None]:
        """Store a result, with the work of the handlers of its events. If that fails, store it
        alone: they come later. Without handlers, `result` may be stored in place of the work.

        A handler may also fail when its transaction ends, as by a constraint that is checked then.
        """
        try:
            with_handlers = partial(self._told, work, partial(self._tell, None))
            return (yield from self._transact(with_handlers, result))
        except Exception as error:
            if not self._handlers:
                raise
            failure = error  # what became of a payment is stored, whatever a handler does
        return (yield from self._transact(partial(self._told, work, partial(self._tell, failure))))

    def _told(
        self, work: Work[Change], tell: Callable[..., object], connection: sa.Connection
    ) -> Entry | None:
        change = work(connection)
        for name in change.names:
            tell(connection, **event_values(name, change.stored))
        return change.entry

    def _store(self, key: str, lease: float | None = None, **values: Any) -> Pass[Entry | None]:
        return self._stored(partial(self._change_held, key, lease, values))

    def _change_held(
        self, key: str, lease: float | None, values: dict[str, Any], connection: sa.Connection
    ) -> Change:
        """Change an entry; with a lease only if it still is this worker's and has no result.

        Without one it is a result that nobody doubts, which counts unless another worker has stored
        it.
        """
        columns = self.table.c
        under_way = columns.state.in_(DUE)
        held = columns.state != EntryState.SENT.value
        if lease is not None:
            held = sa.and_(columns.leased_until == lease, under_way)
        change = self._change(sa.and_(columns.key == key, held), values, connection)
        if change.entry is not None:
            return change
        row = connection.execute(sa.select(self.table).where(columns.key == key)).one()
        return Change(self._entry_of(row))

    def _change(
        self, chosen: sa.ColumnElement[bool], values: dict[str, Any], connection: sa.Connection
    ) -> Change:
        """Change the entry that is chosen, if it still is."""
        changed = {**values, "changed_at": DatabaseTime()}
        stored = partial(self._sealing.sealed_as, values=changed)
        before = taken(connection, self.table, chosen, ("state", "status"), stored)
        if before is None:
            return Change(None)
        query = sa.select(self.table).where(self.table.c.id == before.id)
        after: Any = connection.execute(query).one()
        return Change(self._entry_of(after), changes(before, after), after._asdict())

    def _entry_of(self, row: Any) -> Entry:
        """An entry, as far as it can be read with the key that there is."""
        return entry_of(self._sealing.opened_row(row, may_stay_sealed=True))

    def _take(self, provider: str, last: int, connection: sa.Connection) -> Any:
        row = super()._take(provider, last, connection)
        self._sealing.require(connection)
        return row

    def _event_of(self, row: Any, tries: int) -> OutboxEvent:
        entry = entry_of(self._sealing.opened(json.loads(row.data)))
        return OutboxEvent(row.name, entry, tries)
