from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.sandbox.sandbox_callers import API_KEY, Caller, make_pair
from victor_ext.sandbox import Sandbox, SandboxSettings


@pytest.fixture(scope="session")
def key_pair(victor_key_pair) -> tuple[str, str]:
    """Private and public key, as PEM."""
    return victor_key_pair


@pytest.fixture(scope="session")
def other_pair() -> tuple[str, str]:
    return make_pair()


@pytest.fixture
def start(key_pair):
    """Start a sandbox with options: returns it and a caller who is known to it."""
    with ExitStack() as stack:

        def started(**options) -> tuple[Sandbox, Caller]:
            sandbox = stack.enter_context(Sandbox(SandboxSettings(**options)))
            sandbox.add_api_key(key_pair[1], API_KEY)
            caller = Caller(sandbox.url, API_KEY, key_pair[0])
            stack.callback(caller.http.close)
            return sandbox, caller

        yield started


@pytest.fixture
def both(start):
    return start()


@pytest.fixture
def sandbox(both) -> Sandbox:
    return both[0]


@pytest.fixture
def caller(both) -> Caller:
    return both[1]
