"""The service is killed with SIGKILL between any two steps, and started again: one request for each
invoice.
"""

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from crashing import STEPS, serve

from tests.bulk.postgres import Postgres
from tests.tiers import borders
from victor_ext import idempotency_key_for
from victor_ext.sandbox import Sandbox
from victor_ext.testing import Faults, TimeTravel

if sys.platform == "win32":
    pytest.skip("Windows has neither SIGKILL nor a fork server", allow_module_level=True)
assert sys.platform != "win32"  # for pyright

ENDS = {1042: ("acceptsRfp", "completed"), 1043: ("declinesRfp", "declined")}
ANSWERED = "create answered"
"""The last moment before what was done is stored; the workflow kills the service before each step,
too.
"""
PATIENCE = 20.0


class Service:
    """The service's processes, one after another, on one database."""

    def __init__(self, sandbox: Sandbox, database_url: str) -> None:
        self._environment = dict(
            zip(
                ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET"),
                sandbox.add_oauth_client(),
                strict=True,
            ),
            VICTOR_BASE_URL=sandbox.url,
            VICTOR_ENVIRONMENT="staging",
        )
        self._database_url = database_url
        self._database = sa.create_engine(database_url.replace("+aiosqlite", ""))
        self._processes = multiprocessing.get_context("forkserver")
        # so that a process begins in no time
        self._processes.set_forkserver_preload(["pytest", "crashing"])
        self.process: BaseProcess | None = None
        self._client = httpx.Client()
        self._due = datetime.now(UTC).date().isoformat()

    def start(self, last: str | None = None) -> None:
        """Start a process; `last` is the step that it does not live to see.

        The lease of the one before is over.
        """
        with self._database.begin() as database:
            if sa.inspect(database).has_table("victor_outbox"):
                database.execute(sa.text("UPDATE victor_outbox SET due_at = 0, worker = NULL"))
        self._database.dispose()
        receiver, sender = self._processes.Pipe(duplex=False)
        arguments = (sender, self._environment, self._database_url, last)
        self.process = self._processes.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        sender.close()
        self._client.base_url = f"http://127.0.0.1:{receiver.recv()}"
        receiver.close()

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        assert self.exit_code() == -signal.SIGKILL

    def exit_code(self) -> int | None:
        """How the process has ended, which it is about to."""
        assert self.process is not None
        self.process.join(PATIENCE)
        return self.process.exitcode

    def close(self) -> None:
        """End what runs."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process.close()
        self._client.close()

    def post(self, number: int) -> None:
        """Post an invoice, as often as one likes."""
        new = {
            "number": number,
            "amount": "44.23",
            "counterparty": ENDS[number][0],
            "due_date": self._due,
        }
        assert self._client.post("/invoices", json=new).status_code == 201

    def get(self, number: int) -> dict[str, Any]:
        """An invoice."""
        found: dict[str, Any] = self._client.get(f"/invoices/{number}").raise_for_status().json()
        return found

    def live(self, time_travel: TimeTravel) -> None:
        """Two invoices from POST to their ends.

        Raises `httpx.TransportError` when the process is killed.
        """
        for number in ENDS:
            self.post(number)
        until(
            lambda: all(
                self.get(number)["payment"] not in ("waiting", "sending") for number in ENDS
            )
        )
        time_travel.advance(minutes=1)
        until(lambda: all(self.get(number)["payment"] == end for number, (_, end) in ENDS.items()))


def until(reached: Callable[[], bool]) -> None:
    """Look again and again."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.01)


@pytest.fixture
def service(
    victor_sandbox: Sandbox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    # for the process that the others are forked from
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    made = Service(victor_sandbox, request.getfixturevalue(getattr(request, "param", "sqlite")))
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'invoices.sqlite'}"


@pytest.fixture
def postgresql() -> Iterator[str]:
    server = Postgres()
    yield server.url("postgres").replace("postgresql://", "postgresql+psycopg://")
    server.stop()


@pytest.fixture
def one_request_each(
    service: Service, victor_sandbox: Sandbox, sent_once: Callable[[str], Any]
) -> Callable[[], None]:
    def check() -> None:
        for number, (_, end) in ENDS.items():
            sent_once(idempotency_key_for("invoice", number))
            assert (service.get(number)["payment"], service.get(number)["paid"]) == (
                end,
                end == "completed",
            )
        assert sorted(each["client_reference_id"] for each in victor_sandbox.requests()) == [
            "INV-1042",
            "INV-1043",
        ]

    return check


@pytest.mark.parametrize("step", borders(STEPS, ANSWERED))
def test_killed_before_a_step_and_again_when_it_is_settled(
    service: Service, time_travel: TimeTravel, one_request_each: Callable[[], None], step: str
) -> None:
    killed = 0
    for last in (step, step, None):  # the second process meets the step again, unless it was done
        service.start(last)
        try:
            service.live(time_travel)
        except httpx.TransportError:
            assert service.exit_code() == -signal.SIGKILL
            killed += 1
        else:
            service.kill() if last else None
    assert killed >= 1
    one_request_each()


@pytest.mark.pull_request
def test_killed_while_it_waits_for_an_answer(
    service: Service,
    victor_sandbox: Sandbox,
    faults: Faults,
    time_travel: TimeTravel,
    one_request_each: Callable[[], None],
) -> None:
    faults.stall(operation="create", work=True, times=2)
    for calls in (1, 2):  # the second process settles what the first one has left
        service.start()
        service.post(1042)
        until(partial(_has_received, victor_sandbox, creates=calls))
        assert service.get(1042)["payment"] == "sending"
        service.kill()
    service.start()
    service.live(time_travel)
    one_request_each()


def _has_received(sandbox: Sandbox, *, creates: int) -> bool:
    return sum(call.operation == "create" for call in sandbox.received()) >= creates


@pytest.mark.pull_request
@pytest.mark.parametrize("service", ["sqlite", "postgresql"], indirect=True)
def test_killed_after_answers_were_lost(
    service: Service, faults: Faults, time_travel: TimeTravel, one_request_each: Callable[[], None]
) -> None:
    faults.lose_answer(operation="create", times=3)
    service.start("create answered")
    with pytest.raises(httpx.TransportError):
        service.live(time_travel)
    assert service.exit_code() == -signal.SIGKILL
    service.start()
    service.live(time_travel)
    one_request_each()
