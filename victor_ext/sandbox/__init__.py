"""A local stand-in for the provider.

It shares no code with the client: no mistake can hide on both sides.
"""

try:
    from victor_ext.sandbox.server.context import Received
    from victor_ext.sandbox.victor import RemoteSandbox, Sandbox, SandboxCommands, SandboxSettings
    from victor_ext.sandbox.victor.authentication import new_key_pair
except ModuleNotFoundError as error:
    name = str(error.name).partition(".")[0]
    message = (
        f"victor_ext.sandbox needs {name}; install its extra: pip install 'victor-ext[sandbox]'"
    )
    raise ImportError(message) from error

__all__ = (
    "Received",
    "RemoteSandbox",
    "Sandbox",
    "SandboxCommands",
    "SandboxSettings",
    "new_key_pair",
)
