"""The programs of the gateways, unpacked at first use."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateways.gateway import INSTALLED, Gateway


@pytest.fixture(scope="session", autouse=True)
def packages():
    """Unpack Debian's packages, once for all processes of pytest.

    Where they cannot be had, the tests fail: none is skipped.
    """
    with (Path(sys.prefix) / "gateways.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if INSTALLED.exists():
            return
        made = subprocess.run(
            ["make", "-C", Path(__file__).parents[2], "--silent", ".venv/gateways"],
            env={**os.environ, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        pytest.fail(f"`make .venv/gateways` failed:\n{made.stdout}{made.stderr}", pytrace=False)


@pytest.fixture
def gateway(tmp_path_factory):
    """Makes gateways: `gateway(command, configuration, provider)`."""
    return lambda *words: Gateway(*words, tmp_path_factory.mktemp("gateway"))
