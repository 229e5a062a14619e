"""Ctrl-C, SIGTERM and SIGHUP, which end a command.

`ended_by_signals` runs a command; `Terminated` is what a signal other than Ctrl-C raises in it.
Python ignores what is raised in a finalizer or a callback, so whoever is about to write asks once
more: by `raise_received`, or by a `CommandStop`.
"""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from victor_ext._values.exit_status import INTERRUPTED, SIGNALLED


class Terminated(KeyboardInterrupt):
    """Another signal than Ctrl-C was received: its number is the argument."""


def signal_exit_status(error: KeyboardInterrupt) -> int:
    """Return the exit status of a command that a signal ends."""
    return SIGNALLED + error.args[0] if isinstance(error, Terminated) else INTERRUPTED


class _Signals:
    """The signals that have come to the command that runs."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.is_raising = False
        """Whether a signal raises its exception. It does while the command runs."""

    def receive(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if self.is_raising:
            self.raise_last()

    def raise_last(self) -> None:
        if not self.received:
            return
        last = self.received[-1]
        if last == signal.SIGINT:
            raise KeyboardInterrupt
        raise Terminated(last)


_signals = _Signals()


def raise_received(_event: object = None) -> None:
    """Raise the exception of a signal that has come. As a listener of a client, it is asked before
    each attempt, also by threads that outlive the command.
    """
    _signals.raise_last()


class CommandStop(threading.Event):
    """The stop of a worker, which is set once a signal has come."""

    def is_set(self) -> bool:
        return bool(_signals.received)


def ended_by_signals(command: Callable[[], int]) -> int:
    """Run a command and return its exit status; 130, 143 or 129 if a signal ended it.

    A signal is `KeyboardInterrupt` or `Terminated` in the main thread. Not all code lets them pass:
    typer returns a status of its own, and SQLite raises another error. A signal that this process
    ignores, as a background job ignores Ctrl-C, stays ignored.
    """
    numbers: list[int] = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        numbers.append(signal.SIGINT)
    # nohup has SIGHUP ignored.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        numbers.append(signal.SIGHUP)
    _signals.received.clear()
    previous_handlers: dict[int, Any] = {
        number: signal.signal(number, _signals.receive) for number in numbers
    }
    try:
        # A signal may have come since the handlers were set: it ends the command before it begins.
        _signals.is_raising = True
        _signals.raise_last()
        status = command()
        _signals.is_raising = False
    except BaseException as error:
        _signals.is_raising = False
        if not _signals.received and not isinstance(error, KeyboardInterrupt):
            raise
        status = INTERRUPTED
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
    # A command that succeeded all the same, such as one whose work was done, keeps its status.
    if _signals.received and status != 0:
        return SIGNALLED + _signals.received[-1]
    return status
