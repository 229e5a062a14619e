"""The command `victor spec generate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from victor_ext.spec.destination import ChangedFiles
from victor_ext.spec.generate import generate

from . import add_package_arguments, check_names, copies

SUMMARY = "write a package for each document"
EPILOG = "Exit status: 0 for whole packages, 1 when something of a document was left out, 2 when no package was made."

SHOWN = 10
"""The files of each kind that are named without `--verbose`."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_package_arguments(command, out="the folder for the packages", is_required=True)
    command.add_argument(
        "--verbose",
        action="store_true",
        help="name each changed file, each place where the recipe rewrote the document, and the reason of each loss",
    )


def run(options: argparse.Namespace) -> int:
    """Write the packages. Raises the errors of `generate`."""
    check_names(options)
    return max(_generate(document, options) for document in options.documents)


def _generate(document: Path, options: argparse.Namespace) -> int:
    result = generate(document, options.out, name=options.name, decimals=options.decimals, copies=copies(options))
    for line in result.log.lines() if options.verbose else ():
        print(f"  {line}")
    for line in result.left_out:
        print(f"  LEFT OUT: {line}", file=sys.stderr)
        if line in result.log.reasons and (options.verbose or not result.written):
            print(f"    openapi-python-client: {result.log.reasons[line]}", file=sys.stderr)
    if not result.written:
        print(f"{document.name}: no package was made, and {result.package} is as it was.", file=sys.stderr)
        return 2
    changes = result.changes
    print(f"{document.name} -> {result.package}: {_summary(changes)}")
    if result.is_new:
        return int(bool(result.left_out))
    for sign, paths in (("+", changes.new), ("~", changes.changed), ("-", changes.gone)):
        shown = paths if options.verbose else paths[:SHOWN]
        for path in shown:
            print(f"  {sign} {path}")
        if len(shown) < len(paths):
            print(f"  {sign} ... and {len(paths) - len(shown)} more (--verbose)")
    return int(bool(result.left_out))


def _summary(changes: ChangedFiles) -> str:
    counts = (("new", changes.new), ("changed", changes.changed), ("gone", changes.gone))
    return ", ".join(f"{len(paths)} {word}" for word, paths in counts if paths) or "nothing changed"
