"""Workers that send the rows of files, each of which can die at every step: payment requests, and
payouts, which a second step instructs. Another program may pay under the same references.

The tables are true and in memory, and all else is the code that is tested: the threads of a worker
alone are left out. It goes on step by step.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any, NamedTuple, cast
from unicodedata import normalize

import sqlalchemy as sa

from tests.histories import settling
from tests.histories.calls import BASE, MERCHANT
from tests.histories.judge import Told, Word, judge
from tests.histories.provider import KEPT, NOBODY, PAID_AFTER, Work
from tests.histories.settling import AT_ONCE, SETTLE_FOR, Workers
from tests.histories.world import (
    Pausing,
    SteppedDriver,
    Stored,
    World,
    in_world_time,
    put_back,
    rows_of,
)
from victor_ext._event_queue.health import Heartbeat
from victor_ext._event_queue.rows import change_rows
from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import SETTLED
from victor_ext._settlement.key_age import LAST_CALLS
from victor_ext.bulk import _run as bulk_run
from victor_ext.bulk._check import ControlTotals, InvalidRows
from victor_ext.bulk._loading import Loading, pull_back_outdated
from victor_ext.bulk._payment_requests import PaymentRequests
from victor_ext.bulk._payments import (
    LINES,
    METADATA,
    PAYMENT_COLUMNS,
    PAYMENTS,
    STATE,
    WITH_ENTRIES,
    WITH_ROWS,
)
from victor_ext.bulk._payouts import Payouts
from victor_ext.bulk._row_kind import RowKind
from victor_ext.bulk._rows import Result, RowContent, RowOutcome, content_of, key_after, result_of
from victor_ext.bulk._settings import Settings
from victor_ext.bulk._state import State
from victor_ext.bulk._store import Store
from victor_ext.bulk._worker import BulkStopped, Worker
from victor_ext.outbox._entries import DUE
from victor_ext.outbox._files import ENTRIES, TABLES, UNDER_WAY

_TABLES = (*TABLES.entries.metadata.sorted_tables, *METADATA.sorted_tables)
_SENT: dict[tuple[str, str, float], Stored] = {}
"""The tables after march and april were sent, by the due date of their rows, and by which answers
of the provider have a `Date` and how far it is ahead: always the same.
"""


class Stop(threading.Event):
    """The event that ends all waits of a sender. To wait for it takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.sleep(timeout or 0.0)
        return self.is_set()


@cache
def shared_database(url: str) -> Any:
    """The database of all histories: SQLAlchemy keeps the statements of an engine that it knows."""
    pool = {"poolclass": sa.pool.StaticPool} if url.startswith("sqlite") else {}
    engine = in_world_time(sa.create_engine(url, **pool))
    for metadata in (TABLES.entries.metadata, METADATA):
        metadata.create_all(engine)
    return Pausing(engine)


@cache
def _vault() -> Vault:
    return Vault([b"a-secret-of-histories"], "The state", "storage_key", "salt")


class Payment(NamedTuple):
    """A payment of a state at the end.

    `result` is None if it is under way. `is_dated` says that the provider's clock has shown when it
    may have been sent first.
    """

    batch: str
    state: str
    key: str
    row: RowContent
    result: Result | None
    is_dated: bool


