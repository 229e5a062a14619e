"""Read a source, and check each of its records: `RowValidation`. Nothing is decided, and the state
is not read.

`check_heading` checks the columns of a file. `split_record` converts one record to the arguments of
what is sent, without changing their values, and `problems_of` returns all problems with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

from victor_ext import InvalidRequest, Problem
from victor_ext._event_queue.vault import Vault
from victor_ext._privacy import NumberText
from victor_ext._tables.formats import DATE_EXAMPLE, UnreadableCell
from victor_ext._tables.row_file import (
    FileRecord,
    Heading,
    RowFile,
    SourceBroken,
    in_own_words,
)
from victor_ext._tables.sources import FilePosition, Rows, records_of
from victor_ext._tables.texts import (
    HALF_CHARACTERS,
    SHORT_FORM,
    damage_of,
    invisible_in,
    text_of_cell,
)
from victor_ext.money import Money

from ._check import Check, ControlTotals, RowProblem, add_amount
from ._column_types import NO_COLUMN, formed_columns, read
from ._load_progress import LoadWatch
from ._row_digests import requested_payment
from ._row_kind import INSTEAD_OF, RowKind
from ._rows import Arguments, RowContent
from ._settings import Settings, in_utc
from ._source_rows import SourceRow, SourceRows, problems_text

MAX_KEY_VALUE = 200
"""Maximum characters of a key value; a longer one indicates wrong columns."""
_FILE_HINTS = {"due_date": f"write {DATE_EXAMPLE}, today or tomorrow"}
"""Hints for files, where a column has one of its own and not that of its type. They replace the
hints of the client, which are for Python.
"""
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_KEY_CHARACTERS = 60
"""Characters of a repeated key that a message shows."""
_OF_JSON = (bool, dict, list, tuple)
"""Types of values whose text is not that of Python."""
_ROWS_OF_A_LOOK = 100
"""After so many rows it is looked whether the progress is to be said."""


class RowValidation:
    """Checks the records of a source, and adds them to `rows`.

    Args:
        kind: What a row is.
        vault: Encrypts rows.
        key_column: The column that the keys of the rows are made of.
        expected: The control totals of the source.
        watch: Says how far the reading is; None: nobody asks for it.
    """

    def __init__(
        self,
        kind: RowKind,
        vault: Vault,
        settings: Settings,
        rows: SourceRows,
        key_column: str,
        expected: ControlTotals,
        watch: LoadWatch | None = None,
    ) -> None:
        self._watch = watch or LoadWatch(None)
        self._kind, self._vault = kind, vault
        self._settings, self._rows = settings, rows
        self._key_column, self._expected = key_column, expected
        self._required = [name for name in self._kind.required if name not in settings.defaults]
        self._headings: dict[str, None] = {}
        """The source's own names of columns, in order. The values mean nothing."""
        self._file = RowFile("")
        """How the source is written."""
        self._payees = dict[str, str]()
        """As the first row has each account or id of a payee, by its text without leading zeros."""
        self._other_currencies = dict[str, RowProblem]()
        """The problem with the first row that names another currency than is sent, by column."""
        self._not_of_currencies = set[str]()
        """The columns with a value that names no currency."""
        self._has_references = False
        self._without_amount = 0
        self._totals: dict[str, Decimal] = {}
        """The sum of the amounts in each currency, which is compared with the control total."""

    def read(self, source: Rows, check: Check) -> None:
        """Check every record of a source. Problems of a single row are stored with the row; those
        of the source as a whole are added to `check`.
        """
        if isinstance(source, RowFile):
            self._file = source
        try:
            self._read_records(source, check)
        except SourceBroken as broken:
            check.add_problem(
                RowProblem(None, broken.line, broken.column, broken.code, broken.message)
            )
        if check.rows == 0 and not check.broken:
            check.add_problem(RowProblem(None, None, None, "empty", "the source has no rows."))
        for column, problem in self._other_currencies.items():
            if column not in self._not_of_currencies:
                check.add_problem(problem)
        check.columns = list(self._headings)
        check.has_references = self._has_references
        for message in self._expected.differences(check.rows, self._totals, self._without_amount):
            check.add_problem(RowProblem(None, None, None, "control_total", message))

    def _read_records(self, source: Rows, check: Check) -> None:
        """Check each record. Raises `SourceBroken` if the source cannot be read to its end."""
        kind, settings = self._kind, self._settings
        position = FilePosition()
        records = records_of(
            source,
            encoding=settings.encoding,
            known=kind.known_columns(),
            check=partial(check_heading, self._key_column, self._required),
            formed=formed_columns(kind.columns),
            position=position,
        )
        for record in records:
            check.rows += 1
            self._add(record)
            if check.rows % _ROWS_OF_A_LOOK == 0:
                self._watch.look(check.rows, position.share())

    def _add(self, record: FileRecord) -> None:
        """Check a record, and add it to the rows."""
        kind = self._kind
        fields = self._fields_of(record)
        file = None if record.line is None else self._file
        problems: Sequence[Problem] = record.problems
        price = None
        if problems:
            # Do not trust any value, especially the key.
            fields.key_value = None
        else:
            problems = problems_of(kind, fields, file)
            self._note_currencies(record, fields.extras)
            self._note_payees(record, fields.arguments)
            _refuse_near_heading(record, fields.extras)
            self._has_references |= bool(fields.arguments.get(kind.reference))
            price = self._price_of(fields)
        key = self._key_of(fields)
        cells = {name: _as_text(value) for name, value in record.cells.items()}
        content = RowContent(record.number, fields.key_value, fields.arguments, cells)
        asked = requested_payment(
            kind,
            self._vault,
            content,
            self._key_column,
            key=key or "",
            is_valid=not problems,
        )
        row = SourceRow(
            asked,
            record.line,
            problems=problems_text(problems),
            instead_of=fields.extras.get(INSTEAD_OF) or None,
            price=None if price is None else f"{price[0]} {price[1]}",
        )
        if price is None:
            self._without_amount += 1
        else:
            add_amount(self._totals, *price)
        self._add_row(row, content)

    def _note_payees(self, record: FileRecord, arguments: Arguments) -> None:
        """Raise `SourceBroken` for an account or id of a payee that differs from an earlier one by
        leading zeros alone.
        """
        for column in self._kind.long_numbers:
            payee = str(arguments.get(column))
            if column == self._kind.reference:
                continue
            if self._payees.setdefault(payee.lstrip("0"), payee) != payee:
                raise SourceBroken(
                    record.line,
                    column,
                    "leading_zeros",
                    f"{column} of row {record.number} is that of an earlier row but for leading "
                    "zeros. Write it in all rows as it is.",
                )

    def _note_currencies(self, record: FileRecord, extras: Mapping[str, str]) -> None:
        """Note which columns that are not sent name currencies, whatever they are called. The
        column `currency` is one of them, whatever it has.
        """
        currency = self._kind.currency
        for name, cell in extras.items():
            text = cell.strip()
            is_settled = not currency or name in self._not_of_currencies
            if is_settled or not text or text.upper() == currency:
                continue
            if name != "currency" and not _names_currency(text):
                self._not_of_currencies.add(name)
                continue
            message = (
                f"{name} is {text!r:.20} in row {record.number}, and all rows are asked in "
                f"{currency}: leave out the rows of another currency, or convert their amounts and "
                "correct this column. If it names no currency, leave the column out."
            )
            problem = RowProblem(None, record.line, name, "currency", message)
            self._other_currencies.setdefault(name, problem)

    def _add_row(self, row: SourceRow, content: RowContent) -> None:
        """Add a checked row to the rows. The source of one that repeats an earlier one is refused,
        whatever the state has.
        """
        earlier = self._rows.with_key(row.asked.key) if row.asked.key else None
        if earlier is None:
            self._headings |= dict.fromkeys(content.cells)
            of_source = [content.value, content.arguments, content.cells]
            self._rows.add(row, json.dumps(of_source, default=str, sort_keys=True))
            return
        column, value = self._key_column, (content.value or "")[:_KEY_CHARACTERS]
        why = f"as in {self._rows.place_of(earlier.number)}: two rows cannot have one key."
        repeated = Problem(column, "repeated", f"{column} is {value!r}, {why}")
        text = problems_text([repeated, *row.problem_list()])
        self._rows.add(SourceRow.repeated(row.number, row.line, text))

    def _fields_of(self, record: FileRecord) -> Fields:
        """Split a record, and add what the sender has for columns that it lacks."""
        settings = self._settings
        fields = split_record(self._kind, record.fields, self._key_column)
        fields.arguments = {**settings.defaults, **fields.arguments}
        if "due_date" in fields.arguments:
            fields.arguments["due_date"] = in_utc(fields.arguments["due_date"])
        return fields

    def _key_of(self, fields: Fields) -> str | None:
        """Return the key of a row's payment; None: the row does not have what a key is made of."""
        if fields.key_value is None:
            return None
        return self._kind.key_of(fields.arguments, fields.key_value)

    def _price_of(self, fields: Fields) -> tuple[Decimal, str] | None:
        """Return the amount of a row and its currency; None: it has no valid ones."""
        try:
            return self._kind.price(fields.arguments)
        except (InvalidRequest, KeyError):
            return None


