"""The commands of `victor-spec`, and the arguments that several of them take."""

import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from victor_spec.decisions import DecisionError
from victor_spec.diff.report import one_line
from victor_spec.document import DocumentError

FAILURES = (DocumentError, DecisionError, RuntimeError)
"""The errors whose message is all that a user needs."""

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
