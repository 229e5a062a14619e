"""A sandbox of Velo, EastPay or FlexFactor for one test. A mark of its name sets its options."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from victor_ext.sandbox.eastpay import EastPaySandbox
    from victor_ext.sandbox.flexfactor import FlexFactorSandbox
    from victor_ext.sandbox.velo import VeloSandbox

OTHER_SANDBOXES = {
    "velo_sandbox": "VeloSettings",
    "eastpay_sandbox": "EastPaySettings",
    "flexfactor_sandbox": "FlexFactorSettings",
}
"""The classes of the settings, by fixture."""


@pytest.fixture
def velo_sandbox(request: pytest.FixtureRequest) -> Iterator[VeloSandbox]:
    """A sandbox of Velo: empty, on a free port of this machine."""
    yield from _started(request, "velo_sandbox", "VeloSandbox")


@pytest.fixture
def eastpay_sandbox(request: pytest.FixtureRequest) -> Iterator[EastPaySandbox]:
    """A sandbox of EastPay: empty, on a free port of this machine."""
    yield from _started(request, "eastpay_sandbox", "EastPaySandbox")


@pytest.fixture
def flexfactor_sandbox(request: pytest.FixtureRequest) -> Iterator[FlexFactorSandbox]:
    """A sandbox of FlexFactor: empty, on a free port of this machine."""
    yield from _started(request, "flexfactor_sandbox", "FlexFactorSandbox")


def _started(request: pytest.FixtureRequest, fixture: str, sandbox: str) -> Iterator[Any]:
    """A sandbox with the settings of the mark, until the test has ended."""
    system = fixture.removesuffix("_sandbox")
    try:
        package = import_module(f"victor_ext.sandbox.{system}")
    except ImportError as error:
        pytest.fail(f"The fixture {fixture}: {error}", pytrace=False)
    mark = request.node.get_closest_marker(fixture)
    try:
        if mark and mark.args:
            raise TypeError("write each with its name, such as seed=1")
        settings = getattr(package, OTHER_SANDBOXES[fixture])(**(mark.kwargs if mark else {}))
    except (TypeError, ValueError) as error:
        pytest.fail(f"The settings of {fixture}: {error}", pytrace=False)
    with getattr(package, sandbox)(settings) as started:
        yield started
