"""Workers that send what is stored: the outbox, and the sending core of bulk.

Each can die at every step.
"""

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any, NamedTuple
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
from tests.histories.states import (
    MemoryState,
    Pausing,
    Payment,
    Stepped,
    SteppedWorker,
    ask_again,
    go_on,
    in_world_time,
    store_file,
    take_over_doubt,
)
from tests.histories.world import Process, World
from victor_ext import Done, OperationRow, Proof, Victor, VictorError, VictorOAuth
from victor_ext.bulk.context import BulkContext
from victor_ext.bulk.payment_requests import PaymentRequests
from victor_ext.bulk.payments import IN_DOUBT, LEFT_OUT
from victor_ext.bulk.row_kind import RowKind
from victor_ext.bulk.rows import Row, RowOutcome
from victor_ext.bulk.store import Store
from victor_ext.outbox import EntryState, Outbox
from victor_ext.providers.eastpay import CardToken
from victor_ext.providers.flexfactor import Payer
from victor_ext.providers.velo import PaymentInstruction

LEASES = 120.0, 2 * KEPT
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


MAKES = re.compile(
    r"/request-payment$|/v3/payouts$|/v3/payments$|/v1/evaluate$|/v1/charges$|/v1/pay"
)
"""Paths at which something is made that has an id of its own."""


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
        self.world.provider.taken = self._taken
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

    def _taken(self, path: str) -> list[str]:
        """The ids of the entries that were sent to this path."""
        if not MAKES.search(path):
            return []
        columns, engine = self.outbox.table.c, self.outbox._engine
        query = sa.select(columns.request_id).where(columns.state == "sent")
        with getattr(engine, "connect", engine.begin)() as connection:  # it stops for nothing
            made = {row.request_id for row in connection.execute(query)}
        works = self.world.provider.done
        return [work.id for work in works if work.id in made and work.path == path]

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
ROWS = {
    "POST /v1/payouts": OperationRow(
        proof=Proof(_find_payout, subject=lambda request: json.loads(request.content)["reference"])
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
        provider.taken = self._taken
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
            "kiosk": {"rows": ROWS},
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
            ask_again(self.context(0), "april")
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
        store_file(self.context(state), name, rows)
        self.files.append((state, rows))
        if not any((batch.state, batch.name) == (state, name) for batch in self.batches):
            self.batches.append(Batch(state, name))

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
        (go_on if self.processes[number].account == "A" else take_over_doubt)(store)
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
        if not MAKES.search(path) or state is None:
            return []
        made = self.states[state].made()
        works = self.world.provider.done
        return [work.id for work in works if work.id in made and work.path == path]

    def payments(self, state: int) -> list[Payment]:
        """The payments of a state, with what is known of each."""
        with self.context(state).open() as store:
            return self.states[state].payments(store)

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
