"""Which sandboxes there are. Each is loaded only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from victor_ext.sandbox.server.commands import ServerCommands
    from victor_ext.sandbox.server.standin import AnyStandIn

PROVIDERS = {
    "victor": "victor_ext.sandbox.victor.sandbox:Sandbox",
    "velo": "victor_ext.sandbox.velo:VeloSandbox",
    "eastpay": "victor_ext.sandbox.eastpay:EastPaySandbox",
    "flexfactor": "victor_ext.sandbox.flexfactor:FlexFactorSandbox",
}
"""Where the sandbox of each provider is."""


def stand_in(provider: str) -> type[AnyStandIn]:
    """What the sandbox of a provider stands in with."""
    module, _, name = PROVIDERS[provider].partition(":")
    return cast("type[ServerCommands]", getattr(import_module(module), name)).stand_in
