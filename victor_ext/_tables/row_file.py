"""`RowFile`, a file of rows and how it is written; `Heading`, its columns by our names;
`FileRecord`, one of its rows; and `SourceBroken`, the error that ends its reading.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from victor_ext import ConfigurationError, Problem
from victor_ext._privacy import hidden_fields
from victor_ext._values.ids import in_one_form

from .formats import (
    DATE_FORMATS,
    DECIMALS,
    in_own_form,
    read_amount,
    read_date,
)

Columns = Mapping[str, str | None]
"""The file's own names of columns, by our names. None: the file has no such column."""
_DELIMITER_WORDS = {",": "comma", ";": "semicolon", "\t": "tab"}
_HIDDEN_DIGIT = re.compile(r"[0-9](?=[0-9]{4})")
"""A digit of a long number, one of those before the last four."""


class FormedColumns(NamedTuple):
    """The columns whose values are in the form that their file names.

    Attributes:
        numbers: Those with amounts and other numbers.
        dates: Those with dates.
    """

    numbers: Collection[str] = ("amount",)
    dates: Collection[str] = ("due_date",)


AMOUNT_AND_DUE_DATE = FormedColumns()


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One record of a source: its number and, in a file, the line where it begins, both from 1.

    If there are problems, the record cannot be read, and `fields` is unreliable. `cells` has what
    stands in it by the source's own names of columns, also of those that are not read.
    """

    number: int
    line: int | None
    fields: dict[str, Any] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    cells: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


class SourceBroken(Exception):
    """The source cannot be read further, since the following records could be misread."""

    def __init__(self, line: int | None, column: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.code = code
        self.message = message


@dataclass(frozen=True)
class RowFile(os.PathLike[str]):
    """A file of rows, and how it is written. Nothing else of its form is guessed.

    Pass it where the path of a file is taken: to `BulkSender.check` and `send`, and to `reconcile`.

    Args:
        path: The CSV or JSON Lines file.
        columns: The file's own heading of a column, by our name: `{"amount": "Betrag"}`. None: the
            file has no such column, even if one has this name.
        decimal: The decimal mark of numbers, `"comma"` or `"point"`. The other one, a space or an
            apostrophe may stand between groups of three digits. None: `1234.56` alone is read.
        date_format: The order of dates, `"DMY"`, `"MDY"` or `"YMD"`, with `.`, `/` or `-`
            between them, and four digits of the year. None: `YYYY-MM-DD` alone is read.
        encoding: The encoding of the file. None: UTF-8.

    Raises:
        ConfigurationError: An argument is invalid.
    """

    path: str | os.PathLike[str]
    columns: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    decimal: str | None = None
    date_format: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        for name, words in (("decimal", DECIMALS), ("date_format", DATE_FORMATS)):
            value = getattr(self, name)
            if value is not None and value not in words:
                message = f"{name}={value!r} must be {' or '.join(words)}."
                raise ConfigurationError.of([Problem(name, "choice", message)])
        object.__setattr__(self, "columns", checked_columns(self.columns))

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def check_columns(self, known: Collection[str]) -> None:
        """Raise `ConfigurationError` unless all names in `columns` are known."""
        refuse_unknown(self.columns, sorted(known))

    def read_values(self, record: FileRecord, formed: FormedColumns) -> FileRecord:
        """Convert the numbers and the dates of a record, in place, to the form that is read
        everywhere. Return the record.

        Args:
            formed: The columns whose values are converted.
        """
        fields = record.fields
        if self.decimal is not None:
            for name in fields.keys() & formed.numbers:
                fields[name] = read_amount(name, fields[name], self.decimal)
        if self.date_format is not None:
            for name in fields.keys() & formed.dates:
                fields[name] = read_date(name, fields[name], self.date_format)
        return record

    def in_own_form(self, hint: str) -> str:
        """Return a hint about what to write into a file, with examples as this one is written."""
        return in_own_form(hint, self.decimal, self.date_format)


def checked_columns(columns: Columns) -> dict[str, str | None]:
    """Return `columns` with all names in one Unicode form, as headings are. An empty name is
    None.
    """
    checked: dict[str, str | None] = {}
    for name, heading in columns.items():
        own = None if heading is None else in_one_form(str(heading)).strip()
        checked[in_one_form(name).strip()] = own or None
    return checked


def _named_columns(columns: Columns) -> dict[str, str]:
    """`columns` without those that the file is said not to have."""
    return {name: heading for name, heading in columns.items() if heading is not None}


def refuse_unknown(
    names: Iterable[str], fields: Collection[str], also_known: Collection[str] = ()
) -> None:
    """Raise `ConfigurationError` for names that are neither fields nor `also_known`."""
    unknown = sorted({*names} - {*fields, *also_known})
    if unknown:
        message = f"columns names {', '.join(unknown)}: the fields are {', '.join(fields)}."
        raise ConfigurationError.of([Problem("columns", "choice", message)])


@dataclass(frozen=True, slots=True)
class Heading:
    """The names of a CSV heading.

    Attributes:
        own: The names as the file has them.
        places: The index of each column that is read, by our name.
        delimiter: The word for what stands between two cells.
    """

    own: Sequence[str]
    places: Mapping[str, int]
    delimiter: str = "comma"

    @classmethod
    def of(cls, own: Sequence[str], columns: Columns, delimiter: str = ",") -> "Heading":
        """Return a heading, of which `columns` gives some columns our names.

        If `columns` names another column for one of our names, a column that has this name itself
        is not read.
        """
        named = _named_columns(columns)
        renamed = {*columns, *named.values()}
        places = {name: place for place, name in enumerate(own) if name not in renamed}
        for name, heading in named.items():
            if heading in own:
                places[name] = own.index(heading)
        in_order = sorted(places.items(), key=itemgetter(1))
        return cls(own, dict(in_order), _DELIMITER_WORDS[delimiter])

    def record(
        self,
        number: int,
        line: int,
        cells: Sequence[Any],
        problems: tuple[Problem, ...] = (),
    ) -> FileRecord:
        """Return the record of a row, with those of its cells that the row has by our names of
        columns, and all of them by the file's own.
        """
        count = len(cells)
        read = [(name, place) for name, place in self.places.items() if place < count]
        fields = hidden_fields((name, cells[place]) for name, place in read)
        own = dict(zip(self.own, cells, strict=False))
        own |= {self.own[place]: fields[name] for name, place in read}  # hidden as they are
        return FileRecord(number, line, fields, problems, own)

    def begins_with(self, names: Sequence[str]) -> bool:
        """Whether these are the names of its first columns."""
        return [*self.own[: len(names)]] == [*names]

    def check_named(self, columns: Columns, line: int) -> None:
        """Raise `SourceBroken` if the heading, in the line with this number, lacks a column that
        `columns` names.
        """
        named = _named_columns(columns).items()
        lacking = {name: heading for name, heading in named if heading not in self.own}
        if not lacking:
            return
        absent = ", ".join(f"{heading} (named for {name})" for name, heading in lacking.items())
        first = next(iter(lacking.values()))
        raise SourceBroken(line, first, "column", f"{self} has no column {absent}.")

    def __str__(self) -> str:
        # If the file has no heading, this is its first row, which may have an account number.
        return _HIDDEN_DIGIT.sub("*", f"the heading ({', '.join(self.own)})")


def in_own_words(message: str, columns: Columns) -> str:
    """Return a message about rows with the file's own names of columns in place of ours.

    One of our names that has no underscore, such as `amount`, is also an English word: it is
    replaced only at the beginning of the message.
    """
    headings = _named_columns(columns)
    if not headings:
        return message

    def heading_of(match: re.Match[str]) -> str:
        name = match[0]
        is_first = match.start() == 0
        return headings[name] if is_first or "_" in name else name

    longest_first = sorted(headings, key=len, reverse=True)
    names = "|".join(map(re.escape, longest_first))
    return re.sub(rf"\b(?:{names})\b", heading_of, message)


def repeated_in(names: list[str]) -> list[str]:
    """Return the names that occur more than once."""
    counts = Counter(names)
    return sorted(name for name, count in counts.items() if count > 1)


HeadingCheck = Callable[[Heading, int], None]
"""Checks a CSV heading, which is in the line with this number. It raises `SourceBroken`."""
