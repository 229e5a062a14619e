"""Read what became of rows that may have been sent, and are not sent again.

`Reconciliation.look_up` is for rows in doubt, `Reconciliation.unit_results` for the rows of a
payout. Both read again and again until there is a result (`_read`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import AuthenticationError, ConfigurationError, VictorError
from victor_ext.ids import reference_of
from victor_ext.settlement.backoff import pause_after, pause_asked
from victor_ext.settlement.flow import SETTLED, LookUp, Settlement
from victor_ext.settlement.key_age import Moment, Sent

from .pacing import Contact
from .row_kind import Sendable
from .rows import Result, Row

T = TypeVar("T")

SETTLE_FOR = 600.0
"""Seconds for which a payment without a key is looked up. In that time a list of the provider may
lack a payment that exists, and a call may still be under way.
"""
Rivals: TypeAlias = Callable[[Collection[str]], Mapping[str, Collection[str]]]
"""Returns the keys of payments that may exist, of all batches of the state, by these references."""


class Doubtful(NamedTuple):
    """Rows that were sent in one call, and the look-up of this call."""

    rows: Sequence[Row]
    look_up: LookUp

    def references(self, column: str) -> set[str]:
        """Return the references of the rows, which are in this column."""
        references = {reference_of((row.arguments or {}).get(column)) for row in self.rows}
        return references - {""}

    def unresolved(self, reason: str) -> Settlement:
        """Return what is known of the call if nothing could be read."""
        return self.look_up.unknown_settlement(reason, looked_up=False)


class Reconciliation:
    """Looks up rows of one kind."""

    def __init__(self, kind: Sendable, contact: Contact) -> None:
        self._kind, self._contact = kind, contact

    def look_up(
        self,
        doubtful: Sequence[Doubtful],
        patience: float,
        rivals: Rivals,
    ) -> list[Settlement]:
        """Look up rows until all look-ups succeed, the patience ends, or sending stops. If one of
        the calls had no key, the patience is at least `SETTLE_FOR`.

        Returns a settlement for each call, in their order.
        """
        look_ups = [doubt.look_up for doubt in doubtful]
        if any(not look_up.write.is_keyed for look_up in look_ups):
            patience = max(patience, SETTLE_FOR)
        latest = list[Settlement]()  # filled by `_look_up_once`
        _, why = self._read(partial(self._look_up_once, look_ups, latest), patience)
        if not latest:
            return [doubt.unresolved(why) for doubt in doubtful]
        return list(_without_rivals(doubtful, latest, rivals, self._kind.reference))

    def _look_up_once(self, look_ups: Sequence[LookUp], latest: list[Settlement]) -> bool | None:
        """Look rows up once, and replace the content of `latest` by their settlements.

        Returns None if another look-up may show more: lists of the provider lag.
        """
        without_key = [look_up.sent for look_up in look_ups if not look_up.write.is_keyed]
        # The time is read before the lists: only lists that are read after `SETTLE_FOR` count.
        is_time_over = all(self._age(sent) >= SETTLE_FOR for sent in without_key)
        are_over = [self._is_over(look_up.sent) for look_up in look_ups]
        settlements = self._kind.look_up(look_ups)
        latest.clear()
        for settlement, is_over in zip(settlements, are_over, strict=True):
            latest.append(settlement.once_over() if is_over else settlement)
        is_known = all(settlement.outcome in SETTLED for settlement in latest)
        return is_known or is_time_over or None

    def _is_over(self, sent: Sent | Moment) -> bool:
        """Whether a call that was sent at this time has ended by every clock, also at the
        provider.
        """
        now = self._contact.now()
        if isinstance(sent, Moment):
            return now.at_least_since(sent) >= SETTLE_FOR
        # The first sending may have been as much later as the clocks of its machine differ.
        least_age = self._age(sent) - sent.spread
        return sent.known and now.provider.is_known and least_age >= SETTLE_FOR

    def _age(self, sent: Sent | Moment) -> float:
        """Return the seconds since a time of sending, by the clock that the time is from."""
        now = self._contact.now()
        if isinstance(sent, Moment):
            return now.since(sent)
        present = now.by_provider() if sent.known else now.moment.local
        return present - sent.since

    def unit_results(
        self,
        unit_result: Result,
        rows: Sequence[Row],
        patience: float,
    ) -> list[Result]:
        """Read what became of each row of a payout, until the provider has decided, the patience
        ends, or sending stops.

        Args:
            unit_result: The result of the whole payout, which has its id. If nothing could be read,
                each row has this result.
        """
        unit = unit_result.unit or ""
        results, why = self._read(lambda: self._kind.unit_results(unit, rows), patience)
        if results:
            return results
        reason = f"{unit_result.error} {why}".rstrip()
        return [unit_result._replace(error=reason)] * len(rows)

    def _read(self, read: Callable[[], T | None], patience: float) -> tuple[T | None, str]:
        """Call `read` until it returns a result, the patience ends, or sending stops.

        Returns the result; or None, and why there is none, as a sentence (empty: `read` worked, and
        the provider had nothing yet).
        """
        contact = self._contact
        ends = contact.monotonic() + patience
        for tries in count(1):
            contact.backoff.wait()
            if contact.stop.is_set():
                break
            attempt = self._try_to_read(read)
            if attempt.result is not None:
                return attempt.result, ""
            if contact.stop.is_set() or contact.monotonic() >= ends:
                why = ""
                if attempt.failure:
                    why = f"It could not be looked up now: {attempt.failure}"
                return None, why
            contact.stop.wait(max(pause_after(tries), attempt.pause))
        return None, "It has not been looked up: the sender was stopped."

    def _try_to_read(self, read: Callable[[], T | None]) -> _ReadAttempt[T]:
        """Call `read` once, and note its failure or success for all threads of the client."""
        backoff = self._contact.backoff
        try:
            result = read()
        except VictorError as error:
            if isinstance(error, AuthenticationError | ConfigurationError):
                self._contact.give_up(error)
            pause = pause_asked(error)
            backoff.record_failure(pause)
            return _ReadAttempt(None, str(error), pause)
        except Exception as error:  # noqa: BLE001 - whatever it was, what is known of the other rows must be kept
            backoff.record_failure()
            return _ReadAttempt(None, f"An unexpected {type(error).__name__}.")
        backoff.record_success()
        return _ReadAttempt(result)


class _ReadAttempt(NamedTuple, Generic[T]):
    """What one read has brought.

    Attributes:
        result: What was read; None: there is nothing yet, or the read failed.
        failure: Why the read failed; empty: it did not.
        pause: Seconds that the provider asks to wait before the next read.
    """

    result: T | None
    failure: str = ""
    pause: float = 0.0


def _without_rivals(
    doubtful: Sequence[Doubtful],
    settlements: Sequence[Settlement],
    rivals: Rivals,
    column: str,
) -> Iterator[Settlement]:
    """Yield the settlement of each call: another one if its request may be that of a rival.

    Args:
        settlements: What the look-ups have shown, in the order of `doubtful`.
        column: The column of a row that has the reference.
    """
    references = set[str]().union(*(doubt.references(column) for doubt in doubtful))
    is_asked = any(settlement.unless_mine is not None for settlement in settlements)
    other_keys: Mapping[str, Collection[str]] = {}
    try:
        if is_asked:
            other_keys = rivals(references)
    except (SQLAlchemyError, ConfigurationError) as error:
        why = f"It could not be looked up now: the state cannot be read ({type(error).__name__})."
        for doubt in doubtful:
            yield doubt.unresolved(why)
        return
    for doubt, settlement in zip(doubtful, settlements, strict=True):
        if_of_rival = settlement.unless_mine
        if if_of_rival is not None and _has_rival(doubt, other_keys, column):
            yield if_of_rival
        else:
            yield settlement


def _has_rival(
    doubt: Doubtful,
    other_keys: Mapping[str, Collection[str]],
    column: str,
) -> bool:
    """Whether another payment, of no row of this call, has the reference of one of its rows."""
    own_keys = {row.payment for row in doubt.rows}
    return any(set(other_keys[reference]) - own_keys for reference in doubt.references(column))
