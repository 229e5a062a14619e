"""How far the rows of a source are on their way into a batch: `LoadProgress`, and `LoadWatch`,
which says it a few times a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["checked", "compared", "stored"]
_REPORT_EVERY = 0.25
"""Seconds between two reports. A stage that takes less is not reported."""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far the rows of a source are on their way into a batch.

    Attributes:
        stage: What is done with the rows: they are `checked` while the source is read, `compared`
            with what was asked before, and `stored`.
        rows: With how many rows it is done. Rows are compared and stored in several passes: two
            rows that are half done count as one.
        total: How many rows there are; None: the source is not read to its end.
        share: How much of the stage is done, from 0 to 1; while a file is read, how much of its
            bytes. None: that is not known.
        seconds: How long the stage has taken so far.
    """

    stage: Stage
    rows: int
    total: int | None
    share: float | None
    seconds: float


OnLoad = Callable[[LoadProgress], None]
"""Called with the progress, a few times a second."""
OnRows = Callable[[int], None]
"""Called with a number of rows that have come through one more pass of their stage."""


def ignore_rows(_rows: int) -> None:
    """Do nothing: nobody asks for the progress."""


class LoadWatch:
    """Says how far a source is, a few times a second.

    Args:
        on_load: Called with the progress; None: nobody asks for it.
    """

    def __init__(self, on_load: OnLoad | None) -> None:
        self._on_load = on_load
        self._stage: Stage = "checked"
        self._total: int | None = None
        self._passes = 1
        self._read_share: Callable[[], float | None] = _unknown
        self._began = self._next_report = 0.0
        self._done = 0
        """The number of rows that have come through a pass, added up over all passes."""

    def begin_reading(self, read_share: Callable[[], float | None]) -> None:
        """Begin to read the source. `read_share` returns how much of it is read: as of
        `LoadProgress.share`.
        """
        self.begin("checked", None, passes=1)
        self._read_share = read_share

    def begin(self, stage: Stage, total: int | None, passes: int) -> None:
        """Begin a stage in which each of so many rows comes through so many passes."""
        self._stage, self._total, self._passes = stage, total, passes
        self._done = 0
        self._began = time.monotonic()
        self._next_report = self._began + _REPORT_EVERY

    def add(self, rows: int) -> None:
        """Note that so many rows have come through one more pass. What `on_load` raises ends the
        stage.
        """
        self._done += rows
        if self._on_load is None:
            return
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _REPORT_EVERY
            self._on_load(self._progress(now - self._began))

    def _progress(self, seconds: float) -> LoadProgress:
        if self._total is None:
            return LoadProgress(self._stage, self._done, None, self._read_share(), seconds)
        share = min(1.0, self._done / max(1, self._total * self._passes))
        return LoadProgress(self._stage, int(share * self._total), self._total, share, seconds)


def _unknown() -> float | None:
    return None
