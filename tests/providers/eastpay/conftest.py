"""A gateway of EastPay's, and a client of either kind to ask it with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.eastpay.harness import Harness
from victor_ext.sandbox.eastpay import EastPaySandbox, Merchant


@pytest.fixture(scope="session")
def running() -> Iterator[EastPaySandbox]:
    with EastPaySandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: EastPaySandbox) -> EastPaySandbox:
    running.reset()
    return running


@pytest.fixture
def merchant(sandbox: EastPaySandbox) -> Merchant:
    return sandbox.add_merchant()


@pytest.fixture(params=["blocking", "awaited"])
def harness(request: pytest.FixtureRequest, sandbox: EastPaySandbox, merchant: Merchant) -> Harness:
    return Harness(request.param == "awaited", sandbox, merchant)
