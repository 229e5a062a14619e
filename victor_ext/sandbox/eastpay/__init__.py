"""A local stand-in for one bank's EastPay gateway. See docs/eastpay.md.

What is not documented of the gateway is the sandbox's own choice here: which details stand behind 100.300, that
refused parameters are named in `parameterErrors`, that answers repeat amount, currency and reference.
"""

from __future__ import annotations

from victor_ext.sandbox.eastpay.sandbox import EastPayCommands, EastPaySandbox, Merchant, RemoteEastPaySandbox
from victor_ext.sandbox.eastpay.standin import EastPaySettings, EastPayStandIn

__all__ = (
    "EastPayCommands",
    "EastPaySandbox",
    "EastPaySettings",
    "EastPayStandIn",
    "Merchant",
    "RemoteEastPaySandbox",
)
