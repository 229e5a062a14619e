"""The worker of a process: a thread that sends what waits.

`Worker` makes the passes of a `FileSender`; `Rows` has what an outbox has to know of rows: how one
is sent, and which are only looked up.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from victor_ext import InvalidRequest, Outcome, VictorError
from victor_ext._event_queue.databases import NeverHeals
from victor_ext._event_queue.rows import change_rows
from victor_ext._event_queue.workers import ended_by
from victor_ext._settlement.failures import Backoff, FailureScope, failure_scope
from victor_ext._settlement.key_age import LAST_CALLS
from victor_ext._values.exit_status import FAILED
from victor_ext.outbox._files import (
    ENTRIES,
    EntryLost,
    FileCall,
    FileRows,
    FileSender,
    SenderTerms,
)

from ._naming import PAYMENT_BY_HAND, holders_by_hand, name_of_entry
from ._payments import (
    PAYMENT_COLUMNS,
    PAYMENTS,
    WITH_ROWS,
)
from ._rows import content_of, own_values
from ._state import NOTICE, StateLost, hold_payments, report
from ._store import Store
from ._storing import prepared_calls

_POLL = 0.1
"""Seconds between two passes."""
_logger = logging.getLogger("victor_ext.bulk")


class BulkStopped(VictorError):
    """The provider rejects this client. The remaining rows wait for `resume`.

    Attributes:
        exit_status: Exit status of the command: 3 if the outcome of some rows is unknown, else 1.
    """

    exit_status = FAILED


class Worker:
    """Sends what waits until it is stopped.

    Args:
        store: The batch to send; without one, all of this account and environment.
        driver: As of `FileSender`.
        stop: Set to stop it; None: the worker has one of its own.

    Attributes:
        passes: How many passes have ended.
        failure: The error to end with, or None.
    """

    def __init__(
        self, store: Store, driver: Any = None, stop: threading.Event | None = None
    ) -> None:
        self._store = store
        self._stop = stop or threading.Event()
        self._reading = Backoff()
        """The pauses between two reads of payouts that the provider has not decided about."""
        self._failed_reads = Counter[str]()
        """How often the reads of each payout have failed."""
        self.passes = 0
        self.failure: Exception | None = None
        settings = store.settings
        terms = SenderTerms(
            scope=store.owner,
            sender=store.address,
            batch=store.batch or None,
            kept=settings.keys_kept,
            workers=settings.workers,
            rate=settings.rate,
        )
        self._sender = FileSender(
            store.engine,
            store.client,
            store.vault,
            terms,
            Rows(store),
            self._stop,
            driver,
        )
        self._thread = threading.Thread(target=self._run, name="victor-bulk", daemon=True)

    def __enter__(self) -> Self:
        self._store.heartbeat.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Begin nothing more, finish the calls in progress, and store their results."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            _logger.info(
                "Stopping. Calls under way end first; Ctrl-C again stops at once.", extra=NOTICE
            )
        self._stop.set()
        try:
            # In a state that was deleted, no result can be stored: nothing is waited for.
            if self._store.state.loss() is None:
                self._thread.join(LAST_CALLS)
        finally:
            self._store.heartbeat.stop()

    # The thread that sends

    def _run(self) -> None:
        """Make pass after pass, in a thread, until the worker is stopped or cannot go on."""
        with ended_by(self._stop):
            while not self._stop.is_set() and self.failure is None:
                try:
                    self.make_pass()
                except Exception as error:  # noqa: BLE001 - the thread that waits for this one raises it
                    self.failure = error
                self.passes += 1
                pause = max(_POLL, self._sender.pause)
                self._store.heartbeat.step(pause)
                self._stop.wait(pause)

    def make_pass(self) -> None:
        """Send what waits, and read what the provider says of the rows of payouts.

        A failure that may pass ends the pass alone. Raises any other one.
        """
        try:
            self._sender.send_due()
            self._read_units()
        except NeverHeals:
            raise
        except EntryLost:
            raise StateLost.deleted("What the state has of payments") from None
        except VictorError as error:
            if failure_scope(error) is FailureScope.CLIENT or self._sender.is_client_refused:
                message = (
                    f"Nothing more can be sent with this client: {error.summary} The rows that "
                    "are left wait for resume. Those that are unknown are looked up then, or "
                    "repeated under their keys."
                )
                raise BulkStopped(message, outcome=Outcome.NOT_SENT) from None
        except SQLAlchemyError as error:
            report(error)

    def _read_units(self) -> None:
        """Read what the provider says of the rows of payouts, less often the longer it says
        nothing.
        """
        if self._reading.left() > 0:
            return
        self._reading.record_failure()
        if not read_row_results(self._store, self._failed_reads):
            self._reading = Backoff()


class Rows(FileRows):
    """What the worker knows of rows: see `FileRows`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepare(
        self, connection: Connection, keys: Sequence[str]
    ) -> Mapping[str, FileCall | InvalidRequest]:
        """Return the calls of entries by their keys, or why one cannot be made."""
        return prepared_calls(connection, self._store, keys)

    def name(self, connection: Connection, key: str) -> str:
        """Return what people call the payment of an entry."""
        return name_of_entry(self._store, connection, key)

    def hold(self, connection: Connection) -> None:
        """Mark the payments: the entries are held."""
        hold_payments(connection)

    def holder_of(self, connection: Connection, ids: Collection[str]) -> str | None:
        """Return what people call a payment that has no entry and has one of these ids."""
        values = {"owner": self._store.owner, "ids": [*ids]}
        if connection.execute(PAYMENT_BY_HAND, values).first() is None:
            return None
        return holders_by_hand(connection, self._store, ids)[0].name


def undecided_units(connection: Connection, store: Store) -> Mapping[str, list[Any]]:
    """Return the payments of the batch whose unit was sent, and of which the provider has not said
    yet whether it accepts them, by the id of the unit.
    """
    units: dict[str, list[Any]] = {}
    if store.kind.rows_per_call == 1:
        return units
    columns = PAYMENTS.c
    query = sa.select(*PAYMENT_COLUMNS).select_from(WITH_ROWS)
    was_sent = sa.and_(ENTRIES.c.state == "sent", ENTRIES.c.request_id.is_not(None))
    is_open = sa.and_(columns.owner == store.owner, columns.shared, columns.state.is_(None))
    if store.batch:
        is_open = sa.and_(is_open, columns.batch == store.batch)
    for payment in connection.execute(query.where(is_open, was_sent).order_by(columns.key)):
        units.setdefault(payment.request_id, []).append(payment)
    return units


def read_row_results(store: Store, failed: Counter[str]) -> int:
    """Read what the provider says of each row of the units that were sent, and store it. Returns
    how many units it has not decided about yet.

    Args:
        failed: How often the reads of each unit have failed. Those that have failed least are read
            first: one whose read always fails keeps no other one from being read.

    Raises `VictorError` if a unit cannot be read.
    """
    with store.engine.connect() as connection:
        units = undecided_units(connection, store)
    undecided = 0
    for unit in sorted(units, key=failed.__getitem__):
        store.heartbeat.step()
        payments = units[unit]
        rows = [content_of(store.vault, payment.row) for payment in payments]
        try:
            results = store.kind.unit_results(unit, rows)
        except VictorError:
            failed[unit] += 1
            raise
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
    return undecided
