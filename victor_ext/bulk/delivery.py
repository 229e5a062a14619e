"""Send the rows of a chunk and determine their results: the driver of `settle` with threads."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, count
from operator import call
from typing import Any, TypeAlias

from sqlalchemy.exc import SQLAlchemyError

from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    PaymentRequest,
    Victor,
    VictorError,
    check_payment_request,
)
from victor_ext.flows import drive
from victor_ext.ids import reference_of
from victor_ext.settlement.arguments import as_checked
from victor_ext.settlement.flow import MAY_EXIST, About, LookUp, Payment, Rival, Settlement, about, settle
from victor_ext.settlement.key_age import Keys, Moment, Now, Sent, within_key_life

from .pacing import Backoff, ProviderClock, RateLimiter, pause_after, pause_asked
from .rows import Result, Row, RowOutcome, Step

MARKED_AHEAD = 64
"""Rows that are stored as maybe sent before they are: after a crash, those are not told from rows that were sent.

Each half of them is one write to the database: one for each row would cost more than the call.
"""
_MOST_REFUSALS = 10
"""Consecutive rejections, not caused by the row's data, after which sending stops."""
_Send: TypeAlias = Callable[[int], None]
_Doubtful: TypeAlias = Sequence[tuple[str, LookUp]]
"""Rows that are looked up, with their keys."""
Rivals: TypeAlias = Callable[[AbstractSet[str], AbstractSet[str]], Sequence[Rival]]
"""Returns the rows with these references or ids, of all batches of the state. It reads all of them."""


@dataclass(frozen=True, slots=True)
class SendTerms:
    """Terms for sending the rows of a chunk: as in `Chunk`, with the rate in rows per second.

    `rivals` returns the rows, also of other batches, whose request may be taken for one of these rows'. For
    `alone_since`, see `Keys`.
    """

    retention: float
    patience: float
    rate: float | None
    rivals: Rivals
    alone_since: Callable[[], Moment] | None = None


