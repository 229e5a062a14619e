"""Victor's sandbox: requests for payment over the instant rails."""

from victor_ext.sandbox.server import ServerInThread, ServerOverHttp
from victor_ext.sandbox.victor._commands import SandboxCommands
from victor_ext.sandbox.victor._provider import VictorProvider
from victor_ext.sandbox.victor._settings import SandboxSettings

__all__ = ("RemoteSandbox", "Sandbox", "SandboxCommands", "SandboxSettings", "VictorProvider")


class Sandbox(SandboxCommands, ServerInThread[SandboxSettings]):
    """A sandbox in this process.

        with Sandbox() as sandbox:
            api_key, private_key = sandbox.new_api_key()
            ...  # point a client at sandbox.url

    `settings` says how it behaves (None: the defaults). The commands run on the serving thread, one
    after another with the calls it serves. They also work while the API is `down`.
    """

    provider_type = VictorProvider


class RemoteSandbox(SandboxCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process.

    `url` is the sandbox's `url`, without a path. `timeout` is in seconds.
    """
