"""Services of FastAPI and of Django learn a payout's whole life from what the sandbox posts:
doubled, out of order, and while the service is killed and started again.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.victor_command import until
from tests.sandbox.velo_payor import LIFE, Payor
from victor_ext.sandbox.velo import VeloSandbox
from victor_ext.testing import Faults

pytestmark = pytest.mark.pull_request


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


class Service:
    """A process at an address that stays the same."""

    def __init__(self, kind: str, sandbox: VeloSandbox, database: Path, port: int) -> None:
        key, secret = sandbox.add_key()
        self.payor_id = sandbox.payor_id
        self.url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", "tests.sandbox.notified_services", kind]
        values = {
            "DATABASE": str(database),
            "HEADER": sandbox.authorization_header(),
            "KEY": key,
            "PORT": str(port),
            "SECRET": secret,
            "VELO": sandbox.url,
        }
        self._environment = os.environ | {f"SERVICE_{name}": values[name] for name in values}
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, env=self._environment)
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the service has ended"
        try:
            return bool(httpx.get(self.url, verify=False).status_code)
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def work(self) -> Any:
        """Let the inbox call its handlers; returns what the service knows then."""
        return httpx.post(f"{self.url}/work/{self.payor_id}", verify=False, timeout=30).json()


@pytest.fixture(params=["fastapi", "django"])
def service(
    request: pytest.FixtureRequest, velo_sandbox: VeloSandbox, tmp_path: Path
) -> Iterator[Service]:
    service = Service(request.param, velo_sandbox, tmp_path / "service.db", free_port())
    velo_sandbox.notify(f"{service.url}/webhooks/{velo_sandbox.payor_id}")
    yield service
    service.kill()


def test_a_payouts_life_arrives_once_through_a_restart(
    velo_sandbox: VeloSandbox, service: Service
) -> None:
    faults = Faults(velo_sandbox)
    faults.double_notification(event="payment.submitted")
    faults.delay_notification(event="payment.accepted")
    with closing(Payor(velo_sandbox)) as payor:
        path = payor.submit("INV-1")
        velo_sandbox.wait_for_deliveries()
        assert service.work()["facts"] == [["payment.submitted", "INV-1", "ACCEPTED"]]
        faults.double_notification(event="payment.confirmed", skip=1)
        service.kill()
        assert payor.http.post(path).status_code == 202
        velo_sandbox.advance(30)
        velo_sandbox.wait_for_deliveries()
        service.start()
        assert service.work() == {
            "facts": [["payment.submitted", "INV-1", "ACCEPTED"]], "gaps": [],
        }  # fmt: skip
        velo_sandbox.advance(120)
        velo_sandbox.wait_for_deliveries()
    known = service.work()
    assert known["gaps"] == []
    assert known["facts"][0] == ["payment.submitted", "INV-1", "ACCEPTED"]
    # What comes late is read as it is by now.
    assert sorted(known["facts"][1:]) == [[name, "INV-1", "CONFIRMED"] for name in LIFE[1:]]
    states = [(each["event"], each["state"]) for each in velo_sandbox.deliveries()]
    assert states == [(name, "taken") for name in LIFE]
    tries = [len(each["attempts"]) for each in velo_sandbox.deliveries()]
    assert tries == [2, 2, 3], "two were posted twice, and two while the service was down"
    assert service.work() == known


def test_a_wrong_header_is_refused_and_comes_again(
    velo_sandbox: VeloSandbox, service: Service
) -> None:
    url = f"{service.url}/webhooks/{velo_sandbox.payor_id}"
    with closing(Payor(velo_sandbox)) as payor:
        right = velo_sandbox.authorization_header()
        webhook = payor.webhook(url, authorizationHeader="somebody else's header")
        payor.submit("INV-1")
        velo_sandbox.wait_for_deliveries()
        statuses = {each["attempts"][0]["status"] for each in velo_sandbox.deliveries()}
        assert (statuses, service.work()["facts"]) == ({401}, [])
        payor.http.post(webhook, json={"authorizationHeader": right})
        velo_sandbox.advance(60)
        velo_sandbox.wait_for_deliveries()
    facts = [[name, "INV-1", "ACCEPTED"] for name in sorted(LIFE[:2])]
    assert sorted(service.work()["facts"]) == facts
