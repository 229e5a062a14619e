"""What sending costs the database: statements for many rows, and few changes of each."""

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
CHANGES_OF_A_ROW = 2
"""It is taken up, which marks it, and gets its result."""
COUNTED = "SELECT coalesce(sum(n_tup_upd), 0) FROM pg_stat_user_tables WHERE relname LIKE :tables"


@contextmanager
def updates() -> Generator[list[str]]:
    """Yield the statements so far that have changed entries or payments."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("UPDATE victor_bulk ", "UPDATE victor_bulk_asked ")):
            statements.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)


def test_one_statement_changes_many_entries(
    sender: Senders, victor_sandbox: Sandbox, any_state: str
) -> None:
    with updates() as statements:
        sender.finish(rows(ROWS), state=any_state)
    asked_once(victor_sandbox, rows(ROWS))
    assert len(statements) < ROWS / 4


def test_a_row_that_is_sent_is_changed_twice(sender: Senders, postgres: str) -> None:
    sender.finish(rows(ROWS), state=postgres)
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))

    def counted() -> Any:
        with engine.connect() as connection:
            return connection.execute(sa.text(COUNTED), {"tables": "victor_bulk%"}).scalar()

    ends = time.monotonic() + PATIENCE
    changed = counted()
    while changed < CHANGES_OF_A_ROW * ROWS and time.monotonic() < ends:
        changed = counted()  # a server counts what a connection did when that ends
    engine.dispose()
    of_others = 50  # batches, their turns, and the table of control
    assert CHANGES_OF_A_ROW * ROWS <= changed <= CHANGES_OF_A_ROW * ROWS + of_others
