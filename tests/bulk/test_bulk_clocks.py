"""A machine whose clock is wrong, a provider that tells no time: a doubt about the age of a key
sends nothing.
"""

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.bulk.bulk_runs import (
    PATIENCE,
    Bulk,
    Clients,
    Meanwhile,
    Senders,
    asked_once,
    change_state,
    keys_of,
    made_in,
    nothing_sent,
    referenced,
    rows,
    shifted,
    wait_for_rows,
    wait_until,
)
from tests.bulk.postgres import Postgres
from tests.suspends import machine
from victor_ext import idempotency_key_for
from victor_ext.outbox.claims import GROUP
from victor_ext.sandbox import Sandbox

__all__ = ["machine"]
HOUR, DAY = 3600, 24 * 3600
KEPT = HOUR // 2
"""Seconds for which the provider keeps a key."""
LAPSED = KEPT + 600
SEND = ("--key-column", "invoice_no", "--workers", "1", "--key-retention", f"{KEPT}s")
pytestmark = [pytest.mark.slow, pytest.mark.victor_sandbox(key_life=KEPT)]


def break_off(
    bulk: Bulk, victor_sandbox: Sandbox, records: Any, count: int, *state: str, ahead: float = 0
) -> None:
    """Send these rows on a machine whose clock is ahead; kill it when so many are made, of which
    the last one has no result.
    """
    bulk.write(records, "march")
    before = count - 1
    victor_sandbox.inject("delay", operation="create", delay=60, work=True, skip=before, times=None)
    with bulk.started("send", "march", *SEND, *state, **shifted(ahead)) as process:
        wait_for_rows(victor_sandbox, count, process)
        assert process.poll() is None, process.communicate()
    victor_sandbox.clear_faults()


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("when_sending", "when_resuming", "words"),
    [(HOUR, -HOUR, ("resume",)), (-HOUR, -2 * HOUR, ("send", "march"))],
)
def test_a_key_that_lapsed_is_not_sent_again_whatever_the_machines_clock_says(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    when_sending: int,
    when_resuming: int,
    words: tuple[str, ...],
) -> None:
    break_off(bulk, victor_sandbox, referenced(4), 4, ahead=when_sending)
    victor_sandbox.set_clock_skew(LAPSED)
    with nothing_sent(victor_sandbox):
        ended = bulk(*words, **shifted(LAPSED + when_resuming))
    # They are found by their references.
    assert ended.status == 0, ended.err
    asked_once(victor_sandbox, referenced(4))
    assert {line["outcome"] for line in bulk("export").table} == {"created"}


@pytest.mark.pull_request
@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_key_that_is_kept_is_sent_again_however_wrong_the_machines_clock_is(
    bulk: Bulk, victor_sandbox: Sandbox, ahead: int
) -> None:
    """The rows have no reference to be found by: the same key alone can settle them."""
    break_off(bulk, victor_sandbox, rows(4), 4, ahead=ahead)
    victor_sandbox.set_clock_skew(60)
    ended = bulk("resume", **shifted(60 + ahead))
    assert ended.status == 0
    assert ended.err == ""
    asked_once(victor_sandbox, rows(4))
    assert sorted(victor_sandbox.attempts_by_key().values()) == [1, 1, 1, 2]


