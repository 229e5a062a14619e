"""What a newer document changes in the folder of the one that it replaces."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import get_args
from urllib.parse import unquote

from .decisions import Kind, default_path
from .document import Document, require_values
from .replacement import SUFFIXES, require_no_link, why_no_file
from .tree import DocumentError

_IS_DOCUMENT = re.compile(rb"""\bopenapi["']?\s*:\s*["']?3\.""")

_MENTION = re.compile(rb"""(?:\$ref|externalValue)["']?\s*:\s*["']?([^\s"'#,}]+)""")
"""A reference to a file, in whatever part of a document it stands."""


def new_files(before: Document, after: Document) -> dict[str, bytes]:
    """The files of a newer document that differ from what is in the folder of the earlier one, by
    their paths in it.

    Raises DocumentError for a file that cannot be there.
    """
    folder, own = before.path.parent, before.path.name
    _require_names(before, after)
    _require_suffix(before, after)
    files: dict[str, bytes] = {}
    root = next(iter(after.files))
    for name, data in after.files.items():
        is_root = name == root
        target = own if is_root else name
        require_no_link(folder, target)
        path = folder / target
        if path.is_file() and path.read_bytes() == data:
            continue
        if not is_root and path.exists() and target not in before.files:
            raise DocumentError(
                f"{path} is no file of {own}, and the newer document has another {target}: move "
                "yours away."
            )
        _require_case(path)
        files[target] = data
    corrections = after.corrections.file
    place = default_path(before.path, "overlay")
    if after.corrections.text and corrections.resolve() != place.resolve():
        after.corrections.require_document(before.path.stem)
        require_no_link(folder, place.name)
        data = corrections.read_bytes()
        if not place.is_file() or place.read_bytes() != data:
            files[place.name] = data
    return files


def _require_names(before: Document, after: Document) -> None:
    """Raise DocumentError for names of files that cannot stand in the folder of the document."""
    own, newer = before.path.name, after.path
    reserved = {own, *(default_path(before.path, kind).name for kind in get_args(Kind))}
    if before.path.is_symlink():
        raise DocumentError(f"{before.path} is a link: name the file that it leads to.")
    if after.links:
        raise DocumentError(
            f"{newer.parent / after.links[0]} is a link: put the file itself there, as the newer "
            "document has it."
        )
    if after.callers and newer.name != own:
        raise DocumentError(
            f"{newer.parent / after.callers[0]} refers to {newer.name}, which would be {own}: "
            f"rename {newer} to {own}, or {before.path} to {newer.name} with the files beside it."
        )
    by_case: dict[str, str] = {}
    root = next(iter(after.files))
    for name in after.files:
        why = "" if name == root else why_no_file(name)
        if name in reserved and name != root:
            why = f"it has another meaning beside {own}"
        if why:
            raise DocumentError(f"{newer.parent / name} cannot be taken: {why}.")
        other = by_case.setdefault(name.casefold(), name)
        if other != name:
            raise DocumentError(
                f"{newer.parent / name} and {other} differ in letter case alone: many systems "
                "take them for one file. Give one another name."
            )


def _require_suffix(before: Document, after: Document) -> None:
    """Raise DocumentError for a newer document that could not be read by the name of the one that
    it replaces.
    """
    own, newer = before.path, after.path
    is_json = own.suffix == ".json"
    if is_json == (newer.suffix == ".json"):
        return
    try:
        require_values(own, next(iter(after.files.values())))
    except DocumentError as error:
        raise DocumentError(
            f"{newer} would be {own.name}, and no command could read that: convert it to "
            f"{'JSON' if is_json else 'YAML'}. {error}"
        ) from None


def _require_case(path: Path) -> None:
    """Raise DocumentError for a new file whose name is there in other letters."""
    for parent in (path, *path.parents):
        if parent.exists() or not parent.parent.is_dir():
            continue
        for other in parent.parent.iterdir():
            if other.name.casefold() == parent.name.casefold():
                raise DocumentError(
                    f"{other} is there, and the newer document has {parent.name}, which differs in "
                    f"letter case alone: rename yours to {parent.name} first."
                )


def require_unchanged(document: Document) -> None:
    """Raise DocumentError if a file is not as it was read."""
    for name, data in document.files.items():
        path = document.path.parent / name
        if not path.is_file() or path.read_bytes() != data:
            raise DocumentError(f"{path} was changed meanwhile: repeat the command.")


def left_files(before: Document, after: Document) -> list[str]:
    """The files that the earlier document had, and the newer one refers to no more."""
    left = [name for name in before.files if name not in after.files]
    return [name for name in left if name != before.path.name]


def not_taken(before: Document, after: Document) -> Iterator[tuple[Path, Path]]:
    """The files of examples and descriptions, which no command reads, that are not as the newer
    document has them: each with its place in the folder of the earlier one.
    """
    newer = after.path.resolve().parent
    paths: set[Path] = set()
    for name, data in after.files.items():
        for mention in _MENTION.findall(data):
            address = unquote(mention.decode("utf-8", "replace"))
            paths.add(Path(os.path.normpath((newer / name).parent / address)))
    for path in sorted(paths):
        if not path.is_relative_to(newer) or not path.is_file():
            continue
        name = path.relative_to(newer).as_posix()
        place = before.path.parent / name
        is_same = place.is_file() and place.read_bytes() == path.read_bytes()
        if name not in after.files and not is_same:
            yield after.path.parent / name, place


def sharing(
    document: Document, files: Iterable[str], read: Callable[[Path], Document]
) -> dict[Path, tuple[Document, list[str]]]:
    """The other documents of a document's folder, or of a folder in it, that have one of its files,
    with these. `read` reads a document.
    """
    folder = document.path.parent
    parts = [name for name in files if name != document.path.name]
    folders = {parent for name in parts for parent in PurePosixPath(name).parents}
    others: dict[Path, tuple[Document, list[str]]] = {}
    for path in sorted(path for each in folders for path in (folder / each).glob("*")):
        is_own = path.relative_to(folder).as_posix() in document.files
        if is_own or path.suffix not in SUFFIXES or not path.is_file():
            continue
        if not _IS_DOCUMENT.search(path.read_bytes()):
            continue
        with suppress(DocumentError):  # what no command can read has no package
            other = read(path)
            place = path.parent.relative_to(folder)
            own = {(place / name).as_posix() for name in other.files}
            shared = [name for name in parts if name in own]
            if shared:
                others[path] = other, shared
    return others


def require_readable(
    document: Document,
    folder: Path,
    files: Mapping[str, bytes],
    read: Callable[[Path], Document],
) -> None:
    """Raise DocumentError for another document that could not be read with new files of a
    folder.
    """
    with TemporaryDirectory(prefix="victor-spec-") as made:
        root = Path(made)
        own = {document.path.parent / name: data for name, data in document.files.items()}
        overlay = document.corrections.file
        own |= {overlay: overlay.read_bytes()} if document.corrections.text else {}
        own |= {folder / name: data for name, data in files.items()}
        for path, data in own.items():
            if path.is_relative_to(document.path.parent):
                copied = root / path.relative_to(document.path.parent)
                copied.parent.mkdir(parents=True, exist_ok=True)
                copied.write_bytes(data)
        try:
            read(root / document.path.name)
        except DocumentError as error:
            reason = str(error).replace(f"{root}/", "")
            raise DocumentError(
                f"{document.path} has some of these files, too, and could not be read with the "
                f"newer ones. Nothing was replaced. {reason}"
            ) from None
