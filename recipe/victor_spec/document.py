"""Load an OpenAPI document with the types that JSON would have, and its corrections.

YAML 1.1 reads the text `2021-10-25` as a date, `043987673645` as a number, and the key `200:` as an
integer.
"""

import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .decisions import default_path
from .overlay import Misfit, correct
from .tree import DocumentError, Tree, is_list, is_mapping, reason_of

__all__ = ("Document", "DocumentError", "load", "read_document", "read_values")

MAX_BYTES = 32 * 2**20
"""The largest real document that was tried has 3 MiB."""
_OF_VALUES = ("example", "examples", "enum", "const")
"""Keys of values, in which `$ref` leads to nothing that is read. `default` is one, and a response,
too.
"""


class _Loader(yaml.CSafeLoader):  # the loader in Python takes seconds for a large document
    """The core types of YAML 1.2; every key is text, and a repeated key is an error."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        own: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(
                    f"line {key.start_mark.line + 1}: a key is a list or a mapping: write a text."
                )
            if key.value in own and key.value != "<<":
                line = node.start_mark.line + 1
                raise ValueError(
                    f"The key {key.value!r} stands twice in the mapping at line {line}: remove one."
                )
            own.add(key.value)
        self.flatten_mapping(node)
        return {
            key.value: self.construct_object(value, deep=deep)  # pyright: ignore[reportUnknownMemberType]
            for key, value in node.value
        }


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first
    )


@dataclass(frozen=True)
class Document:
    """A document that was read, and corrected."""

    path: Path
    tree: Tree
    """As JSON values: no two parts share an object (aliases are expanded)."""
    idle: list[str]
    """The corrections that change nothing, as the document says so itself."""


def load(path: Path) -> Tree:
    """The document as JSON values: the tree of `read_document`."""
    return read_document(path).tree


def read_document(path: Path, *, overlay: Path | None = None) -> Document:
    """Read a document, with its corrections.

    `overlay` is their file; None: `<document>.overlay.yaml` beside it. Raises DocumentError when a
    file cannot be read, is no OpenAPI 3 document in one file, or is too large.
    """
    tree = read_values(path)
    _require_openapi(path, tree)
    corrections = default_path(path, "overlay") if overlay is None else overlay
    idle: list[str] = []
    if corrections.exists():
        try:
            idle = correct(tree, read_values(corrections))
        except Misfit as error:
            raise DocumentError(f"{corrections}: {error}.") from None
    _require_one_file(path, tree)
    return Document(path, tree, [f"{corrections}: {each}" for each in idle])


def _require_openapi(path: Path, tree: Any) -> None:
    """Raise DocumentError for what is no OpenAPI 3 document."""
    if is_mapping(tree) and "swagger" in tree:
        raise DocumentError(
            f"{path} is a Swagger {tree['swagger']} document: convert it to OpenAPI 3 "
            "(swagger2openapi can)."
        )
    if not is_mapping(tree) or not str(tree.get("openapi", "")).startswith("3."):
        raise DocumentError(f"{path} is not an OpenAPI 3 document: it has no line `openapi: 3.x`.")


def _require_one_file(path: Path, tree: Any) -> None:
    """Raise DocumentError for a reference to another file."""
    for reference in _references(tree):
        if not reference.startswith("#"):
            raise DocumentError(
                f"{path} refers to {reference}: make one file of it first, such as by "
                f"`npx @redocly/cli@2.77.0 bundle {path} -o one.yaml`."
            )


def _references(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        each = pending.pop()
        if is_list(each):
            pending += each
        elif is_mapping(each):
            if isinstance(each.get("$ref"), str):
                yield each["$ref"]
            pending += [
                inner
                for key, inner in each.items()
                if key not in _OF_VALUES and not key.startswith("x-")
            ]


def read_values(path: Path) -> Any:
    """What stands in a file of YAML or JSON, as values of JSON; None for nothing.

    Raises DocumentError for what cannot be read, has a key twice, or is too large.
    """
    with _reading(path):
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES:,} bytes.")
        text = data.decode("utf-8-sig")
        if path.suffix == ".json":
            values = json.loads(text) if text.strip() else None
        else:
            values = yaml.load(text, _Loader)  # noqa: S506 - a subclass of CSafeLoader
        # Half of a character, such as "\ud800", is a UnicodeEncodeError.
        written = json.dumps(values, ensure_ascii=False).encode()
        return json.loads(written)  # aliases expanded


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Name the file in each error of what cannot be read."""
    try:
        yield
    except RecursionError:
        raise DocumentError(
            f"{path} cannot be read: too many mappings and lists lie within each other."
        ) from None
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise DocumentError(f"{path} cannot be read: {reason_of(error)}") from error
