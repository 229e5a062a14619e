"""Send rows in one call, until they are settled or have to be looked up (`UnitSender.send`).

What is decided about a call is decided by `settlement.flow.settle`, which is driven here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import call
from typing import Any

from victor_ext import Done, InvalidRequest, Outcome, VictorError
from victor_ext.flows import drive
from victor_ext.settlement.flow import LookUp, Settlement, Write, settle
from victor_ext.settlement.key_age import Keys, Moment, NoKey, send_in_time, within_key_life

from .pacing import Contact, RateLimiter, Turns
from .reconciliation import SETTLE_FOR, Rivals
from .row_kind import Sendable
from .rows import Row, RowOutcome


@dataclass(frozen=True, slots=True)
class SendTerms:
    """Terms for sending the rows of a chunk.

    Attributes:
        retention: Seconds for which the provider keeps a key.
        patience: Seconds for which a row is retried while the provider fails.
        rate: Maximum rows per second; None: no limit.
        rivals: Returns the payments, also of other batches, that may have made the request that a
            look-up shows, by reference.
        alone_since: As in `Keys`.
    """

    retention: float
    patience: float
    rate: float | None
    rivals: Rivals
    alone_since: Callable[[], Moment] | None = None


class UnitSender:
    """Sends rows of one kind, each time in one call."""

    def __init__(self, kind: Sendable, contact: Contact) -> None:
        self._kind = kind
        self._contact = contact

    def send(
        self,
        rows: Sequence[Row],
        terms: SendTerms,
        limiter: RateLimiter,
    ) -> Settlement | LookUp:
        """Send rows in one call until they are settled, patience ends, sending stops, or they have
        to be looked up.
        """
        first = rows[0]
        if first.unit is not None:  # an earlier run has sent these rows, and stored the payout's id
            return Settlement(RowOutcome.CREATED, Done(first.unit))
        try:
            write = self._kind.write_for(rows)
        except InvalidRequest as error:
            outcome = RowOutcome.REFUSED if first.sent is None else RowOutcome.UNKNOWN
            return Settlement(outcome, reason=error.summary, sent=first.sent)
        key_rule = self._key_rule(write, rows, terms)
        key_life = key_rule.kept if isinstance(key_rule, Keys) else SETTLE_FOR
        client = within_key_life(self._kind.client, key_life)
        flow = settle(
            write,
            key_rule,
            Turns(self._contact, key_rule, limiter, terms.patience),
            partial(self._call, client, write, first.key),
            partial(self._contact.note, first.key),
        )
        return drive(flow, call)

    def _key_rule(
        self,
        write: Write[Any],
        rows: Sequence[Row],
        terms: SendTerms,
    ) -> Keys | NoKey:
        """Return what says whether the call of these rows can be repeated."""
        caller, alone_since = self._contact.caller, terms.alone_since
        if not write.is_keyed:
            # Another worker that takes the payment over looks it up for `SETTLE_FOR`. Before that
            # ends, this worker has sent it, and its call has ended.
            return NoKey(caller, SETTLE_FOR / 4, alone_since)
        key_life = min(terms.retention, *(row.key_retention for row in rows))
        return Keys(key_life, caller, alone_since)

    def _call(
        self,
        client: Any,
        write: Any,
        key: str,
        is_repeat: bool,  # noqa: FBT001 - `settle` gives it by its place
        decided: Moment,
    ) -> Any:
        """Make one call. `settle` gives the last two arguments: see `create` there."""
        send = partial(self._kind.send, client, write, key, is_repeat=is_repeat)
        try:
            return send_in_time(client, decided, send)
        except VictorError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            # The exception's text may contain account numbers; its type does not.
            what = f"An unexpected {type(error).__name__} while it was sent."
        raise VictorError(what, outcome=Outcome.UNKNOWN)
