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
from collections.abc import Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from unittest import mock

from victor_ext.cli import main

SCRIPT = Path(sys.executable).with_name("victor")
PATIENCE = 30.0


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output as one JSON document."""
        return json.loads(self.out)

    @property
    def json_lines(self):
        """Standard output as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def table(self):
        """Standard output as CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))

    @property
    def error(self):
        """Standard error as one JSON document."""
        return json.loads(self.err)["error"]


@dataclass(frozen=True)
class Command:
    """The command with an environment of its own, in a folder; its seconds, and how a process of it
    begins.
    """

    environment: dict[str, str]
    folder: Path = Path()
    patience: float = PATIENCE
    program: Sequence[str | Path] = (SCRIPT,)

    def __call__(self, *words, **variables):
        """Run it to its end in this process, which saves the start of another one."""
        out, err = io.StringIO(), io.StringIO()
        status = self.ended(words, out, err, **variables)
        return Ran(status, out.getvalue(), err.getvalue())

    def ended(self, words, out, err, **variables):
        """What it ends with here, with these outputs.

        A closed one is None, as for the interpreter.
        """
        surroundings = mock.patch.dict(os.environ, {**self.environment, **variables}, clear=True)
        with surroundings, chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            try:
                return main(words)
            except SystemExit as end:
                return int(end.code or 0)

    def in_a_process(self, *words, **variables):
        """Run it to its end in a process of its own."""
        with self.started(*words, **variables) as process:
            out, err = process.communicate()
        return Ran(process.returncode, out, err)

    def at_terminal(self, *words, columns=200, typed=None, **variables):
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
    def started(self, *words, **variables):
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

    @contextmanager
    def started_at_terminal(self, *words, columns=200, **variables):
        """Start it with its standard error going to a terminal, and yield both; it is killed at the
        end of the block if it still runs.
        """
        terminal = _Terminal(columns)
        variables = {"COLUMNS": "", "TERM": "xterm-256color", **variables}
        with interruptible():
            process = self._process(words, variables, DEVNULL, DEVNULL, terminal.theirs)
        with process:
            try:
                yield process, terminal
            finally:
                process.kill()

    def _process(self, words, variables, stdin, stdout, stderr, **options):
        return subprocess.Popen(
            [*self.program, *words],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.folder,
            env={**self.environment, **variables},
            **options,
        )

    def stopped(self, process, number):
        """Send a signal, and say how the process ended."""
        process.send_signal(number)
        out, err = process.communicate(timeout=self.patience)
        return Ran(process.returncode, out, err)


@contextmanager
def interruptible():
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

    def __init__(self, columns):
        self._ours, self.theirs = pty.openpty()
        termios.tcsetwinsize(self.theirs, (50, columns))
        self._found = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, text):
        """Type a text, which waits until somebody reads it."""
        os.write(self._ours, text.encode())

    def read(self):
        """Everything that was written so far."""
        return b"".join(self._found).decode(errors="replace").replace("\r\n", "\n")

    def read_to_end(self):
        """Everything that was written, once nobody can write any more."""
        os.close(self.theirs)
        self._reader.join(PATIENCE)
        os.close(self._ours)
        return self.read()

    def _read(self):
        # The end of a terminal is an error, on Linux.
        with suppress(OSError):
            while chunk := os.read(self._ours, 65536):
                self._found.append(chunk)


def settings_of(sandbox, client_id, client_secret):
    """What a shell has to export to reach the sandbox with these credentials."""
    return {
        "VICTOR_BASE_URL": sandbox.url,
        "VICTOR_CLIENT_ID": client_id,
        "VICTOR_CLIENT_SECRET": client_secret,
    }


def calls(sandbox, *operations):
    """How many calls of these operations have come to a sandbox."""
    return sum(each.operation in operations for each in sandbox.received())


def until(holds):
    """Wait for something that another process is about to bring about."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")
