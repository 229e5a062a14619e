"""Send the rows of a chunk and determine their results."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from victor_ext import (
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    Conflict,
    InvalidRequest,
    Outcome,
    RateLimited,
    StatusError,
    Victor,
    VictorError,
    check_payment_request,
)

from .key_age import TIME_UNKNOWN, KeyClock, Moment, longest_call
from .pacing import Backoff, RateLimiter, pause_after, pause_asked
from .reconciliation import Shared, UncertainRow, look_up, unresolved
from .rows import MAY_EXIST, SETTLED, Result, Row, RowOutcome, Sent
from .threads import Threads

_WAITING = Result(RowOutcome.WAITING)
_LEAST_KEPT = 100.0
"""Seconds: if keys live less, half a minute without a sign of another worker is no doubt. Else no row would be sent."""
_MOST_REFUSALS = 10
"""Consecutive rejections, not caused by the row's data, after which sending stops."""
_OF_THE_CALL = {
    Outcome.NOT_SENT: RowOutcome.NOT_SENT,
    Outcome.REJECTED: RowOutcome.REJECTED,
    Outcome.UNKNOWN: RowOutcome.UNKNOWN,
    Outcome.ACCEPTED: RowOutcome.ACCEPTED,
}


@dataclass(frozen=True, slots=True)
class SendTerms:
    """Terms for sending the rows of a chunk.

    Attributes:
        retention: Seconds for which the provider keeps a key.
        patience: Seconds for which a row is retried in this attempt.
        rate: Rows per second, or None for no limit.
        sent: Earliest possible send by an interrupted run, or None.
        shared: Returns the references that several rows of the batch have.
        alone_since: Returns when this worker was last known to be the only one with the chunk, if another one can take
            it over meanwhile; else None. A worker that was stopped (a suspended machine) cannot tell that its chunk
            was taken over. So it takes each row for one that may have been sent since then.
    """

    retention: float
    patience: float
    rate: float | None
    sent: Sent | None
    shared: Shared
    alone_since: Callable[[], Moment] | None = None

    def sent_before(self, row: Row) -> Sent | None:
        """Return the earliest possible send of the row before this attempt, or None."""
        return row.sent or self.sent


