"""The queue of events: a table, the handlers of this process, and the pass that handles what is
stored.

An event is handled in the transaction that deletes its row. So it is handled once, however many
processes try: what a killed one had begun is rolled back, and another one takes it when the lease
is over.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from operator import call
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar, cast

import anyio
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from victor_ext import ConfigurationError, InvalidRequest, Problem, VictorError
from victor_ext.flows import adrive, drive
from victor_ext.privacy import redact_excerpt
from victor_ext.settlement.flow import is_about_all

from .databases import (
    ROW_ID,
    DatabaseTime,
    NeverHeals,
    create_tables,
    database_time,
    earliest_time,
    is_to_come,
    refuse_autocommit_engine,
    split_name,
)
from .transactions import (
    AwaitedTransactions,
    BlockingTransactions,
    Engine,
    Pass,
    Transactions,
    Work,
    operation,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it

E = TypeVar("E")
S = TypeVar("S", bound=StrEnum)
T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., object])

Taken: TypeAlias = Pass[tuple[int, Pass[T | None]] | None]
"""A step that takes up a row: its id, and what is done with it. None: there is none."""

_log = logging.getLogger("victor_ext.events")
_NOT_HANDLED = "The event %s of %s was not handled (try %d of %d)."

_ID_LIMIT = 2**63
"""Ids of events are below this."""
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
_worker_stop: ContextVar[threading.Event | None] = ContextVar(
    "victor_ext_worker_stop", default=None
)
"""What ends the worker that makes the present pass; None: no worker makes it."""


@contextmanager
def ended_by(stop: threading.Event) -> Generator[None]:
    """Let the passes of the block take up nothing more once `stop` is set."""
    token = _worker_stop.set(stop)
    try:
        yield
    finally:
        _worker_stop.reset(token)


def is_ending() -> bool:
    """Whether the worker that makes this pass is to end: it takes up nothing more."""
    stop = _worker_stop.get()
    return stop is not None and stop.is_set()


class EventState(StrEnum):
    """What is known of an event that has not been handled.

    Of one that has been, nothing is left.
    """

    WAITING = "waiting"
    """It is handled by the next pass, or tried again when its time has come."""
    DEAD = "dead"
    """Its handler has failed too often. It is tried again after `retry_dead_letters`."""
    NOT_FOUND = "not_found"
    """Anybody could post it, and the system does not know its id. Only the newest ones are kept."""
    DISCARDED = "discarded"
    """Somebody has given it up by `discard`: its error says who, and why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event whose handler has failed too often.

    Attributes:
        id: Its number, for `retry_dead_letters` and `discard`.
        name: What happened: `completed`, `payment.paid`.
        source: The operation of an entry (`payouts.submit`), or the source of what was received.
        subject: The key of the entry, or the id of what was received.
        tries: How often it was tried.
        error: What its handler raised at last, without long numbers.
        stored_at: When it was stored, aware.
        provider: The name of the system that it is of.
    """

    id: int
    name: str
    source: str
    subject: str
    tries: int
    error: str
    stored_at: datetime
    provider: str


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, and the events that it wants; None: of any name, or from any source."""

    function: Callable[..., object] = field(repr=False)
    name: str | None
    source: str | None

    def wants(self, name: str, source: str) -> bool:
        return self.name in (None, name) and self.source in (None, source)


