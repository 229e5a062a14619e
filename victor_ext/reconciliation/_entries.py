"""Our side: the payments in a company's own book, read from Python, CSV or JSON Lines.

`EntryReader.read` yields an `Entry` for each payment. Besides plain rows it knows two forms of our
own: results of bulk sending, in a file or from its state, and entries of an outbox as `victor
outbox entries --json` prints them.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from victor_ext import InvalidRequest, Problem, zulu
from victor_ext._tables.formats import UnreadableCell, read_amount
from victor_ext._tables.row_file import (
    FileRecord,
    Heading,
    RowFile,
    SourceBroken,
    checked_columns,
    in_own_words,
    refuse_unknown,
)
from victor_ext._tables.sources import records_of
from victor_ext._tables.texts import damage_of, text_of_cell
from victor_ext._values.ids import trimmed
from victor_ext.money import Money

COLUMNS: Mapping[str, Sequence[str]] = {
    "reference": (
        "client_reference_id",
        "payor_payment_id",
        "merchant_transaction_id",
        "external_order_id",
        "reference",
    ),
    "id": ("id", "victor_payment_request_id", "payment_id"),
    "key": ("key", "idempotency_key"),
    "amount": ("amount",),
    "currency": ("currency",),
    "at": ("at", "created_at"),
}
"""The names of columns from which each field is read, unless `columns` names another column.

The first column that has a value counts.
"""

_FIELD_OF = {column: name for name, columns in COLUMNS.items() for column in (name, *columns)}
"""The field that is read from each column."""
_EXPORT_COLUMNS = (
    *("number", "id", "status", "outcome", "error"),
    *("asked", "agreed", "currency", "batch"),
)
"""The first columns of an export of `victor bulk`, by which it is recognized."""
_RESULT_FIELDS = ("key", "reference", "asked_at", "row")
"""What a result of bulk sending has beside them.

The other columns of an export come from the file that was sent.
"""
_OUTBOX_FIELDS = frozenset({"idempotency_key", "state", "request_id", "sent_at", "payments"})
"""The fields by which an entry of an outbox is recognized, as `victor outbox entries --json` prints
it.
"""
_NOT_ASKED = frozenset({"rejected", "refused", "waiting", "not_sent"})
"""Outcomes in an export, and states of entries, with which the provider has no payment."""
_MOST_PROBLEMS = 20
"""The number of problems after which no more rows are read."""
_LONGEST_TEXT = 255
"""The maximum characters of a reference, id or key. A longer text comes from a wrong column."""


class InvalidEntries(InvalidRequest):
    """Rows of our book cannot be right.

    `problems` has the line and the field of each, and what to write.
    """


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment of our book. It is matched by `reference` or `id`; without both it is
    `unchecked`.

    Attributes:
        amount: What was asked or paid, above zero.
        reference: Our reference, as it was sent, such as `client_reference_id`.
        id: The provider's id, if the book has it.
        key: The idempotency key. No provider lists keys. Entries with one key are one payment.
        at: When it was sent, aware. None: somewhere in the window.
        line: The line or row of the source, from 1; of bulk sending, the row of the sheet.
        doubt: Why it may not have been asked, in a sentence: if the provider has no such payment,
            the row is `unchecked` and not `missing`.
        batch: The batch of bulk sending that asked for it; None: none, or it is not known.

    Raises:
        InvalidRequest: A value cannot be right; `problems` has all of them.
    """

    amount: Money
    reference: str | None = None
    id: str | None = None
    key: str | None = None
    at: datetime | None = None
    line: int | None = None
    doubt: str | None = None
    batch: str | None = None

    @property
    def why_unchecked(self) -> str | None:
        """Why the provider's book cannot show that this payment is missing, or None."""
        if self.reference is None and self.id is None:
            return "The row has neither a reference nor an id, so it cannot be compared."
        return self.doubt

    def __post_init__(self) -> None:
        problems = [*self._problems()]
        if problems:
            raise InvalidRequest.of(problems)

    def _problems(self) -> Iterator[Problem]:
        """Yield the problems of all values."""
        amount: object = self.amount
        if not isinstance(amount, Money):
            yield Problem("amount", "type", "amount must be Money: write Money.of('44.23', 'USD').")
        elif amount.minor_units <= 0:
            yield Problem("amount", "range", f"amount is {amount.amount:f} and must be above zero.")
        elif amount.decimals != Money(0, amount.currency).decimals:
            message = (
                f"amount has own_decimals={amount.decimals}, and what the provider says of "
                f"{amount.currency} is read with two: it cannot be compared."
            )
            yield Problem("amount", "currency", message)
        for name in ("reference", "id", "key"):
            problem = _text_problem(name, getattr(self, name))
            if problem is not None:
                yield problem
        at: object = self.at
        if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
            yield Problem(
                "at",
                "type",
                "at must be an aware datetime: write datetime(2026, 3, 4, tzinfo=UTC).",
            )


