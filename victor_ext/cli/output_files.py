"""Files that a command writes: whole, or not at all."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from victor_ext._exit_status import FOR_NOW
from victor_ext._output import OutputLost, replaced

from .failures import Misuse
from .screen import complain

_TEXT: Any = {"encoding": "utf-8", "newline": ""}


@contextmanager
def whole_file(path: Path, name: str, *, mode: int) -> Generator[TextIO]:
    """Write a file that has its name only when it is complete; a device or a pipe is written as it
    is.

    `name` is the option. Raises `Misuse` where there can be no such file, and `OutputLost` if it
    could not be written whole, as on a full disk.
    """
    is_open = False
    is_file = path.is_file() or not path.exists()
    try:
        with (
            replaced(path, "x", mode=mode, **_TEXT) if is_file else open(path, "w", **_TEXT) as file
        ):
            is_open = True
            yield file
    except OSError as error:
        reason = error.strerror or error
        if is_open:
            raise OutputLost(f"{name} {path}: {reason}") from error
        raise Misuse(f"{name} {path} cannot be written: {reason}.") from error


@contextmanager
def report_file(path: Path, name: str) -> Generator[TextIO]:
    """Write a whole file for its owner alone.

    One that could not be written must not look like a difference.
    """
    try:
        with whole_file(path, name, mode=0o600) as file:
            yield file
    except OutputLost as error:
        complain(f"Error: the report could not be written: {error}.")
        raise typer.Exit(FOR_NOW) from None
