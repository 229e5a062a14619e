"""What an engine must be for an outbox, an inbox and bulk sending: of PostgreSQL or SQLite, and not
in AUTOCOMMIT. `prepared_engine` puts the rest of it right.
"""

from __future__ import annotations

import os
import weakref
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext

from victor_ext import ConfigurationError

from .databases import CLOCKS, is_of_unusable_server

# Arguments


def check_arguments(engine: object, **times: object) -> None:
    """Raise `ConfigurationError` for an engine that is none, such as a session, or is of a database
    that is not supported; and for times that are no timedelta. Each would fail later, in a pass.
    """
    is_alias = isinstance(engine, str) and "://" not in engine  # of a database of Django's
    if not is_alias:
        if not hasattr(engine, "dialect"):  # a URL may have a password: no message quotes it
            raise ConfigurationError(
                f"engine is of type {type(engine).__name__}: pass sa.create_engine(...), or to an "
                "awaited outbox or inbox the async engine."
            )
        _refuse_other_databases(engine)
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


def _begin_before_savepoint(connection: Connection, _name: str) -> None:
    """Begin the transaction, as the driver does only before the first write: else the end of the
    savepoint would commit what was written within.
    """
    driver: Any = connection.connection.driver_connection
    if driver.isolation_level is None:  # it is in AUTOCOMMIT, or the program itself begins
        return
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN")


def _leave_connections_to_parent() -> None:
    """Forget, in a forked process, the connections of its parent, which stay open there: two
    processes that use one would mix up their statements.
    """
    for engine in tuple(_prepared):
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)


# Transactions of callers


def join(connection: Connection) -> None:
    """Put a transaction right in which an entry or an event is to be stored.

    Raises `ConfigurationError`: the database is not supported; its driver commits each statement
    alone; or a savepoint has begun before its transaction, and would be committed.
    """
    _refuse_other_databases(connection)
    if _commits_each_statement(connection):
        raise ConfigurationError(
            "The engine, or that of the session, is in AUTOCOMMIT: each statement would be "
            "committed alone, and neither an entry nor an event could be stored with what it is "
            'of. Pass one without isolation_level="AUTOCOMMIT" and without autocommit of the '
            "driver."
        )
    _refuse_early_savepoint(connection)
    prepared_engine(connection.engine)


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
    # In other modes the driver begins a transaction before the first write.
    return driver.isolation_level is None or getattr(driver, "autocommit", None) is True


def _refuse_early_savepoint(connection: Connection) -> None:
    """Raise `ConfigurationError` for a savepoint that may have begun before its transaction, on an
    engine that nobody has prepared.
    """
    if connection.dialect.name != "sqlite" or connection.engine in _prepared:
        return
    driver: Any = connection.connection.driver_connection
    begins_late = driver.isolation_level is not None  # else the program begins them itself
    if begins_late and connection.in_nested_transaction():
        raise ConfigurationError(
            "The session is of another engine than this object, and is in a savepoint "
            "(begin_nested), whose end SQLite might commit. Pass the engine of the session to the "
            "Outbox or Inbox."
        )