class MemoryState(State):
    """A state that is there from the beginning.

    Attributes:
        can_be_lost: Whether the leases of workers that live can end, as by a clock that jumps.
    """

    def __init__(self, *, can_be_lost: bool) -> None:
        self.url = sa.make_url(settling.DATABASE[0])
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.can_be_lost = can_be_lost
        self.database = shared_database(settling.DATABASE[0])
        self.put_back([(table, []) for table in _TABLES])

    def rows(self) -> Stored:
        with self.database._engine.begin() as connection:
            return rows_of(connection, _TABLES)

    def put_back(self, stored: Stored) -> None:
        with self.database._engine.begin() as connection:
            put_back(connection, stored)
            if not self.is_sqlite:
                _count_on(connection, [table for table, _ in stored])

    def exists(self) -> bool:
        return True

    def prepare(self) -> None:
        """It is there."""

    def loss(self, _error: object = None) -> None:
        """It is never lost."""

    @contextmanager
    def engine(self, _database: str | None = None) -> Iterator[Any]:
        yield self.database

    def opened(self, kind: RowKind, key_column: str | None, at_once: int = 1) -> Store:
        settings = Settings(
            key_column, None, at_once, KEPT, 0.0, None, skip_invalid=True, encoding=None
        )
        vault, heart = _vault(), Heartbeat()
        return Store(self.database, self, kind.client, kind, vault, settings, heart)

    def unsettled(self) -> set[str]:
        """The names of the batches of which something can be gone on with."""
        of_rows = sa.select(PAYMENTS.c.batch).select_from(WITH_ENTRIES)
        of_entries = sa.select(ENTRIES.c.batch).where(ENTRIES.c.state.in_(DUE))
        unclear = sa.select(ENTRIES.c.batch).where(ENTRIES.c.state == "unclear")
        open_rows = of_rows.where(sa.or_(STATE.is_(None), STATE.not_in(SETTLED)))
        with self.database.connect() as connection:
            queries = (open_rows, of_entries, unclear)
            return {name for each in queries for name in connection.execute(each).scalars()}

    def payments(self, store: Store) -> Iterator[Payment]:
        """What is known at the end, of all batches."""
        query = sa.select(*PAYMENT_COLUMNS, ENTRIES.c.by_provider_clock).select_from(WITH_ROWS)
        with self.database.connect() as connection:
            rows = connection.execute(query.order_by(PAYMENTS.c.batch, PAYMENTS.c.key)).all()
        for row in rows:
            state = PULLED if row.state is None else row.state
            is_open = state in (UNDER_WAY, PULLED)
            result = None if is_open else result_of(store.vault, row)
            asked, key = content_of(store.vault, row.row), key_after(row.key, row.again)
            yield Payment(row.batch, state, key, asked, result, bool(row.by_provider_clock))

    def values(self, store: Store) -> set[str]:
        """What people call the rows of all sheets."""
        with self.database.connect() as connection:
            rows = connection.execute(sa.select(LINES.c.row)).all()
        contents = [content_of(store.vault, row.row) for row in rows]
        return {str(content.value) for content in contents}


