"""Which statements read a whole table, as SQLite plans them."""

from contextlib import contextmanager

import sqlalchemy as sa


def reads_all(step):
    """Whether a step of a plan goes through a whole table, or all of it after some row, and not
    through an index. The steps of a subquery, which SQLAlchemy names `anon_1`, are listed, too.
    """
    is_scan = step.startswith("SCAN") and "USING" not in step and "CONSTANT ROW" not in step
    is_scan = is_scan and not step.startswith("SCAN anon_")
    return is_scan or step.endswith("USING INTEGER PRIMARY KEY (rowid>?)")


@contextmanager
def scans(engine, is_scan=reads_all):
    """The steps of an engine's statements that are scans, each with its statement."""
    found = []

    def explain(_connection, cursor, statement, parameters, *_rest):
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
