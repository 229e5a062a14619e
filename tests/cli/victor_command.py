"""Run the real command as a person or a script would: here where that shows the same, else in its
own process.
"""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any
from unittest import mock

from victor_ext.cli import main
from victor_ext.sandbox import Sandbox

SCRIPT = Path(sys.executable).with_name("victor")
PATIENCE = 30.0


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        """Standard output as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def table(self) -> list[dict[str, str]]:
        """Standard output as CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))

    @property
    def error(self) -> dict[str, Any]:
        """Standard error as one JSON document."""
        found: dict[str, Any] = json.loads(self.err)["error"]
        return found


@dataclass(frozen=True)
class Command:
    """The command with an environment of its own, in a folder; its seconds, and how a process of it
    begins.
    """

    environment: dict[str, str]
    folder: Path = Path()
    patience: float = PATIENCE
    program: Sequence[str | Path] = (SCRIPT,)

    def __call__(self, *words: str, **variables: str) -> Ran:
        """Run it to its end in this process, which saves the start of another one."""
        out, err = io.StringIO(), io.StringIO()
        status = self.ended(words, out, err, **variables)
        return Ran(status, out.getvalue(), err.getvalue())

    def ended(self, words: Sequence[str], out: Any, err: Any, **variables: str) -> int:
        """What it ends with here, with these outputs.

        A closed one is None, as for the interpreter.
        """
        surroundings = mock.patch.dict(os.environ, {**self.environment, **variables}, clear=True)
        with surroundings, chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            try:
                return main(words)
            except SystemExit as end:
                return int(end.code or 0)

    def in_a_process(self, *words: str, **variables: str) -> Ran:
        """Run it to its end in a process of its own."""
        with self.started(*words, **variables) as process:
            out, err = process.communicate()
        return Ran(process.returncode, out, err)

    def at_terminal(
        self, *words: str, columns: int = 200, typed: str | None = None, **variables: str
    ) -> Ran:
        """Run it to its end, with both of its outputs going to terminals of so many columns.

        `typed` is what a person types there. None: nobody can type anything.
        """
        outputs = [_Terminal(columns), _Terminal(columns)]
        if typed is not None:
            outputs[1].type(typed)
        stdin = DEVNULL if typed is None else outputs[1].theirs
        variables = {"COLUMNS": "", "TERM": "xterm-256color", **variables}
        process = self._process(words, variables, stdin, *(output.theirs for output in outputs))
        texts = [output.read_to_end() for output in outputs]
        return Ran(process.wait(self.patience), *texts)

    @contextmanager
    def started(self, *words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """Start it; it is killed at the end of the block if it still runs."""
        with interruptible():
            process = self._process(words, variables, DEVNULL, PIPE, PIPE, text=True)
        watchdog = threading.Timer(self.patience, process.kill)
        watchdog.start()
        with process:
            try:
                yield process
            finally:
                watchdog.cancel()
                process.kill()

    def _process(
        self, words: Sequence[str], variables: dict[str, str], *streams: Any, **options: Any
    ) -> Any:
        stdin, stdout, stderr = streams
        command, environment = [*self.program, *words], {**self.environment, **variables}
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.folder,
            env=environment,
            **options,
        )

    def stopped(self, process: subprocess.Popen[str], number: signal.Signals) -> Ran:
        """Send a signal, and say how the process ended."""
        process.send_signal(number)
        out, err = process.communicate(timeout=self.patience)
        return Ran(process.returncode, out, err)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let signals end what is started in the block: a child of a background job, or of nohup, may
    ignore them.
    """
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Terminal:
    """A terminal that remembers what was written to it."""

    def __init__(self, columns: int) -> None:
        self._ours, self.theirs = pty.openpty()
        termios.tcsetwinsize(self.theirs, (50, columns))
        self._found: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, text: str) -> None:
        """Type a text, which waits until somebody reads it."""
        os.write(self._ours, text.encode())

    def read_to_end(self) -> str:
        """Everything that was written, once nobody can write any more."""
        os.close(self.theirs)
        self._reader.join(PATIENCE)
        os.close(self._ours)
        return b"".join(self._found).decode().replace("\r\n", "\n")

    def _read(self) -> None:
        # The end of a terminal is an error, on Linux.
        with suppress(OSError):
            while chunk := os.read(self._ours, 65536):
                self._found.append(chunk)


def calls(sandbox: Sandbox, *operations: str) -> int:
    """How many calls of these operations have come to a sandbox."""
    return sum(each.operation in operations for each in sandbox.received())


def until(holds: Callable[[], object]) -> None:
    """Wait for something that another process is about to bring about."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")
