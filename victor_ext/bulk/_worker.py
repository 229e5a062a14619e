"""The worker of a process: a thread that sends what waits.

`Worker` makes the passes of a `FileSender`; `Rows` has what an outbox has to know of rows: how one
is sent, and which are only looked up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import inf
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from victor_ext import PreparedCall, VictorError
from victor_ext._event_queue.databases import NeverHeals
from victor_ext._event_queue.rows import change_rows
from victor_ext._event_queue.workers import ended_by
from victor_ext._settlement.failures import (
    FailureScope,
    RefusalStreak,
    failure_scope,
    is_about_all,
    pause_after,
)
from victor_ext._settlement.flow import PaymentOutcome
from victor_ext._settlement.key_age import LAST_CALLS
from victor_ext.outbox._files import (
    ENTRIES,
    EntryLost,
    FileSender,
    SenderTerms,
)

from ._naming import PAYMENT_BY_HAND, holders_by_hand, name_of_entry
from ._payments import (
    PAYMENT_COLUMNS,
    PAYMENTS,
    STATE,
    WITH_ENTRIES,
    WITH_ROWS,
)
from ._rows import content_of, own_values
from ._state import NOTICE, StateLost, hold_payments, may_be_temporary, report
from ._store import Store

_POLL = 0.1
"""Seconds between two passes."""
_LAST_STORING = 10.0
"""Seconds after a stop for which results are tried to be stored while the database is away."""
_logger = logging.getLogger("victor_ext.bulk")


class Worker:
    """Sends what waits until it is stopped.

    Args:
        store: The batch to send; without one, all of this account and environment.

    Attributes:
        begun: How many passes have begun.
        passes: How many passes have ended.
        given_up: Why nothing can be sent with this client, or None.
        failure: The error to end with, or None.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._state = store, store.state
        self._stop = threading.Event()
        self._reads = 0
        """The reads since the provider has decided about all payouts."""
        self._read_again_at = 0.0
        """When payouts are read next, by the monotonic clock."""
        self._failed_reads = Counter[str]()
        """How often the reads of each payout have failed."""
        self.begun = self.passes = 0
        self.given_up: str | None = None
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="victor-bulk", daemon=True)

    def __enter__(self) -> Self:
        self._prepare()
        self._store.heartbeat.start()
        self._thread.start()
        return self

    def _prepare(self, driver: Any = None) -> None:
        """Make the sender of the rows; `driver` is as of `FileSender`."""
        store, settings = self._store, self._store.settings
        terms = SenderTerms(
            scope=store.owner,
            sender=store.sender,
            batch=store.batch or None,
            kept=inf if settings.key_retention is None else settings.key_retention,
            workers=settings.workers,
            rate=settings.rate,
        )
        self._rows = Rows(store)
        self._sender = FileSender(
            store.engine,
            store.client,
            store.vault,
            terms,
            self._rows,
            self._stop,
            driver,
        )

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Begin nothing more, finish the calls in progress, and store their results."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            _logger.info(
                "Stopping. Calls under way end first; Ctrl-C again stops at once.", extra=NOTICE
            )
        self._rows.stopped_at = time.monotonic()
        self._stop.set()
        try:
            # In a state that was deleted, no result can be stored: nothing is waited for.
            if self._state.loss() is None:
                self._thread.join(LAST_CALLS)
        finally:
            self._store.heartbeat.stop()

    # The thread that sends

    def _run(self) -> None:
        """Make pass after pass, in a thread, until the worker is stopped or cannot go on."""
        with ended_by(self._stop):
            while not self._stop.is_set() and self.failure is None and self.given_up is None:
                self.begun += 1
                try:
                    self._pass()
                except Exception as error:  # noqa: BLE001 - the thread that waits for this one raises it
                    self.failure = error
                self.passes += 1
                pause = max(_POLL, self._sender.pause)
                self._store.heartbeat.step(pause)
                self._stop.wait(pause)

    def _pass(self) -> None:
        """Send what waits, and read what the provider says of the rows of payouts."""
        try:
            self._sender.send_due()
            self._read_units()
        except NeverHeals:
            raise
        except EntryLost:
            raise StateLost.deleted("What the state has of payments") from None
        except VictorError as error:
            if failure_scope(error) is FailureScope.CLIENT or self._sender.is_client_refused:
                self.given_up = error.summary
        except SQLAlchemyError as error:
            report(error)

    def _read_units(self) -> None:
        """Read what the provider says of the rows of payouts, less often the longer it says
        nothing.
        """
        if self._store.kind.rows_per_call == 1 or time.monotonic() < self._read_again_at:
            return
        self._reads += 1
        self._read_again_at = time.monotonic() + pause_after(self._reads)
        if not read_row_results(self._store, self._failed_reads):
            self._reads = 0
            self._read_again_at = 0.0


