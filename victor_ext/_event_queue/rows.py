"""Statements on rows that several workers write at once: a row is inserted once, and taken up by
one worker.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import SQLCompiler

from .databases import Condition
from .transactions import Work

S = TypeVar("S", bound=StrEnum)


def insert_once(connection: Any, table: sa.Table, **values: Any) -> Any:
    """Insert a row, unless one with the same unique columns exists. Returns the first column of the
    new row, or None.
    """
    # SQLite has the same ON CONFLICT DO NOTHING and RETURNING.
    statement = postgresql.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(next(iter(table.c)))).scalar()


def put_rows(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[dict[str, Any]],
    identity: Sequence[str],
    may_be_replaced: Condition | None = None,
) -> None:
    """Insert rows. A stored row with the same values in the columns of `identity`, which is unique,
    is replaced if it may be (None: each may).
    """
    # SQLite has the same ON CONFLICT DO UPDATE.
    statement = postgresql.insert(table)
    new = {name: statement.excluded[name] for name in rows[0] if name not in identity}
    putting = statement.on_conflict_do_update(
        index_elements=identity, set_=new, where=may_be_replaced
    )
    _insert(connection, putting, rows)


def insert_rows(connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, each of which has the same columns."""
    _insert(connection, sa.insert(table), rows)


def _insert(connection: Connection, statement: sa.Insert, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows. The driver gets their values as they are: numbers, texts and NULL. SQLAlchemy
    would look at each value of each row, which takes longer than the database does.
    """
    compiled = statement.compile(dialect=connection.dialect, column_keys=[*rows[0]])
    assert isinstance(compiled, SQLCompiler)
    values: Sequence[Any] = rows
    if compiled.positiontup is not None:
        values = [*map(itemgetter(*compiled.positiontup), rows)]
    connection.exec_driver_sql(compiled.string, values)


def change_rows(connection: Any, table: sa.Table, chosen: Condition, /, **values: Any) -> int:
    """Store new column values of the chosen rows. Returns how many there were."""
    return int(connection.execute(sa.update(table).where(chosen).values(values)).rowcount)


def delete_rows(connection: Any, table: sa.Table, chosen: Condition) -> int:
    """Delete the chosen rows. Returns how many there were."""
    return int(connection.execute(sa.delete(table).where(chosen)).rowcount)


def count_rows(connection: Any, table: sa.Table, chosen: Condition) -> int:
    """The number of the chosen rows."""
    query = sa.select(sa.func.count()).select_from(table).where(chosen)
    return int(connection.execute(query).scalar())


def begin_writing(connection: Any, table: sa.Table) -> None:
    """Write nothing, which locks an SQLite database: it has one writer at a time."""
    connection.execute(_deleting_nothing(table))


@lru_cache
def _deleting_nothing(table: sa.Table) -> sa.Delete:
    return sa.delete(table).where(sa.false())


def lock_texts(connection: Any, table: sa.Table, texts: Collection[str]) -> None:
    """Let nobody else who calls this with one of these texts go on before this transaction ends.

    In SQLite there is one writer at a time, from its first write of a `table` on.
    """
    if connection.dialect.name == "postgresql":
        in_order = sorted(set(texts))  # as everywhere: nobody waits in a circle
        numbers = [sa.func.hashtextextended(text, 0) for text in in_order]
        connection.execute(sa.select(*map(sa.func.pg_advisory_xact_lock, numbers)))
    else:
        begin_writing(connection, table)


def take_first(
    connection: Connection,
    table: sa.Table,
    due: Condition,
    marks: Sequence[str],
    values: Callable[[Any], Mapping[str, Any]],
) -> Any:
    """Take up the first row that is due, and return it as it was; None: no row is due.

    Args:
        due: The condition of the rows that may be taken up.
        marks: Columns that tell whether another worker has taken the row up since it was read: then
            the first due row is read again.
        values: The column values of the row from now on, by which it is taken up.
    """
    query = sa.select(table).where(due).order_by(table.c.id).limit(1)
    while True:
        row = connection.execute(query).first()
        if row is None:
            return None
        unchanged = [table.c[name] == getattr(row, name) for name in ("id", *marks)]
        if change_rows(connection, table, sa.and_(due, *unchanged), **values(row)):
            return row


def count_by_state(column: sa.Column[Any], states: type[S]) -> Work[dict[S, int]]:
    """The work that counts the rows in each of these states. A state that is unknown here is left
    out.
    """
    query = sa.select(column, sa.func.count()).group_by(column)
    known = {state.value: state for state in states}

    def count(connection: Connection) -> dict[S, int]:
        counts = dict.fromkeys(states, 0)
        for state, number in connection.execute(query):
            if state in known:
                counts[known[state]] = number
        return counts

    return count
