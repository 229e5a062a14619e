"""Backups of a database of the tests, and what is there once they are restored."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import sqlalchemy as sa


def back_up(engine: sa.Engine) -> Callable[[], None]:
    """Make a backup; what is returned restores it."""
    return _of_sqlite(engine) if engine.name == "sqlite" else _of_postgresql(engine)


def _of_sqlite(engine: sa.Engine) -> Callable[[], None]:
    backup = sqlite3.connect(":memory:", check_same_thread=False)
    file = str(engine.url.database)

    with closing(sqlite3.connect(file)) as live:
        live.backup(backup)

    def restore() -> None:
        engine.dispose()
        with closing(sqlite3.connect(file)) as live:
            backup.backup(live)

    return restore


def _of_postgresql(engine: sa.Engine) -> Callable[[], None]:
    """A snapshot of all tables: the wheel's `pg_dump` is older than its server."""
    schema = f"backup_{id(engine)}"
    tables = sa.inspect(engine).get_table_names()
    at_once = engine.execution_options(isolation_level="REPEATABLE READ")
    with at_once.begin() as connection:
        connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
        for table in tables:
            connection.execute(sa.text(f"CREATE TABLE {schema}.{table} AS TABLE {table}"))

    def restore() -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
            for table in tables:
                rows = sa.text(f"INSERT INTO {table} SELECT * FROM {schema}.{table}")
                if connection.execute(rows).rowcount and _is_numbered(connection, table):
                    sequence = f"pg_get_serial_sequence('{table}', 'id')"
                    last = f"SELECT setval({sequence}, max(id)) FROM {table}"
                    connection.execute(sa.text(last))

    return restore


def _is_numbered(connection: sa.Connection, table: str) -> bool:
    """Whether the database counts the ids of a table."""
    names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
    if "id" not in names:
        return False
    sequence = sa.text(f"SELECT pg_get_serial_sequence('{table}', 'id')")
    return connection.execute(sequence).scalar() is not None


class Backup:
    """Of the database with a URL, as a company makes it.

    Attributes:
        restore: Lets the database be as it was when `make` was called.
    """

    restore: Callable[[], None]

    def __init__(self, url: str) -> None:
        self.url = url

    def make(self) -> None:
        url = self.url.replace("sql://", "sql+psycopg://")
        self.restore = back_up(sa.create_engine(url, poolclass=sa.NullPool))
