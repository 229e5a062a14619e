"""Notifications of a connected API. See docs/sandbox.md."""

from victor_ext.sandbox.connected._provider import (
    ConnectedCommands,
    ConnectedProvider,
    ConnectedSandbox,
)
from victor_ext.sandbox.connected._signature import Signature, Unsigned

__all__ = (
    "ConnectedCommands",
    "ConnectedProvider",
    "ConnectedSandbox",
    "Signature",
    "Unsigned",
)
