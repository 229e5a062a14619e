"""Terminal output: exact text for programs, styled text for users."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from victor_ext._output import OutputLost

if TYPE_CHECKING:
    from rich.text import Text

_LINE_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal."""


def say(line: str | Text) -> None:
    """Print and flush a line; styles are kept only in a terminal. Raises `OutputLost`."""
    print(line if isinstance(line, str) else _styled(line), flush=True)


def complain(text: str) -> None:
    """Print on standard error, as far as it can be written: the exit status shows the result all
    the same.
    """
    print("\n".join(map(plain, text.split("\n"))), file=sys.stderr, flush=True)


@contextmanager
def decided() -> Generator[None]:
    """Show in the block how a command has ended.

    What cannot be written is said once, and changes nothing of that.
    """
    try:
        yield
    except OutputLost as error:
        if not error.told:
            complain(f"Error: the output could not be written: {error}.")
        error.told = True


@decided()
def conclude(document: object, text: str, *advice: str, as_json: bool) -> None:
    """Show how a command has ended: as one JSON document, or as text, with what to do next on
    standard error.
    """
    if as_json:
        say(json.dumps(document))
        return
    say(text)
    for paragraph in advice:
        complain(paragraph)


def _styled(line: Text) -> str:
    from rich.console import Console  # noqa: PLC0415 - JSON does without it

    # rich applies the terminal and NO_COLOR settings. It writes to memory, because `say` handles
    # write errors.
    text = io.StringIO()
    console = Console(
        file=text,
        force_terminal=at_terminal() or None,
        highlight=False,
        emoji=False,
        soft_wrap=True,
    )
    console.print(line, end="")
    return text.getvalue()


@contextmanager
def notices(show: Callable[[str], None] = complain) -> Generator[None]:
    """Show the log records that the client and the bulk sender mark as notices, such as a temporary
    outage.
    """
    import logging  # noqa: PLC0415 - `victor --help` does not need it

    class Show(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "notice", False):
                show(record.getMessage())

    handler = Show()
    log = logging.getLogger("victor_ext")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def at_terminal() -> bool:
    return sys.stdout.isatty()


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is, or None if it is none. COLUMNS wins."""
    return shutil.get_terminal_size().columns if at_terminal() else None


def plain(text: str) -> str:
    """Replace unprintable characters of external text: escape sequences, line breaks, direction
    marks.
    """
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


class Progress:
    """Progress of a long command: a bar in a terminal, occasional lines elsewhere, nothing with
    --json.

    Notices of the client appear above the bar, or between the lines. The first line comes
    `at_once`, or after a while.
    """

    def __init__(self, *, as_json: bool, at_once: bool = False) -> None:
        self._quiet = as_json
        self._open = ExitStack()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        self._next_lines: dict[str, float] = {}
        self._first_line = 0.0 if at_once else time.monotonic() + _LINE_EVERY

    def __enter__(self) -> Self:
        self._open.enter_context(notices(self.tell))
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self._open.close()

    def show(
        self,
        name: str,
        done: int,
        total: int | None,
        counts: str,
        *,
        begun: int = 0,
        unit: str = "rows",
    ) -> None:
        """Show how many are done, of how many (None: not known), and what became of them.

        Of a bar, what is `begun` counts half: the first results may take long.
        """
        if self._quiet:
            return
        if sys.stderr.isatty():
            of_all = "" if total is None else f"/{total:,}"
            task = self._task(name, total)
            task(total=total, completed=done + begun / 2, done=f"{done:,}{of_all}", counts=counts)
        elif self._line_is_due(name):
            of_all = "" if total is None else f"of {total:,} "
            self.tell(f"{plain(name)}: {done:,} {of_all}{unit}: {counts}")

    def _task(self, name: str, total: int | None) -> Callable[..., None]:
        """Return what updates a task of the bar. The first one starts the bar."""
        if self._bar is None:
            self._bar = _bar(remains=total is not None)
            self._bar.start()
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(plain(name), total=total, done="", counts="")
        return partial(self._bar.update, self._tasks[name])

    def _line_is_due(self, name: str) -> bool:
        now = time.monotonic()
        if now < self._next_lines.get(name, self._first_line):
            return False
        self._next_lines[name] = now + _LINE_EVERY
        return True

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def tell(self, text: str) -> None:
        """Show a line above the bar."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            complain(text)


def _bar(*, remains: bool) -> Any:
    from rich import progress  # noqa: PLC0415 - only people need it
    from rich.console import Console  # noqa: PLC0415 - only people need it

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        # Red is for what went wrong.
        progress.BarColumn(complete_style="cyan", finished_style="green", pulse_style="cyan"),
        progress.TextColumn("{task.fields[done]}", markup=False),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[counts]}", markup=False),
    )
    return progress.Progress(*columns, console=Console(file=sys.stderr), transient=not remains)
