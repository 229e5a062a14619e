"""More worker processes beside `victor bulk send`: started when the batch is stored, stopped with it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from victor_ext.privacy import Secret

from .screen import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from victor_ext.bulk import BatchStatus

MAX_PROCESSES = 64
_LEAVE = 10
"""Seconds that a worker gets to end itself, after its last calls."""


@dataclass(frozen=True, slots=True)
class _Started:
    number: int
    process: subprocess.Popen[bytes]
    messages: IO[bytes]


class WorkerProcesses:
    """Further `victor bulk worker` processes for one batch.

    A worker reads the database's URL from its standard input: the URL may hold a password, and every user of the
    machine can see the arguments of a process. It stops when its standard input ends, so also when this process is
    killed. Ctrl-C in a terminal, which goes to all processes of a group, reaches this process only: it decides when the
    others stop. `processes` counts this one, too; `words` are the arguments after `victor bulk worker`.
    """

    def __init__(self, processes: int, state: str, words: Sequence[str], show: Callable[[str], None]) -> None:
        self._processes = processes
        self._state = Secret(state)
        self._words = words
        self._show = show
        self._begun = False
        self._workers: list[_Started] = []
        self._files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Let the workers finish their calls, and wait for them."""
        from victor_ext.settlement import LAST_CALLS  # noqa: PLC0415 - `victor --help` does not need it

        try:
            for worker in self._workers:
                _end_input(worker.process)
            for worker in self._workers:
                with suppress(subprocess.TimeoutExpired):
                    worker.process.wait(LAST_CALLS + _LEAVE)
            self._look()
        finally:
            self._files.close()

    def watch(self, status: BatchStatus) -> None:
        """Start the workers when the rows are stored; afterwards report those that ended early."""
        if not self._begun and not status.over:
            self._begun = True
            for number in range(2, self._processes + 1):
                self._start(number)
        self._look()

    def _start(self, number: int) -> None:
        messages = self._files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - it is one
        process = subprocess.Popen(  # noqa: S603 - this program, with arguments that it has checked
            [sys.executable, "-P", "-m", "victor_ext.cli", "bulk", "worker", *self._words, "--state-from-input"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            start_new_session=True,
        )
        self._workers.append(_Started(number, process, messages))
        assert process.stdin is not None
        # `_look` reports a worker that has ended already.
        with suppress(OSError):
            process.stdin.write(f"{self._state}\n".encode("utf-8", "surrogateescape"))
            process.stdin.flush()

    def _look(self) -> None:
        for worker in list(self._workers):
            ended = worker.process.poll()
            if ended is None:
                continue
            self._workers.remove(worker)
            _end_input(worker.process)
            if ended:
                how = f"was killed by signal {-ended}" if ended < 0 else f"ended with exit status {ended}"
                worker.messages.seek(0)
                lines = worker.messages.read().decode("utf-8", "replace").splitlines()
                why = f" ({plain(lines[-1])})" if ended > 0 and lines else ""
                self._show(
                    f"Worker {worker.number} of {self._processes} {how}{why}. The others go on, and take over its rows."
                )


def _end_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def state_from_input() -> str:
    """Return the URL that `WorkerProcesses` writes; empty if the process that started this one has died before."""
    return Secret(sys.stdin.buffer.readline().decode("utf-8", "surrogateescape").rstrip("\n"))


def stop_when_input_ends() -> threading.Event:
    """Return an event that is set when standard input ends: the process that started this one is done, or dead."""
    stop = threading.Event()

    def read() -> None:
        while sys.stdin.buffer.read(1):
            pass
        stop.set()

    threading.Thread(target=read, name="victor-input", daemon=True).start()
    return stop
