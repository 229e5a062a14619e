"""`Outbox` and `AsyncOutbox`, and what their users can do with them (`OutboxBase`).

They hold the parts of the outbox (`OutboxEngine`), which do the work. Some operations stand in
modules of their own: `Adding`, `OutboxByHand` and `Forgetting`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypedDict

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError
from victor_ext._event_queue.drivers import AwaitedDriver, BlockingDriver
from victor_ext._event_queue.fitness import check_arguments, prepared_engine
from victor_ext._event_queue.handlers import H, Handlers
from victor_ext._event_queue.queue import HandlesEvents, MakesTables
from victor_ext._event_queue.rows import count_by_state
from victor_ext._event_queue.transactions import Engine, Pass, Transactions, Work, operation
from victor_ext._event_queue.vault import Vault, secrets_of
from victor_ext._event_queue.workers import (
    AwaitedWorker,
    BlockingWorker,
    BoxWorker,
    WorkerPass,
    log_changes,
)
from victor_ext._privacy import concealed
from victor_ext._settlement.key_age import LEAST_KEPT

from ._adding import Adding
from ._by_hand import OutboxByHand
from ._engine import EngineTerms, OutboxEngine
from ._entries import Entry, EntryState, OutboxEvent, outbox_table, refusal
from ._forgetting import Forgetting
from ._holding import end_hold, held_since, hold
from ._keys_kept import keys_kept
from ._passes import AnyClient, Refreshing, Rounds, required_client
from ._policy import OutboxPolicy
from ._scope import Owner, Scope
from ._tables import OutboxTables

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it


_WARNED_OF = (EntryState.REJECTED, EntryState.REFUSED, EntryState.UNCLEAR)
"""The states of entries that are logged as warnings: a person should look at them."""
_log_sent = partial(log_changes, "outbox", "send", warned_of=_WARNED_OF)
WORKERS = range(1, 101)
"""How many calls of an outbox may be under way at once."""


class OutboxOptions(TypedDict, total=False):
    """The options of every outbox; `Outbox` describes them."""

    client: AnyClient | None
    keys_kept: timedelta | None
    lease: timedelta
    settle_for: timedelta
    workers: int
    storage_key: str | None


class OutboxBase(Adding, OutboxByHand, Forgetting, HandlesEvents[OutboxEvent], Generic[Engine]):
    """What all outboxes have in common.

    The arguments are those of `Outbox`. None of them closes the client.
    """

    _worker: BoxWorker
    _parts: OutboxEngine

    def __init__(
        self,
        engine: Engine,
        client: AnyClient | None = None,
        *,
        keys_kept: timedelta | None = None,
        lease: timedelta = timedelta(minutes=2),
        settle_for: timedelta = timedelta(minutes=10),
        workers: int = 16,
        storage_key: str | None = None,
        table: str = "victor_outbox",
    ) -> None:
        storage_key = concealed(storage_key)
        check_arguments(engine, lease=lease, settle_for=settle_for)
        kept = None
        if keys_kept is not None:
            check_arguments(engine, keys_kept=keys_kept)
            kept = keys_kept.total_seconds()
        if kept is not None and kept < LEAST_KEPT:
            raise ConfigurationError(
                f"keys_kept={keys_kept!r} is below {LEAST_KEPT:g} s: a call and its repeats must "
                "end before their key."
            )
        if isinstance(workers, bool) or not isinstance(workers, int) or workers not in WORKERS:
            raise ConfigurationError(
                f"workers={workers!r:.40} must be a whole number from 1 to {WORKERS[-1]}."
            )
        self.client = client
        tables = OutboxTables.of(outbox_table(table), table)
        self.table, self.events, self.control = tables
        self._engine = prepared_engine(engine)
        self._scope = Scope(self.control)
        secrets = secrets_of(storage_key, "storage_key")
        vault = Vault(secrets, f"The outbox {table}", "storage_key (VICTOR_OUTBOX_KEY)")
        driver = self._driver(self._engine, self.table)
        self._transactions = Transactions(driver, self.table.metadata.sorted_tables)
        policy = OutboxPolicy(self.table, self._scope)
        terms = EngineTerms(kept, settle_for.total_seconds(), workers, lease.total_seconds())
        handlers = Handlers[OutboxEvent](self.events, driver)
        self._parts = OutboxEngine(
            tables, self._transactions, vault, policy, terms, handlers, _log_sent
        )
        self._queue = self._parts.queue
        self._rounds = rounds = Rounds(self._parts)
        self._refreshing = Refreshing(self._parts)
        self._worker = BoxWorker(
            "outbox",
            (
                WorkerPass("send", rounds.send_for_a_while, rounds.is_paused, rounds.has_more),
                WorkerPass("refresh", self._refreshing.make),
                WorkerPass("handle", self._queue.handle),
            ),
            self._transactions,
            self._worker_client,
            terms.lease,
            _WARNED_OF,
        )

    def _worker_client(self, client: AnyClient | None) -> Any:
        """The client of a worker's passes."""
        return required_client(self._client_or_own(client))

    # Handlers

    def on(self, name: str | None = None, *, operation: str | None = None) -> Callable[[H], H]:
        """Register a handler, a function of a session and the `OutboxEvent`:
        `@outbox.on("completed")`.

        It is called in the transaction that stores the change, and may add the next entry to the
        outbox with the session. If it raises, the change is stored without its work, and the event
        is handled later (see `handle`). It works on the database alone, without `commit` and
        `rollback`: while it runs, others wait for its transaction.

        Args:
            name: A state (`sent`, `rejected`, `refused`, `unclear`), or a status of the provider's,
                in any letter case. A status whose word is a state of entries is `status:rejected`.
                None: every event.
            operation: The entries of one operation alone, such as `payouts.submit`. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the outbox has blocking calls.
        """
        return self._parts.queue.handlers.on(name, operation, str.casefold)

    # Entries

    @operation
    def entry(self, idempotency_key: str) -> Work[Entry | None]:
        """The entry with this `idempotency_key`, or None."""
        query = sa.select(self.table).where(self.table.c.key == idempotency_key)

        def read(connection: Connection) -> Entry | None:
            entries = self._read_entries(query, connection)
            return entries[0] if entries else None

        return read

    @operation
    def entries(self, state: EntryState | str | None = None) -> Work[list[Entry]]:
        """The entries in `state` (None: all), oldest first.

        Raises `InvalidRequest`: there is no such state.
        """
        query = sa.select(self.table).order_by(self.table.c.id)
        if state is None:
            return partial(self._read_entries, query)
        if state not in list(EntryState):
            message = f"state={state!r:.40} is none of {', '.join(EntryState)}."
            raise refusal(None, "state", "value", message)
        query = query.where(self.table.c.state == state)
        return partial(self._read_entries, query)

    def _read_entries(self, query: sa.Select[Any], connection: Connection) -> list[Entry]:
        """The entries of these rows."""
        return [*map(self._parts.store.entry_of, connection.execute(query))]

    # What is done with all

    @operation
    def send(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Send what waits, and settle what may have been sent; returns the entries that have come
        to a result.

        Each entry is tried once, with up to `workers` calls at once; one whose outcome stays
        unknown is left for a later `send`. What others add or leave meanwhile is taken up, too. It
        returns when nothing is left. After an error that is about every call, no other one begins;
        those under way end first.

        Args:
            client: Sends them, in place of the outbox's own client.

        Raises:
            ConfigurationError: The outbox has no client, and none is passed.
            VictorError: The provider cannot be reached or refuses every call (credentials, rate,
                address). What was not sent waits for the next `send`.
        """
        return self._rounds.send(required_client(self._client_or_own(client)))

    @operation
    def refresh(self, client: AnyClient | None = None) -> Pass[list[Entry]]:
        """Read the statuses of what was sent and has not ended; returns the entries that changed.

        Victor's requests take one walk over its list, from the oldest of them on. What another
        write made or changed is read by its id, each half a minute at first and each hour at last,
        where the system has such a read. No webhook is needed.

        Args:
            client: Reads them, in place of the outbox's own client.

        Raises:
            VictorError: A status could not be read.
        """
        return self._refreshing.make(required_client(self._client_or_own(client)))

    @operation
    def hold(self) -> Work[int]:
        """Let workers take up nothing more, such as in a restored database: nothing is sent, read
        or handled until `release`. What is added later waits.

        Each entry that is stored now and was not sent is marked, also if it was held before: it may
        have been sent since its backup was made. It is not sent again, but looked up after
        `release`, until `settle_for` has passed. A call that has begun ends, and its result is
        stored.

        To pause an outbox that was not restored, stop its workers.

        Returns:
            How many entries may have been sent since.
        """
        return partial(
            hold, entries=self.table, control=self.control, life=self._parts.holding.life
        )

    @operation
    def release(self) -> Work[bool]:
        """End a hold. Returns whether there was one. What was said of `keys_kept` is stored."""

        def end(connection: Connection) -> bool:
            keys_kept(connection, self.control, self._parts.terms.kept)
            return end_hold(connection, self.control)

        return end

    @operation
    def held_since(self) -> Work[datetime | None]:
        """When the outbox was held, aware; None: it is not."""
        return partial(held_since, control=self.control)

    @operation
    def owners(self) -> Work[list[Owner]]:
        """Whom the entries belong to, for each system of which entries were stored or sent."""
        return self._scope.owners

    @operation
    def claim(self, client: Any) -> Work[None]:
        """Make the entries of its system this client's. Raises `AnotherScope`: they are not."""
        return partial(self._scope.require, client=client)

    @operation
    def adopt(self, client: Any) -> Work[Owner]:
        """Let this client send the entries, and no other one: its credentials are new ones of the
        same account, or the environment has another address. Returns whom they belong to now.
        """
        return partial(self._scope.adopt, client=client)

    @operation
    def counts(self) -> Work[dict[EntryState, int]]:
        """The number of entries in each state that this release knows, such as for `/metrics`."""
        return count_by_state(self.table.c.state, EntryState)


class Outbox(MakesTables, OutboxBase[sa.Engine], BlockingWorker):
    """The outbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use
    in several workers.

    None of its methods closes the client, `victor`.

    Args:
        engine: An SQLAlchemy engine of the database that has your invoices.
        client: The client whose writes `add_call` stores, and that `send` sends with, unless it is
            given another one.
        keys_kept: How long the provider keeps an idempotency key, at least 100 seconds. Victor
            does not document it: ask, and set it. It is stored with the outbox, and the shortest
            that was ever said counts. None: what is stored, or else 24 hours, an assumption.
        lease: How long an event is a worker's before another one handles it: longer than your
            handlers take. (An entry is its worker's until its call has ended: for the deadline of
            the client, and two seconds.)
        settle_for: How long a write is looked up that may have been sent and is not sent again,
            before it is `unclear`: longer than the provider's lists lag.
        workers: The maximum number of calls that a pass has under way at once, 1 to 100.
        storage_key: A secret of at least 16 characters, the same for all workers and services: the
            entries are encrypted. Of several secrets, with commas between them, the first one
            encrypts, and all decrypt. None: the entries are stored in clear.
        table: The name of the outbox's table, `name` or `schema.name`; that of its events has
            `_events` after it.
    """

    _driver = BlockingDriver


class AsyncOutbox(MakesTables, OutboxBase["AsyncEngine"], AwaitedWorker):
    """`Outbox`, awaited, on an `AsyncEngine`.

    That needs `sqlalchemy[asyncio]` and a driver such as aiosqlite or psycopg. `engine` is that of
    the database that has your invoices; the other arguments are as for `Outbox`.
    """

    _driver = AwaitedDriver
