"""Python in a process of its own."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def python(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, and return its status and its outputs."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=env, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False
    )
