"""Workers that send what is stored: the outbox on SQLite, and the sending core of bulk. Each can die at every step."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any

import httpx
import sqlalchemy as sa

from tests.histories.calls import BASE, DUE, QUICK, client
from tests.histories.provider import KEPT, Rules, Work, flat
from tests.histories.world import Machine, Process, World, pause
from victor_ext import InvalidRequest, Victor, VictorError, VictorOAuth, idempotency_key_for
from victor_ext.bulk.delivery import Delivery, SendTerms
from victor_ext.bulk.layout import Chunk
from victor_ext.bulk.rows import Result, Row, RowOutcome, Sent
from victor_ext.outbox import EntryState, Outbox

LEASE = 120.0
SKEWS = (0.0, 0.0, 3_600.0, -3_600.0, 100_800.0, -100_800.0, 259_200.0, -259_200.0)
FORMS: tuple[dict[str, Any], ...] = (
    {}, {}, {"amount": 44}, {"amount": Decimal("44.2300")}, {"amount": Decimal(100).normalize()},
    {"notes": None}, {"due_date": DUE + timedelta(days=1)}, {"extra_body": {"payment_details": {"fee": Decimal("1.10")}}},
)  # fmt: skip
REFERENCES = ("INV-1", "INV-1", "INV-2")
"""Two payments share a reference, an amount and a payer, as two instalments may."""


class Workers:
    """Workers of one provider, on machines of their own."""

    def __init__(self, rules: Rules, accounts: str, skews: tuple[float, ...]) -> None:
        self.world = World(rules)
        self.processes = [
            Process(self.world, Machine(skew), account) for account, skew in zip(accounts, skews, strict=True)
        ]
        self.clients = [client("victor", process) for process in self.processes]

    @staticmethod
    def draw_workers(dice: Random) -> dict[str, Any]:
        rules = Rules.draw(dice)
        return {"rules": rules, "accounts": dice.choice(["AA", "AA", "AA", "AB"]), "skews": (dice.choice(SKEWS), dice.choice(SKEWS))}

    def kill(self, number: int) -> None:
        self.processes[number].kill()
        self.clients[number] = client("victor", self.processes[number])

    def alone(self, number: int, job: Callable[[], object]) -> None:
        """Run a job at once, while nothing else happens."""
        before, self.world.running = self.world.running, self.processes[number]
        try:
            job()
        finally:
            self.world.running = before

    def meanwhile(self, choice: int) -> None:
        """Another program's list does not show one of the requests."""
        self.world.provider.hide(choice)

    def made(self, key: str) -> list[Work]:
        return self.world.provider.of(key)


# The outbox


class Pausing:
    """An engine whose transactions begin and end at a stop."""

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


@cache
def _outbox() -> Outbox:
    """The outbox of all histories: SQLAlchemy keeps the statements of a table that it knows."""
    engine: Any = Pausing(sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool))
    made = Outbox(engine, keys_kept=timedelta(seconds=KEPT), lease=timedelta(seconds=LEASE))
    made.create_table()
    return made


@cache
def _expected(form: int, reference: str, key: str) -> bytes | None:
    """What `create` sends for these arguments; None if it refuses them."""
    bodies: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000})
        bodies.append(request.content)
        return httpx.Response(403)

    transport = httpx.MockTransport(take)
    with Victor(VictorOAuth("A", "a-secret"), transport=transport, retry=QUICK) as victor, suppress(VictorError):
        victor.payment_requests.create(**_invoice(form, reference, key))
    return bodies[0] if bodies else None


def _invoice(form: int, reference: str, key: str) -> dict[str, Any]:
    return {**BASE, "client_reference_id": reference, "idempotency_key": key, **FORMS[form]}


