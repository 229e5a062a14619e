"""The commands `victor spec diff` and `victor spec lint`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from victor_ext.spec.diff.documents import opened, path_of, report_on
from victor_ext.spec.diff.formats import FORMATS, as_text
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.diff.report import (
    Approval,
    ApprovalError,
    Lines,
    Report,
    parse_date,
    read_approvals,
    write_approvals,
)
from victor_ext.spec.document import load
from victor_ext.spec.lint import RULES, Finding, findings

from . import Command, add_copies, copies, show, show_as_is

# ---- diff ----


def _add_diff(command: argparse.ArgumentParser) -> None:
    command.add_argument("old", metavar="OLD", help="a document, or git:REV:path")
    command.add_argument("new", metavar="NEW", help="a document, or git:REV:path")
    formats = command.add_mutually_exclusive_group()
    for name in FORMATS:
        formats.add_argument(
            f"--{name}", dest="format", action="store_const", const=name, help=f"write {name} instead of text"
        )
    command.add_argument("--out", metavar="FILE", type=Path, help="write to a file instead of the standard output")
    command.add_argument("--name", metavar="NAME", help="the name of the package (default: <document>_api, of OLD)")
    add_copies(command)
    command.add_argument("--no-python", action="store_true", help="leave out the column of Python (faster)")
    command.add_argument(
        "--approved",
        metavar="FILE",
        type=Path,
        help="the approved changes (default: <document>.approved.yaml beside NEW, else beside OLD)",
    )
    command.add_argument("--approve", metavar="REASON", help="approve all that breaks, and write it to that file")
    command.add_argument("--expires", metavar="YYYY-MM-DD", help="the last day of what --approve writes")
    command.add_argument("--check-version", action="store_true", help="fail unless info.version moved as it must")


def _run_diff(options: argparse.Namespace) -> int:
    if (options.approve is None) != (options.expires is None):
        raise ApprovalError("--approve REASON and --expires YYYY-MM-DD belong together: give both.")
    beside = [path_of(source) for source in (options.new, options.old)]
    beside = [path.parent / f"{path.stem}.approved.yaml" for path in beside]
    file = options.approved or next((path for path in beside if path.exists()), beside[0])
    if options.approved is not None and options.approve is None and not file.exists():
        raise ApprovalError(f"{file} cannot be read: it does not exist.")
    with ExitStack() as stack:
        old, new = (stack.enter_context(opened(source)) for source in (options.old, options.new))
        trees = load(old, copies(options)), load(new, copies(options))
        python = None if options.no_python else python_changes(old, new, name=options.name, trees=trees)
        report = report_on(
            *trees,
            python,
            called=(options.old, options.new),
            file=path_of(options.new),
            approved=read_approvals(file),
            check_version=options.check_version,
        )
        report = replace(report, lines=Lines(new)) if options.format == "github" else report
    if options.approve is not None:
        report = _approve(report, file, options)
    _write(report, options.format, options.out)
    return report.status


def _approve(report: Report, file: Path, options: argparse.Namespace) -> Report:
    """Write an approval of each entry that breaks something, for what the report shows."""
    expires = parse_date(options.expires, "--expires")
    if not options.approve.strip():
        raise ApprovalError("--approve has no reason: write why the changes may pass.")
    if expires < report.today:
        raise ApprovalError(f"--expires {expires} is in the past: name the last day on which the approval counts.")
    scope = "wire" if options.no_python else "both"
    added = [Approval(entry.fingerprint, options.approve, scope, expires) for entry in report.breaking()]
    write_approvals(file, added)
    show(f"{file}: {len(added)} approved", to=sys.stderr)
    return replace(report, approvals=[*report.approvals, *added])


def _write(report: Report, form: str | None, out: Path | None) -> None:
    if form is not None:
        text = FORMATS[form](report)
    else:
        terminal = out is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 100
        text = as_text(report, width=width, colour=terminal and not os.environ.get("NO_COLOR"))
    if out is None:
        show_as_is(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


DIFF = Command(
    "diff",
    "compare two versions of a document: what breaks on the wire, and in your Python",
    "Exit status: 0 when nothing breaks, 1 when something does that is not approved, 2 for misuse or a document that "
    "cannot be read.",
    _add_diff,
    _run_diff,
)


# ---- lint ----

SHOWN = 5
"""The findings of a rule that are printed without `--all`."""


def _add_lint(command: argparse.ArgumentParser) -> None:
    command.add_argument("documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document")
    add_copies(command)
    command.add_argument("--json", action="store_true", help="write JSON instead of text, one document after another")
    command.add_argument("--all", action="store_true", help="show every finding of a rule instead of the first five")
    command.add_argument(
        "--skip", metavar="RULE", action="append", default=[], help="leave a rule out; may be repeated"
    )


def _run_lint(options: argparse.Namespace) -> int:
    unknown = sorted(set(options.skip) - {rule.name for rule in RULES})
    if unknown:
        raise RuntimeError(f"--skip {unknown[0]}: no rule has this name; --help lists them.")
    status = 0
    for document in options.documents:
        by_rule = findings(document, skip=frozenset(options.skip), copies=copies(options))
        if options.json:
            print(_as_json(document, by_rule))
        else:
            show(*_as_text(document, by_rule, show_all=options.all))
        status |= any(by_rule.values())
    return int(status)


def _as_text(file: Path, by_rule: Mapping[str, Sequence[Finding]], *, show_all: bool) -> Iterator[str]:
    """The findings by rule, each rule with why it hurts and what the recipe does about it."""
    total = sum(map(len, by_rule.values()))
    for rule in RULES:
        places = by_rule.get(rule.name, ())
        if not places:
            continue
        yield f"{rule.name} ({len(places)}): {rule.why}"
        yield f"  The recipe: {rule.recipe}"
        shown = places if show_all else places[:SHOWN]
        yield from (f"    {finding.place}: {finding.what}" for finding in shown)
        if len(shown) < len(places):
            yield f"    ... and {len(places) - len(shown)} more (--all)"
        yield ""
    rules = sum(map(bool, by_rule.values()))
    yield f"{file.name}: {total} findings of {rules} rules" if total else f"{file.name}: no findings"


def _as_json(file: Path, by_rule: Mapping[str, Sequence[Finding]]) -> str:
    recipes = {rule.name: rule.recipe for rule in RULES}
    entries = [
        {"rule": name, "place": finding.place, "what": finding.what, "recipe": recipes[name]}
        for name, places in by_rule.items()
        for finding in places
    ]
    counts = {name: len(places) for name, places in by_rule.items() if places}
    return json.dumps({"document": file.name, "findings": entries, "counts": counts}, indent=2)


LINT = Command(
    "lint",
    "say what in a document will hurt its client, and what the recipe does about it",
    f"Rules: {', '.join(rule.name for rule in RULES)}. Exit status: 0 without findings, 1 with some, 2 for misuse.",
    _add_lint,
    _run_lint,
)
