"""The end of a worker: a pass asks `is_ending` before it takes the next row up.

In the command of a worker, Ctrl-C and SIGTERM end it: the first one lets the call under way end.
"""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

_worker_stop: ContextVar[threading.Event | None] = ContextVar(
    "victor_ext_worker_stop", default=None
)
"""The event that stops the worker of the present pass; None: the pass is made by no worker."""


@contextmanager
def ended_by(stop: threading.Event) -> Generator[None]:
    """Let passes within the block take up nothing more once `stop` is set."""
    token = _worker_stop.set(stop)
    try:
        yield
    finally:
        _worker_stop.reset(token)


def is_ending() -> bool:
    """Whether the worker of this pass is to end, so that the pass takes up nothing more."""
    stop = _worker_stop.get()
    return stop is not None and stop.is_set()


class SignalStop(threading.Event):
    """The stop of a worker, which a signal sets.

    The handler of a signal interrupts the main thread, which may hold the lock of an `Event`: `set`
    would wait for ever. `SimpleQueue.put` is safe there, so it takes the place of the lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self._has_come = False
        self._received: SimpleQueue[int] = SimpleQueue()

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal. The second signal ends the command at once, by `KeyboardInterrupt`."""
        if self._has_come:
            raise KeyboardInterrupt
        self._has_come = True
        self._received.put(number)

    def is_set(self) -> bool:
        return self._has_come

    def wait(self, timeout: float | None = None) -> bool:
        if not self._has_come:
            with suppress(Empty):
                self._received.get(timeout=timeout)
        return self._has_come


@contextmanager
def stop_at_signals() -> Generator[SignalStop]:
    """The stop that Ctrl-C and SIGTERM set within the block. A signal that the program ignores
    stays ignored.

    In another thread than the main one, signals are left to the program.
    """
    stop = SignalStop()
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, stop.receive)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was not set from Python
