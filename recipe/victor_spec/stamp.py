"""The stamp of a package: the first comment of its `operations.py`, which says what wrote it.

It has the version of the recipe, that of `victor_ext.typed` which the typed modules need, and the
check sum of all files: by it, check knows an edited package from a stale one.
"""

import re
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ._version import __version__
from .destination import HEADER, files_of

FILE = Path("operations.py")
_DIGITS = 12
_COMMENT = re.compile(
    r"^# Written by victor_spec (?P<version>\S+?)(?:, for victor_ext\.typed \d+)?; "
    r"check sum (?P<sum>[0-9a-f]+)\.\n",
    re.MULTILINE,
)


class Stamp(NamedTuple):
    """What the stamp of a package says."""

    version: str
    """Of the recipe."""
    check_sum: str
    """Of the files that were written."""


def add_stamp(package: Path, typed: int | None) -> None:
    """Write the stamp of a package that is complete. `typed` is the version of `victor_ext.typed`
    that it needs, if any.
    """
    needed = "" if typed is None else f", for victor_ext.typed {typed}"
    stamp = f"# Written by victor_spec {__version__}{needed}; check sum {check_sum(package)}.\n"
    file = package / FILE
    text = file.read_text(encoding="utf-8").replace(HEADER, HEADER + stamp, 1)
    file.write_text(text, encoding="utf-8", newline="\n")


def stamp_of(package: Path) -> Stamp | None:
    """What the stamp of a package says; None without one, which an earlier recipe wrote."""
    file = package / FILE
    match = _COMMENT.search(file.read_text("utf-8", "replace")) if file.is_file() else None
    return None if match is None else Stamp(match["version"], match["sum"])


def without_stamp(text: str) -> str:
    """The text of a module without the stamp."""
    return _COMMENT.sub("", text, count=1)


def check_sum(package: Path) -> str:
    """The first digits of the check sum of all files: their names, and their texts without the
    stamp.
    """
    whole = sha256()
    for path in sorted(files_of(package)):
        text = without_stamp((package / path).read_text("utf-8", "replace"))
        whole.update(f"{path.as_posix()}\n{len(text)}\n{text}".encode())
    return whole.hexdigest()[:_DIGITS]
