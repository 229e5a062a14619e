"""The threads that send rows: as many as help, and at most `workers`.

Python runs one thread at a time. While calls wait for the provider, more threads send more rows. Once the threads keep
a core busy, one more sends nothing more: it only costs what it takes to hand the interpreter from thread to thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")

_FIRST = 2
_LOOK_EVERY = 0.02
"""Seconds between two looks. From 2 threads to 16 it takes three."""
_IDLE = 0.6
"""The share of a core below which the threads mostly wait. The rest of bulk sending needs a part of the same core."""
_BUSY = 0.7
"""The share above which fewer threads would do."""


class ThreadLimit:
    """Number of threads that send: doubled while they wait for the provider, one less while they keep a core busy."""

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._monotonic = monotonic
        self._since = monotonic()
        self._used = 0.0
        self.threads = min(_FIRST, most)

    def add(self, seconds: float) -> None:
        """Add CPU time that a thread has used."""
        # Without a lock: a sum that is lost now and then changes nothing.
        self._used += seconds

    def look(self) -> None:
        """Decide by the CPU time since the last decision. Does nothing if that was less than 0.02 s ago."""
        now = self._monotonic()
        if now - self._since < _LOOK_EVERY:
            return
        share = self._used / (now - self._since)
        self._since, self._used = now, 0.0
        if share < _IDLE:
            self.threads = min(self._most, 2 * self.threads)
        elif share > _BUSY:
            self.threads = max(1, self.threads - 1)


class Threads:
    """Threads for the rows of all chunks of a process."""

    def __init__(self, most: int, limit: ThreadLimit | None = None) -> None:
        self._limit = limit or ThreadLimit(most)
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="victor-bulk")
        self._waiting: deque[tuple[_Job[Any, Any], int]] = deque()
        self._lock = threading.Lock()
        self._running = 0

    def map(self, act: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Call `act` with each item in these threads. Returns the results in order when all are done."""
        if not items:
            return []
        job = _Job(act, items)
        self._waiting.extend((job, place) for place in range(len(items)))
        self._start()
        while not job.done.wait(_LOOK_EVERY):
            self._start()
        return job.in_order()

    def close(self) -> None:
        """Start no more threads. Those that run go on until no item is left."""
        self._pool.shutdown(wait=False)

    def _start(self) -> None:
        """Start threads up to the limit."""
        with self._lock:
            self._limit.look()
            wanted = min(self._limit.threads, self._running + len(self._waiting))
            for _ in range(wanted - self._running):
                self._pool.submit(self._work)
                self._running += 1

    def _work(self) -> None:
        # A thread takes item after item: a future for each one costs as much as a fifth of its call.
        before = time.thread_time()
        while self._running <= self._limit.threads:
            try:
                job, place = self._waiting.popleft()
            except IndexError:
                break
            job.do(place)
            now = time.thread_time()
            self._limit.add(now - before)
            before = now
        with self._lock:
            self._running -= 1


class _Job(Generic[T, R]):
    """Items and their results."""

    def __init__(self, act: Callable[[T], R], items: Sequence[T]) -> None:
        self._act, self._items = act, items
        self._results: dict[int, R | BaseException] = {}
        self.done = threading.Event()

    def do(self, place: int) -> None:
        """Call `act` with one item."""
        try:
            self._results[place] = self._act(self._items[place])
        except BaseException as error:  # noqa: BLE001 - it is raised where the results are awaited
            self._results[place] = error
        if len(self._results) == len(self._items):
            self.done.set()

    def in_order(self) -> list[R]:
        """Return the results. Raises what was raised for the first item that failed."""
        results = [self._results[place] for place in range(len(self._items))]
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return cast("list[R]", results)
