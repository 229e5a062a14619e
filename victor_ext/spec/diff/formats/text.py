"""The report for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from victor_ext.spec.diff.entry import Entry, Level
from victor_ext.spec.diff.report import COLUMNS, Report, levels_text, one_line, operations_text

TITLES: dict[Level, str] = {"breaks": "Breaks", "look": "Look", "fine": "Fine", "none": "No effect by itself"}
_COLOURS: dict[Level, str] = {"breaks": "31", "look": "33", "fine": "32", "none": "2"}
_MIN_WIDTH = 40


def as_text(report: Report, *, width: int = 100, colour: bool = False) -> str:
    """The report in plain text, wrapped at `width` columns; `colour` adds escape sequences of terminals."""
    lines: list[str] = []
    for level, entries in report.by_level():
        lines += [_painted(f"{TITLES[level]} ({len(entries)})", level, colour=colour, bold=True), ""]
        for entry in entries:
            lines += [*_entry(report, entry, level, max(width, _MIN_WIDTH), colour=colour), ""]
    lines += [one_line(each) for each in report.notices()]
    return "\n".join([*lines, report.summary()])


def _entry(report: Report, entry: Entry, level: Level, width: int, *, colour: bool) -> Iterator[str]:
    yield "  " + _painted(one_line(entry.place), level, colour=colour)
    yield from _wrapped(entry.what, width)
    yield from _wrapped(f"{levels_text(report, entry)}; {operations_text(entry)}", width)
    if entry.names:
        yield from _wrapped(", ".join(entry.names), width)
    for approval in dict.fromkeys(report.approval(entry, column) for column in COLUMNS):
        if approval is not None:
            yield from _wrapped(f"approved ({approval.scope}) until {approval.expires}: {approval.reason}", width)
    yield from _wrapped(f"fingerprint {entry.fingerprint}", width)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        one_line(text), width, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
    )


def _painted(text: str, level: Level, *, colour: bool, bold: bool = False) -> str:
    return f"\x1b[{'1;' if bold else ''}{_COLOURS[level]}m{text}\x1b[0m" if colour else text
