"""Python in a process of its own."""

import subprocess
import sys


def python(*arguments, env=None, cwd=None, timeout=60.0):
    """Run it to its end, and return its status and its outputs."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=env, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False
    )
