"""A FlexFactor that is a sandbox, and a client of either kind to ask it with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.flexfactor.harness import Harness
from victor_ext.sandbox.flexfactor import FlexFactorSandbox


@pytest.fixture(scope="session")
def running() -> Iterator[FlexFactorSandbox]:
    with FlexFactorSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: FlexFactorSandbox) -> FlexFactorSandbox:
    running.reset()
    return running


@pytest.fixture(params=["blocking", "awaited"])
def harness(request: pytest.FixtureRequest, sandbox: FlexFactorSandbox) -> Harness:
    return Harness(sandbox, request.param == "awaited")
