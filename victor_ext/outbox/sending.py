"""One entry, from its claim to what is stored of it: sent until there is a result, or looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import count
from math import inf
from typing import Any

import sqlalchemy as sa

from victor_ext import (
    AuthenticationError,
    BadRequest,
    InvalidRequest,
    NotFound,
    Outcome,
    PreparedCall,
    RateLimited,
    StatusError,
    UnreadableResponse,
)
from victor_ext.event_queue.transactions import Engine, Pass
from victor_ext.settlement.flow import (
    SETTLED,
    LookUp,
    PaymentOutcome,
    Rival,
    Settlement,
    Write,
    is_refusal,
    settle,
)
from victor_ext.settlement.key_age import Keys, Moment, NoKey, Now, within_decision

from .claims import Claim, Claims
from .clock import present
from .entries import Entry, EntryState, done_values, write_of
from .results import result_of
from .storing import Change, EntryStore

_LOOK_AGAIN = 30.0
"""Seconds between two look-ups of an entry."""
_TOO_LATE = "It was not sent: its time to be sent had passed."
_MAYBE_TOO_LATE = "It may have been sent, and its time to be sent has passed."


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends one claimed entry, for `settle`.

    Attributes:
        keys: How long it can be sent again.
        send_before: When it must have been sent, in epoch seconds; None: whenever.
        tries: How often it was tried.
    """

    client: Any
    write: Write[PreparedCall]
    keys: Keys | NoKey
    send_before: float | None
    tries: count[int]

    def turn(self, _so_far: Settlement, sent: object) -> Now | None:
        """It is tried once. What takes no key and may have been sent is looked up at once."""
        is_first = next(self.tries) == 0
        is_looked_up = sent is not None and isinstance(self.keys, NoKey)
        return present(self.client) if is_first or is_looked_up else None

    def send(self, _is_repeat: object, decided: Moment) -> Any:
        """Send it. Its whole call ends before others may act on its end."""
        now = present(self.client)
        left = _time_left(self.send_before, now)
        if isinstance(self.keys, NoKey):
            left = min(left, self.keys.left(now))
        sender = within_decision(self.client, decided, now, left)
        return sender.send(self.write.call)


def _time_left(send_before: float | None, now: Now) -> float:
    """Seconds for which an entry can be sent at all."""
    return inf if send_before is None else send_before - now.by_provider()


