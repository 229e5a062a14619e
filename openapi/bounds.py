"""How large a document may be: a short text can mean a very long one, or one without an end.

An alias of YAML stands for everything that its anchor holds: twenty lines of ten aliases each stand for more values
than any machine can hold. They are counted here before the first of them is built. Real documents stay far below these
bounds: the largest that was tried has 130,000 values, 25 levels and 3 MB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

MOST_BYTES = 32 * 2**20
"""Of the file, and of all texts in it once the aliases are written out."""
MOST_VALUES = 1_000_000
"""Mappings, lists, keys, texts, numbers and so on, once the aliases are written out."""
MOST_LEVELS = 100
"""Of mappings and lists within each other."""

_SPLIT = "split the document"
_ALIASES = f"an alias counts as all that it stands for. Use fewer, or {_SPLIT}"


class OutOfBoundsError(ValueError):
    """The document is too large, too deep, or without an end; the message says where."""


def read_text(path: Path) -> str:
    """The text of a file. Raises OSError, and ValueError when it is too long or not UTF-8."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OutOfBoundsError(f"it has more than {MOST_BYTES:,} bytes: {_SPLIT}.")
    return data.decode("utf-8")


def check_yaml(text: str) -> None:
    """Raise OutOfBoundsError for YAML that means too much, and yaml.YAMLError for what is no YAML.

    The parser's events come one by one: nothing is built, and nothing is read beyond the first breach.
    """
    count = _Count()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        count.take(event)


def check_values(tree: Any) -> None:
    """Raise OutOfBoundsError for JSON values that are too many, or nested too deeply."""
    values, levels, inner = 0, 0, [tree]
    while inner:
        values += len(inner)
        if values > MOST_VALUES:
            raise OutOfBoundsError(f"it has more than {MOST_VALUES:,} values: {_SPLIT}.")
        outer = [each for each in inner if isinstance(each, dict | list)]
        levels += bool(outer)
        if levels > MOST_LEVELS:
            raise too_deep()
        inner = [each for one in outer for each in ([*one, *one.values()] if isinstance(one, dict) else one)]


def too_deep(where: str = "") -> OutOfBoundsError:
    """The error for values within values within values."""
    return OutOfBoundsError(f"{where}more than {MOST_LEVELS} levels of mappings and lists within each other.")


class _Extent(NamedTuple):
    """What a value, or an alias of it, adds."""

    values: int
    characters: int
    levels: int


@dataclass
class _Open:
    """A mapping or list that has begun: its anchor, what had been counted before it, how deep it goes so far."""

    anchor: str | None
    values: int
    characters: int
    levels: int = 1


@dataclass
class _Count:
    """Everything so far, each alias counted as what it stands for."""

    values: int = 0
    characters: int = 0
    opened: list[_Open] = field(default_factory=list[_Open])
    known: dict[str, _Extent] = field(default_factory=dict[str, _Extent])

    def take(self, event: yaml.Event) -> None:
        """Count one event."""
        if isinstance(event, yaml.ScalarEvent):
            extent = _Extent(1, len(event.value), 0)
            self._add(event, extent)
            self._remember(event.anchor, extent)
        elif isinstance(event, yaml.AliasEvent):
            self._add(event, self._meant(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            begun = _Open(event.anchor, self.values, self.characters)
            self._add(event, _Extent(1, 0, 1))
            self.opened.append(begun)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self.opened.pop()
            extent = _Extent(self.values - done.values, self.characters - done.characters, done.levels)
            self._remember(done.anchor, extent)
            self._deepen(done.levels)

    def _meant(self, alias: yaml.AliasEvent) -> _Extent:
        name = alias.anchor or ""
        if any(each.anchor == name for each in self.opened):
            raise OutOfBoundsError(f"line {_line(alias)}: *{name} stands within what it stands for: without an end.")
        # An anchor that is not there is named by the loader.
        return self.known.get(name, _Extent(1, 0, 0))

    def _add(self, event: yaml.NodeEvent, extent: _Extent) -> None:
        self.values += extent.values
        self.characters += extent.characters
        if self.values > MOST_VALUES or self.characters > MOST_BYTES:
            most = f"{MOST_VALUES:,} values" if self.values > MOST_VALUES else f"{MOST_BYTES:,} characters"
            raise OutOfBoundsError(f"it has more than {most} up to line {_line(event)}: {_ALIASES}.")
        if len(self.opened) + extent.levels > MOST_LEVELS:
            raise too_deep(f"line {_line(event)}: ")
        self._deepen(extent.levels)

    def _deepen(self, levels: int) -> None:
        if self.opened:
            self.opened[-1].levels = max(self.opened[-1].levels, levels + 1)

    def _remember(self, anchor: str | None, extent: _Extent) -> None:
        if anchor is not None:
            self.known[anchor] = extent


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
