"""What a comparison says, apart from how it is shown: entries, and the approvals of a person."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from victor_spec.decisions import Approval, DecisionError, add_entries, parse_day
from victor_spec.document import MAX_MIB, read_text
from victor_spec.tree import step

from .changes import LEVELS, Column, Entry, Level, PythonChange, worst
from .compare import Comparison, Sides, comparison

COLUMNS: tuple[Column, ...] = ("wire", "python")


@dataclass(frozen=True, kw_only=True)
class Report(Comparison):
    old: str
    new: str
    """What the documents are called: a path, or `git:REV:path`."""
    file: str
    approvals: Sequence[Approval] = ()
    today: datetime.date = datetime.date.min
    python_compared: bool = True
    lines: Mapping[str, int] = field(default_factory=dict[str, int])
    """The lines of the new document, whose path is `file`, by place: for annotations."""

    def breaking(self) -> list[Entry]:
        """The entries that break something, and were not approved."""
        return [entry for entry in self.entries if any(map(partial(self._breaks, entry), COLUMNS))]

    def _breaks(self, entry: Entry, column: Column) -> bool:
        """Whether a column of an entry breaks without an approval."""
        return entry.level(column) == "breaks" and self.approval(entry, column) is None

    def approval(self, entry: Entry, column: Column) -> Approval | None:
        """The approval that lets a column pass, if it breaks."""
        if entry.level(column) != "breaks":
            return None
        for approval in self.approvals:
            is_own = approval.fingerprint == entry.fingerprint
            is_of_column = approval.scope in (column, "both")
            if is_own and is_of_column and approval.expires >= self.today:
                return approval
        return None

    def approve(self, file: Path, reason: str, expires: str, scope: str) -> Report:
        """Write an approval of each entry that breaks something at the end of a file, whose
        comments stay.

        Raises DecisionError for an unusable reason or day, and OSError.
        """
        last = parse_day(expires, "--expires")
        if last < self.today:
            raise DecisionError(
                f"--expires {last} is in the past: name the last day on which the approval counts."
            )
        added = [Approval(entry.fingerprint, reason, scope, last) for entry in self.breaking()]
        add_entries(file, [*map(vars, added)])
        return replace(self, approvals=[*self.approvals, *added])

    def expired(self) -> list[tuple[Entry, Approval]]:
        """The approvals that no longer count, of entries that break."""
        expired: list[tuple[Entry, Approval]] = []
        for entry in self.breaking():
            for approval in self.approvals:
                is_own = approval.fingerprint == entry.fingerprint
                if is_own and approval.expires < self.today:
                    expired.append((entry, approval))
        return expired

    def unknown(self) -> list[Approval]:
        """The approvals that no entry has: their change is gone, or is another one now."""
        known = {entry.fingerprint for entry in self.entries}
        return [each for each in self.approvals if each.fingerprint not in known]

    def by_level(self) -> list[tuple[Level, list[Entry]]]:
        """The entries by the worse of their columns, the worst first."""
        by_level: dict[Level, list[Entry]] = {level: [] for level in reversed(LEVELS)}
        for entry in self.entries:
            by_level[worst((entry.wire, entry.python))].append(entry)
        return [(level, entries) for level, entries in by_level.items() if entries]

    def notices(self) -> list[str]:
        """What else a person has to know: approvals that no longer count."""
        lines = [
            f"{entry.place}: the approval of {entry.fingerprint} expired on {approval.expires}: "
            f"{approval.reason.rstrip('.')}. Look at it again; then write a later day in "
            "`expires`, or remove it."
            for entry, approval in self.expired()
        ]
        lines += [
            f"No change of these documents has the fingerprint {each.fingerprint}: remove its "
            f"approval ({each.reason})."
            for each in self.unknown()
        ]
        return lines

    def counts(self) -> dict[str, Any]:
        """The counts of the report, as its JSON has them."""
        breaking = len(self.breaking())
        all_breaking = [entry for entry in self.entries if "breaks" in (entry.wire, entry.python)]
        return {
            "entries": len(self.entries),
            "wire": self._levels("wire"),
            "python": self._levels("python") if self.python_compared else None,
            "breaking": breaking,
            "approved": len(all_breaking) - breaking,
            "expired": len(self.expired()),
            "unknown_approvals": len(self.unknown()),
            "documentation": self.documentation,
        }

    def _levels(self, column: Column) -> dict[Level, int]:
        """How many entries have each level in a column."""
        counts = Counter(entry.level(column) for entry in self.entries)
        return {level: counts[level] for level in reversed(LEVELS)}

    def summary(self) -> str:
        """The report in one line."""
        counts = self.counts()
        texts = number(self.documentation, "text") if self.documentation else ""
        if not self.entries:
            return f"No change; {texts} differ." if texts else "No change."
        columns = [f"on the wire: {_levels_in_words(counts['wire'])}"]
        if self.python_compared:
            columns.append(f"in Python: {_levels_in_words(counts['python'])}")
        else:
            columns.append("Python was not compared")
        changed = number(len(self.entries), "changed component")
        summary = f"{changed}; {'; '.join(columns)}."
        if counts["approved"]:
            summary += f" {counts['approved']} approved."
        if texts:
            summary += f" {texts} changed."
        return summary

    @property
    def status(self) -> int:
        """The exit status: 1 when something breaks."""
        return 1 if self.breaking() else 0


def report_on(
    sides: Sides,
    python: Mapping[str, PythonChange] | None,
    *,
    called: tuple[str, str],
    file: Path,
    approved: Sequence[Approval],
) -> Report:
    """The report of two documents that were compared.

    `python` has the changes of their packages; None when they were not compared. The report calls
    the documents as `called` says, and annotations name `file`.
    """
    result = comparison(sides, python)
    return Report(
        old=called[0],
        new=called[1],
        file=file.as_posix(),
        **vars(result),
        approvals=approved,
        today=today(),
        python_compared=python is not None,
    )


def today() -> datetime.date:
    """The day by which approvals expire, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()


