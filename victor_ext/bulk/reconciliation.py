"""Read what became of rows that may have been sent, and are not sent again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import count
from typing import NamedTuple, TypeAlias, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import AuthenticationError, ConfigurationError, VictorError
from victor_ext.ids import reference_of
from victor_ext.settlement.backoff import pause_after, pause_asked
from victor_ext.settlement.flow import SETTLED, LookUp, Rival, Settlement
from victor_ext.settlement.key_age import Moment, Sent

from .pacing import Contact
from .row_kind import Sendable
from .rows import Result, Row

T = TypeVar("T")

SETTLE_FOR = 600.0
"""Seconds for which what takes no key is looked up: a list of the provider's may lack what was made
shorter ago.
"""
Rivals: TypeAlias = Callable[[Collection[str], Collection[str]], Sequence[Rival]]
"""Returns the rows with these references or ids, of all batches of the state.

It reads all of them.
"""


class Doubtful(NamedTuple):
    """Rows that were sent in one call, and what is looked up of it."""

    rows: Sequence[Row]
    step: LookUp

    def keys(self) -> set[str]:
        return {row.key for row in self.rows}

    def references(self, column: str) -> set[str]:
        references = {reference_of((row.arguments or {}).get(column)) for row in self.rows}
        return references - {""}

    def unresolved(self, reason: str) -> Settlement:
        """Return what is known of it if nothing could be read."""
        return self.step.unknown_settlement(reason, looked_up=False)


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
        """Look up rows until this succeeds, the patience ends, or sending stops; without a key also
        while lists lag.
        """
        steps = [doubt.step for doubt in doubtful]
        if any(not step.write.is_keyed for step in steps):
            patience = max(patience, SETTLE_FOR)
        latest = list[Settlement]()
        _, why = self._read(partial(self._look_up_once, steps, latest), patience)
        if not latest:
            return [doubt.unresolved(why) for doubt in doubtful]
        return list(_matched(doubtful, latest, rivals, self._kind.reference))

    def _look_up_once(self, steps: Sequence[LookUp], latest: list[Settlement]) -> bool | None:
        """Look rows up once: `latest` is what is known of them.

        Returns None if it may change, for lists lag.
        """
        without_key = [step.sent for step in steps if not step.write.is_keyed]
        # The time is read first: what is shown after it counts.
        is_time_over = all(self._age(sent) >= SETTLE_FOR for sent in without_key)
        are_over = [self._is_over(step.sent) for step in steps]
        settlements = self._kind.look_up(steps)
        latest.clear()
        for settlement, is_over in zip(settlements, are_over, strict=True):
            latest.append(settlement.once_over() if is_over else settlement)
        is_known = all(settlement.outcome in SETTLED for settlement in latest)
        return is_known or is_time_over or None

    def _is_over(self, sent: Sent | Moment) -> bool:
        """Whether nothing of what was sent then can be under way any more, by any clock."""
        now = self._contact.now()
        if isinstance(sent, Moment):
            return now.at_least_since(sent) >= SETTLE_FOR
        return sent.known and now.provider.is_known and self._age(sent) >= SETTLE_FOR

    def _age(self, sent: Sent | Moment) -> float:
        """Return the seconds since something was sent, by the clock that says when."""
        now = self._contact.now()
        if isinstance(sent, Moment):
            return now.since(sent)
        present = now.by_provider() if sent.known else now.moment.local
        return present - sent.since

    def parts(
        self,
        sent: Result,
        rows: Sequence[Row],
        patience: float,
    ) -> list[Result]:
        """Read what became of each row of what was sent together, as `look_up` does."""
        unit = sent.unit or ""
        parts, why = self._read(lambda: self._kind.parts(unit, rows), patience)
        if parts:
            return parts
        reason = f"{sent.error} {why}".rstrip()
        return [sent._replace(error=reason)] * len(rows)

    def _read(self, read: Callable[[], T | None], patience: float) -> tuple[T | None, str]:
        """Read until there is something, the time is over, or sending stops.

        Return it, or why there is nothing.
        """
        contact = self._contact
        ends = contact.monotonic() + patience
        for tries in count(1):
            contact.backoff.wait()
            if contact.stop.is_set():
                break
            result, reason, at_least = self._try_to_read(read)
            if result is not None:
                return result, ""
            if contact.stop.is_set() or contact.monotonic() >= ends:
                why = f"It could not be looked up now: {reason}" if reason else ""
                return None, why
            contact.stop.wait(max(pause_after(tries), at_least))
        return None, "It has not been looked up: the sender was stopped."

    def _try_to_read(self, read: Callable[[], T | None]) -> tuple[T | None, str, float]:
        """Read once. Return what is there; or why it failed, and how long to wait at least."""
        backoff = self._contact.backoff
        try:
            result = read()
        except VictorError as error:
            if isinstance(error, AuthenticationError | ConfigurationError):
                self._contact.give_up(error)
            at_least = pause_asked(error)
            backoff.record_failure(at_least)
            return None, str(error), at_least
        except Exception as error:  # noqa: BLE001 - whatever it was, what is known of the other rows must be kept
            backoff.record_failure()
            return None, f"An unexpected {type(error).__name__}.", 0.0
        backoff.record_success()
        return result, "", 0.0


def _matched(
    doubtful: Sequence[Doubtful],
    settlements: Sequence[Settlement],
    rivals: Rivals,
    column: str,
) -> Iterator[Settlement]:
    """Yield what became of rows.

    What the provider has made once settles its rows in one batch of the state.
    """
    references = set[str]().union(*(doubt.references(column) for doubt in doubtful))
    requests = [one.request.id for one in settlements if one.unless_mine is not None]
    try:
        others = rivals(references, set(requests)) if requests else ()
    except (SQLAlchemyError, ConfigurationError) as error:
        why = f"It could not be looked up now: the state cannot be read ({type(error).__name__})."
        for doubt in doubtful:
            yield doubt.unresolved(why)
        return
    for doubt, settlement in zip(doubtful, settlements, strict=True):
        otherwise = settlement.unless_mine
        if otherwise is not None and _may_be_of_others(settlement, doubt, others, column):
            yield otherwise
        else:
            yield settlement


def _may_be_of_others(
    settlement: Settlement,
    doubt: Doubtful,
    others: Sequence[Rival],
    column: str,
) -> bool:
    """Whether another payment may have made what was found."""
    keys, request = doubt.keys(), settlement.request.id
    for reference in doubt.references(column):
        for other in others:
            own_key = other.key if other.key in keys else ""
            if other.may_have_made(request, reference, own_key):
                return True
    return False
