"""Workers of an outbox, each of which can die at every step; people who restore its backup, hold,
release, cancel, retry, resolve and forget; and another program of the same company, which uses the
same references: it pays less, or it has paid the same earlier. None of that is ours.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any
from unicodedata import normalize

import httpx
import sqlalchemy as sa

from tests.histories.calls import BASE, DUE, OPERATIONS, QUICK, client, key_of, kiosk
from tests.histories.provider import KEPT, Provider, Rules, Work, flat
from tests.histories.world import Pausing, Process, Stepped, World, in_world_time
from victor_ext import Done, OperationRow, PreparedCall, Proof, Victor, VictorError, VictorOAuth
from victor_ext.outbox import Entry, EntryState, Outbox
from victor_ext.outbox.holding import RESTORED

LEASES = 120.0, 2 * KEPT
"""Seconds; the second lease is that of workers whose calls may take as long."""
AT_ONCE = (1, 2, 3)
"""How many calls of a pass may be under way at once."""
OPEN, SETTLE_FOR = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING), 600.0
OVER = (EntryState.REJECTED, EntryState.REFUSED)
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
    refreshes = True
    by_hand: frozenset[str] | set[str] = frozenset()
    """The keys of entries that a person has ended."""

    def __init__(self, forms: tuple[int, ...], rest: float, at_once: int, **workers: Any) -> None:
        super().__init__(**workers)
        self._open(rest, at_once)
        self.entries = {
            key_of(number, "NFC"): (forms[number], REFERENCES[number]) for number in range(3)
        }
        with self.outbox._engine.begin() as connection:
            for number, (form, reference) in enumerate(self.entries.values()):
                # Twice, as a program does that was killed; the second time in another Unicode form.
                for spelling in (reference, normalize("NFC", reference)):
                    with suppress(VictorError):
                        key = key_of(number, "NFC" if spelling is reference else "NFD")
                        self.outbox.add(connection, **_invoice(form, spelling, key))

    def _open(self, rest: float, at_once: int) -> None:
        """Have the outbox, with nothing in it."""
        self.rest, self.lease = rest, LEASES[self.deadline != 60.0]
        self.outbox = shared_outbox(DATABASE[0], self.lease)
        self.outbox._workers = at_once
        self.world.provider.taken = self._taken
        with self.outbox._engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.table))

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
        columns, engine = self.outbox.table.c, self.outbox._engine
        query = sa.select(columns.request_id).where(columns.state == "sent")
        with getattr(engine, "connect", engine.begin)() as connection:  # it stops for nothing
            made = {row.request_id for row in connection.execute(query)}
        return self.world.provider.made_at(path, made)

    def start(self, number: int, choice: int) -> None:
        is_refresh = self.refreshes and choice % 8 == 7
        self.processes[number].start(lambda: self._pass(number, is_refresh=is_refresh))

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
        done = self.world.provider.done
        if len(done) > len(self.entries):
            yield f"asked twice: {len(done)} requests for {len(self.entries)} payments"
        for key, arguments in self.entries.items():
            asked = expected(*arguments, key)
            if key in entries:
                yield from self._judge_entry(entries[key], self.world.provider.of(key), asked)
            elif asked is not None:
                yield f"lost: add refuses {FORMS[arguments[0]]}, which create takes"

    def _judge_entry(self, entry: Entry, works: list[Work], asked: Any) -> Iterator[str]:
        ids, is_over = [work.id for work in works], entry.state in OVER
        if len(works) > 1:
            yield f"asked twice: {entry}, and there is {ids}"
        if entry.state is EntryState.SENT and ids[:1] != [entry.request_id]:
            yield f"told wrong: {entry}, and under its key is {ids}"
        is_doubted = is_over and RESTORED in (entry.error or "")
        if (is_over or entry.state is EntryState.WAITING) and works and not is_doubted:
            yield f"told wrong: {entry}, and there is {ids[0]}"
        if is_over and entry.idempotency_key not in self.world.refused | self.by_hand:
            yield f"lost: {entry} was accepted by add, and the provider did not reject it"
        # Where a page after the last one is an error, a list cannot be searched to its end.
        if entry.state in OPEN and self.world.rules.past_end == "empty":
            yield f"lost: {entry} is never settled"
        if entry.forgotten and entry.state not in (EntryState.SENT, *OVER):
            yield f"lost: {entry} is not settled"
        if works and asked is not None and works[0].values != asked:
            yield f"told wrong: {entry} was sent as {works[0].values}, and create sends {asked}"


_PERSON = {"by": "zoe", "why": "a test"}
MOVES = (
    "hide",
    "back up",
    "take back and back up",
    "restore",
    "restore",
    "release",
    "release",
    "cancel",
    "retry",
    "retry",
    "resolve",
    "forget",
)


class RestoredOutboxes(Outboxes):
    """Two workers of one outbox, and those who follow its page after a restore."""

    def __init__(self, **setup: Any) -> None:
        super().__init__(**setup)
        self.by_hand: set[str] = set()
        self.wrong: list[str] = []
        self.number_of_holds = 0
        self.held = 0
        """The number of the hold; 0: it is not held."""
        with self.outbox._engine.begin() as connection:
            connection.execute(sa.delete(self.outbox.control))
            self.backup = self._rows(connection)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        return {**super().draw(dice), "forms": (0, 0, 0)}

    def _rows(self, connection: Any) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
        tables = (self.outbox.table, self.outbox.events, self.outbox.control)
        return [
            (table, [dict(row._mapping) for row in connection.execute(sa.select(table))])
            for table in tables
        ]

    def _pass(self, number: int, *, is_refresh: bool = False) -> None:
        work, held = self.outbox.refresh if is_refresh else self.outbox.send, self.held
        with suppress(VictorError):
            changed = work(self.clients[number])
            if changed and held and held == self.held:
                self.wrong.append(f"told wrong: {changed} changed while the outbox was held")

    def meanwhile(self, choice: int) -> None:
        move, key = MOVES[choice % len(MOVES)], [*self.entries][choice // len(MOVES) % 3]
        getattr(self, f"_{move.replace(' ', '_')}")(key)

    def _hide(self, key: str) -> None:
        self.world.provider.hidden.update(work.id for work in self.world.provider.of(key))

    def _back_up(self, _key: str) -> None:
        with self.outbox._engine.begin() as connection:
            self.backup = self._rows(connection)

    def _take_back_and_back_up(self, key: str) -> None:
        self._cancel(key)
        self._back_up(key)
        self._retry(key)

    def _restore(self, _key: str) -> None:
        """The page's order: all workers are stopped, and it is held before they are started."""
        for number, process in enumerate(self.processes):
            if not process.is_idle:
                process.resume(None)
            self.kill(number)
        with self.outbox._engine.begin() as connection:
            for table, rows in self.backup:
                connection.execute(sa.delete(table))
                if rows:
                    connection.execute(sa.insert(table), rows)
        self.outbox.hold()
        self.number_of_holds += 1
        self.held = self.number_of_holds

    def _release(self, _key: str = "") -> None:
        self.outbox.release()
        self.held = 0

    def _cancel(self, key: str) -> None:
        with suppress(VictorError):
            self.outbox.cancel(key, **_PERSON)
            self.by_hand.add(key)

    def _retry(self, key: str) -> None:
        with suppress(VictorError):
            self.outbox.retry(key)

    def _resolve(self, key: str) -> None:
        """Somebody looks at the provider, once no worker is at work."""
        works = self.world.provider.of(key)
        if all(process.is_idle for process in self.processes):
            with suppress(VictorError):
                id = works[0].id if works else None
                self.outbox.resolve(key, done=bool(works), id=id, **_PERSON)
                self.by_hand.add(key)

    def _forget(self, key: str) -> None:
        """Also what somebody has just cancelled."""
        self._cancel(key)
        self.world.now += 1.0  # what has changed at this very moment is not old
        with self.outbox._engine.begin() as connection:  # its events were handled
            connection.execute(sa.delete(self.outbox.events))
        self.outbox.forget(older_than=timedelta(0))
        entry = self.outbox.entry(key)
        if entry is None:
            return
        with self.outbox._engine.begin() as connection:  # as a program does that was killed
            try:
                self.outbox.add(connection, **_invoice(*self.entries[key], key))
            except VictorError as error:
                self.wrong.append(f"told wrong: {entry} is refused with its own values: {error}")

    def end(self) -> None:
        """At last somebody tries again what was refused, and the data of what is settled goes."""
        self._release()
        super().end()
        for key in self.entries:
            self._retry(key)
        super().end()
        self._forget(next(iter(self.entries)))

    def judge(self) -> Iterator[str]:
        yield from self.wrong
        yield from super().judge()


