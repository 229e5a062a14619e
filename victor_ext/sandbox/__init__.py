"""A local stand-in for the provider.

It shares no code with the client: no mistake can hide on both sides.
"""

from victor_ext._version import needs_extra

with needs_extra(__name__, "sandbox"):
    from victor_ext.sandbox._connected import ConnectedSandbox
    from victor_ext.sandbox.engine import Asked, Listing, Refused, Result, Row
    from victor_ext.sandbox.server import BodyKey, Call, HeaderKey, Received, find
    from victor_ext.sandbox.victor import RemoteSandbox, Sandbox, SandboxCommands, SandboxSettings
    from victor_ext.sandbox.victor._test_key import KEY_PAIR

__all__ = (
    "KEY_PAIR",
    "Asked",
    "BodyKey",
    "Call",
    "ConnectedSandbox",
    "HeaderKey",
    "Listing",
    "Received",
    "Refused",
    "RemoteSandbox",
    "Result",
    "Row",
    "Sandbox",
    "SandboxCommands",
    "SandboxSettings",
    "find",
)
