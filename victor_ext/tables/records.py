"""`Record`, one row of a source, and `SourceBroken`, the error that ends its reading."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from victor_ext import Problem

from .row_file import Heading

HeadingCheck = Callable[[Heading, int], None]
"""Checks a CSV heading, which is in the line with this number. It raises `SourceBroken`."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a source: its number and, in a file, the line where it begins, both from 1.

    If there are problems, the record cannot be read, and `fields` is unreliable.
    """

    number: int
    line: int | None
    fields: Mapping[str, object] = field(repr=False)
    problems: tuple[Problem, ...] = ()


class SourceBroken(Exception):
    """The source cannot be read further, since the following records could be misread."""

    def __init__(self, line: int | None, column: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.code = code
        self.message = message


def repeated_in(names: list[str]) -> list[str]:
    """Return the names that occur more than once."""
    counts = Counter(names)
    return sorted(name for name, count in counts.items() if count > 1)