class Rows:
    """What the worker knows of rows: see `FileRows`.

    Attributes:
        stopped_at: When the worker was stopped, by the monotonic clock.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped_at = inf

    def call(self, client: Any, call: PreparedCall, *, is_repeat: bool) -> Any:
        """Send a row."""
        return self._store.kind.send(client, call, is_repeat=is_repeat)

    def count(self, call: PreparedCall, outcome: PaymentOutcome) -> None:
        """Count the payments of a call."""
        self._store.tried[outcome] += max(1, len(call.payments))

    def name(self, connection: Connection, key: str) -> str:
        """Return what people call the payment of an entry."""
        return name_of_entry(self._store, connection, key)

    def hold(self, connection: Connection) -> None:
        """Mark the payments: the entries are held."""
        hold_payments(connection)

    def only_looked_up(self, connection: Connection, keys: Sequence[str]) -> set[str]:
        """Return those of these keys whose entries are not sent again if they may have been sent: a
        restored state has them. Such a payment may exist under a later key, or with other values.
        """
        if not keys:
            return set()
        columns = PAYMENTS.c
        named = sa.and_(columns.owner == self._store.owner, columns.entry.in_(keys))
        query = sa.select(columns.entry).where(named, columns.restored)
        return set(connection.execute(query).scalars())

    def has_one_of(self, connection: Connection, ids: Collection[str]) -> bool:
        """Return whether a payment that has no entry has one of these ids."""
        values = {"owner": self._store.owner, "ids": [*ids]}
        return connection.execute(PAYMENT_BY_HAND, values).first() is not None

    def holder_of(self, connection: Connection, id: str) -> str | None:
        """Return what people call a payment that has no entry and has this id."""
        holders = holders_by_hand(connection, self._store, [id])
        return holders[0].name if holders else None

    def has_rival(self, connection: Connection, key: str, references: Collection[str]) -> bool:
        """Return whether what a look-up shows may be that of a payment that may have been asked
        since the backup of the state, with or without an entry, or that was created, and whose id
        nobody knows.
        """
        columns = PAYMENTS.c
        is_other = columns.entry.is_distinct_from(key)
        is_created = STATE == PaymentOutcome.CREATED
        is_known_beside = columns.state.is_not(None)
        lacks_own = sa.or_(is_known_beside, ENTRIES.c.request_id.is_(None))
        lacks_id = sa.and_(is_created, columns.made.is_(None), lacks_own)
        rival = (
            sa.select(columns.key)
            .select_from(WITH_ENTRIES)
            .where(
                columns.owner == self._store.owner,
                columns.reference_digest.in_(references),
                is_other,
                sa.or_(columns.restored, lacks_id),
            )
        )
        return connection.execute(rival.limit(1)).first() is not None

    def wait_for_database(self, error: DBAPIError) -> None:
        """Wait half a second, unless the state is lost or the worker was stopped for long."""
        loss = self._store.state.loss()
        if loss is not None:
            raise loss from error
        if not may_be_temporary(error) or time.monotonic() - self.stopped_at > _LAST_STORING:
            raise error
        report(error)
        self._store.heartbeat.step()
        time.sleep(0.5)


def undecided_units(connection: Connection, store: Store) -> Mapping[str, list[Any]]:
    """Return the payments of the batch whose unit was sent, and of which the provider has not said
    yet whether it accepts them, by the id of the unit.
    """
    columns = PAYMENTS.c
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ROWS)
    was_sent = sa.and_(ENTRIES.c.state == "sent", ENTRIES.c.request_id.is_not(None))
    is_own = sa.and_(columns.owner == store.owner, columns.account == store.account)
    is_open = sa.and_(is_own, columns.shared, columns.state.is_(None))
    if store.batch:
        is_open = sa.and_(is_open, columns.batch == store.batch)
    units: dict[str, list[Any]] = {}
    for payment in connection.execute(query.where(is_open, was_sent).order_by(columns.key)):
        units.setdefault(payment.request_id, []).append(payment)
    return units


def read_row_results(store: Store, failed: Counter[str]) -> int:
    """Read what the provider says of each row of the units that were sent, and store it. Returns
    how many units it has not decided about yet.

    Args:
        failed: How often the reads of each unit have failed. Those that have failed least are read
            first: one whose read always fails keeps no other one from being read.

    Raises:
        VictorError: A unit could not be read. The others were, unless the error concerns all, or
            ten were refused one after the other.
    """
    with store.engine.connect() as connection:
        units = undecided_units(connection, store)
    undecided = 0
    refusals = RefusalStreak()
    first_error: VictorError | None = None
    for unit in sorted(units, key=failed.__getitem__):
        store.heartbeat.step()
        payments = units[unit]
        rows = [content_of(store.vault, payment.row) for payment in payments]
        try:
            results = store.kind.unit_results(unit, rows)
        except VictorError as error:
            failed[unit] += 1
            if is_about_all(error) or refusals.note(unit, error):
                raise
            first_error = first_error or error
            continue
        refusals.note(unit, None)
        if results is None:
            undecided += 1
            continue
        with store.transaction() as connection:
            for payment, result in zip(payments, results, strict=True):
                is_open = sa.and_(
                    store.has_key([payment.key]),
                    PAYMENTS.c.state.is_(None),
                    PAYMENTS.c.entry == payment.entry,
                )
                change_rows(connection, PAYMENTS, is_open, **own_values(store.vault, result))
    if first_error is not None:
        raise first_error
    return undecided
