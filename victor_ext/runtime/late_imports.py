"""Imports in the middle of a call, which are not interrupted.

A signal's handler may raise at almost any moment, as that of Ctrl-C does. Within an import this can leave a lock of
Python's import system taken: every other thread that imports something then waits for ever. It is so at 4 to 5 of 100
moments of the imports of a first call (Python 3.11 to 3.13).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # what `signal` is made of, whose enums take half a millisecond of a program's start

T = TypeVar("T")


def uninterrupted(act: Callable[[], T]) -> T:
    """Do something whole. Signals that come meanwhile are handled after it, and may raise then."""
    handlers = {number: handler for number in range(1, signal.NSIG) if callable(handler := signal.getsignal(number))}
    late: list[tuple[int, FrameType | None]] = []
    is_done = False

    def defer(number: int, frame: FrameType | None) -> None:
        if is_done:  # another handler has raised while this one was put back
            handlers[number](number, frame)
        else:
            late.append((number, frame))

    try:
        try:
            for number in handlers:
                signal.signal(number, defer)
        except ValueError:  # not the main thread of the main interpreter, the only one that handles signals
            handlers.clear()
        return act()
    finally:
        is_done = True
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in late:
            handlers[number](number, frame)


def import_whole(name: str) -> ModuleType:
    """Import a module, uninterrupted if it is not loaded yet."""
    if name in sys.modules:
        return importlib.import_module(name)
    return uninterrupted(lambda: importlib.import_module(name))


class LazyModule:
    """A module that is imported, uninterrupted, when one of its names is first asked for: not every call needs it.

    Declare it for type checkers and for the interpreter:

        if TYPE_CHECKING:
            from some_api import models
        else:
            models = LazyModule("some_api.models")
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = uninterrupted(lambda: getattr(importlib.import_module(self._name), name))
        setattr(self, name, value)  # the next look-up does not come here
        return value
