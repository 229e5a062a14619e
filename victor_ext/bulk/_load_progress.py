"""How far the rows of a source are read and checked (`LoadProgress`), said a few times a second by
`LoadWatch`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_REPORT_EVERY = 0.25
"""Seconds between two reports. What takes less is not reported."""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far the rows of a source are read and checked.

    Attributes:
        rows: How many are.
        share: How much of the bytes of a file is read, from 0 to 1. None: that is not known.
        seconds: How long it has taken so far.
    """

    rows: int
    share: float | None
    seconds: float


OnLoad = Callable[[LoadProgress], None]
"""Called with the progress, a few times a second."""


class LoadWatch:
    """Says how far a source is, a few times a second.

    Args:
        on_load: Called with the progress; None: nobody asks for it.
    """

    def __init__(self, on_load: OnLoad | None) -> None:
        self._on_load = on_load
        self._began = time.monotonic()
        self._next_report = self._began + _REPORT_EVERY

    def look(self, rows: int, share: float | None) -> None:
        """Note that so many rows are checked. What `on_load` raises ends the reading."""
        now = time.monotonic()
        if self._on_load is not None and now >= self._next_report:
            self._next_report = now + _REPORT_EVERY
            self._on_load(LoadProgress(rows, share, now - self._began))
