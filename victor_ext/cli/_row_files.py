"""Options that say how a file of rows is written: the same ones for `bulk` and `reconcile`.

`headings_of` reads the options for headings.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from ._failures import Misuse
from ._options import option

Columns = Annotated[
    list[str] | None,
    option(
        "The file's own heading of a column, such as amount=Betrag; notes= reads none. Repeat it.",
        "FIELD=NAME",
        default=...,
    ),
]
ColumnFile = Annotated[
    Path | None, option("A file of lines FIELD=NAME, each like a --column.", "FILE", default=...)
]
DecimalMark = Annotated[
    str | None,
    option(
        "How the file writes amounts: comma (1.234,56) or point (1,234.56). (default: 1234.56 "
        "alone)",
        "MARK",
        default=...,
    ),
]
DateFormat = Annotated[
    str | None,
    option(
        "The order of the file's dates: DMY (25.11.2026), MDY (11/25/2026) or YMD. (default: "
        "YYYY-MM-DD alone)",
        "ORDER",
        default=...,
    ),
]
Encoding = Annotated[
    str | None, option("Of the file, such as windows-1252 (default: UTF-8).", "NAME", default=...)
]


def headings_of(
    column_options: Sequence[str] | None, file: Path | None, known: Collection[str] | None = None
) -> dict[str, str | None]:
    """Return the headings that a file of rows has, by the column that each stands for; None: that
    column is not read.

    Args:
        column_options: The values of --column, which take precedence.
        file: The file of --columns.
        known: The columns that are read of that file, which was written for `bulk`; None: all.

    Raises:
        Misuse: The file cannot be read, or a line of it, or a value, is no FIELD=NAME.
    """
    columns = dict[str, str | None]()
    for line in () if file is None else _lines_of(file):
        name, heading = _field_and_heading(line, f"--columns {file} has the line")
        if known is None or name in known:
            columns[name] = heading
    for text in column_options or ():
        name, heading = _field_and_heading(text, "--column is")
        columns[name] = heading
    return columns


def _lines_of(file: Path) -> list[str]:
    """Return the lines of a file of columns, without comments and blank lines. Raises `Misuse`."""
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise Misuse(
            f"--columns {file} cannot be read: {error.strerror or error}. It names a file; name a "
            "column with --column."
        ) from None
    except UnicodeDecodeError:
        raise Misuse(f"--columns {file} is not UTF-8: save it as that.") from None
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _field_and_heading(text: str, where: str) -> tuple[str, str | None]:
    """Split FIELD=NAME; without a NAME the heading is None. Raises `Misuse`, with `where` the text
    stands.
    """
    name, equals, heading = text.partition("=")
    if not equals:
        raise Misuse(f"{where} {text!r}: write FIELD=NAME, such as amount=Betrag.")
    return name.strip(), heading.strip() or None
