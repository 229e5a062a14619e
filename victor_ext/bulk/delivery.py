"""Sending the rows of a chunk, and saying of each what is known."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
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

from .key_age import TIME_UNKNOWN, KeyClock, Moment
from .pacing import Backoff, RateLimiter, pause_after, pause_asked
from .reconciliation import Shared, UncertainRow, look_up, unresolved
from .rows import MAY_EXIST, SETTLED, Result, Row, RowOutcome, Sent

_WAITING = Result(RowOutcome.WAITING)
_MOST_REFUSALS = 10
"""So many refusals for no reason that lies in a row mean that no row of the batch will fare better."""
_OF_THE_CALL = {
    Outcome.NOT_SENT: RowOutcome.NOT_SENT,
    Outcome.REJECTED: RowOutcome.REJECTED,
    Outcome.UNKNOWN: RowOutcome.UNKNOWN,
    Outcome.ACCEPTED: RowOutcome.ACCEPTED,
}


@dataclass(frozen=True, slots=True)
class SendTerms:
    """How the rows of a chunk are sent.

    Attributes:
        retention: Seconds for which the provider keeps a key.
        patience: Seconds for which a row is tried again before it is given up for this time.
        rate: Rows a second, or None.
        sent: How any row of the chunk may have been sent, when it was taken up before; None when it was not.
        shared: Which references several rows of the batch have.
    """

    retention: float
    patience: float
    rate: float | None
    sent: Sent | None
    shared: Shared

    def sent_before(self, row: Row) -> Sent | None:
        """How the row may have been sent before this try."""
        return row.sent or self.sent


class Delivery:
    """Sends rows with one client, so many at a time, for all chunks of a process.

    Args:
        victor: The client.
        workers: How many calls may be under way.
        stop: Ends the sending: calls under way end, no other one begins.
        caller: A digest of the client's credentials.
        monotonic: The clock of its waits, in seconds.
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
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="victor-bulk")
        self._refused_keys: set[str] = set()
        self.given_up: str | None = None
        """Why no row can be sent with this client; it has stopped then."""

    def begin(self) -> Sent:
        """The moment before the first row of a chunk is sent. If no answer has told the time yet, it is asked for."""
        self._backoff.wait()
        self._ask()
        return self._clock.as_sent(self._clock.now())

    def deliver(self, rows: Sequence[Row], terms: SendTerms) -> list[Result]:
        """Send the rows, and look up those that must not be sent again. The results are in the rows' order."""
        rate_limiter = RateLimiter(terms.rate, self._stop, self._monotonic)
        results: dict[int, Result] = {}
        calls: list[tuple[int, Future[Result | UncertainRow]]] = []
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
                calls.append((place, self._pool.submit(self._send, row, terms, rate_limiter)))
        # All of them first: what the last ones came to may say why the first ones were refused.
        for place, result in [(place, call.result()) for place, call in calls]:
            row = rows[place]
            if isinstance(result, tuple):
                doubtful.append((place, result))
                continue
            sent = terms.sent_before(row) or result.sent
            if sent is None and self.given_up is not None and row.key in self._refused_keys:
                # It is not the row that was refused, and nothing was created: it waits for `resume`.
                results[place] = replace(_WAITING, error=result.error)
            elif sent is not None and result.outcome in (RowOutcome.REJECTED, RowOutcome.REFUSED):
                doubtful.append((place, (row, sent, f"It may have been sent before; now: {result.error}")))
            else:
                results[place] = _with_earlier_tries(result, sent)
        if doubtful:
            found = self._look_up([each for _, each in doubtful], terms)
            results.update(zip((place for place, _ in doubtful), found, strict=True))
        return [results[place] for place in range(len(rows))]

    def close(self) -> None:
        """Let the threads go; those in a call end with it."""
        # Rows in line are not cancelled: after a stop they say by themselves that they were not sent.
        self._pool.shutdown(wait=False)

    def _look_up(self, doubtful: Sequence[UncertainRow], terms: SendTerms) -> list[Result]:
        """Look rows up until that succeeds, the patience is at an end, or all is to stop."""
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
        """See that the provider's time is known, with one read at most; why it is not."""
        if self._clock.is_settled() or self._stop.is_set():
            return None
        error = self._clock.ask()
        if error is not None:
            self._backoff.record_failure(pause_asked(error))
        return error

    def _send(self, row: Row, terms: SendTerms, rate_limiter: RateLimiter) -> Result | UncertainRow:
        """Send one row until it is settled, its patience is at an end, or all is to stop.

        Returns:
            What became of it, or that it may not be sent once more, although it may have been sent.
        """
        ends = self._monotonic() + terms.patience
        sent: Sent | Moment | None = terms.sent_before(row)
        last, tries = _WAITING, 0
        while True:
            self._backoff.wait()
            rate_limiter.wait()
            # Only now: a slow pace, or a provider that said when to come back, can outlast a key.
            error = self._ask() if isinstance(sent, Sent) else None
            if self._stop.is_set():
                return last
            why = None if sent is None else self._clock.reason_not_to_resend(sent, terms.retention)
            if sent is not None and why is not None and why is not TIME_UNKNOWN:
                return row, self._clock.as_sent(sent), why
            moment = self._clock.now()
            result, at_least = self._call(row, is_repeat=sent is not None) if why is None else _not_asked(error)
            result = _combined(last, result)
            if sent is None and result.outcome in MAY_EXIST:
                sent = moment
            if isinstance(sent, Moment):
                result = replace(result, sent=self._clock.as_sent(sent))
            if result.outcome in SETTLED or self._monotonic() >= ends:
                return result
            last, tries = result, tries + 1
            # The brake is everybody's, and other rows' successes shorten it: the waits of this row grow by themselves.
            self._stop.wait(max(pause_after(tries), at_least))

    def _call(self, row: Row, *, is_repeat: bool) -> tuple[Result, float]:
        """What one call came to, and the seconds that the provider asks to wait before another one."""
        arguments: dict[str, Any] = dict(row.arguments or {})
        try:
            if not is_repeat:
                # A key may excuse a due date that has passed, since it may repeat an older request. This one does not.
                check_payment_request(**arguments, now=self._victor.provider_time().moment)
            request = self._victor.payment_requests.create(**arguments, idempotency_key=row.key)
        except VictorError as error:
            return self._failed(error, row.key), pause_asked(error)
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            self._backoff.record_failure()
            # Its text may hold anything; its type does not.
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
            # A new one, and not under the eyes of another thread that reads it.
            self._refused_keys = set()
        self._backoff.record_success()

    def _give_up(self, error: VictorError) -> None:
        self.given_up = self.given_up or error.summary
        self._stop.set()


def _not_asked(error: VictorError | None) -> tuple[Result, float]:
    """A row that may have been sent, and waits for the provider's time: no call was made."""
    why = f"It may have been sent, and waits for the provider to tell its time: {error}"
    return Result(RowOutcome.UNKNOWN, error=why), pause_asked(error)


def _combined(last: Result, result: Result) -> Result:
    """The result of a try, seen together with the one before it: what that left open, no failure to send settles.

    Nor does a refusal, which stays what it is here: the row is looked up then.
    """
    if last.outcome not in MAY_EXIST or result.outcome in SETTLED:
        return result
    return replace(result, outcome=last.outcome, error=result.error or last.error)


def _with_earlier_tries(result: Result, sent: Sent | None) -> Result:
    """The result of this run, seen together with earlier ones that may have sent the row."""
    if sent is None:
        return result
    if result.outcome in (RowOutcome.NOT_SENT, RowOutcome.WAITING):
        why = result.error or "It may have been sent before this program was interrupted; it has not been tried since."
        return Result(RowOutcome.UNKNOWN, error=why, sent=sent)
    return replace(result, sent=sent) if result.outcome in MAY_EXIST else result
