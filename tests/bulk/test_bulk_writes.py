"""What sending costs the database: statements for many rows, and few changes of each."""

import time

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import PATIENCE, rows

pytestmark = pytest.mark.pull_request
ROWS = 400
CHANGES_OF_A_ROW = 2
"""It is taken up, which marks it, and gets its result."""
COUNTED = "SELECT coalesce(sum(n_tup_upd), 0) FROM pg_stat_user_tables WHERE relname LIKE :tables"


def test_a_row_that_is_sent_is_changed_twice(sender, postgres):
    sender.finish(rows(ROWS), state=postgres)
    engine = sa.create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))

    def counted():
        with engine.connect() as connection:
            return connection.execute(sa.text(COUNTED), {"tables": "victor_bulk%"}).scalar()

    ends = time.monotonic() + PATIENCE
    changed = counted()
    while changed < CHANGES_OF_A_ROW * ROWS and time.monotonic() < ends:
        changed = counted()  # a server counts what a connection did when that ends
    engine.dispose()
    of_others = 50  # batches, their turns, and the table of control
    assert CHANGES_OF_A_ROW * ROWS <= changed <= CHANGES_OF_A_ROW * ROWS + of_others
