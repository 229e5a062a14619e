"""Where a document to compare comes from: a file, or a file at a commit."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from victor_ext.spec.document import DocumentError

GIT = "git:"


@contextmanager
def opened(source: str) -> Generator[Path]:
    """The file of a source: a path, or `git:REV:path`, where the path begins at the root of the repository (or with
    `./`). What comes from git is in a temporary folder.

    Raises DocumentError when git has no such file.
    """
    if not source.startswith(GIT):
        yield Path(source)
        return
    revision, _, path = source.removeprefix(GIT).partition(":")
    if not revision or not path:
        raise DocumentError(
            f"{source} names no file of a commit: write git:REV:path, such as git:HEAD~1:openapi/a.yaml."
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / PurePosixPath(path).name
        file.write_bytes(_show(source, f"{revision}:{path}"))
        yield file


def path_of(source: str) -> Path:
    """The path of a source in the working tree."""
    return Path(source.removeprefix(GIT).partition(":")[2] if source.startswith(GIT) else source)


def _show(source: str, name: str) -> bytes:
    if name.startswith("-"):
        raise DocumentError(f"{source} names no commit: {name.partition(':')[0]!r} begins with a dash.")
    command = ["git", "cat-file", "blob", name]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - one argument, no dash before it
    except FileNotFoundError:
        raise DocumentError(f"{source} cannot be read: git is not installed.") from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").rstrip(".")
        raise DocumentError(f"{source} cannot be read: {reason}.")
    return done.stdout
