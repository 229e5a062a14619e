"""Documents of several files: what a document takes from other files of its folder becomes a part
of `components`.

It is put there once, so that files may refer to each other in a circle. References to files outside
the document's folder are refused, and those to URLs, unless the caller names a local copy.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .tree import (
    METHODS,
    DocumentError,
    PlaceError,
    Tree,
    followed,
    is_list,
    is_mapping,
    mapping_at,
    named_schemas,
    target,
    trees_at,
    unused,
)

Steps = tuple[str, ...]

_NO_REFERENCES = {
    *("example", "examples", "default", "enum", "const", "description", "summary", "title"),
}
"""Keys of values, and of words: a description that refers to a text is none, and refuses no
document.
"""
_SECTIONS = {
    *("parameters", "responses", "headers", "callbacks", "requestBodies", "pathItems"),
    *("securitySchemes", "links", "mediaTypes"),
}
"""The sections of `components` beside `schemas`."""
_OF_NAMES = {
    *(*_SECTIONS, "schemas", "properties", "patternProperties", "$defs", "definitions", "content"),
}
"""Mappings whose keys are names, such as the answer `default`."""
_MAX_SECTION_STEPS = 2
"""`paths` and `components.schemas` may themselves be references: the maximum number of steps."""


class Bundle:
    """A document and the other files that it refers to.

    `read` loads a file; `fetch` may write one that is not there. `copies` has the local copy of
    each known address. All files together have `max_bytes`.

    Attributes:
        parts: Where parts stand that are in other files (`card.yaml#/Card`), by the references to
            them.
        links: The paths of files that lead through a link.
        callers: The files that refer to the document by its name.
    """

    def __init__(
        self,
        document: Tree,
        path: Path,
        read: Callable[[Path], Any],
        fetch: Callable[[Path], object],
        copies: Mapping[str, Path],
        max_bytes: int,
    ) -> None:
        self._document = document
        self._path = path.resolve()
        self._read = read
        self._fetch = fetch
        self._copies = copies
        self._max_bytes = max_bytes
        self._files: dict[Path, Any] = {self._path: document}
        self._pointers: dict[Path, dict[str, str]] = {}
        self._bytes = 0
        self._names: dict[tuple[Path, str, str], str] = {}
        self._todo: list[tuple[Path, Any, Steps]] = []
        self._written: set[tuple[Steps, Path, str]] = set()
        self._contents: list[tuple[Steps, Tree]] = []
        self._broken: list[tuple[Tree, str, PlaceError]] = []
        self._in_folder = {self._path}
        self.parts: dict[str, str] = {}
        self.links: list[Path] = []
        self.callers: list[Path] = []

    @property
    def files(self) -> list[Path]:
        """The files that were read in the document's folder, the document first."""
        return [file for file in self._files if file in self._in_folder]

    def run(self, correct: Callable[[], object] | None = None) -> None:
        """Replace all references to other files; then `correct` the document, and replace those
        that are new.

        Raises PlaceError for a reference that is refused, or that leads to nothing, unless it is
        corrected; and what `read` raises.
        """
        self._name_parts_of_sections()
        self._todo.append((self._path, self._document, ()))
        self._replace_all()
        if correct is not None:
            correct()
            self._require_corrected()
            self._written.clear()
            self._todo.append((self._path, self._document, ()))
            self._replace_all()
        self._require_corrected()

    def _require_corrected(self) -> None:
        """Raise the first error of a reference that still stands in the document."""
        if not self._broken:
            return
        standing = {id(holder) for _, holder in _mappings(self._document)}
        for holder, reference, error in self._broken:
            if id(holder) in standing and holder.get("$ref") == reference:
                raise error
        self._broken.clear()

    def _name_parts_of_sections(self) -> None:
        """Let a schema, or another component, that is in a file of its own have the name that the
        document gives it, be it in a section that is in another file.
        """
        components = mapping_at(self._document, "components")
        file, fragment = self._write_out_section(components, "components", self._path, "")
        for section in (*sorted(_SECTIONS), "schemas"):
            parts = mapping_at(components, section)
            title = f"components.{section}"
            whole = self._write_out_section(parts, title, file, f"{fragment}/{section}")
            if "$ref" in parts:
                self._todo.append((file, parts, ("components", section)))
                continue
            for name, holder in list(parts.items()):
                self._name_part(section, name, holder, *whole)

    def _write_out_section(
        self, section: Tree, title: str, file: Path, fragment: str
    ) -> tuple[Path, str]:
        """Replace a whole section that is a reference to another file, before parts are put into
        it: the file and the fragment in which its parts stand.
        """
        whole, seen = section, {(file, fragment)}
        stands = file, fragment
        with suppress(PlaceError):  # it is said when the reference is replaced
            while isinstance(whole.get("$ref"), str):
                place = f"{title}: {whole['$ref']}"
                leads_to = self._elsewhere(stands[0], whole["$ref"], place)
                value = self._value(*leads_to, place) if leads_to else None
                if leads_to is None or leads_to in seen or not is_mapping(value):
                    return file, fragment
                seen.add(leads_to)
                whole, stands = value, leads_to
            if whole is not section:
                _replace(section, whole)
            return stands
        return file, fragment

    def _name_part(self, section: str, name: str, holder: Any, file: Path, fragment: str) -> None:
        """Let a part of a section, which stands in a file, have its name in the document."""
        reference = holder.get("$ref") if is_mapping(holder) and len(holder) == 1 else None
        if isinstance(reference, str) and not reference.startswith("#"):
            place = f"components.{section}.{name}: {reference}"
            with suppress(PlaceError):  # it is said when the reference is replaced
                leads_to = self._elsewhere(file, reference, place)
                if leads_to is not None and leads_to[0] != self._path:
                    self._add_part(*leads_to, section, name, place)
        if file != self._path:
            part = mapping_at(mapping_at(self._document, "components"), section).get(name)
            self._names.setdefault((file, f"{fragment}/{_escaped(name)}", section), name)
            self._note_part(file, f"{fragment}/{_escaped(name)}", section, name)
            if part is holder:
                self._todo.append((file, part, ("components", section, name)))

    def _replace_all(self) -> None:
        """Replace all references, in the order of the document, and those of a part before those
        that stand below it: what is called alike keeps its name when the document grows at its end.
        """
        under_way: list[Iterator[bool]] = []
        while self._todo or under_way:
            while self._todo:
                under_way.append(self._replacing(*self._todo.pop()))
            if not next(under_way[-1], False):
                under_way.pop()
        for steps, holder in self._contents:
            self._write_out(steps, holder)

    def _replacing(self, file: Path, tree: Any, above: Steps) -> Iterator[bool]:
        """Replace the references of a tree; yields after each, for what has come to be done."""
        mappings = [*_mappings(tree, above)]
        choosing: list[tuple[Steps, Tree, dict[str, Tree]]] = []
        for steps, holder in mappings:
            if _is_choosing(steps, holder):
                choosing.append((steps, holder, _members(holder)))
        for steps, holder in mappings:
            if not isinstance(holder.get("$ref"), str):
                continue
            try:
                self._replace(file, steps, holder)
            except PlaceError as error:
                self._broken.append((holder, holder["$ref"], error))
                continue
            is_medium = steps[-2:-1] == ("content",) and _is_of_names(steps[:-1])
            if "$ref" in holder and (is_medium or _is_of_names(steps)):
                self._contents.append((steps, holder))
            yield True
        for steps, schema, members in choosing:
            self._write_mapping(file, steps, schema["discriminator"], members)

    def _write_out(self, steps: Steps, holder: Tree) -> None:
        """Replace a media type that is a reference, and a whole `content` or `properties`, by its
        target.
        """
        whole, reference = followed(self._document, holder)
        if reference and "$ref" not in whole:
            self._bytes += len(json.dumps(whole))
            self._check_size(f"{'.'.join(steps)}: {holder['$ref']}")
            _replace(holder, whole)

    def _replace(self, file: Path, steps: Steps, holder: Tree) -> None:
        """Replace the reference of a mapping in a file: by what it leads to, where that has no name
        in a document, or else by a reference to a part of the document.
        """
        place = f"{'.'.join(steps)}: {holder['$ref']}"
        leads_to = self._elsewhere(file, holder["$ref"], place)
        if leads_to is None:
            return
        other, fragment = leads_to
        if other == self._path or not _takes_no_reference(steps):
            holder["$ref"] = self._part(other, fragment, _section(steps), place)
            return
        value = self._value(other, fragment, place)
        if not is_mapping(value):
            raise PlaceError(f"{place} leads to no mapping.")
        if (steps, other, fragment) in self._written:
            raise PlaceError(f"{place} leads back to itself.")
        self._written.add((steps, other, fragment))
        _replace(holder, value)
        self._todo.append((other, holder, steps))

    def _value(self, file: Path, fragment: str, place: str) -> Any:
        whole = self._files[file]
        value = target(whole, f"#{unquote(fragment)}") if fragment else whole
        if value is None:
            raise PlaceError(f"{place} leads to nothing.")
        return value

    def _write_mapping(
        self, file: Path, steps: Steps, discriminator: Tree, members: dict[str, Tree]
    ) -> None:
        """Let a discriminator name what it chooses by the references that stand for it now.

        `members` are those of its union by the names that they had: each is chosen by its name
        without a mapping, too.
        """
        mapping = mapping_at(discriminator, "mapping")
        named = named_schemas(self._document)
        places = [(mapping, word) for word in mapping]
        for holder, word in (*places, (discriminator, "defaultMapping")):
            reference = holder.get(word)
            if not isinstance(reference, str) or (file == self._path and reference in named):
                continue
            if reference in members:
                holder[word] = members[reference]["$ref"]
                continue
            place = f"{'.'.join(steps)}.discriminator.{word}: {reference}"
            with suppress(DocumentError):  # it is the name of no file, and chooses nothing
                if match := self._elsewhere(file, reference, place):
                    holder[word] = self._part(*match, "schemas", place)
        for name, member in members.items():
            if _called("", member["$ref"]) != name:
                discriminator["mapping"] = mapping
                mapping.setdefault(name, member["$ref"])

    def _elsewhere(self, file: Path, reference: str, place: str) -> tuple[Path, str] | None:
        """The file and the fragment of a reference; None for a place of the document that refers to
        itself already.
        """
        address, _, fragment = reference.partition("#")
        is_pointer = not fragment or unquote(fragment).startswith("/")
        if file == self._path and not address and is_pointer:
            return None
        found = self._file(file, address, place) if address else file
        if not is_pointer:
            fragment = self._anchors(found).get(unquote(fragment), "")
            if not fragment and file == found == self._path:
                return None
            fragment = fragment or "/"
        return found, fragment

    def _anchors(self, file: Path) -> dict[str, str]:
        """The pointers to the anchors of a file, by their names."""
        if file not in self._pointers:
            pointers: dict[str, str] = {}
            for key in ("$dynamicAnchor", "$anchor"):
                for steps, holder in _mappings(self._files[file]):
                    if isinstance(holder.get(key), str):
                        pointers[holder[key]] = "/" + "/".join(map(_escaped, steps))
            self._pointers[file] = pointers
        return self._pointers[file]

    def _file(self, file: Path, address: str, place: str) -> Path:
        """The file that an address in another file leads to, which is read from now on.

        Raises PlaceError for an address that is refused, or that leads to no file.
        """
        copy = self._copies.get(address)
        other = copy.resolve() if copy is not None else self._file_in_folder(file, address, place)
        if other not in self._files:
            if copy is None and not other.is_file():
                self._fetch(other)
            self._load(other, place)
        return other

    def _file_in_folder(self, file: Path, address: str, place: str) -> Path:
        """Where a relative address in a file leads, which may be in the document's folder only."""
        if urlsplit(address).scheme or address.startswith("//"):
            raise PlaceError(
                f"{place} is the address of another machine: put the file into the document's "
                f"folder, or name a copy with --copy {address}=FILE."
            )
        folder = self._path.parent
        named = Path(os.path.normpath(file.parent / unquote(address)))
        other = named.resolve()
        if not other.is_relative_to(folder):
            raise PlaceError(
                f"{place} is outside the document's folder: put the file into {folder}."
            )
        if os.path.normcase(named) != os.path.normcase(other):
            self.links.append(named)
        if other == self._path:
            self.callers.append(file)
        self._in_folder.add(other)
        return other

    def _load(self, file: Path, place: str) -> None:
        """Read a file, within the limit of all files together."""
        if not file.is_file():
            raise PlaceError(f"{place} leads to no file{_namesake(file)}.")
        self._bytes += file.stat().st_size
        self._check_size(place)
        self._files[file] = self._read(file)

    def _check_size(self, place: str) -> None:
        if self._bytes > self._max_bytes:
            raise PlaceError(f"{place} is too much: at most {self._max_bytes:,} bytes together.")

    def _part(self, file: Path, fragment: str, section: str, place: str) -> str:
        """The reference to a part of a file; one of another file is put into a section of
        `components` when it is new.

        Raises PlaceError for a reference that leads to nothing.
        """
        if file == self._path:
            self._value(file, fragment, place)
            return f"#{fragment}"
        key = file, fragment, section
        if key not in self._names:
            if section != "schemas":
                self._require_end(file, fragment, place)
            called = re.sub(r"\W+", "_", _called(file.name, fragment)).strip("_") or "part"
            name = unused(called, self._section(section, place))
            self._add_part(file, fragment, section, name, place)
        return _reference(section, self._names[key])

    def _require_end(self, file: Path, fragment: str, place: str) -> None:
        """Raise PlaceError for files that refer to each other in a circle, and say nothing else."""
        seen: set[tuple[Path, str]] = set()
        value = self._value(file, fragment, place)
        while is_mapping(value) and isinstance(value.get("$ref"), str):
            if (file, fragment) in seen:
                raise PlaceError(f"{place} leads back to itself.")
            seen.add((file, fragment))
            leads_to = self._elsewhere(file, value["$ref"], place)
            if leads_to is None:
                return
            file, fragment = leads_to
            value = self._value(file, fragment, place)

    def _add_part(self, file: Path, fragment: str, section: str, name: str, place: str) -> None:
        """Put a part of another file into a section of `components`, unless it has a name there."""
        key = file, fragment, section
        if key not in self._names:
            part = deepcopy(self._value(file, fragment, place))
            self._section(section, place)[name] = part
            self._names[key] = name
            self._note_part(file, fragment, section, name)
            self._todo.append((file, part, ("components", section, name)))

    def _note_part(self, file: Path, fragment: str, section: str, name: str) -> None:
        """Note where a part stands that has a name in a section."""
        place = Path(os.path.relpath(file, self._path.parent)).as_posix()
        self.parts[_reference(section, name)] = f"{place}#{fragment}"

    def _section(self, section: str, place: str) -> Tree:
        components: Any = self._document.get("components") or {}
        self._document["components"] = components
        parts: Any = (components.get(section) or {}) if is_mapping(components) else None
        if not is_mapping(parts):
            raise PlaceError(
                f"{place} cannot be put into components.{section}, which is no mapping."
            )
        components[section] = parts
        return parts


