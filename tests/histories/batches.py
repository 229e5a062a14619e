"""Workers that send the rows of files, each of which can die at every step: payment requests, and
payouts, which a second step instructs. Another program may pay under the same references.

The tables are true and in memory, and all else is the code that is tested: the threads of a worker
alone are left out. It goes on step by step.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from tests.histories.calls import BASE, MERCHANT, client
from tests.histories.provider import KEPT, NOBODY, PAID_AFTER, Work
from tests.histories.settling import (
    AT_ONCE,
    REFERENCES,
    SETTLE_FOR,
    BesideOthers,
    Workers,
    requests_of,
    sent_by_create,
)
from tests.histories.world import Pausing, Process, Stepped, World, in_world_time
from victor_ext.bulk import run as bulk_run
from victor_ext.bulk.by_hand import ByHand
from victor_ext.bulk.check import ControlTotals
from victor_ext.bulk.context import BulkContext
from victor_ext.bulk.lines import lines_of
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.payments import (
    ASKED,
    ENDED,
    IN_DOUBT,
    LEFT_OUT,
    METADATA,
    PAYMENT_COLUMNS,
    STATE,
    UNDER_WAY,
    WITH_ENTRIES,
)
from victor_ext.bulk.payouts import Payouts
from victor_ext.bulk.row_kind import RowKind
from victor_ext.bulk.rows import FileRow, Result, RowOutcome, result_of, row_of
from victor_ext.bulk.settings import Settings
from victor_ext.bulk.state import State
from victor_ext.bulk.steps import add_step, units_of
from victor_ext.bulk.store import Store
from victor_ext.bulk.vault import RowVault
from victor_ext.bulk.worker import RowOutbox, Worker
from victor_ext.event_queue.presence import new_worker_name
from victor_ext.health import Heartbeat
from victor_ext.outbox.files import ENTRIES, TABLES, adopt, end_leases_of_dead
from victor_ext.vault import KEY_BYTES

_SECRET = b"a secret of histories, of some length"
_TABLES = (*TABLES.entries.metadata.sorted_tables, *METADATA.sorted_tables)


class SteppedRowOutbox(Stepped, RowOutbox):
    """The outbox of a worker."""


class Stop(threading.Event):
    """The event that ends all waits of a sender. To wait for it takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.sleep(timeout or 0.0)
        return self.is_set()


@cache
def _database(number: int) -> Any:
    """The database of the states with this number, of all histories: SQLAlchemy keeps the
    statements of an engine that it knows.
    """
    engine = in_world_time(sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool))
    for metadata in (TABLES.entries.metadata, METADATA):
        metadata.create_all(engine)
    return Pausing(engine)


@cache
def _vault(number: int) -> RowVault:
    return RowVault(bytes([number]) * KEY_BYTES, "a provider")


class Payment(NamedTuple):
    """A payment of a state at the end.

    `result` is None if it is under way. `is_dated` says that the provider's clock has shown when it
    may have been sent first.
    """

    batch: str
    state: str
    row: FileRow
    result: Result | None
    is_dated: bool


class MemoryState(State):
    """A state that is there from the beginning.

    Attributes:
        living: The names of the workers that are not dead.
        can_be_lost: Whether living workers can count as dead, as after a broken connection.
    """

    is_sqlite = True

    def __init__(self, number: int, *, can_be_lost: bool) -> None:
        self.number, self.url = number, sa.make_url("sqlite://")
        self.living, self.can_be_lost = set[str](), can_be_lost
        self.database = _database(number)
        with self.database._engine.begin() as connection:
            for table in _TABLES:
                connection.execute(sa.delete(table))

    def exists(self) -> bool:
        return True

    def prepare(self) -> None:
        """It is there."""

    def loss(self, _error: object = None) -> None:
        """It is never lost."""

    @contextmanager
    def engine(self, _database: str | None = None) -> Iterator[Any]:
        yield self.database

    def context(self, kind: RowKind, key_column: str | None, at_once: int = 1) -> BulkContext:
        settings = Settings(
            key_column, None, at_once, KEPT, None, None, skip_invalid=True, encoding=None
        )
        vault, tried = _vault(self.number), Counter[Any]()
        return BulkContext(kind.client, kind, self, vault, settings, Heartbeat(), tried, _SECRET)

    def unsettled(self) -> set[str]:
        """The names of the batches of which something can be gone on with."""
        query = sa.select(ASKED.c.batch).select_from(WITH_ENTRIES).where(STATE.not_in(ENDED))
        with self.database.connect() as connection:
            return set(connection.execute(query).scalars())

    def payments(self, store: Store) -> Iterator[Payment]:
        """What is known at the end, of all batches."""
        query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ENTRIES)
        with self.database.connect() as connection:
            rows = connection.execute(query.order_by("batch", "key")).all()
        for row in rows:
            is_open = row.state in (UNDER_WAY, LEFT_OUT)
            result = None if is_open else result_of(store.vault, row)
            asked = row_of(store.vault, row)
            yield Payment(row.batch, row.state, asked, result, bool(row.by_provider_clock))


