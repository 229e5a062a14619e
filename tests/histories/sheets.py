"""Two people with one state, who send sheets, and correct, cut, respell, copy and drop them, while
calls fail, senders are killed and the state is put back from backups.

The judge keeps its own book of what each sheet asked: it knows a payer by a name that no program
respells, and reads nothing of how bulk sending joins sheets and payments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from tests.histories.batches import Batches, invoice
from tests.histories.provider import Work
from tests.histories.settling import AT_ONCE, Workers
from victor_ext.bulk.check import ControlTotals
from victor_ext.bulk.loading import AnotherList, Loading, want_nothing
from victor_ext.bulk.results import results_of
from victor_ext.bulk.run import BatchStatus, status_of
from victor_ext.bulk.state import hold_state, release_state
from victor_ext.settlement.key_age import LAST_CALLS

SPELLINGS = (
    "{}",
    "{}.0",
    "0{}",
    "Nov {}",
    "{{{}}}",
    "x{}x",
)
"""What programs make of a key: some of it no rule about spellings knows."""
ACTS = ("send", "send", "amount", "cut", "respell", "add", "resume", "resume", "drop")
WITH_BACKUPS = ("send", "send", "amount", "cut", "add", "resume", "backup", "restore")

Sheet = dict[int, tuple[str, str]]
"""What a sheet asks of each payer: the key of its row, and the amount."""


class Sheets(Batches):
    """Two batches that share payers, and a third one that begins as a copy of the first."""

    settled = frozenset({"created", "rejected", "refused", "unknown", "waiting", "to_decide"})
    key_column = None

    def __init__(self, plan: int, has_backups: bool, at_once: int, **workers: Any) -> None:
        Workers.__init__(self, **workers)
        self._begin(can_be_lost=False, at_once=at_once)
        self.dice, self.has_backups = Random(plan), has_backups
        today = datetime.fromtimestamp(self.world.provider.clock(), UTC).date()
        self.due = str(today + timedelta(days=1))
        payers = {"a": (1, 2, 3, 4, 11, 12), "b": (3, 4, 5, 13, 14), "c": (1, 2, 15, 16)}
        self.wanted: dict[str, Sheet] = {
            batch: {payer: (f"{payer}00", f"{10 + payer}.00") for payer in of_batch}
            for batch, of_batch in payers.items()
        }
        """The sheets as people have them open: each has payers of its own, too."""
        self.sent: dict[str, list[Sheet]] = {}
        """The latest sheets that were sent: two, if it is not known which of them was stored."""
        self.backup: tuple[Any, dict[str, list[Sheet]]] | None = None
        self.is_restored = False
        self.begun, self.under_way = Counter[str](), Counter[str]()
        """How many sheets of a batch were begun to be sent, and are under way: also of who was
        killed.
        """

        with self.world.clocks():
            for batch in ("a", "b"):
                self._store_sheet(batch)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        workers = Workers.draw(dice) | {"accounts": "AA", "is_beside_others": False}
        if dice.random() < 0.8:  # a clock that is years ahead lets nothing be asked
            workers["ahead"] = (0.0, 0.0)
        return {
            "plan": dice.randrange(10**9),
            "has_backups": dice.random() < 0.25,
            "at_once": dice.choice(AT_ONCE),
            **workers,
        }

    def start(self, number: int, choice: int) -> None:
        """A person does something."""
        what = self.dice.choice(WITH_BACKUPS if self.has_backups else ACTS)
        batch = self.dice.choice([*self.wanted])
        process = self.processes[number]
        if what == "backup":
            self.backup = self.state.rows(), {name: [*each] for name, each in self.sent.items()}
        elif what == "restore":
            others = (each for each in self.processes if each is not process)
            if self.backup is not None and all(each.is_idle for each in others):
                process.at_once(self._restore)
        elif what == "drop":
            process.start(partial(self._drop, batch))
        elif what == "resume":
            process.start(partial(self._resume, number, batch))
        else:
            self._edit(what, batch)
            process.start(partial(self._send_sheet, number, batch))

    def _edit(self, what: str, batch: str) -> None:
        """Change a sheet, as a person or a program does."""
        sheet = self.wanted[batch]
        payer = self.dice.choice([*sheet]) if sheet else 0
        if what == "add" or not sheet:
            payer = self.dice.randrange(1, 9)
            sheet.setdefault(payer, (f"{payer}00", f"{10 + payer}.00"))
        elif what == "amount":
            sheet[payer] = (sheet[payer][0], f"{self.dice.randrange(10, 99)}.00")
        elif what == "cut" and len(sheet) > 1:
            del sheet[payer]
        elif what == "respell" and self._can_be_told(batch, payer):
            spelling = self.dice.choice(SPELLINGS)
            sheet[payer] = (spelling.format(f"{payer}00"), sheet[payer][1])

    def _can_be_told(self, batch: str, payer: int) -> bool:
        """Whether a rule can tell that a row of a payer is respelled: the sheet before has it. No
        rule tells that two batches ask a payer for other amounts by other keys.
        """
        sent = self.sent.get(batch, [])
        others = [sheet for name, sheet in self.wanted.items() if name != batch]
        is_shared = any(payer in sheet for sheet in others)
        return not self.under_way[batch] and bool(sent) and payer in sent[0] and not is_shared

    def _send_sheet(self, number: int, batch: str) -> None:
        """Send a sheet, and make a pass."""
        self._store_sheet(batch)
        self._resume(number, batch)

    def _store_sheet(self, batch: str) -> None:
        """Store a sheet as it is now, unless it may be another list."""
        sheet = dict(self.wanted[batch])
        rows = [
            invoice(0, 0)
            | {
                "client_reference_id": key,
                "payer_counterparty_id": f"payer-{payer}",
                "amount": amount,
                "due_date": self.due,
            }
            for payer, (key, amount) in sheet.items()
        ]
        for row in rows:
            del row["invoice_no"]
        loading = Loading(rows, batch, self.context(), ControlTotals(), is_named=True)
        try:
            with closing(loading):
                loading.read()
                with self._sending(batch, sheet), self.context().open_present(batch) as store:
                    loading.store(store)
        except AnotherList:
            return
        self._note(batch)

    @contextmanager
    def _sending(self, batch: str, sheet: Sheet) -> Iterator[None]:
        """Note a sheet, which may be stored. Which is the latest one is known where no other one
        was sent meanwhile, and nobody was killed.
        """
        before = self.sent.get(batch, [])
        self.sent[batch] = [*before, sheet]
        self.under_way[batch] += 1
        self.begun[batch] += 1
        begun, were_others = self.begun[batch], self.under_way[batch] > 1
        try:
            yield
        except AnotherList:
            self.sent[batch].remove(sheet)
            self.under_way[batch] -= 1
            raise
        self.under_way[batch] -= 1
        if self.begun[batch] == begun and not were_others:
            self.sent[batch] = [sheet]

    def _note(self, batch: str) -> None:
        if batch not in self.batches:
            self.batches.append(batch)

    def _is_stored(self, batch: str) -> bool:
        return self.store(batch).record() is not None

    def _resume(self, number: int, batch: str) -> None:
        if self._is_stored(batch):
            self._note(batch)
            self._send(number, batch)

    def _drop(self, batch: str) -> None:
        record = self.store(batch).record()
        if record is None:
            return
        with self._sending(batch, {}):
            want_nothing(self.context(), self.store(batch), record)

    def _restore(self) -> None:
        """Put the state back, as it was when the backup was made, and hold and release it."""
        assert self.backup is not None
        stored, sent = self.backup
        self.world.now += LAST_CALLS
        self.state.put_back(stored)
        self.sent = {name: [*each] for name, each in sent.items()}
        self.batches = [batch for batch in self.batches if self._is_stored(batch)]
        self.is_restored = True
        with self.store("a").transaction() as connection:
            hold_state(connection)
        with self.store("a").transaction() as connection:
            release_state(connection)

    def end(self) -> None:
        self.batches = [batch for batch in self.wanted if self._is_stored(batch)]
        super().end()

    # What was done and told

    def statuses(self) -> Iterator[BatchStatus]:
        kind = self.kind_of(self.clients[0])
        for batch in self.batches:
            yield status_of(self.store(batch), kind)

    def words(self) -> Iterator[str]:
        for status in self.statuses():
            yield from Counter({str(word): number for word, number in status.counts.items()})

    def judge(self) -> Iterator[str]:
        by_payer: dict[str, list[Work]] = {}
        for work in self.world.provider.done:
            by_payer.setdefault(work.values["payer.victor_counterparty_id"], []).append(work)
        for payer, works in by_payer.items():
            if len(works) > 1:
                keys = [(work.reference, work.values["payment_details.amount"]) for work in works]
                yield f"asked twice: {payer} by {keys}"
        for status in self.statuses():
            sheets = self.sent.get(status.batch, [])
            if status.exit_status == 0 and not any(
                self._is_done(sheet, by_payer) for sheet in sheets
            ):
                yield f"told wrong: {status} of {sheets}"
        if not self.is_restored:
            yield from self._judge_reports()

    def _is_done(self, sheet: Sheet, by_payer: dict[str, list[Work]]) -> bool:
        """Whether all of a sheet was made as it asks, and nothing else of its payers."""
        return all(
            [
                (work.reference, work.values["payment_details.amount"])
                for work in by_payer.get(f"payer-{payer}", [])
            ]
            == [asked]
            for payer, asked in sheet.items()
        )

    def _judge_reports(self) -> Iterator[str]:
        """A payment that was made is in the export of a batch."""
        kind = self.kind_of(self.clients[0])
        exported = {
            result.key for batch in self.batches for result in results_of(self.store(batch), kind)
        }
        for work in self.world.provider.done:
            if work.fact not in exported:
                yield f"lost: no report has {work}"
