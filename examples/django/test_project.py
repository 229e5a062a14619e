"""The project is killed with SIGKILL between any two steps, and started again: one request for each
invoice.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.postgres import Postgres
from tests.tiers import borders
from victor_ext import idempotency_key_for
from victor_ext.sandbox import Sandbox
from victor_ext.testing import Faults, TimeTravel

if sys.platform == "win32":
    pytest.skip("Windows has neither SIGKILL nor a fork server", allow_module_level=True)
assert sys.platform != "win32"  # for pyright

import dying  # noqa: E402 - Celery's workers, too, need what Windows has not

HERE = Path(__file__).parent
ENDS = {1042: "completed", 1043: "declined"}
ANSWERED = "create answered"
"""The last moment before what was done is stored; the workflow kills the project before each step,
too.
"""
PATIENCE = 60.0


class Project:
    """Processes of the project, one after another, on one database."""

    def __init__(self, sandbox: Sandbox, database: dict[str, str]) -> None:
        client_id, client_secret = sandbox.add_oauth_client()
        self.environment = {
            **database, "VICTOR_BASE_URL": sandbox.url, "VICTOR_ENVIRONMENT": "staging",
            "VICTOR_CLIENT_ID": client_id, "VICTOR_CLIENT_SECRET": client_secret,
        }  # fmt: skip
        self._processes = multiprocessing.get_context("forkserver")
        # so that a process begins in no time
        self._processes.set_forkserver_preload(["pytest", "dying"])

    def live(self, last: str | None = None) -> dict[int, str] | None:
        """What a process knows of both payments at its end; None: it was killed before the step
        `last`.
        """
        receiver, sender = self._processes.Pipe(duplex=False)
        process = self._processes.Process(
            target=dying.live, args=(sender, self.environment, last), daemon=True
        )
        process.start()
        sender.close()
        try:
            known: dict[int, str] | None = receiver.recv()
        except EOFError:
            known = None
        process.join(PATIENCE)
        assert process.exitcode == (0 if known else -signal.SIGKILL)
        process.close()
        receiver.close()
        return known

    def celery(
        self, note: Path, *words: str, step: str = "create answered"
    ) -> subprocess.Popen[bytes]:
        """Start a worker of Celery, in a process group of its own.

        The first process that comes to a step dies.
        """
        quiet = ("--without-mingle", "--without-gossip", "--without-heartbeat")
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "dying",
            "worker",
            "--concurrency=1",
            *quiet,
            *words,
        ]
        dying = {
            "DYING_NOTE": str(note),
            "DYING_STEP": step,
            "CELERY_BROKER_URL": "memory://",
        }
        environment = {**os.environ, **self.environment, **dying}
        return subprocess.Popen(command, cwd=HERE, env=environment, start_new_session=True)


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    return {"DATABASE": str(tmp_path / "invoicing.sqlite3")}


@pytest.fixture
def postgresql() -> Iterator[dict[str, str]]:
    server = Postgres()
    yield {"PGHOST": server.socket_folder, "PGUSER": "postgres", "PGDATABASE": "postgres"}
    server.stop()


@pytest.fixture
def project(
    victor_sandbox: Sandbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.setenv("PYTHONPATH", str(HERE))  # for the process that the others are forked from
    return Project(victor_sandbox, request.getfixturevalue(getattr(request, "param", "sqlite")))


@pytest.fixture
def one_request_each(
    victor_sandbox: Sandbox, sent_once: Callable[[str], Any]
) -> Callable[[], None]:
    def check() -> None:
        for number in ENDS:
            sent_once(idempotency_key_for("invoice", number))
        assert sorted(each["client_reference_id"] for each in victor_sandbox.requests()) == [
            "INV-1042",
            "INV-1043",
        ]

    return check


@pytest.mark.parametrize("step", borders(dying.STEPS, ANSWERED))
def test_killed_before_a_step_and_again_when_it_is_settled(
    project: Project, time_travel: TimeTravel, one_request_each: Callable[[], None], step: str
) -> None:
    killed = 0
    for last in (step, step):  # the second process meets the step again, unless it was done
        killed += project.live(last) is None
        time_travel.advance(minutes=1)
    assert killed >= 1
    project.live()
    time_travel.advance(minutes=1)
    assert project.live() == ENDS
    one_request_each()


@pytest.mark.pull_request
@pytest.mark.parametrize("project", ["postgresql"], indirect=True)
def test_killed_on_postgresql_after_answers_were_lost(
    project: Project, faults: Faults, time_travel: TimeTravel, one_request_each: Callable[[], None]
) -> None:
    faults.lose_answer(operation="create", times=3)
    assert project.live("create answered") is None
    assert project.live("commit of result") is None
    project.live()
    time_travel.advance(minutes=1)
    assert project.live() == ENDS
    one_request_each()


@pytest.mark.pull_request
def test_a_task_of_celery_whose_process_is_killed_is_run_again(
    project: Project,
    victor_sandbox: Sandbox,
    time_travel: TimeTravel,
    one_request_each: Callable[[], None],
    tmp_path: Path,
) -> None:
    project.live("claim")
    worker = project.celery(tmp_path / "died")
    try:
        end = time.monotonic() + PATIENCE
        while len(victor_sandbox.requests()) < 2:
            assert time.monotonic() < end, "the task is not run again"
            time.sleep(0.05)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE)
    assert (tmp_path / "died").exists()
    project.live()
    time_travel.advance(minutes=1)
    assert project.live() == ENDS
    one_request_each()


@pytest.mark.pull_request
@pytest.mark.parametrize("limit", ["--soft-time-limit=2", "--time-limit=2"])
def test_a_task_of_celery_that_meets_its_time_limit_in_a_call_asks_nobody_twice(
    project: Project,
    victor_sandbox: Sandbox,
    faults: Faults,
    time_travel: TimeTravel,
    one_request_each: Callable[[], None],
    tmp_path: Path,
    limit: str,
) -> None:
    """The soft limit is an exception in the task, the hard one a SIGKILL of its process."""
    project.live("claim")
    faults.delay(20, operation="create", work=True, times=2)
    worker = project.celery(tmp_path / "died", limit, step="none")
    try:
        end = time.monotonic() + PATIENCE
        while len(victor_sandbox.requests()) < 2:
            assert time.monotonic() < end, "the task has called nobody"
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(4)  # the task ends meanwhile, the worker of Celery does not
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE)
    faults.clear()
    project.live()
    time_travel.advance(minutes=1)
    assert project.live() == ENDS
    one_request_each()


ASKED = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now
TODAY = now().date().isoformat()
call_command("migrate", verbosity=0)
client, new = Client(SERVER_NAME="localhost"), {
    "number": 1, "amount": "44.23", "counterparty": "acceptsRfp", "due_date": TODAY
}
wrong = {"number": "one"}, {"due_date": "soon"}, {"amount": []}
for changes in ({}, {}, {"amount": "1.00"}, *wrong):
    answer = client.post("/invoices", {**new, **changes}, content_type="application/json")
    print(answer.status_code, end=" ")
print(client.get("/invoices/7").status_code)
"""


def test_a_second_click_an_absent_invoice_and_a_wrong_type_have_statuses_of_their_own(
    sqlite: dict[str, str],
) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "invoicing.settings", "PYTHONPATH": str(HERE)}
    ran = subprocess.run(
        [sys.executable, "-c", ASKED],
        env={**os.environ, **sqlite, **settings},
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.split() == ["201", "201", "409", "422", "422", "422", "404"], ran.stderr
