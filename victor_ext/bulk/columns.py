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
    kind: RowKind, key_column: str, required: Sequence[str], heading: Heading, line: int
) -> None:
    """Check a CSV heading: it must name the key column and these columns. Raises `SourceBroken`."""
    names = heading.places
    missing = [name for name in required if name not in names]
    if missing:
        message = f"{heading} lacks {', '.join(missing)}."
        absent = [*missing]
        if key_column not in names and key_column not in missing:
            absent.append(key_column)
            message += f" It has no column {key_column} to tell the rows apart, either."
        similar = {name: _near(kind, name, heading) for name in absent}
        near = [f"{other} for {name}" for name, other in similar.items() if other is not None]
        if near:
            message += f" Near {'it' if len(near) == 1 else 'them'}: {', '.join(near)}."
        raise SourceBroken(line, missing[0], "required", message)
    if key_column not in names:
        raise SourceBroken(line, key_column, "key_column", _without_keys(kind, key_column, heading))


def _without_keys(kind: RowKind, key_column: str, heading: Heading) -> str:
    if key_column in heading.own:
        place = heading.own.index(key_column)
        read_as = [name for name, other in heading.places.items() if other == place]
        if read_as:
            return f"the column {key_column} is read as {read_as[0]}: name it so as the key column."
    similar = _near(kind, key_column, heading)
    other = "name another one" if similar is None else f"name another one, such as {similar}"
    return (
        f"{heading} has no column {key_column} to tell the rows apart: if the column had this name "
        f"when the file was sent before, give it back; else {other}."
    )


def _near(kind: RowKind, name: str, heading: Heading) -> str | None:
    """Return the column that may have been meant. An argument is not meant for another one."""
    others = [other for other in heading.own if not {name, other} <= kind.columns]
    return next(iter(near_names(name, others)), None)


def split_record(kind: RowKind, record: Mapping[str, object], key_column: str) -> Fields:
    fields = Fields()
    for name, value in record.items():
        if name not in kind.columns:
            fields.extras[name] = "" if value is None else _as_text(value)
        elif value is not None and value != "":
            read = _argument(kind, name, value)
            if isinstance(read, Problem):
                fields.problems.append(read)
            fields.arguments[name] = value if isinstance(read, Problem) else read
    if "idempotency_key" in fields.extras:
        message = f"keys are made from {key_column}: drop this column."
        fields.problems.append(Problem("idempotency_key", "column", message))
    read = _key_value(key_column, record.get(key_column))
    if isinstance(read, Problem):
        if read not in fields.problems:
            fields.problems.append(read)
    else:
        fields.key_value = read
        # The export needs the key column to identify rows.
        fields.extras.setdefault(key_column, read)
    return fields


def problems_of(kind: RowKind, fields: Fields, *, in_file: bool) -> list[Problem]:
    """Return all problems of a record, including API rules, with hints for a file or for Python."""
    problems, known = [*fields.problems], {problem.field for problem in fields.problems}
    try:
        kind.check(fields.arguments)
    except InvalidRequest as error:
        problems += [problem for problem in error.problems if problem.field not in known]
    if in_file:
        problems = [
            replace(one, hint=one.hint and _FILE_HINTS.get(one.field, "")) for one in problems
        ]
    return [Problem(problem.field, problem.code, str(problem)) for problem in problems]


def canonical_text(arguments: Mapping[str, Any]) -> str:
    """Return the arguments in one canonical spelling that depends on neither source format nor
    Unicode form.
    """
    return Secret(_SORTED_JSON(_canonical_values(arguments)))


def differing(kind: RowKind, stored: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """Return the columns whose values differ from the stored ones."""
    before, now = _canonical_values(stored), _canonical_values(arguments)
    # `today` and the default may mean another date now.
    unsure = {name for name in DEFAULTS if name not in now or in_utc(now[name]) != now[name]}
    names = [name for name in sorted(kind.columns - unsure) if before.get(name) != now.get(name)]
    return names or [name for name in DEFAULTS if name in kind.columns]


def _argument(kind: RowKind, name: str, value: object) -> object:
    """Return the value to send, or the problem with it."""
    is_flag = name in kind.flags
    if isinstance(value, str):
        wrong = _wrong_text(kind, name, value)
    else:
        wrong = None if is_flag and value in (True, False) else _of_another_kind(name, value)
    if wrong is not None:
        return wrong
    if name == "payee_account_number" and isinstance(value, NumberText | int | float | Decimal):
        return Problem(
            name, "type", f"{name} is a number, which has no leading zeros: put it in quotes."
        )
    if isinstance(value, NumberText):
        if name == "amount":
            return str(value)
        return Problem(name, "type", f"{name} is a number and must be text: put it in quotes.")
    if is_flag and isinstance(value, str):
        flag = _FLAGS.get(value.lower())
        return Problem(name, "type", f"{name} must be true or false.") if flag is None else flag
    return value


def _wrong_text(kind: RowKind, name: str, text: str) -> Problem | None:
    if isinstance(text, UnreadableCell):
        return text.problem
    wrong = damage_of(name, text, kind.long_numbers.get(name))
    if wrong is None and name in kind.exact:
        return invisible_in(name, text)
    return wrong


def _of_another_kind(name: str, value: object) -> Problem | None:
    """Return the problem with a boolean, array or object, named in JSON terms."""
    if not isinstance(value, bool | list | dict):
        return None
    kind = (
        "true or false"
        if isinstance(value, bool)
        else "an array"
        if isinstance(value, list)
        else "an object"
    )
    return Problem(name, "type", f"{name} must be {_EXPECTED.get(name, 'text')}, not {kind}.")


def _key_value(column: str, value: object) -> str | Problem:
    if value is None or value == "":
        return Problem(column, "required", f"{column} is empty: the row has no key.")
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        return Problem(column, "type", f"{column} must be text or a whole number.")
    if isinstance(value, UnreadableCell):
        return value.problem
    text = str(value)
    if isinstance(value, NumberText | Decimal) and not _WHOLE.fullmatch(text):
        return Problem(
            column,
            "type",
            f"{column} is {text[:40]}: a number here must be a whole one. Put it in quotes.",
        )
    if len(text) > MAX_KEY_VALUE:
        return Problem(
            column,
            "length",
            f"{column} has {len(text)} characters; at most {MAX_KEY_VALUE} are taken.",
        )
    return invisible_in(column, text) or damage_of(column, text) or text


def _as_text(value: object) -> str:
    text = value if isinstance(value, str) else _as_json(value)
    return (
        str(text) if text.isascii() else HALF_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", str(text))
    )


def _as_json(value: object) -> str:
    """Convert data to JSON text. Numbers from a JSON source keep their digits."""
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, dict):
        items = cast("dict[object, object]", value)
        return (
            "{"
            + ", ".join(f"{_as_json(str(name))}: {_as_json(item)}" for name, item in items.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_as_json(item) for item in cast("Sequence[object]", value)) + "]"
    return json.dumps(value, default=str, ensure_ascii=False)


def _canonical_values(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: _canonical(name, value) for name, value in arguments.items()}


def _canonical(name: str, value: Any) -> str:
    try:
        value = f"{money.to_decimal(value):.2f}" if name == "amount" else plain(name, value)
    except InvalidRequest:
        value = repr(value)
    return in_one_form(str(value))
