"""Files that only their owner may read and write, from their creation and with any umask."""

from __future__ import annotations

import os

_OWNER_ALONE = 0o600


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open or create a file; returns its descriptor. Others lose their access to an existing file."""
    descriptor = os.open(path, flags | os.O_CREAT, _OWNER_ALONE)
    try:
        # The umask can remove rights from the mode above, and an existing file has its own.
        if os.name == "posix":
            os.fchmod(descriptor, _OWNER_ALONE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make_private(path: str | os.PathLike[str], *, beside: tuple[str, ...] = ()) -> None:
    """Create a file unless it exists, and take the access of others to it and to those with a suffix in `beside`."""
    os.close(open_private(path, os.O_RDWR))
    for ending in beside:
        name = os.fspath(path) + ending
        if os.path.exists(name):
            os.close(open_private(name, os.O_RDWR))
