"""Victor's sandbox as a Python object: in this process, or in another one."""

from __future__ import annotations

from victor_ext.sandbox.server.remote import ServerOverHttp
from victor_ext.sandbox.server.thread import ServerInThread
from victor_ext.sandbox.victor.commands import SandboxCommands
from victor_ext.sandbox.victor.settings import SandboxSettings


class Sandbox(SandboxCommands, ServerInThread[SandboxSettings]):
    """A sandbox in this process.

        with Sandbox() as sandbox:
            api_key, private_key = sandbox.new_api_key()
            ...  # point a client at sandbox.url

    The commands run on the serving thread, one after another with the calls it serves, and they work while
    the API is `down`, too.
    """


class RemoteSandbox(SandboxCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process: at its URL or that of its control port."""
