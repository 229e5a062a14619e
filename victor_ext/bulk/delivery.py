"""Send the rows of a chunk and determine their results: the driver of `settle` with threads."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from operator import call
from typing import Any, TypeAlias

from victor_ext import Done, InvalidRequest, Outcome, VictorError
from victor_ext.flows import drive
from victor_ext.settlement.flow import (
    MAY_EXIST,
    LookUp,
    Settlement,
    Write,
    settle,
)
from victor_ext.settlement.key_age import (
    Keys,
    Moment,
    NoKey,
    Sent,
    within_decision,
    within_key_life,
)

from .pacing import Contact, RateLimiter, Turns
from .reconciliation import SETTLE_FOR, Doubtful, Reconciliation, Rivals
from .row_kind import Sendable
from .rows import Result, Row, RowOutcome, Step

MARKED_AHEAD = 64
"""Rows that are stored as maybe sent before they are: after a crash, those are not told from rows
that were sent.

Each half of them is one write to the database: one for each row would cost more than the call.
"""
_Unit: TypeAlias = tuple[int, ...]
"""The indexes of rows that are sent in one call, ascending."""
Steps: TypeAlias = Generator[Step, Collection[int] | None, None]
"""Steps to store. Each takes back the indexes of those rows that are not this worker's any more."""


@dataclass(frozen=True, slots=True)
class SendTerms:
    """Terms for sending the rows of a chunk: as in `Chunk`, with the rate in rows per second.

    `rivals` returns the rows, also of other batches, whose request may be taken for one of these
    rows'. For `alone_since`, see `Keys`.
    """

    retention: float
    patience: float
    rate: float | None
    rivals: Rivals
    alone_since: Callable[[], Moment] | None = None


@dataclass(eq=False, repr=False)
class _Submission:
    """The rows of a chunk while they are sent.

    Attributes:
        sent: What is sent, without what was lost to others.
        settled: What became of it.
    """

    rows: Mapping[int, Row]
    terms: SendTerms
    limiter: RateLimiter
    sent: list[_Unit] = field(default_factory=list[_Unit])
    settled: dict[_Unit, Settlement | LookUp] = field(
        default_factory=dict[_Unit, Settlement | LookUp]
    )

    def rows_of(self, unit: _Unit) -> list[Row]:
        return [self.rows[index] for index in unit]

    def doubtful(self) -> dict[_Unit, Doubtful]:
        """Return what has to be looked up."""
        doubtful = dict[_Unit, Doubtful]()
        for unit in self.sent:
            settlement = self.settled[unit]
            if isinstance(settlement, LookUp):
                doubtful[unit] = Doubtful(self.rows_of(unit), settlement)
        return doubtful


