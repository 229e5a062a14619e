"""The entries of a pass, several at once: one logic for blocking and awaited calls.

Each entry is a generator. Its calls are made beside each other; its transactions are made by the
pass itself, those of several entries together if no handler takes part in them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from victor_ext import VictorError
from victor_ext.event_queue.calls import CallEnd, Calls
from victor_ext.event_queue.stopping import is_ending
from victor_ext.event_queue.transactions import Pass, Transaction
from victor_ext.settlement.flow import is_about_all

from .claims import Claim, Group
from .entries import Entry

_LONGEST_PAUSE = 0.1
"""Seconds for which a result waits at most to be stored together with others."""


@dataclass(eq=False, slots=True)
class Delivery:
    """An entry that is under way, with its steps.

    Attributes:
        is_alone: Whether its transactions are its own: handlers work in them.
    """

    claim: Claim
    steps: Generator[Callable[[], Any], Any, Entry | None]
    is_alone: bool

    @property
    def id(self) -> int:
        number: int = self.claim.row.id
        return number


@dataclass(frozen=True, slots=True)
class Terms:
    """What the entries of a pass are delivered by.

    Attributes:
        workers: The maximum number of entries under way at once.
        take_up: Takes up a group without these subjects.
        deliver: The steps of an entry.
        give_back: Stores entries as they were before.
        is_alone: Whether the transactions of an entry are its own.
        store: Stores several results of transactions; returns whether all of them were new.
        failed: Is told of an error that is about all.
    """

    workers: int
    take_up: Callable[[set[str]], Pass[Group]]
    deliver: Callable[[Claim], Pass[Entry | None]]
    give_back: Callable[[Sequence[Claim]], Pass[None]]
    is_alone: Callable[[Claim], bool]
    store: Callable[[sa.Connection, Sequence[Any]], bool]
    failed: Callable[[VictorError], None]


class Deliveries:
    """Takes up group after group, and sends them.

    The first error that is about all lets nothing more begin: what is under way ends first, and its
    results are stored. What was not begun is given back.
    """

    def __init__(self, terms: Terms, calls: Calls) -> None:
        self._terms, self._calls = terms, calls
        self._claims: list[Claim] = []
        self._under_way: dict[int, Delivery] = {}
        self._done: dict[int, Entry] = {}
        self._fatal: Exception | None = None
        self._error: VictorError | None = None
        self._is_waiting = False
        self._has_repeats = False
        self._pause = 0.0
        """Seconds for which results wait for others: what the last transaction took."""

    def all(self) -> Pass[list[Entry]]:
        """Deliver until nothing is left, or may begin. Returns the entries that have come to a
        result, oldest first.

        Raises what is about all, or else the last error that may be about one alone.
        """
        yield from self._begin()
        while self._under_way:
            ends: list[CallEnd] = yield partial(self._calls.ended, self._pause)
            if self._has_repeats:
                self._is_waiting = False
            yield from self._advance(ends)
            yield from self._begin()
        error = self._fatal or self._error
        if error is not None:
            raise error
        return [self._done[id] for id in sorted(self._done)]

    def _begin(self) -> Pass[None]:
        """Begin as many as there is room for."""
        while self._room() and (yield from self._has_claims()):
            chosen = self._claims[: self._room()]
            del self._claims[: len(chosen)]
            begun: list[CallEnd] = []
            for claim in chosen:
                steps = self._terms.deliver(claim)
                delivery = Delivery(claim, steps, self._terms.is_alone(claim))
                self._under_way[delivery.id] = delivery
                begun.append(CallEnd(delivery.id))
            yield from self._advance(begun)
        if self._is_over():
            yield from self._give_back()

    def _room(self) -> int:
        return self._terms.workers - len(self._under_way)

    def _is_over(self) -> bool:
        return self._fatal is not None or is_ending()

    def _has_claims(self) -> Pass[bool]:
        """Whether an entry may begin. Takes up the next group; while calls are under way, only if
        the last one was full, or left what had to wait for one of them.
        """
        if self._is_over():
            return False
        if self._claims:
            return True
        if self._is_waiting and self._under_way:
            return False
        busy = {delivery.claim.row.reference for delivery in self._under_way.values()}
        try:
            group = yield from self._terms.take_up(busy)
        except Exception as error:  # noqa: BLE001 - it is raised once what is under way has ended
            self._stop(error)
            return False
        self._claims = [*group.claims]
        self._is_waiting = not group.is_full
        self._has_repeats = group.waits
        return bool(self._claims)

    def _give_back(self) -> Pass[None]:
        claims, self._claims = self._claims, []
        if not claims:
            return
        try:
            yield from self._terms.give_back(claims)
        except Exception as error:  # noqa: BLE001 - it is raised at the end, and their lease ends
            self._stop(error)

    def _advance(self, ends: Sequence[CallEnd]) -> Pass[None]:
        """Go on with entries whose step has ended, until each is in a call, or at its end."""
        while ends:
            pending: dict[int, Transaction] = {}
            for end in ends:
                delivery = self._under_way[end.number]
                step = self._next_step(delivery, end)
                if isinstance(step, Transaction):
                    pending[delivery.id] = step
                elif step is not None:
                    yield from self._call(delivery, step)
            ends = yield from self._transactions(pending)

    def _call(self, delivery: Delivery, step: Callable[[], Any]) -> Pass[None]:
        if self._fatal is None:
            yield lambda: self._calls.start(delivery.id, step)
            return
        delivery.steps.close()  # whoever has its lease next makes this call
        del self._under_way[delivery.id]

    def _next_step(self, delivery: Delivery, end: CallEnd) -> Callable[[], Any] | None:
        """Return the next step of an entry; None: there is none."""
        try:
            if end.error is None:
                return delivery.steps.send(end.result)
            return delivery.steps.throw(end.error)
        except StopIteration as stop:
            if stop.value is not None:
                self._done[delivery.id] = stop.value
        except Exception as error:  # noqa: BLE001 - it is raised once what is under way has ended
            if isinstance(error, VictorError) and not is_about_all(error):
                self._error = error
            else:
                self._stop(error)
        del self._under_way[delivery.id]
        return None

    def _stop(self, error: Exception) -> None:
        """Let nothing more begin."""
        if isinstance(error, VictorError):
            self._terms.failed(error)
        self._fatal = self._fatal or error

    def _transactions(self, pending: Mapping[int, Transaction]) -> Pass[list[CallEnd]]:
        """Make the next transaction of each entry: one for all that have no handler, if it can be
        made.
        """
        began = time.monotonic()
        in_order = dict(sorted(pending.items()))  # as other workers lock them
        ends = yield from self._together(in_order)
        stored = {end.number for end in ends}
        for id, transaction in in_order.items():
            if id not in stored:
                end = yield from _alone(id, transaction)
                ends.append(end)
        if pending:
            self._pause = max(0.0, min(time.monotonic() - began, _LONGEST_PAUSE))
        return ends

    def _together(self, pending: Mapping[int, Transaction]) -> Pass[list[CallEnd]]:
        """Make one transaction in place of those that can share one. Empty: none was made."""
        can_share = self._can_share
        shared = {id: step for id, step in pending.items() if can_share(id, step)}
        if len(shared) < 2:
            return []
        try:
            results = yield self._joined([*shared.values()])
        except Exception:  # noqa: BLE001 - it may be about one of them: each is tried alone
            return []
        return [CallEnd(id, result) for id, result in zip(shared, results, strict=True)]

    def _can_share(self, id: int, transaction: Transaction) -> bool:
        return not self._under_way[id].is_alone and not transaction.pause

    def _joined(self, transactions: Sequence[Transaction]) -> Transaction:
        """One transaction in place of several, with one statement for results that are alike."""
        results = [
            transaction.result for transaction in transactions if transaction.result is not None
        ]

        def work(connection: sa.Connection) -> list[Any]:
            are_stored = bool(results) and self._terms.store(connection, results)
            done: list[Any] = []
            for transaction in transactions:
                if are_stored and transaction.result is not None:
                    done.append(transaction.result.entry)
                else:
                    done.append(transaction.work(connection))
            return done

        return Transaction(transactions[0].make, work)


def _alone(id: int, transaction: Transaction) -> Pass[CallEnd]:
    try:
        result = yield transaction
    except Exception as error:  # noqa: BLE001 - its steps know which ones are its own
        return CallEnd(id, error=error)
    return CallEnd(id, result)
