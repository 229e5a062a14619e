"""A local stand-in for Velo: tokens, payees, accounts, funding, payouts, feeds of changes and
notifications.
"""

from victor_ext.sandbox.server import ServerInThread, ServerOverHttp
from victor_ext.sandbox.velo._commands import VeloCommands
from victor_ext.sandbox.velo._provider import VeloProvider
from victor_ext.sandbox.velo._state import VeloSettings

__all__ = ("RemoteVeloSandbox", "VeloCommands", "VeloProvider", "VeloSandbox", "VeloSettings")


class VeloSandbox(VeloCommands, ServerInThread[VeloSettings]):
    """Velo in this process: `with VeloSandbox() as sandbox: sandbox.url`."""

    provider_type = VeloProvider


class RemoteVeloSandbox(VeloCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
