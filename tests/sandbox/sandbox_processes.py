"""A sandbox in a process of its own, which can be killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from victor_ext.sandbox import RemoteSandbox


class SandboxProcess:
    """`python -m victor_ext.sandbox` on a free port, and the commands over HTTP."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "victor_ext.sandbox", "--json", *options]
        if "--port" not in options:
            command += ["--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1])
        self.facts = json.loads(line)
        self.url = self.facts["url"]
        self.commands = RemoteSandbox(self.facts["control_url"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGTERM)

    def end(self, number: int) -> str:
        """Send a signal and return what the process wrote to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.communicate(timeout=10)[1]
