"""What differs between databases: their clock, what is said to their planner, their tables, and
what their errors show.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement, SchemaItem
from sqlalchemy.sql.functions import FunctionElement

from victor_ext import ConfigurationError

Condition: TypeAlias = sa.ColumnElement[bool]
"""A condition on rows, as part of a statement."""
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""The type of an id that the database counts, of 64 bits in both. SQLite counts only an INTEGER."""

CLOCKS = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
}
"""The SQL expression of the present time in epoch seconds, for each database."""

_CREATION_LOCK = 7_421_133_019_540_187
"""The advisory lock under which tables are made. Two processes that make them at once would collide
in the catalog of PostgreSQL, even with IF NOT EXISTS.
"""

_UNUSABLE = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})
"""The SQLSTATEs of a server that is no primary any more, or that shuts down.

The other connections of the pool go to the same server, and fail in the same way.
"""


class DatabaseTime(FunctionElement[float]):
    """The present time by the clock of the database, in epoch seconds, as part of a statement."""

    name = "database_time"
    type: sa.types.TypeEngine[float] = sa.Double()
    inherit_cache = True


@compiles(DatabaseTime, *CLOCKS)
def _clock(_element: DatabaseTime, compiler: Any, **_options: Any) -> str:
    """The SQL of `DatabaseTime`."""
    return CLOCKS[compiler.dialect.name]


def database_time(connection: Any) -> float:
    """The present time by the clock of the database, in epoch seconds: the one clock that all
    workers share. With SQLite it is that of the machine.
    """
    return float(connection.execute(sa.select(DatabaseTime())).scalar())


def earliest_time(connection: Any, client: Any) -> float:
    """The present time by the clock that is furthest behind: that of the database, of this machine,
    or of the provider, if this client knows it.

    Rows that are deleted for their age have to be that old by all of these clocks.
    """
    times = [database_time(connection), time.time()]
    if hasattr(client, "provider_time"):
        provider_time = client.provider_time()
        if provider_time.is_known:
            times.append(provider_time.moment.timestamp())
    return min(times)


def is_to_come(column: sa.ColumnElement[float], now: float, longest: float) -> Condition:
    """Holds for rows whose stored time is in the future.

    A time that is further away than twice the `longest` wait counts as past: a clock was wrong when
    it was stored.
    """
    return sa.and_(column > now, column <= now + 2 * longest)


class OfFewRows(FunctionElement[Any]):
    """A condition that few rows fulfil, however many rows a table has.

    SQLite needs this hint. Its ANALYZE counts how many rows have each value on average, and not for
    each value: by that alone it goes through all settled rows and leaves the index of states.
    PostgreSQL counts the rows of each value.
    """

    # Without the type of a boolean: SQLAlchemy would compare that with 1, and no index has it so.
    name = "of_few_rows"
    inherit_cache = True


@compiles(OfFewRows)
def _condition(element: OfFewRows, compiler: Any, **options: Any) -> str:
    """The SQL of `OfFewRows`: the condition itself."""
    return f"({compiler.process(element.clauses, **options)})"


@compiles(OfFewRows, "sqlite")
def _unlikely(element: OfFewRows, compiler: Any, **options: Any) -> str:
    """The SQL of `OfFewRows` for SQLite."""
    return f"unlikely({compiler.process(element.clauses, **options)})"


# Tables


FILLFACTOR = "fillfactor"
"""In the `info` of a table: the percentage up to which PostgreSQL fills its pages, so that updates
that change no index stay in their page. SQLAlchemy 2.0 has no argument for it.
"""


def split_name(table: str) -> tuple[str | None, str]:
    """The schema (or None) and the name of a table, from `name` or `schema.name`.

    Raises `ConfigurationError` for any other text.
    """
    schema, dot, name = table.rpartition(".")
    if not name or (dot and not schema) or "." in schema:
        raise ConfigurationError(
            f"table={table!r:.80} is no name of a table: write 'name' or 'schema.name'."
        )
    return schema or None, name


def table_of(name: str, metadata: sa.MetaData, *parts: SchemaItem) -> sa.Table:
    """The table with this name, `name` or `schema.name`, and these columns and indexes."""
    schema, own_name = split_name(name)
    return sa.Table(own_name, metadata, *parts, schema=schema)


def creation_statements(tables: Sequence[sa.Table]) -> list[ExecutableDDLElement]:
    """The statements that make tables and their indexes, each unless it exists."""
    statements: list[ExecutableDDLElement] = []
    for table in tables:
        statements.append(CreateTable(table, if_not_exists=True))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [CreateIndex(index, if_not_exists=True) for index in indexes]
    return statements


def create_tables(metadata: sa.MetaData, connection: Connection) -> None:
    """Make these tables, unless they exist. Any number of processes may do so at once.

    If all exist, nothing is written, since the database role may not be allowed to.
    """
    tables = metadata.sorted_tables
    if all(_exists(connection, table) for table in tables):
        return
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATION_LOCK)))
    for statement in creation_statements(tables):
        connection.execute(statement)
    for table in tables:
        if is_postgresql and FILLFACTOR in table.info:
            name = connection.dialect.identifier_preparer.format_table(table)
            percent = int(table.info[FILLFACTOR])
            connection.execute(sa.text(f"ALTER TABLE {name} SET (fillfactor = {percent})"))


def _exists(connection: Connection, table: sa.Table) -> bool:
    """Whether a table exists with all of its indexes."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(table.name, schema=table.schema):
        return False
    present = {index["name"] for index in inspector.get_indexes(table.name, schema=table.schema)}
    return all(index.name in present for index in table.indexes)


class NeverHeals(ConfigurationError):
    """An error that ends the worker, since each later pass would fail in the same way."""


class NoTable(NeverHeals):
    """A table of an outbox or inbox is not in its database."""


_NO_SUCH_TABLE = "42P01"
"""SQLSTATE: undefined table."""


def missing_table(error: BaseException, tables: Sequence[sa.Table]) -> str:
    """The name of the table that does not exist, according to the error of a statement, if it is
    one of these tables. Empty: another error, such as one about a table that a handler uses.
    """
    driver_error = getattr(error, "orig", None) or error.__cause__
    message = str(driver_error).partition("\n")[0]
    is_missing = sqlstate_of(driver_error) == _NO_SUCH_TABLE or message.startswith(
        "no such table: "
    )
    if not is_missing:
        return ""
    words = re.findall(r"\w+", message)
    for table in tables:
        if table.name in words:
            return table.fullname
    return ""


# Errors of statements


@contextmanager
def hidden_parameters() -> Generator[None]:
    """Let no error of SQLAlchemy's show the parameters of a statement of ours: they have account
    numbers and names.
    """
    try:
        yield
    except StatementError as error:
        error.hide_parameters = True  # as of an engine with hide_parameters=True
        raise


def sqlstate_of(error: BaseException | None) -> str | None:
    """The SQLSTATE of a driver's error, if it has one."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return state if isinstance(state, str) else None


def is_of_unusable_server(error: BaseException | None) -> bool:
    """Whether a driver's error says that its server takes no writes or shuts down: another server
    may be the primary by now.
    """
    return sqlstate_of(error) in _UNUSABLE