def _refuse_near_heading(record: FileRecord, extras: Iterable[str]) -> None:
    """Raise `SourceBroken` for `instead_of` in another spelling: what its rows ask once more would
    be asked unseen.
    """
    for name in extras:
        letters = re.sub(r"[\W_]", "", name).casefold()
        if letters == "insteadof" and name != INSTEAD_OF:
            message = f"The heading {name!r} must be {INSTEAD_OF}: write it so."
            raise SourceBroken(record.line, name, "heading", message)


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


def check_heading(key_column: str, required: Sequence[str], heading: Heading, line: int) -> None:
    """Check a CSV heading: it must name the key column and these columns. Raises `SourceBroken`."""
    lacking = [name for name in required if name not in heading.places]
    lacks_key = key_column not in heading.places
    if lacking:
        message = f"{heading} lacks {', '.join(lacking)}."
        if lacks_key and key_column not in lacking:
            message += f" It has no column {key_column} to tell the rows apart, either."
        raise SourceBroken(line, lacking[0], "required", message)
    if lacks_key:
        message = (
            f"{heading} has no column {key_column} to tell the rows apart: if the column had this "
            "name when the file was sent before, give it back; else name another one."
        )
        raise SourceBroken(line, key_column, "key_column", message)


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
    names_of_things = {key_column, INSTEAD_OF, *kind.exact, *kind.long_numbers}
    record = {
        name: _as_meant(value) if name in names_of_things else value
        for name, value in record.items()
    }
    for name, value in record.items():
        if name not in kind.columns:
            fields.extras[name] = _as_text(value)
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
    elif problem not in fields.problems:
        fields.problems.append(problem)
    return fields


