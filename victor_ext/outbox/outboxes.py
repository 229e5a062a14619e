"""`Outbox` and `AsyncOutbox`, and their base `OutboxBase` with handlers and the reads of entries.

`OutboxBase` is put together from one class for each thing that an outbox does: `Adding`,
`OutboxPasses` (`send`, `refresh`), `OutboxByHand` and `Forgetting`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypedDict

import sqlalchemy as sa
from sqlalchemy import Connection

from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.event_queue.events import event_table
from victor_ext.event_queue.fitness import check_arguments, prepared_engine
from victor_ext.event_queue.handlers import H, Handler, meant_by
from victor_ext.event_queue.queue import AwaitedQueue, BlockingQueue, MakesTables
from victor_ext.event_queue.rows import count_by_state
from victor_ext.event_queue.transactions import Engine, Work, operation
from victor_ext.health import Heartbeat
from victor_ext.privacy import concealed
from victor_ext.settlement.failures import Backoff
from victor_ext.settlement.key_age import LEAST_KEPT
from victor_ext.vault import secret_of

from .adding import Adding, preparer
from .by_hand import OutboxByHand
from .entries import (
    Entry,
    EntryState,
    OutboxEvent,
    event_name,
    outbox_table,
    reference_table,
    refusal,
)
from .forgetting import Forgetting
from .holding import control_table
from .life import Life
from .passes import AnyClient
from .sealing import HOW_TO_GIVE, Sealing, checked_secret

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it


WORKERS = range(1, 101)
"""How many calls of an outbox may be under way at once."""


class OutboxTables(NamedTuple):
    """The tables of an outbox: of its entries, of their events, of what concerns it as a whole, and
    of the references of entries that have several.
    """

    entries: sa.Table
    events: sa.Table
    control: sa.Table
    references: sa.Table

    @classmethod
    def of(cls, entries: sa.Table, name: str) -> OutboxTables:
        """The tables of an outbox with this table of entries, and this name."""
        metadata = entries.metadata
        events = event_table(f"{name}_events", metadata)
        control = control_table(f"{name}_control", metadata)
        references = reference_table(f"{name}_references", metadata)
        return cls(entries, events, control, references)


class OutboxOptions(TypedDict, total=False):
    """The options of every outbox; `Outbox` describes them."""

    client: AnyClient | None
    keys_kept: timedelta
    lease: timedelta
    settle_for: timedelta
    workers: int
    storage_key: str | None


class OutboxBase(Adding, OutboxByHand, Forgetting, Generic[Engine]):
    """What all outboxes have in common.

    The arguments are those of `Outbox`. None of them closes the client.
    """

    def __init__(
        self,
        engine: Engine,
        client: AnyClient | None = None,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        settle_for: timedelta = timedelta(minutes=10),
        workers: int = 16,
        storage_key: str | None = None,
        table: str = "victor_outbox",
    ) -> None:
        storage_key = concealed(storage_key)
        check_arguments(engine, keys_kept=keys_kept, lease=lease, settle_for=settle_for)
        self._kept = keys_kept.total_seconds()
        if self._kept < LEAST_KEPT:
            raise ConfigurationError(
                f"keys_kept={keys_kept!r} is below {LEAST_KEPT:g} s: a call and its repeats must "
                "end before their key."
            )
        if isinstance(workers, bool) or not isinstance(workers, int) or workers not in WORKERS:
            raise ConfigurationError(
                f"workers={workers!r:.40} must be a whole number from 1 to {WORKERS[-1]}."
            )
        self._workers = workers
        self._backoff = Backoff()
        self._refusals = {}
        self._lease = lease.total_seconds()
        self._settle_for = settle_for.total_seconds()
        self.client = client
        self.table, self.events, self.control, self.references = self._tables(table)
        self._life = Life(self.control, self.table)
        self._sealing = Sealing(self.control, table, checked_secret(storage_key))
        self._handlers: list[Handler] = []
        self._engine = prepared_engine(engine)
        self._heartbeat = Heartbeat()

    def _tables(self, name: str) -> OutboxTables:
        """The tables of the outbox with this name."""
        return OutboxTables.of(outbox_table(name), name)

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
                in any letter case. A status whose word is a state of entries, or close to a known
                one, is `status:rejected`. None: every event.
            operation: The entries of one operation alone, such as `payouts.submit`. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the outbox has blocking calls; or
                the outbox's client has no such method; or the name is one letter off a known one.
        """
        self._check_method(operation)
        self._check_operation(operation)
        return self._on(name, operation)

    def _check_method(self, operation: object) -> None:
        """Raise `ConfigurationError` for the name of a method that the client has not.

        Only names with a dot are names of methods; those of generated functions have none.
        """
        if isinstance(operation, str) and "." in operation and self.client is not None:
            # Without arguments a known method fails in one of these ways.
            with suppress(TypeError, InvalidRequest):
                self.client.prepare(operation)

    def _check_operation(self, operation: object) -> None:
        """Raise `ConfigurationError` for a name that is a slip of the name of an operation: its
        handler would never be called.
        """
        if not isinstance(operation, str):
            return
        if not operation.strip():
            raise ConfigurationError(
                "operation is empty: name one, such as operation='payouts.submit', or leave it out."
            )
        meant = _operation_meant_by(operation, (self.client or preparer()).operation_names)
        if meant is not None:
            raise ConfigurationError(
                f"operation={operation!r:.60} is no operation of {self._provider()}'s: did you "
                f"mean {meant!r}?"
            )

    def _event_name(self, name: str) -> str:
        """As of every queue; see `event_name` of `entries`."""
        return event_name(name, getattr((self.client or preparer()), "statuses", ()))

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
        """The entries of these rows, decrypted if the secret was passed."""
        self._sealing.load_vault(connection)
        return [*map(self._entry_of, connection.execute(query))]

    @operation
    def rekey(self, new: str) -> Work[bool]:
        """Protect an encrypted outbox by another secret: from now on `storage_key` has to be it.

        What is stored stays as it is. Workers and services with the old one stop with an error.

        Args:
            new: A secret of at least 16 characters.

        Returns:
            Whether the outbox has a key: one without encrypted entries has none.

        Raises:
            ConfigurationError: The outbox has another storage key; or the new one is too short.
        """
        secret = secret_of(concealed(new), "new", HOW_TO_GIVE)
        return partial(self._sealing.rewrap, secret=secret)

    @operation
    def counts(self) -> Work[dict[EntryState, int]]:
        """The number of entries in each state that this release knows, such as for `/metrics`."""
        return count_by_state(self.table.c.state, EntryState)


