"""Victor's sandbox: requests for payment over the instant rails."""

from __future__ import annotations

from typing import Unpack

from victor_ext.sandbox.server.commands import ServerOverHttp
from victor_ext.sandbox.server.run import Running, ServerInThread, serve
from victor_ext.sandbox.victor.commands import SandboxCommands
from victor_ext.sandbox.victor.provider import VictorProvider
from victor_ext.sandbox.victor.settings import SandboxSettings

__all__ = ("RemoteSandbox", "Sandbox", "SandboxCommands", "SandboxSettings", "VictorProvider", "run")


class Sandbox(SandboxCommands, ServerInThread[SandboxSettings]):
    """A sandbox in this process.

        with Sandbox() as sandbox:
            api_key, private_key = sandbox.new_api_key()
            ...  # point a client at sandbox.url

    `settings` says how it behaves (None: the defaults). The commands run on the serving thread, one after another
    with the calls it serves. They also work while the API is `down`.
    """

    provider_type = VictorProvider


class RemoteSandbox(SandboxCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process.

    `url` is the sandbox's `url`, without a path. `timeout` is in seconds.
    """


def run(settings: SandboxSettings, **running: Unpack[Running]) -> int:
    """Serve in the foreground until Ctrl-C, as the command line does; returns the exit status.

    Args:
        settings: How the sandbox behaves.
        running: `quiet`, `json_line` and `env_file`: how it tells where it is, as on the command line.
    """
    return serve(VictorProvider, settings, **running)
