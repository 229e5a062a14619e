"""The commands of `victor spec`, and the arguments that several of them take."""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from victor_ext.spec.bounds import MAX_MIB
from victor_ext.spec.decisions import DecisionError
from victor_ext.spec.diff.report import one_line
from victor_ext.spec.document import DocumentError

FAILURES = (DocumentError, DecisionError, RuntimeError)
"""The errors whose message is all that a user needs."""
MOST_MIB = 2**20
"""More is no limit."""


class Command(NamedTuple):
    """One command; `run` returns the exit status, and raises one of FAILURES where nothing could be
    done.
    """

    name: str
    summary: str
    epilog: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def show(*lines: str, to: Any = None) -> None:
    """Print each line without control characters: a text of a document could forge lines or
    colours.
    """
    show_as_is("\n".join(map(one_line, lines)), to=to)


def show_as_is(text: str, *, to: Any = None) -> None:
    """Print a text in which no control character is the document's, in the letters that the stream
    has.
    """
    stream = to or sys.stdout
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def add_package_arguments(command: argparse.ArgumentParser, *, out: str, is_required: bool) -> None:
    """Add the documents, the folder and the name of the package, and what it may lack; `out` is the
    folder's help.
    """
    command.add_argument(
        "documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document"
    )
    command.add_argument("--out", metavar="OUT", type=Path, required=is_required, help=out)
    add_generation(command)
    accepted = "the file of accepted losses (default: <document>.accepted.yaml beside the document)"
    command.add_argument("--accepted", metavar="FILE", type=Path, help=accepted)


def add_generation(command: argparse.ArgumentParser) -> None:
    """Add what else decides the package: its name, the numbers that are read as Decimal, and how
    files are read.
    """
    command.add_argument(
        "--name", metavar="NAME", help="the name of the package (default: <document>_api)"
    )
    read = (
        "read these numbers as Decimal, as those of the format decimal: Card.price or "
        "'*.amount'; may be repeated"
    )
    command.add_argument("--decimals", metavar="PLACE", action="append", default=[], help=read)
    add_reading(command)


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add the local files for the URLs that a document refers to, and the limit of its size: see
    `reading`.
    """
    read = "read this file where the document refers to this URL; may be repeated"
    command.add_argument("--copy", metavar="URL=FILE", action="append", default=[], help=read)
    most = (
        f"the most MiB of a document with its files (default: {MAX_MIB:g}); the limit of its "
        "values grows with it"
    )
    command.add_argument("--max-mib", metavar="MIB", type=mib, default=MAX_MIB, help=most)


def mib(text: str) -> float:
    """A limit of the command line, in MiB."""
    with suppress(ValueError):
        if 0 < float(text) < MOST_MIB:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text} must be a number above 0 and less than {MOST_MIB}.")


def add_approved(command: argparse.ArgumentParser, beside: str) -> None:
    """Add the file of approved changes; `beside` says where it is by default."""
    approved = f"the approved changes (default: <document>.approved.yaml beside {beside})"
    command.add_argument("--approved", metavar="FILE", type=Path, help=approved)


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """How a document is read, as arguments of `load`.

    Raises RuntimeError for a `--copy` that is not URL=FILE.
    """
    pairs = [text.rpartition("=") for text in options.copy]
    for url, _, file in pairs:
        if not url or not file:
            raise RuntimeError(
                "--copy takes URL=FILE, such as --copy https://example.com/card.yaml=card.yaml."
            )
    return {"copies": {url: Path(file) for url, _, file in pairs}, "max_mib": options.max_mib}
