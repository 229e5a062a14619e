"""Load an OpenAPI document with the types that JSON would have.

YAML 1.1 reads the text `2021-10-25` as a date, `043987673645` as a number, and the key `200:` as an
integer.
"""

import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .decisions import default_path
from .files import Bundle
from .overlay import Corrections
from .replacement import recover
from .tree import DocumentError, PlaceError, Tree, is_mapping, reason_of

__all__ = (
    "Document",
    "DocumentError",
    "load",
    "read_document",
    "read_text",
    "read_values",
    "require_values",
)

MAX_MIB = 32.0
"""The largest real document that was tried has 3."""


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
    """A document that was read with all its files, once, and corrected."""

    path: Path
    tree: Tree
    """As JSON values: no two parts share an object (aliases are expanded), and none is in another
    file.
    """
    files: dict[str, bytes]
    """What stands in each file, by its path within the document's folder; the document is first."""
    links: list[str]
    """The paths of files that lead through a link."""
    callers: list[str]
    """The files that refer to the document by its name."""
    corrections: Corrections
    """What its overlay did."""
    recovered: str
    """What became of an update that was interrupted; an empty text without one."""


def load(
    path: Path,
    copies: Mapping[str, Path] | None = None,
    max_mib: float = MAX_MIB,
    fetch: Callable[[Path], object] = lambda _: None,
    *,
    overlay: Path | None = None,
    lenient: bool = False,
) -> Tree:
    """The document as JSON values: the tree of `read_document`, which has the same arguments."""
    document = read_document(path, copies, max_mib, fetch, overlay=overlay, lenient=lenient)
    return document.tree


def read_document(
    path: Path,
    copies: Mapping[str, Path] | None = None,
    max_mib: float = MAX_MIB,
    fetch: Callable[[Path], object] = lambda _: None,
    *,
    overlay: Path | None = None,
    lenient: bool = False,
) -> Document:
    """Read a document with its files, with its corrections. An update of it that was interrupted
    is finished, or taken back, before.

    `copies` has the local file for each URL that it refers to. `max_mib` limits it with its files.
    `fetch` may write a file of its folder that it refers to and that is not there.
    `overlay` is the file of corrections; None: `<document>.overlay.yaml` beside it. If `lenient`,
    corrections that it has no place for are passed over. Raises DocumentError when the file cannot
    be read, is no OpenAPI 3 document, or is too large.
    """
    recovered = recover(path)
    contents: dict[Path, bytes] = {}

    def read(file: Path) -> Any:
        with _reading(file):
            contents[file.resolve()] = _read_bytes(file, max_mib)
            return _values(file, contents[file.resolve()])

    tree = read(path)
    _require_openapi(path, tree)
    bundle = Bundle(tree, path, read, fetch, copies or {}, _bytes(max_mib))
    corrections = Corrections(default_path(path, "overlay") if overlay is None else overlay)
    if not corrections.file.exists():
        fetch(corrections.file)
    try:
        if corrections.file.exists():
            actions = read(corrections.file)
            corrections.text = contents[corrections.file.resolve()].decode("utf-8-sig")
            bundle.run(lambda: corrections.apply(tree, actions, bundle.parts, lenient=lenient))
        else:
            bundle.run()
    except (PlaceError, ValueError) as error:
        raise DocumentError(f"{path} cannot be read: {error}") from None
    folder = path.resolve().parent
    return Document(
        path,
        tree,
        {file.relative_to(folder).as_posix(): contents[file] for file in bundle.files},
        [file.relative_to(folder).as_posix() for file in bundle.links],
        [file.relative_to(folder).as_posix() for file in bundle.callers],
        corrections,
        recovered,
    )


def _require_openapi(path: Path, tree: Any) -> None:
    """Raise DocumentError for what is no OpenAPI 3 document."""
    if tree is None:
        raise DocumentError(f"{path} cannot be read: it is empty.")
    if is_mapping(tree) and "swagger" in tree:
        raise DocumentError(
            f"{path} is a Swagger {tree['swagger']} document: convert it to OpenAPI 3 "
            "(swagger2openapi can)."
        )
    if not is_mapping(tree) or not str(tree.get("openapi", "")).startswith("3."):
        raise DocumentError(f"{path} is not an OpenAPI 3 document: it has no line `openapi: 3.x`.")
    if all(tree.get(key) is None for key in ("paths", "webhooks", "components")):
        raise DocumentError(
            f"{path} describes nothing: it has neither `paths`, nor `webhooks`, nor `components`."
        )


def read_values(path: Path, max_mib: float = MAX_MIB) -> Any:
    """What stands in a file of YAML or JSON, as values of JSON; None for nothing.

    Raises DocumentError for what cannot be read, has a key twice, or is too large.
    """
    with _reading(path):
        return _values(path, _read_bytes(path, max_mib))


def require_values(path: Path, data: bytes) -> None:
    """Raise DocumentError if bytes could not be read, were they those of a file."""
    with _reading(path):
        _values(path, data)


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Name the file in each error of what cannot be read."""
    address = re.match(r"(https?:)/+(.*)", str(path))  # a Path has one slash of two
    if address:
        raise DocumentError(
            f"{address[1]}//{address[2]} is an address: download the document, and name the file."
        )
    try:
        yield
    except RecursionError:
        raise DocumentError(
            f"{path} cannot be read: too many mappings and lists lie within each other."
        ) from None
    except OSError as error:
        why = (
            "it is a folder: name the document in it."
            if path.is_dir()
            else f"{error.strerror or error}."
        )
        raise DocumentError(f"{path} cannot be read: {why}") from error
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise DocumentError(f"{path} cannot be read: {reason_of(error)}") from error


def _values(path: Path, data: bytes) -> Any:
    """What the bytes of a file say, as values of JSON."""
    text = data.decode("utf-8-sig")
    if path.suffix == ".json":
        tree = json.loads(text) if text.strip() else None
    else:
        tree = yaml.load(text, _Loader)  # noqa: S506 - a subclass of CSafeLoader
        # aliases expanded; a TypeError for a value that JSON does not have
        tree = json.loads(json.dumps(tree))
    json.dumps(
        tree, ensure_ascii=False
    ).encode()  # half of a character, such as "\ud800", is a UnicodeEncodeError
    return tree


def read_text(path: Path, max_mib: float = MAX_MIB) -> str:
    """The text of a file.

    Raises OSError, and ValueError for what is too large or no text in UTF-8.
    """
    return _read_bytes(path, max_mib).decode("utf-8-sig")


def _read_bytes(path: Path, max_mib: float) -> bytes:
    most = _bytes(max_mib)
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(
            f"it has more than {most:,} bytes: split the document, or raise the limit with "
            "--max-mib (max_mib in Python)."
        )
    if b"\0" in data:
        raise ValueError(
            "it is no text in UTF-8: name a document in YAML or JSON, and unpack an archive first."
        )
    return data


def _bytes(mib: float) -> int:
    return int(mib * 2**20)
