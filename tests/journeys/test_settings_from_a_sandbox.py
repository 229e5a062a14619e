"""From `--env-file` of a sandbox to a client, without a line in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from victor_ext import Victor
from victor_ext.sandbox import RemoteSandbox


def test_the_file_that_a_sandbox_writes_is_all_a_client_needs(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "sandbox.env"
    command = [sys.executable, "-m", "victor_ext.sandbox", "--port", "0", "--env-file", str(file), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sandbox:
        assert sandbox.stdout is not None
        sandbox.stdout.readline()  # it says that it is ready
        for line in file.read_text().splitlines():
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
        try:
            with Victor.from_env() as victor:
                assert list(victor.payment_requests.list()) == []
                assert RemoteSandbox(victor.base_url).received()
        finally:
            sandbox.terminate()
