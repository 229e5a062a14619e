"""A local stand-in for the provider, for tests and for trying things out. See docs/sandbox.md.

It shares no code with the client: it reads the provider's document and verifies tokens with its own code, so that one
mistake cannot hide on both sides.
"""

from __future__ import annotations

try:
    import jsonschema_rs as _jsonschema_rs
    import starlette as _starlette
    import uvicorn as _uvicorn
    import yaml as _yaml
except ImportError as error:
    raise ImportError(
        f"victor_ext.sandbox needs {error.name}; install its extra: pip install 'victor-ext[sandbox]'"
    ) from error

from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.victor import RemoteSandbox, Sandbox, SandboxCommands, SandboxSettings, run

__all__ = ("Received", "RemoteSandbox", "Sandbox", "SandboxCommands", "SandboxSettings", "run")

del _jsonschema_rs, _starlette, _uvicorn, _yaml
