"""Read and write one batch in the database: its lines, its payments, and the chunks that DBOS
carries.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from victor_ext import ConfigurationError
from victor_ext.ids import reference_of
from victor_ext.settlement.flow import MAY_EXIST, Rival
from victor_ext.settlement.key_age import Sent

from .layout import chunk_id, next_try, queue_of, record_of
from .payments import (
    BATCHES,
    ENDED,
    IN_DOUBT,
    LEFT_OUT,
    LINES,
    NEVER_LEFT,
    PAGE,
    PAYMENTS,
    SETTLED_STATES,
    STATE_KEY,
    TO_BE_SENT,
    UNDER_WAY,
    is_in,
    pages,
)
from .rows import Result, Row, RowOutcome
from .state import StateLost
from .vault import Vault

if TYPE_CHECKING:
    from dbos import DBOSClient

_ACTIVE = ["ENQUEUED", "PENDING"]
"""The states of a DBOS workflow that a worker has, or will have."""
_NEVER_REACHED = 1_000_000
_IDLE_SECONDS = 60
"""A PostgreSQL server ends the transaction of a process that was stopped for longer: others may
wait for it.
"""
_WAS_SENT = MAY_EXIST | {RowOutcome.CREATED, RowOutcome.REJECTED}
RowResults = Sequence[tuple[Row, Result]]
"""Rows as they were taken up, and what became of each."""
_NAMED = 10
"""Maximum number of batch names in an error message."""
_OF_KEY = "of_key"
_OF_TRY = "of_try"
"""Parameters of a statement for many payments: the key of each, and how many it had before."""
_Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What is stored of a batch beside its lines.

    Attributes:
        columns: Extra columns, for the export.
        terms: The settings `TERMS` of its last file.
        persons: The settings `PERSONS` of each file, in order.
        rows: How many lines its last file has.
    """

    key_column: str
    key_kind: str
    columns: Sequence[str]
    terms: Mapping[str, Any]
    persons: Sequence[Mapping[str, Any]]
    rows: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a batch: a row of its latest file, or a payment that was in doubt and that the file
    lacks.

    Attributes:
        number: Of the record in the file, from 1; 0: the file lacks it.
        batch: The one that sends, or has sent, its payment; None: it has no payment.
        code: Of the notice about it; None: there is none.
        row: What was asked; None: nothing is known of it any more.
        latest: The same by the latest file, which may have other values.
        outcome: What became of it.
        message: The notice about it; None: there is none.
        restored: Whether it may have been asked since the backup of the state.
    """

    number: int
    key: str
    batch: str | None
    code: str | None
    row: Row | None = field(repr=False)
    latest: Row | None = field(repr=False)
    outcome: RowOutcome
    result: Result
    message: str | None
    restored: bool = False


class LineCounts(NamedTuple):
    """How many lines a batch has.

    Attributes:
        outcomes: By outcome.
        codes: By the code of their notice.
        under_way: Of those that are unknown: a worker has begun with them.
        left_out: Of those that are refused: the latest file of another batch lacks them.
    """

    outcomes: Counter[RowOutcome]
    codes: Counter[str]
    under_way: int
    left_out: int


@dataclass(eq=False, repr=False)
class Store:
    """One batch in the database, of one system and environment (`owner`).

    The application is that of the vault, and `account` sends it.
    """

    client: DBOSClient
    engine: sa.Engine
    vault: Vault
    owner: str
    batch: str
    account: str
    turns: threading.Lock = field(default_factory=threading.Lock)
    """Of the threads that write to SQLite: there they would wait for each other asleep."""

    @property
    def queue(self) -> str:
        return queue_of(self.vault.application, self.batch)

    # The batch

    def record(self, *, to_send: bool = False) -> BatchRecord | None:
        """Return what is stored of the batch; None: there is none.

        Raises `ConfigurationError` if it is of another base URL or, `to_send`, another account.
        """
        with self.engine.connect() as connection:
            row = self._batch_row(connection)
        if row is None:
            return None
        if row.application != self.vault.application:
            raise ConfigurationError(
                f"The batch {self.batch} was begun for another base URL: set VICTOR_BASE_URL as "
                "it was then."
            )
        if to_send and row.account != self.account:
            raise ConfigurationError(
                f"The batch {self.batch} belongs to the account {row.account}, these credentials "
                f"to the account {self.account}. Nothing was sent: the provider may keep the keys "
                "of each account apart. Use the credentials that the batch was started with."
            )
        if to_send:
            with self.engine.connect() as connection:
                self.refuse_held(connection)
        return BatchRecord(**self.vault.deserialize(row.details))

    def present_record(self, connection: sa.Connection) -> BatchRecord | None:
        """Return what is stored of the batch within the transaction that changes it."""
        row = self._batch_row(connection)
        return None if row is None else BatchRecord(**self.vault.deserialize(row.details))

    def _batch_row(self, connection: sa.Connection) -> Any:
        columns = BATCHES.c
        query = sa.select(BATCHES).where(columns.owner == self.owner, columns.batch == self.batch)
        return connection.execute(query).first()

    def save_record(self, connection: sa.Connection, record: BatchRecord, chunks: int) -> None:
        """Store what is known of the batch, and how many chunks it has had."""
        values = {
            "owner": self.owner,
            "batch": self.batch,
            "application": self.vault.application,
            "account": self.account,
            "chunks": chunks,
            "details": self.vault.serialize(asdict(record)),
            "stored_at": time.time(),
        }
        columns = BATCHES.c
        connection.execute(
            sa.delete(BATCHES).where(columns.owner == self.owner, columns.batch == self.batch)
        )
        connection.execute(sa.insert(BATCHES), values)

    def chunks_so_far(self, connection: sa.Connection) -> int:
        """Return how many chunks the batch has had."""
        row = self._batch_row(connection)
        return 0 if row is None else int(row.chunks)

    def batches(self) -> list[str]:
        """Return the names of the batches of this system and environment, oldest first."""
        columns = BATCHES.c
        query = sa.select(columns.batch).where(
            columns.owner == self.owner,
            columns.application == self.vault.application,
            sa.not_(columns.batch.contains("/")),
        )
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(columns.stored_at)).scalars())

    @contextmanager
    def transaction(self) -> Generator[sa.Connection]:
        """Store all of a block, or nothing."""
        turn = self.turns if self.engine.dialect.name == "sqlite" else nullcontext()
        with turn, self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    sa.text(f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
                )
            else:  # else it would begin with the first write, after what was read before
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _locked(
        self,
        connection: sa.Connection,
        chosen: sa.ColumnElement[bool],
        limit: int | None = None,
        read: Sequence[sa.Column[Any]] = (*PAYMENTS.c,),
    ) -> list[Any]:
        """Return payments that nobody else changes until the transaction ends, by their places.

        They are locked in the order of their keys, as everywhere: nobody waits in a circle.
        """
        query = sa.select(*read).where(chosen).order_by(PAYMENTS.c.key).with_for_update()
        return sorted(connection.execute(query.limit(limit)).all(), key=attrgetter("place"))

    # A restored state

    def hold(self, keep_key: Callable[[sa.Connection], None]) -> None:
        """Keep everything from being sent: the state was restored, and knows the past alone.

        All payments may have been asked since, also under other keys. If the state is held already,
        nothing is changed: what a person has found out since then counts.

        Args:
            keep_key: Stores the key of the state, if it has none: it has what is held.
        """
        with self.transaction() as connection:
            keep_key(connection)
            if self._held_at(connection) is None:
                connection.execute(sa.update(STATE_KEY).values(held_at=time.time()))
                connection.execute(sa.update(PAYMENTS).values(restored=True))

    def release(self) -> int | None:
        """Let rows be sent again. What waits may have been sent since it was stored.

        Returns how many these are; None: the state was not held.
        """
        columns = PAYMENTS.c
        with self.transaction() as connection:
            if self._held_at(connection) is None:
                return None
            may_have_left = columns.state.in_(TO_BE_SENT)
            values = {
                "state": UNDER_WAY,
                "sent": columns.stored,
                "chunk": sa.func.coalesce(columns.chunk, f"{self.queue}/00000000"),
                "worker": None,
            }
            marked = connection.execute(sa.update(PAYMENTS).where(may_have_left).values(values))
            connection.execute(sa.update(STATE_KEY).values(held_at=None))
            return int(marked.rowcount)

    def refuse_held(self, connection: sa.Connection) -> None:
        """Raise `ConfigurationError` if the state is held."""
        if self._held_at(connection) is not None:
            raise ConfigurationError(
                "The state is held, because it was restored: nothing is sent. Once no other copy "
                "of it sends any more, release it ('victor bulk release')."
            )

    def held_since(self) -> datetime | None:
        """Return since when the state is held, aware; None: it is not."""
        with self.engine.connect() as connection:
            moment = self._held_at(connection)
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    def _held_at(self, connection: sa.Connection) -> float | None:
        row = connection.execute(sa.select(STATE_KEY.c.held_at)).first()
        return None if row is None else row.held_at

    def lock_unsent(self, connection: sa.Connection) -> None:
        """Let nobody send anything of the batch that has not left until the transaction ends."""
        columns = PAYMENTS.c
        is_own = sa.and_(columns.owner == self.owner, columns.batch == self.batch)
        is_unsent = sa.and_(is_own, columns.state.in_(NEVER_LEFT))
        query = sa.select(columns.key).where(is_unsent).order_by(columns.key).with_for_update()
        connection.execute(query).all()

    # The queue

    def enqueue(self, connection: sa.Connection, workflow_id: str, data: object) -> None:
        """Add a chunk to the queue, within the transaction."""
        record: Any = {
            **record_of(self.account, workflow_id),
            "workflow_id_reuse_policy": "reject",
        }
        self.client.enqueue_in_transaction(connection, record, data)

    def open_queue(self, rate: float | None, slots: int) -> None:
        """Make the batch visible to workers and set its rate in rows per second.

        With a rate, all machines together send one chunk at a time and space its rows evenly. The
        limit of DBOS holds the rate, and is never reached: while a clock was ahead, each chunk
        would count until that time has come.
        """
        limiter: Any = (
            None if rate is None else {"limit": _NEVER_REACHED, "period": _NEVER_REACHED / rate}
        )
        self.client.register_queue(
            self.queue,
            worker_concurrency=1 if rate is not None else slots,
            global_concurrency=None if rate is None else 1,
            limiter=limiter,
            polling_interval_sec=0.1,
        )

    def is_open(self) -> bool:
        return self.client.retrieve_queue(self.queue) is not None

    def close_queue(self) -> None:
        self.client.delete_queue(self.queue)

    def is_idle(self) -> bool:
        """Whether no worker has a chunk of the batch, or will have one."""
        active = self.client.list_workflows(
            queue_name=self.queue, status=_ACTIVE, limit=1, load_input=False, load_output=False
        )
        return not active

    def is_active(self, chunk: str) -> bool:
        """Whether a worker has this chunk, or will have it."""
        active = self.client.list_workflows(
            workflow_ids=[chunk], status=_ACTIVE, load_input=False, load_output=False
        )
        return bool(active)

    def retry_unsettled(self, data: Mapping[str, Any]) -> None:
        """Add a chunk for what is unsettled of each chunk that no worker has.

        Another process may do the same: the id of a chunk exists once.
        """
        from dbos import error  # noqa: PLC0415 - a check of rows needs no DBOS, and it takes half of the start

        lost_race = error.DBOSWorkflowIDInUseError, error.DBOSConflictingWorkflowError
        for chunk in self._chunks_to_retry():
            with suppress(*lost_race), self.transaction() as connection:
                self._retry(connection, chunk, data)

    def _chunks_to_retry(self) -> list[str]:
        with self.engine.connect() as connection:
            query = sa.select(PAYMENTS.c.chunk).where(self._is_unsettled()).distinct()
            chunks = sorted(connection.execute(query).scalars())
        active = set[str]()
        for page in pages(chunks):
            infos = self.client.list_workflows(
                workflow_ids=page, status=_ACTIVE, load_input=False, load_output=False
            )
            active |= {info.workflow_id for info in infos}
        return [chunk for chunk in chunks if chunk not in active]

    def _is_unsettled(self) -> sa.ColumnElement[bool]:
        """Whether a payment is unsettled, and of this batch, or in doubt and in its latest file."""
        columns = PAYMENTS.c
        listed = sa.select(LINES.c.key).where(self._is_line())
        is_own = sa.and_(columns.batch == self.batch, columns.state.not_in(ENDED))
        is_listed = sa.and_(columns.key.in_(listed), columns.state.in_(IN_DOUBT))
        return sa.and_(columns.owner == self.owner, sa.or_(is_own, is_listed))

    def _is_line(self) -> sa.ColumnElement[bool]:
        return sa.and_(LINES.c.owner == self.owner, LINES.c.batch == self.batch)

    def _retry(self, connection: sa.Connection, chunk: str, data: Mapping[str, Any]) -> None:
        columns = PAYMENTS.c
        chosen = sa.and_(self._is_unsettled(), columns.chunk == chunk)
        keys = [row.key for row in self._locked(connection, chosen)]
        if not keys:
            return
        again = next_try(chunk)
        if not again.startswith(f"{self.queue}/"):  # of another batch, or another base URL
            number = self.chunks_so_far(connection) + 1
            connection.execute(
                sa.update(BATCHES)
                .where(BATCHES.c.owner == self.owner, BATCHES.c.batch == self.batch)
                .values(chunks=number)
            )
            again = chunk_id(self.queue, number)
        connection.execute(
            sa.update(PAYMENTS)
            .where(columns.owner == self.owner, columns.key.in_(keys))
            .values(chunk=again, worker=None)
        )
        self.enqueue(connection, again, {**data, "keys": keys})

    # A chunk at work

    def claim(self, chunk: str, worker: str) -> list[Row]:
        """Take up the payments of a chunk: from now on no other worker stores anything of them."""
        columns = PAYMENTS.c
        is_open = sa.and_(columns.chunk == chunk, columns.state.not_in(ENDED))
        with self.transaction() as connection:
            if self._held_at(connection) is not None:
                return []
            rows = self._locked(connection, is_open)
            connection.execute(sa.update(PAYMENTS).where(is_open).values(worker=worker))
            lacking = self._lacking(connection, is_open)
        return [self._claimed(row, is_listed=row.key not in lacking) for row in rows]

    def _lacking(self, connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> set[str]:
        """Return the keys of those payments that the latest file of no batch has."""
        lines, columns = LINES.c, PAYMENTS.c
        is_its = sa.and_(lines.owner == columns.owner, lines.key == columns.key, lines.number > 0)
        query = sa.select(columns.key).where(chosen, sa.not_(sa.exists().where(is_its)))
        return set(connection.execute(query).scalars())

    def _claimed(self, row: Any, *, is_listed: bool) -> Row:
        """Return a row to send. One that may have been sent, and no file has, is only looked up."""
        opened = self._row(row)
        if is_listed or opened.sent is None:
            return opened
        return replace(opened, sent=opened.sent._replace(looked_up=True))

    def begin(
        self, worker: str, keys: Sequence[str], sent: Sent | None, results: RowResults
    ) -> set[str]:
        """Store results, and that these payments may have been sent from now on.

        Returns the keys that are still this worker's, and whose row no other file has replaced.
        """
        columns = PAYMENTS.c
        with self.transaction() as connection:
            settled = [row.payment for row, _ in results]
            locked = self._of_keys(connection, [*keys, *settled])
            self._save_results(connection, worker, results)
            if self._held_at(connection) is not None:
                return set()
            still = {
                row.key
                for row in locked
                if row.key in keys and row.worker == worker and row.state not in ENDED
            }
            is_new = sa.and_(
                columns.owner == self.owner, columns.key.in_(still), columns.sent.is_(None)
            )
            if still:
                values = {"state": UNDER_WAY, "sent": json.dumps(sent)}
                connection.execute(sa.update(PAYMENTS).where(is_new).values(values))
        return still

    def _of_keys(self, connection: sa.Connection, keys: Sequence[str]) -> list[Any]:
        """Lock payments. Return who has them, and their states, without what they ask for."""
        columns = PAYMENTS.c
        is_its = sa.and_(columns.owner == self.owner, columns.key.in_(keys))
        read = columns.key, columns.place, columns.worker, columns.state
        return self._locked(connection, is_its, read=read)

    def finish(
        self,
        worker: str,
        results: RowResults,
        chunk: str,
        left: Sequence[str],
        data: Mapping[str, Any],
    ) -> None:
        """Store the last results of a chunk; what is `left` of it goes to its next try."""
        columns = PAYMENTS.c
        with self.transaction() as connection:
            self._of_keys(connection, [*(row.payment for row, _ in results), *left])
            self._save_results(connection, worker, results)
            is_left = sa.and_(
                columns.owner == self.owner,
                columns.key.in_(left),
                columns.worker == worker,
                columns.chunk == chunk,
                columns.state.not_in(ENDED),
            )
            query = sa.select(columns.key).where(is_left).order_by(columns.place)
            keys = list(connection.execute(query).scalars()) if left else []
            if keys:
                again = next_try(chunk)
                moved = sa.update(PAYMENTS).where(is_left).values(chunk=again, worker=None)
                connection.execute(moved)
                self.enqueue(connection, again, {**data, "keys": keys})

    def _save_results(self, connection: sa.Connection, worker: str, results: RowResults) -> None:
        columns = PAYMENTS.c
        self._refuse_deleted(connection, results)
        created, certain, thought = list[_Values](), list[_Values](), list[_Values]()
        for row, result in results:
            values = {_OF_KEY: row.payment, _OF_TRY: row.again, **self._values_of(result)}
            if result.outcome is RowOutcome.CREATED:
                created.append(values)
            elif result.is_certain:
                certain.append(values)
            else:
                thought.append(values)
        # It is so for certain, whoever has the payment, and whatever was thought of it.
        self._update(connection, columns.state != RowOutcome.CREATED.value, created)
        # So is what its payout says of it: else rows of one payout would know other things.
        self._update(connection, is_in(IN_DOUBT), certain)
        is_held = sa.and_(columns.worker == worker, sa.not_(is_in(ENDED)))
        self._update(connection, is_held, thought)

    def _refuse_deleted(self, connection: sa.Connection, results: RowResults) -> None:
        """Raise `StateLost` if a payment that was sent is not in the table any more."""
        columns = PAYMENTS.c
        was_sent = [row.payment for row, result in results if result.outcome in _WAS_SENT]
        if not was_sent:
            return
        query = sa.select(sa.func.count()).where(
            columns.owner == self.owner, columns.key.in_(was_sent)
        )
        if connection.execute(query).scalar_one() < len(was_sent):
            raise StateLost.deleted("What the state has of payments")

    def _update(
        self, connection: sa.Connection, chosen: sa.ColumnElement[bool], values: list[_Values]
    ) -> None:
        """Change those of some payments that are chosen: one statement for all of them.

        Each of the values has the key of its payment as `_OF_KEY`, and how many keys it had before
        as `_OF_TRY`: a person may have asked once more meanwhile.
        """
        if not values:
            return
        columns = PAYMENTS.c
        is_its = sa.and_(
            columns.owner == self.owner,
            columns.key == sa.bindparam(_OF_KEY),
            columns.again == sa.bindparam(_OF_TRY),
        )
        connection.execute(sa.update(PAYMENTS).where(is_its, chosen), values)

    def resolve(
        self, connection: sa.Connection, key: str, result: Result | None, *, again: int
    ) -> None:
        """Store what a person has found of a payment; None: nothing but what is stored of it.

        From now on it has had so many keys before (`again`), and none of which is not known here.
        """
        chosen = sa.and_(PAYMENTS.c.owner == self.owner, PAYMENTS.c.key == key)
        values = {} if result is None else self._values_of(result)
        found = {**values, "again": again, "restored": False}
        connection.execute(sa.update(PAYMENTS).where(chosen).values(found))

    def forget_notice(self, connection: sa.Connection, key: str) -> None:
        """Take back what a line says of its payment: a person has decided."""
        chosen = sa.and_(self._is_line(), LINES.c.key == key)
        connection.execute(sa.update(LINES).where(chosen).values(code=None, message=None, row=None))

    def _values_of(self, result: Result) -> dict[str, Any]:
        made = result.unit or result.id
        return {
            "state": result.outcome.value,
            "result": self.vault.serialize([result.id, result.status, result.error, result.unit]),
            "sent": None if result.sent is None else json.dumps(result.sent),
            "made_digest": None if made is None else self.vault.fingerprint(made),
        }

    # What never left

    def drop(self, keys: Sequence[str] | None = None) -> int:
        """Remove what never left, of these payments or of the batch, from all batches that list it:
        return how many.

        One that was rejected before, or restored, stays known: it would be asked under a key that
        is spent.
        """
        columns, lines = PAYMENTS.c, LINES.c
        is_own = sa.and_(
            columns.owner == self.owner,
            columns.batch == self.batch,
            columns.state.in_(NEVER_LEFT),
        )
        if keys is not None:
            is_own = sa.and_(is_own, columns.key.in_(keys))
        with self.transaction() as connection:
            dropped = [row.key for row in self._locked(connection, is_own)]
            for page in pages(dropped):
                is_its = sa.and_(columns.owner == self.owner, columns.key.in_(page))
                stays = sa.or_(columns.again > 0, columns.restored)
                connection.execute(sa.update(PAYMENTS).where(is_its, stays).values(state=LEFT_OUT))
                connection.execute(sa.delete(PAYMENTS).where(is_its, sa.not_(stays)))
                is_of_it = sa.and_(lines.owner == self.owner, lines.key.in_(page))
                connection.execute(sa.delete(LINES).where(is_of_it))
            if keys is None:
                unnamed = connection.execute(
                    sa.delete(LINES).where(self._is_line(), lines.key.is_(None))
                )
                return len(dropped) + unnamed.rowcount
        return len(dropped)

    def forget(self, before: float) -> int:
        """Remove what settled payments asked for, if they were stored before that epoch time.

        What protects stays: their keys, states, ids and digests. Returns their number. What was
        created is settled, whether or not it is paid: by its id it can be read.
        """
        columns, lines = PAYMENTS.c, LINES.c
        is_old = sa.and_(
            columns.owner == self.owner,
            columns.stored_at < before,
            columns.state.in_(SETTLED_STATES),
            columns.forgotten.is_(False),
        )
        count = 0
        while True:
            with self.transaction() as connection:
                rows = self._locked(connection, is_old, limit=PAGE)
                for row in rows:
                    self._forget(connection, row)
                keys = [row.key for row in rows]
                is_its = sa.and_(lines.owner == self.owner, lines.key.in_(keys))
                connection.execute(sa.update(LINES).where(is_its).values(row=None, message=None))
            count += len(rows)
            if len(rows) < PAGE:
                break
        self._forget_lines(before)
        return count

    def _forget_lines(self, before: float) -> None:
        """Remove what files of that time say of payments that were forgotten before, or of none."""
        columns, lines = PAYMENTS.c, LINES.c
        forgotten = sa.select(columns.key).where(
            columns.owner == self.owner, columns.forgotten.is_(True)
        )
        old = sa.select(BATCHES.c.batch).where(
            BATCHES.c.owner == self.owner, BATCHES.c.stored_at < before
        )
        is_its = sa.and_(
            lines.owner == self.owner,
            sa.or_(lines.key.is_(None), lines.key.in_(forgotten)),
            lines.batch.in_(old),
        )
        with self.transaction() as connection:
            connection.execute(sa.update(LINES).where(is_its).values(row=None, message=None))

    def _forget(self, connection: sa.Connection, row: Any) -> None:
        result = self._result(row)
        kept = None if result is None else [result.id, None, None, result.unit]
        number = self.vault.deserialize(row.row)[0]
        values = {
            "row": self.vault.serialize([number, None, None, {}]),
            "result": None if kept is None else self.vault.serialize(kept),
            "forgotten": True,
        }
        chosen = sa.and_(PAYMENTS.c.owner == self.owner, PAYMENTS.c.key == row.key)
        connection.execute(sa.update(PAYMENTS).where(chosen).values(values))

    # What is known

    def counts(self) -> LineCounts:
        """Count the lines of the batch.

        Raises `StateLost` if the batch, or what became of its rows, was deleted.
        """
        columns, lines = PAYMENTS.c, LINES.c
        with self.engine.connect() as connection:
            if self._batch_row(connection) is None:
                raise StateLost.deleted(f"The batch {self.batch}")
            self.refuse_lost(connection)
            grouped = connection.execute(
                sa.select(lines.code, columns.state, sa.func.count())
                .select_from(self._lines_with_payments())
                .where(self._is_line())
                .group_by(lines.code, columns.state)
            ).all()
        outcomes, codes, states = Counter[RowOutcome](), Counter[str](), Counter[str]()
        for code, state, count in grouped:
            outcomes[_outcome_of(state)] += count
            states[state] += count
            if code is not None:
                codes[code] += count
        return LineCounts(outcomes, codes, states[UNDER_WAY], states[LEFT_OUT])

    def refuse_lost(self, connection: sa.Connection) -> None:
        """Raise `StateLost` if a line of the batch has a key whose payment was deleted."""
        is_lost = sa.and_(self._is_line(), LINES.c.key.is_not(None), PAYMENTS.c.key.is_(None))
        query = sa.select(LINES.c.key).select_from(self._lines_with_payments()).where(is_lost)
        if connection.execute(query.limit(1)).first() is not None:
            raise StateLost.deleted(f"What {self.batch} has of its payments")

    def _lines_with_payments(self) -> Any:
        lines, columns = LINES.c, PAYMENTS.c
        is_its = sa.and_(columns.owner == lines.owner, columns.key == lines.key)
        return LINES.outerjoin(PAYMENTS, is_its)

    def lines(self) -> Iterator[Line]:
        """Yield the lines of the batch in the order of its latest file, then what was in doubt and
        is not in it.
        """
        lines, query, last = LINES.c, self._query_of_lines(), 0
        with self.engine.connect() as connection:
            self.refuse_lost(connection)
            while True:
                following = query.where(lines.number > last).order_by(lines.number).limit(500)
                page = connection.execute(following).all()
                yield from map(self._line, page)
                if not page:
                    break
                last = page[-1].number
            unlisted = query.where(lines.number < 0).order_by(lines.number.desc())
            yield from map(self._line, connection.execute(unlisted).all())

    def lines_of(self, connection: sa.Connection, keys: Sequence[str]) -> list[Line]:
        """Return the lines with these keys."""
        query = self._query_of_lines().where(LINES.c.key.in_(keys))
        return [*map(self._line, connection.execute(query))]

    def _query_of_lines(self) -> sa.Select[Any]:
        lines = LINES.c
        return (
            sa.select(lines.number, lines.key.label("own_key"), lines.code, lines.message)
            .add_columns(lines.row.label("own_row"), *PAYMENTS.c)
            .select_from(self._lines_with_payments())
            .where(self._is_line())
        )

    def _line(self, row: Any) -> Line:
        outcome = _outcome_of(row.state)
        own = None if row.own_row is None else self._opened(row.own_key or "", row)
        stored = None if row.state is None else self._row(row)
        result = None if row.state is None else self._result(row) or _open_result(row)
        message = None if row.message is None else str(self.vault.deserialize(row.message))
        known = result or Result(RowOutcome.REFUSED)
        return Line(
            number=max(0, row.number),
            key=row.own_key or "",
            batch=row.batch,
            code=row.code,
            row=stored or own,
            latest=own or stored,
            outcome=outcome,
            result=known,
            message=message,
            restored=bool(row.restored),
        )

    def _opened(self, key: str, row: Any) -> Row:
        return Row.of_stored(key, self.vault.deserialize(row.own_row))

    def _row(self, row: Any) -> Row:
        data = self.vault.deserialize(row.row)
        sent = None if row.sent is None else Sent.from_json(json.loads(row.sent))
        result = self._result(row)
        unit = None if result is None else result.unit
        opened = Row.of_stored(row.key, data, row.again)
        return replace(opened, sent=sent, place=row.place, unit=unit, kept=row.kept)

    def _result(self, row: Any) -> Result | None:
        if row.result is None or row.state in (UNDER_WAY, LEFT_OUT):
            return None
        id_, status, error, unit = self.vault.deserialize(row.result)
        sent = None if row.sent is None else Sent.from_json(json.loads(row.sent))
        return Result(RowOutcome(row.state), id_, status, error, sent, unit)

    def rivals(self, references: Collection[str], ids: Collection[str], column: str) -> list[Rival]:
        """Return the payments with these references or ids that may have made a request."""
        columns, rivals = PAYMENTS.c, list[Rival]()
        digests = [self.vault.fingerprint(text) for text in references]
        made = [self.vault.fingerprint(text) for text in ids]
        has_one = sa.or_(columns.reference_digest.in_(digests), columns.made_digest.in_(made))
        may_have_left = sa.or_(columns.state.not_in(NEVER_LEFT), columns.restored)
        query = sa.select(PAYMENTS).where(columns.owner == self.owner, has_one, may_have_left)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            result, asked = self._result(row), self._row(row)
            reference = reference_of((asked.arguments or {}).get(column))
            id_ = None if result is None else result.unit or result.id
            may_exist = row.state in IN_DOUBT or row.restored
            rivals.append(Rival(asked.key, reference, id_, may_exist))
        return rivals


def _outcome_of(state: str | None) -> RowOutcome:
    """Return what a line counts as: what became of its payment."""
    if state is None:
        return RowOutcome.REFUSED
    if state == UNDER_WAY:
        return RowOutcome.UNKNOWN
    return RowOutcome.REFUSED if state == LEFT_OUT else RowOutcome(state)


def _open_result(row: Any) -> Result:
    """Return the result of a payment that has none stored."""
    if row.state == UNDER_WAY:
        sent = None if row.sent is None else Sent.from_json(json.loads(row.sent))
        error = "It is being sent, or its sender was interrupted."
        return Result(RowOutcome.UNKNOWN, error=error, sent=sent)
    if row.state == LEFT_OUT:
        error = (
            f"It is left out: the latest file of {row.batch} lacks it. A file that has it sends it."
        )
        return Result(RowOutcome.REFUSED, error=error)
    if row.state == RowOutcome.REFUSED:
        return Result(RowOutcome.REFUSED)
    return Result(RowOutcome.WAITING)


def no_such_batch(batch: str, state: str, others: Sequence[str] = ()) -> ConfigurationError:
    """Return the error for a batch that the state does not have, with the names of those that it
    has.
    """
    what = f"There is no batch {batch} in {state}: nothing of it was stored"
    if not others:
        return ConfigurationError(f"{what}, and nothing was sent. Send it first.")
    return ConfigurationError(
        f"{what}. It has: {', '.join(others[:_NAMED])}{', ...' if others[_NAMED:] else ''}."
    )
