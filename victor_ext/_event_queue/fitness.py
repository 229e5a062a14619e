"""Whether a database is what an outbox, an inbox and bulk sending take it for.

What can be put right is: by `prepared_engine` for an engine, by `join` in a transaction of the
caller's, and by `make_fit` in one of our own. All else is refused by its name, with what to do. It
is asked in transactions that are made anyway: once for each engine, process and set of tables.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import weakref
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext

from victor_ext import ConfigurationError

from .databases import CLOCKS, NeverHeals, is_of_unusable_server

_log = logging.getLogger("victor_ext.outbox")


class Unfit(NeverHeals):
    """A database with which a promise cannot be kept: each later pass would find it so, too."""


# Arguments


def check_arguments(engine: object, **times: object) -> None:
    """Raise `ConfigurationError` for an engine that is none, such as a session, is of a database
    that is not supported, or has no transactions; and for times that are no timedelta. Each would
    fail later, in a pass.
    """
    if isinstance(engine, str):  # the alias of a database of Django's
        if "://" in engine:  # a URL may have a password: the message does not quote it
            raise ConfigurationError(
                "engine is a URL: pass sa.create_engine(...), or to an awaited one the async "
                "engine."
            )
    elif not hasattr(engine, "dialect"):
        raise ConfigurationError(
            f"engine is of type {type(engine).__name__}: pass an engine of SQLAlchemy's."
        )
    else:
        _refuse_other_databases(engine)
        _refuse_autocommit_engine(engine)
    for name, value in times.items():
        if not isinstance(value, timedelta) or value < timedelta(0):
            message = (
                f"{name}={value!r:.40} is no timedelta of zero or more, such as "
                "timedelta(minutes=10)."
            )
            raise ConfigurationError(message)


def _refuse_other_databases(has_dialect: Any) -> None:
    """Raise `ConfigurationError` for an engine or a connection of another database."""
    name = has_dialect.dialect.name
    if name not in CLOCKS:
        raise ConfigurationError(
            f"The database is of the type {name}, which is not supported: use PostgreSQL or SQLite."
        )


def _refuse_autocommit_engine(engine: Any) -> None:
    """Raise `ConfigurationError` for an engine whose options say that each statement is committed
    alone.
    """
    levels = [
        engine.get_execution_options().get("isolation_level"),
        getattr(engine.dialect, "_on_connect_isolation_level", None),
    ]
    if any(str(level).upper() == "AUTOCOMMIT" for level in levels):
        raise _no_transactions("The engine")


# Engines


_prepared: weakref.WeakSet[sa.Engine] = weakref.WeakSet()


def prepared_engine(engine: Any) -> Any:
    """Return the engine, blocking or awaited, put right for all its users: it opens new connections
    after a failover and in a forked process, and a transaction of SQLite begins before its first
    savepoint. An alias of Django's is returned as it is.
    """
    target = getattr(engine, "sync_engine", engine)
    if isinstance(target, sa.Engine) and target not in _prepared:
        _prepared.add(target)
        event.listen(target, "handle_error", _throw_connections_away)
        if target.dialect.name == "sqlite":
            event.listen(target, "savepoint", _begin_before_savepoint)
    return engine


def _throw_connections_away(context: ExceptionContext) -> None:
    """Let an engine open new connections after an error of an unusable server. SQLAlchemy then
    throws away all connections that are older than the error.
    """
    if is_of_unusable_server(context.original_exception):
        context.is_disconnect = True


_BEGUN = "victor_ext.begun"
"""In the `info` of a connection: the transaction that surely began before its savepoints."""


def _begin_before_savepoint(connection: Connection, _name: str) -> None:
    """Begin the transaction, as the driver does only before the first write: else the end of the
    savepoint would commit what was written within.
    """
    driver: Any = connection.connection.driver_connection
    if driver.isolation_level is None:  # it is in AUTOCOMMIT, or the program itself begins
        return
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN")
    connection.info[_BEGUN] = connection.get_transaction()


def _leave_connections_to_parent() -> None:
    """Forget, in a forked process, the connections of its parent, which stay open there: two
    processes that use one would mix up their statements.
    """
    _fit.clear()
    for engine in tuple(_prepared):
        if not _is_in_memory(engine):
            engine.dispose(close=False)


def _is_in_memory(engine: sa.Engine) -> bool:
    """Whether the connection of an engine is its database, of which a forked process has a copy."""
    database = engine.url.database or ":memory:"
    is_memory = ":memory:" in database or "mode=memory" in str(engine.url)
    return engine.dialect.name == "sqlite" and is_memory


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)


# Transactions of callers


def join(connection: Connection) -> None:
    """Put the transaction of a caller right, in which an entry or an event is to be stored.

    Raises `ConfigurationError`: the database is not supported; its driver commits each statement
    alone; or a savepoint has begun before its transaction, and would be committed.
    """
    _refuse_other_databases(connection)
    if _commits_each_statement(connection):
        raise _no_transactions("A connection of the engine, or that of the session,")
    _refuse_early_savepoint(connection)
    prepared_engine(connection.engine)
    _prepare_nothing_behind_a_pooler(connection)


def _commits_each_statement(connection: Connection) -> bool:
    """Whether the driver of a connection is in autocommit, in whichever way that was set."""
    pooled = connection.connection
    if connection.dialect.name != "sqlite":
        return bool(getattr(pooled.dbapi_connection, "autocommit", False))
    if not connection.in_transaction():
        connection.begin()  # as its first statement would do
    driver: Any = pooled.driver_connection
    if driver.in_transaction:  # such as by a listener of the program that begins each transaction
        return False
    driver = getattr(driver, "_conn", driver)  # aiosqlite wraps the connection of sqlite3
    autocommit: object = None
    # sqlite3 refuses to say it in a thread that has not made the connection.
    with suppress(sqlite3.ProgrammingError):
        autocommit = getattr(driver, "autocommit", None)
    # In other modes the driver begins a transaction before the first write.
    return driver.isolation_level is None or autocommit is True


def _no_transactions(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what} is in AUTOCOMMIT: each statement would be committed alone, and neither an entry "
        "nor an event could be stored with what it is about. Pass one without "
        'isolation_level="AUTOCOMMIT" and without autocommit of the driver.'
    )


def _refuse_early_savepoint(connection: Connection) -> None:
    """Raise `ConfigurationError` for a savepoint that may have begun before its transaction, on an
    engine that nobody has prepared.
    """
    if connection.dialect.name != "sqlite" or not connection.in_nested_transaction():
        return
    driver: Any = connection.connection.driver_connection
    is_known = connection.info.get(_BEGUN) is connection.get_transaction()
    if not is_known and driver.isolation_level is not None:  # else the program begins them itself
        raise ConfigurationError(
            "The session is of another engine than this object, and is in a savepoint "
            "(begin_nested), whose end SQLite might commit. Pass the engine of the session to the "
            "Outbox or Inbox."
        )


_POOLER = "victor_ext.pooler"
"""In the `info` of a connection: whether its server was asked for its process."""


def _prepare_nothing_behind_a_pooler(connection: Connection) -> None:
    """Let the driver prepare no statement if a pooler stands before the server.

    In transaction pooling, the next transaction may have another process of the server, which has
    not this statement under its name, or another client's. A pooler gives the driver the id of a
    process that is not the server's.
    """
    if connection.dialect.name != "postgresql" or _POOLER in connection.info:
        return
    connection.info[_POOLER] = True
    driver: Any = connection.connection.driver_connection
    name = connection.dialect.driver
    if name == "psycopg" and driver.prepare_threshold is not None:
        if _process_of(connection) != driver.info.backend_pid:
            driver.prepare_threshold = None
        return
    if name == "asyncpg" and _process_of(connection) != driver.get_server_pid():
        _warn_of_asyncpg()


def prepare_nothing_here(connection: Any, record: Any) -> None:
    """Let a new connection of an engine of ours (psycopg) prepare no statement where a pooler
    stands in between; called before the first statement.
    """
    process = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()[0]
    connection.rollback()
    record.info[_POOLER] = True
    if process != connection.info.backend_pid:
        connection.prepare_threshold = None


@cache
def _warn_of_asyncpg() -> None:
    """Warn, once in a process, of what only the program can put right."""
    _log.warning(
        "A pooler stands before the server. In transaction pooling, asyncpg fails with 'prepared "
        "statement does not exist' unless create_async_engine has the options that "
        "docs/databases.md names."
    )


def _process_of(connection: Connection) -> int:
    """The id of the process of the server that this transaction has."""
    return int(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())


# Transactions of our own


_fit: weakref.WeakKeyDictionary[Any, dict[str, bool]] = weakref.WeakKeyDictionary()
"""What was found fit in this process, by the engine and the name of the table: whether a commit has
to be told to wait for the disk.
"""

_OLDEST = 130_000
"""PostgreSQL 13, as its `server_version_num` has it."""
_SERVER = """
SELECT current_setting('server_version') AS version,
       CAST(current_setting('server_version_num') AS integer) AS number,
       current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') IN ('off', 'local') AS is_lax,
       (SELECT min(c.relname) FROM pg_class c WHERE c.oid IN ({tables}) AND c.relpersistence <> 'p')
           AS lost,
       (SELECT min(c.relname) FROM pg_class c WHERE c.oid IN ({tables}) AND {filters}) AS filtered
