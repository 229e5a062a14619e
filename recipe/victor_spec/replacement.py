"""The files of a document, its package and its changelog, which are replaced together: after a kill
at any moment, the next command that reads the document finishes that, or takes it back.

A journal beside the document has all new texts before the first file is replaced. While a process
replaces them, it has locked the journal; the lock of one that was killed is free.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from .destination import sync_names, write_to_disk
from .tree import DocumentError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIXES = (".yaml", ".yml", ".json")
"""How the name of each file of a document ends."""
PREPARED = b"\n"
"""The end of a journal when all new files stand beside those that they replace."""


@dataclass(frozen=True)
class _Text:
    """A file of a document, and what it has before and afterwards."""

    name: str
    """Its path within the document's folder."""
    before: str
    """The check sum of its bytes; empty for a new file."""
    text: str

    @property
    def after(self) -> str:
        """The check sum of its new bytes."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class _Plan:
    """What is replaced together: all of it, and nothing else."""

    update_id: str
    """What the names of unfinished files have."""
    texts: list[_Text]
    others: list[str]
    """What is not of the document: the package and the changelog, which stand beside themselves
    under an unfinished name. Their paths begin at the document's folder.
    """

    def unfinished(self, path: Path) -> Path:
        """The name of a file or a folder until it takes the place of a path."""
        return path.with_name(f".{path.name}.{self.update_id}.part")


def journal_of(document: Path) -> Path:
    """The journal of a replacement that has begun."""
    return document.with_name(f".{document.name}.update")


def why_no_file(name: str) -> str:
    """Why a path within a document's folder is none of a file that is written, without a full stop;
    empty if it is one.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or ":" in name:
        return "it is no path within a folder"
    if any(part.startswith(".") for part in path.parts):
        return "a part of its path begins with a dot"
    if path.suffix.lower() not in SUFFIXES:
        return f"its name does not end with {', '.join(SUFFIXES)}"
    return ""


def replace_together(
    document: Path,
    files: Mapping[str, bytes],
    *,
    package: tuple[Path, Path] | None = None,
    changelog: tuple[bytes, Path] | None = None,
) -> None:
    """Replace files of a document's folder, a package by the folder that was built for it, and a
    changelog.

    `files` has the new bytes of files, by their paths within that folder (see `why_no_file` and
    `require_no_link`); `package` the built folder, and its place; `changelog` its new bytes, and
    its place. Raises OSError when something cannot be written: then nothing was replaced. Raises
    DocumentError while another process replaces files of the document.
    """
    folder = document.parent.resolve()
    texts: list[_Text] = []
    for name, data in files.items():
        text = _Text(name, _check_sum(folder / name), data.decode("utf-8"))
        if text.before != text.after:
            texts.append(text)
    others = [each[1] for each in (package, changelog) if each is not None]
    plan = _Plan(secrets.token_hex(4), texts, [_relative(path, folder) for path in others])
    if not texts and not others:
        return
    path = journal_of(document)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise _busy(document) from None
    with _locked(path, document) as journal:
        try:
            write_to_disk(journal, json.dumps(asdict(plan)).encode())
            for text in texts:
                _prepare(folder, plan, text)
            if package is not None:
                package[0].rename(plan.unfinished(package[1]))
            if changelog is not None:
                _write(plan.unfinished(changelog[1]), changelog[0])
            write_to_disk(journal, PREPARED)
        except BaseException:
            _take_back(folder, plan)
            path.unlink()
            raise
        try:
            _finish(folder, plan)
        except OSError as error:
            raise DocumentError(
                f"{document}: not all could be replaced: {error}. Mend that: the next command "
                "that reads the document finishes it."
            ) from error
    path.unlink(missing_ok=True)


def recover(document: Path) -> str:
    """Finish a replacement that was interrupted, or take it back, and say so; an empty text without
    one.

    Raises DocumentError while another process replaces files of the document, and for a file that
    was changed after the interruption; and OSError.
    """
    if not document.name:  # a folder, which is no document
        return ""
    path = journal_of(document)
    if not path.is_file() or path.is_symlink():
        return ""
    folder = document.parent.resolve()
    words = "nothing was replaced"
    with _locked(path, document) as journal:
        data = journal.read()
        # Nothing is replaced before all is prepared, nor prepared before the journal is whole.
        plan = _plan(data, path)
        states = [] if plan is None else [_state(folder, text) for text in plan.texts]
        if plan is not None and "other" in states:
            changed = plan.texts[states.index("other")].name
            raise DocumentError(
                f"{document.parent / changed} was changed after an update of {document.name} was "
                f"interrupted: restore it and repeat the command, or remove {path} and look at "
                "each file of the document."
            )
        has_begun = "new" in states or not states
        if plan is not None and data.endswith(PREPARED) and has_begun:
            _finish(folder, plan)
            words = "it is finished now"
        elif plan is not None:
            _take_back(folder, plan)
    path.unlink(missing_ok=True)
    return f"{document}: an update was interrupted: {words}."


