"""Workers that send what is stored: the outbox, and the sending core of bulk.

Each can die at every step.
"""

import importlib
import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
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

from tests.histories.calls import (
    BASE,
    DECLINED,
    DUE,
    MERCHANT,
    QUICK,
    TOKEN,
    USD,
    client,
    key_of,
    kiosk,
)
from tests.histories.provider import KEPT, Provider, Rules, Work, flat
from tests.histories.world import Process, SteppedCalls, World, pause, with_world_time
from victor_ext import Done, Proof, Victor, VictorError, VictorOAuth, idempotency_key_for
from victor_ext.bulk.delivery import Delivery, SendTerms
from victor_ext.bulk.layout import Chunk
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.row_kind import Sendable
from victor_ext.bulk.rows import Progress, Result, Row, RowOutcome
from victor_ext.flows import drive
from victor_ext.outbox import EntryState, Outbox
from victor_ext.providers.eastpay import CardToken
from victor_ext.providers.flexfactor import Payer
from victor_ext.providers.velo import PaymentInstruction
from victor_ext.settlement.flow import MAY_EXIST, Rival

LEASES, PATIENCE = (120.0, 2 * KEPT), 5.0
"""Seconds; the second lease is that of workers whose calls may take as long."""
AT_ONCE = (1, 2, 3)
"""How many calls of a pass may be under way at once."""
OPEN, SETTLE_FOR = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING), 600.0
NOT_DONE = (EntryState.WAITING, EntryState.REJECTED, EntryState.REFUSED)
YEAR = 365 * 86_400.0
AHEAD = (
    0.0,
    0.0,
    0.0,
    3_600.0,
    -3_600.0,
    100_800.0,
    -100_800.0,
    -100_800.0,
    259_200.0,
    -259_200.0,
    YEAR,
    -YEAR,
)
FORMS: tuple[dict[str, Any], ...] = (
    {},
    {"amount": 44},
    {"amount": Decimal("44.2300")},
    {"amount": Decimal(100).normalize()},
    {"notes": None},
    {"due_date": DUE + timedelta(days=1)},
    {"extra_body": {"payment_details": {"fee": Decimal("1.10")}}},
)
REFERENCES = ("Mü-1", normalize("NFD", "Mü-1"), "Mü-2", "Mü-3")
"""Two payments share a reference, an amount and a payer, as two instalments may.

Each writes it in its own way.
"""


class Workers:
    """Two workers, each with an account and a machine of its own."""

    def __init__(
        self, rules: Rules, accounts: str, ahead: tuple[float, ...], deadline: float | None
    ) -> None:
        self.world, self.deadline = World(rules), deadline
        self.processes = [Process(self.world, *each) for each in zip(accounts, ahead, strict=True)]
        self.clients = [self._client(process) for process in self.processes]

    def _client(self, process: Process) -> Any:
        return client("victor", process, deadline=self.deadline)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        accounts, ahead = (
            dice.choice(["AA", "AA", "AA", "AB"]),
            (dice.choice(AHEAD), dice.choice(AHEAD)),
        )
        rules = Rules.draw(dice)
        rules = replace(rules, dates="never") if dice.random() < 0.3 else rules
        return {
            "rules": rules,
            "accounts": accounts,
            "ahead": ahead,
            "deadline": dice.choice([60.0, 60.0, 2 * KEPT]),
        }

    def kill(self, number: int) -> None:
        self.clients[number] = self._client(self.processes[number])

    def meanwhile(self, choice: int) -> None:
        """One of the requests is on no page of a list."""
        self.world.provider.hidden.update(self.world.provider.done[choice : choice + 1])


class Pausing:
    """An engine whose transactions begin and end at a stop; no transaction waits for another
    one.
    """

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


