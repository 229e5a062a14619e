"""The command, wired to a sandbox by its environment variables alone."""

import pytest

from tests.cli.victor_command import Command, settings_of


@pytest.fixture
def bare_command(bare_environment):
    """The command without any settings."""
    return Command(bare_environment)


@pytest.fixture
def settings(victor_sandbox):
    return settings_of(victor_sandbox, *victor_sandbox.add_oauth_client())


@pytest.fixture
def command(bare_environment, settings):
    """The command with the sandbox's settings."""
    return Command({**bare_environment, **settings})
