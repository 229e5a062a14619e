"""The steps of one entry, from its claim to its result: it is sent, or looked up if it may have
been sent before.

`Sending.deliver` has them in order. `settle` decides, and `_Sender` is what `settle` asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from victor_ext import (
    AuthenticationError,
    BadRequest,
    Done,
    InvalidRequest,
    NotDone,
    NotFound,
    Outcome,
    PaginationError,
    RateLimited,
    StatusError,
    UnreadableResponse,
    VictorError,
)
from victor_ext._event_queue.databases import DatabaseTime
from victor_ext._event_queue.transactions import Pass
from victor_ext._event_queue.workers import is_ending
from victor_ext._settlement.failures import (
    FailureScope,
    RefusalStreak,
    failure_scope,
    is_about_all,
    pause_after,
    pause_asked,
)
from victor_ext._settlement.flow import (
    MAY_EXIST,
    SETTLED,
    LookUp,
    PaymentOutcome,
    Settlement,
    Write,
    settle,
)
from victor_ext._settlement.key_age import Keyless, Keys, Moment, Now, send_in_time

from ._claimed_entry import Claim
from ._claims import Claims
from ._engine import OutboxEngine
from ._entries import Entry, EntryState, done_values, new_number, sent_of, write_of
from ._steps import CallNotMade, Postponed, SharedCall, Steps
from ._storing import Tell, result_of

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
        row: The row of the entry.
        refusals: Counts the entries that were refused, maybe for the client.
        held: Until when nobody else sends the entry, or looks it up.
        refusal: The error by which the call was refused, maybe for the client; None: it was not.
    """

    client: Any
    row: Any
    refusals: RefusalStreak
    held: Moment
    refusal: VictorError | None = None

    def send(self, decided: Moment) -> Any:
        """Send the entry. Its call ends before `send_before`, and before another worker may take
        the entry up.
        """
        now = Now.of(self.client)
        client = self.client
        left = min(self.held.local - now.moment.local, self.held.monotonic - now.moment.monotonic)
        if left < client.deadline:  # this worker was stopped since it has marked the entry
            client = client.with_options(deadline=max(left, _SHORTEST_CALL))
        called = now.moment.after(_time_left(self.row.send_before, now))
        send = partial(client.send, self.row.prepared)
        return send_in_time(client, decided, send, called, self.held)

    def note(self, error: VictorError | None) -> None:
        """Note the end of the call."""
        self.refusals.note(error)
        # A refusal of an earlier call of this entry says nothing of this one, which may be lost.
        if error is not None and failure_scope(error) is FailureScope.EITHER:
            self.refusal = error


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


