"""Standard output that may be lost: a closed pipe or a full disk changes nothing of what a command
does, or ends with.
"""

import io
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from typing import Any, TextIO


class GuardedStream:
    """A stream whose text goes nowhere once it cannot be written.

    Attributes:
        error: Why it cannot be written; None as long as it can.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = io.StringIO() if stream is None else stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        self._attempt(partial(self._stream.write, text))
        return len(text)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _attempt(self, action: Callable[[], object]) -> None:
        if self.error is not None:
            return
        try:
            action()
        except OSError as error:
            self.error = error
            self._discard_buffer()

    def _discard_buffer(self) -> None:
        """The interpreter writes the rest when it ends: to nowhere."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())


@contextmanager
def guarded_output() -> Generator[None]:
    """Guard both standard streams, and say on standard error when the output was lost.

    A reader of a pipe that has ended, as `head` does, is no error.
    """
    stdout = GuardedStream(sys.stdout)
    stderr = GuardedStream(sys.stderr)
    out: Any = stdout
    err: Any = stderr
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            stdout.flush()
            if stdout.error is not None and not isinstance(stdout.error, BrokenPipeError):
                reason = stdout.error.strerror or str(stdout.error)
                print(f"Error: the output could not be written: {reason}.", file=sys.stderr)
            stderr.flush()
