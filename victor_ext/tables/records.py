"""Records of a source, and decoded lines of a text file."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from victor_ext import ConfigurationError, Problem
from victor_ext.privacy import Secret, SecretBytes

MAX_LINE = 1 << 20
"""Maximum bytes of a line. This limits memory for files that are not text."""

_UTF_8 = frozenset({"utf-8", "utf-8-sig"})
_SIXTEEN_BITS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source.

    Attributes:
        number: Number of the record, from 1.
        line: Line where the record begins, from 1, or None.
        fields: Values by column: text from a file, any value from a mapping.
        problems: Why the record cannot be read. If there are any, `fields` is unreliable.
    """

    number: int
    line: int | None
    fields: Mapping[str, object] = field(repr=False)
    problems: tuple[Problem, ...] = ()


class SourceBroken(Exception):
    """The source cannot be read further: the following records could be misread."""

    def __init__(self, line: int | None, column: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.code = code
        self.message = message


def checked_encoding(encoding: str | None) -> str:
    """Return the normalized name of an encoding; UTF-8 for None.

    Raises:
        ConfigurationError: Python has no such text encoding.
    """
    if encoding is None:
        return "utf-8"
    try:
        # Lines are split before decoding, and some codecs are not text encodings.
        if b"\n".decode(encoding) != "\n" or b";".decode(encoding) != ";":
            raise LookupError
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError):
        message = (
            f"encoding={encoding!r} is not a text encoding: save the file as UTF-8, or name one such as windows-1252."
        )
        raise ConfigurationError.of([Problem("encoding", "choice", message)]) from None


def lines_of(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file with line ends, without a byte order mark.

    Each line is decoded separately, so that an invalid byte is reported with its line.

    Raises:
        SourceBroken: The file has an invalid byte or an overlong line, or is UTF-16.
    """
    with path.open("rb") as file:
        number = 0
        while raw := _line(file, number + 1):
            number += 1
            if number == 1:
                raw = _without_mark(raw, encoding)
            try:
                yield Secret(raw.decode(encoding))
            except UnicodeDecodeError as error:
                raise SourceBroken(number, None, "encoding", _not_text(raw, error)) from None


def _line(file: BinaryIO, number: int) -> bytes:
    raw = SecretBytes(file.readline(MAX_LINE + 1))
    if len(raw) > MAX_LINE:
        raise SourceBroken(
            number, None, "length", f"the line is longer than {MAX_LINE} bytes: this is not text in lines."
        )
    return raw


def _without_mark(raw: bytes, encoding: str) -> bytes:
    if raw.startswith(_SIXTEEN_BITS):
        raise SourceBroken(1, None, "encoding", "the text has 16 bits a character (UTF-16): save the file as UTF-8.")
    if raw.startswith(codecs.BOM_UTF8) and encoding not in _UTF_8:
        raise SourceBroken(1, None, "encoding", f"the file is UTF-8, as its byte order mark says, and not {encoding}.")
    return SecretBytes(raw.removeprefix(codecs.BOM_UTF8))


def _not_text(raw: bytes, error: UnicodeDecodeError) -> str:
    byte = raw[error.start]
    hint = "save the file as UTF-8, or say what it is, such as encoding windows-1252"
    return f"byte 0x{byte:02X} at position {error.start + 1} of the line is not {error.encoding} text: {hint}."
