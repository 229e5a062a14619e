"""The stamp of a package: the first comment of its `operations.py`, which says what wrote it.

It has the version of the recipe, that of `victor_ext.typed` which the typed modules need, and the
first digits of the check sum of each file: so what was edited is told from what is made of an
earlier document.
"""

import re
from hashlib import sha256
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

from ._version import __version__
from .destination import HEADER, files_of

FILE = Path("operations.py")
_DIGITS = 6
_COMMENT = re.compile(
    r"^# Written by victor_spec (?P<version>\S+?)(?:, for victor_ext\.typed \d+)?\. Check sums:\n"
    r"(?P<sums>(?:# +[0-9a-f ]+\n)*)",
    re.MULTILINE,
)


class Stamp(NamedTuple):
    """What the stamp of a package says."""

    version: str
    """Of the recipe."""
    edited: frozenset[Path]
    """The files that are others than those that were written."""


def add_stamp(package: Path, typed: int | None) -> None:
    """Write the stamp of a package that is complete. `typed` is the version of `victor_ext.typed`
    that it needs, if any.
    """
    needed = "" if typed is None else f", for victor_ext.typed {typed}"
    sums = wrap(" ".join(sorted(_sums(package).values())), 90)
    said = f"Written by victor_spec {__version__}{needed}. Check sums:"
    stamp = "".join(f"# {line}\n" for line in (said, *(f"  {line}" for line in sums)))
    file = package / FILE
    text = file.read_text(encoding="utf-8").replace(HEADER, HEADER + stamp, 1)
    file.write_text(text, encoding="utf-8", newline="\n")


def stamp_of(package: Path) -> Stamp | None:
    """What the stamp of a package says; None without one, which an earlier recipe wrote."""
    file = package / FILE
    match = _COMMENT.search(file.read_text("utf-8", "replace")) if file.is_file() else None
    if match is None:
        return None
    written = {*match["sums"].split()}
    edited = {path for path, digits in _sums(package).items() if digits not in written}
    return Stamp(match["version"], frozenset(edited))


def without_stamp(text: str) -> str:
    """The text of a module without the stamp."""
    return _COMMENT.sub("", text, count=1)


def _sums(package: Path) -> dict[Path, str]:
    """The first digits of the check sum of each file: of its name, and its text without the
    stamp.
    """
    sums: dict[Path, str] = {}
    for path in files_of(package):
        text = without_stamp((package / path).read_text("utf-8", "replace"))
        sums[path] = sha256(f"{path.as_posix()}\n{text}".encode()).hexdigest()[:_DIGITS]
    return sums
