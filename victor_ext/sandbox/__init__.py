"""A local stand-in for the provider.

It shares no code with the client: no mistake can hide on both sides.
"""

from victor_ext._version import needs_extra

with needs_extra(__name__, "sandbox"):
    from victor_ext.sandbox.server._context import Received
    from victor_ext.sandbox.victor import RemoteSandbox, Sandbox, SandboxCommands, SandboxSettings
    from victor_ext.sandbox.victor._test_key import KEY_PAIR

__all__ = (
    "KEY_PAIR",
    "Received",
    "RemoteSandbox",
    "Sandbox",
    "SandboxCommands",
    "SandboxSettings",
)
