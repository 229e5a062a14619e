"""The command, wired to a sandbox by its environment variables alone."""

import pytest

from tests.cli.victor_command import Command


@pytest.fixture
def bare_command(bare_environment):
    """The command without any settings."""
    return Command(bare_environment)


@pytest.fixture
def settings(victor_sandbox):
    """What a shell has to export to reach the sandbox."""
    client_id, client_secret = victor_sandbox.add_oauth_client()
    return {
        "VICTOR_BASE_URL": victor_sandbox.url,
        "VICTOR_CLIENT_ID": client_id,
        "VICTOR_CLIENT_SECRET": client_secret,
    }


@pytest.fixture
def command(bare_environment, settings):
    """The command with the sandbox's settings."""
    return Command({**bare_environment, **settings})
