"""The queue of events: a table, the handlers of this process, and the pass that handles what is
stored.

An event is handled in the transaction that deletes its row. So it is handled once, however many
processes try: what a killed one had begun is rolled back, and another one takes it when the lease
is over.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import VictorError
from victor_ext.privacy import redact_excerpt
from victor_ext.settlement.flow import is_about_all

from .databases import (
    Condition,
    DatabaseTime,
    create_tables,
    database_time,
    earliest_time,
    is_to_come,
)
from .dead_letters import DeadLetters
from .events import EventState
from .handlers import E, EventHandlers
from .rows import insert_once, take_first
from .stopping import is_ending
from .transactions import Engine, Pass, Work, operation
from .workers import AwaitedWorker, BlockingWorker, WorkerPasses

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it

T = TypeVar("T")

_log = logging.getLogger("victor_ext.events")
_NOT_HANDLED = "The event %s of %s was not handled (try %d of %d)."

MOST_TRIES = 12
"""After so many failures, the last of them more than an hour after the first, an event is a dead
letter.
"""
_LONGEST_WAIT = 3600.0
"""Seconds between two tries."""
_AGAIN = 30.0
"""Seconds after which an event is tried again whose object could not be read."""
_WANTED_FOR = 7 * 86_400.0
"""Seconds for which an event waits for a process that has a handler of it."""
_KILLED = (
    "Its last try did not end within the lease: its process was killed, or the handler takes too "
    "long."
)


class EventQueue(EventHandlers[Engine, E], WorkerPasses[Engine], DeadLetters[Engine]):
    """What outboxes and inboxes have in common: their events, and the handlers of these."""

    table: sa.Table
    _forgotten_at = float("-inf")

    # The parts of an outbox or an inbox

    def _provider(self, client: Any = None) -> str:
        """The system whose events a pass with this client handles: other boxes may have theirs in
        the same table.
        """
        raise NotImplementedError

    def _event_of(self, row: Any, tries: int) -> E:
        """The event that a row has."""
        raise NotImplementedError

    def _may_work(self) -> Condition:
        """Whether something may be taken up now: a part of the statement that does so."""
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
        connection: sa.Connection,  # noqa: ARG002 - an inbox asks the table
        event: E,  # noqa: ARG002 - as above
    ) -> bool:
        """Whether an event that is about to be handled is none that was handled before under
        another name.
        """
        return True

    # In the transaction of another one

    def _tell_handlers(
        self, error: Exception | None, connection: sa.Connection, **values: Any
    ) -> None:
        """Let the handlers do their work with the change that it is about; or store the event, if
        they raised an error.

        What no handler of this process wants is not stored.
        """
        row = SimpleNamespace(**values)
        handlers = self._handlers_for(row)
        if not handlers:
            return
        if error is None:
            self._call_handlers(connection, handlers, self._event_of(row, 1))
            return
        due_at = DatabaseTime() + _wait_after(1)
        self._put(connection, **values, tries=1, due_at=due_at, error=_error_text(error))
        _log.warning(_NOT_HANDLED, row.name, row.subject, 1, MOST_TRIES, exc_info=error)

    def _put(self, connection: Any, **values: Any) -> Any:
        """Store an event, unless its like waits; returns its id, or None."""
        now = DatabaseTime()
        new = {
            "state": EventState.WAITING.value,
            "stored_at": now,
            "tries": 0,
            "due_at": now,
            "error": None,
        }
        return insert_once(connection, self.events, **{**new, **values})

    # In transactions of its own

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
            VictorError: The provider cannot be asked. The event waits for the next pass.
        """
        provider = self._provider(client)
        yield from self._forget_unwanted(provider, client)
        if not self._handlers:
            return []
        take = partial(self._take, provider)
        return (yield from self._each(take, partial(self._handle_one, client)))

    def _forget_unwanted(self, provider: str, client: Any) -> Pass[None]:
        """Delete what is old, once in an hour."""
        now = time.monotonic()
        if now - self._forgotten_at <= _LONGEST_WAIT:
            return

        def forget(connection: sa.Connection) -> None:
            self._forget(
                provider, connection, earliest_time(connection, self._client_or_own(client))
            )

        yield from self._transact(forget)
        self._forgotten_at = now

    def _forget(self, provider: str, connection: sa.Connection, now: float) -> None:
        """Delete what no process has wanted."""
        columns = self.events.c
        unwanted = sa.and_(
            columns.provider == provider,
            columns.state == EventState.WAITING.value,
            columns.stored_at < now - _WANTED_FOR,
            columns.error.is_(None),
            sa.not_(self._is_wanted()),
        )
        connection.execute(sa.delete(self.events).where(unwanted))

    def _handle_one(self, client: Any, row: Any) -> Pass[E | None]:
        """Handle an event that was taken up. Return it if this has been done."""
        event = None
        try:
            event = yield from self._prepare_event(self._event_of(row, row.tries + 1), client)
            is_done = yield from self._transact(partial(self._handle_and_delete, row, event))
        except Exception as error:
            was_read = event is not None
            if not was_read and isinstance(error, VictorError) and is_about_all(error):
                yield from self._transact(partial(self._put_back, row))
                raise  # no try is counted
            yield from self._transact(partial(self._put_off, row, error))
            return None
        return event if is_done else None

    def _each(
        self, take: Callable[[int, sa.Connection], Any], work: Callable[[Any], Pass[T | None]]
    ) -> Pass[list[T]]:
        """Go through a table: `take` takes up the first row after an id, or None, and `work` is
        done with it. Returns what has come of it.

        An error that may be about one alone is raised at the end.
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

    def _take(self, provider: str, last: int, connection: sa.Connection) -> Any:
        """Take up the system's event after `last` that a handler wants, with the lease: as it was,
        or None.
        """
        now = database_time(connection)
        due = self._is_due_at(provider, now)
        after_try = partial(self._after_try, now)
        while True:
            is_next = sa.and_(due, self.events.c.id > last)
            row = take_first(connection, self.events, is_next, ("tries", "due_at"), after_try)
            if row is None or not _has_ended_processes(row, now):
                return row
            last = row.id
            _log.warning("The event %s of %s is a dead letter: %s", row.name, row.subject, _KILLED)

    def _is_due_at(self, provider: str, now: float) -> Condition:
        """Whether an event is to be handled now."""
        columns = self.events.c
        waits = is_to_come(columns.due_at, now, max(self._lease, _LONGEST_WAIT))
        is_ours = sa.and_(columns.provider == provider, columns.state == EventState.WAITING.value)
        return sa.and_(is_ours, sa.not_(waits), self._is_wanted(), self._may_work())

    def _after_try(self, now: float, row: Any) -> Mapping[str, Any]:
        """What is stored of an event that is taken up: the try counts before it is made."""
        if _has_ended_processes(row, now):
            return {"state": EventState.DEAD.value, "error": _KILLED}
        tries = self.events.c.tries + 1
        return {"tries": tries, "due_at": now + self._lease, "once": None}

    def _is_held(self, row: Any) -> Condition:
        """The row that `_take` has returned, while no other worker has taken it up again."""
        columns = self.events.c
        return sa.and_(
            columns.id == row.id,
            columns.tries == row.tries + 1,
            columns.state == EventState.WAITING.value,
        )

    def _handle_and_delete(self, row: Any, event: E, connection: sa.Connection) -> bool:
        if not connection.execute(sa.delete(self.events).where(self._is_held(row))).rowcount:
            return False
        if not self._note_state(connection, event):
            return False
        self._call_handlers(connection, self._handlers_for(row), event)
        return True

    def _put_back(self, row: Any, connection: sa.Connection) -> None:
        # others come first in the next pass
        due_at = DatabaseTime() + _AGAIN
        again = sa.update(self.events).where(self._is_held(row))
        connection.execute(again.values(tries=row.tries, due_at=due_at))

    def _put_off(self, row: Any, error: Exception, connection: sa.Connection) -> None:
        tries = row.tries + 1
        state, wait = self._after_failure(error, tries)
        values = {"tries": tries, "state": state.value, "error": _error_text(error)}
        later = sa.update(self.events).where(self._is_held(row))
        connection.execute(later.values(due_at=DatabaseTime() + wait, **values))
        self._log_failure(row, error, tries)

    def _after_failure(
        self,
        error: Exception,  # noqa: ARG002 - an inbox asks what failed
        tries: int,
    ) -> tuple[EventState, float]:
        """What becomes of an event that was tried so often, and the seconds to its next try."""
        state = EventState.DEAD if tries >= MOST_TRIES else EventState.WAITING
        return state, _wait_after(tries)

    def _log_failure(self, row: Any, error: Exception, tries: int) -> None:
        _log.warning(_NOT_HANDLED, row.name, row.subject, tries, MOST_TRIES, exc_info=error)


class MakesTables:
    """What has tables of its own, which no migration of Django's makes."""

    table: sa.Table

    @operation
    def create_table(self) -> Work[None]:
        """Make the tables, unless they exist: in any number of processes at once.

        With migrations of your own, take `table.metadata` into them.
        """
        return partial(create_tables, self.table.metadata)


