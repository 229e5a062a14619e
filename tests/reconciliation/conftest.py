"""A sandbox and a book of ours that differ in known ways, and the command that compares them."""

import pytest

from tests.cli.victor_command import Command, settings_of
from tests.reconciliation.planted import Planted
from victor_ext import zulu
from victor_ext.sandbox import Sandbox, SandboxSettings


@pytest.fixture(scope="module")
def planted():
    with Sandbox(SandboxSettings(demo_data=True, auto=None)) as sandbox:
        made = Planted(sandbox)
        with made.victor:
            made.plant()
            yield made


@pytest.fixture(scope="module")
def command(planted, bare_environment):
    settings = settings_of(planted.sandbox, *planted.sandbox.add_oauth_client())
    return Command({**bare_environment, **settings})


class Books:
    """`victor reconcile`, for the window of what was planted.

    Attributes:
        ours: The file of our book.
    """

    def __init__(self, command, planted, folder):
        self.command, self.planted, self.folder = command, planted, folder
        self.ours = planted.write(folder / "ours.csv")
        start, end = zulu.format(planted.start), zulu.format(planted.end)
        self.window = ("--start", start, "--end", end)

    def __call__(self, *words, ours=None):
        """Compare our book, or another one."""
        return self.command(*self.words(*words, ours=ours))

    def words(self, *words, ours=None):
        return ["reconcile", str(ours or self.ours), *self.window, *map(str, words)]

    def refused(self, *words, ours=None):
        """What is said of a command that cannot be run, and nothing else."""
        ran = self(*words, ours=ours)
        assert ran.status == 2
        assert ran.out == ""
        return ran.err


@pytest.fixture
def books(command, planted, tmp_path):
    return Books(command, planted, tmp_path)
