"""A local stand-in for FlexFactor. See docs/flexfactor.md."""

from __future__ import annotations

from victor_ext.sandbox.flexfactor.sandbox import FlexFactorCommands, FlexFactorSandbox, RemoteFlexFactorSandbox
from victor_ext.sandbox.flexfactor.settings import FlexFactorSettings
from victor_ext.sandbox.flexfactor.standin import FlexFactorStandIn

__all__ = (
    "FlexFactorCommands",
    "FlexFactorSandbox",
    "FlexFactorSettings",
    "FlexFactorStandIn",
    "RemoteFlexFactorSandbox",
)
