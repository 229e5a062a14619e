"""The file of a measurement: plan, what was made, journal and findings. It is on the disk before each create."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from victor_ext import ConfigurationError
from victor_ext._output import replaced
from victor_ext.privacy import is_object

FORMAT = 1
Document = dict[str, Any]


def read(path: Path) -> Document:
    """The document in a file. Raises `ConfigurationError` if it is none."""
    try:
        document: Document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        document = {}
    if not is_object(document) or document.get("format") != FORMAT:
        raise ConfigurationError(f"{path} is no file of 'victor conform' of format {FORMAT}: name another one.")
    return document


def write(path: Path, document: Document, *, indent: int | None = None) -> None:
    """Replace the file as a whole."""
    with replaced(path, mode=0o600) as file:
        file.write(json.dumps(document, ensure_ascii=False, indent=indent).encode())


@contextmanager
def only_writer(path: Path) -> Generator[None]:
    """Keep every other process from this file: two would make twice what was planned. The lock ends with the process.

    Raises:
        ConfigurationError: Another process has it, or its folder cannot be written.
    """
    lock_file = path.with_name(f".{path.name}.lock")
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(closing(sqlite3.connect(lock_file, timeout=0, isolation_level=None)))
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise ConfigurationError(f"{path} is written by another 'victor conform': let it end.") from None
            raise ConfigurationError(f"{lock_file} cannot be written ({error}): name another folder.") from None
        yield
