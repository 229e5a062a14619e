"""Kill -9 at random moments, on SQLite and on PostgreSQL: every row is asked for once, and the
export knows of all.

`VICTOR_BULK_KILLS=20` runs as many moments as the documentation speaks of; by default there are
few. A moment is most often given as a number of calls, so that it lies where it should, on slow and
busy machines too; one in four lies in the first two seconds, when rows are checked and stored. In
`make test` one sender is killed for each kind of database, in `test_bulk_clocks`.
"""

import os
import random
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest

from tests.bulk.bulk_runs import asked_once, outbound, rows, wait_for_rows, wait_until
from victor_ext import ConfigurationError
from victor_ext.bulk._state import State

pytestmark = pytest.mark.pull_request
KILLS = int(os.environ.get("VICTOR_BULK_KILLS", "1"))
ROWS = 600
REPEATED = 20
"""The most calls that one kill repeats: those under way, and those about to be stored."""
DEADLINE = 4.0
"""Seconds that a call takes at most: a killed one has ended then."""
SOON = DEADLINE + 5.0
"""Seconds after which another worker has begun with what a killed one had begun."""
FILE = "invoices.csv"


@dataclass(frozen=True)
class Moment:
    """When to kill, and whom.

    Attributes:
        calls: Kill after this number of calls; 0: after `seconds`.
        seconds: After the start.
        victims: Who is killed, where there are two.
    """

    calls: int
    seconds: float
    victims: tuple[str, ...]


def moments(seed, *victims):
    """Random, and the same in each run."""
    draw = random.Random(seed)
    drawn = []
    for number in range(KILLS):
        calls = 0 if number % 4 == 3 else draw.randrange(1, ROWS)
        drawn.append(Moment(calls, draw.uniform(0.2, 2.0), draw.choice(victims)))
    return drawn


def called(sandbox, process, calls):
    """Wait for so many calls, or for the end of the process."""
    wait_until(lambda: len(sandbox.attempts_by_key()) >= calls, process)


def come(moment, victor_sandbox, process):
    """Wait for the moment, or for the end of the process."""
    if moment.calls:
        called(victor_sandbox, process, moment.calls)
    else:
        wait_until(lambda: False, process, moment.seconds)


def go_on(bulk, *options):
    """Resume; when nothing had been stored yet, which it says, send."""
    ended = bulk("resume", "--batch", FILE, *options)
    if ended.status == 2:
        assert "nothing was sent" in ended.err
        ended = bulk.send(FILE, *options)
    assert ended.status == 0, ended


def ends_well(process, patience):
    out, err = process.communicate(timeout=patience)
    assert process.returncode == 0, (out, err)
    assert "Traceback" not in err


def nothing_is_said_that_is_not_known(sender, victor_sandbox):
    """What an export says after a crash, and beside one who is still at work, is true."""
    done_before, exported = victor_sandbox.work_done_by_key(), []
    with suppress(ConfigurationError):
        exported += sender.export()
    assert exported or not done_before, "it says that nothing was stored"
    done = victor_sandbox.work_done_by_key()
    for result in exported:
        assert result.outcome in ("created", "waiting", "unknown")
        assert result.outcome != "created" or result.key in done
        assert result.outcome != "waiting" or result.key not in done_before


def all_accounted_for(sender, victor_sandbox):
    asked_once(victor_sandbox, rows(ROWS))
    exported = list(sender.export())
    assert [result.row for result in exported] == list(range(1, ROWS + 1))
    assert {result.outcome for result in exported} == {"created"}
    assert {result.id for result in exported} == {each["id"] for each in outbound(victor_sandbox)}


VICTIMS = {"sqlite": [("sender",)], "postgres": [("sender",), ("worker",), ("sender", "worker")]}


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("database", "moment"),
    [
        (name, moment)
        for seed, name in enumerate(VICTIMS, 1)
        for moment in moments(seed, *VICTIMS[name])
    ],
    ids=str,
)
def test_a_killed_sender_or_worker_sends_no_payment_twice_and_loses_no_row(
    bulk, victor_sandbox, request, sender, database, moment
):
    bulk.write(rows(ROWS))
    is_server = database == "postgres"
    place = request.getfixturevalue("postgres") if is_server else bulk.state
    looking, state = sender(state=place, batch=FILE), ("--state", place)
    with ExitStack() as stack:
        processes = {}
        if is_server:
            processes["worker"] = stack.enter_context(bulk.started("worker", *state))
        sending = processes["sender"] = stack.enter_context(bulk.sending(FILE, *state))
        come(moment, victor_sandbox, sending)
        for victim in moment.victims:
            processes[victim].send_signal(signal.SIGKILL)
        nothing_is_said_that_is_not_known(looking, victor_sandbox)
        if "sender" not in moment.victims:
            # He takes over what the worker has left, and ends by himself.
            assert sending.wait(bulk.patience) == 0
        go_on(bulk, *state)
    all_accounted_for(looking, victor_sandbox)


