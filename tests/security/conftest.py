"""What the tests of security have in common: secrets to search for, and a sandbox that accepts
them.
"""

from contextlib import ExitStack, closing

import pytest

from tests.security.secrets import Secrets
from victor_ext.sandbox import Sandbox, SandboxSettings


@pytest.fixture
def closed():
    """Closes at the end of a test what is passed through it, the last one first."""
    with ExitStack() as stack:
        yield lambda each: stack.enter_context(closing(each))


@pytest.fixture
def secrets(victor_key_pair):
    return Secrets(private_key=victor_key_pair[0])


@pytest.fixture
def known(secrets, victor_key_pair):
    """A sandbox that accepts the secrets as credentials."""
    with Sandbox(SandboxSettings(demo_data=True, seed=1)) as sandbox:
        sandbox.add_api_key(victor_key_pair[1], secrets.api_key)
        sandbox.add_oauth_client(secrets.client_id, secrets.client_secret)
        yield sandbox
