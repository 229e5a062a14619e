"""The command `victor spec update`: replace a document by a newer one, when that makes a whole
package.

The package is replaced first: a run that is interrupted can be repeated, and compares with the same
old document.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from victor_ext._exit_status import FAILED, MISUSE
from victor_ext._output import replaced
from victor_ext.spec.checking.check import check_generated
from victor_ext.spec.decisions import default_path, read_accepted, read_approvals
from victor_ext.spec.destination import build_folder, move_into_place, package_folder
from victor_ext.spec.diff.packages import Side
from victor_ext.spec.diff.python import package_changes
from victor_ext.spec.diff.report import Report, levels_text, number, one_line, report_on
from victor_ext.spec.document import load
from victor_ext.spec.generate import package_name
from victor_ext.spec.tree import Tree, mapping_at

from . import Command, add_approved, add_generation, reading, show
from .diff import write

_UNRELEASED = re.compile(r"^(## \[?Unreleased.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
"""The heading of the next release in a changelog, with the words below it."""
_CHANGED = re.compile(r"^## \[?Unreleased(?:(?!^## ).)*?^### Changed\n+", re.MULTILINE | re.DOTALL)
"""All of the next release above what it says of changes."""
MAX_LINES = 40
"""The changes of one update that the changelog names."""


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("document", metavar="SPEC", type=Path, help="the document to replace")
    command.add_argument("newer", metavar="NEWER", type=Path, help="the newer document")
    command.add_argument(
        "--out", metavar="OUT", type=Path, required=True, help="the folder of the package"
    )
    add_generation(command)
    add_approved(command, "SPEC")
    command.add_argument(
        "--changelog", metavar="FILE", type=Path, help="a changelog that gets an entry"
    )


def _run(options: argparse.Namespace) -> int:
    document: Path = options.document
    newer: Path = options.newer
    name: str = options.name or package_name(document)
    approvals = read_approvals(options.approved or default_path(document, "approved"))
    accepted = default_path(document, "accepted")
    read_accepted(accepted)  # a mistake in it is reported before the work begins
    before, after = load(document, **reading(options)), load(newer, **reading(options))
    package = package_folder(options.out, name)
    with build_folder(package) as folder:
        old = Side(document, before, folder / "old", name, options.decimals)
        new = Side(newer, after, folder / "new", name, options.decimals)
        changes = package_changes(old, new, name)
        names = document.name, newer.name
        report = report_on(before, after, changes, called=names, file=document, approved=approvals)
        write(report)
        show("")
        losses = check_generated(after, newer.name, new.made, accepted).problems
        for loss in losses:
            show(f"{loss.place}: {loss.what}", to=sys.stderr)
        if losses:
            command = [
                "victor",
                "spec",
                "check",
                str(newer),
                "--accepted",
                str(accepted),
                "--accept",
                "REASON",
            ]
            show(
                f"Nothing was replaced: the package of {newer.name} would lack what is named "
                "above. Mend the document, or do without it:",
                f"  {shlex.join(command)}",
                to=sys.stderr,
            )
            return MISUSE
        entry = (
            "\n".join(_changelog_lines(document, before, after, report)) if report.entries else ""
        )
        changelog = (
            _with(options.changelog, entry) if options.changelog is not None and entry else ""
        )
        move_into_place(new.made.package, package)
    if changelog and options.changelog is not None:
        with replaced(options.changelog) as file:
            file.write(changelog.encode())
    with replaced(document) as file:
        file.write(newer.read_bytes())
    show(f"{newer} -> {document}, {package}")
    return _print_decisions(report)


def _print_decisions(report: Report) -> int:
    """Name the changes that a person has to look at: what breaks and was not approved, and what
    may.
    """
    breaking = report.breaking()
    looks = [
        entry
        for entry in report.entries
        if "look" in (entry.wire, entry.python) and entry not in breaking
    ]
    if not breaking and not looks:
        show("No change breaks anything, and none needs a look.")
        return 0
    show("", f"{number(len(breaking) + len(looks), 'decision')} for a person:")
    for count, entry in enumerate([*breaking, *looks], 1):
        show(f"{count:3}. {entry.place}: {entry.shortened()} ({entry.reached_by()})")
        if entry.names:
            show(f"     {', '.join(entry.names)}")
    return FAILED


def _changelog_lines(document: Path, before: Tree, after: Tree, report: Report) -> Iterator[str]:
    versions = [
        one_line(str(mapping_at(each, "info").get("version", ""))) for each in (before, after)
    ]
    version = (
        f": version {versions[1]} instead of {versions[0]}" if versions[0] != versions[1] else ""
    )
    yield f"- The document `{document.name}` is a newer one{version}. {report.summary()}"
    lines = [
        f"`{one_line(each.place)}` ({levels_text(report, each)}): {one_line(each.shortened())}"
        for level, entries in report.by_level()
        for each in entries
        if level != "none" and not {*each.operations} <= {*report.added}
    ]
    lines += [f"New operation: `{one_line(each)}`." for each in report.added]
    yield from (f"  - {line}" for line in lines[:MAX_LINES])
    if len(lines) > MAX_LINES:
        yield f"  - {number(len(lines) - MAX_LINES, 'more change')}."


def _with(changelog: Path, entry: str) -> str:
    """A changelog with an entry under "Unreleased", in "Changed".

    Both are added where they are missing.
    """
    try:
        text = changelog.read_text(encoding="utf-8") if changelog.exists() else "# Changelog\n"
    except ValueError as error:
        raise RuntimeError(f"Nothing was replaced: {changelog} is not UTF-8: {error}") from None
    if (changed := _CHANGED.search(text)) is not None:
        return f"{text[: changed.end()]}{entry}\n{text[changed.end() :]}"
    if _UNRELEASED.search(text) is None:
        text = re.sub(r"\A(# .*\n)?", r"\1\n## Unreleased\n\n", text, count=1)
    above, release, below = _UNRELEASED.split(text, maxsplit=1)
    return f"{above}{release.rstrip()}\n\n### Changed\n\n{entry}\n" + (
        f"\n{below}" if below else ""
    )


UPDATE = Command(
    "update",
    "replace a document by a newer one, with its package, and say what has to be decided",
    "Exit status: 0 when nothing has to be decided, 1 when something has (the document is "
    "replaced), 2 when nothing was replaced.",
    _add_arguments,
    _run,
)
