"""Files that a command writes: whole, or not at all.

`report_file` is for a command whose exit status 1 is a result, `whole_file` for the others.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from victor_ext._values.exit_status import FOR_NOW
from victor_ext.cli._output import OutputLost, replaced

from ._failures import CommandFailure, Misuse

if TYPE_CHECKING:
    from ._session import CommandOptions

_TEXT_OPTIONS: Any = {"encoding": "utf-8", "newline": ""}


@contextmanager
def whole_file(path: Path, name: str, *, mode: int) -> Generator[TextIO]:
    """Open a file to write in the block. It appears under its name when it is complete.

    A device or a pipe is written at once.

    Args:
        path: The file.
        name: The option that names the file, for messages.
        mode: The permissions of a new file.

    Raises:
        Misuse: There can be no such file.
        OutputLost: The file could not be written whole, as on a full disk.
    """
    was_opened = False
    is_file = path.is_file() or not path.exists()
    try:
        with _opened(path, is_file=is_file, mode=mode) as file:
            was_opened = True
            yield file
    except OSError as error:
        reason = error.strerror or error
        if was_opened:
            raise OutputLost(f"{name} {path}: {reason}") from error
        raise Misuse(f"{name} {path} cannot be written: {reason}.") from error


@contextmanager
def _opened(path: Path, *, is_file: bool, mode: int) -> Generator[TextIO]:
    """Open a file that is replaced as a whole, or, if `is_file` is false, a device or a pipe."""
    if is_file:
        with replaced(path, "x", mode=mode, **_TEXT_OPTIONS) as file:
            yield file
    else:
        with open(path, "w", **_TEXT_OPTIONS) as device:
            yield device


@contextmanager
def report_file(path: Path, name: str, options: CommandOptions) -> Generator[TextIO]:
    """Open a file to write in the block, as `whole_file` does, that only its owner may read.

    If it cannot be written whole, the command ends with FOR_NOW: with 1, it would seem to have
    found a difference.
    """
    try:
        with whole_file(path, name, mode=0o600) as file:
            yield file
    except OutputLost as error:
        message = f"The report could not be written: {error}."
        options.end_with(CommandFailure("OutputLost", message, FOR_NOW))
