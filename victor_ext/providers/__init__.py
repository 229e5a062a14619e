"""Other payment systems on the runtime that serves Victor, one subpackage each. See docs/providers.md.

from victor_ext.providers import Money
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.providers.eastpay import EastPay
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
"""

import importlib
from typing import TYPE_CHECKING

from victor_ext.money import Money

if TYPE_CHECKING:
    from .eastpay import AsyncEastPay, EastPay
    from .flexfactor import AsyncFlexFactor, FlexFactor, FlexFactorAuth
    from .velo import AsyncVelo, Velo, VeloAuth

__all__ = [
    "AsyncEastPay",
    "AsyncFlexFactor",
    "AsyncVelo",
    "EastPay",
    "FlexFactor",
    "FlexFactorAuth",
    "Money",
    "Velo",
    "VeloAuth",
]

# A system is loaded when one of its names is first asked for: nobody pays for the others.
_HOMES = {
    ".eastpay": ("AsyncEastPay", "EastPay"),
    ".flexfactor": ("AsyncFlexFactor", "FlexFactor", "FlexFactorAuth"),
    ".velo": ("AsyncVelo", "Velo", "VeloAuth"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(importlib.import_module(home, __name__), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
