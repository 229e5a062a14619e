"""Each statement of a pass finds its rows by an index: a pass over a table with a million settled
rows costs what it costs over a thousand.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.outbox.rows import inbox_of, received_number, stored
from tests.providers.victor.adapter import invoice
from tests.query_plans import scans
from victor_ext import Victor
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
SETTLED = 200


@pytest.fixture
def engine(tmp_path: Any) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"sqlite:///{tmp_path / 'plans.sqlite'}")
    yield made
    made.dispose()


def test_a_pass_of_an_outbox(engine: sa.Engine, victor: Victor) -> None:
    outbox = Outbox(engine)
    outbox.create_table()
    outbox.on("sent")(lambda _session, _event: None)
    stored(outbox, *(invoice(number) for number in range(SETTLED)))
    while outbox.send(victor):
        pass
    stored(outbox, invoice(SETTLED))
    with scans(engine) as found:
        outbox.send(victor)
        outbox.handle()
        outbox.refresh(victor)
        outbox.entry(invoice(3)["idempotency_key"])
    assert found == []


def test_a_pass_of_an_inbox(engine: sa.Engine) -> None:
    inbox = inbox_of(engine)
    inbox.on()(lambda _session, _event: None)
    for number in range(1, SETTLED):
        received_number(inbox, number)
    inbox.handle()
    with scans(engine) as found:
        received_number(inbox, SETTLED)
        received_number(inbox, SETTLED)
        inbox.handle()
    assert found == []
