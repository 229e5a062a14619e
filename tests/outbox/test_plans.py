"""Each statement of a pass finds its rows by an index: a pass over a table with a million settled
rows costs what it costs over a thousand.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.outbox.rows import change, execute, inbox_of, received_number, stored
from tests.providers.victor.adapter import invoice
from tests.query_plans import reads_all, scans
from victor_ext import Victor
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
SETTLED = 200
ANALYZED = pytest.mark.parametrize("is_analyzed", [False, True], ids=["as_it_is", "analyzed"])
"""Whether the database has counted its rows, and plans by that."""


@pytest.fixture
def engine(tmp_path: Any) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"sqlite:///{tmp_path / 'plans.sqlite'}")
    yield made
    made.dispose()


def analyze(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
    engine.dispose()  # a connection reads what was counted when it is opened


def reads_all_or_all_sent(step: str) -> bool:
    """Whether a step reads a whole table, or all entries of a state, such as all that were sent."""
    return reads_all(step) or step.endswith("_state_id (state=?)")


@ANALYZED
def test_a_pass_of_an_outbox(engine: sa.Engine, victor: Victor, is_analyzed: bool) -> None:
    outbox = Outbox(engine)
    outbox.create_table()
    outbox.on("sent")(lambda _session, _event: None)
    stored(outbox, *(invoice(number) for number in range(SETTLED)))
    while outbox.send(victor):
        pass
    change(outbox, ended=True)  # all that is stored so far
    if is_analyzed:
        analyze(engine)
    stored(outbox, invoice(SETTLED))
    with scans(engine, reads_all_or_all_sent) as found:
        outbox.send(victor)
        outbox.handle()
        outbox.refresh(victor)
        outbox.entry(invoice(3)["idempotency_key"])
    assert found == []


@ANALYZED
def test_a_look_up_of_an_outbox(engine: sa.Engine, victor: Victor, is_analyzed: bool) -> None:
    """What was found may be of another entry with one of the same references."""
    outbox = Outbox(engine)
    outbox.create_table()
    stored(outbox, *(invoice(number) for number in range(SETTLED)))
    while outbox.send(victor):
        pass
    change(outbox, ended=True)
    rows = [{"digest": f"digest-{number}", "key": str(number)} for number in range(SETTLED)]
    execute(outbox, sa.insert(outbox.references).values(rows))
    if is_analyzed:
        analyze(engine)
    stored(outbox, invoice(SETTLED))
    victor.payment_requests.create(**invoice(SETTLED))
    is_new = outbox.table.c.state == "waiting"
    marks = {"state": "sending", "first_sent_at": time.time(), "by_provider_clock": True}
    execute(outbox, sa.update(outbox.table).where(is_new).values(sent_by="others", **marks))
    with scans(engine, reads_all_or_all_sent) as found:
        assert len(outbox.send(victor)) == 1
    assert found == []


@ANALYZED
def test_a_pass_of_an_inbox(engine: sa.Engine, is_analyzed: bool) -> None:
    inbox = inbox_of(engine)
    inbox.on()(lambda _session, _event: None)
    for number in range(1, SETTLED):
        received_number(inbox, number)
    inbox.handle()
    if is_analyzed:
        analyze(engine)
    with scans(engine) as found:
        received_number(inbox, SETTLED)
        received_number(inbox, SETTLED)
        inbox.handle()
    assert found == []
