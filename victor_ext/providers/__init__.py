"""Other payment systems on the runtime that serves Victor, one subpackage each.

See docs/index.md.
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


if not TYPE_CHECKING:  # as in `victor_ext`

    def __getattr__(name: str) -> object:
        # A system is loaded when one of its names is first asked for: nobody pays for the others.
        for home in ("eastpay", "flexfactor", "velo"):
            if name in __all__ and home in name.lower():
                value = globals()[name] = getattr(
                    importlib.import_module(f".{home}", __name__), name
                )
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
