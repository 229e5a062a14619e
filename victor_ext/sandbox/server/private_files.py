"""Files that their owner alone may read and write, from the first moment on and whatever the umask is."""

from __future__ import annotations

import os

_OWNER_ALONE = 0o600


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file, or make it; returns its descriptor. One that was there is closed to others."""
    descriptor = os.open(path, flags | os.O_CREAT, _OWNER_ALONE)
    try:
        # The umask can take rights away from the mode above, and an earlier file has its own.
        _close_to_others(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make_private(path: str | os.PathLike[str], *, beside: tuple[str, ...] = ()) -> None:
    """Make a file if there is none; close it to others, and those that are named like it with an ending more."""
    os.close(open_private(path, os.O_RDWR))
    for ending in beside:
        name = os.fspath(path) + ending
        if os.path.exists(name):
            os.close(open_private(name, os.O_RDWR))


def _close_to_others(descriptor: int) -> None:
    if os.name == "posix":
        os.fchmod(descriptor, _OWNER_ALONE)
