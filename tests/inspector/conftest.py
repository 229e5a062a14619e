"""The Inspector, installed at first use."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

INSTALLED = Path(sys.prefix) / "inspector"
"""Where `make .venv/inspector` installs it."""


@pytest.fixture(scope="session")
def launcher():
    """The program of the Inspector's command line. Where it cannot be had, the tests fail."""
    with (Path(sys.prefix) / "inspector.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLED.exists():
            made = subprocess.run(
                ["make", "-C", Path(__file__).parents[2], "--silent", ".venv/inspector"],
                env={**os.environ, "MAKEFLAGS": ""},
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode:
                text = f"`make .venv/inspector` failed:\n{made.stdout}{made.stderr}"
                pytest.fail(text, pytrace=False)
    package = INSTALLED / "node_modules" / "@modelcontextprotocol" / "inspector"
    return package / "clients" / "launcher" / "build" / "index.js"
