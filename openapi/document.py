"""Read an OpenAPI document as what it says, not as what YAML makes of it.

YAML turns `2021-10-25` into a date, `043987673645` into a number and `200:` into an integer key. In an API
description all three are text: dates and account numbers are examples of strings, and keys are names.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from bounds import check_values, check_yaml, read_text, too_deep

Tree = dict[str, Any]


class DocumentError(Exception):
    """The file is not an OpenAPI 3 document; the message says why and what to do."""


class _Loader(yaml.CSafeLoader):  # the pure Python loader takes seconds for a large document
    """YAML 1.2's core types only, mappings with text keys, and no key twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        self._check_keys(node)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def _check_keys(self, node: yaml.MappingNode) -> None:
        own: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {key.start_mark.line + 1}: a key is a list or a mapping: write a text.")
            if key.value in own and key.value != "<<":
                line = node.start_mark.line + 1
                raise ValueError(f"The key {key.value!r} stands twice in the mapping at line {line}: remove one.")
            own.add(key.value)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def load(path: Path) -> Tree:
    """The document as plain JSON values, no part of it shared with another (aliases are written out).

    Raises DocumentError when the file cannot be read, is not an OpenAPI 3 document, or is beyond `bounds`.
    """
    try:
        text = read_text(path)
        tree = _from_json(text) if path.suffix == ".json" else _from_yaml(text)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise DocumentError(f"{path} cannot be read: {error}") from error
    if not isinstance(tree, dict) or not str(tree.get("openapi", "")).startswith("3."):
        raise DocumentError(f"{path} is not an OpenAPI 3 document: it has no line `openapi: 3.x`.")
    return tree


def _from_json(text: str) -> Any:
    try:
        tree = json.loads(text)
    except RecursionError:
        raise too_deep("it has ") from None
    check_values(tree)
    return tree


def _from_yaml(text: str) -> Any:
    """Values of their own, where an alias would share one; `TypeError` for a value that JSON has not."""
    check_yaml(text)
    # CSafeLoader builds only plain values, as `safe_load` does.
    tree = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    return json.loads(json.dumps(tree))
