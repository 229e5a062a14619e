"""The queue of events: a table, the handlers of this process, and the pass that handles what is
stored.

An event is handled in the transaction that deletes its row. So it is handled once, however many
processes try. If a process is killed, its transaction is rolled back, and another process takes the
event up when the lease is over. After each try that has failed, whatever the reason, it waits twice
as long as before, and at last is a dead letter.

`EventQueue.handle` is the pass. `tell` is for an event that has just come about: it is handled in
the transaction that makes it, and stored only if a handler fails. An `EventKind` says what differs
between the events of an outbox and those of an inbox.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import VictorError
from victor_ext._privacy import redact_excerpt
from victor_ext._settlement.failures import is_about_all

from .databases import (
    Condition,
    DatabaseTime,
    NeverHeals,
    create_tables,
    database_time,
    earliest_time,
)
from .events import DeadLetters, EventState
from .handlers import E, Handlers
from .rows import change_rows, delete_rows, insert_once, take_first
from .transactions import Pass, Transactions, Work, operation
from .workers import is_ending

T = TypeVar("T")

_log = logging.getLogger("victor_ext.events")

MOST_TRIES = 13
"""The failures after which an event is a dead letter: more than five days after the first one."""
_FIRST_WAIT = 120.0
"""Seconds between the first two tries."""
_BETWEEN_DELETIONS = 3600.0
"""Seconds after which a worker deletes old rows again."""
_WANTED_FOR = 7 * 86_400.0
"""Seconds for which an event waits for a process that has a handler for it."""
_KILLED_MESSAGE = (
    "Its last try did not end within the lease: its process was killed, or the handler takes too "
    "long."
)


def _nothing(_row: Any, _client: Any) -> Pass[None]:
    """Nothing is read with the client."""
    yield from ()


@dataclass(frozen=True, slots=True)
class EventKind(Generic[E]):
    """What differs between the events of an outbox and those of an inbox.

    Attributes:
        provider: Returns the name of the system whose events a pass with this client handles. The
            table may also have events of other systems.
        event_of: Returns the event in a row as its handlers get it, in their transaction; None: an
            earlier event was about the same state, and no handler is called. It is told the number
            of the present try, and what `read` has returned.
        may_handle: Returns the condition that handlers may be called now, as part of the statement
            that takes something up. An event that comes about while it does not hold is stored.
        read: Reads what an event is about, with the client, before the transaction of its handlers
            opens.
        forget: Deletes what is old beside the events of a system, at this time.
    """

    provider: Callable[[Any], str]
    event_of: Callable[[Connection, Any, int, Any], E | None]
    may_handle: Callable[[], Condition] = sa.true
    read: Callable[[Any, Any], Pass[Any]] = _nothing
    forget: Callable[[Connection, str, float], object] = lambda _connection, _provider, _now: None


class EventQueue(Generic[E]):
    """The events of an outbox or inbox: it stores them, and calls handlers with them.

    Args:
        transactions: Of the outbox or inbox.
        events: The table.
        handlers: Those of this process.
        kind: Of the events.
        lease: Seconds for which an event is a worker's.
    """

    def __init__(
        self,
        transactions: Transactions,
        events: sa.Table,
        handlers: Handlers[E],
        kind: EventKind[E],
        lease: float,
    ) -> None:
        self.handlers = handlers
        self._transactions = transactions
        self._events = events
        self._kind = kind
        self._lease = lease
        self._forgotten_at = float("-inf")
        """When old rows were last deleted, by the monotonic clock."""

    # An event that has just come about

    def tell(self, connection: Connection, error: Exception | None = None, **values: Any) -> None:
        """Call the handlers of an event in the transaction that makes it; or store it, if they have
        raised an error before, which has rolled that transaction back.

        `values` are the column values of the event. An event that no handler of this process wants
        is not stored. While none may be called, it is stored.
        """
        row = SimpleNamespace(**values)
        if not self.handlers.of(row):
            return
        if not connection.execute(sa.select(self._kind.may_handle())).scalar():
            self.store(connection, **values)
            return
        if error is None:
            self._call(connection, row, 1)
            return
        self.store(connection, **{**values, **_values_after(1, error)})
        _log_failure(row, 1, error)

    def store(self, connection: Any, **values: Any) -> Any:
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
        return insert_once(connection, self._events, **{**new, **values})

    # Events that are stored

    def handle(self, client: Any) -> Pass[list[E]]:
        """Handle what is stored: see `HandlesEvents.handle`. The client is that of the pass, else
        that of the box, or None.
        """
        provider = self._kind.provider(client)
        now = time.monotonic()
        if now - self._forgotten_at > _BETWEEN_DELETIONS:
            yield from self._transactions.transact(partial(self._delete_old, provider, client))
            self._forgotten_at = now
        if not self.handlers:
            return []
        take = partial(self._take, provider)
        handle_one = partial(self._handle_one, client)
        return (yield from for_each_row(self._transactions, take, handle_one))

    def _delete_old(self, provider: str, client: Any, connection: Connection) -> None:
        """Delete events that no process has had a handler for, and what is old beside them."""
        now = earliest_time(connection, client)
        columns = self._events.c
        unwanted = sa.and_(
            columns.provider == provider,
            columns.state == EventState.WAITING,
            columns.stored_at < now - _WANTED_FOR,
            columns.tries == 0,
            columns.error.is_(None),
            sa.not_(self.handlers.are_wanted()),
        )
        delete_rows(connection, self._events, unwanted)
        self._kind.forget(connection, provider, now)

    def _handle_one(self, client: Any, row: Any) -> Pass[E | None]:
        """Handle an event that was taken up. Return the event if it was handled.

        Raises the error of a provider that cannot be asked: no other event is tried now.
        """
        try:
            if row.tries >= MOST_TRIES:
                raise RuntimeError(_KILLED_MESSAGE)
            record = yield from self._kind.read(row, client)
            handle = partial(self._handle_and_delete, row, record)
            return (yield from self._transactions.transact(handle))
        except Exception as error:
            yield from self._transactions.transact(partial(self._store_failure, row, error))
            if isinstance(error, VictorError) and is_about_all(error):
                raise
            return None

    def _take(self, provider: str, last: int, connection: Connection) -> Any:
        """Take up the next event of this system after the id `last` that a handler wants, with a
        lease. Returns its row as it was before; None: there is no such event.
        """
        columns = self._events.c
        now = database_time(connection)
        due = sa.and_(
            columns.provider == provider,
            columns.state == EventState.WAITING,
            columns.due_at <= now,
            columns.id > last,
            self.handlers.are_wanted(),
            self._kind.may_handle(),
        )
        # The try is counted before it is made, since it may end the process.
        taken_up = {"tries": columns.tries + 1, "due_at": now + self._lease, "once": None}
        marks = ("tries", "due_at")
        return take_first(connection, self._events, due, marks, lambda _row: taken_up)

    def _is_still_ours(self, row: Any) -> Condition:
        """Holds for the row that `_take` has returned while no other worker has taken it up
        again.
        """
        columns = self._events.c
        return sa.and_(
            columns.id == row.id,
            columns.tries == row.tries + 1,
            columns.state == EventState.WAITING,
        )

    def _handle_and_delete(self, row: Any, record: Any, connection: Connection) -> E | None:
        """Delete an event, and call its handlers, in one transaction. Returns the event that they
        were called with; None: they were not.
        """
        if not delete_rows(connection, self._events, self._is_still_ours(row)):
            return None
        return self._call(connection, row, row.tries + 1, record)

    def _call(self, connection: Connection, row: Any, tries: int, record: Any = None) -> E | None:
        """Call the handlers of the event in a row. Returns the event; None: it is not new."""
        event = self._kind.event_of(connection, row, tries, record)
        if event is not None:
            self.handlers.call(connection, self.handlers.of(row), event)
        return event

    def _store_failure(self, row: Any, error: Exception, connection: Connection) -> None:
        """Store that a try has failed, and when the event is tried again."""
        tries = row.tries
        if not isinstance(error, NeverHeals):  # else no try is counted: the worker ends
            tries += 1
        change_rows(
            connection, self._events, self._is_still_ours(row), **_values_after(tries, error)
        )
        _log_failure(row, tries, error)


def for_each_row(
    transactions: Transactions,
    take: Callable[[int, Connection], Any],
    work: Callable[[Any], Pass[T | None]],
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
        row = yield from transactions.transact(partial(take, last))
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


class HandlesEvents(DeadLetters, Generic[E]):
    """A box that handles its events."""

    _queue: EventQueue[E]
    client: Any
    """A client of any system, blocking or awaited; or None."""

    @operation
    def handle(self, client: Any = None) -> Pass[list[E]]:
        """Handle the stored events of its system that this process has handlers of. Returns those
        that were handled.

        Each is handled in a transaction of its own, by one process. If a handler raises, nothing of
        its work is stored, and the event is tried again later; after 13 tries it is a dead letter.

        Args:
            client: Reads what an event of an inbox is about, in place of the inbox's own client. An
                outbox handles the events of this client's system, else those of its own client's,
                and without one Victor's.

        Raises:
            VictorError: The provider cannot be asked. The event is tried again later.
        """
        return self._queue.handle(self._client_or_own(client))

    def _client_or_own(self, client: Any) -> Any:
        """This client, else that of the outbox or inbox, if it has one."""
        return self.client if client is None else client


class MakesTables:
    """An outbox or inbox that makes its tables itself. (With Django, a migration makes them.)"""

    table: sa.Table

    @operation
    def create_table(self) -> Work[None]:
        """Make the tables, unless they exist: in any number of processes at once.

        With migrations of your own, take `table.metadata` into them.
        """
        return partial(create_tables, self.table.metadata)


def _values_after(tries: int, error: Exception) -> dict[str, Any]:
    """The column values of an event after this number of tries, the last of which has failed."""
    state = EventState.DEAD if tries >= MOST_TRIES else EventState.WAITING
    due_at = DatabaseTime() + _FIRST_WAIT * 2 ** (tries - 1)
    return {"tries": tries, "state": state, "due_at": due_at, "error": _error_text(error)}


def _log_failure(row: Any, tries: int, error: Exception) -> None:
    """Log that a try has failed."""
    _log.warning(
        "The event %s of %s was not handled (try %d of %d).",
        row.name,
        row.subject,
        tries,
        MOST_TRIES,
        exc_info=error,
    )


def _error_text(error: Exception) -> str:
    """An error as it is stored: without long numbers, which may be account numbers."""
    return redact_excerpt(f"{type(error).__name__}: {error}")
