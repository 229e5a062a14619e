"""Rows that are sent few at a time, so that few are in doubt after a crash."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import partial


class RowsUnderWay:
    """The rows of one chunk that are about to be sent, are sent, or whose result is not stored.

    Args:
        threads: Sends them.
        free: Counts the threads that no row has, in all chunks.
        send: Sends the row with an index.
    """

    def __init__(self, threads: Executor, free: threading.Semaphore, send: Callable[[int], None]) -> None:
        self._threads, self._free, self._send = threads, free, send
        self._rows: dict[Future[None], int] = {}
        self._held = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    def ended(self) -> list[int]:
        """Return the rows that have ended, at least one, if any is under way. Raises what sending one has raised."""
        ended = {each: self._rows.pop(each) for each in wait(self._rows, return_when=FIRST_COMPLETED).done}
        for each in ended:
            each.result()
        return [*ended.values()]

    def room_for(self, count: int) -> int:
        """Return how many of so many further rows have a thread now. If none is under way, wait for the first one."""
        while self._held - len(self._rows) < count and self._free.acquire(blocking=not self._held):
            self._held += 1
        return min(count, self._held - len(self._rows))

    def begin(self, indexes: Iterable[int]) -> None:
        """Send these rows. Threads that have none of them, and whose rows have their results stored, are free."""
        self._rows |= {self._threads.submit(partial(self._send, index)): index for index in indexes}
        self._release(self._held - len(self._rows))

    def close(self) -> None:
        """Wait for all of them."""
        wait(self._rows)
        self._release(self._held)

    def _release(self, count: int) -> None:
        if count:
            self._free.release(count)
            self._held -= count
