"""Limits on the size of a document, checked before any value is built: twenty lines of ten aliases
fill any memory.

The largest real document that was tried has 130,000 values, 25 levels and 3 MB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .tree import is_list, is_mapping

MAX_MIB = 32.0
MAX_LEVELS = 100
"""Of nested mappings and lists."""


class Limits(NamedTuple):
    """What a document may have at most, with the files that it refers to."""

    mib: float = MAX_MIB

    @property
    def bytes(self) -> int:
        """Of the files, and of all texts in them after the aliases are expanded."""
        return int(self.mib * 2**20)

    @property
    def values(self) -> int:
        """Mappings, lists, keys, texts, numbers and so on, after the aliases are expanded."""
        return int(self.mib * 31_250)


_SPLIT = "split the document, or raise the limit with --max-mib (max_mib in Python)"
_ALIASES = f"an alias counts as all that it stands for. Use fewer, or {_SPLIT}"


def read_text(path: Path, limits: Limits) -> str:
    """The text of a file.

    Raises OSError, and ValueError for what is too large or no text in UTF-8.
    """
    with path.open("rb") as file:
        data = file.read(limits.bytes + 1)
    if len(data) > limits.bytes:
        raise ValueError(f"it has more than {limits.bytes:,} bytes: {_SPLIT}.")
    if b"\0" in data:
        raise ValueError(
            "it is no text in UTF-8: name a document in YAML or JSON, and unpack an archive first."
        )
    return data.decode("utf-8-sig")


def check_yaml(text: str, limits: Limits) -> None:
    """Raise ValueError at the parser's first event that exceeds a limit; yaml.YAMLError for what is
    not YAML.
    """
    counter = _Counter()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        counter.add(event, line)
        excess = counter.excess(limits)
        if excess:
            raise ValueError(f"it has more than {excess} up to line {line}: {_ALIASES}.")
        if len(counter.within) > MAX_LEVELS:
            raise too_deep(f"line {line}: ")


class _Size(NamedTuple):
    values: int = 0
    characters: int = 0

    def plus(self, other: _Size) -> _Size:
        return _Size(self.values + other.values, self.characters + other.characters)

    def since(self, earlier: _Size) -> _Size:
        return _Size(self.values - earlier.values, self.characters - earlier.characters)


class _Collection(NamedTuple):
    """A mapping or a list that has begun, and has not ended yet."""

    anchor: str | None
    size_before: _Size
    """The size of the document before it."""


class _Counter:
    """The size of a document, its aliases expanded, up to an event of the parser."""

    def __init__(self) -> None:
        self.size = _Size()
        self.within: list[_Collection] = []
        """The mappings and lists around the event, the outermost first."""
        self._anchors: dict[str | None, _Size] = {}
        """The size of what each anchor stands for."""

    def add(self, event: yaml.Event, line: int) -> None:
        """Count an event. Raises ValueError for an alias without an end."""
        if isinstance(event, yaml.ScalarEvent):
            scalar = _Size(1, len(event.value))
            self._anchors[event.anchor] = scalar
            self.size = self.size.plus(scalar)
        elif isinstance(event, yaml.AliasEvent):
            if any(around.anchor == event.anchor for around in self.within):
                raise ValueError(
                    f"line {line}: *{event.anchor} stands within what it stands for: without an "
                    "end."
                )
            # The loader reports an undefined anchor.
            self.size = self.size.plus(self._anchors.get(event.anchor, _Size()))
        elif isinstance(event, yaml.CollectionStartEvent):
            self.within.append(_Collection(event.anchor, self.size))
            self.size = self.size.plus(_Size(1))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self.within.pop()
            self._anchors[ended.anchor] = self.size.since(ended.size_before)

    def excess(self, limits: Limits) -> str:
        """The limit that is exceeded; an empty text when none is."""
        if self.size.values > limits.values:
            return f"{limits.values:,} values"
        if self.size.characters > limits.bytes:
            return f"{limits.bytes:,} characters"
        return ""


def check_values(tree: Any, limits: Limits) -> int:
    """The number of JSON values.

    Raises ValueError for too many of them, or for too deeply nested ones.
    """
    values = 0
    levels = 0
    inner: list[Any] = [tree]
    while inner:  # one level at a time
        values += len(inner)
        if values > limits.values:
            raise ValueError(f"it has more than {limits.values:,} values: {_SPLIT}.")
        outer = [each for each in inner if is_mapping(each) or is_list(each)]
        if outer:
            levels += 1
        if levels > MAX_LEVELS:
            raise too_deep()
        inner = []
        for each in outer:
            inner += [*each, *each.values()] if is_mapping(each) else each
    return values


def too_deep(where: str = "it has ") -> ValueError:
    return ValueError(
        f"{where}more than {MAX_LEVELS} levels of mappings and lists within each other."
    )
