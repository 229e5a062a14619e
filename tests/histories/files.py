"""Files that operators send on ordinary bad days: renamed, corrected, cut, merged, re-saved by a
spreadsheet, of the next month, by two operators; with lost responses, restores and rotated keys.

No row is corrected and its key respelled in one step: nothing but a person can tell such a row from
another invoice.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.histories.bulk_surface import (
    HAS_PAYMENTS_TABLE,
    OTHER_STORAGE_KEY,
    STORAGE_KEY,
    FileRow,
    RealBulk,
    Report,
    Surface,
    Terms,
)
from tests.histories.files_oracle import PAYER, WRONG_PAYER, FilesNetwork, Ledger, Truth
from tests.histories.provider import Rules
from tests.histories.reference_bulk import ReferenceBulk

EDITS = (
    ("same", 4), ("rename", 4), ("amount", 3), ("due", 2), ("add", 3), ("remove", 3), ("cut", 2),
    ("merge", 2), ("resave", 4), ("next month", 2), ("correct the rejected", 3),
)  # fmt: skip
COMMANDS = (
    ("send", 12), ("resume", 4), ("drop", 1), ("ask again", 3), ("decline", 2), ("resolve", 1),
    ("restore", 2), ("rotate", 1), ("rekey", 1), ("forget", 1),
)  # fmt: skip
DAMAGES = ("zeros", "float", "case", "wide", "blanks")
KINDS_OF_KEYS = ("00{}", "{}", "INV-{}")
DATABASES: dict[str, str] = {}
"""The URL of the `state` of each next history, if it is not a file."""
ROUNDS = 5
"""How often the last file is sent at the end, until nothing is left."""


def damaged(key: str, damage: str) -> str:
    """A key as a spreadsheet saves it."""
    if damage == "zeros":
        return key.lstrip("0")
    if damage == "float":
        return f"{key.lstrip('0')}.0" if key.isdecimal() else key
    if damage == "case":
        return key.lower()
    if damage == "wide":
        return "".join(chr(ord(each) + 0xFEE0) if each.isdecimal() else each for each in key)
    return f" {key} "


def a_month_later(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=day.day)


@dataclass(frozen=True)
class Move:
    """What an operator does, or what happens."""

    what: str
    edit: str = ""
    place: int = 0
    share: float = 0.0
    is_down: bool = False
    account: str = "A"
    damage: str = ""
    second: str = ""
    """What a second operator sends meanwhile: the same file, renamed or corrected."""


def draw_move(dice: Random) -> Move:
    what = dice.choices(*zip(*COMMANDS, strict=True))[0]
    return Move(
        what,
        edit=dice.choices(*zip(*EDITS, strict=True))[0],
        place=dice.randrange(12),
        share=dice.choice([0.0, 0.0, 0.0, 0.4, 0.8]),
        is_down=dice.random() < 0.08,
        account=dice.choice("AAAAAAAB"),
        damage=dice.choice(DAMAGES),
        second=dice.choice(["", "", "", "", "same", "renamed", "amount"]),
    )


class Files:
    """Operators who send files of a few invoices."""

    def __init__(
        self, moves: list[Move], form: str, rules: Rules, is_monthly: bool, seed: int
    ) -> None:
        self.moves, self.form, self.is_monthly = moves, form, is_monthly
        self.ledger = Ledger(rules)
        self.network = FilesNetwork(self.ledger, Random(seed))
        self.truth = Truth(self.ledger, is_monthly)
        self.network.truth = self.truth
        self.truth.has_notices = HAS_PAYMENTS_TABLE
        self.surface: Surface
        self.is_reference = False
        # A due date may be a day ahead at most, and the next month's is later.
        self.first_day = date(datetime.now(UTC).year - 1, 3, 10)
        self.rows = [self._row(number) for number in (11, 12, 13)]
        if Random(seed).random() < 0.4:
            self.rows[1] = replace(self.rows[1], payer=f"{WRONG_PAYER}12")
        self.name, self.names, self.next_number = "invoices.csv", 1, 14
        self.other_part: list[FileRow] = []
        self.terms = Terms(account="A")
        self.backup: Any = None
        self.known_to_backup = self.truth.known()
        self.stale: set[str] = set()

    @classmethod
    def draw(cls, dice: Random, *, most: int = 4) -> dict[str, Any]:
        first = replace(draw_move(dice), what="send", edit="same", account="A")
        moves = [draw_move(dice) for _ in range(dice.randrange(1, most + 1))]
        # After a restore nobody can know what another account has made of a new row.
        if any(move.what == "restore" for move in moves):
            moves = [replace(move, account="A") for move in moves]
        rules = Rules(conflict=dice.choice(["replay", "409", "bare 409"]))
        return {
            "moves": [first, *moves],
            "form": dice.choice(KINDS_OF_KEYS),
            "rules": rules,
            "is_monthly": dice.random() < 0.5,
            "seed": dice.randrange(10**6),
        }

    def _row(self, number: int) -> FileRow:
        key = self.form.format(number)
        payer, amount, reference = f"{PAYER}{number}", f"{number}.20", f"REF-{number}"
        return FileRow(number, key, payer, amount, self.first_day, reference)

    # The history

    def play(self) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            if not self.is_reference:
                self.surface = RealBulk(Path(folder), self.network, DATABASES.get("state", ""))
            for move in self.moves:
                self._let_happen(move)
            self._end()
        return self.truth.wrong

    def _let_happen(self, move: Move) -> None:
        self.network.share, self.network.is_down = move.share, move.is_down
        getattr(self, f"_{move.what.replace(' ', '_')}")(move)
        self.network.share, self.network.is_down = 0.0, False

    def _end(self) -> None:
        """People go on until all is done; what is still unknown they look up themselves."""
        report = Report(0)
        for _ in range(ROUNDS):
            report = self._send_file(self.name, self.rows, self.terms)
            if report.is_refusal:
                self._do_as_a_refusal_says(report)
                continue
            if report.exit_status in (0, 1):
                break
            self._resolve(Move("resolve"))
        self.truth.lost(self.rows, report)

    def _do_as_a_refusal_says(self, report: Report) -> None:
        """A file is refused as a whole for blanks in its keys, for the account of its batch, or for
        another batch with its rows, which is to go on.
        """
        self.rows = [replace(row, key=row.key.strip()) for row in self.rows]
        if report.is_of_another_account:
            self.terms = replace(self.terms, account="B" if self.terms.account == "A" else "A")
        if report.other_batch:
            name = report.other_batch
            rows = self.truth.may_resume(name)
            self._command("resume", lambda: self.surface.resume(self.terms, name), rows)

    # Files

    def _edit(self, move: Move) -> None:
        place = move.place % len(self.rows)
        row = self.rows[place]
        if move.edit == "rename":
            self._rename()
        elif move.edit == "amount" and self.truth.has_one_key(row):
            self.rows[place] = replace(row, amount=f"{row.number}.{30 + move.place}")
        elif move.edit == "due":
            self.rows[place] = replace(row, due=row.due + timedelta(days=1 + move.place % 3))
        elif move.edit == "add":
            new = self._row(self.next_number)
            self.rows.append(self._in_month(replace(new, due=row.due)))
            self.next_number += 1
        elif move.edit == "remove" and len(self.rows) > 1:
            del self.rows[place]
        elif move.edit == "cut" and len(self.rows) > 1:
            self.rows, self.other_part = self.rows[:1], self.rows[1:]
            self._rename()
        elif move.edit == "merge":
            mine = {self.truth.fact(each) for each in self.rows}
            self.rows += [each for each in self.other_part if self.truth.fact(each) not in mine]
            self.other_part = []
            self._rename()
        elif move.edit == "resave":
            self.rows = [self._resaved(each, move.damage) for each in self.rows]
        elif move.edit == "next month":
            self._next_month()
        elif move.edit == "correct the rejected":
            self.rows = [self._corrected(each) for each in self.rows]

    def _resaved(self, row: FileRow, damage: str) -> FileRow:
        return replace(row, key=damaged(row.key, damage)) if self.truth.has_one_value(row) else row

    def _corrected(self, row: FileRow) -> FileRow:
        if not self.truth.has_one_key(row):
            return row
        return replace(row, payer=row.payer.replace(WRONG_PAYER, PAYER))

    def _rename(self) -> None:
        self.names += 1
        month = f"{self.terms.key_kind}-" if self.terms.key_kind != "invoice" else ""
        self.name = f"{month}invoices ({self.names}).csv"

    def _in_month(self, row: FileRow) -> FileRow:
        """A row whose reference names its month, where that is another payment."""
        return replace(row, reference=f"REF-{row.number}-{row.due:%m}") if self.is_monthly else row

    def _next_month(self) -> None:
        later = [replace(each, due=a_month_later(each.due)) for each in self.rows]
        self.rows = [self._in_month(each) for each in later]
        self.other_part = []
        if self.is_monthly:
            kind = f"subscription-{self.rows[0].due:%Y-%m}"
            self.terms = replace(self.terms, key_kind=kind)
        self._rename()

    # Moves

    def _send(self, move: Move) -> None:
        self._edit(move)
        terms = replace(self.terms, account=move.account)
        if not move.second:
            self._send_file(self.name, list(self.rows), terms)
            return
        name = f"copy of {self.name}" if move.second == "renamed" else self.name
        rows = list(self.rows)
        if move.second == "amount" and self.truth.has_one_key(rows[0]):
            rows[0] = replace(rows[0], amount=f"{rows[0].number}.90")

        def of_the_second() -> None:
            self._send_file(name, rows, terms, why="second operator")

        with self.surface.between(of_the_second):
            self._send_file(self.name, list(self.rows), terms)

    def _send_file(self, name: str, rows: list[FileRow], terms: Terms, why: str = "send") -> Report:
        if self.backup is None and self.truth.latest:
            self.backup, self.known_to_backup = self.surface.copy(), self.truth.known()
        with self.truth.command(why, rows):
            report = self.surface.send(terms, name, rows)
        self.truth.accepted(name, rows, report)
        self.truth.told(why, rows, report)
        # With other credentials an export may say nothing of another account's rows.
        self.truth.exported(why, self.surface.export(terms, name), rows)
        if not report.is_refusal:
            self.stale.discard(name)
        return report

    def _command(self, name: str, call: Callable[[], Report], rows: list[FileRow]) -> Report:
        with self.truth.command(name, rows):
            report = call()
        self.truth.exported(name, self.surface.export(self.terms, self.name), [])
        return report

    def _resume(self, move: Move) -> None:
        if self.name in self.stale:
            return
        rows = self.truth.may_resume(self.name)
        terms = replace(self.terms, account=move.account)
        report = self._command("resume", lambda: self.surface.resume(terms, self.name), rows)
        self.truth.told("resume", rows, report)

    def _drop(self, _move: Move) -> None:
        report = self._command("drop", lambda: self.surface.drop(self.terms, self.name), [])
        if not report.stopped:
            self.truth.dropped(self.name)

    def _ask_again(self, move: Move) -> None:
        over = [row for row in self.rows if self.truth.is_over(row)]
        choice = over or self.rows
        row = choice[move.place % len(choice)]
        self.truth.approve(row)
        rows, key = list(self.rows), row.key.strip()
        is_over = self.truth.is_over(row) and len(self.truth.made(self.truth.fact(row))) == 1
        report = self._command(
            "ask again", lambda: self.surface.ask_again(self.terms, self.name, rows, key), rows
        )
        self.truth.accepted(self.name, rows, report)
        if is_over and report.exit_status == 0 and not report.stopped:
            self.truth.owed_again.add(self.truth.fact(row))

    def _decline(self, move: Move) -> None:
        if self.ledger.done:
            self.ledger.declined.add(self.ledger.done[move.place % len(self.ledger.done)].id)

    def _resolve(self, _move: Move) -> None:
        """Operators read the provider, and say what is so."""
        for line in self.surface.export(self.terms, self.name):
            row = next((each for each in self.rows if each.number == line.number), None)
            if line.outcome in ("unknown", "accepted") and row is not None:
                key, works = row.key.strip(), self.ledger.of(line.key)
                if works and not self.truth.is_made(row):
                    continue
                if not works and self.truth.fact(row) in self.truth.rejected:
                    continue  # its key may be spent, and a person who says this does not know it
                outcome = "created" if works else "not-created"
                self.surface.resolve(self.terms, self.name, key, outcome)

    def _restore(self, _move: Move) -> None:
        """The state is one of the past; the order of a restore is kept."""
        if self.backup is None:
            return
        self.surface.restore(self.backup)
        self.truth.restored(self.known_to_backup)
        self.backup = None
        self.stale = set(self.truth.batches)
        self.surface.release(self.terms, self.name)
        self._send_file(self.name, list(self.rows), self.terms, why="send after a restore")

    def _rotate(self, _move: Move) -> None:
        """Send with another storage key, and see that it was the wrong one."""
        other = {STORAGE_KEY: OTHER_STORAGE_KEY, OTHER_STORAGE_KEY: STORAGE_KEY}
        terms = replace(self.terms, storage_key=other[self.terms.storage_key])
        has_state = bool(self.truth.batches)
        rows = list(self.rows)
        with self.truth.command("another storage key", rows):
            report = self.surface.send(terms, self.name, rows)
        if has_state and not report.is_refusal:
            self.truth.wrong.append("told wrong: another storage key does not stop a send")
            self.truth.accepted(self.name, rows, report)

    def _rekey(self, _move: Move) -> None:
        other = {STORAGE_KEY: OTHER_STORAGE_KEY, OTHER_STORAGE_KEY: STORAGE_KEY}
        new = other[self.terms.storage_key]
        report = self._command("rekey", lambda: self.surface.rekey(self.terms, self.name, new), [])
        if not report.stopped:
            self.terms = replace(self.terms, storage_key=new)
            self.backup = None

    def _forget(self, _move: Move) -> None:
        self._command("forget", lambda: self.surface.forget(self.terms, self.name), [])


class ReferenceFiles(Files):
    """The same histories on the sender in memory, with a mistake in it or none."""

    def __init__(self, mistake: str = "", **setup: Any) -> None:
        super().__init__(**setup)
        self.is_reference = True
        self.truth.has_notices = True
        self.surface = ReferenceBulk(self.network, mistake)
