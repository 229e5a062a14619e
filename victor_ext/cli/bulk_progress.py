"""Progress of `victor bulk`: a bar in a terminal, occasional lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from .screen import notices, plain

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from victor_ext.bulk import BatchStatus

_LINE_EVERY = 10.0
_ROWS_EVERY = 10_000


class Progress:
    """Progress display: a bar in a terminal, occasional lines elsewhere, nothing with --json."""

    def __init__(self, *, as_json: bool) -> None:
        self._quiet = as_json
        self._bar: Bar | None = None
        self._task: Any = None
        self._notices = notices(self.tell)
        self._last_line = time.monotonic()
        self._begun: tuple[float, int] | None = None
        self.latest: BatchStatus | None = None

    def __enter__(self) -> Self:
        self._notices.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self._notices.__exit__(None, None, None)

    def row(self, count: int) -> None:
        """Show the number of rows checked."""
        if not self._quiet and count % _ROWS_EVERY == 0:
            self.tell(f"{count:,} rows checked")

    def show(self, status: BatchStatus) -> None:
        """Show the status of the batch."""
        self.latest = status
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._move_bar(status)
        elif time.monotonic() - self._last_line >= _LINE_EVERY:
            self._last_line = time.monotonic()
            self.tell(f"{_done(status):,} of {status.rows:,} rows{self._speed(status)}: {counts(status)}")

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
            print(text, file=sys.stderr)

    def _move_bar(self, status: BatchStatus) -> None:
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(plain(status.batch), total=status.rows, completed=_done(status), counts="")
        self._bar.update(self._task, total=status.rows, completed=_done(status), counts=counts(status))

    def _speed(self, status: BatchStatus) -> str:
        now, done = time.monotonic(), _done(status)
        if self._begun is None:
            self._begun = now, done
        since, before = self._begun
        if now - since < 1 or done <= before:
            return ""
        speed = (done - before) / (now - since)
        left = (status.rows - done) / speed
        return f", {speed:,.0f} a second, about {int(left // 60)}:{int(left % 60):02d} left"


def _bar() -> Bar:
    from rich.console import Console  # noqa: PLC0415 - only people need it
    from rich.progress import (  # noqa: PLC0415 - only people need it
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text  # noqa: PLC0415 - only people need it

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
        console=Console(file=sys.stderr),
    )


def counts(status: BatchStatus) -> str:
    """Return the number of rows by outcome as text."""
    return ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in status.counts.items()) or "no rows"


def _done(status: BatchStatus) -> int:
    return status.rows - sum(count for outcome, count in status.counts.items() if outcome == "waiting")
