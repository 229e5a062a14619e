"""Which statements read a whole table, as SQLite plans them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


def reads_all(step: str) -> bool:
    """Whether a step of a plan goes through a whole table, or all of it after some row, and not
    through an index.
    """
    is_scan = step.startswith("SCAN") and "USING" not in step and "CONSTANT ROW" not in step
    return is_scan or step.endswith("USING INTEGER PRIMARY KEY (rowid>?)")


@contextmanager
def scans(
    engine: sa.Engine | type[sa.Engine], is_scan: Callable[[str], bool] = reads_all
) -> Iterator[list[str]]:
    """The steps of an engine's statements that are scans, each with its statement."""
    found: list[str] = []

    def explain(
        _connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> None:
        is_query = statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
        if not is_query or statement.endswith("WHERE 0 = 1"):  # it takes the lock alone
            return
        values = parameters[0] if isinstance(parameters, list) else parameters
        for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall():
            if is_scan(step):
                found.append(f"{step}: {statement}")

    sa.event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", explain)
