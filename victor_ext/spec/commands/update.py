"""The command `victor spec update`."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path

from victor_ext.spec.checking.acceptance import default_path
from victor_ext.spec.diff.formats import as_text
from victor_ext.spec.diff.report import number, one_line, operations_text
from victor_ext.spec.update import Update, update

from . import add_copies, add_decimals, copies

SUMMARY = "replace a document by a newer one, with its package, and say what has to be decided"
EPILOG = (
    "Exit status: 0 when nothing has to be decided, 1 when something has (the document is replaced), 2 when nothing "
    "was replaced."
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    command.add_argument("document", metavar="SPEC", type=Path, help="the document to replace")
    command.add_argument("newer", metavar="NEWER", type=Path, help="the newer document")
    command.add_argument("--out", metavar="OUT", type=Path, required=True, help="the folder of the package")
    command.add_argument("--name", metavar="NAME", help="the name of the package (default: <document>_api)")
    add_decimals(command)
    add_copies(command)
    command.add_argument(
        "--approved",
        metavar="FILE",
        type=Path,
        help="the approved changes (default: <document>.approved.yaml beside SPEC)",
    )
    command.add_argument("--changelog", metavar="FILE", type=Path, help="a changelog that gets an entry")


def run(options: argparse.Namespace) -> int:
    """Update the document. Raises the errors of `update`."""
    done = update(
        options.document,
        options.newer,
        options.out,
        name=options.name,
        decimals=options.decimals,
        copies=copies(options),
        approved=options.approved,
        changelog=options.changelog,
    )
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
    print(as_text(done.report, width=width))
    print()
    if done.losses:
        command = [
            *("victor", "spec", "check", str(options.newer)),
            *("--accepted", str(default_path(options.document)), "--accept", "REASON"),
        ]
        print("\n".join(done.losses), file=sys.stderr)
        print(
            f"Nothing was replaced: the package of {options.newer.name} would lack what is named above. Mend the "
            f"document, or do without it:\n  {shlex.join(command)}",
            file=sys.stderr,
        )
        return 2
    print(f"{options.newer} -> {options.document}, {done.package}")
    return _say_decisions(done)


def _say_decisions(done: Update) -> int:
    decisions = done.decisions()
    if not decisions:
        print("No change breaks anything, and none needs a look.")
        return 0
    print(f"\n{number(len(decisions), 'decision')} for a person:")
    for count, entry in enumerate(decisions, 1):
        print(f"{count:3}. {one_line(entry.place)}: {one_line(entry.what)} ({operations_text(entry)})")
        if entry.names:
            print(f"     {', '.join(entry.names)}")
    return 1
