"""States of bulk in a history: the true tables, in memory, and workers that go on step by step.

All else is the code that is tested: its threads alone are left out.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from tests.histories.provider import KEPT
from tests.histories.world import SteppedCalls, World, pause, with_world_time
from victor_ext.bulk import run as bulk_run
from victor_ext.bulk.by_hand import ByHand
from victor_ext.bulk.check import Check, ControlTotals
from victor_ext.bulk.context import BulkContext
from victor_ext.bulk.lines import lines_of
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.payments import (
    ENDED,
    LEFT_OUT,
    METADATA,
    PAYMENT_COLUMNS,
    STATE,
    UNDER_WAY,
    WITH_ENTRIES,
)
from victor_ext.bulk.row_kind import RowKind
from victor_ext.bulk.rows import Result, Row, result_of, row_of
from victor_ext.bulk.settings import Settings
from victor_ext.bulk.state import State
from victor_ext.bulk.store import Store
from victor_ext.bulk.vault import Vault
from victor_ext.bulk.worker import Worker
from victor_ext.event_queue.presence import new_worker_name
from victor_ext.flows import drive
from victor_ext.health import Heartbeat
from victor_ext.outbox.files import ENTRIES, TABLES, FileOutbox, adopt, end_leases_of_dead
from victor_ext.vault import KEY_BYTES

_SECRET = b"a secret of histories, of some length"
_TABLES = (*TABLES.entries.metadata.sorted_tables, *METADATA.sorted_tables)


class Pausing:
    """An engine whose transactions begin and end at a stop; no transaction waits for another
    one.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        pause()
        with self._engine.begin() as connection:
            yield connection
        pause()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def in_world_time(engine: sa.Engine) -> sa.Engine:
    """Let the clock of this database be the true time of the world whose clocks are set."""

    @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
    def tell(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> tuple[str, Any]:
        return with_world_time(statement), parameters

    return engine


class Stepped:
    """An outbox whose calls go on as the events of a history let them."""

    _step: Any

    def _with_calls(self, _most: int, flow: Any) -> Any:
        return drive(flow(SteppedCalls()), self._step)


class SteppedFileOutbox(Stepped, FileOutbox):
    """The outbox of a worker."""


class Stop(threading.Event):
    """The event that ends all waits of a sender. To wait for it takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.sleep(timeout or 0.0)
        return self.is_set()


@cache
def _database(number: int) -> Any:
    """The database of the states with this number, of all histories: SQLAlchemy keeps the
    statements of an engine that it knows.
    """
    engine = in_world_time(sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool))
    for metadata in (TABLES.entries.metadata, METADATA):
        metadata.create_all(engine)
    return Pausing(engine)


@cache
def _vault(number: int) -> Vault:
    return Vault(bytes([number]) * KEY_BYTES, "a provider")


class Payment(NamedTuple):
    """A payment of a state at the end.

    `result` is None if it is under way, or left out. `is_dated` says that the provider's clock has
    shown when it may have been sent first.
    """

    batch: str
    state: str
    row: Row
    result: Result | None
    is_dated: bool


class MemoryState(State):
    """A state that is there from the beginning.

    Attributes:
        living: The names of the workers that are not dead.
        can_be_lost: Whether living workers can count as dead, as after a broken connection.
    """

    is_sqlite = True

    def __init__(self, number: int, *, can_be_lost: bool) -> None:
        self.number, self.url = number, sa.make_url("sqlite://")
        self.living, self.can_be_lost = set[str](), can_be_lost
        self.database = _database(number)
        with self.database._engine.begin() as connection:
            for table in _TABLES:
                connection.execute(sa.delete(table))

    def exists(self) -> bool:
        return True

    def prepare(self) -> None:
        """It is there."""

    def loss(self, _error: object = None) -> None:
        """It is never lost."""

    @contextmanager
    def engine(self, _database: str | None = None) -> Iterator[Any]:
        yield self.database

    def context(self, kind: RowKind, key_column: str | None, at_once: int = 1) -> BulkContext:
        settings = Settings(
            key_column, None, at_once, KEPT, None, None, skip_invalid=True, encoding=None
        )
        vault, tried = _vault(self.number), Counter[Any]()
        return BulkContext(kind.client, kind, self, vault, settings, Heartbeat(), tried, _SECRET)

    def payments(self, store: Store) -> list[Payment]:
        """What is known at the end, of all batches."""
        query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ENTRIES)
        with self.database.connect() as connection:
            rows = connection.execute(query.order_by("batch", "key")).all()
        return [self._payment(store, row) for row in rows]

    @staticmethod
    def _payment(store: Store, row: Any) -> Payment:
        is_open = row.state in (UNDER_WAY, LEFT_OUT)
        result = None if is_open else result_of(store.vault, row)
        return Payment(
            row.batch, row.state, row_of(store.vault, row), result, bool(row.by_provider_clock)
        )

    def unsettled(self) -> set[str]:
        """Return the names of the batches of which something can be gone on with."""
        columns = [column for column in PAYMENT_COLUMNS if column.name == "batch"]
        query = sa.select(*columns).select_from(WITH_ENTRIES).where(STATE.not_in(ENDED))
        with self.database.connect() as connection:
            return set(connection.execute(query).scalars())

    def made(self) -> set[str]:
        """Return the ids of what was made for the entries that are sent."""
        query = sa.select(ENTRIES.c.request_id).where(ENTRIES.c.state == "sent")
        with self.database.connect() as connection:
            return set(connection.execute(query).scalars())


def store_file(context: BulkContext, batch: str, rows: list[dict[str, Any]]) -> Check:
    """Decide about the rows of a file, and store them, as `send` does."""
    with closing(Loading(rows, batch, context, ControlTotals())) as loading:
        loading.read()
        with context.open_present(batch) as store:
            loading.store(store)
        return loading.check


def ask_again(context: BulkContext, batch: str) -> None:
    """Ask for all rows of a batch, as a person does whom nothing keeps from it."""
    with context.open_present(batch) as store:
        record = store.record()
        assert record is not None
        person = {"by": "Ada", "not_by_sender": False, "why": "another instalment"}
        ByHand(context, store, record).ask(list(lines_of(store)), person)


def go_on(store: Store) -> None:
    """Let workers go on with a batch, as `resume` does."""
    store.transact(lambda connection: bulk_run._go_on(store, connection))


def take_over_doubt(store: Store) -> None:
    """Let this account look up what is in doubt of a batch of another one, as `send` does with a
    file that has the same rows.
    """
    store.transact(
        lambda connection: adopt(connection, store.is_entry(), store.sender, store.batch)
    )


class _Presence:
    """Shows that a worker is alive, until it is killed."""

    def __init__(self, state: MemoryState) -> None:
        self._state, self.name = state, new_worker_name()
        state.living.add(self.name)

    @contextmanager
    def held_for(self, name: str) -> Generator[bool]:
        yield self._state.can_be_lost or name not in self._state.living


class SteppedWorker(Worker):
    """A worker without threads, whose passes are made by the process that has it."""

    def __init__(self, context: BulkContext, batch: str | None, world: World) -> None:
        presence: Any = _Presence(cast("MemoryState", context.state))
        super().__init__(context, presence, batch)
        self._stop = Stop(world)
        with context.open(batch or "") as self._store:
            pass
        self._outbox = SteppedFileOutbox(
            self._store.engine, context.client, context.secret, self._terms()
        )

    def run(self) -> None:
        """Look for dead workers, and make one pass."""
        with self._store.transaction() as connection:
            end_leases_of_dead(connection, self._presence)
        self._pass()

    def die(self) -> None:
        cast("MemoryState", self._state).living.discard(self._presence.name)
