"""The commands of `victor spec`: for each its summary, its arguments, and what it runs and prints.

A command's `run` returns the exit status, and raises what `FAILURES` names where nothing could be done.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from victor_ext.spec.checking.acceptance import AcceptanceError
from victor_ext.spec.diff.approvals import ApprovalError
from victor_ext.spec.document import DocumentError

FAILURES = (DocumentError, AcceptanceError, ApprovalError, RuntimeError)
"""The errors whose message is all that a user needs."""


def add_package_arguments(command: argparse.ArgumentParser, *, out: str, is_required: bool) -> None:
    """Add the documents, the folder and the name of the package; `out` is the help of the folder."""
    command.add_argument("documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document")
    command.add_argument("--out", metavar="OUT", type=Path, required=is_required, help=out)
    command.add_argument("--name", metavar="NAME", help="the name of the package (default: <document>_api)")
    add_decimals(command)
    add_copies(command)


def add_copies(command: argparse.ArgumentParser) -> None:
    """Add the local files for the URLs that a document refers to: see `copies`."""
    command.add_argument(
        "--copy",
        metavar="URL=FILE",
        action="append",
        default=[],
        help="read this file where the document refers to this URL; may be repeated",
    )


def copies(options: argparse.Namespace) -> dict[str, Path]:
    """The files of `--copy` by their URLs. Raises RuntimeError for one that is not URL=FILE."""
    pairs = [each.rpartition("=") for each in options.copy]
    for url, _, file in pairs:
        if not url or not file:
            raise RuntimeError("--copy takes URL=FILE, such as --copy https://example.com/card.yaml=card.yaml.")
    return {url: Path(file) for url, _, file in pairs}


def add_decimals(command: argparse.ArgumentParser) -> None:
    """Add the places of numbers that are read as Decimal."""
    command.add_argument(
        "--decimals",
        metavar="PLACE",
        action="append",
        default=[],
        help="read these numbers as Decimal, as those of the format decimal: Card.price or '*.amount'; may be repeated",
    )


def check_names(options: argparse.Namespace) -> None:
    """Raise RuntimeError when several documents would make one package."""
    if options.name is not None and len(options.documents) > 1:
        raise RuntimeError("--name is the name of one package: name one document with it.")
