"""States of bulk in a history: the true tables of payments, in memory, and a worker that goes on
step by step.

What DBOS does is done here: it carries chunks to workers. All else is the code that is tested.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple, cast
from unittest.mock import patch

import sqlalchemy as sa
from dbos import error

from tests.histories.provider import KEPT
from tests.histories.world import Process, World, pause
from victor_ext.bulk import asking_again
from victor_ext.bulk import worker as bulk_worker
from victor_ext.bulk.check import Check
from victor_ext.bulk.contents import result_of, row_of
from victor_ext.bulk.context import WorkerContext
from victor_ext.bulk.control_totals import ControlTotals
from victor_ext.bulk.delivery import Delivery
from victor_ext.bulk.lines import lines_of
from victor_ext.bulk.loading import Loading
from victor_ext.bulk.payments import ENDED, METADATA, PAYMENTS, UNDER_WAY
from victor_ext.bulk.row_kind import RowKind, Sendable
from victor_ext.bulk.rows import Result, Row
from victor_ext.bulk.settings import Settings
from victor_ext.bulk.store import Store
from victor_ext.bulk.vault import Vault
from victor_ext.bulk.worker import Worker
from victor_ext.health import Heartbeat
from victor_ext.vault import KEY_BYTES

PATIENCE = 5.0
TERMS = {"retention": KEPT, "patience": PATIENCE}


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


class PausingBefore(Pausing):
    """One whose transactions begin at a stop. After one, nothing but another stop can follow."""

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        pause()
        with self._engine.begin() as connection:
            yield connection


class Stop(threading.Event):
    """The event that ends all waits of a sender. To wait for it takes no time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.sleep(timeout or 0.0)
        return self.is_set()


class Inline:
    """In place of the threads that send the rows of a chunk."""

    def submit(self, act: Callable[..., None], *arguments: Any) -> Future[None]:
        done = Future[None]()
        act(*arguments)
        done.set_result(None)
        return done


@dataclass(eq=False)
class Carried:
    """A chunk, as DBOS carries it: a worker has it until it ends, or another one takes it up.

    The execution that took it up last is the one that can end it.
    """

    id: str
    data: Mapping[str, Any]
    owner: Process | None = None
    run: object = None
    is_over: bool = False


class Carrier:
    """In place of the client of DBOS."""

    def __init__(self) -> None:
        self.chunks: dict[str, Carried] = {}

    def enqueue_in_transaction(
        self, _connection: sa.Connection, record: Mapping[str, Any], data: Mapping[str, Any]
    ) -> None:
        workflow_id = record["workflow_id"]
        if workflow_id in self.chunks:
            raise error.DBOSConflictingWorkflowError(workflow_id, "it is there")
        self.chunks[workflow_id] = Carried(workflow_id, data)

    def list_workflows(self, *, workflow_ids: list[str], **_: object) -> list[Any]:
        """Return those of these that are not over."""
        chunks = (self.chunks[each] for each in workflow_ids if each in self.chunks)
        return [SimpleNamespace(workflow_id=chunk.id) for chunk in chunks if not chunk.is_over]

    def open_of(self, queue: str) -> list[Carried]:
        """Return the chunks of a batch that are not over, oldest first."""
        of_batch = (chunk for chunk in self.chunks.values() if chunk.id.rpartition("/")[0] == queue)
        return [chunk for chunk in of_batch if not chunk.is_over]


@cache
def _database(number: int) -> Any:
    """The database of the states with this number, of all histories: SQLAlchemy keeps the
    statements of an engine that it knows.
    """
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    METADATA.create_all(engine)
    return PausingBefore(engine)


@cache
def _vault(number: int) -> Vault:
    return Vault(bytes([number]) * KEY_BYTES, "a provider")


class Payment(NamedTuple):
    """A payment of a state at the end.

    `result` is None if nobody has taken it up.
    """

    batch: str
    state: str
    row: Row
    result: Result | None


