"""Ctrl-C, SIGTERM and SIGHUP, which end a command at whatever moment they come.

`ended_by_signals` runs a command; `Terminated` is what a signal other than Ctrl-C raises in it.
"""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from victor_ext._exit_status import INTERRUPTED, SIGNALLED

_RAISE_AGAIN_AFTER = 0.01
"""Seconds until an exception that could not be raised now is raised."""


class Terminated(KeyboardInterrupt):
    """Another signal than Ctrl-C was received: its number is the argument."""


def signal_exit_status(error: KeyboardInterrupt) -> int:
    """Return the exit status of a command that a signal ends."""
    return SIGNALLED + error.args[0] if isinstance(error, Terminated) else INTERRUPTED


def ended_by_signals(command: Callable[[], int]) -> int:
    """Run a command and return its exit status; 130, 143 or 129 if a signal ended it.

    A signal is `KeyboardInterrupt` or `Terminated` in the main thread. Not all code lets them pass:
    typer returns a status of its own, SQLite raises another error, and Python ignores what is
    raised in a finalizer or a callback.
    """
    signals = _SignalReceiver()
    try:
        # A signal may have come since the handlers were set: it ends the command before it begins.
        signals.is_raising = True
        signals.raise_last()
        status = command()
        signals.is_raising = False
    except BaseException as error:
        signals.is_raising = False
        if not signals.received and not isinstance(error, KeyboardInterrupt):
            raise
        status = INTERRUPTED
    finally:
        signals.remove()
    # A command that succeeded all the same, such as one whose work was done, keeps its status.
    if signals.received and status != 0:
        return SIGNALLED + signals.received[-1]
    return status


class _SignalReceiver:
    """Handles signals from its creation until `remove`: notes each, and raises its exception while
    `is_raising`.

    A signal that this process ignores, as a background job ignores Ctrl-C, stays ignored.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self.is_raising = False
        self._previous_hook = sys.unraisablehook
        self._previous_handlers: dict[int, Any] = {}
        numbers: list[int] = [signal.SIGTERM]
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            numbers.append(signal.SIGINT)
        # nohup has SIGHUP ignored.
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            numbers.append(signal.SIGHUP)
        sys.unraisablehook = self._raise_what_was_ignored
        for number in numbers:
            self._previous_handlers[number] = signal.signal(number, self._receive)

    def remove(self) -> None:
        """Restore the handlers that were there before."""
        if sys.platform != "win32" and signal.SIGALRM in self._previous_handlers:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._previous_hook

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)
        self.raise_last(number, frame)

    def raise_last(self, _number: int = 0, frame: FrameType | None = None) -> None:
        """Raise the exception of the last signal, if there is one, and while `is_raising`.

        The arguments are those of a signal handler: SIGALRM has this one.
        """
        if not (self.is_raising and self.received):
            return
        # The first signal waits for the end of an import. A second one does not.
        is_first = len(self.received) == 1
        if sys.platform != "win32" and is_first and _is_importing(frame):
            self._raise_later()
            return
        last = self.received[-1]
        if last == signal.SIGINT:
            raise KeyboardInterrupt
        raise Terminated(last)

    def _raise_what_was_ignored(self, unraisable: Any) -> None:
        """Raise the exception of a signal once more, soon after, if Python has ignored it."""
        if self.received and isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._raise_later()
        else:
            self._previous_hook(unraisable)

    def _raise_later(self) -> None:
        """Have an alarm call `raise_last`. On Windows, which has no alarm, do nothing."""
        if sys.platform != "win32":
            # The handler is set only here: until then, an alarm is somebody else's.
            previous = signal.signal(signal.SIGALRM, self.raise_last)
            self._previous_handlers.setdefault(signal.SIGALRM, previous)
            signal.setitimer(signal.ITIMER_REAL, _RAISE_AGAIN_AFTER)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether `frame` is within an import: interrupted, the import may keep its lock, for which
    other threads wait for ever.
    """
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