@pytest.mark.pull_request
def test_the_age_of_a_key_counts_from_its_first_sending_though_it_was_sent_again(
    bulk: Bulk, victor_sandbox: Sandbox
) -> None:
    """Two senders are killed before they have a result; the second one sends within the key's
    life.
    """
    break_off(bulk, victor_sandbox, rows(1), 1)
    victor_sandbox.set_clock_skew(KEPT // 2)
    victor_sandbox.inject("delay", operation="create", delay=60, times=None)
    with bulk.started("resume", **shifted(KEPT // 2)) as process:
        wait_until(lambda: [*victor_sandbox.attempts_by_key().values()] == [2], process)
    victor_sandbox.clear_faults()
    victor_sandbox.set_clock_skew(LAPSED)
    with nothing_sent(victor_sandbox):
        assert bulk("resume", **shifted(LAPSED)).status == 3
    assert "no client_reference_id" in bulk("export").table[0]["error"]
    asked_once(victor_sandbox, rows(1))


def test_rows_that_were_never_sent_are_sent_also_after_the_life_of_a_key(
    bulk: Bulk, victor_sandbox: Sandbox, any_state: str
) -> None:
    state = ("--state", any_state)
    break_off(bulk, victor_sandbox, referenced(120), 8, *state)
    counts = bulk("status", "--json", *state).json["counts"]
    # Each result is stored before the next call begins; a group of rows is marked in advance.
    assert counts == {"created": 7, "unknown": GROUP - 7, "waiting": 120 - GROUP}
    before = bulk("export", *state).table
    assert Counter(line["outcome"] for line in before) == counts
    assert "interrupted" in before[7]["error"]
    victor_sandbox.set_clock_skew(LAPSED)
    ended = bulk("resume", "--patience", "1", *state)
    after = Counter(line["outcome"] for line in bulk("export", *state).table)
    assert ended.status == 3, ended
    assert after.keys() == {"created", "unknown"}, ended
    assert after.total() == 120
    assert after["unknown"] == GROUP - 8
    assert [*victor_sandbox.attempts_by_key().values()] == [1] * after["created"]


def test_a_worker_that_slept_longer_than_keys_are_kept_sends_no_row_that_another_one_has_sent(
    bulk: Bulk, victor_sandbox: Sandbox, postgres_server: Postgres, postgres: str
) -> None:
    """A virtual machine that is suspended in the middle of a batch, so that its connections are
    dropped.
    """
    bulk.write(referenced(4), "march")
    ahead = bulk.folder / "ahead"
    ahead.write_text("0", "ascii")
    victor_sandbox.inject("delay", operation="create", delay=1, work=True, skip=1, times=1)
    send = ("send", "march", *SEND, "--state", postgres)
    with bulk.started(*send, **shifted(ahead)) as sleeping:
        wait_for_rows(victor_sandbox, 2, sleeping)
        sleeping.send_signal(signal.SIGSTOP)
        postgres_server.drop_connections(postgres)
        assert bulk("resume", "--state", postgres).status == 0
        assert made_in(victor_sandbox) == 4
        ahead.write_text(str(LAPSED), "ascii")
        victor_sandbox.set_clock_skew(LAPSED)
        sleeping.send_signal(signal.SIGCONT)
        _, err = sleeping.communicate(timeout=PATIENCE)
    assert sleeping.returncode == 0, err
    asked_once(victor_sandbox, referenced(4))


def test_a_late_answer_is_one_to_the_key_that_it_was_sent_with(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox, postgres: str
) -> None:
    """The first answer comes after another worker has settled the row, and a person has asked for
    it once more.
    """
    own = sender(state=postgres)

    def ask_again() -> None:
        with psycopg.connect(postgres) as connection:
            connection.execute("UPDATE victor_bulk SET leased_until = 0, worker = NULL")
        own.resume()
        victor_sandbox.move(sender.result(state=postgres).id, "declined")
        assert own.ask_again(["INV-1"], by="Ann", why="asked once more") == 1

    victor = clients(transport=Meanwhile(ask_again, "POST"))
    sender(victor=victor, state=postgres).send(referenced(1))
    sender.finish(victor=victor, state=postgres)
    (first,) = keys_of(referenced(1))
    again = idempotency_key_for("again", first, 1)
    assert sender.result(state=postgres).key == again
    asked_once(victor_sandbox, referenced(1), again)


@pytest.mark.pull_request
def test_a_batch_with_a_rate_goes_on_after_a_clock_that_was_ahead(
    sender: Senders, tmp_path: Path
) -> None:
    """The next turn that it has reserved is in a year."""
    sender.finish(rows(1), rate=1)
    change_state(
        tmp_path / "state.sqlite",
        f"UPDATE victor_bulk_batches SET next_turn = next_turn + {365 * DAY}",
    )
    ends = time.monotonic() + PATIENCE / 4

    def watch(_status: object) -> None:
        assert time.monotonic() < ends, "It is held back."

    assert sender().send(rows(2), on_progress=watch).exit_status == 0


WORKERS, ANSWERED, ROWS = 4, 36, 250
