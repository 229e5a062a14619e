"""The columns of a file, by the types of the arguments that they are sent as.

`columns_of` reads the columns from the annotations of generated arguments, so that an argument that
a newer document has is a column. `read` converts a value of a file to an argument. `json_data` is
the form in which an argument is stored and compared, and `argument_of` reads that form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from victor_ext import Problem, Word, money
from victor_ext._privacy import NumberText
from victor_ext._tables.formats import AMOUNT_EXAMPLE, DATE_EXAMPLE
from victor_ext._tables.row_file import FormedColumns

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,40}")
_EXACT_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_BOOLEANS = {"true": True, "false": False}
_TEXT, _A_NUMBER, _A_BOOLEAN = "text", "a number", "true or false"
_EXACT = Context(prec=100)
"""Drops zeros that say nothing without rounding: the default context has 28 digits."""


def _same(text: str) -> str:
    """Return the text itself, whose type may hide it."""
    return text


@dataclass(frozen=True, eq=False, slots=True)
class ColumnType:
    """What the values of a column are.

    Attributes:
        expected: What a value must be, in the words of a message.
        json_type: As what JSON Lines has a value, in the words of a message.
        of_text: Converts the text of a cell to the argument; None: the text is no such value.
        of_stored: Converts text that is stored to the argument, as it was checked.
        file_hint: How to write a value into a file; empty: the message says it.
    """

    expected: str
    json_type: str = _TEXT
    of_text: Callable[[str], object] = _same
    of_stored: Callable[[str], object] = _same
    file_hint: str = ""


def _whole_number_of(text: str) -> int | None:
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _exact_number_of(text: str) -> Decimal | None:
    return Decimal(text) if _EXACT_NUMBER.fullmatch(text) else None


def _moment_of(text: str) -> datetime | None:
    """Return an aware datetime; None also without a zone, for then the moment is not known."""
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return None if moment.utcoffset() is None else moment


TEXT = ColumnType("text")
WORD = ColumnType("text", of_stored=Word)  # what is stored may have been a `Word`
AMOUNT = ColumnType("a number", _A_NUMBER, file_hint=f"write one, such as {AMOUNT_EXAMPLE}")
FLAG = ColumnType("true or false", _A_BOOLEAN, lambda text: _BOOLEANS.get(text.lower()))
WHOLE = ColumnType("a whole number, such as 3", _A_NUMBER, _whole_number_of)
NUMBER = ColumnType("a number, such as 1.5", _A_NUMBER, _exact_number_of, Decimal)
DAY = ColumnType("a date", file_hint=f"write {DATE_EXAMPLE}")
MOMENT = ColumnType(
    "a time with its zone, such as 2026-03-04T05:06:07Z", _TEXT, _moment_of, datetime.fromisoformat
)
NO_COLUMN = ColumnType("left out")
"""An argument that no file has: an object, or a list."""
Columns = Mapping[str, ColumnType]
"""Columns by their names."""

_BY_ALTERNATIVES: Mapping[frozenset[object], ColumnType] = {
    frozenset({str}): TEXT,
    frozenset({bool}): FLAG,
    frozenset({int}): WHOLE,
    frozenset({float}): NUMBER,
    frozenset({date, str}): DAY,
    frozenset({datetime}): MOMENT,
    frozenset(get_args(money.Amount)): AMOUNT,
}
"""The types of columns, by the types that an argument may have beside None."""


def columns_of(arguments: type[object], *, without: Collection[str] = ()) -> dict[str, ColumnType]:
    """Return the columns for generated arguments: those of a dictionary or of a request object.

    Args:
        without: The arguments that are no columns.
    """
    types = _types_of(arguments)
    return {name: _column_type_of(types[name]) for name in types if name not in without}


def required_of(arguments: type[object]) -> list[str]:
    """Return the names of the generated arguments that may not be None."""
    types = _types_of(arguments)
    return [name for name in types if NoneType not in types[name]]


def _types_of(arguments: type[object]) -> dict[str, frozenset[object]]:
    """Return the types that each argument may have."""
    types: dict[str, frozenset[object]] = {}
    for name, hint in get_type_hints(arguments).items():
        is_union = get_origin(hint) in (Union, UnionType)
        if not name.startswith("_"):  # a class has those for itself
            types[name] = frozenset(get_args(hint) if is_union else [hint])
    return types


def _column_type_of(types: frozenset[object]) -> ColumnType:
    if Word in types:
        return WORD
    return _BY_ALTERNATIVES.get(types - {NoneType}, NO_COLUMN)


def formed_columns(columns: Columns) -> FormedColumns:
    """Return the columns whose values are in the form that their file names."""
    numbers = [name for name, kind in columns.items() if kind.json_type == _A_NUMBER]
    return FormedColumns(numbers, [name for name, kind in columns.items() if kind is DAY])


def read(column_type: ColumnType, name: str, value: object) -> object:
    """Convert a value of a record to the argument, or return the problem with it.

    A Python object that no file has, such as a date, is returned as it is: the client checks it.
    """
    problem = _problem_with_type(column_type, name, value)
    if problem is not None:
        return problem
    if isinstance(value, str):
        argument = column_type.of_text(value)
        wrong = Problem(name, "type", f"{name} must be {column_type.expected}.")
        return wrong if argument is None else argument
    return value


def _problem_with_type(column_type: ColumnType, name: str, value: object) -> Problem | None:
    """Return the problem with a value that JSON has as another type; None: there is none."""
    if column_type is NO_COLUMN:
        message = f"{name} cannot be read from a file: leave the column out."
        return Problem(name, "column", message)
    json_type = _json_type_of(value)
    if json_type in (None, column_type.json_type):
        return None
    message = f"{name} must be {column_type.expected}, not {json_type}."
    if json_type == _A_NUMBER and column_type.json_type == _TEXT:
        message = f"{name} is a number and must be text: put it in quotes."
    return Problem(name, "type", message)


def _json_type_of(value: object) -> str | None:
    """Return what JSON calls a value; None: it is text, or a Python object."""
    if isinstance(value, NumberText):
        return _A_NUMBER
    if isinstance(value, bool):
        return _A_BOOLEAN
    if isinstance(value, list):
        return "an array"
    return "an object" if isinstance(value, dict) else None


def json_data(column_type: ColumnType | None, name: str, value: Any) -> Any:
    """Return an argument as JSON data, in one form for all spellings of an equal value.

    Raises `InvalidRequest` for an amount that cannot be sent.
    """
    if column_type is AMOUNT:
        return money.to_wire(value, field=name)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return _moment_in_utc(value) if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float | Decimal):
        return f"{Decimal(str(value)).normalize(_EXACT):f}"
    return value


def argument_of(column_type: ColumnType | None, value: Any) -> Any:
    """Return the argument that is stored as this JSON data, as it was checked."""
    is_text = isinstance(value, str)
    return column_type.of_stored(value) if column_type is not None and is_text else value


def _moment_in_utc(moment: datetime) -> str:
    """Return the text of a moment in UTC. One that cannot be sent keeps its own text."""
    if moment.utcoffset() is not None:
        try:
            return moment.astimezone(UTC).isoformat()
        except OverflowError:  # it lies outside of the years that can be written
            pass
    return moment.isoformat()
