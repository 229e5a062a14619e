"""One run of a chunk: a worker has its rows, sends them, and stores what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from victor_ext.settlement.flow import SETTLED

from .claims import begin, claim, finish
from .delivery import Steps
from .layout import ChunkTerms
from .rows import Result, Row, RowOutcome, Step
from .store import Store


@dataclass(eq=False, repr=False)
class ChunkRun:
    """The rows of a chunk, by their indexes in it.

    Attributes:
        holder: What its payments are marked with. It is one of this run alone: a chunk that was
            taken over may come back to this very worker.
        results: What became of the rows.
        stored: Those of them that are stored.
    """

    store: Store
    workflow_id: str
    holder: str
    rows: Mapping[int, Row]
    results: dict[int, Result] = field(default_factory=dict[int, Result])
    stored: dict[int, Result] = field(default_factory=dict[int, Result])

    @classmethod
    def of_worker(
        cls,
        store: Store,
        workflow_id: str,
        worker: str,
    ) -> ChunkRun:
        """Take up the rows of a chunk."""
        holder = f"{worker}/{uuid.uuid4().hex[:8]}"
        rows = dict(enumerate(claim(store, workflow_id, holder)))
        return cls(store, workflow_id, holder, rows)

    def add_results(self, unstored: Mapping[str, Result]) -> None:
        """Add results of an earlier run, by payment: their rows are not sent again."""
        for index, row in self.rows.items():
            if row.payment in unstored:
                self.results[index] = unstored[row.payment]

    def store_steps(self, steps: Steps) -> None:
        """Store each step before the next one is asked for, and leave alone what is not ours."""
        lost: Collection[int] | None = None
        try:
            while True:
                lost = self._store_step(steps.send(lost))
        except StopIteration:
            pass
        finally:
            steps.close()

    def _store_step(self, step: Step) -> list[int]:
        """Store a step, and return the indexes of those rows that are not ours any more."""
        begun = {self.rows[index].payment: index for index in step.begun}
        results = [(self.rows[index], result) for index, result in step.results.items()]
        held = begin(self.store, self.holder, list(begun), step.sent, results)
        self.stored |= step.results
        return [index for payment, index in begun.items() if payment not in held]

    def finish(self, terms: ChunkTerms, *, is_stopped: bool) -> None:
        """Store the last results.

        What waits, and after a stop what is left, goes to the next try: another worker can send it
        at once.
        """
        outcomes = {result.outcome for result in self.results.values()}
        goes_on = is_stopped or RowOutcome.WAITING in outcomes
        left = self._unsettled() if goes_on else []
        finish(self.store, self.holder, self._changed(), self.workflow_id, left, terms)

    def _changed(self) -> list[tuple[Row, Result]]:
        """Return the rows with another result than is stored."""
        changed = list[tuple[Row, Result]]()
        for index, result in self.results.items():
            if self.stored.get(index) != result:
                changed.append((self.rows[index], result))
        return changed

    def _unsettled(self) -> list[str]:
        unsettled = list[str]()
        for index, result in self.results.items():
            if result.outcome not in SETTLED:
                unsettled.append(self.rows[index].payment)
        return unsettled

    def unstored(self, *, can_be_lost: bool) -> dict[str, Result]:
        """Return what the next run of this chunk has to know, by payment: if the chunk can be lost,
        what is true also if another worker has it in between.
        """
        kept: dict[str, Result] = {}
        for index, result in self.results.items():
            if result.is_certain or not can_be_lost:
                kept[self.rows[index].payment] = result
        return kept
