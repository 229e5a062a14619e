"""The Inspector, installed at first use."""

import sys
from pathlib import Path

import pytest

from tests.programs import install_once

INSTALLED = Path(sys.prefix) / "inspector"
"""Where `make .venv/inspector` installs it."""


@pytest.fixture(scope="session")
def launcher():
    """The program of the Inspector's command line. Where it cannot be had, the tests fail."""
    install_once("inspector", INSTALLED)
    package = INSTALLED / "node_modules" / "@modelcontextprotocol" / "inspector"
    return package / "clients" / "launcher" / "build" / "index.js"
