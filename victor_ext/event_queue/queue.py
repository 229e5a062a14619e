"""The queue of events: a table, the handlers of this process, and the pass that handles what is
stored.

An event is handled in the transaction that deletes its row. So it is handled once, however many
processes try. If a process is killed, its transaction is rolled back, and another process takes the
event up when the lease is over.

`EventQueue.handle` is the pass. `_tell_handlers` is for an event that has just come about: it is
handled in the transaction that makes it, and stored only if a handler fails.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import VictorError
from victor_ext.privacy import redact_excerpt
from victor_ext.settlement.failures import is_about_all, says_nothing_of_one

from .databases import (
    Condition,
    DatabaseTime,
    create_tables,
    database_time,
    earliest_time,
    is_to_come,
)
from .events import DeadLetters, EventState
from .handlers import E, EventHandlers, is_async
from .rows import change_rows, delete_rows, insert_once, take_first
from .transactions import Pass, Work, operation
from .workers import AwaitedWorker, BlockingWorker, WorkerPasses, is_ending

T = TypeVar("T")

_log = logging.getLogger("victor_ext.events")
_NOT_HANDLED = "The event %s of %s was not handled (try %d of %d)."

MOST_TRIES = 12
"""The failures after which an event is a dead letter: the waits between them are more than an
hour.
"""
_LONGEST_WAIT = 3600.0
"""The maximum seconds between two tries."""
_WAIT_AFTER_OUTAGE = 30.0
"""The minimum seconds after which an event is tried again if the provider could not be asked."""
_LONGEST_WAIT_AFTER_OUTAGE = 600.0
"""The maximum of these."""
_WANTED_FOR = 7 * 86_400.0
"""Seconds for which an event waits for a process that has a handler for it."""
_KILLED_MESSAGE = (
    "Its last try did not end within the lease: its process was killed, or the handler takes too "
    "long."
)


class EventQueue(EventHandlers[E], WorkerPasses, DeadLetters):
    """What outboxes and inboxes have in common: they store events, and call handlers with them."""

    table: sa.Table
    _forgotten_at = float("-inf")
    """When `_forget_old_rows` was last done, by the monotonic clock."""

    # What an outbox or an inbox defines

    def _provider(self, client: Any = None) -> str:
        """The name of the system whose events a pass with this client handles. The table may also
        have events of other systems.
        """
        raise NotImplementedError

    def _event_of(self, row: Any, tries: int) -> E:
        """The event in a row. `tries` counts the present try."""
        raise NotImplementedError

    def _may_work(self) -> Condition:
        """The condition that something may be taken up now, as part of the statement that does
        so.
        """
        return sa.true()

    def _prepare_event(
        self,
        event: E,
        client: Any,  # noqa: ARG002 - an inbox reads with it
    ) -> Pass[E]:
        """Complete an event before the transaction of its handlers opens."""
        yield from ()
        return event

    def _note_state(
        self,
        connection: Connection,  # noqa: ARG002 - an inbox asks the table
        event: E,  # noqa: ARG002 - as above
    ) -> bool:
        """Note the state that an event is about, in the transaction of its handlers. Return whether
        the state is new: if not, an earlier event was about it, and no handler is called.
        """
        return True

    # An event that has just come about

    def _tell_handlers(
        self, connection: Connection, error: Exception | None = None, **values: Any
    ) -> None:
        """Call the handlers of an event in the transaction that makes it; or store it, if they have
        raised an error before, which has rolled that transaction back.

        `values` are the column values of the event. An event that no handler of this process wants
        is not stored.
        """
        row = SimpleNamespace(**values)
        handlers = self._handlers_for(row)
        if not handlers:
            return
        if error is None:
            self._call_handlers(connection, handlers, self._event_of(row, 1))
            return
        due_at = DatabaseTime() + _wait_after(1)
        self._store_event(connection, **values, tries=1, due_at=due_at, error=_error_text(error))
        _log.warning(_NOT_HANDLED, row.name, row.subject, 1, MOST_TRIES, exc_info=error)

    def _store_event(self, connection: Any, **values: Any) -> Any:
        """Store an event, and return its id; None: an event with the same `once` waits already.

        `values` are column values; those that every new event has may be left out.
        """
        now = DatabaseTime()
        new = {
            "state": EventState.WAITING,
            "stored_at": now,
            "tries": 0,
            "due_at": now,
            "error": None,
        }
        return insert_once(connection, self.events, **{**new, **values})

    # Events that are stored

    @operation
    def handle(self, client: Any = None) -> Pass[list[E]]:
        """Handle the stored events of its system that this process has handlers of. Returns those
        that were handled.

        Each is handled in a transaction of its own, by one process. If a handler raises, nothing of
        its work is stored, and the event is tried again later; after 12 tries it is a dead letter.

        Args:
            client: Reads what an event of an inbox is about, in place of the inbox's own client. An
                outbox handles the events of this client's system, else those of its own client's,
                and without one Victor's.

        Raises:
            VictorError: The provider cannot be asked. The event waits: the older it is, the longer,
                but ten minutes at most.
        """
        provider = self._provider(client)
        yield from self._forget_old_rows(provider, client)
        if not self._handlers:
            return []
        take = partial(self._take, provider)
        return (yield from self._for_each_row(take, partial(self._handle_one, client)))

    def _forget_old_rows(self, provider: str, client: Any) -> Pass[None]:
        """Delete old rows, once in an hour."""
        now = time.monotonic()
        if now - self._forgotten_at <= _LONGEST_WAIT:
            return

        def forget(connection: Connection) -> None:
            self._forget(
                provider, connection, earliest_time(connection, self._client_or_own(client))
            )

        yield from self._transact(forget)
        self._forgotten_at = now

    def _forget(self, provider: str, connection: Connection, now: float) -> None:
        """Delete events that no process has had a handler for."""
        columns = self.events.c
        unwanted = sa.and_(
            columns.provider == provider,
            columns.state == EventState.WAITING,
            columns.stored_at < now - _WANTED_FOR,
            columns.tries == 0,
            columns.error.is_(None),
            sa.not_(self._is_wanted()),
        )
        delete_rows(connection, self.events, unwanted)

    def _handle_one(self, client: Any, row: Any) -> Pass[E | None]:
        """Handle an event that was taken up. Return the event if it was handled."""
        event = None
        try:
            event = yield from self._prepare_event(self._event_of(row, row.tries + 1), client)
            is_done = yield from self._transact(partial(self._handle_and_delete, row, event))
        except Exception as error:
            was_read = event is not None
            # The provider cannot be asked: the event waits, and no try is counted.
            if not was_read and isinstance(error, VictorError) and says_nothing_of_one(error):
                yield from self._transact(partial(self._store_untried, row, error))
                raise
            yield from self._transact(partial(self._store_failure, row, error))
            return None
        return event if is_done else None

    def _for_each_row(
        self, take: Callable[[int, Connection], Any], work: Callable[[Any], Pass[T | None]]
    ) -> Pass[list[T]]:
        """Take up row after row of a table, and do `work` with each. Returns its results that are
        not None.

        `take` takes up the first row after an id, or returns None. An error that may concern a
        single row is raised at the end; another one at once.
        """
        results: list[T] = []
        failure: VictorError | None = None
        last = 0
        while not is_ending():
            row = yield from self._transact(partial(take, last))
            if row is None:
                break
            last = row.id
            try:
                result = yield from work(row)
            except VictorError as error:
                if is_about_all(error):
                    raise
                failure = error
                continue
            if result is not None:
                results.append(result)
        if failure is not None:
            raise failure
        return results

    def _take(self, provider: str, last: int, connection: Connection) -> Any:
        """Take up the next event of this system after the id `last` that a handler wants, with a
        lease. Returns its row as it was before; None: there is no such event.
        """
        columns = self.events.c
        now = database_time(connection)
        waits = is_to_come(columns.due_at, now, max(self._lease, _LONGEST_WAIT))
        is_ours = sa.and_(columns.provider == provider, columns.state == EventState.WAITING)
        due = sa.and_(is_ours, sa.not_(waits), self._is_wanted(), self._may_work())
        after_try = partial(self._values_of_try, now)
        while True:
            is_next = sa.and_(due, columns.id > last)
            row = take_first(connection, self.events, is_next, ("tries", "due_at"), after_try)
            if row is None or not _has_ended_processes(row, now):
                return row
            last = row.id
            _log.warning(
                "The event %s of %s is a dead letter: %s", row.name, row.subject, _KILLED_MESSAGE
            )

    def _values_of_try(self, now: float, row: Any) -> Mapping[str, Any]:
        """The new column values of an event that is taken up. The try is counted before it is made,
        since it may end the process.
        """
        if _has_ended_processes(row, now):
            return {"state": EventState.DEAD, "error": _KILLED_MESSAGE}
        tries = self.events.c.tries + 1
        return {"tries": tries, "due_at": now + self._lease, "once": None}

    def _is_held(self, row: Any) -> Condition:
        """Holds for the row that `_take` has returned while no other worker has taken it up
        again.
        """
        columns = self.events.c
        return sa.and_(
            columns.id == row.id,
            columns.tries == row.tries + 1,
            columns.state == EventState.WAITING,
        )

    def _handle_and_delete(self, row: Any, event: E, connection: Connection) -> bool:
        """Delete an event, and call its handlers, in one transaction. Returns whether they were
        called.
        """
        if not delete_rows(connection, self.events, self._is_held(row)):
            return False
        if not self._note_state(connection, event):
            return False
        self._call_handlers(connection, self._handlers_for(row), event)
        return True

    def _store_untried(self, row: Any, error: Exception, connection: Connection) -> None:
        """Store an event whose try does not count. It waits, so that others come first in the next
        passes: the older it is, the longer, since the provider may fail for this event alone.
        """
        now = database_time(connection)
        age = now - row.stored_at
        wait = min(max(_WAIT_AFTER_OUTAGE, age / 10), _LONGEST_WAIT_AFTER_OUTAGE)
        change_rows(
            connection,
            self.events,
            self._is_held(row),
            tries=row.tries,
            due_at=now + wait,
            error=_error_text(error),
        )

    def _store_failure(self, row: Any, error: Exception, connection: Connection) -> None:
        """Store that a try has failed, and when the event is tried again."""
        tries = row.tries + 1
        state, wait = self._after_failure(error, tries)
        change_rows(
            connection,
            self.events,
            self._is_held(row),
            tries=tries,
            state=state.value,
            due_at=DatabaseTime() + wait,
            error=_error_text(error),
        )
        self._log_failure(row, error, tries)

    def _after_failure(
        self,
        error: Exception,  # noqa: ARG002 - an inbox asks what failed
        tries: int,
    ) -> tuple[EventState, float]:
        """The new state of an event whose try with this number has failed, and the seconds to the
        next try.
        """
        state = EventState.DEAD if tries >= MOST_TRIES else EventState.WAITING
        return state, _wait_after(tries)

    def _log_failure(self, row: Any, error: Exception, tries: int) -> None:
        _log.warning(_NOT_HANDLED, row.name, row.subject, tries, MOST_TRIES, exc_info=error)


class MakesTables:
    """An outbox or inbox that makes its tables itself. (With Django, a migration makes them.)"""

    table: sa.Table

    @operation
    def create_table(self) -> Work[None]:
        """Make the tables, unless they exist: in any number of processes at once.

        With migrations of your own, take `table.metadata` into them.
        """
        return partial(create_tables, self.table.metadata)


def _has_ended_processes(row: Any, now: float) -> bool:
    """Whether each try of an event seems to have ended its process: after the last one no end of a
    try was stored.
    """
    is_tried_out: bool = row.tries >= MOST_TRIES
    return is_tried_out and bool(row.stored_at < now - _LONGEST_WAIT)


def _wait_after(tries: int) -> float:
    """Seconds until the next try."""
    return min(2.0**tries, _LONGEST_WAIT)


def _error_text(error: Exception) -> str:
    """An error as it is stored: without long numbers, which may be account numbers."""
    return redact_excerpt(f"{type(error).__name__}: {error}")


class BlockingQueue(BlockingWorker, EventQueue[E]):
    """With blocking calls."""


class AwaitedQueue(AwaitedWorker, EventQueue[E]):
    """With awaited calls."""

    def _call_handler(self, function: Callable[..., object], session: Session, event: E) -> None:
        """Call a handler, which may be `async def`, on a connection that `run_sync` drives."""
        # Imported here, since it needs greenlet, which a program with blocking calls may not have.
        from sqlalchemy.ext.asyncio import AsyncSession  # noqa: PLC0415 - needs greenlet
        from sqlalchemy.util import await_only  # noqa: PLC0415 - needs greenlet

        def same_session(**_: object) -> Session:
            return session

        given: Session | AsyncSession = session
        # A decorator's plain wrapper of an `async def` hands its session on.
        if is_async(function) or is_async(inspect.unwrap(function)):
            # An async session over the very session of this transaction: `AsyncSession` calls its
            # "class".
            session_class = cast("Any", same_session)
            given = AsyncSession(sync_session_class=session_class)
        result = function(given, event)
        if inspect.isawaitable(result):
            await_only(result)
