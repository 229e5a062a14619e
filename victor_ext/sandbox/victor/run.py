"""Victor's sandbox in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from victor_ext.sandbox.server.run import serve
from victor_ext.sandbox.victor.standin import VictorStandIn

if TYPE_CHECKING:
    import os

    from victor_ext.sandbox.victor.settings import SandboxSettings


def run(
    settings: SandboxSettings,
    *,
    quiet: bool = False,
    json_line: bool = False,
    ready_file: str | os.PathLike[str] | None = None,
    env_file: str | os.PathLike[str] | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status.

    Unless `quiet`, says where it listens and writes one line per call to stderr. Once connections are taken,
    `json_line` prints one line of JSON (`url`, `control_url`, `pid`) to stdout; `ready_file` gets the same.
    `env_file` gets settings for a client, with fresh credentials (a key pair too, commented out); only its owner
    may read it.
    """
    return serve(VictorStandIn, settings, quiet=quiet, json_line=json_line, ready_file=ready_file, env_file=env_file)
