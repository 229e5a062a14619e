"""The clients of the other systems, from one place; none is loaded before it is asked for."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from victor_ext import providers


@pytest.mark.parametrize("name", providers.__all__)
def test_each_is_the_one_of_its_own_package(name: str) -> None:
    result = getattr(providers, name)
    home = importlib.import_module(result.__module__)
    assert getattr(home, name) is result
    assert name in dir(providers)


def test_there_is_no_other() -> None:
    assert providers.__all__ == sorted(providers.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nobody'"):
        _ = providers.Nobody


def test_nobody_pays_for_the_others() -> None:
    others = "print([name for name in sys.modules if 'flexfactor' in name or 'eastpay' in name])"
    code = f"import sys; from victor_ext.providers import Velo; {others}"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
