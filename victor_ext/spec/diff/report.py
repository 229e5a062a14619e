"""What a comparison says: its entries, with the approvals of a person, as text and as JSON."""

from __future__ import annotations

import datetime
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from victor_ext.spec.decisions import Approval, DecisionError, add_entries, parse_day
from victor_ext.spec.tree import Tree, copied

from .changes import LEVELS, Column, Entry, Level, PythonChange, worst
from .compare import compare

COLUMNS: tuple[Column, ...] = ("wire", "python")
TITLES: dict[Level, str] = {"breaks": "Breaks", "look": "Look", "fine": "Fine", "none": "No effect by itself"}
_COLOURS: dict[Level, str] = {"breaks": "31", "look": "33", "fine": "32", "none": "2"}
_MIN_WIDTH = 40


@dataclass(frozen=True, kw_only=True)
class Report:
    entries: Sequence[Entry]
    approvals: Sequence[Approval] = ()
    today: datetime.date = datetime.date.min
    python_compared: bool = True

    def breaking(self) -> list[Entry]:
        """The entries that break something, and were not approved."""
        return [
            entry
            for entry in self.entries
            if any(entry.level(each) == "breaks" and self.approval(entry, each) is None for each in COLUMNS)
        ]

    def approval(self, entry: Entry, column: Column) -> Approval | None:
        """The approval that lets a column pass, if it breaks."""
        own = (each for each in self.approvals if each.fingerprint == entry.fingerprint and each.expires >= self.today)
        return next((each for each in own if entry.level(column) == "breaks" and each.scope in (column, "both")), None)

    def approve(self, file: Path, reason: str, expires: str, scope: str) -> Report:
        """Write an approval of each entry that breaks something at the end of a file, whose comments stay.

        Raises DecisionError for an unusable reason or day, and OSError.
        """
        last = parse_day(expires, "--expires")
        if last < self.today:
            raise DecisionError(f"--expires {last} is in the past: name the last day on which the approval counts.")
        added = [Approval(entry.fingerprint, reason, scope, last) for entry in self.breaking()]
        add_entries(file, [*map(vars, added)])
        return replace(self, approvals=[*self.approvals, *added])

    def expired(self) -> list[tuple[Entry, Approval]]:
        """The approvals that no longer count, of entries that break."""
        old = [each for each in self.approvals if each.expires < self.today]
        return [(entry, each) for entry in self.breaking() for each in old if each.fingerprint == entry.fingerprint]

    def unknown(self) -> list[Approval]:
        """The approvals that no entry has: their change is gone, or is another one now."""
        known = {entry.fingerprint for entry in self.entries}
        return [each for each in self.approvals if each.fingerprint not in known]

    def by_level(self) -> list[tuple[Level, list[Entry]]]:
        """The entries by the worse of their columns, the worst first."""
        worst_of = [(worst((entry.wire, entry.python)), entry) for entry in self.entries]
        by_level = [(level, [entry for own, entry in worst_of if own == level]) for level in reversed(LEVELS)]
        return [(level, entries) for level, entries in by_level if entries]

    def notices(self) -> list[str]:
        """What else a person has to know: approvals that no longer count."""
        return [
            f"{entry.place}: the approval of {entry.fingerprint} expired on {approval.expires}: "
            f"{approval.reason.rstrip('.')}. Look at it again; then write a later day in `expires`, or remove it."
            for entry, approval in self.expired()
        ] + [
            f"No change of these documents has the fingerprint {each.fingerprint}: remove its approval ({each.reason})."
            for each in self.unknown()
        ]

    def counts(self) -> dict[str, Any]:
        breaking = len(self.breaking())
        return {
            "entries": len(self.entries),
            "wire": self._levels("wire"),
            "python": self._levels("python") if self.python_compared else None,
            "breaking": breaking,
            "approved": sum("breaks" in (entry.wire, entry.python) for entry in self.entries) - breaking,
            "expired": len(self.expired()),
            "unknown_approvals": len(self.unknown()),
        }

    def _levels(self, column: Column) -> dict[Level, int]:
        return {level: sum(entry.level(column) == level for entry in self.entries) for level in reversed(LEVELS)}

    def summary(self) -> str:
        counts = self.counts()
        if not self.entries:
            return "No change."
        columns = [
            f"{name}: " + ", ".join(f"{counts[column][level]} {level}" for level in ("breaks", "look", "fine"))
            for column, name in (("wire", "on the wire"), ("python", "in Python"))
            if column == "wire" or self.python_compared
        ]
        columns += [] if self.python_compared else ["Python was not compared"]
        approved = f" {counts['approved']} approved." if counts["approved"] else ""
        return f"{number(len(self.entries), 'changed component')}; {'; '.join(columns)}.{approved}"

    def as_json(self) -> str:
        """`{"entries": [...], "counts": {...}}`; the members of an entry are those of `Entry`.

        `python` is null in both where Python was not compared: "none" would say that nothing differs.
        """
        unknown: dict[str, None] = {} if self.python_compared else {"python": None}
        entries = [asdict(each) | unknown for each in self.entries]
        return json.dumps({"entries": entries, "counts": self.counts()}, indent=2)

    def as_text(self, *, width: int = 100, colour: bool = False) -> str:
        """The report in plain text, wrapped at `width` columns; `colour` adds escape sequences of terminals."""
        lines: list[str] = []
        for level, entries in self.by_level():
            lines += [_painted(f"{TITLES[level]} ({len(entries)})", level, colour=colour, bold=True), ""]
            for entry in entries:
                lines.append("  " + _painted(one_line(entry.place), level, colour=colour))
                lines += [*self._about(entry, max(width, _MIN_WIDTH)), ""]
        lines += [one_line(each) for each in self.notices()]
        return "\n".join([*lines, self.summary()])

    def _about(self, entry: Entry, width: int) -> Iterator[str]:
        wrapper = textwrap.TextWrapper(width, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False)
        levels = f"{entry.wire} on the wire" + (f", {entry.python} in Python" if self.python_compared else "")
        approvals = dict.fromkeys(self.approval(entry, column) for column in COLUMNS)
        approved = [f"approved ({each.scope}) until {each.expires}: {each.reason}" for each in approvals if each]
        texts = [entry.shortened(), f"{levels}; {entry.reached_by()}", ", ".join(entry.names), *approved]
        for text in (*texts, f"fingerprint {entry.fingerprint}"):
            yield from wrapper.wrap(one_line(text))


def report_on(
    before: Tree, after: Tree, python: Mapping[str, PythonChange] | None, approvals: Sequence[Approval]
) -> Report:
    """Compare two loaded documents, which stay as they are.

    `python` has the changes of their packages; None when they were not compared.
    """
    entries = compare(copied(before), copied(after), python)
    return Report(entries=entries, approvals=approvals, today=today(), python_compared=python is not None)


def today() -> datetime.date:
    """The day by which approvals expire, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()


def number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def one_line(text: str) -> str:
    """A text of the document without control characters, which could forge lines or colours."""
    return "".join(character if character.isprintable() else " " for character in text)


def _painted(text: str, level: Level, *, colour: bool, bold: bool = False) -> str:
    return f"\x1b[{'1;' if bold else ''}{_COLOURS[level]}m{text}\x1b[0m" if colour else text