class Sending:
    """Delivers the entries of a round, each by itself.

    Args:
        engine: Of the outbox.
        claims: Of the round.
        refusals: Counts the entries that were refused, maybe for the client.
    """

    def __init__(self, engine: OutboxEngine, claims: Claims, refusals: RefusalStreak) -> None:
        self.claims = claims
        self.refusals = refusals
        self._terms = engine.terms
        self._store = engine.store
        self._rivals = engine.rivals
        self._transactions = engine.transactions
        self._policy = engine.policy

    def deliver(self, taken_up: Claim) -> Steps[Entry | None]:
        """Send a claimed entry, or look it up. Return the entry if it has a result; else None."""
        claims = self.claims
        client = claims.client
        row = taken_up.row
        if self._policy.wait_for_turn is not None:
            yield self._policy.wait_for_turn
            if is_ending():
                return None
        time_left = _time_left(row.send_before, Now.of(client))
        if time_left <= 0 and sent_of(row) is None:
            return (yield from self._refuse_too_late(taken_up))
        begin = partial(self._take_up_one, taken_up)
        claim = yield from self._transactions.transact(begin, taken_up)
        if claim is None:
            return None
        claims.life.write_beside(claim.marks)
        write = write_of(row, taken_up.at.local - taken_up.now)
        keys = self._keys(claim, write, time_left)
        result = yield from self._send(claim, write, keys)
        if isinstance(keys, Keys) and isinstance(result, LookUp) and result.may_repeat:
            return (yield from self._look_first(claim, write, keys, result))
        return (yield from self._settle(claim, result))

    def _keys(self, claim: Claim, write: Write, time_left: float) -> Keys | Keyless:
        """What says whether a write is sent (again)."""
        caller, kept = self.claims.client.caller, self.claims.kept
        if not write.is_keyed:
            return Keyless(caller, min(self.claims.lease, time_left), claim.at)
        if time_left <= 0:
            return Keyless(caller, 0.0, claim.at, _MAYBE_TOO_LATE)
        kept.warn_if_assumed(self.claims.client)
        return Keys(kept.seconds, caller, claim.at, why_repeated=kept.why_repeated)

    def _look_first(
        self, claim: Claim, write: Write, keys: Keys, step: LookUp
    ) -> Steps[Entry | None]:
        """Look an entry up whose key may be repeated, and repeat it if nothing is found."""
        looked_at = Moment.now()
        done = yield from self._look_up(claim, step)
        if not step.to_be_repeated(done):
            return (yield from self._store_settlement(claim, step.settlement_of(done)))
        yield Postponed()
        renewed = yield from self._transactions.transact(partial(self.claims.renew, claim))
        if renewed is None:
            return None
        keys = replace(keys, alone_since=renewed.at, absent_at=looked_at)
        result = yield from self._send(renewed, write, keys)
        if isinstance(result, LookUp) and result.may_repeat:
            return (yield from self._look_first(renewed, write, keys, result))
        return (yield from self._settle(renewed, result))

    def _settle(self, claim: Claim, result: Settlement | LookUp) -> Steps[Entry | None]:
        """Store the settlement of an entry, after a look-up if it needs one."""
        if isinstance(result, LookUp):
            done = yield from self._look_up(claim, result)
            result = result.settlement_of(done)
            claim = replace(claim, is_looked_up=True)
        return (yield from self._store_settlement(claim, result))

    def _send(self, claim: Claim, write: Write, keys: Keys | Keyless) -> Steps[Settlement | LookUp]:
        """Send an entry, unless it has to be looked up: see `settle`. Raises an error that may be
        of the client: then the entry goes back.
        """
        claims = self.claims
        client = claims.client
        held = claim.at.after(claims.lease)
        sender = _Sender(client, claim.row, self.refusals, held)
        clock = partial(Now.of, client)
        try:
            result = yield from settle(write, keys, clock, sender.send, sender.note)
        except CallNotMade:
            yield from self._transactions.transact(partial(claims.give_back, claim))
            raise
        if sender.refusal is None or (yield Postponed()):
            return result
        outcome = PaymentOutcome.WAITING if write.sent is None else PaymentOutcome.UNKNOWN
        values = self._policy.end(claim.row, Settlement(outcome, error=sender.refusal), {})
        yield from self._transactions.transact(partial(claims.give_back, claim, **values))
        raise sender.refusal

    def _refuse_too_late(self, claim: Claim) -> Steps[Entry | None]:
        """Refuse an entry whose `send_before` is over."""
        values = {"state": EntryState.REFUSED, "error": _TOO_LATE, "had_by": new_number()}
        change = partial(self._store.change, self.claims.is_as_read(claim), values)
        return (yield from self._store.store_change(change))

    def _take_up_one(self, claim: Claim, connection: Connection) -> Claim | None:
        """Take up an entry whose call begins now. None: it is not sent now."""
        return self.claims.begin([claim], connection).get(claim.row.id)

    def _put_off(
        self,
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
        put_off = partial(self.claims.put_off, claim, seconds, **values)
        yield from self._transactions.transact(put_off)

    # Look-ups

    def _look_up(self, claim: Claim, step: LookUp) -> Steps[Done | NotDone | str]:
        """Look an entry up that may have been sent. Unless its key may be repeated, the entry is
        `settling` from now on. Raises the error of a read that says nothing yet: then a later pass
        reads again.
        """
        until = self._settle_until(claim)
        # Stored before the look-up: while that fails, people can settle the entry by hand.
        if claim.row.state != EntryState.SETTLING and not step.may_repeat:
            state = EntryState.SETTLING
            due_at = DatabaseTime() + self.claims.lease
            values = {"state": state, "settle_until": until, "error": step.why, "due_at": due_at}
            yield from self._store.store(claim, **values)
        is_last = claim.now >= until and not step.may_repeat
        try:
            return (yield from _read_whether_done(self.claims.client, step, is_last=is_last))
        except CallNotMade:
            yield from self._put_off(claim, None)
            raise
        except VictorError as error:
            yield from self._put_off(claim, error)
            raise

    def _settle_until(self, claim: Claim) -> float:
        """The time until which an entry is looked up, by the clock of the database.

        It is at most `settle_for` away: a stored time that is further away is of a clock that was
        ahead.
        """
        return min(claim.row.settle_until or inf, claim.now + self._terms.settle_for)

    # Results

    def _store_settlement(self, claim: Claim, settlement: Settlement) -> Pass[Entry | None]:
        """Store the settlement of a claimed entry, and return the entry if it has a result.

        Raises the error of a call that says nothing of this entry, such as one about the
        credentials.
        """
        error = settlement.error
        if settlement.outcome is PaymentOutcome.CREATED or settlement.looked_up:
            return (yield from self._store_outcome(claim, settlement))
        usual: dict[str, Any] = {}
        if settlement.outcome in SETTLED:  # rejected, or refused here
            why = settlement.reason if error is None else error.message
            usual = {"state": EntryState(settlement.outcome), "error": why}
        values = self._policy.end(claim.row, settlement, usual)
        if "state" in values:
            return (yield from self._store.store(claim, **values))
        if error is None and settlement.outcome is PaymentOutcome.NOT_SENT:
            yield from self._transactions.transact(partial(self.claims.give_back, claim, **values))
            return None
        may_exist = settlement.outcome in MAY_EXIST
        if error is None or (may_exist and error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED)):
            # It is sent again under its key.
            yield from self._put_off(claim, error, values)
            if error is not None and failure_scope(error) is FailureScope.CLIENT:
                raise error  # other calls would end so, too, as by a hook that lacks a setting
            return None
        # This call has done nothing, but an earlier one may have: the entry is as it was before.
        if not is_about_all(error):  # no pause of all entries follows
            values["due_at"] = DatabaseTime() + _pause_after_call(claim, error)
            values["tries"] = claim.row.tries + 1
        yield from self._transactions.transact(partial(self.claims.give_back, claim, **values))
        raise error

    def _store_outcome(self, claim: Claim, settlement: Settlement) -> Pass[Entry | None]:
        """Store that the entry was done, or what its look-up has shown. Return the entry if it is
        settled.
        """

        def change(tell: Tell, connection: Connection) -> Entry | None:
            """Compare with other entries, and store, in one transaction: another entry may be
            settled meanwhile.
            """
            own = self._rivals.unless_of_another(claim.row, settlement, connection)
            # The response to the entry's own call names the request for certain: it counts also if
            # another worker has the entry by now. Anything else counts only while this one has it.
            is_certain = not own.looked_up
            values = self._policy.end(claim.row, own, self._usual_values(claim, own))
            return self._store.change_claimed(
                claim, values, tell, connection, is_certain=is_certain
            )

        entry = yield from self._store.store_change(change, result_of(claim.row, settlement))
        if entry is None or entry.state is EntryState.SETTLING:
            return None
        return entry

    def _usual_values(self, claim: Claim, settlement: Settlement) -> dict[str, Any]:
        """The new column values of an entry of an outbox that was done, or was looked up."""
        if settlement.request is not None:
            values = done_values(settlement.request, claim.row.prepared)
            if not settlement.looked_up:
                values["error"] = settlement.reason or values["error"]
            return values
        if settlement.outcome is PaymentOutcome.REJECTED:  # the state that was read is final
            return {"state": EntryState.REJECTED, "error": settlement.reason}
        until = self._settle_until(claim)
        is_final = bool(write_of(claim.row, 0.0).why_no_look_up)  # no later look-up shows more
        if is_final or claim.now >= until:
            state = EntryState.UNCLEAR
            return {"state": state, "error": settlement.reason or "", "settle_until": until}
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