class _Presence:
    """Shows that a worker is alive, until it is killed."""

    def __init__(self, state: MemoryState) -> None:
        self._state, self.name = state, new_worker_name()
        state.living.add(self.name)

    @contextmanager
    def lock_of(self, name: str) -> Generator[bool]:
        yield self._state.can_be_lost or name not in self._state.living


class SteppedWorker(Worker):
    """A worker without threads, whose passes are made by the process that has it."""

    def __init__(self, context: BulkContext, batch: str | None, world: World) -> None:
        presence: Any = _Presence(cast("MemoryState", context.state))
        super().__init__(context, presence, batch)
        self._stop = Stop(world)
        with context.open(batch or "") as self._store:
            pass
        name = self._presence.name
        self._outbox = SteppedRowOutbox(context, self._store, batch, name, self._stop)

    def run(self) -> None:
        """Look for dead workers, and make one pass."""
        with self._store.transaction() as connection:
            end_leases_of_dead(connection, self._presence)
        self._pass()

    def die(self) -> None:
        cast("MemoryState", self._state).living.discard(self._presence.name)


@dataclass(frozen=True)
class Batch:
    """A batch of one state."""

    state: int
    name: str

    @property
    def step(self) -> str:
        """The step of payouts that it is, such as `instruct`; empty: they are submitted."""
        return self.name.partition("/")[2]


class LaterFile(NamedTuple):
    """A file of march's payments that is sent while they are: their numbers, and their amount."""

    batch: str
    numbers: tuple[int, ...]
    amount: str


def invoice(number: int, reference: int, **changes: Any) -> dict[str, Any]:
    """A row of a file: its key is made of the number."""
    own = {"invoice_no": str(number), "client_reference_id": REFERENCES[reference]}
    return {**BASE, **own, **changes}


class Unchecked(PaymentRequests):
    """Rows whose due dates are stored as they are: the clocks of the provider and of the machine
    differ by days.
    """

    def check(self, arguments: Mapping[str, Any]) -> None:
        """All of them are valid."""


