"""Terminal output: exact text for programs, styled text for users.

First what prints: `say` a result, `complain` on standard error, `conclude` with how a command has
ended. Then `ProgressBar`, the bar of a long command.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from victor_ext.cli._output import OutputLost

if TYPE_CHECKING:
    from datetime import datetime

    from rich.text import Text

GAP = "  "
"""What stands between two columns of a table."""
_SECONDS_BETWEEN_LINES = 10.0
"""Between two lines of progress of one task, where there is no terminal."""


def say(*lines: str | Text | Mapping[str, Any]) -> None:
    """Print and flush lines: text, whose styles are kept only in a terminal, or JSON of a mapping.

    Raises `OutputLost`.
    """
    for line in lines:
        if isinstance(line, Mapping):
            print(json.dumps(line), flush=True)
        else:
            print(line if isinstance(line, str) else _styled(line), flush=True)


def complain(text: str) -> None:
    """Print on standard error, without unprintable characters.

    A text that cannot be written is lost silently (`guarded_output`): the exit status shows the
    result all the same.
    """
    print("\n".join(map(plain, text.split("\n"))), file=sys.stderr, flush=True)


@contextmanager
def tolerate_lost_output() -> Generator[None]:
    """End the block if standard output cannot be written, and say so once in a process.

    For a block that only shows how a command has ended: its exit status stays what it is.
    """
    try:
        yield
    except OutputLost as error:
        if not error.told:
            complain(f"Error: the output could not be written: {error}.")
        error.told = True


@tolerate_lost_output()
def conclude(document: Mapping[str, Any], text: str, *advice: str, as_json: bool) -> None:
    """Show how a command has ended: as one JSON document, or as text, with what to do next on
    standard error.
    """
    if as_json:
        say(document)
        return
    say(text)
    for paragraph in advice:
        complain(paragraph)


def _styled(line: Text) -> str:
    """Return a line with the escape sequences of its styles, as far as the terminal has colours."""
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
def show_notices(show: Callable[[str], None] = complain) -> Generator[None]:
    """Show, within the block, the log records that the client and the bulk sender mark as notices,
    such as a temporary outage.
    """
    import logging  # noqa: PLC0415 - `victor --help` does not need it

    class NoticeHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "notice", False):
                show(record.getMessage())

    handler = NoticeHandler()
    logger = logging.getLogger("victor_ext")
    previous_level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(previous_level)


def at_terminal() -> bool:
    return sys.stdout.isatty()


def terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is; None: it is no terminal.

    The variable COLUMNS takes precedence over the terminal's own number.
    """
    return shutil.get_terminal_size().columns if at_terminal() else None


def styled(*parts: str | Text | tuple[str, str], style: str = "") -> Text:
    """Return a text of parts: each is a text, or a text with its style."""
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    return Text.assemble(*parts, style=style)


def in_columns(rows: Sequence[Sequence[str]], *right_aligned: int) -> Iterator[str]:
    """Yield a line for each row, in columns that are as wide as their widest cells.

    `right_aligned` are the numbers of columns, from 0 on.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells: list[str] = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            cells.append(cell.rjust(width) if number in right_aligned else cell.ljust(width))
        yield GAP.join(cells).rstrip()


def plain(text: str) -> str:
    """Replace unprintable characters of external text: escape sequences, line breaks, direction
    marks.
    """
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def zulu_text(moment: datetime | None) -> str | None:
    """Format a moment as a Zulu time; None stays None."""
    from victor_ext import zulu  # noqa: PLC0415 - `victor --help` does not need it

    return None if moment is None else zulu.format(moment)


class ProgressBar:
    """Progress of a long command: a bar in a terminal, occasional lines elsewhere, nothing with
    --json.

    Notices of the client appear above the bar, or between the lines.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._is_silent = as_json
        self._notices = ExitStack()
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        # Times of `time.monotonic` from which on a line is due: of each task, and of a new one.
        self._next_lines: dict[str, float] = {}
        self._first_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        self._notices.enter_context(show_notices(self.tell))
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self._notices.close()

    def show(self, name: str, done: int, total: int | None, text: str, *, begun: int = 0) -> None:
        """Show how far the task of this name is.

        Args:
            name: Such as the batch's.
            done: How many units are done.
            total: How many units there are, or about how many; None: that is not known.
            text: The same in words, and what became of the units.
            begun: How many units are under way. The bar counts each as half a unit: the first
                results may take long.
        """
        if self._is_silent:
            return
        if sys.stderr.isatty():
            if self._bar is None:
                self._bar = _progress_bar()
                self._bar.start()
            if name not in self._tasks:
                self._tasks[name] = self._bar.add_task(plain(name), text="")
            completed = done + begun / 2
            self._bar.update(self._tasks[name], total=total, completed=completed, text=text)
            return
        now = time.monotonic()
        if now >= self._next_lines.get(name, self._first_line):
            self._next_lines[name] = now + _SECONDS_BETWEEN_LINES
            self.tell(f"{plain(name)}: {text}")

    def close(self) -> None:
        """Stop the bar: lines that follow are printed below it, and what is shown next has a bar of
        its own.
        """
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._tasks.clear()

    def tell(self, text: str) -> None:
        """Show a line above the bar; on standard error, if there is no bar."""
        if self._is_silent:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            complain(text)


def _progress_bar() -> Any:
    """Return a bar of rich on standard error, which goes when it is stopped."""
    from rich import progress  # noqa: PLC0415 - only people need it
    from rich.console import Console  # noqa: PLC0415 - only people need it

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        # Red is for what went wrong.
        progress.BarColumn(complete_style="cyan", finished_style="green", pulse_style="cyan"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[text]}", markup=False),
        console=Console(file=sys.stderr),
        transient=True,
    )
