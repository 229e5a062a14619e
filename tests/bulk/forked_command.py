"""The command in a process of its own that is forked from one which has imported what every start imports.

To import DBOS and SQLAlchemy takes ten times as long as what most commands do. What a test sees is the same: a process
with its own environment, folder, memory and exit status, that ends as Python ends.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Self

SCRIPT = Path(sys.executable).with_name("victor")
CLOCK = Path(__file__).parent / "shifted_clock"
IMPORTED = (
    "victor_ext.cli.app",
    "victor_ext.bulk.worker",
    "victor_ext.runtime.http.pooled_transport",
    "sqlalchemy.dialects.sqlite",
)
AS_AT_THE_START = ("PATH", "HOME", "LANG", "PYTHONWARNINGS", "COLUMNS")
"""Variables that Python, or a module, may read when it is loaded: no command may have others."""


class ForkedCommands:
    """Runs `victor` to its end, one command at a time. A context manager."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._fixed = {name: environment[name] for name in AS_AT_THE_START if name in environment}
        self._ours, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env={**self._fixed, "PYTHONPATH": str(CLOCK)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd="/",
                process_group=0,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._kill()

    def run(
        self, words: list[str], folder: Path, environment: dict[str, str], timeout: float
    ) -> tuple[int, str, str] | None:
        """Exit status, standard output and error; None when it must be started from nothing.

        It must where another command runs just now, or where its environment is one that Python reads at its start.
        """
        read = {name: value for name, value in environment.items() if not name.startswith("VICTOR_")}
        read.pop("SHIFTED_CLOCK", None)
        if read.pop("PYTHONPATH", str(CLOCK)) != str(CLOCK) or read != self._fixed or self._process.poll() is not None:
            return None
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
                call = json.dumps({"words": words, "folder": str(folder), "environment": environment})
                self._ours.settimeout(timeout)
                socket.send_fds(self._ours, [call.encode()], [out.fileno(), err.fileno()])
                status = int(self._ours.recv(64))
                return status, *(_text(each) for each in (out, err))
        except TimeoutError:
            self._kill()
            raise
        finally:
            self._lock.release()

    def _kill(self) -> None:
        """End it with the command that it runs, if any."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read())


def _serve(calls: socket.socket) -> dict[str, Any] | None:
    """Fork for each call. Returns the call in the new process, and None in this one when nobody calls any more."""
    while True:
        call, files, _, _ = socket.recv_fds(calls, 65536, 2)
        if not call:
            return None
        child = os.fork()
        if child == 0:
            calls.close()
            for number, file in enumerate(files, start=1):
                os.dup2(file, number)
                os.close(file)
            found: dict[str, Any] = json.loads(call)
            return found
        for file in files:
            os.close(file)
        calls.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def main() -> None:
    """Import what every command imports, and run each call in a process that is forked now."""
    for name in IMPORTED:
        __import__(name)
    gc.freeze()  # no command searches for garbage in what all have
    call = _serve(socket.socket(fileno=int(sys.argv[1])))
    if call is not None:
        os.chdir(call["folder"])
        os.environ.clear()
        os.environ.update(call["environment"])
        sys.argv = [str(SCRIPT), *call["words"]]
        sys.path[0] = str(SCRIPT.parent)
        runpy.run_path(str(SCRIPT), run_name="__main__")


if __name__ == "__main__":
    main()