def in_world_time(engine: sa.Engine) -> sa.Engine:
    """Let the clock of this database be the true time of the world whose clocks are set."""

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def tell(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> tuple[str, Any]:
        return with_world_time(statement), parameters

    return engine


class Stepped:
    """An outbox whose calls go on as the events of a history let them."""

    _step: Any

    def _with_calls(self, _most: int, flow: Callable[[Any], Any]) -> Any:
        return drive(flow(SteppedCalls()), self._step)


class SteppedOutbox(Stepped, Outbox):
    """The outbox of the histories."""


DATABASE = ["sqlite://"]


@cache
def shared_outbox(database: str, lease: float) -> Outbox:
    """The outbox of all histories: SQLAlchemy keeps the statements of a table that it knows."""
    engine: Any = Pausing(in_world_time(sa.create_engine(database, poolclass=sa.pool.StaticPool)))
    kept = timedelta(seconds=KEPT)
    made = SteppedOutbox(engine, keys_kept=kept, lease=timedelta(seconds=lease))
    made.create_table()
    return made


def _invoice(form: int, reference: str, key: str) -> dict[str, Any]:
    return {**BASE, "client_reference_id": reference, "idempotency_key": key, **FORMS[form]}


@cache
def expected(*entry: Any) -> Any:
    """The values that `create` sends of an entry; None if it refuses it."""
    return sent_by_create(_invoice(*entry))


def sent_by_create(arguments: Mapping[str, Any]) -> Any:
    """The values that `create` sends; None if it refuses them."""
    sent: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        token = Provider.token(request, request.content)
        sent.extend(() if token else (json.loads(request.content),))
        return httpx.Response(403) if token is None else httpx.Response(200, content=token.body)

    options: Any = {"transport": httpx.MockTransport(take), "retry": QUICK}
    with Victor(VictorOAuth("A", "a-secret"), **options) as victor, suppress(VictorError):
        victor.payment_requests.create(**arguments)
    return flat(sent[0]) if sent else None


class Outboxes(Workers):
    """Two workers of one outbox with three entries."""

    settled = frozenset({"sent"})

    def __init__(self, forms: tuple[int, ...], rest: float, at_once: int, **workers: Any) -> None:
        super().__init__(**workers)
        self.rest = rest
        self.lease = LEASES[self.deadline != 60.0]
        self.outbox = shared_outbox(DATABASE[0], self.lease)
        self.outbox._workers = at_once
        self.entries = {
            key_of(number, "NFC"): (forms[number], REFERENCES[number]) for number in range(3)
        }
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
        return {
            "forms": forms,
            "rest": dice.choice([0.0, 1.25 * KEPT, 1.25 * KEPT]),
            **super().draw(dice),
            "at_once": dice.choice(AT_ONCE),
        }

    def start(self, number: int, choice: int) -> None:
        self.processes[number].start(lambda: self._pass(number, is_refresh=choice % 8 == 7))

    def _pass(self, number: int, *, is_refresh: bool = False) -> None:
        with suppress(VictorError):
            (self.outbox.refresh if is_refresh else self.outbox.send)(self.clients[number])

    def end(self) -> None:
        for seconds in (self.rest, 0.0, SETTLE_FOR):
            self.world.now += seconds + 3 * self.lease  # of any worker's clock
            if any(self.outbox.entries(state) for state in OPEN):
                self.processes[0].at_once(lambda: self._pass(0))

    def words(self) -> Iterator[str]:
        return (entry.state.value for entry in self.outbox.entries())

    def judge(self) -> Iterator[str]:
        entries = {entry.idempotency_key: entry for entry in self.outbox.entries()}
        if len(self.world.provider.done) > len(self.entries):
            yield (
                f"asked twice: {len(self.world.provider.done)} requests for {len(self.entries)} "
                "payments"
            )
        for key, arguments in self.entries.items():
            entry, works, asked = (
                entries.get(key),
                self.world.provider.of(key),
                expected(*arguments, key),
            )
            if entry is None:
                if asked is not None:
                    yield f"lost: add refuses {FORMS[arguments[0]]}, which create takes"
                continue
            if entry.state is EntryState.SENT and [work.id for work in works[:1]] != [
                entry.request_id
            ]:
                yield f"told wrong: {entry}, and under its key is {[work.id for work in works]}"
            is_over = entry.state in (EntryState.REJECTED, EntryState.REFUSED)
            if (is_over or entry.state is EntryState.WAITING) and works:
                yield f"told wrong: {entry}, and there is {works[0].id}"
            if is_over and key not in self.world.refused:
                yield f"lost: {entry} was accepted by add, and the provider did not reject it"
            # Where a page after the last one is an error, a list cannot be searched to its end.
            if entry.state in OPEN and self.world.rules.past_end == "empty":
                yield f"lost: {entry} is never settled"
            if works and asked is not None and works[0].values != asked:
                yield f"told wrong: {entry} was sent as {works[0].values}, and create sends {asked}"


def _find_payout(client: Any, call: Any, _since: Any, _given: Any) -> Any:
    listed = yield lambda: _kiosk("list_payouts").sync(client=client.api)
    same = [each for each in listed if each.reference == call.body["reference"]]
    if len(same) != 1:
        return f"{len(same)} payouts have its reference."
    found = same[0].to_dict()
    created_at = datetime.fromisoformat(found["at"])
    return Done(same[0].id, created_at=created_at, compared=call.compared_with(found))


def _kiosk(operation: str) -> Any:
    kiosk("client")
    return importlib.import_module(f"kiosk_api.api.default.{operation}")


def _in_kiosk(operation: str) -> Any:
    return lambda name: (
        (_kiosk(operation),),
        {"body": kiosk("models").Sale(amount=4423, reference=name)},
    )


def _pay(*names: str) -> tuple[str, list[PaymentInstruction]]:
    usual = {"remote_id": "p7", "amount": USD, "source_account_name": "USD"}
    return "payouts.submit", [PaymentInstruction(**usual, payor_payment_id=name) for name in names]  # type: ignore[arg-type] # its types are mixed


ACCEPTED = {"at_most_once": True}
LOOKED_UP = {"look_up_by": {"payor_id": MERCHANT}}
RESCUED = {
    "payer": Payer(email="ada@example.com"),
    "card": TOKEN,
    "transaction": DECLINED,
    "amount": USD,
}
PROOFS = {
    "POST /v1/payouts": Proof(
        _find_payout, subject=lambda request: json.loads(request.content)["reference"]
    )
}
RESPOND = "POST /v2/payment-requests/respond-to-request/"
WRITES: dict[str, tuple[str, Any, str]] = {
    "submit": ("velo", lambda name: (_pay(name), LOOKED_UP), ""),
    "submit two": ("velo", lambda name: (_pay(name, "more"), LOOKED_UP), ""),
    "instruct": ("velo", lambda name: (("payouts.instruct", name), {}), "POST /v3/payouts/"),
    "withdraw": ("velo", lambda name: (("payouts.withdraw", name), {}), "DELETE /v3/payouts/"),
    "debit": (
        "eastpay",
        lambda name: (
            ("payments.debit", USD),
            {"card": CardToken("t"), "merchant_transaction_id": name},
        ),
        "",
    ),
    "refund": (
        "eastpay",
        lambda name: (("payments.refund", "R7x", USD), {"merchant_transaction_id": name}),
        "",
    ),
    "evaluate": (
        "flexfactor",
        lambda name: (("evaluate",), {**RESCUED, "order_id": f"INV-{name}"}),
        "key",
    ),
    "capture": ("flexfactor", lambda _: (("capture", "o-1", USD), {}), "key"),
    "give back": (
        "flexfactor",
        lambda name: (("orders.refund", name, USD), ACCEPTED),
        "POST /v1/orders/",
    ),
    "accept": (
        "victor",
        lambda name: (("payment_requests.accept", name), {"notes": "Thanks."}),
        RESPOND,
    ),
    "decline": (
        "victor",
        lambda name: (("payment_requests.decline", name), {"notes": "Thanks."}),
        RESPOND,
    ),
    "take": ("kiosk", _in_kiosk("take_payment"), "key"),
    "pay out": ("kiosk", _in_kiosk("pay_out"), ""),
    "charge": ("tiny", lambda name: (("charges.create", name, 4423), {}), "key"),
}
"""Writes: their system, the arguments of `add_call`, and what the provider knows them by before the
name.
"""


class Writes(Outboxes):
    """Two workers of one outbox with three writes of one system, some of which may be about the
    same.
    """

    def __init__(
        self,
        writes: tuple[str, ...],
        names: tuple[int, ...],
        rest: float,
        at_once: int,
        **workers: Any,
    ) -> None:
        self.system, self.writes = WRITES[writes[0]][0], writes
        Workers.__init__(self, **workers)
        self.rest, self.lease = rest, LEASES[self.deadline != 60.0]
        self.outbox, provider = shared_outbox(DATABASE[0], self.lease), self.world.provider
        provider.inbound = {f"name-{number}": {"amount": "44.23"} for number in range(3)}
        if len({*names}) < len(names):  # some are about the same
            self.settled = frozenset({"sent", "rejected", "unclear"})
        self.facts: dict[str, str] = {}
        self.outbox.client = self.clients[0]
        self.outbox._workers = at_once
        with self.outbox._engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.table))
            for number, (write, name) in enumerate(zip(writes, names, strict=True)):
                (_, arguments, fact), key = WRITES[write], key_of(number, "NFC")
                args, named = arguments(f"name-{name}")
                rest_of_it = "/refund" if write == "give back" else ""
                self.facts[key] = key if fact == "key" else f"{fact}name-{name}{rest_of_it}"
                for _ in range(2):  # as a program does that was killed
                    self.outbox.add_call(connection, *args, **named, idempotency_key=key)

    def _client(self, process: Process) -> Any:
        more: dict[str, Any] = {
            "eastpay": {"inquiry_by_reference": True},
            "kiosk": {"proofs": PROOFS},
        }
        return client(self.system, process, deadline=self.deadline, **more.get(self.system, {}))

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        system = dice.choice(sorted({system for system, *_ in WRITES.values()}))
        own = [write for write, (each, *_) in WRITES.items() if each == system]
        writes, names = (tuple(dice.choice(of) for _ in range(3)) for of in (own, range(3)))
        setup = {"writes": writes, "names": names, "rest": 0.0, **Workers.draw(dice)}
        return {**setup, "at_once": dice.choice(AT_ONCE)}

    def start(self, number: int, choice: int) -> None:
        self.processes[number].start(lambda: self._pass(number))

    def meanwhile(self, choice: int) -> None:
        """A list lags, or has caught up."""
        self.world.provider.hidden ^= set(self.world.provider.done[choice : choice + 1])

    def judge(self) -> Iterator[str]:
        for fact in set(self.facts.values()):
            entries = [
                entry
                for entry in self.outbox.entries()
                if self.facts[entry.idempotency_key] == fact
            ]
            works, over = (
                self.world.provider.of(fact),
                [entry for entry in entries if entry.state in NOT_DONE],
            )
            told = [entry.request_id for entry in entries if entry.state is EntryState.SENT]
            made = {work.id for work in works}
            if len(works) > len(entries):
                yield f"asked twice: {fact} was done {len(works)} times for {len(entries)} entries"
            elif len(works) > len(entries) - len(over):
                yield f"told wrong: {over}, and there is {made}"
            if (told and not {*told} <= made | {None, "o-1", *fact.split("/")}) or (
                told and not made
            ):
                yield f"told wrong: {entries}, and there is {made}"
            if (
                len({*told} & made) < len([each for each in told if each in made])
                and "/" not in fact
            ):
                yield f"told wrong: {entries} are one"
            if any(entry.state in OPEN for entry in entries):
                yield f"lost: {entries} is never settled"


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
    """A batch of one state, as DBOS keeps it: the rows that are left, the steps of their attempt,
    and the results.

    A step of an attempt is stored for the worker alone that has taken the batch up as the last one.
    `step` is that of payouts, such as `instruct`.
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
    step: str = ""

    def result(self, row: Row) -> tuple[Result | None, bool]:
        """The result of a row, and whether it may be under way."""
        index = self.left.index(row) if row in self.left else -1
        stored = self.progress.results.get(index)
        return stored or self.results.get(
            row.place
        ), stored is None and 0 <= index < self.progress.begun


def _row(batch: str, place: int, number: int, **changes: Any) -> Row:
    arguments = {**BASE, "client_reference_id": REFERENCES[number], **changes}
    return Row(place + 1, idempotency_key_for(batch, str(number)), "", arguments, {}, place=place)


class Batches(Workers):
    """Two workers; two batches of one state whose rows share references; and a copy of a row in
    another state.
    """

    settled = frozenset({"created", "rejected", "refused", "unknown"})
    """An edited copy may be refused, and a due date by a machine whose clock is wrong."""
    reference, reads_own = "client_reference_id", True
    """What rivals have in common; and whether two rows of a batch may have it."""

    def __init__(self, days: int, can_be_lost: bool, is_edited: bool, **workers: Any) -> None:
        super().__init__(**workers)
        self.can_be_lost, self.batches = can_be_lost, list[Batch]()
        due = str(
            datetime.fromtimestamp(self.world.provider.clock(), UTC).date() + timedelta(days=days)
        )
        sizes: list[tuple[int, str, tuple[int, ...]]] = [
            (0, "march", (0, 1, 2, 3)),
            (0, "april", (1, 2)),
        ]
        # Of what another account has under the same keys, nobody can know.
        for state, name, numbers in [*sizes, (1, "march", (3,))][
            : 2 if "B" in workers["accounts"] else 3
        ]:
            amount = "45.00" if state and is_edited else "44.23"
            rows = [
                _row(name, place, number, due_date=due, amount=amount)
                for place, number in enumerate(numbers)
            ]
            self.batches.append(Batch(state, name, rows, rows))
        self.deliveries = [self._delivery(number) for number in range(len(self.processes))]

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        flags = {"can_be_lost": dice.random() < 0.3, "is_edited": dice.random() < 0.5}
        return {"days": dice.choice([0, 1, 1, 1]), **flags, **super().draw(dice)}

    def _delivery(self, number: int) -> dict[str, Any]:
        """What sends the rows of each step."""
        return {"": self._made(PaymentRequests(self.clients[number]))}

    def _made(self, kind: Sendable) -> Any:
        made: Any = Delivery(kind, 1, Stop(self.world), lambda: self.world.now)
        made.close()
        made._threads = Inline()
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
        delivery = self.deliveries[number][batch.step]
        moment, _ = delivery.now()
        alone_since = (lambda: moment) if self.can_be_lost else None
        units = {
            index: one.unit
            for index, one in progress.results.items()
            if one.outcome is RowOutcome.ACCEPTED
        }
        rows = {
            index: replace(
                row, sent=row.sent or progress.sent(index), unit=row.unit or units.get(index)
            )
            for index, row in enumerate(batch.left)
            if index not in progress.results or units.get(index)
        }
        terms = SendTerms(KEPT, PATIENCE, None, partial(self._rivals, batch), alone_since)
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

    def _rivals(self, own: Batch, references: Any, ids: Any) -> list[Rival]:
        """What `Worker._rivals` reads from the batches of a state."""
        rivals: list[Rival] = []
        for batch in (
            each
            for each in self.batches
            if each.state == own.state and (each is not own or self.reads_own)
        ):
            for row in batch.rows:
                result, is_open = batch.result(row)
                named = (result.unit or result.id) if result else None
                reference = normalize("NFC", (row.arguments or {}).get(self.reference) or "")
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
                yield (
                    f"lost: {len(unbegun)} rows of {batch.name} are in doubt that nobody began "
                    "to send"
                )
            for row in batch.rows:
                result, works = batch.results.get(row.place), self.world.provider.of(row.key)
                is_alone = keys.count(row.key) == 1
                wrong = self._wrong(row, result, works, is_alone=is_alone)
                if wrong:
                    ids = [work.id for work in works]
                    yield (
                        f"{wrong}: {batch.name}/{row.number} of state {batch.state}: {result}; "
                        f"under its key is {ids}"
                    )

    def _unbegun(self, batch: Batch) -> list[str]:
        """Rows of which nothing is known though nobody began to send them: at most one for each
        sender that broke off.

        That is where no answer has a time: else a key may have lapsed, or its age is not known.
        """
        if self.world.rules.dates != "never" or self.can_be_lost:
            return []
        unknown = [
            row
            for row in batch.rows
            if (one := batch.results.get(row.place)) and one.outcome in MAY_EXIST
        ]
        unbegun = [row.key for row in unknown if row.key not in self.world.asked]
        return unbegun[batch.broken_off :]

    def _wrong(
        self, row: Row, result: Result | None, works: list[Work], *, is_alone: bool
    ) -> str | None:
        # Another state cannot know of a key that lapsed before it was first used there.
        if len(works) > 1 and (is_alone or works[-1].at - works[0].at < KEPT):
            return "asked twice"
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
        is_its_own = self._has_values([work for work in works if work.id == result.id], row)
        return (
            "told wrong, created"
            if result.outcome is RowOutcome.CREATED and not is_its_own
            else None
        )

    def _has_values(self, works: list[Work], row: Row) -> bool:
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
