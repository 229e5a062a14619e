"""Read a source, and check each of its records. Nothing is decided, and the state is not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Context, Decimal
from functools import partial

from victor_ext import InvalidRequest, Problem
from victor_ext.tables.row_file import RowFile
from victor_ext.tables.sources import Record, Rows, SourceBroken, records_of

from .check import Check, RowProblem
from .column_types import formed_columns
from .columns import (
    Fields,
    cells_of,
    check_heading,
    problems_of,
    reported_problems,
    split_record,
)
from .control_totals import ControlTotals
from .row_digests import requested_payment, spelling_digest, stored_arguments
from .row_kind import RowKind
from .rows import Arguments, Row
from .settings import Settings, in_utc
from .source_rows import SourceRow, SourceRows, problems_text
from .units import Calls
from .vault import Vault

_EXACT = Context(prec=60)
"""Adds amounts without rounding: the default context has 28 digits."""
_KEY_CHARACTERS = 60
"""Characters of a repeated key that a message shows."""


class Validation:
    """Checks the records of a source, and adds them to `rows`.

    Args:
        key_column: The column that tells the rows apart.
        key_kind: What the values of the key column name.
        expected: The control totals of the source.
    """

    def __init__(
        self,
        kind: RowKind,
        vault: Vault,
        settings: Settings,
        rows: SourceRows,
        calls: Calls,
        *,
        key_column: str,
        key_kind: str,
        expected: ControlTotals,
    ) -> None:
        self._kind, self._vault, self._settings = kind, vault, settings
        self._rows, self._calls, self._expected = rows, calls, expected
        self._key_column, self._key_kind = key_column, key_kind
        self._extra_columns: dict[str, None] = {}
        """The names of the extra columns, in order. The values mean nothing."""
        self._file = RowFile("")
        """How the source is written."""
        self._without_amount = 0
        self._totals: dict[str, Decimal] = {}
        """The sum of the amounts in each currency."""

    def read(self, source: Rows, check: Check) -> None:
        """Check every record of a source. Problems of a single row are stored with the row; those
        of the source as a whole are added to `check`.
        """
        if isinstance(source, RowFile):
            self._file = source
        try:
            self._read_records(source, check)
        except SourceBroken as broken:
            problem = RowProblem(None, broken.line, broken.column, broken.code, broken.message)
            check.note(problem, breaks=True)
        if check.rows == 0 and not check.broken:
            _note_broken(check, "empty", "the source has no rows.")
        check.columns = list(self._extra_columns)
        check.sharing = self._rows.sharing()
        for message in self._expected.differences(check.rows, self._totals, self._without_amount):
            _note_broken(check, "control_total", message)

    def _read_records(self, source: Rows, check: Check) -> None:
        """Check each record. Raises `SourceBroken` if the source cannot be read to its end."""
        kind, settings = self._kind, self._settings
        required = [name for name in kind.required if name not in settings.defaults]
        heading = partial(check_heading, kind, self._key_column, required)
        records = records_of(
            source,
            encoding=settings.encoding,
            known=kind.columns,
            check=heading,
            formed=formed_columns(kind.columns),
        )
        for record in records:
            check.rows += 1
            self._add_record(record)

    def _add_record(self, record: Record) -> None:
        """Check a record, and add it to the rows."""
        fields = split_record(self._kind, record.fields, self._key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value = None
            fields.problems = list(record.problems)
        self._add_to_totals({} if record.problems else fields.arguments)
        self._add_defaults(fields)
        problems = self._problems_of(record, fields)
        key = self._key_of(fields)
        entry = None
        if key is not None and not problems:
            entry, problems = self._entry_or_problems(record, fields, key)
        earlier = None if key is None else self._rows.with_key(key)
        if earlier is not None:
            self._add_repeated(record, fields, earlier, problems)
            return
        self._extra_columns |= dict.fromkeys(fields.extras)
        row = self._row(record, fields, key, problems)
        self._rows.add(row._replace(twin=self._rows.twin_of(row), entry=entry))

    def _entry_or_problems(
        self, record: Record, fields: Fields, key: str
    ) -> tuple[str | None, Sequence[Problem]]:
        """Return the columns of the entry that sends a row alone, as JSON; or the problems with
        what is to be stored of it, such as the number of a card.
        """
        arguments = stored_arguments(self._kind, fields.arguments)
        try:
            entry = self._calls.for_row(arguments, key)
        except InvalidRequest as error:
            in_file = record.line is not None
            return None, reported_problems(self._kind, error.problems, in_file=in_file)
        return None if self._calls.are_shared else json.dumps(entry), ()

    def _row(
        self,
        record: Record,
        fields: Fields,
        key: str | None,
        problems: Sequence[Problem],
    ) -> SourceRow:
        """Return a row that is no repetition. Only a valid row has an amount, a group and a
        reference.
        """
        extras = fields.extras
        if problems and not record.problems:
            extras = {**cells_of(self._kind, record.fields, self._file), **extras}
        content = Row(
            record.number,
            key or "",
            key or "",
            fields.key_value,
            fields.arguments,
            extras,
        )
        asked = requested_payment(
            self._kind,
            self._vault,
            content,
            key_kind=self._key_kind,
            key_column=self._key_column,
            is_valid=not problems,
        )
        row = SourceRow(
            record.number,
            record.line,
            key=key,
            problems=problems_text(problems),
            asked=json.dumps(asked),
        )
        if key is not None:
            spelling = spelling_digest(self._vault, asked, fields.key_value or "")
            row = row._replace(skeleton=asked.skeleton_digest, spelling=spelling)
        if problems:
            return row
        amount, currency = self._kind.price(fields.arguments)
        return row._replace(
            grouping=self._grouping(fields),
            amount=str(amount),
            currency=currency,
            reference=asked.reference_digest if self._may_share(fields) else None,
        )

    def _grouping(self, fields: Fields) -> str | None:
        """Return a digest of what rows in one call have in common; None: each is sent alone."""
        group = self._kind.group(fields.arguments)
        return None if group is None else self._vault.fingerprint(repr(group))

    def _may_share(self, fields: Fields) -> bool:
        """Whether another row can have the same reference: in payouts, it is a part of the key."""
        return bool(fields.arguments.get(self._kind.reference)) and self._kind.rows_per_call == 1

    def _add_defaults(self, fields: Fields) -> None:
        """Add the settings that are values for rows without one, and replace `today`."""
        fields.arguments = {**self._settings.defaults, **fields.arguments}
        if "due_date" in fields.arguments:
            fields.arguments["due_date"] = in_utc(fields.arguments["due_date"])

    def _problems_of(self, record: Record, fields: Fields) -> Sequence[Problem]:
        """Return all problems with a record. If it cannot be read, the rules of the API are not
        checked.
        """
        if record.problems:
            return fields.problems
        return problems_of(self._kind, fields, in_file=record.line is not None)

    def _key_of(self, fields: Fields) -> str | None:
        """Return the key of a row's payment; None: the row does not have what a key is made of."""
        if fields.key_value is None:
            return None
        return self._kind.key_of(fields.arguments, self._key_kind, fields.key_value)

    def _add_repeated(
        self,
        record: Record,
        fields: Fields,
        earlier: SourceRow,
        problems: Sequence[Problem],
    ) -> None:
        """Add a row that repeats an earlier one. Its source is refused, whatever the state has.

        Args:
            problems: The other problems with the row.
        """
        column = self._key_column
        value = (fields.key_value or "")[:_KEY_CHARACTERS]
        why = f"as in {earlier.place_text}: two rows cannot have one key."
        repeated = Problem(column, "repeated", f"{column} is {value!r}, {why}")
        text = problems_text([repeated, *problems])
        self._rows.add(SourceRow(record.number, record.line, problems=text, is_repeated=True))

    def _add_to_totals(self, arguments: Arguments) -> None:
        """Add the amount of a row to the totals that are compared with the control total."""
        if self._expected.total is None:
            return
        try:
            amount, currency = self._kind.price(arguments)
        except (InvalidRequest, KeyError):
            self._without_amount += 1
        else:
            add_amount(self._totals, amount, currency)


def add_amount(
    totals: dict[str, Decimal],
    amount: Decimal,
    currency: str,
) -> None:
    """Add an amount to the total of its currency, exactly."""
    totals[currency] = _EXACT.add(totals.get(currency, Decimal(0)), amount)


def _note_broken(
    check: Check,
    code: str,
    message: str,
) -> None:
    """Add a problem of the source as a whole, which cannot be stored then."""
    check.note(RowProblem(None, None, None, code, message), breaks=True)
