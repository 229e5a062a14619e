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
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.boxes_at_work import boxes_at_work
from tests.bulk.bulk_runs import KEY, Bulk, Senders, asked_once, keys_of, outbound, rows, wait_until
from tests.bulk.postgres import Postgres
from tests.cli.victor_command import Ran
from victor_ext import ConfigurationError
from victor_ext.bulk.state import State
from victor_ext.bulk.worker_lock import ServerLock
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
KILLS = int(os.environ.get("VICTOR_BULK_KILLS", "1"))
ROWS = 600


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
    found: list[Moment] = []
    for number in range(KILLS):
        calls = 0 if number % 4 == 3 else draw.randrange(1, ROWS)
        again = draw.choice([0, draw.randrange(calls + 1, ROWS + 1)])
        found.append(Moment(calls, draw.uniform(0.2, 2.0), draw.choice(victims), again))
    return found


def come(moment: Moment, victor_sandbox: Sandbox, process: subprocess.Popen[str]) -> None:
    """Wait for the moment, or for the end of the process."""
    if moment.calls:
        wait_until(lambda: len(victor_sandbox.attempts_by_key()) >= moment.calls, process)
    else:
        wait_until(lambda: False, process, moment.seconds)


def killed_again(bulk: Bulk, victor_sandbox: Sandbox, moment: Moment, *words: str) -> None:
    if moment.again:
        with bulk.started("resume", *words) as resuming:
            wait_until(lambda: len(victor_sandbox.attempts_by_key()) >= moment.again, resuming)


def go_on(bulk: Bulk, file: Path, *options: str) -> Ran:
    """Resume; when nothing had been stored yet, which it says, send."""
    resumed = bulk("resume", "--batch", file.name, *options)
    if resumed.status == 2:
        assert "nothing was sent" in resumed.err
        return bulk("send", file.name, *KEY, *options)
    return resumed


def nothing_is_said_that_is_not_known(sender: Any, victor_sandbox: Sandbox) -> None:
    """What an export says after a crash, and beside one who is still at work, is true."""
    done_before = victor_sandbox.work_done_by_key()
    try:
        exported = list(sender.export())
    except ConfigurationError as error:
        # Nothing was stored yet, which it says.
        exported, known = [], "nothing was sent" in str(error) and not done_before
    else:
        known = True
    assert known
    done = victor_sandbox.work_done_by_key()
    assert [
        result.key for result in exported if result.outcome == "created" and result.key not in done
    ] == []
    assert [
        result.key
        for result in exported
        if result.outcome == "waiting" and result.key in done_before
    ] == []
    assert {result.outcome.value for result in exported} <= {"created", "waiting", "unknown"}


def all_accounted_for(sender: Any, victor_sandbox: Sandbox, file: Path) -> None:
    keys = keys_of(rows(ROWS))
    asked_once(victor_sandbox, keys)
    assert set(victor_sandbox.work_done_by_key()) == keys
    exported = list(sender.export())
    assert [result.row for result in exported] == list(range(1, ROWS + 1))
    assert {result.outcome.value for result in exported} == {"created"}
    assert {result.id for result in exported} == {
        request["id"] for request in outbound(victor_sandbox)
    }


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
    file = bulk.write(rows(ROWS))
    is_server = database == "postgres"
    place = (
        request.getfixturevalue("postgres")
        if is_server
        else f"sqlite:///{bulk.folder}/victor-bulk.sqlite"
    )
    looking, state = sender(state=place, batch=file.name), ("--state", place)
    with ExitStack() as stack:
        processes = (
            {"worker": stack.enter_context(bulk.started("worker", *state))} if is_server else {}
        )
        processes["sender"] = sending = stack.enter_context(
            bulk.started("send", file.name, *KEY, *state)
        )
        come(moment, victor_sandbox, sending)
        for victim in moment.victims:
            processes[victim].send_signal(signal.SIGKILL)
        nothing_is_said_that_is_not_known(looking, victor_sandbox)
        if "sender" not in moment.victims:
            # He takes over what the worker has left, and ends by himself.
            assert sending.wait(bulk.patience) == 0
        killed_again(bulk, victor_sandbox, moment, *state)
        assert go_on(bulk, file, *state).status == 0
    all_accounted_for(looking, victor_sandbox, file)


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
    file = bulk.write(rows(ROWS))
    state = ("--state", postgres)
    boxes = boxes_at_work(postgres_server.new_schema())
    with boxes, bulk.started("send", file.name, *KEY, *state) as sending:
        come(moment, victor_sandbox, sending)
        postgres_server.kill()
        postgres_server.start()
        if moment.again:
            wait_until(lambda: len(victor_sandbox.attempts_by_key()) >= moment.again, sending)
            postgres_server.kill()
            postgres_server.start()
        # It waits for the server, and goes on.
        out, err = sending.communicate(timeout=bulk.patience)
        assert (sending.returncode, "Traceback" in err) == (0, False), (out, err)
    assert go_on(bulk, file, *state).status == 0
    all_accounted_for(sender(state=postgres, batch=file.name), victor_sandbox, file)


def test_a_failover_to_another_database_server(
    bulk: Bulk,
    victor_sandbox: Sandbox,
    postgres_server: Postgres,
    postgres: str,
    sender: Senders,
) -> None:
    """All connections go to a server that takes no writes any more; new ones go to the primary."""
    file = bulk.write(rows(ROWS))
    state = ("--state", postgres)
    boxes = boxes_at_work(postgres_server.new_schema())
    with boxes, bulk.started("send", file.name, *KEY, *state) as sending:
        wait_until(lambda: len(victor_sandbox.attempts_by_key()) >= ROWS // 3, sending)
        assert sending.poll() is None
        with postgres_server.demoted():
            out, err = sending.communicate(timeout=bulk.patience)
        assert (sending.returncode, "Traceback" in err) == (0, False), (out, err)
    all_accounted_for(sender(state=postgres, batch=file.name), victor_sandbox, file)


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
