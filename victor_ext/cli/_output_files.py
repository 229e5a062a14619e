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

_AS_TEXT: Any = {"encoding": "utf-8", "newline": ""}


@contextmanager
def whole_file(path: Path, name: str) -> Generator[TextIO]:
    """Open a file to write in the block, which only its owner may read. It appears under its name
    when it is complete; a device or a pipe is written at once.

    Args:
        path: The file.
        name: The option that names the file, for messages.

    Raises:
        Misuse: There can be no such file.
        OutputLost: The file could not be written whole, as on a full disk.
    """
    was_opened = False
    is_file = path.is_file() or not path.exists()
    try:
        opened = (
            replaced(path, "x", mode=0o600, **_AS_TEXT) if is_file else path.open("w", **_AS_TEXT)
        )
        with opened as file:
            was_opened = True
            yield file
    except OSError as error:
        reason = error.strerror or error
        if was_opened:
            raise OutputLost(f"{name} {path}: {reason}") from error
        raise Misuse(f"{name} {path} cannot be written: {reason}.") from error


@contextmanager
def report_file(path: Path, name: str, options: CommandOptions) -> Generator[TextIO]:
    """Open a file to write in the block, as `whole_file` does.

    If it cannot be written whole, the command ends with FOR_NOW: with 1, it would seem to have
    found a difference.
    """
    try:
        with whole_file(path, name) as file:
            yield file
    except OutputLost as error:
        message = f"The report could not be written: {error}."
        options.end_with(CommandFailure("OutputLost", message, FOR_NOW))
