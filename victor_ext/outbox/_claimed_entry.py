"""An entry that a worker has, or wants to take up: `Claim`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from victor_ext._event_queue.databases import Condition
from victor_ext._settlement.key_age import Moment

from ._entries import EntryState, sent_of


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry that a worker has, or wants to take up.

    Attributes:
        row: The entry as it was read.
        worker: The number of the worker.
        now: When the entry was read, or marked, by the clock of the database.
        at: The same by the clocks of this machine, which measure how long this worker has had it.
        is_marked: Whether it is stored as an entry that may have been sent.
        is_looked_up: Whether it was looked up, and is not sent any more.
        marks: How often entries of its SQLite file were marked, with this one.
    """

    row: Any = field(repr=False)
    worker: int
    now: float
    at: Moment
    is_marked: bool = True
    is_looked_up: bool = False
    marks: int = 0

    @property
    def state(self) -> str:
        """The state that the entry has since this worker took it up."""
        was_marked_here = self.is_marked and sent_of(self.row) is None
        return EntryState.SENDING if was_marked_here else str(self.row.state)

    def is_still_ours(self, columns: Any) -> Condition:
        """Holds for the entry in its table, while this worker has it.

        What a look-up finds counts also if that took so long that another worker looks the entry
        up, too: it is not sent any more.
        """
        is_ours = columns.worker == self.worker
        if self.is_looked_up:
            is_ours = sa.or_(is_ours, columns.state == EntryState.SETTLING)
        return sa.and_(columns.id == self.row.id, is_ours)
