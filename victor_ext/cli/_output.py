"""What a command writes: files that have their names only when they are whole, and the standard
streams.

What these cannot take changes nothing of what the command does, or ends with.
"""

import io
import os
import secrets
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import Any


@contextmanager
def replaced(
    path: Path, opened: str = "xb", *, mode: int = 0o666, **options: Any
) -> Generator[Any]:
    """A file that takes the place of `path` when the block ends, and is on the disk then, also
    after a power cut.

    If the block fails, nothing has changed. `opened` and `options` are those of `open`.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, opened, opener=partial(os.open, mode=mode), **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # Windows and some network shares cannot do this with a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class OutputLost(Exception):
    """Standard output cannot be written: it is closed, its reader has gone, or the disk is full."""

    told = False
    """Whether it was said: each write raises the same one."""

    @property
    def reader_has_gone(self) -> bool:
        """Whether the reader of a pipe has ended, as `head` does: no error."""
        return isinstance(self.__cause__, BrokenPipeError)


class GuardedStream:
    """A standard stream; None: it is closed. Once it cannot be written, what follows goes nowhere.

    If it `insists`, a write then raises `OutputLost`. `lost` is why it cannot be written, or None.
    """

    def __init__(self, stream: Any, *, insists: bool) -> None:
        self._stream = io.StringIO() if stream is None else stream
        self._insists = insists
        self.lost = OutputLost("standard output is closed") if stream is None else None

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            if self.lost is None:
                act()
        except OSError as error:
            self.lost = OutputLost(error.strerror or str(error))
            self.lost.__cause__ = error
            # The interpreter writes the rest when it ends: to nowhere.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        except OutputLost as error:  # the stream is guarded already
            self.lost = error
        if self.lost is not None and self._insists:
            raise self.lost


@contextmanager
def guarded_output(*, insists: bool) -> Generator[GuardedStream]:
    """Guard both streams within the block, and yield standard output. Only that one may insist."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is None:  # it is closed: no connection may take its number
            os.open(os.devnull, os.O_RDWR)
    stdout, stderr = (
        GuardedStream(sys.stdout, insists=insists),
        GuardedStream(sys.stderr, insists=False),
    )
    out: Any = stdout
    error: Any = stderr
    with redirect_stdout(out), redirect_stderr(error):
        try:
            yield stdout
        finally:
            stderr.flush()
            with suppress(OutputLost):
                stdout.flush()
