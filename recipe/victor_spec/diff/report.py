"""What a comparison says, apart from how it is shown: its entries, the approvals of a person, and
the version due.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from victor_spec.bounds import MAX_MIB, Limits, read_text
from victor_spec.decisions import Approval, DecisionError, add_entries, parse_day
from victor_spec.tree import Tree, copied, mapping_at, step

from .changes import LEVELS, Column, Entry, Level, PythonChange, worst
from .compare import Comparison, compare

COLUMNS: tuple[Column, ...] = ("wire", "python")


@dataclass(frozen=True, kw_only=True)
class Report(Comparison):
    old: str
    new: str
    """What the documents are called: a path, or `git:REV:path`."""
    file: str
    approvals: Sequence[Approval] = ()
    today: datetime.date = datetime.date.min
    version_problem: str | None = None
    python_compared: bool = True
    lines: Mapping[str, int] = field(default_factory=dict[str, int])
    """The lines of the new document, whose path is `file`, by place: for annotations."""

    def breaking(self) -> list[Entry]:
        """The entries that break something, and were not approved."""
        return [
            entry
            for entry in self.entries
            if any(
                entry.level(each) == "breaks" and self.approval(entry, each) is None
                for each in COLUMNS
            )
        ]

    def approval(self, entry: Entry, column: Column) -> Approval | None:
        """The approval that lets a column pass, if it breaks."""
        own = (
            each
            for each in self.approvals
            if each.fingerprint == entry.fingerprint and each.expires >= self.today
        )
        return next(
            (
                each
                for each in own
                if entry.level(column) == "breaks" and each.scope in (column, "both")
            ),
            None,
        )

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
        old = [each for each in self.approvals if each.expires < self.today]
        return [
            (entry, each)
            for entry in self.breaking()
            for each in old
            if each.fingerprint == entry.fingerprint
        ]

    def unknown(self) -> list[Approval]:
        """The approvals that no entry has: their change is gone, or is another one now."""
        known = {entry.fingerprint for entry in self.entries}
        return [each for each in self.approvals if each.fingerprint not in known]

    def by_level(self) -> list[tuple[Level, list[Entry]]]:
        """The entries by the worse of their columns, the worst first."""
        worst_of = [(worst((entry.wire, entry.python)), entry) for entry in self.entries]
        by_level: list[tuple[Level, list[Entry]]]
        by_level = [
            (level, [entry for own, entry in worst_of if own == level])
            for level in reversed(LEVELS)
        ]
        return [(level, entries) for level, entries in by_level if entries]

    def notices(self) -> list[str]:
        """What else a person has to know: approvals that no longer count, and the version."""
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
        return lines + ([self.version_problem] if self.version_problem else [])

    def counts(self) -> dict[str, Any]:
        breaking = len(self.breaking())
        return {
            "entries": len(self.entries),
            "wire": self._levels("wire"),
            "python": self._levels("python") if self.python_compared else None,
            "breaking": breaking,
            "approved": sum("breaks" in (entry.wire, entry.python) for entry in self.entries)
            - breaking,
            "expired": len(self.expired()),
            "unknown_approvals": len(self.unknown()),
            "documentation": self.documentation,
        }

    def _levels(self, column: Column) -> dict[Level, int]:
        return {
            level: sum(entry.level(column) == level for entry in self.entries)
            for level in reversed(LEVELS)
        }

    def summary(self) -> str:
        counts = self.counts()
        if not self.entries:
            return (
                f"No change; {number(self.documentation, 'text')} differ."
                if self.documentation
                else "No change."
            )
        columns = [
            f"{name}: "
            + ", ".join(f"{counts[column][level]} {level}" for level in ("breaks", "look", "fine"))
            for column, name in (("wire", "on the wire"), ("python", "in Python"))
            if column == "wire" or self.python_compared
        ]
        columns += [] if self.python_compared else ["Python was not compared"]
        approved = f" {counts['approved']} approved." if counts["approved"] else ""
        texts = f" {number(self.documentation, 'text')} changed." if self.documentation else ""
        return (
            f"{number(len(self.entries), 'changed component')}; "
            f"{'; '.join(columns)}.{approved}{texts}"
        )

    @property
    def status(self) -> int:
        """The exit status: 1 when something breaks or the version is wrong."""
        return int(bool(self.breaking()) or self.version_problem is not None)


def report_on(
    before: Tree,
    after: Tree,
    python: Mapping[str, PythonChange] | None,
    *,
    called: tuple[str, str],
    file: Path,
    approved: Sequence[Approval],
    check_version: bool = False,
    sunset_days: int = 0,
) -> Report:
    """Compare two loaded documents, which stay as they are.

    `python` has the changes of their packages; None when they were not compared. The report calls
    the documents as `called` says, and annotations name `file`. With `check_version`,
    `info.version` must have moved far enough. `sunset_days` is the least number of days until a
    sunset; above 0, what is deprecated must have one.
    """
    soonest = today() + datetime.timedelta(days=sunset_days)
    result = compare(copied(before), copied(after), python, (soonest, sunset_days > 0))
    return Report(
        old=called[0],
        new=called[1],
        file=file.as_posix(),
        **vars(result),
        approvals=approved,
        today=today(),
        version_problem=version_problem(before, after, result.entries) if check_version else None,
        python_compared=python is not None,
    )


def today() -> datetime.date:
    """The day by which approvals expire, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()


_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+.].*)?")


def version_problem(old: Tree, new: Tree, entries: Iterable[Entry]) -> str | None:
    """What is wrong with the new version, and what to write; None when it is right.

    A change that breaks on the wire asks for a new major version (a new minor one below 1.0),
    another change for a new minor one (a patch below 1.0). What is no version like 1.2.3 has to be
    another text.
    """
    before, after = (str(mapping_at(each, "info").get("version", "")) for each in (old, new))
    levels = {entry.wire for entry in entries}
    first, second = _VERSION.fullmatch(before), _VERSION.fullmatch(after)
    if not levels:
        return None
    if first is None or second is None:
        return (
            None if before != after else f"info.version is still {before!r}: give it a new value."
        )
    major, minor, patch = (int(each or 0) for each in first.groups())
    needed = (major, minor, patch + 1)
    if "breaks" in levels or (major and levels != {"none"}):
        needed = (major + 1, 0, 0) if "breaks" in levels and major else (major, minor + 1, 0)
    if tuple(int(each or 0) for each in second.groups()) >= needed:
        return None
    moved = "is still" if before == after else f"moved from {before} to"
    reason = "something breaks on the wire" if "breaks" in levels else "something changed"
    return (
        f"info.version {moved} {after}, though {reason}: write {'.'.join(map(str, needed))} or "
        "a later one."
    )


def number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def levels_text(report: Report, entry: Entry) -> str:
    return f"{entry.wire} on the wire" + (
        f", {entry.python} in Python" if report.python_compared else ""
    )


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
        root = yaml.compose(read_text(document, Limits(max_mib)), Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return {}
    return dict(_lines(root, ""))


def _lines(node: yaml.Node | None, place: str) -> Iterator[tuple[str, int]]:
    parts: list[tuple[str, int, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        parts = [
            (step(place, key.value), key.start_mark.line + 1, value) for key, value in node.value
        ]
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            texts = (
                {key.value: each.value for key, each in item.value}
                if isinstance(item, yaml.MappingNode)
                else {}
            )
            names = number, f"{texts.get('in')}:{texts.get('name')}"
            parts += [(step(place, name), item.start_mark.line + 1, item) for name in names]
    for inner, line, part in parts:
        yield inner, line
        yield from _lines(part, inner)
