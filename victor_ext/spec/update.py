"""Replace a document by a newer one: compare, check, generate, and say what a person has to decide.

Nothing is replaced unless the newer document makes a whole package. The package is replaced first and the document
after it, so that a run that is interrupted can be repeated: it compares with the same old document again.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .check import check_generated
from .checking.acceptance import default_path
from .checking.acceptance import load as read_accepted
from .destination import build_folder, move_into_place, package_folder
from .diff.approvals import read_approvals
from .diff.documents import report_on
from .diff.entry import RULES, Entry
from .diff.python import Generated, package_changes
from .diff.report import Report, number, one_line
from .document import load
from .generate import package_name
from .tree import Tree, mapping_at

UNRELEASED = re.compile(r"^## (?:\[?Unreleased\]?).*$", re.MULTILINE)
MAX_LINES = 20
"""The changes of one update that the changelog names."""


@dataclass(frozen=True)
class Update:
    """What an update found and did."""

    report: Report
    losses: list[str]
    """Why nothing was replaced: what the package of the newer document would lack. Empty when it was replaced."""
    package: Path

    def decisions(self) -> list[Entry]:
        """The changes that a person has to look at: what breaks and was not approved, and what may."""
        breaking = self.report.breaking()
        looks = [each for each in self.report.entries if "look" in (each.wire, each.python) and each not in breaking]
        return [*breaking, *looks]


def update(
    document: Path,
    newer: Path,
    out: Path,
    *,
    name: str | None = None,
    decimals: Collection[str] = (),
    copies: Mapping[str, Path] | None = None,
    approved: Path | None = None,
    changelog: Path | None = None,
) -> Update:
    """Replace `document` by the file `newer`, and its package in the folder `out` by the newer one.

    Args:
        document: The document that is replaced; its file keeps its name.
        newer: The file with the newer document.
        out: The folder of the package.
        name: The name of the package; None takes it from the name of `document`.
        decimals: The places of numbers that both packages read as Decimal, as of `generate`.
        copies: The local files for the URLs that the documents refer to.
        approved: The file of approved changes; None takes `<document>.approved.yaml` beside `document`.
        changelog: A changelog in the format of "Keep a Changelog", which gets an entry under "Unreleased".

    Raises:
        DocumentError: One of the documents cannot be read. Nothing was replaced.
        ApprovalError: The approvals cannot be read. Nothing was replaced.
        RuntimeError: The package must not be written there, or the tools are not the pinned ones.
        OSError: A file cannot be read or written.
    """
    name = package_name(document) if name is None else name
    approvals = read_approvals(document.with_name(f"{document.stem}.approved.yaml") if approved is None else approved)
    accepted = default_path(document)
    read_accepted(accepted)  # a mistake in it is reported before the work begins
    before, after = load(document, copies), load(newer, copies)
    package = package_folder(out, name)
    with build_folder(package) as folder:
        old = Generated.of(document, before, folder / "old", name, decimals)
        new = Generated.of(newer, after, folder / "new", name, decimals)
        changes = package_changes(old, new, name)
        names = document.name, newer.name
        report = report_on(before, after, changes, called=names, file=document, approved=approvals)
        checked = check_generated(after, newer.name, new.made, accepted)
        losses = [f"{each.place}: {each.what}" for each in checked.problems]
        if losses:
            return Update(report, losses, package)
        move_into_place(new.made.package, package)
    if changelog is not None and report.entries:
        _add_to(changelog, "\n".join(_changelog_lines(document, before, after, report)))
    _replace(document, newer.read_bytes())
    return Update(report, [], package)


def _changelog_lines(document: Path, before: Tree, after: Tree, report: Report) -> Iterator[str]:
    versions = [one_line(str(mapping_at(each, "info").get("version", ""))) for each in (before, after)]
    version = f": version {versions[1]} instead of {versions[0]}" if versions[0] != versions[1] else ""
    yield f"- The document `{document.name}` is a newer one{version}. {report.summary()}"
    moves = {RULES["operation-moved"].words.replace("{new}", new) for new in report.moved.values()}
    left = [each for each in report.entries if each.what not in moves and not {*each.operations} <= {*report.added}]
    broken = [each for each in left if "breaks" in (each.wire, each.python)]
    looks = [each for each in left if each not in broken and "look" in (each.wire, each.python)]
    wider = [each for each in left if each not in (*broken, *looks) and each.wire == "fine"]
    wider = [each for each in wider if each.direction != "received"]
    for entries, effect in ((broken, ""), (looks, "to look at"), (wider, "requests may have more")):
        for each in entries[:MAX_LINES]:
            yield f"  - `{one_line(each.place)}` ({effect or _columns(each)}): {one_line(each.what)}"
        if len(entries) > MAX_LINES:
            yield f"  - {number(len(entries) - MAX_LINES, 'more change')} ({effect or 'something breaks'})."
    moved = [f"`{one_line(old)}` to `{one_line(new)}`" for old, new in report.moved.items()]
    for title, names in (("Moved", moved), ("New operations", [f"`{one_line(each)}`" for each in report.added])):
        if names:
            rest = f" and {len(names) - MAX_LINES} more" if len(names) > MAX_LINES else ""
            yield f"  - {title}: {', '.join(names[:MAX_LINES])}{rest}."


def _columns(entry: Entry) -> str:
    levels = (("on the wire", entry.wire), ("in Python", entry.python))
    return " and ".join(column for column, level in levels if level == "breaks")


def _add_to(changelog: Path, entry: str) -> None:
    """Put an entry under "Unreleased", in its section "Changed"; both are added where they are missing."""
    text = changelog.read_text(encoding="utf-8") if changelog.exists() else "# Changelog\n"
    heading = UNRELEASED.search(text)
    if heading is None:
        title = re.match(r"# .*\n", text)
        at, opening = (title.end() if title else 0), "\n## Unreleased\n\n### Changed\n\n"
    else:
        next_release = re.compile(r"^## ", re.MULTILINE).search(text, heading.end())
        end = next_release.start() if next_release else len(text)
        changed = re.compile(r"^### Changed\n+", re.MULTILINE).search(text, heading.end(), end)
        section = re.compile(r"^### ", re.MULTILINE).search(text, heading.end(), end)
        at, opening = (changed.end(), "") if changed else (section.start() if section else end, "### Changed\n\n")
    before, after = text[:at], text[at:]
    if heading is not None and opening:
        before, after = before.rstrip("\n") + "\n\n", after and f"\n{after}"
    text = f"{before}{opening}{entry}\n{after}"
    _replace(changelog, text.encode("utf-8"))


def _replace(file: Path, data: bytes) -> None:
    """Write a file in one step: a reader sees the old bytes or the new ones."""
    hidden = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    try:
        hidden.write_bytes(data)
        os.replace(hidden, file)
    finally:
        hidden.unlink(missing_ok=True)
