"""The queue on a connection of Django's: SQLAlchemy writes the statements, and Django's cursor runs
them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections, connections, migrations, transaction
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.schema import DropTable
from sqlalchemy.sql import visitors

from .databases import creation_statements, hidden_parameters, is_of_unusable_server
from .drivers import with_threads
from .handlers import TRANSACTION_ENDED, refuse_awaitable
from .rows import begin_writing
from .transactions import Work

T = TypeVar("T")

_DIALECTS: Mapping[str, sa.Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="pyformat"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}
"""The SQL dialects of SQLAlchemy, by the names that Django has for the databases."""


class _Connection:
    """The part of `sa.Connection` that passes use, on Django's connection of this thread and in its
    transaction.
    """

    def __init__(self, using: str) -> None:
        self._using = using

    @property
    def dialect(self) -> sa.Dialect:
        """The SQL dialect of the database. Raises `ImproperlyConfigured`: it is of another kind."""
        vendor = connections[self._using].vendor
        if vendor not in _DIALECTS:
            raise ImproperlyConfigured(
                f"The outbox cannot use the database {self._using!r}, which is of the type "
                f"{vendor}: use SQLite or PostgreSQL."
            )
        return _DIALECTS[vendor]

    def execute(
        self,
        statement: sa.ClauseElement,
        rows: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    ) -> Any:
        """Run a statement, with these values or once for each of `rows`, as
        `sa.Connection.execute` does.
        """
        if isinstance(rows, Mapping):
            statement, rows = _with_values(statement, rows), None
        compiled: Any = statement.compile(
            dialect=self.dialect, compile_kwargs={"render_postcompile": True}
        )
        with connections[self._using].cursor() as cursor:
            if rows is not None:
                values = [{**compiled.params, **row} for row in rows]
                cursor.executemany(str(compiled), values)
                return SimpleNamespace(rowcount=cursor.rowcount)
            cursor.execute(str(compiled), compiled.params)
            columns = [column[0] for column in cursor.description or ()]
            fetched = iter(cursor.fetchall() if columns else [])
            result = cast("Any", IteratorResult(SimpleResultMetaData(columns), fetched))
            result.rowcount = cursor.rowcount
            return result


def _with_values(statement: sa.ClauseElement, values: Mapping[str, Any]) -> sa.ClauseElement:
    """The statement with these values of its parameters."""

    def give(parameter: Any) -> None:
        if parameter.key in values:
            parameter.value = values[parameter.key]
            parameter.required = False

    return visitors.cloned_traverse(statement, {}, {"bindparam": give})


class DjangoDriver:
    """With blocking calls, in the database of a Django project with this alias; see `PassDriver`.
    Its handlers get that alias as their session.
    """

    is_awaited = False
    how_tables_are_made = "run manage.py migrate"
    with_calls = staticmethod(with_threads)

    def __init__(self, using: str, table: sa.Table) -> None:
        self._using = using
        self._table = table
        self._connection = cast("Connection", _Connection(using))

    def read(self, work: Work[T], _pause: float) -> T:
        """Do work in the transaction that is open, as a savepoint; else in one of its own."""
        with transaction.atomic(self._using):
            return work(self._connection)

    def transaction(self, work: Work[T], pause: float) -> T:
        """Do work in a transaction of its own."""
        if pause:
            time.sleep(pause)
        connection = connections[self._using]
        if not connection.in_atomic_block and not connection.get_autocommit():
            raise transaction.TransactionManagementError(
                f"The database {self._using!r} is not in autocommit mode: the outbox could not "
                "commit what it does."
            )
        try:
            with hidden_parameters(), transaction.atomic(self._using, durable=True):
                if connection.vendor == "sqlite":
                    # SQLite refuses the writes of a transaction that began with a read, once
                    # another one has written. So it begins with a write.
                    begin_writing(self._connection, self._table)
                return work(self._connection)
        except DatabaseError as error:
            if is_of_unusable_server(error.__cause__):
                _close(connection)
            raise

    def begin_pass(self) -> None:
        """Open a new connection where the database has ended the last one, as Django does before
        each request.
        """
        close_old_connections()

    def call_handlers(
        self,
        connection: Connection,  # noqa: ARG002 - Django has its own
        handlers: Sequence[Callable[..., object]],
        event: object,
    ) -> None:
        """Call handlers: `atomic` within a transaction is a savepoint."""
        with transaction.atomic(self._using):
            for handler in handlers:
                refuse_awaitable(handler(self._using, event))
                # It was set, or Django has noted an error of a model that the handler has caught.
                if transaction.get_rollback(self._using):
                    raise RuntimeError(TRANSACTION_ENDED)

    def open_transaction(self, method: str) -> Connection:
        """The connection of the open transaction, for the `in_session` method with this name."""
        if transaction.get_autocommit(self._using):
            raise transaction.TransactionManagementError(
                f"No transaction of the database {self._using!r} is open: call {method}() within "
                "transaction.atomic(), together with what it is for."
            )
        return self._connection


def _close(connection: Any) -> None:
    """Close Django's connection of this thread, and all of its pool, if it has one."""
    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()


def table_migration(*tables: sa.Table) -> migrations.RunPython:
    """The operation of a migration that makes these tables, unless they exist, and drops them when
    the migration is undone.
    """

    def runner(*statements: Any) -> Callable[[Any, Any], None]:
        def execute(_apps: Any, editor: Any) -> None:
            for statement in statements:
                editor.execute(str(statement.compile(dialect=_DIALECTS[editor.connection.vendor])))

        return execute

    drops = [DropTable(table) for table in tables]
    return migrations.RunPython(runner(*creation_statements(tables)), runner(*drops))
