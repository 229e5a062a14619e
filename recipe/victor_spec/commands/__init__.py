"""The commands of `victor-spec`, and the arguments that several of them take."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TextIO, TypedDict

import typer

from victor_spec.decisions import DecisionError, default_path
from victor_spec.diff.report import one_line
from victor_spec.document import MAX_MIB, Document, DocumentError, read_document

FAILURES = (DocumentError, DecisionError, RuntimeError)
"""The errors whose message is all that a user needs."""
MOST_MIB = 2**20
"""More is no limit."""


def _mib(value: float) -> float:
    if not 0 < value < MOST_MIB:
        raise typer.BadParameter(f"{value:g} must be a number above 0 and less than {MOST_MIB}.")
    return value


Documents = Annotated[
    list[Path], typer.Argument(metavar="SPEC...", help="OpenAPI 3 documents.", show_default=False)
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="The name of the package (default: <document>_api)."
    ),
]
Decimals = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE",
        help="Read these numbers as Decimal, as those of the format decimal: Card.price or "
        "'*.amount'; may be repeated.",
    ),
]
Copies = Annotated[
    list[str] | None,
    typer.Option(
        "--copy",
        metavar="URL=FILE",
        help="Read this file where the document refers to this URL; may be repeated.",
    ),
]
MaxMib = Annotated[
    float,
    typer.Option(
        metavar="MIB",
        callback=_mib,
        help="The most MiB of a document with its files.",
    ),
]
Accepted = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The file of accepted losses (default: <document>.accepted.yaml beside the document).",
    ),
]


class Reading(TypedDict):
    """How a document is read: the arguments of `load`."""

    copies: dict[str, Path]
    max_mib: float


def reading(copies: Sequence[str] | None, max_mib: float = MAX_MIB) -> Reading:
    """How a document is read, by the options.

    Raises RuntimeError for a `--copy` that is not URL=FILE.
    """
    files: dict[str, Path] = {}
    for text in copies or ():
        url, _, file = text.rpartition("=")
        if not url or not file:
            raise RuntimeError(
                "--copy takes URL=FILE, such as --copy https://example.com/card.yaml=card.yaml."
            )
        files[url] = Path(file)
    return {"copies": files, "max_mib": max_mib}


def read_saying(path: Path, how: Reading) -> Document:
    """Read a document, and say what became of an update of it that was interrupted.

    Raises DocumentError.
    """
    document = read_document(path, **how)
    say_recovered(document)
    return document


def say_recovered(document: Document) -> None:
    """Say what became of an update that was interrupted."""
    if document.recovered:
        show(document.recovered, to=sys.stderr)


def approvals_beside(old: Path, new: Path) -> Path:
    """The file of approved changes: that of the old document, which a newer one replaces, or that
    of the new one where there is no other.

    Where both are there, say that the second one is not used.
    """
    beside_old = default_path(old, "approved")
    beside_new = default_path(new, "approved")
    if beside_new == beside_old or not beside_new.exists():
        return beside_old
    if not beside_old.exists():
        return beside_new
    show(f"{beside_new} is not used: approvals count from {beside_old}.", to=sys.stderr)
    return beside_old


def show(*lines: str, to: TextIO | None = None) -> None:
    """Print each line without control characters: a text of a document could forge lines or
    colours.
    """
    show_as_is("\n".join(map(one_line, lines)), to=to)


def show_as_is(text: str, *, to: TextIO | None = None) -> None:
    """Print a text in which no control character is the document's, in the letters that the stream
    has.
    """
    stream = to or sys.stdout
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)