class Batches(Workers):
    """Two workers; two batches of one state whose rows share references; a copy of a row in another
    state; and a file of the same payments that comes later: in the same batch, or in another one.
    """

    settled = frozenset({"created", "rejected", "refused", "unknown", LEFT_OUT})
    """An edited copy may be refused, and a due date by a machine whose clock is wrong."""
    key_column: str | None = "invoice_no"

    def __init__(
        self,
        days: int,
        can_be_lost: bool,
        is_edited: bool,
        later: LaterFile | None,
        at_once: int,
        **workers: Any,
    ) -> None:
        super().__init__(**workers)
        self.at_once = at_once
        due = str(
            datetime.fromtimestamp(self.world.provider.clock(), UTC).date() + timedelta(days=days)
        )
        march = [invoice(number, number, due_date=due) for number in range(4)]
        # Of what another account has under the same keys, nobody can know.
        is_copied = "B" not in workers["accounts"]
        self._begin(can_be_lost, states=1 + is_copied)
        april = [invoice(10 + number, number, due_date=due) for number in (1, 2)]
        with self.world.clocks():
            self.send_file(0, "march", march)
            self.send_file(0, "april", april)
            # They are other instalments of the same contracts: a person has said so.
            self._ask_again("april")
            if is_copied:
                amount = "45.00" if is_edited else "44.23"
                self.send_file(1, "march", [invoice(3, 3, due_date=due, amount=amount)])
        if later is not None:
            rows = [
                invoice(number, number, due_date=due, amount=later.amount)
                for number in later.numbers
            ]
            self.later.append((later.batch, rows))

    def _begin(self, can_be_lost: bool, states: int) -> None:
        self.can_be_lost, self.batches = can_be_lost, list[Batch]()
        self.kills = 0
        self.world.provider.taken = self._taken
        self.sending = dict[Process | None, int]()
        """The state whose rows each process sends."""
        self.states = [MemoryState(number, can_be_lost=can_be_lost) for number in range(states)]
        self.later = list[tuple[str, list[dict[str, Any]]]]()
        self.files = list[tuple[int, list[dict[str, Any]]]]()
        """What was sent, by the number of the state."""
        self.workers = dict[tuple[int, int, str | None], SteppedWorker]()

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        flags = {"can_be_lost": dice.random() < 0.3, "is_edited": dice.random() < 0.5}
        drawn = {"days": dice.choice([0, 1, 1, 1]), **flags, **super().draw(dice)}
        drawn["at_once"] = dice.choice(AT_ONCE)
        numbers = dice.choice([(0, 1, 2, 3), (1, 2), (0, 2, 3)])
        file = LaterFile(dice.choice(["march", "may"]), numbers, dice.choice(["44.23", "46.00"]))
        return {**drawn, "later": file if dice.random() < 0.5 else None}

    def kind_of(self, client: Any) -> RowKind:
        """The rows that a client sends."""
        return Unchecked(client)

    def context(self, state: int, client: Any = None) -> BulkContext:
        """What works on a state: with this client, or with one of its own, as a command does."""
        own = self._client(self.processes[0]) if client is None else client
        return self.states[state].context(self.kind_of(own), self.key_column, self.at_once)

    def store(self, batch: Batch, client: Any = None) -> Store:
        with self.context(batch.state, client).open(batch.name) as store:
            return store

    def worker(self, number: int, state: int, batch: str | None) -> SteppedWorker:
        """The worker of a process that works on this batch of a state, or on all of it."""
        own = number, state, batch
        worker = self.workers.get(own)
        if worker is None or worker.given_up is not None:
            context = self.context(state, self.clients[number])
            self.workers[own] = worker = SteppedWorker(context, batch, self.world)
        return worker

    def send_file(self, state: int, name: str, rows: list[dict[str, Any]]) -> None:
        """Store what a file has, as a person does by `send`."""
        context = self.context(state)
        with closing(Loading(rows, name, context, ControlTotals())) as loading:
            loading.read()
            with context.open_present(name) as store:
                loading.store(store)
        self.files.append((state, rows))
        if not any((batch.state, batch.name) == (state, name) for batch in self.batches):
            self.batches.append(Batch(state, name))

    def _ask_again(self, batch: str) -> None:
        """Ask for all rows of a batch, as a person does whom nothing keeps from it."""
        context, person = self.context(0), {"by": "Ada", "not_by_sender": False, "why": "another"}
        with context.open_present(batch) as store:
            record = store.record()
            assert record is not None
            ByHand(context, store, record).ask(list(lines_of(store)), person)

    def _send_later(self) -> None:
        """Who is killed before the end sends the file again."""
        for file in [*self.later]:
            self.send_file(0, *file)
            self.later.clear()

    def kill(self, number: int) -> None:
        super().kill(number)
        self.kills += 1
        for own in [own for own in self.workers if own[0] == number]:
            self.workers.pop(own).die()

    def start(self, number: int, choice: int) -> None:
        process = self.processes[number]
        if self.later and process.account == "A" and choice % 5 == 4:
            process.start(self._send_later)
            return
        if choice % 5 == 3:  # it comes between two steps of the other process
            process.at_once(self._send_later)
        batch = self.batches[choice % len(self.batches)]
        job = self._work_on_all if choice % 7 == 6 else self._send
        process.start(partial(job, number, batch))

    def _send(self, number: int, batch: Batch) -> None:
        """Go on with a batch, as `resume` does; another account's worker takes up what is in doubt
        alone.
        """
        self.sending[self.processes[number]] = batch.state
        store = self.store(batch, self.clients[number])
        is_own = self.processes[number].account == "A"

        def let_go_on(connection: Any) -> None:
            if is_own:
                bulk_run._go_on(store, connection)
            else:
                adopt(connection, store.is_entry(), store.sender, store.batch)

        store.transact(let_go_on)
        self.worker(number, batch.state, batch.name).run()

    def _work_on_all(self, number: int, batch: Batch) -> None:
        """Make a pass over all batches of a state."""
        self.sending[self.processes[number]] = batch.state
        self.worker(number, batch.state, None).run()

    def end(self) -> None:
        self.processes[0].at_once(self._send_later)
        for batch in self.batches * 3:
            self.processes[0].at_once(partial(self._send, 0, batch))
            self.world.now += 20

    def _taken(self, path: str) -> list[str]:
        """The ids of the rows that were created, of the state of the sender that asks."""
        state = self.sending.get(self.world.running)
        if state is None:
            return []
        query = sa.select(ENTRIES.c.request_id).where(ENTRIES.c.state == "sent")
        with self.states[state].database.connect() as connection:  # it stops for nothing
            made = set(connection.execute(query).scalars())
        return self.world.provider.made_at(path, made)

    def payments(self, state: int) -> list[Payment]:
        """The payments of a state, with what is known of each."""
        with self.context(state).open() as store:
            return list(self.states[state].payments(store))

    def all_payments(self) -> list[tuple[int, Payment]]:
        numbers = range(len(self.states))
        return [(number, payment) for number in numbers for payment in self.payments(number)]

    def words(self) -> Iterator[str]:
        return (payment.state for _, payment in self.all_payments())

    def judge(self) -> Iterator[str]:
        payments = self.all_payments()
        keys = [payment.row.payment for _, payment in payments]
        if unbegun := self._unbegun():
            yield f"lost: {len(unbegun)} rows are in doubt that nobody began to send"
        for state, rows in self.files:
            wanted = {row["invoice_no"] for row in rows}
            known = {payment.row.value for number, payment in payments if number == state}
            if wanted - known:
                yield f"lost: state {state} has nothing of {wanted - known}"
        for state, payment in payments:
            works = self.world.provider.of(payment.row.key)
            is_alone = keys.count(payment.row.payment) == 1
            wrong = self._wrong(payment, works, is_alone=is_alone)
            if wrong:
                ids = [work.id for work in works]
                yield (
                    f"{wrong}: {payment.batch}/{payment.row.value} of state {state}: "
                    f"{payment.state}, {payment.result}; under its key is {ids}"
                )

    def _unbegun(self) -> list[str]:
        """Rows of which nothing is known though nobody began to send them: at most as many as a
        sender begins at once, for each one that broke off or was stopped for long.

        That is where no answer has a time: else a key may have lapsed, or its age is not known.
        """
        if self.world.rules.dates != "never" or self.can_be_lost:
            return []
        unbegun = [
            payment.row.key
            for _, payment in self.all_payments()
            if payment.state in IN_DOUBT and payment.row.key not in self.world.asked
        ]
        return unbegun[(self.kills + self.world.stopped) * self.at_once :]

    def _wrong(self, payment: Payment, works: list[Work], *, is_alone: bool) -> str | None:
        row, result = payment.row, payment.result
        # Another state cannot know of a key that lapsed before it was first used there.
        if len(works) > 1 and (is_alone or works[-1].at - works[0].at < KEPT):
            return "asked twice"
        if payment.state == LEFT_OUT:
            return "told wrong, left out" if works and is_alone else None
        if result is None:
            return "lost"
        is_nothing = (
            result.outcome in (RowOutcome.REFUSED, RowOutcome.WAITING, RowOutcome.NOT_SENT)
            and is_alone
        )
        # Of what another state has under the key, nothing but a conflict says anything.
        is_said = is_alone or "409" in (result.error or "")
        if (is_nothing or (result.outcome is RowOutcome.REJECTED and is_said)) and works:
            return f"told wrong, {result.outcome}"
        if result.outcome is RowOutcome.ACCEPTED and not works:
            return "told wrong, accepted"
        own = [work for work in works if work.id == result.id]
        if result.outcome is RowOutcome.CREATED and not self._has_values(own, row):
            return "told wrong, created"
        return None

    def _has_values(self, works: list[Work], row: FileRow) -> bool:
        """Whether one of these requests has the values of a row, as far as the answer to `create`
        shows them.
        """
        sent = {
            f"payment_details.{name}": (row.arguments or {})[name]
            for name in ("amount", "due_date", "notes")
        }
        for work in works:
            shown = json.dumps(self.world.provider.shown(work, self.world.rules.detail))
            if all(
                work.values[name] == value or json.dumps(work.values[name]) not in shown
                for name, value in sent.items()
            ):
                return True
        return False