class Delivery:
    """Sends the rows of all chunks of a process with one client, until `stop`: then only calls in progress finish."""

    def __init__(
        self, victor: Victor, workers: int, stop: threading.Event, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._victor, self._caller = victor, victor.caller
        self._stop = stop
        self._monotonic = monotonic
        self._backoff = Backoff(stop, monotonic)
        self._clock = ProviderClock(victor, monotonic)
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="victor-bulk")
        self._few = threading.Lock()
        """Of the chunk that is sent while the provider's time is not known."""
        self._refused_keys: set[str] = set()
        self.given_up: str | None = None
        """Why no row can be sent with this client, or None. Sending has stopped if it is set."""

    def now(self) -> tuple[Moment, Sent]:
        """Return the present time, and as what is stored of a row that is sent now."""
        now = self._clock.now()
        return now.moment, Sent.at(now.moment, now, self._caller)

    def deliver(
        self, rows: Mapping[int, Row], terms: SendTerms, begun: int, results: dict[int, Result]
    ) -> Generator[Step]:
        """Send rows, and look up those that must not be sent again.

        Each step has to be stored before the next one is asked for. If nobody asks, the calls in progress end.

        Args:
            rows: The rows without a result, by index, in the order of the indexes.
            begun: As in `Step`.
            results: Results that are not stored yet. Those of the rows are added, also if nobody asks for more.
        """
        rate_limiter = RateLimiter(terms.rate, self._stop, self._monotonic)
        step = Step(begun, None, dict(results))
        refused = {index: row for index, row in rows.items() if row.arguments is None}
        results |= {index: Result(RowOutcome.REFUSED, error=row.reason) for index, row in refused.items()}
        to_send = [index for index in rows if index not in results]
        settled: dict[int, Settlement | LookUp] = {}

        def send(index: int) -> None:
            settled[index] = self._send(rows[index], terms, rate_limiter)

        def known(indexes: Iterable[int]) -> dict[int, Result]:
            each = ((index, settled[index]) for index in indexes if index in settled)
            return {index: self._result(one, rows[index].key) for index, one in each if isinstance(one, Settlement)}

        try:
            self._backoff.wait()
            self._ask()
            left = deque(to_send)
            step = yield from self._send_few(left, send, known, step)
            yield from self._send_ahead(left, send, step)
        except BaseException:
            results |= known(to_send)
            raise
        # All of them before the first is judged: the last ones may explain why the first ones were rejected.
        doubtful = [(rows[index].key, each) for index in to_send if isinstance(each := settled[index], LookUp)]
        looked_up = iter(self._look_up(doubtful, terms) if doubtful else ())
        for index in to_send:
            each = settled[index]
            settlement = next(looked_up) if isinstance(each, LookUp) else each
            results[index] = self._result(settlement, rows[index].key, is_final=True)

    def _send_few(
        self, left: deque[int], send: _Send, known: Callable[[Iterable[int]], dict[int, Result]], step: Step
    ) -> Generator[Step, None, Step]:
        """Send rows while the provider's time is not known: what is in doubt after a crash is not sent again then.

        As many are in doubt at any time as there are threads: one chunk of this process has all of them. Return what is
        to be stored with the next step. If the time is known now, the rows that are `left` are not sent.
        """
        under_way: dict[Future[None], int] = {}
        with self._few:
            try:
                while left or under_way:
                    ended = wait(under_way, return_when=FIRST_COMPLETED).done
                    for each in ended:
                        each.result()
                    step = step._replace(results={**step.results, **known(under_way.pop(each) for each in ended)})
                    _, sent = self.now()
                    if sent.known:
                        break
                    while left and self._stop.is_set():  # nothing is sent any more
                        send(left.popleft())
                    next_ones = [left.popleft() for _ in range(min(len(left), self._workers - len(under_way)))]
                    step = step._replace(begun=max([step.begun, *(index + 1 for index in next_ones)]), sent=sent)
                    if next_ones or step.results:
                        yield step
                        step = Step(step.begun, None, {})
                    under_way |= {self._threads.submit(send, index): index for index in next_ones}
            finally:
                wait(under_way)
        return step._replace(results={**step.results, **known(under_way.values())})

    def _send_ahead(self, left: deque[int], send: _Send, step: Step) -> Generator[Step]:
        """Send rows while the provider's time is known: the next ones are stored as begun while threads send."""
        threads: list[list[Future[None]]] = []
        try:
            while left:
                while left and self._stop.is_set():  # nothing is sent any more
                    send(left.popleft())
                group = [left.popleft() for _ in range(min(len(left), MARKED_AHEAD // 2))]
                if group:
                    step = step._replace(begun=max(step.begun, group[-1] + 1), sent=self.now()[1])
                    yield step
                    step = Step(step.begun, None, {})
                    threads.append(self._send_group(group, send))
                if len(threads) > 1:
                    # A thread that has ended found no more rows of the group before this one.
                    wait(threads[-2], return_when=FIRST_COMPLETED)
        finally:
            wait(chain.from_iterable(threads))
        for each in chain.from_iterable(threads):
            each.result()

    def _send_group(self, group: Collection[int], send: _Send) -> list[Future[None]]:
        rows = iter(group)

        def send_rows() -> None:
            # A thread takes row after row: a future for each one costs as much as a fifth of its call.
            for index in rows:
                send(index)

        return [self._threads.submit(send_rows) for _ in range(min(self._workers, len(group)))]

    def close(self) -> None:
        """Start no more threads. After a stop, each row that is left returns that it was not sent."""
        self._threads.shutdown(wait=False)

    def _result(self, settlement: Settlement, key: str, *, is_final: bool = False) -> Result:
        is_of_client = self.given_up is not None or not is_final
        if settlement.outcome is RowOutcome.REJECTED and is_of_client and key in self._refused_keys:
            # The client was rejected, not the row, and nothing was created: the row waits for `resume`.
            return Result(RowOutcome.WAITING, error=settlement.reason)
        outcome, request, sent = settlement.outcome, settlement.request, settlement.sent
        if isinstance(sent, Moment):
            sent = Sent.at(sent, self._clock.now(), self._caller)
        if sent is not None and settlement.looked_up:
            sent = sent._replace(looked_up=True)
        id_, status = (None, None) if request is None else (request.id or None, request.status)
        return Result(outcome, id_, status, settlement.reason, sent if outcome in MAY_EXIST else None)

    def _send(self, row: Row, terms: SendTerms, rate_limiter: RateLimiter) -> Settlement | LookUp:
        """Send one row until it is settled, its patience ends, sending stops, or it has to be looked up."""
        keys = Keys(terms.retention, self._caller, terms.alone_since)
        turn = partial(self._turn, count(), self._monotonic() + terms.patience, keys, rate_limiter)
        victor, payment = within_key_life(self._victor, terms.retention), Payment(row.arguments or {}, row.sent)
        flow = settle(payment, keys, turn, lambda is_repeat: self._call(victor, row, is_repeat=is_repeat))
        return drive(flow, call)

    def _turn(
        self,
        turns: Iterator[int],
        ends: float,
        keys: Keys,
        rate_limiter: RateLimiter,
        so_far: Settlement,
        sent: Sent | Moment | None,
    ) -> Now | None:
        """Wait until a row can be tried; None: its patience has ended, or sending stops."""
        tries = next(turns)
        if tries:
            if self._monotonic() >= ends:
                return None
            # All rows share the backoff, and successes of other rows reset it; this wait grows for each row.
            self._stop.wait(max(pause_after(tries), pause_asked(so_far.error)))
        elif keys.is_over(sent, now := self._clock.now()):
            return now  # nothing is sent: it is looked up
        self._backoff.wait()
        rate_limiter.wait()
        if isinstance(sent, Sent):
            self._ask()
        # The time is read after the waits: a key can expire during them.
        return None if self._stop.is_set() else self._clock.now()

    def _call(self, victor: Victor, row: Row, *, is_repeat: bool) -> PaymentRequest:
        """Make one call, and note what its result says of the client and the provider."""
        arguments = as_checked(row.arguments or {})
        try:
            if not is_repeat:
                _check_due_date(arguments, victor.provider_time().moment)
            request = victor.payment_requests.create(**arguments, idempotency_key=row.key)
        except VictorError as error:
            self._note(error, row.key)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            self._backoff.record_failure()
            # The exception's text may contain account numbers; its type does not.
            what = f"An unexpected {type(error).__name__} while it was sent."
        else:
            self._answered()
            return request
        raise VictorError(what, outcome=Outcome.UNKNOWN)

    def _note(self, error: VictorError, key: str) -> None:
        what = about(error)
        if what is About.CLIENT:
            self._give_up(error)
        elif what is About.EITHER:
            self._refused_keys.add(key)
            if len(self._refused_keys) >= _MOST_REFUSALS:
                self._give_up(error)
        elif what is About.PROVIDER:
            self._backoff.record_failure(pause_asked(error))
        elif not isinstance(error, InvalidRequest):
            self._answered()

    def _look_up(self, doubtful: _Doubtful, terms: SendTerms) -> list[Settlement]:
        """Look up rows until this succeeds, the patience ends, or sending stops."""
        ends = self._monotonic() + terms.patience
        tries = 0
        while True:
            self._backoff.wait()
            if self._stop.is_set():
                return _unresolved(doubtful, "It has not been looked up: the sender was stopped.")
            try:
                requests = _requests_by_reference(self._victor, [each for _, each in doubtful])
            except VictorError as error:
                reason, at_least = str(error), pause_asked(error)
                if isinstance(error, AuthenticationError | ConfigurationError):
                    self._give_up(error)
            except Exception as error:  # noqa: BLE001 - whatever it was, what is known of the other rows must be kept
                reason, at_least = f"An unexpected {type(error).__name__}.", 0.0
            else:
                self._backoff.record_success()
                return _matched(doubtful, requests, terms.rivals)
            self._backoff.record_failure(at_least)
            if self._stop.is_set() or self._monotonic() >= ends:
                return _unresolved(doubtful, f"It could not be looked up now: {reason}")
            tries += 1
            self._stop.wait(max(pause_after(tries), at_least))

    def _ask(self) -> None:
        if self._clock.is_settled() or self._stop.is_set():
            return
        error = self._clock.ask()
        if error is not None:
            self._backoff.record_failure(pause_asked(error))

    def _answered(self) -> None:
        if self._refused_keys:
            # Replace the set instead of clearing it: another thread may be reading it.
            self._refused_keys = set()
        self._backoff.record_success()

    def _give_up(self, error: VictorError) -> None:
        self.given_up = self.given_up or error.summary
        self._stop.set()


def _requests_by_reference(victor: Victor, steps: Sequence[LookUp]) -> dict[str, list[PaymentRequest]]:
    """Return the requests with the references of these steps.

    The provider's list has no reference filter, so it is read once for all rows, from the earliest possible send.
    """
    wanted = {step.payment.reference for step in steps}
    requests: dict[str, list[PaymentRequest]] = defaultdict(list)
    for request in victor.payment_requests.list(direction="outbound", start_datetime=min(step.since for step in steps)):
        reference = reference_of(request.client_reference_id)
        if reference in wanted:
            requests[reference].append(request)
    return requests


def _matched(doubtful: _Doubtful, requests: Mapping[str, Sequence[PaymentRequest]], rivals: Rivals) -> list[Settlement]:
    """Match rows and requests by reference. One request settles one row in all batches of the state."""
    ids = {request.id for matches in requests.values() for request in matches}
    try:
        others = rivals(requests.keys(), ids) if requests else ()
    except (SQLAlchemyError, ConfigurationError) as error:
        why = f"It could not be looked up now: the state cannot be read ({type(error).__name__})."
        return _unresolved(doubtful, why)
    settlements: list[Settlement] = []
    for key, each in doubtful:
        settlement = each.settled(requests.get(each.payment.reference, ()))
        request, otherwise = settlement.request, settlement.unless_mine
        if request is not None and otherwise is not None:
            made = (one.may_have_made(request.id, request.client_reference_id, key) for one in others)
            settlement = otherwise if any(made) else settlement
        settlements.append(settlement)
    return settlements


def _unresolved(doubtful: _Doubtful, reason: str) -> list[Settlement]:
    return [each.unknown(reason, looked_up=False) for _, each in doubtful]


def _check_due_date(arguments: Mapping[str, Any], now: datetime) -> None:
    """Check the due date of a row that is sent for the first time: with a key, the client permits a past one."""
    # Today and tomorrow are never wrong.
    if arguments.get("due_date") not in (now.date().isoformat(), (now + timedelta(days=1)).date().isoformat()):
        check_payment_request(**arguments, now=now)
