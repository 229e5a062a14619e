"""Ctrl-C, SIGTERM and SIGHUP, which end a command at whatever moment they come."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from victor_ext._exit_status import INTERRUPTED, SIGNALLED

_AGAIN = 0.01
"""Seconds."""


class Terminated(KeyboardInterrupt):
    """Another signal than Ctrl-C was received: its number is the argument."""


def status_of(error: KeyboardInterrupt) -> int:
    """Return the exit status of a command that a signal ends."""
    return SIGNALLED + error.args[0] if isinstance(error, Terminated) else INTERRUPTED


def ended_by_signals(command: Callable[[], int]) -> int:
    """Run a command and return its exit status; 130, 143 or 129 if a signal ended it.

    A signal is `KeyboardInterrupt` or `Terminated` in the main thread. Not all code lets them pass:
    typer returns a status of its own, SQLite raises another error, and Python ignores what is
    raised in a finalizer or a callback.
    """
    signals = _Signals()
    try:
        signals.raised = True
        signals.raise_last()
        status = command()
        signals.raised = False
    except BaseException as error:
        signals.raised = False
        if not signals.received and not isinstance(error, KeyboardInterrupt):
            raise
        status = INTERRUPTED
    finally:
        signals.remove()
    return SIGNALLED + signals.received[-1] if signals.received and status != 0 else status


class _Signals:
    """Notes the signals from the beginning.

    One that is ignored, as Ctrl-C is in a background job, stays so.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self.raised = False  # whether a signal raises its exception
        self._others_hook = sys.unraisablehook
        self._others_handlers: dict[int, Any] = {}
        numbers: list[int] = [signal.SIGTERM]
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            numbers.append(signal.SIGINT)
        # nohup lets it be ignored.
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            numbers.append(signal.SIGHUP)
        sys.unraisablehook = self._ignored
        for number in numbers:
            self._others_handlers[number] = signal.signal(number, self._receive)

    def remove(self) -> None:
        """Restore the handlers of others."""
        if sys.platform != "win32" and signal.SIGALRM in self._others_handlers:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._others_handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._others_hook

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)
        self.raise_last(number, frame)

    def raise_last(self, _number: int = 0, frame: FrameType | None = None) -> None:
        """Raise the exception of what was received last, unless that is nothing, or none is to be
        raised.
        """
        if not (self.raised and self.received):
            return
        # A second signal does not wait.
        if sys.platform != "win32" and len(self.received) == 1 and _imports(frame):
            self._raise_later()
            return
        raise (
            KeyboardInterrupt
            if self.received[-1] == signal.SIGINT
            else Terminated(self.received[-1])
        )

    def _ignored(self, unraisable: Any) -> None:
        """Raise the exception once more, soon after, if Python has ignored it."""
        if self.received and isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._raise_later()
        else:
            self._others_hook(unraisable)

    def _raise_later(self) -> None:
        if sys.platform != "win32":
            # Only now: an alarm of somebody else is none of ours.
            before = signal.signal(signal.SIGALRM, self.raise_last)
            self._others_handlers.setdefault(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def _imports(frame: FrameType | None) -> bool:
    """Whether an import is under way: interrupted, it may keep its lock, for which other threads
    wait for ever.
    """
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None
