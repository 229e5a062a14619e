"""What a generated package offers its user, read from the source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from .annotations import NONE, UNSET, Type, class_names, type_of

FUNCTIONS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")


class Argument(NamedTuple):
    """An argument of a function."""

    type: Type
    required: bool
    positional: bool


@dataclass
class Function:
    """A module of functions, which differ only in how they wait and in how much they return."""

    names: tuple[str, ...]
    """Those of FUNCTIONS that there are."""
    arguments: dict[str, Argument]
    """Without the client."""
    returns: Type
    """The type of what an answer is parsed into, without None."""

    @property
    def positional(self) -> list[str]:
        """The arguments that can be given by position, in order."""
        return [name for name, each in self.arguments.items() if each.positional]


class Attribute(NamedTuple):
    """A field of a model."""

    type: Type
    required: bool
    """Whether the constructor needs it."""


@dataclass
class Model:
    """A class with fields."""

    attributes: dict[str, Attribute]
    module: str


@dataclass
class Words:
    """An enum."""

    members: dict[str, object]
    base: str
    """The type that its members have, too: `str` or `int`."""
    module: str


@dataclass
class Surface:
    """All that is public in a package and depends on its document."""

    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    """By module, without the name of the package: `api.cards.list_cards`."""
    models: dict[str, Model] = field(default_factory=dict[str, Model])
    enums: dict[str, Words] = field(default_factory=dict[str, Words])

    @property
    def classes(self) -> dict[str, Model | Words]:
        return {**self.models, **self.enums}

    @cached_property
    def sent(self) -> set[str]:
        """The classes that requests are made of: a user constructs them."""
        return self._reached(each.type for made in self.functions.values() for each in made.arguments.values())

    @cached_property
    def received(self) -> set[str]:
        """The classes that answers are made of: a user reads them."""
        return self._reached(made.returns for made in self.functions.values())

    def _reached(self, types: Iterator[Type]) -> set[str]:
        left = [name for each in types for name in class_names(each)]
        found: set[str] = set()
        while left:
            name = left.pop()
            if name not in found and name in self.classes:
                found.add(name)
                attributes = self.models[name].attributes.values() if name in self.models else ()
                left += [inner for each in attributes for inner in class_names(each.type)]
        return found


def surface_of(package: Path) -> Surface:
    """Read the package in a folder."""
    found = Surface()
    for path in sorted((package / "api").glob("*/*.py")):
        if path.stem != "__init__":
            made = _function(ast.parse(path.read_bytes()))
            if made is not None:
                found.functions[f"api.{path.parent.name}.{path.stem}"] = made
    for path in sorted((package / "models").glob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                _class(found, node, path.stem)
    return found


def _function(module: ast.Module) -> Function | None:
    made = {
        node.name: node
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in FUNCTIONS
    }
    whole = made.get("sync_detailed")
    if whole is None or not isinstance(whole.returns, ast.Subscript):
        return None
    arguments = dict(_arguments(whole.args))
    return Function(tuple(each for each in FUNCTIONS if each in made), arguments, type_of(whole.returns.slice) - {NONE})


def _arguments(arguments: ast.arguments) -> Iterator[tuple[str, Argument]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    optional = len(plain) - len(arguments.defaults)
    for number, each in enumerate(plain):
        yield each.arg, Argument(type_of(each.annotation), number < optional, positional=True)
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if each.arg != "client":
            yield each.arg, Argument(type_of(each.annotation), default is None, positional=False)


def _class(found: Surface, node: ast.ClassDef, module: str) -> None:
    bases = [each.id for each in node.bases if isinstance(each, ast.Name)]
    if any(each.endswith("Enum") for each in bases):
        members: dict[str, object] = {
            target.id: each.value.value
            for each in node.body
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
            for target in each.targets
            if isinstance(target, ast.Name)
        }
        found.enums[node.name] = Words(members, "int" if "OpenIntEnum" in bases else "str", module)
        return
    attributes = {
        each.target.id: Attribute(type_of(each.annotation), required=each.value is None)
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and not each.target.id.startswith("_")
    }
    found.models[node.name] = Model(attributes, module)


def without_unset(type_: Type) -> Type:
    """A type without the marker of what is absent."""
    return type_ - {UNSET}
