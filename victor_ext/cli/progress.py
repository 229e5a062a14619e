"""Progress of a long command: a bar in a terminal, occasional lines elsewhere, nothing with --json."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import Any, Self

from .screen import complain, notices, plain

_LINE_EVERY = 10.0


class Progress:
    """A bar, or lines; and the notices of the client above or between them."""

    def __init__(self, *, as_json: bool) -> None:
        self._quiet = as_json
        self._open = ExitStack()
        self._bar: Any = None
        self._task: Any = None
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self._open.enter_context(notices(self.tell))
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self._open.close()

    def show(self, name: str, done: int, total: int | None, counts: str) -> None:
        """Show how far it has come.

        Args:
            name: What is done.
            done: How many of them are done.
            total: How many there are; None: not known.
            counts: What became of them.
        """
        if self._quiet:
            return
        if sys.stderr is not None and sys.stderr.isatty():
            if self._bar is None:
                self._bar = _bar(remains=total is not None)
                self._bar.start()
                self._task = self._bar.add_task(plain(name), counts="")
            self._bar.update(self._task, total=total, completed=done, counts=counts)
        elif time.monotonic() - self._last_line >= _LINE_EVERY:
            self._last_line = time.monotonic()
            self.tell(f"{done:,} {'' if total is None else f'of {total:,} '}rows: {counts}")

    def close(self) -> None:
        """Remove the bar."""
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

    name, counts = (progress.TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[counts]}"))
    columns = (name, progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn(), counts)
    return progress.Progress(*columns, console=Console(file=sys.stderr), transient=not remains)