def _find_payout(client: Any, call: Any, _since: Any, _given: Any) -> Any:
    listed = yield lambda: kiosk("api.default.list_payouts").sync(client=client.api)
    same = [each for each in listed if each.reference == call.body["reference"]]
    if len(same) != 1:
        return f"{len(same)} payouts have its reference."
    found = same[0].to_dict()
    created_at = datetime.fromisoformat(found["at"])
    return Done(same[0].id, created_at=created_at, compared=call.compared_with(found))


ROWS = {
    "POST /v1/payouts": OperationRow(
        proof=Proof(_find_payout, subject=lambda request: json.loads(request.content)["reference"])
    )
}
STORED = (
    "submit",
    "submit two",
    "instruct",
    "withdraw",
    "debit",
    "refund",
    "evaluate",
    "capture",
    "give back",
    "accept",
    "decline",
    "take",
    "pay out",
    "charge",
)
"""The writes that an outbox takes by `add_call`."""


class Writes(Outboxes):
    """Two workers of one outbox with three writes of one system, some of which may be about the
    same.
    """

    refreshes = False

    def __init__(
        self,
        writes: tuple[str, ...],
        names: tuple[int, ...],
        rest: float,
        at_once: int,
        **workers: Any,
    ) -> None:
        self.system, self.writes = OPERATIONS[writes[0]].system, writes
        Workers.__init__(self, **workers)
        self._open(rest, at_once)
        inbound = {f"name-{number}": {"amount": "44.23"} for number in range(3)}
        self.world.provider.inbound = inbound
        if len({*names}) < len(names):  # some are about the same
            self.settled = frozenset({"sent", "rejected", "unclear"})
        self.facts: dict[str, str] = {}
        self.outbox.client = self.clients[0]
        with self.outbox._engine.begin() as connection:
            for number, (write, name) in enumerate(zip(writes, names, strict=True)):
                operation, key = OPERATIONS[write], key_of(number, "NFC")
                args, named = operation.arguments(f"name-{name}")
                rest_of_it = "/refund" if write == "give back" else ""
                fact = f"{operation.fact}name-{name}{rest_of_it}"
                self.facts[key] = key if operation.is_keyed else fact
                method = operation.module if self.system == "kiosk" else operation.name
                terms = {**named, **operation.terms, "idempotency_key": key}
                for _ in range(2):  # as a program does that was killed
                    self.outbox.add_call(connection, method, *args, **terms)

    def _client(self, process: Process) -> Any:
        more: dict[str, Any] = {
            "eastpay": {"inquiry_by_reference": True},
            "kiosk": {"rows": ROWS},
        }
        return client(self.system, process, deadline=self.deadline, **more.get(self.system, {}))

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        system = dice.choice(sorted({OPERATIONS[write].system for write in STORED}))
        own = [write for write in STORED if OPERATIONS[write].system == system]
        writes, names = (tuple(dice.choice(of) for _ in range(3)) for of in (own, range(3)))
        setup = {"writes": writes, "names": names, "rest": 0.0, **Workers.draw(dice)}
        return {**setup, "at_once": dice.choice(AT_ONCE)}

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
                [entry for entry in entries if entry.state in (EntryState.WAITING, *OVER)],
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


