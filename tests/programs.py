"""Programs in processes of their own, and ports for them."""

import socket
import subprocess
import sys


def python(*arguments, env=None, cwd=None, timeout=60.0):
    """Run it to its end, and return its status and its outputs."""
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=env, cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False
    )


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
