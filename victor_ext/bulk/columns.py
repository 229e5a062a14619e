"""Convert a record of a file to the arguments of what is sent, without changing their values.

`check_heading` checks the columns of a file, `split_record` splits one record, and `problems_of`
returns all problems with it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from victor_ext import InvalidRequest, Problem
from victor_ext.privacy import NumberText
from victor_ext.tables.formats import UnreadableCell
from victor_ext.tables.row_file import Heading, RowFile, SourceBroken, near_names
from victor_ext.tables.texts import (
    HALF_CHARACTERS,
    SHORT_FORM,
    damage_of,
    invisible_in,
    text_of_cell,
)

from .column_types import NO_COLUMN, formed_columns, read
from .row_kind import RowKind

MAX_KEY_VALUE = 200
"""Maximum characters of a key value; a longer one indicates wrong columns."""

_FILE_HINTS = {"due_date": "write YYYY-MM-DD, today or tomorrow"}
"""Hints for files, where a column has one of its own and not that of its type. They replace the
hints of the client, which are for Python.
"""
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(slots=True)
class Fields:
    """A record, split by purpose.

    Attributes:
        key_value: The value in the key column; None: no key can be made of it.
        arguments: What is sent, by column.
        extras: The other columns, as text.
        problems: The problems that were seen before the rules of the API are checked.
    """

    key_value: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    extras: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[Problem] = field(default_factory=list[Problem])


def check_heading(
    kind: RowKind,
    key_column: str,
    required: Sequence[str],
    heading: Heading,
    line: int,
) -> None:
    """Check a CSV heading: it must name the key column and these columns. Raises `SourceBroken`."""
    lacking = [name for name in required if name not in heading.places]
    lacks_key = key_column not in heading.places
    if lacking:
        message = f"{heading} lacks {', '.join(lacking)}."
        names = list(lacking)
        if lacks_key and key_column not in lacking:
            message += f" It has no column {key_column} to tell the rows apart, either."
            names.append(key_column)
        similar = {name: _near_column(kind, name, heading) for name in names}
        near = [f"{other} for {name}" for name, other in similar.items() if other is not None]
        if near:
            message += f" Near {'it' if len(near) == 1 else 'them'}: {', '.join(near)}."
        raise SourceBroken(line, lacking[0], "required", message)
    if lacks_key:
        message = _no_key_column_text(kind, key_column, heading)
        raise SourceBroken(line, key_column, "key_column", message)


def _no_key_column_text(kind: RowKind, key_column: str, heading: Heading) -> str:
    """Return the message about a missing key column."""
    for argument, place in heading.places.items():
        if heading.own[place] == key_column:
            return f"the column {key_column} is read as {argument}: name it so as the key column."
    similar = _near_column(kind, key_column, heading)
    advice = "name another one"
    if similar is not None:
        advice = f"name another one, such as {similar}"
    return (
        f"{heading} has no column {key_column} to tell the rows apart: if the column had this name "
        f"when the file was sent before, give it back; else {advice}."
    )


def _near_column(
    kind: RowKind,
    name: str,
    heading: Heading,
) -> str | None:
    """Return the column of the file that may have been meant by a name, or None.

    If the name is an argument, the column of another argument was not meant.
    """
    others = [other for other in heading.own if not {name, other} <= kind.columns.keys()]
    return next(iter(near_names(name, others)), None)


def split_record(
    kind: RowKind,
    record: Mapping[str, object],
    key_column: str,
) -> Fields:
    """Split a record by purpose. If a value cannot be sent, the value is added as it is, and its
    problem.

    Args:
        record: The values of the record, by column.
    """
    fields = Fields()
    names_of_things = {key_column, *kind.exact, *kind.long_numbers}
    record = {
        name: _as_meant(value) if name in names_of_things else value
        for name, value in record.items()
    }
    for name, value in record.items():
        if name not in kind.columns:
            fields.extras[name] = "" if value is None else _as_text(value)
        elif value is not None and value != "":
            argument = _argument_or_problem(kind, name, value)
            if isinstance(argument, Problem):
                fields.problems.append(argument)
                argument = value
            fields.arguments[name] = argument
    if "idempotency_key" in fields.extras:
        message = f"keys are made from {key_column}: drop this column."
        fields.problems.append(Problem("idempotency_key", "column", message))
    key_value = record.get(key_column)
    problem = _problem_with_key(key_column, key_value)
    if problem is None:
        fields.key_value = str(key_value)
        # The export needs the key column to identify rows.
        fields.extras.setdefault(key_column, fields.key_value)
    elif problem not in fields.problems:
        fields.problems.append(problem)
    return fields


def cells_of(kind: RowKind, record: Mapping[str, object], file: RowFile) -> dict[str, str]:
    """Return the cells of a record in the exported columns, as its file has them."""
    formed = formed_columns(kind.columns)
    cells: dict[str, str] = {}
    for name in kind.exported:
        value = record.get(name)
        if isinstance(value, UnreadableCell):
            cells[name] = value.cell
        elif value is not None:
            cells[name] = file.written(name, _as_text(value), formed)
    return cells


def _as_meant(value: object) -> object:
    """Return the text that a cell with a key, a reference or an account stands for."""
    if not isinstance(value, str):
        return value
    text = text_of_cell(value)
    return value if text == value else type(value)(text)


def problems_of(
    kind: RowKind,
    fields: Fields,
    *,
    in_file: bool,
) -> list[Problem]:
    """Return all problems with a record, also those with the rules of the API.

    Args:
        in_file: Whether the record is from a file: its hints say what to write there.
    """
    problems = list(fields.problems)
    known_fields = {problem.field for problem in problems}
    try:
        kind.check(fields.arguments)
    except InvalidRequest as error:
        problems += [problem for problem in error.problems if problem.field not in known_fields]
    return reported_problems(kind, problems, in_file=in_file)


def reported_problems(
    kind: RowKind, problems: Sequence[Problem], *, in_file: bool
) -> list[Problem]:
    """Return problems with their hints in their messages. `in_file` is as of `problems_of`."""
    if in_file:
        problems = [_with_hint_for_files(kind, problem) for problem in problems]
    return [Problem(problem.field, problem.code, str(problem)) for problem in problems]


def _with_hint_for_files(kind: RowKind, problem: Problem) -> Problem:
    if not problem.hint:
        return problem
    column_type = kind.columns.get(problem.field, NO_COLUMN)
    return replace(problem, hint=_FILE_HINTS.get(problem.field, column_type.file_hint))


def _argument_or_problem(kind: RowKind, name: str, value: object) -> object:
    """Return the value to send, or the problem with it."""
    if isinstance(value, str):
        long_number = kind.long_numbers.get(name)
        problem = _problem_with_text(name, value, long_number, is_exact=name in kind.exact)
        if problem is not None:
            return problem
    return read(kind.columns[name], name, value)


def _problem_with_key(column: str, value: object) -> Problem | None:
    """Return the problem with a value in the key column; None: a key can be made of it."""
    if value is None or value == "":
        return Problem(column, "required", f"{column} is empty: the row has no key.")
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        return Problem(column, "type", f"{column} must be text or a whole number.")
    text = str(value)
    is_number = isinstance(value, NumberText | Decimal)
    if is_number and not _WHOLE_NUMBER.fullmatch(text):
        message = f"{column} is {text[:40]}: a number here must be a whole one. Put it in quotes."
        return Problem(column, "type", message)
    if len(text) > MAX_KEY_VALUE:
        message = f"{column} has {len(text)} characters; at most {MAX_KEY_VALUE} are taken."
        return Problem(column, "length", message)
    if isinstance(value, str):
        return _problem_with_text(column, value, SHORT_FORM, is_exact=True)
    return None


def _problem_with_text(
    name: str, text: str, long_number: re.Pattern[str] | None, *, is_exact: bool
) -> Problem | None:
    """Return the problem with a text that a spreadsheet may have damaged; None: there is none.

    Args:
        long_number: The form of a long number that a spreadsheet has shortened.
        is_exact: Whether invisible characters would make another value.
    """
    if isinstance(text, UnreadableCell):
        return text.problem
    problem = damage_of(name, text, long_number)
    if problem is None and is_exact:
        return invisible_in(name, text)
    return problem


def _as_text(value: object) -> str:
    """Convert a value of an extra column to text that can be stored and exported."""
    text = value if isinstance(value, str) else _as_json(value)
    if text.isascii():
        return str(text)
    return HALF_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", str(text))


def _as_json(value: object) -> str:
    """Convert data to JSON text. Numbers from a JSON source keep their digits."""
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        members = [f"{_as_json(str(name))}: {_as_json(item)}" for name, item in items]
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list | tuple):
        elements = [_as_json(item) for item in cast("Sequence[object]", value)]
        return "[" + ", ".join(elements) + "]"
    return json.dumps(value, default=str, ensure_ascii=False)