EARLIER = 60.0
"""Seconds before the beginning of a history at which the other program has paid the same."""


class BesideOthers(Workers):
    """The move: another program pays, less than we or earlier, under a reference of ours."""

    is_alone = True
    """Whether no other program has paid with our references: what was made minutes before ours
    may be ours, too.
    """

    def __init__(self, **setup: Any) -> None:
        super().__init__(**setup)
        self.began = self.world.provider.clock()
        self.our_payments = list(self._payments())

    def _payments(self) -> list[tuple[str, str, Any]]:
        """Our payments: what the provider knows each by, the path that it is sent to, and its
        body.
        """
        raise NotImplementedError

    def meanwhile(self, choice: int) -> None:
        if choice % 4 == 0:  # a list lags, or has caught up
            super().meanwhile(choice)
            return
        provider = self.world.provider
        fact, path, body = self.our_payments[choice % len(self.our_payments)]
        is_earlier = choice % 4 == 1
        at = self.began - EARLIER if is_earlier else provider.clock()
        values = body if is_earlier else less(body)
        work = Work(fact, flat(values), f"X{len(provider.others):05}x7", "A", at)
        provider.add_of_others(path, values, work)
        self.is_alone = False


def requests_of(bodies: Iterable[Any]) -> list[tuple[str, str, Any]]:
    """Our payments, if these are the bodies of payment requests; None is none."""
    path = "/v2/payment-requests/request-payment"
    return [("another key", path, body) for body in bodies if body]


def less(body: Any) -> Any:
    """The same payment of a smaller amount."""
    if isinstance(body, list):
        return [less(each) for each in body]
    if not isinstance(body, dict):
        return body
    smaller: dict[str, Any] = {}
    for name, value in body.items():
        if name.rpartition(".")[2] == "amount":
            smaller[name] = 100 if isinstance(value, int) else "1.00"
        else:
            smaller[name] = less(value)
    return smaller


class WritesBesideOthers(BesideOthers, Writes):
    """The writes that a look-up finds by a reference."""

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        of_system = {"velo": ("submit", "submit two"), "eastpay": ("debit", "refund")}
        own = dice.choice([*of_system.values(), ("pay out",)])
        writes = tuple(dice.choice(own) for _ in range(3))
        return {**Writes.draw(dice), "writes": writes}

    def _payments(self) -> list[tuple[str, str, Any]]:
        with self.outbox._engine.begin() as connection:
            rows = connection.execute(sa.select(self.outbox.table.c.call)).scalars().all()
        calls = [PreparedCall.from_text(text) for text in rows]
        facts = list(self.facts.values())
        return [(fact, call.url, call.values) for fact, call in zip(facts, calls, strict=True)]


class OutboxesBesideOthers(BesideOthers, Outboxes):
    def _payments(self) -> list[tuple[str, str, Any]]:
        return requests_of(expected(*entry, key) for key, entry in self.entries.items())
