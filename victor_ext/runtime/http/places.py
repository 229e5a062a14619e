"""Things that must not be shared: one for each process, one for each event loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One for each process. A child that was forked has the sockets of its parent, and none of its threads.

    Args:
        make: Makes one; it is called once here, so that what cannot work is said at once.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made = (os.getpid(), make())

    def here(self) -> T:
        """The one of this process."""
        process, here = self._made
        if process != os.getpid():
            # Without a lock, since one that the parent held at the time would never be released. Should two threads
            # come here at once, each has one that works, and one of the two stays.
            here = self._make()
            self._made = (os.getpid(), here)
        return here


class PerLoop(Generic[T]):
    """One for each event loop that it is used in: what waits in one loop cannot be woken from another.

    Args:
        make: Makes one; it is called once here, so that what cannot work is said at once.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._spare = [make()]
        self._made: WeakKeyDictionary[Any, T] = WeakKeyDictionary()

    def here(self) -> T:
        """The one of the running loop."""
        here = self.here_already()
        if here is None:
            # Taken in one step: loops of other threads may come here at the same time.
            try:
                here = self._spare.pop()
            except IndexError:
                here = self._make()
            self._made[_running_loop()] = here
        return here

    def here_already(self) -> T | None:
        """The one of the running loop, if there is one already."""
        return self._made.get(_running_loop())


def _running_loop() -> Any:
    import asyncio  # noqa: PLC0415 - only those who await pay for it

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        from anyio.lowlevel import current_token  # noqa: PLC0415 - only those who use another library do

        return current_token().native_token
