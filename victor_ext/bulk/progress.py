"""What is stored of an attempt to send a chunk: since when which of its rows may have been sent, and their results."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from victor_ext.settlement.key_age import Sent

from .rows import Result

SEND_STEP = "send"
"""The name of each step in DBOS."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an attempt, stored before the first of its rows is sent. Rows are counted by their index in the chunk.

    Attributes:
        begun: Rows before this one may have been sent.
        sent: The earliest time at which those may have been sent that no step before named.
        results: Results since the step before.
        is_last: Whether all rows have their results.
    """

    begun: int
    sent: Sent | None = None
    results: Mapping[int, Result] = field(default_factory=dict[int, Result], repr=False)
    is_last: bool = False

    def to_json(self) -> list[Any]:
        results = {str(index): result.to_json() for index, result in self.results.items()}
        return [self.begun, self.sent and self.sent.to_json(), results, self.is_last]

    @classmethod
    def from_json(cls, data: list[Any]) -> Step:
        begun, sent, stored, is_last = data
        results = {int(index): Result.from_json(each) for index, each in stored.items()}
        return cls(begun, Sent.from_json(sent), results, is_last)


class Progress:
    """The steps of an attempt so far. `begun` and `is_over` are those of the last `Step`."""

    def __init__(self) -> None:
        self.begun = 0
        self.results: dict[int, Result] = {}
        self.is_over = False
        self._begun: list[int] = []
        self._sent: list[Sent | None] = []

    def add(self, step: Step) -> None:
        self.begun, self.is_over = step.begun, step.is_last
        self.results |= step.results
        self._begun.append(step.begun)
        self._sent.append(step.sent)

    @property
    def in_doubt(self) -> int:
        """Number of rows that may have been sent, and have no result."""
        return sum(index not in self.results for index in range(self.begun))

    def sent(self, index: int) -> Sent | None:
        """Return the earliest time at which a row may have been sent; None: it was not."""
        return self._sent[bisect_right(self._begun, index)] if index < self.begun else None
