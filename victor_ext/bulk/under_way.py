"""Rows that are sent few at a time, so that few are in doubt after a crash."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

_LOOK_FOR_STOP = 0.5
"""Seconds."""


class RowsUnderWay:
    """The rows of one chunk that are about to be sent, are sent, or whose result is not stored.

    Args:
        threads: Sends them.
        free: Counts the threads that no row has, in all chunks.
        send: Sends the row with an index.
        stop: Ends the wait for a thread.
    """

    def __init__(
        self, threads: Executor, free: threading.Semaphore, send: Callable[[int], None], stop: threading.Event
    ) -> None:
        self._threads = threads
        self._free = free
        self._send = send
        self._stop = stop
        self._ended = SimpleQueue[int]()
        self._rows: dict[int, Future[None]] = {}
        self._held = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    def ended(self) -> list[int]:
        """Return the rows that have ended, at least one, if any is under way. Raises what sending one has raised."""
        ended = [self._ended.get()] if self._rows else []
        with suppress(Empty):
            while True:
                ended.append(self._ended.get_nowait())
        for index in ended:
            self._rows.pop(index).result()
        return ended

    def room_for(self, count: int) -> int:
        """Return how many of so many further rows have a thread now. If none is under way, wait for the first one."""
        while self._held - len(self._rows) < count and self._take_thread():
            self._held += 1
        return min(count, self._held - len(self._rows))

    def begin(self, indexes: Iterable[int]) -> None:
        """Send these rows. Threads that have none of them, and whose rows have their results stored, are free."""
        self._rows |= {index: self._threads.submit(partial(self._send_one, index)) for index in indexes}
        self._release(self._held - len(self._rows))

    def close(self) -> None:
        """Wait for all of them."""
        wait(self._rows.values())
        self._release(self._held)

    def _send_one(self, index: int) -> None:
        try:
            self._send(index)
        finally:
            self._ended.put(index)

    def _take_thread(self) -> bool:
        while not self._held and not self._stop.is_set():
            if self._free.acquire(timeout=_LOOK_FOR_STOP):
                return True
        return self._free.acquire(blocking=False)

    def _release(self, count: int) -> None:
        if count:
            self._free.release(count)
            self._held -= count