class Outboxes(Workers):
    """Two workers of one outbox with three entries."""

    def __init__(self, forms: tuple[int, ...], **workers: Any) -> None:
        super().__init__(**workers)
        self.outbox = _outbox()
        self.entries = [(form, reference, f"key-of-the-payment-{number}") for number, (form, reference) in enumerate(zip(forms, REFERENCES, strict=True))]
        with self.outbox._engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.table))
            for entry in self.entries:
                try:
                    self.outbox.add(connection, **_invoice(*entry))
                except InvalidRequest:
                    assert _expected(*entry) is None, "add refuses what create takes"

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {"forms": tuple(dice.choice([0] * 20 + list(range(len(FORMS)))) for _ in REFERENCES), **cls.draw_workers(dice)}

    def start(self, number: int, choice: int) -> None:
        self.processes[number].start(lambda: self._pass(number, refresh=choice % 8 == 7))

    def _pass(self, number: int, *, refresh: bool = False) -> None:
        with suppress(VictorError):
            (self.outbox.refresh if refresh else self.outbox.send)(self.clients[number])

    def end(self) -> None:
        for _ in range(4):
            if any(entry.state in (EntryState.WAITING, EntryState.SENDING) for entry in self.outbox.entries()):
                self.world.now += LEASE + 1
                self.alone(0, lambda: self._pass(0))

    settled = frozenset({"sent"})

    def words(self) -> Iterator[str]:
        return (entry.state.value for entry in self.outbox.entries())

    def judge(self) -> Iterator[str]:
        forms = {key: (form, reference, key) for form, reference, key in self.entries}
        for entry in self.outbox.entries():
            works, key, state = self.made(entry.idempotency_key), entry.idempotency_key, entry.state
            if len(works) > 1:
                yield f"asked twice: {key} ({entry.state}) made {len(works)} requests"
            if state is EntryState.SENT and entry.request_id not in [work.id for work in works]:
                yield f"told wrong: {entry} names {entry.request_id}, and under its key is {[work.id for work in works]}"
            if state in (EntryState.WAITING, EntryState.REFUSED) and works:
                yield f"told wrong: {entry}, and there is {works[0].id}"
            if state is EntryState.REFUSED and key not in self.world.refusals:
                yield f"lost: {entry} was accepted by add, and no provider refused it"
            if state in (EntryState.WAITING, EntryState.SENDING):
                yield f"lost: {entry} is never settled"
            expected = _expected(*forms[key])
            if works and expected is not None and works[0].values != flat(json.loads(expected)):
                yield f"told wrong: {entry} was sent as {works[0].values}, and create sends {expected!r}"


# Bulk