def _operation_meant_by(operation: str, known: Sequence[str]) -> str | None:
    """The known operation of which a name is a slip; None: the name is known, or like no known
    one.
    """
    if operation in known:
        return None
    word = operation.casefold()
    in_any_case = {name.casefold(): name for name in known}
    by_method = {name.rpartition(".")[2]: name for name in known}
    meant = in_any_case.get(word) or by_method.get(word) or meant_by(word, known)
    return meant or by_method.get(meant_by(word, by_method) or "")


class Outbox(MakesTables, OutboxBase[sa.Engine], BlockingQueue[OutboxEvent]):
    """The outbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use
    in several workers.

    None of its methods closes the client, `victor`.

    Args:
        engine: An SQLAlchemy engine of the database that has your invoices.
        client: The client whose writes `add_call` stores, and that `send` sends with, unless it is
            given another one.
        keys_kept: How long the provider keeps an idempotency key, at least 100 seconds. Victor
            does not document it: ask, and set it.
        lease: How long an event is a worker's before another one handles it: longer than your
            handlers take. (An entry is its worker's until its call has ended: for the deadline of
            the client, and two seconds.)
        settle_for: How long a write is looked up that may have been sent and is not sent again,
            before it is `unclear`: longer than the provider's lists lag.
        workers: The maximum number of calls that a pass has under way at once, 1 to 100.
        storage_key: A secret of at least 16 characters, the same for all workers and services: new
            entries are encrypted. None: they are stored in clear.
        table: The name of the outbox's table, `name` or `schema.name`; that of its events has
            `_events` after it.
    """


class AsyncOutbox(MakesTables, OutboxBase["AsyncEngine"], AwaitedQueue[OutboxEvent]):
    """`Outbox`, awaited, on an `AsyncEngine`.

    That needs `sqlalchemy[asyncio]` and a driver such as aiosqlite or psycopg. `engine` is that of
    the database that has your invoices; the other arguments are as for `Outbox`.
    """
