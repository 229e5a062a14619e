"""Each statement about payments finds its rows by an index: to send a file costs what it costs,
however many other files a state has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import Senders, rows

pytestmark = pytest.mark.pull_request


@contextmanager
def scans() -> Iterator[list[str]]:
    """The statements that read a whole table of ours, as SQLite plans them."""
    found: list[str] = []

    def explain(
        _connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> None:
        is_query = statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
        if not is_query or "victor_bulk" not in statement:
            return
        values = parameters[0] if isinstance(parameters, list) else parameters
        for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall():
            is_scan = step.startswith("SCAN victor_bulk") and "USING" not in step
            # All rows of a state have one owner.
            is_of_all = step.endswith("(owner=?)")
            if (is_scan and step != "SCAN victor_bulk_key") or is_of_all:
                found.append(f"{step}: {statement}")

    sa.event.listen(sa.Engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", explain)


def test_a_file_beside_others(sender: Senders) -> None:
    sender(batch="march").send(rows(40))
    with scans() as found:
        sender(batch="april").send(rows(5, start=100))
        sender(batch="april").resume()
        sender(batch="april").status()
        list(sender(batch="april").export())
    assert sorted(set(found)) == []
