"""People and spreadsheets against `sheet_rule`: `python -m prototype.histories 20000`.

The truth is the invoice, which no program changes. A program respells a sheet: by a trick that `skeleton_of` knows,
by one that nobody knows, or with the payer, too. Whoever is refused corrects the sheet as the sentence says.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from random import Random

from prototype.sheet_rule import MAY_EXIST, Payment, Row, SheetRefused, State, send


@dataclass(frozen=True)
class Line:
    """A row of a sheet, and the invoice that it is for."""

    invoice: int
    row: Row


def respelled(line: Line, trick: str) -> Line:
    row = line.row
    if trick == "known":
        return replace(line, row=replace(row, key=row.key.lower()))
    if trick == "unknown":
        return replace(line, row=replace(row, key=f"Z{row.key[::-1]}"))
    return replace(line, row=replace(row, key=f"Y{row.key[::-1]}", payer=f"{row.payer}x"))


class History:
    """One company: its sheets by name, the state, and what the provider has made."""

    def __init__(self, seed: int, rule: bool = True) -> None:
        self.dice = Random(seed)
        self.payments: dict[str, Payment] = {}
        self.sheets: dict[str, list[Line]] = {}
        self.made = Counter[int]()
        self.told = Counter[str]()
        self.invoices = 0
        self.invoice_of: dict[str, int] = {}
        self.rule = rule

    def new_lines(self, count: int) -> list[Line]:
        lines = []
        for _ in range(count):
            self.invoices += 1
            number = self.invoices
            row = Row(f"INV-0{number}", f"payer{self.dice.randrange(6)}", f"{self.dice.randrange(1, 4)}0.00", f"d{number // 9}")
            lines.append(Line(number, row))
        return lines

    def step(self) -> None:
        dice = self.dice
        names = sorted(self.sheets)
        kind = dice.choice(["new", "again", "corrected", "deleted", "added", "respelled", "copy", "copy respelled"])
        if kind == "new" or not names:
            self.post(f"sheet{len(names)}", self.new_lines(dice.randint(1, 6)))
            return
        name = dice.choice(names)
        lines = [*self.sheets[name]]
        if kind == "corrected":
            place = dice.randrange(len(lines))
            lines[place] = replace(lines[place], row=replace(lines[place].row, amount="99.00"))
        elif kind == "deleted" and len(lines) > 1:
            del lines[dice.randrange(len(lines))]
        elif kind == "added":
            lines += self.new_lines(dice.randint(1, 3))
        elif "respelled" in kind:
            trick = dice.choice(["known", "unknown", "unknown with payer"])
            some = dice.random() < 0.5
            lines = [line if some and dice.random() < 0.6 else respelled(line, trick) for line in lines]
            if trick == "unknown with payer" and kind == "copy respelled":
                self.told["copies that no rule can know"] += 1
                return  # key and payer rewritten, under another name: documented, today too
            if dice.random() < 0.4:
                lines += self.new_lines(1)
        self.post(f"{name} copy" if "copy" in kind else name, lines)

    def post(self, name: str, lines: list[Line]) -> None:
        """Send a sheet; whoever is refused puts back what was asked, as it was written, or names the sheet."""
        rows = [line.row for line in lines]
        if any(self.invoice_of.get(line.row.key, line.invoice) != line.invoice for line in lines):
            return
        if len({row.key for row in rows}) < len(rows):
            return  # two rows with one key are refused by the check
        try:
            if self.rule:
                send(rows, name, self.payments)
            else:
                self.send_without_rule(rows, name)
        except SheetRefused as refusal:
            self.told["refused: " + ("lacks" if "lacks" in str(refusal) else "spelling" if "spelling" in str(refusal) else "copy")] += 1
            asked = {key: each for key, each in self.payments.items() if each.state in MAY_EXIST}
            keys = {self.invoice_of[key]: key for key in sorted(asked, key=lambda key: asked[key].batch == name)}
            lines = [replace(line, row=replace(line.row, key=keys.get(line.invoice, line.row.key))) for line in lines]
            present = {line.row.key for line in lines}
            lines += [Line(self.invoice_of[key], each.row) for key, each in asked.items() if each.batch == name and key not in present]
            rows = [line.row for line in lines]
            try:
                send(rows, name, self.payments)
            except SheetRefused:
                self.told["person says that they are others"] += 1
                send(rows, name, self.payments, are_others=True)
        self.note_twice(name, lines)
        self.sheets[name] = lines
        self.invoice_of.update({line.row.key: line.invoice for line in lines})
        for key, payment in [*self.payments.items()]:
            if payment.state is State.WAITING and self.dice.random() < 0.8:
                state = self.dice.choice([State.CREATED, State.CREATED, State.UNKNOWN, State.REJECTED])
                self.payments[key] = replace(payment, state=state)
                if state is not State.REJECTED:
                    self.made[self.invoice_of[key]] += 1

    def note_twice(self, name: str, lines: list[Line]) -> None:
        """Say how a row came to be asked that a payment was asked for before."""
        for line in lines:
            others = [each for key, each in self.payments.items() if key != line.row.key and each.state in MAY_EXIST and self.invoice_of[key] == line.invoice]
            own = self.payments.get(line.row.key)
            if others and own is not None and own.state is State.WAITING:
                same = any(each.row.likeness == line.row.likeness for each in others)
                where = "in its batch" if any(each.batch == name for each in others) else "in a copy"
                self.told[f"TWICE {where}, {'equal values' if same else 'other values'}"] += 1

    def send_without_rule(self, rows: list[Row], name: str) -> None:
        for row in rows:
            if row.key not in self.payments:
                self.payments[row.key] = Payment(row, name)

    def faults(self) -> tuple[int, int]:
        """How many invoices were asked for twice; and how many payments no latest sheet of their batch has."""
        twice = sum(count > 1 for count in self.made.values())
        hidden = 0
        for key, payment in self.payments.items():
            listed = {line.row.key for line in self.sheets.get(payment.batch, [])}
            hidden += payment.state in MAY_EXIST and key not in listed
        return twice, hidden


def main(count: int) -> None:
    for rule in (True, False):
        twice = hidden = 0
        told = Counter[str]()
        for seed in range(count):
            history = History(seed, rule)
            for _ in range(8):
                history.step()
            faults = history.faults()
            twice += faults[0]
            hidden += faults[1]
            told += history.told
        print("with the rule:" if rule else "without:", "asked twice", twice, "hidden", hidden, dict(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))