class Delivery:
    """Sends the rows of all chunks of a process, until `stop`: then only calls in progress
    finish.
    """

    def __init__(
        self,
        kind: Sendable,
        workers: int,
        stop: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind = kind
        self.contact = Contact(kind.client, stop, monotonic)
        self._reconciliation = Reconciliation(kind, self.contact)
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="victor-bulk")
        self._few = threading.Lock()
        """Of the chunk that is sent while the provider's time is not known."""

    def close(self) -> None:
        """Start no more threads.

        After a stop, each row that is left returns that it was not sent.
        """
        self._threads.shutdown(wait=False)

    def deliver(
        self,
        rows: Mapping[int, Row],
        terms: SendTerms,
        results: dict[int, Result],
    ) -> Steps:
        """Send rows, and look up those that must not be sent again.

        Each step has to be stored before the next one is asked for. Whoever stores it sends back
        the indexes of those rows that are not this worker's any more: they are left alone. If
        nobody asks, the calls in progress end.

        Args:
            rows: The rows without a result, by index, in the order of the indexes.
            results: Results that are not stored yet. Those of the rows are added, also if nobody
                asks for more.
        """
        contact = self.contact
        limiter = RateLimiter(terms.rate, contact.stop, contact.monotonic)
        chunk = _Submission(rows, terms, limiter)
        unsent = [index for index in rows if index not in results]
        try:
            contact.backoff.wait()
            contact.ask_time()
            yield from self._send_all(chunk, self._units_of(unsent), dict(results))
        except BaseException:
            results |= self._results_of(chunk, chunk.sent)
            raise
        # All of them before the first is judged: the last ones may explain why the first ones were
        # rejected.
        self._look_up(chunk)
        results |= self._results_of(chunk, chunk.sent, is_final=True)
        yield from self._read_parts(chunk, results)

    def _units_of(self, indexes: Sequence[int]) -> deque[_Unit]:
        size = self.kind.together
        starts = range(0, len(indexes), size)
        return deque(tuple(indexes[start : start + size]) for start in starts)

    # Groups of rows

    def _send_all(
        self,
        chunk: _Submission,
        left: deque[_Unit],
        results: Mapping[int, Result],
    ) -> Steps:
        """Send rows in groups, each of which is stored as begun before it is sent.

        While the provider's time is known, the next group is stored while threads send. Without it,
        what is in doubt after a crash is not sent again: then a group has as many rows as there are
        threads, it ends before the next one, and one chunk of this process has all of them.
        """
        threads: list[list[Future[None]]] = []
        with ExitStack() as alone:
            alone.enter_context(self._few)
            try:
                while left:
                    _, sent = self.contact.sent_now()
                    if sent.known:
                        alone.close()
                    self._leave_stopped(chunk, left)
                    group = self._next_group(left, sent)
                    if group or results:
                        begun = list(chain.from_iterable(group))
                        lost = yield Step(begun, sent if group else None, results)
                        group = _without(group, lost or ())
                    threads.append(self._send_group(chunk, group))
                    self._wait_for(threads, is_time_known=sent.known)
                    results = {} if sent.known else self._results_of(chunk, group)
            finally:
                wait(chain.from_iterable(threads))
        for future in chain.from_iterable(threads):
            future.result()
        if results:
            yield Step((), None, results)

    def _leave_stopped(self, chunk: _Submission, left: deque[_Unit]) -> None:
        """After a stop, nothing is sent any more: each unit says so."""
        while left and self.contact.stop.is_set():
            unit = left.popleft()
            chunk.sent.append(unit)
            self._send_unit(chunk, unit)

    def _next_group(self, left: deque[_Unit], sent: Sent) -> list[_Unit]:
        size = MARKED_AHEAD // 2 if sent.known else self._workers
        return [left.popleft() for _ in range(min(len(left), size))]

    def _send_group(self, chunk: _Submission, group: list[_Unit]) -> list[Future[None]]:
        chunk.sent += group
        units = iter(group)

        def send_rows() -> None:
            # A thread takes row after row: a future for each one costs as much as a fifth of its
            # call.
            for unit in units:
                self._send_unit(chunk, unit)

        return [self._threads.submit(send_rows) for _ in range(min(self._workers, len(group)))]

    def _wait_for(self, threads: list[list[Future[None]]], *, is_time_known: bool) -> None:
        """Wait until the next group can be stored."""
        if not is_time_known:
            wait(threads[-1])
        elif len(threads) > 1:
            # A thread that has ended found no more rows of the group before this one.
            wait(threads[-2], return_when=FIRST_COMPLETED)

    def _send_unit(self, chunk: _Submission, unit: _Unit) -> None:
        chunk.settled[unit] = self._send(chunk.rows_of(unit), chunk.terms, chunk.limiter)

    # What was sent

    def _look_up(self, chunk: _Submission) -> None:
        doubtful = chunk.doubtful()
        if not doubtful:
            return
        terms = chunk.terms
        settlements = self._reconciliation.look_up(
            list(doubtful.values()), terms.patience, terms.rivals
        )
        chunk.settled.update(zip(doubtful, settlements, strict=True))

    def _read_parts(self, chunk: _Submission, results: dict[int, Result]) -> Steps:
        """Read what became of each row of what was sent together.

        Its id is stored before: after a crash it need not be searched for.
        """
        together = [unit for unit in chunk.sent if results[unit[0]].unit is not None]
        if not together:
            return
        yield Step((), None, {index: results[index] for unit in together for index in unit})
        for unit in together:
            parts = self._reconciliation.parts(
                results[unit[0]], chunk.rows_of(unit), chunk.terms.patience
            )
            results |= zip(unit, parts, strict=True)

    def _results_of(
        self,
        chunk: _Submission,
        units: Iterable[_Unit],
        *,
        is_final: bool = False,
    ) -> dict[int, Result]:
        """Return the results of those units that need no look-up."""
        results: dict[int, Result] = {}
        for unit in units:
            settlement = chunk.settled.get(unit)
            if isinstance(settlement, Settlement):
                result = self._result(settlement, chunk.rows[unit[0]].key, is_final=is_final)
                results |= dict.fromkeys(unit, result)
        return results

    def _result(
        self,
        settlement: Settlement,
        key: str,
        *,
        is_final: bool,
    ) -> Result:
        outcome, reason, request = settlement.outcome, settlement.reason, settlement.request
        if self._is_of_client(settlement, key, is_final=is_final):
            return Result(RowOutcome.WAITING, error=reason)
        if request is not None and self.kind.together > 1:
            why = "It was sent, and the provider has not said yet whether it accepts this row."
            _, sent = self.contact.sent_now()
            return Result(
                RowOutcome.ACCEPTED,
                error=why,
                sent=sent,
                unit=request.id,
            )
        known = self._sent_of(settlement) if outcome in MAY_EXIST else None
        if request is None:
            return Result(outcome, error=reason, sent=known)
        return Result(outcome, request.id or None, request.status, reason, known)

    def _is_of_client(
        self,
        settlement: Settlement,
        key: str,
        *,
        is_final: bool,
    ) -> bool:
        """Whether the client may have been rejected, and not the row: nothing was created, and the
        row waits for `resume`.
        """
        may_be = self.contact.given_up is not None or not is_final
        is_rejected = settlement.outcome is RowOutcome.REJECTED
        return is_rejected and may_be and self.contact.is_rejected(key)

    def _sent_of(self, settlement: Settlement) -> Sent | None:
        """Return when something may have been sent, in the form that is stored."""
        sent = settlement.sent
        if isinstance(sent, Moment):
            sent = Sent.at(sent, self.contact.now(), self.contact.caller)
        if sent is None or not settlement.looked_up:
            return sent
        return sent._replace(looked_up=True)

    # One call

    def _send(
        self,
        rows: Sequence[Row],
        terms: SendTerms,
        limiter: RateLimiter,
    ) -> Settlement | LookUp:
        """Send rows in one call until they are settled, patience ends, sending stops, or they have
        to be looked up.
        """
        first = rows[0]
        if first.unit is not None:
            return Settlement(RowOutcome.CREATED, Done(first.unit))
        try:
            payment = self.kind.payment(rows)
        except InvalidRequest as error:
            outcome = RowOutcome.REFUSED if first.sent is None else RowOutcome.UNKNOWN
            return Settlement(outcome, reason=error.summary, sent=first.sent)
        life, keys = self._keys_for(payment, rows, terms)
        client = within_key_life(self.kind.client, life)
        flow = settle(
            payment,
            keys,
            Turns(self.contact, keys, limiter, terms.patience),
            partial(self._call, client, payment, first.key),
        )
        return drive(flow, call)

    def _keys_for(
        self,
        payment: Write[Any],
        rows: Sequence[Row],
        terms: SendTerms,
    ) -> tuple[float, Keys | NoKey]:
        """Return how long one call may take, and what says whether it can be repeated."""
        caller, alone_since = self.contact.caller, terms.alone_since
        if not payment.is_keyed:
            # Whoever takes it over gives it up no sooner than this worker has sent it, and its call
            # has ended.
            return SETTLE_FOR, NoKey(caller, SETTLE_FOR / 4, alone_since)
        life = min(terms.retention, *(row.kept for row in rows))
        return life, Keys(life, caller, alone_since)

    def _call(
        self,
        client: Any,
        payment: Any,
        key: str,
        is_repeat: bool,  # noqa: FBT001 - `settle` gives it by its place
        decided: Moment,
    ) -> Any:
        """Make one call, and note what its result says of the client and the provider."""
        sender = within_decision(client, decided, self.contact.now())
        try:
            response = self.kind.send(sender, payment, key, is_repeat=is_repeat)
        except VictorError as error:
            self.contact.note_error(error, key)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, one row must not take the others with it
            self.contact.backoff.record_failure()
            # The exception's text may contain account numbers; its type does not.
            what = f"An unexpected {type(error).__name__} while it was sent."
        else:
            if isinstance(response, Settlement) and response.error is not None:
                self.contact.note_error(response.error, key)
            else:
                self.contact.note_response()
            return response
        raise VictorError(what, outcome=Outcome.UNKNOWN)


def _without(units: Iterable[_Unit], lost: Collection[int]) -> list[_Unit]:
    """Return the units without these rows, and without units that have no other."""
    left = (tuple(index for index in unit if index not in lost) for unit in units)
    return [unit for unit in left if unit]
