"""Workers that send what is stored: the outbox, and the sending core of bulk. Each can die at every step."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any
from unicodedata import normalize

import httpx
import sqlalchemy as sa

from tests.histories.calls import BASE, DUE, QUICK, client, key_of
from tests.histories.provider import KEPT, Provider, Rules, Work, flat
from tests.histories.world import Process, World, pause
from victor_ext import Victor, VictorError, VictorOAuth, idempotency_key_for
from victor_ext.bulk.delivery import Delivery, SendTerms
from victor_ext.bulk.layout import Chunk
from victor_ext.bulk.rows import Progress, Result, Row, RowOutcome
from victor_ext.outbox import EntryState, Outbox
from victor_ext.settlement.flow import MAY_EXIST, Rival

LEASES, PATIENCE = (120.0, 2 * KEPT), 5.0
"""Seconds; the second lease is that of workers whose calls may take as long."""
YEAR = 365 * 86_400.0
AHEAD = (0.0, 0.0, 0.0, 3_600.0, -3_600.0, 100_800.0, -100_800.0, -100_800.0, 259_200.0, -259_200.0, YEAR, -YEAR)
FORMS: tuple[dict[str, Any], ...] = (
    {}, {"amount": 44}, {"amount": Decimal("44.2300")}, {"amount": Decimal(100).normalize()}, {"notes": None},
    {"due_date": DUE + timedelta(days=1)}, {"extra_body": {"payment_details": {"fee": Decimal("1.10")}}},
)  # fmt: skip
REFERENCES = ("Mü-1", normalize("NFD", "Mü-1"), "Mü-2", "Mü-3")
"""Two payments share a reference, an amount and a payer, as two instalments may. Each writes it in its own way."""


class Workers:
    """Two workers, each with an account and a machine of its own."""

    def __init__(self, rules: Rules, accounts: str, ahead: tuple[float, ...], deadline: float | None) -> None:
        self.world, self.deadline = World(rules), deadline
        self.processes = [Process(self.world, *each) for each in zip(accounts, ahead, strict=True)]
        self.clients = [client("victor", process, deadline=deadline) for process in self.processes]

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        accounts, ahead = dice.choice(["AA", "AA", "AA", "AB"]), (dice.choice(AHEAD), dice.choice(AHEAD))
        rules = Rules.draw(dice)
        rules = replace(rules, dates="never") if dice.random() < 0.3 else rules
        return {"rules": rules, "accounts": accounts, "ahead": ahead, "deadline": dice.choice([60.0, 60.0, 2 * KEPT])}

    def kill(self, number: int) -> None:
        self.clients[number] = client("victor", self.processes[number], deadline=self.deadline)

    def meanwhile(self, choice: int) -> None:
        """One of the requests is on no page of a list."""
        self.world.provider.hidden.update(self.world.provider.done[choice : choice + 1])


class Pausing:
    """An engine whose transactions begin and end at a stop; no transaction waits for another one."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        pause()
        with self._engine.begin() as connection:
            yield connection
        pause()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


DATABASE = ["sqlite://"]


@cache
def shared_outbox(database: str, lease: float) -> Outbox:
    """The outbox of all histories: SQLAlchemy keeps the statements of a table that it knows."""
    engine: Any = Pausing(sa.create_engine(database, poolclass=sa.pool.StaticPool))
    made = Outbox(engine, keys_kept=timedelta(seconds=KEPT), lease=timedelta(seconds=lease))
    made.create_table()
    return made


def _invoice(form: int, reference: str, key: str) -> dict[str, Any]:
    return {**BASE, "client_reference_id": reference, "idempotency_key": key, **FORMS[form]}


@cache
def _expected(*entry: Any) -> Any:
    """The values that `create` sends of an entry; None if it refuses it."""
    sent: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        token = Provider.token(request, request.content)
        sent.extend(() if token else (json.loads(request.content),))
        return httpx.Response(403) if token is None else httpx.Response(200, content=token.body)

    options: Any = {"transport": httpx.MockTransport(take), "retry": QUICK}
    with Victor(VictorOAuth("A", "a-secret"), **options) as victor, suppress(VictorError):
        victor.payment_requests.create(**_invoice(*entry))
    return flat(sent[0]) if sent else None


