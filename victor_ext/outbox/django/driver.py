"""The outbox on a connection of Django's: SQLAlchemy writes the statements of the passes, Django's cursor runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, Unpack, cast

import sqlalchemy as sa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, transaction
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from victor_ext import Victor, VictorError
from victor_ext.outbox.entries import Entry
from victor_ext.outbox.outboxes import BlockingOutbox
from victor_ext.outbox.passes import Work
from victor_ext.settlement.arguments import PaymentRequestArguments

T = TypeVar("T")

_DIALECTS = {
    "sqlite": sqlite.dialect(paramstyle="pyformat"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}
"""How each database wants its statements, by the name that Django has for it."""


class _Result(IteratorResult[Any]):
    """The rows of a statement, and how many rows it has changed."""

    def __init__(self, columns: list[str], rows: list[Any], rowcount: int) -> None:
        super().__init__(SimpleResultMetaData(columns), iter(rows))
        self.rowcount = rowcount


class _Connection:
    """What the passes use of an `sa.Connection`, on Django's connection of this thread and in its transaction."""

    def __init__(self, using: str) -> None:
        self._using = using

    def execute(self, statement: sa.ClauseElement) -> _Result:
        connection = connections[self._using]
        if connection.vendor not in _DIALECTS:
            raise ImproperlyConfigured(
                f"The outbox cannot use the database {self._using!r}, which is of the type {connection.vendor}: "
                "use SQLite or PostgreSQL."
            )
        compiled = statement.compile(dialect=_DIALECTS[connection.vendor], compile_kwargs={"render_postcompile": True})
        with connection.cursor() as cursor:
            cursor.execute(str(compiled), compiled.params)
            columns = [column[0] for column in cursor.description or ()]
            return _Result(columns, cursor.fetchall() if columns else [], cursor.rowcount)


class DjangoOutbox(BlockingOutbox[str]):
    """The outbox in a database of a Django project: SQLite or PostgreSQL. Safe to share between threads and workers.

    Args:
        using: The alias of the database in `settings.DATABASES` that has your invoices.
        keys_kept: As for `Outbox`.
        lease: As for `Outbox`.
    """

    def __init__(
        self,
        using: str = DEFAULT_DB_ALIAS,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
    ) -> None:
        super().__init__(using, keys_kept=keys_kept, lease=lease)
        self._using = using
        self._connection = cast("sa.Connection", _Connection(using))

    @classmethod
    def from_settings(cls) -> DjangoOutbox:
        """The outbox with the arguments in `settings.VICTOR_OUTBOX`, a dict; without it, with the defaults."""
        return cls(**getattr(settings, "VICTOR_OUTBOX", {}))

    def add(self, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """Store a request in the open transaction. It is sent once that is committed, and forgotten if it is not.

        The arguments are as for `Outbox.add`. The same ones under the same key are stored once.

        Raises:
            InvalidRequest: As for `Outbox.add`.
            django.db.transaction.TransactionManagementError: No transaction of this database is open.
        """
        if transaction.get_autocommit(self._using):
            raise transaction.TransactionManagementError(
                f"No transaction of the database {self._using!r} is open: call add() within transaction.atomic(), "
                "together with what the payment is for."
            )
        self._add(self._connection, arguments)

    def _begin_pass(self) -> None:
        close_old_connections()  # as before each request: one that the database has ended is made again

    def _read(self, work: Work[T]) -> T:
        return work(self._connection)  # in the transaction that is open, if one is

    @contextmanager
    def _begin(self) -> Generator[sa.Connection]:
        connection = connections[self._using]
        if not connection.in_atomic_block and not connection.get_autocommit():
            raise transaction.TransactionManagementError(
                f"The database {self._using!r} is not in autocommit mode: the outbox could not commit what it does."
            )
        with transaction.atomic(self._using, durable=True):
            if connection.vendor == "sqlite":
                # A transaction that begins with a read is not let to write, once another one has written.
                self._connection.execute(sa.update(self.table).where(sa.false()).values(ended=False))
            yield self._connection


def send_payment_requests() -> dict[str, int]:
    """One pass of a worker, with `DjangoOutbox.from_settings()` and `Victor.from_env()`: the body of a Celery task.

    Returns:
        The number of entries that have come to a result or have changed, by state.

    Raises:
        VictorError: As for `send` and `refresh`. `refresh` is done also if `send` has failed.
    """
    outbox = DjangoOutbox.from_settings()
    changed: list[Entry] = []
    failures: list[VictorError] = []
    with Victor.from_env() as victor:
        for work in (outbox.send, outbox.refresh):
            try:
                changed += work(victor)
            except VictorError as error:
                failures.append(error)
    if failures:
        raise failures[0]
    return Counter({entry.idempotency_key: entry.state.value for entry in changed}.values())
