"""The command `victor spec check`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from victor_ext.spec.check import Report, check
from victor_ext.spec.checking.acceptance import AcceptanceError
from victor_ext.spec.checking.inspection import silent
from victor_ext.spec.document import DocumentError

from . import add_package_arguments, check_names, copies

SUMMARY = "call every operation, decode every answer, and compare the package in --out with a fresh one"
EPILOG = (
    "Exit status: 0 when all is there, 1 when something is missing or wrong, 2 for misuse or an unreadable document."
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_package_arguments(command, out="the folder of the packages (default: compare with none)", is_required=False)
    command.add_argument(
        "--accepted",
        metavar="FILE",
        type=Path,
        help="the file of accepted losses (default: <document>.accepted.yaml beside the document)",
    )
    command.add_argument(
        "--accept", metavar="REASON", help="add what is left out now to the file of accepted losses, with this reason"
    )
    command.add_argument("--json", action="store_true", help="print one line of JSON for each document")
    command.add_argument("--verbose", action="store_true", help="print what is accepted, and notes on the document")


def run(options: argparse.Namespace) -> int:
    """Check the documents. Raises the errors of `check`."""
    check_names(options)
    if options.accepted is not None and len(options.documents) > 1:
        raise AcceptanceError("--accepted is the file of one document: check one document at a time.")
    if options.accepted is not None and options.accept is None and not options.accepted.exists():
        raise AcceptanceError(f"--accepted {options.accepted}: there is no such file: write it, or name another.")
    return max(_check(document, options) for document in options.documents)


def _check(document: Path, options: argparse.Namespace) -> int:
    try:
        report = check(
            document,
            options.out,
            name=options.name,
            accepted=options.accepted,
            accept=options.accept,
            progress=_show_progress if sys.stderr.isatty() else silent,
            decimals=options.decimals,
            copies=copies(options),
        )
    except (DocumentError, AcceptanceError, RuntimeError, OSError):
        raise
    except Exception as error:
        raise DocumentError(f"{document} cannot be checked: {type(error).__name__}: {error}") from error
    if options.json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report, verbose=options.verbose)
    return int(bool(report.problems))


def _print(report: Report, *, verbose: bool) -> None:
    for problem in report.problems:
        print(problem.line(), file=sys.stderr)
    for entry in report.added:
        print(f"now accepted: {entry.place}")
    for entry in report.accepted if verbose else ():
        print(f"accepted since {entry.since}: {entry.place}: {entry.reason}")
    for note in report.findings.notes if verbose else ():
        print(f"note: {note}")
    print(report.summary())


def _show_progress(done: int, total: int) -> None:
    """A line that overwrites itself; the last one disappears."""
    text = f"{done} of {total} operations" if done < total else ""
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
