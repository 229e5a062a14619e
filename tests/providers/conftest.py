"""A sandbox of each system, and a client of either mode to ask it with.

A system is what the parameter `system` of a test names, or else the folder of the test.
"""

import os
from contextlib import ExitStack
from functools import cache, partial

import pytest

from tests.providers.running import MODES, Harness
from tests.providers.systems import ADAPTERS, CLIENTS


@pytest.fixture
def clean_environment(monkeypatch):
    """The process environment without the variables of any system, and without proxies."""
    for name in os.environ:
        if name.partition("_")[0].lower() in CLIENTS or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(params=MODES)
def mode(request):
    return str(request.param)


@pytest.fixture
def adapter(request):
    if "system" in request.fixturenames:
        return ADAPTERS[request.getfixturevalue("system")]
    return ADAPTERS[request.path.parent.name]


@pytest.fixture
def run(mode, adapter):
    """Makes a call of one mode over a script."""
    return partial(adapter.over, mode)


@pytest.fixture(scope="session")
def running():
    """Starts the sandbox of an adapter, once."""
    with ExitStack() as stack:
        yield cache(lambda adapter: stack.enter_context(adapter.SANDBOX()))


@pytest.fixture
def sandbox(adapter, running):
    started = running(adapter)
    started.reset()
    return started


@pytest.fixture(params=MODES)
def harness(request, adapter, sandbox):
    made: Harness = adapter.Harness(sandbox, request.param == "awaited")
    return made