def _make_look_up(client: Any, step: LookUp) -> Steps[Any]:
    """Look a write up: by one walk for all writes of the pass that a list shows, if there is
    one.
    """
    call, given = step.write.call, step.write.look_up_by
    if not client.shares_look_ups(call):
        return (yield partial(client.look_up, call, **step.moments, **given))
    item = call, step.moments["since"], step.moments["read_from"]
    group = call.operation, *sorted(given.items())
    done = yield SharedCall(group, item, partial(client.look_up_all, **given))
    if isinstance(done, VictorError):
        raise done
    return done


def _read_whether_done(client: Any, step: LookUp, *, is_last: bool) -> Steps[Done | NotDone | str]:
    """Read whether a write was done.

    Raises the error of a read that says nothing yet, so that the next pass reads again. In the last
    pass (`is_last`) any such response settles that nothing was shown. So does in each pass a
    refusal by the client itself, since the same values are refused each time.
    """
    try:
        done: Done | NotDone | str = yield from _make_look_up(client, step)
    except (StatusError, UnreadableResponse, PaginationError, InvalidRequest) as error:
        if isinstance(error, AuthenticationError | RateLimited):
            raise
        says_no_more = not isinstance(error, StatusError) or isinstance(
            error, BadRequest | NotFound
        )
        if not is_last and not says_no_more:
            raise
        return f"The look-up failed: {error.summary}"  # a later read may say more
    return done
