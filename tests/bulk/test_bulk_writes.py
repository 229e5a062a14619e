"""What sending costs the database: statements for many rows, and no entries of indexes without
need.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.bulk.bulk_runs import PATIENCE, Senders, asked_once, rows
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
ROWS = 400
CHANGES_OF_A_ROW = 3
"""It is claimed, marked, and gets its result."""
COUNTED = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = :table"


@contextmanager
def updates() -> Generator[list[str]]:
    """Yield the statements so far that have changed payments."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE victor_bulk_payments"):
            statements.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)


@contextmanager
def writers() -> Generator[list[int]]:
    """Yield how many transactions of stores were under way whenever one of them began."""
    under_way: set[int] = set()
    counts: list[int] = []

    def begun(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            under_way.add(id(connection))
            counts.append(len(under_way))

    def ended(connection: Any) -> None:
        under_way.discard(id(connection))

    event.listen(sa.Engine, "before_cursor_execute", begun)
    event.listen(sa.Engine, "commit", ended)
    event.listen(sa.Engine, "rollback", ended)
    try:
        yield counts
    finally:
        event.remove(sa.Engine, "before_cursor_execute", begun)
        event.remove(sa.Engine, "commit", ended)
        event.remove(sa.Engine, "rollback", ended)


def test_one_statement_changes_many_payments(
    sender: Senders, victor_sandbox: Sandbox, any_state: str
) -> None:
    with updates() as statements:
        sender.finish(rows(ROWS), state=any_state)
    asked_once(victor_sandbox, rows(ROWS))
    assert len(statements) < ROWS / 8


def test_threads_take_turns_to_write_to_sqlite(sender: Senders) -> None:
    with writers() as counts:
        sender.finish(rows(ROWS))
    assert len(counts) > ROWS / 100
    assert set(counts) == {1}


def test_postgresql_keeps_most_changes_of_a_row_out_of_its_indexes(
    sender: Senders, postgres: str
) -> None:
    sender.finish(rows(ROWS), state=postgres)
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))

    def counted() -> Any:
        with engine.connect() as connection:
            query = sa.text(COUNTED)
            return connection.execute(query, {"table": "victor_bulk_payments"}).one()

    ends = time.monotonic() + PATIENCE
    changed, kept_out = counted()
    while changed < CHANGES_OF_A_ROW * ROWS and time.monotonic() < ends:
        changed, kept_out = counted()  # a server counts what a connection did when that ends
    engine.dispose()
    assert changed == CHANGES_OF_A_ROW * ROWS
    assert kept_out > changed / 4  # as many as there is room for on their pages