class Stop(threading.Event):
    """The event that ends all waits of a sender; to wait for it takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.now += timeout or 0.0
        pause()
        return self.is_set()


class Inline:
    """In place of the threads that send the rows of a chunk."""

    def map(self, act: Callable[[Any], Any], items: list[Any]) -> list[Any]:
        return [act(item) for item in items]


@dataclass(eq=False)
class Batch:
    """A batch of one state, as DBOS keeps it: its rows, what a worker stored when it began, and the results."""

    state: int
    name: str
    left: list[Row]
    began: tuple[Any, object] | None = None
    owner: Process | None = None
    attempt: int = 0
    results: dict[int, Result] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = list(self.left)


def _row(batch: str, number: int, reference: str, **changes: Any) -> Row:
    arguments = {**BASE, "client_reference_id": reference, **changes}
    return Row(number + 1, idempotency_key_for(batch, str(number)), "", arguments, {}, place=number)


class Batches(Workers):
    """Two workers; two batches of one state whose rows share references; and an edited copy in another state."""

    def __init__(self, due: str, *, can_be_lost: bool, **workers: Any) -> None:
        super().__init__(**workers)
        day = timedelta(days=1)
        today = date.fromtimestamp(self.world.now + self.world.rules.ahead)
        sent: dict[str, Any] = {"due_date": str(today + (day if due == "tomorrow" else 0 * day))}
        self.can_be_lost = can_be_lost
        self.batches = [
            Batch(0, "march", [_row("march", number, reference, **sent) for number, reference in enumerate(REFERENCES)]),
            Batch(0, "april", [_row("april", number, reference, **sent) for number, reference in enumerate(REFERENCES[1:])]),
            Batch(1, "march", [_row("march", 0, REFERENCES[0], **sent), _row("march", 2, REFERENCES[2], **{**sent, "amount": "45.00"})]),
        ]
        if len(set(workers["accounts"])) > 1:
            del self.batches[2]  # nobody can know what another account has under the same keys
        self.stops = [Stop(self.world) for _ in self.processes]
        self.deliveries = [self._delivery(number) for number in range(len(self.processes))]

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {"due": dice.choice(["today", "tomorrow"]), "can_be_lost": dice.random() < 0.3, **cls.draw_workers(dice)}

    def _delivery(self, number: int) -> Delivery:
        victor = self.clients[number]
        self.stops[number] = Stop(self.world)
        made: Any = Delivery(victor, 1, self.stops[number], victor.caller, self.world.monotonic)
        made.close()
        made._threads, made._clock._local = Inline(), self.world.local
        return made  # type: ignore[no-any-return] # of any type above, for its private parts

    def start(self, number: int, choice: int) -> None:
        batch, process = self.batches[choice % len(self.batches)], self.processes[number]
        if process.account != "A" and batch.began is None:
            return
        if batch.left and (batch.owner is None or batch.owner.is_idle or self.can_be_lost):
            process.start(lambda: self._send(number, batch))

    def kill(self, number: int) -> None:
        super().kill(number)
        self.deliveries[number] = self._delivery(number)

    def _send(self, number: int, batch: Batch) -> None:
        """One execution of a chunk, as `Worker` does it."""
        attempt, run, batch.owner = batch.attempt, object(), self.processes[number]
        delivery = self.deliveries[number]
        moment, sent = delivery.begin()
        pause()
        if batch.attempt != attempt:
            return
        batch.began = batch.began or (sent.to_json(), run)
        before = None if batch.began[1] is run else Sent.from_json(batch.began[0])
        alone_since = (lambda: moment) if self.can_be_lost else None
        terms = SendTerms(KEPT, 5.0, None, before, partial(self._shared, batch), alone_since)
        results = delivery.deliver(batch.left, terms)
        pause()
        if batch.attempt == attempt:
            batch.results.update(zip((row.place for row in batch.left), results, strict=True))
            left = Chunk(KEPT, 5.0, "", batch.left).unsettled(results).rows
            batch.left, batch.began, batch.attempt = list(left), None, attempt + 1
        if delivery.given_up is not None:
            self.deliveries[number] = self._delivery(number)

    def _shared(self, batch: Batch, references: Any) -> set[str]:
        """What `shared_references` reads from the state. Re-point it with `Delivery`."""
        found = [str((row.arguments or {})["client_reference_id"]) for row in batch.rows]
        return {reference for reference in references if found.count(reference) > 1}

    def end(self) -> None:
        for _ in range(3):
            for batch in self.batches:
                if batch.left:
                    self.alone(0, partial(self._send, 0, batch))
            self.world.now += 60

    settled = frozenset({"created", "rejected", "refused", "unknown"})
    """An edited copy may be refused, and the due date of a machine whose clock is wrong."""

    def words(self) -> Iterator[str]:
        return (result.outcome.value for batch in self.batches for result in batch.results.values())

    def judge(self) -> Iterator[str]:
        for batch in self.batches:
            for row in batch.rows:
                yield from self._judge(batch, row, batch.results.get(row.place))

    def _judge(self, batch: Batch, row: Row, result: Result | None) -> Iterator[str]:
        works = self.made(row.key)
        what = f"{batch.name}/{row.number} of state {batch.state} ({result})"
        twins = [each for other in self.batches for each in other.rows if each.key == row.key]
        # Another state cannot know of a key that lapsed before it was first used there.
        if len(works) > 1 and (len(twins) == 1 or works[-1].at - works[0].at < KEPT):
            yield f"asked twice: {what} made {len(works)} requests"
        if result is None:
            yield f"lost: {what} was never sent"
            return
        outcome = result.outcome
        if outcome is RowOutcome.CREATED and not any(work.id == result.id and self._is(work, row) for work in works):
            yield f"told wrong: {what}, and under its key is {[(work.id, work.values) for work in works]}"
        if outcome is RowOutcome.ACCEPTED and not works:
            yield f"told wrong: {what}, and nothing was done"
        nothing = outcome in (RowOutcome.REFUSED, RowOutcome.WAITING, RowOutcome.NOT_SENT) and len(twins) == 1
        if works and (nothing or outcome is RowOutcome.REJECTED):
            yield f"told wrong: {what}, and there is {works[0].id}"

    def _is(self, work: Work, row: Row) -> bool:
        """Whether a request has the values of a row, as far as the answer to `create` shows them."""
        shown = json.dumps(self.world.provider.shown(work, self.world.rules.detail))
        values = {name.rpartition(".")[2]: value for name, value in work.values.items()}
        names = ("amount", "due_date", "client_reference_id", "notes")
        return all(values[name] == (row.arguments or {})[name] for name in names if json.dumps(values[name]) in shown)
