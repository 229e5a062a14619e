"""Read a source, and check each of its records: nothing is decided, and the state is not asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Context, Decimal
from functools import partial

from victor_ext import InvalidRequest, Problem, idempotency_key_for
from victor_ext.tables.sources import Record, Rows, SourceBroken, records_of

from .columns import Fields, check_heading, problems_of, split_record
from .control_totals import ControlTotals
from .row_digests import requested_payment
from .row_kind import RowKind
from .rows import Arguments, Check, Row, RowProblem
from .settings import Settings, in_utc
from .source_rows import SourceRow, SourceRows, problems_text
from .vault import Vault

_EXACT = Context(prec=60)
_SHOWN = 60
"""Characters of a repeated key that a message shows."""


class Validation:
    """Checks the records of a source, and adds them to `rows`.

    Args:
        key_column: What tells the rows apart.
        key_kind: What the values of that column name.
        expected: The control totals of the source.
    """

    def __init__(
        self,
        kind: RowKind,
        vault: Vault,
        settings: Settings,
        rows: SourceRows,
        *,
        key_column: str,
        key_kind: str,
        expected: ControlTotals,
    ) -> None:
        self._kind, self._vault, self._settings = kind, vault, settings
        self._rows, self._expected = rows, expected
        self._key_column, self._key_kind = key_column, key_kind
        self._columns: dict[str, None] = {}
        self._without_amount = 0
        self._totals: dict[str, Decimal] = {}
        """The sum of the amounts in each currency."""

    def read(self, source: Rows, check: Check) -> None:
        """Check every record of a source. Problems of single rows are stored with them."""
        try:
            self._read_records(source, check)
        except SourceBroken as broken:
            problem = RowProblem(None, broken.line, broken.column, broken.code, broken.message)
            check.note(problem, breaks=True)
        if check.rows == 0 and not check.broken:
            _break(check, "empty", "the source has no rows.")
        check.columns = list(self._columns)
        check.sharing = self._rows.sharing()
        for message in self._expected.differences(check.rows, self._totals, self._without_amount):
            _break(check, "control_total", message)

    def _read_records(self, source: Rows, check: Check) -> None:
        kind, settings = self._kind, self._settings
        required = [name for name in kind.required if name not in settings.defaults]
        heading = partial(check_heading, kind, self._key_column, required)
        records = records_of(
            source,
            encoding=settings.encoding,
            known=kind.columns,
            check=heading,
        )
        for record in records:
            check.rows += 1
            self._take(record)

    def _take(self, record: Record) -> None:
        fields = split_record(self._kind, record.fields, self._key_column)
        if record.problems:
            # Columns may have shifted: do not trust any value, especially the key.
            fields.key_value = None
            fields.problems = list(record.problems)
        self._add_amount({} if record.problems else fields.arguments)
        problems = self._completed(record, fields)
        key = self._key_of(fields)
        before = None if key is None else self._rows.with_key(key)
        if before is not None:
            why = "two rows cannot have one key."
            self._add_repeated(record, fields, before, why, problems)
            return
        self._columns |= dict.fromkeys(fields.extras)
        row = self._row(record, fields, key, problems)
        before = None if row.spelling is None else self._rows.spelled(row.spelling)
        if before is not None:
            why = "they differ by spelling alone, and ask for the same."
            self._add_repeated(record, fields, before, why, problems)
            return
        self._rows.add(row)

    def _row(
        self,
        record: Record,
        fields: Fields,
        key: str | None,
        problems: Sequence[Problem],
    ) -> SourceRow:
        """Return a row as it is decided about; only one that is valid has an amount."""
        content = Row(
            record.number,
            key or "",
            key or "",
            fields.key_value,
            fields.arguments,
            fields.extras,
        )
        asked = requested_payment(
            self._kind,
            self._vault,
            content,
            key_column=self._key_column,
            is_valid=not problems,
        )
        row = SourceRow(
            record.number,
            record.line,
            key=key,
            problems=problems_text(problems),
            asked=json.dumps(asked),
            spelling=None if key is None else f"{asked.values_digest} {asked.spelling_digest}",
        )
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
        group = self._kind.group(fields.arguments)
        return None if group is None else self._vault.fingerprint(repr(group))

    def _may_share(self, fields: Fields) -> bool:
        """Whether another row can have its reference: of rows that go together, no two have one."""
        return bool(fields.arguments.get(self._kind.reference)) and self._kind.rows_per_call == 1

    def _completed(self, record: Record, fields: Fields) -> Sequence[Problem]:
        """Complete the arguments of a record. Return all problems with it."""
        fields.arguments = {**self._settings.defaults, **fields.arguments}
        if "due_date" in fields.arguments:
            fields.arguments["due_date"] = in_utc(fields.arguments["due_date"])
        if record.problems:
            return fields.problems
        return problems_of(self._kind, fields, in_file=record.line is not None)

    def _key_of(self, fields: Fields) -> str | None:
        """Return the key of a row's payment; None: the row does not say which it is."""
        if fields.key_value is None:
            return None
        facts = self._kind.key_facts(fields.arguments, self._key_kind, fields.key_value)
        return None if facts is None else idempotency_key_for(*facts)

    def _add_repeated(
        self,
        record: Record,
        fields: Fields,
        before: SourceRow,
        why: str,
        problems: Sequence[Problem],
    ) -> None:
        """Add a row that is never stored: the source is refused, whatever the state has."""
        column = self._key_column
        place = f"row {before.number}" if before.line is None else f"line {before.line}"
        value = (fields.key_value or "")[:_SHOWN]
        repeated = Problem(column, "repeated", f"{column} is {value!r}, as in {place}: {why}")
        text = problems_text([repeated, *problems])
        self._rows.add(SourceRow(record.number, record.line, problems=text, is_repeated=True))

    def _add_amount(self, arguments: Arguments) -> None:
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


def _break(
    check: Check,
    code: str,
    message: str,
) -> None:
    """Note that the source as a whole cannot be stored."""
    check.note(RowProblem(None, None, None, code, message), breaks=True)