def test_kills_of_the_only_sender_repeat_few_calls(bulk, victor_sandbox, any_state):
    """Results are stored as they come: what is repeated was under way, or about to be stored."""
    state = ("--state", any_state)
    bulk.write(rows(ROWS))
    kills = 2
    for kill in range(kills):
        words = ("resume", "--batch", FILE) if kill else ("send", FILE, *bulk.sends)
        with bulk.started(*words, *state) as sending:
            called(victor_sandbox, sending, (kill + 1) * ROWS // 3)
            assert sending.poll() is None
    go_on(bulk, *state)
    calls_by_key = victor_sandbox.attempts_by_key().values()
    assert len(calls_by_key) == ROWS
    assert sum(calls_by_key) - ROWS <= kills * REPEATED
    assert max(calls_by_key) <= 2
    asked_once(victor_sandbox, rows(ROWS))


def test_a_worker_that_was_started_before_the_first_file_sends_it(
    bulk, victor_sandbox, sender, any_state
):
    """As a deployment does that has no file yet."""
    with bulk.started("worker", "--state", any_state) as worker:
        wait_until(State(any_state).exists, worker)
        sender.store(rows(3), state=any_state)
        wait_for_rows(victor_sandbox, 3, worker)
        assert worker.poll() is None
    asked_once(victor_sandbox, rows(3))


def test_the_rows_of_a_killed_sender_are_soon_taken_up_by_another_worker(
    bulk, victor_sandbox, postgres
):
    """Once their calls must have ended. The other one works on a long pass meanwhile."""
    state = ("--state", postgres, "--workers", "4", "--deadline", f"{DEADLINE:g}")
    bulk.write(rows(ROWS))
    victor_sandbox.inject("delay", operation="create", delay=600, times=4)
    victor_sandbox.inject("delay", operation="create", delay=0.2, times=None)
    attempts = victor_sandbox.attempts_by_key
    with bulk.sending(FILE, *state) as sending:
        called(victor_sandbox, sending, 4)
        held = {*attempts()}
        with bulk.started("worker", *state) as other:
            called(victor_sandbox, other, 20)
            sending.kill()
            wait_until(lambda: any(attempts()[key] > 1 for key in held), other, SOON)
            assert any(attempts()[key] > 1 for key in held)
        victor_sandbox.clear_faults()
    go_on(bulk, *state)
    asked_once(victor_sandbox, rows(ROWS))


@pytest.mark.parametrize(
    "moment", [moment for moment in moments(3, ("server",)) if moment.calls], ids=str
)
def test_a_sender_waits_for_a_killed_database_server_and_goes_on(
    bulk, victor_sandbox, postgres_server, postgres, sender, moment
):
    bulk.write(rows(ROWS))
    state = ("--state", postgres)
    with bulk.sending(FILE, *state) as sending:
        called(victor_sandbox, sending, moment.calls)
        postgres_server.kill()
        postgres_server.start()
        ends_well(sending, bulk.patience)
    all_accounted_for(sender(state=postgres, batch=FILE), victor_sandbox)


def test_a_sender_goes_on_after_a_failover_to_another_database_server(
    bulk, victor_sandbox, postgres_server, postgres, sender
):
    """All its connections are to a server that takes no writes any more; new ones are not."""
    bulk.write(rows(ROWS))
    with bulk.sending(FILE, "--state", postgres) as sending:
        called(victor_sandbox, sending, ROWS // 2)
        with postgres_server.demoted():
            ends_well(sending, bulk.patience)
    all_accounted_for(sender(state=postgres, batch=FILE), victor_sandbox)


def test_a_result_that_comes_while_the_database_server_is_away_is_stored_later(
    bulk, victor_sandbox, postgres_server, postgres
):
    """The calls under way end while it is away. Nothing is sent a second time."""
    bulk.write(rows(40))
    victor_sandbox.inject("delay", operation="create", delay=2, times=16, work=True)
    with bulk.sending(FILE, "--state", postgres) as sending:
        called(victor_sandbox, sending, 16)
        postgres_server.kill()
        received = victor_sandbox.received
        wait_until(lambda: all(each.status is not None for each in received()), sending)
        postgres_server.start()
        ends_well(sending, bulk.patience)
    asked_once(victor_sandbox, rows(40))
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
