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

from tests.bulk.bulk_runs import asked_once, outbound, rows, wait_until
from victor_ext import ConfigurationError

pytestmark = pytest.mark.pull_request
KILLS = int(os.environ.get("VICTOR_BULK_KILLS", "1"))
ROWS = 600
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
