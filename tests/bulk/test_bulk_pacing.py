"""How fast rows go, and when failed ones go again: by stored moments, and by the
record of arrivals.
"""

from concurrent.futures import ThreadPoolExecutor, wait
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import rows
from victor_ext._settlement.failures import Backoff
from victor_ext.bulk._payments import BATCHES
from victor_ext.bulk._worker import Rows

pytestmark = pytest.mark.slow


def test_pauses_grow_while_the_provider_fails_and_end_with_its_first_answer():
    now = 1000.0
    backoff = Backoff(lambda: now)
    pauses = []
    for _ in range(8):
        backoff.record_failure()
        backoff.record_failure()
        pauses.append(backoff.left())
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.record_success()
    assert backoff.left() == 0
    # An answer that was under way when the provider failed ends no pause.
    backoff.record_failure(90)
    backoff.record_success()
    assert backoff.left() == 90


def test_a_rate_holds_for_all_workers_of_a_database_together(sender, postgres, monkeypatch):
    """A worker reserves the turns of five seconds: the other one waits for it, and has those that
    follow.
    """
    sender.store(rows(1), state=postgres, rate=8)
    monkeypatch.setattr("victor_ext.bulk._worker.database_time", lambda _connection: 4e9)
    engine = sa.create_engine(postgres)

    def reserve(connection: sa.Connection) -> list[float]:
        owner = connection.execute(sa.select(BATCHES.c.owner)).scalar_one()
        worker = SimpleNamespace(_store=SimpleNamespace(owner=owner))
        return Rows.reserve_turns(worker, connection, ["march"] * 20)

    def reserve_meanwhile() -> list[float]:
        with engine.begin() as connection:
            return reserve(connection)

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            first = reserve(connection)
            waiting = threads.submit(reserve_meanwhile)
            wait([waiting], timeout=0.2)
        second = waiting.result()
    engine.dispose()
    assert first + second == [turn / 8 for turn in range(40)]
