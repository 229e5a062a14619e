"""The status of a batch, counted without reading again what has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from .batch_store import BatchStore, Try, numbers_of, rows_of
from .layout import Submission
from .rows import MAY_EXIST, SETTLED, RowOutcome
from .validating import Check

_WINDOW = 200
"""Chunks beyond the first unfinished one that are looked at: more than all workers take at once."""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch has come.

    Attributes:
        batch: Its name.
        rows: How many rows it has.
        counts: Rows by outcome. Those that have not been sent are `waiting`.
        complete: Whether all rows of its source are stored; until then none of them is sent. It says nothing of their
            outcome: a batch whose rows were all refused is complete.
        over: Whether no worker has anything left to do. Rows may still be unsettled.
        check: What looking at the rows found, when they were looked at for this.
    """

    batch: str
    rows: int
    counts: Mapping[RowOutcome, int]
    complete: bool
    over: bool
    check: Check | None = field(default=None, repr=False)

    @property
    def settled(self) -> int:
        """How many rows no further try can change."""
        return sum(self.counts.get(outcome, 0) for outcome in SETTLED)

    @property
    def unsettled(self) -> int:
        """How many rows `resume` would try again: those whose outcome is not `created`, `rejected` or `refused`."""
        return self.rows - self.settled

    @property
    def exit_status(self) -> int:
        """What the command ends with: 0 all created, 1 some were not, 3 of some it is not known."""
        if any(self.counts.get(outcome, 0) for outcome in MAY_EXIST):
            return 3
        changed = self.check is not None and self.check.changed
        return 0 if self.complete and not changed and self.counts.get(RowOutcome.CREATED, 0) == self.rows else 1


class StatusReader:
    """Counts a batch again and again while it is being sent.

    What has ended is read once; of what has not, only the next chunks in line are looked at.

    Args:
        store: The batch.
        loads: Its handings-over.
        by_others: Count rows that are under way as `unknown`: who sends them may be dead. One who sends himself
            counts them as `waiting`.
    """

    def __init__(self, store: BatchStore, loads: Sequence[Submission], *, by_others: bool = False) -> None:
        self._store = store
        self._by_others = by_others
        self._last = loads[-1] if loads else None
        self._sizes = ((number, rows_of(load, number)) for load, number in numbers_of(loads))
        self._open: dict[int, int] = {}
        self._read: Counter[RowOutcome] = Counter()
        self._replaced = sum(load.replaced for load in loads)
        self._rows = sum(rows_of(load, number) for load, number in numbers_of(loads))
        self._complete = False

    def read(self) -> BatchStatus:
        """Look at the database, and count."""
        unfinished: Counter[RowOutcome] = Counter()
        while True:
            self._open.update(islice(self._sizes, _WINDOW - len(self._open)))
            unfinished.clear()
            found = self._store.tries(list(self._open))
            over = [number for number, tries in found.items() if tries[-1].over]
            for number, tries in found.items():
                counts = _counts(self._open[number], tries)
                if self._by_others and tries[-1].taken and not tries[-1].over:
                    counts = self._under_way(self._open[number], tries[-1], counts)
                (self._read if tries[-1].over else unfinished).update(counts)
            for number in over:
                del self._open[number]
            if len(over) < _WINDOW:
                return self._status(unfinished)

    def _under_way(self, size: int, attempt: Try, counts: Counter[RowOutcome]) -> Counter[RowOutcome]:
        found, began = self._store.results(attempt)
        if began is None:
            return counts
        settled = Counter({outcome: count for outcome, count in counts.items() if outcome in SETTLED})
        found_now = Counter(result.outcome for result in found or ())
        return settled + found_now + Counter({RowOutcome.UNKNOWN: size - settled.total() - found_now.total()})

    def _status(self, unfinished: Counter[RowOutcome]) -> BatchStatus:
        counts = self._read + unfinished
        counts[RowOutcome.WAITING] += self._rows - counts.total()
        counts[RowOutcome.REFUSED] -= self._replaced
        if not self._complete:
            self._complete = self._last is None or self._store.has_chunk(self._last.last)
        shown = {outcome: counts[outcome] for outcome in RowOutcome if counts[outcome]}
        return BatchStatus(self._store.batch, self._rows - self._replaced, shown, self._complete, over=not self._open)


def _counts(size: int, tries: Sequence[Try]) -> Counter[RowOutcome]:
    """The rows of one chunk by outcome. While a further try is under way, what the one before it found stands."""
    found: Counter[RowOutcome] = Counter()
    for attempt in tries:
        if attempt.counts is not None:
            found.update({outcome: count for outcome, count in attempt.counts.items() if outcome in SETTLED})
    known = [attempt for attempt in tries if attempt.over and attempt.taken]
    if known and known[-1].counts is not None:
        found.update({outcome: count for outcome, count in known[-1].counts.items() if outcome not in SETTLED})
    # It ended without a result, or has none yet.
    found[RowOutcome.UNKNOWN if known else RowOutcome.WAITING] += size - found.total()
    return +found
