"""Limits on the size of a document, checked before any value is built: twenty lines of ten aliases
fill any memory.

The largest real document that was tried has 130,000 values, 25 levels and 3 MB.
"""

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
    values = characters = 0
    anchors: dict[str | None, tuple[int, int]] = {}
    within: list[tuple[str | None, int, int]] = []
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        size = 0, 0
        if isinstance(event, yaml.ScalarEvent):
            anchors[event.anchor] = size = 1, len(event.value)
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _, _ in within):
                raise ValueError(
                    f"line {line}: *{event.anchor} stands within what it stands for: without an "
                    "end."
                )
            size = anchors.get(event.anchor, size)  # the loader reports an undefined anchor
        elif isinstance(event, yaml.CollectionStartEvent):
            within.append((event.anchor, values, characters))
            size = 1, 0
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, *before = within.pop()
            anchors[anchor] = values - before[0], characters - before[1]
        values, characters = values + size[0], characters + size[1]
        if values > limits.values or characters > limits.bytes:
            most = (
                f"{limits.values:,} values"
                if values > limits.values
                else f"{limits.bytes:,} characters"
            )
            raise ValueError(f"it has more than {most} up to line {line}: {_ALIASES}.")
        if len(within) > MAX_LEVELS:
            raise too_deep(f"line {line}: ")


def check_values(tree: Any, limits: Limits) -> int:
    """The number of JSON values.

    Raises ValueError for too many of them, or for too deeply nested ones.
    """
    values, levels = 0, 0
    inner: list[Any] = [tree]
    while inner:  # one level at a time
        values += len(inner)
        if values > limits.values:
            raise ValueError(f"it has more than {limits.values:,} values: {_SPLIT}.")
        outer = [each for each in inner if is_mapping(each) or is_list(each)]
        levels += bool(outer)
        if levels > MAX_LEVELS:
            raise too_deep()
        inner = [
            each for one in outer for each in ([*one, *one.values()] if is_mapping(one) else one)
        ]
    return values


def too_deep(where: str = "it has ") -> ValueError:
    return ValueError(
        f"{where}more than {MAX_LEVELS} levels of mappings and lists within each other."
    )
