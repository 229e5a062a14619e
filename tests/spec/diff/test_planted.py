"""Changes planted in this project's documents, one at a time: each is one entry, at its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.shape import Shapes
from victor_ext.spec.document import load

from .cases import TEXT, Tree, card, receives

FOLDER = Path(__file__).resolve().parents[3] / "openapi"
DOCUMENTS = [path for path in sorted(FOLDER.glob("*.yaml")) if "." not in path.stem]


MOST = 12


def some(found: Sequence[Any]) -> Sequence[Any]:
    """At most as many as a test has time for, from everywhere in the document."""
    return found[:: len(found) // MOST + 1]


def properties(document: Tree) -> list[tuple[str, str]]:
    """The properties that are written in named schemas."""
    schemas = document["components"]["schemas"].items()
    return [(name, each) for name, schema in schemas for each in schema.get("properties", {})]


def _remove(schema: Tree, name: str) -> None:
    del schema["properties"][name]
    schema["required"] = [each for each in schema.get("required", []) if each != name]


def _retype(schema: Tree, name: str) -> None:
    was = schema["properties"][name].get("type")
    schema["properties"][name] = {"type": "integer" if was == "boolean" else "boolean"}


def _require(schema: Tree, name: str) -> None:
    required = schema.get("required", [])
    schema["required"] = [each for each in required if each != name] if name in required else [*required, name]


@pytest.mark.parametrize("edit", [_remove, _retype, _require])
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_each_property(path: Path, edit: Callable[[Tree, str], None]) -> None:
    text = json.dumps(load(path))
    document: Tree = json.loads(text)
    for name, property_name in some(properties(document)):
        changed = json.loads(text)
        edit(changed["components"]["schemas"][name], property_name)
        found = [entry.place for entry in compare(json.loads(text), changed).entries]
        assert found == [f"components.schemas.{name}.properties.{property_name}"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_each_operation(path: Path) -> None:
    document = load(path)
    methods = ("get", "post", "put", "delete", "patch")
    operations = [(route, each) for route, item in document["paths"].items() for each in item if each in methods]
    for route, method in some(operations):
        changed = copy.deepcopy(document)
        del changed["paths"][route][method]
        (entry,) = [each for each in compare(copy.deepcopy(document), changed).entries if each.wire != "none"]
        assert (entry.place, entry.operations) == (f"paths.{route}.{method}", (f"{method} {route}",))


def test_the_work_grows_with_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Shapes.shape
    calls = 0

    def counted(self: Shapes, tree: Tree) -> Any:
        nonlocal calls
        calls += 1
        return read(self, tree)

    monkeypatch.setattr(Shapes, "shape", counted)

    def work(size: int, *, renamed: bool) -> int:
        """How many schemas are read to compare documents in which each schema refers to five others."""
        nonlocal calls

        def schemas(prefix: str, last: Tree) -> Tree:
            near = [{f"p{k}": {"$ref": f"#/components/schemas/{prefix}{(n * 3 + k) % size}"} for k in range(5)}
                    for n in range(size)]  # fmt: skip
            return {**{f"{prefix}{n}": card(**near[n]) for n in range(size)}, f"{prefix}{size - 1}": card(**last)}

        both = {**schemas("A", {"pin": TEXT}), **schemas("B", {"pin": {"type": "integer"}})}
        old, new = (
            receives({"$ref": f"#/components/schemas/{name}0"}, both) for name in ("A", "B" if renamed else "A")
        )
        calls = 0
        compare(old, new)
        return calls

    for renamed in (False, True):
        small, large = work(100, renamed=renamed), work(200, renamed=renamed)
        assert 1.5 < large / small < 2.5