class MemoryState:
    """In place of `State`, for a `WorkerContext`."""

    def __init__(self, number: int) -> None:
        self.number, self.carrier, self.vault = number, Carrier(), _vault(number)
        self._database = _database(number)
        with self._database._engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(sa.delete(table))

    def exists(self) -> bool:
        return True

    def prepare(self) -> None:
        """It is there."""

    @contextmanager
    def errors(self) -> Iterator[None]:
        yield

    @contextmanager
    def engine(self) -> Iterator[Any]:
        yield self._database

    @contextmanager
    def client(self, _vault: Vault, _engine: sa.Engine) -> Iterator[Carrier]:
        yield self.carrier

    def keep_key(self, *_: object) -> None:
        """Its key is known."""

    def context(self, kind: RowKind, key_column: str | None) -> WorkerContext:
        settings = Settings(
            key_column, None, 1, KEPT, PATIENCE, None, skip_invalid=True, encoding=None
        )
        state = cast("Any", self)
        none = Heartbeat()
        return WorkerContext(kind.client, kind, state, self.vault, settings, none, Counter(), b"")

    def payments(self, store: Store) -> list[Payment]:
        """What is known at the end, of all batches."""
        with self._database.connect() as connection:
            rows = connection.execute(sa.select(PAYMENTS)).all()
        return [self._payment(store, row) for row in rows]

    @staticmethod
    def _payment(store: Store, row: Any) -> Payment:
        return Payment(row.batch, row.state, row_of(store.vault, row), result_of(store.vault, row))

    def unsettled(self) -> set[str]:
        """Return the names of the batches of which something can be gone on with."""
        query = sa.select(PAYMENTS.c.batch).where(PAYMENTS.c.state.not_in(ENDED))
        with self._database.connect() as connection:
            return set(connection.execute(query).scalars())

    def is_broken_off(self, chunk: str) -> bool:
        """Whether rows of this chunk were under way when nobody had it any more."""
        columns = PAYMENTS.c
        query = sa.select(columns.key).where(columns.chunk == chunk, columns.state == UNDER_WAY)
        with self._database.connect() as connection:
            return connection.execute(query).first() is not None


def store_file(context: WorkerContext, batch: str, rows: list[dict[str, Any]]) -> Check:
    """Decide about the rows of a file, and store them, as `send` does."""
    with closing(Loading(rows, batch, context, ControlTotals())) as loading:
        check = loading.read()
        with context.open_present(batch) as store:
            loading.store(store)
        return check


def ask_again(context: WorkerContext, batch: str) -> None:
    """Ask for all rows of a batch, as a person does whom nothing keeps from it."""
    with context.open_present(batch) as store:
        record = store.record()
        assert record is not None
        person = {"by": "Ada", "not_by_sender": False, "why": "another instalment"}
        asking_again.ask_rows_again(context, store, record, list(lines_of(store)), person)


class _NoQueues:
    """In place of DBOS, for a worker that asks for the rate of a queue: there is none."""

    @staticmethod
    def retrieve_queue(_name: str) -> None:
        return None


class SteppedWorker(Worker):
    """A worker whose rows are sent in one thread, and that is given its chunks.

    Where it `can_be_lost`, another one may take up what it has.
    """

    def __init__(self, context: WorkerContext, world: World, *, can_be_lost: bool) -> None:
        lock: Any = SimpleNamespace(executor="local", can_be_lost=can_be_lost)
        super().__init__(context, lock, None)
        self._stop = Stop(world)
        with context.open() as self._store:
            pass
        for name, delivery in self._deliveries.items():
            delivery.close()
            self._deliveries[name] = self._stepped(delivery.kind, world)

    def _stepped(self, kind: Sendable, world: World) -> Delivery:
        delivery: Any = Delivery(kind, 1, self._stop, lambda: world.now)
        delivery.close()
        delivery._threads = Inline()
        return cast("Delivery", delivery)

    def _checkpoints(self, *arguments: Any) -> Any:
        # Nothing in it stops: no other process sees what is patched.
        with patch.object(bulk_worker, "DBOS", _NoQueues):
            return super()._checkpoints(*arguments)

    def run(self, chunk: Carried, process: Process) -> None:
        """One execution of a chunk, as DBOS begins and ends it."""
        run = chunk.run = object()
        chunk.owner = process
        with suppress(bulk_worker._WorkerGone):
            self.send(chunk.id, chunk.data)
            if chunk.run is run:
                chunk.is_over = True