"""
_FILTERS = """
row_security_active(c.oid) AND (
    SELECT count(*) FILTER (WHERE NOT p.polpermissive) > 0
        OR count(*) FILTER (WHERE p.polcmd <> 'w' AND p.shown = 'true') = 0
        OR count(*) FILTER (WHERE p.polcmd <> 'r' AND p.shown = 'true') = 0
      FROM (SELECT *, pg_get_expr(polqual, polrelid) AS shown FROM pg_policy) AS p
     WHERE p.polrelid = c.oid AND p.polcmd IN ('*', 'r', 'w')
       AND EXISTS (SELECT FROM unnest(p.polroles) AS member
                    WHERE member = 0 OR pg_has_role(member, 'USAGE'))
)
"""
"""Whether policies hide rows of a table from this role: one takes some away, or none shows it all
rows to read, or to change.
"""


def make_fit(connection: Any, table: sa.Table) -> None:
    """Put a transaction of our own right.

    Args:
        connection: SQLAlchemy's, or that of Django's adapter.
        table: The main one of those that the transaction works with, which have one `MetaData`.

    Raises:
        ConfigurationError: As `join`.
        Unfit: What is stored could be lost, or what is due is not seen.
    """
    if isinstance(connection, Connection):
        join(connection)
    engine = getattr(connection, "engine", connection)
    known = _fit.setdefault(engine, {})
    name = table.fullname
    if name not in known:
        check = _check_server if connection.dialect.name == "postgresql" else _check_file
        known[name] = check(connection, table.metadata.sorted_tables)
    if known[name]:
        connection.execute(sa.text("SET LOCAL synchronous_commit = on"))


def forget_fitness(connection: Any) -> None:
    """Let the next `make_fit` ask again: another server may have taken the place of the first."""
    _fit.pop(getattr(connection, "engine", connection), None)


def _check_server(connection: Any, tables: Sequence[sa.Table]) -> bool:
    """Raise `Unfit` for a PostgreSQL server. Returns whether its commits do not wait for the disk,
    unless they are told to.
    """
    format_name = connection.dialect.identifier_preparer.format_table
    names = {f"table_{number}": format_name(table) for number, table in enumerate(tables)}
    oids = ", ".join(f"to_regclass(:{place})" for place in names)
    query = sa.text(_SERVER.format(tables=oids, filters=_FILTERS)).bindparams(**names)
    server = connection.execute(query).one()
    if server.number < _OLDEST:
        raise Unfit(f"The server is PostgreSQL {server.version}: use 13 or newer.")
    if server.fsync == "off":
        raise Unfit(
            "fsync is off: a crash of the server's machine would lose that a payment was sent, and "
            "it would be sent again. Set fsync = on."
        )
    if server.lost is not None:
        raise Unfit(
            f"The table {server.lost} is UNLOGGED or temporary: a crash of the server would empty "
            f"it, and payments would be sent again. Write ALTER TABLE {server.lost} SET LOGGED."
        )
    if server.filtered is not None:
        raise Unfit(
            f"Row-level security hides rows of {server.filtered} from this role: what waits there "
            "would never be sent. Give the worker a role that sees all rows (BYPASSRLS, the owner "
            "of the table, or a policy USING (true)). A session that adds may have its tenant."
        )
    return bool(server.is_lax)


_OFF, _NORMAL = 0, 1
"""Values of SQLite's `PRAGMA synchronous`."""


def _check_file(connection: Any, tables: Sequence[sa.Table]) -> bool:
    """Raise `Unfit` for an SQLite database; warn of one that a power cut may set back."""
    schema = tables[0].schema or "main"
    files = {row.name: row.file for row in connection.execute(sa.text("PRAGMA database_list"))}
    if not files.get(schema):
        return False  # in memory
    quoted = connection.dialect.identifier_preparer.quote(schema)
    journal = str(connection.execute(sa.text(f"PRAGMA {quoted}.journal_mode")).scalar()).lower()
    synchronous = connection.execute(sa.text(f"PRAGMA {quoted}.synchronous")).scalar()
    if journal in ("off", "memory"):
        raise Unfit(
            f"journal_mode is {journal}: a crash can damage the file. Set it to WAL or DELETE."
        )
    if synchronous == _OFF:
        raise Unfit(
            "synchronous is OFF: a crash of the machine would lose that a payment was sent, and it "
            "would be sent again. Set it to FULL."
        )
    if synchronous == _NORMAL and journal == "wal":
        _log.warning(
            "synchronous is NORMAL in WAL mode: a power cut can lose that a payment was sent, and "
            "it would be sent again. Set it to FULL."
        )
    return False