PAYMENTS = range(4)
LAG = 300.0
"""Seconds after which the state of a payout shows what was done to it."""
NOT_ENDED = (RowOutcome.WAITING, RowOutcome.NOT_SENT, RowOutcome.ACCEPTED)


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


def _references(payout: Work) -> set[str]:
    return {each["payorPaymentId"] for each in payout.values["payments"]}


class Payrolls(Batches):
    """Two workers; a file of two payouts, and one that has some of their payments, too: it comes
    while they are submitted, or is of another state.
    """

    settled = frozenset({"created", "rejected", "refused", "unknown"})
    key_column = None

    def __init__(
        self,
        again: tuple[int, ...],
        state: int,
        rejected: int | None,
        is_sent: bool,
        steps: dict[str, Any],
        **rest: Any,
    ) -> None:
        can_be_lost, self.at_once = rest.pop("can_be_lost"), rest.pop("at_once")
        Workers.__init__(self, **rest)
        self.began_ahead = [process.ahead for process in self.processes]
        self._begin(can_be_lost, states=1 + state)
        provider = self.world.provider
        provider.lag, provider.withdraws_instructed = steps["lag"], steps["withdraws_instructed"]
        self.too_late = set[str]()
        """The payouts whose withdrawal begins after they were instructed."""
        self.is_about_steps: bool = steps["is_about_steps"]
        self.is_sent = is_sent or self.is_about_steps
        """Whether a file was sent before it begins; where it is about steps, both were."""
        self.lists_lag: bool = steps["lists_lag"]
        self.withdraws, self.are_elsewhere = steps["withdraws"], steps["are_elsewhere"]
        self.rejected = f"PAY-{rejected}"
        march, april = (
            [_row(number, NOBODY if number == rejected else "p7") for number in numbers]
            for numbers in (PAYMENTS, again)
        )
        with self.world.clocks():
            self.send_file(0, "march", march)
            if again and state:
                self.send_file(state, "april", april)
        if again and not state:
            self.later.append(("april", april))
        self.is_alone = not again
        """Whether nothing else has its references: then what was sent at a known time is found at
        the end.
        """

    def _client(self, process: Process) -> Any:
        return client("velo", process, deadline=self.deadline)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        again, state = dice.choice(
            [((), 0), ((), 0), ((0, 1), 0), ((1, 2), 0), ((1,), 1), ((0, 1, 2), 0)]
        )
        flags = {"is_sent": dice.random() < 0.5, "can_be_lost": dice.random() < 0.3}
        flags["at_once"] = dice.choice(AT_ONCE)
        drawn = {
            "again": again,
            "state": state,
            "rejected": dice.choice([None, *PAYMENTS]),
            **flags,
        }
        drawn |= Workers.draw(dice) | {"accounts": "AA"}  # a batch is of one account
        own = Random(repr(drawn))
        steps = {
            "is_about_steps": own.random() < 0.5,
            "withdraws": own.choice([None, None, 0, 1]),
            "are_elsewhere": own.random() < 0.3,
            "lag": own.choice([0.0, 0.0, LAG]),
            "withdraws_instructed": own.random() < 0.5,
            "lists_lag": own.random() < 0.2,
        }
        return drawn | {"steps": steps}

    def kind_of(self, client: Any) -> Payouts:
        return Pairs(client)

    def _accepted(self, batch: Batch) -> list[str]:
        """The payouts of a batch, by what is told of its rows."""
        return sorted(units_of(self.store(batch), self.context(batch.state).kind))

    def _take_steps(self) -> None:
        """Add the steps of each payout that is accepted, as a person does: all are instructed, and
        one may be withdrawn.
        """
        for batch in [each for each in self.batches if not each.step]:
            for number, unit in enumerate(self._accepted(batch)):
                self._add_step("instruct", batch, unit)
                if number == self.withdraws:
                    self._add_step("withdraw", batch, unit)

    def _add_step(self, name: str, batch: Batch, unit: str) -> None:
        record, step = self.store(batch).record(), Batch(batch.state, f"{batch.name}/{name}")
        assert record is not None
        add_step(self.context(batch.state), self.store(batch), record, [unit], name)
        known = [(each.state, each.name) for each in self.batches]
        if (step.state, step.name) not in known:
            self.batches.append(step)

    def start(self, number: int, choice: int) -> None:
        if self.is_sent:
            self.is_sent = False
            self._send_first()
        self._take_steps()
        if self.is_about_steps:
            unsettled = [state.unsettled() for state in self.states]
            left = [
                place
                for place, batch in enumerate(self.batches)
                if batch.name in unsettled[batch.state]
            ]
            choice = left[choice % len(left)] if left else choice
        super().start(number, choice)

    def _send_first(self) -> None:
        """Send the first file; where it is about steps, both."""
        provider = self.world.provider
        provider.hides_new = self.lists_lag
        if self.is_about_steps:
            self.processes[0].at_once(self._send_later)
        for batch in self.batches if self.is_about_steps else self.batches[:1]:
            self.processes[0].at_once(partial(self._send, 0, batch))
        provider.hides_new = False

    def meanwhile(self, choice: int) -> None:
        """A list lags, or has caught up; or another program takes a step of one of our payouts."""
        provider = self.world.provider
        payouts = [work.id for work in provider.done if "payments" in work.values]
        if self.are_elsewhere and choice % 3 == 0 and payouts:
            unit = payouts[choice % len(payouts)]
            if provider.payout_status(unit, 0.0) == "ACCEPTED":
                method = ("POST", "DELETE")[choice % 2]
                fact = f"{method} /v3/payouts/{unit}"
                provider.others.append(Work(fact, {}, unit, "A", provider.clock()))
            return
        provider.hidden ^= set(provider.done[choice % 4 : choice % 4 + 1])

    def end(self) -> None:
        provider = self.world.provider
        provider.hidden.clear()
        super().end()
        self._take_steps()
        super().end()
        # What is lost ends once nothing of it can be under way, or the payout has come to its end.
        self.world.now += PAID_AFTER + SETTLE_FOR
        super().end()
        # Who withdraws what is instructed is told that it is too late.
        for batch in [each for each in self.batches if not each.step]:
            for unit in self._accepted(batch):
                if self._is_too_late(unit):
                    self.too_late.add(unit)
                    self._add_step("withdraw", batch, unit)
        super().end()

    def _is_too_late(self, unit: str) -> bool:
        """Whether a payout is instructed, and nobody has withdrawn it."""
        withdrawn = {
            payment.row.value
            for _, payment in self.all_payments()
            if payment.batch.endswith("/withdraw")
        }
        status = self.world.provider.payout_status(unit, self.world.provider.lag)
        return unit not in withdrawn and status in ("INSTRUCTED", "CONFIRMED")

    def judge(self) -> Iterator[str]:
        provider = self.world.provider
        payouts = {
            work.id: _references(work) for work in provider.done if "payments" in work.values
        }
        yield from (f"asked twice: {fact}" for fact in provider.repeated)
        told = self.all_payments()
        submitted = [(state, payment) for state, payment in told if "/" not in payment.batch]
        of_payout = dict[tuple[str, int], set[str]]()
        for state, payment in submitted:
            if payment.result is not None and payment.result.unit:
                unit = payment.result.unit, state
                of_payout.setdefault(unit, set()).add(payment.row.value or "")
        for state, payment in told:
            if payment.result is None or payment.result.outcome in NOT_ENDED:
                yield f"lost: {payment}"
            elif "/" in payment.batch:
                yield from self._judged_step(payment, payment.result)
            elif payment.result.unit:
                references = payouts.get(payment.result.unit)
                if self._is_wrong(payment) or of_payout[payment.result.unit, state] != references:
                    yield f"told wrong: {payment}, and there is {payouts}"
        if len({unit for unit, _ in of_payout}) < len(of_payout):
            yield f"told wrong: states have the same payout: {of_payout}"
        for reference in {payment.row.value for _, payment in submitted}:
            asked = [payment for _, payment in submitted if payment.row.value == reference]
            made = sum(reference in references for references in payouts.values())
            yield from self._judge_reference(reference, asked, made)

    def _is_wrong(self, payment: Payment) -> bool:
        """Whether what is told of a payment in a payout is not so."""
        result = payment.result
        assert result is not None
        if payment.row.value == self.rejected:
            return result.outcome is not RowOutcome.REJECTED
        is_named = (result.id or "").startswith(f"{result.unit}-")
        return result.outcome is not RowOutcome.CREATED or not is_named

    def _judge_reference(
        self, reference: str | None, asked: list[Payment], made: int
    ) -> Iterator[str]:
        """Judge what was made of a payment, which each state may ask for once."""
        results = [payment.result for payment in asked]
        may_be_made = [
            one is None or bool(one.unit) or one.outcome is RowOutcome.UNKNOWN for one in results
        ]
        if made > len(asked):
            yield (
                f"asked twice: {reference} is in {made} payouts, and was asked for "
                f"{len(asked)} times"
            )
        elif made > sum(may_be_made):
            yield f"told wrong: {asked}, and {reference} is in {made} payouts"
        elif made and self.is_alone and self._should_be_known(asked):
            yield f"lost: {asked}, and {reference} is there"

    def _should_be_known(self, asked: list[Payment]) -> bool:
        """Whether one of these payments is in doubt, and all clocks say when it was sent.

        After a clock was set, a payment that was made at that time may be another program's: a
        person looks at it.
        """
        is_set = [process.ahead for process in self.processes] != self.began_ahead
        dated = [payment for payment in asked if payment.is_dated and payment.state in IN_DOUBT]
        return bool(dated) and not is_set

    def _judged_step(self, payment: Payment, result: Result) -> Iterator[str]:
        provider, unit = self.world.provider, payment.row.value
        is_instruction = payment.batch.endswith("/instruct")
        method, other = ("POST", "DELETE") if is_instruction else ("DELETE", "POST")
        fact, other_fact = f"{method} /v3/payouts/{unit}", f"{other} /v3/payouts/{unit}"
        own, opposite = provider.of(fact), provider.of(other_fact)
        elsewhere = {work.fact for work in provider.others}
        is_done = bool(own) or fact in elsewhere
        if result.outcome is RowOutcome.UNKNOWN:
            if payment.is_dated:
                yield f"lost: {payment} never ends"
            return
        is_told_done = result.outcome is RowOutcome.CREATED
        is_refused = result.outcome is RowOutcome.REFUSED
        # The provider was well in the end, and each step was taken once more.
        if not is_told_done and provider.payout_status(unit or "", provider.lag) == "ACCEPTED":
            yield f"lost: {payment}, and nothing rules it out"
        if unit in self.too_late and not is_instruction and not is_refused:
            yield f"told wrong: {payment} is too late"
        # What is withdrawn after its instruction is not paid.
        is_undone = is_instruction and (bool(opposite) or other_fact in elsewhere)
        if (is_told_done and not is_done) or (not is_told_done and own and not is_undone):
            yield f"told wrong: {payment}, and there is {own}"


