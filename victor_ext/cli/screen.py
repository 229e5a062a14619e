"""Writing to standard output: exact text for programs, styled text for people at a terminal."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.text import Text


class OutputLost(Exception):
    """Standard output cannot be written to: its reader has gone, or the disk is full."""


def say(line: str | Text) -> None:
    """Print a line and see that it has gone out; styles survive only at a terminal.

    Raises:
        OutputLost: It could not be written.
    """
    text = line if isinstance(line, str) else _styled(line)
    stdout: Any = sys.stdout
    if stdout is None:
        raise OutputLost("standard output is closed")
    try:
        stdout.write(text + "\n")
        stdout.flush()
    except OSError as error:
        _let_go(stdout)
        raise OutputLost(error.strerror or str(error)) from error


@contextmanager
def standard_output() -> Generator[TextIO]:
    """Standard output, for a block that writes to it by itself.

    Raises:
        OutputLost: It could not be written.
    """
    stdout: Any = sys.stdout
    if stdout is None:
        raise OutputLost("standard output is closed")
    try:
        yield stdout
        stdout.flush()
    except OSError as error:
        _let_go(stdout)
        raise OutputLost(error.strerror or str(error)) from error


def complain(text: str) -> None:
    """Print on standard error; where even that is full or gone, the exit status still says how it ended."""
    stderr: Any = sys.stderr
    try:
        if stderr is not None:
            print(text, file=stderr, flush=True)
    except OSError:
        _let_go(stderr)


def _let_go(stream: Any) -> None:
    """Send what is still buffered nowhere, so that the end of the process does not fail on it once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _styled(line: Text) -> str:
    from rich.console import Console  # noqa: PLC0415 - JSON does without it

    # It decides by the terminal and by NO_COLOR, and writes to memory: what it writes itself fails in its own way.
    text = io.StringIO()
    console = Console(file=text, force_terminal=at_terminal() or None, highlight=False, emoji=False, soft_wrap=True)
    console.print(line, end="")
    return text.getvalue()


@contextmanager
def notices(show: Callable[[str], None] = complain) -> Generator[None]:
    """Show what the client and the bulk sender log for people while they wait, such as an outage that may pass."""

    class Show(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "notice", False):
                show(record.getMessage())

    log = logging.getLogger("victor_ext")
    handler, level = Show(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def spinner(text: str, *, shown: bool) -> AbstractContextManager[object]:
    """A sign of life at a terminal while nothing changes."""
    if not shown:
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 - only people need it

    return Console(file=sys.stdout).status(text)


def at_terminal() -> bool:
    """Whether a person is watching standard output."""
    stdout: Any = sys.stdout
    return stdout is not None and bool(stdout.isatty())


def plain(text: str) -> str:
    """Text from outside, fit for a terminal: no escape sequences, line breaks or turned-round letters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def masked(number: str) -> str:
    """An account or routing number, of which only the last four digits may be seen."""
    return f"****{plain(number[-4:])}" if len(number) > 4 else "****"