def _reference(section: str, name: str) -> str:
    """The reference to a component."""
    return f"#/components/{section}/{_escaped(name)}"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _namesake(file: Path) -> str:
    """The file of a folder whose name differs in letter case alone, for the end of a sentence."""
    names = [path.name for path in file.parent.iterdir()] if file.parent.is_dir() else []
    for name in names:
        if name.casefold() == file.name.casefold() and name != file.name:
            return f": {name} is there, whose letters have another case"
    return f": put {file.name} into {file.parent}"


def _replace(holder: Tree, whole: Tree) -> None:
    holder.clear()
    holder.update(deepcopy(whole))


def _called(file: str, fragment: str) -> str:
    """What a part of a file is called: `Card` in `schemas.yaml#/Card`, and in `Card.yaml`."""
    return unquote(fragment.rpartition("/")[2] or Path(file).name.partition(".")[0])


def _members(schema: Tree) -> dict[str, Tree]:
    """The references of a union, by what each is called."""
    members: dict[str, Tree] = {}
    for member in (*trees_at(schema, "oneOf"), *trees_at(schema, "anyOf")):
        reference = member.get("$ref")
        if isinstance(reference, str):
            address, _, fragment = reference.partition("#")
            members[_called(address, fragment)] = member
    return members


def _are_names(steps: Steps) -> bool:
    """Whether the keys of what is at this place are names, as those of `properties` and of
    `content`.
    """
    if not steps or steps[-1] not in _OF_NAMES:
        return False
    return len(steps) == 1 or steps[-2] not in _OF_NAMES