def _names_currency(text: str) -> bool:
    """Whether a text is a code of a currency (ISO 4217)."""
    try:
        Money.of(1, text)
    except InvalidRequest:
        return False
    return True


def _as_meant(value: object) -> object:
    """Return the text that a cell with a key, a reference or an account stands for."""
    if not isinstance(value, str):
        return value
    text = text_of_cell(value)
    return value if text == value else type(value)(text)


def problems_of(kind: RowKind, fields: Fields, file: RowFile | None) -> list[Problem]:
    """Return all problems with a record, also those with the rules of the API.

    Args:
        file: The file that the record is from: hints say what to write there, as it is written.
            None: it is from none.
    """
    problems = list(fields.problems)
    known_fields = {problem.field for problem in problems}
    try:
        kind.check(fields.arguments)
    except InvalidRequest as error:
        problems += [problem for problem in error.problems if problem.field not in known_fields]
    return reported_problems(kind, problems, file)


def reported_problems(
    kind: RowKind, problems: Sequence[Problem], file: RowFile | None
) -> list[Problem]:
    """Return problems with their hints in their messages, with the file's own names of columns.
    `file` is as of `problems_of`.
    """
    columns: Mapping[str, str | None] = {}
    if file is not None:
        columns = file.columns
        problems = [_with_hint_for_files(kind, problem, file) for problem in problems]
    return [
        Problem(problem.field, problem.code, in_own_words(str(problem), columns))
        for problem in problems
    ]


def _with_hint_for_files(kind: RowKind, problem: Problem, file: RowFile) -> Problem:
    """Return a problem whose hint, if it has one, is for a file in place of Python: that of its
    column, else that of the column's type.
    """
    if not problem.hint:
        return problem
    column_type = kind.columns.get(problem.field, NO_COLUMN)
    hint = _FILE_HINTS.get(problem.field, column_type.file_hint)
    return replace(problem, hint=file.in_own_form(hint))


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
    """Convert a value of a source to text that can be stored and exported: data to JSON."""
    if value is None:
        return ""
    text = str(value)
    if type(value) in _OF_JSON:
        text = json.dumps(value, default=str, ensure_ascii=False)
    return text if text.isascii() else HALF_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)
