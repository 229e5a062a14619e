"""Workers of an outbox, each of which can die at every step; people who restore its backup, hold,
release, cancel, retry, resolve and forget; and another program of the same company, which uses the
same references: it pays less, or it has paid the same earlier. None of that is ours.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any
from unicodedata import normalize

import sqlalchemy as sa

from tests.histories.calls import BASE, OPERATIONS, client, key_of
from tests.histories.judge import Told, Word, judge
from tests.histories.provider import KEPT, Rules, Work, flat
from tests.histories.world import (
    Pausing,
    Process,
    SteppedDriver,
    World,
    in_world_time,
    put_back,
    rows_of,
)
from victor_ext import PreparedCall, VictorError
from victor_ext.outbox import Entry, EntryState, Outbox
from victor_ext.outbox._life import Life

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
REFERENCES = ("Mü-1", normalize("NFD", "Mü-1"), "Mü-2", "Mü-3")
"""Two payments share a reference, an amount and a payer, as two instalments may.

Each writes it in its own way.
"""
EARLIER = 60.0
"""Seconds before the beginning of a history at which the other program has paid the same."""


class Workers:
    """Two workers, each with an account and a machine of its own, and maybe the other program."""

    system = "victor"

    def __init__(
        self,
        rules: Rules,
        accounts: str,
        ahead: tuple[float, ...],
        deadline: float | None,
        is_beside_others: bool,
    ) -> None:
        self.world, self.deadline = World(rules), deadline
        self.is_beside_others, self.began = is_beside_others, self.world.provider.clock()
        self.processes = [Process(self.world, *each) for each in zip(accounts, ahead, strict=True)]
        self.clients = [self._client(process) for process in self.processes]

    def _client(self, process: Process) -> Any:
        return client(self.system, process, deadline=self.deadline)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        rules = Rules.draw(dice)
        rules = replace(rules, dates="never") if dice.random() < 0.3 else rules
        return {
            "rules": rules,
            "accounts": dice.choice(["AA", "AA", "AA", "AB"]),
            "ahead": (dice.choice(AHEAD), dice.choice(AHEAD)),
            "deadline": dice.choice([60.0, 60.0, 2 * KEPT]),
            "is_beside_others": dice.random() < 0.4,
        }

    def kill(self, number: int) -> None:
        self.clients[number] = self._client(self.processes[number])

    def _calls(self) -> list[tuple[str, Any]]:
        """The paths and the bodies of our payments, which the other program knows."""
        raise NotImplementedError

    def meanwhile(self, choice: int) -> None:
        """The other program pays; or a list lags, or has caught up."""
        provider = self.world.provider
        calls = self._calls() if self.is_beside_others and choice % 4 else []
        if not calls:
            place = choice % 5
            provider.hidden ^= set(provider.done[place : place + 1])
            return
        path, body = calls[choice % len(calls)]
        is_earlier = choice % 4 == 1
        at = self.began - EARLIER if is_earlier else provider.clock()
        values = body if is_earlier else less(body)
        work = Work("another's", flat(values), f"X{len(provider.others):05}x7", "A", at)
        provider.add_of_others(path, values, work)


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


class SteppedOutbox(Outbox):
    """The outbox of the histories."""

    _driver = SteppedDriver


DATABASE = ["sqlite://"]


@cache
def shared_engine(database: str) -> Any:
    """The engine of all histories of outboxes."""
    return Pausing(in_world_time(sa.create_engine(database, poolclass=sa.pool.StaticPool)))


@cache
def shared_outboxes(database: str, lease: float, at_once: int) -> tuple[Outbox, ...]:
    """The outboxes of all histories, one for each worker: SQLAlchemy keeps the statements of a
    table that it knows.
    """
    engine = shared_engine(database)
    times = {"keys_kept": timedelta(seconds=KEPT), "lease": timedelta(seconds=lease)}
    outboxes = tuple(SteppedOutbox(engine, **times, workers=at_once) for _ in range(2))
    outboxes[0].create_table()
    for outbox in outboxes:  # a person lets each account send
        outbox._parts.policy.require = lambda _connection, client: None
    return outboxes


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
    "charge",
)
"""The writes that an outbox takes by `add_call`."""
OF_OTHERS = ("create", "submit", "submit two", "debit", "refund")
"""The writes that the other program may have made, too."""


class Outboxes(Workers):
    """Two workers of one outbox with three writes of one system, some of which may be about the
    same.
    """

    by_hand: frozenset[str] | set[str] = frozenset()
    """The keys of entries that a person has ended."""

    def __init__(
        self,
        writes: tuple[str, ...],
        names: tuple[int, ...],
        rest: float,
        at_once: int,
        **workers: Any,
    ) -> None:
        self.system, self.writes, self.names = OPERATIONS[writes[0]].system, writes, names
        super().__init__(**workers)
        self.creates = writes[0] == "create"
        is_about_the_same = not self.creates and len({*names}) < len(names)
        self.settled = {"sent", "rejected", "unclear"} if is_about_the_same else {"sent"}
        self.rest, self.lease = rest, LEASES[self.deadline != 60.0]
        self.outboxes = shared_outboxes(DATABASE[0], self.lease, at_once)
        self.outbox = self.outboxes[0]
        self.outbox.client = self.clients[0]
        for number in range(2):
            self.kill(number)
        self.world.provider.taken = self._taken
        self.world.provider.inbound = {f"name-{each}": {"amount": "44.23"} for each in range(3)}
        self.facts = dict[str, str]()
        """By what the provider knows each entry, by the key of the entry."""
        with self.world.clocks(), self.outbox._engine.begin() as connection:
            for table in self.outbox.table.metadata.sorted_tables:
                connection.execute(sa.delete(table))
        with self.world.clocks(), self.outbox._engine.begin() as connection:
            for number, write in enumerate(writes):
                key = key_of(number, "NFC")
                self.facts[key] = key if OPERATIONS[write].is_keyed else self._fact(number)
                for form in ("NFC", "NFD"):  # twice, as a program does that was killed
                    self._add(connection, number, form)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        workers = Workers.draw(dice)
        taken = OF_OTHERS if workers["is_beside_others"] else STORED
        system = dice.choice(sorted({OPERATIONS[write].system for write in taken}))
        own = [write for write in taken if OPERATIONS[write].system == system]
        if dice.random() < 0.5:
            own = ["create"]
        return {
            "writes": tuple(dice.choice(own) for _ in range(3)),
            "names": tuple(dice.randrange(3) for _ in range(3)),
            "rest": dice.choice([0.0, 1.25 * KEPT, 1.25 * KEPT]),
            "at_once": dice.choice(AT_ONCE),
            **workers,
        }

    def kill(self, number: int) -> None:
        """The next process knows of no refusal, and of no life of the database: that of an earlier
        history was another one.
        """
        super().kill(number)
        outbox = self.outboxes[number]
        outbox._parts.refusals.clear()
        outbox._parts.holding.life = Life(outbox.table, outbox.control)

    def _fact(self, number: int) -> str:
        write, name = self.writes[number], f"name-{self.names[number]}"
        return f"{OPERATIONS[write].fact}{name}{'/refund' if write == 'give back' else ''}"

    def _add(self, connection: Any, number: int, form: Any) -> None:
        """Add an entry, in a Unicode form."""
        key, operation = key_of(number, form), OPERATIONS[self.writes[number]]
        if self.creates:
            reference = normalize(form, REFERENCES[number])
            arguments = {**BASE, "client_reference_id": reference, "idempotency_key": key}
            self.outbox.add(connection, **arguments)
            return
        args, named = operation.arguments(f"name-{self.names[number]}")
        terms = {**named, **operation.terms, "idempotency_key": key}
        self.outbox.add_call(connection, operation.name, *args, **terms)

    def _calls(self) -> list[tuple[str, Any]]:
        with self.outbox._engine.connect() as connection:  # it stops for nothing
            texts = connection.execute(sa.select(self.outbox.table.c.call)).scalars().all()
        calls = [PreparedCall.from_text(text) for text in texts if text]
        return [(call.url, call.values) for call in calls]

    def _taken(self, path: str) -> list[str]:
        """The ids of the entries that were sent to this path."""
        columns = self.outbox.table.c
        query = sa.select(columns.request_id).where(columns.state == "sent")
        with self.outbox._engine.connect() as connection:  # it stops for nothing
            made = set(connection.execute(query).scalars())
        return self.world.provider.made_at(path, made)

    def start(self, number: int, choice: int) -> None:
        is_refresh = self.creates and choice % 8 == 7
        self.processes[number].start(lambda: self._pass(number, is_refresh=is_refresh))

    def _pass(self, number: int, *, is_refresh: bool = False) -> None:
        with suppress(VictorError):
            outbox = self.outboxes[number]
            (outbox.refresh if is_refresh else outbox.send)(self.clients[number])

    def end(self) -> None:
        for seconds in (self.rest, 0.0, SETTLE_FOR):
            self.world.now += seconds + 3 * self.lease  # of any worker's clock
            if any(self.outbox.entries(state) for state in OPEN):
                self.processes[0].at_once(lambda: self._pass(0))

    def words(self) -> Iterator[str]:
        return (entry.state.value for entry in self.outbox.entries())

    def judge(self) -> Iterator[str]:
        entries = list(self.outbox.entries())
        more = [entry for entry in entries if entry.idempotency_key not in self.facts]
        if more:
            yield f"asked twice: {more} are of no payment that was added"
            return
        yield from judge(map(self._told, entries), self.world.provider.of)
        for entry in entries:
            is_ours = self.creates and entry.idempotency_key not in self.by_hand
            if is_ours and entry.state in OVER and self._was_not_refused(entry):
                yield f"lost: {entry} was accepted by add, and the provider did not reject it"
            if entry.forgotten and entry.state not in (EntryState.SENT, *OVER):
                yield f"lost: {entry} is not settled"

    def _was_not_refused(self, entry: Entry) -> bool:
        return entry.idempotency_key not in self.world.refused

    def _told(self, entry: Entry) -> Told:
        fact, word = self.facts[entry.idempotency_key], Word.UNKNOWN
        if entry.state is EntryState.SENT:
            word = Word.DONE
        elif entry.state in OVER and not entry.restored:
            word = Word.NOT_DONE
        elif entry.state in OPEN and (not self.creates or self.world.rules.past_end == "empty"):
            # Where a page after the last one is an error, a list cannot be searched to its end.
            word = Word.OPEN
        # What is done to something that was there has the id of that, or none.
        is_new = "/" not in fact and entry.request_id != "o-1"
        return Told(fact, word, entry.request_id if is_new else None, entry)


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
        self._back_up()

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        alone = {"writes": ("create",) * 3, "is_beside_others": False}
        return {**super().draw(dice), **alone}

    def _pass(self, number: int, *, is_refresh: bool = False) -> None:
        outbox, held = self.outboxes[number], self.held
        work = outbox.refresh if is_refresh else outbox.send
        with suppress(VictorError):
            changed = work(self.clients[number])
            if changed and held and held == self.held:
                self.wrong.append(f"told wrong: {changed} changed while the outbox was held")

    def meanwhile(self, choice: int) -> None:
        move, key = MOVES[choice % len(MOVES)], [*self.facts][choice // len(MOVES) % 3]
        getattr(self, f"_{move.replace(' ', '_')}")(key)

    def _hide(self, key: str) -> None:
        self.world.provider.hidden.update(work.id for work in self.world.provider.of(key))

    def _back_up(self, _key: str = "") -> None:
        tables = (self.outbox.table, self.outbox.events, self.outbox.control)
        with self.outbox._engine.begin() as connection:
            self.backup = rows_of(connection, tables)

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
            put_back(connection, self.backup)
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
                self._add(connection, [*self.facts].index(key), "NFC")
            except VictorError as error:
                if not entry.forgotten:
                    self.wrong.append(f"told wrong: {entry} is refused: {error}")

    def end(self) -> None:
        """At last somebody tries again what was refused, and the data of what is settled goes."""
        self._release()
        super().end()
        for key in self.facts:
            self._retry(key)
        super().end()
        self._forget(next(iter(self.facts)))

    def judge(self) -> Iterator[str]:
        yield from self.wrong
        yield from super().judge()
