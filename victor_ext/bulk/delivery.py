"""Send the rows of a chunk with threads, and determine their results.

`Delivery.deliver` is the order of all: send, look up what is in doubt, and read what became of each
row of a payout. What happens in one call is in `unit_sender`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from victor_ext.ids import canonical_id
from victor_ext.settlement.flow import MAY_EXIST, LookUp, Settlement
from victor_ext.settlement.key_age import Moment, Sent

from .pacing import Contact, RateLimiter
from .reconciliation import Doubtful, Reconciliation
from .row_kind import Sendable
from .rows import Checkpoint, Result, Row, RowOutcome
from .unit_sender import SendTerms, UnitSender

MARKED_AHEAD = 64
"""Rows that are stored as maybe sent before they are sent. After a crash, nobody can tell which of
them were sent: at most `Settings.slots` times as many rows are sent again with the same keys. Where
that is not safe, fewer rows are in doubt: see `Delivery.deliver`.

Half of them are stored by one write to the database: a write for each row would cost more than its
call.
"""
_Unit: TypeAlias = tuple[int, ...]
"""The indexes of rows that are sent in one call, ascending."""
Checkpoints: TypeAlias = Generator[Checkpoint, Collection[int] | None, None]
"""Yields checkpoints. Whoever has stored one sends back the indexes of the begun rows that this run
has lost to another worker, to a file or to a person.
"""


@dataclass(eq=False, repr=False)
class _Submission:
    """The rows of a chunk while they are sent.

    Attributes:
        units: The units that this run sends: without the rows that it has lost to others.
        unstored: Those of them that were in no checkpoint as created.
        settlements: What became of each unit; a `LookUp`: the unit has to be looked up.
    """

    rows: Mapping[int, Row]
    terms: SendTerms
    limiter: RateLimiter
    units: list[_Unit] = field(default_factory=list[_Unit])
    unstored: list[_Unit] = field(default_factory=list[_Unit])
    settlements: dict[_Unit, Settlement | LookUp] = field(
        default_factory=dict[_Unit, Settlement | LookUp]
    )

    def rows_of(self, unit: _Unit) -> list[Row]:
        return [self.rows[index] for index in unit]

    def take_created(self) -> list[_Unit]:
        """Return the units of `unstored` that were created, and take them out."""
        created = list[_Unit]()
        others = list[_Unit]()
        for unit in self.unstored:
            settlement = self.settlements.get(unit)
            if isinstance(settlement, Settlement) and settlement.outcome is RowOutcome.CREATED:
                created.append(unit)
            else:
                others.append(unit)
        self.unstored = others
        return created

    def doubtful(self) -> dict[_Unit, Doubtful]:
        """Return the units that have to be looked up."""
        doubtful = dict[_Unit, Doubtful]()
        for unit in self.units:
            settlement = self.settlements[unit]
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
        self._unit_sender = UnitSender(kind, self.contact)
        self._reconciliation = Reconciliation(kind, self.contact)
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="victor-bulk")
        self._timeless = threading.Lock()
        """Held by the one chunk that is sent while the provider's time is not known."""

    def close(self) -> None:
        """Start no more threads. Those that run end soon, because `stop` is set: see `Turns`."""
        self._threads.shutdown(wait=False)

    def deliver(
        self,
        rows: Mapping[int, Row],
        terms: SendTerms,
        results: dict[int, Result],
    ) -> Checkpoints:
        """Send rows, and look up those that must not be sent again.

        Each checkpoint has to be stored before the next one is asked for. Whoever has stored one
        sends back the indexes of the begun rows that this run has lost: they are not sent. If the
        generator is closed, it waits for the calls in progress.

        Args:
            rows: The rows of the chunk, by index, in the order of the indexes. Those that have a
                result are not sent.
            results: Results that are not stored yet. The results of the rows are added to it, also
                if this ends by an exception.
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
            results |= self._results_of(chunk, chunk.units)
            raise
        # All rows are looked up before the first result is final: whether the client was rejected,
        # and not a row, may be known only from the last rows (`_is_of_client`).
        self._look_up(chunk)
        results |= self._results_of(chunk, chunk.units, is_final=True)
        yield from self._read_unit_results(chunk, results)

    def _units_of(self, indexes: Sequence[int]) -> deque[_Unit]:
        """Return rows in the units in which they are sent."""
        size = self.kind.rows_per_call
        starts = range(0, len(indexes), size)
        return deque(tuple(indexes[start : start + size]) for start in starts)

    # Groups of rows

    def _send_all(
        self,
        chunk: _Submission,
        left: deque[_Unit],
        results: Mapping[int, Result],
    ) -> Checkpoints:
        """Send rows in groups, each of which is stored as begun before it is sent.

        While the provider's time is known, the next group is stored while threads send, with what
        was created before: a crash lets only the last groups be sent again. Without that time, a
        row that is in doubt after a crash is never sent again, so few rows are begun: a group has
        as many rows as there are threads, it ends before the next one is stored, and only one chunk
        of this process sends.

        Args:
            left: The units to send. All of them are taken out.
            results: Results that are stored with the first group.
        """
        threads: list[list[Future[None]]] = []
        with ExitStack() as timeless:
            timeless.enter_context(self._timeless)
            try:
                while left:
                    _, sent = self.contact.sent_now()
                    if sent.known:
                        timeless.close()
                    self._settle_after_stop(chunk, left)
                    group = self._next_group(left, sent)
                    if group or results:
                        begun_rows = list(chain.from_iterable(group))
                        lost_rows = yield Checkpoint(begun_rows, sent if group else None, results)
                        group = _without(group, lost_rows or ())
                    threads.append(self._send_group(chunk, group))
                    self._wait_for(threads, is_time_known=sent.known)
                    units = chunk.take_created() if sent.known else group
                    results = self._results_of(chunk, units)
            finally:
                wait(chain.from_iterable(threads))
        for future in chain.from_iterable(threads):
            future.result()
        if results:
            yield Checkpoint((), None, results)

    def _settle_after_stop(self, chunk: _Submission, left: deque[_Unit]) -> None:
        """After a stop, settle the units that are left. That sends nothing: see `Turns`."""
        while left and self.contact.stop.is_set():
            unit = left.popleft()
            chunk.units.append(unit)
            self._send_unit(chunk, unit)

    def _next_group(self, left: deque[_Unit], sent: Sent) -> list[_Unit]:
        """Take the units out that are stored as begun by one write."""
        size = MARKED_AHEAD // 2 if sent.known else self._workers
        return [left.popleft() for _ in range(min(len(left), size))]

    def _send_group(self, chunk: _Submission, group: list[_Unit]) -> list[Future[None]]:
        """Let threads send a group. Return their futures."""
        chunk.units += group
        chunk.unstored += group
        units = iter(group)

        def send_rows() -> None:
            # A thread takes unit after unit: a future for each unit costs a fifth of its call.
            for unit in units:
                self._send_unit(chunk, unit)

        return [self._threads.submit(send_rows) for _ in range(min(self._workers, len(group)))]

    def _wait_for(self, threads: list[list[Future[None]]], *, is_time_known: bool) -> None:
        """Wait until the next group can be stored.

        Args:
            threads: The futures of each group so far.
        """
        if not is_time_known:
            wait(threads[-1])
        elif len(threads) > 1:
            # A thread of the group before the last one ends when it finds no more units. Then a
            # thread is free for the next group.
            wait(threads[-2], return_when=FIRST_COMPLETED)

    def _send_unit(self, chunk: _Submission, unit: _Unit) -> None:
        rows = chunk.rows_of(unit)
        chunk.settlements[unit] = self._unit_sender.send(rows, chunk.terms, chunk.limiter)

    # Results

    def _look_up(self, chunk: _Submission) -> None:
        """Look up the units that are in doubt, and settle them."""
        doubtful = chunk.doubtful()
        if not doubtful:
            return
        terms = chunk.terms
        settlements = self._reconciliation.look_up(
            list(doubtful.values()), terms.patience, terms.rivals
        )
        chunk.settlements.update(zip(doubtful, settlements, strict=True))

    def _read_unit_results(self, chunk: _Submission, results: dict[int, Result]) -> Checkpoints:
        """Read what became of each row of the payouts that were sent, and add it to `results`.

        The ids of the payouts are stored before that: after a crash they need not be looked up.
        """
        payouts = [unit for unit in chunk.units if results[unit[0]].unit is not None]
        if not payouts:
            return
        yield Checkpoint((), None, {index: results[index] for unit in payouts for index in unit})
        for unit in payouts:
            row_results = self._reconciliation.unit_results(
                results[unit[0]], chunk.rows_of(unit), chunk.terms.patience
            )
            results |= zip(unit, row_results, strict=True)

    def _results_of(
        self,
        chunk: _Submission,
        units: Iterable[_Unit],
        *,
        is_final: bool = False,
    ) -> dict[int, Result]:
        """Return the results of the rows of these units, so far as they are settled.

        Args:
            is_final: Whether all rows of the chunk have been sent, or have been looked up.
        """
        results: dict[int, Result] = {}
        for unit in units:
            settlement = chunk.settlements.get(unit)
            # A unit without a settlement is still sent; one with a `LookUp` has no result yet.
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
        """Return the result of each row of the call with this key."""
        outcome = settlement.outcome
        reason = settlement.reason
        request = settlement.request
        if self._is_of_client(settlement, key, is_final=is_final):
            return Result(RowOutcome.WAITING, error=reason)
        if request is not None and self.kind.rows_per_call > 1:
            why = "It was sent, and the provider has not said yet whether it accepts this row."
            _, sent_now = self.contact.sent_now()
            unit = canonical_id(request.id)
            return Result(RowOutcome.ACCEPTED, error=why, sent=sent_now, unit=unit)
        sent = self._stored_sent(settlement) if outcome in MAY_EXIST else None
        if request is None:
            return Result(outcome, error=reason, sent=sent)
        return Result(outcome, request.id or None, request.status, reason, sent)

    def _is_of_client(
        self,
        settlement: Settlement,
        key: str,
        *,
        is_final: bool,
    ) -> bool:
        """Whether the provider may have rejected the client, and not the row.

        Then nothing was created, and the row waits for `resume`. Once all rows of the chunk have
        been tried, a rejection counts as that of the row, unless the client was given up.
        """
        may_be_client = self.contact.given_up is not None or not is_final
        is_rejected = settlement.outcome is RowOutcome.REJECTED
        return is_rejected and may_be_client and key in self.contact.refusals

    def _stored_sent(self, settlement: Settlement) -> Sent | None:
        """Return when a payment may have been sent, in the form that is stored."""
        sent = settlement.sent
        if isinstance(sent, Moment):
            sent = Sent.at(sent, self.contact.now(), self.contact.caller)
        if sent is None or not settlement.looked_up:
            return sent
        return sent._replace(looked_up=True)


def _without(units: Iterable[_Unit], lost_rows: Collection[int]) -> list[_Unit]:
    """Return the units without lost rows. A unit of lost rows alone is left out."""
    left = (tuple(index for index in unit if index not in lost_rows) for unit in units)
    return [unit for unit in left if unit]
