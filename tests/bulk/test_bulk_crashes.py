"""Kill -9 at random moments, on SQLite and on PostgreSQL: every row is asked for once, and the
export knows of all.

While the server of PostgreSQL is killed, an outbox and an inbox work on it, too, and do everything
once.

`VICTOR_BULK_KILLS=20` runs as many moments as the documentation speaks of; by default there are
few. A moment is most often given as a number of calls, so that it lies where it should, on slow and
busy machines too; one in four lies in the first two seconds, when rows are checked and stored. In
`make test` one sender is killed for each kind of database, in `test_bulk_clocks`.
"""

import os
import random
import signal
import subprocess
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.bulk.boxes_at_work import boxes_at_work
from tests.bulk.bulk_runs import Bulk, Senders, asked_once, outbound, rows, wait_until
from tests.bulk.postgres import Postgres
from victor_ext import ConfigurationError
from victor_ext.bulk.delivery import MARKED_AHEAD
from victor_ext.bulk.state import State
from victor_ext.bulk.worker_lock import ServerLock
from victor_ext.sandbox import Sandbox

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
        again: Kill the next process, too, after this number of calls; 0: do not.
    """

    calls: int
    seconds: float
    victims: tuple[str, ...]
    again: int

    def __str__(self) -> str:
        when = f"{self.calls} calls" if self.calls else f"{self.seconds:.2f} s"
        return f"{'+'.join(self.victims)} at {when}" + (
            f", again at {self.again}" if self.again else ""
        )


def moments(seed: int, *victims: tuple[str, ...]) -> list[Moment]:
    """Random, and the same in each run."""
    draw = random.Random(seed)
    drawn = list[Moment]()
    for number in range(KILLS):
        calls = 0 if number % 4 == 3 else draw.randrange(1, ROWS)
        again = draw.choice([0, draw.randrange(calls + 1, ROWS + 1)])
        drawn.append(Moment(calls, draw.uniform(0.2, 2.0), draw.choice(victims), again))
    return drawn


def called(sandbox: Sandbox, process: subprocess.Popen[str], calls: int) -> None:
    """Wait for so many calls, or for the end of the process."""
    wait_until(lambda: len(sandbox.attempts_by_key()) >= calls, process)


def come(moment: Moment, victor_sandbox: Sandbox, process: subprocess.Popen[str]) -> None:
    """Wait for the moment, or for the end of the process."""
    if moment.calls:
        called(victor_sandbox, process, moment.calls)
    else:
        wait_until(lambda: False, process, moment.seconds)


def kill_again(bulk: Bulk, victor_sandbox: Sandbox, moment: Moment, *words: str) -> None:
    if moment.again:
        with bulk.started("resume", *words) as resuming:
            called(victor_sandbox, resuming, moment.again)


def go_on(bulk: Bulk, *options: str) -> None:
    """Resume; when nothing had been stored yet, which it says, send."""
    ended = bulk("resume", "--batch", FILE, *options)
    if ended.status == 2:
        assert "nothing was sent" in ended.err
        ended = bulk.send(FILE, *options)
    assert ended.status == 0, ended


def ends_well(process: subprocess.Popen[str], patience: float) -> None:
    out, err = process.communicate(timeout=patience)
    assert process.returncode == 0, (out, err)
    assert "Traceback" not in err


def nothing_is_said_that_is_not_known(sender: Any, victor_sandbox: Sandbox) -> None:
    """What an export says after a crash, and beside one who is still at work, is true."""
    done_before = victor_sandbox.work_done_by_key()
    exported, complaint = list[Any](), ""
    try:
        exported += sender.export()
    except ConfigurationError as error:
        complaint = str(error)
    if complaint:
        # Nothing was stored yet, which it says.
        assert "nothing was sent" in complaint
        assert not done_before
    done = victor_sandbox.work_done_by_key()
    for result in exported:
        assert result.outcome in ("created", "waiting", "unknown")
        assert result.outcome != "created" or result.key in done
        assert result.outcome != "waiting" or result.key not in done_before


def all_accounted_for(sender: Any, victor_sandbox: Sandbox) -> None:
    asked_once(victor_sandbox, rows(ROWS))
    exported = list(sender.export())
    assert [result.row for result in exported] == list(range(1, ROWS + 1))
    assert {result.outcome for result in exported} == {"created"}
    ids = {request["id"] for request in outbound(victor_sandbox)}
    assert {result.id for result in exported} == ids


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
def test_a_killed_sender_or_worker(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    request: pytest.FixtureRequest,
    sender: Senders,
    database: str,
    moment: Moment,
) -> None:
    bulk.write(rows(ROWS))
    is_server = database == "postgres"
    place = request.getfixturevalue("postgres") if is_server else bulk.state
    looking, state = sender(state=place, batch=FILE), ("--state", place)
    with ExitStack() as stack:
        processes = dict[str, subprocess.Popen[str]]()
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
        kill_again(bulk, victor_sandbox, moment, *state)
        go_on(bulk, *state)
    all_accounted_for(looking, victor_sandbox)


def test_three_kills_repeat_only_what_was_begun_last(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    """What was created is stored with the rows that follow it."""
    bulk.write(rows(1_100))
    for calls in (300, 600, 900):
        is_first = calls == 300
        with bulk.sending(FILE) if is_first else bulk.started("resume", "--batch", FILE) as sending:
            called(victor_sandbox, sending, calls)
    go_on(bulk)
    calls_by_key = victor_sandbox.attempts_by_key().values()
    assert len(calls_by_key) == 1_100
    assert sum(calls_by_key) - 1_100 <= 3 * 2 * MARKED_AHEAD  # of two chunks at once


@pytest.mark.parametrize(
    "moment", [moment for moment in moments(3, ("server",)) if moment.calls], ids=str
)
def test_a_killed_database_server(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    postgres_server: Postgres,
    postgres: str,
    sender: Senders,
    moment: Moment,
) -> None:
    bulk.write(rows(ROWS))
    state = ("--state", postgres)
    boxes = boxes_at_work(postgres_server.new_schema())
    with boxes, bulk.sending(FILE, *state) as sending:
        for calls in filter(None, (moment.calls, moment.again)):
            called(victor_sandbox, sending, calls)
            postgres_server.kill()
            postgres_server.start()
        # It waits for the server, and goes on.
        ends_well(sending, bulk.patience)
    go_on(bulk, *state)
    all_accounted_for(sender(state=postgres, batch=FILE), victor_sandbox)


def test_a_failover_to_another_database_server(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    postgres_server: Postgres,
    postgres: str,
    sender: Senders,
) -> None:
    """All connections go to a server that takes no writes any more; new ones go to the primary."""
    bulk.write(rows(ROWS))
    boxes = boxes_at_work(postgres_server.new_schema())
    with boxes, bulk.sending(FILE, "--state", postgres) as sending:
        called(victor_sandbox, sending, ROWS // 3)
        assert sending.poll() is None
        with postgres_server.demoted():
            ends_well(sending, bulk.patience)
    all_accounted_for(sender(state=postgres, batch=FILE), victor_sandbox)


def test_the_lock_of_a_worker_moves_to_the_primary(
    postgres_server: Postgres, postgres: str
) -> None:
    """On a server that takes no writes, nobody sees that the worker is alive."""
    state = State(postgres)
    state.prepare()
    with closing(ServerLock(state)) as lock:
        assert lock.acquire()
        assert not lock.renew()
        with postgres_server.demoted():
            assert lock.renew()
            assert not lock.renew()