def _levels_in_words(counts: dict[Level, int]) -> str:
    """Counts of changes in words: `1 breaks, 0 look, 2 fine`."""
    levels: tuple[Level, ...] = ("breaks", "look", "fine")
    return ", ".join(f"{counts[level]} {level}" for level in levels)


def number(count: int, word: str) -> str:
    """A count with its noun: `1 text`, `2 texts`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def levels_text(report: Report, entry: Entry) -> str:
    """What an entry does: `breaks on the wire, look in Python`."""
    wire = f"{entry.wire} on the wire"
    return f"{wire}, {entry.python} in Python" if report.python_compared else wire


def one_line(text: str) -> str:
    """A text of the document without control characters, which could forge lines or colours."""
    return "".join(character if character.isprintable() else " " for character in text)


def lines_of(document: Path, max_mib: float = MAX_MIB) -> dict[str, int]:
    """The line of each place of a document in YAML, or in JSON, which YAML contains; none of JSON
    that is no YAML.

    `document` is a file that `victor_spec.document.load` has read, with this limit. Raises
    OSError.
    """
    try:
        root = yaml.compose(read_text(document, max_mib), Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return {}
    return dict(_lines(root, ""))


def _lines(node: yaml.Node | None, place: str) -> Iterator[tuple[str, int]]:
    """The places below a place, each with its line."""
    parts: list[tuple[str | int, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        parts = [(key.value, key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            parts.append((index, item, item))
            parts.append((_parameter_name(item), item, item))
    for name, first, part in parts:
        inner = step(place, name)
        yield inner, first.start_mark.line + 1
        yield from _lines(part, inner)


def _parameter_name(node: yaml.Node) -> str:
    """`query:limit`, as a place names a parameter in a list."""
    texts: dict[str, str] = {}
    if isinstance(node, yaml.MappingNode):
        texts = {key.value: value.value for key, value in node.value}
    return f"{texts.get('in')}:{texts.get('name')}"