def _text_problem(name: str, value: object) -> Problem | None:
    """The problem of a reference, id or key, if it has one."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        return Problem(name, "text", f"{name} must be text of 1 to {_LONGEST_TEXT} characters.")
    return damage_of(name, value)


@runtime_checkable
class Exported(Protocol):
    """A result of bulk sending, such as `BulkSender.book` and `export` yield."""

    @property
    def outcome(self) -> str:
        """What became of the row."""
        ...

    @property
    def asked(self) -> Decimal | None:
        """The amount that was asked for."""
        ...

    @property
    def asked_at(self) -> datetime | None:
        """When it was first sent."""
        ...


Ours = str | os.PathLike[str] | Iterable[Entry | Exported | Mapping[str, object]]
"""Our book: the path of a CSV or JSON Lines file, a `RowFile`, or entries, results of bulk sending,
or mappings with the columns of a file.
"""


@dataclass(slots=True)
class EntryReader:
    """Reads our book. For its options, see `reconcile`."""

    columns: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    currency: str | None = None
    encoding: str | None = None
    not_asked: int = 0
    """The number of rows of an export, or entries of an outbox, that the provider was not asked
    for.
    """
    forgotten: int = 0
    """The number of rows of bulk sending that have no amount any more."""
    _decimal: str | None = None
    _problems: list[Problem] = field(default_factory=list[Problem])

    def __post_init__(self) -> None:
        refuse_unknown(self.columns, tuple(COLUMNS))
        self.columns = checked_columns(self.columns)
        if self.currency is not None:
            Money(0, self.currency)  # raises InvalidRequest if there is no such currency

    def read(self, ours: Ours) -> Iterator[Entry]:
        """Yield the entries.

        Raises:
            InvalidEntries: Rows cannot be right; raised at the end, or after 20 problems.
            ConfigurationError: The file cannot be opened.
        """
        if isinstance(ours, RowFile):
            ours = self._with_file_options(ours)
        names = [name for places in map(self._columns_of, COLUMNS) for name in places]
        rows = ours if isinstance(ours, str | os.PathLike) else map(_as_mapping, ours)
        source = records_of(
            rows,
            encoding=self.encoding,
            known=names,
            check=self._check_heading,
            export=_EXPORT_COLUMNS,
        )
        try:
            for record in source:
                yield from self._entries_of(record)
                if len(self._problems) >= _MOST_PROBLEMS:
                    self._problems.append(
                        Problem("", "more", "... The rows after these were not read.")
                    )
                    break
        except SourceBroken as broken:
            self._note_problems(
                broken.line, [Problem(broken.column or "", broken.code, broken.message)]
            )
        if self._problems:
            raise InvalidEntries.of(self._problems, doing="The reconciliation")

    def _with_file_options(self, file: RowFile) -> RowFile:
        """Take the options of a `RowFile` over, and return the file without them.

        Its `columns` may name fields (`reference`) or our names of columns (`client_reference_id`).
        """
        refuse_unknown(file.columns, tuple(COLUMNS), _FIELD_OF)
        # The name of a field counts before that of another column of the field.
        names = sorted(file.columns, key=COLUMNS.__contains__)
        self.columns = {_FIELD_OF[name]: file.columns[name] for name in names} | dict(self.columns)
        self._decimal = file.decimal
        return RowFile(file.path, encoding=file.encoding)

    def _columns_of(self, name: str) -> Sequence[str]:
        """The names of columns from which a field is read."""
        if name in self.columns:
            column = self.columns[name]
            return () if column is None else (column,)
        return COLUMNS[name]

    def _check_heading(self, heading: Heading, line: int) -> None:
        """Raise `SourceBroken` if a named column, or one of the required fields, is not there."""
        if heading.begins_with(_EXPORT_COLUMNS):
            return
        heading.check_named(self.columns, line)
        required = [("amount",), ("reference", "id")]
        if self.currency is None:
            required.append(("currency",))
        for fields in required:
            columns = {column for name in fields for column in self._columns_of(name)}
            if columns.isdisjoint(heading.own):
                message = (
                    f"{heading} has no {' or '.join(fields)}: name the column, such as "
                    f"{fields[0]}=COLUMN."
                )
                raise SourceBroken(line, fields[0], "required", message)

    def _entries_of(self, record: FileRecord) -> Iterator[Entry]:
        """Yield the payments of a record, in whichever form it is. Problems are noted."""
        fields: Mapping[str, Any] = record.fields
        place = record.line or record.number
        entry = fields.get("")  # put there by `_as_mapping`
        if isinstance(entry, Entry):
            yield entry if entry.line else replace(entry, line=place)
        elif record.problems:
            self._note_problems(place, record.problems)
        elif fields.keys() >= _OUTBOX_FIELDS:
            yield from self._entries_of_outbox(fields, place)
        elif fields.keys() >= {*_EXPORT_COLUMNS}:
            yield from self._entry_of_export(fields, place)
        else:
            yield from self._entry_of_values(self._values_of(fields), place)

    def _values_of(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a record by the names of `COLUMNS`."""
        values = {name: _value(fields, self._columns_of(name)) for name in COLUMNS}
        values["amount"] = read_amount("amount", values["amount"], self._decimal)
        values["currency"] = values["currency"] or self.currency
        return values

    def _entry_of_export(self, fields: Mapping[str, Any], place: int) -> Iterator[Entry]:
        """Yield the payment of a result of bulk sending, if the provider was asked for it and it is
        not forgotten.
        """
        outcome = fields["outcome"]
        ours = {name: _value(fields, [name]) for name in _EXPORT_COLUMNS}
        is_undecided = outcome == "to_decide" and ours["id"] is None and ours["asked"] is None
        if outcome in _NOT_ASKED or is_undecided:
            self.not_asked += 1
            return
        if ours["asked"] is None:
            self.forgotten += 1
            return
        values = {"id": ours["id"], "amount": ours["asked"], "currency": ours["currency"]}
        if fields.keys() >= {*_RESULT_FIELDS}:  # from Python or JSON, not from CSV
            key, reference, at, row = (_value(fields, [name]) for name in _RESULT_FIELDS)
            values |= {"reference": reference, "key": key, "at": at}
            place = int(row)
        else:
            reference = _value(fields, self._columns_of("reference"))
            if reference is None and ours["id"] is None:
                reference = ours["number"]
            values |= {"reference": reference, "key": ours["id"] or ours["number"], "at": None}
        doubt = None
        if outcome == "unknown":
            doubt = f"Bulk sending calls it unknown. {fields['error'] or ''}".strip()
            values["at"] = None  # it may have been made by a later attempt than the first one
        yield from self._entry_of_values(values, place or None, doubt, batch=ours["batch"])

    def _entry_of_values(
        self,
        values: Mapping[str, Any],
        place: int | None,
        doubt: str | None = None,
        *,
        batch: str | None = None,
    ) -> Iterator[Entry]:
        """Yield the payment with these values, by the names of `COLUMNS`. If one is wrong, note
        that.
        """
        try:
            at = _moment(values["at"])
            yield Entry(
                _money(values["amount"], values["currency"]),
                reference=values["reference"],
                id=values["id"],
                key=values["key"],
                at=at,
                line=place,
                doubt=doubt,
                batch=batch or None,
            )
        except InvalidRequest as error:
            self._note_problems(place, error.problems)

    def _entries_of_outbox(self, fields: Mapping[str, Any], place: int) -> Iterator[Entry]:
        """Yield the payments of an entry of an outbox, if the provider was asked for them."""
        state = fields["state"]
        is_list = isinstance(fields["payments"], list)
        payments: list[Any] = fields["payments"] if is_list else []
        if state in _NOT_ASKED or not payments:
            self.not_asked += 1
            return
        doubt = None
        if state != "sent":
            doubt = f"The outbox calls it {state}. {fields.get('error') or ''}".strip()
        key = fields["idempotency_key"] if len(payments) == 1 else None
        for payment in payments:
            values = {"key": key, "at": fields["sent_at"]}
            try:
                for name in ("reference", "id", "amount", "currency"):
                    values[name] = payment[name]
            except (KeyError, TypeError):
                message = "payments must be a list of objects with reference, amount, currency, id."
                self._note_problems(place, [Problem("payments", "type", message)])
                continue
            yield from self._entry_of_values(values, place, doubt)

    def _note_problems(self, place: int | None, problems: Iterable[Problem]) -> None:
        """Note problems with their line, in the book's own words for columns."""
        for problem in problems:
            line = f"line {place}" if place else ""
            column = self.columns.get(problem.field) or problem.field
            where = ", ".join(part for part in (line, column) if part)
            text = in_own_words(problem.message, self.columns)
            message = f"{where}: {text}" if where else text
            self._problems.append(Problem(problem.field, problem.code, message))


