"""What a generated package offers its user, read from the source without importing it; and which
type fits which.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

FUNCTIONS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")

Member = tuple[str, tuple[Any, ...]]
Type = frozenset[Member]


class Argument(NamedTuple):
    """An argument of a function, or of the constructor of a model: an attribute."""

    type: Type
    required: bool
    positional: bool = False


class Function(NamedTuple):
    """A module of functions, which differ only in how they wait and in how much they return."""

    names: tuple[str, ...]
    """Those of FUNCTIONS that there are."""
    arguments: dict[str, Argument]
    """Without the client."""
    returns: Type
    """The type of what an answer is parsed into, without None."""


class Words(NamedTuple):
    """An enum."""

    members: dict[str, object]
    base: str
    """The type that its members have, too: `str` or `int`."""


class Surface:
    """All that is public in a package and depends on its document; nothing, where there is no
    package.
    """

    def __init__(self, package: Path) -> None:
        self.functions: dict[str, Function] = {}
        """By module, without the name of the package: `api.cards.list_cards`."""
        self.webhooks = dict(_webhooks(package / "webhooks.py"))
        """What `read_webhook` returns, by the name of the webhook; "" stands for a call without a
        name.
        """
        self.models: dict[str, dict[str, Argument]] = {}
        """By class, the attributes by their names."""
        self.enums: dict[str, Words] = {}
        for path in sorted((package / "api").glob("*/*.py")):
            if (
                path.stem != "__init__"
                and (made := _function(ast.parse(path.read_bytes()))) is not None
            ):
                self.functions[f"api.{path.parent.name}.{path.stem}"] = made
        for path in sorted((package / "models").glob("*.py")):
            for node in ast.parse(path.read_bytes()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    _class(self, node)

    @cached_property
    def owners(self) -> dict[str, dict[str, Argument]]:
        """The arguments of each function, and the attributes of each model."""
        return {
            **{module: made.arguments for module, made in self.functions.items()},
            **self.models,
        }

    @cached_property
    def sent(self) -> set[str]:
        """The classes that requests are made of: a user constructs them."""
        return self._reached(
            each.type for made in self.functions.values() for each in made.arguments.values()
        )

    @cached_property
    def received(self) -> set[str]:
        """The classes that answers and webhooks are made of: a user reads them."""
        return self._reached(
            iter([*(made.returns for made in self.functions.values()), *self.webhooks.values()])
        )

    def _reached(self, types: Iterator[Type]) -> set[str]:
        left = [name for each in types for name in class_names(each)]
        reached: set[str] = set()
        while left:
            name = left.pop()
            if name not in reached and (name in self.models or name in self.enums):
                reached.add(name)
                left += [
                    inner
                    for each in self.models.get(name, {}).values()
                    for inner in class_names(each.type)
                ]
        return reached


def _webhooks(path: Path) -> Iterator[tuple[str, Type]]:
    """What each overload of `read_webhook` returns for the name that it declares."""
    for node in ast.parse(path.read_bytes()).body if path.exists() else ():
        if isinstance(node, ast.FunctionDef) and node.name == "read_webhook":
            declared = [
                each.annotation
                for each in (*node.args.args, *node.args.kwonlyargs)
                if each.arg == "name"
            ]
            for name in declared:
                if isinstance(name, ast.Subscript):
                    yield ast.literal_eval(name.slice), type_of(node.returns)
                elif isinstance(name, ast.Constant) and name.value is None:
                    yield "", type_of(node.returns)


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
    return Function(
        tuple(each for each in FUNCTIONS if each in made),
        arguments,
        type_of(whole.returns.slice) - {NONE},
    )


def _arguments(arguments: ast.arguments) -> Iterator[tuple[str, Argument]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    optional = len(plain) - len(arguments.defaults)
    for number, each in enumerate(plain):
        yield each.arg, Argument(type_of(each.annotation), number < optional, positional=True)
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if each.arg != "client":
            yield each.arg, Argument(type_of(each.annotation), default is None)


def _class(surface: Surface, node: ast.ClassDef) -> None:
    bases = [each.id for each in node.bases if isinstance(each, ast.Name)]
    if any(each.endswith("Enum") for each in bases):
        members: dict[str, object] = {
            target.id: each.value.value
            for each in node.body
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
            for target in each.targets
            if isinstance(target, ast.Name)
        }
        surface.enums[node.name] = Words(members, "int" if "OpenIntEnum" in bases else "str")
        return
    surface.models[node.name] = {
        each.target.id: Argument(type_of(each.annotation), required=each.value is None)
        for each in node.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and not each.target.id.startswith("_")
        if not ast.unparse(each.annotation).startswith("ClassVar")
    }


ANY: Member = ("Any", ())
NONE: Member = ("None", ())
UNSET: Member = ("Unset", ())
"""The marker of what is absent."""

_WIDER = {"bool": "int", "int": "float", "datetime.datetime": "datetime.date"}
"""What type checkers accept in the place of what."""


def type_of(node: ast.expr | None) -> Type:
    """The type that an annotation declares; Any where there is none."""
    if node is None:
        return frozenset([ANY])
    if isinstance(node, ast.BinOp):
        return type_of(node.left) | type_of(node.right)
    if isinstance(node, ast.Subscript):
        name = ast.unparse(node.value)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Literal":
            return frozenset((f"Literal[{ast.unparse(each)}]", ()) for each in inner)
        return frozenset([(name, tuple(type_of(each) for each in inner))])
    # Operations take some classes from the package `models`, and import the others.
    return frozenset([(ast.unparse(node).removeprefix("models."), ())])


def text_of(type_: Type) -> str:
    """A type as one would write it, Unset and None last."""
    last = (NONE[0], UNSET[0])
    members = (
        f"{name}[{', '.join(map(text_of, inner))}]" if inner else name for name, inner in type_
    )
    return " | ".join(sorted(members, key=lambda text: (text in last, text)))


def class_names(type_: Type) -> Iterator[str]:
    for name, inner in type_:
        yield name
        for each in inner:
            yield from class_names(each)


def renamed(type_: Type, names: Mapping[str, str]) -> Type:
    return frozenset(
        (names.get(name, name), tuple(renamed(each, names) for each in inner))
        for name, inner in type_
    )


def fits(value: Type, declared: Type, bases: Mapping[str, str]) -> bool:
    """Whether `mypy --strict` accepts a value of one type where another is declared.

    `bases` has the plain type of each enum. The items of a list have to be of equal types, as mypy
    wants them.
    """
    return all(any(_member_fits(each, other, bases) for other in declared) for each in value)


def _member_fits(value: Member, declared: Member, bases: Mapping[str, str]) -> bool:
    if ANY in (value, declared) or value == declared:
        return True
    if value[1] and value[0] == declared[0] and len(value[1]) == len(declared[1]):
        pairs = zip(value[1], declared[1], strict=True)
        return all(fits(one, other, bases) and fits(other, one, bases) for one, other in pairs)
    name = value[0]
    wider = (
        bases.get(name)
        or _WIDER.get(name)
        or ("str" if name.startswith(("Literal['", 'Literal["')) else None)
    )
    return wider is not None and _member_fits((wider, ()), declared, bases)