class Delivery:
    """Sends the rows of all chunks of a process with one client.

    Args:
        victor: The client.
        workers: Maximum number of concurrent calls.
        stop: Stops sending: calls in progress finish, and no new call starts.
        caller: Digest of the client's credentials.
        monotonic: Clock for waits, in seconds.
    """

    def __init__(
        self,
        victor: Victor,
        workers: int,
        stop: threading.Event,
        caller: str | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._victor = victor
        self._stop = stop
        self._monotonic = monotonic
        self._backoff = Backoff(stop, monotonic)
        self._clock = KeyClock(victor, caller, monotonic)
        self._threads = Threads(workers)
        self._refused_keys: set[str] = set()
        self.given_up: str | None = None
        """Why no row can be sent with this client, or None. Sending has stopped if it is set."""

    def begin(self) -> tuple[Moment, Sent]:
        """Return the time before the first row of a chunk is sent. Asks the provider for it if necessary."""
        self._backoff.wait()
        self._ask()
        now = self._clock.now()
        return now, self._clock.as_sent(now)

    def deliver(self, rows: Sequence[Row], terms: SendTerms) -> list[Result]:
        """Send the rows, and look up those that must not be sent again. Returns results in row order."""
        rate_limiter = RateLimiter(terms.rate, self._stop, self._monotonic)
        results: dict[int, Result] = {}
        to_send: list[int] = []
        doubtful: list[tuple[int, UncertainRow]] = []
        if any(terms.sent_before(row) for row in rows):
            self._backoff.wait()
            self._ask()
        for place, row in enumerate(rows):
            sent = terms.sent_before(row)
            why = None if sent is None else self._clock.reason_not_to_resend(sent, terms.retention)
            if row.arguments is None:
                results[place] = Result(RowOutcome.REFUSED, error=row.reason)
            elif sent is not None and why is not None and why is not TIME_UNKNOWN:
                doubtful.append((place, (row, sent, why)))
            else:
                to_send.append(place)
        # All of them before the first is judged: the last ones may explain why the first ones were rejected.
        found = self._threads.map(lambda place: self._send(rows[place], terms, rate_limiter), to_send)
        for place, result in zip(to_send, found, strict=True):
            row = rows[place]
            if isinstance(result, tuple):
                doubtful.append((place, result))
                continue
            sent = terms.sent_before(row) or result.sent
            if sent is None and self.given_up is not None and row.key in self._refused_keys:
                # The client was rejected, not the row, and nothing was created: the row waits for `resume`.
                results[place] = replace(_WAITING, error=result.error)
            elif sent is not None and result.outcome in (RowOutcome.REJECTED, RowOutcome.REFUSED):
                doubtful.append((place, (row, sent, f"It may have been sent before; now: {result.error}")))
            else:
                results[place] = _with_earlier_tries(result, sent)
        if doubtful:
            looked_up = self._look_up([each for _, each in doubtful], terms)
            results.update(zip((place for place, _ in doubtful), looked_up, strict=True))
        return [results[place] for place in range(len(rows))]

    def close(self) -> None:
        """Start no more threads. After a stop, each row that is left returns that it was not sent."""
        self._threads.close()

    def _look_up(self, doubtful: Sequence[UncertainRow], terms: SendTerms) -> list[Result]:
        """Look up rows until this succeeds, the patience ends, or sending stops."""
        ends = self._monotonic() + terms.patience
        tries = 0
        while True:
            self._backoff.wait()
            if self._stop.is_set():
                return unresolved(doubtful, "It has not been looked up: the sender was stopped.")
            try:
                found = look_up(self._victor, doubtful, terms.shared)
            except VictorError as error:
                reason, at_least = str(error), pause_asked(error)
                if isinstance(error, AuthenticationError | ConfigurationError):
                    self._give_up(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, what is known of the other rows must be kept
                reason, at_least = f"An unexpected {type(error).__name__}.", 0.0
            else:
                self._backoff.record_success()
                return found
            self._backoff.record_failure(at_least)
            if self._stop.is_set() or self._monotonic() >= ends:
                return unresolved(doubtful, f"It could not be looked up now: {reason}")
            tries += 1
            self._stop.wait(max(pause_after(tries), at_least))

    def _ask(self) -> VictorError | None:
        """Get the provider's time with at most one read; return the error if this fails."""
        if self._clock.is_settled() or self._stop.is_set():
            return None
        error = self._clock.ask()
        if error is not None:
            self._backoff.record_failure(pause_asked(error))
        return error

    def _send(self, row: Row, terms: SendTerms, rate_limiter: RateLimiter) -> Result | UncertainRow:
        """Send one row until it is settled, its patience ends, or sending stops.

        Returns:
            The result, or an `UncertainRow` if the row may have been sent and must not be sent again.
        """
        ends = self._monotonic() + terms.patience
        victor = _bounded(self._victor, longest_call(terms.retention))
        sent: Sent | Moment | None = terms.sent_before(row)
        last, tries = _WAITING, 0
        while True:
            self._backoff.wait()
            rate_limiter.wait()
            # Check after the waits: a key can expire during them.
            error = self._ask() if isinstance(sent, Sent) else None
            if self._stop.is_set():
                return last
            since, kept = sent, terms.retention
            if since is None and terms.alone_since is not None:
                since, kept = terms.alone_since(), max(terms.retention, _LEAST_KEPT)
            why = None if since is None else self._clock.reason_not_to_resend(since, kept)
            if since is not None and why is not None and why is not TIME_UNKNOWN:
                return row, self._clock.as_sent(since), why
            moment = self._clock.now()
            result, at_least = self._call(victor, row, is_repeat=sent is not None) if why is None else _not_asked(error)
            result = _combined(last, result)
            if sent is None and result.outcome in MAY_EXIST:
                sent = moment
            if isinstance(sent, Moment):
                result = replace(result, sent=self._clock.as_sent(sent))
            if result.outcome in SETTLED or self._monotonic() >= ends:
                return result
            last, tries = result, tries + 1
            # All rows share the backoff, and successes of other rows reset it; this wait grows for each row.
            self._stop.wait(max(pause_after(tries), at_least))

    def _call(self, victor: Victor, row: Row, *, is_repeat: bool) -> tuple[Result, float]:
        """Make one call. Returns its result and the seconds that the provider asks to wait."""
        arguments: dict[str, Any] = dict(row.arguments or {})
        try:
            if not is_repeat:
                _check_due_date(arguments, victor.provider_time().moment)
            request = victor.payment_requests.create(**arguments, idempotency_key=row.key)
        except VictorError as error:
            return self._failed(error, row.key), pause_asked(error)
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            self._backoff.record_failure()
            # The exception's text may contain account numbers; its type does not.
            return Result(RowOutcome.UNKNOWN, error=f"An unexpected {type(error).__name__} while it was sent."), 0.0
        self._answered()
        if not request.id:
            return Result(RowOutcome.ACCEPTED, status=request.status, error="The answer holds no id."), 0.0
        return Result(RowOutcome.CREATED, request.id, request.status), 0.0

    def _failed(self, error: VictorError, key: str) -> Result:
        outcome = _OF_THE_CALL[error.outcome]
        if isinstance(error, InvalidRequest):
            return Result(RowOutcome.REFUSED, error=error.summary)
        if isinstance(error, BadRequest | Conflict):
            self._answered()
            return Result(outcome, error=error.summary)
        if isinstance(error, AuthenticationError | ConfigurationError):
            self._give_up(error)
            return Result(outcome, error=error.summary) if outcome is RowOutcome.UNKNOWN else _WAITING
        if isinstance(error, RateLimited) and outcome is RowOutcome.REJECTED:
            self._backoff.record_failure(pause_asked(error))
            return Result(RowOutcome.NOT_SENT, error=error.summary)
        if isinstance(error, StatusError) and outcome is RowOutcome.REJECTED:
            self._refused_keys.add(key)
            if len(self._refused_keys) >= _MOST_REFUSALS:
                self._give_up(error)
            return Result(outcome, error=error.summary)
        self._backoff.record_failure(pause_asked(error))
        return Result(outcome, error=error.summary)

    def _answered(self) -> None:
        if self._refused_keys:
            # Replace the set instead of clearing it: another thread may be reading it.
            self._refused_keys = set()
        self._backoff.record_success()

    def _give_up(self, error: VictorError) -> None:
        self.given_up = self.given_up or error.summary
        self._stop.set()


def _check_due_date(arguments: Mapping[str, Any], now: datetime) -> None:
    """Check the due date of a row that is sent for the first time. Raises `InvalidRequest`.

    The client permits a past one with a key, because the call may be a retry. It checks everything else itself, and
    today and tomorrow are never wrong.
    """
    if arguments.get("due_date") not in (now.date().isoformat(), (now + timedelta(days=1)).date().isoformat()):
        check_payment_request(**arguments, now=now)


def _bounded(victor: Victor, seconds: float) -> Victor:
    """Return the client, or one whose deadline is shorter if a call of it could take longer than this."""
    deadline = victor.payment_requests.deadline
    return victor if deadline is not None and deadline <= seconds else victor.with_options(deadline=seconds)


def _not_asked(error: VictorError | None) -> tuple[Result, float]:
    """Return the result for a row that waits for the provider's time. No call was made."""
    why = f"It may have been sent, and waits for the provider to tell its time: {error}"
    return Result(RowOutcome.UNKNOWN, error=why), pause_asked(error)


def _combined(last: Result, result: Result) -> Result:
    """Combine a result with the previous one. A failure to send does not settle an unknown outcome.

    A rejection stays a rejection here; the row is then looked up.
    """
    if last.outcome not in MAY_EXIST or result.outcome in SETTLED:
        return result
    return replace(result, outcome=last.outcome, error=result.error or last.error)


def _with_earlier_tries(result: Result, sent: Sent | None) -> Result:
    """Combine the result of this run with earlier runs that may have sent the row."""
    if sent is None:
        return result
    if result.outcome in (RowOutcome.NOT_SENT, RowOutcome.WAITING):
        why = result.error or "It may have been sent before this program was interrupted; it has not been tried since."
        return Result(RowOutcome.UNKNOWN, error=why, sent=sent)
    return replace(result, sent=sent) if result.outcome in MAY_EXIST else result