def _value(fields: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The value of the first column that has one; text as its cell means it, without blanks around
    it.
    """
    for value in map(fields.get, columns):
        if isinstance(value, str):
            text = text_of_cell(value)
            if text.strip():
                return trimmed(text)
        elif value is not None:
            return value
    return None


def _as_mapping(row: Entry | Exported | Mapping[str, object]) -> Mapping[str, object]:
    """The row as `records_of` takes it. An `Entry` gets an empty name, by which `_entries_of` finds
    it.
    """
    if isinstance(row, Entry):
        return {"": row}
    if isinstance(row, Exported):
        return {name: getattr(row, name) for name in (*_EXPORT_COLUMNS, *_RESULT_FIELDS)}
    return row


def _money(amount: Any, currency: Any) -> Money:
    """The amount of a payment. Raises `InvalidRequest`."""
    if isinstance(amount, Money):
        return amount
    if isinstance(amount, UnreadableCell):
        raise InvalidRequest.of([amount.problem])
    _check_cell("amount", amount)
    _check_cell("currency", currency)
    return Money.recorded(amount, currency)


def _check_cell(name: str, value: object) -> None:
    """Raise `InvalidRequest` for a cell that is empty, or that another program has damaged."""
    if value is None:
        raise InvalidRequest.of([Problem(name, "required", f"{name} is missing.")])
    if isinstance(value, str):
        damage = damage_of(name, value, None)
        if damage is not None:
            raise InvalidRequest.of([damage])


def _moment(value: Any) -> datetime | None:
    """The time in a cell. Raises `InvalidRequest`: a text is no Zulu time."""
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return] # `Entry` checks it
    try:
        return zulu.parse(value).astimezone(UTC)
    except InvalidRequest:
        message = f"at is {value[:40]!r}: write a Zulu time, such as 2026-03-04T05:06:07Z."
        raise InvalidRequest.of([Problem("at", "format", message)]) from None
