"""How fast rows go, and when failed ones go again: by stored moments, and by the
record of arrivals.
"""

import time

import pytest

from tests.bulk.bulk_runs import change_state, respond_to_creates, rows
from victor_ext import RetryPolicy
from victor_ext._settlement.failures import Backoff

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


def test_a_process_begins_no_more_rows_than_its_rate(sender, victor_sandbox):
    sender.store(rows(30), rate=1000)
    assert victor_sandbox.attempts_by_key() == {}
    began = time.monotonic()
    sender.finish(rate=25)
    assert time.monotonic() - began >= 29 / 25


@pytest.mark.pull_request
def test_sending_ends_though_calls_are_under_way_whenever_it_is_looked(
    sender, clients, victor_sandbox
):
    """Once nothing was settled for as long as there is patience."""
    respond_to_creates(victor_sandbox, 429)
    began = time.monotonic()

    def progress(_status):
        assert time.monotonic() - began < 20

    client = clients(retry=RetryPolicy(base=0.2, max_attempts=4))
    status = sender(victor=client, patience=1).send(rows(3), on_progress=progress)
    assert (status.counts, status.exit_status) == ({"not_sent": 3}, 75)


@pytest.mark.pull_request
def test_what_a_worker_has_that_was_killed_meanwhile_is_gone_on_with_once_its_calls_have_ended(
    sender, client, tmp_path
):
    """Also if patience has ended before."""
    sender.store(rows(2))
    taken_up = f"""
        UPDATE victor_bulk SET state = 'sending', worker = 1, had_by = 1, by_provider_clock = 1,
            sent_by = '{client.caller}', first_sent_at = {time.time()}, due_at = {time.time() + 4}
        WHERE id = 1 AND state = 'waiting'
    """

    def progress(_status):
        change_state(tmp_path / "state.sqlite", taken_up)

    assert sender(patience=0).resume(on_progress=progress).counts == {"created": 2}
