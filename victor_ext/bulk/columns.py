"""Convert the fields of a record to the arguments of what is sent, without changing their
values.
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
from victor_ext.settlement.arguments import plain
from victor_ext.tables.formats import UnreadableCell
from victor_ext.tables.row_file import Heading, near_names
from victor_ext.tables.sources import SourceBroken
from victor_ext.tables.texts import HALF_CHARACTERS, damage_of, invisible_in

from .row_kind import RowKind
from .rows import Arguments
from .settings import DEFAULTS, in_utc

MAX_KEY_VALUE = 200
"""Maximum characters of a key value; a longer one indicates wrong columns."""

_FILE_HINTS = {"due_date": "write YYYY-MM-DD, today or tomorrow", "amount": "write 44.23"}
"""Hints for files. They replace the hints of the client, which are for Python."""
_EXPECTED = {
    "amount": "a number",
    "due_date": "a date",
    "amount_modification_allowed": "true or false",
}
_FLAGS = {"true": True, "false": False}
_WHOLE = re.compile(r"-?[0-9]+")
_SORTED_JSON = json.JSONEncoder(sort_keys=True).encode


@dataclass(slots=True)
class Fields:
    """A record split by purpose: the key's value, if it can be used, the arguments, and other
    columns as text.

    The problems are those found before the rules of the API are checked.
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
        absent = list(dict.fromkeys([*missing, key_column] if lacks_key else missing))
        message = _missing_text(kind, heading, missing, absent)
        raise SourceBroken(line, missing[0], "required", message)
    if lacks_key:
        raise SourceBroken(line, key_column, "key_column", _without_keys(kind, key_column, heading))


def _missing_text(
    kind: RowKind,
    heading: Heading,
    missing: Sequence[str],
    absent: Sequence[str],
) -> str:
    """Return what a heading lacks, which may be the key column, too, and what comes near."""
    message = f"{heading} lacks {', '.join(missing)}."
    for key_column in absent[len(missing) :]:
        message += f" It has no column {key_column} to tell the rows apart, either."
    near = list[str]()
    for name in absent:
        similar = _near(kind, name, heading)
        if similar is not None:
            near.append(f"{similar} for {name}")
    if near:
        message += f" Near {'it' if len(near) == 1 else 'them'}: {', '.join(near)}."
    return message


def _without_keys(
    kind: RowKind,
    key_column: str,
    heading: Heading,
) -> str:
    read_as = _other_name(key_column, heading)
    if read_as is not None:
        return f"the column {key_column} is read as {read_as}: name it so as the key column."
    similar = _near(kind, key_column, heading)
    other = "name another one"
    if similar is not None:
        other = f"name another one, such as {similar}"
    return (
        f"{heading} has no column {key_column} to tell the rows apart: if the column had this name "
        f"when the file was sent before, give it back; else {other}."
    )


def _other_name(column: str, heading: Heading) -> str | None:
    """Return the name that a column of a heading is read as; None: it is read as its own."""
    if column not in heading.own:
        return None
    place = heading.own.index(column)
    names = (name for name, other in heading.places.items() if other == place)
    return next(names, None)


def _near(
    kind: RowKind,
    name: str,
    heading: Heading,
) -> str | None:
    """Return the column that may have been meant. An argument is not meant for another one."""
    others = [other for other in heading.own if not {name, other} <= kind.columns]
    return next(iter(near_names(name, others)), None)


def split_record(
    kind: RowKind,
    record: Mapping[str, object],
    key_column: str,
) -> Fields:
    """Split a record by purpose."""
    fields = Fields()
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


def _add_argument(
    kind: RowKind,
    fields: Fields,
    name: str,
    value: object,
) -> None:
    """Add an argument: as it is sent, or as it is in the record, with the problem with it."""
    argument = _argument(kind, name, value)
    if isinstance(argument, Problem):
        fields.problems.append(argument)
        argument = value
    fields.arguments[name] = argument


def _add_key(
    fields: Fields,
    key_column: str,
    value: object,
) -> None:
    key_value = _key_value(key_column, value)
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
    """Return all problems of a record, including API rules, with hints for a file or for Python."""
    problems = list(fields.problems)
    known = {problem.field for problem in problems}
    try:
        kind.check(fields.arguments)
    except InvalidRequest as error:
        problems += [problem for problem in error.problems if problem.field not in known]
    if in_file:
        problems = [_with_hint_for_files(problem) for problem in problems]
    return [Problem(problem.field, problem.code, str(problem)) for problem in problems]