class Outboxes(Workers):
    """Two workers of one outbox with three entries."""

    settled = frozenset({"sent"})

    def __init__(self, forms: tuple[int, ...], rest: float, **workers: Any) -> None:
        super().__init__(**workers)
        self.rest = rest
        self.lease = LEASES[self.deadline != 60.0]
        self.outbox = shared_outbox(DATABASE[0], self.lease)
        self.entries = {key_of(number, "NFC"): (forms[number], REFERENCES[number]) for number in range(3)}
        with self.outbox._engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.table))
            for number, (form, reference) in enumerate(self.entries.values()):
                # Twice, as a program does that was killed; the second time in another Unicode form.
                for spelling in (reference, normalize("NFC", reference)):
                    with suppress(VictorError):
                        key = key_of(number, "NFC" if spelling is reference else "NFD")
                        self.outbox.add(connection, **_invoice(form, spelling, key))

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        forms = tuple(dice.choice([0] * 20 + [*range(len(FORMS))]) for _ in range(3))
        return {"forms": forms, "rest": dice.choice([0.0, 1.25 * KEPT, 1.25 * KEPT]), **super().draw(dice)}

    def start(self, number: int, choice: int) -> None:
        self.processes[number].start(lambda: self._pass(number, is_refresh=choice % 8 == 7))

    def _pass(self, number: int, *, is_refresh: bool = False) -> None:
        with suppress(VictorError):
            (self.outbox.refresh if is_refresh else self.outbox.send)(self.clients[number])

    def end(self) -> None:
        for seconds in (self.rest, 0.0, 0.0):
            self.world.now += seconds + 3 * self.lease  # of any worker's clock
            if self.outbox.entries("waiting") or self.outbox.entries("sending"):
                self.processes[0].at_once(lambda: self._pass(0))

    def words(self) -> Iterator[str]:
        return (entry.state.value for entry in self.outbox.entries())

    def judge(self) -> Iterator[str]:
        entries = {entry.idempotency_key: entry for entry in self.outbox.entries()}
        if len(self.world.provider.done) > len(self.entries):
            yield f"asked twice: {len(self.world.provider.done)} requests for {len(self.entries)} payments"
        for key, arguments in self.entries.items():
            entry, works, expected = entries.get(key), self.world.provider.of(key), _expected(*arguments, key)
            if entry is None:
                if expected is not None:
                    yield f"lost: add refuses {FORMS[arguments[0]]}, which create takes"
                continue
            if entry.state is EntryState.SENT and [work.id for work in works[:1]] != [entry.request_id]:
                yield f"told wrong: {entry}, and under its key is {[work.id for work in works]}"
            is_over = entry.state in (EntryState.REJECTED, EntryState.REFUSED)
            if (is_over or entry.state is EntryState.WAITING) and works:
                yield f"told wrong: {entry}, and there is {works[0].id}"
            if is_over and key not in self.world.refused:
                yield f"lost: {entry} was accepted by add, and the provider did not reject it"
            # Where a page after the last one is an error, a list cannot be searched to its end.
            is_open = entry.state in (EntryState.WAITING, EntryState.SENDING)
            if is_open and self.world.rules.past_end == "empty":
                yield f"lost: {entry} is never settled"
            if works and expected is not None and works[0].values != expected:
                yield f"told wrong: {entry} was sent as {works[0].values}, and create sends {expected}"


