import os
import sys
from contextlib import ExitStack, closing

import httpx
import pytest

from tests.sandbox.desks import VeloDesk
from tests.sandbox.sandbox_callers import API_KEY, Caller
from victor_ext.sandbox import Sandbox, SandboxSettings


@pytest.fixture(scope="session")
def http():
    """No certificates: loading them takes longer than most tests here."""
    with httpx.Client(verify=False, trust_env=False) as http:
        yield http


@pytest.fixture
def start():
    """Start a sandbox with options: returns it and a caller who is known to it."""
    with ExitStack() as stack:

        def started(**options):
            sandbox = stack.enter_context(Sandbox(SandboxSettings(**options)))
            caller = Caller(sandbox.url, *sandbox.new_api_key(API_KEY))
            stack.callback(caller.http.close)
            return sandbox, caller

        yield started


@pytest.fixture
def payor(velo_sandbox):
    """A caller of Velo's sandbox."""
    with closing(VeloDesk(velo_sandbox)) as desk:
        yield desk


both = pytest.fixture(lambda start: start())
sandbox = pytest.fixture(lambda both: both[0])
caller = pytest.fixture(lambda both: both[1])


@pytest.fixture(params=[0o000, 0o777], ids=["everybody", "nobody"])
def umask(request, monkeypatch):
    """What the system takes away from the modes of new files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # for others it could not be read
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    before = os.umask(request.param)
    yield request.param
    os.umask(before)
