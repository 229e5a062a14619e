"""A local stand-in for the provider.

It shares no code with the client: no mistake can hide on both sides.
"""

from victor_ext._version import needs_extra

with needs_extra(__name__, "sandbox"):
    from victor_ext.sandbox.server._context import Received
    from victor_ext.sandbox.victor import RemoteSandbox, Sandbox, SandboxCommands, SandboxSettings
    from victor_ext.sandbox.victor._authentication import new_key_pair

__all__ = (
    "Received",
    "RemoteSandbox",
    "Sandbox",
    "SandboxCommands",
    "SandboxSettings",
    "new_key_pair",
)
