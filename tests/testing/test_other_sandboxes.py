"""The fixtures of the other systems' sandboxes: empty, and with the options of their marks."""

import pytest

pytest_plugins = ["pytester"]


@pytest.mark.velo_sandbox(settlement=5.0)
@pytest.mark.eastpay_sandbox(seed=2)
@pytest.mark.flexfactor_sandbox(seed=1)
def test_a_mark_sets_the_options(velo_sandbox, eastpay_sandbox, flexfactor_sandbox):
    assert velo_sandbox.settings.settlement == 5.0
    assert eastpay_sandbox.settings.seed == 2
    assert flexfactor_sandbox.settings.seed == 1
