"""The outbox with blocking calls."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, TypeVar, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import Victor
from victor_ext.flows import drive

from .entries import Entry, EntryState, PaymentRequestArguments
from .passes import Call, OutboxBase, Pass, Pause, Step, Transaction

T = TypeVar("T")


class BlockingOutbox(OutboxBase):
    """An outbox with blocking calls, on any connection to the database."""

    def send(self, victor: Victor) -> list[Entry]:
        """Send what waits, and settle what may have been sent; returns the entries that have come to a result.

        One pass. An entry whose outcome stays unknown is left for a later pass.

        Args:
            victor: The client. It is not closed.

        Raises:
            VictorError: The provider cannot be reached or refuses every call (credentials, rate). What was not sent
                waits for the next pass.
        """
        return self._run(self._send(victor), victor)

    def refresh(self, victor: Victor) -> list[Entry]:
        """Read the statuses of all requests that were sent and have not ended; returns the entries that changed.

        One walk over the provider's list, from the oldest of them on. No webhook is needed.

        Args:
            victor: The client. It is not closed.

        Raises:
            VictorError: The list could not be read.
        """
        return self._run(self._refresh(victor), victor)

    def entry(self, idempotency_key: str) -> Entry | None:
        """The entry with this `idempotency_key`, or None."""
        return self._run(self._entry(idempotency_key))

    def entries(self, state: EntryState | str | None = None) -> list[Entry]:
        """The entries in `state` (None: all), oldest first."""
        return self._run(self._entries(state))

    def counts(self) -> dict[EntryState, int]:
        """The number of entries in each state, such as for `/metrics`."""
        return self._run(self._counts())

    def _run(self, steps: Pass[T], victor: Victor | None = None) -> T:
        return drive(steps, lambda step: self._step(step, victor))

    def _step(self, step: Step, victor: Victor | None) -> Any:
        if isinstance(step, Transaction):
            return self._transaction(step)
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        if isinstance(step, Call):
            assert victor is not None
            return getattr(victor.payment_requests, step.operation)(**step.arguments)
        return next(step.pages, None)

    def _transaction(self, step: Transaction) -> Any:
        raise NotImplementedError


class Outbox(BlockingOutbox):
    """The outbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use in several workers.

    Args:
        engine: An SQLAlchemy engine of the database that has your invoices.
        keys_kept: How long the provider keeps an idempotency key. It does not document this: ask, and set it.
        lease: How long a worker may work on one entry before another one takes it up: more than the client's deadline.
        table: The name of the outbox's table.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        table: str = "victor_outbox",
    ) -> None:
        super().__init__(keys_kept, lease, table)
        self._engine = engine

    def create_table(self) -> None:
        """Make the table, unless it exists. With migrations of your own, take `outbox.table` into their metadata."""
        self.table.create(self._engine, checkfirst=True)

    def add(self, session: Session | sa.Connection, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """Store a request in your transaction. It is sent after the commit, and discarded by a rollback.

        The same arguments under the same key are stored once.

        Args:
            session: Your session or connection.
            arguments: Those of `payment_requests.create`. `client_reference_id` and `idempotency_key` are required.

        Raises:
            InvalidRequest: An argument is invalid, the key or the reference is missing, or the key was used for other
                arguments (a problem with the code `used`).
        """
        self._add(session, arguments)

    def _transaction(self, step: Transaction) -> Any:
        with self._engine.begin() as connection:
            return step.work(connection)
