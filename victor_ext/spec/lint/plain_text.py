"""Values that a YAML reader may take for something else, found in the text of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from victor_ext.spec.bounds import read_text

from .finding import Finding

_NUMBER = re.compile(r"0[0-9_]+|[0-9]{16,}|[0-9]+(?::[0-5]?[0-9])+")
"""Leading zeros (octal in YAML 1.1), more digits than a double holds, and base 60."""
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?")
_SWITCH = re.compile(r"(?i)yes|no|on|off|y|n")


def unquoted_values(file: Path) -> Iterator[Finding]:
    """The plain scalars that YAML 1.1 reads as a number, a date or a flag, and YAML 1.2 as text."""
    if file.suffix != ".json":
        yield from _below(yaml.compose(read_text(file), Loader=yaml.CSafeLoader), "")  # pyright: ignore[reportUnknownMemberType]


def _below(node: yaml.Node | None, place: str) -> Iterator[Finding]:
    pending: list[tuple[yaml.Node | None, str]] = [(node, place)]
    seen: set[int] = set()
    while pending:
        current, where = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            children = [(value, f"{where}.{key.value}".lstrip(".")) for key, value in current.value]
            pending += reversed(children)
        elif isinstance(current, yaml.SequenceNode):
            pending += reversed([(value, f"{where}[{number}]") for number, value in enumerate(current.value)])
        elif isinstance(current, yaml.ScalarNode) and not current.style and (what := _taken_for(current.value)):
            line = current.start_mark.line + 1
            yield Finding(where, f"{current.value} in line {line} is not quoted, and YAML 1.1 takes it for {what}")


def _taken_for(text: str) -> str | None:
    for pattern, what in ((_NUMBER, "a number"), (_DATE, "a date"), (_SWITCH, "true or false")):
        if pattern.fullmatch(text):
            return what
    return None
