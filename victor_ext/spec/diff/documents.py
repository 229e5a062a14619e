"""The report on two documents: where they come from, compared, held against approvals, and the version that is due."""

from __future__ import annotations

import datetime
import re
import subprocess
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from victor_ext.spec.document import DocumentError, addresses
from victor_ext.spec.tree import Tree, copied, mapping_at

from .compare import compare
from .entry import Entry, PythonChange
from .report import Approval, Report


def report_on(
    before: Tree,
    after: Tree,
    python: Mapping[str, PythonChange] | None,
    *,
    called: tuple[str, str],
    file: Path,
    approved: Sequence[Approval],
    check_version: bool = False,
) -> Report:
    """Compare two loaded documents, which stay as they are.

    `python` has the changes of their packages; None when they were not compared. The report calls the documents as
    `called` says, and annotations name `file`. With `check_version`, `info.version` must have moved far enough.
    """
    result = compare(copied(before), copied(after), python)
    return Report(
        old=called[0],
        new=called[1],
        file=file.as_posix(),
        **vars(result),
        approvals=approved,
        today=today(),
        version_problem=version_problem(before, after, result.entries) if check_version else None,
        python_compared=python is not None,
    )


def today() -> datetime.date:
    """The day by which approvals expire, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()


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
        _add_files(source, f"{revision}:{PurePosixPath(path).parent}", file)
        yield file


def _add_files(source: str, place: str, file: Path) -> None:
    """Write the files of the document's folder that it refers to; `load` names those that are not in the commit."""
    folder, todo = file.parent.resolve(), [file.resolve()]
    while todo:
        for target in addresses(todo.pop()):
            if target.is_relative_to(folder) and not target.exists():
                with suppress(DocumentError):
                    data = _show(source, f"{place}/{target.relative_to(folder).as_posix()}".replace(":./", ":", 1))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
                    todo.append(target)


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


_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+.].*)?")


def version_problem(old: Tree, new: Tree, entries: Iterable[Entry]) -> str | None:
    """What is wrong with the new version, and what to write; None when it is right.

    A change that breaks on the wire asks for a new major version (a new minor one below 1.0), another change for a new
    minor one (a patch below 1.0). What is no version like 1.2.3 has to be another text.
    """
    before, after = (str(mapping_at(each, "info").get("version", "")) for each in (old, new))
    levels = {entry.wire for entry in entries}
    first, second = _VERSION.fullmatch(before), _VERSION.fullmatch(after)
    if not levels:
        return None
    if first is None or second is None:
        return None if before != after else f"info.version is still {before!r}: give it a new value."
    major, minor, patch = (int(each or 0) for each in first.groups())
    needed = (major, minor, patch + 1)
    if "breaks" in levels or (major and levels != {"none"}):
        needed = (major + 1, 0, 0) if "breaks" in levels and major else (major, minor + 1, 0)
    if tuple(int(each or 0) for each in second.groups()) >= needed:
        return None
    moved = "is still" if before == after else f"moved from {before} to"
    reason = "something breaks on the wire" if "breaks" in levels else "something changed"
    return f"info.version {moved} {after}, though {reason}: write {'.'.join(map(str, needed))} or a later one."