class Stop(threading.Event):
    """The event that ends all waits of a sender. To wait for it takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.sleep(timeout or 0.0)
        return self.is_set()


class Inline:
    """In place of the threads that send the rows of a chunk."""

    def submit(self, act: Callable[..., None], *arguments: Any) -> Future[None]:
        done = Future[None]()
        act(*arguments)
        done.set_result(None)
        return done


@dataclass(eq=False)
class Batch:
    """A batch of one state, as DBOS keeps it: the rows that are left, the steps of their attempt, and the results.

    A step is stored for the worker alone that has taken the batch up as the last one.
    """

    state: int
    name: str
    rows: list[Row]
    left: list[Row]
    progress: Progress = field(default_factory=Progress)
    owner: Process | None = None
    run: object = None
    results: dict[int, Result] = field(default_factory=dict)
    broken_off: int = 0

    def result(self, row: Row) -> tuple[Result | None, bool]:
        """The result of a row, and whether it may be under way."""
        index = self.left.index(row) if row in self.left else -1
        stored = self.progress.results.get(index)
        return stored or self.results.get(row.place), stored is None and 0 <= index < self.progress.begun


def _row(batch: str, place: int, number: int, **changes: Any) -> Row:
    arguments = {**BASE, "client_reference_id": REFERENCES[number], **changes}
    return Row(place + 1, idempotency_key_for(batch, str(number)), "", arguments, {}, place=place)


class Batches(Workers):
    """Two workers; two batches of one state whose rows share references; and a copy of a row in another state."""

    settled = frozenset({"created", "rejected", "refused", "unknown"})
    """An edited copy may be refused, and a due date by a machine whose clock is wrong."""

    def __init__(self, days: int, can_be_lost: bool, is_edited: bool, **workers: Any) -> None:
        super().__init__(**workers)
        self.can_be_lost, self.batches = can_be_lost, list[Batch]()
        due = str(datetime.fromtimestamp(self.world.provider.clock(), UTC).date() + timedelta(days=days))
        sizes: list[tuple[int, str, tuple[int, ...]]] = [(0, "march", (0, 1, 2, 3)), (0, "april", (1, 2))]
        # Of what another account has under the same keys, nobody can know.
        for state, name, numbers in [*sizes, (1, "march", (3,))][: 2 if "B" in workers["accounts"] else 3]:
            amount = "45.00" if state and is_edited else "44.23"
            rows = [_row(name, place, number, due_date=due, amount=amount) for place, number in enumerate(numbers)]
            self.batches.append(Batch(state, name, rows, rows))
        self.deliveries = [self._delivery(number) for number in range(len(self.processes))]

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        flags = {"can_be_lost": dice.random() < 0.3, "is_edited": dice.random() < 0.5}
        return {"days": dice.choice([0, 1, 1, 1]), **flags, **super().draw(dice)}

    def _delivery(self, number: int) -> Any:
        victor, monotonic = self.clients[number], lambda: self.world.now
        made: Any = Delivery(victor, 1, Stop(self.world), monotonic)
        made.close()
        made._threads, made._clock._local = Inline(), self.world.local
        return made

    def kill(self, number: int) -> None:
        super().kill(number)
        self.deliveries[number] = self._delivery(number)

    def start(self, number: int, choice: int) -> None:
        batch, process = self.batches[choice % len(self.batches)], self.processes[number]
        is_free = batch.owner is None or batch.owner.is_idle or self.can_be_lost
        if batch.left and is_free and (process.account == "A" or batch.progress.begun):
            process.start(lambda: self._send(number, batch))

    def _send(self, number: int, batch: Batch) -> None:
        """One execution of a chunk, as `Worker` does it."""
        run = batch.run = object()
        batch.owner, progress, results = self.processes[number], batch.progress, dict[int, Result]()
        batch.broken_off += progress.begun > 0
        delivery = self.deliveries[number]
        moment, _ = delivery.now()
        alone_since = (lambda: moment) if self.can_be_lost else None
        rows = {
            index: replace(row, sent=row.sent or progress.sent(index))
            for index, row in enumerate(batch.left)
            if index not in progress.results
        }
        terms = SendTerms(KEPT, PATIENCE, None, partial(self._rivals, batch.state), alone_since)
        for step in delivery.deliver(rows, terms, progress.begun, results):
            pause()
            if batch.run is not run:
                return
            progress.add(step)
            pause()
        pause()
        if batch.run is run:
            known = [(progress.results | results)[index] for index in range(len(batch.left))]
            batch.results.update(zip((row.place for row in batch.left), known, strict=True))
            left = Chunk(KEPT, PATIENCE, batch.left).unsettled(known).rows
            batch.left, batch.progress = list(left), Progress()
        if delivery.given_up is not None:
            self.deliveries[number] = self._delivery(number)

    def _rivals(self, state: int, references: Any, ids: Any) -> list[Rival]:
        """What `Worker._rivals` reads from the batches of a state."""
        rivals: list[Rival] = []
        for batch in (each for each in self.batches if each.state == state):
            for row in batch.rows:
                result, is_open = batch.result(row)
                named = result.id if result else None
                reference = normalize("NFC", (row.arguments or {})["client_reference_id"])
                if (result or is_open) and (reference in references or named in ids):
                    may_exist = is_open or (result is not None and result.outcome in MAY_EXIST)
                    rivals.append(Rival(row.key, reference, named, may_exist))
        return rivals

    def end(self) -> None:
        for batch in self.batches * 3:
            if batch.left:
                self.processes[0].at_once(partial(self._send, 0, batch))
            self.world.now += 20

    def words(self) -> Iterator[str]:
        return (result.outcome.value for batch in self.batches for result in batch.results.values())

    def judge(self) -> Iterator[str]:
        keys = [row.key for batch in self.batches for row in batch.rows]
        for batch in self.batches:
            if unbegun := self._unbegun(batch):
                yield f"lost: {len(unbegun)} rows of {batch.name} are in doubt that nobody began to send"
            for row in batch.rows:
                result, works = batch.results.get(row.place), self.world.provider.of(row.key)
                is_alone = keys.count(row.key) == 1
                wrong = self._wrong(row, result, works, is_alone=is_alone)
                if wrong:
                    ids = [work.id for work in works]
                    yield f"{wrong}: {batch.name}/{row.number} of state {batch.state}: {result}; under its key is {ids}"

    def _unbegun(self, batch: Batch) -> list[str]:
        """Rows of which nothing is known though nobody began to send them: at most one for each sender that broke off.

        That is where no answer has a time: else a key may have lapsed, or its age is not known.
        """
        if self.world.rules.dates != "never" or self.can_be_lost:
            return []
        unknown = [row for row in batch.rows if (one := batch.results.get(row.place)) and one.outcome in MAY_EXIST]
        unbegun = [row.key for row in unknown if row.key not in self.world.asked]
        return unbegun[batch.broken_off :]

    def _wrong(self, row: Row, result: Result | None, works: list[Work], *, is_alone: bool) -> str | None:
        # Another state cannot know of a key that lapsed before it was first used there.
        if len(works) > 1 and (is_alone or works[-1].at - works[0].at < KEPT):
            return "asked twice"
        if result is None:
            return "lost"
        is_nothing = result.outcome in (RowOutcome.REFUSED, RowOutcome.WAITING, RowOutcome.NOT_SENT) and is_alone
        # Of what another state has under the key, nothing but a conflict says anything.
        is_said = is_alone or "409" in (result.error or "")
        if (is_nothing or (result.outcome is RowOutcome.REJECTED and is_said)) and works:
            return f"told wrong, {result.outcome}"
        if result.outcome is RowOutcome.ACCEPTED and not works:
            return "told wrong, accepted"
        is_its_own = self._has_values([work for work in works if work.id == result.id], row)
        return "told wrong, created" if result.outcome is RowOutcome.CREATED and not is_its_own else None

    def _has_values(self, works: list[Work], row: Row) -> bool:
        """Whether one of these requests has the values of a row, as far as the answer to `create` shows them."""
        sent = {f"payment_details.{name}": (row.arguments or {})[name] for name in ("amount", "due_date", "notes")}
        for work in works:
            shown = json.dumps(self.world.provider.shown(work, self.world.rules.detail))
            if all(
                work.values[name] == value or json.dumps(work.values[name]) not in shown for name, value in sent.items()
            ):
                return True
        return False
