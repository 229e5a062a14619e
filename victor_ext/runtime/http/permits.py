"""Semaphores that no interruption leaves locked.

A lock that is released by hand stays locked for ever when a Ctrl-C comes between acquiring it and the `try` that
releases it, or when the process forks while another thread holds it. Here whoever waits makes a permit first and
acquires it afterwards: a permit holds its place for as long as it exists, and no longer.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import ref

from .places import PerLoop, PerProcess

if TYPE_CHECKING:
    import anyio

PATIENCE = 0.5
"""Seconds after which whoever waits looks for itself: an interruption may have cost it the wake-up call."""


class Semaphore:
    """So many places, given in the order in which they were asked for.

    Args:
        places: How many there are; None sets no bound.
    """

    def __init__(self, places: int | None = 1) -> None:
        self._places = sys.maxsize if places is None else places
        # Both kinds of locks are written in C: `with` acquires and releases them with no moment in between at which a
        # signal is handled. It is a reentrant one, since the garbage collector may release a permit at any moment.
        self._lock = threading.RLock()
        self._held: set[ref[Permit]] = set()
        self._queue: deque[ref[Permit]] = deque()

    @property
    def held(self) -> int:
        """How many places are taken, at most."""
        return len(self._held)

    def admit(self, permit: Permit) -> bool:
        """Give it a place, if there is one and it is its turn; else queue it. Whether it has one now."""
        mine = ref(permit)
        with self._lock:
            if len(self._held) >= self._places:
                self._held.difference_update([each for each in list(self._held) if each() is None])
            if mine in self._held:
                return True
            if len(self._held) >= self._places or self._next() not in (None, permit):
                if mine not in self._queue:
                    self._queue.append(mine)
                return False
            self._held.add(mine)
            if self._queue:
                self._queue.popleft()
                self._wake_next()
            return True

    def dismiss(self, permit: Permit) -> None:
        """Take its place back, or take it out of the queue."""
        mine = ref(permit)
        with self._lock:
            self._held.discard(mine)
            if self._queue:
                with suppress(ValueError):
                    self._queue.remove(mine)
                self._wake_next()

    def _next(self) -> Permit | None:
        while self._queue:
            permit = self._queue[0]()
            if permit is not None:
                return permit
            self._queue.popleft()
        return None

    def _wake_next(self) -> None:
        permit = self._next() if len(self._held) < self._places else None
        if permit is not None:
            permit.wake()


class Permit:
    """A place of a semaphore, once it has been acquired; it is given up when nobody refers to this any more."""

    __slots__ = ("__weakref__", "_semaphore")

    def __init__(self, semaphore: Semaphore) -> None:
        self._semaphore = semaphore

    def release(self) -> None:
        """Give up the place, or the wait for it. Without either it does nothing."""
        self._semaphore.dismiss(self)

    def wake(self) -> None:
        """There may be a place now."""
        raise NotImplementedError


class ThreadPermit(Permit):
    """A permit that a thread waits for."""

    __slots__ = ("_asleep",)

    def __init__(self, semaphore: Semaphore) -> None:
        super().__init__(semaphore)
        self._asleep = threading.Lock()

    def acquire(self, seconds: float | None) -> bool:
        """Wait for a place (None: without end). Whether there is one in time; call it in a `try` that releases it."""
        ends = None if seconds is None else time.monotonic() + seconds
        while not self._semaphore.admit(self):
            left = PATIENCE if ends is None else ends - time.monotonic()
            if left <= 0:
                return False
            self._asleep.acquire(timeout=min(left, PATIENCE))
        return True

    def wake(self) -> None:
        """There may be a place now."""
        with suppress(RuntimeError):  # it is awake
            self._asleep.release()


class TaskPermit(Permit):
    """A permit that a task waits for."""

    __slots__ = ("_awake",)

    def __init__(self, semaphore: Semaphore) -> None:
        super().__init__(semaphore)
        self._awake: anyio.Event | None = None

    async def acquire(self, seconds: float | None) -> bool:
        """Wait for a place (None: without end). Whether there is one in time; call it in a `try` that releases it."""
        import anyio  # noqa: PLC0415 - only those who await pay for it

        ends = None if seconds is None else time.monotonic() + seconds
        while not self._semaphore.admit(self):
            left = PATIENCE if ends is None else ends - time.monotonic()
            if left <= 0:
                return False
            self._awake = anyio.Event()
            with anyio.move_on_after(min(left, PATIENCE)):
                await self._awake.wait()
        return True

    def wake(self) -> None:
        """There may be a place now."""
        if self._awake is not None:
            self._awake.set()


class ThreadLock:
    """A lock for threads: one in each process, since a child that was forked has none of the threads that hold it."""

    def __init__(self) -> None:
        self._semaphores = PerProcess(Semaphore)

    def permit(self) -> ThreadPermit:
        """A permit for what it guards."""
        return ThreadPermit(self._semaphores.here())


class TaskLock:
    """A lock for tasks: one in each event loop, since none can wake the tasks of another."""

    def __init__(self) -> None:
        self._semaphores = PerLoop(Semaphore)

    def permit(self) -> TaskPermit:
        """A permit for what it guards."""
        return TaskPermit(self._semaphores.here())
