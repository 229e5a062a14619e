"""A local stand-in for FlexFactor. See docs/flexfactor.md."""

from victor_ext.sandbox.flexfactor._commands import FlexFactorCommands
from victor_ext.sandbox.flexfactor._provider import FlexFactorProvider
from victor_ext.sandbox.flexfactor._state import FlexFactorSettings
from victor_ext.sandbox.server import ServerInThread, ServerOverHttp

__all__ = (
    "FlexFactorCommands",
    "FlexFactorProvider",
    "FlexFactorSandbox",
    "FlexFactorSettings",
    "RemoteFlexFactorSandbox",
)


class FlexFactorSandbox(FlexFactorCommands, ServerInThread[FlexFactorSettings]):
    """FlexFactor in this process: `with FlexFactorSandbox() as sandbox: sandbox.url`."""

    provider_type = FlexFactorProvider


class RemoteFlexFactorSandbox(FlexFactorCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