def _has_ended_processes(row: Any, now: float) -> bool:
    """Whether an event seems to end its process every time: it is a dead letter at last."""
    is_tried_out: bool = row.tries >= MOST_TRIES
    return is_tried_out and bool(row.stored_at < now - _LONGEST_WAIT)


def _wait_after(tries: int) -> float:
    return min(2.0**tries, _LONGEST_WAIT)


def _error_text(error: Exception) -> str:
    return redact_excerpt(f"{type(error).__name__}: {error}")


class BlockingQueue(BlockingWorker[Engine], EventQueue[Engine, E]):
    """With blocking calls."""


class AwaitedQueue(AwaitedWorker, EventQueue["AsyncEngine", E]):
    """With awaited calls."""

    def _call_handler(self, function: Callable[..., object], session: Session, event: E) -> None:
        # Who has only blocking calls has no greenlet.
        from sqlalchemy.ext.asyncio import AsyncSession  # noqa: PLC0415 - as said
        from sqlalchemy.util import await_only  # noqa: PLC0415 - as said

        def same(**_: object) -> Session:
            return session

        if not inspect.iscoroutinefunction(function):
            super()._call_handler(function, session, event)
            return
        in_place_of_class = cast("Any", same)
        async_session = AsyncSession(sync_session_class=in_place_of_class)
        await_only(function(async_session, event))
