"""Rows that several workers write at once: each is inserted once, and taken up by one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from .databases import Condition
from .transactions import Work

S = TypeVar("S", bound=StrEnum)


def insert_once(connection: Any, table: sa.Table, **values: Any) -> Any:
    """Insert a row unless it is there; returns its first column, or None.

    Both databases know these words.
    """
    statement = postgresql.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(next(iter(table.c)))).scalar()


def take_first(
    connection: sa.Connection,
    table: sa.Table,
    due: Condition,
    marks: Sequence[str],
    values: Callable[[Any], Mapping[str, Any]],
) -> Any:
    """Take up the first row that is due: it gets `values`. If another worker changes its `marks`,
    it is read again.

    Returns the row as it was, or None if none is due.
    """
    query = sa.select(table).where(due).order_by(table.c.id).limit(1)
    while True:
        row = connection.execute(query).first()
        if row is None:
            return None
        unchanged = [table.c[name] == getattr(row, name) for name in ("id", *marks)]
        update = sa.update(table).where(due, *unchanged).values(values(row))
        if connection.execute(update).rowcount:
            return row


def count_by_state(column: sa.Column[Any], states: type[S]) -> Work[dict[S, int]]:
    """The number of rows in each state."""
    query = sa.select(column, sa.func.count()).group_by(column)
    known = {state.value: state for state in states}

    def count(connection: sa.Connection) -> dict[S, int]:
        counts = dict.fromkeys(states, 0)
        for state, number in connection.execute(query):
            if state in known:
                counts[known[state]] = number
        return counts

    return count
