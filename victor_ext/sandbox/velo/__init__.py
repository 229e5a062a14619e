"""A local stand-in for Velo: tokens, payees, accounts, funding, payouts with their life, feeds and notifications.

with VeloSandbox() as sandbox:
    key, secret = sandbox.add_key()
    sandbox.add_source_account("USD account", "USD", 100_000)
"""

from __future__ import annotations

from victor_ext.sandbox.velo.commands import RemoteVeloSandbox, VeloCommands, VeloSandbox
from victor_ext.sandbox.velo.settings import VeloSettings
from victor_ext.sandbox.velo.standin import VeloStandIn

__all__ = ("RemoteVeloSandbox", "VeloCommands", "VeloSandbox", "VeloSettings", "VeloStandIn")
