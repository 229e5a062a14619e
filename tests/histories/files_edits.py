"""What people and spreadsheets do to a file of invoices between two commands.

No row is corrected and its key respelled in one step: a person has to decide about such a row.
`can` asks the oracle for what a row has been until now.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from tests.histories.files_bulk import FileRow
from tests.histories.files_oracle import Truth
from tests.histories.files_provider import PAYER, WRONG_PAYER

DAMAGES = ("zeros", "float", "case", "wide", "blanks")
WIDE = {f"{digit}": chr(ord("０") + digit) for digit in range(10)}  # noqa: RUF001 - meant so
NO_KEYS = ("#N/A", "#REF!", "#VALUE!")


def damaged(key: str, damage: str) -> str:
    """A key as a spreadsheet saves it."""
    if damage == "zeros":
        return key.lstrip("0")
    if damage == "float":
        return f"{key.lstrip('0')}.0" if key.isdecimal() else key
    if damage == "case":
        return key.lower()
    if damage == "wide":
        return "".join(WIDE.get(each, each) for each in key)
    return f" {key} "


def a_month_later(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=day.day)


@dataclass
class Desk:
    """The file that lies before the operators: its name, its rows, and the kind of its keys."""

    truth: Truth
    form: str
    """How a key is made of the number of an invoice."""
    first_day: date
    is_monthly: bool
    is_restored: bool
    """Whether its history has a restore: no reference changes then, as a look-up is by it."""
    rows: list[FileRow] = field(default_factory=list[FileRow])
    name: str = "invoices.csv"
    key_kind: str = "invoice"
    names: int = 1
    next_number: int = 11
    other_part: list[FileRow] = field(default_factory=list[FileRow])
    old: list[list[FileRow]] = field(default_factory=list[list[FileRow]])
    """The rows of the files of this month that were sent before."""
    renumbered: set[int] = field(default_factory=set[int])
    """The invoices that were given another number: they are due when they were."""

    def edit(self, what: str, place: int, damage: str) -> None:
        getattr(self, f"_{what.replace(' ', '_')}")(place % len(self.rows), damage)

    def add(self) -> None:
        """Another invoice, that is due with the others."""
        number = self.next_number
        self.next_number += 1
        payer, amount, reference = f"{PAYER}{number}", f"{number}.20", f"REF-{number}"
        due = self.rows[0].due if self.rows else self.first_day
        row = FileRow(number, self.form.format(number), payer, amount, due, reference)
        self.rows.append(self._in_month(row))

    def has_one_key(self, row: FileRow) -> bool:
        return self.truth.has_one_key(row, self.key_kind)

    def has_one_kind(self, row: FileRow) -> bool:
        return self.truth.has_one_kind(row, self.key_kind)

    # Edits

    def _same(self, *_: Any) -> None:
        """Nobody edits it."""

    def _add(self, *_: Any) -> None:
        self.add()

    def _reorder(self, *_: Any) -> None:
        self.rows.reverse()

    def _amount(self, place: int, _damage: str) -> None:
        row = self.rows[place]
        if self.has_one_key(row):
            self.rows[place] = replace(row, amount=f"{row.number}.{30 + place}")

    def _reference(self, place: int, _damage: str) -> None:
        row = self.rows[place]
        if self.has_one_key(row) and not self.is_restored:
            self.rows[place] = replace(row, reference=f"{row.reference}-{place}")

    def _renumber(self, place: int, _damage: str) -> None:
        row = self.rows[place]
        if self.has_one_key(row) and self.truth.has_one_value(row) and self.truth.has_one_day(row):
            self.rows[place] = replace(row, key=f"B-{row.key}")
            self.renumbered.add(row.number)

    def _due(self, place: int, _damage: str) -> None:
        row = self.rows[place]
        if self.has_one_kind(row) and row.number not in self.renumbered:
            self.rows[place] = replace(row, due=row.due + timedelta(days=1 + place % 3))

    def _remove(self, place: int, _damage: str) -> None:
        if len(self.rows) > 1:
            del self.rows[place]

    def _cut(self, _place: int, _damage: str) -> None:
        if len(self.rows) > 1:
            self.rows, self.other_part = self.rows[:1], self.rows[1:]
            self._rename()

    def _merge(self, _place: int, _damage: str) -> None:
        mine = {self.truth.fact(row) for row in self.rows}
        self.rows += [row for row in self.other_part if self.truth.fact(row) not in mine]
        self.other_part = []
        self._rename()

    def _resave(self, _place: int, damage: str) -> None:
        self.rows = [self.resaved(row, damage) for row in self.rows]

    def resaved(self, row: FileRow, damage: str) -> FileRow:
        return replace(row, key=damaged(row.key, damage)) if self.truth.has_one_value(row) else row

    def _correct_the_rejected(self, _place: int, _damage: str) -> None:
        for place, row in enumerate(self.rows):
            if self.has_one_key(row):
                self.rows[place] = replace(row, payer=row.payer.replace(WRONG_PAYER, PAYER))

    def _old(self, place: int, _damage: str) -> None:
        """Somebody takes a file of before: what it asked then is what it asks now."""
        if self.old:
            self.rows = list(self.old[place % len(self.old)])

    def _rename(self, *_: Any) -> None:
        self.names += 1
        month = f"{self.key_kind}-" if self.key_kind != "invoice" else ""
        self.name = f"{month}invoices ({self.names}).csv"

    def _in_month(self, row: FileRow) -> FileRow:
        """A row whose reference names its month, where that is another payment."""
        return replace(row, reference=f"REF-{row.number}-{row.due:%m}") if self.is_monthly else row

    def kind_of_month(self) -> str:
        return f"subscription-{self.rows[0].due:%Y-%m}"

    def _next_month(self, _place: int, _damage: str) -> None:
        is_known = not self.renumbered and all(map(self.has_one_kind, self.rows))
        if not self.is_monthly and not is_known:
            return
        later = [replace(row, due=a_month_later(row.due)) for row in self.rows]
        self.rows = [self._in_month(row) for row in later]
        self.other_part, self.old = [], []
        if self.is_monthly:
            self.key_kind = self.kind_of_month()
        self._rename()

    # What is wrong with the file once

    def once(self, slip: str, place: int, damage: str) -> tuple[list[FileRow], list[FileRow], str]:
        """The rows as they are sent this once, those of them that ask for something, and their
        kind.
        """
        rows, place = list(self.rows), place % len(self.rows)
        row = rows[place]
        if slip == "no key":
            broken = replace(row, key=NO_KEYS[place % len(NO_KEYS)])
            without = [each for each in rows if each is not row]
            return [broken if each is row else each for each in rows], without, self.key_kind
        if slip == "twice" and self.truth.has_one_value(row):
            rows.append(self.resaved(row, damage))
        is_known = all(self.has_one_kind(each) and self.truth.has_one_day(each) for each in rows)
        if slip == "other kind" and is_known and self._have_one_value(rows):
            other = "invoice" if self.key_kind != "invoice" else self.kind_of_month()
            return rows, rows, other
        return rows, rows, self.key_kind

    def _have_one_value(self, rows: list[FileRow]) -> bool:
        return all(map(self.truth.has_one_value, rows))