def _count_on(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Let the numbers of new rows follow those that there are, as in a database from a backup."""
    for column in [
        each for table in tables for each in table.c if each is table.autoincrement_column
    ]:
        last = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
        sequence = sa.func.pg_get_serial_sequence(column.table.name, column.name)
        connection.execute(sa.select(sa.func.setval(sequence, last, sa.false())))


class SteppedWorker(Worker):
    """A worker without threads, whose passes are made by the process that has it."""

    def __init__(self, store: Store, world: World) -> None:
        super().__init__(store, SteppedDriver(store.engine, ENTRIES), Stop(world))

    def run(self) -> None:
        """Make one pass."""
        if cast("MemoryState", self._store.state).can_be_lost:
            with self._store.transaction() as connection:
                change_rows(connection, ENTRIES, ENTRIES.c.worker.is_not(None), due_at=0.0)
        try:
            self.make_pass()
        except BulkStopped as error:
            self.failure = error


class LaterFile(NamedTuple):
    """A file of march's payments that is sent while they are: its batch, the numbers that it has,
    their amount, and how a spreadsheet has spelled them.
    """

    batch: str
    numbers: tuple[int, ...]
    amount: str
    spelling: str


def invoice(number: int, **changes: Any) -> dict[str, Any]:
    """A row of a file: its key is made of the number, and its reference is its own."""
    reference = normalize("NFD" if number % 2 else "NFC", f"Mü-{number}")
    return {**BASE, "invoice_no": str(number), "client_reference_id": reference, **changes}


class Unchecked(PaymentRequests):
    """Rows whose due dates are stored as they are: the clocks of the provider and of the machine
    differ by days.
    """

    def check(self, arguments: Mapping[str, Any]) -> None:
        """All of them are valid."""


PULLED = "pulled back"
"""The state of a payment that nothing asks for."""
WORDS = {
    RowOutcome.CREATED: Word.DONE,
    RowOutcome.ACCEPTED: Word.UNKNOWN,
    RowOutcome.UNKNOWN: Word.UNKNOWN,
}
"""What each outcome says of a payment; any other one: that it was not made."""


class Batches(Workers):
    """Two workers; two batches of one state whose rows share their values; and a file of the same
    payments that comes later: in the same batch, or in another one.
    """

    settled = frozenset({"created", "rejected", "refused", "unknown", PULLED})
    """An edited copy is a question, and a due date may be refused by a machine whose clock is
    wrong.
    """
    key_column: str | None = "invoice_no"

    def __init__(
        self, days: int, can_be_lost: bool, at_once: int, later: LaterFile | None, **workers: Any
    ) -> None:
        super().__init__(**workers)
        self._begin(can_be_lost, at_once)
        today = datetime.fromtimestamp(self.world.provider.clock(), UTC).date()
        due = str(today + timedelta(days=days))
        march = [invoice(number, due_date=due) for number in range(4)]
        april = [invoice(10 + number, due_date=due) for number in (1, 2)]
        with self.world.clocks():
            told = (due, self.world.rules.dates, self.world.rules.ahead)
            if told not in _SENT:
                self._send_file("march", march)
                # They are other instalments of the same contracts.
                self._send_file("april", april, others=len(april))
                _SENT[told] = self.state.rows()
                self._begin_anew()
            self.state.put_back(_SENT[told])
        self.asked, self.batches = march + april, ["march", "april"]
        if later is not None:
            changes = {"due_date": due, "amount": later.amount}
            rows = [invoice(number, **changes) for number in later.numbers]
            for row in rows:
                row["invoice_no"] = later.spelling.format(row["invoice_no"])
            self.later.append((later.batch, rows))

    def _begin(self, can_be_lost: bool, at_once: int) -> None:
        self.at_once, self.batches = at_once, list[str]()
        self.world.provider.taken = self._taken
        self.state = MemoryState(can_be_lost=can_be_lost)
        self.later = list[tuple[str, list[dict[str, Any]]]]()
        self.asked = list[dict[str, Any]]()
        """The rows of all files that were sent."""
        self.workers = dict[tuple[int, str | None], SteppedWorker]()

    def _begin_anew(self) -> None:
        """Let the history be the same whether or not its files were sent in this world."""
        self.world.exchanges = 0
        self.clients = [self._client(process) for process in self.processes]

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        numbers = dice.choice([(0, 1, 2, 3), (1, 2), (0, 2, 3)])
        amount, spelling = dice.choice(["44.23", "46.00"]), dice.choice(["{}", "{}", "{}", "{}.0"])
        later = LaterFile(dice.choice(["march", "may"]), numbers, amount, spelling)
        return {
            "days": dice.choice([0, 1, 1, 1]),
            "can_be_lost": dice.random() < 0.3,
            "at_once": dice.choice(AT_ONCE),
            "later": later if dice.random() < 0.5 else None,
            **super().draw(dice),
            "accounts": "AA",  # a batch is of one account
        }

    def kind_of(self, client: Any) -> RowKind:
        """The rows that a client sends."""
        return Unchecked(client)

    def opened(self, client: Any = None) -> Store:
        """What works on the state, with this client or that of the first worker."""
        kind = self.kind_of(client or self.clients[0])
        return self.state.opened(kind, self.key_column, self.at_once)

    def store(self, batch: str, client: Any = None) -> Store:
        return replace(self.opened(client), batch=batch)

    def worker(self, number: int, batch: str | None) -> SteppedWorker:
        """The worker of a process that works on this batch, or on all of them."""
        worker = self.workers.get((number, batch))
        if worker is None or worker.failure is not None:
            worker = SteppedWorker(self.store(batch or "", self.clients[number]), self.world)
            self.workers[number, batch] = worker
        return worker

    def _send_file(
        self, name: str, rows: list[dict[str, Any]], *, others: int | None = None
    ) -> None:
        """Store what a file has, as a person does by `send`. One that may ask twice is refused."""
        store = self.store(name)
        store.settings = replace(store.settings, other_payments=others)
        loading = Loading(rows, store, ControlTotals())
        with closing(loading), suppress(InvalidRows):
            loading.read()
            with loading.opened() as store:
                loading.store(store)
            self.asked += rows
            if name not in self.batches:
                self.batches.append(name)

    def _send_later(self) -> None:
        """Who is killed before the end sends the file again."""
        for file in [*self.later]:
            self._send_file(*file)
            self.later.clear()

    def kill(self, number: int) -> None:
        super().kill(number)
        for own in [own for own in self.workers if own[0] == number]:
            self.workers.pop(own)

    def start(self, number: int, choice: int) -> None:
        process = self.processes[number]
        if self.later and choice % 5 == 4:
            process.start(self._send_later)
            return
        if choice % 5 == 3:  # it comes between two steps of the other process
            process.at_once(self._send_later)
        batch = self.batches[choice % len(self.batches)]
        job = self._work_on_all if choice % 7 == 6 else self._send
        process.start(partial(job, number, batch))

    def _send(self, number: int, batch: str) -> None:
        """Go on with a batch, as `resume` does."""
        store = self.store(batch, self.clients[number])
        pull_back_outdated(store)
        store.transact(partial(bulk_run._go_on, store))
        self.worker(number, batch).run()

    def _work_on_all(self, number: int, _batch: str) -> None:
        """Make a pass over all batches."""
        self.worker(number, None).run()

    def end(self) -> None:
        """Go on three times with what has not ended."""
        self.processes[0].at_once(self._send_later)
        self.world.now += LAST_CALLS  # whatever a killed worker was calling has ended
        for _ in range(3):
            left = self.state.unsettled()
            for batch in self.batches:
                if batch in left:
                    self.processes[0].at_once(partial(self._send, 0, batch))
                self.world.now += 20

    def _taken(self, path: str) -> list[str]:
        """The ids of the rows that were created."""
        query = sa.select(ENTRIES.c.request_id).where(ENTRIES.c.state == "sent")
        with self.state.database.connect() as connection:  # it stops for nothing
            made = set(connection.execute(query).scalars())
        return self.world.provider.made_at(path, made)

    def payments(self) -> list[Payment]:
        """The payments of the state, with what is known of each."""
        return list(self.state.payments(self.opened()))

    def _calls(self) -> list[tuple[str, Any]]:
        kind = self.kind_of(self.clients[0])
        payments = sorted(self.payments(), key=lambda payment: payment.row.value or "")
        size = kind.rows_per_call
        groups = [payments[place : place + size] for place in range(0, len(payments), size)]
        arguments = [
            [kind.checked_arguments(payment.row.arguments or {}) for payment in each]
            for each in groups
        ]
        keys = [group[0].key for group in groups]
        calls = [kind.call_for(each, key) for each, key in zip(arguments, keys, strict=True)]
        return [(call.url, call.values) for call in calls]

    def words(self) -> Iterator[str]:
        return (payment.state for payment in self.payments())

    def judge(self) -> Iterator[str]:
        payments = self.payments()
        missing = {row["invoice_no"] for row in self.asked} - self.state.values(self.opened())
        if missing:
            yield f"lost: the state has nothing of {missing}"
        yield from judge(map(self._told, payments), self.world.provider.of)
        # Keys that a spreadsheet makes of one key are one payment.
        invoices = dict[float, list[Work]]()
        for payment in payments:
            works = invoices.setdefault(float(payment.row.value or ""), [])
            works += self.world.provider.of(payment.key)
        for number, works in invoices.items():
            if len(works) > 1:
                yield f"asked twice: invoice {number:g} was made {len(works)} times"

    def _told(self, payment: Payment) -> Told:
        row, result = payment.row, payment.result
        if result is None:
            word = Word.NOT_DONE if payment.state == PULLED else Word.OPEN
            return Told(payment.key, word, None, payment)
        word = WORDS.get(result.outcome, Word.NOT_DONE)
        # After a 409, the key may have been used for as long as keys are kept: what another program
        # has paid since then, with the same reference and values, may be the row's.
        if "409" in (result.error or "") and self._is_equal_one_of_others(result.id, row):
            word = Word.UNKNOWN
        amount = f"{(row.arguments or {})['amount']}" if word is Word.DONE else None
        return Told(payment.key, word, result.id, payment, amount)

    def _is_equal_one_of_others(self, id: str | None, row: RowContent) -> bool:
        others = [work for work in self.world.provider.others if work.id == id]
        amount = (row.arguments or {})["amount"]
        return any(work.values["payment_details.amount"] == amount for work in others)


NUMBERS = range(4)
LAG = 540.0
"""Seconds after which the state of a payout shows what was done to it: shortly before a lost step
is said to be lost.
"""


class Pairs(Payouts):
    """Payouts of two payments."""

    rows_per_call = 2


def _row(number: int, payee: str) -> dict[str, Any]:
    return {
        "remote_id": payee,
        "amount": "44.23",
        "currency": "USD",
        "source_account_name": "USD",
        "payor_payment_id": f"PAY-{number}",
        "payor_id": MERCHANT,
    }


class Payrolls(Batches):
    """Two workers; a file of two payouts, their steps, and a file that has some of their payments,
    too, which comes while they are submitted.
    """

    system = "velo"
    settled = frozenset({"created", "rejected", "refused", "unknown"})
    key_column = None

    def __init__(
        self,
        again: tuple[int, ...],
        rejected: int | None,
        lag: float,
        can_be_lost: bool,
        at_once: int,
        **workers: Any,
    ) -> None:
        Workers.__init__(self, **workers)
        self._begin(can_be_lost, at_once)
        provider = self.world.provider
        provider.lag = lag
        self.rejected = f"PAY-{rejected}"
        march, april = (
            [_row(number, NOBODY if number == rejected else "p7") for number in numbers]
            for numbers in (NUMBERS, again)
        )
        with self.world.clocks():
            self._send_file("march", march)
        if again:
            self.later.append(("april", april))

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        # A batch is of one account.
        workers = Workers.draw(dice) | {"accounts": "AA"}
        return {
            "again": dice.choice([(), (), (0, 1), (1, 2), (0, 1, 2)]),
            "rejected": dice.choice([None, *NUMBERS]),
            "can_be_lost": dice.random() < 0.3,
            "at_once": dice.choice(AT_ONCE),
            "lag": dice.choice([0.0, 0.0, LAG]),
            **workers,
        }

    def kind_of(self, client: Any) -> Payouts:
        return Pairs(client)

    def end(self) -> None:
        self.world.provider.hidden.clear()
        super().end()
        # What is lost ends once nothing of it can be under way, or the payout has come to its end.
        self.world.now += PAID_AFTER + SETTLE_FOR
        super().end()

    def judge(self) -> Iterator[str]:
        yield from (f"asked twice: {fact}" for fact in self.world.provider.repeated)
        submitted = self.payments()
        yield from judge(map(self._told, submitted), self._payouts_with)
        for payment in submitted:
            result = payment.result
            if result is None or not result.unit:
                continue
            is_rejected = payment.row.value == self.rejected
            is_of_unit = (result.id or "").startswith(result.unit)
            if is_rejected is not (result.outcome is RowOutcome.REJECTED) or (
                result.outcome is RowOutcome.CREATED and not is_of_unit
            ):
                yield f"told wrong: {payment}"

    def _payouts_with(self, reference: str) -> list[Work]:
        """The payouts that have a payment."""
        payouts = [work for work in self.world.provider.done if "payments" in work.values]
        return [
            work
            for work in payouts
            if reference in [each["payorPaymentId"] for each in work.values["payments"]]
        ]

    def _told(self, payment: Payment) -> Told:
        """What is told of a payment: one that its payout rejects is in it, too."""
        result, reference = payment.result, payment.row.value or ""
        if result is None or result.outcome in (RowOutcome.WAITING, RowOutcome.NOT_SENT):
            return Told(reference, Word.OPEN, None, payment)
        word = Word.DONE if result.unit else WORDS.get(result.outcome, Word.NOT_DONE)
        return Told(reference, word, result.unit, payment)
