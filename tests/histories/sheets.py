"""Two people with one state, who send sheets, and correct, cut, respell, copy and drop them, and
pay or withdraw payouts, while calls fail, senders are killed and the state is put back.

The judge keeps its own book of what each sheet asked (`sheet_book`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from tests.histories.batches import Batches, Pairs, Unchecked, invoice
from tests.histories.calls import MERCHANT
from tests.histories.provider import PAID_AFTER
from tests.histories.settling import AT_ONCE, SETTLE_FOR, Workers
from tests.histories.sheet_book import (
    SKELETON_KEPT,
    SKELETON_LOST,
    TWIN,
    Asked,
    Book,
    Sheet,
    asked_by,
    key_of,
    made_by,
    payer_of,
)
from victor_ext import ConfigurationError
from victor_ext._settlement.key_age import LAST_CALLS
from victor_ext.bulk._by_hand import ByHand
from victor_ext.bulk._check import ControlTotals
from victor_ext.bulk._loading import AnotherList, Loading, replaced_rows, want_nothing
from victor_ext.bulk._results import results_of
from victor_ext.bulk._row_kind import RowKind
from victor_ext.bulk._rows import RowOutcome
from victor_ext.bulk._run import BatchStatus, status_of
from victor_ext.bulk._state import hold_state, release_state
from victor_ext.bulk._steps import add_step, units_of
from victor_ext.bulk._store import Store

EDITS = ("amount", "cut", "add", "respell", "twin", "respell all", "copy")
ACTS = (*EDITS, "send", "resume", "resume", "drop")
WITH_BACKUPS = (
    *("send", "amount", "cut", "add", "resume", "drop", "backup", "backup"),
    *("restore", "restore", "release", "resolve"),
)
STEPS = ("pay", "pay", "pay", "pay", "instruct", "instruct also", "withdraw")
FAVOURITES = ("send", "respell", "respell", "twin", "respell all", "copy", "add", "cut")
"""What a history may have more of than of anything else."""
PERSONS = ("Ann", "Bob")
"""Who works with each process."""


class Sheets(Batches):
    """Batches that share payers: `c` begins as a copy of some rows of `a`, and `e` is made as a
    copy of another one under other keys. `d` has payers of its own alone.
    """

    settled = frozenset({"created", "rejected", "refused", "unknown", "waiting", "to_decide"})
    key_column = None

    def __init__(
        self,
        plan: int,
        system: str,
        favourite: str,
        has_backups: bool,
        needs_two: bool,
        at_once: int,
        **workers: Any,
    ) -> None:
        self.system = system
        Workers.__init__(self, **workers)
        self._begin(can_be_lost=False, at_once=at_once)
        self.dice, self.favourite = Random(plan), favourite
        self.has_backups, self.needs_two = has_backups, needs_two
        today = datetime.fromtimestamp(self.world.provider.clock(), UTC).date()
        self.due = str(today + timedelta(days=1))
        payers = {
            "a": (1, 2, 3, 4, 11, 12),
            "b": (3, 4, 5, 13, 14),
            "c": (1, 2, 15, 16),
            "d": (17, 18, 19),
        }
        self.payers = {batch: {*of_batch} for batch, of_batch in payers.items()}
        self.wanted: dict[str, Sheet] = {
            batch: {payer: (key_of(payer), f"{10 + payer}.00") for payer in of_batch}
            for batch, of_batch in payers.items()
        }
        """The sheets as people have them open: each has payers of its own, too."""
        self.last = "a"
        self.book = Book()
        self.backup: tuple[Any, Book] | None = None
        self.holds, self.is_held, self.is_restored = 0, False, False
        self.left_out: set[int] = set()
        """Payers of rows that a restored state lacks: they are left out of every sheet."""
        self.wrong: list[str] = []

        with self.world.clocks():
            for batch in ("a", "b"):
                self._store_sheet(0, batch)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        workers = Workers.draw(dice) | {"accounts": "AA", "is_beside_others": False}
        if dice.random() < 0.8:  # a clock that is years ahead lets nothing be asked
            workers["ahead"] = (0.0, 0.0)
        return {
            "plan": dice.randrange(10**9),
            "system": dice.choice(["victor", "victor", "velo"]),
            "favourite": dice.choice(FAVOURITES),
            "has_backups": dice.random() < 0.25,
            "needs_two": dice.random() < 0.25,
            "at_once": dice.choice(AT_ONCE),
            **workers,
        }

    def kind_of(self, client: Any) -> RowKind:
        return Pairs(client) if self.system == "velo" else Unchecked(client)

    def opened(self, client: Any = None) -> Store:
        """That of the person who works with this client."""
        store = super().opened(client)
        person = PERSONS[0 if client is None else self.clients.index(client)]
        needs_two = self.needs_two and self.system == "velo"
        settings = replace(store.settings, by=person, not_by_sender=needs_two)
        return replace(store, settings=settings)

    # What people do

    def start(self, number: int, choice: int) -> None:
        """A person does something; some of it while nothing else happens."""
        what, batch = self._drawn()
        process = self.processes[number]
        if what in ("backup", "restore", "release", "resolve"):
            process.at_once(partial(getattr(self, f"_{what}"), number))
            return
        job: Callable[[], object] = partial(self._send_sheet, number, batch)
        if what == "drop":
            job = partial(self._drop, number, batch)
        elif what == "resume":
            job = partial(self._resume, number, batch)
        elif what == "pay":
            job = partial(self._pay, number, batch)
        elif what in STEPS:
            name, _, also = what.partition(" ")
            job = partial(self._take_step, number, batch, name, is_also=bool(also))
        elif what == "copy":
            job = partial(self._send_sheet, number, self._copy(batch))
        elif what != "send":
            self._edit(what, batch)
        is_at_once = self.dice.random() < (0.7 if what == "pay" else 0.4)
        (process.at_once if is_at_once else process.start)(partial(self._do, job))

    def _drawn(self) -> tuple[str, str]:
        """What is done next, and with which batch: often the last one."""
        acts = WITH_BACKUPS if self.has_backups else (*ACTS, *[self.favourite] * 8)
        if self.system == "velo":
            acts = (*acts, *STEPS, *STEPS)
        if self.dice.random() < 0.6:
            self.last = self.dice.choice([*self.wanted])
        return self.dice.choice(acts), self.last

    def _do(self, job: Callable[[], object]) -> None:
        """Do something. A state that is held refuses most of it."""
        holds = self.holds
        try:
            job()
        except ConfigurationError:
            if not self.is_held and holds == self.holds:
                raise

    def kill(self, number: int) -> None:
        super().kill(number)
        self.book.end_step(number, len(self.world.provider.done))

    # Sheets

    def _edit(self, what: str, batch: str) -> None:
        """Change a sheet, as a person or a program does, unless no rule can tell what it was."""
        for _ in range(4):
            sheet = dict(self.wanted[batch])
            self._change(what, batch, sheet)
            if sheet != self.wanted[batch] and self._can_be_told(batch, sheet):
                self.wanted[batch] = sheet
                return

    def _change(self, what: str, batch: str, sheet: Sheet) -> None:
        row = self.dice.choice([*sheet]) if sheet else 0
        if what == "add" or not sheet:  # also what was cut before
            payer = self.dice.choice([*self.payers[batch], *range(1, 9)])
            if payer not in self.left_out:
                sheet.setdefault(payer, (key_of(payer), self._amount(payer)))
        elif what == "amount":
            sheet[row] = (sheet[row][0], f"{self.dice.randrange(10, 99)}.00")
        elif what == "cut" and len(sheet) > 1:
            del sheet[row]
        elif what == "respell":
            spelling = self.dice.choice((*SKELETON_KEPT, *SKELETON_LOST, *SKELETON_LOST))
            amount = self.dice.choice((sheet[row][1], sheet[row][1], self._amount(row)))
            sheet[row] = (spelling.format(key_of(payer_of(row))), amount)
        elif what == "twin" and row < TWIN:
            spelling = self.dice.choice(SKELETON_KEPT[1:])
            sheet[row + TWIN] = (spelling.format(key_of(row)), self._amount(row))
        elif what == "respell all":
            self._respell_all(sheet)

    def _amount(self, row: int) -> str:
        """The amount that a row had first, or another one."""
        other = self.dice.randrange(10, 99)
        return f"{self.dice.choice((10 + payer_of(row), 10 + payer_of(row), other))}.00"

    def _respell_all(self, sheet: Sheet) -> None:
        """Let a program rewrite the keys: all of them, or all but one."""
        spelling = self.dice.choice(SKELETON_LOST)
        kept = self.dice.choice([*sheet, None])
        for row, (_, amount) in sheet.items():
            if row != kept:
                sheet[row] = (spelling.format(key_of(payer_of(row))), amount)

    def _copy(self, batch: str) -> str:
        """Copy a sheet under another name, while a program rewrites its keys. Returns the name."""
        for _ in range(4):
            sheet = {row: asked for row, asked in self.wanted[batch].items() if row < TWIN}
            if sheet:
                self._respell_all(sheet)
            told = sheet if self._can_be_told("e", sheet) else {}
            if told:
                self.wanted["e"], self.payers["e"] = told, {*told}
                return "e"
        return batch

    def _can_be_told(self, batch: str, sheet: Sheet) -> bool:
        """Whether rules tell that its rows are respelled. No rule tells that two batches ask a
        payer for other amounts by other keys; or what a payer is asked by a row in two spellings of
        which no rule knows, before one of them has left.
        """
        made = made_by(self.world.provider)
        return self.book.can_be_told(batch, sheet, made)

    def _send_sheet(self, number: int, batch: str) -> None:
        """Send a sheet, and make a pass; and say what became of it."""
        sheet = dict(self.wanted[batch])
        loading = self._store_sheet(number, batch)
        if loading is None:
            return
        holds = self.holds
        self._resume(number, batch)
        store = self.store(batch, self.clients[number])
        status = status_of(store)
        status = replace(status, replaced=replaced_rows(store, loading.sheet))
        if status.exit_status == 0 and holds == self.holds and not self._is_done(sheet):
            self.wrong.append(f"told wrong: who has sent {sheet} was told {status}")

    def _store_sheet(self, number: int, batch: str) -> Loading | None:
        """Store a sheet as it is now, unless it may be another list."""
        sheet = dict(self.wanted[batch])
        rows = [self._row(payer_of(row), *asked) for row, asked in sheet.items()]
        store = self.store(batch, self.clients[number])
        loading = Loading(rows, store, ControlTotals(), is_named=True)
        try:
            with closing(loading):
                loading.read()
                sending = self.book.sending(batch, sheet, PERSONS[number])
                with sending, loading.opened() as present:
                    loading.store(present)
        except AnotherList:
            if self.wanted[batch] == sheet and self.book.sent.get(batch):  # as the message says
                self.wanted[batch] = dict(self.book.sent[batch][-1])
            return None
        self._note(batch)
        return loading

    def _row(self, payer: int, key: str, amount: str) -> dict[str, Any]:
        if self.system == "velo":
            return {
                "payor_payment_id": key,
                "remote_id": f"payer-{payer}",
                "amount": amount,
                "currency": "USD",
                "source_account_name": "USD",
                "payor_id": MERCHANT,
            }
        changes = {"payer_counterparty_id": f"payer-{payer}", "client_reference_id": key}
        row = invoice(0, 0, amount=amount, due_date=self.due, **changes)
        del row["invoice_no"]
        return row

    def _note(self, batch: str) -> None:
        if batch not in self.batches:
            self.batches.append(batch)

    def _is_stored(self, batch: str) -> bool:
        return self.store(batch).record() is not None

    def _resume(self, number: int, batch: str) -> None:
        if self._is_stored(batch):
            self._note(batch)
            self._send(number, batch)

    def _drop(self, number: int, batch: str) -> None:
        store = self.store(batch, self.clients[number])
        record = store.record()
        if record is None:
            return
        with self.book.sending(batch, {}, PERSONS[number]):
            want_nothing(store, record)

    # Steps of payouts

    def _pay(self, number: int, batch: str) -> None:
        """Send a sheet, maybe correct it once it is accepted, and pay its payouts."""
        self._send_sheet(number, batch)
        self._edit(self.dice.choice(("cut", "amount", "add")), batch)
        if self.dice.random() < 0.7:
            self._send_sheet(number, batch)
        self._take_step(number, batch, "instruct", is_also=False)

    def _take_step(self, number: int, batch: str, name: str, *, is_also: bool) -> None:
        """Pay or withdraw the payouts of a batch, and make a pass. Who has sent rows may not, where
        two people are needed.
        """
        store = self.store(batch, self.clients[number])
        record = store.record()
        if record is None:
            return
        provider = self.world.provider
        self.book.begin_step(number, batch, len(provider.done))
        has_sent = self.book.first_senders.get(batch) == PERSONS[number]
        try:
            if is_also:
                self._pay_also(ByHand(store, record))
            add_step(store, record, name, partial(units_of, store))
        except ConfigurationError:  # there is nothing to pay, or another person has to
            return
        finally:
            self.book.end_step(number, len(provider.done))
        if has_sent and self.needs_two:
            self.wrong.append(f"told wrong: {PERSONS[number]} has sent {batch}, and may {name} it")
        self._note(f"{batch}/{name}")
        self._send(number, f"{batch}/{name}")

    def _pay_also(self, by_hand: ByHand) -> None:
        """Decide that a payment is paid though the sheet lacks it, or has it otherwise."""
        made = [asked for works in made_by(self.world.provider).values() for asked in works]
        if made:
            asked = self.dice.choice(made)
            self.book.also.add(asked)
            by_hand.pay_also([asked[0]])

    # Backups

    def _backup(self, _number: int) -> None:
        self.backup = self.state.rows(), self.book.copy()

    def _restore(self, _number: int) -> None:
        """Stop all, put the state back as it was when the backup was made, and hold it."""
        if self.backup is None:
            return
        for number, process in enumerate(self.processes):
            if not process.is_idle:
                process.resume(None)
            self.kill(number)
        stored, book = self.backup
        self.world.now += LAST_CALLS
        self.state.put_back(stored)
        self.book = book.copy()
        self.batches = [batch for batch in self.batches if self._is_stored(batch)]
        with self.store("a").transaction() as connection:
            hold_state(connection)
        self.is_held, self.is_restored, self.holds = True, True, self.holds + 1
        self.made_when_held = len(self.world.provider.done)
        self._leave_out()
        for status in self.statuses():
            if status.exit_status == 0:
                self.wrong.append(f"told wrong: {status} of a state that is held")

    def _leave_out(self) -> None:
        """Leave out of every sheet what the restored state lacks."""
        known = {key for keys in self.book.listed.values() for key in keys}
        for payer, works in made_by(self.world.provider).items():
            if any(key not in known for key, _ in works):
                self.left_out.add(payer)
        for batch, sheet in self.wanted.items():
            self.wanted[batch] = {
                row: asked for row, asked in sheet.items() if payer_of(row) not in self.left_out
            }

    def _release(self, _number: int = 0) -> None:
        if not self.is_held:
            return
        if len(self.world.provider.done) > self.made_when_held:
            self.wrong.append("told wrong: something was sent while the state was held")
        with self.store("a").transaction() as connection:
            release_state(connection)
        self.is_held = False

    def _resolve(self, number: int) -> None:
        """Say of a row what the provider's records say, once nothing is under way."""
        batch = self.last
        sheet, record = self.wanted[batch], self.store(batch).record()
        if record is None or not sheet or not all(each.is_idle for each in self.processes):
            return
        self.world.now += LAST_CALLS
        payer = self.dice.choice([*sheet])
        works = [
            work
            for work in self.world.provider.done
            if payer in [each for each, _ in asked_by(work)]
        ]
        outcome = RowOutcome.CREATED if works else RowOutcome.REFUSED
        id, person = works[0].id if works else None, {"by": PERSONS[number], "why": "a look"}
        try:
            by_hand = ByHand(self.store(batch, self.clients[number]), record)
            by_hand.resolve(sheet[payer][0], outcome, id=id, **person)
        except ConfigurationError:
            """There is nothing to resolve."""

    # The end

    def end(self) -> None:
        self._release()
        steps = [batch for batch in self.batches if "/" in batch]
        self.batches = [batch for batch in (*self.wanted, *steps) if self._is_stored(batch)]
        super().end()
        if self.system == "velo":
            # What is lost ends once nothing of it can be under way.
            self.world.now += PAID_AFTER + SETTLE_FOR
            super().end()

    def statuses(self) -> Iterator[BatchStatus]:
        for batch in self.batches:
            if "/" not in batch:
                yield status_of(self.store(batch))

    def words(self) -> Iterator[str]:
        for status in self.statuses():
            yield from Counter({str(word): number for word, number in status.counts.items()})

    def judge(self) -> Iterator[str]:
        yield from self.wrong
        yield from (f"asked twice: {fact}" for fact in self.world.provider.repeated)
        for payer, works in made_by(self.world.provider).items():
            if len(works) > 1:
                yield f"asked twice: {payer} by {works}"
        statuses = [*self.statuses()]
        for status in statuses:
            sheets = self.book.sent.get(status.batch, [])
            if status.exit_status == 0 and not any(map(self._is_done, sheets)):
                yield f"told wrong: {status} of {sheets}"
        yield from self._judge_payouts({status.batch for status in statuses if status.exit_status})
        if not self.is_restored:
            yield from self._judge_reports()

    def _is_done(self, sheet: Sheet) -> bool:
        """Whether all of a sheet was made as it asks, and nothing else of its payers."""
        made = made_by(self.world.provider)
        return all(made.get(payer_of(row)) == [asked] for row, asked in sheet.items())

    def _judge_payouts(self, not_done: set[str]) -> Iterator[str]:
        """What is paid was in the latest sheet when its instruction was stored, or a person has
        said so. What is accepted, and neither paid nor in a sheet, is said by a batch.
        """
        provider = self.world.provider
        latest = [sheet for sheets in self.book.sent.values() for sheet in sheets]
        for work in provider.done:
            if "payments" not in work.values:
                continue
            asked = {each for _, each in asked_by(work)}
            paid = provider.of(f"POST /v3/payouts/{work.id}")
            places = [provider.done.index(each) for each in (work, *paid)]
            if paid and not any(
                asked <= {*sheet.values()} | self.book.also
                for sheet in self.book.payable(places[0], places[1])
            ):
                yield f"told wrong: paid, and in no sheet: {asked}"
            if provider.payout_status(work.id, 0.0) == "ACCEPTED":
                yield from self._judge_accepted(asked, latest, not_done)

    def _judge_accepted(
        self, asked: set[Asked], latest: list[Sheet], not_done: set[str]
    ) -> Iterator[str]:
        for key, amount in asked - self.book.also:
            names = self.book.listers(key)
            is_listed = any(key in [each for each, _ in sheet.values()] for sheet in latest)
            if not is_listed and names and not names & not_done:
                yield f"told wrong: {key} of {amount} is accepted, and no report says so"

    def _judge_reports(self) -> Iterator[str]:
        """A payment that was made is in the export of a batch, unless that has begun another list,
        and what is told to be created was asked so.
        """
        kind = self.kind_of(self.clients[0])
        made = [asked for works in made_by(self.world.provider).values() for asked in works]
        exported = set[str]()
        for batch in [batch for batch in self.batches if "/" not in batch]:
            for result in results_of([self.store(batch)]):
                key, amount = (result.asked.get(name) for name in (kind.reference, "amount"))
                exported.add(str(key))
                if result.outcome is RowOutcome.CREATED and (key, amount) not in made:
                    yield f"told wrong: {result} of {made}"
        for key, _ in made:
            if key not in exported and not any(map(self.book.series.get, self.book.listers(key))):
                yield f"lost: no report has {key} of {made}"
