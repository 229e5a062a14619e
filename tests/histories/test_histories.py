"""Histories of rare input: nobody is asked twice, nothing is lost, nobody is told what is not so.

`make histories` runs 100,000 of them, and a test the first 800. What fails is
printed as the shortest history that fails in the same way; `run` of `history.py` runs it again.
"""

import os
from collections import Counter
from unittest.mock import Mock

import pytest
import sqlalchemy as sa

from tests.bulk.postgres import Postgres
from tests.histories import settling
from tests.histories.__main__ import replayable, run_all
from tests.histories.history import KINDS, LIKELY, draw, run
from tests.histories.inboxes import shared_inboxes
from tests.mistakes import mistakes

pytestmark = pytest.mark.slow
SEED = os.environ.get("SEED", "histories")
PARTS, HISTORIES = 4, 800
SHOWN = {mistake.name: mistake.history for mistake in mistakes() if mistake.history}
"""In which history each mistake shows."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_sends_a_payment_twice_or_reports_a_wrong_outcome(part):
    found = run_all(SEED, range(part, HISTORIES, PARTS))
    print(f"{found.count} histories from seed {SEED!r}: {dict(found.words)}")
    assert not found.wrong, "\n\n".join(
        replayable(*each[0]) for each in list(found.wrong.values())[:2]
    )
    for family, word in (
        ("outbox", "sent"),
        ("bulk", "created"),
        ("payouts", "created"),
        ("calls", "success"),
        ("reading", "read"),
        ("inbox", "handled"),
    ):
        told = {name: times for name, times in found.words.items() if name.startswith(f"{family}:")}
        doubts = sum(told.get(f"{family}: {doubt}", 0) for doubt in ("unknown", "unclear"))
        assert told[f"{family}: {word}"] > 0.2 * sum(told.values()), f"little is done: {told}"
        assert doubts < 0.6 * sum(told.values()), f"to know nothing is no answer: {told}"


def test_an_error_that_nobody_expects_is_told_with_the_seed_of_its_history(monkeypatch):
    monkeypatch.setattr(settling.Outboxes, "judge", Mock(side_effect=KeyError("of the judge")))
    [[(seed, complaint)]] = run_all(SEED, [7], "outbox").wrong.values()
    assert seed == f"{SEED}:7"
    assert complaint.startswith("raised KeyError('of the judge')")


@pytest.mark.pull_request
def test_histories_of_the_outbox_and_inbox_on_postgresql_are_right(monkeypatch):
    server = Postgres()
    try:
        database = server.new_schema()
        monkeypatch.setattr(settling, "DATABASE", [database])
        found = run_all(SEED, range(40), "outbox")
        found.add(run_all(SEED, range(20), "inbox"))
        engine = sa.create_engine(database)
        tables = sa.inspect(engine).get_table_names()
        engine.dispose()
        shared_inboxes(database)[0]._engine.dispose()
        settling.shared_engine(database).dispose()
    finally:
        server.stop()
    assert {"victor_outbox", "victor_inbox_events"} <= {*tables}, "they ran there"
    assert found.words["outbox: sent"] > 0
    assert found.words["inbox: handled"] > 0
    assert not found.wrong, found.wrong


@pytest.mark.parametrize("name", SHOWN)
def test_the_history_in_which_a_mistake_shows_is_right(name):
    """`make mistakes` runs it with the mistake in the code: then it is wrong."""
    assert run(draw(f"planted:{SHOWN[name]['number']}", SHOWN[name]["kind"])) == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in LIKELY])
def test_a_history_is_the_same_each_time(kind):
    for number in range(3):
        history = draw(f"again:{number}", kind)
        assert draw(f"again:{number}", kind) == history
        first, second = Counter(), Counter()
        assert run(history, first) == run(history, second)
        assert first == second
        assert first.total() > 0, "something was told"
