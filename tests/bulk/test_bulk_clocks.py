"""A key that is older than the provider keeps it, and a clock that was wrong: a doubt sends
nothing.
"""

from collections import Counter

import pytest

from tests.bulk.bulk_runs import (
    change_state,
    lose_answers,
    referenced,
    rows,
    wait_until,
)

KEPT = 1800
"""Seconds for which the provider keeps a key."""
pytestmark = [pytest.mark.slow, pytest.mark.victor_sandbox(key_life=KEPT)]


def test_rows_that_were_never_sent_are_sent_also_after_the_life_of_a_key(
    bulk, victor_sandbox, any_state
):
    """A sender is killed when the last of eight rows has no result: it was not made."""
    options = ("--workers", "1", "--keys-kept", f"{KEPT}s", "--state", any_state)
    bulk.write(referenced(120))
    victor_sandbox.inject("delay", operation="create", delay=60, skip=7, times=None)
    with bulk.sending("invoices.csv", "--deadline", "2", *options) as process:
        wait_until(lambda: len(victor_sandbox.attempts_by_key()) == 8, process)
        assert process.poll() is None, process.communicate()
    victor_sandbox.clear_faults()
    counts = bulk("status", "--json", "--state", any_state).json["counts"]
    # Each row is marked just before its own call, together with the result of the one before.
    assert counts == {"created": 7, "unknown": 1, "waiting": 112}
    victor_sandbox.set_clock_skew(KEPT + 600)
    assert bulk("resume", "--patience", "1", "--state", any_state).status == 3
    after = Counter(line["outcome"] for line in bulk("export", "--state", any_state).table)
    assert after == {"created": 119, "unknown": 1}
    assert max(victor_sandbox.attempts_by_key().values()) == 1


@pytest.mark.parametrize("minutes", [5, 11])
def test_a_row_that_no_read_can_find_says_that_its_key_was_repeated_after_a_pause(
    sender, victor_sandbox, tmp_path, minutes
):
    lose_answers(victor_sandbox, 2)
    assert sender().send(rows(1)).counts == {"unknown": 1}
    earlier = f"UPDATE victor_bulk SET first_sent_at = first_sent_at - {60 * minutes}"
    change_state(tmp_path / "state.sqlite", earlier)
    sender.finish()
    is_said = "is assumed: nobody has said it" in (sender.result().error or "")
    assert is_said is (minutes > 10)
