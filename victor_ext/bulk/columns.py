"""Convert a record of a file to the arguments of what is sent, without changing their values.

`check_heading` checks the columns of a file, `split_record` splits one record, and `problems_of`
returns all problems with it. `canonical_text` and `differing_columns` compare arguments.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from victor_ext import InvalidRequest, Problem, money
from victor_ext.ids import in_one_form
from victor_ext.privacy import NumberText, Secret
from victor_ext.tables.formats import UnreadableCell
from victor_ext.tables.row_file import Heading, RowFile, near_names
from victor_ext.tables.sources import SourceBroken
from victor_ext.tables.texts import HALF_CHARACTERS, damage_of, invisible_in, text_of_cell

from .column_types import AMOUNT, NO_COLUMN, formed_columns, read
from .row_kind import RowKind
from .rows import Arguments
from .settings import DEFAULTS, in_utc

MAX_KEY_VALUE = 200
"""Maximum characters of a key value; a longer one indicates wrong columns."""

_FILE_HINTS = {"due_date": "write YYYY-MM-DD, today or tomorrow"}
"""Hints for files, where a column has one of its own and not that of its type. They replace the
hints of the client, which are for Python.
"""
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_SORTED_JSON = json.JSONEncoder(sort_keys=True).encode


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
    missing = [name for name in required if name not in heading.places]
    lacks_key = key_column not in heading.places
    if missing:
        other_key_column = None
        if lacks_key and key_column not in missing:
            other_key_column = key_column
        message = _missing_text(kind, heading, missing, other_key_column)
        raise SourceBroken(line, missing[0], "required", message)
    if lacks_key:
        message = _no_key_column_text(kind, key_column, heading)
        raise SourceBroken(line, key_column, "key_column", message)


def _missing_text(
    kind: RowKind,
    heading: Heading,
    missing: Sequence[str],
    key_column: str | None,
) -> str:
    """Return the message about missing columns, with columns of the heading that have near names.

    Args:
        key_column: The key column, if it is missing beside them; None: it is not.
    """
    message = f"{heading} lacks {', '.join(missing)}."
    names = list(missing)
    if key_column is not None:
        message += f" It has no column {key_column} to tell the rows apart, either."
        names.append(key_column)
    near = list[str]()
    for name in names:
        similar = _near_column(kind, name, heading)
        if similar is not None:
            near.append(f"{similar} for {name}")
    if near:
        message += f" Near {'it' if len(near) == 1 else 'them'}: {', '.join(near)}."
    return message


def _no_key_column_text(
    kind: RowKind,
    key_column: str,
    heading: Heading,
) -> str:
    """Return the message about a missing key column."""
    argument = _argument_of_column(key_column, heading)
    if argument is not None:
        return f"the column {key_column} is read as {argument}: name it so as the key column."
    similar = _near_column(kind, key_column, heading)
    advice = "name another one"
    if similar is not None:
        advice = f"name another one, such as {similar}"
    return (
        f"{heading} has no column {key_column} to tell the rows apart: if the column had this name "
        f"when the file was sent before, give it back; else {advice}."
    )


def _argument_of_column(column: str, heading: Heading) -> str | None:
    """Return the argument that a column of the file is read as (`--column`); None: there is no such
    column.
    """
    if column not in heading.own:
        return None
    place = heading.own.index(column)
    names = (name for name, other_place in heading.places.items() if other_place == place)
    return next(names, None)


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
    """Split a record by purpose.

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
            _add_argument(kind, fields, name, value)
    if "idempotency_key" in fields.extras:
        message = f"keys are made from {key_column}: drop this column."
        fields.problems.append(Problem("idempotency_key", "column", message))
    _add_key(fields, key_column, record.get(key_column))
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


def _add_argument(
    kind: RowKind,
    fields: Fields,
    name: str,
    value: object,
) -> None:
    """Add an argument. If its value cannot be sent, add the value as it is, and the problem."""
    argument = _argument_or_problem(kind, name, value)
    if isinstance(argument, Problem):
        fields.problems.append(argument)
        argument = value
    fields.arguments[name] = argument


