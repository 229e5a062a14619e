"""The entries of a pass, several at once: one logic for blocking and awaited calls.

The steps of each entry are a generator (`Sending.deliver`), which yields calls and transactions.
The calls of several entries run at once. Transactions are made one after the other by the pass
itself: one for several entries, where no handler works in it. A walk of a list is one call for all
entries that it can show (`SharedCall`), after all other calls of the pass. Read `Deliveries.run`
first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import inf
from typing import Any

from sqlalchemy import Connection

from victor_ext import VictorError
from victor_ext._event_queue.calls import CallEnd, Calls
from victor_ext._event_queue.transactions import Pass, Transaction
from victor_ext._event_queue.workers import is_ending
from victor_ext._settlement.failures import is_about_all, pause_asked

from ._claimed_entry import Claim
from ._engine import OutboxEngine
from ._entries import Entry, subjects_of
from ._sending import Sending
from ._steps import CallNotMade, Postponed, SharedCall, Step, Steps
from ._storing import SentResult

_LONGEST_PAUSE = 0.1
"""The maximum seconds for which a result waits to be stored together with others."""
_LONGEST_READING = 5.0
"""The seconds from its first group on after which a pass reads no other group."""


@dataclass(eq=False, slots=True)
class EntryDelivery:
    """An entry that is under way.

    Attributes:
        steps: The steps of the entry, which return it if it has come to a result.
        is_alone: Whether its transactions are shared with no other entry, since handlers work in
            them.
    """

    claim: Claim
    steps: Steps[Entry | None]
    is_alone: bool


class Deliveries:
    """Reads group after group of entries, and delivers them: one pass.

    After the first error that concerns all entries no entry begins: those under way end first, and
    their results are stored.

    Args:
        engine: Of the outbox.
        sending: Has the steps of an entry.
        calls: Makes their calls.

    Attributes:
        fatal: The first error that concerns all entries; None: there was none.
        error: The last error that may concern a single entry; None: there was none.
        is_cut: Whether the pass has ended since it was long enough: another one goes on.
    """

    def __init__(self, engine: OutboxEngine, sending: Sending, calls: Calls) -> None:
        self._engine = engine
        self._sending = sending
        self._refusals = sending.refusals
        self._calls = calls
        self._claims: list[Claim] = []
        self._under_way: dict[int, EntryDelivery] = {}
        """By the ids of the entries, which are the numbers of their calls."""
        self._postponed: list[int] = []
        """Those that wait until no other one is in a call."""
        self._calls_made = 0
        """The number of calls under way."""
        self._sharing: dict[int, SharedCall] = {}
        """Those that wait for a call which they share."""
        self._sharers: dict[int, list[int]] = {}
        """The entries that share a call under way, by its number."""
        self._done: dict[int, Entry] = {}
        self.fatal: Exception | None = None
        self.error: VictorError | None = None
        self._reads_until = inf
        self.is_cut = False
        self._pause = 0.0
        """Seconds for which results wait for others: as long as the last transactions took."""

    def run(self) -> Pass[None]:
        """Deliver until no entry is left, or may begin, or until the pass is cut."""
        yield from self._begin()
        while self._under_way:
            if self._calls_made:
                ends: list[CallEnd] = yield partial(self._calls.wait, self._pause)
                self._calls_made -= len(ends)
                yield from self._advance([*chain.from_iterable(map(self._ends_of, ends))])
            elif self._sharing:
                yield from self._begin_shared()
            else:
                # No call is left that could show whose the refusals are.
                is_own = not (self._must_stop() or self._refusals.is_of_client)
                next_ones = self._postponed[: self._engine.workers]
                del self._postponed[: self._engine.workers]
                yield from self._advance([CallEnd(id, is_own) for id in next_ones])
            yield from self._begin()

    @property
    def done(self) -> list[Entry]:
        """The entries that have come to a result, oldest first; also after an error."""
        return [self._done[id] for id in sorted(self._done)]

    def _begin(self) -> Pass[None]:
        """Begin as many entries as may be under way."""
        while self._free_places() and (yield from self._ensure_claims()):
            yield from self._advance(self._next(self._free_places()))

    def _next(self, most: int) -> list[CallEnd]:
        """Let the next claims begin, at most so many."""
        begun: list[CallEnd] = []
        for claim in self._claims[:most]:
            is_alone = self._engine.queue.handlers.have_source(claim.row.operation)
            steps = self._sending.deliver(claim)
            self._under_way[claim.row.id] = EntryDelivery(claim, steps, is_alone)
            begun.append(CallEnd(claim.row.id))
        del self._claims[:most]
        return begun

    def _free_places(self) -> int:
        """How many more entries may begin. One that waits for others takes no place."""
        return self._engine.workers - self._calls_made

    def _must_stop(self) -> bool:
        """Whether no entry may begin any more."""
        return self.fatal is not None or is_ending()

    def _ensure_claims(self) -> Pass[bool]:
        """Read the next group, if no claim is left. Returns whether an entry may begin.

        While calls are under way, a group is read only if the last one has left some out.
        """
        if self._must_stop():
            return False
        if self._claims:
            return True
        claims = self._sending.claims
        if self._under_way and not claims.has_more:
            return False
        is_long = time.monotonic() >= self._reads_until
        # The next calls show whose a streak of refusals is.
        if is_long and not self._refusals.is_undecided:
            self.is_cut = claims.has_more
            return False
        # Also one that is refused, and that a person has let be sent again.
        rows = [delivery.claim.row for delivery in self._under_way.values()]
        busy = {*chain.from_iterable(map(subjects_of, rows))}
        try:
            self._claims = yield from claims.read_next(busy)
        except Exception as error:  # noqa: BLE001 - it is raised once what is under way has ended
            self._stop(error)
            return False
        self._reads_until = min(self._reads_until, time.monotonic() + _LONGEST_READING)
        return bool(self._claims)

    def _advance(self, ends: Sequence[CallEnd]) -> Pass[None]:
        """Go on with entries whose call or transaction has ended, until each is in its next call or
        at its end.
        """
        while ends:
            pending: dict[int, Transaction] = {}
            yield from self._step_each(ends, pending)
            # What begins in place of the entries that end here is taken up in the same transaction.
            go_on = [each for each in pending.values() if not isinstance(each.result, SentResult)]
            places = self._free_places() - len(go_on)
            if places > 0 and not self._must_stop():
                yield from self._step_each(self._next(places), pending)
            ends = yield from self._make_transactions(pending)

    def _step_each(self, ends: Sequence[CallEnd], pending: dict[int, Transaction]) -> Pass[None]:
        """Begin the next step of entries; if it is a transaction, add it to `pending`."""
        for end in ends:
            step = self._next_step(end)
            if self._refusals.error is not None:
                self._stop(self._refusals.error)
            if isinstance(step, Transaction):
                pending[end.number] = step
            elif isinstance(step, Postponed):
                self._postponed.append(end.number)
            elif isinstance(step, SharedCall):
                self._sharing[end.number] = step
            elif step is not None:
                yield from self._start([end.number], step)

    def _start(self, ids: Sequence[int], call: Callable[[], Any]) -> Pass[None]:
        """Start the call of these entries. After a fatal error they go back."""
        if self.fatal is not None:
            yield from self._advance([CallEnd(id, error=CallNotMade()) for id in ids])
            return
        self._calls_made += 1
        yield lambda: self._calls.start(ids[0], call)

    def _begin_shared(self) -> Pass[None]:
        """Start the shared calls: no other call is under way, whose entry may share one."""
        groups: dict[Hashable, list[int]] = {}
        for id in sorted(self._sharing):
            groups.setdefault(self._sharing[id].group, []).append(id)
        for ids in [*groups.values()][: self._engine.workers]:
            steps = [self._sharing.pop(id) for id in ids]
            self._sharers[ids[0]] = ids
            yield from self._start(ids, partial(steps[0].make, [step.item for step in steps]))

    def _ends_of(self, end: CallEnd) -> list[CallEnd]:
        """The end of a call, for each entry that has shared it."""
        ids = self._sharers.pop(end.number, None)
        if ids is None:
            return [end]
        if end.error is not None:
            return [CallEnd(id, error=end.error) for id in ids]
        return [CallEnd(id, result) for id, result in zip(ids, end.result, strict=True)]

    def _next_step(self, end: CallEnd) -> Step | None:
        """Pass the end of a step to its entry, and return the next step; None: the entry is at its
        end.
        """
        steps = self._under_way[end.number].steps
        try:
            if end.error is None:
                return steps.send(end.result)
            return steps.throw(end.error)
        except StopIteration as stop:
            if stop.value is not None:
                self._done[end.number] = stop.value
        except CallNotMade:
            pass  # its steps have stored it as it was
        except Exception as error:  # noqa: BLE001 - it is raised once what is under way has ended
            if isinstance(error, VictorError) and not is_about_all(error):
                self.error = error
            else:
                self._stop(error)
        del self._under_way[end.number]
        return None

    def _stop(self, error: Exception) -> None:
        """Let no entry begin any more, and remember the first error."""
        if error is self.fatal:
            return
        if isinstance(error, VictorError):
            self._engine.backoff.record_failure(pause_asked(error))
        self.fatal = self.fatal or error
        self.is_cut = False

    def _make_transactions(self, pending: Mapping[int, Transaction]) -> Pass[list[CallEnd]]:
        """Make the next transaction of each entry: a shared one for the entries without handlers,
        if that is possible.
        """
        began = time.monotonic()
        # In the order in which all workers lock rows, so that no two wait for each other.
        alone = sorted(pending)
        shared = [id for id in alone if self._may_share(id, pending[id])]
        ends: list[CallEnd] = []
        if len(shared) > 1:
            # If it fails, one of them may be the cause: each is tried alone.
            with suppress(Exception):
                results = yield self._joint_transaction([pending[id] for id in shared])
                ends += map(CallEnd, shared, results)
                alone = [id for id in alone if id not in shared]
        for id in alone:
            try:
                ends.append(CallEnd(id, (yield pending[id])))
            except Exception as error:  # noqa: BLE001 - its steps decide what the error means
                ends.append(CallEnd(id, error=error))
        if pending:
            self._pause = max(0.0, min(time.monotonic() - began, _LONGEST_PAUSE))
        return ends

    def _may_share(self, id: int, step: Transaction) -> bool:
        """Whether a transaction may be made together with those of other entries."""
        has_handlers = self._under_way[id].is_alone and not isinstance(step.result, Claim)
        return not step.pause and not has_handlers

    def _joint_transaction(self, transactions: Sequence[Transaction]) -> Transaction:
        """One transaction that does the work of several. It stores their results by one statement,
        unless one of these was stored before, and takes up by one other what begins.
        """
        stored = [each.result for each in transactions if isinstance(each.result, SentResult)]
        begun = [each.result for each in transactions if isinstance(each.result, Claim)]

        def work(connection: Connection) -> list[Any]:
            are_stored = bool(stored) and self._engine.rivals.store_results(connection, stored)
            done: list[Any] = []
            taken_up: Mapping[int, Claim] = {}
            if begun:
                taken_up = self._sending.claims.begin(begun, connection)
            for transaction in transactions:
                result = transaction.result
                if isinstance(result, Claim):
                    done.append(taken_up.get(result.row.id))
                elif are_stored and isinstance(result, SentResult):
                    done.append(result.entry)
                else:
                    done.append(transaction.work(connection))
            return done

        return Transaction(transactions[0].make, work)