class BatchesBesideOthers(BesideOthers, Batches):
    def _payments(self) -> list[tuple[str, str, Any]]:
        rows = [payment.row for _, payment in self.all_payments()]
        return requests_of(
            sent_by_create({**(row.arguments or {}), "idempotency_key": row.key}) for row in rows
        )

    def _wrong(self, payment: Payment, works: list[Work], *, is_alone: bool) -> str | None:
        """After a 409, the key may have been used for as long as keys are kept: what another
        program has paid since then, with the same reference and values, may be the row's.
        """
        wrong = super()._wrong(payment, works, is_alone=is_alone)
        result = payment.result
        if result is None or wrong != "told wrong, created" or "409" not in (result.error or ""):
            return wrong
        found = [work for work in self.world.provider.others if work.id == result.id]
        return None if self._has_values(found, payment.row) else wrong


class PayrollsBesideOthers(BesideOthers, Payrolls):
    """It is about the payouts, and not their steps."""

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        drawn = Payrolls.draw(dice)
        steps = {"is_about_steps": False, "are_elsewhere": False, "withdraws": None}
        return {**drawn, "steps": drawn["steps"] | steps}

    def _payments(self) -> list[tuple[str, str, Any]]:
        rows = [payment.row for payment in self.payments(0)]
        rows.sort(key=lambda row: row.value or "")
        pairs = [rows[:2], rows[2:]]
        kind = self.kind_of(self.clients[0])
        bodies: list[Any] = []
        for pair in pairs:
            arguments = [kind.checked_arguments(row.arguments or {}) for row in pair]
            bodies.append(kind.call_for(arguments, "").body)
        return [
            (f"payout of another {number}", "/v3/payouts", body)
            for number, body in enumerate(bodies)
        ]
