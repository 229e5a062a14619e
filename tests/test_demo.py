"""What a newcomer runs first: the demonstration and the two quickstarts, each in a process of its
own.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.programs import python
from tests.sandbox.sandbox_callers import SandboxProcess
from victor_ext.sandbox import RemoteSandbox

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("VICTOR_")},
    "PYTHONWARNINGS": "error",
}
PATIENCE = 60.0


def example(name, **variables):
    return python(ROOT / "examples" / name, env={**ENVIRONMENT, **variables}, timeout=PATIENCE)


def test_the_demonstration_asks_each_payer_once_and_visits_every_system():
    done = example("demo.py")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for line in ("  duplicates:        0\n", "\nVelo: ", "\nEastPay: ", "\nFlexFactor: "):
        assert line in done.stdout


@pytest.fixture
def sandbox_url():
    """`victor sandbox`, running in another process as it would in another terminal."""
    with SandboxProcess("--quiet", "--auto", "0.05") as process:
        yield process.url


@pytest.mark.parametrize("name", ["quickstart.py", "async_quickstart.py"])
def test_a_quickstart_needs_nothing_but_a_sandbox(name, sandbox_url):
    day = datetime.now(UTC).date()
    first, second = (example(name, VICTOR_BASE_URL=sandbox_url) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert (second.returncode, second.stderr) == (0, "") or datetime.now(UTC).date() != day, (
        "midnight: due another day"
    )
    assert "44.23" in first.stdout
    made = RemoteSandbox(sandbox_url).work_done_by_key()
    assert set(made.values()) == {1}, "run twice, asked once"
    assert len(made) == (1 if name == "quickstart.py" else 3)
