"""Semaphores that no interruption leaves locked, and one object per process or per event loop.

An ordinary lock stays locked for ever when a Ctrl-C comes between acquiring it and the `try` that
releases it, or when the process forks while another thread holds it. A permit holds its place as
long as it exists, and no longer.

In this order: `Semaphore` and its permits; one object per process or loop; the locks of both modes.
"""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

import anyio

from victor_ext._runtime.core.clock import monotonic

T = TypeVar("T")

PATIENCE = 0.5
"""Seconds after which the first waiting permit looks again: an interruption may have lost its
wake-up.
"""


class Semaphore:
    """A number of places, given in the order of the requests."""

    def __init__(self, places: int = 1) -> None:
        self._places = places
        # `with` on this lock, which is written in C, leaves no moment for a signal handler. It is
        # reentrant, since the garbage collector may release a permit at any moment.
        self._lock = threading.RLock()
        # both by the id of the permit
        self._held: dict[int, ref[Permit]] = {}
        # ordered, to find the first in O(1), also after many have left
        self._queue: OrderedDict[int, ref[Permit]] = OrderedDict()

    @property
    def held(self) -> int:
        """How many permits have a place."""
        return len(self._held)

    def admit(self, permit: Permit) -> float | None:
        """Give a permit a place, if a place is free and it is the permit's turn, and return None;
        else queue the permit, and return the seconds after which it asks again.
        """
        mine = id(permit)
        with self._lock:
            if mine in self._held:
                return None
            if mine not in self._queue:
                self._queue[mine] = ref(permit, lambda _: self._forget(mine))
            is_first = next(iter(self._queue)) == mine
            if not is_first or len(self._held) >= self._places:
                return PATIENCE if is_first else threading.TIMEOUT_MAX
            self._held[mine] = self._queue.pop(mine)
            self._wake_first()
            return None

    def dismiss(self, permit: Permit) -> None:
        """Take back a permit's place, or remove it from the queue."""
        with self._lock:
            self._forget(id(permit))
            self._wake_first()

    def _forget(self, mine: int) -> None:
        """Free the place of a permit, by its id. Nobody is woken: where a permit is gone, this runs
        in whatever thread collects garbage.
        """
        with self._lock:
            self._held.pop(mine, None)
            self._queue.pop(mine, None)

    def _wake_first(self) -> None:
        """Let the first permit of the queue, if it still exists, ask now."""
        if self._queue:
            permit = next(iter(self._queue.values()))()
            if permit is not None:
                permit.wake()


class Permit:
    """A place of a semaphore, once acquired.

    The place is free again when nothing refers to the permit.
    """

    __slots__ = ("__weakref__", "_semaphore")

    def __init__(self, semaphore: Semaphore) -> None:
        self._semaphore = semaphore

    def release(self) -> None:
        """Give up the place, or the wait for it. Does nothing without either."""
        self._semaphore.dismiss(self)

    def wake(self) -> None:
        """Let the thread or task that waits for a place ask for it now."""
        raise NotImplementedError


class ThreadPermit(Permit):
    """A permit that a thread waits for."""

    __slots__ = ("_asleep",)

    def __init__(self, semaphore: Semaphore) -> None:
        super().__init__(semaphore)
        self._asleep = threading.Lock()

    def acquire(self, seconds: float | None) -> bool:
        """Wait for a place for `seconds` (None: no limit).

        Returns whether it has one. Release it in a `finally`.
        """
        ends = math.inf if seconds is None else monotonic() + seconds
        while (pause := self._semaphore.admit(self)) is not None:
            left = ends - monotonic()
            if left <= 0:
                return False
            self._asleep.acquire(timeout=min(left, pause))
        return True

    def wake(self) -> None:
        with suppress(RuntimeError):  # it does not wait
            self._asleep.release()


class TaskPermit(Permit):
    """A permit that a task waits for, in any event loop."""

    __slots__ = ("_awake",)

    def __init__(self, semaphore: Semaphore) -> None:
        super().__init__(semaphore)
        self._awake: anyio.Event | None = None

    async def acquire(self, seconds: float | None) -> bool:
        """Wait for a place for `seconds` (None: no limit).

        Returns whether it has one. Release it in a `finally`.
        """
        ends = math.inf if seconds is None else monotonic() + seconds
        while (pause := self._semaphore.admit(self)) is not None:
            left = ends - monotonic()
            if left <= 0:
                return False
            self._awake = anyio.Event()
            with anyio.move_on_after(min(left, pause)):
                await self._awake.wait()
        return True

    def wake(self) -> None:
        if self._awake is not None:
            self._awake.set()


class PerProcess(Generic[T]):
    """One object per process: a forked child has the sockets of its parent, and none of its
    threads.

    `make` is called at once, so that a failure is raised at once.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._process_and_object = (os.getpid(), make())

    def here(self) -> T:
        """The object of this process."""
        process, existing = self._process_and_object
        if process == os.getpid():
            return existing
        # Without a lock: one that the parent held at the fork would never be released. If two
        # threads come here at once, each gets an object that works, and one of the two is kept.
        new = self._make()
        self._process_and_object = (os.getpid(), new)
        return new


class PerLoop(Generic[T]):
    """One object per event loop: what waits in one loop cannot be woken from another."""

    def __init__(self, make: Callable[[], T]) -> None:
        import asyncio  # noqa: PLC0415 - takes a program that does not await 8 MB

        from anyio.lowlevel import current_token  # noqa: PLC0415 - only with asyncio

        self._asyncio_loop = asyncio.get_running_loop
        self._anyio_token = current_token
        self._make = make
        self._by_loop: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def here(self) -> T:
        """The object of the running loop."""
        existing = self.here_already()
        if existing is not None:
            return existing
        new = self._make()
        self._by_loop[self._running_loop()] = new
        return new

    def here_already(self) -> T | None:
        """The object of the running loop, or None if it was not made yet."""
        return self._by_loop.get(self._running_loop())

    def _running_loop(self) -> Any:
        try:
            return self._asyncio_loop()
        except RuntimeError:  # the loop is that of another library
            return self._anyio_token().native_token


class ThreadLock:
    """A lock that `places` threads may hold at a time, one per process."""

    def __init__(self, places: int = 1) -> None:
        self._semaphores = PerProcess(lambda: Semaphore(places))

    def permit(self) -> ThreadPermit:
        return ThreadPermit(self._semaphores.here())


class TaskLock:
    """A lock that `places` tasks may hold at a time, one per event loop."""

    def __init__(self, places: int = 1) -> None:
        self._semaphores = PerLoop(lambda: Semaphore(places))

    def permit(self) -> TaskPermit:
        return TaskPermit(self._semaphores.here())
