"""The PostgreSQL server of the tests ends with them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bulk.bulk_runs import PATIENCE
from tests.bulk.postgres_guard import processes_of

pytestmark = pytest.mark.pull_request
TESTS = """
import time
from tests.bulk.postgres import Postgres
server = Postgres()
print(server.folder, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_when_its_tests_are_killed(number: signal.Signals) -> None:
    command = [sys.executable, "-c", TESTS]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        folder = Path(tests.stdout.readline().strip())
        assert processes_of(str(folder))
        tests.send_signal(number)
        tests.wait(PATIENCE)
    ends = time.monotonic() + PATIENCE
    while folder.exists() and time.monotonic() < ends:
        time.sleep(0.05)
    assert processes_of(str(folder)) == []
    assert not folder.exists()
