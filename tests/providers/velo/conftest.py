"""A Velo that is a sandbox, and a client of either kind to ask it with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.velo.harness import Harness
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings


@pytest.fixture(scope="session")
def running() -> Iterator[VeloSandbox]:
    with VeloSandbox(VeloSettings(seed=1)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: VeloSandbox) -> VeloSandbox:
    running.reset()
    return running


@pytest.fixture(params=["blocking", "awaited"])
def harness(request: pytest.FixtureRequest, sandbox: VeloSandbox) -> Harness:
    return Harness(sandbox, request.param == "awaited")