def _with_hint_for_files(problem: Problem) -> Problem:
    return replace(problem, hint=_FILE_HINTS.get(problem.field, "")) if problem.hint else problem


def canonical_text(arguments: Arguments) -> str:
    """Return the arguments in one canonical spelling that depends on neither source format nor
    Unicode form.
    """
    return Secret(_SORTED_JSON(_canonical_values(arguments)))


def differing(
    kind: RowKind,
    stored: Arguments,
    arguments: Arguments,
) -> list[str]:
    """Return the columns whose values differ from the stored ones."""
    before = _canonical_values(stored)
    now = _canonical_values(arguments)
    names = list[str]()
    for name in sorted(kind.columns):
        if before.get(name) != now.get(name) and not _is_unsure(name, now):
            names.append(name)
    return names or [name for name in DEFAULTS if name in kind.columns]


def _is_unsure(name: str, values: Mapping[str, str]) -> bool:
    """Whether a value may have meant another one then, as `today` and the default may."""
    return name in DEFAULTS and (name not in values or in_utc(values[name]) != values[name])


def _argument(
    kind: RowKind,
    name: str,
    value: object,
) -> object:
    """Return the value to send, or the problem with it."""
    problem = _problem_with(kind, name, value)
    if problem is not None:
        return problem
    if isinstance(value, NumberText):
        if name == "amount":
            return str(value)
        return Problem(name, "type", f"{name} is a number and must be text: put it in quotes.")
    if name in kind.booleans and isinstance(value, str):
        flag = _FLAGS.get(value.lower())
        return Problem(name, "type", f"{name} must be true or false.") if flag is None else flag
    return value


def _problem_with(
    kind: RowKind,
    name: str,
    value: object,
) -> Problem | None:
    """Return what is wrong with a value, whatever it is sent as; None: nothing is."""
    problem = None
    if isinstance(value, str):
        problem = _wrong_text(kind, name, value)
    elif name not in kind.booleans or value not in (True, False):
        problem = _of_another_kind(name, value)
    is_number = isinstance(value, NumberText | int | float | Decimal)
    if problem is None and name == "payee_account_number" and is_number:
        message = f"{name} is a number, which has no leading zeros: put it in quotes."
        return Problem(name, "type", message)
    return problem


def _wrong_text(
    kind: RowKind,
    name: str,
    text: str,
) -> Problem | None:
    if isinstance(text, UnreadableCell):
        return text.problem
    wrong = damage_of(name, text, kind.long_numbers.get(name))
    if wrong is None and name in kind.exact:
        return invisible_in(name, text)
    return wrong


def _of_another_kind(name: str, value: object) -> Problem | None:
    """Return the problem with a boolean, array or object, named in JSON terms."""
    if isinstance(value, bool):
        kind = "true or false"
    elif isinstance(value, list):
        kind = "an array"
    elif isinstance(value, dict):
        kind = "an object"
    else:
        return None
    return Problem(name, "type", f"{name} must be {_EXPECTED.get(name, 'text')}, not {kind}.")


def _key_value(column: str, value: object) -> str | Problem:
    if value is None or value == "":
        return Problem(column, "required", f"{column} is empty: the row has no key.")
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        return Problem(column, "type", f"{column} must be text or a whole number.")
    if isinstance(value, UnreadableCell):
        return value.problem
    text = str(value)
    is_number = isinstance(value, NumberText | Decimal)
    if is_number and not _WHOLE.fullmatch(text):
        message = f"{column} is {text[:40]}: a number here must be a whole one. Put it in quotes."
        return Problem(column, "type", message)
    if len(text) > MAX_KEY_VALUE:
        message = f"{column} has {len(text)} characters; at most {MAX_KEY_VALUE} are taken."
        return Problem(column, "length", message)
    return invisible_in(column, text) or damage_of(column, text) or text


def _as_text(value: object) -> str:
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


def _canonical_values(arguments: Arguments) -> dict[str, str]:
    return {name: _canonical(name, value) for name, value in arguments.items()}


def _canonical(name: str, value: Any) -> str:
    try:
        value = _amount_text(value) if name == "amount" else plain(name, value)
    except InvalidRequest:
        value = repr(value)
    return in_one_form(str(value))


def _amount_text(amount: Any) -> str:
    return f"{money.to_decimal(amount):.2f}"
