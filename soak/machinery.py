"""The other processes of a run, and what this one uses of the machine."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_PATIENCE = 60.0


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that ends with the block at the latest."""
    started = subprocess.Popen(  # noqa: S603 - this interpreter, and words of our own
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: we end the others when we have what we want
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def first_line(of: subprocess.Popen[str]) -> dict[str, Any]:
    """The line of JSON that a process prints when it is ready."""
    assert of.stdout is not None
    line = of.stdout.readline()
    if not line:
        raise RuntimeError(f"a process of the run ended with status {of.wait()}")
    found: dict[str, Any] = json.loads(line)
    return found


def last_line(of: subprocess.Popen[str]) -> dict[str, Any]:
    """Ask a process to end, and read what it has to say then."""
    of.terminate()
    found: dict[str, Any] = json.loads(of.communicate(timeout=_PATIENCE)[0])
    return found


def peak_memory() -> int:
    """The most memory that this process has had so far, in bytes."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def open_sockets() -> int | None:
    """How many sockets this process has open; None where the system does not tell."""
    try:
        places = list(Path("/proc/self/fd").iterdir())
    except OSError:
        return None
    return sum(_is_socket(place) for place in places)


def _is_socket(place: Path) -> bool:
    with suppress(OSError):
        return os.readlink(place).startswith("socket:")
    return False
