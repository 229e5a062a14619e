"""Each statement about payments finds its rows by an index: to send a file costs what it costs,
however many other files a state has.
"""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import row, rows
from tests.query_plans import reads_all, scans

pytestmark = pytest.mark.pull_request


def is_scan(step):
    """Whether a step reads a whole table of ours, or all rows of an owner: a state has one. The
    table of control has a few rows.
    """
    is_of_whole_table = step.startswith("SCAN victor_bulk") and reads_all(step)
    return (is_of_whole_table and step != "SCAN victor_bulk_control") or step.endswith("(owner=?)")


@pytest.mark.parametrize("is_analysed", [False, True])
def test_sending_a_file_scans_no_table_that_holds_rows_of_other_files(
    sender, is_analysed, tmp_path
):
    """Also once SQLite has counted that all payments are sent, and none has an id by hand."""
    sender(batch="march").send(rows(400))
    if is_analysed:
        with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
            database.execute("ANALYZE")
    with scans(sa.Engine, is_scan) as found:
        sender(batch="april").send([*rows(5, start=100), row(600, client_reference_id="REF-600")])
        sender(batch="april").resume()
        sender(batch="april").status()
        list(sender(batch="april").export())
    assert sorted(set(found)) == []
