"""Limits on the size of a document, checked before any value is built.

An alias of YAML stands for everything that its anchor holds, so that twenty lines of ten aliases expand to more values
than any machine can hold. The largest real document that was tried has 130,000 values, 25 levels and 3 MB.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .tree import is_list, is_mapping

MAX_BYTES = 32 * 2**20
"""Of the file, and of all texts in it after the aliases are expanded."""
MAX_VALUES = 1_000_000
"""Mappings, lists, keys, texts, numbers and so on, after the aliases are expanded."""
MAX_LEVELS = 100
"""Of nested mappings and lists."""

_SPLIT = "split the document"
_ALIASES = f"an alias counts as all that it stands for. Use fewer, or {_SPLIT}"


_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BINARY = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\x89PNG")
"""How archives and the like begin: their first bytes can be text."""


class OutOfBoundsError(ValueError):
    """The document is too large, nested too deeply, or endless; the message says where."""


def read_text(path: Path) -> str:
    """The text of a file. Raises OSError, OutOfBoundsError, and UnicodeDecodeError (both a ValueError)."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OutOfBoundsError(f"it has more than {MAX_BYTES:,} bytes: {_SPLIT}.")
    if data.startswith(_BINARY) or (b"\0" in data and data[:2] not in _UTF16):
        raise ValueError("it is no text: name a document in YAML or JSON; an archive must be unpacked first.")
    return data.decode("utf-16" if data[:2] in _UTF16 else "utf-8-sig")


def check_yaml(text: str) -> None:
    """Raise OutOfBoundsError when a limit is exceeded, and yaml.YAMLError when the text is not YAML.

    It reads the parser's events one by one, and stops at the first that exceeds a limit.
    """
    counter = _Counter()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        counter.add(event)


def check_values(tree: Any) -> int:
    """The number of JSON values. Raises OutOfBoundsError for too many of them, or for too deeply nested ones."""
    values, levels = 0, 0
    inner: list[Any] = [tree]
    while inner:  # one level at a time
        values += len(inner)
        if values > MAX_VALUES:
            raise OutOfBoundsError(f"it has more than {MAX_VALUES:,} values: {_SPLIT}.")
        outer = [each for each in inner if is_mapping(each) or is_list(each)]
        levels += bool(outer)
        if levels > MAX_LEVELS:
            raise too_deep()
        inner = [each for one in outer for each in ([*one, *one.values()] if is_mapping(one) else one)]
    return values


def too_deep(where: str = "") -> OutOfBoundsError:
    """The error for too many levels."""
    return OutOfBoundsError(f"{where}more than {MAX_LEVELS} levels of mappings and lists within each other.")


class _Size(NamedTuple):
    values: int
    characters: int
    levels: int


@dataclass
class _OpenCollection:
    """A mapping or list that is being read: its anchor, the counts before it, and its levels so far."""

    anchor: str | None
    values: int
    characters: int
    levels: int = 1


@dataclass
class _Counter:
    """Counts events, each alias as the value that it stands for."""

    values: int = 0
    characters: int = 0
    open: list[_OpenCollection] = field(default_factory=list[_OpenCollection])
    anchors: dict[str | None, _Size] = field(default_factory=dict[str | None, _Size])

    def add(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self.anchors[event.anchor] = size = _Size(1, len(event.value), 0)
            self._grow(event, size)
        elif isinstance(event, yaml.AliasEvent):
            if any(each.anchor == event.anchor for each in self.open):
                raise OutOfBoundsError(
                    f"line {_line(event)}: *{event.anchor} stands within what it stands for: without an end."
                )
            self._grow(event, self.anchors.get(event.anchor, _Size(1, 0, 0)))  # the loader reports an undefined anchor
        elif isinstance(event, yaml.CollectionStartEvent):
            collection = _OpenCollection(event.anchor, self.values, self.characters)
            self._grow(event, _Size(1, 0, 1))
            self.open.append(collection)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self.open.pop()
            size = _Size(self.values - done.values, self.characters - done.characters, done.levels)
            self.anchors[done.anchor] = size
            self._deepen(done.levels)

    def _grow(self, event: yaml.NodeEvent, size: _Size) -> None:
        self.values += size.values
        self.characters += size.characters
        if self.values > MAX_VALUES or self.characters > MAX_BYTES:
            most = f"{MAX_VALUES:,} values" if self.values > MAX_VALUES else f"{MAX_BYTES:,} characters"
            raise OutOfBoundsError(f"it has more than {most} up to line {_line(event)}: {_ALIASES}.")
        if len(self.open) + size.levels > MAX_LEVELS:
            raise too_deep(f"line {_line(event)}: ")
        self._deepen(size.levels)

    def _deepen(self, levels: int) -> None:
        if self.open:
            self.open[-1].levels = max(self.open[-1].levels, levels + 1)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