def _add_key(
    fields: Fields,
    key_column: str,
    value: object,
) -> None:
    """Add the value in the key column, or the problem with it."""
    key_value = _key_value_or_problem(key_column, value)
    if not isinstance(key_value, Problem):
        fields.key_value = key_value
        # The export needs the key column to identify rows.
        fields.extras.setdefault(key_column, key_value)
    elif key_value not in fields.problems:
        fields.problems.append(key_value)


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


def canonical_text(kind: RowKind, arguments: Arguments) -> str:
    """Return the arguments as one text, which is the same for every source format and Unicode form
    of the same values.
    """
    return Secret(_SORTED_JSON(_canonical_values(kind, arguments)))


def differing_columns(
    kind: RowKind,
    stored: Arguments,
    arguments: Arguments,
) -> list[str]:
    """Return the columns whose values differ from the stored ones.

    A column that a newer release no longer has, or has under another name, is one of them. If no
    column surely differs, it is one of those that have a default: these are returned.
    """
    stored_values = _canonical_values(kind, stored)
    values = _canonical_values(kind, arguments)
    names = list[str]()
    for name in sorted({*stored_values, *values}):
        if stored_values.get(name) != values.get(name) and not _may_have_changed(name, values):
            names.append(name)
    return names or [name for name in DEFAULTS if name in kind.columns]


def _may_have_changed(name: str, values: Mapping[str, str]) -> bool:
    """Whether the same file had another value in this column before: by the default of the column,
    or by a word such as `today`.
    """
    if name not in DEFAULTS:
        return False
    return name not in values or in_utc(values[name]) != values[name]


def _argument_or_problem(
    kind: RowKind,
    name: str,
    value: object,
) -> object:
    """Return the value to send, or the problem with it."""
    problem = _problem_with(kind, name, value)
    return read(kind.columns[name], name, value) if problem is None else problem


def _problem_with(
    kind: RowKind,
    name: str,
    value: object,
) -> Problem | None:
    """Return the problem with a value as it is in the record; None: there is none."""
    problem = _problem_with_text(kind, name, value) if isinstance(value, str) else None
    is_number = isinstance(value, NumberText | int | float | Decimal)
    if isinstance(value, bool):
        return None
    if problem is None and name == "payee_account_number" and is_number:
        message = f"{name} is a number, which has no leading zeros: put it in quotes."
        return Problem(name, "type", message)
    return problem


def _problem_with_text(
    kind: RowKind,
    name: str,
    text: str,
) -> Problem | None:
    """Return the problem with a text that a spreadsheet may have damaged; None: there is none."""
    if isinstance(text, UnreadableCell):
        return text.problem
    problem = damage_of(name, text, kind.long_numbers.get(name))
    if problem is None and name in kind.exact:
        return invisible_in(name, text)
    return problem


def _key_value_or_problem(column: str, value: object) -> str | Problem:
    """Return the text of which a key is made, or the problem with a value in the key column."""
    if value is None or value == "":
        return Problem(column, "required", f"{column} is empty: the row has no key.")
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        return Problem(column, "type", f"{column} must be text or a whole number.")
    if isinstance(value, UnreadableCell):
        return value.problem
    text = str(value)
    is_number = isinstance(value, NumberText | Decimal)
    if is_number and not _WHOLE_NUMBER.fullmatch(text):
        message = f"{column} is {text[:40]}: a number here must be a whole one. Put it in quotes."
        return Problem(column, "type", message)
    if len(text) > MAX_KEY_VALUE:
        message = f"{column} has {len(text)} characters; at most {MAX_KEY_VALUE} are taken."
        return Problem(column, "length", message)
    return invisible_in(column, text) or damage_of(column, text) or text


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


def _canonical_values(kind: RowKind, arguments: Arguments) -> dict[str, str]:
    """Return the values as texts that are equal if the values are, however they are written."""
    return {name: _canonical_value(kind, name, value) for name, value in arguments.items()}


def _canonical_value(kind: RowKind, name: str, value: Any) -> str:
    try:
        if kind.columns.get(name) is AMOUNT:
            text = f"{money.to_decimal(value):.2f}"
        else:
            text = str(kind.json_value(name, value))
    except InvalidRequest:  # the value cannot be sent: its text is compared as it is
        text = repr(value)
    return in_one_form(text)
