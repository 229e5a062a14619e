"""In which line of its file a part of a document stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from victor_ext.spec.bounds import read_text


class Lines:
    """The lines of a document in YAML, or in JSON, which YAML contains."""

    def __init__(self, document: Path) -> None:
        """`document` is a file that `victor_ext.spec.document.load` has read. Raises OSError."""
        try:
            self._root: yaml.Node | None = yaml.compose(read_text(document), Loader=yaml.CSafeLoader)
        except (ValueError, yaml.YAMLError):  # JSON that is no YAML
            self._root = None

    def of(self, place: str) -> int:
        """The line of a place, from 1; of the nearest part around it, when there is none at the place."""
        node, line = self._root, 1
        while node is not None and place:
            steps = [each for each in _steps(node) if re.match(re.escape(each[0]) + r"(?:[.\[]|$)", place)]
            if not steps:
                break
            name, line, node = max(steps, key=lambda each: len(each[0]))
            place = place[len(name) :].removeprefix(".")
        return line


def _steps(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    """The parts of a mapping or a list: what a place calls each, its line, and itself."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            line = item.start_mark.line + 1
            yield f"[{number}]", line, item
            texts = {name: value.value for name, _, value in _steps(item) if isinstance(value, yaml.ScalarNode)}
            yield f"{texts.get('in')}:{texts.get('name')}", line, item
