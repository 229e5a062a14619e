"""A sandbox and a book of ours that differ in known ways, and the command that compares them."""

import os
from pathlib import Path

import pytest

from tests.cli.victor_command import Command, Ran
from tests.reconciliation.planted import SETTINGS, Planted
from victor_ext import zulu
from victor_ext.sandbox import Sandbox


@pytest.fixture(scope="module")
def planted():
    with Sandbox(SETTINGS) as sandbox:
        made = Planted(sandbox)
        with made.victor:
            made.plant()
            yield made


@pytest.fixture(scope="module")
def command(planted):
    client_id, client_secret = planted.sandbox.add_oauth_client()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Command({
        **kept, "PYTHONWARNINGS": "error", "COLUMNS": "200", "VICTOR_BASE_URL": planted.sandbox.url,
        "VICTOR_CLIENT_ID": client_id, "VICTOR_CLIENT_SECRET": client_secret,
    })  # fmt: skip


class Books:
    """`victor reconcile`, for the window of what was planted.

    Attributes:
        ours: The file of our book.
    """

    def __init__(self, command: Command, planted: Planted, folder: Path) -> None:
        self.command, self.planted, self.folder = command, planted, folder
        self.ours = planted.write(folder / "ours.csv")
        start, end = zulu.format(planted.start), zulu.format(planted.end)
        self.window = ("--start", start, "--end", end)

    def __call__(self, *words: object, ours: Path | None = None) -> Ran:
        """Compare our book, or another one."""
        return self.command(*self.words(*words, ours=ours))

    def words(self, *words: object, ours: Path | None = None) -> list[str]:
        return ["reconcile", str(ours or self.ours), *self.window, *map(str, words)]

    def refused(self, *words: object, ours: Path | None = None) -> str:
        """What is said of a command that cannot be run, and nothing else."""
        ran = self(*words, ours=ours)
        assert ran.status == 2
        assert ran.out == ""
        return ran.err


@pytest.fixture
def books(command, planted, tmp_path):
    return Books(command, planted, tmp_path)
