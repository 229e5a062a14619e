"""Rows with which nothing is wrong, by proof: `PlainRows`.

Most rows of a file differ in a few cells alone. `RowKind.plain` names these columns, each with a
form of values that are right whatever stands in the other cells. So rows that have the other cells
in common have one `Template`: one of them is checked and prepared as every row is, with marks in
place of the cells that differ, and each row is that text with its own cells in place of the marks.
Before a template is used, the extremes of each form are checked, and what it makes of a row is
compared with what the checks make of that row.
A row that is not surely plain is checked as every row is.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from victor_ext._ids import skeleton_of
from victor_ext._tables.row_file import FileRecord

from ._column_types import AMOUNT
from ._payments import KeyOrigin
from ._row_digests import ComparedTexts, compared_texts, digested, stored_arguments
from ._row_kind import PLAIN_KEY, PlainForm
from ._rows import Arguments, RowContent
from ._settings import in_utc
from ._source_rows import RowEntry, SourceRow
from ._storing import EntryMaker

_PLAIN_EXTRA = PlainForm(re.compile(r"[ !#-\[\]-~]*"), ("", "".join(map(chr, range(35, 92)))))
"""Values of a column that is only exported, as they stand in JSON, too."""
_CHECKED_COLUMNS = ("currency", "idempotency_key")
"""Columns that are only exported, and whose values are checked: what their names begin with."""
_AMOUNT, _KEY, _CONTENT = "amount", "\0key", "\0content"
"""Names of values: a column, and two that are no columns."""
_COMPARED = ("values", "bare", "skeleton", "reference", "party")
_OF_SKELETONS = ("bare", "skeleton", "party")
"""Those of them that are made of skeletons alone."""
_SEALED = ("call", "look_up_by")
"""The columns of an entry that are encrypted."""
_MOST_TEMPLATES = 256
"""With more combinations of cells, those before are forgotten."""


class CheckedRow(NamedTuple):
    """A row that was checked.

    Attributes:
        row: The row, as it is stored until all rows are decided about.
        entry: The entry that sends it; None: none is made.
        asked: What it asks for.
        price: Its exact amount and the currency; None: it has no valid ones.
    """

    row: SourceRow
    entry: RowEntry | None
    asked: RowContent
    price: tuple[Decimal, str] | None

    @property
    def content(self) -> str:
        """What its source has in this row, as JSON."""
        content = [self.asked.value, self.asked.arguments, self.asked.extras]
        return json.dumps(content, default=str, sort_keys=True)


class PlainRow(NamedTuple):
    """A plain row.

    Attributes:
        row: As of a `CheckedRow`; so are the others.
    """

    row: SourceRow
    entry: RowEntry | None
    content: str
    price: tuple[Decimal, str]


class _Marked:
    """A text with marks, in place of which values are put.

    Args:
        names: The name of the value that is put in place of each mark.
    """

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        parts = re.split(f"({'|'.join(map(re.escape, names))})", text)
        marks = [part for part in parts if part in names]
        self.names = tuple(names[mark] for mark in marks)
        """The names of the values in the order of their marks."""
        fixed = (part.replace("%", "%%") for part in parts if part not in names)
        self._format = "%s".join(fixed)

    def filled(self, values: Mapping[str, str]) -> str:
        return self._format % tuple([values[name] for name in self.names])


@dataclass(frozen=True, slots=True)
class _MarkedCall:
    """The entry that sends a row, with marks.

    Attributes:
        text: The prepared call as JSON, whose content is marked, too.
        others: The values of all its other columns, as JSON.
        has_own_reference: Whether it has the reference of the row; else it has its key.
    """

    text: _Marked
    content: _Marked
    others: str
    has_own_reference: bool


@dataclass(slots=True)
class _Template:
    """What rows have in common that differ in their plain cells alone.

    Attributes:
        arguments: What such a row asks for.
        texts: The texts by which rows are compared.
        with_skeletons: The names of the cells whose skeletons these texts have.
        due_date: Their due date, as it is compared.
        content: What their source has in such a row, as JSON.
        stored: The content of a row, as it is encrypted, without its number.
        currency: That of the amount.
        call: The entry that sends a row; None: none is made.
        shares_reference: Whether other rows may have the reference of one.
    """

    arguments: Arguments
    texts: Mapping[str, _Marked]
    with_skeletons: Collection[str]
    due_date: str | None
    content: _Marked
    stored: _Marked
    currency: str
    call: _MarkedCall | None
    shares_reference: bool


class PlainRows:
    """Makes the checked rows of plain records.

    Args:
        check: Checks a record as every record is checked.
        maker: Makes the entries that send the rows.
        origin: What the keys of the rows are made of.
        prepares: Whether the rows have the entries that send them.
    """

    def __init__(
        self,
        check: Callable[[FileRecord], CheckedRow],
        maker: EntryMaker,
        origin: KeyOrigin,
        *,
        prepares: bool,
    ) -> None:
        self._prepares = prepares
        self._check, self._maker, self._origin = check, maker, origin
        self._kind, self._vault = maker.kind, maker.vault
        self._column = origin.column
        # Plain values are short, and rows have some in common: payers, amounts, notes.
        self._skeleton_of = lru_cache(maxsize=4096)(skeleton_of)
        self._names_of_payment = {origin.column, self._kind.reference}
        types = map(self._kind.columns.get, self._names_of_payment)
        self._has_amounts_as_names = AMOUNT in types
        """Whether amounts name payments: of such ones, 3.00 and 3 are compared in another form."""
        self._seen: set[tuple[str, ...]] = set()
        """Cells that rows have in common: a template is made for the second row."""
        self._templates: dict[tuple[str, ...], _Template | None] = {}
        """By such cells; None: no row with them is plain."""

    def row_of(self, record: FileRecord) -> PlainRow | None:
        """Return the row of a record; None: check it, it is not surely plain."""
        if self._has_amounts_as_names:
            return None
        cells = self._cells_of(record)
        if cells is None:
            return None
        common, values = cells
        if common not in self._templates:
            if self._is_first(common):
                return None
            self._templates[common] = self._template_for(record, values)
        template = self._templates[common]
        return None if template is None else self._filled(template, record, values)

    def _cells_of(self, record: FileRecord) -> tuple[tuple[str, ...], dict[str, str]] | None:
        """Return the day, and the cells that a record has in common with others, with their names;
        and its plain ones by their names. None: a cell is neither.
        """
        common: list[str] = []
        values: dict[str, str] = {}
        for name, value in record.fields.items():
            form = self._form_of(name)
            if not isinstance(value, str):
                return None
            if form is None or not value:
                common += (name, type(value).__name__, value)  # a number of JSON is no text
            elif type(value) is str and form.pattern.fullmatch(value):
                values[name] = value
            else:
                return None
        if record.problems or not PLAIN_KEY.pattern.fullmatch(values.get(self._column, "")):
            return None
        if _AMOUNT not in values:
            return None
        # A due date is right, and `today` is a date, on the day of the check alone.
        return (in_utc("today"), *common, "", *values), values

    def _form_of(self, name: str) -> PlainForm | None:
        """Return the form of the plain values of a column; None: its values are common ones."""
        if name in self._kind.columns:
            return self._kind.plain.get(name)
        if name == self._column:
            return PLAIN_KEY
        return None if name.casefold().startswith(_CHECKED_COLUMNS) else _PLAIN_EXTRA

    def _is_first(self, common: tuple[str, ...]) -> bool:
        """Whether no row before had these cells, as far as is remembered."""
        if common in self._seen:
            return False
        if len(self._seen) == _MOST_TEMPLATES:
            self._seen.clear()
            self._templates.clear()
        self._seen.add(common)
        return True

    def _template_for(self, record: FileRecord, values: Mapping[str, str]) -> _Template | None:
        """Return the template for rows with the common cells of a record; None: none is plain."""
        if not self._are_extremes_valid(record, values):
            return None
        template = self._template_of(record, values)
        if template is None or not self._is_right(template, record, values):
            return None
        return template

    def _are_extremes_valid(self, record: FileRecord, values: Mapping[str, str]) -> bool:
        """Whether nothing is wrong with the extremes of all forms, beside the common cells."""
        forms = {name: self._form_of(name) for name in values}
        extremes = zip(*(form.extremes for form in forms.values() if form), strict=True)
        records = (_with_cells(record, dict(zip(values, cells, strict=True))) for cells in extremes)
        return all(self._check(each).row.asked.is_valid for each in records)

    def _template_of(self, record: FileRecord, values: Mapping[str, str]) -> _Template | None:
        """Return what rows with the same common cells have in common; None: they are not valid."""
        marks = {name: self._mark_of(name) for name in values}
        marked = self._check(_with_cells(record, marks))
        row = marked.row
        key = row.asked.key
        if row.problems is not None or not key or marked.price is None:
            return None
        names = {mark: name for name, mark in marks.items()}
        arguments = marked.asked.arguments
        assert arguments is not None  # it was read from a file
        texts = compared_texts(self._kind, marked.asked, self._origin)
        content = [marked.asked.value, stored_arguments(self._kind, arguments), marked.asked.extras]
        stored = json.dumps(content, separators=(",", ":"))
        call = None
        if marked.entry is not None and self._prepares:
            call = self._marked_call(marked.entry, names, marks, key)
            if call is None:
                return None
        compared = {name: _Marked(getattr(texts, name), names) for name in _COMPARED}
        with_skeletons = set(self._names_of_payment & values.keys())
        for text in (compared[name] for name in _OF_SKELETONS):
            with_skeletons.update(text.names)
        return _Template(
            arguments=arguments,
            texts=compared,
            with_skeletons=with_skeletons,
            due_date=texts.due_date,
            content=_Marked(marked.content, names),
            stored=_Marked(stored, names),
            currency=marked.price[1],
            call=call,
            shares_reference=row.shares_reference,
        )

    def _marked_call(
        self,
        entry: RowEntry,
        names: Mapping[str, str],
        marks: Mapping[str, str],
        key: str,
    ) -> _MarkedCall | None:
        """Return an entry with marks; None: it needs more than a row has in its own cells."""
        values = entry.values()
        text = self._vault.opened(entry.call)
        content = json.loads(text)["content"]
        own = self._vault.fingerprint(marks.get(self._kind.reference, ""))
        has_known = entry.reference in (own, self._vault.fingerprint(key))
        is_simple = has_known and not values["references"]
        if not is_simple or self._vault.opened(values["look_up_by"]) != "{}":
            return None
        return _MarkedCall(
            text=_Marked(json.dumps(text), {**names, key: _KEY, content: _CONTENT}),
            content=_Marked(base64.b64decode(content).decode(), {**names, key: _KEY}),
            others=entry.others,
            has_own_reference=entry.reference == own,
        )

    def _mark_of(self, name: str) -> str:
        """Return a plain value of a column that no other cell has."""
        # The skeleton of each mark is itself.
        number = secrets.randbelow(10**6)
        if self._kind.columns.get(name) is AMOUNT:
            return f"{1_000_000 + number}.1{number % 9 + 1}"
        return f"m{secrets.token_hex(4)}x"

    def _is_right(self, template: _Template, record: FileRecord, values: Mapping[str, str]) -> bool:
        """Whether a template makes of a record what the checks make of it."""
        made, checked = self._filled(template, record, values), self._check(record)
        if (made.content, made.price) != (checked.content, checked.price):
            return False
        entry = checked.entry if self._prepares else None
        return self._opened(made.row, made.entry) == self._opened(checked.row, entry)

    def _opened(self, row: SourceRow, entry: RowEntry | None) -> list[object]:
        """Return all that a row and its entry have, decrypted."""
        values: dict[str, Any] = {}
        if entry is not None:
            values = {**entry.values(), "had_by": None}
        opened = {name: self._vault.opened(values[name]) for name in _SEALED if name in values}
        asked = row.asked
        content = None if asked.row is None else self._vault.opened(asked.row)
        return [row._replace(asked=asked._replace(row=None)), content, {**values, **opened}]

    def _filled(
        self, template: _Template, record: FileRecord, values: Mapping[str, str]
    ) -> PlainRow:
        """Return the row that a template makes of a record."""
        kind, vault = self._kind, self._vault
        key = kind.key_of({**template.arguments, **values}, self._origin.kind, values[self._column])
        assert key is not None  # a plain value is a fact
        skeletons = {name: self._skeleton_of(values[name]) for name in template.with_skeletons}
        spelled = {**values}
        for name in self._names_of_payment & values.keys():
            spelled[name] = skeletons[name]
        texts = template.texts
        compared = ComparedTexts(
            values=texts["values"].filled(spelled),
            bare=texts["bare"].filled(skeletons),
            skeleton=texts["skeleton"].filled(skeletons),
            reference=texts["reference"].filled(values),
            party=texts["party"].filled(skeletons),
            due_date=template.due_date,
        )
        number = record.number
        stored = template.stored.filled(values).replace("[", f"[{number},", 1)
        asked = digested(
            vault, compared, number=number, key=key, row=vault.sealed_json(stored), is_valid=True
        )
        amount = values[_AMOUNT]
        row = SourceRow(
            asked,
            record.line,
            shares_reference=template.shares_reference,
            price=f"{amount} {template.currency}",
        )
        entry = None if template.call is None else self._entry(template.call, key, values)
        content = template.content.filled(values)
        return PlainRow(row, entry, content, (Decimal(amount), template.currency))

    def _entry(self, call: _MarkedCall, key: str, cells: Mapping[str, str]) -> RowEntry:
        """Return the entry that sends a row."""
        own = {**cells, _KEY: key}
        content = base64.b64encode(call.content.filled(own).encode("ascii")).decode("ascii")
        text = call.text.filled({**own, _CONTENT: content})
        reference = cells[self._kind.reference] if call.has_own_reference else key
        return RowEntry(
            key,
            reference=self._vault.fingerprint(reference),
            call=self._vault.sealed_json(text),
            others=call.others,
        )


def _with_cells(record: FileRecord, cells: Mapping[str, str]) -> FileRecord:
    return replace(record, fields={**record.fields, **cells})
