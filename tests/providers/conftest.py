"""A sandbox of each system, and a client of either mode to ask it with.

A system is what the parameter `system` of a test names, or else the folder of the test.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from typing import Any

import pytest

from tests.providers.running import MODES, Harness
from tests.providers.systems import ADAPTERS


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def adapter(request: pytest.FixtureRequest) -> Any:
    if "system" in request.fixturenames:
        return ADAPTERS[request.getfixturevalue("system")]
    return ADAPTERS[request.path.parent.name]


@pytest.fixture
def run(mode: str, adapter: Any) -> Callable[..., Any]:
    """Makes a call of one mode over a script."""
    return partial(adapter.over, mode)


@pytest.fixture(scope="session")
def running() -> Iterator[Callable[[Any], Any]]:
    """Starts the sandbox of an adapter, once."""
    with ExitStack() as stack:
        yield cache(lambda adapter: stack.enter_context(adapter.SANDBOX()))


@pytest.fixture
def sandbox(adapter: Any, running: Callable[[Any], Any]) -> Any:
    started = running(adapter)
    started.reset()
    return started


@pytest.fixture(params=MODES)
def harness(request: pytest.FixtureRequest, adapter: Any, sandbox: Any) -> Harness:
    made: Harness = adapter.Harness(sandbox, request.param == "awaited")
    return made