def event_table(name: str, metadata: sa.MetaData) -> sa.Table:
    """The table of a queue. Times are epoch seconds by the clock of the database; `data` is the
    event, as JSON.

    While an event with the same text in `once` waits, no other one is stored.
    """
    schema, own_name = split_name(name)
    return sa.Table(
        own_name,
        metadata,
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("once", sa.Text, unique=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("error", sa.Text),
        schema=schema,
    )


def check_arguments(engine: object, **times: object) -> None:
    """Refuse what is no engine, such as a session, or is one that has no transactions, and what is
    no timedelta: each would fail later, in a pass.
    """
    if isinstance(engine, str) and "://" in engine:  # it may have a password: no message quotes it
        raise ConfigurationError(
            "engine is a URL: pass sa.create_engine(...), or to an awaited one the async engine."
        )
    if not isinstance(engine, str) and not hasattr(engine, "dialect"):
        raise ConfigurationError(
            f"engine is of type {type(engine).__name__}: pass an engine of SQLAlchemy's."
        )
    if not isinstance(engine, str):  # Django's box has an alias
        refuse_autocommit_engine(engine)
    for name, value in times.items():
        if not isinstance(value, timedelta) or value < timedelta(0):
            message = (
                f"{name}={value!r:.40} is no timedelta of zero or more, such as "
                "timedelta(minutes=10)."
            )
            raise ConfigurationError(message)


def as_text(counts: Mapping[str, int]) -> str:
    """How many there are of each, such as `2 sent, 1 refused`."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def inserted(connection: Any, table: sa.Table, **values: Any) -> Any:
    """Insert a row unless it is there; returns its first column, or None.

    Both databases know these words.
    """
    statement = postgresql.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(next(iter(table.c)))).scalar()


def taken(
    connection: sa.Connection,
    table: sa.Table,
    due: sa.ColumnElement[bool],
    marks: Sequence[str],
    values: Callable[[Any], Mapping[str, Any]],
) -> Any:
    """Take up the first row that is due: it gets `values`. If another worker changes its `marks`,
    it is read again.

    Returns the row as it was, or None if none is due.
    """
    query = sa.select(table).where(due).order_by(table.c.id).limit(1)
    while (row := connection.execute(query).first()) is not None:
        unchanged = (table.c[name] == getattr(row, name) for name in ("id", *marks))
        if connection.execute(sa.update(table).where(due, *unchanged).values(values(row))).rowcount:
            break
    return row


class EventQueue(Transactions[Engine], Generic[Engine, E]):
    """What outboxes and inboxes have in common: their events, and the handlers of these."""

    table: sa.Table
    events: sa.Table
    _name: ClassVar[str]
    _passes: ClassVar[Sequence[str]]
    _lease: float
    _handlers: list[Handler]
    _forgotten_at = float("-inf")

    # The parts of an outbox or an inbox

    def _provider(self, client: Any = None) -> str:
        """The system whose events a pass with this client handles: other boxes may have theirs in
        the same table.
        """
        raise NotImplementedError

    def _worker_client(self, client: Any, interval: float = 1.0) -> Any:
        """The client of the passes, which are made each `interval` seconds."""
        if not (isinstance(interval, int | float) and 0 < interval <= threading.TIMEOUT_MAX):
            raise ConfigurationError(
                f"interval={interval!r} must be seconds above zero, such as 5.0."
            )
        return client

    def _reader(self, client: Any) -> Any:
        """The client that is given, or that of the box, if it has one."""
        raise NotImplementedError

    def _longest_call(self, client: Any) -> float:
        """Seconds after which a call has ended that this client has begun."""
        deadline: float | None = getattr(self._reader(client), "deadline", None)
        return self._lease if deadline is None else deadline

    def _is_paused(self, name: str) -> bool:  # noqa: ARG002 - an outbox looks at it
        """Whether a worker makes no pass of this name now: its last one failed."""
        return False

    def _begin_pass(self) -> None:
        """Make the connection ready for a pass of a worker."""

    def _work(
        self, client: Any, interval: float, stop: threading.Event, pause: Callable[[float], Any]
    ) -> Pass[None]:
        """Do what a worker does until it is to stop."""
        client = self._worker_client(client, interval)
        self.heartbeat.start(*(f"{self._name}.{name}" for name in self._passes))
        while not stop.is_set():
            for name in self._passes:
                if stop.is_set():
                    break
                if self._is_paused(name):
                    continue
                self._begin_pass()
                yield from self._logged(
                    f"{self._name}.{name}", partial(getattr(self, name), client)
                )
            self.heartbeat.step(interval)
            yield partial(pause, interval)
        self.heartbeat.stop()  # one that an error has ended is stalled

    def _logged(self, name: str, work: Callable[[], Any]) -> Pass[None]:
        """Make a pass of a worker, and log what it changes. A failure ends this pass alone.

        Only a table that is missing, and another storage key, end the worker.
        """
        log = logging.getLogger(f"victor_ext.{self._name}")
        try:
            changed = yield work
        except NeverHeals:  # it does not heal
            raise
        except Exception as error:  # a worker that has ended does nothing
            self.heartbeat.failing[name] = type(error).__name__
            if isinstance(error, VictorError):
                log.warning("%s failed and will be retried: %s", name, error)
            else:
                log.exception("%s failed and will be retried", name)
            return
        self.heartbeat.failing.pop(name, None)
        if changed:
            states = Counter(getattr(each, "name", None) or each.state for each in changed)
            log.info("%s changed %s", name, as_text(states))

    def _event_of(self, row: Any, tries: int) -> E:
        """The event that a row has."""
        raise NotImplementedError

    def _may_work(self) -> sa.ColumnElement[bool]:
        """Whether something may be taken up now: a part of the statement that does so."""
        return sa.true()

    def _prepared(self, event: E, client: Any) -> Pass[E]:  # noqa: ARG002 - an inbox reads with it
        """What is done before the transaction of the handlers opens."""
        yield from ()
        return event

    def _is_new(self, connection: sa.Connection, event: E) -> bool:  # noqa: ARG002 - an inbox asks the table
        """Whether an event that is about to be handled is none that was handled before under
        another name.
        """
        return True

    def _forget(self, provider: str, connection: sa.Connection, now: float) -> None:
        """Delete what no process has wanted."""
        columns = self.events.c
        waits = sa.and_(columns.provider == provider, columns.state == EventState.WAITING.value)
        unwanted = sa.and_(
            columns.stored_at < now - _WANTED_FOR, columns.error.is_(None), sa.not_(self._wanted())
        )
        connection.execute(sa.delete(self.events).where(waits, unwanted))

    # Handlers

    def _on(self, name: str | None, source: str | None) -> Callable[[H], H]:
        for given in (name, source):
            if not isinstance(given, str | None):  # the function itself
                raise ConfigurationError(
                    f"on({given!r:.60}) is no text: write @on() or @on('completed') above a "
                    "function."
                )

        if name is not None and not name.strip():
            raise ConfigurationError(
                f"on({name!r:.60}) names no event: write on() for every event, or "
                "on('completed') for one."
            )
        wanted = None if name is None else self._event_name(name)

        def register(function: H) -> H:
            try:
                inspect.signature(function).bind(None, None)
            except TypeError:
                message = f"{function!r:.60} must take two arguments: a session and an event."
                raise ConfigurationError(message) from None
            except ValueError:  # a function of C may have no signature
                pass
            if inspect.iscoroutinefunction(function) and not isinstance(self, AwaitedQueue):
                raise ConfigurationError(
                    "This handler is `async def`: only AsyncOutbox and AsyncInbox can await it."
                )
            self._handlers.append(Handler(function, wanted, source))
            return function

        return register

    def _event_name(self, name: str) -> str:
        """The name of an event, as it is stored. Raises `ConfigurationError`: there is none."""
        return name.casefold()

    def _wanted(self) -> sa.ColumnElement[bool]:
        """The rows that this process has handlers of."""
        columns = self.events.c
        wishes = ({"name": each.name, "source": each.source} for each in self._handlers)
        return sa.or_(
            sa.false(),
            *(
                sa.and_(
                    sa.true(),
                    *(columns[of] == value for of, value in wish.items() if value is not None),
                )
                for wish in wishes
            ),
        )

    def _wanting(self, row: Any) -> list[Handler]:
        return [handler for handler in self._handlers if handler.wants(row.name, row.source)]

    def _handled(self, connection: sa.Connection, handlers: Sequence[Handler], event: E) -> None:
        """Call the handlers in a savepoint, whose work the transaction has or has not as a
        whole.
        """
        with connection.begin_nested(), Session(connection) as session, session.begin():
            for handler in handlers:
                self._call(handler.function, session, event)

    def _call(self, function: Callable[..., object], session: Session, event: E) -> None:
        function(session, event)

    # In the transaction of another one

    def _tell(self, error: Exception | None, connection: sa.Connection, **values: Any) -> None:
        """Let the handlers do their work with the change that it is about; or store the event, if
        they raised an error.

        What no handler of this process wants is not stored.
        """
        handlers = self._wanting(row := SimpleNamespace(**values))
        if handlers and error is None:
            self._handled(connection, handlers, self._event_of(row, 1))
        elif handlers:
            self._put(connection, 1, error, **values)
            _log.warning(_NOT_HANDLED, row.name, row.subject, 1, MOST_TRIES, exc_info=error)

    def _put(
        self, connection: Any, tries: int = 0, error: Exception | None = None, /, **values: Any
    ) -> Any:
        now = DatabaseTime()
        due_at = now if error is None else now + _wait_after(tries)
        said = None if error is None else _said(error)
        state = EventState.WAITING.value
        kept = {
            **values,
            "state": state,
            "tries": tries,
            "due_at": due_at,
            "stored_at": now,
            "error": said,
        }
        return inserted(connection, self.events, **kept)

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
        provider, now = self._provider(client), time.monotonic()
        if now - self._forgotten_at > _LONGEST_WAIT:
            yield from self._transact(
                lambda connection: self._forget(
                    provider, connection, earliest_time(connection, self._reader(client))
                )
            )
            self._forgotten_at = now

        def take(last: int) -> Taken[E]:
            row = (
                (yield from self._transact(partial(self._take, provider, last)))
                if self._handlers
                else None
            )
            return None if row is None else (row.id, self._handle_one(row, client))

        return (yield from self._each(take))

    def _handle_one(self, row: Any, client: Any) -> Pass[E | None]:
        event = None
        try:
            event = yield from self._prepared(self._event_of(row, row.tries + 1), client)
            is_done = yield from self._transact(partial(self._finish, row, event))
        except Exception as error:
            # no try is counted
            if event is None and isinstance(error, VictorError) and is_about_all(error):
                yield from self._transact(partial(self._put_back, row))
                raise
            yield from self._transact(partial(self._put_off, row, error))
            return None
        return event if is_done else None

    def _each(self, take: Callable[[int], Taken[T]]) -> Pass[list[T]]:
        """Go through a table: `take` takes up the first row after an id, and says what is done with
        it.

        An error that may be about one alone is raised at the end.
        """
        done: list[T | None] = []
        error: VictorError | None = None
        last = 0
        while not is_ending():
            one = yield from take(last)
            if one is None:
                break
            last, work = one
            try:
                done.append((yield from work))
            except VictorError as failed:
                if is_about_all(failed):
                    raise
                error = failed
        if error is not None:
            raise error
        return [*filter(None, done)]

    def _take(self, provider: str, last: int, connection: sa.Connection) -> Any:
        """Take up the system's event after `last` that a handler wants, with the lease: as it was,
        or None.
        """
        columns, now = self.events.c, database_time(connection)
        waits = is_to_come(columns.due_at, now, max(self._lease, _LONGEST_WAIT))
        is_ours = sa.and_(columns.provider == provider, columns.state == EventState.WAITING.value)
        due = sa.and_(is_ours, sa.not_(waits), self._wanted(), self._may_work())
        values = {"tries": columns.tries + 1, "due_at": now + self._lease, "once": None}
        # What ends its process every time is a dead letter at last: the try counts before it is
        # made.
        said = (
            "Its last try did not end within the lease: its process was killed, or the handler "
            "takes too long."
        )
        dead = {"state": EventState.DEAD.value, "error": said}

        def is_dead(row: Any) -> bool:
            return bool(row.tries >= MOST_TRIES and row.stored_at < now - _LONGEST_WAIT)

        while True:
            next_one = sa.and_(due, columns.id > last)
            row = taken(
                connection,
                self.events,
                next_one,
                ("tries", "due_at"),
                lambda row: dead if is_dead(row) else values,
            )
            if row is None or not is_dead(row):
                return row
            last = row.id
            _log.warning("The event %s of %s is a dead letter: %s", row.name, row.subject, said)

    def _taken(self, row: Any) -> sa.ColumnElement[bool]:
        """The row that `_take` has returned, while no other worker has taken it up again."""
        columns = self.events.c
        return sa.and_(
            columns.id == row.id,
            columns.tries == row.tries + 1,
            columns.state == EventState.WAITING.value,
        )

    def _finish(self, row: Any, event: E, connection: sa.Connection) -> bool:
        if not connection.execute(sa.delete(self.events).where(self._taken(row))).rowcount:
            return False
        if not self._is_new(connection, event):
            return False
        self._handled(connection, self._wanting(row), event)
        return True

    def _put_back(self, row: Any, connection: sa.Connection) -> None:
        # others come first in the next pass
        values = {
            "tries": row.tries,
            "due_at": DatabaseTime() + _AGAIN,
        }
        connection.execute(sa.update(self.events).where(self._taken(row)).values(values))

    def _put_off(self, row: Any, error: Exception, connection: sa.Connection) -> None:
        tries = row.tries + 1
        state, wait = self._after_failure(error, tries)
        values = {"tries": tries, "state": state.value, "error": _said(error)}
        due_at = DatabaseTime() + wait
        connection.execute(
            sa.update(self.events).where(self._taken(row)).values(due_at=due_at, **values)
        )
        self._log_failure(row, error, tries)

    def _after_failure(self, error: Exception, tries: int) -> tuple[EventState, float]:  # noqa: ARG002 - an inbox asks what failed
        """What becomes of an event that was tried so often, and the seconds to its next try."""
        state = EventState.DEAD if tries >= MOST_TRIES else EventState.WAITING
        return state, _wait_after(tries)

    def _log_failure(self, row: Any, error: Exception, tries: int) -> None:
        _log.warning(_NOT_HANDLED, row.name, row.subject, tries, MOST_TRIES, exc_info=error)

    # For people

    @operation
    def dead_letters(self, state: EventState | str = EventState.DEAD) -> Work[list[DeadLetter]]:
        """The events whose handlers have failed too often, oldest first.

        Args:
            state: Those in this state, such as `not_found` or `discarded`, in place of `dead`.
        """
        columns = self.events.c
        query = (
            sa.select(self.events)
            .where(columns.state == EventState(state).value)
            .order_by(columns.id)
        )
        names = ("id", "name", "source", "subject", "tries", "error", "provider")

        def letter(row: Any) -> DeadLetter:
            stored_at = datetime.fromtimestamp(row.stored_at, UTC)
            return DeadLetter(**{name: getattr(row, name) for name in names}, stored_at=stored_at)

        return lambda connection: [*map(letter, connection.execute(query))]

    @operation
    def retry_dead_letters(self, *ids: int) -> Work[int]:
        """Let dead letters be tried again (without ids: all of them).

        By its id, an event is tried again, too, that was not found. Returns how many there were.
        """
        chosen = self._chosen(ids) if ids else self.events.c.state == EventState.DEAD.value
        values = {"state": EventState.WAITING.value, "tries": 0, "due_at": DatabaseTime()}
        return lambda connection: int(
            connection.execute(sa.update(self.events).where(chosen).values(values)).rowcount
        )

    @operation
    def discard(self, *ids: int, by: str, why: str) -> Work[int]:
        """Give up dead letters, or events that were not found: nobody handles them any more.

        What was received or changed is deleted. That it was discarded, by whom and why is kept:
        `dead_letters("discarded")`. Returns how many there were.

        Args:
            ids: Their numbers.
            by: Who gives them up.
            why: Why nothing is lost.

        Raises:
            InvalidRequest: There is no id; or `by` or `why` is empty.
        """
        for name, text in (("ids", "-" if ids else ""), ("by", by), ("why", why)):
            if not text.strip():
                message = f"{name} is empty: name what is given up, by whom, and why."
                raise InvalidRequest.of([Problem(name, "required", message)])
        said = f"Discarded by {by.strip()}: {why.strip()} It had failed: "
        error = sa.literal(said, sa.Text) + sa.func.coalesce(self.events.c.error, "")
        values = {"state": EventState.DISCARDED.value, "data": "", "error": error}
        statement = sa.update(self.events).where(self._chosen(ids)).values(values)
        return lambda connection: int(connection.execute(statement).rowcount)

    def _chosen(self, ids: Sequence[int]) -> sa.ColumnElement[bool]:
        """The events with these numbers that nobody tries any more, and that are not discarded."""
        columns = self.events.c
        ended = (EventState.DEAD.value, EventState.NOT_FOUND.value)
        known = [number for number in ids if 0 < number < _ID_LIMIT]
        return sa.and_(columns.state.in_(ended), columns.id.in_(known))

    @operation
    def event_counts(self) -> Work[dict[EventState, int]]:
        """The number of events in each state, such as for `/metrics`."""
        return counted(self.events.c.state, EventState)


class MakesTables:
    """What has tables of its own, which no migration of Django's makes."""

    table: sa.Table

    @operation
    def create_table(self) -> Work[None]:
        """Make the tables, unless they exist: in any number of processes at once.

        With migrations of your own, take `table.metadata` into them.
        """
        return partial(create_tables, self.table.metadata)


def counted(column: sa.Column[Any], states: type[S]) -> Work[dict[S, int]]:
    """The number of rows in each state."""
    query = sa.select(column, sa.func.count()).group_by(column)

    def count(connection: sa.Connection) -> dict[S, int]:
        rows = {row[0]: row[1] for row in connection.execute(query)}
        return {state: rows.get(state.value, 0) for state in states}

    return count


def _wait_after(tries: int) -> float:
    return min(2.0**tries, _LONGEST_WAIT)


def _said(error: Exception) -> str:
    return redact_excerpt(f"{type(error).__name__}: {error}")


class BlockingQueue(BlockingTransactions[Engine], EventQueue[Engine, E]):
    """With blocking calls."""

    def run(
        self, client: Any = None, *, interval: float = 5.0, stop: threading.Event | None = None
    ) -> None:
        """Do what is to be done until `stop` is set: the worker, in a thread or a process of its
        own.

        An outbox sends, settles, refreshes and handles its events; an inbox handles those. The
        worker may be killed at any step. A failure is logged (logger `victor_ext.outbox` or
        `victor_ext.inbox`) and ends the pass, not the worker: the provider or the database may be
        away for a while.

        Args:
            client: As for each pass.
            interval: Seconds between two passes.
            stop: Ends the worker after the call or the event that it has begun, whose result it
                stores; None: it runs for ever.

        Raises:
            ConfigurationError: The interval is not above zero; the deadline of the client is longer
                than the lease; the tables are not there (see `create_table`); or the outbox is
                encrypted with another storage key.
        """
        stop = stop or threading.Event()
        with ended_by(stop):
            drive(self._work(client, interval, stop, stop.wait), call)


class AwaitedQueue(AwaitedTransactions, EventQueue["AsyncEngine", E]):
    """With awaited calls."""

    def _call(self, function: Callable[..., object], session: Session, event: E) -> None:
        from sqlalchemy.ext.asyncio import AsyncSession  # noqa: PLC0415 - who has only blocking calls has no greenlet
        from sqlalchemy.util import await_only  # noqa: PLC0415 - as above

        def same(**_: object) -> Session:
            return session

        if inspect.iscoroutinefunction(function):
            # in place of a class
            await_only(function(AsyncSession(sync_session_class=cast("Any", same)), event))
        else:
            super()._call(function, session, event)

    async def run(self, client: Any = None, *, interval: float = 5.0) -> None:
        """As `run` with blocking calls, awaited: it ends when it is cancelled.

        A call that has begun ends first, and its result is stored: at most for as long as the
        client's deadline.
        """
        client = self._worker_client(client, interval)
        stop, woken = threading.Event(), anyio.Event()
        calls = anyio.CancelScope(shield=True)

        async def pause(seconds: float) -> None:
            with anyio.move_on_after(seconds):
                await woken.wait()

        ended: list[NeverHeals] = []  # a group of tasks would raise it in a group of errors

        async def work() -> None:
            try:
                with calls, ended_by(stop):
                    await adrive(self._work(client, interval, stop, pause), call)
            except NeverHeals as error:
                ended.append(error)
                tasks.cancel_scope.cancel()

        # In a task of its own: asyncio's own `cancel` knows no shield.
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            try:
                await anyio.sleep_forever()
            finally:
                calls.deadline = anyio.current_time() + self._longest_call(client)
                stop.set()
                woken.set()
        if ended:
            raise ended[0]

    @asynccontextmanager
    async def worker(self, client: Any = None, *, interval: float = 5.0) -> AsyncGenerator[None]:
        """As `run`, in the background while the block lasts, such as the lifespan of a FastAPI
        service. The end of the block waits for a call that has begun, as `run` does.
        """
        client = self._worker_client(client, interval)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(self.run, client, interval=interval))
            yield
            tasks.cancel_scope.cancel()
        self.heartbeat.stop()
