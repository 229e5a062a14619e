"""Locks that threads or tasks wait for; and one object per process or event loop."""

import os
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

import anyio

T = TypeVar("T")


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
        if process != os.getpid():
            # Without a lock: one that the parent held at the fork would never be released. If two
            # threads come here at once, each gets an object that works, and one of the two is kept.
            existing = self._make()
            self._process_and_object = (os.getpid(), existing)
        return existing


class PerLoop(Generic[T]):
    """One object per event loop: what waits in one loop cannot be woken from another."""

    def __init__(self, make: Callable[[], T]) -> None:
        # Only here: it takes a program that does not await 8 MB.
        from anyio.lowlevel import current_token  # noqa: PLC0415 - as said

        self._token = current_token
        self._make = make
        self._by_loop: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def here(self) -> T:
        """The object of the running loop."""
        loop = self._token().native_token
        if loop not in self._by_loop:
            self._by_loop[loop] = self._make()
        return self._by_loop[loop]


class _Token:
    """What whoever holds a place of a lock has taken from it."""


class ThreadLock:
    """A lock with places that threads hold.

    A token that nothing refers to any more, as after a Ctrl-C at a bad moment, comes back as its
    dead reference: by a method that is written in C, and so is not interrupted itself.
    """

    def __init__(self, places: int = 1) -> None:
        self.free = SimpleQueue[object]()
        self._references: list[object] = []
        for _ in range(places):
            self.free.put(self.new_token())

    def new_token(self) -> object:
        """A token of this lock."""
        token = _Token()
        self._references.append(ref(token, self.free.put))
        return token

    @property
    def value(self) -> int:
        """How many places nobody holds, as of a semaphore of anyio."""
        return self.free.qsize()


class ThreadPlace:
    """A place of a lock, for one thread."""

    def __init__(self, lock: ThreadLock) -> None:
        self._lock = lock
        self._token: object = None

    def acquire(self, seconds: float | None) -> bool:
        """Wait for the place for `seconds` (None: no limit). Returns whether it is held."""
        timeout = TIMEOUT_MAX if seconds is None else min(max(0.0, seconds), TIMEOUT_MAX)
        try:
            token = self._lock.free.get(timeout=timeout)
        except Empty:
            return False
        self._token = token if isinstance(token, _Token) else self._lock.new_token()
        return True

    def release(self) -> None:
        """Give up the place, if it is held."""
        token = self._token
        self._token = None
        if token is not None:
            self._lock.free.put(token)


class TaskPlace:
    """A place of a lock, for one task."""

    def __init__(self, lock: anyio.Semaphore) -> None:
        self._lock = lock
        self._is_held = False

    async def acquire(self, seconds: float | None) -> bool:
        """As `ThreadPlace.acquire`."""
        try:
            self._lock.acquire_nowait()
            self._is_held = True
        except anyio.WouldBlock:
            with anyio.move_on_after(seconds):
                await self._lock.acquire()
                self._is_held = True
        return self._is_held

    def release(self) -> None:
        """As `ThreadPlace.release`."""
        if self._is_held:
            self._is_held = False
            self._lock.release()
