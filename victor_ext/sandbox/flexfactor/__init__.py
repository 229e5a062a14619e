"""A local stand-in for FlexFactor. See docs/flexfactor.md."""

from victor_ext.sandbox.flexfactor.provider import FlexFactorProvider
from victor_ext.sandbox.flexfactor.state import FlexFactorCommands
from victor_ext.sandbox.server import ServerInThread, ServerOverHttp, ServerSettings

__all__ = (
    "FlexFactorCommands",
    "FlexFactorProvider",
    "FlexFactorSandbox",
    "RemoteFlexFactorSandbox",
)


class FlexFactorSandbox(FlexFactorCommands, ServerInThread[ServerSettings]):
    """FlexFactor in this process: `with FlexFactorSandbox() as sandbox: sandbox.url`."""

    provider_type = FlexFactorProvider


class RemoteFlexFactorSandbox(FlexFactorCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
