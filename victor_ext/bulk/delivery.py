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
)

from .pacing import Brake, Pacer, pause_after
from .rows import MAY_EXIST, SETTLED, Result, Row, RowOutcome, Sent
from .settling import Doubtful, Shared, left_open, look_up

_WAITING = Result(RowOutcome.WAITING)
_MARGIN = 300.0
"""Seconds before the end of a key's life from which on it is not sent any more: a call and its retries take time."""
_REFUSED_IN_A_ROW = 10
"""So many refusals for no reason that lies in a row mean that no row of the batch will fare better."""
_OF_THE_CALL = {
    Outcome.NOT_SENT: RowOutcome.NOT_SENT,
    Outcome.REJECTED: RowOutcome.REJECTED,
    Outcome.UNKNOWN: RowOutcome.UNKNOWN,
    Outcome.ACCEPTED: RowOutcome.ACCEPTED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How the rows of a chunk are sent.

    Attributes:
        retention: Seconds for which the provider keeps a key.
        patience: Seconds for which a row is tried again before it is given up for this time.
        rate: Rows a second, or None.
        sent: When this chunk was taken up first, and with whose credentials.
        again: Whether it was taken up before, so that any of its rows may have been sent.
        caller: With whose credentials it is sent now.
        shared: Which references several rows of the batch have.
    """

    retention: float
    patience: float
    rate: float | None
    sent: Sent
    again: bool
    caller: str | None
    shared: Shared

    def sent_before(self, row: Row) -> Sent | None:
        """How the row may have been sent before this try."""
        return row.sent or (self.sent if self.again else None)

    def why_not_again(self, sent: Sent | None) -> str | None:
        """Why a row that may have been sent like this is not sent once more, or None if it can be."""
        if sent is None:
            return None
        # The margin is for a retention of hours; a short one must leave time to send at all.
        if time.time() - sent.since > self.retention - min(_MARGIN, self.retention / 10):
            return "It may have been sent, longer ago than its key is kept."
        if sent.by != self.caller:
            return "It may have been sent with other credentials, whose keys the provider may keep apart."
        return None


class Delivery:
    """Sends rows with one client, so many at a time, for all chunks of a process.

    Args:
        victor: The client.
        workers: How many calls may be under way.
        stop: Ends the sending: calls under way end, no other one begins.
        monotonic: The clock of its waits, in seconds.
    """

    def __init__(
        self,
        victor: Victor,
        workers: int,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._victor = victor
        self._stop = stop
        self._monotonic = monotonic
        self._brake = Brake(stop, monotonic)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="victor-bulk")
        self._refused_in_a_row: set[str] = set()
        self.given_up: str | None = None
        """Why no row can be sent with this client; it has stopped then."""

    def deliver(self, rows: Sequence[Row], terms: Terms) -> list[Result]:
        """Send the rows, and look up those that must not be sent again. The results are in the rows' order."""
        pacer = Pacer(terms.rate, self._stop, self._monotonic)
        results: dict[int, Result] = {}
        calls: list[tuple[int, Future[Result | str]]] = []
        doubtful: list[tuple[int, Sent, str]] = []
        for place, row in enumerate(rows):
            sent = terms.sent_before(row)
            why = terms.why_not_again(sent)
            if row.arguments is None:
                results[place] = Result(RowOutcome.REFUSED, error=row.reason)
            elif sent is not None and why is not None:
                doubtful.append((place, sent, why))
            else:
                calls.append((place, self._pool.submit(self._send, row, terms, pacer)))
        # All of them first: what the last ones came to may say why the first ones were refused.
        for place, result in [(place, call.result()) for place, call in calls]:
            if isinstance(result, str):
                doubtful.append((place, terms.sent_before(rows[place]) or terms.sent, result))
                continue
            sent = terms.sent_before(rows[place]) or result.sent
            if sent is None and self.given_up is not None and rows[place].key in self._refused_in_a_row:
                # It is not the row that was refused, and nothing was created: it waits for `resume`.
                results[place] = replace(_WAITING, error=result.error)
            elif sent is not None and result.outcome in (RowOutcome.REJECTED, RowOutcome.REFUSED):
                doubtful.append((place, sent, f"It may have been sent before; now: {result.error}"))
            else:
                results[place] = _in_full(result, sent, terms)
        if doubtful:
            found = self._look_up([(rows[place], sent, why) for place, sent, why in doubtful], terms)
            results.update(zip((place for place, _, _ in doubtful), found, strict=True))
        return [results[place] for place in range(len(rows))]

    def close(self) -> None:
        """Let the threads go; those in a call end with it."""
        # Rows in line are not cancelled: after a stop they say by themselves that they were not sent.
        self._pool.shutdown(wait=False)

    def _look_up(self, doubtful: Sequence[Doubtful], terms: Terms) -> list[Result]:
        """Look rows up until that succeeds, the patience is at an end, or all is to stop."""
        ends = self._monotonic() + terms.patience
        tries = 0
        while True:
            self._brake.wait()
            if self._stop.is_set():
                return left_open(doubtful, "It has not been looked up: the sender was stopped.")
            try:
                found = look_up(self._victor, doubtful, terms.shared)
            except VictorError as error:
                reason, at_least = str(error), error.retry_after or 0.0
                if isinstance(error, AuthenticationError | ConfigurationError):
                    self._give_up(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, what is known of the other rows must be kept
                reason, at_least = f"An unexpected {type(error).__name__}.", 0.0
            else:
                self._brake.release()
                return found
            self._brake.press(at_least)
            if self._stop.is_set() or self._monotonic() >= ends:
                return left_open(doubtful, f"It could not be looked up now: {reason}")
            tries += 1
            self._stop.wait(max(pause_after(tries), at_least))

    def _send(self, row: Row, terms: Terms, pacer: Pacer) -> Result | str:
        """Send one row until it is settled, its patience is at an end, or all is to stop.

        Returns:
            What became of it, or why it may not be sent once more, although it may have been sent.
        """
        ends = self._monotonic() + terms.patience
        sent, last = terms.sent_before(row), _WAITING
        tries = 0
        while True:
            self._brake.wait()
            pacer.wait()
            if self._stop.is_set():
                return last
            # Only now: a slow pace, or a provider that said when to come back, can outlast a key.
            if (why := terms.why_not_again(sent)) is not None:
                return why
            result, at_least = self._call(row)
            if result.outcome in MAY_EXIST:
                sent = sent or terms.sent
            if last.outcome in MAY_EXIST:
                # What one try left open, neither a refusal nor a failure to send settles.
                if result.outcome in (RowOutcome.REJECTED, RowOutcome.REFUSED):
                    return replace(result, sent=terms.sent)
                if result.outcome is not RowOutcome.CREATED:
                    result = replace(result, outcome=last.outcome, error=result.error or last.error)
            if result.outcome in SETTLED or self._monotonic() >= ends:
                return result
            last, tries = result, tries + 1
            # The brake is everybody's, and other rows' successes shorten it: the waits of this row grow by themselves.
            self._stop.wait(max(pause_after(tries), at_least))

    def _call(self, row: Row) -> tuple[Result, float]:
        """What one call came to, and the seconds that the provider asks to wait before another one."""
        arguments: dict[str, Any] = dict(row.arguments or {})
        try:
            request = self._victor.payment_requests.create(**arguments, idempotency_key=row.key)
        except VictorError as error:
            return self._failed(error, row.key), error.retry_after or 0.0
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            self._brake.press()
            # Its text may hold anything; its type does not.
            return Result(RowOutcome.UNKNOWN, error=f"An unexpected {type(error).__name__} while it was sent."), 0.0
        self._answered()
        if not request.id:
            return Result(RowOutcome.ACCEPTED, status=request.status, error="The answer holds no id."), 0.0
        return Result(RowOutcome.CREATED, request.id, request.status), 0.0

    def _failed(self, error: VictorError, key: str) -> Result:
        outcome = _OF_THE_CALL[error.outcome]
        if isinstance(error, InvalidRequest):
            return Result(RowOutcome.REFUSED, error=error.message)
        if isinstance(error, BadRequest | Conflict):
            self._answered()
            return Result(outcome, error=error.message)
        if isinstance(error, AuthenticationError | ConfigurationError):
            self._give_up(error)
            return Result(outcome, error=error.message) if outcome is RowOutcome.UNKNOWN else _WAITING
        if isinstance(error, RateLimited) and outcome is RowOutcome.REJECTED:
            self._brake.press(error.retry_after)
            return Result(RowOutcome.NOT_SENT, error=error.message)
        if isinstance(error, StatusError) and outcome is RowOutcome.REJECTED:
            self._refused_in_a_row.add(key)
            if len(self._refused_in_a_row) >= _REFUSED_IN_A_ROW:
                self._give_up(error)
            return Result(outcome, error=error.message)
        self._brake.press(error.retry_after)
        return Result(outcome, error=error.message)

    def _answered(self) -> None:
        if self._refused_in_a_row:
            # A new one, and not under the eyes of another thread that reads it.
            self._refused_in_a_row = set()
        self._brake.release()

    def _give_up(self, error: VictorError) -> None:
        self.given_up = self.given_up or error.message
        self._stop.set()


def _in_full(result: Result, sent: Sent | None, terms: Terms) -> Result:
    """The result of this try, seen together with earlier ones that may have sent the row."""
    if sent is None:
        return replace(result, sent=terms.sent) if result.outcome in MAY_EXIST else result
    if result.outcome in (RowOutcome.NOT_SENT, RowOutcome.WAITING):
        why = result.error or "It may have been sent before this program was interrupted; it has not been tried since."
        return Result(RowOutcome.UNKNOWN, error=why, sent=sent)
    return replace(result, sent=sent) if result.outcome in MAY_EXIST else result
