"""Other payment systems on the runtime that serves Victor, one subpackage each. See docs/providers.md.

from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.providers.eastpay import EastPay
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
"""

from __future__ import annotations

from .money import Money

__all__ = ("Money",)
