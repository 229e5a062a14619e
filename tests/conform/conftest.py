"""Sandboxes that answer the questions otherwise."""

from contextlib import ExitStack

import pytest

from tests.sandbox.sandbox_callers import API_KEY
from victor_ext.sandbox import Sandbox, SandboxSettings


@pytest.fixture
def sandboxes(victor_key_pair):
    """Start a sandbox with options, which knows the key pair."""
    with ExitStack() as stack:

        def start(**options: object) -> Sandbox:
            settings = SandboxSettings(**{"demo_data": True, **options})
            sandbox = stack.enter_context(Sandbox(settings))
            sandbox.add_api_key(victor_key_pair[1], API_KEY)
            return sandbox

        yield start
