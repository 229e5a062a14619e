"""The command `victor-spec update`: replace a document by a newer one, when that makes a whole
package.

All files of the document are replaced together, with the package (see `victor_spec.replacement`).
"""

import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from victor_spec.check import Problem, losses_of
from victor_spec.decisions import default_path, read_accepted, read_approvals
from victor_spec.destination import build_folder, changed_files, package_folder
from victor_spec.diff.compare import compare
from victor_spec.diff.python import package_changes
from victor_spec.diff.report import Report, levels_text, number, one_line, report_on
from victor_spec.diff.surface import Surface
from victor_spec.document import MAX_MIB, Document, read_document
from victor_spec.exit_status import COMPLETE, INCOMPLETE, MISUSE
from victor_spec.generate import GenerationResult, Parsed, generate, package_name, parsed
from victor_spec.members import tables_of
from victor_spec.newer import (
    left_files,
    new_files,
    not_taken,
    require_readable,
    require_unchanged,
    sharing,
)
from victor_spec.news import news_of_calls, news_of_records
from victor_spec.news.amounts import AS_DECIMAL, decision
from victor_spec.replacement import replace_together
from victor_spec.tree import Tree, mapping_at
from victor_spec.typed.settings import SettingsError

from . import Copies, Decimals, MaxMib, Name, approvals_beside, reading, say_recovered, show
from .diff import write

