"""What a comparison says, and the forms in which it is shown: text, JSON and Markdown."""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass

from .compare import LEVELS, Change, Level
from .python import PythonChange

TITLES: dict[Level, str] = {
    "breaks": "Breaks",
    "look": "Look",
    "fine": "Fine",
    "none": "No effect by itself",
}
MOST_OPERATIONS = 5


@dataclass(frozen=True)
class Report:
    old: str
    new: str
    """What the documents are called."""
    wire: Sequence[Change]
    python: Sequence[PythonChange] | None
    """None where Python was not compared."""
    texts: int
    """How many descriptions and examples differ."""
    accepted: Collection[str] = ()
    """The breaks that a person has accepted, as `breaks` has them."""

    def lines(self) -> dict[Level, list[str]]:
        """All that changed, one line each, by level: the worst first."""
        lines: dict[Level, list[str]] = {level: [] for level in reversed(LEVELS)}
        for change in self.wire:
            lines[change.wire].append(f"{change.place}: {change.what} ({_reached(change)})")
        for each in self.python or ():
            lines[each.level].append(f"Python: {each.name} {each.what}")
        return lines

    def breaks(self) -> list[str]:
        """What breaks, and is not accepted."""
        texts = [
            f"breaks: {each.place}: {each.what}" for each in self.wire if each.wire == "breaks"
        ]
        texts += [
            f"breaks: {each.name} {each.what}"
            for each in self.python or ()
            if each.level == "breaks"
        ]
        return [text for text in texts if text not in self.accepted]

    def summary(self) -> str:
        """The report in one line."""
        texts = f" {self.texts} texts differ." if self.texts else ""
        if not self.wire and not self.python:
            return f"No change.{texts}"
        columns = [f"on the wire: {_counted([each.wire for each in self.wire])}"]
        if self.python is None:
            columns.append("Python was not compared")
        else:
            columns.append(f"in Python: {_counted([each.level for each in self.python])}")
        return f"{'; '.join(columns)}.{texts}"


def _counted(levels: Sequence[Level]) -> str:
    counts = Counter(levels)
    return ", ".join(f"{counts[level]} {level}" for level in reversed(LEVELS[1:]))


def _reached(change: Change) -> str:
    """The operations that a change reaches, and in which direction."""
    if not change.operations:
        return "reached by no operation"
    verb = "sent and received" if change.direction == "both" else change.direction
    rest = len(change.operations) - MOST_OPERATIONS
    more = f" and {rest} more" if rest > 0 else ""
    return f"{verb} by {', '.join(change.operations[:MOST_OPERATIONS])}{more}"


def one_line(text: str) -> str:
    """A text of the document without control characters, which could forge lines or colours."""
    return "".join(character if character.isprintable() else " " for character in text)


def as_text(report: Report) -> str:
    """The report in plain text."""
    blocks: list[str] = []
    for level, lines in report.lines().items():
        if lines:
            shown = [
                textwrap.fill(
                    one_line(line),
                    100,
                    initial_indent="  ",
                    subsequent_indent="      ",
                    break_on_hyphens=False,
                )
                for line in lines
            ]
            blocks.append("\n".join([f"{TITLES[level]} ({len(lines)})", *shown, ""]))
    return "\n".join([*blocks, report.summary()])


def as_json(report: Report) -> str:
    """`{"wire": [...], "python": [...], "breaking": [...]}`; `python` is null where it was not
    compared.
    """
    python = None if report.python is None else [asdict(each) for each in report.python]
    wire = [asdict(each) for each in report.wire]
    return json.dumps({"wire": wire, "python": python, "breaking": report.breaks()}, indent=2)


def as_markdown(report: Report) -> str:
    """The report in GitHub's Markdown: a list for each level."""
    lines = [f"## {_code(report.old)} → {_code(report.new)}", "", report.summary(), ""]
    for level, entries in report.lines().items():
        if entries:
            lines += [f"### {TITLES[level]} ({len(entries)})", "", *map(_item, entries), ""]
    return "\n".join(lines).rstrip("\n")


def _item(line: str) -> str:
    place, _, what = line.partition(": ")
    return f"- {_code(place)}: {_escaped(what)}"


def _escaped(text: str) -> str:
    """A text in which Markdown has no meaning."""
    return re.sub(r"([\\`*_{}\[\]<>()#+|!~@&-])", r"\\\1", one_line(text))


def _code(text: str) -> str:
    return f"<code>{html.escape(one_line(text)).replace('`', '&#96;')}</code>"


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
}
