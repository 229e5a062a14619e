"""The steps of one entry, from its claim to its result: it is sent, or looked up if it may have
been sent before.

`Sending._deliver` has them in order. `settle` decides, and `_Sender` is what `settle` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import inf
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import (
    AuthenticationError,
    BadRequest,
    Done,
    InvalidRequest,
    NotFound,
    Outcome,
    PaginationError,
    PreparedCall,
    RateLimited,
    StatusError,
    UnreadableResponse,
    VictorError,
)
from victor_ext.event_queue.databases import Condition, DatabaseTime
from victor_ext.event_queue.transactions import Pass
from victor_ext.settlement.failures import (
    FailureScope,
    RefusalStreak,
    failure_scope,
    is_about_all,
    is_refusal,
    pause_after,
    pause_asked,
)
from victor_ext.settlement.flow import (
    MAY_EXIST,
    SETTLED,
    LookUp,
    PaymentOutcome,
    Settlement,
    Write,
    settle,
    why_not_its_own,
)
from victor_ext.settlement.key_age import Keyless, Keys, Moment, Now, send_in_time

from .claims import Claim, Claims
from .deliveries import CallNotMade, Refusal, SharedCall, Steps
from .digests import reference_digest
from .entries import IN_DOUBT, Entry, EntryState, done_values, references_of, sent_of, write_of
from .sealing import ClearRow
from .storing import Change, EntryStore, are_of_one_operation, is_readable, result_of

_YOUNG = 900.0
"""The age in seconds below which all writes are looked up together."""
_LONGEST_PAUSE = 120.0
"""The maximum seconds before an entry whose try has failed is tried again."""
_SHORTEST_CALL = 0.001
"""A deadline, in seconds, with which no call begins any more: see `send_in_time`."""
_TOO_LATE = "It was not sent: its time to be sent had passed."
_MAYBE_TOO_LATE = "It may have been sent, and its time to be sent has passed."


@dataclass(slots=True)
class _Sender:
    """Sends one claimed entry: `settle` calls its methods.

    Attributes:
        keys: How long the entry can be sent again.
        row: The row of the entry.
        refusals: The entries that were refused, maybe for the client, by key.
        call: Makes the call, with a client. Its other argument is whether the entry may have been
            sent before.
        held: Until when nobody else sends the entry, or looks it up.
        refusal: The call was refused, maybe for the client; None: it was not.
    """

    client: Any
    keys: Keys | Keyless
    row: Any
    refusals: RefusalStreak
    call: Callable[[Any, bool], Any]
    held: Moment
    refusal: Refusal | None = None

    def send(self, is_repeat: bool, decided: Moment) -> Any:  # noqa: FBT001 - as `settle` calls it
        """Send the entry. Its call ends before `send_before`, and before another worker may take
        the entry up.
        """
        now = Now.of(self.client)
        client = self.client
        left = min(self.held.local - now.moment.local, self.held.monotonic - now.moment.monotonic)
        if left < client.deadline:  # this worker was stopped since it has marked the entry
            client = client.with_options(deadline=max(left, _SHORTEST_CALL))
        called = now.moment.after(_time_left(self.row.send_before, now))
        send = partial(self.call, client, is_repeat)
        return send_in_time(client, decided, send, called, self.held)

    def note(self, error: VictorError | None) -> None:
        """Note the end of the call."""
        self.refusals.note(self.row.key, error)
        # A refusal of an earlier call of this entry says nothing of this one, which may be lost.
        if error is not None and failure_scope(error) is FailureScope.EITHER:
            self.refusal = Refusal(error)


def _time_left(send_before: float | None, now: Now) -> float:
    """Seconds until `send_before`, without end if that is None; negative: it has passed."""
    if send_before is None:
        return inf
    return send_before - now.by_provider()


def _pause_after_call(claim: Claim, error: VictorError | None) -> float:
    """Seconds before the next try of an entry, whose call has ended so. A longer pause would count
    as that of a wrong clock, and end at once.
    """
    return min(max(pause_after(claim.row.tries + 1), pause_asked(error)), _LONGEST_PAUSE)


class Sending(EntryStore):
    """Delivers one entry."""

    _settle_for: float

    def _deliver(
        self, claims: Claims, refusals: RefusalStreak, taken_up: Claim
    ) -> Steps[Entry | None]:
        """Send a claimed entry, or look it up. Return the entry if it has a result; else None."""
        client = claims.client
        row = taken_up.row
        time_left = _time_left(row.send_before, Now.of(client))
        if time_left <= 0 and sent_of(row) is None:
            keep = partial(claims.keep, [taken_up], claims.lease)
            if not (yield from self._transact(keep)):
                return None
            values = {"state": EntryState.REFUSED, "error": _TOO_LATE}
            return (yield from self._store(taken_up, **values))
        begin = partial(self._take_up_one, claims, taken_up)
        claim = yield from self._transact(begin, taken_up)
        if claim is None:  # somebody has changed it since it was read, or the outbox is held
            yield from self._pass_over(taken_up)
            return None
        write = self._write_of(row, taken_up.at.local - taken_up.now)
        held = claims.lease
        keys: Keys | Keyless = Keys(self._kept_for(row), client.caller, claim.at)
        if not write.is_keyed:
            keys = Keyless(client.caller, min(held, time_left), claim.at)
        elif time_left <= 0:
            keys = Keyless(client.caller, 0.0, claim.at, _MAYBE_TOO_LATE)
        call = partial(self._send, claim)
        sender = _Sender(client, keys, row, refusals, call, claim.at.after(held))
        try:
            result = yield from settle(
                write, keys, partial(Now.of, client), sender.send, sender.note
            )
        except CallNotMade:
            yield from self._transact(partial(claims.give_back, claim))
            raise
        if sender.refusal is not None:
            claim = yield from self._wait_for_others(claims, claim, sender.refusal)
        if isinstance(result, LookUp):
            result = yield from self._look_up(claims, claim, result)
            claim = replace(claim, settles_until=self._settle_until(claim))
        return (yield from self._store_settlement(claims, claim, result))

    def _take_up_one(self, claims: Claims, claim: Claim, connection: Connection) -> Claim | None:
        """Take up an entry whose call begins now. None: it is not sent now."""
        return self._take_up(claims, [claim], connection).get(claim.row.id)

    def _take_up(
        self, claims: Claims, begun: Sequence[Claim], connection: Connection
    ) -> Mapping[int, Claim]:
        """Take up entries whose calls begin now, as `Claims.begin`."""
        return claims.begin(begun, Now.of(claims.client), connection)

    def _pass_over(self, claim: Claim) -> Pass[None]:  # noqa: ARG002 - an entry of a file may be lost
        """Leave an entry alone that could not be taken up."""
        yield from ()

    def _send(self, claim: Claim, client: Any, is_repeat: bool) -> Any:  # noqa: ARG002, FBT001 - see `_Sender`
        """Make the call of an entry. Its result is as of `create` of `settle`."""
        return client.send(claim.row.prepared)

    def _write_of(self, row: Any, ahead: float = 0.0) -> Write[PreparedCall]:
        """The entry of a row as the write that `settle` takes; see `write_of`."""
        return write_of(row, ahead)

    def _kept_for(self, row: Any) -> float:  # noqa: ARG002 - an entry of a file has its own time
        """Seconds for which the provider keeps the key of an entry."""
        return self._kept

    def _wait_for_others(self, claims: Claims, claim: Claim, refusal: Refusal) -> Steps[Claim]:
        """Wait until other calls show that a refusal is of the entry.

        Meanwhile this worker has it, and it is stored as it was before the call, which did nothing.
        Raises the refusal if it may be of the client: then the entry goes back.
        """
        until = claim.now + claims.lease
        kept = partial(claims.give_back, worker=claim.worker, due_at=until)
        yield from self._transact(partial(kept, claim))
        claim = replace(claim, is_marked=sent_of(claim.row) is not None)
        is_own = yield refusal
        if is_own:
            return claim
        was_sent = sent_of(claim.row) is not None
        outcome = PaymentOutcome.UNKNOWN if was_sent else PaymentOutcome.WAITING
        values = self._values_of_call(Settlement(outcome, error=refusal.error))
        yield from self._transact(partial(claims.give_back, claim, **values))
        raise refusal.error

    def _put_off(
        self,
        claims: Claims,
        claim: Claim,
        error: VictorError | None,
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> Pass[None]:
        """Let an entry be tried again after a pause that grows with its failures: no call of it is
        under way any more. It has these column values then.

        Args:
            error: The error of the call; None: it had none.
        """
        seconds = _pause_after_call(claim, error)
        yield from self._transact(partial(claims.put_off, claim, seconds, **values))

    def _ends(self, refusal: VictorError) -> bool:
        """Whether an entry that was refused, and not the client, is not sent again."""
        return is_refusal(refusal)

    def _values_of_call(self, settlement: Settlement) -> dict[str, Any]:  # noqa: ARG002 - rows of files show it
        """The column values that say what came of a call that has settled nothing."""
        return {}

    # Look-ups

    def _look_up(self, claims: Claims, claim: Claim, step: LookUp) -> Steps[Settlement]:
        """Look an entry up that may have been sent. From now on the entry is `settling`. Raises the
        error of a read that says nothing yet: then a later pass reads again.
        """
        until = self._settle_until(claim)
        # Stored before the look-up: while that fails, people can settle the entry by hand.
        if claim.row.state != EntryState.SETTLING:
            state = EntryState.SETTLING
            due_at = DatabaseTime() + claims.lease
            values = {"state": state, "settle_until": until, "error": step.why, "due_at": due_at}
            yield from self._store(claim, **values)
        is_last = claim.now >= until
        try:
            return (yield from _read_whether_done(claims.client, step, is_last=is_last))
        except CallNotMade:
            yield from self._put_off(claims, claim, None)
            raise
        except VictorError as error:
            yield from self._put_off(claims, claim, error)
            raise

    def _settle_until(self, claim: Claim) -> float:
        """The time until which an entry is looked up, by the clock of the database.

        It is at most `settle_for` away: a stored time that is further away is of a clock that was
        ahead.
        """
        return min(claim.row.settle_until or inf, claim.now + self._settle_for)

    # Results

    def _store_settlement(
        self, claims: Claims, claim: Claim, settlement: Settlement
    ) -> Pass[Entry | None]:
        """Store the settlement of a claimed entry, and return the entry if it has a result.

        Raises the error of a call that says nothing of this entry, such as one about the
        credentials.
        """
        error = settlement.error
        if settlement.outcome is PaymentOutcome.CREATED or settlement.looked_up:
            return (yield from self._store_outcome(claim, settlement))
        if error is None and settlement.outcome is PaymentOutcome.NOT_SENT:
            values = self._values_of_call(settlement)
            yield from self._transact(partial(claims.give_back, claim, **values))
            return None
        if settlement.outcome in SETTLED and (error is None or self._ends(error)):
            state = EntryState(settlement.outcome)  # rejected, or refused here
            why = settlement.reason if error is None else error.message
            values = {"state": state, "error": why}
            return (yield from self._store(claim, **values))
        may_exist = settlement.outcome in MAY_EXIST
        if error is None or (may_exist and error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED)):
            # It is sent again under its key.
            yield from self._put_off(claims, claim, error, self._values_of_call(settlement))
            if error is not None and failure_scope(error) is FailureScope.CLIENT:
                raise error  # other calls would end so, too, as by a hook that lacks a setting
            return None
        # This call has done nothing, but an earlier one may have: the entry is as it was before.
        values = self._values_of_call(settlement)
        if not is_about_all(error):  # no pause of all entries follows
            values["due_at"] = DatabaseTime() + _pause_after_call(claim, error)
            values["tries"] = claim.row.tries + 1
        yield from self._transact(partial(claims.give_back, claim, **values))
        raise error

    def _store_outcome(self, claim: Claim, settlement: Settlement) -> Pass[Entry | None]:
        """Store that the entry was done, or what its look-up has shown. Return the entry if it is
        settled.
        """

        def work(connection: Connection) -> Change:
            """Compare with other entries, and store, in one transaction: another entry may be
            settled meanwhile.
            """
            own = self._unless_of_another(claim.row, settlement, connection)
            # The response to the entry's own call names the request for certain: it counts also if
            # another worker has the entry by now. Anything else counts only while this one has it.
            is_certain = not own.looked_up
            values = self._outcome_values(claim, own)
            return self._change_claimed(claim, values, connection, is_certain=is_certain)

        entry = yield from self._store_change(work, result_of(claim.row, settlement))
        if entry is None or entry.state is EntryState.SETTLING:
            return None
        return entry

    def _outcome_values(self, claim: Claim, settlement: Settlement) -> dict[str, Any]:
        """The new column values of an entry that was done, or was looked up."""
        if settlement.request is not None:
            return done_values(settlement.request, claim.row.prepared)
        if settlement.outcome is PaymentOutcome.REJECTED:  # the state that was read is final
            return {"state": EntryState.REJECTED, "error": settlement.reason}
        until = self._settle_until(claim)
        is_final = bool(self._write_of(claim.row).why_no_look_up)  # no later look-up can show more
        if is_final or claim.now >= until:
            state = EntryState.UNCLEAR
            why = settlement.once_over().reason or ""
            return {"state": state, "error": why, "settle_until": until}
        # The provider's lists lag: the entry is looked up again.
        tries = claim.row.tries + 1
        return {
            "state": EntryState.SETTLING,
            "error": settlement.reason or "",
            "settle_until": until,
            "due_at": claim.now + pause_after(tries),
            "worker": None,
            "tries": tries,
        }

    def _unless_of_another(
        self, row: Any, settlement: Settlement, connection: Connection
    ) -> Settlement:
        """The settlement of an entry, or one in doubt if what its response or its look-up names
        settles another entry; or, of a look-up, if another entry may have made it.
        """
        if settlement.request is None:
            return settlement
        other_name = self._other_with_id(row, settlement.request.id, connection)
        if other_name is not None:
            why = why_not_its_own(settlement.request.id, self._name_of(row, connection), other_name)
            return Settlement(PaymentOutcome.UNKNOWN, reason=why, looked_up=True)
        otherwise = settlement.unless_mine
        if otherwise is not None and self._has_rival(row, settlement.request, connection):
            return otherwise
        return settlement

    def _other_with_id(self, row: Any, id: str | None, connection: Connection) -> str | None:
        """What people call another entry that has this id; None: none has it."""
        other = self._entry_with_id(row, id, connection)
        return None if other is None else self._name_of(other, connection)

    def _name_of(self, row: Any, connection: Connection) -> str:  # noqa: ARG002 - rows of files have names
        """What people call an entry."""
        return str(row.key)

    def _forms_of_references(self, row: Any) -> tuple[Collection[str], Collection[str]]:
        """The references of an entry as the table of entries has them, and as that of references
        has them.
        """
        references = references_of(row)
        return references, [*map(reference_digest, references)]

    def _has_rival(self, row: Any, found: Done, connection: Connection) -> bool:
        """Whether what a look-up has found may be that of another entry, which may have been sent
        and is not settled: it has one of the references, or, where the look-up does not go by
        them, nothing that was compared tells the two apart.
        """
        columns, others = self.table.c, self.references.c
        references, digests = self._forms_of_references(row)
        with_reference = sa.union_all(
            sa.select(columns.key).where(columns.reference.in_(references)),
            sa.select(others.key).where(others.digest.in_(digests)),
        )
        if any(self._in_doubt_beside(row, columns.key.in_(with_reference), connection)):
            return True
        if row.prepared.is_found_by_subject:
            return False
        for other in self._in_doubt_beside(row, sa.true(), connection):
            if not is_readable(other) or row.prepared.is_like(other.prepared, found.compared):
                return True
        return False

    def _in_doubt_beside(
        self, row: Any, chosen: Condition, connection: Connection
    ) -> Iterator[ClearRow]:
        """The chosen entries of the same operation that may have been sent, and are not settled."""
        columns = self.table.c
        may_exist = sa.or_(columns.state.in_(IN_DOUBT), columns.restored)
        is_other = sa.and_(columns.id != row.id, self._is_beside(row), chosen, may_exist)
        for stored in connection.execute(sa.select(self.table).where(is_other)):
            other = self._sealing.decrypted_row(stored, may_stay_sealed=True)
            if are_of_one_operation(other, row):
                yield other


def _make_look_up(client: Any, step: LookUp, *, is_last: bool) -> Steps[Any]:
    """Look a write up: by one walk for all writes of the pass that a list shows, if there is one.

    What `is_last` is looked up alone if that walk fails: it may have failed for another write.
    """
    call = step.write.call
    given = step.write.look_up_by
    if client.shares_look_ups(call):
        since, read_from = step.moments["since"], step.moments["read_from"]
        group = call.operation, _age_band(read_from, Now.of(client)), *sorted(given.items())
        walk = partial(client.look_up_all, **given)
        try:
            return (yield SharedCall(group, (call, since, read_from), walk))
        except VictorError:
            if not is_last:
                raise
    return (yield partial(client.look_up, call, **step.moments, **given))


def _age_band(read_from: datetime, now: Now) -> int:
    """A number that is the same for writes whose walks are of similar length: the walk for an old
    one would take too long for a young one, or fail where that of the young one does not.
    """
    age = now.by_provider() - read_from.timestamp()
    return int(max(0.0, age) / _YOUNG).bit_length()


def _read_whether_done(client: Any, step: LookUp, *, is_last: bool) -> Steps[Settlement]:
    """Read whether a write was done.

    Raises the error of a read that says nothing yet, so that the next pass reads again. In the last
    pass (`is_last`) any such response settles that nothing was shown. So does in each pass a
    refusal by the client itself, since the same values are refused each time.
    """
    try:
        done = yield from _make_look_up(client, step, is_last=is_last)
    except (StatusError, UnreadableResponse, PaginationError, InvalidRequest) as error:
        if isinstance(error, AuthenticationError | RateLimited):
            raise
        says_no_more = not isinstance(error, StatusError) or isinstance(
            error, BadRequest | NotFound
        )
        if not is_last and not says_no_more:
            raise
        done = f"The look-up failed: {error.summary}"  # a later read may say more
    return step.settlement_of(done)
