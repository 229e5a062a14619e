"""Programs in processes of their own: Python, and what `make` installs at first use."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def python(*arguments, env=None, cwd=None, timeout=60.0):
    """Run it to its end, and return its status and its outputs."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=env, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False
    )


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def install_once(name, folder):
    """Have `make` install what stands in a folder then, once for all processes of pytest.

    Where it cannot be had, the tests fail: none is skipped.
    """
    target = f".venv/{name}"
    with (Path(sys.prefix) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return
        made = subprocess.run(
            ["make", "-C", Path(__file__).parents[1], "--silent", target],
            env={**os.environ, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode:
        pytest.fail(f"`make {target}` failed:\n{made.stdout}{made.stderr}", pytrace=False)
