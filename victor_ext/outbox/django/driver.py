"""The outbox on a connection of Django's: SQLAlchemy writes the statements of the passes, Django's cursor runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pkgutil import resolve_name
from types import ModuleType
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
from victor_ext.outbox.passes import OutboxOptions, Work
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
        options: `client`, `keys_kept`, `lease` and `settle_for`, as for `Outbox`.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS, **options: Unpack[OutboxOptions]) -> None:
        super().__init__(using, **options)
        self._using = using
        self._connection = cast("sa.Connection", _Connection(using))

    @classmethod
    def from_settings(cls) -> DjangoOutbox:
        """The outbox with the arguments in `settings.VICTOR_OUTBOX`, a dict; without it, with the defaults.

        `client` may be the place of a function that makes one, `"victor_ext.providers.velo:Velo.from_env"`.
        """
        given = dict(getattr(settings, "VICTOR_OUTBOX", {}))
        if isinstance(given.get("client"), str):
            given["client"] = resolve_name(given["client"])()
        return cls(**given)

    def add(self, **arguments: Unpack[PaymentRequestArguments]) -> None:
        """Store a request in the open transaction. It is sent once that is committed, and forgotten if it is not.

        The arguments are as for `Outbox.add`. The same ones under the same key are stored once.

        Raises:
            InvalidRequest: As for `Outbox.add`.
            django.db.transaction.TransactionManagementError: No transaction of this database is open.
        """
        self._add(self._open_transaction("add"), arguments)

    def add_call(
        self,
        operation: str | ModuleType,
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """As `Outbox.add_call`, in the open transaction.

        Raises:
            InvalidRequest: As for `Outbox.add_call`, as is `ConfigurationError`.
            django.db.transaction.TransactionManagementError: No transaction of this database is open.
        """
        terms = idempotency_key, send_before, look_up_by
        work = self._addition(operation, args, kwargs, *terms, at_most_once=at_most_once)
        work(self._open_transaction("add_call"))

    def _open_transaction(self, method: str) -> sa.Connection:
        if transaction.get_autocommit(self._using):
            raise transaction.TransactionManagementError(
                f"No transaction of the database {self._using!r} is open: call {method}() within transaction.atomic(), "
                "together with what the payment is for."
            )
        return self._connection

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
    """One pass of a worker, with `DjangoOutbox.from_settings()`: the body of a Celery task.

    It sends with the outbox's client, which it closes, else with `Victor.from_env()`.

    Returns:
        The number of entries that have come to a result or have changed, by state.

    Raises:
        VictorError: As for `send` and `refresh`. `refresh` is done also if `send` has failed.
    """
    outbox = DjangoOutbox.from_settings()
    changed: list[Entry] = []
    failures: list[VictorError] = []
    with outbox.client or Victor.from_env() as client:
        for work in (outbox.send, outbox.refresh):
            try:
                changed += work(client)
            except VictorError as error:
                failures.append(error)
    if failures:
        raise failures[0]
    return Counter({entry.idempotency_key: entry.state.value for entry in changed}.values())
