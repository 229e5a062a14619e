"""Where a generated package goes: below one folder, under a name that Python takes, in place of itself alone.

A package is made in a folder of its own beside its place and moved there when it is whole. What stands at the place
and was not made here is never touched.
"""

from __future__ import annotations

import keyword
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HEADER = "# Written by `make generate`; edits are lost. See openapi/README.md.\n"
"""The first line of every module that is made."""
MARK = "py.typed"
"""An empty file in the folder of a package, and in none within it."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN = {*sys.stdlib_module_names, "attr", "attrs", "dateutil", "httpx", "victor_ext"}
"""Modules that a generated package imports, or that are imported beside it."""


class DestinationError(RuntimeError):
    """The package cannot go there; the message says why and what to do."""


def package_folder(out: Path, name: str) -> Path:
    """The folder of the package `name` in `out`. Raises DestinationError when it may not be written."""
    check_name(name)
    folder = out.resolve()
    if folder.exists() and not folder.is_dir():
        raise DestinationError(f"OUT is {out}, which is no folder: name a folder.")
    package = folder / name
    if package.is_symlink():
        raise DestinationError(f"{package} is a link: remove it, or name another folder with OUT.")
    if package.exists():
        _check_made_here(package)
    return package


def check_name(name: str) -> None:
    """Raise DestinationError for a name that no package of ours may have."""
    if not _NAME.fullmatch(name):
        raise DestinationError(
            f"{name!r} is no name for a package: give a NAME of ASCII letters, digits and underscores that begins with "
            "a letter, such as payments_api."
        )
    if keyword.iskeyword(name):
        raise DestinationError(f"{name!r} is a keyword of Python: give another NAME, such as {name}_api.")
    if name in _TAKEN:
        raise DestinationError(
            f"{name!r} is the name of another module, and one would hide the other: give another NAME, such as "
            f"{name}_api."
        )


def _check_made_here(package: Path) -> None:
    strange = package if not (package / MARK).is_file() else next(_not_made_here(package), None)
    if strange is not None:
        raise DestinationError(
            f"{strange} was not written by this recipe: move it away, or name another folder with OUT or another "
            "package with NAME."
        )


def _not_made_here(package: Path) -> Iterator[Path]:
    """Links, modules without our header, and files that no recipe writes. Python's own caches do not count."""
    for path in sorted(package.rglob("*")):
        if "__pycache__" in path.parts[len(package.parts) :] or (path.is_dir() and not path.is_symlink()):
            continue
        ours = path.suffix == ".py" and path.is_file() and _first_line(path) == HEADER
        if path.is_symlink() or not (ours or path == package / MARK):
            yield path


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(len(HEADER) + 1)


@contextmanager
def workshop(package: Path) -> Iterator[Path]:
    """An empty folder beside the package, on the same file system, which is gone afterwards."""
    package.parent.mkdir(parents=True, exist_ok=True)
    folder = package.parent / f".{package.name}-{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(made: Path, package: Path) -> None:
    """Move a whole package to its place. Interrupted, it leaves the earlier one there, or the new one."""
    earlier = made.parent / ".earlier"  # no package has such a name
    try:
        if package.exists():
            package.rename(earlier)
        made.rename(package)
    except BaseException:
        if earlier.exists() and not package.exists():
            earlier.rename(package)
        raise
