"""The command, wired to a sandbox by its environment variables alone."""

import pytest

from tests.bulk.postgres import postgres_server
from tests.cli.victor_command import Command, settings_of
from tests.tiers import borders

__all__ = ["postgres_server"]


@pytest.fixture(params=borders(["sqlite", "postgresql"], "sqlite"))
def database_url(request, tmp_path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/requests.sqlite"
    return request.getfixturevalue("postgres_server").new_schema()


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