def _is_of_names(steps: Steps) -> bool:
    return len(steps) > _MAX_SECTION_STEPS and _are_names(steps)


def _takes_no_reference(steps: Steps) -> bool:
    """Whether OpenAPI allows no `$ref` to a component at this place, so that the target is copied
    to it: a method of a path, a section of `components`, a mapping of names.
    """
    if steps[-2:-1] == ("additionalOperations",):
        return _is_path_item(steps[:-2])
    if steps[-1] in METHODS:
        return _is_path_item(steps[:-1])
    is_section = len(steps) == 2 and steps[0] == "components"
    return is_section or len(steps) < _MAX_SECTION_STEPS or _is_of_names(steps)


def _is_path_item(steps: Steps) -> bool:
    """Whether the methods of a path or of a webhook stand at this place."""
    is_own = len(steps) == 2 and steps[0] in ("paths", "webhooks")
    return is_own or steps[1:-1] == ("pathItems",)


def _section(steps: Steps) -> str:
    last, above = steps[-1], steps[-2] if len(steps) > 1 else ""
    if len(steps) == 2 and above in ("paths", "webhooks"):
        return "pathItems"
    if last == "requestBody":
        return "requestBodies"
    return above if above in _SECTIONS and "properties" not in steps[-3:-1] else "schemas"


def _is_choosing(steps: Steps, schema: Tree) -> bool:
    return is_mapping(schema.get("discriminator")) and not _are_names(steps)


def _mappings(tree: Any, above: Steps = ()) -> Iterator[tuple[Steps, Tree]]:
    """Every mapping with its place, in the order of the document; values of examples and of
    extensions are none.
    """
    todo: list[tuple[Steps, Any]] = [(above, tree)]
    while todo:
        steps, value = todo.pop()
        if is_mapping(value):
            yield steps, value
            names = bool(steps) and steps[-1] in _OF_NAMES
            below = [
                ((*steps, key), each)
                for key, each in value.items()
                if names or not (key in _NO_REFERENCES or key.startswith("x-"))
            ]
            todo += reversed(below)
        elif is_list(value):
            below = [((*steps, str(number)), each) for number, each in enumerate(value)]
            todo += reversed(below)