class Sending(EntryStore[Engine]):
    """What becomes of one entry."""

    _settle_for: float

    def _deliver(self, claims: Claims, taken_up: Claim) -> Pass[Entry | None]:
        """Send a claimed entry, or look it up. Return it if it has come to a result."""
        client, row = claims.client, taken_up.row
        write = write_of(row)
        time_left = _time_left(row.send_before, present(client))
        if time_left <= 0 and write.sent is None:
            refused = {"state": EntryState.REFUSED.value, "error": _TOO_LATE}
            return (yield from self._store(row.key, taken_up.lease, **refused))
        claim = yield from self._ready(claims, taken_up)
        if claim is None:
            return None
        keys = self._keys_of(write, claim, client.caller, time_left)
        sender = _Sender(client, write, keys, row.send_before, count())
        result = yield from settle(write, keys, sender.turn, sender.send)
        if isinstance(result, LookUp):
            result = yield from self._look_up(client, claim, result)
        is_final = bool(write.why_no_look_up)
        return (yield from self._settled(claims, claim, result, is_final=is_final))

    def _ready(self, claims: Claims, claim: Claim) -> Pass[Claim | None]:
        """Mark an entry that is about to be sent, if it is not yet; None: it is not sent now."""
        now = present(claims.client)
        if not claim.is_marked:
            return (yield from self._transact(partial(claims.mark, claim, now)))
        may_work = True
        if claims.is_to_look(now):
            may_work = yield from self._transact(partial(claims.may_work, now))
        if may_work and claims.has_time(claim, now):
            return claim
        yield from self._transact(partial(claims.give_back, [claim]))
        return None

    def _keys_of(
        self, write: Write[Any], claim: Claim, caller: str | None, time_left: float
    ) -> Keys | NoKey:
        """How long an entry can be sent again, or that it cannot."""

        # a process that was stopped does not know whether others have sent its entry
        def at() -> Moment:
            return claim.at

        if not write.is_keyed:
            return NoKey(caller, min(self._lease, time_left), at)
        if time_left <= 0:
            return NoKey(caller, 0.0, at, _MAYBE_TOO_LATE)
        return Keys(self._kept, caller, at)

    # What may have been sent

    def _look_up(self, client: Any, claim: Claim, step: LookUp) -> Pass[Settlement]:
        until = self._settle_until(claim)
        # else nobody could settle it while its look-up fails
        if claim.row.state != EntryState.SETTLING.value:
            state = EntryState.SETTLING.value
            begun = {"state": state, "settle_until": until, "error": step.why}
            yield from self._store(claim.row.key, claim.lease, **begun)
        return (yield from _looked_up(client, step, is_last=claim.now >= until))

    def _settle_until(self, claim: Claim) -> float:
        """Until when an entry is looked up.

        A time that is further away is by a clock that was ahead.
        """
        return min(claim.row.settle_until or inf, claim.now + self._settle_for)

    # What is known of it then

    def _settled(
        self, claims: Claims, claim: Claim, settlement: Settlement, *, is_final: bool
    ) -> Pass[Entry | None]:
        """Store what became of a claimed entry.

        Raise the error of a call that is not about this entry.
        """
        error = settlement.error
        if settlement.outcome is PaymentOutcome.CREATED or settlement.looked_up:
            return (yield from self._store_looked_up(claim, settlement, is_final=is_final))
        if error is None and settlement.outcome is PaymentOutcome.NOT_SENT:
            yield from self._transact(partial(claims.give_back, [claim]))
            return None
        if error is None or error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            return None  # its lease ends, and it is sent again under its key
        if settlement.outcome in SETTLED and is_refusal(error):
            state = EntryState(settlement.outcome)  # rejected, or refused here
            values = {"state": state.value, "error": error.message}
            return (yield from self._store(claim.row.key, claim.lease, **values))
        # Nothing came of this call. Of an earlier one something may have: such an entry goes on as
        # it was.
        yield from self._transact(partial(claims.give_back, [claim]))
        raise error

    def _store_looked_up(
        self, claim: Claim, settlement: Settlement, *, is_final: bool
    ) -> Pass[Entry | None]:
        """Store what was done, or what reads have shown. Return the entry if it is settled."""
        # The answer to `create` names the request for certain: it counts also if the lease has
        # ended meanwhile.
        lease = claim.lease if settlement.looked_up else None

        def work(connection: sa.Connection) -> Change:
            own = self._without_rival(claim.row, settlement, connection)
            values = self._values_of(claim, own, is_final=is_final)
            return self._change_held(claim.row.key, lease, values, connection)

        entry = yield from self._stored(work, result_of(claim.row, settlement))
        return None if entry is None or entry.state is EntryState.SETTLING else entry

    def _values_of(self, claim: Claim, settlement: Settlement, *, is_final: bool) -> dict[str, Any]:
        """What is stored of an entry that was done, or was looked up."""
        if settlement.request is not None:
            return done_values(settlement.request, PreparedCall.from_text(claim.row.call))
        if settlement.outcome is PaymentOutcome.REJECTED:  # a state rules it out for good
            return {"state": EntryState.REJECTED.value, "error": settlement.reason}
        until = self._settle_until(claim)
        if is_final or claim.now >= until:
            state = EntryState.UNCLEAR.value
            why = settlement.once_over().reason or ""
            return {"state": state, "error": why, "settle_until": until}
        return {  # lists lag: it is looked up again
            "state": EntryState.SETTLING.value,
            "error": settlement.reason or "",
            "settle_until": until,
            "leased_until": claim.now + _LOOK_AGAIN,
        }

    def _without_rival(
        self, row: Any, settlement: Settlement, connection: sa.Connection
    ) -> Settlement:
        """What is known of an entry, if the request may be another one's."""
        otherwise = settlement.unless_mine
        if settlement.request is None or otherwise is None:
            return settlement
        has_rival = self._has_rival(connection, row, settlement.request.id)
        return otherwise if has_rival else settlement

    def _has_rival(self, connection: sa.Connection, row: Any, request_id: str) -> bool:
        """Whether a request may be that of another entry.

        One statement: an entry may be settled meanwhile.
        """
        columns = self.table.c
        others = sa.select(self.table).where(
            columns.key != row.key,
            columns.provider == row.provider,
            columns.operation == row.operation,
            sa.or_(columns.request_id == request_id, columns.reference == row.reference),
        )
        for other in connection.execute(others):
            if _rival_of(other).may_have_made(request_id, row.reference, row.key):
                return True
        return False


_UNSETTLED = (EntryState.SENDING, EntryState.SETTLING, EntryState.UNCLEAR)


def _rival_of(row: Any) -> Rival:
    may_exist = row.state in _UNSETTLED or row.restored
    return Rival(row.key, row.reference, row.request_id, may_exist=may_exist)


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
