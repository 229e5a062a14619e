"""The command `victor spec diff`."""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from victor_ext.spec.diff.approvals import (
    Approval,
    ApprovalError,
    Approvals,
    Scope,
    parse_date,
    read_approvals,
    write_approvals,
)
from victor_ext.spec.diff.documents import compare_documents, opened, path_of
from victor_ext.spec.diff.formats import FORMATS, as_text
from victor_ext.spec.diff.report import Report

from . import add_copies, copies

SUMMARY = "compare two versions of a document: what breaks on the wire, and in your Python"
EPILOG = (
    "Exit status: 0 when nothing breaks, 1 when something does that is not approved, 2 for misuse or a document that "
    "cannot be read."
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
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


def run(options: argparse.Namespace) -> int:
    """Compare two documents. Raises DocumentError, ApprovalError, RuntimeError and OSError."""
    if (options.approve is None) != (options.expires is None):
        raise ApprovalError("--approve REASON and --expires YYYY-MM-DD belong together: give both.")
    approved = options.approved or _approval_file(options.old, options.new)
    if options.approved is not None and options.approve is None and not options.approved.exists():
        raise ApprovalError(f"{options.approved} cannot be read: there is no such file.")
    report = _report(options, read_approvals(approved))
    if options.approve is not None:
        expires = parse_date(options.expires, "--expires")
        report = _approve(report, approved, options.approve, expires, scope="wire" if options.no_python else "both")
    _write(report, options.format, options.out)
    return report.status


def _report(options: argparse.Namespace, approved: list[Approval]) -> Report:
    with ExitStack() as stack:
        old, new = (stack.enter_context(opened(source)) for source in (options.old, options.new))
        return compare_documents(
            old,
            new,
            called=(options.old, options.new),
            file=path_of(options.new),
            approved=approved,
            package=options.name,
            with_python=not options.no_python,
            check_version=options.check_version,
            with_lines=options.format == "github",
            copies=copies(options),
        )


def _approval_file(old: str, new: str) -> Path:
    """The file of approvals beside a document: the first that exists, else the one beside NEW."""
    beside = [path.parent / f"{path.stem}.approved.yaml" for path in (path_of(new), path_of(old))]
    return next((path for path in beside if path.exists()), beside[0])


def _approve(report: Report, file: Path, reason: str, expires: datetime.date, *, scope: Scope) -> Report:
    """Write an approval of each entry that breaks something, for what the report shows."""
    if not reason.strip():
        raise ApprovalError("--approve has no reason: write why the changes may pass.")
    if expires < report.approvals.today:
        raise ApprovalError(f"--expires {expires} is in the past: name the last day on which the approval counts.")
    added = [Approval(entry.fingerprint, reason, scope, expires) for entry in report.breaking()]
    write_approvals(file, added)
    print(f"{file}: {len(added)} approved", file=sys.stderr)
    return replace(report, approvals=Approvals([*report.approvals.approved, *added], report.approvals.today))


def _write(report: Report, form: str | None, out: Path | None) -> None:
    if form is not None:
        text = FORMATS[form](report)
    else:
        terminal = out is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else 100
        text = as_text(report, width=width, colour=terminal and not os.environ.get("NO_COLOR"))
    if out is None:
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding))
    else:
        out.write_text(text + "\n", encoding="utf-8")
