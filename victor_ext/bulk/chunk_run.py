"""One run of a chunk: a worker claims its rows, has them sent, and stores what became of them.

It joins two sides that do not know each other: `delivery` sends rows by their index in the chunk,
and `claims` stores payments by their keys.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from victor_ext.settlement.flow import SETTLED

from .claims import begin_payments, claim_chunk, finish_chunk
from .delivery import Checkpoints
from .layout import ChunkTerms
from .rows import Checkpoint, Result, Row, RowOutcome
from .store import Store


@dataclass(eq=False, repr=False)
class ChunkRun:
    """The rows of a chunk and their results, by their index in the chunk.

    Attributes:
        holder: The name of this run, which marks its payments. Each run has a name of its own: a
            chunk that another worker took over may come back to this very worker.
        results: What became of the rows.
        stored: The results that are stored.
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
        """Claim the rows of a chunk."""
        holder = f"{worker}/{uuid.uuid4().hex[:8]}"
        rows = dict(enumerate(claim_chunk(store, workflow_id, holder)))
        return cls(store, workflow_id, holder, rows)

    def add_results(self, unstored: Mapping[str, Result]) -> None:
        """Add results of an earlier run that were not stored, by the key of the payment. Their rows
        are not sent again.
        """
        for index, row in self.rows.items():
            if row.payment in unstored:
                self.results[index] = unstored[row.payment]

    def store_checkpoints(self, checkpoints: Checkpoints) -> None:
        """Store each checkpoint of a delivery, and tell it which rows this run has lost."""
        lost_rows: Collection[int] | None = None
        try:
            while True:
                lost_rows = self._store_checkpoint(checkpoints.send(lost_rows))
        except StopIteration:
            pass
        finally:
            checkpoints.close()

    def _store_checkpoint(self, checkpoint: Checkpoint) -> list[int]:
        """Store a checkpoint. Return the indexes of its begun rows that this run has lost."""
        indexes_by_key = {self.rows[index].payment: index for index in checkpoint.begun}
        results = [(self.rows[index], result) for index, result in checkpoint.results.items()]
        to_send = begin_payments(
            self.store, self.holder, list(indexes_by_key), checkpoint.sent, results
        )
        self.stored |= checkpoint.results
        return [index for payment, index in indexes_by_key.items() if payment not in to_send]

    def finish(self, terms: ChunkTerms, *, is_stopped: bool) -> None:
        """Store the last results.

        If rows still wait, or the worker was stopped, the unsettled rows go to the next try of the
        chunk, which another worker can send at once.
        """
        outcomes = {result.outcome for result in self.results.values()}
        needs_next_try = is_stopped or RowOutcome.WAITING in outcomes
        left = self._unsettled_keys() if needs_next_try else []
        finish_chunk(
            self.store, self.holder, self._results_to_store(), self.workflow_id, left, terms
        )

    def _results_to_store(self) -> list[tuple[Row, Result]]:
        """Return the rows whose result differs from the stored one."""
        pairs = list[tuple[Row, Result]]()
        for index, result in self.results.items():
            if self.stored.get(index) != result:
                pairs.append((self.rows[index], result))
        return pairs

    def _unsettled_keys(self) -> list[str]:
        keys = list[str]()
        for index, result in self.results.items():
            if result.outcome not in SETTLED:
                keys.append(self.rows[index].payment)
        return keys

    def results_for_next_run(self, *, can_be_lost: bool) -> dict[str, Result]:
        """Return the results that the next run of this chunk in this worker counts on, by payment,
        after they could not be stored.

        Args:
            can_be_lost: Whether another worker may run the chunk in between. Then only results that
                stay true are returned.
        """
        results: dict[str, Result] = {}
        for index, result in self.results.items():
            if result.is_certain or not can_be_lost:
                results[self.rows[index].payment] = result
        return results
