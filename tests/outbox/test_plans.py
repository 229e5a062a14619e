"""Each statement of a pass finds its rows by an index: a pass over a table with a million settled
rows costs what it costs over a thousand.
"""

import pytest
import sqlalchemy as sa

from tests.outbox.rows import change, execute, stored
from tests.payments import invoice
from tests.query_plans import reads_all, scans
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
SETTLED = 100


def reads_all_or_all_sent(step):
    """Whether a step reads a whole table, or all entries of a state, such as all that were sent.
    The table of what an outbox knows of itself never has more than a few rows.
    """
    if "victor_outbox_control" in step:
        return False
    return reads_all(step) or step.endswith("_state_id (state=?)")


@pytest.fixture(params=[False, True], ids=["as it is", "analyzed"])
def settled(request, sqlite, victor):
    """An outbox with many entries that were sent. The database may have counted its rows, and then
    plans by that.
    """
    outbox = Outbox(sqlite)
    outbox.on("sent")(lambda _session, _event: None)
    stored(outbox, *(invoice(number) for number in range(SETTLED)))
    while outbox.send(victor):
        pass
    change(outbox, ended=True)  # all that is stored so far
    if request.param:
        execute(outbox, sa.text("ANALYZE"))
        sqlite.dispose()  # a connection reads what was counted when it is opened
    stored(outbox, invoice(SETTLED))
    return outbox


def test_a_pass_of_an_outbox_reads_no_whole_table(settled, victor):
    with scans(settled._engine, reads_all_or_all_sent) as found:
        settled.send(victor)
        settled.handle()
        settled.refresh(victor)
        settled.entry(invoice(3)["idempotency_key"])
    assert found == []