def _state(folder: Path, text: _Text) -> str:
    """Whether a file is "old", "new" or "other" than both."""
    now = _check_sum(folder / text.name)
    if now == text.before:
        return "old"
    return "new" if now == text.after else "other"


def _check_sum(path: Path) -> str:
    """The check sum of a file; empty for one that is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _prepare(folder: Path, plan: _Plan, text: _Text) -> None:
    """Write a file under its unfinished name."""
    path = folder / text.name
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(plan.unfinished(path), text.text.encode())


def _finish(folder: Path, plan: _Plan) -> None:
    """Replace what is not replaced yet: the files of the document first, for they say whether that
    has begun.
    """
    for text in plan.texts:
        path = folder / text.name
        if _state(folder, text) == "old":
            if not plan.unfinished(path).exists():
                _prepare(folder, plan, text)
            plan.unfinished(path).replace(path)
            sync_names(path.parent)
    for name in plan.others:
        _put_in_place(plan, folder / name)
        sync_names((folder / name).parent)


def _put_in_place(plan: _Plan, path: Path) -> None:
    """Let an unfinished file or folder take the place of a path, unless it has it already."""
    unfinished = plan.unfinished(path)
    earlier = unfinished.with_suffix(".earlier")
    if unfinished.is_dir():
        if path.exists() and not earlier.exists():
            path.rename(earlier)
        unfinished.rename(path)
    elif unfinished.exists():
        unfinished.replace(path)
    shutil.rmtree(earlier, ignore_errors=True)


def _take_back(folder: Path, plan: _Plan) -> None:
    """Remove what is unfinished, and folders that were made for it."""
    for name in (*(text.name for text in plan.texts), *plan.others):
        path = folder / name
        unfinished = plan.unfinished(path)
        earlier = unfinished.with_suffix(".earlier")
        if earlier.exists() and not path.exists():
            earlier.rename(path)
        shutil.rmtree(earlier, ignore_errors=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(FileNotFoundError, NotADirectoryError):
            unfinished.unlink()
    for text in plan.texts:
        for parent in PurePosixPath(text.name).parents[:-1]:
            with suppress(OSError):  # it is not there, or has other files
                (folder / parent).rmdir()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        write_to_disk(file, data)


def _relative(path: Path, folder: Path) -> str:
    """A path that begins at a folder; the whole path on another drive of Windows."""
    try:
        return os.path.relpath(path.resolve(), folder)
    except ValueError:
        return str(path.resolve())


# ---- The journal ----


def _plan(data: bytes, path: Path) -> _Plan | None:
    """What a journal says; None for one that was not written to its end.

    Raises DocumentError for one that no update wrote: a folder from elsewhere may have any file.
    """
    try:
        written: Any = json.loads(data)
    except ValueError:
        return None
    foreign = DocumentError(f"{path} was not written by victor-spec update: remove it.")
    try:
        texts = [_Text(**text) for text in written["texts"]]
        plan = _Plan(written["update_id"], texts, written["others"])
        is_own = re.fullmatch("[0-9a-f]{8}", plan.update_id) is not None
        is_own &= all(_is_own(text, path) for text in plan.texts)
        is_own &= all(isinstance(name, str) for name in plan.others)
    except (KeyError, TypeError):
        raise foreign from None
    if not is_own:
        raise foreign
    for text in plan.texts:
        require_no_link(path.parent, text.name)
    return plan


def _is_own(text: _Text, journal: Path) -> bool:
    if not all(isinstance(value, str) for value in (text.name, text.before, text.text)):
        return False
    is_document = journal.name == f".{text.name}.update"
    return is_document or not why_no_file(text.name)


def require_no_link(folder: Path, name: str) -> None:
    """Raise DocumentError for a path within a folder that leads through a link."""
    path = folder
    for part in PurePosixPath(name).parts:
        path /= part
        if path.is_symlink():
            raise DocumentError(
                f"{path} is a link, and nothing is written through one: put the file itself there."
            )


@contextmanager
def _locked(path: Path, document: Path) -> Generator[BinaryIO]:
    """Lock a journal. Raises DocumentError for one that another process has, or has just
    removed.
    """
    try:
        journal = path.open("r+b")
    except FileNotFoundError:
        raise _busy(document) from None
    with journal:
        try:
            if sys.platform == "win32":
                msvcrt.locking(journal.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.samestat(os.fstat(journal.fileno()), path.stat())
        except OSError:
            is_there = False
        if not is_there:
            raise _busy(document)
        yield journal


def _busy(document: Path) -> DocumentError:
    return DocumentError(
        f"{document} is replaced by another process now: repeat the command when that has ended."
    )
