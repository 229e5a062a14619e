"""The entries of a pass, several at once: one logic for blocking and awaited calls.

The steps of each entry are a generator (`Sending.deliver`), which yields calls and transactions.
The calls of several entries run at once. Transactions are made one after the other by the pass
itself: one for several entries, where no handler works in it. A walk of a list is one call for all
entries that it can show (`SharedCall`). Read `Deliveries.run` first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from victor_ext import VictorError
from victor_ext._event_queue.calls import CallEnd, Calls
from victor_ext._event_queue.transactions import Pass, Transaction
from victor_ext._event_queue.workers import is_ending
from victor_ext._settlement.failures import is_about_all

from ._claimed_entry import Claim, ClaimGroup
from ._engine import OutboxEngine
from ._entries import Entry, subjects_of
from ._sending import Sending
from ._steps import CallNotMade, Postponed, SharedCall, Step, Steps
from ._storing import SentResult

_LONGEST_PAUSE = 0.1
"""The maximum seconds for which a result waits to be stored together with others."""
_MOST_READ = 2_000
"""The number of entries after which a pass reads no other group."""
_LONGEST_READING = 5.0
"""The seconds after which it does not either."""
_LONGEST_WAIT = 5.0
"""The seconds after which a shared call waits for no other entries: until its first one is free."""


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

    @property
    def id(self) -> int:
        """The id of the entry, and the number of its call."""
        number: int = self.claim.row.id
        return number


class Deliveries:
    """Reads group after group of entries, and delivers them: one pass.

    After the first error that concerns all entries no entry begins: those under way end first, and
    their results are stored.

    Args:
        engine: Of the outbox.
        sending: Has the steps of an entry.
        calls: Makes their calls.
        on_failure: Called with an error that concerns all entries.

    Attributes:
        fatal: The first error that concerns all entries; None: there was none.
        error: The last error that may concern a single entry; None: there was none.
    """

    def __init__(
        self,
        engine: OutboxEngine,
        sending: Sending,
        calls: Calls,
        on_failure: Callable[[VictorError], None],
    ) -> None:
        self._engine = engine
        self._sending = sending
        self._refusals = sending.refusals
        self._calls = calls
        self._on_failure = on_failure
        self._claims: list[Claim] = []
        self._under_way: dict[int, EntryDelivery] = {}
        self._postponed: list[int] = []
        """Entries that wait until no other one is in a call."""
        self._calls_made = 0
        """The number of calls under way."""
        self._sharing: dict[int, SharedCall] = {}
        """Entries that wait for a call which they share."""
        self._sharing_since = 0.0
        """Since when the first of these waits, by `time.monotonic`."""
        self._sharers: dict[int, list[int]] = {}
        """The entries that share a call under way, by its number."""
        self._done: dict[int, Entry] = {}
        self.fatal: Exception | None = None
        self.error: VictorError | None = None
        self._reads_until = time.monotonic() + _LONGEST_READING
        self._read = 0
        """The number of entries that were read."""
        self._last_group: ClaimGroup | None = None
        self._has_call_ended = False
        """Whether a call has ended since the last group was read."""
        self._is_cut = False
        self._pause = 0.0
        """Seconds for which results wait for others: as long as the last transactions took."""

    def run(self) -> Pass[None]:
        """Deliver until no entry is left, or may begin, or until the pass is cut."""
        yield from self._begin()
        while self._under_way:
            yield from self._begin_shared()
            if self._calls_made:
                ends: list[CallEnd] = yield partial(self._calls.wait, self._pause)
                self._calls_made -= len(ends)
                self._has_call_ended = True
                yield from self._advance([*chain.from_iterable(map(self._ends_of, ends))])
            yield from self._begin()

    @property
    def is_cut(self) -> bool:
        """Whether the pass has ended since it was long enough: another one goes on."""
        return self._is_cut and self.fatal is None

    @property
    def done(self) -> list[Entry]:
        """The entries that have come to a result, oldest first; also after an error."""
        return [self._done[id] for id in sorted(self._done)]

    def _begin(self) -> Pass[None]:
        """Begin as many entries as may be under way; at last, let those go on that were
        postponed.
        """
        while True:
            while self._free_places() and (yield from self._ensure_claims()):
                yield from self._advance(self._next(self._free_places()))
            if not self._postponed or self._calls_made or self._sharing:
                return
            # No call is left that could show whose the refusals are.
            is_own = not (self._must_stop() or self._refusals.is_of_client)
            next_ones = self._postponed[: self._engine.workers]
            del self._postponed[: self._engine.workers]
            yield from self._advance([CallEnd(id, is_own) for id in next_ones])

    def _next(self, most: int) -> list[CallEnd]:
        """Let the next claims begin, at most so many."""
        begun: list[CallEnd] = []
        for claim in self._claims[:most]:
            is_alone = self._engine.queue.handlers.have_source(claim.row.operation)
            delivery = EntryDelivery(claim, self._sending.deliver(claim), is_alone)
            self._under_way[delivery.id] = delivery
            begun.append(CallEnd(delivery.id))
        del self._claims[:most]
        return begun

    def _free_places(self) -> int:
        """How many more entries may begin. One that waits for a shared call takes no place."""
        return 0 if self._is_sharing_due() else self._engine.workers - self._calls_made

    def _must_stop(self) -> bool:
        """Whether no entry may begin any more."""
        return self.fatal is not None or is_ending()

    def _ensure_claims(self) -> Pass[bool]:
        """Read the next group, if no claim is left. Returns whether an entry may begin.

        While calls are under way, a group is read only if the last one was full, or left an
        entry out that had to wait for a call which has ended now.
        """
        if self._must_stop():
            return False
        if self._claims:
            return True
        last = self._last_group
        has_freed = last is not None and last.waits and self._has_call_ended
        if last is not None and not last.is_full and not has_freed and self._under_way:
            return False
        is_long = self._read >= _MOST_READ or time.monotonic() >= self._reads_until
        # The next calls show whose a streak of refusals is.
        if is_long and not self._refusals.is_undecided:
            self._is_cut = last is not None and (last.is_full or last.waits)
            return False
        rows = [delivery.claim.row for delivery in self._under_way.values()]
        busy = {*chain.from_iterable(map(subjects_of, rows))}
        try:
            group = yield from self._sending.claims.read_next(busy)
        except Exception as error:  # noqa: BLE001 - it is raised once what is under way has ended
            self._stop(error)
            return False
        self._claims = [*group.claims]
        self._read += len(group.claims)
        self._last_group = group
        self._has_call_ended = False
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
            delivery = self._under_way[end.number]
            step = self._next_step(delivery, end)
            if self._refusals.error is not None:
                self._stop(self._refusals.error)
            if isinstance(step, Transaction):
                pending[delivery.id] = step
            elif isinstance(step, Postponed):
                self._postponed.append(delivery.id)
            elif step is not None:
                yield from self._call(delivery, step)

    def _call(self, delivery: EntryDelivery, step: Callable[[], Any] | SharedCall) -> Pass[None]:
        """Start a call of an entry, or let it wait for others that share it. After a fatal error
        the entry goes back.
        """
        if self.fatal is not None:
            yield from self._advance([CallEnd(delivery.id, error=CallNotMade())])
        elif isinstance(step, SharedCall):
            if not self._sharing:
                self._sharing_since = time.monotonic()
            self._sharing[delivery.id] = step
        else:
            yield from self._start(delivery.id, step)

    def _start(self, number: int, call: Callable[[], Any]) -> Pass[None]:
        self._calls_made += 1
        yield lambda: self._calls.start(number, call)

    def _is_sharing_due(self) -> bool:
        """Whether entries have waited long enough for others that share their call."""
        return bool(self._sharing) and time.monotonic() >= self._sharing_since + _LONGEST_WAIT

    def _begin_shared(self) -> Pass[None]:
        """Start the shared calls, unless calls are under way whose entries may share them."""
        if self.fatal is not None:
            waiting, self._sharing = sorted(self._sharing), {}
            yield from self._advance([CallEnd(id, error=CallNotMade()) for id in waiting])
        if self._calls_made and not self._is_sharing_due():
            return
        groups: dict[Hashable, list[int]] = {}
        for id in sorted(self._sharing):
            groups.setdefault(self._sharing[id].group, []).append(id)
        for ids in [*groups.values()][: self._engine.workers - self._calls_made]:
            steps = [self._sharing.pop(id) for id in ids]
            self._sharers[ids[0]] = ids
            yield from self._start(ids[0], partial(steps[0].make, [step.item for step in steps]))

    def _ends_of(self, end: CallEnd) -> list[CallEnd]:
        """The end of a call, for each entry that has shared it."""
        ids = self._sharers.pop(end.number, [])
        if not ids:
            return [end]
        if end.error is not None:
            return [CallEnd(id, error=end.error) for id in ids]
        ends: list[CallEnd] = []
        for id, result in zip(ids, end.result, strict=True):
            is_error = isinstance(result, VictorError)
            ends.append(CallEnd(id, error=result) if is_error else CallEnd(id, result))
        return ends

    def _next_step(self, delivery: EntryDelivery, end: CallEnd) -> Step | None:
        """Pass the end of a step to an entry, and return its next step; None: the entry is at its
        end.
        """
        try:
            if end.error is None:
                return delivery.steps.send(end.result)
            return delivery.steps.throw(end.error)
        except StopIteration as stop:
            if stop.value is not None:
                self._done[delivery.id] = stop.value
        except CallNotMade:
            pass  # its steps have stored it as it was
        except Exception as error:  # noqa: BLE001 - it is raised once what is under way has ended
            if isinstance(error, VictorError) and not is_about_all(error):
                self.error = error
            else:
                self._stop(error)
        del self._under_way[delivery.id]
        return None

    def _stop(self, error: Exception) -> None:
        """Let no entry begin any more, and remember the first error."""
        if error is self.fatal:
            return
        if isinstance(error, VictorError):
            self._on_failure(error)
        self.fatal = self.fatal or error

    def _make_transactions(self, pending: Mapping[int, Transaction]) -> Pass[list[CallEnd]]:
        """Make the next transaction of each entry: a shared one for the entries without handlers,
        if that is possible.
        """
        began = time.monotonic()
        # In the order in which all workers lock rows, so that no two wait for each other.
        in_order = dict(sorted(pending.items()))
        ends = yield from self._make_shared(in_order)
        stored = {end.number for end in ends}
        for id, transaction in in_order.items():
            if id not in stored:
                try:
                    result = yield transaction
                except Exception as error:  # noqa: BLE001 - its steps decide what the error means
                    ends.append(CallEnd(id, error=error))
                else:
                    ends.append(CallEnd(id, result))
        if pending:
            self._pause = max(0.0, min(time.monotonic() - began, _LONGEST_PAUSE))
        return ends

    def _make_shared(self, pending: Mapping[int, Transaction]) -> Pass[list[CallEnd]]:
        """Make one transaction in place of those that can share one. Empty: fewer than two can, or
        it failed.
        """
        shared = {
            id: step
            for id, step in pending.items()
            if not step.pause
            and (isinstance(step.result, Claim) or not self._under_way[id].is_alone)
        }
        if len(shared) < 2:
            return []
        try:
            results = yield self._joint_transaction([*shared.values()])
        except Exception:  # noqa: BLE001 - one of them may be the cause: each is tried alone
            return []
        return [CallEnd(id, result) for id, result in zip(shared, results, strict=True)]

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
                taken_up = self._sending.take_up(begun, connection)
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