_UNRELEASED = re.compile(r"^(## \[?Unreleased.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
"""The heading of the next release in a changelog, with the words below it."""
_CHANGED = re.compile(r"^## \[?Unreleased(?:(?!^## ).)*?^### Changed\n+", re.MULTILINE | re.DOTALL)
"""All of the next release above what it says of changes."""
DECISIONS = (
    "`shown` or `private` of a field, `shown` of a request object, `constant` of a list, "
    "`compared_as` of a call"
)
"""The settings that say what an update calls undecided."""
UNTIL_THEN = "Until then, what its line says holds"
"""What holds of what is undecided: nothing of it has to be decided."""
MAX_FILES = 10
"""The files of one update that are named."""
MAX_LINES = 40
"""The changes of one update that the changelog names."""


def update(
    document: Annotated[Path, typer.Argument(metavar="SPEC", help="The document to replace.")],
    newer: Annotated[Path, typer.Argument(metavar="NEWER", help="The newer document.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="The folder of the package.")],
    name: Name = None,
    decimals: Decimals = None,
    copies: Copies = None,
    max_mib: MaxMib = MAX_MIB,
    approved: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The approved changes (default: <document>.approved.yaml beside SPEC, or the one "
            "beside NEWER if it alone is there).",
        ),
    ] = None,
    changelog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A changelog that gets an entry.")
    ] = None,
) -> int:
    """Replace a document by a newer one, with its package, and say what has to be decided."""
    name = name or package_name(document)
    approvals = read_approvals(approved or approvals_beside(document, newer))
    accepted = default_path(document, "accepted")
    read_accepted(accepted)  # a mistake in it is reported before the work begins
    how = reading(copies, max_mib)
    earlier = read_document(document, lenient=True, **how)
    say_recovered(earlier)
    later = read_document(newer, overlay=_overlay_of(document, newer), **how)
    later.corrections.require_same_items(earlier.corrections, newer)
    files, others = _files_of(earlier, later, partial(read_document, **how))
    before, after = earlier.tree, later.tree
    package = package_folder(out, name)
    with build_folder(package) as folder:
        sides = compare(before, after)
        settings = default_path(document, "settings")
        old = parsed(document, before, trace=True, decimals=decimals or ())
        made: GenerationResult | SettingsError
        try:
            made = generate(
                newer,
                folder / "new",
                name=name,
                trace=True,
                tree=after,
                decimals=decimals or (),
                typed=(package / "typed").is_dir(),
                settings=settings,
            )
            new = made.parsed
        except SettingsError as error:
            # What breaks is said first: an entry that fits no longer is often a part of it.
            made = error
            new = parsed(newer, after, trace=True, decimals=decimals or ())
        surfaces = Surface(old, before, sides.old), Surface(new, after, sides.new)
        changes = package_changes(sides, *surfaces, name)
        names = document.name, newer.name
        report = report_on(sides, changes, called=names, file=document, approved=approvals)
        write(report)
        show("")
        if isinstance(made, SettingsError):
            raise made
        losses = losses_of(made, accepted).problems
        if losses:
            _refuse(newer, accepted, losses)
            return MISUSE
        changed = "" if changelog is None else _changed(changelog, document, before, after, report)
        is_new = not package.exists() or bool(changed_files(made.package, package))
        require_unchanged(earlier)
        try:
            replace_together(
                document,
                files,
                package=(made.package, package) if is_new else None,
                changelog=(changed.encode(), changelog) if changed and changelog else None,
            )
        except OSError as error:
            raise RuntimeError(
                f"Nothing was replaced: {error.filename or document.parent} cannot be written: "
                f"{error.strerror or error}."
            ) from error
    show(f"{newer} -> {document}, {package}")
    for line in _files_in_words(earlier, later, files, others):
        show(line)
    amounts = _show_news(old, made, before, after, document, settings)
    more = [*later.corrections.idle(), *later.corrections.half_taken_over(earlier.corrections)]
    for path, place in not_taken(earlier, later):
        why = f"{newer.name} mentions it, and no command reads it"
        more.append(f"{path}: {why}: copy it to {place}")
    for path, (_, shared) in others.items():
        if not files.keys().isdisjoint(shared):
            more.append(
                f"{path} has {', '.join(shared)}, too: generate its package again, and look at "
                "what changes"
            )
    return _print_decisions(report, [*amounts, *more])


def _files_in_words(
    earlier: Document,
    later: Document,
    files: Collection[str],
    others: Mapping[Path, tuple[Document, Sequence[str]]],
) -> Iterator[str]:
    """Name the files beside the document that were replaced, or that it refers to no more."""
    document = earlier.path
    parts = [name for name in files if name != document.name]
    if parts:
        rest = f" and {len(parts) - MAX_FILES} more" if len(parts) > MAX_FILES else ""
        yield f"  with {', '.join(parts[:MAX_FILES])}{rest}"
    for name in left_files(earlier, later):
        users = [path.name for path, (_, shared) in others.items() if name in shared]
        what = f"{' and '.join(users)} does" if users else "delete it"
        yield f"  {document.parent / name}: {document.name} refers to it no more; {what}"


def _files_of(
    earlier: Document, later: Document, read: Callable[[Path], Document]
) -> tuple[dict[str, bytes], dict[Path, tuple[Document, list[str]]]]:
    """The files that are replaced, and the other documents that have one of these.

    Raises DocumentError for files that cannot be replaced.
    """
    files = new_files(earlier, later)
    others = sharing(earlier, [*files, *left_files(earlier, later)], read)
    for other, _ in others.values():
        require_readable(other, earlier.path.parent, files, read)
    return files, others


def _overlay_of(document: Path, newer: Path) -> Path:
    """The corrections of the newer document: its own, or those of the one that it replaces, which
    are its own from now on.
    """
    own = default_path(newer, "overlay")
    return own if own.exists() else default_path(document, "overlay")


def _show_news(
    old: Parsed,
    new: GenerationResult,
    before: Tree,
    after: Tree,
    document: Path,
    settings: Path,
) -> list[str]:
    """Name what changes of typed records and lists, one line for each member; the lines of those
    that are money.
    """
    typed = new.typed
    if typed is None:
        floats = (place for place in new.log.floats if place not in old.log.floats)
        return [
            f"new: `{place}` (number): {decision('name', f'--decimals {place}')}"
            for place in floats
        ]
    members = {} if old.data is None else tables_of(old.data.models)
    news = [
        *news_of_calls(typed.lists, typed.calls, typed.settings, before, after),
        *news_of_records(typed.records, members, new.members, after),
    ]
    if not news:
        return []
    show("", f"{number(len(news), 'change')} of typed records and arguments:")
    show(*(f"  {line}" for line in news))
    if any(line.endswith("undecided") for line in news):
        show(*(f"  {line}" for line in _where_to_decide(document, settings)))
    return [line for line in news if AS_DECIMAL in line]


def _where_to_decide(document: Path, settings: Path) -> Iterator[str]:
    """Say where what is undecided may be decided, and what holds meanwhile."""
    yield f"Decide when you like, in {settings.name}: {DECISIONS}. {UNTIL_THEN}."
    if not settings.exists():
        command = shlex.join(["victor-spec", "settings", str(document)])
        yield f"There is no {settings.name} yet; this writes it: {command}"


def _refuse(newer: Path, accepted: Path, losses: Sequence[Problem]) -> None:
    """Say why nothing was replaced, and how to do without what is lost."""
    for loss in losses:
        show(loss.loss, to=sys.stderr)
    check = ["victor-spec", "check", str(newer), "--accepted", str(accepted), "--accept", "REASON"]
    show(
        f"Nothing was replaced: the package of {newer.name} would lack what is named above. Mend "
        "the document, or do without it:",
        f"  {shlex.join(check)}",
        to=sys.stderr,
    )


def _changed(changelog: Path, document: Path, before: Tree, after: Tree, report: Report) -> str:
    """The changelog with an entry; empty when there is nothing to say."""
    if not report.entries:
        return ""
    entry = "\n".join(_changelog_lines(document, before, after, report))
    return _with(changelog, entry)


def _print_decisions(report: Report, more: Sequence[str]) -> int:
    """Name what a person has to look at: what breaks and was not approved, what may, and `more`:
    new amounts, corrections that the provider has taken over, documents that share a file.
    """
    breaking = report.breaking()
    looks = [
        entry
        for entry in report.entries
        if "look" in (entry.wire, entry.python) and entry not in breaking
    ]
    if not breaking and not looks and not more:
        show("Nothing has to be decided: no change breaks anything, and none needs a look.")
        return COMPLETE
    decided = [*breaking, *looks]
    show("", f"{number(len(decided) + len(more), 'decision')} for a person:")
    for count, entry in enumerate(decided, 1):
        show(f"{count:3}. {entry.place}: {entry.shortened()} ({entry.reached_by()})")
        if entry.names:
            show(f"     {', '.join(entry.names)}")
    for count, line in enumerate(more, len(decided) + 1):
        show(f"{count:3}. {line}")
    return INCOMPLETE


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
    changed = _CHANGED.search(text)
    if changed is not None:
        return f"{text[: changed.end()]}{entry}\n{text[changed.end() :]}"
    if _UNRELEASED.search(text) is None:
        text = re.sub(r"\A(# .*\n)?", r"\1\n## Unreleased\n\n", text, count=1)
    above, release, below = _UNRELEASED.split(text, maxsplit=1)
    return f"{above}{release.rstrip()}\n\n### Changed\n\n{entry}\n" + (
        f"\n{below}" if below else ""
    )
