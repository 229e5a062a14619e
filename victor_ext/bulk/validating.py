"""Read a source, and check each of its records. Nothing is decided, and the state is not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from victor_ext import InvalidRequest, Problem
from victor_ext.tables.row_file import Record, RowFile, SourceBroken
from victor_ext.tables.sources import Rows, records_of

from .check import Check, ControlTotals, RowProblem, add_amount
from .column_types import formed_columns
from .columns import (
    Fields,
    cells_of,
    check_heading,
    problems_of,
    reported_problems,
    split_record,
)
from .row_digests import requested_payment, spelling_digest, stored_arguments
from .rows import Row
from .settings import Settings, in_utc
from .source_rows import SourceRow, SourceRows, problems_text
from .units import Calls

_KEY_CHARACTERS = 60
"""Characters of a repeated key that a message shows."""


class Validation:
    """Checks the records of a source, and adds them to `rows`.

    Args:
        calls: Makes the entries that send the rows.
        key_column: The column that tells the rows apart.
        key_kind: What the values of the key column name.
        expected: The control totals of the source.
    """

    def __init__(
        self,
        calls: Calls,
        settings: Settings,
        rows: SourceRows,
        *,
        key_column: str,
        key_kind: str,
        expected: ControlTotals,
    ) -> None:
        self._calls, self._settings, self._rows = calls, settings, rows
        self._kind, self._vault = calls.kind, calls.vault
        self._key_column, self._key_kind, self._expected = key_column, key_kind, expected
        self._extra_columns: dict[str, None] = {}
        """The names of the extra columns, in order. The values mean nothing."""
        self._file = RowFile("")
        """How the source is written."""
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
            check.note(RowProblem(None, broken.line, broken.column, broken.code, broken.message))
        if check.rows == 0 and not check.broken:
            check.note(RowProblem(None, None, None, "empty", "the source has no rows."))
        check.columns = list(self._extra_columns)
        check.sharing = self._rows.sharing()
        for message in self._expected.differences(check.rows, self._totals, self._without_amount):
            check.note(RowProblem(None, None, None, "control_total", message))

    def _read_records(self, source: Rows, check: Check) -> None:
        """Check each record. Raises `SourceBroken` if the source cannot be read to its end."""
        kind, settings = self._kind, self._settings
        required = [name for name in kind.required if name not in settings.defaults]
        records = records_of(
            source,
            encoding=settings.encoding,
            known=kind.columns,
            check=partial(check_heading, kind, self._key_column, required),
            formed=formed_columns(kind.columns),
        )
        for record in records:
            check.rows += 1
            self._add_record(record)

    def _add_record(self, record: Record) -> None:
        """Check a record, and add it to the rows.

        If the record cannot be read, the rules of the API are not checked.
        """
        fields = split_record(self._kind, record.fields, self._key_column)
        self._add_defaults(fields)
        in_file = record.line is not None
        price = None
        problems: Sequence[Problem] = record.problems
        if problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value = None
        else:
            price = self._price_of(fields)
            problems = problems_of(self._kind, fields, in_file=in_file)
        if price is None:
            self._without_amount += 1
        else:
            add_amount(self._totals, *price)
        key = self._key_of(fields)
        entry = None
        if key is not None and not problems:
            try:
                values = self._calls.for_row(stored_arguments(self._kind, fields.arguments), key)
                entry = None if self._calls.are_shared else json.dumps(values)
            except InvalidRequest as error:  # it would store the number of a card, or the like
                problems = reported_problems(self._kind, error.problems, in_file=in_file)
        earlier = None if key is None else self._rows.with_key(key)
        if earlier is not None:
            self._add_repeated(record, fields, earlier, problems)
            return
        self._extra_columns |= dict.fromkeys(fields.extras)
        row = self._row(record, fields, key, problems)
        text = None if price is None else f"{price[0]} {price[1]}"
        self._rows.add(row._replace(price=text, entry=entry, twin=self._rows.twin_of(row)))

    def _row(
        self,
        record: Record,
        fields: Fields,
        key: str | None,
        problems: Sequence[Problem],
    ) -> SourceRow:
        """Return a row that is no repetition."""
        kind, vault, arguments = self._kind, self._vault, fields.arguments
        extras = fields.extras
        if problems and not record.problems:
            extras = {**cells_of(kind, record.fields, self._file), **extras}
        asked = requested_payment(
            kind,
            vault,
            Row(record.number, key or "", key or "", fields.key_value, arguments, extras),
            key_kind=self._key_kind,
            key_column=self._key_column,
            is_valid=not problems,
        )
        grouping = reference = None
        if self._calls.are_shared:  # a reference is a part of the key
            grouping = vault.fingerprint(repr(kind.group(arguments)))
        elif arguments.get(kind.reference):
            reference = asked.reference_digest
        return SourceRow(
            record.number,
            record.line,
            key=key,
            problems=problems_text(problems),
            asked=json.dumps(asked),
            skeleton=asked.skeleton_digest,
            spelling=spelling_digest(vault, asked, fields.key_value or ""),
            reference=reference,
            grouping=grouping,
        )

    def _add_defaults(self, fields: Fields) -> None:
        """Add the settings that are values for rows without one, and replace `today`."""
        fields.arguments = {**self._settings.defaults, **fields.arguments}
        if "due_date" in fields.arguments:
            fields.arguments["due_date"] = in_utc(fields.arguments["due_date"])

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

    def _price_of(self, fields: Fields) -> tuple[Decimal, str] | None:
        """Return the amount of a row and its currency; None: it has no valid ones."""
        try:
            return self._kind.price(fields.arguments)
        except (InvalidRequest, KeyError):
            return None
