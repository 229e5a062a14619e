"""What a newcomer runs first: the demonstration, in a process of its own."""

import os
from pathlib import Path

import pytest

from tests.programs import python

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("VICTOR_")},
    "PYTHONWARNINGS": "error",
}
PATIENCE = 60.0


def test_the_demonstration_asks_each_payer_once_and_visits_every_system():
    done = python(ROOT / "examples" / "demo.py", env=ENVIRONMENT, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for line in ("  duplicates:        0\n", "\nVelo: ", "\nEastPay: ", "\nFlexFactor: "):
        assert line in done.stdout
