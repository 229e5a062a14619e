"""The command `victor spec diff`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
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

from . import Command, add_approved, add_copies, copies, show, show_as_is


def _add_diff(command: argparse.ArgumentParser) -> None:
    command.add_argument("old", metavar="OLD", help="a document, or git:REV:path")
    command.add_argument("new", metavar="NEW", help="a document, or git:REV:path")
    formats = command.add_mutually_exclusive_group()
    for form in FORMATS:
        text = f"write {form} instead of text"
        formats.add_argument(f"--{form}", dest="format", action="store_const", const=form, help=text)
    command.add_argument("--out", metavar="FILE", type=Path, help="write to a file instead of the standard output")
    command.add_argument("--name", metavar="NAME", help="the name of the package (default: <document>_api, of OLD)")
    add_copies(command)
    command.add_argument("--no-python", action="store_true", help="leave out the column of Python (faster)")
    add_approved(command, "NEW, else beside OLD")
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
