"""The example runs, twice, and asks once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bulk.bulk_runs import Bulk
from victor_ext.sandbox import Sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "bulk_send.py"


def test_the_example_asks_once(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, EXAMPLE],
            cwd=bulk.folder,
            env=bulk.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (1, "")
        first, *lines = ended.stdout.splitlines()
        assert first == "12 created, 1 refused"
        assert sum(": created " in line for line in lines) == 12
        (refused,) = (line for line in lines if ": refused " in line)
        assert refused.startswith("invoice 2046: refused amount is '12.345'")
    assert set(victor_sandbox.attempts_by_key().values()) == {1}
    assert len(victor_sandbox.work_done_by_key()) == 12
